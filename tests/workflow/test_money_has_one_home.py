"""Money terms are declared once, and whoever forgets a part of one is told which part of which term."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyomo.environ as pe
import pytest

from audit_plants import edit_csv, edit_json, plan_of, reseal, schedule_of, two_containers, write_plan
from flexmine.audit import claims, directory, plan_files, prices
from flexmine.audit.directory import audit_directory
from flexmine.audit.replay import replay
from flexmine.jobs import difference
from flexmine.milp import money as equations
from flexmine.planning import tables
from flexmine.planning.disaggregate import to_schedule
from flexmine.problem import money
from flexmine.problem.money import MoneyTerm, money_terms
from flexmine.report import facts, money_chart
from flexmine.solving.engine import SolveOptions, solve
from flexmine.solving.handover import compiled, forget
from flexmine.workflow import document
from flexmine.workflow.document import plan_document
from pages import DOCS, codes, section, table

NAMES = tuple(term.name for term in money_terms())
BY_STEP = tuple(term.name for term in money_terms(by_step=True))
AT_ONCE = tuple(term.name for term in money_terms(by_step=False))
MATHEMATICS = DOCS / "mathematics.md"


@pytest.fixture(autouse=True)
def _no_skeletons():
    forget()
    yield
    forget()


def missing_parts(text, place):
    """Return which part of which money term is missing, as ``term: part``; empty where all is there.

    Parameters
    ----------
    text : str
        The page of the mathematics.
    place : Path
        An empty folder for a plan.
    """
    lines = {codes(row["term"])[0]: row for row in table(section(text, "## Money"))}
    found = []
    for term in money_terms():
        line = lines.get(term.name)
        has = {
            "words": bool(term.words.strip()),
            "equation": term.name in equations.EQUATIONS,
            "price": term.name in prices.PRICES,
            "line of the mathematics": line is not None
            and line["sign"] == ("+" if term.sign > 0 else "-")
            and codes(line["code"]) == [f"money.{term.name}"],
        }
        found += [f"{term.name}: {part}" for part, there in has.items() if not there]
    return found or [*_missing_in_the_objective(), *_missing_in_the_files(place)]


def _missing_in_the_objective():
    """Return the terms that have an equation and leave the objective as it is without them."""
    problem, found = two_containers(terminal_on_usd=2.0), []
    whole = compiled(problem)
    for term in money_terms():
        with pytest.MonkeyPatch.context() as without:
            without.setattr(money, "MONEY_TERMS", tuple(t for t in money.MONEY_TERMS if t is not term))
            rest = compiled(problem)
        cost = {key: rest.cost[column] for key, column in rest.column_of.items()}
        if all(cost.get(key, 0.0) == whole.cost[column] for key, column in whole.column_of.items()):
            found.append(f"{term.name}: objective")
    return found


def _missing_in_the_files(place):
    problem = two_containers(terminal_on_usd=2.0)
    plan = plan_of(problem, schedule_of(problem))
    told, found = plan_document(plan, {}), []
    shown = [words for words, *_ in money_chart.money_figure(plan).table.rows]
    bars = [words for words, _, _ in money_chart.terms(plan, facts.facts(plan))]
    for term in money_terms():
        within = (told["totals"], told["published"]) if term.by_step else (told,)
        has = {
            "audit": term.name in plan.replay.usd,
            "total in plan.json": all(term.key in part for part in within),
            "report": any(words.endswith(term.words) for words in (bars if term.by_step else shown)),
        }
        if term.by_step:
            has["column of site.csv"] = term.key in plan.site.columns
            has["column that the audit reads"] = term.key in plan_files.site_numbers(problem)
        found += [f"{term.name}: {part}" for part, there in has.items() if not there]
    return found or _unchecked_in_the_files(write_plan(plan, place / "plan"))


def _unchecked_in_the_files(written):
    """Return the terms of which a plan may claim too much and the audit of its files sees nothing."""
    # A term that the audit forgets is a key that it does not know, which is not the check that is looked for here.
    foreign = set(audit_directory(written).violations)
    assert all("does not belong there" in said or "is not a key" in said for said in foreign)
    found = []
    for term in money_terms():
        kept = {file: file.read_bytes() for file in written.iterdir()}
        edit_json(
            written / "plan.json",
            lambda told, key=term.key: (told if key in told else told["totals"]).update({key: 1e6}),
        )
        if not any(term.key in said for said in set(audit_directory(written).violations) - foreign):
            found.append(f"{term.name}: check of the total")
        for file, content in kept.items():
            file.write_bytes(content)
        if term.by_step:
            edit_csv(written / "site.csv", lambda rows, key=term.key: rows[0].update({key: "1000000.0000"}))
            reseal(written)
            if not any(f"site.csv: {term.key}" in said for said in audit_directory(written).violations):
                found.append(f"{term.name}: check of the column")
            for file, content in kept.items():
                file.write_bytes(content)
    return found


def test_no_part_of_a_money_term_is_missing(tmp_path):
    """*Proves:* each term has words, equation, price, line, column or total, bar or row of the report, and checks.

    *Sensitivity:* the test below takes away one after the other.
    """
    assert missing_parts(MATHEMATICS.read_text(encoding="utf-8"), tmp_path) == []


def _but(name):
    """Return the walk through the terms that forgets one of them."""
    return lambda *, by_step=None: tuple(t for t in money_terms(by_step=by_step) if t.name != name)


def _without_words(name):
    return tuple(replace(t, words="") if t.name == name else t for t in money.MONEY_TERMS)


def _forget_in_the_audit(patch, name):
    """Let the audit hold no price of a term, and the other rooms cope without it."""
    patch.setattr(prices, "money_terms", _but(name))
    patch.setattr("flexmine.audit.replay.net_of", lambda parts, by_step=None: np.zeros(6) if by_step else 0.0)
    for room in (document, tables, facts, money_chart):
        patch.setattr(room, "money_terms", _but(name))
    patch.setattr(tables, "net_of", lambda parts, by_step=None: np.zeros(6))


def _forget_the_column(patch, name):
    whole = tables.site_table
    patch.setattr(tables, "site_table", lambda *given: whole(*given).drop(columns=f"{name}_usd"))


def _forget_the_total(patch, name):
    for room in (directory, claims):
        patch.setattr(room, "money_terms", _but(name))


FORGOTTEN = {
    "words": (NAMES, lambda patch, name: patch.setattr(money, "MONEY_TERMS", _without_words(name))),
    "equation": (NAMES, lambda patch, name: patch.delitem(equations.EQUATIONS, name)),
    "price": (NAMES, lambda patch, name: patch.delitem(prices.PRICES, name)),
    "objective": (NAMES, lambda patch, name: patch.setitem(equations.EQUATIONS, name, lambda m, p: {})),
    "audit": (NAMES, _forget_in_the_audit),
    "total in plan.json": (NAMES, lambda patch, name: patch.setattr(document, "money_terms", _but(name))),
    "column of site.csv": (BY_STEP, _forget_the_column),
    "column that the audit reads": (BY_STEP, lambda patch, name: patch.setattr(plan_files, "money_terms", _but(name))),
    "report": (NAMES, lambda patch, name: patch.setattr(money_chart, "money_terms", _but(name))),
    "check of the total": (NAMES, _forget_the_total),
    "check of the column": (BY_STEP, lambda patch, name: patch.setattr(directory, "money_terms", _but(name))),
}


@pytest.mark.parametrize(("part", "name"), [(part, name) for part, (names, _) in FORGOTTEN.items() for name in names])
def test_a_forgotten_part_is_named(part, name, monkeypatch, tmp_path):
    """*Proves:* for each part and each term, forgetting it is found out under the names of both, and no other term's.

    *Sensitivity:* a part that nothing looks for would leave the list empty.
    """
    FORGOTTEN[part][1](monkeypatch, name)
    found = missing_parts(MATHEMATICS.read_text(encoding="utf-8"), tmp_path)
    assert f"{name}: {part}" in found
    assert {line.partition(":")[0] for line in found} == {name}


@pytest.mark.parametrize("name", NAMES)
def test_a_forgotten_line_of_the_mathematics_is_named(name, tmp_path):
    """*Proves:* the page has a line for each term.  *Sensitivity:* the line taken out is named."""
    text = MATHEMATICS.read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith(f"| `{name}` |")]
    assert missing_parts("\n".join(lines), tmp_path) == [f"{name}: line of the mathematics"]


RESERVE = MoneyTerm("reserve_income", 1, "reserve")
BONUS = MoneyTerm("bonus", 1, "bonus at the end", by_step=False)
RESERVE_USD, BONUS_USD = 50.0, 8.0


def _declare(patch):
    """Declare two terms: so much for each container that runs in a step, and for each that runs in the last one."""

    def reserve(m, p):
        return {"n": lambda k, t: RESERVE_USD}

    def bonus(m, p):
        m.last = pe.Param(m.T, initialize=lambda m, t: float(t == p.steps - 1))
        return {"n": lambda k, t: BONUS_USD * m.last[t]}

    patch.setattr(money, "MONEY_TERMS", (*money.MONEY_TERMS[:3], RESERVE, *money.MONEY_TERMS[3:], BONUS))
    patch.setitem(equations.EQUATIONS, RESERVE.name, reserve)
    patch.setitem(equations.EQUATIONS, BONUS.name, bonus)
    patch.setitem(prices.PRICES, RESERVE.name, lambda p, schedule, done: RESERVE_USD * schedule.on.sum(axis=0))
    patch.setitem(prices.PRICES, BONUS.name, lambda p, schedule, done: BONUS_USD * schedule.on[:, -1].sum())


@pytest.mark.parametrize("templated", [False, True])
def test_a_made_up_term_reaches_the_objective(templated, monkeypatch):
    """*Proves:* the cost of running is what it was, less what the new terms pay, however rules are called.

    *Sensitivity:* an objective with a list of its own would not change.
    """
    problem = two_containers(terminal_on_usd=2.0)
    before = compiled(problem, templated=templated)
    _declare(monkeypatch)
    after = compiled(problem, templated=templated)
    for t in range(problem.steps):
        column = ("n", ("box", t))
        gain = before.cost[before.column_of[column]] - after.cost[after.column_of[column]]
        assert gain == pytest.approx(RESERVE_USD + BONUS_USD * (t == problem.steps - 1))


def test_a_made_up_term_is_priced_alike_by_model_and_audit(monkeypatch):
    """*Proves:* a plan made for the new terms is worth the same to the solver and to the audit, and it follows them.

    *Sensitivity:* without the new terms the plan runs less.
    """
    problem = two_containers(hash_value_usd_per_th_s_h=1e-4)
    plain = solve(problem, SolveOptions(gap=0.0))
    _declare(monkeypatch)
    forget()
    solution = solve(problem, SolveOptions(gap=0.0))
    audit = replay(problem, to_schedule(problem, solution))
    assert audit.money_usd == pytest.approx(solution.money_usd)
    assert solution.classes[0].on.sum() > plain.classes[0].on.sum()
    assert float(audit.usd["reserve_income"].sum()) == RESERVE_USD * solution.classes[0].on.sum()


def test_a_made_up_term_reaches_tables_document_report_and_audit_of_files(monkeypatch, tmp_path):
    """*Proves:* four container hours at 50 USD and one last step at 8 USD stand wherever money stands, and add up.

    *Sensitivity:* a room with a list of its own leaves the term out, and the audit of the files would refuse the plan.
    """
    problem = two_containers(terminal_on_usd=2.0)
    plain = plan_of(problem, schedule_of(problem))
    plain_usd, plain_by_step = plain.replay.money_usd, plain.site["money_usd"]
    _declare(monkeypatch)
    plan = plan_of(problem, schedule_of(problem))
    assert plan.replay.money_usd == pytest.approx(plain_usd + 4 * RESERVE_USD + BONUS_USD)
    columns = list(plan.site.columns)
    assert columns.index("reserve_income_usd") == columns.index("start_cost_usd") + 1
    assert plan.site["reserve_income_usd"].tolist() == [0, 50, 50, 0, 50, 50]
    np.testing.assert_allclose(plan.site["money_usd"] - plain_by_step, plan.site["reserve_income_usd"])
    told = plan_document(plan, {})
    assert told["totals"]["reserve_income_usd"] == 4 * RESERVE_USD
    assert told["published"]["reserve_income_usd"] == 2 * RESERVE_USD
    assert told["bonus_usd"] == BONUS_USD
    assert ("reserve", 2 * RESERVE_USD, "muted") in money_chart.terms(plan, facts.facts(plan))
    assert any(row[0] == "bonus at the end" for row in money_chart.money_figure(plan).table.rows)
    for name in ("before", "now"):
        write_plan(plan, tmp_path / name / "plan")
        assert audit_directory(tmp_path / name / "plan").violations == ()
        (tmp_path / name / "inputs").mkdir()
    compared = difference.difference(
        *(difference.Stored(tmp_path / w / "plan", tmp_path / w / "inputs") for w in ("before", "now"))
    ).money_usd
    assert compared["reserve_income_usd"] == (2 * RESERVE_USD, 2 * RESERVE_USD)
