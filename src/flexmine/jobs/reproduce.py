"""Planning a stored run again from its own inputs, and comparing the result byte for byte."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from flexmine.audit.plan_files import read_document
from flexmine.jobs.planning import plan_inputs
from flexmine.output import write_plan
from flexmine.solving.phases import Phases
from flexmine.store.records import RunRecord
from flexmine.store.runs import RunStore

NOT_COMPARED = "run.json"


@dataclass(frozen=True)
class Reproduction:
    """The result of planning a run again.

    Attributes
    ----------
    same, differing : tuple of str
        Names of files.
    versions : tuple of str
        Packages whose versions have changed since; where files differ, the likely reason.
    """

    same: tuple[str, ...]
    differing: tuple[str, ...]
    versions: tuple[str, ...]


def reproduce(store: RunStore, record: RunRecord) -> Reproduction:
    """Plan a stored run again from its inputs and compare all files except ``run.json``.

    Raises
    ------
    BadInput
        Its inputs are gone, or are not those that it was planned from; its plan was altered after it was stored.
    """
    run = store.stored(record)
    names = sorted(path.name for path in run.plan.iterdir() if path.name != NOT_COMPARED)
    phases = Phases()
    plan = plan_inputs(run.inputs, phases)
    with tempfile.TemporaryDirectory() as name:
        again = Path(name) / "plan"
        write_plan(plan, again, phases, report="report.html" in names)
        same = [n for n in names if (again / n).is_file() and (again / n).read_bytes() == (run.plan / n).read_bytes()]
    then = read_document(run.plan)["versions"]
    versions = [f"{n} {then.get(n)} then, {now} now" for n, now in plan.versions.items() if then.get(n) != now]
    return Reproduction(tuple(same), tuple(n for n in names if n not in same), tuple(versions))
