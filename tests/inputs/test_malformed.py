"""A table of malformed inputs through the command itself: exit 2, and the place and the words of each refusal."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from flexmine.cli.main import cli
from flexmine.inputs import cross_checks
from flexmine.problem.reading import problem_text
from plants import reference_class, simple_problem

Edit = Callable[[bytes], bytes]


def put(old: str, new: str | bytes) -> Edit:
    """Replace one piece of text, which has to be there exactly once."""

    def edit(raw: bytes) -> bytes:
        assert raw.count(old.encode()) == 1, f"{old!r} stands {raw.count(old.encode())} times"
        return raw.replace(old.encode(), new if isinstance(new, bytes) else new.encode())

    return edit


def line(number: int, *new: str) -> Edit:
    """Put lines in the place of one line, counted from 1."""

    def edit(raw: bytes) -> bytes:
        lines = raw.decode().split("\n")
        lines[number - 1 : number] = new
        return "\n".join(lines).encode()

    return edit


BOMB = "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join([f'*{chr(97 + i)}'] * 9)}]\n" for i in range(8)
)
PRICE = "case.yaml:13:24 sources[0].price_usd_per_mwh: "
TEMPERATURE = "case.yaml:8:18 series.temperature_c: "

YAML: dict[str, tuple[str, Edit, str, str]] = {
    "tab as indent": (
        "case.yaml", line(8, "\ttemperature_c: 1"),
        "case.yaml:8:1: this is not YAML", "indent with spaces",
    ),
    "colon in plain text": ("case.yaml", line(3, "title: a: b"), "case.yaml:3:9: this is not YAML", "in quotes"),
    "bracket left open": ("case.yaml", line(31, "options: {gap: 1e-3"), "case.yaml:", "this is not YAML"),
    "text that begins with @": ("case.yaml", line(3, "title: @home"), "case.yaml:3:8: this is not YAML", "in quotes"),
    "alias of nothing": ("case.yaml", line(3, "title: *home"), "case.yaml:3:8: this is not YAML", "in quotes"),
    "two documents": ("case.yaml", line(31, "---", "a: 1"), "case.yaml:31:1: this is not YAML", "one document a file"),
    "python object": (
        "case.yaml", line(3, "title: !!python/object/apply:os.system [echo hello]"),
        "case.yaml:3:8 title: the tag tag:yaml.org,2002:python/object/apply:os.system is not known", "leave it out",
    ),
    "python name": ("case.yaml", line(3, "title: !!python/name:os.system"), "case.yaml:3:8 title: ", "cannot be read"),
    "binary": ("case.yaml", line(3, "title: !!binary aGk="), "case.yaml:3:8 title: ", "leave the tag out"),
    "aliases of aliases": (
        "case.yaml", lambda raw: BOMB.encode() + raw,
        "case.yaml: too large or too deep", "100000 values",
    ),
    "alias of itself": ("case.yaml", line(3, "title: &t [*t]"), "case.yaml: too large or too deep", "50 levels"),
    "nested beyond reason": ("case.yaml", line(3, "title: " + "[" * 5000), "case.yaml: too deep", "50 levels"),
    "merge key": ("case.yaml", line(3, "title: x", "<<: {a: 1}"), "case.yaml:4:1 <<: unknown key", "Known here"),
    "NUL": ("case.yaml", put("A small case", b"A\0small case"), "case.yaml:3:9: the character U+0000", "UTF-8"),
    "escape character": (
        "case.yaml", put("A small case", b"A\x1b[31m"),
        "case.yaml:3:9: the character U+001B", "may not",
    ),
    "UTF-16": (
        "case.yaml", lambda raw: raw.decode().encode("utf-16"),
        "case.yaml:1:1: byte 1 is not UTF-8", "save the file",
    ),
    "Latin-1": ("case.yaml", put("A small case", b"caf\xe9"), "case.yaml:3:1: byte", "is not UTF-8"),
    "empty": ("case.yaml", lambda raw: b"", "case.yaml:1:1: the file is empty", "empty"),
    "a list": ("case.yaml", lambda raw: b"- a\n- b\n", "case.yaml:1:1: the file has to hold keys", "flexmine-case/1"),
    "key that is a number": (
        "case.yaml", line(3, "title: x", "1: 2"),
        "case.yaml:4:1: a key has to be plain text", "quotes",
    ),
    "number of 5000 digits": (
        "case.yaml", put("price_usd: 60000", "price_usd: " + "9" * 5000),
        "case.yaml:19:18 hash_value.btc_price_usd: a number of 5000 digits", "read",
    ),
    "text of a megabyte": ("case.yaml", put("A small case", "x" * 1_000_000), "", "larger than 1000000 bytes"),
    "repeated key": ("plant.yaml", line(4, "name: twice"), "plant.yaml:4:1 name: this key stands in line 2", "once"),
    "folder as zone": (
        "plant.yaml", put("Asia/Irkutsk", "Asia"),
        "plant.yaml:3:7 zone: 'Asia' is not an IANA time zone", "Irkutsk",
    ),
    "year 9999": ("case.yaml", put("start: 2024", "start: 9999"), "case.yaml:5:8 start: ", "the years 1900 to 2199"),
    "horizon of nothing": (
        "case.yaml", put("horizon_h: 4", "horizon_h: 1e-300"),
        "case.yaml:6:12 horizon_h: ", "at least one",
    ),
    "base load above the cap": (
        "plant.yaml", line(10, "base_load_mw: 4", "feeders:"),
        "plant.yaml:10:15 base_load_mw", "cap_mw",
    ),
    "kW in the key": (
        "plant.yaml", put("cap_mw: 4.0", "cap_kw: 4000"),
        "plant.yaml:7:1 cap_kw: unknown key", "cap_mw: 4",
    ),
    "model of the wrong kind": (
        "plant.yaml", put("box.yaml", "plant.yaml"),
        "plant.yaml:1:9 schema: ", "flexmine-container/1",
    ),
    "more containers than anyone has": (
        "plant.yaml", put("first: 1, last: 3", "first: 1, last: 99999"),
        "plant.yaml:13:3 containers: 99999 containers are too many", "at most 20000",
    ),
    "path that climbs out": (
        "case.yaml", put("prices.csv", "../x.csv"),
        PRICE + "../x.csv leads out", "--allow-outside",
    ),
}  # fmt: skip
CSV: dict[str, tuple[str, Edit, str, str]] = {
    "empty": ("prices.csv", lambda raw: b"", PRICE + "prices.csv: the file is empty", "0 bytes"),
    "header alone": ("prices.csv", lambda raw: raw.split(b"\n")[0] + b"\n", PRICE + "prices.csv:", "no rows"),
    "no such column": (
        "prices.csv", line(1, "interval_start,prise"),
        PRICE + "prices.csv:1: there is no column price", "prise",
    ),
    "column twice": (
        "prices.csv", line(1, "price,price"),
        PRICE + "prices.csv:1: column price stands twice", "distinct",
    ),
    "cell too many": (
        "prices.csv", line(3, "2024-09-10T01:00:00+08:00,11,12"),
        PRICE + "prices.csv:3: has 3 cells, the header 2 names", "decimal comma",
    ),
    "naive time": ("prices.csv", line(3, "2024-09-10T01:00:00,11"), PRICE + "prices.csv:3: ", "no UTC offset"),
    "no time": ("prices.csv", line(3, "noon,11"), PRICE + "prices.csv:3: ", "'noon'"),
    "30 February": (
        "prices.csv", line(3, "2024-02-30T01:00:00+08:00,11"),
        PRICE + "prices.csv:3: ", "not an ISO 8601 time",
    ),
    "year 9999": ("prices.csv", line(6, "9999-12-31T23:00:00+00:00,1"), PRICE + "prices.csv:6: ", "1900 to 2199"),
    "row twice": (
        "prices.csv", line(3, *["2024-09-10T01:00:00+08:00,11"] * 2),
        PRICE + "prices.csv:4: ", "a second time",
    ),
    "rows out of order": (
        "prices.csv", lambda raw: b"\n".join(raw.split(b"\n")[i] for i in (0, 2, 1, 3, 4, 5, 6)),
        PRICE + "prices.csv:3: ", "have to rise",
    ),
    "gap": ("prices.csv", line(3), PRICE + "prices.csv:2: ", "2024-09-10T01:00:00+08:00"),
    "feed that stopped": (
        "prices.csv", lambda raw: raw[: raw.index(b"2024-09-10T01")],
        PRICE + "prices.csv:", "2024-09-10T01:00:00+08:00",
    ),
    "text": ("prices.csv", line(3, "2024-09-10T01:00:00+08:00,n/e"), PRICE + "prices.csv:3: ", "'n/e'"),
    "empty cell": (
        "prices.csv", line(3, "2024-09-10T01:00:00+08:00,"),
        PRICE + "prices.csv:3: ", "for 2024-09-10T01:00:00+08:00",
    ),
    "sentinel": ("weather.csv", line(3, "2024-09-10T01:00:00+08:00,-9999"), TEMPERATURE + "weather.csv:3: ", "-9999"),
    "sentinel within the band": (
        "prices.csv", line(3, "2024-09-10T01:00:00+08:00,-999"),
        PRICE + "prices.csv:3: ", "not declared",
    ),
    "decimal comma": ("prices.csv", line(3, '2024-09-10T01:00:00+08:00,"11,5"'), PRICE + "prices.csv:3: ", "'11,5'"),
    "unit in the cell": (
        "prices.csv", line(3, "2024-09-10T01:00:00+08:00,11 USD"),
        PRICE + "prices.csv:3: ", "'11 USD'",
    ),
    "infinite": ("prices.csv", line(3, "2024-09-10T01:00:00+08:00,inf"), PRICE + "prices.csv:3: ", "not a finite"),
    "kelvin": (
        "weather.csv", line(3, "2024-09-10T01:00:00+08:00,285"),
        TEMPERATURE + "weather.csv:3: ", "looks like kelvin",
    ),
    "not UTF-8": ("prices.csv", put(",11", b",\xff11"), PRICE + "prices.csv:3: byte", "not UTF-8"),
    "quote left open": ("prices.csv", put(",11", ',"11'), PRICE + "prices.csv", ""),
    "coarser than the case": (
        "prices.csv", lambda raw: b"\n".join(raw.split(b"\n")[i] for i in (0, 1, 3, 5)),
        PRICE, "2 h",
    ),
    "too many columns": (
        "prices.csv", line(1, "interval_start,price" + ",x" * 1000),
        PRICE, "at most 1000000 rows, 1000 columns",
    ),
}  # fmt: skip


def key(path: str, value: object) -> Edit:
    """Give a key of problem.json another value; `...` takes it away."""

    def edit(raw: bytes) -> bytes:
        whole = json.loads(raw)
        *parents, last = [int(p) if p.isdigit() else p for p in path.split("/")]
        part = whole
        for parent in parents:
            part = part[parent]
        if value is ...:
            del part[last]
        else:
            part[last] = value
        return json.dumps(whole).encode()

    return edit


JSON: dict[str, tuple[str, Edit, str, str]] = {
    "no JSON": ("problem.json", lambda raw: raw[:-3], ":", "is not JSON"),
    "empty": ("problem.json", lambda raw: b"", ":1:1: is not JSON", "Expecting value"),
    "comment": ("problem.json", lambda raw: b"// c\n" + raw, ":1:1: is not JSON", "Expecting value"),
    "UTF-16": ("problem.json", lambda raw: raw.decode().encode("utf-16"), ": is not UTF-8", "byte 0"),
    "byte order mark": ("problem.json", lambda raw: b"\xef\xbb\xbf" + raw, ":1:1: is not JSON", "BOM"),
    "key twice": (
        "problem.json", put('"steps": 4,', '"steps": 4, "steps": 5,'),
        ": time: the key 'steps' stands twice", "object",
    ),
    "NaN": ("problem.json", put('"step_h": 1.0', '"step_h": NaN'), ": time.step_h: NaN is not a JSON number", ""),
    "infinity": (
        "problem.json", put('"step_h": 1.0', '"step_h": -Infinity'),
        ": time.step_h: -Infinity is no", "JSON number",
    ),
    "1e400": (
        "problem.json", put('"step_h": 1.0', '"step_h": 1e400'),
        ": time.step_h: input should be a finite", "Infinity",
    ),
    "5000 digits": (
        "problem.json", put('"steps": 4,', f'"steps": {"9" * 5000},'),
        ": time.steps: a whole number of", "5000 digits",
    ),
    "nested beyond reason": ("problem.json", lambda raw: b"[" * 100_000, ": is not JSON that can be read", "too deep"),
    "another schema": ("problem.json", key("schema", "flexmine-problem/9"), ": schema: ", "flexmine-problem/1"),
    "missing": ("problem.json", key("site/cap_mw", ...), ": site.cap_mw: missing", ""),
    "seconds since 1970": ("problem.json", key("time/start", 1725897600), ": time.start: a time is text", "1725897600"),
    "naive time": ("problem.json", key("time/start", "2024-09-10T00:00:00"), ": time.start: ", "no UTC offset"),
    "folder as zone": ("problem.json", key("time/zone", "Asia"), ": time.zone: 'Asia' is not an IANA", "Irkutsk"),
    "number beyond any plant": ("problem.json", key("site/cap_mw", [1e13] * 4), ": site.cap_mw[0]: ", "1000000000000"),
    "count beyond memory": (
        "problem.json", key("classes/0/available", [10**15] * 4),
        ": classes[0].available[0]: ", "1000000000",
    ),
    "text for a number": ("problem.json", key("classes/0/standby_mw", "0.01"), ": classes[0].standby_mw: ", "found"),
    "too short": (
        "problem.json", key("sources/0/available_mw", [1.0]),
        ": sources[0].available_mw: 1 values", "expected 4",
    ),
    "negative": (
        "problem.json", key("classes/0/standby_mw", [-1, 0, 0, 0]),
        ": classes[0].standby_mw[0]: ", "found -1",
    ),
}  # fmt: skip


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(a) for a in arguments])


@pytest.fixture(autouse=True)
def hook_as_it_was(monkeypatch):
    """The command sets the hook for uncaught errors; leave the test runner's own in place afterwards."""
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)


