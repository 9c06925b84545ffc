"""The page of problem.json and the reader of problem.json know the same keys, shapes and options."""

import pytest

from flexmine.problem import (
    ContainerClass,
    EnergyLimit,
    Group,
    History,
    Miners,
    Problem,
    Site,
    Source,
    StartTerms,
    StartTier,
    TimeAxis,
)
from flexmine.problem.fields import every_field, fields_of
from flexmine.solving.engine import SolveOptions
from flexmine.workflow.problem_file import solve_to_document
from pages import DOCS, codes, section, table
from plants import reference_class, simple_problem

TEXT = (DOCS / "problem-json.md").read_text(encoding="utf-8")
PARTS = {
    "### The parts": Problem,
    "### time": TimeAxis,
    "### classes: identical containers": ContainerClass,
    "### start": StartTerms,
    "### tiers of starts between warm and cold": StartTier,
    "### history": History,
    "### miners": Miners,
    "### sources": Source,
    "### site": Site,
    "### feeders": Group,
    "### energy limits": EnergyLimit,
}


def shape(field):
    """Return what the page has as the shape of a field; lists of names, and of the parts themselves, need no word."""
    if field.shape in ("[T]", "n or [T]"):
        return field.shape
    return "list" if field.shape in ("curve", "pairs") or (field.shape == "list" and field.kind is not str) else ""


def test_every_part_has_its_table():
    """*Proves:* no part is read that the page does not have.  *Sensitivity:* a new dataclass without a table fails."""
    assert {Problem, *(kind for kind, _ in every_field(Problem))} == set(PARTS.values())


@pytest.mark.parametrize("heading", PARTS)
def test_keys_units_shapes_and_options_are_those_that_are_read(heading):
    """*Proves:* whoever writes the file by the page writes what is read, and nothing that is read is missing.

    *Sensitivity:* a key added, renamed, of another unit, made a list or made optional without the page fails.
    """
    fields = {f.key: f for f in fields_of(PARTS[heading])}
    rows = {key: row for row in table(section(TEXT, heading)) for key in codes(row["key"])}
    assert set(rows) - {"schema"} == set(fields)
    for key, f in fields.items():
        row = rows[key]
        assert row["unit"] in (f.about.unit, "" if f.is_part else f.about.unit), key
        assert row["shape"] == shape(f) or heading == "### The parts", key
        told = "optional" in row["meaning"] or "absent" in row["meaning"] or "null" in row["meaning"]
        listed_empty = key in ("feeders",)
        assert told == (not f.required) or listed_empty or (f.nullable and "null" in row["meaning"]), key
        assert f.about.since == 1 or f"flexmine-problem/{f.about.since}" in row["meaning"], key


def test_keys_and_statuses_of_a_solution_are_told():
    """*Proves:* the page tells every key that is written, of the document and of its classes, and nothing else.

    *Sensitivity:* a key written and not told, or told and not written, fails.
    """
    part = section(TEXT, "## solution.json")
    told = {key: row for row in table(part) for key in codes(row["key"])}
    document, _ = solve_to_document(simple_problem(reference_class(count=2, steps=3)), SolveOptions())
    assert set(told) == set(document)
    for key in ("classes", "containers"):
        assert set(document[key][0]) - {"name", "class"} == set(codes(told[key]["meaning"])) - {"--containers"}
    assert {"optimal", "feasible", "infeasible", "no_plan"} == set(codes(told["status"]["meaning"]))
