"""What pydantic found, in sentences that state what is wrong and what is allowed."""

from __future__ import annotations

import difflib
import re
import types
from dataclasses import dataclass
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from flexmine.inputs.units import guess, in_other_unit, known_in_another_unit, unit_of

_TAGS = ("series", "number")


@dataclass(frozen=True)
class Finding:
    """Something wrong at the value (or, with `of_key`, at the key) under `keys`; `place` overrides the look-up."""

    keys: tuple[str | int, ...]
    message: str
    place: object = None
    of_key: bool = False


def explain(error: ValidationError, model: type[BaseModel]) -> list[Finding]:
    """Return one finding per error; several where a document's own check has named several places."""
    findings: list[Finding] = []
    for detail in error.errors(include_url=False):
        keys = _without_tags(detail["loc"], model)
        context = detail.get("ctx", {})
        if detail["type"] == "places":
            findings += [Finding((*keys, *below), text) for below, text in context["places"]]
        elif detail["type"] == "extra_forbidden":
            findings.append(Finding(keys, unknown_key(keys, model, detail["input"]), of_key=True))
        else:
            findings.append(Finding(keys, _sentence(detail, keys)))
    return findings


def _without_tags(loc: tuple[str | int, ...], model: type[BaseModel]) -> tuple[str | int, ...]:
    """Drop the names of union branches, which are not keys of the file."""
    keys: list[str | int] = []
    for i, part in enumerate(loc):
        if part in _TAGS and i and not _has_key(model, tuple(keys), part):
            continue
        keys.append(part)
    return tuple(keys)


def _has_key(model: type[BaseModel], keys: tuple[str | int, ...], part: str | int) -> bool:
    parent = _document_at(model, keys)
    return parent is not None and part in _keys_of(parent)


