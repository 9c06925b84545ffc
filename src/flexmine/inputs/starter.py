"""A commented starter: the files of a small plant, every key present, those with a default or unused as comments."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from flexmine.errors import BadInput
from flexmine.inputs import examples
from flexmine.inputs.examples import Inline
from flexmine.inputs.explain import document_in, holds
from flexmine.inputs.fields import type_name
from flexmine.inputs.json_schema import KINDS
from flexmine.inputs.meanings import meaning
from flexmine.inputs.yaml_loader import schema_of

COMMENT_COLUMN, LONGEST_COMMENT = 60, 100
_HEAD = """\
# {title}
# Every key is here: those that begin with # are optional, and shown with their default or with an example.
# `flexmine check case.yaml` tells what is wrong.  For help while you type: `flexmine schema {kind} --out
# {kind}.schema.json`, and as first line:  yaml-language-server: $schema={kind}.schema.json  (behind a #)
"""
_WORDS = ("true", "false", "null", "yes", "no", "on", "off")
"""What some reader of YAML takes for something else than text."""
_TITLES = {
    "case": "What to plan: when, with which prices, from which state.",
    "plant": "The plant: what stands on the site.",
    "container": "A container model: what one container draws and yields, and what a start costs.",
}


Line = tuple[str, str]
"""Text, and the comment behind it."""


def starter_files(name: str) -> dict[str, str]:
    """Return the text of each file of a starter, by file name.

    Raises
    ------
    BadInput
        Where `name` cannot be the name of a plant.
    """
    if not re.fullmatch(type_name, name) or len(name) > 60:
        raise BadInput(
            f"{name!r} is not a name of a plant; allowed are letters, digits, _ and -, beginning with a letter"
        )
    found = {}
    for kind, values in (("case", examples.CASE), ("plant", examples.PLANT), ("container", examples.CONTAINER)):
        model = KINDS[kind]
        filled = {"schema": schema_of(model), "name": name, **values}
        if "title" in filled:
            filled["title"] = filled["title"].format(name=name)
        lines = [f"{text.ljust(COMMENT_COLUMN)}# {comment}" for text, comment in _block(model, filled, "")]
        found[f"{kind}.yaml"] = _HEAD.format(title=_TITLES[kind], kind=kind) + "\n".join(lines) + "\n"
    return {**found, "series.csv": examples.series_csv()}


def _block(model: type[BaseModel], values: Mapping[str, Any], indent: str) -> list[Line]:
    """Return the lines of a block of keys; what is not in `values` is commented out."""
    lines: list[Line] = []
    for name, field in model.model_fields.items():
        key = field.alias or name
        if key in values:
            lines += _entry(model, key, field, values[key], indent)
        else:
            left_out = _entry(model, key, field, _example(model, key, field), indent)
            lines += [(f"{indent}# {text.removeprefix(indent)}", comment) for text, comment in left_out]
    return lines


def _entry(model: type[BaseModel], key: str, field: FieldInfo, value: Any, indent: str) -> list[Line]:
    below, comment = document_in(field.annotation), _short(meaning(model, key))
    if below is not None and isinstance(value, dict):
        return [(f"{indent}{key}:", comment), *_block(below, value, f"{indent}  ")]
    if below is not None and isinstance(value, list):
        entries = [line for item in value for line in _item(_block(below, item, f"{indent}    "), indent)]
        return [(f"{indent}{key}:", comment), *entries]
    return [(f"{indent}{key}: {_yaml(value)}  ", comment)]


def _item(block: list[Line], indent: str) -> list[Line]:
    """Return the lines of a block as one entry of a list: a dash before its first key, comments after it."""
    first = next(i for i, (text, _) in enumerate(block) if not text.lstrip().startswith("#"))
    text, comment = block.pop(first)
    return [(f"{indent}  - {text.lstrip()}", comment), *block]


def _short(text: str) -> str:
    """Return the first sentence, without what follows a semicolon where it is long."""
    sentence = text.partition(". ")[0]
    while len(sentence) > LONGEST_COMMENT and "; " in sentence:
        sentence = sentence.rpartition("; ")[0]
    return sentence


def _example(model: type[BaseModel], key: str, field: FieldInfo) -> Any:
    """Return what to show of a key that is left out: an example, its default, or the needed keys of its block."""
    given = examples.LEFT_OUT.get(model.__name__, {})
    if key in given:
        return given[key]
    below = document_in(field.annotation)
    if below is None:
        assert not field.is_required(), f"examples.LEFT_OUT needs an example of {model.__name__}.{key}"
        return field.get_default(call_default_factory=True)
    needed = {f.alias or n: _example(below, f.alias or n, f) for n, f in below.model_fields.items() if f.is_required()}
    if not needed:  # a block of defaults: its first key stands for it
        n, f = next(iter(below.model_fields.items()))
        needed = {f.alias or n: f.get_default(call_default_factory=True)}
    if holds(dict, field.annotation):
        return Inline(f"{{C01: {_flow(needed)}}}")
    return [needed] if holds(tuple, field.annotation) else needed


def _flow(values: Mapping[str, Any]) -> str:
    return "{" + ", ".join(f"{key}: {_yaml(value)}" for key, value in values.items()) + "}"


def _yaml(value: Any) -> str:
    if isinstance(value, Inline):
        return str(value)
    if isinstance(value, Mapping):
        return _flow(value)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_yaml(item) for item in value) + "]"
    if isinstance(value, str):
        plain = value and not value[0].isdigit() and all(c.isalnum() or c in "_-./ /" for c in value)
        return value if plain and value not in _WORDS else json.dumps(value, ensure_ascii=False)
    if isinstance(value, float) and value.is_integer():
        return f"{value:.0f}"
    return "null" if value is None else json.dumps(value)
