"""What one more MW would be worth, hour by hour, with the commitment fixed.

With integers there are no prices: the dual of a mixed-integer program is not defined.  With the counts fixed the rest
is a linear program in power, whose money is a concave function of each limit.  Its *right* derivative is the value of
one more MW; where the plan sits on a kink, the dual that a solver returns may be any number between the right and the
left derivative, so every value is checked by re-solving with a slightly wider limit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import highspy
import numpy as np

from flexmine.errors import NoPlan
from flexmine.problem import Floats, Problem
from flexmine.problem.limits import FAMILIES, Limit, worth_something
from flexmine.solving.engine import Solution
from flexmine.solving.handover import matrix_of
from flexmine.solving.highs import Solver

COUNT_COLUMNS = ("n", "y", "z", "w", "u", "c", "r")
# Widths of the re-solves [MW]: wide enough to stand above the solver's noise, then narrower where a kink is near.
WIDTHS_MW = (1e-3, 1e-5)
VALUE_NOISE_USD_PER_MW = 1e-6

RowKey = tuple[str, object]


@dataclass(frozen=True)
class MarginalValues:
    """Value of one more unit of a limit in one row, commitment fixed [USD per MW in that step]; at least 0.

    Attributes
    ----------
    of : dict of ndarray, shape (members, T)
        By row of every limit that is worth something; members (sources, groups; one for the site) in the Problem's
        order.  A minimum counts as wider where it is lower.  0 where there is no such limit.  A limit of energy over
        a period has the value of one more MW in any one of its steps, in each of them.
    """

    of: Mapping[str, Floats]


class FixedCommitment:
    """The power of a plan as a linear program: the counts stay, the power is free.

    Parameters
    ----------
    problem : Problem
    solution : Solution
        Whose counts are kept.

    Raises
    ------
    NoPlan
        The program has no optimum, so that the solution is not a plan of the problem.
    """

    def __init__(self, problem: Problem, solution: Solution):
        self.problem = problem
        self.matrix = matrix_of(problem)
        self.row_of: dict[RowKey, int] = {key: number for number, key in enumerate(self.matrix.rows)}
        settings: dict[str, bool | int | float | str] = {
            "threads": 1,
            "solver": "simplex",
            "presolve": "off",
            "primal_feasibility_tolerance": 1e-9,
            "dual_feasibility_tolerance": 1e-9,
        }
        self._solver = Solver(self.matrix, settings, relax=True)
        self._highs = self._solver.highs
        self._open_supply()
        self._fix_counts(solution)
        # Rows of counts alone are settled; with the counts fixed, they could only be in the way.
        settled = [n for n, (component, _) in enumerate(self.matrix.rows) if FAMILIES[component].touches == "counts"]
        self._solver.relax_rows(np.array(settled, dtype=np.int64))
        money = self._money()
        if money is None:
            raise NoPlan("the power of the plan has no optimum with its counts fixed")
        self.money_usd: float = money
        solution_now = self._highs.getSolution()
        self._values: Floats = np.array(solution_now.col_value)
        self._duals: Floats = -np.array(solution_now.row_dual)

    def value(self, component: str, index: object) -> float:
        """Return the value of variable `component` at `index`, such as ``value("F", 3)``; 0 where no row holds it."""
        column = self.matrix.column_of.get((component, index))
        return 0.0 if column is None else float(self._values[column])

    def value_of_one_more(self, component: str, index: object) -> float:
        r"""Return the value of one more MW of a limit [USD/MW]; 0 where there is no such row.

        Parameters
        ----------
        component : str
            Name of the constraint that states the limit.
        index : int or tuple
            Index of its row.

        Notes
        -----
        :math:`\lim_{\epsilon \downarrow 0} (V(b + \epsilon) - V(b)) / \epsilon`, V the money as a function of the
        limit b.  V is concave, so that the right derivative is at most the dual, and is the dual where the money
        of a re-solve grows by just that.  A row that demands at least so much is widened downwards.
        """
        row = self.row_of.get((component, index))
        if row is None:
            return 0.0
        dual = abs(float(self._duals[row]))
        if dual <= VALUE_NOISE_USD_PER_MW:
            # The right derivative lies between 0 and the dual.
            return 0.0
        slope = dual
        for width in WIDTHS_MW:
            with self._wider(row, width):
                money = self._optimal_money()
                slope = max(0.0, (money - self.money_usd) / width)
                # A dual that the finite difference confirms has more digits than the difference.
                exact = dual
                if not _same(slope, exact):
                    exact = abs(float(self._highs.getSolution().row_dual[row]))
            if _same(slope, exact):
                return exact if exact > VALUE_NOISE_USD_PER_MW else 0.0
        return slope

    def gain_of(self, component: str, index: object, wider_mw: float = 1.0) -> float:
        """Return the money that a wider limit brings [USD]; 0 where there is no such row.

        Parameters
        ----------
        component : str
            Name of the constraint that states the limit.
        index : int or tuple
            Index of its row.
        wider_mw : float
            By how much the limit is wider [MW].
        """
        row = self.row_of.get((component, index))
        if row is None or abs(float(self._duals[row])) <= VALUE_NOISE_USD_PER_MW:
            return 0.0
        with self._wider(row, wider_mw):
            return max(0.0, self._optimal_money() - self.money_usd)

    def gain_of_counts(self, class_name: str, step: int, change: int) -> float | None:
        """Return what one step earns with other counts in that step alone [USD].

        All other counts, the starts and the minimum times are left unchanged, so that this is what the hour itself is
        worth; None where the limits on power do not allow it.

        Parameters
        ----------
        class_name : str
            Class of the model.
        step : int
        change : int
            How many more of its containers are on; negative for fewer.
        """
        column = self.matrix.column_of[("n", (class_name, step))]
        before = self.value("n", (class_name, step))
        with self._count(column, before, before + change):
            money = self._money()
        return None if money is None else money - self.money_usd

    def more_power_if_cheaper(self, step: int, cheaper_usd_per_mwh: float) -> float:
        """Return by how much more the site would draw in a step if all its sources were cheaper, counts fixed [MW].

        What the plan saves on the power that it draws already is left out, so that this is a lower bound, and 0 where
        power stays.

        Parameters
        ----------
        step : int
        cheaper_usd_per_mwh : float
            By how much the prices of the step are lower; above 0 [USD/MWh].
        """
        columns = [self.matrix.column_of.get(("s", (j.name, step))) for j in self.problem.sources]
        held = [column for column in columns if column is not None]
        less = cheaper_usd_per_mwh * self.problem.time.step_h
        try:
            for column in held:
                self._ok(self._highs.changeColCost(column, float(self.matrix.cost[column]) - less), "changeColCost")
            gain = self._optimal_money() - self.money_usd - less * self.value("F", step)
            return max(0.0, gain / less)
        finally:
            for column in held:
                self._ok(self._highs.changeColCost(column, float(self.matrix.cost[column])), "changeColCost")

    def _open_supply(self) -> None:
        """Leave supply and facility power to their rows, so that a wider row is really wider."""
        for (component, _), column in self.matrix.column_of.items():
            low, high = float(self.matrix.lower[column]), float(self.matrix.upper[column])
            if component in ("s", "F") and low < high:
                self._ok(self._highs.changeColBounds(column, low, highspy.kHighsInf), "changeColBounds")

    def _fix_counts(self, solution: Solution) -> None:
        known: dict[RowKey, float] = {}
        for plan in solution.classes:
            name = plan.class_data.name
            for t in range(self.problem.steps):
                known["n", (name, t)] = plan.on[t]
                known["y", (name, t)] = plan.start[t]
                known["z", (name, t)] = plan.stop[t]
                known["w", (name, t)] = plan.warm[t]
                known["c", (name, t)] = plan.start[t] - plan.warm[t] - sum(tier[t] for tier in plan.between)
                for g, tier in enumerate(plan.between):
                    known["u", (name, g, t)] = tier[t]
            for (cohort, t), count in plan.warm_from.items():
                known["r", (name, cohort, t)] = count
        for key, column in self.matrix.column_of.items():
            if key[0] in COUNT_COLUMNS and self.matrix.lower[column] < self.matrix.upper[column]:
                value = float(known.get(key, 0.0))
                self._ok(self._highs.changeColBounds(column, value, value), "changeColBounds")

    @contextmanager
    def _wider(self, row: int, width_mw: float) -> Iterator[None]:
        low, high = float(self.matrix.row_lower[row]), float(self.matrix.row_upper[row])
        bounds = (low, high + width_mw) if np.isfinite(high) else (low - width_mw, high)
        self._ok(self._highs.changeRowBounds(row, *bounds), "changeRowBounds")
        try:
            yield
        finally:
            self._ok(self._highs.changeRowBounds(row, low, high), "changeRowBounds")

    @contextmanager
    def _count(self, column: int, before: float, now: float) -> Iterator[None]:
        self._ok(self._highs.changeColBounds(column, now, now), "changeColBounds")
        try:
            yield
        finally:
            self._ok(self._highs.changeColBounds(column, before, before), "changeColBounds")

    def _optimal_money(self) -> float:
        money = self._money()
        if money is None:
            raise NoPlan("the power of the plan has no optimum with a wider limit")
        return money

    def _money(self) -> float | None:
        """Return the most money, None where the limits cannot be kept."""
        self._highs.run()
        status = self._highs.getModelStatus()
        if status == highspy.HighsModelStatus.kInfeasible:
            return None
        if status != highspy.HighsModelStatus.kOptimal:
            raise NoPlan(f"HiGHS ended with model status {self._highs.modelStatusToString(status)!r}")
        return -float(self._highs.getInfo().objective_function_value)

    @staticmethod
    def _ok(status: highspy.HighsStatus, call: str) -> None:
        if status != highspy.HighsStatus.kOk:
            raise NoPlan(f"HiGHS refused {call}: {status.name}")


def _same(slope: float, dual: float) -> bool:
    return abs(slope - dual) <= 1e-5 * (1.0 + dual)


def marginal_values(fixed: FixedCommitment) -> MarginalValues:
    """Return the value of one more unit of every limit on power that is worth something, row by row."""
    problem = fixed.problem

    def table(limit: Limit) -> Floats:
        members = limit.members(problem)
        worth = np.zeros((len(members), problem.steps))
        for member, who in enumerate(members):
            if limit.window == "period":
                one_mwh = fixed.value_of_one_more(limit.row, limit.index(who, 0))
                worth[member, limit.span(problem, who, 0)] = one_mwh * problem.time.step_h
            else:
                worth[member] = [fixed.value_of_one_more(limit.row, limit.index(who, t)) for t in range(problem.steps)]
        return worth

    return MarginalValues({limit.row: table(limit) for limit in worth_something()})
