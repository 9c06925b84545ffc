"""What an audit writes down: how many comparisons were made, and which of them failed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flexmine.problem import Floats, Problem


@dataclass(frozen=True)
class Violation:
    """A limit that a schedule does not keep.

    Attributes
    ----------
    limit : str
        Code of the limit, such as ``cap`` or ``minimum_up``.
    where : str
        The site, container, class, feeder or source, as in ``container C03``.
    step : int or None
        Step of the violation; None where it belongs to no single step.
    amount : float
        By how much, in the unit that `message` names.
    message : str
        One sentence for a person, with the local time of the step.
    """

    limit: str
    where: str
    step: int | None
    amount: float
    message: str


class Book:
    """Keeps count of the comparisons and writes down what fails."""

    def __init__(self, problem: Problem, tolerance_mw: float):
        self.problem = problem
        self.tolerance_mw = tolerance_mw
        self.violations: list[Violation] = []
        self.checks = 0

    def time(self, step: int) -> str:
        return self.problem.time.begin(step).isoformat(sep=" ", timespec="minutes")

    def add(self, limit: str, where: str, step: int, amount: float, what: str) -> None:
        message = f"{limit}: {where} at {self.time(step)}: {what}"
        self.violations.append(Violation(limit, where, step, float(amount), message))

    def at_most(self, limit: str, where: str, what: str, value_mw: Floats, most_mw: Floats) -> None:
        """Compare powers of shape (T,) with their upper limits; NaN keeps no limit."""
        self.checks += value_mw.size
        for t in np.flatnonzero(~(value_mw <= most_mw + self.tolerance_mw)):
            over = value_mw[t] - most_mw[t]
            words = f"{what} {value_mw[t]:.6f} MW is {over:.6f} MW above the {most_mw[t]:.6f} MW allowed."
            self.add(limit, where, int(t), over, words)

    def at_least(self, limit: str, where: str, what: str, value_mw: Floats, least_mw: Floats) -> None:
        """Compare powers of shape (T,) with their lower limits; NaN keeps no limit."""
        self.checks += value_mw.size
        for t in np.flatnonzero(~(value_mw >= least_mw - self.tolerance_mw)):
            under = least_mw[t] - value_mw[t]
            words = f"{what} {value_mw[t]:.6f} MW is {under:.6f} MW below the {least_mw[t]:.6f} MW required."
            self.add(limit, where, int(t), under, words)
