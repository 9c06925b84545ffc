"""Why a container does what it does at a time, in two sentences, from a written plan alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from flexmine.audit.plan_files import PlanTables, read_plan, refuse_altered
from flexmine.audit.reason_codes import CODES, code_of, text_of
from flexmine.errors import BadInput
from flexmine.explain.break_even import gentle_break_even_usd_per_mwh, harder_break_even_usd_per_mwh
from flexmine.moments import NO_TIME, NoTime, read_time
from flexmine.problem import ContainerClass, Problem, TimeAxis
from flexmine.problem.limits import Limit, worth_something

CLOCK = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")
SHOWN_NAMES = 20
ROOM_MW = 1e-3


@dataclass(frozen=True)
class Explanation:
    """What a container does in a step, why, and what it would take to change it.

    Attributes
    ----------
    what, change : str
        One sentence each.
    facts : mapping
        The same for machines: times, state, power, code, text, break-even, price, values of one more MW.
    """

    what: str
    change: str
    facts: Mapping[str, Any]


def explain(directory: Path, container: str, at: str) -> Explanation:
    """Explain one container at one time, from problem.json, setpoints.csv, site.csv and plan.json.

    Parameters
    ----------
    directory : Path
        Directory of the plan.
    container : str
        Name of the container.
    at : str
        ``03:00`` in site time (the first such hour of the horizon), or an ISO time; without an offset it is site time.

    Raises
    ------
    BadInput
        The plan was altered, cannot be read or holds no reasons, or the container or time is not in it; the message
        names those that are.
    """
    refuse_altered(directory)
    document, problem, tables = read_plan(directory)
    names = [name for name, _ in problem.containers]
    if container not in names:
        raise BadInput(f"container {container!r} is not in the plan; it has {_listed(sorted(names))}")
    t, row = _step(problem, at), names.index(container)
    reason = str(tables.setpoint_text["reason"][row, t])
    if code_of(reason) not in CODES:
        raise BadInput(f"{directory}: the plan holds no reason for {container} at {problem.time.begin(t).isoformat()}")
    k = problem.containers[row][1]
    state, power = str(tables.setpoint_text["state"][row, t]), float(tables.setpoint_numbers["it_power_mw"][row, t])
    spent = _spent(problem, document, t)
    facts = _prices(problem, tables, k, t, on_mw=power if state == "on" else None, spent=spent)
    facts = {
        "container": container,
        "interval_start": problem.time.begin(t).isoformat(),
        "interval_end": problem.time.begin(t + 1).isoformat(),
        "state": state,
        "it_power_mw": power,
        "reason": code_of(reason),
        "text": text_of(reason),
        **facts,
        "one_more_mw_usd": _values(problem, document, k, t),
        "filled": _filled(document, t),
    }
    return Explanation(_what(problem, facts, t), _change(problem, k, facts, t), facts)


def _step(problem: Problem, at: str) -> int:
    """Return the step that a time lies in."""
    time = problem.time
    begins = [time.begin(t) for t in range(problem.steps + 1)]
    horizon = f"the plan reaches from {begins[0].isoformat()} to {begins[-1].isoformat()}"
    clock = CLOCK.fullmatch(at.strip())
    if clock:
        wanted = timedelta(hours=int(clock.group(1)), minutes=int(clock.group(2)))
        for t, begin in enumerate(begins[:-1]):
            since = timedelta(hours=begin.hour, minutes=begin.minute)
            if since <= wanted < since + timedelta(hours=time.step_h):
                return t
        raise BadInput(f"time {at!r} is not in the plan; {horizon}")
    try:
        moment = read_time(at.strip())
    except NoTime as error:
        wrong = "is neither HH:MM nor an ISO 8601 time" if error.what == NO_TIME else error.what
        raise BadInput(f"time {at!r} {wrong}; {horizon}") from error
    if moment.utcoffset() is None:
        moment = moment.replace(tzinfo=ZoneInfo(time.zone))
    step = int((moment.astimezone(UTC) - begins[0].astimezone(UTC)) // timedelta(hours=time.step_h))
    if not 0 <= step < problem.steps:
        raise BadInput(f"time {at!r} is not in the plan; {horizon}")
    return step


def _prices(
    problem: Problem, tables: PlanTables, k: ContainerClass, t: int, *, on_mw: float | None, spent: set[str | None]
) -> dict[str, Any]:
    """Return the break-even and the price of the next MWh in a step; nothing is left to take of what is `spent`."""
    room = [
        s
        for s in problem.sources
        if s.available_mw[t] - tables.site_numbers[f"{s.name}_mw"][t] > ROOM_MW and s.name not in spent
    ]
    source = min(room, key=lambda s: float(s.price_usd_per_mwh[t]), default=None)
    slack = ROOM_MW if k.miners is None else 2e-6 * max(watts for watts, _ in k.miners.presets)
    if on_mw is None:
        break_even = gentle_break_even_usd_per_mwh(k, t)
    else:
        break_even = harder_break_even_usd_per_mwh(k, t, on_mw, slack)
    return {
        "break_even_usd_per_mwh": None if break_even is None else round(break_even, 4),
        "next_source": None if source is None else source.name,
        "next_price_usd_per_mwh": None if source is None else round(float(source.price_usd_per_mwh[t]), 4),
    }


def _values(problem: Problem, document: Mapping[str, Any], k: ContainerClass, t: int) -> dict[str, float]:
    """Return what one more MW of each limit that applies to the class is worth in a step, by the limit's words."""
    values = document.get("marginal_values")
    if not isinstance(values, dict):
        return {}
    found: dict[str, tuple[Any, int]] = {}
    for limit in worth_something():
        for who in limit.members(problem):
            series = _series(values, limit, problem, who)
            for effect in limit.effects if limit.concerns(problem, who, k.name) else ():
                when = "" if len(limit.effects) == 1 else " after it" if effect.after else " into it"
                found[f"{limit.more.format(who=who)}{when}"] = series, t + effect.after
    return {
        words: float(series[step])
        for words, (series, step) in found.items()
        if isinstance(series, list) and step < len(series)
    }


