"""Every reader of times reads the same texts as the same moments, or refuses them in the same words at their place."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import numpy as np
import pytest

from flexmine.audit import directory as audit_directory
from flexmine.audit import plan_files
from flexmine.audit.comparison import Comparison
from flexmine.cli.types import IsoDay, IsoTime
from flexmine.errors import BadInput
from flexmine.explain import container
from flexmine.inputs.adapters import convert
from flexmine.inputs.adapters.base import Settings
from flexmine.inputs.case import load_case
from flexmine.inputs.series_spec import Series
from flexmine.inputs.table import read_table
from flexmine.inputs.times import instants_us, intervals, moment
from flexmine.jobs import compare, intraday, issues
from flexmine.jobs.meter import read_meter
from flexmine.planning.previous import running_before
from flexmine.problem.reading import problem_from_document, problem_to_document
from flexmine.publish.reader import Publication
from flexmine.publish.table import COLUMNS, read_rows
from flexmine.publish.whole import made_at
from flexmine.store import swap
from flexmine.store.records import RunRecord, read_record, record_text
from flexmine.store.tables import RunRow
from plants import reference_class, simple_problem

MIDNIGHT = "2024-09-10T00:00:00"
EAST, GREENWICH = datetime(2024, 9, 9, 16, tzinfo=UTC), datetime(2024, 9, 10, tzinfo=UTC)
ACCEPTED = {"+08": EAST, "+0800": EAST, "+08:00": EAST, "Z": GREENWICH, "-00:00": GREENWICH, "+00": GREENWICH}
NOT_ACCEPTED = (
    *("+8", "+080", " +08", " +08:00", "+08:0", "+8:00", "+25:00", "+14:01", "+08:60", "+0860", "+08:00:00"),
    *("z", "UTC", " UTC", " AM", "+", "-", "+08:00[Asia/Irkutsk]"),
    *("＋08:00", "+０８:00", "−08:00", "+०८:००"),
)  # fmt: skip
MINUTES = ("2024-09-10T00-03", "2024-09-10T00+08", "2024-09-10T00-03:00", "2024-09-10T00Z", "2024-09-10T00")
NO_TIMES = (
    *("20240910T000000+0800", "20240910T00Z", "2024-W37-2T00:00:00+08:00", "2024-254T00:00:00Z", "1725926400"),
    *("2024-09-10T24:00:00+08:00", "2024-02-30T00:00:00Z", "2024-09-10T00:00:60Z", "2024-09-10T00:00:0+08:00"),
    *("2024-09-10Z", "2024-09-10+08:00", "24-09-10T00:00Z", "2024-9-10T00:00Z", "２０２４-09-10T00:00Z", "noon"),
    *("2024-09-10T00:00:00.+08:00", "2024-09-10T00.5Z", "2024-09-10t00:00:00Z", "10.09.2024 00:00"),
)  # fmt: skip
NO_OFFSET = (MIDNIGHT, "2024-09-10 00:00", "2024-09-10")


@dataclass
class Reader:
    """What reads a time: a folder to write into and a text in, the moment out, or a refusal."""

    module: str
    read: Callable[[Any, str], datetime]
    place: str
    needs_offset: bool = True


def _problem():
    return simple_problem(reference_class(count=2, steps=12))


def _prices(text):
    return read_table(f"interval_start,issued,price\n{text},{text},1\n".encode(), "prices.csv")


def _spec(zone=None):
    return Series(file="prices.csv", column="price", unit="USD/MWh", zone=zone)


def _column(folder, text):
    return moment(intervals(_prices(text), _spec(), 3_600_000_000).begin_us[0])


def _column_of_zone(folder, text):
    return moment(intervals(_prices(text), _spec("Asia/Irkutsk"), 3_600_000_000).begin_us[0])


def _issued(folder, text):
    return moment(instants_us(_prices(text), "issued", None)[0])


def _issued_in_zone(folder, text):
    return moment(instants_us(_prices(text), "issued", "Asia/Irkutsk")[0])


def _meter(folder, text):
    (folder.path / "meter.csv").write_text(f"interval_start,container,it_power_mw\n{text},C01,0.5\n", encoding="utf-8")
    return read_meter(folder.path / "meter.csv", ("C01",)).samples[0].begin


def _start_of_case(folder, text):
    folder.edit("case.yaml", "start: 2024-09-10T00:00:00+08:00", f"start: {json.dumps(text, ensure_ascii=False)}")
    for name, column in (("weather.csv", "temperature_c"), ("prices.csv", "price")):
        rows = [f"2024-09-10T{h:02}:00:00+08:00,{h}" for h in range(24)]
        folder.write(name, "\n".join([f"interval_start,{column}", *rows]) + "\n")
    return load_case(folder.case).time.start


def _option(folder, text):
    return IsoTime().convert(text, click.Option(["--as-of"]), None)


def _problem_json(folder, text):
    document = problem_to_document(_problem())
    document["time"]["start"] = text
    return problem_from_document(document).time.start


def _setpoint(folder, text):
    problem, faults = _problem(), []
    steps = {problem.time.begin(t).astimezone(UTC): t for t in range(problem.steps)}
    row = {"interval_start": text, "interval_end": text}
    plan_files._step("setpoints.csv:2", row, problem, steps, faults)
    if any("interval_end" in fault for fault in faults):  # the beginning was found, and so the end was looked at
        return next(b for b, t in steps.items() if problem.time.begin(t + 1).isoformat() in faults[0])
    raise BadInput(faults)


def _horizon(folder, text):
    for start in (EAST, GREENWICH):
        problem = problem_to_document(_problem())
        problem["time"]["start"] = start.isoformat()
        time = problem_from_document(problem).time
        horizon = {"steps": time.steps, "step_h": time.step_h, "zone": time.zone, "publish_steps": 1, "start": text}
        book = Comparison()
        audit_directory._check_horizon(book, SimpleNamespace(time=time), {"horizon": horizon})
        if not book.faults:
            return start
    raise BadInput(book.faults)


def _explained(folder, text):
    problem = _problem()
    return problem.time.begin(container._step(problem, text))


def _previous(folder, text):
    end = f"{MIDNIGHT[:11]}01{MIDNIGHT[13:]}{text[len(MIDNIGHT) :]}" if text.startswith(MIDNIGHT) else text
    rows = f"interval_start,interval_end,container,state\n{text},{end},B01,on\n"
    (folder.path / "setpoints.csv").write_text(rows, encoding="utf-8")
    problem = _problem()
    (running,) = running_before(folder.path, problem).values()
    return problem.time.begin(int(np.flatnonzero(np.isfinite(running))[0]))


def _valid_until(folder, text):
    return Publication(folder.path, {"valid_until": text}).valid_until


def _published_rows(folder, text):
    cells = dict.fromkeys(COLUMNS, "") | {"interval_start": text}
    lines = ",".join(COLUMNS), ",".join(cells.values())
    (folder.path / "setpoints.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    rows = read_rows(folder.path / "setpoints.csv")
    return next(t for t in (EAST, GREENWICH) if _holds_from(rows, t))


def _holds_from(rows, time):
    from flexmine.publish.table import rows_at

    return bool(rows_at(rows, time)) and not rows_at(rows, time - timedelta(seconds=1))


def _published_at(folder, text):
    return made_at(Publication(folder.path, {"published_at": text}))


def _kept_run(folder, text):
    run = {"container": "C01", "from": text}
    return next(t for t in (EAST, GREENWICH) if intraday._goes_on(run, t, {"C01"}))


def _record(folder, text):
    later = GREENWICH + timedelta(days=1)
    record = RunRecord("a", "p", GREENWICH.date(), 1, "0" * 64, "optimal", 0, GREENWICH, GREENWICH, later, 1.0, 0.0)
    document = json.loads(record_text(record)) | {"planned_at": text}
    (folder.path / "record.json").write_text(json.dumps(document), encoding="utf-8")
    return read_record(folder.path).planned_at


def _row_of_backup(folder, text):
    return swap._typed(RunRow.__table__, {"planned_at": text})["planned_at"]


def _compared(folder, text):
    (folder.path / "prices.csv").write_text(f"interval_start,price\n{text},1\n", encoding="utf-8")
    ((time, _),) = compare._values(folder.path / "prices.csv")
    return time


READERS = {
    "column of times": Reader("inputs.times", _column, "prices.csv:2: column interval_start: "),
    "column of times, zone": Reader("inputs.times", _column_of_zone, "prices.csv:2: column interval_start: ", False),
    "column of issues": Reader("inputs.times", _issued, "prices.csv:2: column issued: "),
    "column of issues, zone": Reader("inputs.times", _issued_in_zone, "prices.csv:2: column issued: ", False),
    "meter": Reader("inputs.times", _meter, "meter.csv:2: column interval_start: "),
    "time in YAML": Reader("inputs.fields", _start_of_case, "case.yaml:5:8 start: "),
    "option": Reader("cli.types", _option, ""),
    "problem.json": Reader("problem.shape", _problem_json, "time.start: "),
    "setpoints of the audit": Reader("audit.plan_files", _setpoint, "setpoints.csv:2: interval_start "),
    "horizon of the audit": Reader("audit.directory", _horizon, "plan.json: horizon.start is "),
    "explain --at": Reader("explain.container", _explained, "time ", False),
    "earlier plan": Reader("planning.previous", _previous, "setpoints.csv:2: "),
    "validity of a publication": Reader("publish.reader", _valid_until, "publication.json: valid_until: "),
    "rows of a publication": Reader("publish.table", _published_rows, "setpoints.csv:2: column interval_start: "),
    "age of a publication": Reader("publish.whole", _published_at, ""),
    "run that is kept": Reader("jobs.intraday", _kept_run, ""),
    "record of a run": Reader("inputs.fields", _record, "record.json: "),
    "row of a backup": Reader("store.swap", _row_of_backup, ""),
    "inputs compared": Reader("jobs.compare", _compared, "prices.csv:2: ", False),
}
# Readers of other forms, which are turned into a text of the grammar and have tests of their own below or in tests/.
OF_OTHER_FORMS = {
    *("jobs.issues", "inputs.energy", "inputs.adapters.base"),
    *("inputs.adapters.market_clock", "inputs.adapters.nord_pool"),
}
# These read again what one of the readers above has accepted: to compare it, to sort by it, as the name of a folder.
READ_AGAIN = {"cli.store", "store.row_checks", "store.places", "jobs.stored", "forecasting.history"}
ONLY_EQUAL_OR_NOT = "horizon of the audit"  # it compares, and says both values


def refusal(reader, folder, text):
    with pytest.raises((ValueError, BadInput, click.BadParameter)) as caught:
        reader.read(folder, text)
    message = getattr(caught.value, "message", "") or str(caught.value)
    assert reader.place in message
    return message


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize(("offset", "expected"), ACCEPTED.items(), ids=ACCEPTED)
def test_an_accepted_offset_is_read_as_it_stands(folder, name, offset, expected):
    """Midnight of 10 September at +08:00 is 16:00 of the 9th in UTC, however the offset is written.

    *Proves:* no reader is hours off, with or without a zone beside it.
    *Sensitivity:* `+08` taken for a time without offset is 8 h off where a zone is named.
    """
    assert READERS[name].read(folder, MIDNIGHT + offset) == expected


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("offset", NOT_ACCEPTED)
def test_what_is_no_offset_is_refused_as_such(folder, name, offset):
    """*Proves:* place, value and what is allowed; never that an offset is missing, which leads to naming a zone.

    *Sensitivity:* the reader of the standard library takes `+080`, that of pandas `+8`, as something else each.
    """
    message = refusal(READERS[name], folder, MIDNIGHT + offset)
    assert repr(MIDNIGHT + offset)[1:-1] in message or json.dumps(MIDNIGHT + offset)[1:-1] in message
    if name != ONLY_EQUAL_OR_NOT:
        assert f"ends in '{offset}', which is not an accepted UTC offset; accepted are Z, +08:00, +0800" in message
    assert "no UTC offset" not in message
    assert "zone" not in message.replace("+08:00[Asia/Irkutsk]", "")


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("text", [*MINUTES, *NO_TIMES])
def test_what_is_no_time_is_refused_everywhere(folder, name, text):
    """*Proves:* week dates, days of the year, the basic form, hours alone and foreign digits are read by nobody.

    *Sensitivity:* the standard library reads ``T00-03`` as 00:00 at -03:00 and pandas as 00:00 without offset.
    """
    message = refusal(READERS[name], folder, text)
    if name == ONLY_EQUAL_OR_NOT or (name == "problem.json" and not text.isascii()):
        return
    assert "UTC offset" not in message
    assert "ISO 8601 time" in message
    if text in MINUTES:
        assert "its clock time needs minutes, hh:mm" in message


@pytest.mark.parametrize("name", [name for name, reader in READERS.items() if reader.needs_offset])
@pytest.mark.parametrize("text", NO_OFFSET)
def test_a_clock_time_without_zone_is_refused(folder, name, text):
    """*Proves:* nothing falls back on the clock of the machine.  *Sensitivity:* ``astimezone`` takes that clock."""
    message = refusal(READERS[name], folder, text)
    assert name == ONLY_EQUAL_OR_NOT or "has no UTC offset" in message


@pytest.mark.parametrize("name", ["column of times, zone", "column of issues, zone", "explain --at"])
@pytest.mark.parametrize("text", NO_OFFSET)
def test_a_clock_time_is_read_in_the_zone_that_is_named(folder, name, text):
    """*Proves:* what has no offset is still read by the named clock.  *Sensitivity:* as UTC it is 8 h later."""
    assert READERS[name].read(folder, text) == EAST


@pytest.mark.parametrize("written", [" {:02}:00:00+08", "T{:02}:00+08", "T{:02}:00:00+0800", " {:02}:00:00.000+08:00"])
def test_prices_with_an_offset_of_hours_alone_and_a_zone_are_not_moved(folder, written):
    """Prices 0, 1, 2, ... USD/MWh by the hour of the site, from the day before to the day after; zone and offset named.

    *Proves:* hour h of the horizon has the price h, as with ``+08:00`` and without a zone.
    *Sensitivity:* taken for UTC and then for the clock of the zone, hour 0 has the price of 08:00 of the wrong day.
    """
    rows = [f"2024-09-{9 + h // 24:02}{written.format(h % 24)},{h - 24}" for h in range(72)]
    folder.write("prices.csv", "\n".join(["interval_start,price", *rows]) + "\n")
    folder.edit("case.yaml", "unit: USD/MWh}", "unit: USD/MWh, zone: Asia/Irkutsk}")
    assert load_case(folder.case).series["sources.surplus.price_usd_per_mwh"].tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("zone", ["", ", zone: Asia/Irkutsk"])
@pytest.mark.parametrize("offset", ["+08", "+0800", "+08:00"])
def test_an_issue_of_the_future_is_not_used_however_its_offset_is_written(folder, offset, zone):
    """At 02:00, of the issues of 00:00 (30 USD/MWh) and 06:00 (99 USD/MWh).

    *Proves:* the issue of 00:00 is used.
    *Sensitivity:* 06:00+08 read as 06:00 of a clock that is then moved by 8 h is 22:00 of the day before, and known.
    """
    rows = [
        f"2024-09-10 {issued:02}:00:00{offset},2024-09-10T{h:02}:00:00+08:00,{price}"
        for issued, price in ((0, 30), (6, 99))
        for h in range(4)
    ]
    folder.write("prices.csv", "\n".join(["issued,interval_start,price", *rows]) + "\n")
    folder.edit("case.yaml", "unit: USD/MWh}", f"unit: USD/MWh, issue_column: issued{zone}}}")
    folder.edit("case.yaml", "horizon_h: 4", "horizon_h: 4\nas_of: 2024-09-10T02:00:00+08:00")
    assert load_case(folder.case).series["sources.surplus.price_usd_per_mwh"].tolist() == [30, 30, 30, 30]


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [("20240910T0000+0800", EAST), ("20240910T000000Z", GREENWICH), ("20240910T0000Z", GREENWICH)],
)
def test_the_time_of_issue_in_the_name_of_a_file(stamp, expected, tmp_path):
    """*Proves:* the moment of the stamp.  *Sensitivity:* without its offset it is 8 h off."""
    told, path = [], tmp_path / f"f_{stamp}.csv"
    path.touch()
    file = issues._issued(path, "f", SimpleNamespace(issued="name"), told)
    assert (file.issued, told) == (expected, [])


STAMPS_OF_NO_TIME = (
    *("+8", "+08", "+080", "+08000", "z", "+0860", "+2500", "＋0800", ""),
    *("20240931T0000Z", "20240910T2400Z", "2024W372T0000Z", "２０２４0910T0000Z"),
)


@pytest.mark.parametrize("stamp", STAMPS_OF_NO_TIME)
def test_a_stamp_that_is_none_is_passed_over_and_told(stamp, tmp_path):
    """*Proves:* no file is used whose time of issue would be guessed.  *Sensitivity:* ``%z`` reads more."""
    told, path = [], tmp_path / f"f_{stamp if 'T' in stamp else f'20240910T0000{stamp}'}.csv"
    path.touch()
    assert issues._issued(path, "f", SimpleNamespace(issued="name"), told) is None
    assert told[0].startswith("f: ")
    assert told[0].endswith("not used")


@pytest.mark.parametrize(
    "text", ["2024-09-10T00:00Z", "2024-09-10+08", "20240910", "2024-W37-2", "２０２４-09-10", "2024-02-30"]
)
def test_a_date_that_is_none_is_refused(folder, text):
    """*Proves:* the option, the adapters' dates and record.json read ``yyyy-mm-dd`` and nothing else.

    *Sensitivity:* the standard library reads the basic form and week dates, pandas drops the clock time.
    """
    with pytest.raises(click.BadParameter, match="is not a calendar day; write it as 2024-09-10"):
        IsoDay().convert(text, None, None)
    daily = read_table(f"date,price_usd,difficulty\n{text},1,1\n".encode(), "daily.csv")
    with pytest.raises(BadInput, match=r"daily.csv:2: .* is not a date"):
        convert("coin-metrics", daily, Settings())


def test_foreign_digits_and_impossible_days_of_entsoe_are_refused():
    """*Proves:* the interval text is of digits 0 to 9 and days that there are.

    *Sensitivity:* ``\\d`` takes Arabic and full-width digits.
    """
    for text in ("２９.03.2020 01:00 - 29.03.2020 02:00", "31.02.2020 01:00 - 31.02.2020 02:00"):
        table = read_table(f"MTU (CET/CEST),Day-ahead Price [EUR/MWh]\n{text},1\n".encode(), "e.csv")
        with pytest.raises(BadInput, match=r"e.csv:2: column MTU"):
            convert("entsoe-prices", table, Settings())


@pytest.mark.parametrize(
    "row",
    [
        "Date,Hours,NO2 (EUR)\n２9-03-2020,01 - 02,1",
        "Date,Hours,NO2 (EUR)\n31-02-2020,01 - 02,1",
        "Date,Hours,NO2 (EUR)\n29-03-2020,０1 - 02,1",
        "Delivery Start (CET),Delivery End (CET),NO2 (EUR)\n２9.03.2020 01:00:00,29.03.2020 02:00:00,1",
        "Delivery Start (CET),Delivery End (CET),NO2 (EUR)\n31.02.2020 01:00:00,31.02.2020 02:00:00,1",
        "Delivery Start (CET),Delivery End (CET),NO2 (EUR)\n29.03.2020 01:00:00,29.03.2020 ２:00:00,1",
        "Delivery Start (CET),Delivery End (CET),NO2 (EUR)\n29.03.2020 01:00 +8,29.03.2020 02:00 +8,1",
    ],
)
def test_foreign_digits_and_impossible_days_of_nord_pool_are_refused(row):
    """*Proves:* both forms of its times take digits 0 to 9, days that there are, and no half of an offset.

    *Sensitivity:* ``\\d`` takes Arabic and full-width digits, and a lenient parser the offset for none.
    """
    table = read_table(f"{row}\n".encode(), "n.csv")
    with pytest.raises(BadInput, match=r"n.csv:2: column (Hours|Delivery Start \(CET\)): .* is not an? "):
        convert("nord-pool", table, Settings())


SOURCE = Path(__file__).parents[2] / "src" / "flexmine"
OTHER_PARSERS = {
    *("fromisoformat", "fromisocalendar", "strptime", "to_datetime", "Timestamp", "dateutil", "parse_dates"),
    *("AwareDatetime", "NaiveDatetime", "PastDatetime", "FutureDatetime"),
}  # fmt: skip
ALLOWED: dict[str, str] = {}
"""Module: why it has to read times by something else."""
OUR_READERS = {"read_time", "read_moment", "read_day", "read_times"}


def _names(file: Path) -> set[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    names |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    names |= {
        alias.name.partition(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            names |= {(node.module or "").partition(".")[0], *(alias.name for alias in node.names)}
        if isinstance(node, ast.keyword) and node.arg:
            names.add(node.arg)
    return names


def _module(file: Path) -> str:
    return ".".join(file.relative_to(SOURCE).with_suffix("").parts)


def test_nothing_else_reads_a_time():
    """*Proves:* a new reader cannot bring a second idea of what a time is.

    *Sensitivity:* one call of ``datetime.fromisoformat`` anywhere in the package is named here.
    """
    found = {_module(file): _names(file) & OTHER_PARSERS for file in sorted(SOURCE.rglob("*.py"))}
    assert {module: names for module, names in found.items() if names and module not in ALLOWED} == {}


def test_every_module_that_reads_a_time_is_in_the_table():
    """*Proves:* the texts above are fed to every reader that there is.

    *Sensitivity:* a module that begins to read times and is in no table is named here.
    """
    using = {_module(file) for file in SOURCE.rglob("*.py") if _names(file) & OUR_READERS}
    covered = {reader.module for reader in READERS.values()} | OF_OTHER_FORMS | READ_AGAIN
    assert using - {"moments", "inputs.time_column"} == covered
