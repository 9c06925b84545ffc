"""The page of problem.json and the reader of problem.json know the same keys, shapes and options."""

import types
from typing import Annotated, Union, get_args, get_origin

import pytest

from flexmine.problem import shape as problem_schema
from flexmine.solving.engine import SolveOptions
from flexmine.workflow.problem_file import solve_to_document
from pages import DOCS, codes, section, table
from plants import reference_class, simple_problem

TEXT = (DOCS / "problem-json.md").read_text(encoding="utf-8")
PARTS = {
    "### The parts": problem_schema.ProblemPart,
    "### time": problem_schema.TimePart,
    "### classes: identical containers": problem_schema.ClassPart,
    "### start": problem_schema.StartPart,
    "### tiers of starts between warm and cold": problem_schema.TierPart,
    "### history": problem_schema.HistoryPart,
    "### miners": problem_schema.MinersPart,
    "### sources": problem_schema.SourcePart,
    "### site": problem_schema.SitePart,
    "### feeders": problem_schema.FeederPart,
}


def bare(annotation):
    """Return a type without its tags and bounds."""
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


def shape(annotation):
    """Return ``n or [T]`` where a number or a list may stand, ``list`` where only a list may, else nothing."""
    annotation = bare(annotation)
    union = get_origin(annotation) in (Union, types.UnionType)
    kinds = [bare(kind) for kind in (get_args(annotation) if union else (annotation,)) if kind is not type(None)]
    lists = [get_origin(kind) is list for kind in kinds]
    return "" if not any(lists) else "list" if all(lists) else "n or [T]"


@pytest.mark.parametrize("heading", PARTS)
def test_keys_shapes_and_options_are_those_that_are_read(heading):
    """*Proves:* whoever writes the file by the page writes what is read, and nothing that is read is missing.

    *Sensitivity:* a key added, renamed, made a list or made optional without the page fails.
    """
    fields = {field.alias or name: field for name, field in PARTS[heading].model_fields.items()}
    rows = {key: row for row in table(section(TEXT, heading)) for key in codes(row["key"])}
    assert set(rows) == set(fields)
    for key, row in rows.items():
        read = shape(fields[key].annotation)
        if heading != "### The parts" and key not in ("containers", "classes"):
            assert row["shape"] == read or (read, row["shape"]) == ("list", "[T]"), key
        told = "optional" in row["meaning"] or "absent" in row["meaning"] or "null" in row["meaning"]
        listed_empty = key in ("feeders",)
        assert told == (not fields[key].is_required()) or listed_empty, key


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
