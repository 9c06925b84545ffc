"""The audit from files: re-checks a written plan from its directory alone, whoever wrote it.

The schedule is rebuilt from the tables, replayed and priced by :mod:`flexmine.audit.replay`, and then every number
in setpoints.csv, site.csv and plan.json is compared with what the replay gives.  None of the code that writes plans
is used here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from flexmine.audit.miners import one_miner_mw
from flexmine.audit.plan_files import PlanTables, read_document, read_tables, sha256
from flexmine.audit.reason_codes import unfit
from flexmine.audit.replay import Replay, replay_rounded
from flexmine.errors import Status
from flexmine.moments import NoTime, read_moment
from flexmine.problem import Floats, Problem
from flexmine.problem.money import money_terms
from flexmine.problem.reading import read_problem
from flexmine.problem.schedule import Schedule

# Written cells against the replay: several units of the last decimal that is written.
POWER_SLACK_MW = 1e-5
HASH_SLACK_TH_S = 0.3
MONEY_SLACK_USD = 0.01
SEALED_FILES = ("problem.json", "setpoints.csv", "site.csv")
SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class FileAudit:
    """What the audit of a directory found; `violations` holds one sentence each, empty where all is well."""

    checks: int
    violations: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether the written plan keeps every limit and says the truth about itself."""
        return not self.violations


def audit_directory(path: str | Path) -> FileAudit:
    """Audit the plan written in a directory, from problem.json, setpoints.csv, site.csv and plan.json alone.

    Limits are held to 1 kW; cap, feeder caps and ramps are widened by the problem's `rounding_reserve_mw`, by which
    they were narrowed for the plan.  Where a table has cells out of place it cannot be replayed, and only those are
    named.

    Raises
    ------
    BadInput
        A file is missing or cannot be read, or problem.json is refused.
    """
    directory = Path(path)
    document = read_document(directory)
    problem = read_problem(directory / "problem.json")
    tables, faults = read_tables(directory, problem)
    book = _Book()
    book.faults += faults
    _check_seals(book, directory, document)
    publish_steps = _check_horizon(book, problem, document)
    if tables is None or publish_steps is None:
        return book.result()
    schedule = tables.schedule(problem)
    truth = replay_rounded(problem, schedule)
    book.checks += truth.checks
    book.faults += [v.message for v in truth.violations]
    _check_setpoints(book, problem, tables, truth, publish_steps)
    _check_reasons(book, problem, tables, document)
    _check_site(book, problem, tables, truth, publish_steps)
    published = _true_totals(problem, schedule, truth, publish_steps)
    published["money_usd"] = (truth.published_usd(publish_steps), _money_slack_usd(problem, publish_steps))
    _check_totals(book, document, "totals", _true_totals(problem, schedule, truth, problem.steps))
    _check_totals(book, document, "published", published)
    _check_claims(book, problem, document, truth)
    return book.result()


class _Book:
    """Keeps count of the comparisons and collects the sentences."""

    def __init__(self) -> None:
        self.checks = 0
        self.faults: list[str] = []

    def result(self) -> FileAudit:
        return FileAudit(self.checks, tuple(self.faults))

    def hold(self, kept: bool, sentence: str) -> None:
        self.checks += 1
        if not kept:
            self.faults.append(sentence)

    def number(self, where: str, written: Any, true: float, slack: float) -> None:
        """Compare a written number with what the replay gives."""
        value = _number(written)
        if value is None:
            self.hold(False, f"{where}: {written!r} is written, a number is expected.")
        else:
            self.hold(abs(value - true) <= slack, f"{where}: {value:.6f} is written, the replay gives {true:.6f}.")


