"""What modes and looking ahead bring, in money and in words."""

import pytest

import flexmine
from flexmine.baselines.value_of_planning import ValueOfPlanning


@pytest.mark.parametrize(
    ("kind", "modes", "ahead", "words"),
    [
        (ValueOfPlanning(1000.0, 700.0, 950.0), 300.0, 50.0, ("Modes bring 300 USD", "Looking ahead brings 50 USD")),
        (ValueOfPlanning(1000.0, 999.5, 1000.0), 0.5, 0.0, ("Modes bring nothing", "nothing to gain by looking ahead")),
        (ValueOfPlanning(1000.0, None, None), None, None, ("What modes bring is not known", "breaks a hard limit")),
        (ValueOfPlanning(-5.0, -50.0, -5.0), 45.0, 0.0, ("Modes bring 45 USD", "nothing to gain")),
    ],
)
def test_split_by_hand(kind, modes, ahead, words):
    """*Proves:* both parts and the plain words.  *Sensitivity:* parts swapped, or a boast on a flat day, fail."""
    assert kind.modes_usd == modes
    assert kind.look_ahead_usd == ahead
    for word in words:
        assert word in kind.sentence


def test_shipped_days_are_of_two_kinds():
    """The flat day has nothing to gain by looking ahead, the shaped day has; modes bring over 40 % of the on/off money.

    *Proves:* the report can tell the two apart.  *Sensitivity:* without the split both days look alike.
    """
    flat = flexmine.plan(flexmine.load_case("bratsk-day")).day_kind
    shaped = flexmine.plan(flexmine.load_case("bratsk-shaped")).day_kind
    assert "nothing to gain by looking ahead" in flat.sentence
    assert shaped.look_ahead_usd > 0.01 * shaped.money_usd
    assert flat.modes_usd > 0.4 * flat.full_power_usd
