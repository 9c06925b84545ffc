"""What a case says of a series: which column of which file, in which unit, how it is read and what may be filled.

Nothing is assumed that can change a plan: a unit, a zone for times without offset, a rate of exchange, how a coarse
source is spread, what counts as missing and what may stand in for it are all named here, or the series is refused.
"""

from __future__ import annotations

import re
from datetime import timedelta, timezone, tzinfo
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from flexmine.inputs.fields import AsTuple, Document, Words, problems
from flexmine.inputs.layout import Layout

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
    "fees_btc_per_block": (0.0, 100.0),
}
"""Plausible range of every quantity that may be a series, by the last part of its key."""

MINUTES_OF_STEP: dict[str, int] = {
    "5min": 5,
    "10min": 10,
    "15min": 15,
    "20min": 20,
    "30min": 30,
    "1h": 60,
    "2h": 120,
    "3h": 180,
    "4h": 240,
    "6h": 360,
    "8h": 480,
    "12h": 720,
    "24h": 1440,
}
"""Length of a named source step [min]; ``day`` is the calendar day of a zone and has no fixed length."""


_FIXED = re.compile(r"(?:UTC)?(?P<sign>[+-])(?P<hours>[0-9]{1,2})(?::?(?P<minutes>[0-9]{2}))?", re.ASCII)
_LARGEST_OFFSET = timedelta(hours=14)


def clock_of(zone: str) -> tzinfo:
    """Return the clock of a zone, or that of a fixed offset such as +01:00, UTC+1 or UTC+01:00.

    Parameters
    ----------
    zone : str
        As the case has it.

    Raises
    ------
    ValueError
        Where the name is neither.
    """
    found = _FIXED.fullmatch(zone)
    if found is None:
        try:
            return ZoneInfo(zone)
        except (ZoneInfoNotFoundError, OSError) as error:
            raise ValueError(zone) from error
    offset = timedelta(hours=int(found["hours"]), minutes=int(found["minutes"] or 0))
    if offset > _LARGEST_OFFSET or int(found["minutes"] or 0) > 59:
        raise ValueError(zone)
    return timezone(-offset if found["sign"] == "-" else offset)


def _zone(name: str) -> str:
    try:
        clock_of(name)
    except ValueError:
        raise PydanticCustomError(
            "zone",
            "{name} is not a time zone; write it as Europe/Oslo, or UTC, or +01:00 for a clock without summer time",
            {"name": repr(name)},
        ) from None
    return name


def _one_column(value: Any) -> Any:
    if isinstance(value, list | tuple):
        raise PydanticCustomError(
            "column", "is one column; where the time of day has a column of its own, name it as time_of_day_column"
        )
    return value


ZoneName = Annotated[str, Field(min_length=1, max_length=60), AfterValidator(_zone)]
ColumnName = Annotated[str, Field(min_length=1)]


_ENDING = re.compile(r"(^|[_ ])(end|ending|ends|ended)$", re.IGNORECASE)
"""Names of time columns such as ``interval_end`` or ``hour_ending``."""


