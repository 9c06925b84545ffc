"""What a start costs by its step, and after which time off it is of which kind."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor

import numpy as np

from flexmine.inputs.equipment import ContainerDocument
from flexmine.inputs.equipment import StartTier as TierDocument
from flexmine.physics.start import mean_start_loss_h, ramp_cost_usd
from flexmine.problem import Floats, Ints, StartTerms, StartTier

# Hours that are a whole number of steps but for binary noise.
WHOLE = 1e-9


@dataclass(frozen=True)
class Money:
    """What hash and power are worth by step, shape (T,); `credit` is the price of the cheapest source on offer."""

    hash_value_usd_per_th_s_h: Floats
    credit_price_usd_per_mwh: Floats


def start_terms(
    document: ContainerDocument,
    warm_off: Ints,
    cold_energy_mwh: Floats,
    money: Money,
    *,
    overhead: Floats,
    first_mode: tuple[float, float],
    step_h: float,
    notes: list[str],
) -> StartTerms:
    """Return the terms of a start.

    Parameters
    ----------
    document : ContainerDocument
    warm_off : ndarray of int, shape (T,)
        Longest time off after which a start is warm, by step of the stop [steps].
    cold_energy_mwh : ndarray, shape (T,)
        Preheat of a cold start at the meter, by step of the start [MWh].
    money : Money
    overhead : ndarray, shape (T,)
        Facility power per IT power.
    first_mode : tuple of float
        Lowest breakpoint of the mode curve [MW, TH/s], to which a start ramps.
    step_h : float
        Length of a step [h].
    notes : list of str
        To which is added each tier that is left out, in words.
    """
    start = document.start
    ramp = np.zeros(overhead.size)
    if start.stagger is not None:
        packets = start.stagger
        lost_h = mean_start_loss_h(
            document.miners.count, packets.miners_per_packet, packets.packet_interval_s, packets.boot_s
        )
        ramp = ramp_cost_usd(
            lost_h,
            hash_value_usd_per_th_s_h=money.hash_value_usd_per_th_s_h,
            hash_rate_th_s=first_mode[1],
            it_power_mw=first_mode[0],
            overhead=overhead,
            credit_price_usd_per_mwh=money.credit_price_usd_per_mwh,
        )
    return StartTerms(
        warm_cost_usd=start.warm_wear_usd + ramp,
        cold_cost_usd=start.cold_wear_usd + ramp,
        warm_off_steps=warm_off,
        cold_energy_mwh=cold_energy_mwh,
        tiers=_tiers(document, ramp, step_h, notes),
    )


def tiers_of(document: ContainerDocument, step_h: float) -> list[tuple[TierDocument, int]]:
    """Return the tiers between warm and cold, each with its longest time off in steps of `step_h` hours.

    A tier that ends in the same step as the one before it is left out: no start can be of it.
    """
    warm_off_h = document.start.warm_off_h
    found: list[tuple[TierDocument, int]] = []
    before = 0 if warm_off_h is None else floor(warm_off_h / step_h + WHOLE)
    for tier in document.start.tiers:
        off = floor(tier.off_h / step_h + WHOLE)
        if off > before:
            found.append((tier, off))
            before = off
    return found


def _tiers(document: ContainerDocument, ramp_usd: Floats, step_h: float, notes: list[str]) -> tuple[StartTier, ...]:
    kept, steps = tiers_of(document, step_h), ramp_usd.size
    for tier in document.start.tiers:
        if not any(tier is own for own, _ in kept):
            notes.append(
                f"{document.name}: the start tier up to {tier.off_h:g} h is left out: with steps of {step_h:g} h it "
                "ends where the one before it does"
            )
    return tuple(
        StartTier(np.full(steps, off, dtype=np.int64), tier.wear_usd + ramp_usd, np.full(steps, tier.energy_mwh))
        for tier, off in kept
    )
