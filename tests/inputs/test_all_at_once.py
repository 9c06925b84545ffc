"""One run tells everything that is wrong in all files of a case, and guesses at the unit that was meant."""

from __future__ import annotations

import pytest
import yaml

from flexmine.errors import BadInput
from flexmine.inputs.case import load_case


def messages_of(folder) -> list[str]:
    with pytest.raises(BadInput) as caught:
        load_case(folder.case)
    return caught.value.messages


def test_errors_in_all_files_come_in_one_go(folder):
    """Case, plant, container model, miner model and two series are wrong; each is told.

    *Proves:* no file hides another, not even a case that fails its own checks.
    *Sensitivity:* a loader that stops at the first faulty file gives one message.
    """
    folder.write("miner.yaml", "schema: flexmine-miner/1\nname: m\nnameplate: 3\npresets: []\nsleep_w: 25\n")
    folder.edit("case.yaml", "kind: firm", "kind: solid")
    folder.edit("plant.yaml", "altitude_m: 450", "altitude_m: high")
    folder.edit("box.yaml", "standby_mw: 0.01", "standby_mw: 10")
    folder.edit(
        "box.yaml",
        "miners: {count: 400, model: S19 Pro}",
        "miners: {count: 400, model: miner.yaml, minimum_power_mw: 0.6}",
    )
    folder.edit("prices.csv", ",12\n", ",n/e\n")
    folder.edit("weather.csv", ",3\n", ",-9999\n")
    begins = [
        "case.yaml:15:11 sources[1].kind: ",
        "plant.yaml:6:13 altitude_m: ",
        "box.yaml:8:13 standby_mw: ",
        "miner.yaml:1:1 sources: is missing",
        "miner.yaml:3:12 nameplate: ",
        "miner.yaml:4:10 presets: ",
        "case.yaml:8:18 series.temperature_c: weather.csv:4: ",
        "case.yaml:13:24 sources[0].price_usd_per_mwh: prices.csv:4: ",
    ]
    told = messages_of(folder)
    assert [any(message.startswith(begin) for message in told) for begin in begins] == [True] * len(begins), told
    assert len(told) == len(begins)


def test_a_faulty_part_of_the_case_does_not_hide_what_the_other_parts_refer_to(folder):
    """A price as text, and beside it: a dangling outage, a state above the highest mode, a start off the grid.

    *Proves:* comparisons between parts and files are made on the parts that are right.
    *Sensitivity:* validation alone would tell the price and nothing else.
    """
    folder.edit("case.yaml", "price_usd_per_mwh: 45.0", "price_usd_per_mwh: cheap")
    folder.edit("case.yaml", "container: C02", "container: C20")
    folder.edit("case.yaml", "it_power_mw: 0.52}", "it_power_mw: 1.4}")
    folder.edit("case.yaml", "start: 2024-09-10T00:00:00+08:00", "start: 2024-09-10T00:10:00+08:00")
    keys = [message.split(": ")[0].split(" ")[1] for message in messages_of(folder)]
    assert sorted(keys)[:4] == [
        "outages[0].container",
        "series.temperature_c",  # nothing for ten past
        "sources[0].price_usd_per_mwh",
        "sources[1].price_usd_per_mwh",
    ]
    assert sorted(keys)[4:] == ["start", "state.default.it_power_mw"]


def test_an_unknown_key_does_not_hide_a_comparison_within_the_document(folder):
    """*Proves:* both are told.  *Sensitivity:* pydantic compares within a document only where its keys are right."""
    folder.edit("box.yaml", "standby_mw: 0.01", "standby_mw: 0.01\ncolour: red")
    folder.edit("box.yaml", "it_power_mw: 0.78,", "it_power_mw: 0.50,")
    told = messages_of(folder)
    assert [message.split(": ")[0] for message in told] == ["box.yaml:5:19 modes[1].it_power_mw", "box.yaml:9:1 colour"]