class Factor(Document):
    """A named multiplier of a series, shown in the report; ``usd_per_eur`` is a rate of exchange.

    Attributes
    ----------
    name
        What the column is multiplied with, such as usd_per_eur.
    value
        The multiplier.
    note
        Where it comes from.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)
    value: float = Field(ge=-1e9, le=1e9)
    note: Words = ""


class Fill(Document):
    """What may stand in for missing values, and for how long.

    Attributes
    ----------
    policy
        Hold the last value, same_hour_yesterday, or interpolate between the two sides.

        ``hold``: the last value before the gap; ``same_hour_yesterday``: the value of the same clock hour of the site's
        day before; ``interpolate``: a straight line from the last value before the gap to the first after.
    longest_gap_h
        A longer gap is an error in spite of the policy [h].
    """

    policy: Literal["hold", "same_hour_yesterday", "interpolate"]
    longest_gap_h: float = Field(gt=0.0, le=168.0)


class Series(Document):
    """A column of a file, times its named factors.

    Attributes
    ----------
    file
        Path relative to this file, or shipped:NAME.csv.

        Path relative to the YAML file, or ``shipped:NAME.csv``.
    format
        How the file is read; absent: by its suffix (``.parquet``, ``.xlsx``, ``.epw``, ``.tmy3``), else CSV.
    layout
        How its text is written, where that is not UTF-8 with commas, decimal points and ISO 8601 times.
    column
        Name of the column in the header.

        Names in the header; the time column holds one end of each interval (`label`).
    time_column
        Name of the column with the times.
    time_of_day_column
        Column with the time of day, where the time column holds the date only.
    unit : str
        Unit of the column as it stands in the file; may be left out where the column's name ends in a known one
        (``_mw``, ``_c``, ``_usd_per_mwh``).  The product with the factors, converted, is in the unit of the key.
    label
        Whether the time column holds the ``beginning`` or the ``ending`` of an interval.
    every
        Length of the source's intervals; absent: the smallest distance of two rows.
    zone
        Of times without UTC offset; without it such times are refused.

        A name such as ``Europe/Oslo``, or an offset such as ``+01:00`` of a clock that is not changed in summer.
    factors
        Named multipliers of the column, such as a rate of exchange.
    shift
        Added to every value, after factors and conversion, in the unit of the key.
    coarser
        ``hold``: a source with longer intervals than the case's steps is held constant over each, whose length
        `every` names; absent: refused.
    missing : tuple of str
        Texts that stand for a missing value, such as ``n/e`` or ``-9999``; an empty cell always does.
    not_missing : tuple of str
        Texts that are numbers here although many feeds mark a missing value by them, such as ``9999``.
    fill
        What may stand in for missing values; absent: a missing value is an error.
    issue_column
        Column that says when each row of a forecast was issued.

        Where a file holds several issues of a forecast: when each row was issued, and the revision of that issue.
    revision_column
        Column with the revision of that issue.
    stale_after_h
        The newest issue may be so old at the case's `as_of` [h].
    quantiles : dict of str
        Columns of quantiles, by names such as ``p10``; kept beside the planned column, checked to be monotone.
    clock
        Of a typical year: ``own``, the same instant; ``site``, hour h of its standard time is hour h of the site's.
    leap_day
        Of a typical year: what stands in for 29 February.
    """

    file: str = Field(min_length=1)
    format: Literal["csv", "parquet", "xlsx", "epw", "tmy3"] | None = None
    layout: Layout | None = None
    column: ColumnName
    time_column: Annotated[ColumnName, BeforeValidator(_one_column)] = "interval_start"
    time_of_day_column: ColumnName | None = None
    unit: str = Field(default="", max_length=60)
    label: Literal["beginning", "ending"] = "beginning"
    every: (
        Literal["5min", "10min", "15min", "20min", "30min", "1h", "2h", "3h", "4h", "6h", "8h", "12h", "24h", "day"]
        | None
    ) = None
    zone: ZoneName | None = None
    factors: Annotated[tuple[Factor, ...], AsTuple] = ()
    shift: float = Field(default=0.0, ge=-1e17, le=1e17)
    coarser: Literal["hold"] | None = None
    missing: Annotated[tuple[str, ...], AsTuple] = ()
    not_missing: Annotated[tuple[str, ...], AsTuple] = ()
    fill: Fill | None = None
    issue_column: ColumnName | None = None
    revision_column: ColumnName | None = None
    stale_after_h: float | None = Field(default=None, gt=0.0, le=8784.0)
    quantiles: dict[Annotated[str, Field(pattern=r"^p[0-9]{1,2}$")], ColumnName] = Field(default_factory=dict)
    clock: Literal["own", "site"] | None = None
    leap_day: Literal["repeat_28_february"] | None = None

    @property
    def factor(self) -> float:
        """Product of all factors."""
        product = 1.0
        for f in self.factors:
            product *= f.value
        return product

    @property
    def kind(self) -> str:
        """How the file is read: csv, parquet, xlsx, epw or tmy3."""
        if self.format is not None:
            return self.format
        suffix = self.file.rpartition(".")[2].lower()
        return suffix if suffix in ("parquet", "xlsx", "epw", "tmy3") else "csv"

    @property
    def typical_year(self) -> bool:
        """Whether the file holds a typical year, whose rows are found by calendar."""
        return self.kind in ("epw", "tmy3")

    @model_validator(mode="after")
    def _consistent(self) -> Series:
        found: list[tuple[tuple[str | int, ...], str]] = []
        for i, text in enumerate(self.not_missing):
            if text in self.missing:
                found.append((("not_missing", i), f"{text!r} stands in missing too; it is one or the other"))
        found += self._looks_right()
        for key in ("revision_column", "stale_after_h"):
            if getattr(self, key) is not None and self.issue_column is None:
                found.append(((key,), "needs issue_column, which says when each row was issued"))
        if self.coarser is not None and self.every is None and not self.typical_year:
            # Of few rows the smallest distance may be a hole, which holding would cover.
            found.append((("coarser",), "needs every, the length of the source's intervals, such as every: 1h"))
        if self.every == "day" and self.zone is None:
            found.append((("every",), "day is the calendar day of a zone; name the zone, or write 24h"))
        for key in ("clock", "leap_day"):
            if getattr(self, key) is not None and not self.typical_year:
                found.append(((key,), "belongs to a typical year; format has to be epw or tmy3"))
        found += self._of_layout()
        if self.typical_year:
            for key in ("issue_column", "zone", "every", "time_of_day_column"):
                if getattr(self, key) is not None:
                    found.append(((key,), f"has no meaning in a typical year ({self.kind}); leave it out"))
        problems(found)
        return self

    def _of_layout(self) -> list[tuple[tuple[str | int, ...], str]]:
        """Return which keys of the layout have no meaning for this kind of file."""
        if self.layout is None:
            return []
        of_text = ("separator", "encoding", "comment")
        idle = {"csv": ("sheet",), "xlsx": of_text, "parquet": (*of_text, "sheet", "header_row")}
        if self.kind not in idle:
            return [(("layout",), f"has no meaning in a typical year ({self.kind}); leave it out")]
        given = self.layout.model_fields_set
        return [(("layout", key), f"has no meaning in a {self.kind} file") for key in idle[self.kind] if key in given]

    def _looks_right(self) -> list[tuple[tuple[str | int, ...], str]]:
        """Return what would plan without a complaint, from free power or an interval late."""
        found: list[tuple[tuple[str | int, ...], str]] = []
        for i, factor in enumerate(self.factors):
            if factor.value == 0:
                found.append((("factors", i, "value"), "0 makes every value of the column 0"))
            elif factor.value < 0 and re.fullmatch(r"usd_per_[a-z]{3}", factor.name):
                found.append((("factors", i, "value"), f"{factor.value:g} is not a rate of exchange; it is above 0"))
        if "label" not in self.model_fields_set and _ENDING.search(self.time_column):
            text = f"the name {self.time_column} says that times are the ending of an interval; write label: ending"
            found.append((("time_column",), f"{text}, or label: beginning where they are the beginning all the same"))
        return found


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
FeesBtcPerBlock = _banded("fees_btc_per_block")
