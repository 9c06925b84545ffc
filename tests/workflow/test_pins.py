"""Pins of an operator: kept to the watt, told, priced by a plan without them, and named where they leave no plan."""

import numpy as np
import pytest

from flexmine.assembly import assemble
from flexmine.audit.directory import audit_directory
from flexmine.errors import BadInput, Infeasible
from flexmine.inputs.case import load_case
from flexmine.output import write_plan
from flexmine.solving.phases import Phases
from flexmine.workflow.document import plan_document
from flexmine.workflow.plan_case import plan_case
from shell import edited

MIDNIGHT, SIX, NOON = (f"2024-09-10T{h:02d}:00:00+08:00" for h in (0, 6, 12))
BY = "by: N. Petrova, why: fan 3 rattles"


def case(folder, *pins, name="bratsk-day", replace=()):
    """A shipped case with pins, each the inside of a YAML mapping."""
    lines = "".join(f"  - {{{pin}}}\n" for pin in pins)
    file = edited(folder, name, ("horizon_h: 48", "horizon_h: 24"), *replace)
    file.write_text(file.read_text(encoding="utf-8") + f"pins:\n{lines}", encoding="utf-8")
    return file


def planned(folder, *pins, **how):
    return plan_case(load_case(case(folder, *pins, **how)))


def row(plan, name):
    return [n for n, _ in plan.problem.containers].index(name)


def test_container_off_on_and_at_most(tmp_path):
    """*Proves:* C07 is off until 12:00 and C08 on; C09 stays within 0.7 MW at the meter, whole miners included; the
    plan passes its audit from files and lists the three. *Sensitivity:* without pins C07 runs and C09 draws more.
    """
    plan = planned(
        tmp_path,
        f"container: C07, set: off, until: {NOON}, {BY}",
        f"container: C08, set: on, from: {SIX}, until: {NOON}, {BY}",
        f"container: C09, at_most_mw: 0.7, until: {NOON}, {BY}",
        name="bratsk-day-measured",
        replace=[("horizon_h: 24", "horizon_h: 13"), ("publish_h: 24", "publish_h: 13")],
    )
    assert not plan.schedule.on[row(plan, "C07"), :12].any()
    assert plan.schedule.on[row(plan, "C08"), 6:12].all()
    pinned = plan.replay.facility_power_mw[row(plan, "C09"), :12]
    assert 0.69 < pinned.max() <= 0.7
    assert plan.replay.facility_power_mw[:, :12].max() > 0.75
    write_plan(plan, tmp_path / "day", Phases(), report=False)
    assert audit_directory(tmp_path / "day").violations == ()
    words = plan_document(plan, {})["pins"]["pins"]
    assert words[0] == "C07 pinned off until 2024-09-10T12:00+08:00 by N. Petrova: fan 3 rattles"
    assert [w.split(" until")[0] for w in words] == [
        "C07 pinned off",
        "C08 pinned on from 2024-09-10T06:00+08:00",
        "C09 pinned at most 0.7 MW",
    ]
    reasons = plan.reasons.text
    assert reasons[row(plan, "C07")][3].startswith("outage: C07 pinned off")
    assert any(r.startswith("order: C09 pinned at most 0.7 MW") for r in reasons[row(plan, "C09")][:12])


def test_site_pins(tmp_path):
    """*Proves:* the site at most 6 MW until 06:00, off until 12:00 after that, with every container off; the words
    stand in the reasons.  *Sensitivity:* a pin that reached only some containers would leave power above standby.
    """
    plan = planned(
        tmp_path,
        f"site: true, at_most_mw: 6.0, until: {SIX}, {BY}",
        f"site: true, set: off, from: {SIX}, until: {NOON}, {BY}",
        replace=[("initial_mw: 7.43", "initial_mw: null")],
    )
    power = plan.replay.site_power_mw
    assert power[:6].max() <= 6.0
    assert power[:5].min() > 5.0
    np.testing.assert_allclose(power[6:12], 0.14)
    assert plan.reasons.text[0][0].startswith("order: the site pinned at most 6 MW")
    assert plan.reasons.text[0][7].startswith("outage: the site pinned off")


def test_cost_is_that_of_the_plan_without(tmp_path):
    """*Proves:* the cost is the difference to the same case without pins, and the true difference lies in the stated
    range; a pin that asks for what the plan does anyway costs nothing beyond the gaps.  *Sensitivity:* a cost taken
    from the same plan would be 0 for both.
    """
    plan = planned(tmp_path, f"site: true, at_most_mw: 6.0, until: {NOON}, {BY}")
    free = planned(tmp_path, "container: C01, at_most_mw: 2.0, until: 2024-09-10T12:00:00+08:00, " + BY)
    account = plan.pins
    assert account.cost_usd > 100.0
    assert account.least_usd <= account.cost_usd <= account.most_usd
    assert account.cost_usd == pytest.approx(free.money_usd - plan.money_usd, abs=1e-4 * free.money_usd)
    assert abs(free.pins.cost_usd) <= 1e-4 * free.money_usd
    assert "cost of the pin over the horizon" in account.sentence


