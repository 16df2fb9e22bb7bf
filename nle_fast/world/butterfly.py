"""The butterfly: two pairs of wings, veined and rimmed, round or tailed behind."""

from __future__ import annotations

import math

import numpy as np

from nle_fast.world.canvas import Canvas, Cover
from nle_fast.world.curves import Frame, Points, arc, ellipse, ribbon, spline, strokes
from nle_fast.world.fill import fill, lines
from nle_fast.world.marks import paint_marks
from nle_fast.world.plan import Plan

__all__ = ["draw_butterfly"]

_FORE = spline(
    [
        (0.0, -0.06),
        (0.18, -0.44),
        (0.56, -0.78),
        (0.90, -0.86),
        (0.94, -0.62),
        (0.84, -0.30),
        (0.76, -0.06),
        (0.44, 0.10),
        (0.1, 0.1),
    ]
)
_ROUND = spline([(0.02, 0.02), (0.42, -0.02), (0.70, 0.12), (0.72, 0.40), (0.54, 0.62), (0.32, 0.66), (0.12, 0.44)])
_TAILED = spline(
    [(0.02, 0.02), (0.42, -0.02), (0.68, 0.12), (0.66, 0.38), (0.54, 0.58), (0.56, 0.80), (0.60, 1.02), (0.50, 1.08),
     (0.43, 0.84), (0.36, 0.66), (0.12, 0.44)]
)  # fmt: skip
_BODY = spline(
    [(0, -0.30), (0.06, -0.22), (0.05, -0.12), (0.08, 0.0), (0.055, 0.12), (0.065, 0.3), (0, 0.54),
     (-0.065, 0.3), (-0.055, 0.12), (-0.08, 0.0), (-0.05, -0.12), (-0.06, -0.22)]
)  # fmt: skip
_RINGS = strokes(np.array([[(-0.07, y), (0.07, y)] for y in (0.16, 0.23, 0.30, 0.37)]), 0.02, 0.02)
_STEP = 0.235


def draw_butterfly(canvas: Canvas, plan: Plan) -> None:
    """Paint a butterfly with open wings, seen a little from the side."""
    pose = plan.pose
    at = Frame(pose.x, pose.y - 0.02, 0.38 * pose.scale, 0.8 * pose.turn, pose.mirror)
    px = at.scale * canvas.size
    hind = _TAILED if plan.looks["hindwings"].shape == "tailed" else _ROUND
    for side, width, dim in ((-1, 0.76 + 0.18 * pose.spread, 0.10), (1, 1.0, 0.0)):
        flip = np.array((side * width, 1.0))
        _wing(canvas, plan, at, "hindwings", hind * flip, dim)
        spots = [
            at(ellipse(0.40 * flip[0] + 0.10 * flip[0] * math.cos(a), 0.32 + 0.10 * math.sin(a), 0.045, 0.045, n=10))
            for a in (0.2, 1.4)
        ]
        eyes = canvas.cover(spots)
        if "hindwings" not in canvas.removed:
            canvas.paint(None, eyes, (1.0, 0.95, 0.84), 0.75)
        cover = _wing(canvas, plan, at, "forewings", _FORE * flip, dim)
        if cover is not None:
            u, v = at.local(*canvas.grid(cover))
            u, v = u / np.float32(flip[0]), v - np.float32(0.05)
            angle = np.arctan2(v, u)
            along, across = np.hypot(u, v) / np.float32(_STEP), angle * np.float32(0.62 / _STEP)
            paint_marks(
                canvas,
                "forewings",
                cover,
                plan.looks["forewings"].pattern,
                along,
                across,
                _STEP * px,
                plan.rgb["forewings"],
            )
            _rim(canvas, cover, px, "forewings")
    widths = [0.032] * 5 + [0.05, 0.085]
    feelers = [at(ribbon(arc(0.02 * s, -0.26, -1.57 + 0.35 * s, 0.46, 0.6 * s, 7), widths)) for s in (-1, 1)]
    fill(canvas, plan, "antennae", feelers, 0.1)
    body = fill(canvas, plan, "body", [at(_BODY)], 0.3, 0.6, 0.10 * px)
    lines(canvas, "body", body, at(_RINGS), (0.4, 0.35, 0.4), 0.6)


def _wing(canvas: Canvas, plan: Plan, at: Frame, part: str, outline: Points, dim: float) -> Cover | None:
    """One wing with its veins and, behind, its dark rim."""
    px = at.scale * canvas.size
    cover = fill(canvas, plan, part, [at(outline)], 0.25, 0.25, 0.2 * px, dim)
    if cover is None or part in canvas.removed:
        return cover
    tips = outline[4 : len(outline) - 6 : 7]
    lines(
        canvas,
        part,
        cover,
        at(strokes(np.stack([np.zeros_like(tips), tips], axis=1), 0.026, 0.012)),
        (0.5, 0.45, 0.5),
        0.4,
    )
    if part == "hindwings":
        _rim(canvas, cover, px, part)
    return cover


def _rim(canvas: Canvas, cover: Cover | None, px: float, part: str) -> None:
    """A darker border, as many butterflies have."""
    if cover is None or part in canvas.removed:
        return
    soft = canvas.blur(cover, max(2.0, 0.11 * px))
    edge = np.clip((0.74 - soft) * 3.0, 0, 1).astype(np.float32) * cover.alpha
    canvas.multiply(Cover(cover.left, cover.top, edge), (0.26, 0.20, 0.28), 0.7)
