"""Sources, limits of the site and the value of a hash, by step."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from flexmine.assembly.chain import Chain
from flexmine.assembly.fleet import Container, Limits
from flexmine.assembly.pins import pins_by_step
from flexmine.assembly.windows import Clock
from flexmine.errors import BadInput
from flexmine.inputs.case import Case
from flexmine.inputs.energy import amounts_out_of_place, periods
from flexmine.inputs.schema import EnergyLimit as EnergyLimitEntry
from flexmine.physics.hash_value import (
    hash_value_to_party,
    hash_value_usd_per_th_s_h,
    hashprice_usd_per_ph_s_day,
    perspective_terms,
)
from flexmine.problem import EnergyLimit, Floats, Group, Ints, Site, Source
from flexmine.problem.limits import DECIMALS

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


def energy_limits(case: Case, clock: Clock, cap_mw: Floats, notes: list[str]) -> tuple[EnergyLimit, ...]:
    """Return the limits of energy for the part of each period that lies in the horizon; a step counts where it begins.

    Raises
    ------
    BadInput
        It is not said what a period that has begun has taken, or of one that has not, something is said.
    """
    document, found = case.document, []
    given, span = document.state.energy_taken_mwh, (clock.begins[0], clock.begins[-1])
    if wrong := amounts_out_of_place(document.energy_limits, given, *span, clock.zone):
        raise BadInput([f"{'.'.join(map(str, keys))}: {text}" for keys, text in wrong])
    for limit in document.energy_limits:
        for name, begin, until in periods(limit, *span, clock.zone):
            inside = [t for t, b in enumerate(clock.begins[:-1]) if begin <= b < until]
            if not inside:
                notes.append(f"energy limit {name} lies outside the horizon and has no effect")
                continue
            taken, after_h = given.get(name, 0.0), max(0.0, (until - clock.begins[-1]) / timedelta(hours=1))
            still_mwh = after_h * float(np.minimum(_offered_mw(case, limit.source), cap_mw).mean())
            least, most = _of_the_horizon(limit, taken, len(inside) * clock.axis.step_h, after_h, still_mwh)
            rest = f"energy limit {name}: {after_h:g} h of its period lie after the horizon"
            if limit.at_least_mwh is not None and after_h > 0.0:
                notes.append(
                    f"{rest}, in which up to {still_mwh:.3f} MWh could be taken; of its {limit.at_least_mwh:g} MWh "
                    f"{least or 0.0:.3f} MWh have to be taken before"
                )
            if limit.at_most_mwh is not None and most != limit.at_most_mwh:
                notes.append(
                    f"{rest}; of its {limit.at_most_mwh:g} MWh at most {most:.3f} MWh may be taken before (pace: even; "
                    "none spends them as soon as it pays)"
                )
            found.append(EnergyLimit(name, limit.source, inside[0], len(inside), least, most, taken))
    known = {limit.name for limit in document.energy_limits}
    # Of a limit that is known it is of a period that is over: whoever carries amounts from plan to plan hands it on.
    for name in sorted(n for n in given if n.partition("/")[0] not in known):
        notes.append(f"state.energy_taken_mwh: {name} is of no energy limit of this case and has no effect")
    return tuple(found)


def _of_the_horizon(
    limit: EnergyLimitEntry, taken_mwh: float, inside_h: float, after_h: float, still_mwh: float
) -> tuple[float | None, float | None]:
    """Return what has to, and may, be taken by the end of the horizon of a period that may go on after it [MWh].

    `at_least_mwh` is lowered by what can still be taken afterwards, at the mean of what is on offer in the horizon.
    What is left of `at_most_mwh` is spent evenly by the hours left, or as soon as it pays.
    """
    least, most = limit.at_least_mwh, limit.at_most_mwh
    if least is not None:
        least = max(0.0, least - still_mwh)
    if most is not None and limit.pace == "even" and most > taken_mwh:
        most = max(taken_mwh + (most - taken_mwh) * inside_h / (inside_h + after_h), least or 0.0)
    if least is not None and most is not None and least <= taken_mwh:
        least = None
    return None if least is None else round(least, DECIMALS), None if most is None else round(most, DECIMALS)


def _offered_mw(case: Case, source: str | None) -> Floats:
    names = [s.name for s in case.document.sources if source in (None, s.name)]
    return np.asarray(np.sum([case.series[f"sources.{name}.available_mw"] for name in names], axis=0))


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
        energy_limits=energy_limits(case, clock, held.cap_mw, notes),
    )
