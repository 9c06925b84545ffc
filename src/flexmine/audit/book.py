"""What an audit records: how many comparisons were made, and which of them failed."""

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
    """Counts the comparisons of an audit and records those that fail.

    Parameters
    ----------
    problem : Problem
    tolerance_mw : float
        By how much a power may miss a limit [MW].
    """

    def __init__(self, problem: Problem, tolerance_mw: float):
        self.problem = problem
        self.tolerance_mw = tolerance_mw
        self.violations: list[Violation] = []
        self.checks = 0

    def time(self, step: int) -> str:
        """Return the local time at which `step` begins, as in ``2024-09-10 03:00+08:00``."""
        return self.problem.time.begin(step).isoformat(sep=" ", timespec="minutes")

    def add(self, limit: str, where: str, step: int, amount: float, what: str) -> None:
        """Record a violation.

        Parameters
        ----------
        limit, where : str
            As in :class:`Violation`.
        step : int
            The step in which the limit is broken.
        amount : float
            By how much, in the unit that `what` names.
        what : str
            What was found and what is allowed, in words; the message ends with it.
        """
        message = f"{limit}: {where} at {self.time(step)}: {what}"
        self.violations.append(Violation(limit, where, step, float(amount), message))

    def at_most(self, limit: str, where: str, what: str, value_mw: Floats, most_mw: Floats) -> None:
        """Compare powers with their upper limits; a NaN counts as a violation.

        Parameters
        ----------
        limit, where : str
            As in :class:`Violation`.
        what : str
            Name of the power in the message, such as ``facility power``.
        value_mw, most_mw : ndarray, shape (T,)
            Powers, and the most that is allowed [MW].
        """
        self.checks += value_mw.size
        for t in np.flatnonzero(~(value_mw <= most_mw + self.tolerance_mw)):
            over = value_mw[t] - most_mw[t]
            words = f"{what} {value_mw[t]:.6f} MW is {over:.6f} MW above the {most_mw[t]:.6f} MW allowed."
            self.add(limit, where, int(t), over, words)

    def at_least(self, limit: str, where: str, what: str, value_mw: Floats, least_mw: Floats) -> None:
        """Compare powers with their lower limits; a NaN counts as a violation.

        Parameters
        ----------
        limit, where : str
            As in :class:`Violation`.
        what : str
            Name of the power in the message, such as ``power taken of``.
        value_mw, least_mw : ndarray, shape (T,)
            Powers, and the least that is required [MW].
        """
        self.checks += value_mw.size
        for t in np.flatnonzero(~(value_mw >= least_mw - self.tolerance_mw)):
            under = least_mw[t] - value_mw[t]
            words = f"{what} {value_mw[t]:.6f} MW is {under:.6f} MW below the {least_mw[t]:.6f} MW required."
            self.add(limit, where, int(t), under, words)
