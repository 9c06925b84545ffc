"""Field types shared by all documents: strict numbers with plausibility bands, aware times, names.

A value outside its band is refused, because it is nearly always a wrong unit (kW for MW, USD/kWh for USD/MWh,
PH/s for TH/s), which no later check can see.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from flexmine.moments import NoTime, read_day, read_moment

_LEAP_YEAR = 2024
"""A day of every year may be 29 February."""


class Document(BaseModel):
    """Base of all documents: immutable, no unknown key, no number as text, no NaN."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        populate_by_name=False,
        hide_input_in_errors=True,
        # Most documents are read as parts of another: each is built where it is first read by itself.
        defer_build=True,
    )


def problems(found: Sequence[tuple[tuple[str | int, ...], str]]) -> None:
    """Raise one error that carries all of `found`, each (keys below this document, sentence); empty: do nothing.

    Raises
    ------
    PydanticCustomError
        Of type ``places``.
    """
    if found:
        text = "; ".join(message for _, message in found)
        raise PydanticCustomError("places", "{text}", {"text": text, "places": list(found)})


def _on_one_line(value: Any) -> Any:
    return " ".join(value.split()) if isinstance(value, str) else value


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _aware(value: Any) -> Any:
    if not isinstance(value, str):
        raise PydanticCustomError("time", "a time is text such as 2024-09-10T00:00:00+08:00")
    try:
        return read_moment(value)
    except NoTime as error:
        raise PydanticCustomError("time", "{text}", {"text": str(error)}) from None


def _day(value: Any) -> Any:
    if not isinstance(value, str):
        raise PydanticCustomError("day", "a day is text such as 2024-11-15")
    try:
        return read_day(value)
    except NoTime as error:
        raise PydanticCustomError("day", "{text}", {"text": str(error)}) from None


def _month_day(value: Any) -> Any:
    if not isinstance(value, str) or len(value) != len("MM-DD"):
        raise PydanticCustomError("day", "a day of every year is text of the form MM-DD, such as 11-15")
    try:
        read_day(f"{_LEAP_YEAR}-{value}")
    except NoTime:
        raise PydanticCustomError(
            "day", "{value} is not a day of the year; write it as MM-DD, such as 11-15", {"value": repr(value)}
        ) from None
    return value


type_name = r"^[A-Za-z][A-Za-z0-9_-]*$"
Words = Annotated[str, BeforeValidator(_on_one_line)]
"""Text that stands in a cell, a reason or a heading: its line breaks and further blanks become one blank."""
Name = Annotated[str, Field(pattern=type_name, max_length=60)]
AwareTime = Annotated[datetime, BeforeValidator(_aware)]
Day = Annotated[date, BeforeValidator(_day)]
MonthDay = Annotated[str, BeforeValidator(_month_day)]
AsTuple = BeforeValidator(_tuple)

PowerMw = Annotated[float, Field(ge=0.0, le=10_000.0)]
PositivePowerMw = Annotated[float, Field(gt=0.0, le=10_000.0)]
ContainerPowerMw = Annotated[float, Field(gt=0.0, le=20.0)]
DurationH = Annotated[float, Field(ge=0.0, le=8784.0)]
TemperatureC = Annotated[float, Field(ge=-70.0, le=60.0)]
Usd = Annotated[float, Field(ge=0.0, le=1.0e6)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
