"""The tidy tables of a plan, setpoints.csv and site.csv: numbers as they are written, adding up to each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from flexmine.audit.replay import Replay
from flexmine.errors import BadInput
from flexmine.planning.mix_text import miner_columns
from flexmine.problem import Floats, Problem
from flexmine.problem.model import RESERVED_SOURCES
from flexmine.problem.money import money_terms, net_of
from flexmine.problem.schedule import Schedule

POWER_DECIMALS, MONEY_DECIMALS, HASH_DECIMALS, TEMPERATURE_DECIMALS = 6, 4, 1, 1


def setpoints_table(
    problem: Problem,
    schedule: Schedule,
    replay: Replay,
    publish_steps: int,
    reasons: Sequence[Sequence[str]] = (),
) -> pd.DataFrame:
    """Return a row per step and container, in that order, with the columns of setpoints.csv.

    Power is the mean over the interval.  `miners_on` and `miner_mix` are empty where the class has no miners.

    Parameters
    ----------
    problem : Problem
    schedule : Schedule
    replay : Replay
    publish_steps : int
        The first so many steps have 1 in the column `published`.
    reasons : sequence of sequence of str
        By container and step; the column is empty where there are none.
    """
    containers = problem.containers
    runnable = np.array([k.runnable > 0 for _, k in containers])
    state = np.where(schedule.on, "on", np.where(runnable, "off", "out"))
    count, steps = len(containers), problem.steps
    times = _times(problem)
    awake, mix = miner_columns(problem, schedule)
    return pd.DataFrame(
        {
            "interval_start": np.repeat(times[:-1], count),
            "interval_end": np.repeat(times[1:], count),
            "container": np.tile([name for name, _ in containers], steps),
            "class": np.tile([k.name for _, k in containers], steps),
            "state": state.T.ravel(),
            "it_power_mw": round_adding_up(replay.it_power_mw, POWER_DECIMALS).T.ravel(),
            "preheat_mw": round_adding_up(replay.preheat_mw, POWER_DECIMALS).T.ravel(),
            "facility_power_mw": round_adding_up(replay.facility_power_mw, POWER_DECIMALS).T.ravel(),
            "hash_rate_th_s": round_adding_up(replay.hash_rate_th_s, HASH_DECIMALS).T.ravel(),
            "miners_on": awake.T.ravel(),
            "miner_mix": mix.T.ravel(),
            "reason": np.array(reasons, dtype=object).T.ravel() if reasons else "",
            "published": np.repeat((np.arange(steps) < publish_steps).astype(np.int64), count),
        }
    )


def site_table(
    problem: Problem, schedule: Schedule, replay: Replay, publish_steps: int, temperature_c: Floats | None
) -> pd.DataFrame:
    """Return a row per step with the columns of site.csv.

    Money is net of fees; the column `money_usd` adds up to the plan's money less its terminal value.

    Parameters
    ----------
    problem : Problem
    schedule : Schedule
    replay : Replay
    publish_steps : int
        The first so many steps have 1 in the column `published`.
    temperature_c : ndarray, shape (T,), or None
        Outside temperature [C]; None leaves its column empty.

    Raises
    ------
    BadInput
        A source has the name of one of the plan's own columns.
    """
    for source in problem.sources:
        if source.name in RESERVED_SOURCES:
            raise BadInput(f"source {source.name!r}: the name is taken by a column of the plan; choose another one")
    times = _times(problem)
    terms = money_terms(by_step=True)
    usd = {term.name: round_adding_up(replay.usd[term.name], MONEY_DECIMALS) for term in terms}
    supply = round_adding_up(schedule.supply_mw, POWER_DECIMALS)
    return pd.DataFrame(
        {
            "interval_start": times[:-1],
            "interval_end": times[1:],
            "facility_power_mw": _round(replay.site_power_mw, POWER_DECIMALS),
            "it_power_mw": _round(replay.it_power_mw.sum(axis=0), POWER_DECIMALS),
            "hash_rate_th_s": _round(replay.hash_rate_th_s.sum(axis=0), HASH_DECIMALS),
            **{f"{s.name}_mw": supply[j] for j, s in enumerate(problem.sources)},
            "surplus_left_mw": _round(replay.surplus_left_mw, POWER_DECIMALS),
            **{term.key: usd[term.name] for term in terms},
            "money_usd": _round(net_of(usd, by_step=True), MONEY_DECIMALS),
            "temperature_c": np.full(problem.steps, np.nan)
            if temperature_c is None
            else _round(temperature_c, TEMPERATURE_DECIMALS),
            "published": (np.arange(problem.steps) < publish_steps).astype(np.int64),
        }
    )


def write_csv(frame: pd.DataFrame, path: str | Path) -> None:
    r"""Write a table of the plan: fixed decimals by unit, no exponent, ``\n``, UTF-8; the same frame, the same bytes.

    Raises
    ------
    ValueError
        A number other than a temperature is missing or infinite.
    """
    text = pd.DataFrame({name: _written(name, frame[name]) for name in frame.columns}, dtype=object)
    text.to_csv(Path(path), index=False, lineterminator="\n", encoding="utf-8")


def round_adding_up(values: Floats, decimals: int) -> Floats:
    """Round to `decimals` so that the sum along the first axis stays right to half a unit of the last decimal.

    What rounding takes from one value goes to the next: each value is within one unit of the last decimal.
    """
    scale = 10.0**decimals
    # The small addition lets values that are on the grid but for binary noise fall on the same side.
    total = np.floor(np.cumsum(values, axis=0) * scale + 0.5 + 1e-4)
    return _round(np.diff(total, axis=0, prepend=0.0) / scale, decimals)


def _round(values: Floats, decimals: int) -> Floats:
    # Adding zero turns -0.0 into 0.0.
    return np.round(values, decimals) + 0.0


def _times(problem: Problem) -> list[str]:
    return [problem.time.begin(t).isoformat() for t in range(problem.steps + 1)]


def _written(column: str, values: pd.Series) -> list[str]:
    decimals = next((d for suffix, d in _DECIMALS if column.endswith(suffix)), None)
    if decimals is None:
        return [str(value) for value in values.tolist()]
    numbers = _round(values.to_numpy(dtype=np.float64), decimals)
    wrong = ~np.isfinite(numbers)
    if column == "temperature_c":
        wrong &= ~np.isnan(numbers)
    if wrong.any():
        raise ValueError(f"column {column} holds {numbers[wrong][0]}; only a temperature may be missing")
    return ["" if math.isnan(number) else f"{number:.{decimals}f}" for number in numbers.tolist()]


_DECIMALS = (
    ("_mw", POWER_DECIMALS),
    ("_usd", MONEY_DECIMALS),
    ("_th_s", HASH_DECIMALS),
    ("temperature_c", TEMPERATURE_DECIMALS),
)
