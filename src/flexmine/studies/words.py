"""The finding of a back-test in words, for the terminal and the page."""

from __future__ import annotations

import textwrap
from typing import Any

import pandas as pd

from flexmine.report.palette import MINUS, THIN, number, percent
from flexmine.studies.result import Backtest
from flexmine.studies.schema import Known, Noise

WIDTH = 80
SAME_USD = 0.5
"""Amounts are shown in whole dollars."""
PLANS = {
    "replan": "planned anew",
    "redispatch": "by the plan of the night, redispatched",
    "nightly": "by the plan of the night, followed blindly",
}
"""Those that plan, best informed first, as the finding words them."""
WORDS = {
    "always-on": "always on",
    "threshold": "threshold",
    "greedy": "greedy",
    "nightly": "plan of the night, followed blindly",
    "redispatch": "plan of the night, redispatched",
    "replan": "planned anew",
    "perfect": "perfect foresight",
}


def finding(found: Backtest) -> str:
    """Return what the back-test found, in two or three sentences."""
    rows = {row["policy"]: row for row in records(found.totals)}
    opponent = found.summary.opponent
    days, draws = found.setup.days, len(found.setup.document.seeds)
    over = f"Over {days} day{'s' * (days != 1)}{f', in the mean of {draws} draws,' * (draws > 1)}"
    plan = next((name for name in PLANS if name in rows), None)
    if plan is None or opponent is None:
        done = [row for name, row in rows.items() if name != "perfect"] or list(rows.values())
        best = max(done, key=lambda row: row["money_usd"])
        return f"{over} {WORDS[best['policy']]} earned most: {_usd(best['money_usd'])}.{_broken(best)}"
    own, other = rows[plan], rows[opponent]
    more = own["money_usd"] - other["money_usd"]
    share = f" ({percent(abs(more) / abs(other['money_usd']))})" if other["money_usd"] else ""
    beside = (
        f"{_usd(abs(more))}{share} {'more' if more > 0 else 'less'} than" if abs(more) >= SAME_USD else "as much as"
    )
    text = (
        f"{over} the plant would have earned {_usd(own['money_usd'])} {PLANS[plan]}, {beside} the best simple rule, "
        f"{WORDS[opponent]}."
    )
    return f"{text} {_sure(own)}{_of_perfect(found, own)}{_broken(own, other)}"


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table by name of the column."""
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def _sure(own: dict[str, Any]) -> str:
    low, high = own.get("more_low"), own.get("more_high")
    if low is None or high is None or pd.isna(low):
        return "There are too few weeks to say how sure that is."
    text = f"The difference by weeks is {_usd(low)} to {_usd(high)} a day (90{THIN}%)"
    return f"{text}." if low > 0 or high < 0 else f"{text}: no difference that could not be chance."


def _broken(*rows: dict[str, Any]) -> str:
    """Return which policies have broken limits, and how often."""
    return "".join(
        f" But {WORDS[row['policy']]} broke limits ({_count(row['broken_limits'])}): "
        "its money was not earned within them."
        for row in rows
        if row["broken_limits"] > 0
    )


def _of_perfect(found: Backtest, own: dict[str, Any]) -> str:
    bound_usd, captured = found.summary.bound_usd, own["captured"]
    if bound_usd is None:
        return ""
    text = f" Nobody could have earned more than {_usd(bound_usd)}"
    # Where the best that there is is a loss, no share of it means anything.
    share = f"; that is {percent(own['money_usd'] / bound_usd)} of it" if bound_usd > 0 else ""
    if captured is None or pd.isna(captured):
        return f"{text}{share}, and there was next to nothing to gain by looking ahead."
    if not share:
        return f"{text}; that is {percent(captured)} of what looking ahead could bring."
    return f"{text}{share}, and {percent(captured)} of what looking ahead could bring."


def conditions(found: Backtest) -> tuple[str, ...]:
    """Return what was known when, and what else a figure must not be quoted without."""
    document = found.setup.document
    known = [f"{key}: {_known_words(how)}" for key, how in document.forecasts.items()]
    if document.perfect:
        known.append("every other series: known ahead as it came")
    return (
        *known,
        f"what is known to a plan of the hour ends {document.lag_min:g} min before it; the plan of a day is made "
        f"{document.nightly_h:g} h before midnight, for the state that the fleet really has then",
        _greedy_words(found),
        "powers are exact, not rounded to whole miners; every step is priced by the audit against what came",
        *(f"case: {note}" for note in found.setup.case.notes),
    )


def _greedy_words(found: Backtest) -> str:
    document = found.setup.document
    if document.greedy is not None:
        start, stop = document.greedy.start, document.greedy.stop
        return f"greedy charges {start:g} of the cost of a start to a start, and {stop:g} of it to a stop"
    until = document.tuned_until or document.last_day
    return f"greedy is tuned in hindsight, on what came up to {until}: as strong as an engineer could have made it"


def _known_words(how: Known) -> str:
    if isinstance(how, Noise):
        size = percent(how.relative) if how.relative else f"{how.absolute:g} in its unit"
        return f"what came, with errors of {size} far ahead, of which an hour keeps {how.memory:g}"
    return {
        "perfect": "known ahead as it came",
        "yesterday": "the same time of the last day that is known",
        "last": "the last known value",
        "day_ahead": "the next day published at once, beyond it the last known day again",
        "issued": "forecasts as they were issued",
    }[how.how]


def summary_lines(found: Backtest) -> list[str]:
    """Return the result as lines of at most 80 columns."""
    text = finding(found).replace(THIN, " ").replace(MINUS, "-")
    lines = [*textwrap.wrap(text, WIDTH), "", f"{'':12}{'money':>14}{'more/day':>10}{'captured':>10}{'starts':>9}"]
    for row in records(found.totals):
        more, captured = (row[key] for key in ("more_usd_per_day", "captured"))
        more_words = "" if more is None or pd.isna(more) else f"{more:,.0f}"
        captured_words = "" if captured is None or pd.isna(captured) else f"{100 * captured:.1f} %"
        line = (
            f"{row['policy']:12}{row['money_usd']:14,.0f}{more_words:>10}{captured_words:>10}"
            f"{row['starts']:9,.0f}{_faults(row)}"
        )
        lines.append(line.rstrip())
    return lines


def _faults(row: dict[str, Any]) -> str:
    kinds = (("broken_limits", "broken"), ("without_plan", "no plan"), ("trips", "trips"))
    return "".join(f"  {_count(row[key])} {words}" for key, words in kinds if row[key])


def _count(mean: float) -> str:
    """Return a mean over the seeds, of which a half is not none."""
    return f"{mean:.1f}".removesuffix(".0")


def _usd(amount: float) -> str:
    return f"{number(amount)}{THIN}USD"
