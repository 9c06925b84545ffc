"""The starter plant: it plans as it is, holds every key, and every example in it is a right value."""

from __future__ import annotations

import re

import pytest

from flexmine.errors import BadInput
from flexmine.inputs.case import load_case
from flexmine.inputs.examples import LEFT_OUT, Inline
from flexmine.inputs.json_schema import KINDS
from flexmine.inputs.meanings import documents
from flexmine.inputs.partial_validation import field_adapter
from flexmine.inputs.starter import starter_files
from flexmine.inputs.yaml_loader import parse_yaml
from flexmine.output import write_new
from shell import in_process

DOCUMENTS = {name: model for kind in KINDS.values() for name, model in documents(kind).items()}
FILES = starter_files("mine")


def test_a_starter_plans_as_it_is_and_is_never_overwritten(tmp_path):
    """Written, planned, audited by the commands that the README names; the second writing is refused.

    *Proves:* a newcomer's first two commands work, and his edits are safe.
    *Sensitivity:* a wrong example, or an overwriting second run, would change the exit codes.
    """
    made = in_process("new-plant", "mine", "--out", tmp_path / "mine")
    assert (made.returncode, made.stderr) == (0, "")
    case = tmp_path / "mine" / "case.yaml"
    assert made.stdout.strip() == str(case)
    planned = in_process("plan", case, "--out", tmp_path / "plan", "--no-report")
    assert planned.returncode == 0, planned.stderr
    assert in_process("audit", tmp_path / "plan").returncode == 0
    before = case.read_bytes()
    again = in_process("new-plant", "other", "--out", tmp_path / "mine")
    assert again.returncode == 2
    assert "holds case.yaml, plant.yaml, container.yaml, series.csv already" in again.stderr
    assert case.read_bytes() == before


def test_one_file_in_the_way_keeps_all_others_from_being_written(tmp_path):
    """*Proves:* all or nothing.  *Sensitivity:* a check file by file would leave a half-written plant."""
    (tmp_path / "series.csv").write_text("mine")
    with pytest.raises(BadInput, match=r"holds series.csv already"):
        write_new(tmp_path, FILES)
    assert [p.name for p in tmp_path.iterdir()] == ["series.csv"]


@pytest.mark.parametrize("name", ["", "1st", "a b", "../x", "x" * 61, "a\n"])
def test_a_name_that_no_plant_may_have_is_refused(name):
    """*Proves:* what is written would load.  *Sensitivity:* the name goes into the files as it is."""
    with pytest.raises(BadInput, match="is not a name of a plant"):
        starter_files(name)


@pytest.mark.parametrize("kind", ["case", "plant", "container"])
def test_every_key_of_the_file_is_there_once_with_a_comment(kind):
    """*Proves:* nobody has to look elsewhere for a key.  *Sensitivity:* a key that the writer skips fails here."""
    text = FILES[f"{kind}.yaml"]
    top = re.findall(r"^(?:# )?([a-z_]+):", text, flags=re.M)
    keys = [field.alias or name for name, field in KINDS[kind].model_fields.items()]
    assert top == keys
    shown = set(re.findall(r"([a-z_0-9]+):", text))
    for name, model in documents(KINDS[kind]).items():
        missing = {field.alias or n for n, field in model.model_fields.items()} - shown
        assert not missing, f"{name} lacks {missing}"
    for line in text.splitlines()[4:]:
        assert re.search(r"  # \S", line), line


@pytest.mark.parametrize("name", sorted(LEFT_OUT))
def test_every_example_is_a_right_value(name):
    """*Proves:* what is shown in a comment may be used.  *Sensitivity:* a value of a wrong type or range fails."""
    model = DOCUMENTS[name]
    by_key = {field.alias or n: n for n, field in model.model_fields.items()}
    for key, value in LEFT_OUT[name].items():
        if not isinstance(value, Inline):
            field_adapter(model, by_key[key]).validate_python(value, strict=True)


@pytest.mark.parametrize("key", ["windows", "orders", "outages", "must_run", "available", "commitment", "options"])
def test_a_block_in_comments_becomes_right_by_taking_the_marks_away(key):
    """*Proves:* one mark less in each line of a block gives a block that is read (where a choice is to be made
    between keys, it says so).  *Sensitivity:* a wrong indent would be no YAML.
    """
    text = FILES["case.yaml"]
    block = re.search(rf"^# {key}:[^\n]*\n(?:# +[^\n]*\n)+?(?=# ?[a-z]|[a-z])", text + "x", flags=re.M)
    assert block is not None
    opened = re.sub(r"^# ", "", block[0], flags=re.M)
    data = parse_yaml(text.replace(block[0], opened).encode(), None, KINDS["case"], "case.yaml")
    allowed = {"windows": ["either from and to"]}.get(key, [])
    assert len(data.messages) == len(allowed)
    assert all(words in message for words, message in zip(allowed, data.messages, strict=True))


def test_the_starter_loads_with_its_name(tmp_path):
    """*Proves:* case and plant carry the name.  *Sensitivity:* a fixed name would fail."""
    write_new(tmp_path / "new" / "folder", FILES)
    case = load_case(tmp_path / "new" / "folder" / "case.yaml")
    assert (case.name, case.plant.name, case.plant.container_names) == ("mine", "mine", ("C01", "C02"))
