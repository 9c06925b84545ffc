"""Feeds as offices write them, through a night: the plan is that of a plain feed, and its inputs can be read again."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import openpyxl
import pytest

from flexmine.audit.plan_files import read_document
from flexmine.jobs.job import read_job
from flexmine.jobs.night import Night
from flexmine.jobs.reproduce import reproduce
from nights import evening_before, write_job

DAY = date(2024, 4, 10)
OSLO = ZoneInfo("Europe/Oslo")


def rows_of(file):
    head, *rows = file.read_text(encoding="utf-8").split()
    assert head == "interval_start,surplus_mw"
    return [(datetime.fromisoformat(t).astimezone(OSLO), float(v)) for t, v in (row.split(",") for row in rows)]


def semicolons(file):
    rows = [f"{t:%d.%m.%Y %H:%M};{str(v).replace('.', ',')}" for t, v in rows_of(file)]
    file.write_text("\n".join(["Prognose", "Beginn;Leistung", *rows]) + "\n", encoding="cp1252")
    return "layout: {separator: ';', decimal: ',', date_order: dmy, header_row: 2, encoding: windows-1252}"


def workbook(file):
    book = openpyxl.Workbook()
    book.active.append(["Beginn", "Leistung"])
    for t, v in rows_of(file):
        book.active.append([t.replace(tzinfo=None), v])
    book.save(file.with_suffix(".xlsx"))
    file.unlink()
    return "format: xlsx"


def planned(folder, rewrite=None):
    folder.mkdir()
    job = write_job(folder, DAY, 4)
    if rewrite is not None:
        more = {rewrite(file) for file in sorted((folder / "feeds").glob("surplus_*.csv"))}.pop()
        case = folder / "case.yaml"
        old = "{file: surplus.csv, column: surplus_mw, unit: MW}"
        new = f"{{file: surplus.csv, column: Leistung, time_column: Beginn, zone: Europe/Oslo, unit: MW, {more}}}"
        text = case.read_text(encoding="utf-8")
        assert old in text
        case.write_text(text.replace(old, new), encoding="utf-8")
        if rewrite is workbook:
            job.write_text(job.read_text(encoding="utf-8").replace("surplus_*.csv", "surplus_*.xlsx"), encoding="utf-8")
    return read_job(job), Night(read_job(job), evening_before(DAY)).run(DAY)[0].record


@pytest.mark.parametrize("rewrite", [semicolons, workbook])
def test_a_night_on_a_feed_as_it_is_written(tmp_path, rewrite):
    """*Proves:* the schedule is byte for byte that of the plain feed, and the inputs that are kept plan it again.

    *Sensitivity:* an excerpt that kept the layout of the file would be read with commas taken for separators.
    """
    _, plain = planned(tmp_path / "plain")
    job, record = planned(tmp_path / "other", rewrite)
    assert record.money_usd == plain.money_usd
    store = job.open_store()
    tables = [
        (tmp_path / w / "runs" / plain.folder / "plan" / "setpoints.csv").read_bytes() for w in ("plain", "other")
    ]
    assert tables[0] == tables[1]
    assert reproduce(store, record).differing == ()
    assert "Leistung" in str(read_document(store.plan(record))["feeds"])
