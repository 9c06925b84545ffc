"""YAML files into validated documents, every error with file, line and column, all of them at once.

Plain ``yaml.safe_load`` reads ``1e-3`` as text, ``12:30:00`` as 45000, ``on`` as true and drops a repeated key
without a word.  Here scalars follow the YAML 1.2 core schema: only true and false are truth values, only decimal
notation is a number, a time stays text until a field declares it a time.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import yaml
from pydantic import ValidationError

from flexmine.errors import UNSEEN, BadInput, printable
from flexmine.files import read_regular
from flexmine.inputs.explain import Finding, explain
from flexmine.inputs.fields import Document
from flexmine.inputs.kinds import of_another_kind
from flexmine.inputs.reading import MAX_YAML_BYTES

MAX_NODES = 100_000
MAX_LEVELS = 50
MAX_MESSAGES = 100
MAX_DIGITS = 300
_ALLOWED = f"allowed are at most {MAX_NODES} values (aliases counted each time) in at most {MAX_LEVELS} levels"
_OF_YAML_1_1 = {"true": "on", "false": "off"}
_GLUED = re.compile(r"\s*(?:- )?(?P<key>[A-Za-z_][A-Za-z0-9_]*):(?P<value>[^\s/:][^:]*?)\s*")
_OF_A_COLON = ("could not find expected ':'", "mapping values are not allowed")
_LINES_AND_TABS = str.maketrans("", "", "\r\n\t")
Keys = tuple[str | int, ...]
D = TypeVar("D", bound=Document)
Edit = Callable[[dict[str, Any], "dict[Keys, Place]"], None]


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
    """Line and column, counted from 1; or the change that has put a value there, of which no file has a line.

    Attributes
    ----------
    change : str
        What was changed to what; empty where the value is the file's.
    depth : int
        Number of keys that lead to what was changed.
    """

    line: int
    column: int
    change: str = ""
    depth: int = 0


@dataclass(frozen=True)
class Draft(Generic[D]):
    """A YAML file as far as it could be understood, and all that is wrong with it.

    Attributes
    ----------
    document : Document or None
        None where anything is wrong.
    data : object
        What the file holds, unchecked; None where it is not even YAML.
    label : str
        How messages name the file.
    raw : bytes
        The file as read, for its hash.
    messages : tuple of str
        ``file:line:column key: what is wrong; what is allowed``, in the order of the file.
    """

    document: D | None
    data: Any
    path: Path
    label: str
    raw: bytes
    places: dict[Keys, Place]
    messages: tuple[str, ...] = ()

    def at(self, keys: Keys, message: str) -> str:
        """Return `message` with file, line, column and key in front."""
        return _sentence(self.label, self.places, Finding(keys, message))

    def order(self, keys: Keys) -> Place:
        """Return the place of the value under `keys`, to sort by."""
        return _place(self.places, Finding(keys, ""))


@dataclass(frozen=True)
class Loaded(Draft[D]):
    """A file with nothing wrong."""

    document: D

    def __post_init__(self) -> None:
        assert not self.messages


def read_yaml(path: Path, model: type[D], label: str) -> Loaded[D]:
    """Read a YAML file into a document of type `model`.

    Raises
    ------
    BadInput
        One message per error: ``file:line:column key: what is wrong; what is allowed``.
    """
    try:
        raw = read_regular(path, MAX_YAML_BYTES)
    except BadInput as error:
        raise BadInput([f"{label}: {message}" for message in error.messages]) from error
    return loaded(parse_yaml(raw, path, model, label))


def loaded(draft: Draft[D]) -> Loaded[D]:
    """Return a draft in which nothing is wrong.

    Raises
    ------
    BadInput
        With its messages.
    """
    if draft.document is None:
        raise BadInput(draft.messages)
    return Loaded(draft.document, draft.data, draft.path, draft.label, draft.raw, draft.places)


def parse_yaml(raw: bytes, path: Path, model: type[D], label: str, edit: Edit | None = None) -> Draft[D]:
    """Return what the bytes of a YAML file mean, and all that is wrong with them; nothing is raised.

    Parameters
    ----------
    raw : bytes
        The whole file, UTF-8.
    path : Path
    model : type of Document
        What the file is to hold.
    label : str
        How messages name the file.
    edit : callable, optional
        Changes the content, and the places of its values, before anything is checked.
    """
    places: dict[Keys, Place] = {}
    findings: list[Finding] = []
    try:
        data = _Builder(label, places, findings).build(_compose(raw, label))
    except BadInput as error:
        return Draft(None, None, path, label, raw, places, tuple(error.messages))
    if not isinstance(data, dict):
        text = f"{label}:1:1: the file has to hold keys and values, such as schema: {schema_of(model)}"
        return Draft(None, None, path, label, raw, places, (text,))
    if "schema_id" in model.model_fields and (kind := of_another_kind(data, schema_of(model))):
        place = places[("schema",)]
        return Draft(None, None, path, label, raw, places, (f"{label}:{place.line}:{place.column} schema: {kind}",))
    if edit is not None:
        edit(data, places)
    document, wrong = _validated(data, model)
    named = {finding.keys for finding in findings}
    findings += [finding for finding in wrong if finding.keys not in named]
    findings.sort(key=lambda finding: _place(places, finding))
    messages = [_sentence(label, places, f) for f in findings]
    if len(messages) > MAX_MESSAGES:
        messages[MAX_MESSAGES:] = [f"{label}: and {len(messages) - MAX_MESSAGES} more errors"]
    return Draft(None if findings else document, data, path, label, raw, places, tuple(messages))


def _validated(data: dict[str, Any], model: type[D]) -> tuple[D | None, list[Finding]]:
    """Return the document and what is wrong.

    A document with an unknown key is not compared within itself by pydantic: what such a key hides is found by
    validating once more without the unknown keys.
    """
    try:
        return model.model_validate(data), []
    except ValidationError as error:
        findings = explain(error, model)
    unknown = [f.keys for f in findings if f.of_key]
    if unknown:
        try:
            model.model_validate(without(data, unknown))
        except ValidationError as error:
            named = {(f.keys, f.message) for f in findings}
            findings += [f for f in explain(error, model) if (f.keys, f.message) not in named]
    return None, findings


def without(data: Any, unwanted: list[Keys]) -> Any:
    """Return a copy of `data`, nested dicts and lists, without the entries of dicts under the keys `unwanted`."""
    here = {keys[0] for keys in unwanted if len(keys) == 1}

    def below(key: str | int) -> list[Keys]:
        return [keys[1:] for keys in unwanted if len(keys) > 1 and keys[0] == key]

    if isinstance(data, dict):
        return {key: without(value, below(key)) for key, value in data.items() if key not in here}
    if isinstance(data, list):
        return [without(value, below(i)) for i, value in enumerate(data)]
    return data


def schema_of(model: type[Any]) -> str:
    """Return the name of the schema of the document `model`, such as ``flexmine-case/1``."""
    return str(model.model_fields["schema_id"].annotation).removeprefix("typing.Literal['").removesuffix("']")


def _compose(raw: bytes, label: str) -> yaml.Node:
    try:
        text = raw.decode("utf-8-sig")
        node = yaml.compose(text, Loader=CoreLoader)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise BadInput(f"{label}:{line}:1: byte {error.start + 1} is not UTF-8; save the file as UTF-8") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        of_colon = any(words in str(error.problem) for words in _OF_A_COLON)
        if mark and of_colon and (glued := _glued(text, mark.line)):
            line, key, value = glued
            said = f"there is no space after the colon; write {key}: {printable(value)}"
            raise BadInput(f"{label}:{line}:1: this is not YAML: {said}") from error
        where = f"{label}:{mark.line + 1}:{mark.column + 1}" if mark else label
        raise BadInput(f"{where}: this is not YAML: {_reason(error)}") from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        column = error.position - (text.rfind("\n", 0, error.position) + 1) + 1
        character = f"the character U+{ord(text[error.position]):04X}"
        raise BadInput(f"{label}:{line}:{column}: {character} may not stand in YAML; save the file as UTF-8") from error
    except RecursionError as error:
        raise BadInput(f"{label}: too deep; {_ALLOWED}") from error
    if node is None:
        raise BadInput(f"{label}:1:1: the file is empty")
    return node


def _glued(text: str, line: int) -> tuple[int, str, str] | None:
    """Return line, key and value of ``key:value`` in the line of an error or above it, which is text and no key.

    Parameters
    ----------
    line : int
        Of the error, counted from 0: the parser stops where it has looked for the colon in vain.
    """
    lines = text.splitlines()
    for number in (line, line - 1):
        found = _GLUED.fullmatch(lines[number]) if 0 <= number < len(lines) else None
        if found is not None:
            return number + 1, found["key"], found["value"]
    return None


def _reason(error: yaml.MarkedYAMLError) -> str:
    """Return the parser's message, with a hint where it is known what people meant."""
    said = str(error.problem or error.context)
    hints = {
        "cannot start any token": "indent with spaces; put text with special characters in quotes",
        "mapping values are not allowed": "one key a line, with a space after its colon; put text with ': ' in quotes",
        "expected the node content": "put text that begins with a special character in quotes",
        "expected <block end>": "look at the indent of this line and those above; '- ' begins an entry of a list",
        "undefined alias": "* begins an alias; put the text in quotes",
        "but found another document": "one document a file: leave out the line ---",
    }
    return said + "".join(f"; {hint}" for words, hint in hints.items() if words in f"{error.context} {said}")


