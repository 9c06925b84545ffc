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
    from flexmine.inputs.case import Case
    from flexmine.planning.plan import Plan
    from flexmine.solving.engine import SolveOptions

__all__ = [
    "AuditFailed",
    "BadInput",
    "FlexmineError",
    "Infeasible",
    "NoPlan",
    "Status",
    "__version__",
    "load_case",
    "plan",
    "write_plan",
]


def load_case(path_or_name: str | Path, allow_outside: Sequence[str | Path] = ()) -> Case:
    """Read and check a case: a YAML file, or the name of a shipped one such as ``bratsk-day``.

    Parameters
    ----------
    allow_outside : sequence of str or Path
        Folders below which the case may name files, beside its own folder.

    Raises
    ------
    BadInput
        All that is wrong, with file, line, key and what is allowed.
    """
    from flexmine.inputs.case import load_case as load

    return load(path_or_name, allow_outside)


def plan(case: Case, options: SolveOptions | None = None) -> Plan:
    """Return the audited plan of a case.

    Raises
    ------
    Infeasible, NoPlan, AuditFailed
        See :mod:`flexmine.errors`.
    """
    from flexmine.pipeline import plan_case

    return plan_case(case, options)


def write_plan(plan: Plan, directory: str | Path) -> None:
    """Write the files of a plan into `directory`, complete or not at all.

    Raises
    ------
    BadInput
        Where something stands there that flexmine did not write.
    """
    from flexmine.output import write_plan as write
    from flexmine.pipeline import Phases

    write(plan, Path(directory), Phases())
