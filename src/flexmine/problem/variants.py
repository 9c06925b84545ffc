"""The same plant described in another way: without modes, or container by container."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from flexmine.problem.model import ContainerClass, Problem


def full_power_only(problem: Problem) -> Problem:
    """Return the same problem with every running container at the highest power that each step lets it have.

    This is the on/off plant that threshold tools assume; the money between both plans is what modes bring.  Heat
    derates an on/off plant too, so that its one mode follows the temperature.
    """
    classes = tuple(
        replace(k, min_it_power_mw=np.maximum(k.lowest_it_power_mw, k.highest_it_power_mw)) for k in problem.classes
    )
    return replace(problem, classes=classes)


def single_containers(k: ContainerClass, names: Sequence[str]) -> list[ContainerClass]:
    """Return every container of a class as a class of one; the classes bear `names`, in the order of the containers.

    Where none of the class is available, none of them is; where all must run, each must.
    """
    every: dict[str, Any] = {
        "available": np.minimum(k.available, 1),
        "must_run": (k.must_run >= k.count).astype(np.int64),
        "committed": None if k.committed is None else (k.committed >= k.count).astype(np.int64),
    }
    ages = (replace(h, count=1) for h in k.history for _ in range(h.count))
    return [
        replace(k, **every, name=own, count=1, containers=(name,), history=(h,))
        for own, name, h in zip(names, k.containers, ages, strict=True)
    ]
