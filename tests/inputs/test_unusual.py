"""Values that are possible but far from usual are refused until the case names them as meant."""

from __future__ import annotations

import pytest

from flexmine.assembly import assemble
from flexmine.errors import BadInput
from flexmine.inputs.case import load_case
from flexmine.inputs.units import guess

# The plant of conftest.py: cap 4 MW, three containers of 1.3 x 1.02 = 1.326 MW, together 3.978 MW.
UNUSUAL = {
    "cap in kW": (
        "plant.yaml", "cap_mw: 4.0", "cap_mw: 4000", "plant.cap_mw",
        "plant.yaml:7:9 cap_mw: 4000 MW is far more than all containers together draw (3.978 MW); "
        "did you mean 4 MW? the value looks like kW",
    ),
    "cap in GW": (
        "plant.yaml", "cap_mw: 4.0", "cap_mw: 0.004", "plant.cap_mw",
        "plant.yaml:7:9 cap_mw: 0.004 MW is less than a single container needs to run (0.5304 MW); "
        "did you mean 4 MW? the value looks like GW",
    ),
    "feeder in kW": (
        "plant.yaml", "name: f1, cap_mw: 2.0", "name: f1, cap_mw: 2000", "plant.feeders.f1.cap_mw",
        "plant.yaml:11:24 feeders[0].cap_mw: 2000 MW is far more than its containers together draw (2.652 MW); "
        "did you mean 2 MW? the value looks like kW",
    ),
    "ramp in kW": (
        "plant.yaml", "ramp_up_mw_per_h: 2.0", "ramp_up_mw_per_h: 2000", "plant.ramp_up_mw_per_h",
        "plant.yaml:8:19 ramp_up_mw_per_h: 2000 MW is far more than all containers together draw (3.978 MW); "
        "did you mean 2 MW per hour? the value looks like kW per hour",
    ),
    "supply in kW": (
        "case.yaml", "available_mw: 3.0", "available_mw: 3000", "sources.surplus.available_mw",
        "case.yaml:12:19 sources[0].available_mw: 3000 MW is far more than the plant can draw (3.978 MW); "
        "did you mean 3 MW? the value looks like kW",
    ),
    "price in USD/kWh": (
        "case.yaml", "price_usd_per_mwh: 45.0", "price_usd_per_mwh: 0.045", "sources.grid.price_usd_per_mwh",
        "case.yaml:17:24 sources[1].price_usd_per_mwh: 0.045 is nearly nothing, and not 0; "
        "did you mean 45 USD/MWh? the value looks like USD/kWh",
    ),
    "price in cents": (
        "case.yaml", "price_usd_per_mwh: 45.0", "price_usd_per_mwh: 4500", "sources.grid.price_usd_per_mwh",
        "case.yaml:17:24 sources[1].price_usd_per_mwh: 4500 USD/MWh is beyond any market; "
        "the value looks like another currency, such as RUB/MWh, or like cents/MWh",
    ),
    "prices of a series in USD/kWh": (
        "prices.csv", "10\n2024-09-10T01:00:00+08:00,11\n2024-09-10T02:00:00+08:00,12\n2024-09-10T03:00:00+08:00,13",
        ".010\n2024-09-10T01:00:00+08:00,.011\n2024-09-10T02:00:00+08:00,.012\n2024-09-10T03:00:00+08:00,-.013",
        "sources.surplus.price_usd_per_mwh",
        "case.yaml:13:24 sources[0].price_usd_per_mwh: -0.013 (the largest value) is nearly nothing, and not 0; "
        "did you mean -13 USD/MWh? the value looks like USD/kWh",
    ),
    "carbon in kg": (
        "case.yaml", "price_usd_per_mwh: 45.0", "price_usd_per_mwh: 45.0\n    carbon_g_per_kwh: 0.45",
        "sources.grid.carbon_g_per_kwh",
        "case.yaml:18:23 sources[1].carbon_g_per_kwh: 0.45 is nearly nothing, and not 0; "
        "did you mean 450 g/kWh? the value looks like kg/kWh",
    ),
    "order in kW": (
        "case.yaml", "options: {gap: 1e-3}",
        "orders: [{name: o, cap_mw: 2000, from: 2024-09-10T01:00:00+08:00, to: 2024-09-10T02:00:00+08:00}]",
        "orders.o.cap_mw",
        "case.yaml:30:28 orders[0].cap_mw: 2000 MW is far more than the plant can draw (3.978 MW), so it curtails "
        "nothing; did you mean 2 MW? the value looks like kW",
    ),
    "initial power in kW": (
        "case.yaml", "initial_mw: 1.5", "initial_mw: 1500", "state.initial_mw",
        "case.yaml:26:15 state.initial_mw: 1500 MW is far more than all containers together draw (3.978 MW); "
        "did you mean 1.5 MW? the value looks like kW",
    ),
    "no power and running containers": (
        "case.yaml", "initial_mw: 1.5", "initial_mw: 0.3", "state.initial_mw",
        "case.yaml:26:15 state.initial_mw: 0.3 MW is far less than the 2 containers that run in this state draw "
        "(1.0608 MW)",
    ),
    "fee in percent": (
        "case.yaml", "  block_height: 860000\n", "  block_height: 860000\n  pool_fee: 0.9\n", "hash_value.pool_fee",
        "case.yaml:22:13 hash_value.pool_fee: 0.9 is a share, 90 % of the hash value: more than any pool takes; "
        "did you mean 0.009? the value looks like percent",
    ),
    "block height of another subsidy": (
        "case.yaml", "block_height: 860000", "block_height: 86000", "hash_value.block_height",
        "case.yaml:21:17 hash_value.block_height: block 86000 is far from the blocks of September 2024, about 824818",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "dotted", "says"), UNUSUAL.values(), ids=UNUSUAL.keys())
