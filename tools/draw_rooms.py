"""Draw the rooms of ``src/flexmine`` from their imports: ``python tools/draw_rooms.py`` writes docs/images/rooms.svg.

A row for each layer that the first import contract of pyproject.toml declares, an arrow from who imports to what is
imported.  What can be reached by other arrows has none of its own, so that the picture shows the least that says it
all.  The same imports give the same bytes.
"""

from __future__ import annotations

import random
import sys
import tomllib
from collections.abc import Mapping
from itertools import combinations, pairwise
from pathlib import Path
from xml.sax.saxutils import escape

import grimp

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "images" / "rooms.svg"
API, BASE = "import flexmine", "base"

# Room -> what it is, and the colour of its kind.  A room that is missing here is named when the picture is drawn.
WORDS = {
    "cli": ("commands: parse, call, print", "outside"),
    API: ("load_case, plan, backtest", "outside"),
    "jobs": ("nights, replans, health", "outside"),
    "studies": ("many days: back-tests", "outside"),
    "forecasting": ("series into the days ahead", "outside"),
    "store": ("what is kept of each run", "outside"),
    "publish": ("what machines take", "outside"),
    "output": ("a plan's directory, whole or not", "outside"),
    "report": ("what people look at", "outside"),
    "workflow": ("a case in, an audited plan out", "after"),
    "explain": ("reasons, checks in words", "after"),
    "baselines": ("simple rules to compare with", "after"),
    "planning": ("counts, containers, miners", "after"),
    "solving": ("matrix, engines, bounds", "solver"),
    "audit": ("replays and prices a plan", "audit"),
    "milp": ("the Pyomo model", "solver"),
    "assembly": ("case and physics to Problem", "before"),
    "inputs": ("YAML and series, validated", "before"),
    "physics": ("pure functions on arrays", "before"),
    "problem": ("the seam: fields, limits, money", "seam"),
    BASE: ("errors, files, times, JSON", "seam"),
}
# Every box brings its own ground, and lines are of a middle grey: readable on a white page and on a black one.
FILL = {
    "outside": "#e8ecef",
    "after": "#dbe9f6",
    "solver": "#fbe8c3",
    "audit": "#f6d9d5",
    "before": "#d3eeea",
    "seam": "#e6dcef",
}
EDGE = {
    "outside": "#6b7780",
    "after": "#2b6cb0",
    "solver": "#b87b00",
    "audit": "#b3261e",
    "before": "#0a7d70",
    "seam": "#7a3e9d",
}
LINE = "#87929a"
WIDE, HIGH, ROW, GAP, LANE, MARGIN = 214, 46, 80, 26, 16, 12
STARTS = 60

Graph = dict[str, set[str]]


