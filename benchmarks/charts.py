"""Two charts of what ``engines.py --json FILE`` measured.

Usage: python benchmarks/charts.py FILE [--out FOLDER]
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import altair as alt
import vl_convert

VEGA_LITE = "6.4"
# The share of HiGHS's time that may be needed at most, by size, at gaps 1e-4 and 1e-6.
FLOORS = {
    "bratsk-day": (1 / 3, 1 / 3),
    "bratsk-40": (1 / 3, 1 / 3),
    "week-15min": (1 / 10, 1),
    "fleet-500": (1 / 6, 1),
    "fleet-5000": (1 / 15, 1 / 15),
    "fleet-50000": (1 / 25, 1 / 25),
}


def shares(rows: list[dict[str, Any]]) -> alt.LayerChart:
    """Return bars of the time of engine auto as a share of HiGHS's MIP, hard data, with the floors."""
    data = []
    for row in rows:
        if row["data"] == "hard":
            floor = FLOORS.get(row["size"], (None, None))[row["gap"] < 1e-5]
            data.append({"size": row["size"], "gap": f"{row['gap']:.0e}", "share": row["ratio"], "floor": floor})
    base = alt.Chart(alt.InlineData(values=data))
    size = alt.Y("size:N", sort=[row["size"] for row in data], title=None)
    offset = alt.YOffset("gap:N")
    scale = alt.Scale(type="log", domain=[0.005, 1])
    # A bar on a logarithmic axis begins where the axis does.
    bars = base.mark_bar(height=7).encode(
        y=size,
        yOffset=offset,
        x=alt.X("share:Q", scale=scale, title="time of auto / time of HiGHS's MIP, same matrix (log; left is faster)"),
        x2=alt.datum(1),
        color=alt.Color("gap:N", scale=alt.Scale(range=["#1b7f5c", "#7fb8a4"]), title="gap"),
    )
    floors = base.mark_tick(color="#c0392b", thickness=2, height=10).encode(
        y=size, yOffset=offset, x=alt.X("floor:Q", scale=scale)
    )
    return alt.layer(bars, floors).properties(width=420, height=260)


def growth(rows: list[dict[str, Any]]) -> alt.LayerChart:
    """Return time against containers in ten classes."""
    data = [row for row in rows if row["what"].startswith("containers")]
    base = alt.Chart(alt.InlineData(values=data)).encode(
        x=alt.X("value:Q", scale=alt.Scale(type="log"), title="containers in ten classes, 168 hours"),
        y=alt.Y(
            "auto_s:Q", scale=alt.Scale(domain=[0, 1.4 * max(row["auto_s"] for row in data)]), title="seconds, gap 1e-4"
        ),
    )
    return alt.layer(base.mark_line(color="#1b7f5c"), base.mark_circle(color="#1b7f5c", size=50)).properties(
        width=420, height=160
    )


def main() -> None:
    """Write engines.svg and growth.svg."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    given = parser.parse_args()
    measured = json.loads(given.file.read_text(encoding="utf-8"))
    for name, chart in (("engines", shares(measured["engines"])), ("growth", growth(measured["growth"]))):
        svg = vl_convert.vegalite_to_svg(chart.to_json(), vl_version=VEGA_LITE)
        (given.out / f"{name}.svg").write_text(svg + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
