"""Each malformed case is refused with the file, line, column and key of the wrong value."""

from __future__ import annotations

import pytest

from flexmine.errors import BadInput
from flexmine.inputs.case import load_case
from flexmine.resources import shipped_names


def energy(limit: str) -> tuple[str, str, str]:
    """Return the edit that adds a limit of energy behind the last line of the case."""
    last = "options: {gap: 1e-3}"
    return "case.yaml", last, f"{last}\nenergy_limits:\n  - {{{limit}}}"


# (file, text to replace, new text, beginning of the message, words that it has to contain)
REFUSED = {
    "unknown key, with the nearest": (
        "case.yaml", "horizon_h: 4", "horizont_h: 4",
        "case.yaml:6:1 horizont_h: unknown key", "did you mean horizon_h?",
    ),
    "unknown key in a list entry": (
        "case.yaml", "    available_mw: 10\n", "    available_mw: 10\n    prize: 1\n",
        "case.yaml:17:5 sources[1].prize: unknown key", "price_usd_per_mwh",
    ),
    "unknown key of a named container": (
        "case.yaml", "C01: {on: false, hours: 3}", "C01: {on: false, hours: 3, hour: 3}",
        "case.yaml:29:32 state.containers.C01.hour: unknown key", "did you mean hours?",
    ),
    "unknown key of a series, with a factor without a name": (
        "case.yaml", "file: prices.csv,", "file: prices.csv, factor: [{value: 2}],",
        "case.yaml:13:43 sources[0].price_usd_per_mwh.factor: unknown key", "did you mean factors?",
    ),
    "missing key": (
        "case.yaml", "  difficulty: 9e13\n", "",
        "case.yaml:19:3 hash_value.difficulty: is missing", "needed here",
    ),
    "number as text": (
        "case.yaml", "available_mw: 3.0", 'available_mw: "3.0"',
        "case.yaml:12:19 sources[0].available_mw: the text '3.0' is not allowed", "a number is expected",
    ),
    "truth value as number": (
        "case.yaml", "available_mw: 3.0", "available_mw: true",
        "case.yaml:12:19 sources[0].available_mw: true is not allowed", "a number is expected",
    ),
    "number with underscores, which is text": (
        "case.yaml", "btc_price_usd: 60000", "btc_price_usd: 60_000",
        "case.yaml:19:18 hash_value.btc_price_usd: the text '60_000'", "a number is expected",
    ),
    "kW for MW": (
        "case.yaml", "available_mw: 3.0", "available_mw: 30000",
        "case.yaml:12:19 sources[0].available_mw: 30000", "at most 10000",
    ),
    "negative supply": (
        "case.yaml", "available_mw: 3.0", "available_mw: -1",
        "case.yaml:12:19 sources[0].available_mw: -1", "at least 0",
    ),
    "price beyond the band": (
        "case.yaml", "price_usd_per_mwh: 45.0", "price_usd_per_mwh: 45000.0",
        "case.yaml:17:24 sources[1].price_usd_per_mwh: 45000.0", "at most 5000",
    ),
    "infinite number": (
        "case.yaml", "price_usd_per_mwh: 45.0", "price_usd_per_mwh: .inf",
        "case.yaml:17:24 sources[1].price_usd_per_mwh: inf", "finite",
    ),
    "not a number": (
        "case.yaml", "price_usd_per_mwh: 45.0", "price_usd_per_mwh: .nan",
        "case.yaml:17:24 sources[1].price_usd_per_mwh: nan", "finite",
    ),
    "difficulty in trillions": (
        "case.yaml", "difficulty: 9e13", "difficulty: 90.0",
        "case.yaml:20:15 hash_value.difficulty: 90.0", "at least 1e+09",
    ),
    "start without offset": (
        "case.yaml", "start: 2024-09-10T00:00:00+08:00", "start: 2024-09-10T00:00:00",
        "case.yaml:5:8 start: '2024-09-10T00:00:00' has no UTC offset", "2024-09-10T00:00:00+08:00",
    ),
    "start that is not a time": (
        "case.yaml", "start: 2024-09-10T00:00:00+08:00", "start: tomorrow",
        "case.yaml:5:8 start: 'tomorrow' is not an ISO 8601 time", "2024-09-10T00:00:00+08:00",
    ),
    "start off the grid": (
        "case.yaml", "start: 2024-09-10T00:00:00+08:00", "start: 2024-09-10T00:07:00+08:00",
        "case.yaml:5:8 start: ", "not on the grid of 60-minute steps",
    ),
    "step that is not offered": (
        "case.yaml", "horizon_h: 4", "horizon_h: 4\nstep_minutes: 20",
        "case.yaml:7:15 step_minutes: 20 is not allowed", "15, 30 or 60",
    ),
    "horizon of broken steps": (
        "case.yaml", "horizon_h: 4", "horizon_h: 3.5",
        "case.yaml:6:12 horizon_h: 3.5 h is not a whole number", "60-minute steps",
    ),
    "publishing more than planned": (
        "case.yaml", "horizon_h: 4", "horizon_h: 4\npublish_h: 24",
        "case.yaml:7:12 publish_h: 24 h is longer than the horizon", "4 h",
    ),
    "another schema": (
        "case.yaml", "schema: flexmine-case/1", "schema: flexmine-case/2",
        "case.yaml:1:9 schema: the text 'flexmine-case/2' is not allowed", "flexmine-case/1",
    ),
    "kind that does not exist": (
        "case.yaml", "kind: firm", "kind: solid",
        "case.yaml:15:11 sources[1].kind: the text 'solid' is not allowed", "'surplus' or 'firm'",
    ),
    "source twice": (
        "case.yaml", "name: grid", "name: surplus",
        "case.yaml:14:11 sources[1].name: surplus is used twice", "unique",
    ),
    "height and subsidy together": (
        "case.yaml", "  block_height: 860000\n", "  block_height: 860000\n  subsidy_btc: 3.125\n",
        "case.yaml:19:3 hash_value: exactly one of", "block_height and subsidy_btc",
    ),
    "host without a fee": (
        "case.yaml", "  block_height: 860000\n", "  block_height: 860000\n  perspective: host\n",
        "case.yaml:19:3 hash_value: perspective host needs", "host_hash_share",
    ),
    "outage that ends before it begins": (
        "case.yaml", "to: 2024-09-10T03:00:00+08:00", "to: 2024-09-10T00:30:00+08:00",
        "case.yaml:24:59 outages[0].to: ", "is not after from",
    ),
    "outage of a container that is not there": (
        "case.yaml", "container: C02", "container: C20",
        "case.yaml:24:17 outages[0].container: C20 is not a container of the plant", "C01, C02, C03",
    ),
    "state of a container that is not there": (
        "case.yaml", "    C01: {on: false", "    C07: {on: false",
        "case.yaml:29:10 state.containers.C07: C07 is not a container of the plant", "C01, C02, C03",
    ),
    "power of a container that is off": (
        "case.yaml", "C01: {on: false, hours: 3}", "C01: {on: false, hours: 3, it_power_mw: 0.5}",
        "case.yaml:29:45 state.containers.C01.it_power_mw: a container that is off", "leave the key out",
    ),
    "power above the highest mode": (
        "case.yaml", "it_power_mw: 0.52}", "it_power_mw: 1.4}",
        "case.yaml:27:47 state.default.it_power_mw: 1.4 MW is above the highest mode", "1.3 MW",
    ),
    "inside temperature without the physics": (
        "case.yaml", "C01: {on: false, hours: 3}", "C01: {on: false, hours: 3, inside_temperature_c: 4}",
        "case.yaml:29:54 state.containers.C01.inside_temperature_c: box has no thermal part", "hours off",
    ),
    "no hours in the state": (
        "case.yaml", "on: true, hours: 10", "on: true, hours: 0",
        "case.yaml:27:30 state.default.hours: 0 is out of range", "above 0",
    ),
    "on as text": (
        "case.yaml", "on: true, hours: 10", "on: yes, hours: 10",
        "case.yaml:27:17 state.default.on: the text 'yes' is not allowed", "true or false",
    ),
    "list where a block belongs": (
        "case.yaml", "  temperature_c: {file: weather.csv, column: temperature_c}", "  temperature_c: [1, 2, 3, 4]",
        "case.yaml:8:18 series.temperature_c: a list is not allowed", "a block of keys",
    ),
    "plant that is not there": (
        "case.yaml", "plant: plant.yaml", "plant: plants.yaml",
        "case.yaml:4:8 plant: there is no file plants.yaml", "relative to the file",
    ),
    "shipped plant that is not there": (
        "case.yaml", "plant: plant.yaml", "plant: shipped:plants/bratsk-11",
        "case.yaml:4:8 plant: shipped:plants/bratsk-11 is not shipped", "did you mean shipped:plants/bratsk-10?",
    ),
    "series file that is not there": (
        "case.yaml", "file: prices.csv", "file: price.csv",
        "case.yaml:13:24 sources[0].price_usd_per_mwh: there is no file price.csv", "relative to the case",
    ),
    "zone of nowhere": (
        "plant.yaml", "zone: Asia/Irkutsk", "zone: Asia/Bratsk",
        "plant.yaml:3:7 zone: 'Asia/Bratsk' is not an IANA time zone", "Asia/Irkutsk",
    ),
    "zone with a slip": (
        "plant.yaml", "zone: Asia/Irkutsk", "zone: Asia/Irkustk",
        "plant.yaml:3:7 zone: 'Asia/Irkustk' is not an IANA time zone", "did you mean Asia/Irkutsk?",
    ),
    "zone that is a path": (
        "plant.yaml", "zone: Asia/Irkutsk", "zone: ../Irkutsk",
        "plant.yaml:3:7 zone: '../Irkutsk' is not an IANA time zone", "Asia/Irkutsk",
    ),
    "latitude beyond the pole": (
        "plant.yaml", "latitude_deg: 56.15", "latitude_deg: 156.15",
        "plant.yaml:4:15 latitude_deg: 156.15 is out of range", "at most 90",
    ),
    "container on a feeder but not in the plant": (
        "plant.yaml", "[C01, C02]", "[C01, C09]",
        "plant.yaml:11:47 feeders[0].containers[1]: C09 is not a container of this plant", "C09",
    ),
    "container on a feeder twice": (
        "plant.yaml", "[C01, C02]", "[C01, C01]",
        "plant.yaml:11:47 feeders[0].containers[1]: C01 hangs on feeder f1 already", "f1",
    ),
    "names and prefix together": (
        "plant.yaml", "prefix: C,", "names: [A1], prefix: C,",
        "plant.yaml:13:5 containers[0]: containers are given either by names or by prefix", "first and last",
    ),
    "container model that is not there": (
        "plant.yaml", "model: box.yaml", "model: crate.yaml",
        "plant.yaml:13:13 containers[0].model: there is no file crate.yaml", "relative",
    ),
    "curve that is not concave": (
        "box.yaml", "it_power_mw: 0.78, hash_rate_th_s: 31720", "it_power_mw: 0.78, hash_rate_th_s: 24000",
        "box.yaml:5:5 modes[1]: the curve is not concave here", "upper envelope",
    ),
    "breakpoints that fall": (
        "box.yaml", "it_power_mw: 0.78,", "it_power_mw: 0.50,",
        "box.yaml:5:19 modes[1].it_power_mw: 0.5 MW is not above the 0.52 MW", "0.52",
    ),
    "watts for megawatts": (
        "box.yaml", "it_power_mw: 1.30,", "it_power_mw: 1300,",
        "box.yaml:6:19 modes[2].it_power_mw: 1300 is out of range", "at most 20",
    ),
    "PH/s for TH/s": (
        "box.yaml", "hash_rate_th_s: 22880", "hash_rate_th_s: 22.88",
        "box.yaml:4:41 modes[0].hash_rate_th_s: 22.88 is out of range", "at least 100",
    ),
    "nothing that decides what is warm": (
        "box.yaml", ", warm_off_h: 6.0", "",
        "box.yaml:9:8 start: exactly one decides what is a warm start", "start.warm_off_h or thermal",
    ),
    "two that decide what is warm": (
        "box.yaml", "standby_mw: 0.01", "standby_mw: 0.01\nthermal: {asleep: powered_off}",
        "box.yaml:10:8 start: exactly one decides what is a warm start", "start.warm_off_h or thermal",
    ),
    "cold start cheaper than warm": (
        "box.yaml", "cold_wear_usd: 60.0", "cold_wear_usd: 6.0",
        "box.yaml:9:45 start.cold_wear_usd: a cold start costs at least as much", "warm",
    ),
    "tier that is no later than warm": (
        "box.yaml", "warm_off_h: 6.0", "warm_off_h: 6.0, tiers: [{off_h: 6, wear_usd: 30}]",
        "box.yaml:9:84 start.tiers[0].off_h: 6 h is not above the 6 h before it", "6 h",
    ),
    "tier more expensive than cold": (
        "box.yaml", "warm_off_h: 6.0", "warm_off_h: 6.0, tiers: [{off_h: 12, wear_usd: 90}]",
        "box.yaml:9:45 start.cold_wear_usd: a cold start costs at least as much as one of the tier", "90 USD",
    ),
    "container ramp in watts": (
        "box.yaml", "standby_mw: 0.01", "standby_mw: 0.01\nramp_mw_per_h: 780000",
        "box.yaml:9:16 ramp_mw_per_h: 780000 is out of range", "at most",
    ),
    "energy limit of an unknown source": (
        *energy("name: d, source: wind, over: day, at_most_mwh: 5"),
        "case.yaml:32:23 energy_limits[0].source: there is no source wind in this case", "sources are surplus, grid",
    ),
    "energy limit over a day and from a time": (
        *energy("name: d, over: day, from: 2024-09-10T01:00:00+08:00, at_most_mwh: 5"),
        "case.yaml:32:5 energy_limits[0]: an energy limit has either over (day or month)", "or from and to",
    ),
    "energy limit over nothing": (
        *energy("name: d, at_most_mwh: 5"),
        "case.yaml:32:5 energy_limits[0]: an energy limit has either over (day or month)", "or from and to",
    ),
    "energy limit without an end": (
        *energy("name: d, from: 2024-09-10T01:00:00+08:00, at_most_mwh: 5"),
        "case.yaml:32:5 energy_limits[0]: an energy limit has either over", "from and to",
    ),
    "energy limit that ends before it begins": (
        *energy("name: d, from: 2024-09-10T03:00+08:00, to: 2024-09-10T01:00+08:00, at_most_mwh: 5"),
        "case.yaml:32:49 energy_limits[0].to: 2024-09-10T01:00:00+08:00 is not after from", "03:00",
    ),
    "energy limit without an amount": (
        *energy("name: d, over: day"),
        "case.yaml:32:5 energy_limits[0]: an energy limit has at_least_mwh or at_most_mwh", "both",
    ),
    "energy limit with bounds crossed": (
        *energy("name: d, over: day, at_least_mwh: 6, at_most_mwh: 5"),
        "case.yaml:32:40 energy_limits[0].at_least_mwh: 6 is above at_most_mwh = 5", "5",
    ),
    "energy limit over a week": (
        *energy("name: d, over: week, at_most_mwh: 5"),
        "case.yaml:32:21 energy_limits[0].over: the text 'week'", "'day' or 'month'",
    ),
    "two energy limits of one name": (
        *energy("name: d, over: day, at_most_mwh: 5}\n  - {name: d, over: month, at_most_mwh: 5"),
        "case.yaml:33:12 energy_limits[1].name: d is used twice", "unique",
    ),
    "negative amount of energy taken": (
        "case.yaml", "  initial_mw: 1.5\n", "  initial_mw: 1.5\n  energy_taken_mwh: {d/2024-09-10: -1}\n",
        "case.yaml:27:36 state.energy_taken_mwh.d/2024-09-10: -1", "at least 0",
    ),
    "model without a source": (
        "box.yaml", "sources: [made up for this test]", "sources: []",
        "box.yaml:10:10 sources: the list is too short", "at least 1",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "begins", "says"), REFUSED.values(), ids=REFUSED.keys())
