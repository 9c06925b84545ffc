"""A column of times at once, by the grammar of :mod:`flexmine.moments`.

Whether a text is in the grammar depends on its shape alone, in which every digit is a 0.  So the expression is matched
once for each shape, of which a column has few, and gives the places of the parts; their numbers are then read for all
rows of that shape together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flexmine.moments import (
    DECIMALS,
    FIRST_YEAR,
    LAST_OFFSET_MINUTE,
    LAST_YEAR,
    LONGEST,
    MOST_OFFSET_MIN,
    RANGES,
    TIME,
)
from flexmine.problem import Ints

_ROWS_AT_ONCE = 65_536
_US_PER = {"hour": 3_600_000_000, "minute": 60_000_000, "second": 1_000_000}
_US_PER_DAY = 24 * _US_PER["hour"]
_NOT_ASCII = 127
_ZERO = ord("0")
_Bools = NDArray[np.bool_]
_Codes = NDArray[np.uint8]


@dataclass(frozen=True)
class Times:
    """The times of a column, up to the first row that is not one.

    Attributes
    ----------
    us : ndarray of int, shape (rows,)
        Microseconds since 1970: in UTC where the row has an offset, else of its clock.
    naive : ndarray of bool, shape (rows,)
        Which rows have no offset.
    first_wrong : int or None
        The first row that :func:`flexmine.moments.read_time` refuses; what comes after it has no meaning.
    """

    us: Ints
    naive: _Bools
    first_wrong: int | None


def read_times(texts: Sequence[str]) -> Times:
    """Return the times of a column with the cells `texts`, which are ISO 8601."""
    us, naive = np.zeros(len(texts), dtype=np.int64), np.zeros(len(texts), dtype=bool)
    for begin in range(0, len(texts), _ROWS_AT_ONCE):
        part = slice(begin, begin + _ROWS_AT_ONCE)
        wrong = _read(_codes(texts[part]), us[part], naive[part])
        if wrong is not None:
            return Times(us, naive, begin + wrong)
    return Times(us, naive, None)


def _codes(texts: Sequence[str]) -> _Codes:
    """Return the characters, shape (rows, width), 0 after the end of a text; a text that cannot be a time is empty."""
    # What is too long would make all rows as wide, and a 0 at its end would look like one after its end.
    plain = np.array([text if len(text) <= LONGEST and "\0" not in text else "" for text in texts], dtype=np.str_)
    width = plain.dtype.itemsize // 4
    codes = plain.view(np.uint32).reshape(len(texts), width)
    return np.minimum(codes, _NOT_ASCII).astype(np.uint8)


def _read(codes: _Codes, us: Ints, naive: _Bools) -> int | None:
    """Fill in the rows of `us` and `naive`; return the first row that is not a time."""
    digit = (codes >= _ZERO) & (codes < _ZERO + 10)
    shapes = np.where(digit, np.uint8(_ZERO), codes)
    wrong = np.zeros(len(codes), dtype=bool)
    left = np.arange(len(codes))
    while left.size:
        shape = shapes[left[0]]
        alike = (shapes[left] == shape).all(axis=1)
        rows, left = left[alike], left[~alike]
        found = TIME.fullmatch(shape.tobytes().rstrip(b"\0").decode("ascii"))
        if found is None:
            # Rows before the first of this shape have been looked at, and those after it do not matter any more.
            wrong[rows] = True
            break
        digits = codes[rows].astype(np.int64) - _ZERO
        parts = {
            name: digits[:, first:last] @ 10 ** np.arange(last - first - 1, -1, -1)
            for name in ("year", *RANGES, "day", "fraction", "offset_hour", "offset_minute")
            if (first := found.start(name)) >= 0 and (last := found.end(name))
        }
        decimals = found.end("fraction") - found.start("fraction")
        us[rows], wrong[rows] = _moments(parts, decimals, -1 if found["sign"] == "-" else 1)
        naive[rows] = found["offset"] is None
    return int(wrong.argmax()) if wrong.any() else None


def _moments(parts: dict[str, Ints], decimals: int, sign: int) -> tuple[Ints, _Bools]:
    """Return the moments of rows of one shape, and which of them have a part out of its range."""
    year, month = parts["year"], parts["month"]
    right = (year >= FIRST_YEAR) & (year <= LAST_YEAR)
    for name, (low, high) in RANGES.items():
        if name in parts:
            right &= (parts[name] >= low) & (parts[name] <= high)
    months = np.where(right, (year - 1970) * 12 + month - 1, 0).astype("datetime64[M]")
    first, after = (m.astype("datetime64[D]").astype(np.int64) for m in (months, months + 1))
    right &= (parts["day"] >= 1) & (parts["day"] <= after - first)
    us = (first + parts["day"] - 1) * _US_PER_DAY
    for name, length_us in _US_PER.items():
        us = us + parts.get(name, 0) * length_us
    if "fraction" in parts:
        us = us + parts["fraction"] * 10**DECIMALS // 10**decimals
    minutes = parts.get("offset_minute", np.zeros_like(us))
    offset_min = 60 * parts.get("offset_hour", np.zeros_like(us)) + minutes
    right &= (minutes <= LAST_OFFSET_MINUTE) & (offset_min <= MOST_OFFSET_MIN)
    return us - sign * offset_min * _US_PER["minute"], ~right
