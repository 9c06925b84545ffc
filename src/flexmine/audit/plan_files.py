"""Reading a written plan back from its directory, for the audit: with csv and json alone, and nothing repaired."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flexmine.audit.mix_files import read_mixes
from flexmine.audit.seal import file_faults, read_bytes, seal_faults, witnesses_beside
from flexmine.errors import BadInput
from flexmine.moments import NoTime, read_moment
from flexmine.problem import Floats, Problem
from flexmine.problem.money import money_terms
from flexmine.problem.reading import read_problem
from flexmine.problem.schedule import Schedule
from flexmine.strict_json import read_strictly

PLAN_SCHEMA = "flexmine-plan/1"
SETPOINT_COLUMNS = (
    *("interval_start", "interval_end", "container", "class", "state", "it_power_mw", "preheat_mw"),
    *("facility_power_mw", "hash_rate_th_s", "miners_on", "miner_mix", "reason", "published"),
)
SETPOINT_NUMBERS = ("it_power_mw", "preheat_mw", "facility_power_mw", "hash_rate_th_s", "published")
STATES = ("on", "off", "out")
PLAIN_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


def site_numbers(problem: Problem) -> tuple[str, ...]:
    """Return the numeric columns of site.csv, except for the temperature."""
    return (
        *("facility_power_mw", "it_power_mw", "hash_rate_th_s"),
        *(f"{source.name}_mw" for source in problem.sources),
        "surplus_left_mw",
        *(term.key for term in money_terms(by_step=True)),
        *("money_usd", "published"),
    )


@dataclass(frozen=True)
class PlanTables:
    """The cells of both tables at their places: text and numbers by column.

    `setpoint_numbers` and `setpoint_text` have shape (containers, T), `site_numbers` (T,), and `mixes` is as in a
    schedule.  Where there is no temperature, NaN stands under `temperature_c` of `site_numbers`.
    """

    setpoint_numbers: Mapping[str, Floats]
    setpoint_text: Mapping[str, np.ndarray]
    site_numbers: Mapping[str, Floats]
    mixes: NDArray[np.int32] | None = None

    def schedule(self, problem: Problem) -> Schedule:
        """Return the schedule that the tables describe."""
        return Schedule(
            containers=tuple(name for name, _ in problem.containers),
            on=np.asarray(self.setpoint_text["state"] == "on"),
            it_power_mw=self.setpoint_numbers["it_power_mw"],
            supply_mw=np.array([self.site_numbers[f"{s.name}_mw"] for s in problem.sources]),
            mixes=self.mixes,
        )


def read_plan(directory: Path) -> tuple[dict[str, Any], Problem, PlanTables]:
    """Read plan.json, problem.json and the two tables in the `directory` of a written plan.

    Raises
    ------
    BadInput
        A file is missing or cannot be read, or cells are out of place.
    """
    document, problem = read_document(directory), read_problem(directory / "problem.json")
    tables, faults = read_tables(directory, problem)
    if tables is None:
        raise BadInput(faults)
    return document, problem, tables


def refuse_altered(directory: Path) -> None:
    """Refuse the plan in `directory` if its files are not those that were sealed; older versions seal nothing.

    Raises
    ------
    BadInput
        It was altered, or cannot be read.
    """
    document = read_document(directory)
    faults = [*seal_faults(document, witnesses_beside(directory)), *file_faults(directory, document)]
    if faults:
        raise BadInput([f"{directory}: {fault}" for fault in faults])


def read_document(directory: Path) -> dict[str, Any]:
    """Read plan.json in the `directory` of a written plan.

    Raises
    ------
    BadInput
        The directory or the file is missing, or the file is not JSON or has another schema.
    """
    if not directory.is_dir():
        what = "is a file; name its folder" if directory.exists() else "there is no such folder"
        raise BadInput(f"{directory}: {what}")
    file = directory / "plan.json"
    if not file.exists() and (directory / "publication.json").is_file() and (directory / "plan").is_dir():
        raise BadInput(f"{directory}: is a publication; name its plan: {directory / 'plan'}")
    try:
        document = read_strictly(read_bytes(file))
    except ValueError as error:
        raise BadInput(f"{file}: is not JSON that can be read: {error}") from error
    if not isinstance(document, dict) or document.get("schema") != PLAN_SCHEMA:
        raise BadInput(f"{file}: is not a plan of flexmine: schema {PLAN_SCHEMA!r} expected")
    return document


def read_tables(directory: Path, problem: Problem) -> tuple[PlanTables | None, list[str]]:
    """Read setpoints.csv and site.csv in `directory`; return them, or None and a sentence for each cell out of place.

    Raises
    ------
    BadInput
        A file is missing or is not CSV text.
    """
    faults: list[str] = []
    names = [name for name, _ in problem.containers]
    shape = (len(names), problem.steps)
    # In UTC, because the hour that comes twice in autumn has equal wall clocks, and Python compares those.
    steps = {problem.time.begin(t).astimezone(UTC): t for t in range(problem.steps)}
    place = {name: i for i, name in enumerate(names)}
    numbers = {column: np.full(shape, np.nan) for column in SETPOINT_NUMBERS}
    text = {c: np.full(shape, "", dtype=object) for c in SETPOINT_COLUMNS if c not in SETPOINT_NUMBERS}
    seen = np.zeros(shape, dtype=bool)
    for where, row in _rows(directory / "setpoints.csv", SETPOINT_COLUMNS, faults):
        t, i = _step(where, row, problem, steps, faults), place.get(row["container"])
        if i is None:
            faults.append(f"{where}: container {row['container']!r} is not in problem.json.")
        if t is None or i is None:
            continue
        if seen[i, t]:
            faults.append(f"{where}: container {names[i]} stands twice at {row['interval_start']}.")
        seen[i, t] = True
        if row["state"] not in STATES:
            faults.append(f"{where}: state {row['state']!r} is not one of {', '.join(STATES)}.")
        for column in SETPOINT_NUMBERS:
            numbers[column][i, t] = _number(where, column, row, faults)
        for column, cells in text.items():
            cells[i, t] = row[column]
    if not faults:
        absent = np.argwhere(~seen)
        if len(absent):
            i, t = (int(x) for x in absent[0])
            more = f" ({len(absent)} of {seen.size} rows are absent)" if len(absent) > 1 else ""
            begin = problem.time.begin(t).isoformat()
            faults.append(f"setpoints.csv: container {names[i]} has no row at {begin}.{more}")
    site = _read_site(directory / "site.csv", problem, steps, faults)
    mixes = read_mixes(problem, text["miner_mix"], faults)
    return (None if faults else PlanTables(numbers, text, site, mixes)), faults


def _read_site(file: Path, problem: Problem, steps: Mapping[datetime, int], faults: list[str]) -> dict[str, Floats]:
    columns = site_numbers(problem)
    numbers = {column: np.full(problem.steps, np.nan) for column in (*columns, "temperature_c")}
    seen = np.zeros(problem.steps, dtype=bool)
    before = len(faults)
    for where, row in _rows(file, ("interval_start", "interval_end", *columns, "temperature_c"), faults):
        t = _step(where, row, problem, steps, faults)
        if t is None:
            continue
        if seen[t]:
            faults.append(f"{where}: {row['interval_start']} stands twice.")
        seen[t] = True
        for column in columns:
            numbers[column][t] = _number(where, column, row, faults)
        if row["temperature_c"]:
            numbers["temperature_c"][t] = _number(where, "temperature_c", row, faults)
    if len(faults) == before:
        for missing in np.flatnonzero(~seen):
            faults.append(f"site.csv: there is no row at {problem.time.begin(int(missing)).isoformat()}.")
    return numbers


def _rows(file: Path, columns: tuple[str, ...], faults: list[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield (file:line, row by column); report what is wrong with the header or the length of a row."""
    reader = csv.reader(io.StringIO(_text(file), newline=""), strict=True)
    try:
        header = next(reader, [])
        wrong = [c for c in columns if header.count(c) != 1]
        for column in wrong:
            what = "is missing" if column not in header else "stands more than once"
            faults.append(f"{file.name}: column {column} {what}.")
        unknown = [c for c in header if c not in columns]
        faults += [f"{file.name}: column {column!r} is not known." for column in unknown]
        if wrong or unknown:
            return
        for row in reader:
            where = f"{file.name}:{reader.line_num}"
            if len(row) != len(header):
                faults.append(f"{where}: {len(row)} cells, expected {len(header)}.")
                continue
            yield where, dict(zip(header, row, strict=True))
    except csv.Error as error:
        raise BadInput(f"{file}:{reader.line_num}: is not CSV that can be read: {error}") from error


def _step(
    where: str, row: Mapping[str, str], problem: Problem, steps: Mapping[datetime, int], faults: list[str]
) -> int | None:
    times = []
    for column in ("interval_start", "interval_end"):
        try:
            times.append(read_moment(row[column]).astimezone(UTC))
        except NoTime as error:
            faults.append(f"{where}: {column} {error.value} {error.what}.")
            return None
    step = steps.get(times[0])
    if step is None:
        faults.append(f"{where}: interval_start {row['interval_start']} is not a step of the horizon in problem.json.")
    elif times[1] != problem.time.begin(step + 1).astimezone(UTC):
        end = problem.time.begin(step + 1).isoformat()
        faults.append(f"{where}: interval_end {row['interval_end']} is wrong; the interval ends at {end}.")
        return None
    return step


def _number(where: str, column: str, row: Mapping[str, str], faults: list[str]) -> float:
    value = float(row[column]) if PLAIN_NUMBER.fullmatch(row[column]) else math.nan
    if not math.isfinite(value):
        faults.append(f"{where}: {column} {row[column]!r} is not a plain decimal number.")
    return value


def _text(file: Path) -> str:
    try:
        return read_bytes(file).decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadInput(f"{file}: is not UTF-8 text (byte {error.start})") from error
