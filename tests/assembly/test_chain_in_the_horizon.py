"""Retarget and halving inside the horizon: steps of the hash value at their expected hours."""

import numpy as np
import pytest
from pydantic import ValidationError

from assembly.conftest import CASE
from flexmine.assembly import assemble
from flexmine.inputs.explain import explain
from flexmine.inputs.schema import CaseDocument
from flexmine.workflow.document import plan_document
from flexmine.workflow.plan_case import plan_case

HASH = {key: value for key, value in CASE["hash_value"].items() if key != "subsidy_btc"}


def with_chain(retarget=None, **terms):
    """Return the part of a case in which 30 blocks are missing to the retarget of block 860,832."""
    chosen = {**HASH, "block_height": 860_802, **terms}
    return {"hash_value": chosen if retarget is None else {**chosen, "next_retarget": retarget}}


def relative_value(make_case, case, **series):
    """Return the hash value by step, divided by that of the first step."""
    value = assemble(make_case(case, **series)).problem.classes[0].hash_value_usd_per_th_s_h
    return value / value[0]


def test_a_retarget_is_a_step_at_its_expected_hour(make_case):
    """25 % up: 30 blocks of 480 s take 4 h; from step 4 on a hash earns 1 / 1.25 = 0.8 of before.

    *Proves:* hour and height of the step.  *Sensitivity:* at 600 s a block it would come after 5 h.
    """
    result = assemble(make_case(with_chain({"expected_change": 0.25})))
    value = result.problem.classes[0].hash_value_usd_per_th_s_h
    assert value / value[0] == pytest.approx([1.0] * 4 + [0.8] * 8)
    assert result.btc_per_th_s_h / result.btc_per_th_s_h[0] == pytest.approx([1.0] * 4 + [0.8] * 8)
    assert result.notes == (
        "the difficulty rises by 25 % (block 860832), expected at 2024-09-10T04:00+08:00, give or take 0.7 h: "
        "30 blocks to go, a block every 480 s, as the expected change of +25 % implies",
    )


def test_a_retarget_within_a_step_is_weighted_by_time(make_case):
    """20 % down: 30 blocks of 750 s take 6.25 h; step 6 earns 0.25 + 0.75 x 1.25 = 1.1875 of before, then 1.25.

    *Proves:* the mean of the hash value over the step.  *Sensitivity:* the mean of the difficulty, 0.85, would give
    1 / 0.85 = 1.1765; a change at the next step only would give 1.
    """
    value = relative_value(make_case, with_chain({"expected_change": -0.2, "height": 860_832}))
    assert value[5:8] == pytest.approx([1.0, 1.1875, 1.25])


def test_a_stated_time_comes_before_the_expected_one(make_case):
    """*Proves:* `at` decides, with or without heights.  *Sensitivity:* by the blocks it would come after 4 h."""
    at = {"expected_change": 0.25, "at": "2024-09-09T18:30:00Z"}  # 02:30 of the site
    stated = assemble(make_case(with_chain(at)))
    value = stated.problem.classes[0].hash_value_usd_per_th_s_h
    assert value / value[0] == pytest.approx([1.0, 1.0, 0.9] + [0.8] * 9)
    assert "expected at 2024-09-10T02:30+08:00: the time that the case states" in stated.notes[0]
    no_height = {"hash_value": {**CASE["hash_value"], "next_retarget": at}}
    assert relative_value(make_case, no_height) == pytest.approx([1.0, 1.0, 0.9] + [0.8] * 9)


def test_the_networks_hash_rate_decides_how_fast_blocks_come(make_case):
    """At twice the hash rate that 600 s need, 30 blocks take 2.5 h, whatever change is expected.

    *Proves:* difficulty and hash rate give the interval.  *Sensitivity:* the expected change alone gives 4 h.
    """
    rate = 2 * HASH["difficulty"] * 2**32 / 600 / 1e18
    value = relative_value(make_case, with_chain({"expected_change": 0.25}, network_hash_rate_eh_s=rate))
    assert value == pytest.approx([1.0, 1.0, 0.9] + [0.8] * 9)


def test_a_retarget_after_the_horizon_changes_nothing(make_case):
    """*Proves:* it is told and left out.  *Sensitivity:* 30 blocks to go instead of 130 change step 4."""
    far = assemble(make_case(with_chain({"expected_change": 0.25}, block_height=860_702)))
    value = far.problem.classes[0].hash_value_usd_per_th_s_h
    assert len(set(value.tolist())) == 1
    assert far.notes[0].startswith("after the horizon, and left out: the difficulty rises by 25 %")
    assert far.chain == ()


