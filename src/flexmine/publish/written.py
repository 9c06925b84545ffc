"""A plan in its directory, audited from its files before anything is made of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from flexmine.audit.directory import audit_directory
from flexmine.audit.plan_files import read_plan
from flexmine.audit.seal import Witness, sha256
from flexmine.errors import AuditFailed, first_of
from flexmine.problem import Problem
from flexmine.problem.schedule import Schedule

ID_DIGITS = 16
SHOWN_VIOLATIONS = 20


@dataclass(frozen=True)
class WrittenPlan:
    """A plan read back from its files.

    Attributes
    ----------
    plan_id : str
        The first 16 digits of the sha256 of plan.json, which holds the sha256 of the tables and the problem: the
        same plan has the same name everywhere.
    document : mapping
        Content of plan.json.
    states : ndarray of str, shape (containers, T)
        Of setpoints.csv.
    publish_steps : int
        Number of published steps; the look-ahead follows.
    """

    plan_id: str
    document: Mapping[str, Any]
    problem: Problem
    schedule: Schedule
    states: np.ndarray
    publish_steps: int

    @property
    def valid_from(self) -> datetime:
        """Beginning of the published part."""
        return self.problem.time.begin(0)

    @property
    def valid_until(self) -> datetime:
        """End of the published part."""
        return self.problem.time.begin(self.publish_steps)


def plan_id_of(directory: Path) -> str:
    """Return the id of the plan in `directory`, from plan.json alone.

    Raises
    ------
    BadInput
        plan.json cannot be read.
    """
    return sha256(directory / "plan.json")[:ID_DIGITS]


def read_written(
    directory: Path, witnesses: Sequence[Witness] = (), *, strict: bool = False, name: Path | None = None
) -> WrittenPlan:
    """Audit a plan's directory from its files, then read it.

    Parameters
    ----------
    directory : Path
        As ``flexmine plan`` writes it.
    witnesses : sequence of Witness
        As in :func:`flexmine.audit.directory.audit_directory`.
    strict : bool, default False
        As there.
    name : Path, optional
        What messages call the directory, where it is a copy.

    Raises
    ------
    BadInput
        A file is missing or cannot be read.
    AuditFailed
        The plan breaks a limit, or its files contradict each other.
    """
    result = audit_directory(directory, witnesses, strict=strict)
    if not result.ok:
        messages = [f"{name or directory} fails its audit: {v}" for v in result.violations]
        raise AuditFailed(first_of(messages, SHOWN_VIOLATIONS, "more violations"))
    return unaudited(directory)


def unaudited(directory: Path) -> WrittenPlan:
    """Read the plan in `directory`, which was audited before and by its seal is unchanged since.

    Raises
    ------
    BadInput
        A file is missing or cannot be read.
    """
    document, problem, tables = read_plan(directory)
    return WrittenPlan(
        plan_id=plan_id_of(directory),
        document=document,
        problem=problem,
        schedule=tables.schedule(problem),
        states=tables.setpoint_text["state"],
        publish_steps=int(document["horizon"]["publish_steps"]),
    )
