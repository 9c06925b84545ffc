"""The codes of the column `reason`, and which of them a container can have where it stands; no solver is used here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flexmine.problem import ContainerClass, Floats, Problem
from flexmine.problem.limits import LIMITS


@dataclass(frozen=True)
class ReasonCode:
    """A code of the column `reason`, and the words for it.

    Attributes
    ----------
    chart : str
        In a chart, beside the hours.
    words : str
        In a sentence that says what keeps a container off or on, or sets its power; empty: sentences of its own.
    keeps_on, keeps_out : bool
        Whether it can keep a container on that would stop, or keep one from running at all.
    """

    chart: str
    words: str = ""
    keeps_on: bool = False
    keeps_out: bool = False


CODES: dict[str, ReasonCode] = {
    "price": ReasonCode("price", "the price"),
    "surplus": ReasonCode("all surplus used", "the surplus"),
    "cap": ReasonCode("site cap", "the site cap"),
    "feeder": ReasonCode("feeder cap", "the feeder"),
    "ramp_up": ReasonCode("ramp up", "the ramp up"),
    "ramp_down": ReasonCode("ramp down", "the ramp down"),
    "minimum_up": ReasonCode("minimum time on", "the minimum up time", keeps_on=True),
    "minimum_down": ReasonCode("minimum time off", "the minimum down time", keeps_on=True),
    "start_cost": ReasonCode("start cost", "the cost of a start", keeps_on=True),
    "start_limit": ReasonCode("starts per day", "the limit on starts", keeps_on=True),
    "preheat": ReasonCode("preheating", "the preheat of a cold start", keeps_on=True),
    "heat": ReasonCode("heat or cold", "the temperature", keeps_out=True),
    "outage": ReasonCode("outage", "an outage", keeps_out=True),
    "window": ReasonCode("window", "a window", keeps_out=True),
    "order": ReasonCode("order", "a curtailment order"),
    "must_run": ReasonCode("must run", "an obligation to run", keeps_on=True),
    "contract": ReasonCode("contract", "a contract", keeps_on=True),
    "terminal": ReasonCode("end of horizon", "the value of running in the last step", keeps_on=True),
    "tie": ReasonCode("good either way"),
    "full": ReasonCode("full power"),
}
WRITTEN = re.compile(r"([a-z_]+)(: .+)?")
# A rounded container is within two miners of the power that the model chose; without miners, within some watts.
POWER_SLACK_MW = 1e-5


def code_of(reason: str) -> str:
    """Return the code of a `reason` written as ``code`` or ``code: text``."""
    return reason.split(":", 1)[0]


def text_of(reason: str) -> str:
    """Return the text of a `reason` written as ``code: text``; empty where it has none."""
    return reason.partition(": ")[2]


def unfit(
    problem: Problem, reason: np.ndarray, state: np.ndarray, it_power_mw: Floats, causes: Iterable[Any]
) -> Iterator[tuple[int, int, str]]:
    """Yield (container, step, what is wrong) for every reason whose code is unknown or contradicts its place.

    Parameters
    ----------
    problem : Problem
    reason, state : ndarray of str, shape (containers, T)
        As written.  A plan may leave all reasons empty; then there is nothing to check.
    it_power_mw : ndarray, shape (containers, T)
        IT power of each container [MW].
    causes : iterable
        As plan.json lists them.
    """
    if not (reason != "").any():
        return
    ordered = _ordered(problem, causes)
    for i, (_, k) in enumerate(problem.containers):
        fits = _fits(problem, k, state[i] == "on", it_power_mw[i], ordered)
        for t in range(problem.steps):
            match = WRITTEN.fullmatch(reason[i, t])
            code = match.group(1) if match else ""
            if code not in CODES:
                yield i, t, f"{reason[i, t]!r} is written; a code of the list is expected, then optionally ': text'."
            elif (state[i, t] == "out" and not CODES[code].keeps_out) or not fits[code][t]:
                power = f" at {it_power_mw[i, t]:.6f} MW" if state[i, t] == "on" else ""
                yield i, t, f"{code!r} is written, which does not fit a container that is {state[i, t]}{power} there."


def _fits(
    problem: Problem, k: ContainerClass, on: NDArray[np.bool_], it_power_mw: Floats, ordered: NDArray[np.bool_]
) -> Mapping[str, NDArray[np.bool_]]:
    """Return by code in which steps a container of a class could have it, shape (T,)."""
    always = np.ones(problem.steps, dtype=bool)
    slack = POWER_SLACK_MW
    if k.miners is not None:
        slack += 2e-6 * max(watts for watts, _ in k.miners.presets)
    # Who runs is one question for all classes: a limit, a cost or the heat of one of them may hold another.
    classes = problem.classes
    costs = any(
        c.start.warm_cost_usd.any() or c.start.cold_cost_usd.any() or any(g.cost_usd.any() for g in c.start.tiers)
        for c in classes
    )
    heats = any(
        c.start.cold_energy_mwh.any() or any(g.preheated for g in c.start.tiers) or c.preheat_steps for c in classes
    )
    # A limit can be the reason where the container is under it, or where it says who of another class runs.
    under = {
        code
        for limit in LIMITS
        if limit.present(problem)
        for who in limit.members(problem)
        if limit.over == "class" or limit.concerns(problem, who, k.name)
        for code in limit.reasons_of(problem, who)
    }
    return {
        **{code: always & (code in under) for code in CODES},
        "price": always,
        "start_cost": always & costs,
        "preheat": always & heats,
        "heat": _limited(k) | (~on & any(_limited(c).any() for c in classes)),
        # Off in a step in which it could run, because it could not run through the steps around it.
        "outage": ~on & ("outage" in under),
        "window": ~on & (k.available < k.count),
        "order": ordered,
        "must_run": on & (k.must_run > 0),
        "terminal": always & any(c.terminal_on_usd != 0 for c in classes),
        "tie": always,
        "full": on & (it_power_mw >= k.highest_it_power_mw - slack),
    }


def _limited(k: ContainerClass) -> NDArray[np.bool_]:
    """Return in which steps heat or cold narrows what a container of a class may draw, shape (T,)."""
    return np.asarray((k.highest_it_power_mw < k.it_power_mw[-1]) | (k.lowest_it_power_mw > k.it_power_mw[0]))


def _ordered(problem: Problem, causes: Iterable[Any]) -> NDArray[np.bool_]:
    """Return in which steps plan.json names an order, shape (T,)."""
    ordered = np.zeros(problem.steps, dtype=bool)
    for cause in causes:
        if not isinstance(cause, dict) or cause.get("code") != "order":
            continue
        first, last = cause.get("first_step"), cause.get("last_step")
        if isinstance(first, int) and isinstance(last, int) and 0 <= first <= last:
            ordered[first : last + 1] = True
    return ordered
