"""The audit from files accepts a clean directory and refuses every doctored one, in a sentence that names the place.

Each forgery is sealed again (its hashes are made true), so that it is the replay that finds it.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from audit_plants import edit_csv, edit_json, plan_of, reseal, schedule_of, two_containers, write_plan
from flexmine.audit.directory import audit_directory
from flexmine.errors import BadInput, Status


@pytest.fixture
def directory(tmp_path):
    problem = two_containers(terminal_on_usd=2.0, cold_energy_mwh=0.05, base_load=0.2)
    return write_plan(plan_of(problem, schedule_of(problem)), tmp_path / "plan")


def setpoint(step, name, /, **cells):
    return "setpoints.csv", lambda rows: rows[2 * step + (name == "C02")].update(cells)


def site(step, **cells):
    return "site.csv", lambda rows: rows[step].update(cells)


def plan(**values):
    return "plan.json", lambda document: document.update(values)


def inside(part, **values):
    return "plan.json", lambda document: document[part].update(values)


def problem(change):
    return "problem.json", change


def container_curve(document):
    document["classes"][0]["hash_rate_th_s"] = [20_000, 33_000]


def cheaper_grid(document):
    document["sources"][1]["price_usd_per_mwh"] = [1.0] * 6


def lower_cap(document):
    document["site"]["cap_mw"] = [1.0] * 6


def wider_warmth(document):
    document["classes"][0]["start"]["warm_off_steps"] = [24] * 6


TEN = "2024-09-10T10:00:00+08:00"
FORGERIES = {
    "more hash": (
        setpoint(2, "C01", hash_rate_th_s="36000.0"),
        "setpoints.csv: hash_rate_th_s of container C01 at 2024-09-10 02:00+08:00: 36000.000000 is written, the replay "
        "gives 30000.000000.",
    ),
    "more power than the highest": (setpoint(2, "C01", it_power_mw="1.200000"), "maximum_power: container C01"),
    "a stop too early": (setpoint(2, "C01", state="off", it_power_mw="0.000000"), "minimum_up: container C01"),
    "a little power while off": (
        setpoint(0, "C02", it_power_mw="0.000500"),
        "setpoints.csv: it_power_mw of container C02 at 2024-09-10 00:00+08:00: 0.000500 is written, the replay",
    ),
    "less facility power": (
        setpoint(2, "C01", facility_power_mw="1.000000"),
        "setpoints.csv: facility_power_mw of container C01 at 2024-09-10 02:00+08:00: 1.000000 is written, the replay "
        "gives 1.100000.",
    ),
    "preheat left out": (
        setpoint(1, "C01", preheat_mw="0.000000"),
        "setpoints.csv: preheat_mw of container C01 at 2024-09-10 01:00+08:00: 0.000000 is written, the replay",
    ),
    "another class": (
        setpoint(0, "C01", **{"class": "s21"}),
        "setpoints.csv: class of container C01 at 2024-09-10 00:00+08:00: 's21' is written, 'box' is expected.",
    ),
    "out instead of off": (
        setpoint(0, "C02", state="out"),
        "setpoints.csv: state of container C02 at 2024-09-10 00:00+08:00: 'out' is written, 'off' is expected.",
    ),
    "no such state": (setpoint(0, "C02", state="idle"), "setpoints.csv:3: state 'idle' is not one of on, off, out."),
    "a reason nobody checked": (
        setpoint(0, "C02", reason="outage"),
        "setpoints.csv: reason of container C02 at 2024-09-10 00:00+08:00: 'outage' is written, which does not fit a "
        "container that is off there.",
    ),
    "look-ahead sold as plan": (
        setpoint(5, "C01", published="1"),
        "setpoints.csv: published of container C01 at 2024-09-10 05:00+08:00: 1.000000 is written, the replay gives 0",
    ),
    "a row dropped": (
        ("setpoints.csv", lambda rows: rows.pop(4)),
        "setpoints.csv: container C01 has no row at 2024-09-10T02:00:00+08:00.",
    ),
    "a row twice": (
        ("setpoints.csv", lambda rows: rows.append(rows[3])),
        "setpoints.csv:14: container C02 stands twice at 2024-09-10T01:00:00+08:00.",
    ),
    "an unknown container": (
        setpoint(0, "C02", container="C99"),
        "setpoints.csv:3: container 'C99' is not in problem.json.",
    ),
    "a time of another day": (
        setpoint(0, "C01", interval_start=TEN),
        f"setpoints.csv:2: interval_start {TEN} is not a step of the horizon in problem.json.",
    ),
    "a wrong end": (
        setpoint(0, "C01", interval_end=TEN),
        f"setpoints.csv:2: interval_end {TEN} is wrong; the interval ends at 2024-09-10T01:00:00+08:00.",
    ),
    "a time without offset": (
        site(0, interval_start="2024-09-10T00:00:00"),
        "site.csv:2: interval_start '2024-09-10T00:00:00' has no UTC offset.",
    ),
    "no time at all": (site(0, interval_start="noon"), "site.csv:2: interval_start 'noon' is not an ISO 8601 time."),
    "two hours swapped": (
        ("setpoints.csv", lambda rows: swap(rows, 4, 6)),
        "minimum_up: container C01 at 2024-09-10 02:00+08:00: stops after 1 steps on",
    ),
    "a number in words": (site(2, money_usd="many"), "site.csv:4: money_usd 'many' is not a plain decimal number."),
    "not a number": (site(2, grid_mw="nan"), "site.csv:4: grid_mw 'nan' is not a plain decimal number."),
    "an exponent": (site(2, grid_mw="1e-1"), "site.csv:4: grid_mw '1e-1' is not a plain decimal number."),
    "a step dropped": (
        ("site.csv", lambda rows: rows.pop(3)),
        "site.csv: there is no row at 2024-09-10T03:00:00+08:00.",
    ),
    "a step twice": (
        ("site.csv", lambda rows: rows.append(rows[3])),
        "site.csv:8: 2024-09-10T03:00:00+08:00 stands twice.",
    ),
    "power sold back": (
        site(0, surplus_mw="1.000000", grid_mw="-0.780000"),
        "supply: source grid at 2024-09-10 00:00+08:00: power taken of -0.780000 MW is 0.780000 MW below",
    ),
    "more surplus than offered": (
        site(2, surplus_mw="1.310000", grid_mw="0.000000"),
        "supply: source surplus at 2024-09-10 02:00+08:00: power taken of 1.310000 MW is 0.310000 MW above",
    ),
    "power from nowhere": (
        site(2, grid_mw="0.000000"),
        "balance: the site at 2024-09-10 02:00+08:00: the sources give",
    ),
    "site power": (
        site(2, facility_power_mw="1.200000"),
        "site.csv: facility_power_mw at 2024-09-10 02:00+08:00 against the sum over setpoints.csv: 1.200000 is written",
    ),
    "site IT power": (site(2, it_power_mw="1.100000"), "site.csv: it_power_mw at 2024-09-10 02:00+08:00: 1.100000 is"),
    "site hash": (
        site(2, hash_rate_th_s="30001.0"),
        "site.csv: hash_rate_th_s at 2024-09-10 02:00+08:00: 30001.000000",
    ),
    "surplus left": (
        site(0, surplus_left_mw="0.000000"),
        "site.csv: surplus_left_mw at 2024-09-10 00:00+08:00: 0.0000",
    ),
    "revenue": (site(2, hash_revenue_usd="61.0000"), "site.csv: hash_revenue_usd at 2024-09-10 02:00+08:00: 61.000000"),
    "energy cost": (site(2, energy_cost_usd="9.0000"), "site.csv: energy_cost_usd at 2024-09-10 02:00+08:00: 9.000000"),
    "start cost": (site(1, start_cost_usd="15.0000"), "site.csv: start_cost_usd at 2024-09-10 01:00+08:00: 15.000000"),
    "money of a step": (site(2, money_usd="99.0000"), "site.csv: money_usd at 2024-09-10 02:00+08:00: 99.000000 is"),
    "published flag": (site(3, published="0"), "site.csv: published at 2024-09-10 03:00+08:00: 0.000000 is written"),
    "rounded money": (plan(rounded_money_usd=900.0), "plan.json: rounded_money_usd: 900.000000 is written, the replay"),
    "terminal value": (plan(terminal_usd=50.0), "plan.json: terminal_usd: 50.000000 is written, the replay gives 2.0"),
    "money with a bound to match": (
        plan(money_usd=900.0, bound_usd=900.0, gap=0.0),
        "plan.json: money_usd 900.0000 and the replay's 61.3750 USD differ by more than rounding explains.",
    ),
    "a bound below the money": (
        plan(bound_usd=60.0, gap=-0.022403259),
        "plan.json: money_usd, 61.3750 USD, is above bound_usd 60.0000.",
    ),
    "a gap made small": (
        plan(bound_usd=90.0),
        "plan.json: gap 0.000065173 is written, bound and money give 0.466395112.",
    ),
    "optimal with an open gap": (
        plan(asked_gap=6e-5),
        "plan.json: status 'optimal' with a gap of 0.000065173 and an asked gap of 0.000060000; it is 'feasible'.",
    ),
    "feasible with a closed gap": (plan(status="feasible"), "plan.json: status 'feasible' with a gap of 0.000065173"),
    "an unknown status": (plan(status="great"), "plan.json: status 'great' is not one of optimal, feasible, fallback."),
    "money as text": (plan(money_usd="68.6"), "plan.json: money_usd is '68.6', a number is expected."),
    "a total": (
        inside("totals", energy_mwh=1.0),
        "plan.json: totals.energy_mwh: 1.000000 is written, the replay gives",
    ),
    "surplus taken": (inside("totals", surplus_taken_mwh=6.0), "plan.json: totals.surplus_taken_mwh: 6.000000 is"),
    "hash of the day": (inside("totals", hash_th=4e8), "plan.json: totals.hash_th: 400000000.000000 is written"),
    "a start forgotten": (inside("totals", starts_cold=0), "plan.json: totals.starts_cold: 0.000000 is written"),
    "published money": (inside("published", money_usd=80.0), "plan.json: published.money_usd: 80.000000 is written"),
    "published total": (inside("published", grid_mwh=None), "plan.json: published.grid_mwh: None is written, a number"),
    "a longer plan": (inside("horizon", publish_steps=6), "setpoints.csv: published of container C01 at 2024-09-10 04"),
    "no published part": (inside("horizon", publish_steps=0), "plan.json: horizon.publish_steps is 0, a whole number"),
    "another zone": (
        inside("horizon", zone="UTC"),
        "plan.json: horizon.zone is 'UTC', problem.json has 'Asia/Irkutsk'.",
    ),
    "another day": (inside("horizon", start=TEN), f"plan.json: horizon.start is '{TEN}', problem.json has"),
    "a failed audit": (inside("audit", passed=False), "plan.json: audit.passed is not true"),
    "a breach nobody knows": (
        plan(breaches=[{"usd": -9.0}]),
        "plan.json: breaches are listed, and problem.json holds no",
    ),
    "an input without hash": (plan(inputs={"case.yaml": "?"}), "plan.json: inputs: 'case.yaml' has no sha256."),
    "totals left out": (plan(totals=None), "plan.json: totals is missing or is not an object."),
    "a rule above the bound": (
        ("plan.json", lambda document: document["rules"][0].update(money_usd=500.0)),
        "plan.json: rules[0]: money 500.0000 USD is above the bound 61.3790 USD.",
    ),
    "a rule feasible without money": (
        ("plan.json", lambda document: document["rules"][1].update(feasible=True)),
        "plan.json: rules[1]: feasible, money_usd and violations contradict each other.",
    ),
    "a better curve": (problem(container_curve), "setpoints.csv: hash_rate_th_s of container C01 at 2024-09-10 02:00"),
    "cheaper power": (
        problem(cheaper_grid),
        "site.csv: energy_cost_usd at 2024-09-10 02:00+08:00: 23.950000 is written",
    ),
    "a lower cap": (problem(lower_cap), "cap: the site at 2024-09-10 02:00+08:00: facility power 1.310000 MW"),
    "a longer warm window": (problem(wider_warmth), "site.csv: start_cost_usd at 2024-09-10 01:00+08:00: 60.000000 is"),
}


def swap(rows, one, other):
    keys = ("state", "it_power_mw", "facility_power_mw", "hash_rate_th_s")
    for key in keys:
        rows[one][key], rows[other][key] = rows[other][key], rows[one][key]


def doctor(directory, forgery):
    name, change = forgery
    edit = edit_csv if name.endswith(".csv") else edit_json
    edit(directory / name, change)


def test_a_clean_directory_passes(directory):
    """*Proves:* what flexmine writes is accepted.  *Sensitivity:* each forgery below differs from it in one cell."""
    found = audit_directory(directory)
    assert found.ok, found.violations
    assert found.checks > 300


@pytest.mark.parametrize("name", FORGERIES)
def test_a_doctored_directory_is_refused(directory, name):
    """*Proves:* the sentence names file, place and both numbers.  *Sensitivity:* the hashes are true again."""
    forgery, sentence = FORGERIES[name]
    doctor(directory, forgery)
    reseal(directory)
    found = audit_directory(directory)
    assert not found.ok
    assert any(v.startswith(sentence) for v in found.violations), "\n".join(found.violations)
    assert not any("sha256 is not the one" in v for v in found.violations)


@pytest.mark.parametrize("name", ["setpoints.csv", "site.csv", "problem.json"])
def test_a_file_changed_after_writing_is_named(directory, name):
    """*Proves:* the seal alone finds a change that no number shows.  *Sensitivity:* a blank at the end of the file."""
    file = directory / name
    file.write_bytes(file.read_bytes() + b"\n")
    assert f"{name}: its sha256 is not the one in plan.json." in audit_directory(directory).violations


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({}, "plan.json: files: the sha256 of site.csv is missing."),
        ({"../secret": "0"}, "plan.json: files: '../secret' is not a plain file name."),
        ({"report.html": "0"}, "plan.json: files: report.html is listed and is not in the directory."),
    ],
)
def test_the_list_of_files_is_complete_and_stays_inside(directory, files, sentence):
    """*Proves:* no seal may be left out, none may point elsewhere.  *Sensitivity:* an empty list would seal nothing."""
    edit_json(directory / "plan.json", lambda document: document.update(files=files))
    assert sentence in audit_directory(directory).violations


def test_a_column_left_out_is_named(directory):
    """*Proves:* a table without a column is refused and not guessed.  *Sensitivity:* preheat would count as 0."""
    file = directory / "setpoints.csv"
    file.write_text(file.read_text().replace("preheat_mw", "heat_mw"))
    reseal(directory)
    assert audit_directory(directory).violations == (
        "setpoints.csv: column preheat_mw is missing.",
        "setpoints.csv: column 'heat_mw' is not known.",
    )


def test_a_short_row_is_named(directory):
    """*Proves:* a row cut in the middle is refused.  *Sensitivity:* the line number is of the file."""
    file = directory / "site.csv"
    file.write_text(file.read_text()[:-30] + "\n")
    reseal(directory)
    assert any(
        v.startswith("site.csv:7: ") and "cells, expected 14" in v for v in audit_directory(directory).violations
    )


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("plan.json", None, "plan.json: cannot be read: No such file or directory"),
        ("problem.json", None, "problem.json: cannot be read: No such file or directory"),
        ("setpoints.csv", None, "setpoints.csv: cannot be read: No such file or directory"),
        ("site.csv", None, "site.csv: cannot be read: No such file or directory"),
        ("plan.json", b"{", "plan.json: is not JSON that can be read"),
        ("plan.json", b"[]", "plan.json: is not a plan of flexmine"),
        ("plan.json", b'{"schema": "flexmine-plan/1", "gap": NaN}', "plan.json: is not JSON that can be read: NaN"),
        ("plan.json", b'{"schema": "flexmine-plan/2"}', "schema 'flexmine-plan/1' expected"),
        ("problem.json", b"{}", "problem.json: schema: missing"),
        ("site.csv", b"\xff\xfe", "site.csv: is not UTF-8 text"),
        ("site.csv", b'"', "site.csv:1: is not CSV that can be read"),
    ],
)
def test_a_missing_or_broken_file_is_bad_input(directory, name, content, words):
    """*Proves:* what cannot be read is bad input and names the file.  *Sensitivity:* it violates no limit."""
    if content is None:
        (directory / name).unlink()
    else:
        (directory / name).write_bytes(content)
    with pytest.raises(BadInput) as caught:
        audit_directory(directory)
    assert any(words in message for message in caught.value.messages), caught.value.messages


def test_an_endless_number_in_the_document_is_no_number(directory):
    """*Proves:* 1e999, which Python reads as infinity, is refused.  *Sensitivity:* any gap would be below it."""
    text = json.dumps(json.loads((directory / "plan.json").read_text()) | {"asked_gap": 0.5})
    (directory / "plan.json").write_text(text.replace('"asked_gap": 0.5', '"asked_gap": 1e999'))
    with pytest.raises(BadInput, match=r"plan\.json: is not JSON that can be read: 1e999 is larger than"):
        audit_directory(directory)


def test_rounded_plans_at_their_limits_pass(tmp_path):
    """Cap, feeder and ramp bind at odd powers, and 4 kW of reserve is used up.

    *Proves:* 1 kW and the written reserve are allowed, no more.  *Sensitivity:* a reserve of 2 kW is too little.
    """
    tight = two_containers(cap=1.107, ramp=1.088, firm_mw=5.0)
    for reserve, kept in ((0.004, True), (0.0015, False)):
        narrowed = replace(tight, site=replace(tight.site, rounding_reserve_mw=reserve))
        plan_ = plan_of(narrowed, schedule_of(narrowed))
        found = audit_directory(write_plan(plan_, tmp_path / str(reserve)))
        assert found.ok is kept, found.violations


def test_a_fallback_plan_may_leave_its_gap_open(directory):
    """*Proves:* status fallback claims no gap.  *Sensitivity:* with status optimal the same gap is refused."""
    asked = {"asked_gap": 1e-9, "options": {"gap": 1e-9, "seed": 0}}
    edit_json(directory / "plan.json", lambda d: d.update(status=str(Status.FALLBACK), **asked))
    reseal(directory)
    assert audit_directory(directory).ok


@pytest.mark.parametrize("seed", range(6))
def test_uneven_powers_and_quarter_hours_pass(tmp_path, seed):
    """*Proves:* odd powers, overheads and a step of 15 minutes survive writing and reading within the tolerances.

    *Sensitivity:* powers rounded container by container, or energy by step instead of hour, would be refused.
    """
    rng = np.random.default_rng(seed)
    overhead = rng.uniform(1.0, 1.2, 6)
    odd = two_containers(step_h=0.25, overhead=overhead, standby_mw=0.0123456789, surplus_mw=rng.uniform(0.5, 1.5, 6))
    on = ((0, 1, 1, 1, 1, 1), (1, 1, 1, 0, 0, 0))
    schedule = schedule_of(odd, on, np.where(on, rng.uniform(0.5, 1.0, (2, 6)), 0.0))
    found = audit_directory(write_plan(plan_of(odd, schedule, rules=()), tmp_path / "plan"))
    assert found.ok, found.violations


@pytest.mark.parametrize(
    ("day", "hour", "offsets"), [((2024, 10, 27), 2, "+02:00 +01:00"), ((2024, 3, 31), 1, "+01:00")]
)
def test_days_of_23_and_25_hours_pass(tmp_path, day, hour, offsets):
    """*Proves:* the hour that comes twice is two rows with two offsets, and the one left out is none.

    *Sensitivity:* compared by wall clock, both 02:00 would be one step and the other would be missing.
    """
    berlin = two_containers()
    time = replace(berlin.time, start=datetime(*day, tzinfo=ZoneInfo("Europe/Berlin")), zone="Europe/Berlin")
    berlin = replace(berlin, time=time)
    written = write_plan(plan_of(berlin, schedule_of(berlin)), tmp_path / "plan")
    starts = [row.split(",")[0] for row in (written / "site.csv").read_text().splitlines()[1:]]
    assert [s[-6:] for s in starts if f"T{hour:02d}:" in s] == offsets.split()
    assert starts[5].endswith("T04:00:00+01:00" if hour == 2 else "T06:00:00+02:00")
    found = audit_directory(written)
    assert found.ok, found.violations
