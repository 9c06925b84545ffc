"""Notebooks run from top to bottom, show what they say, and are the same as the scripts beside them."""

from pathlib import Path

import jupytext
import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[2] / "notebooks"
CHECKS = {
    "01_plan_a_day": """
assert plan.gap <= 1e-4
assert len(published) == plan.publish_steps == 24
assert max(hours_on) > 0
""",
    # Asleep, the heat of the miners holds 33 K: never below 0 C in September, within 6.1 h x ln(27 / 7) = 8.2 h at a
    # steady -40 C; powered off, within 6.1 h x ln(60 / 40) = 2.5 h.  84 kW/K x 0.3 x 0.2 / 0.8 x 43.3 K = 0.27 MW.
    "02_what_temperature_does": """
assert abs(hot.min() - 1.30 * (1 - 0.1 * 5.6 / 12)) < 1e-9
assert abs(least[0.8].max() - 0.27) < 0.005 and least[0.6].max() > 0.52
asleep, off = window["deep winter", "asleep, dampers shut"], window["deep winter", "powered off"]
assert (asleep[:24].min(), asleep[:24].max()) == (6, 11) and set(off[:24]) == {2}
assert window["September", "asleep, dampers shut"].min() == 48
assert list(starts.loc["cold starts"]) == [14, 0] and list(starts.loc["warm starts"]) == [0, 14]
""",
    "03_what_planning_is_worth": """
assert (gain["perfect"] >= -1e-6).all() and 1.5 < share["perfect"] < 2.2
assert 30 < captured < 45 and 0 < sums["nightly"] < 0.4 * sums["replan"] and gain["nightly"]["2024-07"] < 0
assert left.abs().max() < 0.01
""",
}
NAMES = sorted({p.stem for p in FOLDER.glob("*.py")} | {p.stem for p in FOLDER.glob("*.ipynb")})


@pytest.mark.parametrize("name", NAMES)
def test_notebook_runs_and_shows_what_it_says(name):
    """*Proves:* every cell still runs against the public interface, and the numbers that its text names are true.

    *Sensitivity:* a renamed column raises; another model of the box or another default changes a number.
    """
    notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(CHECKS[name]))
    NotebookClient(notebook, timeout=900, kernel_name="python3").execute()


@pytest.mark.parametrize("name", NAMES)
def test_notebook_and_script_are_a_pair(name):
    """*Proves:* both hold the same cells, and the notebook no outputs.

    *Sensitivity:* a change in one of them without ``jupytext --sync`` fails.
    """
    script = jupytext.read(FOLDER / f"{name}.py")
    notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    assert [(c.cell_type, c.source) for c in script.cells] == [(c.cell_type, c.source) for c in notebook.cells]
    assert not any(c.get("outputs") for c in notebook.cells)
