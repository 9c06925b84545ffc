"""``flexmine convert`` as a shell sees it: the series, its provenance beside it, and nothing where it is refused."""

import hashlib
import json

import pytest

from flexmine.inputs.adapters import read
from flexmine.inputs.layout import Layout
from shell import in_process

RAW = """\
year,month,day,hour_utc,air_temp_c_x10,dew_point_c_x10,wind_speed_m_s_x10
2018,02,23,22,-228,-9999,0
2018,02,23,23,-9999,-272,15
"""


def test_a_series_and_its_provenance(tmp_path):
    """*Proves:* the path alone on stdout, what was judged on stderr, hashes of both files beside the series.

    *Sensitivity:* without the hash of the source nobody can tell later which download a plan was made from.
    """
    (tmp_path / "raw.csv").write_text(RAW, encoding="utf-8")
    done = in_process("convert", "isd-lite", "raw.csv", "--out", "out/weather.csv", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "out/weather.csv\n")
    assert "temperature_c: air_temp_c_x10 / 10; 1 of 2 are -9999: left empty" in done.stderr
    series = tmp_path / "out" / "weather.csv"
    assert series.read_text(encoding="utf-8") == (
        "interval_start,temperature_c,dew_point_c,wind_speed_m_s\n"
        "2018-02-23T22:00:00+00:00,-22.8,,0.0\n"
        "2018-02-23T23:00:00+00:00,,-27.2,1.5\n"
    )
    source = json.loads((tmp_path / "out" / "weather.csv.source.json").read_text(encoding="utf-8"))
    assert source["source_sha256"] == hashlib.sha256(RAW.encode()).hexdigest()
    assert source["file_sha256"] == hashlib.sha256(series.read_bytes()).hexdigest()
    assert (source["adapter"], source["source"], source["rows"]) == ("isd-lite", "raw.csv", 2)
    again = in_process("convert", "isd-lite", "raw.csv", "--out", "b.csv", "--json", cwd=tmp_path)
    assert json.loads(again.stdout)["file_sha256"] == source["file_sha256"]


def test_refusals_write_nothing(tmp_path):
    """*Proves:* exit 2 for a foreign file, an absent one, an unknown adapter, and the source as target.

    *Sensitivity:* the last would replace the published file by its conversion.
    """
    (tmp_path / "raw.csv").write_text(RAW, encoding="utf-8")
    for arguments, words in (
        (["eia930", "raw.csv", "--out", "x.csv"], "raw.csv:1: there is no column utc_time; columns: year"),
        (["isd-lite", "none.csv", "--out", "x.csv"], "none.csv cannot be read"),
        (["isd-light", "raw.csv", "--out", "x.csv"], "'isd-light' is not one of"),
        (["isd-lite", "raw.csv", "--out", "raw.csv"], "the file to write is the file to read"),
        (["typical-year-table", "raw.csv", "--out", "x.csv"], "there is no column source_year"),
    ):
        done = in_process("convert", *arguments, cwd=tmp_path)
        assert done.returncode == 2, arguments
        assert words in done.stderr
        assert "Traceback" not in done.stderr
    assert [f.name for f in tmp_path.iterdir()] == ["raw.csv"]
    assert (tmp_path / "raw.csv").read_text(encoding="utf-8") == RAW


def test_the_adapter_that_knows_a_file_is_named(tmp_path):
    """*Proves:* the header that is wanted, and whose file it is.  *Sensitivity:* it advised a layout."""
    (tmp_path / "raw.csv").write_text("Delivery Start (CET);Delivery End (CET);NO2 (EUR)\n1;2;3\n")
    done = in_process("convert", "entsoe-prices", "raw.csv", "--out", "a.csv", cwd=tmp_path)
    assert done.returncode == 2
    assert "no column MTU (CET/CEST) or mtu_cet_cest, as an ENTSO-E export has it" in " ".join(done.stderr.split())
    assert "it looks like a file for nord-pool" in " ".join(done.stderr.split())


