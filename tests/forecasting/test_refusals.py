"""What is no series to forecast is refused before anything is written, with what is wrong and what is allowed."""

import numpy as np
import pandas as pd
import pytest

import hourly
from shell import in_process

ISSUE = ("--issue", "2024-02-14T10:00+01:00")
OUT = ("--out", "out/surplus.csv")
MODEL = ("--model", "persistence")


def run(folder, *more, edit=lambda table: table, values=None, column="surplus_mw", kind="surplus", zone="+01:00"):
    """Run the command on a written series, in a folder of its own."""
    path = hourly.write(folder, hourly.wavy(46) if values is None else values, edit=edit, zone=zone)
    return in_process("forecast", path.name, "--column", column, "--kind", kind, *more, cwd=folder)


def refused(folder, done, *words):
    """Check that a run ended with exit 2 and its words, and left nothing behind."""
    assert done.returncode == 2, done.stderr
    for word in words:
        assert word in done.stderr, done.stderr
    assert "Traceback" not in done.stderr
    assert [f.name for f in folder.iterdir() if f.name == "out" or ".forecast" in f.name] == []


def cells(places, value, column="value"):
    """Return an edit that writes a value into some rows."""

    def edit(table):
        table = table.astype({"value": object})
        table.loc[table.index[places], column] = value
        return table

    return edit


def moved(table):
    """Exchange two rows."""
    return table.iloc[[0, 2, 1, *range(3, len(table))]]


def twice(table):
    """Write a row a second time."""
    return pd.concat([table.iloc[:5], table.iloc[4:]])


def two_offsets(table):
    """Let the clock of the file be changed in the middle."""
    second = table["interval_start"].iloc[500:]
    times = pd.to_datetime(second).dt.tz_convert("+02:00").map(lambda time: time.isoformat())
    return table.assign(interval_start=[*table["interval_start"].iloc[:500], *times])


def without_offset(table):
    return table.assign(interval_start=table["interval_start"].str.slice(0, 19))


def every_third(table):
    return table.iloc[::3]


