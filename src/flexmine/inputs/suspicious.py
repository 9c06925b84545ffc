"""Series whose every value is possible and which, as a whole, nearly always stand for something else.

A feed that ends too early is often filled up by whoever writes it: with zeros, or with its last value.  Taken at face
value, the zeros are power for nothing, and the last value is a forecast that nobody made.  Only runs that reach the end
of the horizon are checked, and only those longer than a market or the weather usually produces.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from flexmine.inputs.schema import DEFAULT_PUBLISH_H
from flexmine.inputs.series import SeriesRead
from flexmine.inputs.yaml_loader import Keys
from flexmine.problem import Floats, TimeAxis

ZEROS_H = 6.0
"""This many hours of exactly 0 at the end of a firm price are not a market's: windy nights bring prices around 0, and
two or three hours of 0 itself."""
SAME_PRICE_H, SAME_TEMPERATURE_H = 8.0, 12.0
"""A price or a temperature that has changed in nearly every step does not stand still this long by itself.  Hours after
the published ones do not count: there a flat value may be the user's own look-ahead."""
CHANGING_H, CHANGING_SHARE = 12.0, 0.9
"""A series counts as changing if it changed in this share of its steps over this many hours before.  Tariffs by the
time of day, contracts and held sources stand still far more often and are left alone."""
LARGEST_MEAN_TEMPERATURE_C = 45.0
"""The hottest days on record have a mean of some 43 degrees C; 50 to 60 are a mild day in degrees F."""

Suspicion = tuple[str, Keys, str]
"""Name for ``unusual``, keys in the case, and what is wrong; empty where the series is usual."""


def suspicious(document: Any, axis: TimeAxis, read: Mapping[str, SeriesRead]) -> Iterator[Suspicion]:
    """Yield each series that is checked, with what is wrong with it.

    Parameters
    ----------
    document : CaseDocument
        Or, of a faulty case, an object with the parts that are right.
    axis : TimeAxis
    read : dict of SeriesRead
        By dotted key; a single number that the case states is never suspicious.
    """
    publish_h = DEFAULT_PUBLISH_H if document.publish_h is None else document.publish_h
    published = min(axis.steps, round(publish_h / axis.step_h))
    if (temperature := read.get("temperature_c")) is not None:
        wrong = _hot(temperature) or _same_at_end(temperature, axis, published, SAME_TEMPERATURE_H)
        yield "series.temperature_c", ("series", "temperature_c"), wrong
    for i, source in enumerate(document.sources or ()):
        dotted = f"sources.{getattr(source, 'name', None)}.price_usd_per_mwh"
        if getattr(source, "kind", None) == "firm" and (price := read.get(dotted)) is not None:
            wrong = _zeros_at_end(price, axis) or _same_at_end(price, axis, published, SAME_PRICE_H)
            yield dotted, ("sources", i, "price_usd_per_mwh"), wrong


def _zeros_at_end(series: SeriesRead, axis: TimeAxis) -> str:
    first = _run_at_end(series.values)
    hours = (axis.steps - first) * axis.step_h
    if series.values[-1] != 0.0 or hours < ZEROS_H:
        return ""
    return (
        f"{_place(series, first)}: the last {axis.steps - first} values ({hours:g} h, from "
        f"{axis.begin(first).isoformat()}) are exactly 0, power for nothing up to the end. Where the 0 stands for a "
        "price that is not known, say so (missing: ['0'], with a policy under fill), or end the horizon before it"
    )


def _same_at_end(series: SeriesRead, axis: TimeAxis, published: int, most_h: float) -> str:
    values, first = series.values, _run_at_end(series.values)
    hours = (published - first) * axis.step_h
    if values[-1] == 0.0 or hours < most_h or series.origin is None or series.origin.filled[first:].any():
        return ""
    before = values[max(0, first - round(24.0 / axis.step_h)) : first + 1]
    changes = np.diff(before) != 0.0
    if changes.size * axis.step_h < CHANGING_H or changes.mean() < CHANGING_SHARE:
        return ""
    return (
        f"{_place(series, first)}: the last {axis.steps - first} values (from {axis.begin(first).isoformat()}, "
        f"{hours:g} h of them published) are all {values[-1]:g}, where nearly every value before differs from the one "
        "before it. Where the feed has ended and its last value was repeated, leave these rows out and name a policy "
        "under fill, or end the horizon before them"
    )


def _hot(series: SeriesRead) -> str:
    mean = float(series.values.mean())
    if mean <= LARGEST_MEAN_TEMPERATURE_C:
        return ""
    return (
        f"{_place(series, 0)}: a mean of {mean:g} degrees C is hotter than any place on Earth; the values look like "
        f"degrees F, of which {mean:g} are {(mean - 32.0) / 1.8:.1f} degrees C: unit: F"
    )


def _run_at_end(values: Floats) -> int:
    """Return the first step from which on all values are the same."""
    differing = np.flatnonzero(values != values[-1])
    return int(differing[-1]) + 1 if differing.size else 0


def _place(series: SeriesRead, first: int) -> str:
    return "" if series.origin is None else series.origin.span(first)
