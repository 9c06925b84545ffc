"""What plan.json states besides its totals: checked where it follows from the files, otherwise listed as a claim."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from flexmine._version import __version__
from flexmine.audit.comparison import Comparison, number_of
from flexmine.audit.figures import break_even, carbon, state_after
from flexmine.audit.miners import one_miner_mw
from flexmine.audit.replay import Replay
from flexmine.audit.seal import SEAL, is_own_version
from flexmine.errors import Status
from flexmine.problem import Floats, Problem
from flexmine.problem.money import money_terms
from flexmine.problem.schedule import Schedule

MONEY_SLACK_USD = 0.01
WRITTEN_SLACK_USD = 2e-4
"""Of amounts that follow from each other as they are written, to 4 decimals."""
CLAIMED: tuple[tuple[tuple[str, ...], str], ...] = (
    (("bound_usd", "gap", "status"), "the solver's proof; `flexmine solve` proves problem.json again"),
    (("day_kind", "pins", "preference"), "what other plans would earn, which were solved for comparison"),
    (("marginal_values",), "what one more MW is worth, worked out by the solver"),
    (("engine", "options", "versions"), "how it was made"),
)
FROM_THE_CASE: tuple[tuple[tuple[str, ...], str], ...] = (
    (("case", "plant", "title", "perspective", "notes"), "what the case says of itself"),
    (("feeds", "filled", "inputs", "changes"), "which series and files it was made from"),
    (("overrides", "causes", "chain", "switching"), "what the case orders, and why"),
    (("carbon",), "the BTC that are expected; the emissions are checked"),
    (("state_after",), "hours run, starts and box temperatures of before the plan; what the plan adds is checked"),
)
CHECKED = (
    *("schema", "money_usd", "asked_gap", "rounded_money_usd", "rounding_loss_usd", "rounding_loss_share", "seed"),
    *("horizon", "totals", "published", "rules", "break_even", "audit", "breaches", "files", SEAL),
)


@dataclass(frozen=True)
class Replayed:
    """A written plan that could be replayed: what it states, and what it does.

    Attributes
    ----------
    publish_steps : int
        Number of steps that are published, counted from step 0.
    temperature_c : ndarray, shape (T,)
        Outside temperature from site.csv [C], NaN where it has none.
    """

    document: Mapping[str, Any]
    problem: Problem
    schedule: Schedule
    truth: Replay
    publish_steps: int
    temperature_c: Floats


def claimed(document: Mapping[str, Any], *, with_case: bool) -> Iterator[str]:
    """Yield a line for each kind of statement in a plan that nothing in its directory can prove.

    Parameters
    ----------
    document : mapping
        Content of plan.json.
    with_case : bool
        Whether the plan is compared with a case too, which proves what follows from the case.

    Yields
    ------
    str
        The keys of plan.json or the column, and what they claim.
    """
    if not with_case:
        yield "problem.json: prices, limits, curves and what is on offer; --case CASE compares them with a case"
    for keys, why in (*CLAIMED, *(() if with_case else FROM_THE_CASE)):
        said = [key for key in keys if document.get(key) not in (None, [], {}, "")]
        if said:
            yield f"{', '.join(said)}: {why}"
    if not with_case:
        yield "temperature_c of site.csv"
    yield "reason of setpoints.csv: the words; its code is checked"
    unknown = _unknown_keys(document)
    if unknown:
        yield f"{', '.join(unknown)}: not known to flexmine {__version__}"


def _unknown_keys(document: Mapping[str, Any]) -> list[str]:
    known = {key for keys, _ in (*CLAIMED, *FROM_THE_CASE) for key in keys}
    known |= {*CHECKED, *(term.key for term in money_terms(by_step=False))}
    return sorted(str(key) for key in set(document) - known)


def check_claims(book: Comparison, made: Replayed) -> None:
    """Check what plan.json states about its money, its proof, its rules and the state in which it ends."""
    document, problem, truth = made.document, made.problem, made.truth
    own_version = is_own_version(document)
    if own_version:
        book.all(
            f"plan.json: {key} is not a key that flexmine {__version__} writes." for key in _unknown_keys(document)
        )
    slack = money_slack_usd(problem, problem.steps)
    book.number("plan.json: rounded_money_usd", document.get("rounded_money_usd"), truth.money_usd, slack)
    for term in money_terms(by_step=False):
        book.number(f"plan.json: {term.key}", document.get(term.key), float(truth.usd[term.name]), slack)
    money = number_of(document.get("money_usd"))
    if money is not None:
        loss, share_slack = money - truth.money_usd, slack / max(1.0, abs(money)) + 1e-9
        book.number("plan.json: rounding_loss_usd", document.get("rounding_loss_usd"), loss, slack)
        share = document.get("rounding_loss_share")
        book.number("plan.json: rounding_loss_share", share, loss / max(1.0, abs(money)), share_slack)
    audit = part(book, document, "audit", dict)
    book.hold(audit.get("passed") is True, "plan.json: audit.passed is not true; a plan that failed is not written.")
    if own_version:
        book.same("plan.json: audit.checks", audit.get("checks"), truth.checks)
    breaches = part(book, document, "breaches", list)
    book.hold(
        not breaches, "plan.json: breaches are listed, and problem.json holds no contract that could be breached."
    )
    slack += _value_of_rounding_usd(problem)
    _check_proof(book, document, truth, slack)
    _check_rules(book, document, slack)
    _check_figures(book, made)
    _check_options(book, document)
    _check_pins(book, document)
    if own_version or "changes" in document:
        _check_changes(book, document)


def part(book: Comparison, document: Mapping[str, Any], key: str, kind: type[dict[str, Any]] | type[list[Any]]) -> Any:
    """Return the value under a key of plan.json; what is missing or of another kind is a fault and comes back empty.

    Parameters
    ----------
    book : Comparison
    document : mapping
        Content of plan.json.
    key : str
    kind : type
        ``dict`` or ``list``.
    """
    value = document.get(key)
    name = "an object" if kind is dict else "a list"
    book.hold(isinstance(value, kind), f"plan.json: {key} is missing or is not {name}.")
    return value if isinstance(value, kind) else kind()


def _check_figures(book: Comparison, made: Replayed) -> None:
    document, problem, truth = made.document, made.problem, made.truth
    schedule, steps = made.schedule, made.publish_steps
    said = document.get("state_after")
    # Powers are written to a watt, energy to 1 Wh.
    book.same("plan.json: state_after", said, state_after(problem, schedule, truth, steps, said), 1e-5)
    book.same("plan.json: break_even", document.get("break_even"), break_even(problem, steps), WRITTEN_SLACK_USD)
    account = document.get("carbon")
    if isinstance(account, dict):
        true = carbon(problem, schedule, truth, steps, account)
        book.only("plan.json: carbon", account, true)
        for key, (value, slack) in true.items():
            book.same(f"plan.json: carbon.{key}", account.get(key), value, slack)
    else:
        book.hold(account is None, "plan.json: carbon is not an object.")


def _check_changes(book: Comparison, document: Mapping[str, Any]) -> None:
    """Check that each change made to the input files is reported in the shape that readers expect."""
    for i, change in enumerate(part(book, document, "changes", list)):
        whole = isinstance(change, dict) and isinstance(change.get("key"), str) and "value" in change
        book.hold(whole, f"plan.json: changes[{i}] is not an object with the keys key (text) and value.")


def _check_options(book: Comparison, document: Mapping[str, Any]) -> None:
    options = part(book, document, "options", dict)
    for key, own in (("asked_gap", "gap"), ("seed", "seed")):
        said, used = document.get(key), options.get(own)
        book.hold(said == used, f"plan.json: {key} {said!r} and options.{own} {used!r} contradict each other.")


def _check_pins(book: Comparison, document: Mapping[str, Any]) -> None:
    pins = document.get("pins")
    if not isinstance(pins, dict):
        book.hold(pins is None, "plan.json: pins is not an object.")
        return
    without, money, bound = (number_of(v) for v in (pins.get("money_without_usd"), *_pair(document)))
    if without is None or money is None or bound is None:
        costs = [pins.get(key) for key in ("cost_usd", "least_usd", "most_usd")]
        book.hold(not any(costs), "plan.json: pins: a cost is written without money_without_usd.")
        return
    book.number("plan.json: pins.cost_usd", pins.get("cost_usd"), without - money, WRITTEN_SLACK_USD)
    book.number("plan.json: pins.least_usd", pins.get("least_usd"), without - bound, WRITTEN_SLACK_USD)
    most = number_of(pins.get("most_usd"))
    book.hold(most is not None and most >= without - money - WRITTEN_SLACK_USD, "plan.json: pins.most_usd is too low.")


def _pair(document: Mapping[str, Any]) -> tuple[Any, Any]:
    return document.get("money_usd"), document.get("bound_usd")


def _check_rules(book: Comparison, document: Mapping[str, Any], slack: float) -> None:
    bound = number_of(document.get("bound_usd"))
    for i, rule in enumerate(part(book, document, "rules", list)):
        where = f"plan.json: rules[{i}]"
        if not isinstance(rule, dict):
            book.hold(False, f"{where} is not an object.")
            continue
        money, feasible = number_of(rule.get("money_usd")), rule.get("feasible")
        agree = feasible is (money is not None) and feasible is not bool(rule.get("violations"))
        book.hold(agree, f"{where}: feasible, money_usd and violations contradict each other.")
        if money is not None and bound is not None:
            book.hold(money <= bound + slack, f"{where}: money {money:.4f} USD is above the bound {bound:.4f} USD.")


def _check_proof(book: Comparison, document: Mapping[str, Any], truth: Replay, slack: float) -> None:
    status = document.get("status")
    planned = (Status.OPTIMAL.value, Status.FEASIBLE.value, Status.FALLBACK.value)
    book.hold(status in planned, f"plan.json: status {status!r} is not one of {', '.join(planned)}.")
    figures = {key: number_of(document.get(key)) for key in ("money_usd", "bound_usd", "gap", "asked_gap")}
    for key, value in figures.items():
        book.hold(value is not None, f"plan.json: {key} is {document.get(key)!r}, a number is expected.")
    money, bound, gap, asked = figures.values()
    if money is None or bound is None or gap is None or asked is None:
        return
    rounded = truth.money_usd
    book.hold(
        abs(money - rounded) <= slack,
        f"plan.json: money_usd {money:.4f} and the replay's {rounded:.4f} USD differ by more than rounding explains.",
    )
    for name, value in (("money_usd", money), ("the money of the rounded plan", rounded)):
        book.hold(value <= bound + slack, f"plan.json: {name}, {value:.4f} USD, is above bound_usd {bound:.4f}.")
    true_gap = (bound - money) / max(1.0, abs(money))
    # Money and bound are written to 4 decimals, the gap with all its digits.
    gap_slack = 2e-4 / max(1.0, abs(money)) + 1e-9
    book.hold(
        abs(gap - true_gap) <= gap_slack,
        f"plan.json: gap {gap:.9f} is written, bound and money give {true_gap:.9f}.",
    )
    if status in planned[:2]:
        right = planned[0] if gap <= asked else planned[1]
        book.hold(
            status == right,
            f"plan.json: status {status!r} with a gap of {gap:.9f} and an asked gap of {asked:.9f}; it is {right!r}.",
        )


def money_slack_usd(problem: Problem, steps: int) -> float:
    """Return by how much the sum of written cells may be off over the first `steps` steps [USD].

    Money is written to 4 decimals, power to 6, which count at the highest price of the step.
    """
    prices = np.array([s.price_usd_per_mwh[:steps] for s in problem.sources])
    return MONEY_SLACK_USD + steps * 1e-4 + 2e-6 * problem.time.step_h * float(np.abs(prices).max(axis=0).sum())


def _value_of_rounding_usd(problem: Problem) -> float:
    """Return the most that rounding, and the reserve kept for it, can be worth [USD].

    Rounded to watts, each container is off by one; to whole miners, the site by one miner, and each class passes no
    more than one on to a class that makes less of it.
    """
    watts_mw = 1e-6 * sum(k.count for k in problem.classes)
    watts_mw += sum(one_miner_mw(k.miners) for k in problem.classes if k.miners is not None)
    value: Floats = np.zeros(problem.steps)
    for k in problem.classes:
        best = float((k.hash_rate_th_s / k.it_power_mw).max())
        value = np.maximum(value, k.hash_value_usd_per_th_s_h * best / k.overhead)
    for source in problem.sources:
        value = np.maximum(value, np.abs(source.price_usd_per_mwh))
    worth = 2.0 * problem.time.step_h * float(value.sum())
    return worth * (watts_mw + problem.site.rounding_reserve_mw)
