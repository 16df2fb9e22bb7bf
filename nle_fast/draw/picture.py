"""The picture with its evidence: regions outlined and numbered, the text below in the same colors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Real
from typing import TYPE_CHECKING

from nle_fast.draw.badges import draw_badge, inner_points, place_badges
from nle_fast.draw.caption import draw_caption
from nle_fast.draw.fonts import FontPath
from nle_fast.draw.lines import Crossings, Points, dashes, stroke, trace
from nle_fast.draw.palette import HALO, MAT, PAPER, color_of, rgb
from nle_fast.draw.phrases import phrases
from nle_fast.errors import InputError
from nle_fast.schema import Evidence, Region, Span

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["draw_explanation", "draw_regions"]

#: Lines are drawn this much larger and reduced, which smooths their edges.
_FINE = 2

#: A very wide or high picture is laid on a mat at least this large, so that numbers and text find room.
_LEAST_CANVAS = (480, 160)


def draw_explanation(
    picture: Image,
    evidence: Sequence[Evidence],
    text: str,
    spans: Sequence[Span],
    *,
    longest: int = 1600,
    font: FontPath | None = None,
) -> Image:
    """Draw the regions on the picture and the text below it.

    Args:
        picture: Upright, any mode and size; not changed.
        evidence: In order of rank; its regions are in pixels of `picture`.
        text: Set below the picture; no panel when empty.
        spans: Where the text says which evidence.
        longest: The longer side of the picture is at most this, ≥ 480; the panel comes on top.
        font: A font file for scripts that the built-in font lacks; None writes accented letters without accents and
            boxes for other scripts.

    Returns:
        A new RGB picture.

    Raises:
        InputError: `picture` is no picture or empty, `longest` is too small, or `font` is no font file.
    """
    from PIL import Image

    scene = draw_regions(picture, evidence, longest=longest)
    if not text.strip():
        return scene
    size = min(32.0, max(19.0, scene.width / 38))
    opposing = {rank for rank, item in enumerate(evidence) if not item.supports}
    panel = draw_caption(phrases(text, spans), scene.width, size, opposing=opposing, font=font)
    page = Image.new("RGB", (scene.width, scene.height + panel.height), rgb(PAPER))
    page.paste(scene, (0, 0))
    page.paste(panel, (0, scene.height))
    return page


def draw_regions(picture: Image, evidence: Sequence[Evidence], *, longest: int = 1600) -> Image:
    """Draw the outlines and numbers on the picture.

    Each piece of evidence has one color. Every line lies on a white halo: the colors are dark, so the line shows on
    light grounds and the halo on dark ones. Where outlines run along each other, their colors take turns. Outlines of
    opposing evidence are dashed and its numbers are hollow. The largest region of each piece is numbered, and others of
    at least a quarter of its size.

    Args:
        picture: Upright, any mode and size; not changed.
        evidence: In order of rank; its regions are in pixels of `picture`.
        longest: As for `draw_explanation`.

    Returns:
        A new RGB picture: the shorter side at least 480 pixels unless the longer one would pass `longest`.

    Raises:
        InputError: `picture` is no picture or empty, or `longest` is too small.
    """
    from PIL import Image, ImageDraw

    base, scale = _scaled(picture, longest)
    canvas = (max(base.width, min(_LEAST_CANVAS[0], longest)), max(base.height, _LEAST_CANVAS[1]))
    corner = ((canvas[0] - base.width) // 2, (canvas[1] - base.height) // 2)
    scene = Image.new("RGB", canvas, rgb(MAT))
    scene.paste(base, corner)

    short = min(base.size)
    line, halo = min(5.0, max(3.0, short / 160)), min(2.5, max(1.5, short / 320))
    radius = min(26.0, max(14.0, short / 32))
    curves = [
        [trace(_corners(region), scale, base.size, line / 2 + halo) + corner for region in item.regions]
        for item in evidence
    ]
    overlay = Image.new("RGBA", (canvas[0] * _FINE, canvas[1] * _FINE), (255, 255, 255, 0))
    draw = ImageDraw.Draw(overlay)
    # The most important lies on top.
    for rank in reversed(range(len(evidence))):
        solid = evidence[rank].supports
        for points in curves[rank]:
            pieces = [points] if solid else dashes(points, 3.6 * line, 2.6 * line)
            for width, color in ((line + 2 * halo, HALO), (line, color_of(rank))):
                for piece in pieces:
                    stroke(draw, piece * _FINE, width * _FINE, rgb(color), closed=solid)

    crossings = Crossings(canvas, line)
    for rank, curve in ((rank, curve) for rank, item in enumerate(curves) for curve in item):
        for piece in crossings.shared(curve):
            stroke(draw, piece * _FINE, line * _FINE, rgb(color_of(rank)), closed=False)

    badges = place_badges(_wanted(evidence, curves), canvas, radius)
    for badge in badges:
        if badge.moved:
            (x, y), (to_x, to_y) = badge.center, badge.anchor
            for width, color in ((line + 2 * halo, HALO), (line * 0.7, color_of(badge.rank))):
                ends = (x * _FINE, y * _FINE, to_x * _FINE, to_y * _FINE)
                draw.line(ends, fill=rgb(color), width=round(width * _FINE))
    for badge in badges:
        center = (badge.center[0] * _FINE, badge.center[1] * _FINE)
        draw_badge(draw, center, radius * _FINE, badge.rank, opposing=not evidence[badge.rank].supports)
    smooth = overlay.reduce(_FINE)
    scene.paste(smooth, (0, 0), smooth)
    return scene


def _scaled(picture: Image, longest: int) -> tuple[Image, float]:
    """The picture as RGB in the size that it is shown in, and canvas pixels per picture pixel."""
    from PIL import Image

    if not isinstance(picture, Image.Image) or min(picture.size) < 1:
        raise InputError(f"`picture` must be a PIL picture with pixels, got {picture!r}; open it with PIL.Image.open.")
    if not isinstance(longest, Real) or not _LEAST_CANVAS[0] <= longest < math.inf:
        raise InputError(f"`longest` must be at least {_LEAST_CANVAS[0]} pixels, got {longest!r}; numbers need room.")
    width, height = picture.size
    scale = max(1.0, 480 / min(width, height))
    scale = min(scale, longest / max(width, height))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    rgb_picture = picture.convert("RGB")
    if size == picture.size:
        return rgb_picture, scale
    return rgb_picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0), scale


def _corners(region: Region) -> Sequence[tuple[float, float]]:
    """The outline, or the box where there is none."""
    if len(region.outline) >= 3:
        return region.outline
    left, top, right, bottom = region.bbox
    return ((left, top), (right, top), (right, bottom), (left, bottom))


def _wanted(evidence: Sequence[Evidence], curves: Sequence[Sequence[Points]]) -> list[tuple[int, Points]]:
    """The regions to number: everyone's largest before anyone's second."""
    numbered = []
    for rank, item in enumerate(evidence):
        largest = max((region.area for region in item.regions), default=0.0)
        for place, region in enumerate(item.regions):
            if place == 0 or region.area >= largest / 4:
                numbered.append((place, rank, inner_points(curves[rank][place])))
    return [(rank, points) for _, rank, points in sorted(numbered, key=lambda entry: entry[:2])]