def _number(value: Any) -> float | None:
    """Return a finite JSON number as float, None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e300:
        return None
    return float(value)


def _part(book: _Book, document: Mapping[str, Any], key: str, kind: type[dict[str, Any]] | type[list[Any]]) -> Any:
    """Return a part of plan.json, an empty one where it is missing or of another kind (which is a fault)."""
    value = document.get(key)
    name = "object" if kind is dict else "list"
    book.hold(isinstance(value, kind), f"plan.json: {key} is missing or is no {name}.")
    return value if isinstance(value, kind) else kind()


def _check_seals(book: _Book, directory: Path, document: Mapping[str, Any]) -> None:
    files = _part(book, document, "files", dict)
    for name in SEALED_FILES:
        book.hold(name in files, f"plan.json: files: the sha256 of {name} is missing.")
    for name, digest in files.items():
        plain = Path(name).name == name and name not in (".", "..")
        book.hold(plain, f"plan.json: files: {name!r} is no plain file name.")
        if not plain:
            continue
        there = (directory / name).is_file()
        book.hold(there, f"plan.json: files: {name} is listed and is not in the directory.")
        if there:
            book.hold(sha256(directory / name) == digest, f"{name}: its sha256 is not the one in plan.json.")
    for name, digest in _part(book, document, "inputs", dict).items():
        kept = isinstance(digest, str) and SHA256.fullmatch(digest) is not None
        book.hold(kept, f"plan.json: inputs: {name!r} has no sha256.")


def _check_horizon(book: _Book, problem: Problem, document: Mapping[str, Any]) -> int | None:
    horizon, time = _part(book, document, "horizon", dict), problem.time
    for key, true in (("steps", time.steps), ("step_h", time.step_h), ("zone", time.zone)):
        said = horizon.get(key)
        book.hold(said == true, f"plan.json: horizon.{key} is {said!r}, problem.json has {true!r}.")
    try:
        same = read_moment(horizon.get("start")) == time.start
    except NoTime:
        same = False
    begins = time.start.isoformat()
    book.hold(same, f"plan.json: horizon.start is {horizon.get('start')!r}, problem.json has {begins!r}.")
    steps = horizon.get("publish_steps")
    kept = isinstance(steps, int) and not isinstance(steps, bool) and 1 <= steps <= time.steps
    book.hold(kept, f"plan.json: horizon.publish_steps is {steps!r}, a whole number from 1 to {time.steps} is allowed.")
    return int(steps) if kept else None


def _check_reasons(book: _Book, problem: Problem, tables: PlanTables, document: Mapping[str, Any]) -> None:
    text, power = tables.setpoint_text, tables.setpoint_numbers["it_power_mw"]
    book.checks += power.size
    for i, t, wrong in unfit(problem, text["reason"], text["state"], power, _part(book, document, "causes", list)):
        name = problem.containers[i][0]
        book.faults.append(f"{_cell('setpoints.csv', 'reason', problem, t, name)}: {wrong}")


def _check_setpoints(book: _Book, problem: Problem, tables: PlanTables, truth: Replay, publish_steps: int) -> None:
    text, numbers = tables.setpoint_text, tables.setpoint_numbers
    names = [name for name, _ in problem.containers]
    published = np.broadcast_to(np.arange(problem.steps) < publish_steps, truth.it_power_mw.shape)
    runnable = np.array([k.runnable > 0 for _, k in problem.containers])
    state = np.where(text["state"] == "on", "on", np.where(runnable, "off", "out"))
    expected: list[tuple[str, np.ndarray]] = [
        ("class", np.array([[k.name] * problem.steps for _, k in problem.containers], dtype=object)),
        ("state", state.astype(object)),
    ]
    has_miners = np.array([[k.miners is not None] * problem.steps for _, k in problem.containers])
    awake = np.zeros(state.shape, dtype=np.int64) if tables.mixes is None else tables.mixes[:, :, 1:].sum(axis=2)
    expected.append(("miners_on", np.where(has_miners, awake.astype(str).astype(object), "")))
    # The replay has judged the mixes; a text where no miners are known would be a claim that nothing has checked.
    expected.append(("miner_mix", np.where(has_miners, text["miner_mix"], "")))
    for column, true in expected:
        book.checks += true.size
        for i, t in zip(*np.nonzero(text[column] != true), strict=True):
            where = _cell("setpoints.csv", column, problem, int(t), names[i])
            book.faults.append(f"{where}: {text[column][i, t]!r} is written, {true[i, t]!r} is expected.")
    for column, true, slack in (
        ("it_power_mw", np.where(state == "on", truth.it_power_mw, 0.0), 0.0),
        ("preheat_mw", truth.preheat_mw, POWER_SLACK_MW),
        ("facility_power_mw", truth.facility_power_mw, POWER_SLACK_MW),
        ("hash_rate_th_s", truth.hash_rate_th_s, HASH_SLACK_TH_S),
        ("published", published.astype(float), 0.0),
    ):
        book.checks += true.size
        for i, t in zip(*np.nonzero(~(np.abs(numbers[column] - true) <= slack)), strict=True):
            where = _cell("setpoints.csv", column, problem, int(t), names[i])
            book.number(where, float(numbers[column][i, t]), float(true[i, t]), slack)


def _check_site(book: _Book, problem: Problem, tables: PlanTables, truth: Replay, publish_steps: int) -> None:
    containers, site = tables.setpoint_numbers, tables.site_numbers
    rate = truth.hash_rate_th_s.sum(axis=0)
    rate_slack = HASH_SLACK_TH_S + 1e-9 * rate
    comparisons: list[tuple[str, str, Floats, float | Floats]] = [
        ("facility_power_mw", "", truth.site_power_mw, POWER_SLACK_MW),
        ("it_power_mw", "", truth.it_power_mw.sum(axis=0), POWER_SLACK_MW),
        ("hash_rate_th_s", "", rate, rate_slack),
        ("surplus_left_mw", "", truth.surplus_left_mw, POWER_SLACK_MW),
        *((term.key, "", truth.usd[term.name], MONEY_SLACK_USD) for term in money_terms(by_step=True)),
        ("money_usd", "", truth.money_by_step_usd, MONEY_SLACK_USD),
        ("published", "", (np.arange(problem.steps) < publish_steps).astype(float), 0.0),
    ]
    # The two tables also add up to each other as they are written.
    comparisons += [
        (column, " against the sum over setpoints.csv", containers[column].sum(axis=0) + base, slack)
        for column, base, slack in (
            ("facility_power_mw", problem.site.base_load_mw, POWER_SLACK_MW),
            ("it_power_mw", 0.0, POWER_SLACK_MW),
            ("hash_rate_th_s", 0.0, rate_slack),
        )
    ]
    for column, against, true, allowed in comparisons:
        book.checks += true.size
        for t in np.flatnonzero(~(np.abs(site[column] - true) <= allowed)):
            where = _cell("site.csv", column, problem, int(t)) + against
            book.number(where, float(site[column][t]), float(true[t]), float(np.broadcast_to(allowed, true.shape)[t]))


def _check_totals(book: _Book, document: Mapping[str, Any], key: str, true: Mapping[str, tuple[float, float]]) -> None:
    said = _part(book, document, key, dict)
    for name, (value, slack) in true.items():
        book.number(f"plan.json: {key}.{name}", said.get(name), value, slack)


def _true_totals(problem: Problem, schedule: Schedule, truth: Replay, steps: int) -> dict[str, tuple[float, float]]:
    """Return each total of the first `steps` steps, and by how much a written one may miss it."""
    step_h, span = problem.time.step_h, slice(0, steps)
    energy_slack, money_slack = POWER_SLACK_MW * step_h * steps, _money_slack_usd(problem, steps)
    surplus = [s.kind == "surplus" for s in problem.sources]
    energy_mw = {
        "energy": truth.site_power_mw[span],
        "surplus_taken": schedule.supply_mw[surplus, span],
        "surplus_left": truth.surplus_left_mw[span],
        "surplus_offered": np.array([s.available_mw[span] for s in problem.sources])[surplus],
        **{s.name: schedule.supply_mw[j, span] for j, s in enumerate(problem.sources)},
    }
    hash_th = float(truth.hash_rate_th_s[:, span].sum()) * step_h * 3600.0
    return {
        **{f"{name}_mwh": (float(mw.sum()) * step_h, energy_slack) for name, mw in energy_mw.items()},
        "hash_th": (hash_th, HASH_SLACK_TH_S * 3600.0 * step_h * steps),
        **{t.key: (float(truth.usd[t.name][span].sum()), money_slack) for t in money_terms(by_step=True)},
        "starts_warm": (float(truth.warm_start[:, span].sum()), 0.0),
        "starts_cold": (float(truth.cold_start[:, span].sum()), 0.0),
        "container_hours_on": (float(schedule.on[:, span].sum()) * step_h, 1e-5),
    }


def _check_claims(book: _Book, problem: Problem, document: Mapping[str, Any], truth: Replay) -> None:
    """Check what plan.json says of its money, its proof and its comparison with the simple rules."""
    slack = _money_slack_usd(problem, problem.steps)
    book.number("plan.json: rounded_money_usd", document.get("rounded_money_usd"), truth.money_usd, slack)
    for term in money_terms(by_step=False):
        book.number(f"plan.json: {term.key}", document.get(term.key), float(truth.usd[term.name]), slack)
    money = _number(document.get("money_usd"))
    if money is not None:
        loss, share_slack = money - truth.money_usd, slack / max(1.0, abs(money)) + 1e-9
        book.number("plan.json: rounding_loss_usd", document.get("rounding_loss_usd"), loss, slack)
        share = document.get("rounding_loss_share")
        book.number("plan.json: rounding_loss_share", share, loss / max(1.0, abs(money)), share_slack)
    audit = _part(book, document, "audit", dict)
    book.hold(audit.get("passed") is True, "plan.json: audit.passed is not true; a plan that failed is not written.")
    breaches = _part(book, document, "breaches", list)
    book.hold(
        not breaches, "plan.json: breaches are listed, and problem.json holds no contract that could be breached."
    )
    slack += _value_of_rounding_usd(problem)
    _check_proof(book, document, truth, slack)
    bound = _number(document.get("bound_usd"))
    for i, rule in enumerate(_part(book, document, "rules", list)):
        where = f"plan.json: rules[{i}]"
        if not isinstance(rule, dict):
            book.hold(False, f"{where} is no object.")
            continue
        money, feasible = _number(rule.get("money_usd")), rule.get("feasible")
        agree = feasible is (money is not None) and feasible is not bool(rule.get("violations"))
        book.hold(agree, f"{where}: feasible, money_usd and violations contradict each other.")
        if money is not None and bound is not None:
            book.hold(money <= bound + slack, f"{where}: money {money:.4f} USD is above the bound {bound:.4f} USD.")


def _check_proof(book: _Book, document: Mapping[str, Any], truth: Replay, slack: float) -> None:
    status = document.get("status")
    planned = (Status.OPTIMAL.value, Status.FEASIBLE.value, Status.FALLBACK.value)
    book.hold(status in planned, f"plan.json: status {status!r} is not one of {', '.join(planned)}.")
    figures = {key: _number(document.get(key)) for key in ("money_usd", "bound_usd", "gap", "asked_gap")}
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


def _money_slack_usd(problem: Problem, steps: int) -> float:
    """Return what written cells may miss in sum: 4 decimals of money and 6 of power in each step [USD]."""
    prices = np.array([s.price_usd_per_mwh[:steps] for s in problem.sources])
    return MONEY_SLACK_USD + steps * 1e-4 + 2e-6 * problem.time.step_h * float(np.abs(prices).max(axis=0).sum())


def _value_of_rounding_usd(problem: Problem) -> float:
    """Return the most that rounding, and the reserve kept for it, can be worth [USD].

    Rounded to watts, each container is off by one; to whole miners, the site by one miner, and each class passes no
    more than one on to a class that makes less of it.
    """
    watts_mw = 1e-6 * sum(k.count for k in problem.classes)
    watts_mw += sum(one_miner_mw(k.miners) for k in problem.classes if k.miners is not None)
    value = np.zeros(problem.steps)
    for k in problem.classes:
        best = float((k.hash_rate_th_s / k.it_power_mw).max())
        value = np.maximum(value, k.hash_value_usd_per_th_s_h * best / k.overhead)
    for source in problem.sources:
        value = np.maximum(value, np.abs(source.price_usd_per_mwh))
    worth = 2.0 * problem.time.step_h * float(value.sum())
    return worth * (watts_mw + problem.site.rounding_reserve_mw)


def _cell(file: str, column: str, problem: Problem, step: int, container: str = "") -> str:
    of = f" of container {container}" if container else ""
    return f"{file}: {column}{of} at {problem.time.begin(step).isoformat(sep=' ', timespec='minutes')}"
