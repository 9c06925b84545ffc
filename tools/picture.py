"""A still picture of a plan, the day over the container map, drawn without a browser and without a network."""

from __future__ import annotations

import json
import struct
import zlib
from pathlib import Path
from typing import Any

import vl_convert

from flexmine.report.charts import Panel
from flexmine.report.container_map import map_figure
from flexmine.report.day import day_figure
from flexmine.report.palette import LIGHT, MINUS, THIN, paint
from flexmine.report.vega import VEGA_LITE
from flexmine.workflow.plan import Plan

WIDTH_PX = 860
SCALE = 2.0
FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
CHARACTER_PX = 6.0  # mean width of a letter of 12 px; only spreads the legend
LOCALE = {"decimal": ".", "thousands": THIN, "grouping": [3], "currency": ["", ""], "minus": MINUS}
SHAPES = {"line": "stroke", "dash": "stroke", "triangle": "triangle-up", "diamond": "diamond"}

# Vega has no hatching of its own: the charts fill with these patterns by name.  Their tiles are whole pixels, so that
# a picture repeats itself and packs well.
PATTERNS = """<style>.mark-rect path {{shape-rendering: crispEdges}}</style><defs>
<pattern id="hatch-left" width="8" height="8" patternUnits="userSpaceOnUse">\
<rect width="8" height="8" fill="{left}"/><path d="M-2 2L2 -2M0 8L8 0M6 10L10 6" stroke="{leftline}" \
stroke-width="1.4" stroke-opacity="0.55"/></pattern>
<pattern id="hatch-behind" width="8" height="8" patternUnits="userSpaceOnUse">\
<path d="M-2 2L2 -2M0 8L8 0M6 10L10 6" stroke="{left}" stroke-width="2"/></pattern>
<pattern id="hatch-out" width="8" height="8" patternUnits="userSpaceOnUse">\
<rect width="8" height="8" fill="{off}"/><path d="M-2 2L2 -2M0 8L8 0M6 10L10 6" stroke="{out}" \
stroke-width="3"/></pattern>
</defs>"""


def save_picture(plan: Plan, path: str | Path, *, scale: float = SCALE, temperature: bool = False) -> None:
    """Write the power, the prices and the container map of a plan as a PNG in the light scheme.

    Parameters
    ----------
    scale : float
        Pixels of the file per pixel of the drawing, which is 860 wide.
    temperature : bool
        Whether the outside temperature is drawn too.

    Raises
    ------
    ValueError
        The plan publishes no step.
    OSError
        `path` cannot be written.
    """
    day, containers = day_figure(plan), map_figure(plan)
    shown = [panel for panel in (*day.panels, *containers.panels) if temperature or panel.key != "temperature"]
    views = [view for panel in shown for view in (_legend(panel), _view(panel))]
    spec: dict[str, Any] = {
        "$schema": f"https://vega.github.io/schema/vega-lite/v{VEGA_LITE[0]}.json",
        "title": {"text": plan.title, "anchor": "start", "fontSize": 17, "offset": 10, "subtitle": [day.title, ""]},
        "spacing": 12,
        "vconcat": views,
        "params": [p for panel in shown for p in panel.spec.get("params", [])],
        "datasets": {name: rows for panel in shown for name, rows in panel.spec.get("datasets", {}).items()},
        "config": _config(),
    }
    svg = vl_convert.vegalite_to_svg(json.dumps(paint(spec, LIGHT)), vl_version=VEGA_LITE, format_locale=LOCALE)
    head = svg.index(">") + 1
    png = vl_convert.svg_to_png(svg[:head] + PATTERNS.format(**LIGHT) + svg[head:], scale=scale)
    Path(path).write_bytes(packed(png))


def packed(png: bytes) -> bytes:
    """Return the same picture with its data compressed as far as zlib can; the renderer hardly compresses.

    A PNG is a signature of 8 bytes and chunks of length, type, data and checksum (RFC 2083, section 3).
    """
    chunks, data, at = [], b"", 8
    while at < len(png):
        length = int.from_bytes(png[at : at + 4], "big")
        kind, body = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        if kind == b"IDAT":
            data += body
        else:
            chunks.append((kind, body))
        at += 12 + length
    chunks.insert(-1, (b"IDAT", zlib.compress(zlib.decompress(data), 9)))
    return png[:8] + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )


def _view(panel: Panel) -> dict[str, Any]:
    return {key: value for key, value in panel.spec.items() if key not in ("$schema", "params", "datasets")} | {
        "width": WIDTH_PX
    }


def _legend(panel: Panel) -> dict[str, Any]:
    """Return the heading and the legend of a panel as one line of marks and words."""
    layers: list[dict[str, Any]] = []
    at = CHARACTER_PX * len(panel.heading) + 40.0
    heading = {
        "type": "text",
        "text": panel.heading,
        "align": "left",
        "fontWeight": "bold",
        "fontSize": 12,
        "x": 0,
        "y": 9,
    }
    layers.append({"mark": {**heading, "color": "@ink"}})
    for kind, words in panel.legend:
        form, _, name = kind.partition(":")
        mark: dict[str, Any] = {
            "type": "point",
            "opacity": 1,
            "shape": SHAPES.get(form, "square"),
            "size": 110,
            "x": at,
            "y": 9,
        }
        colour = {"ramp": "@power1", "off": "@off"}.get(kind, f"@{name or kind}")
        fill = f"url(#{kind})" if kind.startswith("hatch-") else colour
        if SHAPES.get(form) == "stroke":
            mark |= {"stroke": colour, "strokeWidth": 2.4, "strokeDash": [4, 2] if form == "dash" else [1, 0]}
        else:
            mark |= {"fill": fill, "stroke": None}
        text = words.partition(";")[0]
        label = {"type": "text", "text": text, "align": "left", "x": at + 11, "y": 9, "color": "@muted", "fontSize": 12}
        layers += [{"mark": mark}, {"mark": label}]
        at += CHARACTER_PX * len(text) + 30.0
    return {"data": {"values": [{}]}, "width": WIDTH_PX, "height": 16, "layer": layers}


def _config() -> dict[str, Any]:
    axis: dict[str, Any] = {
        "labelColor": "@muted",
        "titleColor": "@muted",
        "gridColor": "@grid",
        "domainColor": "@muted",
    }
    axis |= {"tickColor": "@muted", "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal"}
    title: dict[str, Any] = {"color": "@ink", "subtitleColor": "@muted", "subtitleFontSize": 14}
    return {
        "background": "@paper",
        "font": FONT,
        "view": {"stroke": None},
        "padding": 16,
        "axis": axis,
        "title": title,
    }
