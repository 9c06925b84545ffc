"""The mode curve of a container from its miners, and files that contradict themselves."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from flexmine.assembly import assemble
from flexmine.errors import BadInput
from flexmine.inputs.case import load_case
from flexmine.resources import shipped_names

PRESETS = [
    {"power_w": w, "hash_rate_th_s": h} for w, h in ((1300.0, 57.2), (1950.0, 79.3), (2600.0, 96.2), (3250.0, 110.0))
]


def _miners(**changes):
    return {"count": 400, "model": "s19pro", "presets": PRESETS, **changes}


def test_the_curve_follows_from_the_miners(make_case):
    """Minimum 0.3 MW: (300,000 - 10,000) W / 1275 W = 227.45, so 228 of 400 at 1300 W: 0.3007 MW, 13,041.6 TH/s.

    *Proves:* sleepers extend the curve below the lowest preset, up to the corners of the presets.
    *Sensitivity:* a curve of the presets alone begins at 0.52 MW.
    """
    made = make_case(container={"modes": [], "miners": _miners(minimum_power_mw=0.3)})
    k = assemble(made).problem.classes[0]
    assert k.it_power_mw == pytest.approx([0.3007, 0.52, 0.78, 1.04, 1.30])
    assert k.hash_rate_th_s == pytest.approx([13041.6, 22880.0, 31720.0, 38480.0, 44000.0])
    assert k.miners is not None
    assert k.miners.count == 400


@pytest.mark.parametrize(
    ("container", "text"),
    [
        # 384.3, so 385 of 400 awake at 1300 W: 385 x 57.2 = 22,022 TH/s.
        ({"miners": _miners(fixed_mw=0.02)}, "at 0.520875 MW the modes give 22910 TH/s, the best mix of the presets"),
        ({"miners": _miners(count=380)}, "the highest mode draws 1.3 MW, all miners at their highest preset 1.235 MW"),
        ({"modes": [], "miners": _miners(minimum_power_mw=0.009)}, "of 0.009 MW is not above the 0.01 MW"),
        ({"modes": [], "miners": _miners(minimum_power_mw=1.4)}, "minimum power of 1.4 MW is above the 1.3 MW"),
    ],
)  # fmt: skip
def test_a_contradiction_between_modes_and_miners_is_refused(make_case, container, text):
    """*Proves:* a curve that whole miners do not give is refused with both numbers.

    *Sensitivity:* accepted, the rounded plan would yield other hash than the plan that was proven.
    """
    with pytest.raises(BadInput, match="s19pro: ") as refused:
        assemble(make_case(container=container))
    assert text in str(refused.value)


@pytest.mark.parametrize(
    "container",
    [
        {"modes": []},
        {"miners": _miners(minimum_power_mw=0.3)},
        {"miners": {"count": 400, "model": "x", "presets": [PRESETS[1], PRESETS[0]]}},
        {"miners": _miners(presets=[{"power_w": 150.0, "hash_rate_th_s": 5.0}], sleep_w=160.0)},
    ],
)  # fmt: skip
def test_exactly_one_curve_and_a_rising_ladder(make_case, container):
    """*Proves:* no curve, two curves, a falling ladder and a preset below sleep are no container models.

    *Sensitivity:* with two curves one of them would be ignored without a word.
    """
    with pytest.raises(ValidationError):
        make_case(container=container)


def test_the_shipped_containers_agree_with_their_presets():
    """*Proves:* at every breakpoint the written curve is the envelope of the presets.

    *Sensitivity:* assembling any of them would be refused.
    """
    assert "s19pro-400" in shipped_names("containers")
    k = assemble(load_case("bratsk-day")).problem.classes[0]
    assert k.miners is not None
    watts, rates = np.array(k.miners.presets).T
    assert k.it_power_mw == pytest.approx(400 * watts / 1e6)
    assert k.hash_rate_th_s == pytest.approx(400 * rates)
