"""The rows of the model as Pyomo's LP writer gives them, kept as text: a change of an equation shows as a diff.

After a change that is meant: ``pytest tests/rows --rewrite-rows``, and read the diff.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pyomo.environ as pe
import pytest

from flexmine.milp.model import build_model
from flexmine.problem.limits import LIMITS, ROWS
from rows.specimens import SHOWN_BY

HERE = Path(__file__).parent
NAMES = [*(limit.row for limit in LIMITS), *(row.row for row in ROWS)]


@cache
def texts() -> dict[str, str]:
    """Return the text of each family of rows, from the first plant that has it."""
    found: dict[str, str] = {}
    for plant, (problem, classes) in SHOWN_BY.items():
        model = build_model(problem, classes=classes)
        lines = _lines(model)
        for family in model.component_objects(pe.Constraint):
            if len(family) and family.name not in found:
                own = [line for line in lines if line.split("_", 2)[2].startswith(f"{family.name}(")]
                found[family.name] = "\n".join([f"\\ plant {plant!r} of specimens.py", *own, ""])
    return found


def _lines(model: pe.ConcreteModel) -> list[str]:
    """Return a line for each row of a model as its LP file has it."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "model.lp"
        model.write(str(file), io_options={"symbolic_solver_labels": True})
        rows = file.read_text(encoding="utf-8").partition("s.t.\n\n")[2].partition("\nbounds\n")[0]
    return [" ".join(row.split("\n")) for row in rows.strip().split("\n\n")]


@pytest.mark.parametrize("name", NAMES)
def test_rows_are_those_that_are_kept(name, request):
    """Read ``NAME.lp`` beside the equation in milp/: it is the same thing in numbers.

    *Proves:* no change of a row of the model goes unseen, not even one that random plants would not meet.
    *Sensitivity:* a coefficient, a sign, an index or a right-hand side that changes is a diff here.
    """
    kept = HERE / f"{name}.lp"
    if request.config.getoption("--rewrite-rows", default=False):
        kept.write_text(texts()[name], encoding="utf-8")
    assert texts()[name] == kept.read_text(encoding="utf-8")


def test_no_text_is_left_of_rows_that_are_gone():
    """*Proves:* a text for each declared row, and none beside.  *Sensitivity:* a renamed row leaves its old text."""
    assert {p.stem for p in HERE.glob("*.lp")} == set(NAMES)
