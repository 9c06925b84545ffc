"""The sections of a job that say how a plan leaves the house: publication, broker, pins and notices."""

from __future__ import annotations

from flexmine.inputs.fields import Document


class Publish(Document):
    """Where machines take the plan from, relative to the job file."""

    directory: str = "published"