def test_a_malformed_case_is_refused_at_its_place(folder, file, old, new, begins, says):
    """A wrong value is named with file, line, column and key, and with what is allowed.

    *Proves:* the place is the very place of the edited value, counted by hand in the files of conftest.py.
    *Sensitivity:* without the marks of the nodes no line could be named; without the check the case would load.
    """
    folder.edit(file, old, new)
    with pytest.raises(BadInput) as caught:
        load_case(folder.case)
    message = caught.value.messages[0]
    assert message.startswith(begins)
    assert says in message


def test_the_unedited_case_loads(folder):
    """The files that the refusals start from are right.

    *Proves:* each refusal above is due to its edit alone.
    *Sensitivity:* a fault in the files of conftest.py would fail here.
    """
    case = load_case(folder.case)
    assert case.plant.container_names == ("C01", "C02", "C03")
    assert case.series["sources.surplus.price_usd_per_mwh"].tolist() == [10.0, 11.0, 12.0, 13.0]
    assert case.publish_steps == 4
    assert sorted(case.inputs) == ["box.yaml", "case.yaml", "plant.yaml", "prices.csv", "weather.csv"]


def test_all_errors_are_named_at_once_in_the_order_of_the_file(folder):
    """Four errors in one file give four messages, top to bottom.

    *Proves:* neither the first error nor a repeated key hides the others.
    *Sensitivity:* a reader that stops early would give one message.
    """
    folder.edit("case.yaml", "title: A small case", "title: A small case\ntitle: Again")
    folder.edit("case.yaml", "available_mw: 3.0", "available_mw: -3")
    folder.edit("case.yaml", "kind: firm", "kind: solid")
    folder.edit("case.yaml", "gap: 1e-3", "gap: small")
    with pytest.raises(BadInput) as caught:
        load_case(folder.case)
    places = [m.split(": ")[0] for m in caught.value.messages]
    assert places == [
        "case.yaml:4:1 title",
        "case.yaml:13:19 sources[0].available_mw",
        "case.yaml:16:11 sources[1].kind",
        "case.yaml:31:16 options.gap",
    ]


def test_errors_of_two_series_and_of_the_state_come_together(folder):
    """Series and cross_checks with the plant are checked in one go.

    *Proves:* a nightly job learns of all late feeds from one run.
    *Sensitivity:* stopping at the first series would give one message instead of three.
    """
    folder.edit("case.yaml", "container: C02", "container: C20")
    folder.edit("prices.csv", ",12\n", ",n/e\n")
    folder.edit("weather.csv", ",3\n", ",-9999\n")
    with pytest.raises(BadInput) as caught:
        load_case(folder.case)
    assert len(caught.value.messages) == 3


def test_an_unknown_case_lists_the_shipped_ones(folder):
    """*Proves:* a misspelt name is answered with the names that exist.  *Sensitivity:* a bare "not found" fails."""
    known = ", ".join(shipped_names("cases"))
    with pytest.raises(BadInput, match=rf"did you mean bratsk-day.*{known}"):
        load_case("bratsk-dya")
