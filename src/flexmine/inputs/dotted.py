"""From a dotted key, such as ``sources.grid.price_usd_per_mwh``, to its place in what a file holds."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError

from flexmine.errors import BadInput
from flexmine.inputs.explain import document_in, holds, shown_value, unknown_key
from flexmine.inputs.partial_validation import field_adapter
from flexmine.inputs.series_spec import Series
from flexmine.inputs.yaml_loader import Keys

MOST_LISTED = 12


@dataclass(frozen=True)
class Spot:
    """The place of one value.

    Attributes
    ----------
    keys : tuple
        Its keys in the file; entries of lists by their index.
    holder : dict or list
        What holds it.
    annotation : object
        Its type, as the document declares it.
    value : object
        What stands there, unchecked; the default where nothing does.
    adapter : TypeAdapter
        Checks a value by itself.
    """

    keys: Keys
    holder: Any
    annotation: Any
    value: Any
    adapter: TypeAdapter[Any]

    @property
    def takes_numbers(self) -> bool:
        """Whether numbers stand there: one, or a series of them."""
        return _is_or_holds((int, float, Series), self.annotation)

    def accepts(self, value: object) -> bool:
        """Return whether `value` is allowed there, by itself."""
        try:
            self.adapter.validate_python(value, strict=True)
        except ValidationError:
            return False
        return True

    def put(self, value: object) -> None:
        """Put `value` into its place."""
        self.holder[self.keys[-1]] = value


def find(data: dict[str, Any], model: type[BaseModel], dotted: str) -> Spot:
    """Return the place of the key `dotted` in `data`, the content of a file; absent blocks above it are made.

    Entries of a list are found by their `name`; where they have none, by their index, counted from 0.

    Raises
    ------
    BadInput
        Where there is no such key; names those that there are.
    """
    here: Any = data
    annotation: Any = model
    keys: Keys = ()
    spot: Spot | None = None
    for part in dotted.split("."):
        where = ".".join(str(key) for key in keys)
        if spot is not None and here is None and _has_below(annotation):
            here = [] if holds(tuple, annotation) else {}
            spot.put(here)
        if holds(tuple, annotation) and isinstance(here, list):
            index = _entry(here, part, where)
            keys, annotation = (*keys, index), _inner(tuple, annotation)
            spot = Spot(keys, here, annotation, here[index], TypeAdapter(annotation))
        elif holds(dict, annotation) and isinstance(here, dict):
            keys, annotation = (*keys, part), _inner(dict, annotation)
            spot = Spot(keys, here, annotation, here.get(part), TypeAdapter(annotation))
        else:
            document = document_in(annotation)
            if document is None or not isinstance(here, dict):
                whole = f"; change {where} as a whole" if document is not None else ""
                raise BadInput(f"{where} is {shown_value(here)} in this case, and nothing lies below it{whole}")
            spot = _of_document(here, document, keys, part, model)
            keys, annotation = spot.keys, spot.annotation
        here = spot.holder.get(part) if isinstance(spot.holder, dict) else spot.value
    assert spot is not None
    return spot


def _of_document(
    here: dict[str, Any], document: type[BaseModel], keys: Keys, part: str, model: type[BaseModel]
) -> Spot:
    names = {field.alias or name: name for name, field in document.model_fields.items()}
    if part not in names:
        raise BadInput(unknown_key((*keys, part), model, None))
    field = document.model_fields[names[part]]
    default = None if field.is_required() else field.get_default(call_default_factory=True)
    value = here.get(part, default)
    return Spot((*keys, part), here, field.annotation, value, field_adapter(document, names[part]))


def _entry(entries: list[Any], part: str, where: str) -> int:
    """Return which entry of a list a part of a dotted key means."""
    names = [entry.get("name") for entry in entries if isinstance(entry, dict)]
    if any(isinstance(name, str) for name in names):
        places = [i for i, name in enumerate(names) if name == part]
        if len(places) == 1:
            return places[0]
        if places:
            raise BadInput(f"{where} has {len(places)} entries of the name {part}; change {where} as a whole")
        known = [str(name) for name in names]
        near = difflib.get_close_matches(part, known, n=1)
        listed = ", ".join(known[:MOST_LISTED]) + (", ..." if len(known) > MOST_LISTED else "")
        raise BadInput(
            f"{where} has no entry {part}{f'; did you mean {near[0]}?' if near else '.'} Its entries: {listed}"
        )
    if part.isdecimal() and len(part) < 7 and int(part) < len(entries):
        return int(part)
    if not entries:
        raise BadInput(f"{where} is empty in this case; change {where} as a whole, to a list")
    raise BadInput(f"{where} has no entry {part}; its entries have no names and are counted, 0 to {len(entries) - 1}")


def _has_below(annotation: Any) -> bool:
    return document_in(annotation) is not None or holds(tuple, annotation) or holds(dict, annotation)


def _inner(kind: type, annotation: Any) -> Any:
    """Return the type of the entries of a tuple, or of the values of a dict, that an annotation holds."""
    if get_origin(annotation) is kind:
        return get_args(annotation)[0 if kind is tuple else 1]
    return next(found for argument in get_args(annotation) if (found := _inner(kind, argument)) is not None)


def _is_or_holds(kinds: tuple[type, ...], annotation: Any) -> bool:
    if get_origin(annotation) in (tuple, dict):
        return False
    arguments = get_args(annotation)[:1] if get_origin(annotation) is Annotated else get_args(annotation)
    return annotation in kinds or any(_is_or_holds(kinds, argument) for argument in arguments)
