"""The one place that talks to HiGHS.  Every status that it returns is checked."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass

import highspy
import numpy as np

from flexmine.errors import BadInput, NoPlan
from flexmine.problem import Floats
from flexmine.solving.standard_form import Matrix

STATUSES = {
    highspy.HighsModelStatus.kOptimal: "optimal",
    highspy.HighsModelStatus.kInfeasible: "infeasible",
    highspy.HighsModelStatus.kTimeLimit: "time_limit",
    highspy.HighsModelStatus.kInterrupt: "time_limit",
    highspy.HighsModelStatus.kSolutionLimit: "work_limit",
    highspy.HighsModelStatus.kIterationLimit: "work_limit",
}


class SolverFailed(NoPlan):
    """HiGHS ended with neither an answer nor a limit of time or work."""


@dataclass(frozen=True)
class Outcome:
    """How a run of HiGHS ended.

    Attributes
    ----------
    status : str
        ``optimal`` (within the asked gap), ``infeasible``, ``time_limit`` or, by nodes or iterations, ``work_limit``.
    values : ndarray, shape (columns,), or None
        The columns of the best solution found; None where there is none.
    objective, bound : float
        In the sense of the matrix (minimised) [USD].
    nodes : int
        Of the branch and bound.
    """

    status: str
    values: Floats | None
    objective: float
    bound: float
    nodes: int


class Solver:
    """A HiGHS object that holds one matrix.

    Parameters
    ----------
    matrix : Matrix
    options : mapping
        HiGHS options by their own names; an unknown name or a refused value raises `BadInput`.
    relax : bool
        Whether integers are taken as continuous.
    """

    def __init__(self, matrix: Matrix, options: Mapping[str, bool | int | float | str], *, relax: bool = False):
        self.matrix = matrix
        self.integer = bool(matrix.integer.any()) and not relax
        self.highs = _new_highs()
        self.set_options({"output_flag": False, **options})
        A = matrix.A
        kinds = matrix.integer if self.integer else np.zeros_like(matrix.integer)
        status = self.highs.passModel(
            A.shape[1],
            A.shape[0],
            A.nnz,
            int(highspy.MatrixFormat.kColwise),
            int(highspy.ObjSense.kMinimize),
            matrix.offset,
            matrix.cost,
            matrix.lower,
            matrix.upper,
            matrix.row_lower,
            matrix.row_upper,
            A.indptr.astype(np.int32),
            A.indices.astype(np.int32),
            A.data,
            kinds.astype(np.int32),
        )
        # kWarning: HiGHS dropped matrix entries of size below 1e-9, which no physical datum is.
        if status != highspy.HighsStatus.kOk:
            raise NoPlan(f"HiGHS did not take the model: {status.name}")

    def set_options(self, options: Mapping[str, bool | int | float | str]) -> None:
        """Set HiGHS `options` by their own names, each checked.

        Raises
        ------
        BadInput
            HiGHS does not know an option, or refuses its value.
        """
        for name, value in options.items():
            known, _ = self.highs.getOptionValue(name)
            if known != highspy.HighsStatus.kOk:
                raise BadInput(f"solver option {name!r}: HiGHS knows no such option")
            if self.highs.setOptionValue(name, value) != highspy.HighsStatus.kOk:
                raise BadInput(f"solver option {name!r}: HiGHS refuses the value {value!r}")

    def fix(self, columns: np.ndarray, values: Floats) -> None:
        """Fix `columns`, given by number, to `values`, both of shape (n,)."""
        self._bounds(columns, values, values)

    def relax_rows(self, rows: np.ndarray) -> None:
        """Take out `rows`, given by number, by opening their bounds."""
        free = np.full(len(rows), np.inf)
        if len(rows):
            self._ok(self.highs.changeRowsBounds(len(rows), rows.astype(np.int32), -free, free), "changeRowsBounds")

    def restore_rows(self, rows: np.ndarray) -> None:
        """Put back `rows` that :meth:`relax_rows` took out."""
        if len(rows):
            low, high = self.matrix.row_lower[rows], self.matrix.row_upper[rows]
            self._ok(self.highs.changeRowsBounds(len(rows), rows.astype(np.int32), low, high), "changeRowsBounds")

    def _bounds(self, columns: np.ndarray, low: Floats, high: Floats) -> None:
        if len(columns):
            status = self.highs.changeColsBounds(len(columns), columns.astype(np.int32), low, high)
            self._ok(status, "changeColsBounds")

    @staticmethod
    def _ok(status: highspy.HighsStatus, call: str) -> None:
        if status != highspy.HighsStatus.kOk:
            raise NoPlan(f"HiGHS refused {call}: {status.name}")

    def run(self) -> Outcome:
        """Solve.

        Raises
        ------
        SolverFailed
            HiGHS ends with neither an answer nor a limit of time or work.
        """
        run_status = self._interruptible_run() if self.integer else self.highs.run()
        model_status = self.highs.getModelStatus()
        status = STATUSES.get(model_status)
        if status is None or run_status == highspy.HighsStatus.kError:
            name = self.highs.modelStatusToString(model_status)
            raise SolverFailed(f"HiGHS ended with {run_status.name}, model status {name!r}")
        info = self.highs.getInfo()
        feasible = info.primal_solution_status == int(highspy.SolutionStatus.kSolutionStatusFeasible)
        values = np.array(self.highs.getSolution().col_value) if feasible and status != "infeasible" else None
        bound = info.mip_dual_bound if self.integer else info.objective_function_value
        return Outcome(
            status,
            values,
            float(info.objective_function_value),
            float(bound),
            int(info.mip_node_count) if self.integer else 0,
        )

    def _interruptible_run(self) -> highspy.HighsStatus:
        """Run HiGHS in a thread of its own, so that Ctrl-C is heard while it searches; it then stops.

        Python hears a signal in its main thread only, and between its own instructions only.
        """
        if threading.current_thread() is not threading.main_thread():
            status: highspy.HighsStatus = self.highs.run()
            return status
        ended: list[highspy.HighsStatus] = []
        over = threading.Event()

        def search() -> None:
            try:
                ended.append(self.highs.run())
            finally:
                over.set()

        self.highs.HandleUserInterrupt = True
        threading.Thread(target=search, daemon=True).start()
        # Not by join: once interrupted, Python 3.11 takes the thread for ended, and a process that exits while HiGHS
        # searches is aborted.
        try:
            over.wait()
        except KeyboardInterrupt:
            self.highs.cancelSolve()
            over.wait()
            raise
        if not ended:
            raise SolverFailed("HiGHS ended without a status")
        return ended[0]


def _new_highs() -> highspy.Highs:
    # The first object of a process prints a banner on file descriptor 1, before any option can silence it; stdout
    # belongs to what a machine parses.
    sys.stdout.flush()
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        return highspy.Highs()
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)
