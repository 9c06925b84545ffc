"""The traps of YAML: what plain safe_load reads wrongly."""

from __future__ import annotations

import pytest
import yaml
from pydantic import ConfigDict

from flexmine.errors import BadInput
from flexmine.inputs.fields import Document
from flexmine.inputs.reading import MAX_YAML_BYTES
from flexmine.inputs.yaml_loader import read_yaml


class Anything(Document):
    model_config = ConfigDict(extra="allow")


def read(tmp_path, text: str | bytes) -> dict:
    path = tmp_path / "x.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return dict(read_yaml(path, Anything, "x.yaml").document.model_extra or {})


def refusal(tmp_path, text: str | bytes) -> str:
    with pytest.raises(BadInput) as caught:
        read(tmp_path, text)
    return caught.value.messages[0]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("89.47e12", 89.47e12),
        ("12:30:00", "12:30:00"),
        ("yes", "yes"),
        ("off", "off"),
        ("on", "on"),
        ("true", True),
        ("0010", 10),
        ("0x10", "0x10"),
        ("1_000", "1_000"),
        ("2024-09-10", "2024-09-10"),
        ("11-15", "11-15"),
        ("~", None),
        ("", None),
        ("-.5", -0.5),
        ("'5'", "5"),
    ],
)
def test_scalars_follow_yaml_1_2(tmp_path, text, value):
    """Scalars are what YAML 1.2 says, not what 1.1 guesses.

    *Proves:* 1e-3 is a number, 12:30:00 and on are text.
    *Sensitivity:* plain safe_load gives '1e-3', 45000, True and a date.
    """
    assert read(tmp_path, f"key: {text}\n") == {"key": value}


def test_plain_safe_load_would_read_them_wrongly():
    """*Proves:* the traps are real.  *Sensitivity:* if PyYAML changed its rules, the own loader could go."""
    assert yaml.safe_load("a: 1e-3\nb: 12:30:00\non: 1") == {"a": "1e-3", "b": 45000, True: 1}


def test_the_key_on_stays_text(tmp_path):
    """*Proves:* `on: true` is the key "on".  *Sensitivity:* by YAML 1.1 the key would be the truth value True."""
    assert read(tmp_path, "on: true\n") == {"on": True}


def test_a_repeated_key_names_both_lines(tmp_path):
    """*Proves:* both lines are told.  *Sensitivity:* safe_load keeps the last value without a word."""
    message = refusal(tmp_path, "a: 1\nb: 2\na: 3\n")
    assert message == "x.yaml:3:1 a: this key stands in line 1 already; a key may stand once"


@pytest.mark.parametrize(
    ("text", "begins"),
    [
        ("a: [1, 2\nb: 3\n", "x.yaml:2:2: this is not YAML"),
        ("a: 1\nhorizon_h:48\nb:\n  c: 1\n", "x.yaml:2:1: this is not YAML: there is no space after the colon"),
        (
            "a: 1\nb:\ufeff8\nc: 1\n",
            r"x.yaml:2:1: this is not YAML: there is no space after the colon; write b: \ufeff8",
        ),
        ("a: 1\n\tb: 2\n", "x.yaml:2:1: this is not YAML"),
        ("", "x.yaml:1:1: the file is empty"),
        ("1: a\n", "x.yaml:1:1: a key has to be plain text"),
        ("a: !!python/object:os.system x\n", "x.yaml:1:4 a: 'x' with the tag"),
        ("a: !mine {b: 1}\n", "x.yaml:1:4 a: the tag !mine is not known here"),
        ("a: !!int five\n", "x.yaml:1:4 a: 'five' with the tag"),
        (b"a: \xff\n", "x.yaml:1:1: byte 4 is not UTF-8"),
        ("a: 1\n--- \nb: 2\n", "x.yaml:2:1: this is not YAML"),
        (b"a: " + b"x" * MAX_YAML_BYTES, "x.yaml: is larger than 1000000 bytes"),
        ("a: " + "[" * 60 + "]" * 60, "x.yaml: too large or too deep"),
    ],
)
def test_what_is_no_plain_yaml_is_refused_at_its_place(tmp_path, text, begins):
    """*Proves:* broken files name line and column.  *Sensitivity:* a bare YAMLError would be a crash (exit 1)."""
    assert refusal(tmp_path, text).startswith(begins)


def test_an_alias_bomb_is_refused(tmp_path):
    """*Proves:* 8 levels of 8 aliases (16 million values) stop early.  *Sensitivity:* expanding them fills memory."""
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 8)}]" for i in range(1, 8)]
    assert "too large or too deep" in refusal(tmp_path, "\n".join(lines))
