"""The shape of problem.json as pydantic models, made from the fields of the Problem where they are first needed.

They check types, bounds and names; lengths and sums are checked afterwards.  Unknown keys are kept aside
(``extra="allow"``), because the contract makes them a warning and not an error.
"""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    WithJsonSchema,
    create_model,
)
from pydantic_core import PydanticCustomError

from flexmine.moments import NoTime, read_moment
from flexmine.problem.fields import Described, fields_of
from flexmine.problem.writing import newest_schema, schema_name

DIALECT = "https://json-schema.org/draft/2020-12/schema"
LARGEST, MOST = 1e12, 1_000_000_000
"""Beyond any plant, and far from where sums and products of numbers overflow."""
MAX_CELLS = 10_000_000
"""Classes times steps."""


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="allow", frozen=True)


@cache
def model_of(root: Any) -> type[BaseModel]:
    """Return the model of a whole document: the parts of the dataclass `root`, and the number of its schema."""
    known = Literal[tuple(schema_name(number) for number in range(1, newest_schema(root) + 1))]  # type: ignore[valid-type]
    return _model(root, schema_=(known, Field(alias="schema", description="name and number of this format")))


def json_schema(root: type) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of problem.json.

    A file that it accepts may still be refused: lengths, and what compares keys with each other, are checked by
    :func:`flexmine.problem.reading.read_problem` alone.
    """
    schema = model_of(root).model_json_schema(by_alias=True)
    for part in (schema, *schema["$defs"].values()):
        for key in part["properties"].values():
            key.pop("title", None)
    return {"$schema": DIALECT, **schema, "title": "flexmine problem file"}


def _model(kind: type, **more: Any) -> type[BaseModel]:
    keys = {f.key: (_annotation(f), Field(**_default(f), description=_description(f))) for f in fields_of(kind)}
    about = (kind.__doc__ or "").partition("\n")[0]
    definitions: dict[str, Any] = {**more, **keys}
    return create_model(kind.__name__, __base__=_Part, __doc__=about, **definitions)


def _default(f: Described) -> dict[str, Any]:
    # Where null is allowed it says the same as no key.
    return {} if f.required else {"default": None if f.nullable else f.default}


def _description(f: Described) -> str:
    return f.about.words if f.about.unit == "-" else f"[{f.about.unit}] {f.about.words}"


def _annotation(f: Described) -> Any:
    value: Any = _model(f.kind) if f.is_part else _value(f)
    if f.shape == "n or [T]":
        # Which is meant is reported by what is there, so that one error comes.
        value = Annotated[Annotated[value, Tag("number")] | Annotated[list[value], Tag("list")], Discriminator(_kind)]
    elif f.shape == "pairs":
        value = Annotated[list[Annotated[list[value], Field(min_length=2, max_length=2)]], Field(min_length=1)]
    elif f.shape != "one":
        shortest = 1 if f.shape == "curve" else f.about.shortest
        value = Annotated[list[value], Field(min_length=shortest)] if shortest else list[value]
    return value | None if f.nullable else value


def _value(f: Described) -> Any:
    about = f.about
    if f.kind is datetime:
        return Annotated[datetime, BeforeValidator(_moment)]
    if f.kind is str:
        named = Annotated[str, Field(pattern=about.pattern, max_length=120)] if about.pattern else str
        return Literal[about.choices] if about.choices else named
    if f.kind is bool:
        return bool
    most = LARGEST if f.kind is float else MOST
    least, highest = (-most if about.least is None else about.least), (most if about.most is None else about.most)
    if f.kind is float:
        return Annotated[float, Field(ge=least, le=highest, allow_inf_nan=False)]
    schema = WithJsonSchema({"type": "integer", "minimum": int(least), "maximum": int(highest)})
    return Annotated[int, BeforeValidator(_whole), Field(ge=int(least), le=int(highest)), schema]


def _whole(value: Any) -> Any:
    """Return a whole number that is written with a point as what it is: JSON knows one kind of number only."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _kind(value: Any) -> str:
    return "list" if isinstance(value, list) else "number"


def _moment(value: object) -> object:
    """Return the moment that a text names; a number would be seconds since 1970."""
    if not isinstance(value, str):
        raise PydanticCustomError("time", "a time is text such as 2024-09-10T00:00:00+08:00")
    try:
        return read_moment(value)
    except NoTime as error:
        raise PydanticCustomError("time", "{text}", {"text": error.what}) from None
