"""Nord Pool's files, old and new, as CSV, Excel and HTML, with numbers of our own; days of 23 and 25 hours too."""

from __future__ import annotations

import io
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import openpyxl
import pytest

from flexmine.errors import BadInput
from flexmine.inputs.adapters import convert, read
from flexmine.inputs.adapters.base import Settings

OSLO = ZoneInfo("Europe/Oslo")
SPRING, AUTUMN = datetime(2019, 3, 31), datetime(2019, 10, 27)
OLD_AREAS = ["SYS", "SE1", "Oslo", "Kr.sand", "Tromsø"]


def hours_of(day):
    """24 rows of a day of the old files; the hour that the clock leaves out is there, the double one twice."""
    clock = [h for h in range(24) for _ in range(2 if (day, h) == (AUTUMN, 2) else 1)]
    empty = [(day, h) == (SPRING, 2) for h in clock]
    return [(f"{h:02d}\u00a0-\u00a0{(h + 1) % 24:02d}", gone) for h, gone in zip(clock, empty, strict=True)]


def old_rows(days, form="%d-%m-%Y"):
    """Kr.sand costs 10 EUR/MWh and a cent more in each row, with decimal commas; the others are multiples of it."""
    rows = []
    for day in days:
        for hours, gone in hours_of(day):
            cells = [f"{f * (10 + len(rows) / 100):.2f}".replace(".", ",") for f in (100, -10, 20, 1, 30)]
            rows.append([f"{day:{form}}", hours, *([""] * 5 if gone else cells)])
    return rows


def old_csv(days=(SPRING,), separator=",", form="%d-%m-%Y", title="Elspot Prices in EUR/MWh"):
    def line(row):
        return separator.join(f'"{cell}"' if separator in cell else cell for cell in row)

    head = [[title], ["Data was last updated 02-01-2020"], ["", "Hours", *OLD_AREAS]]
    return "\r\n".join(line(row) for row in [*head, *old_rows(days, form)]) + "\r\n"


def old_html(days):
    def row(cells):
        return "<tr>" + "".join(f'<td style="text-align:right;">{c}</td>' for c in cells) + "</tr>"

    body = "".join(row(r).replace("\u00a0", "&nbsp;") for r in old_rows(days))
    head = '<tr><td colspan="7">Elspot Prices in EUR/MWh</td></tr>' + row(["", "Hours", *OLD_AREAS])
    other = "<table><tr><td>01-01-2019</td><td>00 - 01</td></tr></table>"
    return f"<html>\n<body><table>\n<thead>{head}</thead><tbody>{body}</tbody></table>{other}</body></html>"


def quarters(day, minutes=15, form="%d.%m.%Y %H:%M:%S"):
    """Beginning and end of each interval of a local day, by the clock."""
    begin = day.replace(tzinfo=OSLO).timestamp()
    end = (day + timedelta(days=1)).replace(tzinfo=OSLO).timestamp()
    at = [datetime.fromtimestamp(t, OSLO) for t in range(int(begin), int(end) + 1, 60 * minutes)]
    return [(f"{a:{form}}", f"{b:{form}}") for a, b in pairwise(at)]


def portal_csv(intervals, names=("NO2 Price (EUR)",), separator=";", decimal="."):
    rows = [separator.join(["Delivery Start (CET)", "Delivery End (CET)", *names])]
    for i, (begin, end) in enumerate(intervals):
        prices = [f"{40 + i / 4 + 100 * k:.2f}".replace(".", decimal) for k in range(len(names))]
        rows.append(separator.join([begin, end, *prices]))
    return "\ufeff" + "\n".join(rows) + "\n"


