"""The finding in words, written from the data, clause by clause.

Each clause is a function of the plan that returns its words, or nothing where it has nothing true to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from flexmine.errors import first_of
from flexmine.report.facts import Bools, Facts, best_rules, clock, day_name, facts, local_edges, runs
from flexmine.report.palette import THIN, energy, money, number, percent, power
from flexmine.workflow.plan import Plan

if TYPE_CHECKING:
    from flexmine.assembly.causes import Cause

SAME = 0.005  # money nearer than this share is called the same
SHOWN_REASONS = 2
MOST_RANGES = 3  # more unbroken ranges than this are counted, not listed


def finding(plan: Plan) -> str:
    """Return the finding of a plan in a few short sentences.

    Raises
    ------
    ValueError
        The plan publishes no step.
    """
    if plan.publish_steps < 1:
        raise ValueError("the plan publishes no step")
    found = facts(plan)
    first = f"{period(plan)} the plant {energy_clause(found)}; {money_clause(found, plan)}."
    clauses = (running_clause(found, plan), limits_clause(found, plan), calendar_clause(plan))
    limits = [clause for clause in clauses if clause]
    second = sentence_case("; ".join(limits)) + "." if limits else ""
    return " ".join(s for s in (first, second, little_to_decide(found, plan)) if s)


def sentence_case(text: str) -> str:
    """Return `text` with its first letter in upper case."""
    return text[:1].upper() + text[1:]


def period(plan: Plan) -> str:
    """Return the published period in site time: a whole local day by its date, else from when to when."""
    edges = local_edges(plan.problem)
    start, end = edges[0], edges[plan.publish_steps]
    midnights = all((e.hour, e.minute) == (0, 0) for e in (start, end))
    if midnights and (end.date() - start.date()).days == 1:
        return f"On {day_name(start)}"
    return f"From {day_name(start)} {clock(start)} to {day_name(end)} {clock(end)}"


def energy_clause(found: Facts) -> str:
    """Return how much surplus and firm power is taken."""
    firm = "no firm power" if shown_zero(found.firm_mwh) else f"{energy(found.firm_mwh)} of firm power"
    if shown_zero(found.offered_mwh):
        return f"has no surplus on offer and takes {firm}"
    if shown_zero(found.taken_mwh):
        return f"takes none of {energy(found.offered_mwh)} of surplus and {firm}"
    if shown_zero(found.offered_mwh - found.taken_mwh):
        return f"takes all {energy(found.offered_mwh)} of surplus and {firm}"
    return f"takes {number(found.taken_mwh, 1)} of {energy(found.offered_mwh)} of surplus and {firm}"


def shown_zero(value_mwh: float) -> bool:
    """Return whether an energy `value_mwh` [MWh] would be shown as 0.0 MWh."""
    return abs(value_mwh) < 0.05


def money_clause(found: Facts, plan: Plan) -> str:
    """Return what is earned, and how that compares with the best simple rule."""
    if abs(found.money_usd) < 0.5:
        earned = f"it earns 0{THIN}USD"
    else:
        earned = f"it {'earns' if found.money_usd > 0 else 'loses'} {money(abs(found.money_usd))}"
    against = rule_clause(found, plan)
    return f"{earned}, {against}" if against else earned


def rule_clause(found: Facts, plan: Plan) -> str:
    """Return the comparison with the best feasible simple rule over the published part, and where it helps the rest."""
    if not plan.rules:
        return ""
    best = best_rules(plan)
    if not best:
        return "and none of the simple rules keeps all limits"
    base = max(float(r.published_money_usd or 0.0) for r in best)
    words = compare(found.money_usd, base, plan.asked_gap * abs(plan.money_usd))
    names = f"the best simple rule{'s' if len(best) > 1 else ''} ({', '.join(r.name for r in best)})"
    clause = f"{words} {'as' if words == 'the same' else 'than'} {names}"
    whole = [r.money_usd for r in best if r.money_usd is not None]
    if "less" in words.rsplit(" ", 1) and whole and plan.publish_steps < plan.problem.steps:
        over = plan.replay.money_usd - max(whole)
        if over >= 0.5:
            clause += f" in this part, but {money(over)} more over the whole look-ahead"
    return clause


def compare(value_usd: float, base_usd: float, resolution_usd: float = 0.0) -> str:
    """Return how one amount compares with another: ``18 % more``, ``120 USD less`` or ``the same``.

    Parameters
    ----------
    value_usd, base_usd : float
        The amount, and what it is compared with [USD]; percent is given of a base of at least 1 USD.
    resolution_usd : float
        What the asked gap leaves open [USD]: a smaller difference does not show which is better.
    """
    difference = value_usd - base_usd
    if abs(difference) < max(0.5, resolution_usd):
        return "the same"
    direction = "more" if difference > 0 else "less"
    if base_usd < 1.0:
        return f"{money(abs(difference))} {direction}"
    if abs(difference) <= SAME * base_usd:
        return f"{money(abs(difference))} (less than {number(100 * SAME, 1)}{THIN}%) {direction}"
    return f"{percent(abs(difference) / base_usd)} {direction}"


def running_clause(found: Facts, plan: Plan) -> str:
    """Return how many containers run, and how many start."""
    total, least, most = len(plan.schedule.containers), int(found.running.min()), int(found.running.max())
    if most == 0:
        return f"no container runs{closed_words(plan)}"
    if least == most:
        who = (
            "the container runs"
            if total == 1
            else f"all {total} containers run"
            if least == total
            else (f"{least} of {total} containers run{'s' if least == 1 else ''}")
        )
        text = f"{who} throughout"
    else:
        text = f"{least} to {most} of {total} container{'s' if total > 1 else ''} run"
    return f"{text}, {starts_words(found)}"


def starts_words(found: Facts) -> str:
    """Return how many starts there are, and of which kind."""
    total = found.warm_starts + found.cold_starts
    if total == 0:
        return "without a start"
    kind = (
        "all warm" if found.cold_starts == 0 else "all cold" if found.warm_starts == 0 else f"{found.cold_starts} cold"
    )
    if total == 1:
        kind = "warm" if found.warm_starts else "cold"
    return f"with {total} start{'s' if total > 1 else ''} ({kind})"


def closed_words(plan: Plan) -> str:
    """Return which window closes the site in the whole published part; empty where none does."""
    names = [c.text for c in plan.causes if c.code == "window" and covers(c, plan)]
    return f", because of the window {joined(names)}" if names else ""


def covers(cause: Cause, plan: Plan) -> bool:
    """Return whether a cause holds in every published step."""
    return cause.first_step == 0 and cause.last_step >= plan.publish_steps - 1


def limits_clause(found: Facts, plan: Plan) -> str:
    """Return which limits of the site bind, and when."""
    clauses, at_cap = [], found.at_cap.copy()
    for cause in plan.causes:
        in_force = steps_of(cause, found.steps)
        ordered = found.at_cap & in_force
        if cause.code == "order" and cause.class_name is None and ordered.any():
            name = cause.text if " pinned " in cause.text else f"order {cause.text}"
            binds = "" if np.array_equal(ordered, in_force) else f", of which it binds {when(ordered, plan)}"
            clauses.append(f"{name} {when(in_force, plan)}{binds}")
            at_cap &= ~ordered
    if at_cap.any():
        cap = plan.problem.site.cap_mw[: found.steps][at_cap]
        name = f"the {power(float(cap[0]))} cap" if np.ptp(cap) < 0.005 else "the cap"
        clauses.append(f"{name} binds {when(at_cap, plan)}")
    supply = found.at_supply & ~found.at_cap & found.wants_more
    if supply.any():
        clauses.append(f"all power on offer is used {when(supply, plan)}")
    if found.at_ramp.any():
        clauses.append(f"ramp limits it {moments(found.at_ramp, plan)}")
    hot = held_by(plan, "heat")
    if hot.any():
        clauses.append(f"heat limits containers {when(hot, plan)}")
    return "; ".join(clauses)


def calendar_clause(plan: Plan) -> str:
    """Return which containers are out, and which window closes a part of the horizon."""
    edges, clauses = local_edges(plan.problem), []
    names = {k.name: k.containers for k in plan.problem.classes}
    for cause in plan.causes:
        out = steps_of(cause, plan.publish_steps)
        if cause.code == "outage" and cause.class_name and len(names[cause.class_name]) == 1 and out.any():
            clauses.append(f"{names[cause.class_name][0]} is out {when(out, plan)} ({cause.text})")
        if cause.code == "window" and not covers(cause, plan):
            start, end = moment(edges[cause.first_step], edges[0]), moment(edges[cause.last_step + 1], edges[0])
            until = "" if cause.last_step == plan.problem.steps - 1 else f" until {end}"
            clauses.append(f"the window {cause.text} closes the site from {start}{until}")
    return "; ".join(clauses) if len(clauses) <= MOST_RANGES else f"{len(clauses)} outages and windows are in the plan"


def steps_of(cause: Cause, steps: int) -> Bools:
    """Return in which of the first `steps` steps a cause holds."""
    at = np.arange(steps)
    return (at >= cause.first_step) & (at <= cause.last_step)


def held_by(plan: Plan, code: str) -> Bools:
    """Return in which published steps some container that runs names `code` as its reason."""
    flags = np.zeros(plan.publish_steps, dtype=bool)
    if plan.reasons is not None:
        for on, texts in zip(plan.schedule.on, plan.reasons.text, strict=True):
            flags |= [bool(on[t]) and texts[t].partition(":")[0] == code for t in range(plan.publish_steps)]
    return flags


def when(flags: Bools, plan: Plan) -> str:
    """Return when `flags` of the published steps, shape (P,), hold: throughout, from when to when, or for how long."""
    if flags.all():
        return "throughout"
    ranges = runs(flags)
    if len(ranges) > MOST_RANGES:
        step_h = plan.problem.time.step_h
        return f"in {hours(step_h * int(flags.sum()))} of {hours(step_h * flags.size)} hours"
    edges = local_edges(plan.problem)
    return joined([f"{moment(edges[a], edges[0])}–{moment(edges[b], edges[0], last=True)}" for a, b in ranges])


def moments(flags: Bools, plan: Plan) -> str:
    """Return at which times `flags` of the published steps, shape (P,), hold; where these are many, for how long."""
    steps = np.flatnonzero(flags)
    if steps.size > 2 * MOST_RANGES:
        step_h = plan.problem.time.step_h
        return f"in {hours(step_h * steps.size)} of {hours(step_h * flags.size)} hours"
    edges = local_edges(plan.problem)
    return "at " + joined([moment(edges[t], edges[0]) for t in steps])


def hours(value_h: float) -> str:
    """Return `value_h` [h] without needless digits."""
    return f"{value_h:g}"


def moment(edge: datetime, first: datetime, last: bool = False) -> str:
    """Return a time of day, with the date where it is not on the first day.

    Parameters
    ----------
    edge, first : datetime
        Local times: the one to name, and any of the first day.
    last : bool, default False
        Whether it ends a range: midnight after the first day is then 24:00.
    """
    if last and (edge.hour, edge.minute) == (0, 0) and edge.date() == first.date() + timedelta(days=1):
        return "24:00"
    return clock(edge) if edge.date() == first.date() else f"{day_name(edge)[:-5]} {clock(edge)}"


def joined(parts: list[str]) -> str:
    """Return one or more `parts` as in ``a, b and c``."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def little_to_decide(found: Facts, plan: Plan) -> str:
    """Return that there is little to decide, and why; empty where that is not so."""
    if found.running.max() == 0:
        return ""
    if found.at_cap.all() and found.warm_starts + found.cold_starts == 0 and found.running.min() == found.running.max():
        return "This leaves little to decide."
    greedy = next((r for r in plan.rules if r.name == "greedy" and r.published_money_usd is not None), None)
    if greedy is None or greedy.published_money_usd is None or greedy.money_usd is None:
        return ""
    near = abs(found.money_usd - greedy.published_money_usd) <= SAME * abs(greedy.published_money_usd)
    if near and abs(plan.replay.money_usd - greedy.money_usd) <= SAME * abs(greedy.money_usd):
        return f"Looking ahead decides little here: the greedy rule comes within {number(100 * SAME, 1)}{THIN}%."
    return ""


