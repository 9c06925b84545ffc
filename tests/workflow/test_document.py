"""plan.json: every number of the hand-worked plant, and the same bytes for the same plan."""

from __future__ import annotations

import json
import math

import pytest

from audit_plants import plan_of, schedule_of, two_containers
from flexmine.errors import Status
from flexmine.workflow.document import document_text, plan_document, totals


def document(**changes):
    problem = two_containers(terminal_on_usd=2.0)
    return plan_document(plan_of(problem, schedule_of(problem), **changes), {"site.csv": "ab"})


def test_money_proof_and_totals_by_hand():
    """*Proves:* whole horizon and published part, from the table in audit_plants; terminal value in money alone.

    *Sensitivity:* the published part ends before the warm start: 1 start of 2, 19.05 USD of 82.10.
    """
    found = document()
    assert found["schema"] == "flexmine-plan/1"
    assert found["status"] == "optimal"
    assert found["money_usd"] == pytest.approx(82.10)
    assert found["rounded_money_usd"] == pytest.approx(82.10)
    assert found["terminal_usd"] == 2.0
    assert found["gap"] == pytest.approx(0.004 / 82.10)
    assert found["totals"] == {
        "energy_mwh": 3.105,
        "surplus_taken_mwh": 2.995,
        "surplus_left_mwh": 3.005,
        "surplus_offered_mwh": 6.0,
        "surplus_mwh": 2.995,
        "grid_mwh": 0.11,
        "hash_th": 95_000 * 3600.0,
        "hash_revenue_usd": 190.0,
        "energy_cost_usd": 34.9,
        "start_cost_usd": 75.0,
        "starts_warm": 1,
        "starts_cold": 1,
        "container_hours_on": 4.0,
    }
    published = found["published"]
    assert published["money_usd"] == pytest.approx(-0.2 - 25.6 + 45.05 - 0.2)
    assert (published["starts_warm"], published["starts_cold"], published["container_hours_on"]) == (0, 1, 2.0)
    assert found["horizon"] == {
        "start": "2024-09-10T00:00:00+08:00",
        "steps": 6,
        "step_h": 1.0,
        "zone": "Asia/Irkutsk",
        "publish_steps": 4,
    }


def test_rules_and_break_even():
    """*Proves:* a rule that cannot keep a limit has no money and says why; prices of the published steps.

    *Sensitivity:* the look-ahead steps are not listed.
    """
    found = document()
    assert found["rules"] == [
        {
            "name": "threshold",
            "feasible": True,
            "money_usd": 12.5,
            "published_money_usd": 3.5,
            "violations": [],
        },
        {
            "name": "always on",
            "feasible": False,
            "money_usd": None,
            "published_money_usd": None,
            "violations": ["cap: the site at 03:00: too much."],
        },
    ]
    assert found["break_even"] == [
        {
            "class": "box",
            "average_usd_per_mwh": [54.5455] * 4,  # 60 USD/h at 1.1 MW
            "gentlest_usd_per_mwh": [74.0741] * 4,  # 40 USD/h at 0.55 MW, 0.01 of which standing by would draw too
            "marginal_usd_per_mwh": [[74.0741] * 4, [36.3636] * 4],  # 20 USD/h more at 0.55 MW more
        }
    ]


def test_half_hour_steps():
    """*Proves:* energy, hash and hours are by time and not by step.  *Sensitivity:* all half of the hourly plant."""
    problem = two_containers(step_h=0.5)
    found = totals(plan_of(problem, schedule_of(problem)), 6)
    assert (found["energy_mwh"], found["hash_th"], found["container_hours_on"]) == (1.5525, 95_000 * 1800.0, 2.0)


def test_the_text_is_json_without_infinity_and_always_the_same():
    """*Proves:* an unknown bound stands as null; same plan, same bytes.  *Sensitivity:* Infinity is not JSON."""
    one = document(status=Status.FALLBACK, bound_usd=math.inf, gap=math.inf)
    text = document_text(one)
    assert text == document_text(document(status=Status.FALLBACK, bound_usd=math.inf, gap=math.inf))
    read = json.loads(text)
    assert (read["status"], read["bound_usd"], read["gap"], read["seed"]) == ("fallback", None, None, 0)
    assert text.endswith("}\n")
