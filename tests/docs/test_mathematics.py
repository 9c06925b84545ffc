"""The page of the mathematics names the rows and variables that the model really has."""

import re
from pathlib import Path

import pyomo.environ as pe

from flexmine.milp.model import build_model
from plants import random_problem

PAGE = Path(__file__).parents[2] / "docs" / "mathematics.md"


def test_page_and_model_name_the_same_rows_and_variables():
    """*Proves:* no row or variable of the model is missing from the page, and none is there that does not exist.

    *Sensitivity:* renaming a component, or adding a limit without documenting it, fails.
    """
    text = PAGE.read_text(encoding="utf-8")
    rows_part = text[text.index("## Rows") : text.index("The objective is money")]
    documented = set(re.findall(r"`(\w+)\[", rows_part))
    model = build_model(random_problem(0))
    assert documented == {c.name for c in model.component_objects(pe.Constraint)}
    symbols = text[text.index("## Symbols") : text.index("## Rows")]
    for variable in model.component_objects(pe.Var):
        assert f"`{variable.name}`" in symbols, variable.name
