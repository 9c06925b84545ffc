import numpy as np
import pytest

from flexmine.physics.start import mean_start_loss_h, ramp_cost_usd, stagger_duration_h


def test_stagger_of_a_container():
    """400 miners in packets of 10 every 5 s: 200 s, on average 100 s lost; a part packet takes its time too.

    *Proves:* packets are whole. *Sensitivity:* 401 miners take 205 s, not 200.5.
    """
    assert stagger_duration_h(400, 10, 5.0) * 3600 == pytest.approx(200)
    assert stagger_duration_h(401, 10, 5.0) * 3600 == pytest.approx(205)
    assert mean_start_loss_h(400, 10, 5.0, 0.0) * 3600 == pytest.approx(100)
    assert mean_start_loss_h(400, 10, 5.0, 600.0) * 3600 == pytest.approx(700)


def test_cost_by_hand():
    """700 s lost of 22,880 TH/s at 0.002 USD (45.76 USD/h), less 0.52 MW x 1.02 at 30 USD/MWh (15.912 USD/h).

    *Proves:* the power not drawn is credited. *Sensitivity:* gross it would be 8.898 USD.
    """
    terms = {"hash_value_usd_per_th_s_h": 0.002, "hash_rate_th_s": 22_880, "it_power_mw": 0.52, "overhead": 1.02}
    cost = ramp_cost_usd(700 / 3600, credit_price_usd_per_mwh=np.array([30.0, 0.0, 90.0, -10.0]), **terms)
    assert cost == pytest.approx([(45.76 - 15.912) * 700 / 3600, 8.8978, 0.0, (45.76 + 5.304) * 700 / 3600], abs=1e-4)


def test_refusals():
    """*Proves:* packets of none are refused. *Sensitivity:* packets of 10 are accepted above."""
    with pytest.raises(ValueError, match="miners_per_packet: 0 is not allowed"):
        stagger_duration_h(400, 0, 5.0)
