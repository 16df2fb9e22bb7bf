"""What is no bird: a butterfly, a leaping fish, a hot-air balloon."""

from __future__ import annotations

import math

import numpy as np

from nle_fast.world.canvas import Canvas, Cover
from nle_fast.world.curves import Frame, Points, arc, ellipse, path, ribbon, spline
from nle_fast.world.plan import Plan
from nle_fast.world.plumage import ink, marks

__all__ = ["draw_balloon", "draw_butterfly", "draw_fish"]


def _fill(canvas: Canvas, plan: Plan, part: str, outlines: list[Points], slope: float, round_: float = 0.0,
          radius: float = 0.0, dim: float = 0.0) -> Cover | None:  # fmt: skip
    cover = canvas.cover(outlines, pad=1 + int(radius / 2))
    if cover is not None and part not in canvas.removed:
        shade = canvas.volume(cover, slope, round_, radius) - np.float32(dim)
        canvas.paint(part, cover, canvas.lit(plan.rgb[part], shade))
    return cover


def _pattern(canvas: Canvas, plan: Plan, part: str, cover: Cover | None, at: Frame, origin: tuple[float, float],
             angle: float, step: float) -> None:  # fmt: skip
    if cover is None or part in canvas.removed:
        return
    spots = marks(canvas, cover, plan.looks[part].pattern, at, np.array(origin), angle, step)
    if spots is not None:
        canvas.paint(None, Cover(cover.left, cover.top, cover.alpha * spots), ink(plan.rgb[part]), 0.9)


def draw_butterfly(canvas: Canvas, plan: Plan) -> None:
    """A butterfly with open wings, seen a little from the side."""
    pose = plan.pose
    at = Frame(pose.x, pose.y, 0.40 * pose.scale, 0.7 * pose.turn, pose.mirror)
    px = at.scale * canvas.size
    for side, width in ((-1, 0.80 + 0.15 * pose.spread), (1, 1.0)):
        hind = [(0.02, 0.02), (0.42, 0.0), (0.68, 0.22), (0.60, 0.52), (0.34, 0.66), (0.12, 0.44)]
        if plan.looks["hindwings"].shape == "tailed":
            hind[4:5] = [(0.47, 0.66), (0.50, 0.98), (0.43, 1.02), (0.35, 0.70)]
        fore = [
            (0.0, -0.06),
            (0.20, -0.46),
            (0.62, -0.80),
            (0.92, -0.82),
            (0.90, -0.46),
            (0.74, -0.10),
            (0.42, 0.10),
            (0.1, 0.1),
        ]
        flip = (side * width, 1)
        dim = 0.0 if side > 0 else 0.10
        cover = _fill(canvas, plan, "hindwings", [at(spline(hind) * flip)], 0.3, 0.4, 0.12 * px, dim)
        _rim(canvas, cover, px, "hindwings")
        cover = _fill(canvas, plan, "forewings", [at(spline(fore) * flip)], 0.3, 0.4, 0.12 * px, dim)
        _pattern(canvas, plan, "forewings", cover, at, (0.1 * side, 0.0), math.atan2(-0.75, side * width * 0.9), 0.25)
        _rim(canvas, cover, px, "forewings")
    _fill(
        canvas,
        plan,
        "antennae",
        [at(ribbon(arc(0.02 * s, -0.26, -1.57 + 0.35 * s, 0.42, 0.5 * s, 7), [0.035] * 6 + [0.07])) for s in (-1, 1)],
        0.1,
    )
    _fill(
        canvas,
        plan,
        "body",
        [
            at(
                spline(
                    [
                        (0, -0.30),
                        (0.06, -0.22),
                        (0.055, -0.1),
                        (0.075, 0.05),
                        (0.06, 0.3),
                        (0, 0.52),
                        (-0.06, 0.3),
                        (-0.075, 0.05),
                        (-0.055, -0.1),
                        (-0.06, -0.22),
                    ]
                )
            )
        ],
        0.4,
        0.5,
        0.08 * px,
    )


def _rim(canvas: Canvas, cover: Cover | None, px: float, part: str) -> None:
    """A darker border, as many butterflies have."""
    if cover is None or part in canvas.removed:
        return
    soft = canvas.blur(cover, max(2.0, 0.14 * px))
    edge = np.clip((0.80 - soft) * 3.0, 0, 1).astype(np.float32) * cover.alpha
    canvas.multiply(Cover(cover.left, cover.top, edge), (0.25, 0.22, 0.28), 0.75)


