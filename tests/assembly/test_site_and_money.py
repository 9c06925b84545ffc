import numpy as np
import pytest

from flexmine.assembly import assemble
from flexmine.errors import BadInput

HASH = {
    "btc_price_usd": 57418.0,
    "difficulty": 83.675e12,
    "fees_btc_per_block": 0.1208,
    "pool_fee": 0.0,
    "firmware_fee": 0.0,
}
HOSTING = {"host_hash_share": 0.1, "hosting_fee_usd_per_mwh": 40.0, "contracted_efficiency_j_per_th": 30.0}


def _value(**given):
    return {"hash_value": {**HASH, "subsidy_btc": 3.125, **given}}


def test_site(make_case):
    """*Proves:* ramps per step, base load, minimum, days. *Sensitivity:* half-hour steps halve the ramps."""
    site = assemble(make_case({"step_minutes": 30}, minimum_mw=0.5)).problem.site
    assert (site.ramp_up_mw_per_step, site.ramp_down_mw_per_step) == (2.0, 1.0)
    assert site.base_load_mw.tolist() == [0.1] * 24
    assert site.minimum_mw.tolist() == [0.5] * 24
    assert site.initial_mw == 0.0
    assert site.rounding_reserve_mw == 0.0
    free = assemble(make_case(plant={"ramp_up_mw_per_h": None})).problem.site
    assert free.ramp_up_mw_per_step is None
    assert free.minimum_mw.tolist() == [0.0] * 12


def test_network_tariff_is_added(make_case):
    """*Proves:* price plus tariff by step. *Sensitivity:* without tariff it is the price, as for the surplus."""
    tariff = np.where(np.arange(12) < 6, 5.0, 9.0)
    surplus, grid = assemble(make_case(sources__grid__network_tariff_usd_per_mwh=tariff)).problem.sources
    assert grid.price_usd_per_mwh[[0, 11]].tolist() == [50.0, 54.0]
    assert surplus.price_usd_per_mwh.tolist() == [10.0] * 12
    assert (surplus.kind, grid.kind) == ("surplus", "firm")


def test_orders_and_overlap(make_case):
    """Two orders over a quarter of an hour each: the lower cap holds in every step that they touch.

    *Proves:* the least of cap and orders. *Sensitivity:* by its beginning, the step of 03:00 would be free.
    """
    orders = [
        {"name": "a", "cap_mw": 6.0, "from": "2024-09-10T03:45:00+08:00", "to": "2024-09-10T05:00:00+08:00"},
        {"name": "b", "cap_mw": 4.0, "from": "2024-09-10T04:00:00+08:00", "to": "2024-09-10T04:15:00+08:00"},
        {"name": "c", "cap_mw": 12.0, "from": "2024-09-10T06:00:00+08:00", "to": "2024-09-10T07:00:00+08:00"},
    ]
    cap = assemble(make_case({"orders": orders})).problem.site.cap_mw
    assert cap.tolist() == [10.0] * 3 + [6.0, 4.0] + [10.0] * 7


def test_hash_value_of_a_known_day(make_case):
    """*Proves:* 44.81 USD/PH/day arrive in the problem. *Sensitivity:* a pool fee of 2 % takes 2 %."""
    whole = assemble(make_case(_value())).problem.classes[0].hash_value_usd_per_th_s_h
    assert whole * 24_000 == pytest.approx(np.full(12, 44.81), abs=0.01)
    net = assemble(make_case(_value(pool_fee=0.02))).problem.classes[0].hash_value_usd_per_th_s_h
    assert net == pytest.approx(0.98 * whole)


def test_halving_inside_the_horizon(make_case):
    """At height 1,049,970, 30 blocks before a halving, it comes after 5 h.

    *Proves:* six blocks an hour, the subsidy halves in step 5. *Sensitivity:* a height 100 blocks lower keeps it.
    """
    hash_value = {**HASH, "fees_btc_per_block": 0.0, "block_height": 1_049_970}
    result = assemble(make_case({"hash_value": hash_value}))
    value = result.problem.classes[0].hash_value_usd_per_th_s_h
    assert value[5] == pytest.approx(value[4] / 2)
    assert any(
        "halves to 1.5625 BTC (block 1050000), expected at 2024-09-10T05:00+08:00" in note for note in result.notes
    )
    assert len(set(value[:5].tolist())) == 1
    before = assemble(make_case({"hash_value": {**hash_value, "block_height": 1_049_870}}))
    assert before.notes == ()


def test_host_and_client(make_case):
    """Host: 10 % of the hash and 40 USD/MWh at 30 J/TH, power paid. Client: the rest, power free.

    *Proves:* both add up to the plant's hash value. *Sensitivity:* plant has neither note nor adder.
    """
    plant, host, client = (
        assemble(make_case(_value(**({} if who == "plant" else HOSTING), perspective=who)))
        for who in ("plant", "host", "client")
    )
    values = [r.problem.classes[0].hash_value_usd_per_th_s_h for r in (plant, host, client)]
    assert values[1] == pytest.approx(0.1 * values[0] + 0.0012)
    assert values[1] + values[2] == pytest.approx(values[0])
    assert [float(r.problem.sources[1].price_usd_per_mwh[0]) for r in (plant, host, client)] == [45.0, 45.0, 0.0]
    assert plant.notes == ()
    assert any("every source has the price 0" in note for note in client.notes)
    with pytest.raises(BadInput, match="perspective client: the hash value to this party falls to"):
        assemble(make_case(_value(**{**HOSTING, "hosting_fee_usd_per_mwh": 200.0}, perspective="client")))


@pytest.mark.parametrize(("case", "worth"), [({}, 15.0), ({"horizon_h": 36.0}, 0.0), ({"terminal_on_usd": 7.0}, 7.0)])
def test_terminal_value(make_case, case, worth):
    """*Proves:* given, else the warm start saved, on short horizons only. *Sensitivity:* three different numbers."""
    assert assemble(make_case(case)).problem.classes[0].terminal_on_usd == worth


def test_days_and_starts_per_day(make_case):
    """*Proves:* the day changes at midnight of the site. *Sensitivity:* by UTC it would change at 08:00."""
    problem = assemble(make_case({"start": "2024-09-10T20:00:00+08:00", "max_starts_per_day": 2})).problem
    assert problem.site.day_of_step.tolist() == [0] * 4 + [1] * 8
    assert problem.classes[0].max_starts_per_day == 2


def test_miners_and_temperature_pass_through(make_case):
    """*Proves:* presets arrive for the rounding. *Sensitivity:* without presets there are no miners."""
    miners = {
        "count": 400,
        "model": "s19pro",
        "presets": [{"power_w": 1300.0, "hash_rate_th_s": 57.2}],
        "sleep_w": 25.0,
        "fixed_mw": 0.004,
        "minimum_power_mw": 0.4,
    }
    result = assemble(make_case(container={"miners": miners, "modes": []}, temperature_c=-7.0))
    found = result.problem.classes[0].miners
    assert (found.count, found.presets, found.sleep_w, found.fixed_mw) == (400, ((1300.0, 57.2),), 25.0, 0.004)
    assert result.temperature_c.tolist() == [-7.0] * 12
    assert assemble(make_case()).problem.classes[0].miners is None
