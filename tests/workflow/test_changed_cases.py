"""A changed case plans as the same case does whose files were edited by hand, and says what was changed."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import flexmine
from flexmine.audit.directory import audit_directory
from flexmine.audit.seal import sealed
from flexmine.errors import BadInput
from flexmine.inputs.yaml_loader import read_yaml
from flexmine.output import write_plan
from flexmine.report.page import report_html
from flexmine.report.terminal import summary
from flexmine.resources import shipped_path
from flexmine.solving.options import SolveOptions
from flexmine.solving.phases import Phases
from flexmine.workflow.document import plan_document
from samples import GATE
from shell import edited

PRICE = "sources.grid.price_usd_per_mwh"
FLEET = "the plant, its feeders and its base load"


def with_column(folder: Path, table: str, column: str, change) -> tuple[str, str]:
    """Write a shipped table with another column, and return how the case is edited to read it."""
    rows = list(csv.DictReader(shipped_path(f"shipped:{table}").read_text(encoding="utf-8").splitlines()))
    with (folder / table).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows([{**row, column: repr(change(float(row[column])))} for row in rows])
    return f"file: shipped:{table}, column: {column}", f"file: {table}, column: {column}"


def with_plant(folder: Path, name: str, *replacements: tuple[str, str]) -> tuple[str, str]:
    """Write a shipped plant with pieces of its text replaced, and return how the case is edited to name it."""
    text = shipped_path(f"shipped:plants/{name}").read_text(encoding="utf-8")
    for old, new in replacements:
        assert old in text, old
        text = text.replace(old, new, 1)
    (folder / "plant.yaml").write_text(text, encoding="utf-8")
    return f"plant: shipped:plants/{name}\n", "plant: plant.yaml\n"


CASES = {
    "money of a bitcoin, an order, a fee": (
        "curtailment-noon",
        {"hash_value.btc_price_usd": 80000, "orders.noon.cap_mw": "+1.5", "hash_value.pool_fee": 0.01},
        lambda folder: [
            ("btc_price_usd: 58000", "btc_price_usd: 80000"),
            ("cap_mw: 3.0", "cap_mw: 4.5"),
            ("pool_fee: 0.02", "pool_fee: 0.01"),
        ],
    ),
    "a price series by its rate of exchange": (
        "bratsk-shaped",
        {PRICE: "+20 %"},
        lambda folder: [("value: 1.17", "value: 1.404")],
    ),
    "negative prices, and a surplus at no price": (
        "negative-prices",
        {PRICE: "x1.2", "sources.surplus.price_usd_per_mwh": 0},
        lambda folder: [("value: 1.13", "value: 1.356"), ("price_usd_per_mwh: 10.0", "price_usd_per_mwh: 0")],
    ),
    "three degrees warmer in the table, and another state": (
        "deep-winter",
        {"series.temperature_c": "+3", "state.default.hours": 6},
        lambda folder: [
            with_column(folder, "deep_winter.csv", "temperature_c", lambda c: c + 3.0),
            ("hours: 12", "hours: 6"),
        ],
    ),
    FLEET: (
        "fleet-mixed",
        {"plant.cap_mw": "-10 %", "plant.feeders.T1.cap_mw": 7.5, "plant.base_load_mw": "+0.1"},
        lambda folder: [
            with_plant(
                folder,
                "fleet-mixed",
                ("cap_mw: 26.0", "cap_mw: 23.4"),
                ("name: T1, cap_mw: 8.5", "name: T1, cap_mw: 7.5"),
                ("base_load_mw: 0.15", "base_load_mw: 0.25"),
            )
        ],
    ),
    "a constant in place of a series, fewer containers, an outage moved": (
        "outage-and-trip",
        {PRICE: 45, "plant.containers.0.last": 12, "outages.0.container": "C04"},
        lambda folder: [
            with_plant(folder, "bratsk-10", ("last: 14", "last: 12")),
            ("container: C03", "container: C04"),
            (price_block("outage-and-trip"), "    price_usd_per_mwh: 45\n"),
        ],
    ),
}


def price_block(name: str) -> str:
    """Return the lines of a case that name the price of firm power."""
    text = shipped_path(f"shipped:cases/{name}").read_text(encoding="utf-8")
    begin = text.rindex("    price_usd_per_mwh:\n")
    return text[begin : text.index("    carbon_g_per_kwh: 450", begin)]


def same_numbers(one: pd.DataFrame, other: pd.DataFrame) -> None:
    """Compare tables: texts as they are, numbers to the last decimals that are written."""
    assert list(one.columns) == list(other.columns)
    for column in one.columns:
        if one[column].dtype.kind == "f":
            assert np.allclose(one[column], other[column], rtol=0, atol=2e-6 if column.endswith("_mw") else 1e-3)
        else:
            assert one[column].equals(other[column]), column


# A fleet of four models is planned three times; it is left to the gate.
@pytest.mark.parametrize("what", [pytest.param(what, marks=GATE if what == FLEET else ()) for what in CASES])
def test_a_changed_case_plans_as_the_edited_files_do(what, tmp_path):
    """*Proves:* money, bound and every setpoint are those of a case whose files were edited by hand, in text and table;
    the plan differs from that of the unchanged case; only the edited files say it without `changes`.

    *Sensitivity:* one key that reaches the checks and not the numbers (a series that is not read anew) shows up.
    """
    name, changes, edit = CASES[what]
    case = flexmine.load_case(name)
    found = flexmine.plan(case.with_changes(changes))
    wanted = flexmine.plan(flexmine.load_case(edited(tmp_path, name, *edit(tmp_path))))
    assert found.money_usd == pytest.approx(wanted.money_usd, rel=1e-9)
    assert found.bound_usd == pytest.approx(wanted.bound_usd, rel=1e-9)
    same_numbers(found.setpoints, wanted.setpoints)
    same_numbers(found.site, wanted.site)
    assert abs(found.money_usd - flexmine.plan(case).money_usd) > 1.0
    # A table that is not read any more is not an input.
    assert found.inputs.items() <= case.inputs.items()
    assert [change.key for change in found.changes] == list(changes)
    assert wanted.changes == ()


def test_no_change_in_numbers_changes_nothing(tmp_path):
    """*Proves:* ``+0 %``, ``x1`` and the same number are no change: every file is the same byte for byte, and it is no
    what-if.  A number that is another one is a change, and the only one that is told.

    *Sensitivity:* a factor that is multiplied in another order, or a number that becomes another kind, changes a digit.
    """
    case = flexmine.load_case("bratsk-shaped")
    none = {PRICE: "+0 %", "sources.surplus.available_mw": "x1", "hash_value.btc_price_usd": 58000}
    for folder, one in (("as-read", case), ("changed", case.with_changes(none))):
        write_plan(flexmine.plan(one), tmp_path / folder, Phases(), report=False)
        assert audit_directory(tmp_path / folder).ok
    for name in ("setpoints.csv", "site.csv", "problem.json", "plan.json"):
        assert (tmp_path / "as-read" / name).read_bytes() == (tmp_path / "changed" / name).read_bytes()
    both = case.with_changes({**none, "plant.cap_mw": 9})
    assert [change.key for change in both.changes] == ["plant.cap_mw"]


@pytest.fixture(scope="module")
def changed_plan():
    case = flexmine.load_case("curtailment-noon")
    return flexmine.plan(case.with_changes({"plant.cap_mw": 8, PRICE: "+20 %", "orders": []}))


def test_report_and_terminal_say_what_was_changed(changed_plan):
    """*Proves:* every change stands among what a reader has to know first, on the terminal marked, and in the report.

    *Sensitivity:* a plan of a changed case that looks like one of the files would be taken for it.
    """
    shown = " ".join(summary(changed_plan).split())
    page = report_html(changed_plan)
    for words in ("plant.cap_mw: 10.0 -> 8", f"{PRICE}: +20 %", "orders: now []"):
        assert f"!! changed: {words}" in shown
        assert f'class="bad">changed: {words.replace(">", "&gt;")}' in page
    assert "Changed, not as the files say" in page
    assert "changed:" not in summary(flexmine.plan(flexmine.load_case("curtailment-noon")))


@pytest.mark.parametrize(
    ("claim", "ok"),
    [
        ([{"key": "plant.cap_mw", "value": 8, "before": 10.0}], True),
        ([], True),
        (None, False),
        ([{"key": 3, "value": 8}], False),
        ([{"key": "plant.cap_mw"}], False),
        (["plant.cap_mw"], False),
        ({"plant.cap_mw": 8}, False),
        ("absent", False),
        ("absent, of an older version", True),
    ],
)
def test_the_audit_takes_changes_as_a_claim_of_a_known_shape(changed_plan, tmp_path, claim, ok):
    """*Proves:* the audit accepts what is written, and plans of before there were changes; another shape is a fault.

    *Sensitivity:* a reader of plan.json that expects a list of objects would stumble.
    """
    write_plan(changed_plan, tmp_path / "plan", Phases(), report=False)
    file = tmp_path / "plan" / "plan.json"
    document = json.loads(file.read_text())
    document["changes"] = claim
    if str(claim).startswith("absent"):
        del document["changes"]
    if str(claim).endswith("older version"):
        document["versions"]["flexmine"] = "0.1.0"
    sealed_anew = sealed(document)
    if str(claim).endswith("older version"):
        del sealed_anew["seal"]
    file.write_text(json.dumps(sealed_anew))
    assert audit_directory(tmp_path / "plan").ok is ok


def test_options_in_place_of_changed_ones_are_refused():
    """*Proves:* a changed gap and another one given to `plan` contradict each other; the same, or another key, is fine.

    *Sensitivity:* the plan would name a gap under `changes` that it was not made with.
    """
    case = flexmine.load_case("curtailment-noon").with_changes({"options.gap": 0.01})
    with pytest.raises(BadInput, match=r"change options\.gap = 0\.01: has no effect.*gap = 0\.0001"):
        flexmine.plan(case, SolveOptions())
    plan = flexmine.plan(case, SolveOptions(gap=0.01, time_limit_s=30.0))
    assert (plan.asked_gap, plan.options["gap"]) == (0.01, 0.01)


def test_what_pins_cost_is_asked_of_the_changed_case():
    """*Proves:* the plan without pins, by which they are priced, has the other changes too.

    *Sensitivity:* priced against the case of the files, the pin would cost the price of bitcoin as well.
    """
    pin = {"container": "C01", "set": "off", "until": "2024-09-10T06:00:00+08:00", "by": "test", "why": "price"}
    case = flexmine.load_case("curtailment-noon").with_changes({"hash_value.btc_price_usd": 80000})
    pinned = flexmine.plan(case.with_changes({"pins": [pin]}))
    assert pinned.pins is not None
    assert pinned.pins.money_without_usd == pytest.approx(flexmine.plan(case).money_usd, rel=2e-4)
    assert plan_document(pinned, {})["changes"][1]["value"] == [pin]


def test_changes_are_text_that_a_file_could_hold(tmp_path):
    """*Proves:* what a change leaves in a series is itself a right series of a case file, `shift` included.

    *Sensitivity:* a change that only the program can express could not be planned from files any more.
    """
    file = edited(
        tmp_path,
        "deep-winter",
        ("column: temperature_c, unit: C}", "column: temperature_c, unit: C, shift: 3}"),
    )
    by_file = flexmine.load_case(file)
    by_change = flexmine.load_case("deep-winter").with_changes({"series.temperature_c": "+3"})
    assert np.array_equal(by_file.series["temperature_c"], by_change.series["temperature_c"])
    assert by_file.document.series == by_change.document.series
    assert read_yaml(file, type(by_file.document), "case").document == by_file.document


def test_a_case_and_a_plan_are_one_line_for_people():
    """*Proves:* what a notebook shows names case, money and changes.  *Sensitivity:* arrays would fill screens."""
    case = flexmine.load_case("bratsk-shaped").with_changes({"plant.cap_mw": 9})
    assert str(case) == "<Case bratsk-shaped: 12 series, 6 files, changed: plant.cap_mw: 10.0 -> 9>"
    plan = flexmine.plan(case)
    money = f"{plan.replay.published_usd(24):.2f} USD"
    assert str(plan).startswith("<Plan bratsk-shaped: optimal, gap ")
    assert str(plan).endswith(f"{money} from 2024-09-10T00:00:00+08:00 to 2024-09-11T00:00:00+08:00>")
