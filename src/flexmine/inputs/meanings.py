"""What each key of the files means, in one line: the first paragraph of its entry in the docstring of its document.

Editors (:mod:`flexmine.inputs.json_schema`) and starter files (:mod:`flexmine.inputs.starter`) show these lines.
"""

from __future__ import annotations

import inspect
import re
from functools import cache

from pydantic import BaseModel

from flexmine.inputs.explain import document_in
from flexmine.inputs.units import unit_of


def documents(model: type[BaseModel]) -> dict[str, type[BaseModel]]:
    """Return a document and all documents below it, by the names of their classes."""
    found = {model.__name__: model}
    for field in model.model_fields.values():
        below = document_in(field.annotation)
        if below is not None and below.__name__ not in found:
            found |= documents(below)
    return found


def meaning(model: type[BaseModel], key: str) -> str:
    """Return what a key means, with its unit in front: ``[MW] draw of a container that is off``."""
    name = next(n for n, field in model.model_fields.items() if (field.alias or n) == key)
    text = _from_docstring(model).get(name, "")
    unit = unit_of(key)
    if unit is None or unit.name.startswith("(") or "share" in text:
        return text
    return f"[{unit.name}] {text}"


@cache
def _from_docstring(model: type[BaseModel]) -> dict[str, str]:
    """Return the first paragraph of each entry under Attributes, by the name of the attribute, bases included."""
    found: dict[str, str] = {}
    for cls in reversed(model.__mro__):
        _, _, listed = inspect.cleandoc(cls.__dict__.get("__doc__") or "").partition("Attributes\n----------\n")
        for names, text in re.findall(r"^(\S[^\n]*)\n((?:[ ]{4}[^\n]*\n?)+)", listed, flags=re.M):
            whole = re.sub(r"\s*\[[^\]]*\](?=[.;,]|$)", "", " ".join(text.split())).replace("`", "").rstrip(".")
            for name in names.partition(" :")[0].split(", "):
                spoken = whole[1:2].islower() or whole.startswith("A ")
                found[name] = whole[:1].lower() + whole[1:] if spoken else whole
    return found
