import numpy as np
import pytest

from flexmine.physics.hash_value import (
    hash_value_from_hashprice,
    hash_value_to_party,
    hash_value_usd_per_th_s_h,
    hashprice_usd_per_ph_s_day,
    perspective_terms,
    subsidy_btc,
)

JULY_2024 = {"btc_price_usd": 57_418, "difficulty": 83.675e12, "subsidy_btc": 3.125, "fees_btc_per_block": 0.1208}


def test_published_hashprice_of_july_2024():
    """The published 44.8 USD/PH/day of July 2024 come out of price, difficulty, subsidy and fees of 4 July.

    *Proves:* the formula and its units. *Sensitivity:* without fees it is 43.14; with 2^31 it would be 89.6.
    """
    value = hash_value_usd_per_th_s_h(**JULY_2024)
    assert hashprice_usd_per_ph_s_day(value) == pytest.approx(44.81, abs=0.01)
    without = hash_value_usd_per_th_s_h(**{**JULY_2024, "fees_btc_per_block": 0.0})
    assert hashprice_usd_per_ph_s_day(without) == pytest.approx(43.14, abs=0.01)


def test_fees_multiply():
    """Pool 2 % and firmware 1 % leave 0.98 x 0.99, not 0.97.

    *Proves:* shares are taken one after the other. *Sensitivity:* a sum of shares would leave 0.97.
    """
    whole = hash_value_usd_per_th_s_h(**JULY_2024)
    net = hash_value_usd_per_th_s_h(**JULY_2024, pool_fee=0.02, firmware_fee=0.01)
    assert net / whole == pytest.approx(0.9702, abs=1e-12)


def test_retarget_is_a_step():
    """A difficulty 10 % higher from step 2 on divides the value by 1.1 from there.

    *Proves:* arrays pass through step by step. *Sensitivity:* a mean difficulty would change the first steps too.
    """
    value = hash_value_usd_per_th_s_h(57_418, np.array([1.0, 1.0, 1.1, 1.1]) * 83.675e12, 3.125, 0.0)
    assert value[1] == value[0]
    assert value[2] == pytest.approx(value[0] / 1.1)


def test_halvings():
    """Subsidies at the block before and at each halving known by date, and 0 in the end.

    *Proves:* the border belongs to the new subsidy. *Sensitivity:* `>` in place of `>=` would shift it by a block.
    """
    heights = [0, 209_999, 210_000, 839_999, 840_000, 1_050_000, 33 * 210_000, 70 * 210_000]
    assert subsidy_btc(heights).tolist() == [50, 50, 25, 6.25, 3.125, 1.5625, 0, 0]


def test_perspectives():
    """Host with 10 % of the hash and 60 USD/MWh at 30 J/TH: 0.1 v + 0.0018; the client has the rest.

    *Proves:* host and client together have the plant's hash value. *Sensitivity:* a factor of 1000 in the fee
    (kW for MW) would break both numbers.
    """
    host = perspective_terms("host", 0.1, 60.0, 30.0)
    client = perspective_terms("client", 0.1, 60.0, 30.0)
    assert host == pytest.approx((0.1, 0.0018))
    assert client == pytest.approx((0.9, -0.0018))
    assert perspective_terms("plant") == (1.0, 0.0)
    assert hash_value_to_party(0.004, *host) + hash_value_to_party(0.004, *client) == pytest.approx(0.004)


def test_client_who_would_pay_for_hashing_is_refused():
    """0.9 x 0.0015 is less than the fee of 0.0018 in step 1.

    *Proves:* a negative value is not passed on. *Sensitivity:* the same with 0.004 is accepted above.
    """
    with pytest.raises(ValueError, match="below 0, first in step 1"):
        hash_value_to_party([0.004, 0.0015], *perspective_terms("client", 0.1, 60.0, 30.0))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"difficulty": 0.0}, "difficulty: 0 is not allowed"),
        ({"pool_fee": 1.2}, "pool_fee: 1.2 is not allowed; allowed is 0 to 1"),
        ({"btc_price_usd": float("nan")}, "btc_price_usd: nan"),
        ({"fees_btc_per_block": -1.0}, "fees_btc_per_block: -1"),
    ],
)
def test_values_out_of_range_are_named(change, words):
    """*Proves:* refused by name. *Sensitivity:* the unchanged arguments are accepted above."""
    with pytest.raises(ValueError, match=words):
        hash_value_usd_per_th_s_h(**{**JULY_2024, **change})


def test_other_refusals():
    """*Proves:* half a block and an unknown party are refused. *Sensitivity:* their neighbours are accepted above."""
    with pytest.raises(ValueError, match="whole numbers"):
        subsidy_btc(0.5)
    with pytest.raises(ValueError, match="'pool' is unknown; allowed are plant, host, client"):
        perspective_terms("pool")


def test_hashprice_and_back():
    """*Proves:* both conversions are inverse. *Sensitivity:* 28.68 USD/PH/day is 0.001195 USD/TH/h by hand."""
    assert hash_value_from_hashprice(28.68) == pytest.approx(0.001195)
    assert hashprice_usd_per_ph_s_day(hash_value_from_hashprice(28.68)) == pytest.approx(28.68)
