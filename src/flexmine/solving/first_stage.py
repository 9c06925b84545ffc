"""The most money: which engine goes first, and HiGHS's MIP for what it leaves open."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

from flexmine.errors import Infeasible, NoPlan
from flexmine.milp.class_data import ClassData, class_data_of
from flexmine.problem import Floats, Problem
from flexmine.solving.conflict import explain_conflict
from flexmine.solving.handover import matrix_of
from flexmine.solving.highs import Solver
from flexmine.solving.mip import mip_options, polished, run_mip
from flexmine.solving.options import SolveOptions
from flexmine.solving.rounding.layout import Layout
from flexmine.solving.rounding.search import Found, Search
from flexmine.solving.standard_form import Matrix

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class FirstStage:
    """The plan of most money and its proof, in the sense of the matrix (minimised).

    Attributes
    ----------
    values : ndarray, shape (columns,)
    engine : str
        What closed the gap, or came nearest to it.
    notes : tuple of str
        Why it went that way, where that needs a word.
    """

    values: Floats
    objective: float
    bound: float
    engine: str
    notes: tuple[str, ...] = ()


class Task:
    """One problem handed to its engine.

    Parameters
    ----------
    problem : Problem
    class_data : sequence of ClassData
    matrix : Matrix
    layout : Layout
        All four of the same problem.
    options : SolveOptions
    """

    def __init__(
        self, problem: Problem, class_data: Sequence[ClassData], matrix: Matrix, layout: Layout, options: SolveOptions
    ):
        self.problem, self.matrix, self.options = problem, matrix, options
        self.class_data, self.layout = class_data, layout
        self.notes: list[str] = []
        self.solver = Solver(matrix, mip_options(options)) if self._mip_only() else None

    def run(self) -> FirstStage:
        """Return the best plan within the asked gap, or the best that was found in time.

        Raises
        ------
        Infeasible
            Proven; the messages name the conflicting limits and hours.
        NoPlan
            Time was up without any plan, or the solver failed.
        """
        deadline = time.perf_counter() + self.options.time_limit_s
        if self.solver is not None:
            return self._mip(self.solver, None)
        settings = {"threads": self.options.threads, "random_seed": self.options.seed, **self.options.highs}
        found = Search(self.matrix, self.class_data, self.layout, self.options.gap, deadline, settings).run()
        if found.status == "infeasible":
            raise self._infeasible()
        self._tell(found)
        left = deadline - time.perf_counter()
        if found.status == "open" and left > 0:
            return self._finish(found, left)
        if found.incumbent.values is None:
            raise self._no_plan("time_limit")
        return self._stage(found)

    def _mip_only(self) -> bool:
        """Whether HiGHS's MIP goes first: requested, or some rows are of a kind that rounding does not know."""
        if self.options.engine == "auto" and self.layout.unknown:
            rows = ", ".join(self.layout.unknown)
            self._note(f"engine auto took HiGHS's MIP: threshold rounding does not know the rows {rows}")
            return True
        return self.options.engine == "mip"

    def _tell(self, found: Found) -> None:
        if self.layout.refusals:
            reasons = "; ".join(self.layout.refusals)
            refused = f"{found.incumbent.refused} of its roundings broke a row and were refused"
            self._note(f"threshold rounding is not known to keep every rule here ({reasons}); {refused}")
        if found.trouble:
            self._note(f"{found.trouble}; HiGHS's MIP went on")

    def _note(self, text: str) -> None:
        self.notes.append(text)
        LOG.info(text)

    def _stage(self, found: Found) -> FirstStage:
        best = found.incumbent
        assert best.values is not None
        return FirstStage(best.values, best.objective, best.bound, found.way, tuple(self.notes))

    def _finish(self, found: Found, left_s: float) -> FirstStage:
        """Let HiGHS's MIP search where a better plan can still be; without any plan, everywhere."""
        narrow = None if found.incumbent.values is None else found.left
        matrix = self.matrix if narrow is None else narrow
        return self._mip(Solver(matrix, mip_options(self.options, left_s)), found)

    def _mip(self, solver: Solver, found: Found | None) -> FirstStage:
        outcome = run_mip(solver, self.options.seed)
        best = None if found is None else found.incumbent
        if best is None or best.values is None:
            if outcome.status == "infeasible":
                raise self._infeasible()
            if outcome.values is None:
                raise self._no_plan(outcome.status)
            engine = "mip" if best is None else "rounding+mip"
            values, objective = polished(self.matrix, outcome.values, self.options)
            return FirstStage(values, objective, outcome.bound, engine, tuple(self.notes))
        # Infeasible here says that all plans left are set aside.
        best.raise_bound(best.aside if outcome.status == "infeasible" else outcome.bound)
        values, objective = best.values, best.objective
        if outcome.values is not None and outcome.objective < best.objective:
            values, objective = polished(self.matrix, outcome.values, self.options)
        return FirstStage(values, objective, best.bound, "rounding+mip", tuple(self.notes))

    def _infeasible(self) -> Infeasible:
        matrix = self.matrix
        if any(k.layered for k in self.class_data):
            # Layers keep the limit of starts by what there is to choose from: only with a row for it can it be named.
            single = {k.name: k for k in class_data_of(self.problem, layered=False)}
            matrix = matrix_of(self.problem, single)
        return Infeasible(explain_conflict(self.problem, matrix))

    def _no_plan(self, status: str) -> NoPlan:
        limits = {
            "time_limit": f"time was up after {self.options.time_limit_s:g} s",
            "work_limit": "HiGHS was at its limit of nodes or iterations",
        }
        return NoPlan(f"{limits[status]}, before any plan was found")