def draw_fish(canvas: Canvas, plan: Plan) -> None:
    """A fish in mid-leap."""
    pose = plan.pose
    at = Frame(pose.x, pose.y, 0.42 * pose.scale, (0.5 * pose.turn - 0.25) * (-1 if pose.mirror else 1), pose.mirror)
    px = at.scale * canvas.size
    if plan.looks["tail"].shape == "forked":
        tail = [
            (-0.62, 0.10),
            (-0.80, -0.10),
            (-1.12, -0.30),
            (-1.0, 0.04),
            (-0.90, 0.22),
            (-0.98, 0.38),
            (-1.02, 0.70),
            (-0.78, 0.46),
            (-0.60, 0.26),
        ]
    else:
        tail = [
            (-0.62, 0.10),
            (-0.80, -0.12),
            (-1.02, -0.20),
            (-1.16, 0.02),
            (-1.18, 0.28),
            (-1.10, 0.52),
            (-0.96, 0.66),
            (-0.78, 0.46),
            (-0.60, 0.26),
        ]
    _fill(canvas, plan, "tail", [at(spline(tail))], 0.35)
    _fill(canvas, plan, "fins", [at(spline([(0.30, -0.30), (0.10, -0.62), (-0.16, -0.66), (-0.30, -0.40), (-0.42, -0.14), (0.0, -0.2)])),
                                 at(spline([(0.12, 0.20), (0.02, 0.42), (-0.14, 0.50), (-0.12, 0.24)]))], 0.35)  # fmt: skip
    body = _fill(
        canvas,
        plan,
        "body",
        [
            at(
                spline(
                    [
                        (0.86, 0.06),
                        (0.72, -0.12),
                        (0.40, -0.30),
                        (0.0, -0.34),
                        (-0.40, -0.18),
                        (-0.68, 0.06),
                        (-0.66, 0.28),
                        (-0.36, 0.24),
                        (0.0, 0.24),
                        (0.40, 0.26),
                        (0.72, 0.20),
                    ]
                )
            )
        ],
        0.3,
        0.7,
        0.2 * px,
    )
    _pattern(canvas, plan, "body", body, at, (0.0, 0.0), 0.0, 0.19)
    belly = canvas.cover(
        [
            at(
                spline(
                    [
                        (0.86, 0.12),
                        (0.5, 0.14),
                        (0.1, 0.12),
                        (-0.3, 0.14),
                        (-0.5, 0.22),
                        (-0.2, 0.36),
                        (0.3, 0.40),
                        (0.7, 0.30),
                    ]
                )
            )
        ]
    )
    if belly is not None and body is not None:
        clipped = belly.within(body)
        if clipped is not None and "belly" not in canvas.removed:
            canvas.paint("belly", clipped, canvas.lit(plan.rgb["belly"], canvas.volume(clipped, 0.25)))
    canvas.paint("eye", canvas.cover([at(ellipse(0.60, -0.05, 0.085, 0.085))]), (1, 0.98, 0.92))
    canvas.paint("eye", canvas.cover([at(ellipse(0.61, -0.05, 0.06, 0.06))]), plan.rgb["eye"])
    canvas.paint("eye", canvas.cover([at(ellipse(0.63, -0.075, 0.02, 0.02, n=12))]), (1, 1, 1))


def draw_balloon(canvas: Canvas, plan: Plan) -> None:
    """A hot-air balloon with its basket, some with streamers."""
    pose = plan.pose
    at = Frame(pose.x, pose.y - 0.03, 0.42 * pose.scale, 0.16 * pose.turn, pose.mirror)
    px = at.scale * canvas.size
    if plan.looks["streamers"].shape == "wavy":
        outlines = []
        for n, s in enumerate((-1, 1, -0.35, 0.35)):
            line = path([(0.13 * s, 0.84), (0.30 * s, 0.98 - 0.02 * n), (0.36 * s, 1.10), (0.55 * s, 1.22 - 0.03 * n)])
            outlines.append(at(ribbon(line, np.linspace(0.07, 0.05, len(line)))))
        _fill(canvas, plan, "streamers", outlines, 0.3)
    _fill(
        canvas,
        plan,
        "ropes",
        [at(ribbon(np.array([(s * 0.20, 0.42), (s * 0.11, 0.74)]), [0.028, 0.028])) for s in (-1, 0, 1)],
        0.1,
    )
    _fill(canvas, plan, "basket", [at(spline([(-0.15, 0.72), (0.15, 0.72), (0.125, 0.92), (-0.125, 0.92)], 4))], 0.4)
    shell = spline(
        [
            (0, -0.84),
            (0.40, -0.74),
            (0.66, -0.42),
            (0.64, -0.02),
            (0.40, 0.30),
            (0.22, 0.50),
            (0, 0.53),
            (-0.22, 0.50),
            (-0.40, 0.30),
            (-0.64, -0.02),
            (-0.66, -0.42),
            (-0.40, -0.74),
        ]
    )
    cover = _fill(canvas, plan, "balloon", [at(shell)], 0.35, 0.9, 0.3 * px)
    _pattern(canvas, plan, "balloon", cover, at, (0.0, 0.0), math.pi / 2, 0.24)
