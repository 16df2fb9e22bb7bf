"""Wing, tail, crest and beak of a bird in each of their looks."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from nle_fast.world.canvas import Canvas, Cover
from nle_fast.world.curves import Frame, Points, arc, feather, path, ribbon, spline, turned, vec
from nle_fast.world.marks import paint_marks
from nle_fast.world.plan import Plan

__all__ = ["beak", "crest", "tail", "wing"]

Place = Callable[[Points], Points]


def _feathers(
    canvas: Canvas, part: str, plan: Plan, outlines: list[Points], tones: list[float], slope: float, dim: float = 0.0
) -> Cover | None:
    """Paint overlapping feathers, the last one on top."""
    if part in canvas.removed:
        return None
    drawn = canvas.layers(outlines, tones)
    if drawn is None:
        return None
    cover, tone = drawn
    tone += canvas.volume(cover, slope)
    if dim:
        tone -= np.float32(dim)
    canvas.paint(part, cover, canvas.lit(plan.rgb[part], np.clip(tone, -0.7, 0.75, out=tone)))
    return cover


def wing(canvas: Canvas, plan: Plan, at: Frame, root: Points, *, far: bool = False, body: Cover | None = None) -> None:
    """The wing: folded along the body, on which it throws a shadow, or raised with its feathers spread."""
    if "wing" in canvas.removed:
        return
    if plan.pose.raised:
        _raised(canvas, plan, at, root, far)
    else:
        _folded(canvas, plan, at, root, body)


def _raised(canvas: Canvas, plan: Plan, at: Frame, root: Points, far: bool) -> None:
    lean = -0.5 * math.pi - 0.16 + 0.35 * plan.pose.turn + (0.36 if far else 0.0)
    x, y = root
    outlines, tones = [], []
    for n in range(7, -1, -1):  # from the feathers near the body to the leading one
        start = (x - 0.036 * n, y + 0.010 * n)
        outlines.append(at(feather(*start, lean - 0.115 * n, 1.10 - 0.078 * n, 0.215, -0.30)))
        tones.append(-0.16 + 0.16 * (n % 2))
    for n in range(6, -1, -1):
        start = (x - 0.028 * n, y + 0.008 * n)
        outlines.append(at(feather(*start, lean + 0.02 - 0.14 * n, 0.60 - 0.04 * n, 0.20, -0.25)))
        tones.append(0.10 + 0.10 * (n % 2))
    cover = _feathers(canvas, "wing", plan, outlines, tones, 0.25, 0.20 if far else 0.0)
    if cover is None:
        return
    u, v = at.local(*canvas.grid(cover))
    u, v = u - np.float32(x + 0.05), v - np.float32(y + 0.08)
    angle = np.arctan2(v, u) - np.float32(lean)
    angle = np.where(angle > 1.5, angle - np.float32(2 * math.pi), angle)
    step = 0.15
    along, across = np.hypot(u, v) / np.float32(step), angle * np.float32(0.55 / step)
    pattern = plan.looks["wing"].pattern
    paint_marks(canvas, "wing", cover, pattern, along, across, step * at.scale * canvas.size, plan.rgb["wing"])


def _folded(canvas: Canvas, plan: Plan, at: Frame, root: Points, body: Cover | None) -> None:
    angle = math.pi - plan.pose.tilt + 0.06
    k = plan.pose.plump
    shoulder = root + vec(0.02, 0.05)

    def place(points: Points) -> Points:
        """From the wing's own axes (towards its tip, towards the belly) to the picture."""
        return at(turned(points * (1, -k), angle) + shoulder)

    blade = [
        (-0.13, 0.0),
        (-0.06, 0.15),
        (0.16, 0.22),
        (0.40, 0.15),
        (0.62, 0.05),
        (0.70, -0.03),
        (0.42, -0.13),
        (0.08, -0.15),
    ]
    outlines = [place(spline(blade, 5))]
    tones = [-0.10]
    for n in range(4):
        outlines.append(
            place(feather(0.26 - 0.03 * n, -0.07 + 0.045 * n, 0.04 + 0.02 * n, 0.60 - 0.075 * n, 0.105, -0.10))
        )
        tones.append(-0.22 + 0.14 * (n % 2))
    for n in range(4, -1, -1):
        outlines.append(
            place(feather(0.0, -0.05 + 0.05 * n, 0.10 * (n - 1.5), 0.44 - 0.035 * abs(n - 1.5), 0.13, -0.05))
        )
        tones.append(0.04 + 0.12 * (n % 2))
    coverts = [(-0.14, 0.0), (-0.08, 0.14), (0.06, 0.19), (0.17, 0.13), (0.21, 0.02), (0.14, -0.10), (-0.02, -0.13)]
    outlines.append(place(spline(coverts, 5)))
    tones.append(0.10)
    shadow = canvas.cover([outlines[0] + (0.0, 0.04 * at.scale)])
    if shadow is not None:
        canvas.multiply(shadow.within(body), (0.62, 0.6, 0.72), 0.5)
    cover = _feathers(canvas, "wing", plan, outlines, tones, 0.3)
    if cover is None:
        return
    x, y = at.local(*canvas.grid(cover))
    x, y = x - np.float32(shoulder[0]), y - np.float32(shoulder[1])
    c, s = np.float32(math.cos(angle)), np.float32(math.sin(angle))
    step = 0.135
    u, v = (x * c + y * s) / np.float32(step), (y * c - x * s) / np.float32(step)
    pattern = plan.looks["wing"].pattern
    if pattern == "bars":
        u = u + np.float32(0.16) * v * v  # bars follow the rounded ends of the feathers
    paint_marks(canvas, "wing", cover, pattern, u, v, step * at.scale * canvas.size, plan.rgb["wing"])