def test_halving_and_retarget_in_one_block(make_case):
    """Block 1,260,000 is the first at which both fall together: 40 blocks of 625 s are 6.94 h; fees do not halve.

    *Proves:* subsidy and difficulty change together, in the midst of step 6.
    *Sensitivity:* with one of the two alone the last value would be 0.52 or 1.04 of the first.
    """
    terms = {"block_height": 1_259_960, "fees_btc_per_block": 0.0}
    value = relative_value(make_case, with_chain({"expected_change": -0.04}, **terms))
    share = 1 - 40 * 625 / 3600 % 1
    last = 0.5 / 0.96
    assert value[[5, 6, 7]] == pytest.approx([1.0, 1.0 + share * (last - 1.0), last])


def test_a_series_of_difficulties_needs_no_retarget(make_case):
    """*Proves:* a series passes through step by step.  *Sensitivity:* its mean would change the first step."""
    values = HASH["difficulty"] * np.array([1.0] * 6 + [1.25] * 6)
    case = with_chain()
    assert relative_value(make_case, case, hash_value__difficulty=values) == pytest.approx([1.0] * 6 + [0.8] * 6)


def test_the_plan_stops_where_the_difficulty_makes_hashing_a_loss(make_case):
    """Firm power at 60 USD/MWh: before the retarget minimum power earns 42.7 - 32.4 USD an hour, after it, with
    60 % more difficulty, 26.7 - 32.4; so the containers run for 6 hours and then stop.

    *Proves:* the step reaches the plan, plan.json and its notes.
    *Sensitivity:* without the retarget the containers run through.
    """
    sources = [{"name": "grid", "kind": "firm", "available_mw": 10.0, "price_usd_per_mwh": 60.0}]
    state = {"initial_mw": None, "default": {"on": True, "hours": 10.0, "it_power_mw": 0.52}}
    case = {"sources": sources, "state": state, "terminal_on_usd": 0.0}
    retarget = {"expected_change": 0.6, "at": "2024-09-10T06:00:00+08:00"}
    plan = plan_case(make_case({**case, **with_chain(retarget)}, {"ramp_down_mw_per_h": None}))
    assert plan.schedule.on.sum(axis=0).tolist() == [6] * 6 + [0] * 6
    (event,) = plan_document(plan, {})["chain"]
    assert (event["what"], event["height"], event["change"]) == ("retarget", 860_832, 0.6)
    assert event["expected_at"] == "2024-09-10T06:00+08:00"
    assert any("the difficulty rises by 60 %" in note for note in plan.notes)
    through = plan_case(make_case({**case, **with_chain()}))
    assert through.schedule.on.sum(axis=0).tolist() == [6] * 12


@pytest.mark.parametrize(
    ("retarget", "terms", "says"),
    [
        (
            {"expected_change": 3.6},
            {},
            "at most 0.6 (a share: 0.05 is 5 %); did you mean 0.036?",
        ),
        (
            {"expected_change": 0.1, "height": 860_833},
            {},
            "next_retarget.height: 860833 is not allowed; a mult",
        ),
        (
            {"expected_change": 0.1, "height": 862_848},
            {},
            "is not the next retarget after block 860802; that is 8608",
        ),
        ({"expected_change": 0.1, "at": "2024-09-10T00:00:00+08:00"}, {}, "is not after the start"),
        ({"expected_change": 0.1}, {"block_height": None, "subsidy_btc": 3.125}, "needs at, its expected time"),
        (None, {"block_height": None, "subsidy_btc": 3.125, "network_hash_rate_eh_s": 600.0}, "needs block_height"),
        ({"expected_change": 0.1}, {"difficulty": {"file": "d.csv", "column": "d"}}, "the difficulty is a series"),
    ],
)
def test_what_contradicts_itself_is_refused(retarget, terms, says):
    """*Proves:* each contradiction is named.  *Sensitivity:* the cases above, one key apart, are accepted."""
    with pytest.raises(ValidationError) as caught:
        CaseDocument.model_validate({**CASE, **with_chain(retarget, **terms)})
    told = [f"{'.'.join(map(str, f.keys))}: {f.message}" for f in explain(caught.value, CaseDocument)]
    assert any(says in sentence for sentence in told), told