def layers() -> list[list[str]]:
    """Return the modules of each declared layer, top first, by their names below ``flexmine``."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    declared = next(c["layers"] for c in contracts if c["type"] == "layers")
    return [[name.strip().removeprefix("flexmine.") for name in layer.split("|")] for layer in declared]


def imports() -> Graph:
    """Return which room imports which; single modules at the bottom are one room."""
    graph = grimp.build_graph("flexmine", cache_dir=None)
    rows = layers()
    floor = max(i for i, row in enumerate(rows) if any(graph.find_children(f"flexmine.{name}") for name in row))
    low = {name for row in rows[floor + 1 :] for name in row}

    def room(module: str) -> str | None:
        name = module.split(".")[1] if "." in module else API
        if name in low or name == "_version":
            return BASE
        return None if name == "__main__" else name

    found: Graph = {}
    for module in sorted(graph.modules):
        here = room(module)
        if here is not None:
            there = {room(other) for other in graph.find_modules_directly_imported_by(module)}
            found.setdefault(here, set()).update(name for name in there if name not in (here, None))
    return found


def reached(graph: Mapping[str, set[str]], start: str) -> set[str]:
    """Return all rooms that can be reached from one."""
    seen: set[str] = set()
    left = [start]
    while left:
        new = graph.get(left.pop(), set()) - seen
        seen |= new
        left += new
    return seen


def reduced(graph: Graph) -> Graph:
    """Return the arrows that cannot be reached by others (the transitive reduction)."""
    return {
        name: {to for to in others if not any(to in reached(graph, by) for by in others - {to})}
        for name, others in graph.items()
    }


def ranks(graph: Graph) -> dict[str, int]:
    """Return the row of each room, 0 at the top."""
    rank = {name: row for row, names in enumerate(layers()) for name in names if name in graph}
    missing = set(graph) - set(rank) - {API, BASE}
    if missing or set(graph) - set(WORDS):
        unknown = ", ".join(sorted(missing | (set(graph) - set(WORDS))))
        raise SystemExit(f"{unknown}: name it in the layers of pyproject.toml and in WORDS of tools/draw_rooms.py")
    rank[BASE] = max(rank.values()) + 1
    rank[API] = min(rank[name] for name in graph[API] if name != BASE) - 1
    return rank


class Layout:
    """Places of rooms, and of the lanes by which long arrows pass through the rows between."""

    def __init__(self, arrows: Graph, rank: dict[str, int]) -> None:
        self.rows: list[list[object]] = [[] for _ in range(max(rank.values()) + 1)]
        for name in sorted(rank):
            self.rows[rank[name]].append(name)
        self.paths: list[list[object]] = []
        for tail in sorted(arrows):
            for head in sorted(arrows[tail]):
                lanes: list[object] = [(tail, head, row) for row in range(rank[tail] + 1, rank[head])]
                for lane in lanes:
                    self.rows[lane[2]].append(lane)  # type: ignore[index]
                self.paths.append([tail, *lanes, head])
        self.beside: dict[object, list[object]] = {part: [] for row in self.rows for part in row}
        for path in self.paths:
            for above, below in pairwise(path):
                self.beside[above].append(below)
                self.beside[below].append(above)
        self.x: dict[object, float] = {}
        self.arrange()

    def arrange(self) -> None:
        """Order and place all parts: the calmest of several shuffled starts, always the same ones."""
        kept = []
        for start in range(STARTS):
            for row in self.rows:
                row.sort(key=str)
                random.Random(start).shuffle(row)
            self.sweep()
            self.exchange()
            self.x = self.places()
            kept.append((self.unrest(), [list(row) for row in self.rows], self.x))
        _, self.rows, self.x = min(kept, key=lambda one: one[0])

    def unrest(self) -> float:
        """Return what a reader's eye has to follow: crossings, ways to the side, and the width of the page [px]."""
        aside = sum(abs(self.x[a] - self.x[b]) for path in self.paths for a, b in pairwise(path))
        return round(100 * self.crossings() + 0.3 * aside + max(self.x.values()) - min(self.x.values()), 3)

    def crossings(self) -> int:
        """Return how often arrows cross between neighbouring rows."""
        at = {part: i for row in self.rows for i, part in enumerate(row)}
        count = 0
        for upper, lower in pairwise(self.rows):
            below = set(lower)
            ends = sorted((at[a], at[b]) for a in upper for b in self.beside[a] if b in below)
            count += sum(a1 < a2 and b1 > b2 for i, (a1, b1) in enumerate(ends) for a2, b2 in ends[i + 1 :])
        return count

    def sweep(self) -> None:
        """Put each part at the mean of its neighbours, row by row, up and down."""
        for turn in range(12):
            for row in self.rows if turn % 2 else self.rows[::-1]:
                at = {part: i / max(len(r) - 1, 1) for r in self.rows for i, part in enumerate(r)}
                row.sort(key=lambda part: sum(at[b] for b in self.beside[part]) / max(len(self.beside[part]), 1))

    def exchange(self) -> None:
        """Exchange two parts of a row as long as that takes a crossing away."""
        best, better = self.crossings(), True
        while better:
            better = False
            for row in self.rows:
                for i, j in combinations(range(len(row)), 2):
                    row[i], row[j] = row[j], row[i]
                    now = self.crossings()
                    if now < best:
                        best, better = now, True
                    else:
                        row[i], row[j] = row[j], row[i]

    def places(self) -> dict[object, float]:
        """Return the middle of each part: near its neighbours, nothing overlapping, long arrows straight."""
        x: dict[object, float] = {part: 0.0 for row in self.rows for part in row}
        for turn in range(60):
            for row in self.rows if turn % 2 else self.rows[::-1]:
                wish = []
                for part in row:
                    pull = [(20.0 if _is_lane(part) and _is_lane(b) else 1.0, x[b]) for b in self.beside[part]]
                    wish.append((sum(w for w, _ in pull), sum(w * at for w, at in pull)))
                x.update(zip(row, _apart(row, wish), strict=True))
        for path in self.paths:
            self.straighten(path[1:-1], x)
        return x

    def straighten(self, lanes: list[object], x: dict[object, float]) -> None:
        """Put the lanes of one arrow below each other, at the place of one of them, where there is room in each row."""

        def fits(lane: object, at: float) -> bool:
            row = next(row for row in self.rows if lane in row)
            i = row.index(lane)
            before, after = row[i - 1] if i else None, row[i + 1] if i + 1 < len(row) else None
            return (before is None or at - x[before] >= _distance(before, lane) - 1e-6) and (
                after is None or x[after] - at >= _distance(lane, after) - 1e-6
            )

        for at in sorted((x[lane] for lane in lanes), key=lambda at: sum(abs(at - x[lane]) for lane in lanes)):
            if all(fits(lane, at) for lane in lanes):
                x.update(dict.fromkeys(lanes, at))
                return


def _is_lane(part: object) -> bool:
    return isinstance(part, tuple)


def _distance(left: object, right: object) -> float:
    """Return how far apart the middles of two neighbours stand at least."""
    lanes = _is_lane(left) + _is_lane(right)
    return WIDE * (2 - lanes) / 2 + (GAP, GAP, LANE)[lanes]


