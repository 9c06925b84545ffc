"""The pins that operators keep in a file of their own, as they hold for one horizon."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flexmine.errors import BadInput
from flexmine.inputs.pins import Pin, PinsDocument
from flexmine.inputs.yaml_loader import read_yaml
from flexmine.jobs.job import Job
from flexmine.jobs.template import as_mapping


@dataclass(frozen=True)
class JobPins:
    """All pins of a job's file.

    Attributes
    ----------
    in_force : tuple of Pin
        Those that touch the horizon.
    expired : tuple of Pin
        Those that were over before it; they have no effect and may be removed from the file.
    """

    in_force: tuple[Pin, ...]
    expired: tuple[Pin, ...]

    def extra(self) -> dict[str, Any]:
        """Return the keys added to the case of the night."""
        return {"pins": [as_mapping(pin) for pin in self.in_force]} if self.in_force else {}


def job_pins(job: Job, begin: datetime, end: datetime) -> JobPins:
    """Read the pins of a job for the horizon from `begin` to `end` (both aware).

    The pins of its template are among them; a job that names no pins file returns none.

    Raises
    ------
    BadInput
        The file is missing, or names what the plant does not have; a night with unknown pins is not planned.
    """
    reference = job.document.pins
    if reference is None:
        return JobPins((), ())
    path = job.path_of(reference)
    if not path.is_file():
        missing = f"there is no pins file {reference}; where nothing is pinned, leave it with pins: []"
        raise BadInput(job.loaded.at(("pins",), missing))
    try:
        loaded = read_yaml(path, PinsDocument, reference)
    except BadInput as error:
        raise BadInput([job.loaded.at(("pins",), message) for message in error.messages]) from error
    names = job.template.plant.document.container_names
    wrong = [
        loaded.at(("pins", i, "container"), f"{pin.container} is not a container of {job.plant}")
        for i, pin in enumerate(loaded.document.pins)
        if pin.container is not None and pin.container not in names
    ]
    if wrong:
        raise BadInput(wrong)
    pins = (*job.template.case.document.pins, *loaded.document.pins)
    touching = (p for p in pins if not p.expired(begin) and (p.begin is None or p.begin < end))
    return JobPins(tuple(touching), tuple(p for p in pins if p.expired(begin)))