def _keys_of(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _document_at(model: type[BaseModel], keys: tuple[str | int, ...]) -> type[BaseModel] | None:
    """Return the document type that stands under `keys`, None where a plain value does."""
    here: Any = model
    for part in keys:
        document = document_in(here)
        if document is not None and not _holds_many(here):
            here = {field.alias or name: field.annotation for name, field in document.model_fields.items()}.get(
                str(part)
            )
        else:
            here = document  # an index of a list, or a name of a mapping: its entries are of this type
    return None if _holds_many(here) else document_in(here)


def _holds_many(annotation: Any) -> bool:
    if get_origin(annotation) in (Annotated, Union, types.UnionType):
        return any(_holds_many(argument) for argument in get_args(annotation))
    return get_origin(annotation) in (tuple, dict)


def holds(kind: type, annotation: Any) -> bool:
    """Return whether the type `annotation` is, or allows, a `kind` (dict or tuple) of documents."""
    return get_origin(annotation) is kind or any(holds(kind, argument) for argument in get_args(annotation))


def document_in(annotation: Any) -> type[BaseModel] | None:
    """Return the document type that `annotation` is, or holds in Annotated, a union, a tuple or a dict; else None."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in get_args(annotation):
        found = document_in(argument)
        if found is not None:
            return found
    return None


def unknown_key(keys: tuple[str | int, ...], model: type[BaseModel], value: object) -> str:
    """Return what is wrong with the last of `keys`, which is unknown there in a file of `model`, and what may be meant.

    `value` is what stands under it, for a hint on its unit.
    """
    parent = _document_at(model, keys[:-1])
    known, key = _keys_of(parent) if parent else [], str(keys[-1])
    other = known_in_another_unit(key, known)
    if other is not None:
        return f"unknown key; did you mean {other}? {in_other_unit(key, other, value)}"
    elsewhere = [".".join(where) for where in _places_of(key, model) if where != keys[:-1]]
    near = difflib.get_close_matches(key, known, n=1)
    if elsewhere and not near:
        return f"unknown key here; it belongs under {' or '.join(elsewhere)}. Known here: {', '.join(known)}"
    if not near:
        near = _similar_below(key, model)
    hint = f"; did you mean {near[0]}?" if near else "."
    return f"unknown key{hint} Known here: {', '.join(known)}"


def _similar_below(key: str, model: type[BaseModel]) -> list[str]:
    """Return the key of a block below, with its block, whose name is most like `key`."""
    below = {
        name: f"{where}.{name}"
        for where, field in ((f.alias or n, f) for n, f in model.model_fields.items())
        for document in [document_in(field.annotation)]
        if document is not None
        for name in _keys_of(document)
    }
    containing = [name for name in below if f"_{key}_" in f"_{name}_"]
    return [below[name] for name in (containing or difflib.get_close_matches(key, below, n=1, cutoff=0.75))[:1]]


def _places_of(key: str, model: type[BaseModel], above: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Return under which keys of a document `key` is known, lists and mappings by their own key."""
    found = [above] if above and key in _keys_of(model) else []
    for name, field in model.model_fields.items():
        below = document_in(field.annotation)
        if below is not None and len(above) < 3:
            found += _places_of(key, below, (*above, field.alias or name))
    return found


def shown_value(value: object) -> str:
    """Return `value` in words, as messages show it."""
    if isinstance(value, dict):
        return "a block of keys"
    if isinstance(value, list | tuple):
        return "a list"
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"the text {value!r}" if len(value) <= 60 else f"the text {value[:57]!r}..."
    return str(value)


_EXPECTED = {
    "float_type": "a number is expected, without quotes",
    "int_type": "a whole number is expected, without quotes",
    "int_from_float": "a whole number is expected",
    "bool_type": "true or false is expected",
    "string_type": "text is expected",
    "model_type": "a block of keys is expected",
    "model_attributes_type": "a block of keys is expected",
    "dict_type": "a block of keys is expected",
    "tuple_type": "a list is expected",
    "finite_number": "a finite number is expected",
    "string_pattern_mismatch": "allowed are letters, digits, _ and -, beginning with a letter",
    "string_too_short": "it may not be empty",
}
_BOUNDS = {
    "greater_than": ("gt", "above"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "below"),
    "less_than_equal": ("le", "at most"),
}


def _number_in(text: str) -> str:
    """Return a hint for a number with a unit, a comma or underscores."""
    if re.fullmatch(r"[-+]?[0-9][0-9_ ]*[.,]?[0-9_]*\s*[A-Za-z%$/]*", text) and not re.fullmatch(r"[-+0-9.eE]+", text):
        return "; write the number alone, with a decimal point, in the unit of the key"
    return ""


def _unit_and_guess(keys: tuple[str | int, ...], value: object) -> str:
    named = [key for key in keys if isinstance(key, str)]
    unit = unit_of(named[-1]) if named else None
    if unit is None or not isinstance(value, int | float):
        return ""
    meant = guess(keys, value)
    name = "(a share: 0.05 is 5 %)" if unit.name.startswith("share") else unit.name
    return f" {name}{'; ' + meant if meant else ''}"


def _sentence(detail: ErrorDetails, keys: tuple[str | int, ...]) -> str:
    kind, context, shown = detail["type"], detail.get("ctx", {}), shown_value(detail["input"])
    text = str(detail["msg"])
    if kind == "missing":
        text = "is missing; this key is needed here"
    elif kind in _BOUNDS:
        bound, words = _BOUNDS[kind]
        text = f"{shown} is out of range; allowed: {words} {context[bound]:g}{_unit_and_guess(keys, detail['input'])}"
    elif kind == "literal_error":
        text = f"{shown} is not allowed; allowed: {context['expected']}"
    elif kind == "multiple_of":
        text = f"{shown} is not allowed; a multiple of {context['multiple_of']:g} is expected"
    elif kind == "too_short":
        text = f"the list is too short; at least {context['min_length']} entry is needed"
    elif kind == "string_too_long":
        text = f"the text is too long; at most {context['max_length']} characters are allowed"
    elif kind in ("float_type", "int_type") and isinstance(detail["input"], str):
        text = f"{shown} is not allowed; {_EXPECTED[kind]}{_number_in(detail['input'])}"
    elif kind in _EXPECTED:
        text = f"{shown} is not allowed; {_EXPECTED[kind]}"
    return text