def _apart(row: list[object], wish: list[tuple[float, float]]) -> list[float]:
    """Return the places nearest to those wished for that keep order and distances (pooling of neighbours)."""
    offsets = [0.0]
    for left, right in pairwise(row):
        offsets.append(offsets[-1] + _distance(left, right))
    pools: list[list[float]] = []  # weight, weighted sum of places less offsets, members
    for (weight, total), offset in zip(wish, offsets, strict=True):
        pools.append([weight, total - weight * offset, 1])
        while len(pools) > 1 and pools[-2][1] / pools[-2][0] >= pools[-1][1] / pools[-1][0]:
            last = pools.pop()
            pools[-1] = [a + b for a, b in zip(pools[-1], last, strict=True)]
    shifts = [total / weight for weight, total, members in pools for _ in range(int(members))]
    return [shift + offset for shift, offset in zip(shifts, offsets, strict=True)]


def svg() -> str:
    """Return the picture of today's imports."""
    graph = imports()
    arrows, rank = reduced(graph), ranks(graph)
    layout = Layout(arrows, rank)
    left = min(at - (0 if _is_lane(part) else WIDE / 2) for part, at in layout.x.items()) - MARGIN
    width = round(max(at + (0 if _is_lane(part) else WIDE / 2) for part, at in layout.x.items()) - left + MARGIN)
    height = ROW * (len(layout.rows) - 1) + HIGH + 2 * MARGIN
    top = {part: MARGIN + ROW * i for i, row in enumerate(layout.rows) for part in row}
    lines, boxes = [], []
    for path in layout.paths:
        lines.append(f'<path d="{_curve(path, layout, top, left)}" marker-end="url(#head)"/>')
    for name in sorted(rank, key=lambda n: (rank[n], layout.x[n])):
        words, kind = WORDS[name]
        x, y = layout.x[name] - left, top[name]
        boxes += [
            f'<rect x="{x - WIDE / 2:.0f}" y="{y}" width="{WIDE}" height="{HIGH}" rx="6" fill="{FILL[kind]}" '
            f'stroke="{EDGE[kind]}"/>',
            f'<text x="{x:.0f}" y="{y + 19}" class="name">{escape(name)}</text>',
            f'<text x="{x:.0f}" y="{y + 36}">{escape(words)}</text>',
        ]
    told = "; ".join(f"{a} imports {', '.join(sorted(arrows[a]))}" for a in sorted(arrows) if arrows[a])
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
            f'height="{height}" role="img" aria-labelledby="title told">',
            '<title id="title">The rooms of flexmine: an arrow leads from who imports to what is imported</title>',
            f'<desc id="told">{escape(told)}.</desc>',
            "<style>text{font:12px system-ui,sans-serif;text-anchor:middle;fill:#1d2327}"
            ".name{font-weight:600;font-size:14px}"
            f"path{{fill:none;stroke:{LINE};stroke-width:1.6}}#head path{{fill:{LINE};stroke:none}}</style>",
            '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" '
            'markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0L8 4L0 8z"/></marker></defs>',
            *lines,
            *boxes,
            "</svg>",
            "",
        ]
    )


def _curve(path: list[object], layout: Layout, top: Mapping[object, int], left: float) -> str:
    """Return the way of an arrow: from the foot of a room, straight through its lanes, to the head of another."""
    tail, head = path[0], path[-1]
    points = [(_port(tail, path[1], layout, down=True) - left, top[tail] + HIGH)]
    for lane in path[1:-1]:
        points += [(layout.x[lane] - left, top[lane]), (layout.x[lane] - left, top[lane] + HIGH)]
    points.append((_port(head, path[-2], layout, down=False) - left, top[head]))
    words = f"M{points[0][0]:.0f} {points[0][1]}"
    for (x0, y0), (x1, y1) in pairwise(points):
        middle = (y0 + y1) / 2
        words += (
            f"L{x1:.0f} {y1}"
            if round(x0) == round(x1)
            else f"C{x0:.0f} {middle:.0f} {x1:.0f} {middle:.0f} {x1:.0f} {y1}"
        )
    return words


def _port(room: object, other: object, layout: Layout, *, down: bool) -> float:
    """Return where an arrow leaves or enters a room: arrows of one side apart, in the order of where they lead."""
    row = {part: i for i, parts in enumerate(layout.rows) for part in parts}
    side = sorted((b for b in layout.beside[room] if (row[b] > row[room]) == down), key=lambda b: layout.x[b])
    step = min(40.0, (WIDE - 60) / max(len(side), 1))
    return layout.x[room] + step * (side.index(other) - (len(side) - 1) / 2)


def main() -> int:
    PICTURE.write_text(svg(), encoding="utf-8", newline="\n")
    print(f"{PICTURE.relative_to(ROOT)}: {PICTURE.stat().st_size / 1000:.1f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
