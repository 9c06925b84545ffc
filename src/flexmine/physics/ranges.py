"""The one way in which physics refuses a value: by name, with what is allowed."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def within(name: str, values: ArrayLike, low: float = -np.inf, high: float = np.inf) -> Floats:
    """Return `values` as floats, all of them finite and between `low` and `high` (both included).

    Raises
    ------
    ValueError
        Naming the quantity, the first wrong value and what is allowed.
    """
    array = np.asarray(values, dtype=float)
    wrong = ~(np.isfinite(array) & (array >= low) & (array <= high))
    if np.any(wrong):
        raise ValueError(f"{name}: {array[wrong].flat[0]:g} is not allowed; {_allowed(low, high)}")
    return array


def above(name: str, values: ArrayLike, low: float) -> Floats:
    """Return `values` as floats, all of them finite and greater than `low`.

    Raises
    ------
    ValueError
        Naming the quantity, the first wrong value and what is allowed.
    """
    array = np.asarray(values, dtype=float)
    wrong = ~(np.isfinite(array) & (array > low))
    if np.any(wrong):
        raise ValueError(f"{name}: {array[wrong].flat[0]:g} is not allowed; a finite number above {low:g} is needed")
    return array


def _allowed(low: float, high: float) -> str:
    if np.isfinite(low) and np.isfinite(high):
        return f"allowed is {low:g} to {high:g}"
    if np.isfinite(low):
        return f"a finite number of at least {low:g} is needed"
    return "a finite number is needed"
