"""The picture of the rooms and the page about them are those of today's code."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import draw_rooms

from pages import CODE, DOCS, section, table

ROOT = DOCS.parent
PAGE = (DOCS / "architecture.md").read_text(encoding="utf-8")


def test_the_picture_is_that_of_the_imports():
    """*Proves:* the committed picture is what the imports of today give; ``python tools/draw_rooms.py`` draws it anew.

    *Sensitivity:* an import that adds an arrow, or takes the last one of its kind away, changes the picture.
    """
    assert draw_rooms.PICTURE.read_text(encoding="utf-8") == draw_rooms.svg()


def test_an_import_that_goes_another_way_shows_in_the_picture(monkeypatch):
    """*Proves:* the picture follows the imports.  *Sensitivity:* a drawing from a list of its own stays the same."""
    changed = draw_rooms.imports()
    changed["physics"].add("problem")
    monkeypatch.setattr(draw_rooms, "imports", lambda: changed)
    assert "physics imports problem" in draw_rooms.svg()


def test_arrows_point_down_and_none_is_reached_by_others():
    """*Proves:* every arrow leads to a lower row, and reducing the graph loses nothing that can be reached.

    *Sensitivity:* an arrow left out that no other way replaces, or a row in the wrong order, fails.
    """
    graph = draw_rooms.imports()
    arrows, rank = draw_rooms.reduced(graph), draw_rooms.ranks(graph)
    for room, others in arrows.items():
        assert draw_rooms.reached(arrows, room) == draw_rooms.reached(graph, room)
        for other in others:
            assert rank[other] > rank[room]
            assert other not in draw_rooms.reached(arrows | {room: others - {other}}, room)


def test_nothing_overlaps_and_every_word_fits():
    """*Proves:* no two rooms of a row touch, no arrow passes through a room, all lies within the page, and words fit.

    *Sensitivity:* boxes wider than their distance, a lane laid over a room, or a sentence for a word fails.
    """
    picture = ET.fromstring(draw_rooms.PICTURE.read_text(encoding="utf-8"))
    width = float(picture.get("width"))
    boxes = [
        tuple(float(r.get(k)) for k in ("x", "y", "width", "height")) for r in picture.iter() if r.tag.endswith("rect")
    ]
    assert len(boxes) == len(draw_rooms.ranks(draw_rooms.imports()))
    for i, (x, y, wide, _) in enumerate(boxes):
        assert 0 <= x <= width - wide
        assert all(abs(x - x2) >= wide + 10 for x2, y2, _, _ in boxes[i + 1 :] if y2 == y)
    assert max(len(words) for words, _ in draw_rooms.WORDS.values()) * 6.5 <= draw_rooms.WIDE
    passed = [p.get("d") for p in picture if p.tag.endswith("path")]
    for way in passed:
        for x, y in re.findall(r"L(\d+) (\d+)", way):
            assert not any(bx < float(x) < bx + w and by < float(y) < by + h for bx, by, w, h in boxes)


def test_every_room_is_told_and_every_place_exists():
    """*Proves:* each room of the picture has its paragraph, and each file or folder that the page names is there.

    *Sensitivity:* a new room without a paragraph, or a module moved away, is named.
    """
    told = set(re.findall(r"\*\*`(\w+)`\*\*", section(PAGE, "## The rooms")))
    assert told == set(draw_rooms.WORDS) - {draw_rooms.API}
    places = {
        place
        for row in table(section(PAGE, "## I want to change X: where?"))
        for place in CODE.findall(" ".join(row.values()))
    }
    named = {place for place in places if "/" in place and " " not in place} | {"CONTRIBUTING.md"}
    assert len(named) > 25
    assert [place for place in sorted(named) if not (ROOT / place).exists()] == []
