"""The recipes of the pages are series of a case, each file has its own, and each adapter is used."""

from __future__ import annotations

import re

import pytest
import yaml

from flexmine.inputs.adapters import ADAPTERS
from flexmine.inputs.conversion import conversion
from flexmine.inputs.layout import Layout
from flexmine.inputs.series_spec import BANDS, Series
from pages import DOCS

PAGES = ("series.md", "published-files.md")
BLOCK = re.compile(r"^```yaml\n(.*?)^```", re.M | re.S)


def text(name: str) -> str:
    return (DOCS / "recipes" / name).read_text(encoding="utf-8")


SNIPPETS = [
    (name, key, spec) for name in PAGES for b in BLOCK.findall(text(name)) for key, spec in yaml.safe_load(b).items()
]


@pytest.mark.parametrize(("page", "key", "spec"), SNIPPETS)
def test_a_recipe_is_a_series_with_a_clear_unit(page, key, spec):
    """*Proves:* keys and values pass as in a case, and the unit leads to the key's.

    *Sensitivity:* a key renamed, or a rate left out, fails on the page that shows it.
    """
    assert key in BANDS
    conversion(Series.model_validate(spec), key)


def test_every_file_of_the_table_has_a_recipe_and_every_adapter_is_shown():
    """*Proves:* no file without a way, no adapter without an example.  *Sensitivity:* a row added without a section."""
    page = text("published-files.md")
    listed = re.findall(r"^\| `(\S+\.csv)` \| .+? \| (YAML|adapter) \|", page, re.M)
    sections = {s.partition("\n")[0]: s for s in re.split(r"^## ", page, flags=re.M)[1:]}
    assert [name for name, _ in listed] == list(sections)
    for name, way in listed:
        assert ("flexmine convert" in sections[name]) == (way == "adapter"), name
    shown = set(re.findall(r"flexmine convert (\S+) ", page))
    assert shown == set(ADAPTERS)


def test_every_key_of_a_series_is_told():
    """*Proves:* the page of keys is complete.  *Sensitivity:* a new key fails until it is told."""
    table = text("series.md").partition("## Keys")[2].partition("## Layout")[0]
    told = set(
        re.findall(r"`(\w+)`", " ".join(row.split("|")[1] for row in table.splitlines() if row.startswith("| `")))
    )
    assert told == set(Series.model_fields)
    table = text("series.md").partition("## Layout")[2].partition("## Units")[0]
    rows = [row.split("|")[1] for row in table.splitlines() if row.startswith("| `")]
    assert set(re.findall(r"`(\w+)`", " ".join(rows))) == set(Layout.model_fields)