def test_an_unusual_value_is_refused_until_the_case_says_that_it_is_meant(folder, file, old, new, dotted, says):
    """Refused at its place, with a guess at the unit and with the line that accepts it; with that line it loads.

    *Proves:* a value a thousand times too large does not plan by itself, and a true one is not locked out.
    *Sensitivity:* without the check the first load succeeds; without the acknowledgement the second fails.
    """
    folder.edit(file, old, new)
    accept = f"unusual: [{dotted}]"
    with pytest.raises(BadInput) as caught:
        load_case(folder.case)
    assert caught.value.messages == [f"{says}. If it is meant as it stands, say so in the case: {accept}"]
    text = folder.case.read_text()
    folder.write("case.yaml", f"{text}{accept}\n")
    (note,) = load_case(folder.case).notes
    assert note.startswith(f"{dotted}, named as unusual but meant: ")


def test_zero_prices_and_large_dams_within_reason_are_usual(folder):
    """*Proves:* power for nothing, and 40 times what the plant draws, load as they are.

    *Sensitivity:* a check of "small" that counts 0, or a factor of 20 for supplies, would refuse them.
    """
    folder.edit("case.yaml", "price_usd_per_mwh: 45.0", "price_usd_per_mwh: 0")
    folder.edit("case.yaml", "available_mw: 3.0", "available_mw: 159")
    assert load_case(folder.case).notes == ()


def test_an_acknowledgement_of_nothing_is_refused(folder):
    """*Proves:* a misspelt key cannot silence anything unseen.  *Sensitivity:* ignoring it would hide the slip."""
    folder.edit("case.yaml", "options: {gap: 1e-3}", "unusual: [sources.surplus.available_mv]")
    with pytest.raises(BadInput, match=r"case.yaml:30:11 unusual\[0\]: .*did you mean sources.surplus.available_mw?"):
        load_case(folder.case)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("hash_rate_th_s: 22880", "hash_rate_th_s: 1144", "520000 W for 1144 TH/s is 455 J/TH; miners need 3 to 300"),
        ("it_power_mw: 0.52", "it_power_mw: 0.052", "52000 W for 22880 TH/s is 2.27 J/TH; miners need 3 to 300"),
        ("standby_mw: 0.01", "standby_mw: 0.6", "0.6 MW asleep is not below 0.52 MW, the lowest mode"),
    ],
)
def test_impossible_machines_are_refused(folder, old, new, says):
    """*Proves:* power and hash that no miner has are refused.  *Sensitivity:* each value alone is within its band."""
    folder.edit("box.yaml", old, new)
    with pytest.raises(BadInput, match=says):
        load_case(folder.case)


@pytest.mark.parametrize(
    "edit", [("btc_price_usd: 60000", "btc_price_usd: 6000000"), ("9e13", "9e10"), ("9e13", "9e16")]
)
def test_a_hash_value_beyond_all_experience_is_refused(folder, edit):
    """60,000 USD in cents, a difficulty in billions or in units of a thousandth.

    *Proves:* factors within their bands whose product cannot be.  *Sensitivity:* the unedited case assembles.
    """
    assemble(load_case(folder.case))
    folder.edit("case.yaml", *edit)
    with pytest.raises(BadInput, match=r"hash_value: a hash earns .* USD per PH/s and day, where 2 to 2000 is usual"):
        assemble(load_case(folder.case))
    folder.write("case.yaml", folder.case.read_text() + "unusual: [hash_value]\n")
    assert any("the case says that it is meant" in note for note in assemble(load_case(folder.case)).notes)


def test_a_negative_value_is_no_slip_of_the_unit():
    """*Proves:* -49 h is not taken for minutes; a price below 0 may still be one per kWh.

    *Sensitivity:* "did you mean -0.82 h?" would name a value that is refused as well.
    """
    assert guess(("horizon_h",), -49.0) == ""
    assert guess(("price_usd_per_mwh",), -0.045) == "did you mean -45 USD/MWh? the value looks like USD/kWh"
