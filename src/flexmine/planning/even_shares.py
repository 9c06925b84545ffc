"""Containers that are alike but stand in different classes run alike."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from flexmine.problem import ContainerClass, Problem
from flexmine.solving.engine import ClassPlan, Solution


def with_even_shares(problem: Problem, solution: Solution) -> Solution:
    """Return the solution with the power of alike classes shared equally among all of their running containers.

    An outage or a state of its own makes a container a class of its own, with the same curve, prices and limits of
    power as the others.  How these classes share what they draw together is then open, and the solver leaves one of
    them low by chance.  Equal shares cost nothing, because the mode curve is concave, and change neither the power of
    a feeder nor that of the site.

    Parameters
    ----------
    problem : Problem
    solution : Solution
        Of the problem; classes whose containers have a ramp of their own are left unchanged.
    """
    parents = {k.name: k for k in problem.classes}
    feeder_of = {name: feeder.name for feeder in problem.site.groups for name in feeder.classes}
    groups: dict[tuple[object, ...], list[int]] = {}
    for i, plan in enumerate(solution.classes):
        k = parents[plan.class_data.parent]
        key = ("alone", i) if plan.class_data.ramp is not None else (feeder_of.get(k.name), *_nature(k))
        groups.setdefault(key, []).append(i)
    classes = list(solution.classes)
    for members in groups.values():
        if len(members) > 1:
            for i, plan in zip(members, _shared([classes[i] for i in members]), strict=True):
                classes[i] = plan
    return replace(solution, classes=tuple(classes))


def _nature(k: ContainerClass) -> tuple[bytes, ...]:
    """Return all that power and its worth depend on; where it is equal, a MW is the same in either class."""
    curve = (k.it_power_mw, k.hash_rate_th_s, k.overhead, k.hash_value_usd_per_th_s_h)
    return tuple(np.ascontiguousarray(a).tobytes() for a in (*curve, k.lowest_it_power_mw, k.highest_it_power_mw))


def _shared(plans: list[ClassPlan]) -> list[ClassPlan]:
    running = np.sum([plan.on for plan in plans], axis=0)
    power_mw = np.sum([plan.it_power_mw for plan in plans], axis=0)
    share_mw = power_mw / np.maximum(running, 1)
    return [replace(plan, it_power_mw=plan.on * share_mw) for plan in plans]
