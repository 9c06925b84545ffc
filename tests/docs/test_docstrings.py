"""Public functions say what they take: every number, array, text and flag, with its unit where it has one."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, fields
from importlib import import_module
from pathlib import Path

import pytest
from numpydoc.docscrape import ClassDoc

SOURCE = Path(__file__).parents[2] / "src" / "flexmine"
PAGE = re.findall(
    r"autoclass:: (flexmine\.(?!Status)[\w.]+)", (SOURCE.parents[1] / "docs" / "api.md").read_text(encoding="utf-8")
)
"""Dataclasses that the page of the API shows; those of the Problem are described by their annotations."""
PLAIN = re.compile(
    r"\b(int|float|str|bool|bytes|object|Any|Floats|Ints|Bools|Mask|NDArray|ArrayLike|Path|datetime|date|timedelta|"
    r"Callable|ndarray)\b"
)
"""Types that do not say what a thing is; a Problem or a Table says so itself, by its own docstring."""
ELSEWHERE = ("cli", "milp", "store/migrations")
"""Docstrings of commands are their help, whose options click describes; those of the model are its equations, which
name their letters."""
PLAINLY = {"label", "path", "name", "text", "value", "values", "key", "t"}
"""Names that mean the same everywhere: what messages call a file, where it is, what a thing is called, step t."""


@dataclass(frozen=True)
class Function:
    place: str
    parameters: tuple[tuple[str, str], ...]
    doc: str

    def silent(self) -> list[str]:
        """Return the parameters of plain type that neither stand under Parameters nor in the sentence by name."""
        head, _, sections = self.doc.partition("Parameters\n")
        described = {
            name
            for line in re.findall(r"^(\*{0,2}\w+(?:, \*{0,2}\w+)*) :", sections, re.M)
            for name in re.split(r"\W+", line)
        }
        return [
            name
            for name, kind in self.parameters
            if PLAIN.search(kind) and name not in PLAINLY and name not in described and f"`{name}`" not in head
        ]


def functions() -> Iterator[Function]:
    for file in sorted(SOURCE.rglob("*.py")):
        room = file.relative_to(SOURCE).as_posix()
        if not room.startswith(ELSEWHERE):
            yield from _functions(room, ast.parse(file.read_text(encoding="utf-8")))


def _functions(room: str, parent: ast.Module | ast.ClassDef) -> Iterator[Function]:
    for node in parent.body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from _functions(room, node)
        elif isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            own = tuple((a.arg, ast.unparse(a.annotation)) for a in given if a.annotation is not None)
            yield Function(f"{room}:{node.name}", own, ast.get_docstring(node) or "")


def test_every_plain_parameter_is_described():
    """*Proves:* nobody has to read a function to know what its numbers, arrays, texts and flags are.

    *Sensitivity:* a parameter that is added without a word is named here, with its place.
    """
    assert [f"{f.place}: {', '.join(f.silent())}" for f in functions() if f.silent()] == []


@pytest.mark.parametrize("place", PAGE)
def test_every_attribute_on_the_api_page_is_described(place):
    """*Proves:* what the page shows of a class has no gap.  *Sensitivity:* a field that is added without a word."""
    module, _, name = place.rpartition(".")
    kind = getattr(import_module(module), name)
    described = {n.strip() for entry in ClassDoc(kind)["Attributes"] for n in entry.name.split(",")}
    assert {f.name for f in fields(kind)} - described == set()
