"""The parts of a faulty document that are right by themselves, so that one error does not hide the others."""

from __future__ import annotations

from copy import copy
from functools import cache
from types import SimpleNamespace
from typing import Annotated, Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from flexmine.inputs.explain import document_in, holds


def parts_of(data: Any, model: type[BaseModel]) -> Any:
    """Return the document of `data`, the content of a file; where it is faulty, an object with its attributes.

    An attribute that is missing or wrong is None.  Lists and mappings of documents keep their length, so that an index
    still leads to its place in the file.  Meant for further findings on a file that is refused already, not for a plan.
    """
    try:
        return model.model_validate(data)
    except ValidationError:
        if not isinstance(data, dict):
            return None
    parts = {}
    for name, field in model.model_fields.items():
        key = field.alias or name
        if key in data:
            parts[name] = _part(data[key], model, name)
        else:
            parts[name] = None if field.is_required() else field.get_default(call_default_factory=True)
    return SimpleNamespace(**parts)


def _part(value: Any, model: type[BaseModel], name: str) -> Any:
    try:
        return field_adapter(model, name).validate_python(value, strict=True)
    except ValidationError:
        pass
    field = model.model_fields[name]
    document = document_in(field.annotation)
    if document is None:
        return None
    if holds(tuple, field.annotation):
        return tuple(parts_of(item, document) for item in value) if isinstance(value, list) else None
    if holds(dict, field.annotation):
        return {key: parts_of(item, document) for key, item in value.items()} if isinstance(value, dict) else None
    return parts_of(value, document)


@cache
def field_adapter(model: type[BaseModel], name: str) -> TypeAdapter[Any]:
    """Return what validates one field of a document by itself."""
    alone = copy(model.model_fields[name])
    alone.alias = alone.validation_alias = alone.serialization_alias = None  # these mean nothing outside a document
    return TypeAdapter(Annotated[alone.annotation, alone])  # type: ignore[arg-type]