GUESSED = {
    "kW for MW, power": (
        "case.yaml",
        "available_mw: 3.0",
        "available_mw: 30000",
        "did you mean 30 MW? the value looks like kW",
    ),
    "W for MW, cap": ("plant.yaml", "cap_mw: 4.0", "cap_mw: 4000000", "did you mean 4 MW? the value looks like W"),
    "kW for MW, cap": ("plant.yaml", "cap_mw: 4.0", "cap_mw: 10500", "did you mean 10.5 MW? the value looks like kW"),
    "W for MW, container": (
        "box.yaml",
        "it_power_mw: 1.30",
        "it_power_mw: 1300000",
        "did you mean 1.3 MW? the value looks like W",
    ),
    "kW for MW, container": (
        "box.yaml",
        "it_power_mw: 1.30",
        "it_power_mw: 1300",
        "did you mean 1.3 MW? the value looks like kW",
    ),
    "kW for MW, standby": (
        "box.yaml",
        "standby_mw: 0.01",
        "standby_mw: 10",
        "did you mean 0.01 MW? the value looks like kW",
    ),
    "kW per hour for MW per hour": (
        "plant.yaml",
        "ramp_up_mw_per_h: 2.0",
        "ramp_up_mw_per_h: 20000",
        "did you mean 20 MW per hour? the value looks like kW per hour",
    ),
    "PH for TH": (
        "box.yaml",
        "hash_rate_th_s: 44000",
        "hash_rate_th_s: 44",
        "did you mean 44000 TH/s? the value looks like PH/s",
    ),
    "GH for TH": (
        "box.yaml",
        "hash_rate_th_s: 44000",
        "hash_rate_th_s: 44000000",
        "did you mean 44000 TH/s? the value looks like GH/s",
    ),
    "cents for dollars": (
        "case.yaml",
        "price_usd_per_mwh: 45.0",
        "price_usd_per_mwh: 7500",
        "the value looks like another currency, such as RUB/MWh, or like cents/MWh",
    ),
    "thousands of dollars": (
        "case.yaml",
        "btc_price_usd: 60000",
        "btc_price_usd: 60",
        "did you mean 60000 USD? the value looks like thousand USD",
    ),
    "trillions": (
        "case.yaml",
        "difficulty: 9e13",
        "difficulty: 90",
        "did you mean 9e+13? the value looks like trillions",
    ),
    "satoshi": (
        "case.yaml",
        "fees_btc_per_block: 0.05",
        "fees_btc_per_block: 5000000",
        "did you mean 0.05 BTC per block? the value looks like satoshi",
    ),
    "percent": (
        "case.yaml",
        "  block_height: 860000\n",
        "  block_height: 860000\n  pool_fee: 2.0\n",
        "did you mean 0.02? the value looks like percent",
    ),
    "kelvin": (
        "box.yaml",
        "standby_mw: 0.01",
        "standby_mw: 0.01\noverhead: {above_c: 278.15}",
        "did you mean 5 degrees C? the value looks like kelvin",
    ),
    "minutes for hours": (
        "box.yaml",
        "standby_mw: 0.01",
        "standby_mw: 0.01\nmin_up_h: 9000",
        "did you mean 150 h? the value looks like minutes",
    ),
    "kW in the key": (
        "plant.yaml",
        "cap_mw: 4.0",
        "cap_kw: 4000",
        "unknown key; did you mean cap_mw? it takes MW: write cap_mw: 4",
    ),
    "no unit in the key": ("plant.yaml", "cap_mw: 4.0", "cap: 4.0", "unknown key; did you mean cap_mw? it takes MW"),
    "USD/kWh in the key": (
        "case.yaml",
        "price_usd_per_mwh: 45.0",
        "price_usd_per_kwh: 0.045",
        "did you mean price_usd_per_mwh? it takes USD/MWh: write price_usd_per_mwh: 45",
    ),
    "PH/s in the key": (
        "box.yaml",
        "hash_rate_th_s: 44000",
        "hash_rate_ph_s: 44",
        "did you mean hash_rate_th_s? it takes TH/s: write hash_rate_th_s: 44000",
    ),
    "key of another block": (
        "case.yaml",
        "horizon_h: 4",
        "horizon_h: 4\npool_fee: 0.02",
        "unknown key here; it belongs under hash_value",
    ),
}


@pytest.mark.parametrize(("file", "old", "new", "says"), GUESSED.values(), ids=GUESSED.keys())
def test_a_wrong_unit_is_guessed_in_words(folder, file, old, new, says):
    """*Proves:* the refusal says what was probably meant.  *Sensitivity:* the bare bound would leave the unit open."""
    folder.edit(file, old, new)
    assert says in "\n".join(messages_of(folder))