def workbook(rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def converted(raw, only=None, label="raw.csv"):
    raw = raw.encode() if isinstance(raw, str) else raw
    return convert("nord-pool", read("nord-pool", raw, label), Settings(only=only))


def cells(found):
    return found.rows.to_numpy().tolist()


def refusal(raw, only=None, label="raw.csv"):
    with pytest.raises(BadInput) as caught:
        converted(raw, only, label)
    return caught.value.messages[0]


def true_hours(day, hours):
    first = day.replace(tzinfo=OSLO).timestamp()
    return [datetime.fromtimestamp(first + 3600 * h, OSLO).isoformat() for h in range(hours)]


def test_the_yearly_files_of_the_old_site():
    """*Proves:* title and lines above the header, the day left of `Hours`, blanks that do not break, decimal commas; 23
    hours in spring and 25 in autumn, each price at its hour.

    *Sensitivity:* the empty row of spring kept, or the second row of the double hour taken for the same, shifts prices.
    """
    spring = cells(converted(old_csv(), "Kr.sand"))
    assert [time for time, _ in spring] == true_hours(SPRING, 23)
    # Row 2 is the hour that does not exist; 03:00 CEST is row 3.
    assert [price for _, price in spring[:4]] == ["10.00", "10.01", "10.03", "10.04"]
    autumn = cells(converted(old_csv((AUTUMN,)), "Kr.sand"))
    assert [time for time, _ in autumn] == true_hours(AUTUMN, 25)
    assert autumn[2:4] == [["2019-10-27T02:00:00+02:00", "10.02"], ["2019-10-27T02:00:00+01:00", "10.03"]]
    assert autumn[-1] == ["2019-10-27T23:00:00+01:00", "10.24"]
    assert cells(converted(old_csv(), "SE1"))[0][1] == "-100.00"
    told = converted(old_csv(), "Kr.sand").provenance
    assert told[0] == "column Kr.sand (EUR)"
    assert told[1].endswith("1 h intervals from 2019-03-30T23:00:00+00:00 to 2019-03-31T22:00:00+00:00")
    assert told[2].startswith("1 rows of hours that the clock of Europe/Brussels leaves out had no price")


@pytest.mark.parametrize(
    "raw",
    [
        old_html((SPRING, AUTUMN)),
        old_csv((SPRING, AUTUMN), ";"),
        old_csv((SPRING, AUTUMN), form="%d/%m/%Y").encode("cp1252"),
        workbook([["Elspot Prices in EUR/MWh"], ["", "Hours", *OLD_AREAS], *old_rows((SPRING, AUTUMN))]),
        workbook(
            [
                ["Elspot Prices in EUR/MWh"],
                [None, "Hours", *OLD_AREAS],
                *(
                    [datetime.strptime(day, "%d-%m-%Y"), hours, *(float(c.replace(",", ".")) if c else None for c in r)]
                    for day, hours, *r in old_rows((SPRING, AUTUMN))
                ),
            ]
        ),
    ],
    ids=["html", "semicolons", "cp1252", "xlsx", "xlsx with dates and numbers"],
)
def test_the_same_file_kept_in_another_form(raw):
    """*Proves:* the page of HTML that is called .xls, its CSV in another code and its Excel file give the same.

    *Sensitivity:* read by its suffix the page is not an Excel file; the table below it would add a row.
    """
    plain = cells(converted(old_csv((SPRING, AUTUMN)), "Kr.sand"))
    found = cells(converted(raw, "Kr.sand", "elspot-prices_2019_hourly_eur.xls"))
    assert [(t, float(p)) for t, p in found] == [(t, float(p)) for t, p in plain]
    assert len(found) == 48
    assert float(cells(converted(raw, "Tromsø"))[0][1]) == 300.0


@pytest.mark.parametrize("ends", ["new clock", "same clock"])
@pytest.mark.parametrize(("day", "count"), [(datetime(2026, 3, 29), 92), (datetime(2025, 10, 26), 100)])
def test_quarters_of_the_portal(day, count, ends):
    """*Proves:* 92 and 100 quarters, each price at its own, whichever clock ends the interval before the change.

    *Sensitivity:* quarters of the double hour sorted by their text would mix both hours.
    """
    intervals = quarters(day)
    if ends == "same clock":
        form = "%d.%m.%Y %H:%M:%S"
        intervals = [(a, f"{datetime.strptime(a, form) + timedelta(minutes=15):{form}}") for a, _ in intervals]
    found = cells(converted(portal_csv(intervals)))
    begin = day.replace(tzinfo=OSLO).timestamp()
    expected = [datetime.fromtimestamp(begin + 900 * i, OSLO).isoformat() for i in range(count)]
    assert [time for time, _ in found] == expected
    assert [float(price) for _, price in found] == [40 + i / 4 for i in range(count)]


def test_areas_of_the_portal_by_csv_and_excel():
    """*Proves:* one area is taken, of several one is named; commas, semicolons and two headers of an Excel file.

    *Sensitivity:* the second header read as a row is a price that is not a number.
    """
    intervals = quarters(datetime(2024, 9, 10), 60)
    names = ("NO2 Price (EUR)", "SE3 Price (EUR)")
    plain = cells(converted(portal_csv(intervals, names), "SE3"))
    assert (plain[0], len(plain)) == (["2024-09-10T00:00:00+02:00", "140.00"], 24)
    assert cells(converted(portal_csv(intervals, names, decimal=","), "SE3")) == plain
    assert cells(converted(portal_csv(intervals, names, separator=","), "SE3")) == plain
    assert cells(converted(portal_csv(intervals, ("NO2 (EUR)", "SE3 (EUR)")), "SE3")) == plain
    by_name = portal_csv(intervals, ("NO2", "SE3"))
    assert cells(converted(by_name, "SE3", "AuctionPrice_2024_DayAhead_NO2,SE3_EUR_None.csv")) == plain
    both = portal_csv(intervals, ("SE3 Price (SEK)", "SE3 Price (EUR)"))
    assert cells(converted(both)) == plain  # of two currencies, the one that is read
    body = [[a, b, 40 + i / 4, 140 + i / 4] for i, (a, b) in enumerate(intervals)]
    heads = [["Delivery Start (CET)", "Delivery End (CET)", "NO2", "SE3"], [None, None, "Price (EUR)", "Price (EUR)"]]
    book = cells(converted(workbook([*heads, *body]), "SE3", "a.xlsx"))
    assert [(t, float(p)) for t, p in book] == [(t, float(p)) for t, p in plain]
    assert "a.xlsx: row 4: " in refusal(workbook([*heads, body[0], [*body[1][:3], "n/a"]]), "SE3", "a.xlsx")


def test_a_year_that_went_over_from_hours_to_quarters():
    """*Proves:* 30 September in hours and 1 October in quarters of one export, told with both lengths.

    *Sensitivity:* with one length for all the hours would be holes, or the quarters no intervals.
    """
    hours, fine = quarters(datetime(2025, 9, 30), 60), quarters(datetime(2025, 10, 1))
    found = converted(portal_csv([*hours, *fine]))
    assert [row[0] for row in cells(found)[22:27]] == [
        "2025-09-30T22:00:00+02:00",
        "2025-09-30T23:00:00+02:00",
        "2025-10-01T00:00:00+02:00",
        "2025-10-01T00:15:00+02:00",
        "2025-10-01T00:30:00+02:00",
    ]
    assert (
        "1 h intervals from 2025-09-29T22:00:00+00:00 to 2025-09-30T22:00:00+00:00, then 15 min"
        in (found.provenance[1])
    )
    assert found.provenance[3] == "0 of 120 prices are empty: left as they stand; 0 holes in time"
    assert converted(portal_csv([*hours[:-1], *fine])).provenance[3].endswith("; 1 holes in time")


HOURS = quarters(datetime(2024, 9, 10), 60)


def test_an_area_is_named_in_small_letters_too():
    """*Proves:* one area is meant, however it is written.  *Sensitivity:* two that differ by case are not guessed."""
    assert converted(old_csv(), "kr.SAND").rows.equals(converted(old_csv(), "Kr.sand").rows)
    both = portal_csv(HOURS, ("NO2 (EUR)", "no2 (EUR)"))
    assert "'No2' is none of them" in refusal(both, "No2")
    assert "the areas are 'SYS', 'SE1', 'Oslo', 'Kr.sand', 'Tromsø': '1' is none of them" in refusal(old_csv(), "1")


@pytest.mark.parametrize(
    ("raw", "only", "words"),
    [
        (old_csv(), None, "raw.csv:3: the areas are 'SYS', 'SE1', 'Oslo', 'Kr.sand', 'Tromsø': one of them has to be"),
        (old_csv(), "NO2", "'NO2' is none of them (--only)"),
        (old_csv(title="Elspot Prices in NOK/MWh"), "Oslo", "raw.csv:3: column Oslo (NOK): the prices are in NOK;"),
        (portal_csv(HOURS, ("NO2 Price (SEK)",)), None, "raw.csv:1: column NO2 Price (SEK): the prices are in SEK;"),
        (old_csv(title="Prices in EUR/MWh, formerly NOK/MWh"), "Oslo", "state several currencies: ['EUR', 'NOK']"),
        (
            old_csv([datetime(2019, 1, day) for day in (1, 2, 3)], form="%m/%d/%Y"),
            "Oslo",
            "raw.csv:4: column Date: '01/01/2019': read with the day first, the days of this file are a month",
        ),
        (old_csv().replace("Tromsø", ""), "Oslo", "raw.csv:4: the header has no name above the cell '300,00'"),
        (old_html([SPRING]).replace('right;">SE1', 'right;" colspan="2">SE1'), "SE1", "has no name above the cell"),
        (old_csv(title="Elspot Prices"), "Oslo", "raw.csv:3: column Oslo: neither the file's name, nor"),
        (old_csv().replace("\xa0", " ").replace('"10,03"', "10,03"), "SE1", "raw.csv:7: has 8 cells, the header 7"),
        (old_csv().replace('"10,03"', '"1,030"'), "Kr.sand", "raw.csv:7: column Kr.sand (EUR): '1,030' is not a price"),
        (old_csv().replace('"10,03"', "10.03"), "Kr.sand", "raw.csv:7: column Kr.sand (EUR): '10.03' is not a price"),
        (
            old_csv().replace("23\xa0-\xa000", "24\xa0-\xa025"),
            "Oslo",
            "column Hours: '31-03-2019 24 - 25' is not an hour of a",
        ),
        (
            old_csv().replace("04\xa0-\xa005", "4 am"),
            "Oslo",
            "raw.csv:8: column Hours: '31-03-2019 4 am' is not an hour",
        ),
        (
            old_csv().replace("31-03-2019,04", "31-02-2019,04"),
            "Oslo",
            "raw.csv:8: column Hours: '31-02-2019 04 - 05' is not an hour of a day; expected the form",
        ),
        (
            old_csv().replace("04\xa0-\xa005", "04\xa0-\xa006"),
            "Oslo",
            "'31-03-2019 04 - 06' is not an interval as long as the others; 15, 30 or 60 minutes are expected",
        ),
        (old_csv().replace("03,,,", "03,1,1,1", 1), "SE1", "raw.csv:6: column begin: 2019-03-31T02:00:00 does not ex"),
        (
            portal_csv([HOURS[0], (HOURS[0][0].replace("00:00:00", "00:30:00"), "10.09.2024 01:30:00")]),
            None,
            "raw.csv:3: column Delivery Start (CET): 10.09.2024 00:30:00 begins before the row above it ends",
        ),
        (portal_csv([HOURS[1], HOURS[0]]), None, "raw.csv:3: column begin: 2024-09-10T00:00:00 comes after"),
        (portal_csv([HOURS[0], HOURS[0]]), None, "raw.csv:3: column begin: 2024-09-10T00:00:00 stands a second time"),
        (portal_csv(HOURS, ("NO2 Price (EUR)",) * 2), None, "raw.csv:1: column NO2 Price (EUR) stands twice"),
        (
            portal_csv(HOURS, ("NO2 Price (EUR)", "NO2 (EUR)")),
            None,
            "raw.csv:1: columns NO2 Price (EUR) and NO2 (EUR) are of one area; leave one of them",
        ),
        (
            portal_csv(HOURS).replace("(CET)", "(UTC)"),
            None,
            "raw.csv: there is no header with Hours and areas, or with",
        ),
        ("time;price\n1;2\n", None, "raw.csv: there is no header with Hours and areas, or with Delivery Start (CET)"),
        ("", None, "raw.csv: there is no header"),
        (b"\xd0\xcf\x11\xe0 of before 2007", None, "raw.csv: an Excel file of before 2007 (.xls) cannot be read;"),
        (b"PK\x03\x04 not really", None, "raw.csv: this is not an Excel file (.xlsx)"),
        ("<html><body>moved</body></html>", None, "raw.csv: there is no header"),
        (portal_csv([]), None, "raw.csv: the file has no rows"),
    ],
)
def test_refusals(raw, only, words):
    """*Proves:* line, column and reason of each.  *Sensitivity:* a lenient parser takes most of them for numbers."""
    assert words in refusal(raw, only)
