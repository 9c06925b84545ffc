"""The file of a back-test: which case, which days, what was known when, and which policies are compared."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from flexmine.inputs.fields import AsTuple, Day, Document, Name, problems

POLICIES = ("always-on", "threshold", "greedy", "nightly", "redispatch", "replan", "perfect")
"""Those that can be compared, simple ones first."""
Policy = Literal["always-on", "threshold", "greedy", "nightly", "redispatch", "replan", "perfect"]


class Perfect(Document):
    """Known ahead, as it came: for what is fixed by contract, or to see what not knowing costs."""

    how: Literal["perfect"]


class Noise(Document):
    r"""What came, with errors of which a later forecast knows those of the steps before it.

    The error of step s, with m = `memory` to the power of the step's length [h], is

    .. math:: e_s = m e_{s-1} + \sigma \sqrt{1 - m^2} z_s, \qquad e_{known} = 0,

    with one draw of :math:`z_s` for all forecasts.

    Attributes
    ----------
    relative
        Standard deviation far ahead, as a share of the value.
    absolute
        Or in the unit of the series.
    memory
        Share of the error of an hour that the next hour keeps.
    """

    how: Literal["noise"]
    relative: float | None = Field(default=None, gt=0.0, le=2.0)
    absolute: float | None = Field(default=None, gt=0.0, le=1e6)
    memory: float = Field(default=0.9, ge=0.0, lt=1.0)

    @model_validator(mode="after")
    def _one_size(self) -> Noise:
        if (self.relative is None) == (self.absolute is None):
            problems([(("relative",), "give either relative, a share, or absolute, in the unit of the series")])
        return self


class Yesterday(Document):
    """The value of the same time of the last day that is known: what costs nothing and is hard to beat."""

    how: Literal["yesterday"]


class Last(Document):
    """The last known value goes on: for a price of bitcoin, say."""

    how: Literal["last"]


class DayAhead(Document):
    """A market that publishes the next local day at once; what lies beyond it repeats the last known day.

    Attributes
    ----------
    at_h
        Hour of the local day at which the next one becomes known.
    """

    how: Literal["day_ahead"]
    at_h: float = Field(default=13.0, ge=0.0, lt=24.0)


class Issued(Document):
    """Forecasts that were kept: a CSV with a row for each step of each issue.

    Attributes
    ----------
    file
        Relative to the file of the back-test.
    column
        Of the values, in the unit of the series as the case's problem has it: MW, USD/MWh, C, USD.
    issue_column, time_column
        When each row was issued, and the beginning of the step that it is of; both with offset.
    """

    how: Literal["issued"]
    file: str = Field(min_length=1)
    column: str = Field(min_length=1)
    issue_column: str = "issued_at"
    time_column: str = "interval_start"


Known = Annotated[Perfect | Noise | Yesterday | Last | DayAhead | Issued, Field(discriminator="how")]


class Shares(Document):
    """What *greedy* charges itself above the money of a step, and nobody pays.

    Attributes
    ----------
    start
        Share of the cost of a start, charged to the step of the start.
    stop
        Share of the cost of a warm start, charged to a stop.
    """

    start: float = Field(ge=0.0, le=10.0)
    stop: float = Field(ge=0.0, le=10.0)


class BacktestDocument(Document):
    """A back-test.

    Attributes
    ----------
    case
        Its series are what came true; they have to reach over all days and the horizon of the case after the last.
    first_day, last_day
        Local days of the site, both included.
    policies
        Which are compared.
    forecasts
        By the dotted key of a series of the case, how it was known ahead.
    perfect
        True: every series that `forecasts` does not name was known ahead; else each has to be named.
    lag_min
        What a plan knows ends so long before the step that it is for [min].
    nightly_h
        A plan of the next day is made so long before its midnight [h].
    replan_every_h
        Between two plans, and two redispatches [h].
    greedy
        How the rule *greedy* charges itself starts and stops; absent: as would have earned most up to `tuned_until`,
        which is known in hindsight alone.
    tuned_until
        Last day over which it is tuned; absent: the last day.
    seeds
        Of the noise; each is a run of its own.
    """

    schema_id: Literal["flexmine-backtest/1"] = Field(alias="schema")
    name: Name
    case: str = Field(min_length=1)
    first_day: Day
    last_day: Day
    policies: Annotated[tuple[Policy, ...], AsTuple, Field(min_length=1)]
    forecasts: dict[str, Known] = Field(default_factory=dict)
    perfect: bool = False
    lag_min: float = Field(default=10.0, ge=0.0, le=1440.0)
    nightly_h: float = Field(default=10.0, ge=0.0, le=48.0)
    replan_every_h: float = Field(default=1.0, gt=0.0, le=24.0)
    greedy: Shares | None = None
    tuned_until: Day | None = None
    seeds: Annotated[tuple[Annotated[int, Field(ge=0)], ...], AsTuple, Field(min_length=1, max_length=1000)] = (1,)

    @model_validator(mode="after")
    def _whole(self) -> BacktestDocument:
        found: list[tuple[tuple[str | int, ...], str]] = []
        if self.last_day < self.first_day:
            found.append((("last_day",), f"{self.last_day} is before first_day, {self.first_day}"))
        if self.tuned_until is not None and not self.first_day <= self.tuned_until <= self.last_day:
            found.append((("tuned_until",), f"{self.tuned_until} is not one of the days"))
        if self.tuned_until is not None and self.greedy is not None:
            found.append((("tuned_until",), "has no effect beside greedy, which says how it charges"))
        for key in ("policies", "seeds"):
            values = getattr(self, key)
            again = [v for i, v in enumerate(values) if v in values[:i]]
            found += [((key,), f"{value} stands there twice") for value in again]
        problems(found)
        return self
