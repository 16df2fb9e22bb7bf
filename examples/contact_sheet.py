"""Draw a contact sheet of the world's scenes, or of their explanations by the embedded network.

python examples/contact_sheet.py --out docs/scenes.png --colors 256
python examples/contact_sheet.py --explained --out docs/explanations.png --columns 4 --rows 3 --size 480 --colors 256
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from nle_fast import Explainer
from nle_fast.world import Scene

PAPER = (250, 248, 244)


def contact_sheet(tiles: Sequence[Image.Image], columns: int, gap: int = 6) -> Image.Image:
    """Pictures of one width in reading order; each row is as high as its highest."""
    rows = [tiles[start : start + columns] for start in range(0, len(tiles), columns)]
    heights = [max(tile.height for tile in row) for row in rows]
    width = tiles[0].width
    sheet = Image.new("RGB", (columns * (width + gap) + gap, sum(heights) + gap * (len(rows) + 1)), PAPER)
    top = gap
    for row, height in zip(rows, heights, strict=True):
        for column, tile in enumerate(row):
            sheet.paste(tile, (gap + column * (width + gap), top))
        top += height + gap
    return sheet


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("docs/scenes.png"))
    parser.add_argument("--explained", action="store_true", help="with regions and text")
    parser.add_argument("--first", type=int, default=0, help="seed of the first scene")
    parser.add_argument("--columns", type=int, default=8)
    parser.add_argument("--rows", type=int, default=5)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--colors", type=int, default=0, help="quantize to this many colors, for a smaller file")
    options = parser.parse_args()
    seeds = range(options.first, options.first + options.columns * options.rows)
    pictures = [Scene.random(seed, options.size).picture for seed in seeds]
    if options.explained:
        tiles = [explanation.draw() for explanation in Explainer.default().batch(pictures)]
    else:
        tiles = [Image.fromarray(picture) for picture in pictures]
    sheet = contact_sheet(tiles, options.columns)
    if options.colors:
        sheet = sheet.quantize(options.colors, kmeans=4, dither=Image.Dither.FLOYDSTEINBERG)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(options.out, optimize=True)


if __name__ == "__main__":
    main()
