"""Pins of a case by step: out of service, has to run, or a highest power of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from flexmine.assembly.equipment import Equipment
from flexmine.assembly.windows import Clock, Mask
from flexmine.inputs.case import Case
from flexmine.inputs.pins import Pin
from flexmine.physics.mode_envelope import envelope_levels
from flexmine.physics.units import W_PER_MW
from flexmine.problem import Floats, Miners

# Power that lies this little below a whole miner is binary noise.
NOISE = 1e-6


@dataclass(frozen=True, eq=False)
class Pinned:
    """What pins make of one container; arrays of shape (T,).

    Attributes
    ----------
    out, must_run : ndarray of bool
        Kept off; has to run.
    most_mw : ndarray
        Highest IT power by pins, infinity where there is none [MW].
    """

    out: Mask
    must_run: Mask
    most_mw: Floats


def pins_by_step(case: Case, clock: Clock) -> tuple[tuple[Pin, Mask], ...]:
    """Return every pin of the case with the steps that it holds in."""
    start = clock.axis.start
    return tuple((pin, clock.in_span(pin.begin or min(start, pin.until), pin.until)) for pin in case.document.pins)


def pins_of(name: str, by_step: tuple[tuple[Pin, Mask], ...]) -> Iterator[tuple[Pin, Mask]]:
    """Yield the pins of a container with their steps, from `by_step`, what :func:`pins_by_step` returns.

    Those of the whole site are included where they set on or off.
    """
    for pin, mask in by_step:
        if pin.container == name or (pin.site and pin.set is not None):
            yield pin, mask


def pinned(name: str, by_step: tuple[tuple[Pin, Mask], ...], model: Equipment) -> Pinned:
    """Return what the pins make of one container; `by_step` is what :func:`pins_by_step` returns.

    A highest power below the lowest at which the container runs keeps it off.
    """
    steps = model.overhead.size
    out, must_run, most = np.zeros(steps, dtype=bool), np.zeros(steps, dtype=bool), np.full(steps, np.inf)
    for pin, mask in pins_of(name, by_step):
        if pin.at_most_mw is not None:
            most = np.where(mask, np.minimum(most, pin.at_most_mw / model.overhead), most)
        elif pin.set == "off":
            out |= mask
        else:
            must_run |= mask
    limited = most < model.it_power_mw[-1]
    if model.miners is not None and limited.any():
        most = np.where(limited, whole_miners_below(model.miners, most), most)
    return Pinned(out | (limited & (most < model.lowest_it_power_mw)), must_run, np.where(limited, most, np.inf))


def whole_miners_below(miners: Miners, power_mw: Floats) -> Floats:
    """Return the highest IT power up to `power_mw` that whole miners draw on their envelope, both of shape (T,) [MW].

    With it, rounding to whole miners, which may exceed a highest power by part of a miner, does not exceed a pin.
    """
    watts, rates = np.array(miners.presets, dtype=np.float64).T
    levels = envelope_levels(watts, rates, miners.sleep_w)
    level_w = np.concatenate([[miners.sleep_w], watts])[levels]
    corner_mw = miners.fixed_mw + miners.count * level_w / W_PER_MW
    piece = np.clip(np.searchsorted(corner_mw, power_mw, side="right") - 1, 0, corner_mw.size - 2)
    step_mw = (np.diff(level_w) / W_PER_MW)[piece]
    whole = np.floor((power_mw - corner_mw[piece]) / step_mw + NOISE)
    return np.asarray(
        np.where(power_mw < corner_mw[0], 0.0, corner_mw[piece] + np.minimum(whole, miners.count) * step_mw)
    )
