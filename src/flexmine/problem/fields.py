"""What is known of a field of the Problem, stated once, beside the field itself.

A field of :mod:`flexmine.problem.model` is annotated with its type and an :class:`About`.  Reading, checking, writing,
JSON Schema and the joining of days go through :func:`fields_of` and need no line of their own for a new field.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import KW_ONLY, MISSING, dataclass, fields, is_dataclass
from functools import cache
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
NAME = r"^[A-Za-z][A-Za-z0-9_/-]*$"
ABOVE_0 = 1e-9
"""The least value of what has to be above 0."""


@dataclass(frozen=True)
class Joins:
    """How the values of several days become one, where that is not by the rule, and why.

    ``first`` takes that of the first day and compares it with no other; ``dropped`` leaves it out; ``prepared`` is by
    the rule, after :mod:`flexmine.jobs.executed_days` has made something else of it in each day.
    """

    how: Literal["first", "dropped", "prepared"]
    why: str


@dataclass(frozen=True)
class About:
    """Unit, meaning, bounds and treatment of one field.

    Attributes
    ----------
    unit : str
        As on the page of problem.json; ``-`` where there is none.
    words : str
        What it means, in one line; editors show it.
    least, most : float or None
        Bounds of each number, both included; None: as far as numbers of problem.json go.  Few may be negative.
    choices : tuple of str
        The only texts that are allowed.
    pattern : str or None
        What a text has to look like; None: any.
    shortest : int
        Least number of entries of a list.
    curve : bool
        The array is a curve, and does not go by steps.
    one_for_all : bool
        In the file one number may stand for all steps.
    key : str
        Key in the file, where it is not the name of the field.
    absent : float or None
        What an absent key of the file means, where the field itself has to be given; None: the key has to be there.
    raised_to : int or None
        What is below counts as this number.
    written : bool or None
        Whether the file has the key where the value is the default; None: unless that is None or an empty list.
    since : int
        Number of the first schema that has the key.
    optimum : bool
        Whether another value can change the best plan.  A field that can, and is younger than the first schema, raises
        the number that the file carries, so that an older reader refuses it.
    joins : Joins or None
        None: by the rule.  What goes by step is chained, parts of a list are matched by name, and all else has to be
        the same on all days.
    """

    unit: str
    words: str
    _: KW_ONLY
    least: float | None = 0.0
    most: float | None = None
    choices: tuple[str, ...] = ()
    pattern: str | None = NAME
    shortest: int = 0
    curve: bool = False
    one_for_all: bool = False
    key: str = ""
    absent: float | None = None
    raised_to: int | None = None
    written: bool | None = None
    since: int = 1
    optimum: bool = True
    joins: Joins | None = None


Shape = Literal["one", "[T]", "n or [T]", "curve", "list", "pairs"]
BY_STEP = ("[T]", "n or [T]")


@dataclass(frozen=True)
class Described:
    """A field with all that its annotation states.

    Attributes
    ----------
    kind : type
        Of one value: float, int, bool, str, datetime, or the dataclass of a part.
    nullable : bool
        Whether the file may have null.
    default : object
        What an absent key means; MISSING where it has to be there.
    """

    name: str
    key: str
    about: About
    kind: type
    shape: Shape
    nullable: bool
    default: Any

    @property
    def required(self) -> bool:
        """Whether the key has to be in the file."""
        return self.default is MISSING

    @property
    def is_part(self) -> bool:
        """Whether it is a part, or a list of parts, with fields of its own."""
        return is_dataclass(self.kind)

    def is_default(self, value: Any) -> bool:
        """Return whether `value` is what an absent key means."""
        if isinstance(value, np.ndarray):
            return not self.required and self.default is not None and bool(np.all(value == self.default))
        return not self.required and bool(value == self.default)

    def is_written(self, value: Any) -> bool:
        """Return whether a file has the key for `value`; a key younger than the first schema only if not default."""
        always = self.default not in (None, ()) if self.about.written is None else self.about.written
        return (always and self.about.since == 1) or not self.is_default(value)


def fields_of(part: Any) -> tuple[Described, ...]:
    """Return the described fields of `part`, a dataclass of the Problem or an instance, in the order of the file."""
    return _fields_of(part if isinstance(part, type) else type(part))


@cache
def _fields_of(kind: Any) -> tuple[Described, ...]:
    hints = get_type_hints(kind, include_extras=True)
    found = []
    for f in fields(kind):
        whole, *notes = get_args(hints[f.name])
        for about in (note for note in notes if isinstance(note, About)):
            kinds = [k for k in get_args(whole) if k is not NoneType] if NoneType in get_args(whole) else [whole]
            value, shape = _value_and_shape(kinds[0], about)
            default = about.absent if f.default is MISSING and about.absent is not None else f.default
            nullable = NoneType in get_args(whole) or (shape == "[T]" and about.absent is not None)
            found.append(Described(f.name, about.key or f.name, about, value, shape, nullable, default))
    return tuple(found)


def _value_and_shape(hint: Any, about: About) -> tuple[type, Shape]:
    if hint in (Floats, Ints):
        by_step: Shape = "n or [T]" if about.one_for_all else "[T]"
        return (float if hint == Floats else int), "curve" if about.curve else by_step
    if get_origin(hint) is not tuple:
        return hint, "one"
    inner = get_args(hint)[0]
    return (get_args(inner)[0], "pairs") if get_origin(inner) is tuple else (inner, "list")


def every_field(root: type) -> Iterator[tuple[type, Described]]:
    """Yield each described field of a dataclass and of the parts in it, with the dataclass that has it."""
    for f in fields_of(root):
        yield root, f
        if f.is_part:
            yield from every_field(f.kind)
