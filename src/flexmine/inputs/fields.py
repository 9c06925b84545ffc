"""Field types shared by all documents: strict numbers with plausibility bands, aware times, names, series.

A value outside its band is refused, because it is nearly always a wrong unit (kW for MW, USD/kWh for USD/MWh,
PH/s for TH/s), which no later check can see.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag
from pydantic_core import PydanticCustomError

BANDS: dict[str, tuple[float, float]] = {
    "temperature_c": (-70.0, 60.0),
    "ghi_w_m2": (0.0, 1500.0),
    "available_mw": (0.0, 10_000.0),
    "minimum_mw": (0.0, 10_000.0),
    "price_usd_per_mwh": (-1000.0, 5000.0),
    "network_tariff_usd_per_mwh": (0.0, 500.0),
    "carbon_g_per_kwh": (0.0, 2000.0),
    "headroom_mw": (0.0, 10_000.0),
    "btc_price_usd": (100.0, 10_000_000.0),
    "difficulty": (1.0e9, 1.0e17),
}
"""Plausible range of every quantity that may be a series, by the last part of its key."""


class Document(BaseModel):
    """Base of all documents: immutable, no unknown key, no number as text, no NaN."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, populate_by_name=False, hide_input_in_errors=True
    )


def problems(found: Sequence[tuple[tuple[str | int, ...], str]]) -> None:
    """Raise one error that carries several places, each (keys below this document, sentence); none: do nothing."""
    if found:
        text = "; ".join(message for _, message in found)
        raise PydanticCustomError("places", "{text}", {"text": text, "places": list(found)})


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _aware(value: Any) -> Any:
    if not isinstance(value, str):
        raise PydanticCustomError("time", "a time is text such as 2024-09-10T00:00:00+08:00")
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        raise PydanticCustomError(
            "time", "{value} is not an ISO 8601 time; write it as 2024-09-10T00:00:00+08:00", {"value": repr(value)}
        ) from None
    if parsed.tzinfo is None:
        raise PydanticCustomError(
            "time", "{value} has no UTC offset; write it as 2024-09-10T00:00:00+08:00", {"value": repr(value)}
        )
    return parsed


def _day(value: Any) -> Any:
    if not isinstance(value, str):
        raise PydanticCustomError("day", "a day is text such as 2024-11-15")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise PydanticCustomError(
            "day", "{value} is not a calendar day; write it as 2024-11-15", {"value": repr(value)}
        ) from None


def _month_day(value: Any) -> Any:
    if not isinstance(value, str) or len(value) != len("MM-DD"):
        raise PydanticCustomError("day", "a day of every year is text of the form MM-DD, such as 11-15")
    try:
        date.fromisoformat(f"2024-{value}")
    except ValueError:
        raise PydanticCustomError(
            "day", "{value} is not a day of the year; write it as MM-DD, such as 11-15", {"value": repr(value)}
        ) from None
    return value


class Factor(Document):
    """A named multiplier of a series, shown in the report."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)
    value: float = Field(ge=-1e9, le=1e9)
    note: str = ""


class Series(Document):
    """A column of a CSV file, times its named factors.

    Attributes
    ----------
    file : str
        Path relative to the YAML file, or ``shipped:NAME.csv``.
    column, time_column : str
        Names in the header; the time column holds the beginning of each interval with its UTC offset.
    unit : str
        Unit of the column as it stands in the file, for the reader; the product with the factors is in the unit
        of the key.
    """

    file: str = Field(min_length=1)
    column: str = Field(min_length=1)
    time_column: str = Field(default="interval_start", min_length=1)
    unit: str = ""
    factors: Annotated[tuple[Factor, ...], BeforeValidator(_tuple)] = ()

    @property
    def factor(self) -> float:
        """Product of all factors."""
        product = 1.0
        for f in self.factors:
            product *= f.value
        return product


def _number_or_series(value: Any) -> str:
    return "series" if isinstance(value, dict | Series) else "number"


def _banded(key: str) -> Any:
    low, high = BANDS[key]
    number = Annotated[float, Field(ge=low, le=high), Tag("number")]
    return Annotated[Annotated[Series, Tag("series")] | number, Discriminator(_number_or_series)]


AvailableMw = _banded("available_mw")
MinimumMw = _banded("minimum_mw")
PriceUsdPerMwh = _banded("price_usd_per_mwh")
TariffUsdPerMwh = _banded("network_tariff_usd_per_mwh")
CarbonGPerKwh = _banded("carbon_g_per_kwh")
HeadroomMw = _banded("headroom_mw")
BtcPriceUsd = _banded("btc_price_usd")
Difficulty = _banded("difficulty")

type_name = r"^[A-Za-z][A-Za-z0-9_-]*$"
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
