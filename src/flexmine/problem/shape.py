"""The shape of problem.json, as pydantic models: types, ranges and names; lengths and sums are checked afterwards.

Unknown keys are kept aside (``extra="allow"``), because the contract makes them a warning and not an error.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
)
from pydantic_core import PydanticCustomError

Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_/-]*$", max_length=120)]
LARGEST, MOST = 1e12, 1_000_000_000
"""Beyond any plant, and far from where sums and products of numbers overflow."""
MAX_CELLS = 10_000_000
"""Classes times steps."""
Number = Annotated[float, Field(ge=-LARGEST, le=LARGEST, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, le=LARGEST, allow_inf_nan=False)]
Positive = Annotated[float, Field(ge=1e-9, le=LARGEST, allow_inf_nan=False)]


def _whole(value: Any) -> Any:
    """Return a whole number that is written with a point as what it is: JSON knows one kind of number only."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _kind(value: Any) -> str:
    return "list" if isinstance(value, list) else "number"


Whole = Annotated[int, BeforeValidator(_whole)]
Count = Annotated[Whole, Field(ge=0, le=MOST)]
_T = TypeVar("_T")
# One number for all steps, or one for each; which is meant is told by what is there, so that one error comes.
ByStep = Annotated[Annotated[_T, Tag("number")] | Annotated[list[_T], Tag("list")], Discriminator(_kind)]


def _text(value: object) -> object:
    """Refuse a number in place of a time, which would be read as seconds since 1970."""
    if not isinstance(value, str | datetime):
        raise PydanticCustomError("time", "a time is text such as 2024-09-10T00:00:00+08:00")
    return value


def _usual_year(value: datetime) -> datetime:
    if not 1900 <= value.year <= 2199:
        raise PydanticCustomError("time", "is out of range; allowed are the years 1900 to 2199")
    return value


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="allow", frozen=True)


class TimePart(_Part):
    start: Annotated[AwareDatetime, Field(strict=False), BeforeValidator(_text), AfterValidator(_usual_year)]
    step_h: Annotated[float, Field(ge=0.01, le=168.0, allow_inf_nan=False)]
    steps: Annotated[Whole, Field(ge=1, le=200_000)]
    zone: str


class HistoryPart(_Part):
    count: Count
    on: bool
    steps: Annotated[Whole, Field(ge=1, le=MOST)]
    it_power_mw: NotNegative = 0.0
    warm_until_step: Annotated[Whole, Field(ge=-1, le=MOST)] | None = None
    starts_today: Count = 0
    tier_until_steps: list[Annotated[Whole, Field(ge=-1, le=MOST)]] | None = None


class TierPart(_Part):
    off_steps: ByStep[Count]
    cost_usd: ByStep[NotNegative]
    energy_mwh: ByStep[NotNegative] = 0.0


class StartPart(_Part):
    warm_cost_usd: ByStep[NotNegative]
    cold_cost_usd: ByStep[NotNegative]
    warm_off_steps: ByStep[Count]
    cold_energy_mwh: ByStep[NotNegative] = 0.0
    tiers: list[TierPart] = []


class MinersPart(_Part):
    count: Annotated[Whole, Field(ge=1, le=MOST)]
    presets: Annotated[list[Annotated[list[Positive], Field(min_length=2, max_length=2)]], Field(min_length=1)]
    sleep_w: NotNegative = 0.0
    fixed_mw: NotNegative = 0.0


class ClassPart(_Part):
    name: Name
    count: Annotated[Whole, Field(ge=1, le=MOST)]
    containers: list[Name]
    it_power_mw: Annotated[list[Positive], Field(min_length=1)]
    hash_rate_th_s: Annotated[list[NotNegative], Field(min_length=1)]
    max_it_power_mw: list[NotNegative]
    overhead: list[Positive]
    standby_mw: ByStep[NotNegative]
    hash_value_usd_per_th_s_h: list[NotNegative]
    min_up_steps: Count
    min_down_steps: Count
    start: StartPart
    available: list[Count]
    history: list[HistoryPart]
    min_it_power_mw: list[NotNegative] | None = None
    must_run: list[Count] | None = None
    committed: list[Count] | None = None
    preheat_steps: Count = 0
    terminal_on_usd: Number = 0.0
    max_starts_per_day: Count | None = None
    miners: MinersPart | None = None
    container_ramp_mw_per_step: Positive | None = None


class SourcePart(_Part):
    name: Name
    kind: Literal["surplus", "firm"]
    available_mw: list[NotNegative]
    price_usd_per_mwh: list[Number]
    carbon_g_per_kwh: list[NotNegative] | None = None
    headroom_mw: list[NotNegative] | None = None


class FeederPart(_Part):
    name: Name
    cap_mw: NotNegative
    classes: list[Name]


class SitePart(_Part):
    cap_mw: list[NotNegative]
    ramp_up_mw_per_step: NotNegative | None = None
    ramp_down_mw_per_step: NotNegative | None = None
    initial_mw: NotNegative | None = None
    feeders: list[FeederPart] = []
    base_load_mw: list[NotNegative] | None = None
    minimum_mw: list[NotNegative] | None = None
    day_of_step: list[Count] | None = None
    rounding_reserve_mw: NotNegative = 0.0


class ProblemPart(_Part):
    schema_: Annotated[Literal["flexmine-problem/1"], Field(alias="schema")]
    time: TimePart
    classes: Annotated[list[ClassPart], Field(min_length=1)]
    sources: Annotated[list[SourcePart], Field(min_length=1)]
    site: SitePart