def tail(canvas: Canvas, plan: Plan, at: Frame, root: Points, angle: float) -> None:
    """The tail, pointing towards `angle`: long and narrow, forked, or a fan."""
    x, y = root
    shape = plan.looks["tail"].shape
    if shape == "long":
        outlines = [
            feather(x + 0.08, y + 0.015 * n, angle - 0.045 * n, 0.86 - 0.13 * abs(n), 0.12, -0.20)
            for n in (-2, 2, -1, 1, 0)
        ]
        tones = [-0.18, -0.18, -0.02, -0.02, 0.12]
    elif shape == "forked":
        outlines = [feather(x + 0.06, y, angle + s * 0.05, 0.34, 0.13, s * 0.1) for s in (-1, 1)]
        outlines += [feather(x + 0.06, y, angle + s * 0.13, 0.52, 0.12, s * 0.3) for s in (-1, 1)]
        outlines += [feather(x + 0.06, y, angle + s * 0.19, 0.72, 0.115, s * 0.5) for s in (-1, 1)]
        tones = [-0.2, -0.2, -0.04, -0.04, 0.10, 0.10]
    else:
        order = (-3, 3, -2, 2, -1, 1, 0)
        outlines = [feather(x + 0.07, y, angle + 0.23 * n, 0.56 - 0.012 * n * n, 0.21) for n in order]
        tones = [0.10 - 0.14 * (abs(n) % 2) for n in order]
    _feathers(canvas, "tail", plan, [at(o) for o in outlines], tones, 0.3)


def crest(canvas: Canvas, plan: Plan, place: Place, rh: float) -> None:
    """The crest: swept-back points, or a fan of feathers; nothing where the look is "none"."""
    shape = plan.looks["crest"].shape
    if shape == "none":
        return
    if shape == "pointed":
        widths = rh * np.array((0.75, 0.74, 0.66, 0.54, 0.41, 0.28, 0.15, 0.02))
        outlines = [
            ribbon(arc(0.3 * rh, -0.4 * rh, -2.05 - 0.34 * n, (2.1 - 0.3 * n) * rh, -0.8, 8), widths) for n in range(3)
        ]
        tones = [-0.12, 0.0, 0.12]
    else:
        order = (0, 5, 1, 4, 2, 3)
        outlines = [feather(-0.1 * rh, -0.45 * rh, -1.0 - 0.31 * n, 1.78 * rh, 0.54 * rh, -0.25) for n in order]
        tones = [0.10 - 0.16 * (n % 2) for n in order]
    _feathers(canvas, "crest", plan, [place(o) for o in outlines], tones, 0.3)


def beak(canvas: Canvas, plan: Plan, place: Place, rh: float) -> None:
    """The beak: a cone, a long straight bill, one curved down, or a hook."""
    if "beak" in canvas.removed:
        return
    shape = plan.looks["beak"].shape
    x, y = 0.70 * rh, 0.08 * rh
    if shape == "cone":
        outline = np.array([(0, -0.52), (0.35, -0.40), (0.78, -0.10), (1.12, 0.12), (0.62, 0.38), (0, 0.5)]) * rh + (
            x,
            y,
        )
        gape = np.array([(0.1, 0.04), (0.6, 0.06), (1.06, 0.12)]) * rh + (x, y)
    elif shape == "long":
        outline = ribbon(arc(x, y, 0.02, 2.45 * rh, 0.05, 6), rh * np.array((0.48, 0.36, 0.29, 0.23, 0.17, 0.06)))
        gape = np.array([(0.1, 0.0), (1.0, 0.045), (1.9, 0.085)]) * rh + (x, y)
    elif shape == "curved":
        line = arc(x, y - 0.05 * rh, -0.30, 2.35 * rh, 1.5, 9)
        outline = ribbon(line, rh * np.array((0.50, 0.44, 0.38, 0.33, 0.29, 0.25, 0.20, 0.13, 0.03)))
        gape = line[1:8]
    else:
        outline = spline(
            [(0, -0.60), (0.55, -0.52), (1.05, -0.08), (0.93, 0.78), (0.70, 0.36), (0.30, 0.50), (0, 0.46)], 6
        )
        outline = outline * rh + (x, y)
        gape = np.array([(0.05, 0.12), (0.35, 0.18), (0.68, 0.22)]) * rh + (x, y)
    cover = canvas.cover([place(outline)])
    if cover is None:
        return
    canvas.paint("beak", cover, canvas.lit(plan.rgb["beak"], canvas.volume(cover, 0.45)))
    smooth = path(gape, 3)
    line_cover = canvas.cover([place(ribbon(smooth, np.full(len(smooth), 0.075 * rh)))])
    clipped = line_cover.within(cover) if line_cover is not None else None
    canvas.paint(None, clipped, np.array(plan.rgb["beak"], np.float32) * np.float32(0.45), 0.75)
