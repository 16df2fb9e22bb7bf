"""The hot-air balloon: a cloth of gores over a wicker basket, with streamers or without."""

from __future__ import annotations

import numpy as np

from nle_fast.world.canvas import Canvas
from nle_fast.world.curves import Frame, path, ribbon, spline, strokes
from nle_fast.world.fill import fill, lines
from nle_fast.world.marks import paint_marks
from nle_fast.world.plan import Plan

__all__ = ["draw_balloon"]

_SIDE = np.array(
    [(0.0, -0.86), (0.30, -0.80), (0.56, -0.60), (0.69, -0.28), (0.64, 0.02), (0.46, 0.28), (0.26, 0.50), (0.19, 0.58)]
)
_CLOTH = spline([*_SIDE, (0.0, 0.61), *(_SIDE[:0:-1] * (-1, 1))], 5)
_SKIRT = np.array([(-0.18, 0.56), (0.0, 0.60), (0.18, 0.56), (0.135, 0.70), (0.0, 0.72), (-0.135, 0.70)])
_ROPES = strokes(np.array([[(s * 0.15, 0.60), (s * 0.115, 0.88)] for s in (-1, -0.33, 0.33, 1)]), 0.026, 0.026)
_WEAVE = strokes(
    np.array(
        [[(-0.2, y), (0.2, y)] for y in (0.93, 0.99, 1.05)]
        + [[(x, 0.84), (x * 0.8, 1.1)] for x in (-0.1, -0.035, 0.035, 0.1)]
    ),
    0.016,
    0.015,
)
_GORES = 8
_STEP = 0.235


def draw_balloon(canvas: Canvas, plan: Plan) -> None:
    """Paint a hot-air balloon."""
    pose = plan.pose
    at = Frame(pose.x, pose.y - 0.04, 0.385 * pose.scale, 0.2 * pose.turn, pose.mirror)
    px = at.scale * canvas.size
    fill(canvas, plan, "ropes", at(_ROPES), 0.1)
    if plan.looks["streamers"].shape == "wavy":
        _streamers(canvas, plan, at)
    basket = fill(
        canvas,
        plan,
        "basket",
        [at(spline([(-0.155, 0.86), (0.155, 0.86), (0.14, 0.98), (0.11, 1.08), (-0.11, 1.08), (-0.14, 0.98)], 4))],
        0.4,
    )
    lines(canvas, "basket", basket, at(_WEAVE), (0.45, 0.4, 0.42), 0.7)
    if "balloon" in canvas.removed:
        return
    skirt = canvas.cover([at(_SKIRT)])
    if skirt is not None:
        color = np.array(plan.rgb["balloon"], np.float32) * np.float32(0.72)
        canvas.paint("balloon", skirt, canvas.lit(color, canvas.volume(skirt, 0.4)))
    cover = fill(canvas, plan, "balloon", [at(_CLOTH)], 0.24, 0.75, 0.42 * px)
    if cover is None:
        return
    x, y = at.local(*canvas.grid(cover))
    heights, halves = _CLOTH[: len(_CLOTH) // 2, 1], _CLOTH[: len(_CLOTH) // 2, 0]
    half = np.interp(y, heights, np.maximum(halves, 0.05)).astype(np.float32)
    turn = np.arcsin(np.clip(x / half, -0.999, 0.999)).astype(np.float32) * np.float32(_GORES / np.pi)
    pattern = plan.looks["balloon"].pattern
    seam = np.abs(turn + 0.5 - np.floor(turn + 0.5) - 0.5) * np.float32(2)  # 0 on the middle of a gore, 1 at its seam
    puff = cover._replace(alpha=cover.alpha * np.clip((seam - 0.6) * 1.6, 0, 1) ** 2)
    canvas.multiply(puff, (0.6, 0.56, 0.66), 0.45)
    if pattern == "stripes":
        paint_marks(
            canvas,
            "balloon",
            cover,
            pattern,
            y,
            turn * np.float32(0.5) + np.float32(0.25),
            0.35 * px,
            plan.rgb["balloon"],
        )
    else:
        u = y / np.float32(_STEP) - np.float32(0.12) * (x / half) ** 2
        v = turn * np.float32(0.75)
        if pattern == "dots":
            u, v = turn * np.float32(1.0), y / np.float32(_STEP) + np.float32(0.3) * (1 - (x / half) ** 2)
        paint_marks(canvas, "balloon", cover, pattern, u, v, _STEP * px, plan.rgb["balloon"])


def _streamers(canvas: Canvas, plan: Plan, at: Frame) -> None:
    outlines = []
    for n, s in enumerate((-1.0, 1.0, -0.4, 0.4)):
        line = path(
            [
                (0.12 * s, 0.98),
                (0.30 * s, 1.02 + 0.02 * n),
                (0.40 * s, 1.16),
                (0.60 * s, 1.19),
                (0.70 * s, 1.32 - 0.02 * n),
            ],
            5,
        )
        outlines.append(at(ribbon(line, np.linspace(0.085, 0.055, len(line)))))
    drawn = canvas.layers(outlines, [0.0, 0.0, 0.15, 0.15])
    if drawn is not None:
        cover, tone = drawn
        canvas.paint("streamers", cover, canvas.lit(plan.rgb["streamers"], tone + canvas.volume(cover, 0.2)))
