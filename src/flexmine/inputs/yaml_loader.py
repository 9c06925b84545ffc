"""YAML files into validated documents, every error with file, line and column, all of them at once.

Plain ``yaml.safe_load`` reads ``1e-3`` as text, ``12:30:00`` as 45000, ``on`` as true and drops a repeated key
without a word.  Here scalars follow the YAML 1.2 core schema: only true and false are truth values, only decimal
notation is a number, a time stays text until a field says that it is a time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import yaml
from pydantic import ValidationError

from flexmine.errors import BadInput
from flexmine.inputs.explain import Finding, explain
from flexmine.inputs.fields import Document

MAX_BYTES = 1_000_000
MAX_NODES = 100_000
Keys = tuple[str | int, ...]
D = TypeVar("D", bound=Document)


class CoreLoader(yaml.SafeLoader):
    """A SafeLoader with the scalar rules of YAML 1.2 (core schema)."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - as the base has it


_TAG = "tag:yaml.org,2002:"
for _name, _pattern, _first in (
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("int", r"^[-+]?[0-9]+$", "-+0123456789"),
    (
        "float",
        r"^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$",
        "-+.0123456789",
    ),
):
    CoreLoader.add_implicit_resolver(_TAG + _name, re.compile(_pattern), list(_first))


@dataclass(frozen=True, order=True)
class Place:
    """Line and column, counted from 1."""

    line: int
    column: int


@dataclass(frozen=True)
class Loaded(Generic[D]):
    """A validated document and where each of its values stands.

    Attributes
    ----------
    label : str
        How messages name the file.
    raw : bytes
        The file as read, for its hash.
    """

    document: D
    path: Path
    label: str
    raw: bytes
    places: dict[Keys, Place]

    def at(self, keys: Keys, message: str) -> str:
        """Return `message` with file, line, column and key in front."""
        return _sentence(self.label, self.places, Finding(keys, message))


def read_yaml(path: Path, model: type[D], label: str) -> Loaded[D]:
    """Read a YAML file into a document of type `model`.

    Raises
    ------
    BadInput
        One message per error: ``file:line:column key: what is wrong; what is allowed``.
    """
    raw = _read_bytes(path, label)
    places: dict[Keys, Place] = {}
    findings: list[Finding] = []
    data = _Builder(label, places, findings).build(_compose(raw, label))
    if not isinstance(data, dict):
        raise BadInput(f"{label}:1:1: the file has to hold keys and values, such as schema: {_schema_of(model)}")
    try:
        document = model.model_validate(data)
    except ValidationError as error:
        findings += explain(error, model)
        document = None
    if document is None or findings:
        findings.sort(key=lambda finding: _place(places, finding))
        raise BadInput([_sentence(label, places, f) for f in findings])
    return Loaded(document, path, label, raw, places)


def _schema_of(model: type[Document]) -> str:
    return str(model.model_fields["schema_id"].annotation).removeprefix("typing.Literal['").removesuffix("']")


def _read_bytes(path: Path, label: str) -> bytes:
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise BadInput(f"{label}: {size} bytes; a YAML file may have at most {MAX_BYTES}")
        return path.read_bytes()
    except OSError as error:
        raise BadInput(f"{label}: cannot be read ({error.strerror})") from error


def _compose(raw: bytes, label: str) -> yaml.Node:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise BadInput(f"{label}:{line}:1: byte {error.start + 1} is not UTF-8; save the file as UTF-8") from error
    try:
        node = yaml.compose(text, Loader=CoreLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{label}:{mark.line + 1}:{mark.column + 1}" if mark else label
        raise BadInput(f"{where}: this is not YAML: {error.problem or error.context}") from error
    except yaml.YAMLError as error:
        raise BadInput(f"{label}: this is not YAML: {error}") from error
    if node is None:
        raise BadInput(f"{label}:1:1: the file is empty")
    return node


class _Builder:
    """Turns nodes into plain values and writes down where each stands."""

    def __init__(self, label: str, places: dict[Keys, Place], findings: list[Finding]):
        self.label, self.places, self.findings = label, places, findings
        self.nodes = 0

    def build(self, node: yaml.Node, keys: Keys = ()) -> Any:
        self.nodes += 1
        if self.nodes > MAX_NODES or len(keys) > 50:
            raise BadInput(f"{self.label}: too large or too deep; at most {MAX_NODES} values, 50 levels")
        place = Place(node.start_mark.line + 1, node.start_mark.column + 1)
        self.places[keys] = place
        if isinstance(node, yaml.MappingNode) and node.tag == _TAG + "map":
            return self._mapping(node, keys)
        if isinstance(node, yaml.SequenceNode) and node.tag == _TAG + "seq":
            return [self.build(item, (*keys, i)) for i, item in enumerate(node.value)]
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, keys)
        self.findings.append(Finding(keys, f"the tag {node.tag} is not known here; leave it out"))
        return None

    def _mapping(self, node: yaml.MappingNode, keys: Keys) -> dict[str, Any]:
        result: dict[str, Any] = {}
        lines: dict[str, int] = {}
        for key_node, value_node in node.value:
            place = Place(key_node.start_mark.line + 1, key_node.start_mark.column + 1)
            if not isinstance(key_node, yaml.ScalarNode) or key_node.tag != _TAG + "str":
                self.findings.append(Finding(keys, "a key has to be plain text; put it in quotes", place))
                continue
            key = key_node.value
            own = (*keys, key)
            if key in lines:
                text = f"this key stands in line {lines[key]} already; a key may stand once"
                self.findings.append(Finding(own, text, place))
                continue
            lines[key] = place.line
            result[key] = self.build(value_node, own)
            self.places[(*own, KEY_MARK)] = place
        return result

    def _scalar(self, node: yaml.ScalarNode, keys: Keys) -> Any:
        kind, text = node.tag.removeprefix(_TAG), node.value
        if kind == "str":
            return text
        if kind == "null":
            return None
        if kind == "bool" and text.lower() in ("true", "false"):
            return text.lower() == "true"
        try:
            if kind == "int":
                return int(text)
            if kind == "float":
                return float(re.sub(r"\.(inf|nan)$", r"\1", text.lower()))
        except ValueError:
            pass
        self.findings.append(Finding(keys, f"{text!r} with the tag {node.tag} cannot be read; leave the tag out"))
        return None


KEY_MARK = "\0key"
"""Last part of the entry that says where a key, not its value, stands."""


def _place(places: dict[Keys, Place], finding: Finding) -> Place:
    if isinstance(finding.place, Place):
        return finding.place
    keys = finding.keys
    if finding.of_key and (*keys, KEY_MARK) in places:
        return places[(*keys, KEY_MARK)]
    while keys and keys not in places:
        keys = keys[:-1]
    return places.get(keys, Place(1, 1))


def _sentence(label: str, places: dict[Keys, Place], finding: Finding) -> str:
    place = _place(places, finding)
    key = ""
    for part in finding.keys:
        key += f"[{part}]" if isinstance(part, int) else f".{part}" if key else part
    return f"{label}:{place.line}:{place.column}{' ' + key if key else ''}: {finding.message}"
