"""Sources, limits of the site and the value of a hash, by step."""

from __future__ import annotations

import numpy as np

from flexmine.assembly.chain import Chain
from flexmine.assembly.fleet import Container, Limits
from flexmine.assembly.pins import pins_by_step
from flexmine.assembly.windows import Clock
from flexmine.errors import BadInput
from flexmine.inputs.case import Case
from flexmine.physics.hash_value import (
    hash_value_to_party,
    hash_value_usd_per_th_s_h,
    hashprice_usd_per_ph_s_day,
    perspective_terms,
)
from flexmine.problem import Floats, Group, Ints, Site, Source

USUAL_HASHPRICE_USD_PER_PH_S_DAY = (2.0, 2000.0)
"""28 to 120 in 2024 to 2026, some 2,000 in December 2017; a factor of 100 beside today's values leaves the band."""


def sources(case: Case, notes: list[str]) -> tuple[Source, ...]:
    """Return the sources; the price is that of energy plus the network tariff, 0 for a hosting client."""
    series, steps = case.series, case.time.steps
    for_client = case.document.hash_value.perspective == "client"
    if for_client:
        notes.append("perspective client: the host pays the power, so every source has the price 0 in this plan")
    found = []
    for entry in case.document.sources:
        key = f"sources.{entry.name}"
        price = series[f"{key}.price_usd_per_mwh"] + series[f"{key}.network_tariff_usd_per_mwh"]
        carbon = series.get(f"{key}.carbon_g_per_kwh")
        found.append(
            Source(
                name=entry.name,
                kind=entry.kind,
                available_mw=series[f"{key}.available_mw"],
                price_usd_per_mwh=np.zeros(steps) if for_client else price,
                carbon_g_per_kwh=carbon,
                headroom_mw=series.get(f"{key}.headroom_mw"),
            )
        )
    return tuple(found)


def cheapest_price_usd_per_mwh(offered: tuple[Source, ...]) -> Floats:
    """Return the price of the cheapest source on offer by step, shape (T,); where none offers any, of all."""
    prices = np.array([s.price_usd_per_mwh for s in offered])
    on_offer = np.array([s.available_mw for s in offered]) > 0
    on_offer |= ~on_offer.any(axis=0)
    return np.where(on_offer, prices, np.inf).min(axis=0)


def hash_value(case: Case, chain: Chain, notes: list[str]) -> Floats:
    """Return the hash value to the party whose money counts, shape (T,) [USD per TH/s per h].

    Raises
    ------
    BadInput
        Where it falls below 0.
    """
    terms = case.document.hash_value
    value = hash_value_usd_per_th_s_h(
        case.series["hash_value.btc_price_usd"],
        case.series["hash_value.difficulty"],
        chain.subsidy_btc,
        chain.fees_btc,
        pool_fee=terms.pool_fee,
        firmware_fee=terms.firmware_fee,
    )
    _refuse_unusual(case, value, notes)
    if terms.perspective == "plant":
        return value
    factor, adder = perspective_terms(
        terms.perspective,
        host_hash_share=terms.host_hash_share or 0.0,
        hosting_fee_usd_per_mwh=terms.hosting_fee_usd_per_mwh or 0.0,
        contracted_j_per_th=terms.contracted_efficiency_j_per_th or 0.0,
    )
    notes.append(
        f"perspective {terms.perspective}: {factor:g} of the hash value, {adder:+.3g} USD per TH/s and hour for hosting"
    )
    try:
        return hash_value_to_party(value, factor, adder)
    except ValueError as error:
        raise BadInput(f"hash_value, perspective {terms.perspective}: {error}") from error


def _refuse_unusual(case: Case, value: Floats, notes: list[str]) -> None:
    """Refuse a hash value beyond all experience, unless the case names it as meant.

    Raises
    ------
    BadInput
        One of its factors is in another unit.
    """
    prices = hashprice_usd_per_ph_s_day(value)
    low, high = USUAL_HASHPRICE_USD_PER_PH_S_DAY
    if prices.min() >= low and prices.max() <= high:
        return
    worst = float(prices.min() if prices.min() < low else prices.max())
    text = (
        f"hash_value: a hash earns {worst:.4g} USD per PH/s and day, where {low:g} to {high:g} is usual; one of "
        "btc_price_usd, difficulty, subsidy_btc, fees_btc_per_block, pool_fee and firmware_fee is in another unit"
    )
    if "hash_value" not in case.document.unusual:
        raise BadInput(f"{text}. If it is meant as it stands, say so in the case: unusual: [hash_value]")
    notes.append(f"{text}; the case says that it is meant")


def btc_per_th_s_h(case: Case, chain: Chain) -> Floats:
    """Return the bitcoin that a hash rate is expected to mine, before fees of pool and firmware, shape (T,)."""
    one = np.ones(case.time.steps)
    return hash_value_usd_per_th_s_h(one, case.series["hash_value.difficulty"], chain.subsidy_btc, chain.fees_btc)


def limits(case: Case, clock: Clock) -> Limits:
    """Return windows, orders, counts and the cap by step."""
    document, steps = case.document, case.time.steps
    orders = {o.name: clock.in_span(o.begin, o.end) for o in document.orders}
    cap = np.full(steps, case.plant.cap_mw)
    for order in document.orders:
        cap = np.where(orders[order.name], np.minimum(cap, order.cap_mw), cap)
    for pin, mask in pins_by_step(case, clock):
        if pin.site and pin.at_most_mw is not None:
            orders[pin.words] = mask
            cap = np.where(mask, np.minimum(cap, pin.at_most_mw), cap)
    counts: dict[str, Ints] = {}
    for entry in document.available:
        most = sum(group.model == entry.model for group in case.plant.group_of.values())
        limit = counts.setdefault(entry.model, np.full(steps, most, dtype=np.int64))
        held = clock.in_span(entry.begin, entry.end)
        counts[entry.model] = np.where(held, np.minimum(limit, entry.count), limit)
    return Limits(
        windows={w.name: clock.in_window(w) for w in document.windows},
        orders=orders,
        counts=counts,
        cap_mw=cap,
        base_load_mw=np.full(steps, case.plant.base_load_mw),
    )


def site(case: Case, clock: Clock, held: Limits, groups: dict[str, list[Container]], notes: list[str]) -> Site:
    """Return the limits of the whole site."""
    step_h, plant = case.time.step_h, case.plant
    up, down = plant.ramp_up_mw_per_h, plant.ramp_down_mw_per_h
    feeders = tuple(
        Group(f.name, f.cap_mw, tuple(name for name, members in groups.items() if members[0].feeder == f.name))
        for f in plant.feeders
    )
    return Site(
        cap_mw=held.cap_mw,
        base_load_mw=held.base_load_mw,
        minimum_mw=case.series.get("minimum_mw", np.zeros(case.time.steps)),
        ramp_up_mw_per_step=None if up is None else up * step_h,
        ramp_down_mw_per_step=None if down is None else down * step_h,
        initial_mw=case.document.state.initial_mw,
        groups=feeders,
        day_of_step=clock.day_of_step,
    )
