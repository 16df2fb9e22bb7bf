"""Where the numbers stand: inside their regions, and never on each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nle_fast.draw.fonts import load_font
from nle_fast.draw.lines import Points
from nle_fast.draw.palette import EDGE, HALO, PAPER, color_of, rgb

if TYPE_CHECKING:
    from PIL import ImageDraw

__all__ = ["Badge", "draw_badge", "inner_points", "place_badges"]


@dataclass(frozen=True, slots=True)
class Badge:
    """A number's place.

    Attributes:
        rank: The evidence; the number shown is one more.
        center: (x, y) on the canvas.
        anchor: (x, y) of the point of the region that it belongs to; a line joins them where it had to move away.
        moved: Whether it had to.
    """

    rank: int
    center: tuple[float, float]
    anchor: tuple[float, float]
    moved: bool


def place_badges(
    wanted: Sequence[tuple[int, Points]], canvas: tuple[int, int], radius: float, gap: float = 3.0
) -> list[Badge]:
    """Give each region's number a place, in order.

    A number stands at the best of its region's inner points that is free; if none is, at the free point of the canvas
    nearest to the best inner point; if the canvas is full, nowhere. Two centres are at least `2 * radius + gap` apart.

    Args:
        wanted: (rank, inner points, best first, as `inner_points` gives them), most important first.
        canvas: (width, height).
        radius: Of a badge, in canvas pixels.
        gap: Least distance between the edges of two badges.

    Returns:
        The badges that found a place, in the given order.
    """
    low = np.full(2, radius + 1)
    high = np.maximum(np.asarray(canvas, np.float64) - radius - 1, low)
    pitch = max(2.0, radius / 2)
    columns, rows = (np.arange(low[axis], high[axis] + 0.5, pitch) for axis in (0, 1))
    grid = np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2)
    placed: list[Badge] = []
    for rank, inner in wanted:
        taken = np.array([badge.center for badge in placed], np.float64).reshape(-1, 2)
        anchor = inner[0]
        free = _free(np.clip(inner, low, high), taken, 2 * radius + gap)
        moved = len(free) == 0
        if moved:
            free = _free(grid, taken, 2 * radius + gap)
            if len(free) == 0:
                continue
            free = free[np.argsort(np.hypot(*(free - anchor).T), kind="stable")]
        x, y = (float(value) for value in free[0])
        placed.append(Badge(rank, (x, y), (float(anchor[0]), float(anchor[1])), moved))
    return placed


def inner_points(points: Points, limit: int = 400) -> Points:
    """Points inside a closed curve, the one farthest from the curve first.

    The first is the pole of inaccessibility on a 24 × 24 grid over the box, which unlike the centroid is inside also
    where the region is bent. A curve too thin for the grid gives the middle of its box.

    Args:
        points: (P, 2) curve, as `trace` gives it.
        limit: At most so many of its points are measured against.

    Returns:
        (Q, 2), Q ≥ 1, by falling distance from the curve; ties keep the point nearer to the middle of the box first.
    """
    ring = points[:: max(1, len(points) // limit)]
    low, high = ring.min(axis=0), ring.max(axis=0)
    ticks = (np.arange(24) + 0.5) / 24
    grid = np.stack(np.meshgrid(*(low[axis] + ticks * (high[axis] - low[axis]) for axis in (0, 1))), axis=-1).reshape(
        -1, 2
    )
    grid = grid[_inside(grid, ring)]
    if len(grid) == 0:
        center: Points = ((low + high) / 2)[None]
        return center
    clearance: NDArray[np.float64] = np.sqrt(((grid[:, None] - ring[None]) ** 2).sum(axis=2).min(axis=1))
    middle = np.hypot(*(grid - (low + high) / 2).T)
    order = np.lexsort([middle, -np.round(clearance, 3)])
    roomy = order[clearance[order] >= 0.4 * clearance[order[0]]]
    best: Points = grid[roomy]
    return best


def _inside(grid: Points, ring: Points) -> NDArray[np.bool_]:
    """Even-odd rule: whether each point of the grid lies within the closed polygon."""
    x, y = grid[:, :1], grid[:, 1:]
    x0, y0 = ring[None, :, 0], ring[None, :, 1]
    x1, y1 = np.roll(x0, -1, axis=1), np.roll(y0, -1, axis=1)
    crosses = (y0 > y) != (y1 > y)
    rise = np.where(y1 == y0, 1.0, y1 - y0)
    odd: NDArray[np.bool_] = (crosses & (x < x0 + (y - y0) * (x1 - x0) / rise)).sum(axis=1) % 2 == 1
    return odd


def _free(points: Points, taken: Points, distance: float) -> Points:
    if len(taken) == 0:
        return points
    gaps = ((points[:, None] - taken[None]) ** 2).sum(axis=2).min(axis=1)
    free: Points = points[gaps >= distance**2]
    return free


def draw_badge(
    draw: ImageDraw.ImageDraw,
    center: tuple[float, float],
    radius: float,
    rank: int,
    *,
    opposing: bool,
    edge: bool = True,
) -> None:
    """One number: white on a colored disc for supporting evidence, colored on a white disc for opposing.

    Args:
        draw: What it is drawn with.
        center: (x, y) of the disc.
        radius: Of the disc with its edge, in the pixels of `draw`.
        rank: The evidence; the number shown is one more.
        opposing: Whether it speaks against the class.
        edge: Whether a white and a thin dark ring set it off, as on a picture.
    """
    color = rgb(color_of(rank))
    if edge:
        _disc(draw, center, radius, rgb(EDGE))
        radius -= max(1.0, radius * 0.06)
        _disc(draw, center, radius, rgb(HALO))
        radius *= 0.88
    _disc(draw, center, radius, color)
    if opposing:
        _disc(draw, center, radius * 0.84, rgb(PAPER))
    digits = str(rank + 1)
    face = load_font(round(radius * (1.36, 1.16, 0.86, 0.66)[min(len(digits), 4) - 1]))
    ink = color if opposing else rgb(PAPER)
    # The box of "0" centers every number on the same line; "mm" alone would follow each digit's own height.
    left, top, right, bottom = face.getbbox("0" * len(digits), anchor="ls")
    at = (center[0] - (left + right) / 2, center[1] - (top + bottom) / 2)
    draw.text(at, digits, fill=ink, font=face, anchor="ls", stroke_width=max(1, round(radius / 24)), stroke_fill=ink)


def _disc(draw: ImageDraw.ImageDraw, center: tuple[float, float], radius: float, color: tuple[int, ...]) -> None:
    x, y = center
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=color)