def test_power_below_the_lowest_keeps_a_container_off(tmp_path):
    """*Proves:* at most 0.3 MW, below the 0.52 MW at which a container runs, is off, and the reason says so.

    *Sensitivity:* as an upper limit of power alone it would read as heat.
    """
    plan = planned(tmp_path, f"container: C03, at_most_mw: 0.3, until: {NOON}, {BY}")
    assert not plan.schedule.on[row(plan, "C03"), :12].any()
    assert plan.reasons.text[row(plan, "C03")][2].startswith("outage: C03 pinned at most 0.3 MW")


def test_pin_releases_a_minimum_up_time(tmp_path):
    """*Proves:* a container in its first hours goes off at once when it is pinned off, and the override is told with
    the pin.  *Sensitivity:* an obligation that went before the pin would leave no plan.
    """
    young = ("default: {on: true, hours: 10,", "default: {on: true, hours: 1,")
    plan = planned(tmp_path, f"container: C01, set: off, until: {NOON}, {BY}", replace=[young])
    assert not plan.schedule.on[row(plan, "C01"), 0]
    assert any("C01: its minimum up time" in o and "by N. Petrova" in o for o in plan.overrides)


CONFLICTS = {
    "on and off": (
        [f"container: C01, set: on, until: {NOON}, {BY}", f"container: C01, set: off, until: {SIX}, by: O, why: w"],
        "2 pins together leave no plan: C01 pinned on until 2024-09-10T12:00+08:00 by N. Petrova: fan 3 rattles; and "
        "C01 pinned off until 2024-09-10T06:00+08:00 by O: w. Without any one of them there is one",
    ),
    "only the one that matters": (
        [
            f"container: C02, set: off, until: {NOON}, {BY}",
            f"site: true, at_most_mw: 0.05, until: {NOON}, by: O, why: w",
            f"container: C03, at_most_mw: 1.0, until: {NOON}, {BY}",
        ],
        "a pin leaves no plan: the site pinned at most 0.05 MW until 2024-09-10T12:00+08:00 by O: w. Without it there "
        "is one",
    ),
}


@pytest.mark.parametrize("name", CONFLICTS)
def test_pins_that_leave_no_plan_are_named(tmp_path, name):
    """*Proves:* exactly the pins that conflict are named, then the limits in words.  *Sensitivity:* naming all pins
    would name C02 and C03 too.
    """
    pins, words = CONFLICTS[name]
    with pytest.raises(Infeasible) as error:
        planned(tmp_path, *pins)
    assert error.value.messages[0] == words
    assert len(error.value.messages) > 1


def test_pins_are_not_blamed_for_other_conflicts(tmp_path):
    """*Proves:* where there is no plan without the pin either, it is not named.  *Sensitivity:* a message about pins
    wherever there are some.
    """
    with pytest.raises(Infeasible) as error:
        planned(
            tmp_path, f"container: C02, set: off, until: {NOON}, {BY}", replace=[("initial_mw: 7.43", "initial_mw: 40")]
        )
    assert not any("pin" in m.split() for m in error.value.messages)


@pytest.mark.parametrize(
    ("pin", "words"),
    [
        (
            f"container: C99, set: off, until: {NOON}, {BY}",
            r"pins\[0\]\.container: C99 is not a container of the plant",
        ),
        (f"set: off, until: {NOON}, {BY}", r"pins\[0\]: exactly one says what is pinned"),
        (f"container: C01, set: off, at_most_mw: 1.0, until: {NOON}, {BY}", r"exactly one says to what"),
        (f"container: C01, set: off, from: {NOON}, until: {SIX}, {BY}", r"pins\[0\]\.until: .* is not after from"),
        (f"container: C01, set: slow, until: {NOON}, {BY}", r"pins\[0\]\.set: "),
        (f"container: C01, set: off, until: {NOON}, by: X", r"pins\[0\]\.why: "),
        (f"container: C01, at_most_mw: -1, until: {NOON}, {BY}", r"pins\[0\]\.at_most_mw: "),
        (f"container: C01, set: off, {BY}", r"pins\[0\]\.until: "),
    ],
)
def test_wrong_pins_are_refused_with_their_place(tmp_path, pin, words):
    with pytest.raises(BadInput, match=r"case\.yaml:\d+:\d+ " + words if words.startswith("pins") else words):
        load_case(case(tmp_path, pin))


def test_pin_outside_the_horizon_is_told(tmp_path):
    """*Proves:* an expired pin changes nothing and is noted.  *Sensitivity:* silence would hide a stale file."""
    notes = assemble(load_case(case(tmp_path, f"container: C01, set: off, until: {MIDNIGHT}, {BY}"))).notes
    assert any(n.startswith("pin of C01 to off by N. Petrova") and n.endswith("has no effect") for n in notes)