@pytest.mark.parametrize(
    ("file", "edit", "begins", "says"),
    [*YAML.values(), *CSV.values()],
    ids=[*(f"yaml {k}" for k in YAML), *(f"csv {k}" for k in CSV)],
)
def test_a_malformed_case_exits_2_and_names_the_place(folder, file, edit, begins, says):
    """*Proves:* each is refused with file, line, column and key, or series and line, and with words that help.

    *Sensitivity:* the places are counted by hand in conftest.py; the unedited case is valid, below.
    """
    path = folder.path / file
    path.write_bytes(edit(path.read_bytes()))
    result = run("check", folder.case)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert all(message.startswith("flexmine: bad_input: ") for message in lines)
    told = [message.removeprefix("flexmine: bad_input: ").removeprefix(f"{folder.path}/") for message in lines]
    assert any(message.startswith(begins) and says in message for message in told), told


@pytest.mark.parametrize(("file", "edit", "begins", "says"), JSON.values(), ids=JSON.keys())
def test_a_malformed_problem_exits_2_and_names_the_path(tmp_path, file, edit, begins, says):
    """*Proves:* the JSON path, or line and column, of each fault; nothing is written.

    *Sensitivity:* the unedited problem is solved, below.
    """
    path = tmp_path / file
    path.write_bytes(edit(problem_text(simple_problem(reference_class(count=2, steps=4))).encode()))
    result = run("solve", path, "--out", tmp_path / "solution.json")
    assert result.exit_code == 2, result.output
    assert f"flexmine: bad_input: {path}{begins}" in result.stderr
    assert says in result.stderr
    assert not Path(tmp_path / "solution.json").exists()


def test_more_rows_than_are_planned_are_refused(folder, monkeypatch):
    """*Proves:* containers times steps are bounded.  *Sensitivity:* 12 rows are allowed where the limit is 12."""
    monkeypatch.setattr(cross_checks, "MOST_CELLS", 12)
    assert run("check", folder.case).exit_code == 0
    monkeypatch.setattr(cross_checks, "MOST_CELLS", 11)
    assert "case.yaml:6:12 horizon_h: 3 containers in that many steps are too much" in run("check", folder.case).stderr


def test_the_unedited_files_are_right_and_the_table_is_long_enough(folder, tmp_path, capsys):
    """*Proves:* each refusal is due to its edit; there are at least 60.  *Sensitivity:* a faulty base fails here."""
    assert run("check", folder.case).exit_code == 0
    path = tmp_path / "problem.json"
    path.write_text(problem_text(simple_problem(reference_class(count=2, steps=4))))
    assert run("solve", path, "--out", tmp_path / "solution.json").exit_code == 0
    count = {"YAML": len(YAML), "CSV": len(CSV), "problem.json": len(JSON)}
    assert sum(count.values()) >= 60
    with capsys.disabled():
        print(f"\nmalformed inputs: {sum(count.values())} {count}, each exit 2 at its place")
