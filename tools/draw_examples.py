"""Draw the pictures of the example pages: ``python tools/draw_examples.py [NAME ...]``, for all of them by default.

Needs the extra `docs`: Pillow reduces the colours, which makes a picture a third of the size.
"""

from __future__ import annotations

import sys
from pathlib import Path

from picture import save_picture
from PIL import Image

import flexmine

PAGES = Path(__file__).parents[1] / "docs" / "examples"
COLOURS = 256


def main() -> None:
    names = sys.argv[1:] or sorted(p.stem for p in PAGES.glob("*.md") if p.stem != "index")
    for name in names:
        target = PAGES / f"{name}.png"
        save_picture(flexmine.plan(flexmine.load_case(name)), target, scale=1.25, temperature=True)
        with Image.open(target) as picture:
            picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(target, optimize=True)
        print(f"{target.relative_to(PAGES.parents[1])}: {target.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
