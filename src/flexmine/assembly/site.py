"""Sources, limits of the site and the value of a hash, by step."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from math import floor

import numpy as np

from flexmine.assembly.chain import Chain
from flexmine.assembly.fleet import Container, Limits
from flexmine.assembly.outside import Entry, doubts
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

LONGEST_MONTH_DAYS = 31
USUAL_HASHPRICE_USD_PER_PH_S_DAY = (2.0, 2000.0)
"""28 to 120 in 2024 to 2026, some 2,000 in December 2017; a factor of 100 beside today's values leaves the band."""


def sources(case: Case, notes: list[str]) -> tuple[Source, ...]:
    """Return the sources; the price is that of energy plus the network tariff.

    For a hosting client every price is 0, and a sentence that says so is added to `notes`.
    """
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
    cheapest: Floats = np.where(on_offer, prices, np.inf).min(axis=0)
    return cheapest


def hash_value(case: Case, chain: Chain, notes: list[str]) -> Floats:
    """Return the hash value to the party whose money counts, shape (T,) [USD per TH/s per h].

    To `notes` are added the terms of a party other than the plant, and an unusual value that the case accepts.

    Raises
    ------
    BadInput
        Where it falls below 0, or is beyond what is usual and the case does not accept it under `unusual`.
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
    """Refuse a hash value beyond what is usual, unless the case accepts it; one of its factors is in another unit."""
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


def energy_limits(case: Case, clock: Clock, drawable_mw: Floats, notes: list[str]) -> tuple[EnergyLimit, ...]:
    """Return the limits of energy for the part of each period that lies in the horizon; a step counts where it begins.

    Parameters
    ----------
    case : Case
    clock : Clock
    drawable_mw : ndarray, shape (T,)
        Cap of the site, or the most that its containers draw, where that is less [MW].
    notes : list of str
        To which is added what has no effect, and what is left for hours after the horizon.

    Raises
    ------
    BadInput
        Where the energy taken so far is missing for a period that has begun, or stated for one that has not; or where
        no step begins in a period.
    """
    document, found, wrong = case.document, [], []
    given, span = document.state.energy_taken_mwh, (clock.begins[0], clock.begins[-1])
    step = timedelta(hours=clock.axis.step_h)
    for keys, text in amounts_out_of_place(document.energy_limits, given, *span, step=step, zone=clock.zone):
        wrong.append(f"{'.'.join(map(str, keys))}: {text}")
    once = [Entry(e.name, e.begin, e.end) for e in document.energy_limits if e.begin is not None and e.end is not None]
    doubt = dict(zip((entry.what for entry in once), doubts(once, clock), strict=True))
    for limit in document.energy_limits:
        for name, begin, until in periods(limit, *span, clock.zone):
            inside = [t for t, b in enumerate(clock.begins[:-1]) if begin <= b < until]
            if not inside and begin < span[1] and until > span[0] + step:
                wrong.append(f"energy limit {name}: no step begins in its time; a step belongs to where it begins")
            elif not inside:
                notes.append(
                    f"energy limit {name} lies outside the horizon{doubt.get(limit.name, '')} and has no effect"
                )
            else:
                after_h = max(0.0, (until - span[1]) / timedelta(hours=1))
                still_mwh = after_h * _later_mw(case, limit, drawable_mw)
                part = EnergyLimit(name, limit.source, inside[0], len(inside), taken_mwh=given.get(name, 0.0))
                hours = len(inside) * clock.axis.step_h, after_h
                found.append(_of_the_horizon(limit, part, hours, still_mwh, notes))
    known = {limit.name for limit in document.energy_limits}
    # Of a limit that is known it is of a period that is over: whoever carries amounts from plan to plan hands it on.
    for name in sorted(n for n in given if n.partition("/")[0] not in known):
        notes.append(f"state.energy_taken_mwh: {name} is of no energy limit of this case and has no effect")
    if wrong:
        raise BadInput(wrong)
    return tuple(found)


def _of_the_horizon(
    limit: EnergyLimitEntry, part: EnergyLimit, hours: tuple[float, float], still_mwh: float, notes: list[str]
) -> EnergyLimit:
    """Return what has to, and may, be taken by the end of the horizon of a period that may go on after it.

    `at_least_mwh` is lowered by what can still be taken afterwards.  Of what is left of `at_most_mwh` an even pace
    keeps the share of the hours after the horizon, a reserve that a plan gives up before it fails.  `hours` are those
    of the period in the horizon and after it [h].
    """
    inside_h, after_h = hours
    name, taken, rest = part.name, part.taken_mwh, f"{after_h:g} h of its period lie after the horizon"
    least, most, kept = limit.at_least_mwh, limit.at_most_mwh, 0.0
    if least is not None and after_h > 0.0:
        least = round(max(0.0, least - still_mwh), DECIMALS)
        notes.append(
            f"energy limit {name}: {rest}, in which up to {still_mwh:.3f} MWh could be taken; of its "
            f"{limit.at_least_mwh:g} MWh {least:.3f} MWh have to be taken before"
        )
    if most is not None and taken > most:
        notes.append(f"energy limit {name}: {taken:g} of its {most:g} MWh are taken already; no more is taken")
        most = taken
    elif most is not None and limit.pace == "even" and after_h > 0.0:
        paced = max(taken + (most - taken) * inside_h / (inside_h + after_h), least or 0.0)
        kept = floor((most - paced) * 10**DECIMALS) / 10**DECIMALS
        notes.append(
            f"energy limit {name}: {rest}; of its {most:g} MWh {kept:.3f} MWh are kept for them (pace: even; none "
            "keeps nothing)"
        )
        most = round(most - kept, DECIMALS)
    if least is not None and most is not None and least <= taken:
        least = None
    return replace(part, at_least_mwh=least, at_most_mwh=most, kept_mwh=kept)


def _later_mw(case: Case, limit: EnergyLimitEntry, drawable_mw: Floats) -> float:
    """Return the mean power that can be taken after the horizon [MW]: as within it, and within other limits."""
    mean_mw = float(np.minimum(_offered_mw(case, limit.source), drawable_mw).mean())
    rates = [
        other.at_most_mwh / (24.0 if other.over == "day" else 24.0 * LONGEST_MONTH_DAYS)
        for other in case.document.energy_limits
        if other is not limit and other.over and other.at_most_mwh is not None and other.source in (None, limit.source)
    ]
    return min([mean_mw, *rates])


def _offered_mw(case: Case, source: str | None) -> Floats:
    names = [s.name for s in case.document.sources if source in (None, s.name)]
    return np.asarray(np.sum([case.series[f"sources.{name}.available_mw"] for name in names], axis=0))


def site(case: Case, clock: Clock, held: Limits, groups: dict[str, list[Container]]) -> Site:
    """Return the limits of the whole site; `groups` are the containers by class name."""
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
