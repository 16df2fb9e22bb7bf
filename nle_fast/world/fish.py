"""The fish: in mid-leap, drops flying, tail forked or a fan."""

from __future__ import annotations

import math

import numpy as np

from nle_fast.world.canvas import Canvas, Cover
from nle_fast.world.curves import Frame, ellipse, path, ribbon, spline, strokes
from nle_fast.world.fill import fill, lines
from nle_fast.world.marks import paint_marks
from nle_fast.world.plan import Plan

__all__ = ["draw_fish"]

_BODY = spline(
    [(0.90, 0.10), (0.78, -0.06), (0.50, -0.26), (0.10, -0.36), (-0.30, -0.26), (-0.62, 0.02), (-0.74, 0.20),
     (-0.66, 0.32), (-0.36, 0.27), (0.0, 0.29), (0.42, 0.33), (0.74, 0.25)]
)  # fmt: skip
_BELLY = spline(
    [
        (0.95, 0.15),
        (0.66, 0.17),
        (0.3, 0.11),
        (-0.1, 0.10),
        (-0.45, 0.18),
        (-0.6, 0.34),
        (0.0, 0.45),
        (0.5, 0.44),
        (0.85, 0.32),
    ]
)
_TAILS = {
    "forked": spline(
        [(-0.60, 0.12), (-0.78, 0.0), (-0.98, -0.28), (-1.20, -0.40), (-1.10, -0.06), (-0.98, 0.26), (-1.12, 0.52),
         (-1.12, 0.82), (-0.88, 0.62), (-0.72, 0.40), (-0.58, 0.30)]
    ),
    "fan": spline(
        [(-0.60, 0.12), (-0.80, -0.04), (-1.00, -0.16), (-1.18, -0.14), (-1.26, 0.08), (-1.27, 0.30), (-1.22, 0.54),
         (-1.10, 0.70), (-0.92, 0.64), (-0.74, 0.42), (-0.58, 0.30)]
    ),
}  # fmt: skip
_BACK_FIN = spline(
    [
        (0.34, -0.28),
        (0.20, -0.56),
        (0.0, -0.72),
        (-0.22, -0.70),
        (-0.30, -0.54),
        (-0.42, -0.40),
        (-0.46, -0.12),
        (0.0, -0.2),
    ]
)
_LOW_FIN = spline([(-0.10, 0.24), (-0.16, 0.44), (-0.34, 0.56), (-0.44, 0.50), (-0.40, 0.24)])
_SIDE_FIN = spline([(0.36, 0.10), (0.28, 0.24), (0.10, 0.42), (-0.02, 0.44), (0.0, 0.30), (0.16, 0.12)])
_TAIL_RAYS = strokes(np.array([[(-0.62, 0.21), (-1.25, 0.21 + 0.19 * n)] for n in range(-3, 4)]), 0.012, 0.03)
_FIN_RAYS = strokes(
    np.array(
        [[(0.28 - 0.12 * n, -0.2), (0.14 - 0.13 * n, -0.8)] for n in range(6)]
        + [[(-0.16 - 0.07 * n, 0.24), (-0.22 - 0.09 * n, 0.6)] for n in range(4)]
    ),
    0.012,
    0.025,
)
_SIDE_RAYS = strokes(np.array([[(0.30 - 0.03 * n, 0.12), (0.16 - 0.09 * n, 0.46)] for n in range(3)]), 0.01, 0.022)
_STEP = 0.19


def draw_fish(canvas: Canvas, plan: Plan) -> None:
    """Paint a leaping fish."""
    pose = plan.pose
    lean = (0.7 * pose.turn - 0.30) * (-1 if pose.mirror else 1)
    side = -1 if pose.mirror else 1
    at = Frame(pose.x + 0.055 * side, pose.y - 0.02, 0.345 * pose.scale, lean, pose.mirror)
    px = at.scale * canvas.size
    ray = (0.55, 0.5, 0.6)
    _drops(canvas, plan)

    tail = fill(canvas, plan, "tail", [at(_TAILS[plan.looks["tail"].shape or "fan"])], 0.4)
    lines(canvas, "tail", tail, at(_TAIL_RAYS), ray, 0.6)
    fins = fill(canvas, plan, "fins", [at(_BACK_FIN), at(_LOW_FIN)], 0.4)
    lines(canvas, "fins", fins, at(_FIN_RAYS), ray, 0.6)

    body = fill(canvas, plan, "body", [at(_BODY)], 0.15, 0.5, 0.26 * px)
    if body is not None:
        u, v = at.local(*canvas.grid(body))
        u, v = u / np.float32(_STEP), v / np.float32(_STEP)
        pattern = plan.looks["body"].pattern
        if pattern == "bars":
            u = u + np.float32(0.13) * v * v
        paint_marks(canvas, "body", body, pattern, u, v, _STEP * px, plan.rgb["body"])
        _belly(canvas, plan, at, body)
    gill = path([(0.50, -0.20), (0.42, 0.0), (0.45, 0.20), (0.52, 0.29)], 4)
    mouth = path([(0.91, 0.13), (0.84, 0.17), (0.77, 0.16)], 3)
    lines(canvas, "body", body, [at(ribbon(gill, np.full(len(gill), 0.035)))], (0.35, 0.3, 0.4), 0.7)
    lines(canvas, "body", body, [at(ribbon(mouth, np.full(len(mouth), 0.03)))], (0.3, 0.25, 0.3), 0.8)
    near = fill(canvas, plan, "fins", [at(_SIDE_FIN)], 0.4)
    lines(canvas, "fins", near, at(_SIDE_RAYS), ray, 0.6)

    if "eye" in canvas.removed:
        return
    canvas.paint(None, canvas.cover([at(ellipse(0.655, -0.02, 0.075, 0.075, n=20))]), (1.0, 0.96, 0.86))
    canvas.paint("eye", canvas.cover([at(ellipse(0.665, -0.02, 0.056, 0.056, n=18))]), plan.rgb["eye"])
    canvas.paint(None, canvas.cover([at(ellipse(0.685, -0.045, 0.02, 0.02, n=8))]), (1.0, 1.0, 1.0))


def _belly(canvas: Canvas, plan: Plan, at: Frame, body: Cover) -> None:
    belly = canvas.cover([at(_BELLY)], pad=2)
    if belly is None:
        return
    px = at.scale * canvas.size
    clipped = Cover(belly.left, belly.top, canvas.blur(belly, 0.06 * px)).within(body)
    if clipped is not None and "belly" not in canvas.removed:
        canvas.paint("belly", clipped, canvas.lit(plan.rgb["belly"], canvas.volume(clipped, 0.22)))


def _drops(canvas: Canvas, plan: Plan) -> None:
    """Drops of water around the tail."""
    pose = plan.pose
    side = -1 if pose.mirror else 1
    drops = []
    for n in range(9):
        a = 0.7 * n + 5 * pose.spread
        x = pose.x - side * (0.16 + 0.026 * n) + 0.05 * math.sin(a)
        drops.append(
            ellipse(
                x,
                pose.y + 0.24 - 0.035 * ((n * 5) % 9) + 0.03 * math.cos(2 * a),
                0.0055 + 0.0012 * (n % 4),
                0.0075 + 0.0016 * (n % 4),
                n=10,
            )
        )
    cover = canvas.cover(drops)
    if cover is not None:
        canvas.paint("drops", cover, (0.90, 0.96, 1.0), 0.9)
