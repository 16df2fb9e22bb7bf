"""Outlines on a canvas: scaled, smoothed by no more than the picture's own pixels, cut into dashes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL import ImageDraw

__all__ = ["Crossings", "Points", "dashes", "stroke", "trace"]

#: (P, 2) float64, x and y in canvas pixels.
Points = NDArray[np.float64]


def trace(
    outline: Sequence[tuple[float, float]], scale: float, size: tuple[int, int], inset: float, step: float = 1.5
) -> Points:
    """A region's outline as evenly spaced points of a closed curve on the scaled picture.

    The steps of a pixel staircase are evened out by a moving mean over two picture pixels, at most an eighth of the
    way round, so that small regions keep their shape. The curve is kept `inset` away from the picture's border,
    where half of the line would be lost.

    Args:
        outline: At least three (x, y) corners in picture pixels, not closed.
        scale: Canvas pixels per picture pixel.
        size: (width, height) of the scaled picture.
        inset: Least distance from the border, in canvas pixels.
        step: Distance of the points, in canvas pixels.

    Returns:
        (P, 2) points, the first not repeated, P ≥ 8.
    """
    corners = np.asarray(outline, np.float64) * scale
    closed = np.vstack([corners, corners[:1]])
    ways = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(closed, axis=0).T))])
    count = int(np.clip(ways[-1] / step, 8, 20_000))
    at = np.arange(count) * (ways[-1] / count)
    points = np.stack([np.interp(at, ways, closed[:, 0]), np.interp(at, ways, closed[:, 1])], axis=1)
    half = int(min(scale / step, count / 16))
    if half > 0:
        around = np.concatenate([points[-half:], points, points[:half]])
        sums = np.concatenate([np.zeros((1, 2)), np.cumsum(around, axis=0)])
        points = (sums[2 * half + 1 :] - sums[: -2 * half - 1]) / (2 * half + 1)
    limit = np.maximum(np.asarray(size, np.float64) - inset, inset)
    kept: Points = np.clip(points, inset, limit)
    return kept


def dashes(points: Points, on: float, off: float, step: float = 1.5) -> list[Points]:
    """A closed curve as open pieces of about `on` canvas pixels with `off` between, evenly around."""
    around = max(2, round(len(points) * step / (on + off)))
    bounds = np.linspace(0, len(points), around + 1)
    closed = np.vstack([points, points[:1]])
    part = on / (on + off)
    pieces = (closed[int(a) : int(a + (b - a) * part) + 1] for a, b in pairwise(bounds))
    return [piece for piece in pieces if len(piece) > 1]


def stroke(draw: ImageDraw.ImageDraw, points: Points, width: float, color: tuple[int, ...], *, closed: bool) -> None:
    """One line with round joints, in the coordinates of `draw`."""
    path = np.vstack([points, points[:2]]) if closed else points
    draw.line([(float(x), float(y)) for x, y in path], fill=color, width=max(1, round(width)), joint="curve")


class Crossings:
    """Finds where outlines run along each other, so that none vanishes under another.

    Args:
        canvas: (width, height).
        line: Width of the lines, in canvas pixels; a stretch of the shared line is six widths long.
        step: Distance of the points that are given.
    """

    def __init__(self, canvas: tuple[int, int], line: float, step: float = 1.5) -> None:
        width, height = canvas
        self._lines = np.zeros((height, width), np.int32)
        self._reach = max(1, round(line * 0.6))
        self._stretch = max(2, round(6 * line / step))

    def shared(self, points: Points) -> list[Points]:
        """The stretches of a closed curve that it draws over the curves given before, its share of each common run.

        With `n` curves before it along the same run it takes every (n + 1)-th stretch. Mere crossings, shorter than a
        stretch, stay with the curve given first.
        """
        height, width = self._lines.shape
        x = np.clip(points[:, 0].astype(np.intp), 0, width - 1)
        y = np.clip(points[:, 1].astype(np.intp), 0, height - 1)
        before = self._lines[y, x].astype(np.intp)
        near = np.arange(-self._reach, self._reach + 1)
        rows = np.clip(y[:, None, None] + near[:, None], 0, height - 1)
        columns = np.clip(x[:, None, None] + near, 0, width - 1)
        self._lines.reshape(-1)[np.unique(rows * width + columns)] += 1

        turn = np.arange(len(points)) // self._stretch
        common = before > 0
        for start, stop in _runs(common):
            if stop - start < self._stretch:
                common[start:stop] = False
        return [
            points[start : stop + 1]
            for start, stop in _runs(common & (turn % (before + 1) == before))
            if stop - start > 1
        ]


def _runs(on: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """(start, stop) of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], on, [False]]).astype(np.int8)))
    return [(int(start), int(stop)) for start, stop in zip(edges[::2], edges[1::2], strict=True)]
