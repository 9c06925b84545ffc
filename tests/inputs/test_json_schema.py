"""JSON Schema for editors: what it accepts and refuses, and that every key says what it means."""

from __future__ import annotations

import copy

import jsonschema
import pytest

from flexmine.inputs.json_schema import DIALECT, KINDS, json_schema
from flexmine.inputs.meanings import documents, meaning
from flexmine.inputs.yaml_loader import parse_yaml
from flexmine.resources import shipped_names, shipped_path

SHIPPED = [(kind, name) for kind in KINDS for name in shipped_names(f"{kind}s")]
DOCUMENTS = {name: model for kind in KINDS.values() for name, model in documents(kind).items()}
CHECKER = {kind: jsonschema.Draft202012Validator(json_schema(kind)) for kind in KINDS}


def data_of(kind: str, name: str):
    path = shipped_path(f"shipped:{kind}s/{name}")
    return parse_yaml(path.read_bytes(), path, KINDS[kind], path.name).data


@pytest.mark.parametrize("kind", KINDS)
def test_the_schema_is_one(kind):
    """*Proves:* draft 2020-12, valid by its own meta-schema.  *Sensitivity:* a misspelt type would be refused."""
    assert json_schema(kind)["$schema"] == DIALECT
    jsonschema.Draft202012Validator.check_schema(json_schema(kind))


@pytest.mark.parametrize(("kind", "name"), SHIPPED)
def test_every_shipped_file_is_valid(kind, name):
    """*Proves:* an editor marks nothing in a right file.  *Sensitivity:* the damaged files below are marked."""
    assert list(CHECKER[kind].iter_errors(data_of(kind, name))) == []


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (lambda d: d.update(horizont_h=4), []),
        (lambda d: d.update(horizon_h="4"), ["horizon_h"]),
        (lambda d: d.update(step_minutes=20), ["step_minutes"]),
        (lambda d: d.pop("start"), []),
        (lambda d: d.update(sources=[]), ["sources"]),
        (lambda d: d["sources"][0].update(available_mw=30_000), ["sources", 0, "available_mw"]),
        (lambda d: d["sources"][0]["available_mw"].update(kolumn="x"), ["sources", 0, "available_mw"]),
        (lambda d: d["sources"][1].update(kind="solid"), ["sources", 1, "kind"]),
        (lambda d: d["state"]["default"].update(on="yes"), ["state", "default"]),
        (lambda d: d.update(windows=[{"name": "w", "source": "s", "from_": "11-15"}]), ["windows", 0]),
    ],
)
def test_a_wrong_file_is_marked_at_its_place(change, path):
    """*Proves:* unknown keys, types, ranges, choices, missing keys.  *Sensitivity:* unchanged, the case is valid."""
    data = copy.deepcopy(data_of("case", "bratsk-day"))
    change(data)
    assert path in [list(error.absolute_path) for error in CHECKER["case"].iter_errors(data)]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_key_says_what_it_means(name):
    """*Proves:* a new key comes with a line for editors and starters.  *Sensitivity:* one without fails here."""
    model = DOCUMENTS[name]
    keys = [field.alias or n for n, field in model.model_fields.items()]
    for key in keys:
        assert meaning(model, key).rpartition("] ")[2].strip(), f"{name}.{key} says nothing"


def test_descriptions_carry_units_and_aliases():
    """*Proves:* unit and meaning stand beside the key as a file spells it.  *Sensitivity:* `begin` is not a key."""
    order = json_schema("case")["$defs"]["Order"]["properties"]
    assert order["cap_mw"]["description"] == "[MW] the site draws at most so much"
    assert "from" in order
    assert "begin" not in order
