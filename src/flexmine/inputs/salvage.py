"""The parts of a faulty document that are right by themselves, so that one error does not hide the others."""

from __future__ import annotations

from copy import copy
from types import SimpleNamespace
from typing import Annotated, Any

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from flexmine.inputs.explain import document_in, holds_names


def parts_of(data: Any, model: type[BaseModel]) -> Any:
    """Return the document; where it is faulty, an object with its attributes, None where one is missing or wrong.

    Lists and mappings of documents keep their length, so that an index still leads to its place in the file.
    Meant for more findings about a file that is refused already, never for a plan.
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
            parts[name] = _part(data[key], field)
        else:
            parts[name] = None if field.is_required() else field.get_default(call_default_factory=True)
    return SimpleNamespace(**parts)


def _part(value: Any, field: FieldInfo) -> Any:
    alone = copy(field)
    alone.alias = alone.validation_alias = alone.serialization_alias = None  # these mean nothing outside a document
    adapter: TypeAdapter[Any] = TypeAdapter(Annotated[field.annotation, alone])  # type: ignore[arg-type]
    try:
        return adapter.validate_python(value, strict=True)
    except ValidationError:
        pass
    document = document_in(field.annotation)
    if document is None:
        return None
    if isinstance(value, list):
        return tuple(parts_of(item, document) for item in value)
    if isinstance(value, dict) and holds_names(field.annotation):
        return {key: parts_of(item, document) for key, item in value.items()}
    return parts_of(value, document)
