"""setpoints.csv of a publication: for every container a row for every moment from now on, and what comes after."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from zoneinfo import ZoneInfo

from flexmine.audit.replay import Replay, replay
from flexmine.audit.seal import read_bytes
from flexmine.errors import BadInput
from flexmine.moments import NoTime, read_moment
from flexmine.planning.mix_text import miner_columns
from flexmine.publish.after import Continued
from flexmine.publish.ramps import ramps
from flexmine.publish.written import WrittenPlan

COLUMNS = (
    *("sequence", "plan_id", "row", "interval_start", "interval_end", "container", "class", "state"),
    *("facility_power_mw", "it_power_mw", "it_power_percent", "miners_on", "miner_mix"),
    *("ramp_start", "ramp_end", "valid_until"),
)
PLANNED, CARRIED, AFTER = "plan", "carried", "after"
Row = dict[str, str]


def plan_rows(plan: WrittenPlan, expiry: Continued) -> list[Row]:
    """Return the rows of the published steps and of the expiry; `sequence` and `valid_until` are left empty."""
    problem = expiry.problem
    played = replay(problem, expiry.schedule)
    awake, mixes = miner_columns(problem, expiry.schedule)
    when = ramps(problem, expiry.schedule, played.facility_power_mw, plan.document.get("switching", {}))
    last = expiry.first + expiry.steps - 1
    rows = []
    for t in range(last + 1):
        begin = problem.time.begin(t)
        end = "" if t == last else problem.time.begin(t + 1).isoformat()
        for i, (name, k) in enumerate(problem.containers):
            rows.append(
                {
                    "plan_id": plan.plan_id,
                    "row": PLANNED if t < expiry.first else AFTER,
                    "interval_start": begin.isoformat(),
                    "interval_end": end,
                    "container": name,
                    "class": k.name,
                    "state": _state(plan, expiry, i, t),
                    **_powers(played, i, t, float(k.it_power_mw[-1])),
                    "miners_on": str(awake[i, t]),
                    "miner_mix": str(mixes[i, t]),
                    "ramp_start": _moment(begin, float(when.start_s[i, t])),
                    "ramp_end": _moment(begin, float(when.end_s[i, t])),
                }
            )
    return rows


def carried_rows(before: Iterable[Row], begin: datetime, now: datetime) -> list[Row]:
    """Return the rows of an earlier publication that hold between `now` and `begin` (both aware), cut at `begin`.

    They fill the time until the new plan begins; rows of the earlier plan for the time after its own end are carried
    over too where they are needed.
    """
    carried = []
    for row in before:
        if read_moment(row["interval_start"]) >= begin:
            continue
        end = read_moment(row["interval_end"]) if row["interval_end"] else None
        if end is not None and end <= now:
            continue
        cut = {} if end is not None and end <= begin else {"interval_end": _shown_as(begin, row["interval_start"])}
        carried.append({**row, "row": CARRIED if row["row"] == PLANNED else row["row"], **cut})
    return carried


def spans(rows: Iterable[Row]) -> Iterator[tuple[str, str, str, str]]:
    """Yield (plan_id, row, beginning, end) of every run of rows of one plan and kind, in order of time."""
    for (plan_id, kind), run in groupby(rows, key=lambda r: (r["plan_id"], r["row"])):
        times = list(run)
        yield plan_id, kind, times[0]["interval_start"], times[-1]["interval_end"]


def rows_text(rows: Iterable[Row], sequence: int, valid_until: str) -> str:
    """Return the text of setpoints.csv, every row with the number `sequence` and `valid_until` (ISO 8601)."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows({**row, "sequence": str(sequence), "valid_until": valid_until} for row in rows)
    return out.getvalue()


def read_rows(file: Path) -> list[Row]:
    """Read `file`, which :func:`rows_text` made.

    Raises
    ------
    BadInput
        It cannot be read, has other columns, or a time that is not one.
    """
    try:
        reader = csv.DictReader(io.StringIO(read_bytes(file).decode("utf-8"), newline=""), strict=True)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise BadInput(f"{file}: is not a setpoints.csv of a publication; its columns are {', '.join(COLUMNS)}")
        rows = []
        for row in reader:
            place = f"{file}:{reader.line_num}"
            if set(row) != set(COLUMNS) or None in row.values():
                raise BadInput(f"{place}: a row has {len(COLUMNS)} cells, one for each column")
            _refuse_no_time(place, row)
            rows.append(row)
    except UnicodeDecodeError as error:
        raise BadInput(f"{file}: is not UTF-8 text (byte {error.start})") from error
    except csv.Error as error:
        raise BadInput(f"{file}: is not a CSV table: {error}") from error
    return rows


def _refuse_no_time(place: str, row: Row) -> None:
    """Refuse a row without its times; only the last one of a container has no end."""
    for column in ("interval_start", "interval_end"):
        if column == "interval_start" or row[column]:
            try:
                read_moment(row[column])
            except NoTime as error:
                raise BadInput(f"{place}: column {column}: {error}") from error


def rows_at(rows: Iterable[Row], moment: datetime) -> list[Row]:
    """Return the rows that hold at `moment` (aware), one for every container: what a machine has to do then."""
    return [
        row
        for row in rows
        if read_moment(row["interval_start"]) <= moment
        and (not row["interval_end"] or moment < read_moment(row["interval_end"]))
    ]


def _state(plan: WrittenPlan, expiry: Continued, i: int, t: int) -> str:
    if t < expiry.first:
        return str(plan.states[i, t])
    return "on" if expiry.schedule.on[i, t] else "off"


def _powers(played: Replay, i: int, t: int, full_mw: float) -> Row:
    it = float(played.it_power_mw[i, t])
    return {
        "facility_power_mw": f"{float(played.facility_power_mw[i, t]):.6f}",
        "it_power_mw": f"{it:.6f}",
        "it_power_percent": f"{100.0 * it / full_mw:.2f}",
    }


def _moment(begin: datetime, seconds: float) -> str:
    if math.isnan(seconds):
        return ""
    moment = (begin.astimezone(UTC) + timedelta(seconds=seconds)).astimezone(begin.tzinfo)
    return moment.isoformat()


def _shown_as(moment: datetime, like: str) -> str:
    """Return a moment with the offset of another time's text where `moment` has no zone of its own."""
    zone = moment.tzinfo if isinstance(moment.tzinfo, ZoneInfo) else read_moment(like).tzinfo
    return moment.astimezone(zone).isoformat()
