"""The audit from files: re-checks a written plan from its directory alone, whoever wrote it.

The schedule is rebuilt from the tables, replayed and priced by :mod:`flexmine.audit.replay`, and then every number
in setpoints.csv, site.csv and plan.json is compared with what the replay gives.  None of the code that writes plans
is used here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from flexmine._version import __version__
from flexmine.audit.claims import MONEY_SLACK_USD, Replayed, check_claims, claimed, money_slack_usd, part
from flexmine.audit.comparison import Comparison
from flexmine.audit.plan_files import PlanTables, read_document, read_tables
from flexmine.audit.reason_codes import unfit
from flexmine.audit.replay import Replay, replay_rounded
from flexmine.audit.seal import SHA256, Witness, file_faults, is_sealed, seal_faults, version_of, witnesses_beside
from flexmine.change_words import what_if
from flexmine.moments import NoTime, read_moment
from flexmine.problem import Floats, Problem
from flexmine.problem.money import money_terms
from flexmine.problem.reading import read_problem
from flexmine.problem.schedule import Schedule

# Written cells against the replay: several units of the last decimal that is written.
POWER_SLACK_MW = 1e-5
HASH_SLACK_TH_S = 0.3
SEALED_FILES = ("problem.json", "setpoints.csv", "site.csv")
HORIZON = ("start", "steps", "step_h", "zone", "publish_steps")
NEVER_SEALED = {"plan.json", "run.json"}


@dataclass(frozen=True)
class FileAudit:
    """What the audit of a directory found.

    Attributes
    ----------
    violations : tuple of str
        One sentence each; empty where all is well.
    marks : tuple of str
        What a person should know although it is not a violation: that nothing seals the plan, say.
    claimed : tuple of str
        What the plan states and the audit could not check, a line for each kind.
    replayed : Replayed or None
        None where the tables cannot be replayed.
    """

    checks: int
    violations: tuple[str, ...]
    marks: tuple[str, ...] = ()
    claimed: tuple[str, ...] = ()
    replayed: Replayed | None = field(default=None, repr=False, compare=False)

    @property
    def ok(self) -> bool:
        """Whether the written plan keeps every limit and agrees with what it states about itself."""
        return not self.violations

    def extended(self, book: Comparison) -> FileAudit:
        """Return the audit with the results of another comparison added."""
        return replace(self, checks=self.checks + book.checks, violations=(*self.violations, *book.faults))


def audit_directory(path: str | Path, witnesses: Sequence[Witness] = (), *, strict: bool = False) -> FileAudit:
    """Audit the plan written in a directory, from problem.json, setpoints.csv, site.csv and plan.json alone.

    Limits are held to 1 kW; cap, feeder caps and ramps are widened by the problem's `rounding_reserve_mw`, by which
    they were narrowed for the plan.  Where a table has cells out of place it cannot be replayed, and only those are
    named.

    Parameters
    ----------
    path : str or Path
        Directory of the plan.
    witnesses : sequence of Witness
        Who else knows the seal of the plan; a record or a publication beside the directory is always consulted.
    strict : bool
        Whether a plan without a seal is refused; otherwise it is only marked.

    Raises
    ------
    BadInput
        A file is missing or cannot be read, or problem.json is refused.
    """
    directory = Path(path)
    document = read_document(directory)
    problem = read_problem(directory / "problem.json")
    tables, faults = read_tables(directory, problem)
    book = Comparison()
    book.all(seal_faults(document, (*witnesses, *witnesses_beside(directory)), strict=strict))
    unsealed_by_age = not book.faults
    _check_files(book, directory, document)
    book.faults += faults
    publish_steps = _check_horizon(book, problem, document)
    marks = tuple(_marks(directory, document, by_age=unsealed_by_age))
    if tables is None or publish_steps is None:
        return FileAudit(book.checks, tuple(book.faults), marks)
    schedule = tables.schedule(problem)
    truth = replay_rounded(problem, schedule)
    book.checks += truth.checks
    book.faults += [v.message for v in truth.violations]
    _check_setpoints(book, problem, tables, truth, publish_steps)
    _check_reasons(book, problem, tables, document)
    _check_site(book, problem, tables, truth, publish_steps)
    published = _true_totals(problem, schedule, truth, publish_steps)
    published["money_usd"] = (truth.published_usd(publish_steps), money_slack_usd(problem, publish_steps))
    _check_totals(book, document, "totals", _true_totals(problem, schedule, truth, problem.steps))
    _check_totals(book, document, "published", published)
    made = Replayed(document, problem, schedule, truth, publish_steps, tables.site_numbers["temperature_c"])
    check_claims(book, made)
    return FileAudit(book.checks, tuple(book.faults), marks, tuple(claimed(document, with_case=False)), made)


def _marks(directory: Path, document: Mapping[str, Any], *, by_age: bool) -> list[str]:
    """Return what a person should know; with `by_age`, a missing seal is put down to the age of the plan."""
    marks, version = [], version_of(document)
    changes = document.get("changes")
    if isinstance(changes, list) and changes:
        marks.append(what_if(changes))
    if not is_sealed(document) and by_age:
        made = f"flexmine {version}" if version else "an unknown version of flexmine"
        marks.append(f"the plan has no seal: {made} made it, before plans were sealed; what is claimed may be altered")
    if is_sealed(document) and version != __version__:
        marks.append(f"the plan was made by flexmine {version}, this is {__version__}")
    files = document.get("files")
    known = NEVER_SEALED | set(files if isinstance(files, dict) else ())
    beside = sorted(entry.name for entry in directory.iterdir() if entry.name not in known)
    if beside:
        marks.append(f"{', '.join(beside)}: in the directory, and not vouched for by plan.json")
    return marks


def _check_files(book: Comparison, directory: Path, document: Mapping[str, Any]) -> None:
    files = part(book, document, "files", dict)
    for name in SEALED_FILES:
        book.hold(name in files, f"plan.json: files: the sha256 of {name} is missing.")
    book.checks += len(files)
    book.faults += file_faults(directory, document)
    for name, digest in part(book, document, "inputs", dict).items():
        kept = isinstance(digest, str) and SHA256.fullmatch(digest) is not None
        book.hold(kept, f"plan.json: inputs: {name!r} has no sha256.")


def _check_horizon(book: Comparison, problem: Problem, document: Mapping[str, Any]) -> int | None:
    horizon, time = part(book, document, "horizon", dict), problem.time
    book.only("plan.json: horizon", horizon, HORIZON)
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


def _check_reasons(book: Comparison, problem: Problem, tables: PlanTables, document: Mapping[str, Any]) -> None:
    text, power = tables.setpoint_text, tables.setpoint_numbers["it_power_mw"]
    book.checks += power.size
    for i, t, wrong in unfit(problem, text["reason"], text["state"], power, part(book, document, "causes", list)):
        name = problem.containers[i][0]
        book.faults.append(f"{_cell('setpoints.csv', 'reason', problem, t, name)}: {wrong}")


def _check_setpoints(book: Comparison, problem: Problem, tables: PlanTables, truth: Replay, publish_steps: int) -> None:
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
        off = np.argwhere(text[column] != true)
        if len(off):
            i, t = (int(x) for x in off[0])
            where = _cell("setpoints.csv", column, problem, t, names[i])
            sentence = f"{where}: {text[column][i, t]!r} is written, {true[i, t]!r} is expected."
            book.faults.append(sentence + _so_many(len(off), true.size))
    for column, true, slack in (
        ("it_power_mw", np.where(state == "on", truth.it_power_mw, 0.0), 0.0),
        ("preheat_mw", truth.preheat_mw, POWER_SLACK_MW),
        ("facility_power_mw", truth.facility_power_mw, POWER_SLACK_MW),
        ("hash_rate_th_s", truth.hash_rate_th_s, HASH_SLACK_TH_S),
        ("published", published.astype(float), 0.0),
    ):
        book.checks += true.size
        off = np.argwhere(~(np.abs(numbers[column] - true) <= slack))
        if len(off):
            i, t = (int(x) for x in off[0])
            where = _cell("setpoints.csv", column, problem, t, names[i])
            book.number(where, float(numbers[column][i, t]), float(true[i, t]), slack)
            book.faults[-1] += _so_many(len(off), true.size)


def _check_site(book: Comparison, problem: Problem, tables: PlanTables, truth: Replay, publish_steps: int) -> None:
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
        off = np.flatnonzero(~(np.abs(site[column] - true) <= allowed))
        if off.size:
            t = int(off[0])
            where = _cell("site.csv", column, problem, t) + against
            book.number(where, float(site[column][t]), float(true[t]), float(np.broadcast_to(allowed, true.shape)[t]))
            book.faults[-1] += _so_many(off.size, true.size)


def _check_totals(
    book: Comparison, document: Mapping[str, Any], key: str, true: Mapping[str, tuple[float, float]]
) -> None:
    said = part(book, document, key, dict)
    for name, (value, slack) in true.items():
        book.number(f"plan.json: {key}.{name}", said.get(name), value, slack)
    book.only(f"plan.json: {key}", said, true)


def _true_totals(problem: Problem, schedule: Schedule, truth: Replay, steps: int) -> dict[str, tuple[float, float]]:
    """Return each total of the first `steps` steps, and by how much a written one may miss it."""
    step_h, span = problem.time.step_h, slice(0, steps)
    energy_slack, money_slack = POWER_SLACK_MW * step_h * steps, money_slack_usd(problem, steps)
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


def _so_many(off: int, size: int) -> str:
    """Return the end of a sentence about the first of several cells: what is wrong once is usually wrong throughout."""
    return f" ({off} of {size} values differ)" if off > 1 else ""


def _cell(file: str, column: str, problem: Problem, step: int, container: str = "") -> str:
    of = f" of container {container}" if container else ""
    return f"{file}: {column}{of} at {problem.time.begin(step).isoformat(sep=' ', timespec='minutes')}"
