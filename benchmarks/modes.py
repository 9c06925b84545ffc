"""What modes bring: each shipped case against the same case with full power as its only mode.

Usage: python benchmarks/modes.py [CASE ...]
"""

import sys
from dataclasses import dataclass

import numpy as np

from flexmine.assembly import assemble
from flexmine.audit.replay import Replay, replay
from flexmine.inputs.case import load_case
from flexmine.planning.disaggregate import to_schedule
from flexmine.problem import Problem
from flexmine.problem.variants import full_power_only
from flexmine.solving.engine import solve

CASES = ("bratsk-day", "bratsk-shaped", "bratsk-40")


@dataclass(frozen=True)
class Compared:
    """Both plans over the hours in which the cap binds for the plan with modes."""

    case: str
    binding_steps: int
    modes_th_s_per_mw: float
    on_off_th_s_per_mw: float
    modes_usd: float
    on_off_usd: float
    worst_gap: float

    @property
    def gain(self) -> float:
        """More hash per MWh with modes, as a share."""
        return self.modes_th_s_per_mw / self.on_off_th_s_per_mw - 1


def compare(case: str) -> Compared:
    """Solve a case with its modes and with full power only, both to the default gap."""
    problem = assemble(load_case(case)).problem
    modes, gap_a = _replayed(problem)
    on_off, gap_b = _replayed(full_power_only(problem))
    binding = modes.site_power_mw >= problem.site.cap_mw - 1e-6
    return Compared(
        case,
        int(binding.sum()),
        _hash_per_energy(modes, binding),
        _hash_per_energy(on_off, binding),
        modes.money_usd,
        on_off.money_usd,
        max(gap_a, gap_b),
    )


def _replayed(problem: Problem) -> tuple[Replay, float]:
    solution = solve(problem)
    audit = replay(problem, to_schedule(problem, solution))
    if audit.violations:
        raise SystemExit(audit.violations[0].message)
    return audit, solution.gap


def _hash_per_energy(audit: Replay, steps: np.ndarray) -> float:
    power_mw = float(audit.site_power_mw[steps].sum())
    return float(audit.hash_rate_th_s[:, steps].sum()) / power_mw if power_mw else float("nan")


def main(cases: list[str]) -> None:
    """Print one line a case."""
    print(
        "case            hours at cap   TH/s per MW: modes  on/off   gain   money USD: modes   on/off   gain  worst gap"
    )
    for name in cases:
        c = compare(name)
        hashing = (
            f"{c.modes_th_s_per_mw:20.0f} {c.on_off_th_s_per_mw:7.0f} {c.gain:6.1%}"
            if c.binding_steps
            else f"{'-':>20s} {'-':>7s} {'-':>6s}"
        )
        gain = c.modes_usd / c.on_off_usd - 1
        money = f"{c.modes_usd:18.0f} {c.on_off_usd:8.0f} {gain:6.1%}"
        print(f"{c.case:15s} {c.binding_steps:12d} {hashing} {money} {c.worst_gap:10.1e}")


if __name__ == "__main__":
    main(sys.argv[1:] or list(CASES))
