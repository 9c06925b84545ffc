"""Changes to a case: which keys there are, what may be put there, how changes add up, and what is refused."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
from datetime import UTC, datetime

import numpy as np
import pytest

import flexmine
from flexmine.errors import BadInput
from flexmine.inputs.relative import relative
from flexmine.resources import shipped_path
from shell import edited

PRICE = "sources.grid.price_usd_per_mwh"
SURPLUS = "sources.surplus.available_mw"


@pytest.fixture(scope="module")
def case():
    return flexmine.load_case("bratsk-shaped")


@pytest.mark.parametrize(
    ("text", "factor", "shift"),
    [
        ("+20 %", 1.2, 0.0),
        ("-5%", 0.95, 0.0),
        (" + 0.5 % ", 1.005, 0.0),
        ("+0 %", 1.0, 0.0),
        ("-100 %", 0.0, 0.0),
        ("x1.2", 1.2, 0.0),
        ("* 1.2", 1.2, 0.0),
        ("×.5", 0.5, 0.0),
        ("x1e-3", 0.001, 0.0),
        ("+3", 1.0, 3.0),
        ("-0.25", 1.0, -0.25),
    ],
)
def test_what_a_text_does_with_a_number(text, factor, shift):
    """*Proves:* factor and shift are those that a person means, to the last bit.  *Sensitivity:* 1 + 20 x 0.01 is not
    1.2 for every percentage, and a hand-written factor would plan another way.
    """
    found = relative(text)
    assert (found.factor, found.shift) == (factor, shift)
    assert found.adds == (shift != 0.0)


@pytest.mark.parametrize(
    "text", ["", "20 %", "3", "+", "+%", "x", "x-1", "+1,5 %", "++3", "+3 MW", "+1e400", "+inf", "2x"]
)
def test_other_texts_are_no_change(text):
    """*Proves:* a percentage without sign, a unit, a comma are not guessed at.  *Sensitivity:* "20 %" read as +20 %, or
    as 20 % of it, is wrong for half of all people.
    """
    assert relative(text) is None


def test_numbers_series_and_plant_are_changed_and_nothing_else_is(case):
    """*Proves:* each series is multiplied or shifted after its conversion, each number replaced or changed; all other
    series, and every hash, are those of the files; the first case is as it was.

    *Sensitivity:* a document exchanged without reading anew keeps the old series.
    """
    changes = {
        "hash_value.btc_price_usd": 80000,
        PRICE: "+20 %",
        SURPLUS: "x0.5",
        "series.temperature_c": "-3",
        "plant.cap_mw": "-2",
        "plant.ramp_up_mw_per_h": "-10 %",
        "max_starts_per_day": 2,
    }
    before = {key: values.copy() for key, values in case.series.items()}
    changed = case.with_changes(changes)
    assert np.all(changed.series["hash_value.btc_price_usd"] == 80000)
    assert changed.series[PRICE] == pytest.approx(1.2 * case.series[PRICE], rel=1e-15)
    assert changed.series[SURPLUS] == pytest.approx(0.5 * case.series[SURPLUS], rel=1e-15)
    assert changed.series["temperature_c"] == pytest.approx(case.series["temperature_c"] - 3, abs=1e-12)
    assert (changed.plant.cap_mw, changed.plant.ramp_up_mw_per_h) == (8.0, 3.6)
    assert changed.document.max_starts_per_day == 2
    touched = {"hash_value.btc_price_usd", PRICE, SURPLUS, "temperature_c"}
    assert all(np.array_equal(changed.series[key], before[key]) for key in before.keys() - touched)
    assert all(np.array_equal(case.series[key], values) for key, values in before.items())
    assert (changed.inputs, case.changes) == (case.inputs, ())
    assert [c.document() for c in changed.changes] == [
        {"key": "hash_value.btc_price_usd", "value": 80000, "before": 58000, "after": 80000},
        {"key": PRICE, "value": "+20 %"},
        {"key": SURPLUS, "value": "x0.5"},
        {"key": "series.temperature_c", "value": "-3"},
        {"key": "plant.cap_mw", "value": "-2", "before": 10.0, "after": 8.0},
        {"key": "plant.ramp_up_mw_per_h", "value": "-10 %", "before": 4.0, "after": 3.6},
        {"key": "max_starts_per_day", "value": 2, "before": None, "after": 2},
    ]


def test_a_changed_case_is_changed_further(case):
    """*Proves:* a second change works on what the first left, of numbers and of series, also a factor after a
    shift; all of them are told in order.

    *Sensitivity:* each taken from the file gives 58000 x 1.1, and 2 p + 3.
    """
    once = case.with_changes({"hash_value.btc_price_usd": 50000, PRICE: "+20 %"})
    twice = once.with_changes({"hash_value.btc_price_usd": "+10 %", PRICE: "+3"}).with_changes({PRICE: "x2"})
    assert np.all(twice.series["hash_value.btc_price_usd"] == 55000)
    assert twice.series[PRICE] == pytest.approx(2 * (1.2 * case.series[PRICE] + 3), rel=1e-15)
    assert [str(change) for change in twice.changes] == [
        "hash_value.btc_price_usd: 58000 -> 50000",
        f"{PRICE}: +20 %",
        "hash_value.btc_price_usd: 50000 -> 55000 (+10 %)",
        f"{PRICE}: +3",
        f"{PRICE}: x2",
    ]
    assert case.with_changes({PRICE: 40}).with_changes({PRICE: "+25 %"}).series[PRICE][0] == 50.0


def test_a_negative_price_becomes_more_negative():
    """*Proves:* +20 % multiplies by 1.2 whatever the sign.  *Sensitivity:* a change by the size of the price would
    raise -10 to -8.
    """
    case = flexmine.load_case("negative-prices")
    assert case.series[PRICE].min() < -1
    changed = case.with_changes({PRICE: "+20 %"})
    assert changed.series[PRICE].min() == pytest.approx(1.2 * case.series[PRICE].min(), rel=1e-12)


@pytest.mark.parametrize(
    ("key", "value", "found"),
    [
        ("orders.noon.cap_mw", 4, lambda c: c.document.orders[0].cap_mw == 4.0),
        ("orders", [], lambda c: c.document.orders == ()),
        ("options.gap", "x10", lambda c: c.document.options.gap == pytest.approx(1e-3)),
        ("state.default.hours", "+5", lambda c: c.document.state.default.hours == 15),
        ("state.containers.C01", {"on": False, "hours": 3}, lambda c: not c.document.state.of("C01").on),
        ("hash_value.next_retarget.expected_change", 0.02, lambda c: c.document.hash_value.next_retarget is not None),
        ("sources.surplus.available_mw.factors.share_of_flow.value", "x2", lambda c: c.series[SURPLUS].max() > 2),
        ("plant.containers.0.last", 10, lambda c: len(c.plant.container_names) == 10),
        ("plant", "shipped:plants/bratsk-10-measured", lambda c: c.plant.name == "bratsk-10-measured"),
        ("title", "+20 %", lambda c: c.title == "+20 %"),
        ("publish_h", None, lambda c: c.publish_steps == 24),
        ("horizon_h", np.int64(24), lambda c: c.time.steps == 24),
        (PRICE, np.float64(33.0), lambda c: c.series[PRICE][0] == 33.0),
        (
            PRICE,
            {"file": "shipped:negative_prices.csv", "column": "price_eur_per_mwh", "zone": "UTC"},
            None,
        ),
    ],
)
def test_keys_of_every_kind(key, value, found):
    """*Proves:* entries by name and by index, whole lists and blocks, blocks that are absent, defaults, texts that only
    look like a change, numbers of numpy; plan.json can hold all of them.

    *Sensitivity:* an index for a name, or a default that is not seen, changes another value or none.
    """
    case = flexmine.load_case("curtailment-noon")
    if found is None:
        with pytest.raises(BadInput, match=rf"change {PRICE} = \{{'file'"):
            case.with_changes({key: value})
        return
    changed = case.with_changes({key: value})
    assert found(changed)
    assert json.loads(json.dumps([c.document() for c in changed.changes]))[0]["key"] == key


REFUSED = [
    # no such key, and which there are
    ({"hash_value.btc_price": 1}, "change hash_value.btc_price = 1: unknown key; did you mean btc_price_usd?"),
    ({"cap_mw": 8}, "Keys of the plant begin with plant., such as plant.cap_mw"),
    ({"price_usd_per_mwh": 8}, "it belongs under sources"),
    ({"plant.cap": 8}, "change plant.cap = 8: unknown key; did you mean cap_mw?"),
    ({"sources.gird.price_usd_per_mwh": 3}, "sources has no entry gird; did you mean grid? Its entries: surplus, grid"),
    ({"sources.1.price_usd_per_mwh": 3}, "sources has no entry 1. Its entries: surplus, grid"),
    ({"orders.noon.cap_mw": 3}, "orders is empty in this case; change orders as a whole"),
    ({"plant.containers.7.last": 9}, "containers has no entry 7; its entries have no names and are counted, 0 to 0"),
    ({"options.gap.x": 3}, "options.gap is 0.0001 in this case, and nothing lies below it"),
    ({"": 3}, "unknown key"),
    # the same limits as in a file
    (
        {"hash_value.btc_price_usd": -3},
        "change hash_value.btc_price_usd = -3: -3 is out of range; allowed: at least 100",
    ),
    ({"hash_value.btc_price_usd": "-100 %"}, "= '-100 %': 0 is out of range"),
    ({PRICE: "-200 %"}, "takes away more than there is and would turn the sign"),
    ({"hash_value.btc_price_usd": "80000"}, "is a text; give the number 80000 without quotes"),
    ({PRICE: "x0"}, "leaves nothing of it; give the number 0"),
    ({"btc_price": 1}, "unknown key; did you mean hash_value.btc_price_usd?"),
    ({"hash_value.btc_price_usd": "much"}, "is neither a value of this key nor a change of it; give a number"),
    ({PRICE: "20 %"}, 'a text such as "+20 %", "x1.2" or "+3"'),
    ({PRICE: True}, "true is not allowed; a number is expected"),
    ({PRICE: float("nan")}, "nan is not allowed; a finite number is expected"),
    ({"step_minutes": 20}, "change step_minutes = 20: 20 is not allowed; allowed: 15, 30 or 60"),
    ({"step_minutes": "+20 %"}, "allowed: 15, 30 or 60"),
    ({"series.temperature_c": 5}, "a block of keys is expected"),
    ({SURPLUS: "x1e9"}, "out of range (48 of 48 values of the horizon); allowed: numbers from 0 to 10000"),
    ({PRICE: {"file": "a.csv", "colunm": "x"}}, "colunm: unknown key; did you mean column?"),
    ({PRICE: {"file": "/etc/passwd", "column": "x", "unit": "USD/MWh"}}, "leads out of the folder of the case"),
    ({"start": datetime(2024, 9, 10, tzinfo=UTC)}, "a datetime is nothing that a file could hold"),
    ({"schema": "flexmine-case/2"}, "allowed: 'flexmine-case/1'"),
    # no guessing
    ({PRICE: "-5"}, "may mean the value -5 or 5 less than before"),
    ({"series.temperature_c": "+3 %"}, "a temperature in C has no share of itself"),
    ({"series.temperature_c": "+0 %"}, "a temperature in C has no share of itself"),
    ({"max_starts_per_day": "+1"}, "there is no number here that could be changed by so much"),
    # what does not fit the rest of the case
    ({"hash_value.subsidy_btc": 3.125}, "exactly one of block_height and subsidy_btc"),
    ({"plant.base_load_mw": 20}, "20 MW leaves nothing below cap_mw, 10 MW"),
    ({"plant.cap_mw": 0.1}, "change plant.cap_mw = 0.1: 0.1 MW is less than a single container needs"),
    ({"state.containers.C99": {"on": True, "hours": 3}}, "C99 is not a container of the plant"),
    ({"horizon_h": 12}, "change horizon_h = 12: this change caused it"),
    # what would have no effect
    ({"options.gap": 0.01, "options": {}}, "because the change of options after it replaces the whole of it"),
    ({"as_of": "2024-09-09T00:00:00+00:00"}, "no series of the case holds several issues"),
    ({"plant.altitude_m": 300}, "no part of a plan depends on the altitude"),
    ({"plant.latitude_deg": 50}, "no container of this plant is modelled by heat balance"),
]


@pytest.mark.parametrize(("changes", "message"), REFUSED, ids=[str(list(c))[1:-1] for c, _ in REFUSED])
def test_refusals_name_the_key_the_value_and_what_is_allowed(case, changes, message):
    """*Proves:* a change is refused by the rules of the file, and the message names the change, not a line of it.

    *Sensitivity:* a change put into the checked case passes by every check.
    """
    with pytest.raises(BadInput) as refused:
        case.with_changes(changes)
    assert message in str(refused.value)
    assert any(said.startswith("change ") for said in refused.value.messages)


def test_all_that_is_wrong_is_told_at_once(case):
    """*Proves:* one message per fault, of case and plant.  *Sensitivity:* the first alone would take three tries."""
    with pytest.raises(BadInput) as refused:
        case.with_changes({"hash_value.btc_price": 1, PRICE: "cheap", "plant.cap": 3, "step_minutes": 20})
    assert [said.split(" = ")[0] for said in refused.value.messages] == [
        "change step_minutes",
        "change hash_value.btc_price",
        f"change {PRICE}",
        "change plant.cap",
    ]


@pytest.mark.parametrize(
    ("name", "before", "changes", "message"),
    [
        (
            "outage-and-trip",
            {"state.containers": {f"C{i:02d}": {"on": True, "hours": 9} for i in range(1, 15)}},
            {"state.default.hours": 3},
            "state.containers names the state of every container",
        ),
        (
            "bratsk-shaped",
            {"plant.ramp_up_mw_per_h": None, "plant.ramp_down_mw_per_h": None},
            {"state.initial_mw": 6},
            "the plant has no ramp limit",
        ),
        ("deep-winter", {}, {"plant.latitude_deg": 50}, "the case has no series.ghi_w_m2"),
        (
            "bratsk-shaped",
            {"energy_limits": [{"name": "least", "over": "day", "at_least_mwh": 10}]},
            {"energy_limits.least.pace": "none"},
            "the limit has no at_most_mwh",
        ),
    ],
)
def test_a_key_that_something_else_goes_before_is_refused(name, before, changes, message):
    """*Proves:* refused where the case leaves the key unused, whichever of the two was changed first.

    *Sensitivity:* the plan would be the same, and its reader would take that for the answer.
    """
    case = flexmine.load_case(name)
    orders = [(before, changes)]
    if "energy_limits" not in before:  # an entry that is not there yet cannot be changed first
        orders.append((changes, before))
    for first, then in orders:
        with pytest.raises(BadInput, match="has no effect, because") as refused:
            case.with_changes(first).with_changes(then)
        assert message in str(refused.value)
    if before:
        assert case.with_changes(before)


def test_as_of_of_the_case_is_not_changed_where_another_was_given():
    """*Proves:* refused with the reason.  *Sensitivity:* the changed moment would be ignored."""
    case = flexmine.load_case("bratsk-shaped", as_of=datetime(2024, 9, 9, tzinfo=UTC))
    with pytest.raises(BadInput, match="load_case was given another as_of"):
        case.with_changes({"as_of": "2024-09-09T00:00:00+00:00"})
    assert case.with_changes({PRICE: 50}).origin == case.origin


def test_a_file_that_is_another_one_by_now_is_refused(tmp_path, monkeypatch):
    """*Proves:* case, plant and series are read again, from wherever the program stands by then, and a file that has
    been written since is named.

    *Sensitivity:* a change on top of another file is not the change that somebody looked at.
    """
    (tmp_path / "plant.yaml").write_text(shipped_path("shipped:plants/bratsk-10").read_text(encoding="utf-8"))
    file = edited(tmp_path, "bratsk-shaped", ("shipped:plants/bratsk-10", "plant.yaml"))
    monkeypatch.chdir(tmp_path)
    case = flexmine.load_case("case.yaml")
    monkeypatch.chdir("/")
    assert case.with_changes({"plant.cap_mw": 9}).plant.cap_mw == 9.0
    plant = (tmp_path / "plant.yaml").read_text()
    (tmp_path / "plant.yaml").write_text(plant.replace("cap_mw: 10.0", "cap_mw: 11.0"))
    with pytest.raises(BadInput, match=r"plant\.yaml has changed since the case was read; read the case again"):
        case.with_changes({PRICE: 50})
    (tmp_path / "plant.yaml").write_text(plant)
    file.write_text(file.read_text() + "\n")
    with pytest.raises(BadInput, match=r"case\.yaml: has changed since the case was read"):
        case.with_changes({PRICE: 50})


def test_a_part_of_a_case_cannot_be_exchanged(case):
    """*Proves:* `dataclasses.replace` of any part raises and names `with_changes`; with nothing exchanged it is a copy.

    *Sensitivity:* exchanged alone, a document keeps the series and the hashes of another one.
    """
    other = case.with_changes({PRICE: 50, "plant.cap_mw": 9, "horizon_h": 24})
    parts = ("document", "plant", "series", "time", "publish_steps", "inputs", "container_models", "changes", "feeds")
    for part in parts:
        if getattr(other, part) is getattr(case, part):
            continue
        for whole in (case, other):
            with pytest.raises(TypeError, match=rf"{part} of a case cannot be exchanged.*with_changes"):
                dataclasses.replace(whole, **{part: getattr(other if whole is case else case, part)})
    assert dataclasses.replace(case).document is case.document


def test_what_a_case_holds_cannot_be_changed_in_place(case):
    """*Proves:* another series, hash or model under a key, or another number in a series, raises; a copy in another
    process is the same case, which still refuses.

    *Sensitivity:* a series put into the case would be planned with the hashes of the files.
    """
    for one in (case, pickle.loads(pickle.dumps(case)), copy.deepcopy(case)):
        for held in (one.series, one.inputs, one.container_models, one.quantiles):
            for change in (
                lambda held=held: held.__setitem__("x", 1),
                lambda held=held: held.update(x=1),
                lambda held=held: held.clear(),
                lambda held=held: held.pop("x", None),
                lambda held=held: held.setdefault("x", 1),
            ):
                with pytest.raises(TypeError, match="with_changes"):
                    change()
        assert one.series.keys() == case.series.keys()
        assert one.inputs == case.inputs
        with pytest.raises(TypeError, match="with_changes"):
            dataclasses.replace(one, publish_steps=7)
    with pytest.raises(ValueError, match="read-only"):
        case.series[PRICE][0] = 1.0


def test_a_case_that_was_not_read_from_a_file_cannot_be_changed(case):
    """*Proves:* refused in words.  *Sensitivity:* there would be nothing to read anew."""
    with pytest.raises(BadInput, match="was not read from a file"):
        dataclasses.replace(case, origin=None, together=None).with_changes({PRICE: 50})
    with pytest.raises(BadInput, match="a mapping from dotted keys to values"):
        case.with_changes([PRICE, 50])