FAULTS = {
    "unsorted": (moved, ("series.csv:4", "interval_start", "times have to rise")),
    "a row twice": (twice, ("series.csv:7", "stands a second time")),
    "two offsets": (two_offsets, ("series.csv:502", "two offsets, +01:00 and +02:00", "--zone")),
    "no offset": (without_offset, ("series.csv:2", "has no UTC offset", "zone")),
    "3 % missing": (cells(slice(100, 135), ""), ("column surplus_mw", "35 of 1066 hours", "2024-01-05T04", "2%")),
    "a mark of missing": (cells(slice(100, 102), "-9999"), ("series.csv:102", "'-9999'", "missing: ['-9999']")),
    "text": (cells(slice(7, 8), "n/a"), ("series.csv:9", "'n/a' is not a finite number")),
    "out of range": (cells(slice(7, 8), "-3"), ("series.csv:9", "'-3' is out of range", "available_mw")),
    "no value at all": (cells(slice(0, None), ""), ("column surplus_mw", "not one value", "missing")),
    "future only": (lambda table: table.iloc[45 * 24 :], ("begins at 2024-02-15T00:00:00+01:00", "not one whole day")),
    "too short": (lambda table: table.iloc[30 * 24 :], ("holds 14 whole days", "persistence needs at least 24")),
    "ends too early": (lambda table: table.iloc[: 42 * 24], ("ends at 2024-02-12T00:00:00+01:00", "58 h before")),
    "coarse": (every_third, ("one row every 3 h", "an hour or finer")),
    "empty": (lambda table: table.iloc[:0], ("has no rows",)),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_faulty_series(tmp_path, name):
    """*Proves:* each fault ends with exit 2, names its place and what is allowed, and nothing is written."""
    edit, words = FAULTS[name]
    refused(tmp_path, run(tmp_path, *ISSUE, *OUT, *MODEL, edit=edit), *words)


OPTIONS = {
    "unknown column": ({"column": "surplus_mv"}, (), ("no column surplus_mv", "did you mean surplus_mw?")),
    "unknown kind": ({"kind": "load"}, (), ("'load'", "'surplus', 'price', 'temperature'")),
    "a price without its market": ({"kind": "price"}, (), ("--zone: a price needs the clock of its market",)),
    "unit of something else": (
        {"kind": "price"},
        ("--zone", "+01:00"),
        ("column surplus_mw has no unit", "unit: USD/MWh"),
    ),
    "unknown model": ({}, ("--model", "arima"), ("'arima'", "lin+gbm")),
    "regression on 26 days": (
        {"edit": lambda table: table.iloc[18 * 24 :]},
        ("--model", "linear"),
        ("holds 26 whole days", "linear needs at least 30"),
    ),
    "too far ahead": ({}, ("--days", "7"), ("--days 7", "1 to 6")),
    "zone": ({}, ("--zone", "Europe/Olso"), ("'Europe/Olso' is not a time zone",)),
    "unknown key": ({}, ("--series", "unti: MW"), ("unti", "unit")),
    "a key of feeds": ({}, ("--series", "fill: {policy: hold, longest_gap_h: 2}"), ("fill has no meaning",)),
    "the file in the keys": ({}, ("--series", "file: other.csv"), ("file is given by SERIES.csv",)),
    "a feature without a column": ({}, ("--feature", "weather.csv"), ("expected FILE:COLUMN",)),
    "a feature that is not there": ({}, ("--feature", "weather.csv:t"), ("weather.csv", "cannot be read")),
    "issues without a feature": ({}, ("--feature-issued", "t"), ("--feature-issued", "there is none")),
    "a value above the limit": ({}, ("--most", "45"), ("is above --most 45", "column surplus_mw")),
    "a feature without use": ({}, ("--feature", "series.csv:surplus_mw"), ("--feature: persistence uses none",)),
    "two models": ({}, ("--model", "persistence", "--model", "last-week"), ("one model, and 2 are named",)),
    "a span without a score": ({}, ("--from", "2024-02-01"), ("--from: belongs to --score",)),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_a_faulty_option(tmp_path, name):
    """*Proves:* what cannot be asked for is refused with the option and what is allowed, and nothing is written."""
    given, more, words = OPTIONS[name]
    model = () if "--model" in more else MODEL
    refused(tmp_path, run(tmp_path, *ISSUE, *OUT, *model, *more, **given), *words)


def test_faulty_issues_and_names(tmp_path):
    """*Proves:* a time of issue needs an offset, a name holds no time yet, and the series is never replaced."""
    refused(tmp_path, run(tmp_path, "--issue", "2024-02-14T10:00", *OUT, *MODEL), "has no UTC offset")
    refused(tmp_path, run(tmp_path, *OUT, *MODEL), "--issue: is needed")
    refused(tmp_path, run(tmp_path, *ISSUE, *MODEL), "--out: is needed")
    stamped = "out/surplus_20240213T1000+0100.csv"
    refused(tmp_path, run(tmp_path, *ISSUE, *MODEL, "--out", stamped), "the time of issue joins the name")
    refused(tmp_path, run(tmp_path, *ISSUE, *MODEL, "--out", "out/surplus.txt"), "write NAME.csv")
    refused(tmp_path, run(tmp_path, *ISSUE, *MODEL, "--out", "series.csv"), "is the file to read")


def test_faulty_scores(tmp_path):
    """*Proves:* a span needs both ends, in order, inside the file, and a time of day."""
    span = ("--from", "2024-02-05", "--to", "2024-02-08")
    for more, word in (
        (span[:2], "needs --from and --to"),
        (("--from", "2024-02-08", "--to", "2024-02-05"), "lies before --from"),
        (("--from", "2024-01-05", "--to", "2024-02-08"), "holds 4 whole days"),
        (("--from", "2024-02-05", "--to", "2024-02-25"), "its last value ends at 2024-02-16"),
        ((*span, "--at", "25:00"), "--at '25:00': is not a time of day"),
        ((*span, *ISSUE), "--at is the time of day"),
        ((*span, "--model", "auto", "--model", "linear"), "--model auto"),
        ((*span, "--issues", "out/issues.csv"), "--issues: is of one model"),
    ):
        refused(tmp_path, run(tmp_path, "--score", "--out", "out/scores.csv", *more), word)


def tomorrow(hour):
    """Return an hour of the days after the issue."""
    return f"2024-02-{15 + hour // 24}T{hour % 24:02d}:00+01:00"


def weather(folder, rows, header="interval_start,issued_at,t"):
    (folder / "weather.csv").write_text("\n".join([header, *rows, ""]))
    return ("--feature", "weather.csv:t", "--feature-issued", "issued_at")


def test_faulty_features(tmp_path):
    """*Proves:* a feature is read as strictly as the series: numbers, known columns, no hour twice, to the end."""
    at = "2024-02-14T10:00+01:00,2024-02-14T09:00+01:00"
    for rows, words in (
        ([f"{at},warm"], ("weather.csv:2", "'warm' is not a finite number")),
        ([f"{at},1", f"{at},2"], ("weather.csv:3", "stands twice in one issue")),
        ([f"{at},1"], ("weather.csv:t", "nothing for 2024-02-15T00:00:00+01:00 (48 of 48 hours)")),
        ([], ("weather.csv", "has no rows")),
        (
            [f"{tomorrow(h)},2024-02-14T09:00+01:00,1" for h in range(48)],
            ("48 hours of the forecast have no value", "fewer than 14"),
        ),
    ):
        refused(tmp_path, run(tmp_path, *ISSUE, *OUT, "--model", "linear", *weather(tmp_path, rows)), *words)
    refused(
        tmp_path, run(tmp_path, *ISSUE, *OUT, *weather(tmp_path, [f"{at},1"], "interval_start,issued,t")), "issued_at"
    )


def test_a_constant_series_is_forecast_as_itself(tmp_path):
    """*Proves:* a series without any change is no fault: every quantile is its value, and no division by 0."""
    done = run(tmp_path, *ISSUE, *OUT, "--model", "linear", values=np.full((46, 24), 7.0))
    assert done.returncode == 0, done.stderr
    rows = pd.read_csv(next((tmp_path / "out").glob("*.csv")))
    assert rows.filter(like="p").drop(columns="surplus_mw").to_numpy() == pytest.approx(7.0, abs=1e-3)
    assert "Warning" not in done.stderr