class _Builder:
    """Turns nodes into plain values and writes down where each stands."""

    def __init__(self, label: str, places: dict[Keys, Place], findings: list[Finding]):
        self.label, self.places, self.findings = label, places, findings
        self.nodes = 0

    def build(self, node: yaml.Node, keys: Keys = ()) -> Any:
        self.nodes += 1
        if self.nodes > MAX_NODES or len(keys) > MAX_LEVELS:
            raise BadInput(f"{self.label}: too large or too deep; {_ALLOWED}")
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
            if not isinstance(key_node, yaml.ScalarNode) or key_node.tag not in (_TAG + "str", _TAG + "bool"):
                self.findings.append(Finding(keys, "a key has to be plain text; put it in quotes", place))
                continue
            key = key_node.value
            if key_node.tag == _TAG + "bool":
                # A library of YAML 1.1 reads `on` as true, and writes it back so.
                key = _OF_YAML_1_1.get(key.lower(), key)
            own = (*keys, key)
            self._refuse_unseen(own, key, place)
            if key in lines:
                text = f"this key stands in line {lines[key]} already; a key may stand once"
                self.findings.append(Finding(own, text, place))
                continue
            lines[key] = place.line
            result[key] = self.build(value_node, own)
            self.places[(*own, KEY_MARK)] = place
        return result

    def _refuse_unseen(self, keys: Keys, text: str, place: Place | None = None) -> None:
        """Refuse what would move the cursor of whoever is shown this text, or turn it around."""
        found = UNSEEN.search(text.translate(_LINES_AND_TABS))
        if found is not None:
            wrong = f"the character U+{ord(found.group()):04X} cannot be seen; leave it out"
            self.findings.append(Finding(keys, wrong, place))

    def _scalar(self, node: yaml.ScalarNode, keys: Keys) -> Any:
        kind, text = node.tag.removeprefix(_TAG), node.value
        if kind == "str":
            self._refuse_unseen(keys, text)
            return text
        if kind == "null":
            return None
        if kind == "bool" and text.lower() in ("true", "false"):
            return text.lower() == "true"
        wrong = f"{text!r} with the tag {node.tag} cannot be read; leave the tag out"
        if kind in ("int", "float"):
            if len(text) <= MAX_DIGITS:
                try:
                    return int(text) if kind == "int" else float(re.sub(r"\.(inf|nan)$", r"\1", text.lower()))
                except ValueError:
                    pass
            else:
                wrong = f"a number of {len(text)} digits cannot be read; at most {MAX_DIGITS}"
        self.findings.append(Finding(keys, wrong))
        return None


KEY_MARK = "\0key"
"""Last part of the entry for the place of a key, not of its value."""


def mark_changed(places: dict[Keys, Place], keys: Keys, change: str) -> None:
    """Let errors at the value under `keys`, or below it, name `change`, which has put it there, in place of a line."""
    at = _place(places, Finding(keys, ""))
    for known in [known for known in places if known[: len(keys)] == keys]:
        del places[known]
    places[keys] = places[(*keys, KEY_MARK)] = Place(at.line, at.column, change, len(keys))


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
    for part in finding.keys[place.depth :]:
        key += f"[{part}]" if isinstance(part, int) else f".{part}" if key else part
    if place.change:
        return printable(f"{place.change}:{' ' + key + ':' if key else ''} {finding.message}")
    return printable(f"{label}:{place.line}:{place.column}{' ' + key if key else ''}: {finding.message}")
