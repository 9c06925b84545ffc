"""The job file: which plant is planned every night, from which feeds, and what holds when they fail."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from flexmine.inputs.fields import AsTuple, Day, Document, Name, Share, problems
from flexmine.inputs.schema import Options, State
from flexmine.jobs.publish_schema import Notice, Publish, Watch


class Tail(Document):
    """What stands in for the hours after the last one that a feed knows, such as those after a day-ahead auction.

    Attributes
    ----------
    policy
        ``same_hour_yesterday``: the value of the same clock hour a day before, of a longer tail repeated;
        ``hold``: the last value that is known.
    longest_h
        A longer tail is none, and the ladder decides [h].
    """

    policy: Literal["same_hour_yesterday", "hold"]
    longest_h: float = Field(default=48.0, gt=0.0, le=168.0)


class Feed(Document):
    """Files that bring one or several series of the template case; each file is one issue of them.

    Attributes
    ----------
    series
        Dotted keys of the template case, such as ``sources.surplus.available_mw``; its column, unit and factors are
        those of the template.
    files
        Path or pattern, relative to the job file: ``feeds/surplus_*.csv``.
    issued
        Where the time of issue stands: in the file's ``name`` (``surplus_20240910T0130Z.csv``, after it ``_r2`` for
        the second revision) or as the time at which the file was ``modified``.
    max_age_h
        The newest issue that gives an hour of the plan is stale if it is older than this [h].
    every_h
        How often an issue comes [h]: where the newest is older, plan and health say so; absent: nobody asks.
    older_max_age_h
        How old an issue may be on the step ``older_issue`` of the ladder [h].
    reach_h
        How old an issue may be that is still the newest for an hour which later ones do not cover [h].
    tail
        What stands in after the last hour that is known; absent: the ladder decides.
    """

    series: Annotated[tuple[str, ...], AsTuple, Field(min_length=1)]
    files: str = Field(min_length=1)
    issued: Literal["name", "modified"] = "name"
    max_age_h: float = Field(gt=0.0, le=8784.0)
    every_h: float | None = Field(default=None, gt=0.0, le=8784.0)
    older_max_age_h: float | None = Field(default=None, gt=0.0, le=8784.0)
    reach_h: float = Field(default=72.0, gt=0.0, le=8784.0)
    tail: Tail | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Feed:
        if self.older_max_age_h is not None and self.older_max_age_h <= self.max_age_h:
            problems([(("older_max_age_h",), f"is not above max_age_h, {self.max_age_h:g} h")])
        return self


class OlderIssue(Document):
    """Take an issue that is older than ``max_age_h``, up to ``older_max_age_h``."""

    step: Literal["older_issue"]


class Fill(Document):
    """Fill what an issue lacks by a named policy; the plan lists every filled value.

    Attributes
    ----------
    policy, longest_gap_h
        As in a case.
    """

    step: Literal["fill"]
    policy: Literal["hold", "same_hour_yesterday", "interpolate"]
    longest_gap_h: float = Field(gt=0.0, le=168.0)


class Persistence(Document):
    """Take what was used on the last days: of a surplus a low quantile by hour of the day, else the same hour.

    Attributes
    ----------
    surplus_quantile
        Of the surplus of the same hour over the last `days`; 0 is the least of them.
    """

    step: Literal["persistence"]
    surplus_quantile: Share = 0.1
    days: int = Field(default=7, ge=1, le=60)


class PreviousPlan(Document):
    """Keep the look-ahead of the last plan, as it stands."""

    step: Literal["previous_plan"]


class Hold(Document):
    """Hold safe power: who runs goes to the lowest power that the limits allow, and stays there; nobody starts.

    Series that have no issue are taken from the last `days`: of a surplus the least of every hour, else the same hour.
    """

    step: Literal["hold"]
    days: int = Field(default=7, ge=1, le=60)

    @property
    def surplus_quantile(self) -> float:
        """The least: what is held has to be safe."""
        return 0.0


LadderStep = Annotated[OlderIssue | Fill | Persistence | PreviousPlan | Hold, Field(discriminator="step")]


class CatchUp(Document):
    """What happens to nights that were missed.

    Attributes
    ----------
    rule
        ``plan``: they are planned in order, as if they had been followed, so that the state reaches tonight;
        ``refuse``: the run ends with bad input.
    max_days
        More missed nights than this are refused: by then the state is a guess.
    """

    rule: Literal["plan", "refuse"] = "plan"
    max_days: int = Field(default=7, ge=1, le=400)


class Telemetry(Document):
    """How measurements that ``flexmine observe`` has stored correct the next plan.

    Attributes
    ----------
    state
        Whether measurements, where they reach up to the plan, take the place of the planned state.
    max_gap_h
        How long before the plan the last measurement of a container may end [h].
    bias_days
        Over how many days measured power is compared with the plan; a container that draws more or less than planned
        is then planned so.  Absent: only reported.
    """

    state: bool = True
    max_gap_h: float = Field(default=1.0, ge=0.0, le=24.0)
    bias_days: int | None = Field(default=None, ge=1, le=60)


class Retention(Document):
    """How long runs are kept, by age of their day [days]."""

    days: int = Field(default=800, ge=2, le=40_000)


class JobDocument(Document):
    """A job file, ``schema: flexmine-job/1``; paths are relative to it.

    Attributes
    ----------
    case
        The template: a case file or a shipped one.  Its start, horizon, publication and state are set anew every
        night.
    folder
        Where the runs are kept.
    store
        URL of the database that lists them; none: the file ``flexmine.db`` in `folder`.
    look_ahead_h
        How far the plan looks beyond the day that it is for [h].
    first_day
        The first day that is planned, from `initial_state`; before it there is nothing to catch up.
    initial_state
        The plant at the beginning of `first_day`, as in a case.
    ladder
        What is tried, in order, where the newest issue or the solver fails; none: the run fails and the plan before
        it stays current.
    lock_wait_s
        How long a second run on the same plant waits for the first one [s].
    redispatch_conflict
        Where the commitment of the plan in force cannot be kept by ``flexmine redispatch``: ``fail``, and the plan in
        force stays current, or ``replan`` the rest of the day.
    options
        Of the solver, in place of those of the template; `time_limit_s` bounds the search of every night.
    pins
        File of the operators' pins, ``schema: flexmine-pins/1``.
    notices
        Who is reported of a run that does not end with exit 0.
    watch
        When ``flexmine health`` warns.
    metrics
        Text file for Prometheus, written after every run; none: no such file.
    """

    schema_id: Literal["flexmine-job/1"] = Field(alias="schema")
    name: Name
    case: str = Field(min_length=1)
    folder: str = Field(default="runs", min_length=1)
    store: str | None = Field(default=None, min_length=1)
    look_ahead_h: float = Field(default=24.0, gt=0.0, le=240.0)
    first_day: Day | None = None
    initial_state: State | None = None
    feeds: Annotated[tuple[Feed, ...], AsTuple] = ()
    ladder: Annotated[tuple[LadderStep, ...], AsTuple] = ()
    catch_up: CatchUp = CatchUp()
    telemetry: Telemetry | None = None
    retention: Retention = Retention()
    lock_wait_s: float = Field(default=0.0, ge=0.0, le=86_400.0)
    redispatch_conflict: Literal["fail", "replan"] = "fail"
    options: Options | None = None
    report: bool = True
    publish: Publish = Publish()
    pins: str | None = Field(default=None, min_length=1)
    notices: Annotated[tuple[Notice, ...], AsTuple] = ()
    watch: Watch = Watch()
    metrics: str | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> JobDocument:
        found: list[tuple[tuple[str | int, ...], str]] = []
        if (self.first_day is None) != (self.initial_state is None):
            found.append(((), "first_day and initial_state belong together: the state at the beginning of that day"))
        keys = [(i, key) for i, feed in enumerate(self.feeds) for key in feed.series]
        names = [key for _, key in keys]
        for place, (i, key) in enumerate(keys):
            if key in names[:place]:
                found.append((("feeds", i, "series"), f"{key} is brought by an earlier feed already"))
        steps = [step.step for step in self.ladder]
        for i, step in enumerate(steps):
            if step in steps[:i]:
                found.append((("ladder", i, "step"), f"{step} stands in the ladder already"))
        problems(found)
        return self
