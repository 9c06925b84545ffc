"""Handing the newest plan to whoever publishes it, and noting that it was."""

from __future__ import annotations

from datetime import datetime

from flexmine.jobs.job import Job
from flexmine.store.runs import RunStore


def publish_newest(job: Job, store: RunStore, now: datetime) -> None:
    """Publish the newest plan where it is not published yet; an earlier day never replaces a later one."""
