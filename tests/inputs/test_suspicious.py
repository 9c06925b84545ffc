"""Series that end in zeros or stand still, temperatures in degrees F, marks of missing values: refused until named."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from flexmine.errors import BadInput
from flexmine.inputs.case import load_case
from flexmine.resources import shipped_names

FIRM, WEATHER = "sources.grid.price_usd_per_mwh", "series.temperature_c"


def day(folder, *, price: Sequence[object], temperature: Sequence[object] | None = None, **keys: str):
    """Write a case whose firm price is a column, as long as its horizon; `keys` go into the spec of the price."""
    hours = len(price)
    times = [f"2024-09-{10 + h // 24:02}T{h % 24:02}:00:00+08:00" for h in range(hours)]
    table(folder, "firm.csv", "usd", times, price)
    table(folder, "weather.csv", "temperature_c", times, temperature or [h % 7 for h in range(hours)])
    table(folder, "prices.csv", "price", times, [10] * hours)
    more = "".join(f", {key}: {value}" for key, value in keys.items())
    firm = f"{{file: firm.csv, column: usd, unit: USD/MWh{more}}}"
    folder.edit("case.yaml", "price_usd_per_mwh: 45.0", f"price_usd_per_mwh: {firm}")
    folder.edit("case.yaml", "horizon_h: 4", f"horizon_h: {hours}")


def table(folder, name: str, column: str, times: Sequence[str], values: Sequence[object]) -> None:
    rows = [f"{time},{value}" for time, value in zip(times, values, strict=True)]
    folder.write(name, "\n".join([f"interval_start,{column}", *rows]) + "\n")


def refused(folder) -> str:
    with pytest.raises(BadInput) as caught:
        load_case(folder.case)
    (message,) = caught.value.messages
    return message


def accepted_when_named(folder, dotted: str) -> None:
    folder.write("case.yaml", f"{folder.case.read_text()}unusual: [{dotted}]\n")
    (note,) = load_case(folder.case).notes
    assert note.startswith(f"{dotted}, named as unusual but meant: ")


def test_zeros_to_the_end_of_a_firm_price_are_named(folder):
    """14 h at 45 USD/MWh, then ten rows of 0.0: lines 16 to 25 of the file, under its header.

    *Proves:* first and last line, how many, from when, what to do and what to write where they are meant.
    *Sensitivity:* without the rule the case loads, and ten hours of free power are planned.
    """
    day(folder, price=[45] * 14 + ["0.0"] * 10)
    assert refused(folder) == (
        "case.yaml:17:24 sources[1].price_usd_per_mwh: firm.csv:16 to firm.csv:25: column usd: the last 10 values (10 "
        "h, from 2024-09-10T14:00:00+08:00) are exactly 0, power for nothing up to the end. Where the 0 stands for a "
        "price that is not known, say so (missing: ['0'], with a policy under fill), or end the horizon before it. If "
        f"it is meant as it stands, say so in the case: unusual: [{FIRM}]"
    )
    accepted_when_named(folder, FIRM)


def test_zeros_that_the_case_declares_missing_are_filled_and_not_named(folder):
    """*Proves:* what the refusal advises leads to a plan at the last known price, 45 USD/MWh.

    *Sensitivity:* a look at the file in place of the steps would name them still.
    """
    day(folder, price=[45] * 14 + ["0.0"] * 10, missing="['0']", fill="{policy: hold, longest_gap_h: 12}")
    assert load_case(folder.case).series[FIRM].tolist() == [45.0] * 24


@pytest.mark.parametrize(
    "price",
    [
        [45] * 19 + [0] * 5,
        [45] * 8 + [0] * 10 + [45] * 6,
        [0] * 18 + [45] * 6,
        [45] * 14 + [0.01] * 10,
        [45] * 14 + [-1] * 10,
        [45] * 23 + [0],
    ],
    ids=["five hours", "not to the end", "from the beginning", "a cent", "below 0", "one hour"],
)
def test_prices_of_a_windy_day_are_usual(folder, price):
    """*Proves:* zeros of a market, up to five hours at the end or before others, are no alarm.

    *Sensitivity:* a threshold of 5 h, or a rule that counts zeros anywhere, refuses the first or the second.
    """
    day(folder, price=price)
    assert load_case(folder.case).notes == ()


def test_zeros_of_quarter_hours_count_by_their_length(folder):
    """At steps of 15 min 24 zeros are 6 h, and named; 20 are 5 h, and usual.

    *Proves:* hours count, not rows.  *Sensitivity:* counted in rows both are named.
    """
    folder.edit("case.yaml", "horizon_h: 4", "horizon_h: 24\nstep_minutes: 15")
    times = [f"2024-09-10T{q // 4:02}:{q % 4 * 15:02}:00+08:00" for q in range(96)]
    table(folder, "weather.csv", "temperature_c", times, [i % 9 for i in range(96)])
    table(folder, "prices.csv", "price", times, [10] * 96)
    folder.edit("case.yaml", "price_usd_per_mwh: 45.0", "price_usd_per_mwh: {file: f.csv, column: usd, unit: USD/MWh}")
    for zeros, named in ((20, False), (24, True)):
        table(folder, "f.csv", "usd", times, [45] * (96 - zeros) + [0] * zeros)
        if named:
            assert "f.csv:74 to f.csv:97: column usd: the last 24 values (6 h, " in refused(folder)
        else:
            assert load_case(folder.case).notes == ()


def test_a_price_of_0_that_the_case_states_is_meant(folder):
    """*Proves:* one number for all steps is a decision and not a feed that has ended.

    *Sensitivity:* a rule on the values alone would refuse it.
    """
    day(folder, price=[45] * 24)
    text = folder.case.read_text()
    folder.write("case.yaml", text.replace("{file: firm.csv, column: usd, unit: USD/MWh}", "0"))
    assert load_case(folder.case).notes == ()


CHANGING = [40 + (7 * h) % 11 for h in range(24)]


def test_a_price_that_stops_changing_is_named(folder):
    """16 h that change each hour, then eight hours at 43.82 USD/MWh: lines 18 to 25.

    *Proves:* a repeated last value is told from a price.  *Sensitivity:* seven hours are usual, below.
    """
    day(folder, price=[*CHANGING[:16], *["43.82"] * 8])
    assert refused(folder).startswith(
        "case.yaml:17:24 sources[1].price_usd_per_mwh: firm.csv:18 to firm.csv:25: column usd: the last 8 values (from "
        "2024-09-10T16:00:00+08:00, 8 h of them published) are all 43.82, where nearly every value before differs"
    )
    accepted_when_named(folder, FIRM)


@pytest.mark.parametrize(
    "price",
    [
        [*CHANGING[:17], *[43.82] * 7],
        [45] * 24,
        [20] * 6 + [160] * 6 + [20] * 12,
        [*CHANGING, *[43.82] * 24],
        [*CHANGING[:8], *[43.82] * 16],
    ],
    ids=["seven hours", "contract", "by the time of day", "flat look-ahead", "too few hours before"],
)
def test_prices_that_stand_still_by_their_nature_are_usual(folder, price):
    """*Proves:* contracts, tariffs of two prices and a look-ahead of one's own are no alarm.

    *Sensitivity:* without a look at what came before, or at the published hours, the second to fourth are named.
    """
    day(folder, price=price)
    assert load_case(folder.case).notes == ()


def test_a_price_that_is_held_by_a_policy_is_told_as_filled_only(folder):
    """*Proves:* what the case lets stand in is not an alarm.  *Sensitivity:* ten equal values at the end are."""
    day(folder, price=[*CHANGING[:14], *["n/e"] * 10], missing="[n/e]", fill="{policy: hold, longest_gap_h: 12}")
    case = load_case(folder.case)
    assert case.notes == ()
    assert case.series[FIRM][13:].tolist() == [CHANGING[13]] * 11


def test_a_temperature_that_stops_changing_is_named(folder):
    """*Proves:* twelve hours of -4.3 after twelve that change; eleven are a foggy night.

    *Sensitivity:* the threshold of prices, 8 h, would refuse the eleven.
    """
    day(folder, price=[45] * 24, temperature=[*[h % 5 for h in range(13)], *[-4.3] * 11])
    assert load_case(folder.case).notes == ()
    folder.edit("weather.csv", "T12:00:00+08:00,2", "T12:00:00+08:00,-4.3")
    assert "weather.csv:14 to weather.csv:25: column temperature_c: the last 12 values" in refused(folder)
    accepted_when_named(folder, WEATHER)


def test_a_temperature_in_fahrenheit_is_named(folder):
    """50 and 52 in turn, a mean of 51, are 10.6 degrees C.

    *Proves:* degrees F of a mild day, all inside the band of -70 to 60, are seen.
    *Sensitivity:* of each value alone nothing is wrong; a mean of 45 is not named.
    """
    day(folder, price=[45] * 24, temperature=[50, 52] * 12)
    assert refused(folder) == (
        "case.yaml:8:18 series.temperature_c: weather.csv:2 to weather.csv:25: column temperature_c: a mean of 51 "
        "degrees C is hotter than any place on Earth; the values "
        "look like degrees F, of which 51 are 10.6 degrees C: unit: F. If it is meant as it stands, say so in the case:"
        f" unusual: [{WEATHER}]"
    )
    accepted_when_named(folder, WEATHER)
    milder = (folder.path / "weather.csv").read_text().replace(",50", ",44").replace(",52", ",46")
    folder.write("weather.csv", milder)
    folder.write("case.yaml", folder.case.read_text().replace(f"unusual: [{WEATHER}]\n", ""))
    assert load_case(folder.case).notes == ()


@pytest.mark.parametrize("mark", ["-999.9", "-999.99", "-999.90"])
def test_marks_of_missing_values_with_decimals_are_refused(folder, mark):
    """*Proves:* -999.9 in a column of one decimal is the mark that -999 is in one of none.

    *Sensitivity:* both lie inside the band of a price, -1000 to 5000 USD/MWh, and would be planned as income.
    """
    day(folder, price=[45] * 23 + [mark])
    assert f"firm.csv:25: column usd, 2024-09-10T23:00:00+08:00: '{mark}' is the mark of a missing value" in refused(
        folder
    )


@pytest.mark.parametrize("name", shipped_names("cases"))
def test_no_shipped_case_is_suspicious(name):
    """*Proves:* measured prices and temperatures, negative ones too, raise no alarm.

    *Sensitivity:* summer-heat ends in a surplus of 0, and day-of-25-hours in equal quarter-hours.
    """
    assert not [note for note in load_case(name).notes if "named as unusual" in note]
