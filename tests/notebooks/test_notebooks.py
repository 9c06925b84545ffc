"""Notebooks run from top to bottom."""

import runpy
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.py"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_notebook_runs(path):
    """*Proves:* every cell still runs against the public interface.  *Sensitivity:* a renamed column raises."""
    names = runpy.run_path(str(path))
    assert names["plan"].gap <= 1e-4
    assert len(names["published"]) == names["plan"].publish_steps
