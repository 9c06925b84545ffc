"""Comparing what is written with what is true: every difference becomes a sentence that names its place."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

NOT_THERE = "is written, and does not belong there."
MOST_LISTED = 20
"""Differences of one part that are named one by one; the rest is counted."""


@dataclass(frozen=True)
class AtLeast:
    """Stands for a number of which the files prove only a lower bound: it is this much or more."""

    value: float


class Comparison:
    """Counts the comparisons and collects a sentence for each one that fails.

    Parameters
    ----------
    source : str
        What the true values follow from, as sentences name it.
    """

    def __init__(self, source: str = "the files") -> None:
        self.source = source
        self.checks = 0
        self.faults: list[str] = []

    def hold(self, kept: bool, sentence: str) -> None:
        """Count one check; record its `sentence` unless the check was `kept`."""
        self.checks += 1
        if not kept:
            self.faults.append(sentence)

    def all(self, sentences: Iterable[str]) -> None:
        """Count one check, and record the `sentences` of the faults that it found."""
        self.checks += 1
        self.faults += sentences

    def number(self, where: str, written: Any, true: float, slack: float) -> None:
        """Compare a written number with the one that the replay gives.

        Parameters
        ----------
        where : str
            The place of the number, as messages name it.
        written : JSON value
            Anything but a finite number is a fault.
        true, slack : float
            The number of the replay, and by how much the written one may differ from it, in the same unit.
        """
        value = number_of(written)
        if value is None:
            self.hold(False, f"{where}: {written!r} is written, a number is expected.")
        else:
            self.hold(abs(value - true) <= slack, f"{where}: {value:.6f} is written, the replay gives {true:.6f}.")

    def only(self, where: str, written: Iterable[str], known: Collection[str]) -> None:
        """Check that the keys `written` in the part `where` are all among those `known`."""
        self.all(f"{where}.{key}: {NOT_THERE}" for key in written if key not in known)

    def same(self, where: str, written: Any, true: Any, slack: float = 0.0, share: float = 0.0) -> None:
        """Compare a part of a document with what is true, down to its single values.

        Parameters
        ----------
        where : str
            The place of the part, as messages name it.
        written, true : JSON value
            In `true`, :class:`AtLeast` may stand for a number.
        slack, share : float
            By how much a number may be off: an amount in its own unit, and a share of the true number.
        """
        found = list(self._differences(where, written, true, (slack, share)))
        self.faults += found[:MOST_LISTED]
        if len(found) > MOST_LISTED:
            self.faults.append(f"{where}: and {len(found) - MOST_LISTED} more differences.")

    def _differences(self, where: str, written: Any, true: Any, slack: tuple[float, float]) -> Iterator[str]:
        if isinstance(true, Mapping) and isinstance(written, Mapping):
            for key in [*true, *(k for k in written if k not in true)]:
                place = f"{where}.{key}"
                if key not in written:
                    yield f"{place}: is missing."
                elif key not in true:
                    yield f"{place}: {NOT_THERE}"
                else:
                    yield from self._differences(place, written[key], true[key], slack)
        elif isinstance(true, list | tuple) and isinstance(written, list):
            yield from self._of_list(where, written, true, slack)
        else:
            self.checks += 1
            yield from self._of_value(where, written, true, slack)

    def _of_list(
        self, where: str, written: list[Any], true: Sequence[Any], slack: tuple[float, float]
    ) -> Iterator[str]:
        if len(true) != len(written):
            yield f"{where}: has {len(written)} entries, {len(true)} are expected."
            return
        found = [
            sentence
            for i, (own, other) in enumerate(zip(written, true, strict=True))
            for sentence in self._differences(f"{where}[{i}]", own, other, slack)
        ]
        if found and all(number_of(x) is not None for x in true):
            # A series that differs differs in most of its steps: the first says what is wrong.
            yield found[0] + (f" ({len(found)} of {len(true)} values differ)" if len(found) > 1 else "")
            return
        yield from found

    def _of_value(self, where: str, written: Any, true: Any, slack: tuple[float, float]) -> Iterator[str]:
        value, number = number_of(written), number_of(true)
        if isinstance(true, AtLeast):
            if value is None or value < true.value - slack[0]:
                yield f"{where}: {written!r} is written, at least {true.value:g} is expected."
        elif number is not None and value is not None:
            if abs(value - number) > slack[0] + slack[1] * abs(number):
                yield f"{where}: {written!r} is written, {true!r} follows from {self.source}."
        elif type(written) is not type(true) or written != true:
            yield f"{where}: {written!r} is written, {true!r} follows from {self.source}."


def number_of(value: Any) -> float | None:
    """Return a finite JSON number as float, None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e300:
        return None
    return float(value)
