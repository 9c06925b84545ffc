"""Whether what a feed brings is possible but far from usual: then the file is faulty, as one that cannot be read is.

What is merely far from what the same feed brought on the days before is used, and a mark says so: a market may move.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from flexmine.errors import BadInput
from flexmine.inputs.plausibility import of_sources
from flexmine.inputs.series import SeriesRead
from flexmine.inputs.suspicious import suspicious
from flexmine.jobs.template import SeriesKey, Template
from flexmine.problem import Floats, TimeAxis

COMPARED = ("price_usd_per_mwh", "temperature_c")
"""Quantities of which a usual mean says something; water comes and goes."""
PRICE_FACTOR = 5.0
"""A day's mean price this many times that of the days before, or this small a part, is worth a look: roubles as USD."""
LEAST_PRICE_USD_PER_MWH = 5.0
"""Means below this say nothing of the unit."""
TEMPERATURE_K = 20.0
"""So much colder or warmer on average: degrees Fahrenheit as Celsius."""


def unlike_before(key: SeriesKey, values: Floats, before: Sequence[float], days: int) -> str:
    """Return a sentence where a series is far from what the same feed brought before, else an empty text.

    Parameters
    ----------
    key : SeriesKey
    values : ndarray, shape (T,)
        Of the hours that are published, in the unit of the key.
    before : sequence of float
        Those of the days before.
    days : int
        How many days these are of, at most.
    """
    if not len(before) or key.quantity not in COMPARED:
        return ""
    if key.quantity == "temperature_c":
        now, then = float(np.mean(values)), float(np.mean(before))
        far, unit = abs(now - then) > TEMPERATURE_K, "C"
    else:
        now, then = float(np.mean(np.abs(values))), float(np.mean(np.abs(before)))
        low, high = sorted((now, then))
        far, unit = high > PRICE_FACTOR * low and high > LEAST_PRICE_USD_PER_MWH, "USD/MWh"
    past = f"that of the last {days} days with a feed {then:.4g} {unit}"
    return f"{key.dotted}: its mean is {now:.4g} {unit}, {past}: is its unit right?" if far else ""


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
