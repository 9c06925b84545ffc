"""flexmine plans the power of bitcoin-mining containers against hydropower surplus, price and temperature.

>>> import flexmine
>>> plan = flexmine.plan(flexmine.load_case("bratsk-day"))  # doctest: +SKIP
>>> plan.site[["interval_start", "facility_power_mw", "money_usd"]]  # doctest: +SKIP

Importing this package loads neither pandas nor Pyomo; the functions load what they need when they are called.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from flexmine._version import __version__
from flexmine.errors import AuditFailed, BadInput, FlexmineError, Infeasible, NoPlan, Status

if TYPE_CHECKING:
    from datetime import datetime

    from flexmine.inputs.case import Case
    from flexmine.solving.engine import SolveOptions
    from flexmine.studies.result import Backtest
    from flexmine.workflow.plan import Plan

__all__ = [
    "AuditFailed",
    "BadInput",
    "FlexmineError",
    "Infeasible",
    "NoPlan",
    "Status",
    "__version__",
    "backtest",
    "load_case",
    "plan",
    "write_plan",
]


def load_case(
    path_or_name: str | Path, allow_outside: Sequence[str | Path] = (), as_of: datetime | None = None
) -> Case:
    """Read and check a case: a YAML file, or the name of a shipped one such as ``bratsk-day``.

    Parameters
    ----------
    path_or_name : str or Path
        Paths inside the file are relative to it; a name that is not a file is looked up among the shipped cases.
    allow_outside : sequence of str or Path
        Folders below which the case may name files, besides its own folder.
    as_of : datetime, optional
        Aware; replaces the case's own `as_of`: forecasts issued later are not used.

    Returns
    -------
    Case
        Plant, container models and series on the time axis of the case, checked.

    Raises
    ------
    BadInput
        All that is wrong, with file, line, key and what is allowed.
    """
    from flexmine.inputs.case import load_case as load

    return load(path_or_name, allow_outside, as_of)


def plan(case: Case, options: SolveOptions | None = None) -> Plan:
    """Return the audited plan of a case.

    Parameters
    ----------
    case : Case
        From :func:`load_case`.
    options : SolveOptions, optional
        Gap, time limit and seed, in place of those of the case.

    Returns
    -------
    Plan
        Its ``setpoints`` and ``site`` are pandas frames with the columns of setpoints.csv and site.csv.

    Raises
    ------
    Infeasible
        No plan keeps all limits; the message names those that contradict each other, and their hours.
    NoPlan
        The time limit was reached, or the solver failed, before a plan was found.
    AuditFailed
        The plan found does not pass the audit and is not returned.
    TypeError
        `case` is not a case but, for example, the name of one.
    """
    from flexmine.inputs.case import Case as _Case
    from flexmine.workflow.plan_case import plan_case

    if not isinstance(case, _Case):
        raise TypeError(f"plan() takes a case, not {case!r:.80}; read it first: flexmine.load_case(...)")
    return plan_case(case, options)


def write_plan(plan: Plan, directory: str | Path) -> None:
    """Write the files of a plan into `directory`, complete or not at all.

    Parameters
    ----------
    plan : Plan
        From :func:`flexmine.plan`.
    directory : str or Path
        An older plan there moves to ``DIRECTORY.previous``.

    Raises
    ------
    BadInput
        `directory` holds something that flexmine did not write, or cannot be written.
    """
    from flexmine.output import write_plan as write
    from flexmine.solving.phases import Phases

    write(plan, Path(directory), Phases())


def backtest(path: str | Path, folder: str | Path, *, workers: int = 1, fresh: bool = False) -> Backtest:
    """Return what plans would have earned over the days of a back-test, beside simple rules and perfect foresight.

    Parameters
    ----------
    path : str or Path
        A file as of ``flexmine backtest``.
    folder : str or Path
        Where its tables, its page and its finished parts are kept; what is there of it is not run again.
    workers : int
        Processes side by side; the result does not depend on it.
    fresh : bool
        Begin anew, whatever the folder holds of it.

    Returns
    -------
    Backtest
        Its ``totals`` and ``by_month`` are pandas frames, its ``runs`` hold every step of every policy.

    Raises
    ------
    BadInput
        All that is wrong in the file, the case or the series, before anything is run; or the folder holds something
        else.
    """
    from flexmine.studies.backtest import read_backtest
    from flexmine.studies.folder import run_backtest

    return run_backtest(read_backtest(Path(path)), Path(folder), workers=workers, fresh=fresh)
