"""Draw a contact sheet of the world's scenes: python examples/contact_sheet.py [--out docs/scenes.png]."""

from __future__ import annotations

import argparse
from pathlib import Path

from PIL import Image

from nle_fast.world import Scene


def contact_sheet(first: int, columns: int, rows: int, size: int, gap: int = 6) -> Image.Image:
    """Scenes `first`, `first + 1`, … in reading order."""
    sheet = Image.new("RGB", (columns * (size + gap) + gap, rows * (size + gap) + gap), (250, 248, 244))
    for number in range(columns * rows):
        picture = Image.fromarray(Scene.random(first + number, size).picture)
        sheet.paste(picture, (gap + number % columns * (size + gap), gap + number // columns * (size + gap)))
    return sheet


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("docs/scenes.png"))
    parser.add_argument("--first", type=int, default=0, help="seed of the first scene")
    parser.add_argument("--columns", type=int, default=8)
    parser.add_argument("--rows", type=int, default=5)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--colors", type=int, default=0, help="quantize to this many colors, for a smaller file")
    options = parser.parse_args()
    sheet = contact_sheet(options.first, options.columns, options.rows, options.size)
    if options.colors:
        sheet = sheet.quantize(options.colors, kmeans=4, dither=Image.Dither.FLOYDSTEINBERG)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(options.out, optimize=True)


if __name__ == "__main__":
    main()