def _series(values: Mapping[str, Any], limit: Limit, problem: Problem, who: str) -> Any:
    """Return the values by step of one more unit of a limit, as plan.json has them; None where it has none."""
    of_key = values.get(limit.key_of(problem, who))
    return of_key if limit.over == "site" else of_key.get(who) if isinstance(of_key, dict) else None


def _spent(problem: Problem, document: Mapping[str, Any], t: int) -> set[str | None]:
    """Return the sources of which a limit over a period leaves no more to take in a step."""
    values = document.get("marginal_values")
    return {
        limit.about(problem, who)
        for limit in worth_something()
        if limit.window == "period" and not limit.least and isinstance(values, dict)
        for who in limit.members(problem)
        if (series := _series(values, limit, problem, who)) is not None and (series[t] or 0.0) > 0
    }


def _filled(document: Mapping[str, Any], t: int) -> list[str]:
    """Return which series were filled in for a step, and by which policy."""
    spans = document.get("filled")
    return [
        f"{entry['series']} ({entry['policy']})"
        for entry in (spans if isinstance(spans, list) else [])
        if entry["first_step"] <= t < entry["first_step"] + entry["steps"]
    ]


def span(time: TimeAxis, t: int) -> str:
    """Return when a step is, in site time; an hour that a clock shows twice is given with its offset."""
    begin, end = time.begin(t), time.begin(t + 1)
    twice = begin.replace(fold=0).utcoffset() != begin.replace(fold=1).utcoffset()
    which = f" ({begin.isoformat()[-6:]})" if twice else ""
    return f"from {begin:%H:%M} to {end:%H:%M}{which} on {begin:%a} {begin.day} {begin:%b %Y}"


def _what(problem: Problem, facts: Mapping[str, Any], t: int) -> str:
    when = span(problem.time, t)
    state, code, text = facts["state"], facts["reason"], facts["text"]
    does = {"on": f"runs at {facts['it_power_mw']:.3f} MW of IT power", "off": "is off", "out": "cannot run"}[state]
    return f"{facts['container']} {does} {when}: {_why(state, code, text)}{f' ({text})' if text else ''}."


def _why(state: str, code: str, text: str) -> str:
    if state == "out":
        return CODES[code].words
    if code == "full":
        return "this is its highest power"
    if code == "tie":
        return "several limits or equal choices hold it there" if state == "on" else "several limits hold it off"
    if state == "off":
        return f"{CODES[code].words} keeps it off"
    kept_on = CODES[code].keeps_on and (code != "contract" or "alone" in text)
    return f"{CODES[code].words} {'keeps it on' if kept_on else 'sets its power'}"


def _change(problem: Problem, k: ContainerClass, facts: Mapping[str, Any], t: int) -> str:
    parts = []
    if facts["state"] == "out":
        again = [u for u in range(t, problem.steps) if k.runnable[u] > 0]
        parts.append(f"it can run again from {problem.time.begin(again[0]):%a %H:%M}" if again else "it stays so")
    even, source = facts["break_even_usd_per_mwh"], facts["next_source"]
    what = "running it harder" if facts["state"] == "on" else "running it gently"
    price = f"the next MWh, from {source}, costs {facts['next_price_usd_per_mwh']:.2f}" if source else ""
    if even is None:
        parts.append(f"it cannot run harder; {price} USD/MWh" if price else "it cannot run harder")
    else:
        parts.append(f"{what} breaks even at {even:.2f} USD/MWh and {price or 'no source can, or may, give more'}")
    values = facts["one_more_mw_usd"]
    worth = [(words, usd) for words, usd in values.items() if usd > 0]
    if worth:
        (first, most), *others = worth
        more = "".join(f", of {words} {usd:.2f} USD" for words, usd in others)
        parts.append(f"in this step one more MW of {first} is worth {most:.2f} USD{more} (commitment fixed)")
    elif values:
        parts.append("one more MW of any source, cap or ramp is worth nothing in this step (commitment fixed)")
    sentence = "; ".join(parts)
    filled = f" Filled in here, not as read: {', '.join(facts['filled'])}." if facts["filled"] else ""
    return f"{sentence[0].upper()}{sentence[1:]}.{filled}"


def _listed(names: list[str]) -> str:
    if len(names) <= SHOWN_NAMES:
        return ", ".join(names)
    return f"{', '.join(names[:SHOWN_NAMES])} and {len(names) - SHOWN_NAMES} more, to {names[-1]}"
