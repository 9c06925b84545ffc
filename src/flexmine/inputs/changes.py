"""Changes to a case: which key, to what.  They are put into what the files hold, before anything is checked.

A changed case is thus the case that somebody would have got by editing the files: every check, every series and every
conversion runs on the changed text.  Each change is kept and recorded in the plan.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from numbers import Integral, Real
from typing import Any

from pydantic import BaseModel

from flexmine.change_words import in_words, shortened
from flexmine.errors import BadInput, printable
from flexmine.inputs.dotted import Spot, find
from flexmine.inputs.equipment import PlantDocument
from flexmine.inputs.relative import EXAMPLES, Relative, relative
from flexmine.inputs.schema import CaseDocument
from flexmine.inputs.yaml_loader import Keys, Place, mark_changed

PLANT = "plant."
_NUMBER = re.compile(r"[0-9]+(\.[0-9]*)?")


@dataclass(frozen=True)
class Change:
    """One key of a case, or of its plant, whose value differs from that of its file.

    Attributes
    ----------
    key : str
        Dotted, such as ``sources.grid.price_usd_per_mwh``; of the plant it begins with ``plant.``.
    value : object
        As requested: a value of the key, or a text such as ``+20 %``.
    before : object
        The value before it, where that is plain: a number, a text, true, false or null.
    after : object
        What stands there now.
    was_plain : bool
        Whether `before` is known; it is not where a series, a block or a list stood.
    """

    key: str
    value: Any
    before: Any = None
    after: Any = None
    was_plain: bool = False

    @property
    def asked(self) -> str:
        """The requested change, as errors show it."""
        return f"{self.key} = {shortened(self.value)}"

    def __str__(self) -> str:
        return in_words(self.document())

    def document(self) -> dict[str, Any]:
        """Return the entry of plan.json."""
        plain = {"before": self.before, "after": self.after} if self.was_plain else {}
        return {"key": self.key, "value": deepcopy(self.value), **plain}


def requested(changes: Mapping[str, Any]) -> tuple[Change, ...]:
    """Return `changes`, a mapping from dotted keys to values, as changes that are not yet applied.

    Raises
    ------
    BadInput
        Where it is not a mapping, no file could hold a value, or a later change of the same call overrides one.
    """
    if not isinstance(changes, Mapping):
        raise BadInput("changes are a mapping from dotted keys to values, such as {'plant.cap_mw': 8}")
    found, wrong = [], []
    for key, value in changes.items():
        try:
            found.append(Change(str(key), _plain(value)))
        except BadInput as error:
            wrong += [f"change {key}: {message}" for message in error.messages]
    for i, change in enumerate(found):
        wrong += [
            f"change {change.asked}: has no effect, because the change of {later.key} after it replaces the whole of it"
            for later in found[i + 1 :]
            if change.key.startswith(f"{later.key}.")
        ]
    if wrong:
        raise BadInput([printable(message) for message in wrong])
    return tuple(found)


@dataclass
class Changing:
    """The changes of a case on their way into its files.

    Attributes
    ----------
    changes : list of Change
        In the order in which they were requested; the value before each is filled in on the way.
    wrong : list of str
        Which changes are not possible, and what would be.
    same : set of int
        Indices of the changes that change nothing, as ``+0 %`` does: one of a row of what-ifs may.
    """

    changes: list[Change]
    wrong: list[str] = field(default_factory=list)
    same: set[int] = field(default_factory=set)

    @property
    def made(self) -> tuple[Change, ...]:
        """The changes without those that change nothing."""
        return tuple(change for i, change in enumerate(self.changes) if i not in self.same)

    def into_case(self, data: dict[str, Any], places: dict[Keys, Place]) -> None:
        """Put the changes of the case into `data`, the content of its file, and into the places of its values."""
        mine = [(i, change.key) for i, change in enumerate(self.changes) if not change.key.startswith(PLANT)]
        self._put(mine, data, places, CaseDocument)

    def into_plant(self, data: dict[str, Any], places: dict[Keys, Place]) -> None:
        """Put the changes of the plant into `data`, the content of its file, and into the places of its values."""
        mine = [(i, c.key.removeprefix(PLANT)) for i, c in enumerate(self.changes) if c.key.startswith(PLANT)]
        self._put(mine, data, places, PlantDocument)

    def naming_the_change(self, messages: Sequence[str]) -> list[str]:
        """Return `messages`, those of an error, and one more that names the changes where none of them does."""
        about = "change "
        if not self.changes or any(message.startswith(about) for message in messages):
            return list(messages)
        return [*messages, f"{about}{'; '.join(change.asked for change in self.changes)}: this change caused it"]

    def _put(
        self, mine: Iterable[tuple[int, str]], data: dict[str, Any], places: dict[Keys, Place], model: type[BaseModel]
    ) -> None:
        for i, dotted in mine:
            change = self.changes[i]
            try:
                spot = find(data, model, dotted)
                before = spot.value
                spot.put(_changed(spot, change.value))
            except BadInput as error:
                self.wrong += [
                    printable(f"change {change.asked}: {message}{_of_the_plant(dotted, model)}")
                    for message in error.messages
                ]
                continue
            after = spot.holder[spot.keys[-1]]
            if type(after) is type(before) and after == before:
                self.same.add(i)
            known = _is_plain(before)
            self.changes[i] = replace(
                change,
                before=before if known else None,
                after=after,
                was_plain=known,
            )
            mark_changed(places, spot.keys, f"change {change.asked}")


def _changed(spot: Spot, value: Any) -> Any:
    """Return what a place holds after a change of it to `value`."""
    if not (isinstance(value, str) and spot.takes_numbers):
        return deepcopy(value)
    by = relative(value)
    if by is None and _NUMBER.fullmatch(value.strip()):
        raise BadInput(f"is a text; give the number {value.strip()} without quotes")
    if by is None:
        raise BadInput(
            f"is neither a value of this key nor a change of it; give a number, or a text such as {EXAMPLES}"
        )
    if value.strip().startswith("-") and by.adds and spot.accepts(by.shift):
        # -5 as a text is either a price or 5 less than the price; nobody may have to guess.
        raise BadInput(
            f"may mean the value {by.shift:g} or {-by.shift:g} less than before; give the number {by.shift:g} without "
            'quotes, or a change in percent ("-5 %")'
        )
    if not by.adds and str(spot.keys[-1]).endswith("_c"):
        raise BadInput('a temperature in C has no share of itself; give a shift in K, such as "+3"')
    if isinstance(spot.value, dict):
        return spot.value if by.is_none else _changed_series(spot.value, by, value)
    if isinstance(spot.value, bool) or not isinstance(spot.value, int | float):
        raise BadInput("there is no number here that could be changed by so much; give the value itself")
    return spot.value if by.is_none else by.of(spot.value)


def _changed_series(series: Mapping[str, Any], by: Relative, text: str) -> dict[str, Any]:
    """Return a series whose values, in the unit of the key, are multiplied or shifted."""
    shift = series.get("shift", 0.0) * by.factor + by.shift
    if by.adds:
        return {**series, "shift": shift}
    factors = list(series.get("factors") or [])
    taken = {entry.get("name") for entry in factors if isinstance(entry, dict)}
    name = next(name for n in range(1, len(factors) + 2) if (name := f"change_{n}") not in taken)
    changed = {**series, "factors": [*factors, {"name": name, "value": by.factor, "note": text}]}
    return changed | ({"shift": shift} if "shift" in series else {})


def _of_the_plant(dotted: str, model: type[BaseModel]) -> str:
    """Return a hint where a key of the plant was named as one of the case."""
    first = dotted.partition(".")[0]
    if model is not CaseDocument or first in CaseDocument.model_fields:
        return ""
    near = difflib.get_close_matches(first, list(PlantDocument.model_fields), n=1, cutoff=0.8)
    return f". Keys of the plant begin with {PLANT}, such as {PLANT}{near[0]}" if near else ""


def _plain(value: Any) -> Any:
    """Return a value as a file would hold it."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    raise BadInput(
        f"a {type(value).__name__} is nothing that a file could hold; a time is a text such as "
        "2024-09-10T00:00:00+08:00, a series a column of a file: {'file': ..., 'column': ...}"
    )


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, bool | int | float | str)