def test_a_file_saved_by_another_program(tmp_path):
    """A table of two years, saved with semicolons and decimal commas, as spreadsheets of many countries do.

    *Proves:* `--layout`, as a refusal advises it, reads 450,5 as 450.5; a number of the other kind among them, a
    wrong value and an unknown key are refused.  *Sensitivity:* 1.234 read as it stands beside 450,5 would be a
    thousandth of what was meant.
    """
    rows = "zone;year;avg_direct_g_kwh;avg_lifecycle_g_kwh\nRU;2021;450,5;470,25\nRU;2022;%s;475,5\n"
    arguments = ("convert", "yearly-carbon", "raw.csv", "--out", "out.csv")
    (tmp_path / "raw.csv").write_text(rows % "460", encoding="utf-8")
    assert "layout: {separator: ';'}" in " ".join(in_process(*arguments, cwd=tmp_path).stderr.split())
    done = in_process(*arguments, "--layout", "{separator: ';', decimal: ','}", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out.csv").read_text(encoding="utf-8").splitlines()[:2] == [
        "interval_start,direct_g_per_kwh,lifecycle_g_per_kwh",
        "2021-01-01T00:00:00+00:00,450.5,470.25",
    ]
    (tmp_path / "raw.csv").write_text(rows % "1.234", encoding="utf-8")
    for layout, words in (
        ("separator: ';', decimal: ','", "raw.csv:3: column avg_direct_g_kwh: '1.234' is not a number in the layout"),
        ("{separator: x}", "--layout:1:13 separator: the text 'x' is not allowed"),
        ("{seperator: ';'}", "seperator: unknown key; did you mean separator?"),
    ):
        done = in_process(*arguments, "--layout", layout, cwd=tmp_path)
        assert done.returncode == 2
        assert words in " ".join(done.stderr.split())


@pytest.mark.parametrize(
    ("adapter", "text", "layout", "key"),
    [
        (
            "isd-lite",
            "2024 01 01 00   -56   -83 10213   270    21     8 -9999 -9999\n",
            "{separator: ','}",
            "separator",
        ),
        ("isd-lite", "year,month,day,hour_utc\n2024,1,1,0\n", "{date_order: dmy}", "date_order"),
        ("ghcn-daily", "XX000000001,20240101,TMAX,100,,,S\n", "{comment: '#'}", "comment"),
        ("entsoe-prices", "mtu_cet_cest,price_eur_mwh\n", "{date_order: mdy}", "date_order"),
        ("lake-powell", "date,release\n01/02/2024,5\n", "{date_order: mdy, sheet: A}", "sheet"),
    ],
)
def test_a_key_of_a_layout_without_effect_is_refused(tmp_path, adapter, text, layout, key):
    """*Proves:* exit 2 with the key and the adapter, and nothing is written.

    *Sensitivity:* dates with the month first would be read with the day first, though the user has said so.
    """
    (tmp_path / "raw.csv").write_text(text, encoding="utf-8")
    done = in_process("convert", adapter, "raw.csv", "--out", "out.csv", "--layout", layout, cwd=tmp_path)
    words = " ".join(done.stderr.split())
    assert done.returncode == 2 and f"layout key {key} has no effect on {adapter}: " in words
    assert words.count("has no effect") == 1 and [path.name for path in tmp_path.iterdir()] == ["raw.csv"]


def test_an_order_of_dates_has_its_effect():
    """*Proves:* 01/02 is the second of January where the month comes first, for an adapter that reads dates.

    *Sensitivity:* an adapter that is wrongly taken for one without dates refuses it.
    """
    for name in ("ghcn-daily", "nord-pool", "eia930", "coin-metrics", "lake-powell"):
        table = read(name, b"date,a\n01/02/2024,5\n", "raw.csv", Layout(date_order="mdy"))
        assert table.text("date")[0] == "2024-01-02"
