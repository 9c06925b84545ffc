"""Whether what a feed brings is possible but far from usual: then the file is faulty, as one that cannot be read is."""

from __future__ import annotations

from collections.abc import Iterator

from flexmine.errors import BadInput
from flexmine.inputs.plausibility import of_sources
from flexmine.inputs.series import SeriesRead
from flexmine.inputs.suspicious import suspicious
from flexmine.jobs.template import SeriesKey, Template
from flexmine.problem import TimeAxis


def refuse_unusual(template: Template, key: SeriesKey, read: SeriesRead, axis: TimeAxis, publish_h: float) -> None:
    """Refuse a series that the case of the night would be refused for, while another file can take its place.

    Parameters
    ----------
    template : Template
        What its case names under ``unusual`` is meant as it stands.
    key : SeriesKey
    read : SeriesRead
        On the axis of the night.
    axis : TimeAxis
    publish_h : float
        How much of it will be published [h].

    Raises
    ------
    BadInput
        Naming the file, the rows and the column.
    """
    for name, wrong in _found(template, key, read, axis, publish_h):
        if wrong and name not in template.case.document.unusual:
            meant = f"if it is meant as it stands, the template says so: unusual: [{name}]"
            raise BadInput(f"{wrong}. The file is taken for faulty; {meant}")


def _found(
    template: Template, key: SeriesKey, read: SeriesRead, axis: TimeAxis, publish_h: float
) -> Iterator[tuple[str, str]]:
    """Yield the name for ``unusual`` and what is wrong, with its place."""
    document = template.case.document.model_copy(update={"publish_h": publish_h})
    models = {name: model.document for name, model in template.models.items()}
    place = read.feed.file if read.origin is None else read.origin.span(0)
    for verdict in of_sources(document, template.plant.document, models, {key.dotted: read.values}):
        yield verdict.dotted, f"{place}: {verdict.wrong}" if verdict.wrong else ""
    for name, _, wrong in suspicious(document, axis, {key.dotted: read}):
        yield name, wrong