def test_a_message_is_one_line_whatever_the_file_holds(folder):
    """*Proves:* colours and line breaks in a key come out escaped.  *Sensitivity:* raw, they reach a terminal."""
    folder.edit("case.yaml", "horizon_h: 4", 'horizon_h: 4\n"a\\e[31m\\nb": 1')
    (message,) = messages_of(folder)
    assert message == "case.yaml:7:1 a\\x1b[31m\\nb: the character U+001B cannot be seen; leave it out"


@pytest.mark.parametrize(
    ("escape", "name"),
    [
        ("\\e[2J", "U+001B"),
        ("\\a", "U+0007"),
        ("\\x9b2J", "U+009B"),
        ("\\u202e", "U+202E"),
        ("\\u2028", "U+2028"),
        ("\\0", "U+0000"),
    ],
)
@pytest.mark.parametrize("key", ["title", "notes[0]"])
def test_text_that_cannot_be_seen_is_refused_at_its_key(folder, key, escape, name):
    """*Proves:* no text of a case clears the screen of whoever plans it, or reads backwards in the report.

    *Sensitivity:* a line break and a tab are text (below).
    """
    title = next(line for line in folder.case.read_text(encoding="utf-8").split("\n") if line.startswith("title:"))
    text = f'"a{escape}b"'
    folder.edit("case.yaml", title, f"title: {text}" if key == "title" else f"{title}\nnotes: [{text}]")
    (message,) = messages_of(folder)
    assert f" {key}: the character {name} cannot be seen; leave it out" in message


def test_an_order_below_what_sleeps_is_told_at_its_key(folder):
    """*Proves:* an order that no plant can keep names its line, the number that is written and the key that forbids
    mining.  *Sensitivity:* at what sleeps it is allowed; the solver's words name a cap of 0.004 MW that nobody wrote.
    """
    order = "orders: [{name: a, from: 2024-09-10T01:00:00+08:00, to: 2024-09-10T02:00:00+08:00, cap_mw: %s}]"
    folder.edit("case.yaml", "horizon_h: 4", "horizon_h: 4\n" + order % "0")
    (message,) = messages_of(folder)
    assert "orders[0].cap_mw: 0 MW is not allowed; allowed: at least" in message and "a window (windows)" in message
    least = message.partition("at least ")[2].partition(" MW")[0]
    folder.edit("case.yaml", order % "0", order % least)
    load_case(folder.case)


def test_a_source_called_as_a_column_of_the_plan_is_refused_by_the_check(folder):
    """*Proves:* `check` refuses what `plan` would.  *Sensitivity:* refused where tables are written, it passes."""
    folder.edit("case.yaml", "name: surplus", "name: facility_power")
    (message,) = messages_of(folder)
    assert "sources[0].name: facility_power is a column of every plan; give the source another name" in message


def test_a_case_that_another_yaml_library_has_written_is_read(folder):
    """*Proves:* PyYAML reads `on` as true and writes it back so; the case means the same.

    *Sensitivity:* a key that is a truth value was refused, in a file that nobody had written by hand.
    """
    before = load_case(folder.case)
    data = yaml.safe_load(folder.case.read_text(encoding="utf-8"))
    text = yaml.safe_dump(data, sort_keys=False)
    assert "true: true" in text
    folder.case.write_text(text, encoding="utf-8")
    assert load_case(folder.case).document == before.document


def test_line_breaks_and_tabs_are_text(folder):
    """*Proves:* notes may have several lines.  *Sensitivity:* the characters above are refused."""
    folder.edit("case.yaml", "horizon_h: 4", 'horizon_h: 4\nnotes: ["a\\tb\\nc", "Ünïcödé – 1 000 €"]')
    assert "Ünïcödé – 1 000 €" in load_case(folder.case).notes


def test_many_errors_are_cut(folder):
    """*Proves:* a file of 300 wrong keys gives 101 lines.  *Sensitivity:* uncut, a log would be flooded."""
    folder.edit("case.yaml", "horizon_h: 4", "horizon_h: 4\n" + "".join(f"k{i}: 1\n" for i in range(300)).rstrip())
    told = messages_of(folder)
    assert len(told) == 101
    assert told[-1] == "case.yaml: and 200 more errors"
