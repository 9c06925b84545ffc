"""The page of the mathematics and the model agree on sets, variables, data, rows, units and sources, both ways."""

from __future__ import annotations

import inspect
import re
from importlib import import_module

import pyomo.environ as pe
import pytest

from flexmine.milp.model import build_model
from flexmine.milp.numbers import INDEX
from flexmine.problem import Problem
from flexmine.problem.fields import every_field
from flexmine.problem.limits import LIMITS
from pages import DOCS, codes, section, table
from plants import random_problem

TEXT = (DOCS / "mathematics.md").read_text(encoding="utf-8")
UNITS = {"steps", "count", "MW", "MWh", "h", "USD", "USD/MWh", "TH/s", "TH/s per MW", "USD per TH/s per h", "-"}
FIELDS = {f"{kind.__name__}.{f.name}": f for kind, f in every_field(Problem)}
NUMBERS = {name for name, f in FIELDS.items() if f.about.optimum and f.kind in (int, float, bool)}
"""What can change a plan; the rest is names, words, accounts, rounding to miners, and what holds other fields."""


@pytest.fixture(scope="module")
def model():
    return build_model(random_problem(0))


def rows_of(heading):
    return table(section(TEXT, heading))


def names_of(heading, column):
    return {name for row in rows_of(heading) for name in codes(row[column])}


def test_sets_and_variables_are_those_of_the_model(model):
    """*Proves:* no set or variable is missing from the page, and none is there that does not exist.

    *Sensitivity:* renaming a component, or adding a variable without documenting it, fails.
    """
    assert names_of("### Sets", "code") == {s.name for s in model.component_objects((pe.Set, pe.RangeSet))}
    assert names_of("### Variables", "code") == {v.name for v in model.component_objects(pe.Var)}


def test_parameters_are_the_numbers_of_the_model_and_stand_where_the_page_says(model):
    """*Proves:* every number of the model is on the page with its sets; every number of the problem that rows use is
    named, and exists.

    *Sensitivity:* a new number, or a new field of the problem that reaches a row, undocumented, fails; so does a
    field misspelt.
    """
    over = {name: row["over"] for row in rows_of("### Parameters") for name in codes(row["code"])}
    assert set(over) == {c.name for c in model.component_objects(pe.Param)}
    assert over == {name: ", ".join(sets) for name, sets in INDEX.items()}
    named = names_of("### Parameters", "from") | names_of("### Sets", "from")
    assert named <= {name for name, f in FIELDS.items() if f.about.optimum}
    assert named >= NUMBERS


def test_rows_are_those_of_the_model(model):
    """*Proves:* names, number of indices, and the function that builds each row, are what the page says.

    *Sensitivity:* a limit added or renamed in `milp/` without this page fails.
    """
    rows = {}
    for row in rows_of("## Rows"):
        (label,) = codes(row["row"])
        name, _, indices = label.rstrip("]").partition("[")
        rows[name] = (row, indices.split(","))
    assert set(rows) == {c.name for c in model.component_objects(pe.Constraint)}
    for name, (row, indices) in rows.items():
        component = model.component(name)
        assert len(component) == 0 or component.dim() == len(indices), name
        module, _, function = codes(row["code"])[0].partition(".")
        source = inspect.getsource(getattr(import_module(f"flexmine.milp.{module}"), function))
        assert re.search(rf"\bm\.{name} = ", source), f"{module}.{function} builds no row {name}"


def test_limits_are_those_that_are_declared():
    """*Proves:* the page says of every limit what the code takes from its declaration, in the same order.

    *Sensitivity:* a limit added, or whose kind, unit, check or reasons change, without this page fails.
    """
    declared = [
        {
            "row": f"`{limit.row}`",
            **{"words": limit.words, "of": limit.over, "spans": limit.window, "ties": limit.touches},
            **{
                "kind": limit.kind,
                "a rounding": limit.rounding.replace("_", " "),
                "the audit says": f"`{limit.check}`",
            },
            "reasons": ", ".join(f"`{reason}`" for reason in limit.reasons),
            "unit": limit.unit,
        }
        for limit in LIMITS
    ]
    assert rows_of("## Limits") == declared


def test_every_entry_has_a_known_unit_and_every_row_a_source():
    """*Proves:* units are of the list, equations are there, and each source is `own` or one that the page lists.

    *Sensitivity:* kW for MW, or a number without a reference behind it, fails.
    """
    for heading in ("### Sets", "### Variables", "### Parameters", "## Rows", "## Money"):
        for row in rows_of(heading):
            assert row["unit"] in UNITS, row
    listed = {int(number) for number in re.findall(r"^(\d+)\. ", section(TEXT, "## Sources"), re.M)}
    cited = {int(number) for number in re.findall(r"\[(\d+)\]", TEXT)}
    assert cited == listed
    for row in rows_of("## Rows"):
        assert re.fullmatch(r"\$.+\$", row["equation"]), row
        assert row["source"] == "own" or re.search(r"\[\d+\]", row["source"]), row
