"""What a class does, read off the columns of a solved matrix."""

from __future__ import annotations

import numpy as np

from flexmine.milp.class_data import ClassData
from flexmine.problem import Floats, Ints
from flexmine.solving.rounding.layout import Layout
from flexmine.solving.solution import ClassPlan, Layers
from flexmine.solving.standard_form import Matrix


def class_plan(matrix: Matrix, layout: Layout, values: Floats, number: int, k: ClassData) -> ClassPlan:
    """Return what class `k`, the `number`-th of the layout, does in a solution, `values` of shape (columns,)."""
    steps = layout.on.shape[1]

    def counts(columns: Ints) -> Ints:
        # A variable that no row and no cost holds has no column: it is free to be nothing.
        return np.rint(np.where(columns < 0, 0.0, values[columns])).astype(np.int64)

    on, start, stop, warm = (counts(c[number]) for c in (layout.on, layout.start, layout.stop, layout.warm))
    segments = np.maximum(values[layout.segment[layout.segment_class == number]], 0.0)
    above = sum(segments, start=np.zeros(steps))
    warm_from = {
        (cohort.step, t): count
        for cohort in (k.cohorts if k.tied else ())
        for t in range(cohort.earliest, cohort.last_tied + 1)
        if (count := round(_at(matrix, values, "r", (k.name, cohort.step, t)))) > 0
    }
    between = tuple(
        np.array([round(_at(matrix, values, "u", (k.name, g, t))) for t in range(steps)], dtype=np.int64)
        for g in range(len(k.tiers))
    )
    layers = _layers(matrix, values, k, steps) if k.layered else None
    return ClassPlan(k, on, start, stop, warm, k.P0 * on + above, warm_from, between=between, layers=layers)


def _layers(matrix: Matrix, values: Floats, k: ClassData, steps: int) -> Layers:
    def counts(component: str) -> Ints:
        found = [[round(_at(matrix, values, component, (k.name, j, t))) for t in range(steps)] for j in k.layers]
        return np.array(found, dtype=np.int64)

    tied = {
        (cohort.used, cohort.step, t): count
        for cohort in k.cohorts
        for t in range(cohort.earliest, cohort.last_tied + 1)
        if (count := round(_at(matrix, values, "rl", (k.name, cohort.used, cohort.step, t)))) > 0
    }
    return Layers(counts("zl"), counts("cl"), tied)


def _at(matrix: Matrix, values: Floats, component: str, index: object) -> float:
    column = matrix.column_of.get((component, index))
    return 0.0 if column is None else float(values[column])
