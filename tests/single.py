"""The per-container model: every container as a class of one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from flexmine.problem import ContainerClass, Problem
from flexmine.problem.variants import single_containers


def one_class_per_container(problem: Problem) -> Problem:
    """Return the same problem with every container as a class of one (N = 1: the per-container model).

    Raises
    ------
    ValueError
        Where `available`, `must_run` or `committed` counts containers without naming them: that has no per-container
        twin.
    """
    classes: list[ContainerClass] = []
    twins: dict[str, list[str]] = {}
    for k in problem.classes:
        if k.count > 1 and (np.any((k.available > 0) & (k.available < k.count)) or np.any(k.must_run > 0)):
            raise ValueError(f"class {k.name}: available or must_run names no container")
        if k.committed is not None and np.any((k.committed > 0) & (k.committed < k.count)):
            raise ValueError(f"class {k.name}: committed names no container")
        twins[k.name] = [f"{k.name}/{name}" if k.count > 1 else k.name for name in k.containers]
        classes += single_containers(k, twins[k.name])
    feeders = tuple(
        replace(f, classes=tuple(t for name in f.classes for t in twins[name])) for f in problem.site.groups
    )
    return replace(problem, classes=tuple(classes), site=replace(problem.site, groups=feeders))
