"""The look-ahead of an earlier plan as the schedule of a later day."""

from __future__ import annotations

from datetime import UTC, timedelta
from pathlib import Path

import numpy as np

from flexmine.audit.plan_files import read_tables
from flexmine.errors import NoPlan
from flexmine.problem import Problem
from flexmine.problem.reading import read_problem
from flexmine.problem.schedule import Schedule


def kept_schedule(earlier: Path, problem: Problem) -> Schedule:
    """Return the part of an earlier plan's schedule that covers the steps of a problem.

    Parameters
    ----------
    earlier : Path
        Folder with problem.json, setpoints.csv and site.csv.
    problem : Problem

    Raises
    ------
    NoPlan
        It does not cover them, or has other containers or sources.
    BadInput
        Its files cannot be read.
    """
    before = read_problem(earlier / "problem.json")
    tables, faults = read_tables(earlier, before)
    if tables is None:
        raise NoPlan(faults)
    whole = tables.schedule(before)
    gone = problem.time.begin(0).astimezone(UTC) - before.time.begin(0).astimezone(UTC)
    first = round(gone / timedelta(hours=problem.time.step_h))
    span = slice(first, first + problem.steps)
    names = [name for name, _ in problem.containers]
    sources = [source.name for source in before.sources]
    missing = [name for name in names if name not in whole.containers]
    missing += [source.name for source in problem.sources if source.name not in sources]
    if missing or first < 0 or span.stop > before.steps:
        raise NoPlan(f"the earlier plan does not cover {', '.join(missing) or 'the day'}")
    rows = [whole.containers.index(name) for name in names]
    return Schedule(
        containers=tuple(names),
        on=whole.on[rows, span],
        it_power_mw=whole.it_power_mw[rows, span],
        supply_mw=np.array([whole.supply_mw[sources.index(s.name), span] for s in problem.sources]),
        mixes=None if whole.mixes is None else whole.mixes[rows, span],
    )
