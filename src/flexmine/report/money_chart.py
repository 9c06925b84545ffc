"""The money of the published part by term, as a waterfall, beside the simple rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from flexmine.baselines.greedy import CHARGES
from flexmine.baselines.value_of_planning import ValueOfPlanning
from flexmine.problem.money import money_terms
from flexmine.report.charts import Figure, Panel, Row, Table, bars
from flexmine.report.facts import Facts, best_rules, facts
from flexmine.report.palette import THIN, THIN_SPACE, number
from flexmine.report.sentence import money_clause, sentence_case
from flexmine.workflow.plan import Plan

# Of a term of the money in the waterfall; energy has that of its source.
COLOURS = {"hash_revenue": "hash", "start_cost": "hot"}


def money_figure(plan: Plan) -> Figure:
    """Return the figure of the money."""
    found = facts(plan)
    title = sentence_case(money_clause(found, plan).removeprefix("it "))
    panels = [_waterfall(plan, found)]
    if plan.rules:
        panels.append(_rules(plan, found))
    if plan.day_kind is not None:
        panels.extend(_value_of_planning(plan.day_kind))
    left_out = "".join(f", {term.words} left out" for term in money_terms(by_step=False))
    return Figure(
        key="money",
        title=f"The plant {title[:1].lower()}{title[1:]}",
        panels=tuple(panels),
        description=f"Money by term and money of the simple rules. The plant {title[:1].lower()}{title[1:]}. "
        "The table below holds the numbers.",
        source=f"Source: the audit's prices, published part{left_out}; perspective: {plan.perspective}. "
        "The rules keep the same physical limits and are priced by the same audit; greedy is the best of "
        f"{len(CHARGES)} ways to charge starts and stops, chosen in hindsight.",
        table=_table(plan, found),
        notes=notes(plan),
        pair=True,
    )


def notes(plan: Plan) -> tuple[str, ...]:
    """Return what kind of day it is, and what rounding and the preference cost, where that is known."""
    out = []
    if plan.day_kind is not None:
        words = plan.day_kind.sentence.replace(THIN_SPACE, THIN)
        out.append(f"Over the whole horizon, {words[:1].lower()}{words[1:]}")
    if plan.schedule.mixes is not None:
        out.append(rounding_words(plan.rounding_loss_usd))
    out.append(preference_words(plan.preference))
    return tuple(text for text in out if text)


def rounding_words(loss_usd: float) -> str:
    """Return what rounding to whole miners costs; `loss_usd` [USD] is negative where a start turns out warm."""
    if abs(loss_usd) < 0.005:
        return f"Rounding to whole miners costs nothing (less than 0.01{THIN}USD)."
    verb = "costs" if loss_usd > 0 else "brings"
    return f"Rounding to whole miners {verb} {number(abs(loss_usd), 2)}{THIN}USD over the whole horizon."


def preference_words(preference: Mapping[str, Any]) -> str:
    """Return what choosing the calmest among plans of nearly equal money gave up, and which starts it saved.

    Parameters
    ----------
    preference : mapping
        As plan.json has it; nothing is returned where no second stage ran or none had room.
    """
    endings = {
        "reached": "",
        "approached": f"; no plan of nearly equal money needs fewer than {preference.get('starts_at_least')}",
        "stopped": "; the search for a calmer one ended before its proof",
    }
    if preference.get("outcome") not in endings:
        return ""
    saved = int(preference["starts_before"]) - int(preference["starts_after"])
    if saved == 0 and abs(float(preference["given_up_usd"])) < 0.005:
        known = "needs" if preference["outcome"] == "reached" else "was found that needs"
        return f"No plan of nearly equal money {known} fewer starts."
    given_up = f"{number(float(preference['given_up_usd']), 2)}{THIN}USD"
    starts = "no start" if saved == 0 else f"{saved} start{'s' if saved > 1 else ''}"
    ended = endings[preference["outcome"]]
    return f"Of plans of nearly equal money the calmest is taken: {given_up} given up, {starts} saved{ended}."


def terms(plan: Plan, found: Facts) -> list[tuple[str, float, str]]:
    """Return (words, signed money [USD], colour name) of each term of the published part; they add up to its money."""
    part, step_h = slice(0, plan.publish_steps), plan.problem.time.step_h
    out: list[tuple[str, float, str]] = []
    for term in money_terms(by_step=True):
        if term.name == "energy_cost":
            for s, supply in zip(plan.problem.sources, plan.schedule.supply_mw, strict=True):
                cost = step_h * float(np.sum(s.price_usd_per_mwh[part] * supply[part]))
                out.append((f"{s.name} {term.words}", -cost, "surplus" if s.kind == "surplus" else "firm"))
        else:
            out.append((term.words, term.sign * found.usd[term.name], COLOURS.get(term.name, "muted")))
    return out


def _bar(name: str, value: float, colour: str, base: float = 0, words: str = "") -> Row:
    return {"n": name, "a": round(base, 2), "b": round(base + value, 2), "c": colour, "w": words or number(value)}


def _waterfall(plan: Plan, found: Facts) -> Panel:
    rows: list[Row] = []
    base = 0.0
    for words, value, colour in terms(plan, found):
        rows.append(_bar(words, value, colour, base))
        base += value
    rows.append(_bar("money", base, "ink"))
    return bars("terms", "Where the money comes from and goes", rows)


def _rules(plan: Plan, found: Facts) -> Panel:
    rows = [_bar("this plan", found.money_usd, "ink")]
    best = {r.name for r in best_rules(plan)}
    for rule in plan.rules:
        value = rule.published_money_usd
        if value is None:
            rows.append(_bar(rule.name, 0, "muted", words="not feasible"))
        else:
            rows.append(_bar(rule.name, value, "muted" if rule.name in best else "out"))
    return bars("rules", "Beside the simple rules", rows)


def _value_of_planning(kind: ValueOfPlanning) -> list[Panel]:
    """Return what modes and looking ahead bring as two bars, or nothing where neither is known."""
    amounts = (
        ("modes", kind.modes_usd, "power1", "no plan without"),
        ("looking ahead", kind.look_ahead_usd, "muted", "greedy not feasible"),
    )
    if all(amount is None for _, amount, _, _ in amounts):
        return []
    rows = [
        _bar(name, amount or 0.0, colour, words=words if amount is None else "")
        for name, amount, colour, words in amounts
    ]
    return [bars("day-kind", "What planning brings, whole horizon", rows)]


def _table(plan: Plan, found: Facts) -> Table:
    by_term, whole = terms(plan, found), plan.replay
    headings = (f"{words}, USD" for words, _, _ in by_term)
    columns = ("", *headings, "published, USD", "whole horizon, USD", "keeps all limits")
    blank = ("",) * len(by_term)
    amounts = [*(value for _, value, _ in by_term), found.money_usd, whole.money_usd]
    own = ("this plan", *(number(value) for value in amounts), "yes" if whole.ok else "no")
    others = []
    for r in plan.rules:
        if r.money_usd is None or r.published_money_usd is None:
            others.append((r.name, *blank, "–", "–", "no: " + ("; ".join(r.violations) or "a hard limit is broken")))
        else:
            others.append((r.name, *blank, number(r.published_money_usd), number(r.money_usd), "yes"))
    more = [(t.words, t.sign * float(whole.usd[t.name])) for t in money_terms(by_step=False)]
    more.append(("rounding to whole miners", -plan.rounding_loss_usd))
    if plan.day_kind is not None:
        kind = plan.day_kind
        split = (("modes bring", kind.modes_usd), ("looking ahead brings", kind.look_ahead_usd))
        more += [(name, amount) for name, amount in split if amount is not None]
    rest = [(name, *blank, "", number(amount, 2 if abs(amount) < 10 else 0), "") for name, amount in more]
    return Table(columns, (own, *others, *rest))
