"""What can be asked of the solver."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

from flexmine.errors import BadInput

ENGINES = ("auto", "rounding", "mip")
HighsOptions = dict[str, bool | int | float | str]
# Of HiGHS's MIP, where work ends a search and not time.  On random plants and shipped cases it closes what threshold
# rounding leaves open at its first node.
MOST_NODES = 200


@dataclass(frozen=True)
class SolveOptions:
    """What can be asked of the solver.

    Attributes
    ----------
    gap : float
        Asked ``(bound - money) / max(1 USD, |money|)``.
    time_limit_s : float
        For the search [s]; building the model and the audit are not included.
    seed : int
    threads : int
        1 by default: the same input gives the same plan.
    engine : str
        ``rounding``: relaxation, rounding, cuts and a short branch and bound, then HiGHS's MIP where the gap stays
        open;  ``mip``: HiGHS's MIP alone;  ``auto``: ``rounding``, but ``mip`` where the problem has limits that
        rounding does not know.
    preference : bool
        Whether a second stage may spend what the asked gap leaves on fewer starts and closeness to an earlier plan.
    highs : dict
        Further HiGHS options by their own names.

    Raises
    ------
    BadInput
        A value is outside its range.
    """

    gap: float = 1e-4
    time_limit_s: float = 60.0
    seed: int = 0
    threads: int = 1
    engine: str = "auto"
    preference: bool = False
    highs: HighsOptions = field(default_factory=dict)

    def __post_init__(self) -> None:
        wrong = []
        if not 0 <= self.gap < 1:
            wrong.append(f"gap: {self.gap} is not between 0 and 1")
        if not self.time_limit_s > 0:
            wrong.append(f"time_limit_s: {self.time_limit_s} is not above 0 s")
        if not 0 <= self.seed < 2**31:
            wrong.append(f"seed: {self.seed} is not between 0 and 2147483647")
        if not 1 <= self.threads <= 256:
            wrong.append(f"threads: {self.threads} is not between 1 and 256")
        if self.engine not in ENGINES:
            wrong.append(f"engine: {self.engine!r} is unknown; allowed: {', '.join(ENGINES)}")
        if wrong:
            raise BadInput(wrong)

    def by_work(self) -> SolveOptions:
        """Return the options for what a plan holds beside its money: the same, but no search is ended by the clock.

        Threshold rounding is bounded by its own steps, HiGHS's MIP by nodes.  A loaded machine then finds what an idle
        one finds, byte for byte.
        """
        own = {name: value for name, value in self.highs.items() if name != "time_limit"}
        return replace(self, preference=False, time_limit_s=math.inf, highs={"mip_max_nodes": MOST_NODES, **own})
