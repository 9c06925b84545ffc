"""A job as it is run: its file, its template, and the places that both name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property, partial
from pathlib import Path

from flexmine.errors import BadInput
from flexmine.inputs.yaml_loader import Loaded, read_yaml
from flexmine.jobs.calendar import LocalDay
from flexmine.jobs.schema import JobDocument
from flexmine.jobs.template import Template, read_template
from flexmine.publish.reader import witnesses_of_run
from flexmine.resources import shipped_reference
from flexmine.store.database import SQLITE, StoreUrl, database_file, database_url, open_database
from flexmine.store.runs import RunStore


@dataclass(frozen=True)
class Job:
    """A job file with its template.

    Attributes
    ----------
    strict : bool
        Whether stored plans without a seal are refused.
    """

    loaded: Loaded[JobDocument]
    template: Template
    strict: bool = False

    @property
    def document(self) -> JobDocument:
        """The job file, validated."""
        return self.loaded.document

    @property
    def plant(self) -> str:
        """Name of the plant, under which its runs are kept."""
        return self.template.plant.document.name

    @property
    def zone(self) -> str:
        """Time zone of the site, an IANA name."""
        return self.template.plant.document.zone

    @cached_property
    def folder(self) -> Path:
        """Folder in which the runs are kept."""
        return self.path_of(self.document.folder)

    @cached_property
    def url(self) -> StoreUrl:
        """URL of the store."""
        return database_url(self.document.store, self.folder, self.loaded.path.parent)

    @property
    def has_store(self) -> bool:
        """Whether a store exists, without making one; a database server is assumed to have one."""
        return self.url.get_backend_name() != SQLITE or database_file(self.url).is_file()

    def path_of(self, reference: str) -> Path:
        """Return the path of `reference`, which stands in the job file and is relative to its folder."""
        return self.loaded.path.parent / reference

    def local_day(self, day: date) -> LocalDay:
        """Return the calendar day `day` in the site's time zone.

        Raises
        ------
        BadInput
            Its length is not a whole number of steps.
        """
        local = LocalDay(day, self.zone)
        step_h = self.template.case.document.step_h
        if abs(local.hours / step_h - round(local.hours / step_h)) > 1e-9:
            raise BadInput(
                f"{day} has {local.hours:g} h in {self.zone}, no whole number of steps of {step_h:g} h; give the "
                "template shorter steps (step_minutes)"
            )
        return local

    def open_store(self) -> RunStore:
        """Open the store that the job names.

        Raises
        ------
        BadInput
            As by :func:`flexmine.store.database.open_database`.
        """
        published = self.path_of(self.document.publish.directory)
        return RunStore(open_database(self.url), self.folder, partial(witnesses_of_run, published), strict=self.strict)


def read_job(path: Path) -> Job:
    """Read a job file and the template that it names.

    Raises
    ------
    BadInput
        All that is wrong, with file, line and key.
    """
    if not path.is_file():
        raise BadInput(f"there is no job file {path}")
    loaded = read_yaml(path, JobDocument, path.name)
    job = Job(loaded, read_template(loaded))
    known = {key.dotted: key for key in job.template.series()}
    is_shipped = shipped_reference(job.template.case.path) is not None
    wrong = []
    for i, feed in enumerate(loaded.document.feeds):
        for name in feed.series:
            if name not in known:
                there = ", ".join(known) or "none"
                message = f"{name} is not a series of {loaded.document.case}; its series: {there}"
            elif is_shipped and (factors := known[name].spec.factors):
                listed = ", ".join(f"{factor.name} {factor.value:g}" for factor in factors)
                message = (
                    f"{loaded.document.case} multiplies {name} by {listed}, for the stand-in that it ships with, and "
                    "would multiply your feed by it; name a case of your own, with the column, unit and factors of "
                    "this feed (deploy/bratsk-10/case.yaml is one to start from)"
                )
            else:
                continue
            wrong.append(loaded.at(("feeds", i, "series"), message))
    if wrong:
        raise BadInput(wrong)
    return job
