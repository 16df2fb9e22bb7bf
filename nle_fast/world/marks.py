"""Patterns: where stripes, bars and dots lie on a part, and their ink."""

from __future__ import annotations

import numpy as np

from nle_fast.world.canvas import Array, Canvas, Cover

__all__ = ["ink", "paint_marks"]


def ink(color: tuple[float, float, float]) -> Array:
    """The color of marks on a ground: a deep shade of light grounds, cream on the others."""
    base = np.array(color, np.float32)
    if float(base @ np.array((0.3, 0.59, 0.11), np.float32)) > 0.52:
        return base * np.float32(0.40) + np.array((0.02, 0.01, 0.06), np.float32)
    return base * np.float32(0.25) + np.array((1.0, 0.94, 0.82), np.float32) * np.float32(0.74)


def paint_marks(
    canvas: Canvas,
    part: str,
    cover: Cover,
    pattern: str,
    u: Array,
    v: Array,
    step_px: float,
    color: tuple[float, float, float],
) -> None:
    """Paint the marks of a pattern over a part; they belong to the part.

    Args:
        canvas: Where to paint.
        part: The part that carries the pattern.
        cover: The part's shape.
        pattern: "plain" paints nothing; "bars" cross the direction of u, "stripes" run along it, "dots" are staggered.
        u: (h, w) coordinate along the part, in steps from mark to mark.
        v: (h, w) coordinate across it, in steps.
        step_px: Pixels per step: edges are one pixel wide.
        color: The ground, 0 to 1.
    """
    if pattern == "plain" or part in canvas.removed:
        return
    if pattern == "dots":
        row = np.floor(v)
        column = u + 0.5 * (row % 2)
        distance = np.hypot(column - np.floor(column) - 0.5, v - row - 0.5)
        marks = (np.float32(0.31) - distance) * np.float32(step_px) + np.float32(0.5)
    else:
        t = v if pattern == "stripes" else u
        marks = (np.float32(0.175) - np.abs(t - np.floor(t) - 0.5)) * np.float32(step_px) + np.float32(0.5)
    spots = np.clip(marks, 0, 1).astype(np.float32)
    spots *= cover.alpha
    canvas.paint(None, Cover(cover.left, cover.top, spots), ink(color), 0.88)
