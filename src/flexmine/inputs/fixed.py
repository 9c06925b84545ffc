"""A dict that nobody can change any more; unlike a mapping proxy it can be sent to another process."""

from __future__ import annotations

from typing import Any, NoReturn, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class FixedDict(dict[K, V]):
    """What a case holds by key."""

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError('what a case holds cannot be changed in place; use case.with_changes({"dotted.key": value})')

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> tuple[type[FixedDict[K, V]], tuple[dict[K, V]]]:
        return type(self), (dict(self),)
