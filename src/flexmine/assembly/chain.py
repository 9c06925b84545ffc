"""What changes on the block chain during the horizon: the difficulty retarget and halvings, at their expected hours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np

from flexmine.assembly.windows import Clock
from flexmine.inputs.case import Case
from flexmine.inputs.hash_value import Retarget
from flexmine.physics.chain import (
    BLOCKS_PER_RETARGET,
    TARGET_INTERVAL_S,
    block_interval_s,
    halving_heights,
    hours_to_block,
    mean_over_steps,
    next_retarget_height,
)
from flexmine.physics.hash_value import subsidy_btc
from flexmine.physics.units import SECONDS_PER_HOUR
from flexmine.problem import Floats


@dataclass(frozen=True)
class ChainEvent:
    """A change of what a hash earns, at its expected hour.

    Attributes
    ----------
    what : str
        ``retarget`` or ``halving``.
    height : int or None
        Block from which it holds; None where only the time is stated.
    hours : float
        From the start of the case [h].
    deviation_h : float or None
        Standard deviation of the hour [h]; None where the case states the time.
    rule : str
        How the hour was found, in words.
    change : float
        Of the difficulty (``retarget``) or of the subsidy (``halving``), as a share.
    """

    what: str
    height: int | None
    hours: float
    deviation_h: float | None
    rule: str
    change: float

    def document(self, clock: Clock) -> dict[str, Any]:
        """Return the event for plan.json."""
        return {
            "what": self.what,
            "height": self.height,
            "expected_at": _at(clock, self.hours),
            "deviation_h": None if self.deviation_h is None else round(self.deviation_h, 3),
            "rule": self.rule,
            "change": self.change,
        }

    def sentence(self, clock: Clock) -> str:
        """Return the event in words, for notes of plan and report."""
        where = "" if self.height is None else f" (block {self.height})"
        spread = "" if not self.deviation_h else f", give or take {self.deviation_h:.1f} h"
        when = f"at {_at(clock, self.hours)}{spread}: {self.rule}"
        if self.what == "halving":
            return f"the block subsidy halves to {subsidy_btc(self.height or 0):g} BTC{where}, expected {when}"
        if self.change == 0:
            return f"the difficulty stays as it is at its retarget{where}, expected {when}"
        verb = "rises" if self.change > 0 else "falls"
        return f"the difficulty {verb} by {100 * abs(self.change):.3g} %{where}, expected {when}"


@dataclass(frozen=True)
class Chain:
    """Rewards by step, each divided by how much harder a block has become, shape (T,) [BTC per block].

    Attributes
    ----------
    events : tuple of ChainEvent
        Within the horizon, in order.
    """

    subsidy_btc: Floats
    fees_btc: Floats
    events: tuple[ChainEvent, ...]


def chain(case: Case, clock: Clock, notes: list[str]) -> Chain:
    r"""Return what a block is worth by step, at the difficulty of the start, and describe each change in `notes`.

    Notes
    -----
    A block that has become harder by a factor :math:`D'/D` is worth that much less of today's hash, so that subsidy
    :math:`S` and fees :math:`F` of a step are the means of :math:`S\,D/D'` and :math:`F\,D/D'` over it.
    """
    steps, step_h = case.time.steps, case.time.step_h
    events = sorted(_events(case), key=lambda e: e.hours)
    inside = tuple(e for e in events if e.hours < steps * step_h)
    later = [e for e in events if e.hours >= steps * step_h]
    notes += [e.sentence(clock) for e in inside]
    notes += [f"after the horizon, and left out: {e.sentence(clock)}" for e in later]
    retarget = next((e for e in inside if e.what == "retarget"), None)
    if retarget is not None and steps * step_h - retarget.hours > BLOCKS_PER_RETARGET * _TARGET_H:
        notes.append("a second retarget within the horizon is not foreseen: the difficulty stays after the first one")
    subsidy, ease = [_subsidy_btc(case)], [1.0]
    for event in inside:
        subsidy.append(subsidy[-1] if event.what == "retarget" else float(subsidy_btc(event.height or 0)))
        ease.append(ease[-1] / (1.0 + event.change) if event.what == "retarget" else ease[-1])
    hours = [e.hours for e in inside]
    return Chain(
        subsidy_btc=mean_over_steps(np.multiply(subsidy, ease), hours, steps, step_h),
        fees_btc=case.series["hash_value.fees_btc_per_block"] * mean_over_steps(ease, hours, steps, step_h),
        events=inside,
    )


_TARGET_H = TARGET_INTERVAL_S / SECONDS_PER_HOUR


def _subsidy_btc(case: Case) -> float:
    terms = case.document.hash_value
    if terms.block_height is None:
        assert terms.subsidy_btc is not None
        return terms.subsidy_btc
    return float(subsidy_btc(terms.block_height))


def _events(case: Case) -> list[ChainEvent]:
    """Return the next retarget, and the halvings that can fall into the horizon."""
    terms = case.document.hash_value
    change = None if terms.next_retarget is None else terms.next_retarget.expected_change
    difficulty = float(case.series["hash_value.difficulty"][0])
    interval_s = block_interval_s(difficulty, terms.network_hash_rate_eh_s, change)
    rule = _rule(terms.network_hash_rate_eh_s, change, interval_s)
    retarget = None if terms.next_retarget is None else _retarget(case, terms.next_retarget, interval_s, rule)
    if terms.block_height is None:
        return [] if retarget is None else [retarget]
    horizon_s = case.time.steps * case.time.step_h * SECONDS_PER_HOUR
    last = terms.block_height + horizon_s / min(interval_s, TARGET_INTERVAL_S)
    halvings = [
        _halving(h, terms.block_height, interval_s, rule, retarget) for h in halving_heights(terms.block_height, last)
    ]
    return [*halvings, *([] if retarget is None else [retarget])]


def _rule(network_hash_rate_eh_s: float | None, change: float | None, interval_s: float) -> str:
    if network_hash_rate_eh_s is not None:
        return f"a block every {interval_s:.0f} s, by the difficulty and the network's {network_hash_rate_eh_s:g} EH/s"
    if change is not None:
        return f"a block every {interval_s:.0f} s, as the expected change of {100 * change:+.3g} % implies"
    return f"a block every {interval_s:.0f} s"


def _retarget(case: Case, stated: Retarget, interval_s: float, rule: str) -> ChainEvent:
    now = case.document.hash_value.block_height
    height = stated.height if now is None else next_retarget_height(now)
    if stated.at is not None:
        hours = (stated.at - case.time.start) / timedelta(hours=1)
        return ChainEvent("retarget", height, hours, None, "the time that the case states", stated.expected_change)
    assert now is not None and height is not None
    hours, deviation_h = hours_to_block(height, now, interval_s)
    return ChainEvent(
        "retarget", height, hours, deviation_h, f"{height - now} blocks to go, {rule}", stated.expected_change
    )


def _halving(height: int, now: int, interval_s: float, rule: str, retarget: ChainEvent | None) -> ChainEvent:
    """Return a halving; after the retarget, which brings the interval back to it, a block comes every 600 s."""
    hours, deviation_h = hours_to_block(height, now, interval_s)
    if retarget is not None and retarget.height is not None and height > retarget.height:
        hours = retarget.hours + hours_to_block(height, retarget.height, TARGET_INTERVAL_S)[0]
    return ChainEvent("halving", height, hours, deviation_h, f"{height - now} blocks to go, {rule}", -0.5)


def _at(clock: Clock, hours: float) -> str:
    moment = clock.begins[0] + timedelta(minutes=round(60 * hours))
    return moment.astimezone(clock.zone).isoformat(timespec="minutes")
