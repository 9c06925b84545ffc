"""Small, hostile changes to YAML and CSV files, each chosen by a few whole numbers."""

from __future__ import annotations

import re
from collections.abc import Callable

VALUES = [
    "null", "true", "~", "[]", "{}", '""', "''", "-1", "0", "1", "7.5", "1e308", "-1e308", "1e-300", ".nan", ".inf",
    "9" * 400, "99999999999999999999", "0x10", "1_000", "2024-09-10", "12:30:00", "yes", "C01", "n/e", "-9999",
    "2024-09-10T00:00:00", "9999-12-31T23:00:00+00:00", "0001-01-01T00:00:00+14:00", "2024-02-30T00:00:00Z",
    "!!python/object/apply:os.system [echo]", "!!binary aGk=", "&a [*a]", "*nowhere", "| x", "@x", "%x", "`x`",
    "shipped:", "shipped:cases/bratsk-day", "shipped:plants/bratsk-40", "../..", "/dev/zero", ".", "plant.yaml",
    '"\\0"', '"\\e[31m"', "\ufeff", "[[[[[[[[]]]]]]]]", "{a: {b: {c: 1}}}", "- 1", "a: b", "# gone", "x" * 5000,
]  # fmt: skip
CELLS = [
    "", "n/e", "-9999", "-999", "9999", "nan", "inf", "-inf", "1e308", "1,5", '"', '"a,b"', "0x1F", "1_000", "٣", "--",
    "2024-09-10T00:00:00", "2024-09-10T02:00:00Z", "9999-12-31T23:00:00Z", "0001-01-01T00:00:00+14:00", "1e-320",
    "2024-09-10 00:00:00+08:00", "2024-13-01T00:00:00Z", "=1+1", " 12 ", "12 MW", "1" * 400, "\x00", "true",
]  # fmt: skip
NOISE = [
    b"\x00",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\t",
    b"\r\n",
    b"\n\n",
    b'"',
    b"{",
    b"]",
    b": ",
    b"- ",
    b"&",
    b"\xe2\x80\xa8",
    b"\x1b[31m",
    b"\x85",
]
UNITS = [
    ("_mw", "_kw"),
    ("_mwh", "_kwh"),
    ("_th_s", "_ph_s"),
    ("_usd", "_cents"),
    ("_h", "_min"),
    ("_c", "_f"),
    ("_w", "_kw"),
]
Change = Callable[[bytes, int, int], bytes]


def _lines(change: Callable[[list[str], int, int], None]) -> Change:
    def changed(raw: bytes, where: int, what: int) -> bytes:
        lines = raw.decode("utf-8", "surrogateescape").split("\n")
        change(lines, where % len(lines), what)
        return "\n".join(lines).encode("utf-8", "surrogateescape")

    return changed


def _drop(lines: list[str], at: int, what: int) -> None:
    del lines[at : at + 1 + what % 3]


def _duplicate(lines: list[str], at: int, what: int) -> None:
    lines.insert(what % (len(lines) + 1), lines[at])


def _swap(lines: list[str], at: int, what: int) -> None:
    other = what % len(lines)
    lines[at], lines[other] = lines[other], lines[at]


def _indent(lines: list[str], at: int, what: int) -> None:
    lines[at] = [" ", "  ", "\t", ""][what % 4] + (lines[at] if what % 8 < 4 else lines[at].lstrip())


def _value(lines: list[str], at: int, what: int) -> None:
    values = list(re.finditer(r"(?<=: )[^,{}\[\]]+", lines[at]))
    if values:
        chosen = values[what % len(values)]
        lines[at] = lines[at][: chosen.start()] + VALUES[what % len(VALUES)] + lines[at][chosen.end() :]


def _scale(lines: list[str], at: int, what: int) -> None:
    numbers = list(re.finditer(r"(?<=[:, ])-?\d+(?:\.\d+)?(?![-\d:T.])", lines[at]))
    if numbers:
        chosen = numbers[what % len(numbers)]
        factor = [1000.0, 0.001, -1.0, 100.0, 1e6, 0.0][what % 6]
        lines[at] = f"{lines[at][: chosen.start()]}{float(chosen[0]) * factor:g}{lines[at][chosen.end() :]}"


def _unit_of_key(lines: list[str], at: int, what: int) -> None:
    old, new = UNITS[what % len(UNITS)]
    lines[at] = lines[at].replace(f"{old}:", f"{new}:") if what % 2 else re.sub(r"(\w):", r"\1x:", lines[at], count=1)


def _naive(lines: list[str], at: int, what: int) -> None:
    lines[at] = re.sub(r"([+-]\d\d:\d\d|Z)(?=\W|$)", ["", "+25:00", "Z", "-23:59"][what % 4], lines[at])


def _cell(lines: list[str], at: int, what: int) -> None:
    cells = lines[at].split(",")
    cells[what % len(cells)] = CELLS[what % len(CELLS)]
    lines[at] = ",".join(cells)


def _column(lines: list[str], at: int, what: int) -> None:
    if what % 2:
        lines[at] += ",1"
    else:
        lines[at] = lines[at].rpartition(",")[0]


def _truncate(raw: bytes, where: int, what: int) -> bytes:
    return raw[: where % (len(raw) + 1)]


def _noise(raw: bytes, where: int, what: int) -> bytes:
    at = where % (len(raw) + 1)
    return raw[:at] + NOISE[what % len(NOISE)] + raw[at + what % 2 :]


def _flip(raw: bytes, where: int, what: int) -> bytes:
    if not raw:
        return raw
    at = where % len(raw)
    return raw[:at] + bytes([what % 256]) + raw[at + 1 :]


def _encode(raw: bytes, where: int, what: int) -> bytes:
    return raw.decode("utf-8", "replace").encode(["utf-16", "utf-8-sig", "utf-32", "latin-1"][what % 4], "replace")


_ANY: list[Change] = [
    _lines(_drop),
    _lines(_duplicate),
    _lines(_swap),
    _lines(_naive),
    _truncate,
    _noise,
    _flip,
    _encode,
]
YAML: list[Change] = [*_ANY, _lines(_indent), *[_lines(_value)] * 4, *[_lines(_scale)] * 3, *[_lines(_unit_of_key)] * 2]
CSV: list[Change] = [*_ANY, *[_lines(_cell)] * 5, _lines(_column), _lines(_scale)]


def mutate(raw: bytes, name: str, steps: list[tuple[int, int, int]]) -> bytes:
    """Return the bytes of a file after one change for each of the (which, where, what)."""
    changes = CSV if name.endswith(".csv") else YAML
    for which, where, what in steps:
        raw = changes[which % len(changes)](raw, where, what)
    return raw