def verdict(plan: Plan) -> tuple[tuple[str, bool], ...]:
    """Return the verdict line: pairs of words, and whether what they state is as it should be."""
    replay = plan.replay
    # Below a millionth of a percent it is noise of the arithmetic.
    percent = number(100 * plan.gap) if plan.gap >= 0.1 else f"{100 * plan.gap:.2g}"
    gap = f"gap {percent}{THIN}%" if plan.gap >= 1e-8 else "gap 0"
    proof = ("no gap proven", False) if plan.is_given else (gap, plan.gap <= plan.asked_gap + 1e-12)
    audit = (
        f"audit passed, {number(replay.checks)} checks"
        if not replay.violations
        else f"audit FAILED: {len(replay.violations)} of {number(replay.checks)} checks"
    )
    reasons = "; ".join(first_of(plan.because, SHOWN_REASONS, "more in the notes"))
    status = f"{plan.status}: {reasons}" if reasons else str(plan.status)
    parts = [(status, str(plan.status) == "optimal"), proof, (audit, not replay.violations)]
    if plan.preference.get("outcome") == "stopped":
        parts.append(("the search for a calmer plan ended before its proof", False))
    parts.extend((f"changed: {change}", False) for change in plan.changes)
    parts.extend((f"filled: {text}", False) for text in plan.filled)
    parts.extend((f"override: {text}", False) for text in plan.overrides)
    parts.extend((breach_words(b), False) for b in plan.breaches)
    if plan.pins is not None:
        parts.extend((text, False) for text in (*plan.pins.words, plan.pins.sentence))
    return tuple(parts)


def breach_words(breach: Mapping[str, Any]) -> str:
    """Return a `breach` of a contract in words, its cost under ``usd`` [USD] in brackets."""
    rest = ", ".join(f"{k} {v}" for k, v in breach.items() if k != "usd")
    cost = f" ({money(float(breach['usd']))})" if "usd" in breach else ""
    return f"breach: {rest}{cost}"
