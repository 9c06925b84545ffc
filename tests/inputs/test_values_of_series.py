"""Units, rates, sentinels, gaps and what fills them: each number by hand, each refusal in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from pydantic import ValidationError

from flexmine.errors import BadInput
from flexmine.inputs.conversion import unit_in_name
from flexmine.inputs.series import SeriesRead, read_series
from flexmine.inputs.series_spec import Factor, Fill, Series
from flexmine.inputs.table import read_table
from flexmine.problem import TimeAxis

SITE = timezone(timedelta(hours=8))
AXIS = TimeAxis(datetime(2024, 9, 10, tzinfo=SITE), 1.0, 4, "Asia/Irkutsk")
RATE = Factor(name="usd_per_eur", value=1.1)


def table(values: list[str], first_hour: int = 0, column: str = "value", step_min: int = 60):
    start = AXIS.start + timedelta(hours=first_hour)
    rows = [f"{(start + timedelta(minutes=step_min * i)).isoformat()},{v}" for i, v in enumerate(values)]
    return read_table("\n".join([f"interval_start,{column}", *rows, ""]).encode(), "feed.csv")


def read(values, quantity="available_mw", axis=AXIS, first_hour=0, step_min=60, **spec) -> SeriesRead:
    column = spec.pop("column", "value")
    series = Series(file="feed.csv", column=column, **spec)
    return read_series(table(values, first_hour, column, step_min), series, quantity, axis, key="s")


def refusal(*arguments, **spec) -> str:
    with pytest.raises(BadInput) as caught:
        read(*arguments, **spec)
    return caught.value.messages[0]


@pytest.mark.parametrize(
    ("quantity", "unit", "value", "expected"),
    [
        ("available_mw", "MW", "5", 5.0),
        ("available_mw", "kW", "5000", 5.0),
        ("available_mw", "GW", "0.005", 5.0),
        ("available_mw", "MWh", "5", 5.0),
        ("available_mw", "kWh", "5000", 5.0),
        ("price_usd_per_mwh", "USD/MWh", "40", 40.0),
        ("price_usd_per_mwh", "USD/kWh", "0.04", 40.0),
        ("temperature_c", "K", "273.15", 0.0),
        ("temperature_c", "F", "-40", -40.0),
        ("temperature_c", "°C", "-40", -40.0),
        ("ghi_w_m2", "Wh/m2", "700", 700.0),
        ("carbon_g_per_kwh", "kg/MWh", "450", 450.0),
        ("carbon_g_per_kwh", "t/MWh", "0.45", 450.0),
        ("carbon_g_per_kwh", "lb/MWh", "1000", 453.59237),
        ("difficulty", "T", "90", 90e12),
        ("btc_price_usd", "USD", "58000", 58000.0),
        ("fees_btc_per_block", "BTC/block", "0.05", 0.05),
    ],
)
def test_units_are_converted(quantity, unit, value, expected):
    """*Proves:* each unit by a number that is known.  *Sensitivity:* a unit kept as a label is off by 1,000."""
    assert read([value] * 4, quantity, unit=unit).values == pytest.approx([expected] * 4, rel=1e-12, abs=1e-9)


def test_energy_is_summed_power_is_averaged():
    """Quarter-hours of 1, 2, 3, 6 MWh are 12 MWh in the hour: 12 MW.  As MW they are 3 MW.

    *Proves:* the stated rule of both.  *Sensitivity:* the mean of energies would be a quarter of the power.
    """
    quarters = ["1", "2", "3", "6"] * 4
    assert read(quarters, unit="MWh", step_min=15).values.tolist() == [12.0] * 4
    assert read(quarters, unit="MW", step_min=15).values.tolist() == [3.0] * 4
    halves = TimeAxis(AXIS.start, 0.5, 2, "Asia/Irkutsk")
    assert read(quarters, unit="MWh", step_min=15, axis=halves).values.tolist() == [6.0, 18.0]


def test_a_held_energy_is_spread_evenly():
    """8 MWh in two hours, held: 4 MW.  *Proves:* by the length of the source.  *Sensitivity:* by the step: 8 MW."""
    assert read(["8", "16"], unit="MWh", step_min=120, coarser="hold", every="2h").values.tolist() == [
        4.0,
        4.0,
        8.0,
        8.0,
    ]


def test_currency_needs_its_rate():
    """*Proves:* 40 EUR at 1.1 USD are 44 USD; without the rate it is refused, as is a rate that does not belong.

    *Sensitivity:* a price in EUR read as USD looks like any other price.
    """
    price = {"quantity": "price_usd_per_mwh"}
    assert read(["40"] * 4, unit="EUR/MWh", factors=[RATE], **price).values == pytest.approx([44.0] * 4)
    assert read(["0.04"] * 4, unit="EUR/kWh", factors=[RATE], **price).values == pytest.approx([44.0] * 4)
    assert "name the rate of exchange: factors: [{name: usd_per_eur, value: ...}]" in refusal(
        ["40"] * 4, unit="EUR/MWh", **price
    )
    assert "usd_per_rub" in refusal(["40"] * 4, unit="RUB/MWh", factors=[RATE], **price)
    assert "the unit is USD/MWh, but the factor usd_per_eur turns EUR" in refusal(
        ["40"] * 4, unit="USD/MWh", factors=[RATE], **price
    )


@pytest.mark.parametrize(
    ("spec", "quantity", "words"),
    [
        ({}, "available_mw", "column value has no unit; write the unit of the column"),
        ({"unit": "mw"}, "available_mw", "the unit 'mw' is not known for available_mw; did you mean MW?"),
        ({"unit": "m3/s"}, "available_mw", "or any unit with a factor named mw_per_..."),
        ({"unit": "EUR/MWh"}, "available_mw", "the unit 'EUR/MWh' is not known for available_mw"),
        ({"unit": "MW", "column": "surplus_kw"}, "available_mw", "but the name of column surplus_kw says kW"),
        ({"column": "price_eur_mwh"}, "price_usd_per_mwh", "is in EUR/MWh and the key in USD"),
        ({"unit": "ct/kWh"}, "price_usd_per_mwh", "the unit 'ct/kWh' is not known"),
    ],
)
def test_a_unit_that_is_not_clear_is_refused(spec, quantity, words):
    """*Proves:* no unit is assumed.  *Sensitivity:* a column of kW read as MW is inside the band of a large plant."""
    assert words in refusal(["40"] * 4, quantity, **spec)


def test_the_name_of_a_column_may_tell_the_unit():
    """*Proves:* by its ending, for each quantity.  *Sensitivity:* `mwh` at the end of a price is not an energy."""
    assert unit_in_name("price_eur_per_mwh", "price_usd_per_mwh") == "EUR/MWh"
    assert unit_in_name("hydro_mw", "available_mw") == "MW"
    assert unit_in_name("temperature_c", "temperature_c") == "C"
    assert unit_in_name("carbon_intensity_g_kwh", "carbon_g_per_kwh") == "g/kWh"
    assert unit_in_name("air_temp_c_x10", "temperature_c") == ""
    assert read(["7"] * 4, column="hydro_mw").values.tolist() == [7.0] * 4


@pytest.mark.parametrize(
    ("column", "quantity", "unit", "says"),
    [
        ("price_usd_per_mwh", "available_mw", "", "USD/MWh"),
        ("price_per_mwh", "available_mw", "", "something per MWh"),
        ("ramp_mw_per_min", "available_mw", "MW", "MW/min"),
        ("cost_eur_per_kw", "available_mw", "kW", "something per kW"),
        ("temperature_c", "price_usd_per_mwh", "USD/MWh", "C"),
        ("surplus_mw", "temperature_c", "C", "MW"),
        ("Preis €/MWh", "price_usd_per_mwh", "USD/MWh", "EUR/MWh"),
        ("Price ($/MWh)", "price_usd_per_mwh", "EUR/MWh", "$/MWh"),
        ("Preis EUR", "price_usd_per_mwh", "USD/MWh", "EUR"),
        ("price_eur_per_mwh_no2", "price_usd_per_mwh", "USD/MWh", "EUR/MWh"),
        ("Außentemp. °C", "temperature_c", "F", "C"),
        ("Außentemp. °C", "price_usd_per_mwh", "EUR/MWh", "C"),
        ("Last [kW]", "available_mw", "MW", "kW"),
        ("Leistung in kW", "available_mw", "MW", "kW"),
        ("shortwave_radiation (W/m²)", "ghi_w_m2", "Wh/m2", "W/m2"),
    ],
)
def test_a_name_that_says_another_unit_is_refused(column, quantity, unit, says):
    """*Proves:* units in names as people write them, of any quantity.  *Sensitivity:* 52 USD/MWh planned as 52 MW."""
    message = refusal(["8"] * 4, quantity, column=column, unit=unit, factors=[RATE] if "EUR" in unit else [])
    assert f"the name of column {column} says {says}" in message


def test_a_column_of_a_quantile_that_says_another_unit_is_refused():
    """*Proves:* every column that one unit is for.  *Sensitivity:* a p10 in kW, read as MW, is 1,000 times more."""
    message = refusal(["8"] * 4, unit="MW", quantiles={"p10": "low_kw"})
    assert "the name of column low_kw says kW" in message


@pytest.mark.parametrize(
    ("column", "quantity", "unit"),
    [
        ("zone_c", "price_usd_per_mwh", "USD/MWh"),
        ("Preis (C)", "price_usd_per_mwh", "USD/MWh"),
        ("price_mwh", "price_usd_per_mwh", "USD/MWh"),
        ("Export price USD", "price_usd_per_mwh", "USD/MWh"),
        ("LMP ($/MWh)", "price_usd_per_mwh", "USD/MWh"),
        ("price_usd", "btc_price_usd", "USD/BTC"),
        ("usd_per_btc", "btc_price_usd", "USD"),
        ("Last [MWh/h]", "available_mw", "MW"),
        ("mean_per_hour", "available_mw", "MW"),
        ("Actual Total Load [MW] - BZN|NO2", "available_mw", "MW"),
        ("line_w", "available_mw", "MW"),
        ("ramp_sek", "available_mw", "MW"),
        ("air_temp_c_x10", "temperature_c", "C"),
        ("Carbon intensity gCO₂eq/kWh (Life cycle)", "carbon_g_per_kwh", "g/kWh"),
    ],
)
def test_an_innocent_name_is_no_contradiction(column, quantity, unit):
    """*Proves:* letters of names are no units.  *Sensitivity:* ``zone_c`` as a temperature would refuse a price."""
    value = 60000.0 if quantity == "btc_price_usd" else 8.0
    assert read([f"{value}"] * 4, quantity, column=column, unit=unit).values.tolist() == [value] * 4


@pytest.mark.parametrize(
    ("column", "quantity", "expected"),
    [("Last [kW]", "available_mw", 0.05), ("Temp. (°F)", "temperature_c", 10.0), ("Load in MW", "available_mw", 50)],
)
def test_a_name_as_people_write_it_tells_the_unit(column, quantity, expected):
    """*Proves:* brackets and signs tell a unit as endings do.  *Sensitivity:* 50 °F as 50 °C."""
    assert read(["50"] * 4, quantity, column=column).values == pytest.approx([expected] * 4)


def test_a_foreign_unit_needs_a_factor_that_leads_home():
    """*Proves:* m3/s by mw_per_m3_s.  *Sensitivity:* any factor at all would let `share: 0.5` turn m3/s into MW."""
    turbine = Factor(name="mw_per_m3_s", value=0.5)
    share = Factor(name="share", value=0.5)
    assert read(["8"] * 4, unit="m3/s", factors=[turbine, share]).values.tolist() == [2.0] * 4
    assert "is not known" in refusal(["8"] * 4, unit="m3/s", factors=[share])
    assert "is not known" in refusal(["8"] * 4, "price_usd_per_mwh", unit="EUR", factors=[RATE])


@pytest.mark.parametrize("mark", ["-999", "9999", "-9999.0", "99999"])
def test_a_sentinel_inside_the_band_is_refused_by_name(mark):
    """9999 MW and -999 USD/MWh would pass their bands.

    *Proves:* the mark is named with line and remedy.  *Sensitivity:* planned on, it is 9,999 MW of surplus.
    """
    quantity = "price_usd_per_mwh" if mark.startswith("-") else "available_mw"
    unit = "USD/MWh" if mark.startswith("-") else "MW"
    message = refusal(["1", mark, "2", "3"], quantity, unit=unit)
    assert message.startswith(f"feed.csv:3: column value, 2024-09-10T01:00:00+08:00: '{mark}' is the mark of a missing")
    assert message.endswith(f"missing: ['{mark}']; where it is a number: not_missing: ['{mark}']")


def test_a_sentinel_may_be_a_number():
    """A river gave 9,999 MW in one hour of 2022.  *Proves:* named, it is read.  *Sensitivity:* no way out is a wall."""
    assert read(["1", "9999", "2", "3"], unit="MW", not_missing=["9999"]).values.tolist() == [1.0, 9999.0, 2.0, 3.0]
    with pytest.raises(ValueError, match="it is one or the other"):
        Series(file="f.csv", column="c", missing=["9999"], not_missing=["9999"])


def test_a_bitcoin_price_may_be_9999():
    """*Proves:* no false alarm where the number is plausible.  *Sensitivity:* one list for all quantities refuses."""
    assert read(["9999"] * 4, "btc_price_usd", unit="USD").values.tolist() == [9999.0] * 4


@pytest.mark.parametrize(("cell", "mark"), [("", None), ("n/e", "n/e"), ("-9999", "-9999"), ("-9999.0", "-9999")])
def test_a_missing_value_without_a_policy_is_an_error(cell, mark):
    """*Proves:* line, time, length of the gap and count.  *Sensitivity:* pandas would read it as NaN and go on."""
    message = refusal(["1", cell, cell, "3"], unit="MW", missing=[mark] if mark else [])
    assert message.startswith(
        f"feed.csv:3: column value: {cell!r}, which is not a value, for 2024-09-10T01:00:00+08:00, a gap of 2 h (2 "
    )
    assert message.endswith("every step needs a value, or the case a policy (fill)")


def fill(policy: str, longest_h: float = 2.0) -> Fill:
    return Fill(policy=policy, longest_gap_h=longest_h)


def test_hold():
    """*Proves:* the last value before the gap, also from before the horizon; steps and policy are recorded.

    *Sensitivity:* filling with the next value, or with 0, gives other numbers.
    """
    found = read(["1", "", "", "4"], unit="MW", fill=fill("hold"))
    assert found.values.tolist() == [1.0, 1.0, 1.0, 4.0]
    assert [str(f) for f in found.filled] == ["s: 2 steps from 2024-09-10T01:00+08:00 to 2024-09-10T03:00+08:00 (hold)"]
    assert found.filled[0].document()["first_step"] == 1
    before = read(["9", "", "2", "3", "4"], first_hour=-1, unit="MW", fill=fill("hold"))
    assert before.values.tolist() == [9.0, 2.0, 3.0, 4.0]
    assert (before.filled[0].first_step, before.filled[0].steps) == (0, 1)


def test_hold_to_the_end_of_a_feed_that_stopped():
    """*Proves:* a short tail is held and recorded.  *Sensitivity:* counting hours after the horizon refuses it."""
    assert read(["1", "2", "3"], unit="MW", fill=fill("hold", 1)).values.tolist() == [1.0, 2.0, 3.0, 3.0]


def test_interpolate():
    """*Proves:* thirds between 1 and 4.  *Sensitivity:* a nearest value gives steps."""
    found = read(["1", "", "", "4"], unit="MW", fill=fill("interpolate"))
    assert found.values == pytest.approx([1.0, 2.0, 3.0, 4.0])
    assert "a straight line needs a value on both sides" in refusal(
        ["1", "2", "3"], unit="MW", fill=fill("interpolate")
    )
    after = read(["1", "2", "3", "", "7"], unit="MW", fill=fill("interpolate"))
    assert after.values.tolist() == [1.0, 2.0, 3.0, 5.0]


def test_same_hour_yesterday():
    """Day before: 0 to 23; the horizon's hours 1 and 2 are missing.

    *Proves:* by the clock, hour by hour.  *Sensitivity:* holding gives twice the value of hour 0.
    """
    values = [*map(str, range(24)), "100", "", "", "103"]
    found = read(values, first_hour=-24, unit="MW", fill=fill("same_hour_yesterday"))
    assert found.values.tolist() == [100.0, 1.0, 2.0, 103.0]
    assert found.filled[0].policy == "same_hour_yesterday"
    values[1] = ""
    assert "the same hour of the day before is missing too" in refusal(
        values, first_hour=-24, unit="MW", fill=fill("same_hour_yesterday")
    )


def test_yesterday_is_by_the_clock_across_the_change():
    """Oslo, 27 October 2024, 12:00 CET; the day before 12:00 CEST, 25 hours earlier.

    *Proves:* the clock hour.  *Sensitivity:* 24 hours back is 13:00 of the day before.
    """
    cest = timezone(timedelta(hours=2))
    start = datetime(2024, 10, 26, tzinfo=cest)
    rows = [f"{(start + timedelta(hours=i)).isoformat()},{i if i != 37 else ''}" for i in range(49)]
    feed = read_table("\n".join(["interval_start,value", *rows, ""]).encode(), "feed.csv")
    axis = TimeAxis(datetime(2024, 10, 27, 12, tzinfo=timezone(timedelta(hours=1))), 1.0, 2, "Europe/Oslo")
    spec = Series(file="feed.csv", column="value", unit="MW", fill=fill("same_hour_yesterday"))
    assert read_series(feed, spec, "available_mw", axis).values.tolist() == [12.0, 38.0]


def test_an_hour_that_the_clock_left_out_yesterday_is_as_the_hour_before():
    """Oslo, 1 April 2024, from 01:00; on 31 March, whose hours have the values 0, 1, 2, 03:00 follows 01:00.

    *Proves:* 02:00 is as 01:00 there, and on record.  *Sensitivity:* without a rule the tail of a price is refused on
    this one day of the year; as 03:00 it would be 2.
    """
    start = datetime(2024, 3, 30, 23, tzinfo=UTC)
    rows = [f"{(start + timedelta(hours=i)).isoformat()},{i if i < 24 else ''}" for i in range(28)]
    feed = read_table("\n".join(["interval_start,value", *rows, ""]).encode(), "feed.csv")
    axis = TimeAxis(datetime(2024, 4, 1, 1, tzinfo=timezone(timedelta(hours=2))), 1.0, 3, "Europe/Oslo")
    spec = Series(file="feed.csv", column="value", unit="MW", fill=fill("same_hour_yesterday", 5.0))
    found = read_series(feed, spec, "available_mw", axis)
    assert found.values.tolist() == [1.0, 1.0, 2.0] and found.filled[0].steps == 3


@pytest.mark.parametrize("policy", ["hold", "interpolate", "same_hour_yesterday"])
def test_a_gap_longer_than_the_longest_is_an_error(policy):
    """*Proves:* 3 h are too long for 2 h, also where the gap began before the horizon.

    *Sensitivity:* counting only hours of the horizon would pass the second feed, silent for a day.
    """
    day = [*map(str, range(24))]
    message = refusal([*day, "", "", "", "4", "5"], first_hour=-24, unit="MW", fill=fill(policy))
    assert "a gap of 3 h" in message
    assert message.endswith(f"that is longer than the longest_gap_h of {policy}, 2 h")
    long = [*day[:20], "", "", "", "", "", "1", "2", "3", "4"]
    assert "longest_gap_h" in refusal(long, first_hour=-24, unit="MW", fill=fill(policy))


def test_rubbish_is_not_held():
    """*Proves:* text before the horizon is not a value to hold.  *Sensitivity:* read as a number, or a crash."""
    assert "longest_gap_h" in refusal(["n/e", "", "2", "3", "4"], first_hour=-1, unit="MW", fill=fill("hold", 5.0))


def test_quantiles_are_kept_and_have_to_rise():
    """*Proves:* each is read like the planned column; a crossing is named with time and both numbers.

    *Sensitivity:* kept unchecked, p90 below p10 would widen a margin the wrong way.
    """
    rows = [f"{(AXIS.start + timedelta(hours=h)).isoformat()},{h},{h + 1},{h + 2}" for h in range(4)]
    spec = Series(file="f.csv", column="p50", unit="kW", quantiles={"p90": "high", "p10": "low", "p50": "p50"})

    def feed(lines: list[str]):
        return read_table("\n".join(["interval_start,low,p50,high", *lines, ""]).encode(), "f.csv")

    found = read_series(feed(rows), spec, "available_mw", AXIS)
    assert list(found.quantiles) == ["p10", "p50", "p90"]
    assert found.quantiles["p90"] == pytest.approx([0.002, 0.003, 0.004, 0.005])
    assert found.values.tolist() == found.quantiles["p50"].tolist()
    rows[2] = rows[2].replace(",2,3,4", ",3.5,3,4")
    with pytest.raises(BadInput, match=r"p10 \(column low\) and p50 .* cross at 2024-09-10T02:00:00\+08:00: 0.0035 >"):
        read_series(feed(rows), spec, "available_mw", AXIS)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("usd_per_eur", 0.0, "0 makes every value of the column 0"),
        ("usd_per_eur", -1.17, "-1.17 is not a rate of exchange; it is above 0"),
        ("forecast_error", 0.0, "0 makes every value of the column 0"),
    ],
)
def test_a_factor_that_makes_power_free_is_refused(name, value, says):
    """*Proves:* a rate of 0 or below it is refused.

    *Sensitivity:* a price of 0 looks like any other, and the plan runs everything on free power.
    """
    with pytest.raises(ValidationError, match=says):
        Series(file="f.csv", column="price", unit="EUR/MWh", factors=[Factor(name=name, value=value)])


@pytest.mark.parametrize("time_column", ["hour_ending", "interval_end", "Hour Ending", "end"])
def test_a_time_column_that_says_ending_needs_a_label(time_column):
    """*Proves:* times that are called endings are not read as beginnings unless the case says so.

    *Sensitivity:* without it every value comes one interval late, and nothing shows it.
    """
    with pytest.raises(ValidationError, match="write label: ending, or label: beginning"):
        Series(file="f.csv", column="power_mw", time_column=time_column)
    for label in ("beginning", "ending"):
        assert Series(file="f.csv", column="power_mw", time_column=time_column, label=label).label == label
    assert Series(file="f.csv", column="power_mw", time_column="trend").label == "beginning"


def test_a_file_that_begins_inside_the_horizon_has_nothing_to_hold():
    """*Proves:* the gap is counted from the start of the plan, and the message says from when on there is a value.

    *Sensitivity:* hours before the horizon, looked at for filling only, were counted as missing.
    """
    message = refusal(["3", "4"], first_hour=2, unit="MW", fill=Fill(policy="hold", longest_gap_h=24))
    assert "nothing for 2024-09-10T00:00:00+08:00, a gap of 2 h (" in message
    assert message.endswith("; there is nothing before 2024-09-10T02:00:00+08:00 to hold")


def test_a_coarser_file_is_told_with_both_keys_that_hold_it():
    """*Proves:* what is known of the file is written out.  *Sensitivity:* with one key at a time, two refusals."""
    halves = TimeAxis(AXIS.start, 0.5, 4, "Asia/Irkutsk")
    assert "both coarser: hold and every: 1h" in refusal(["1", "2", "3"], unit="MW", axis=halves)
