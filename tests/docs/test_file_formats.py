"""The page of the file formats names the columns, keys and codes that are written."""

import re

import pytest

import flexmine
from flexmine.audit.reason_codes import CODES
from flexmine.workflow.document import plan_document
from pages import DOCS, codes, section, table

TEXT = (DOCS / "file-formats.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def plan():
    return flexmine.plan(flexmine.load_case("curtailment-noon"))


def told(heading, column):
    return [name for row in table(section(TEXT, heading)) for name in codes(row[column])]


def test_columns_of_the_tables_are_those_that_are_written(plan):
    """*Proves:* a reader of the CSV files finds every column explained, in its order.

    *Sensitivity:* a column added, renamed or moved without the page fails.
    """
    assert told("## setpoints.csv: a row per container and step", "column") == list(plan.setpoints.columns)
    listed = [name.strip() for part in codes(section(TEXT, "## site.csv: a row per step")) for name in part.split(",")]
    by_source = [f"{source.name}_mw" for source in plan.problem.sources]
    at = listed.index("SOURCE_mw")
    columns = list(plan.site.columns)
    assert (listed[:at] + by_source + listed[at + 1 :])[: len(columns)] == columns


def test_keys_of_plan_json_are_those_that_are_written(plan):
    """*Proves:* every key is explained, none is that does not exist.  *Sensitivity:* a key added silently fails."""
    keys = [name for row in table(section(TEXT, "## plan.json")) for name in codes(row["key"])]
    assert set(keys) == set(plan_document(plan, {}))
    assert len(keys) == len(set(keys))


def test_codes_of_the_reasons_are_those_that_are_written():
    """*Proves:* every code of the column `reason` is explained once.  *Sensitivity:* a new code fails."""
    listed = told("### Reasons", "code")
    assert sorted(listed) == sorted(CODES)
    assert re.search(r"500 classes x steps", TEXT)
