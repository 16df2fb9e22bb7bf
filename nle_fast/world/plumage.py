"""Wing, tail, crest and beak of a bird in each of their looks, and the patterns that cloth, wing and scale share."""

from __future__ import annotations

import math
from typing import Callable

import numpy as np

from nle_fast.world.canvas import Array, Canvas, Cover
from nle_fast.world.curves import Frame, Points, arc, ellipse, feather, path, ribbon, spline, turned
from nle_fast.world.plan import Plan

__all__ = ["beak", "crest", "ink", "marks", "tail", "wing"]

Place = Callable[[Points], Points]


def ink(color: tuple[float, float, float]) -> Array:
    """The colour of pattern marks on a ground: dark on light grounds, cream on dark ones."""
    base = np.array(color, np.float32)
    if float(base @ np.array((0.3, 0.59, 0.11), np.float32)) > 0.40:
        return base * np.float32(0.30) + np.array((0.02, 0.015, 0.04), np.float32)
    return base * np.float32(0.18) + np.array((1.0, 0.95, 0.84), np.float32) * np.float32(0.80)


def marks(
    canvas: Canvas, cover: Cover, pattern: str, at: Frame, origin: Points, angle: float, step: float
) -> Array | None:
    """Where the marks of a pattern lie in the box of a shape, (h, w) 0 to 1; None for plain.

    Stripes run along `angle` (radians, local to the frame), bars across it, dots on a staggered grid; `step` is the distance
    between two marks in the frame's units.
    """
    if pattern == "plain":
        return None
    x, y = canvas.grid(cover)
    ends = at(
        np.array([origin, origin + (math.cos(angle), math.sin(angle)), origin + (-math.sin(angle), math.cos(angle))])
    )
    along, across = ends[1] - ends[0], ends[2] - ends[0]
    span = at.scale**2 * step
    u = (x - np.float32(ends[0][0])) * np.float32(along[0] / span) + (y - np.float32(ends[0][1])) * np.float32(
        along[1] / span
    )
    v = (x - np.float32(ends[0][0])) * np.float32(across[0] / span) + (y - np.float32(ends[0][1])) * np.float32(
        across[1] / span
    )
    soft = np.float32(canvas.size * at.scale * step)  # pixels per step: an edge one pixel wide
    if pattern == "dots":
        row = np.floor(v)
        u = u + 0.5 * (row % 2)
        distance = np.hypot(u - np.floor(u) - 0.5, v - row - 0.5)
        return np.clip((np.float32(0.34) - distance) * soft + 0.5, 0, 1).astype(np.float32)
    t = v if pattern == "stripes" else u
    t = t - np.floor(t)
    return np.clip((np.float32(0.21) - np.abs(t - 0.5)) * soft + 0.5, 0, 1).astype(np.float32)


def _feathers(
    canvas: Canvas, part: str, plan: Plan, outlines: list[Points], slope: float, dim: float = 0.0
) -> Cover | None:
    """Paint overlapping feathers: their union, then a fine dark line at each of their edges."""
    cover = canvas.cover(outlines)
    if cover is None or part in canvas.removed:
        return cover
    shade = canvas.volume(cover, slope) - np.float32(dim)
    for number, outline in enumerate(outlines):
        one = canvas.cover([outline], pad=0) if number else None
        if one is not None:
            rows = slice(one.top - cover.top, one.top - cover.top + one.alpha.shape[0])
            columns = slice(one.left - cover.left, one.left - cover.left + one.alpha.shape[1])
            view = shade[rows, columns]
            view += one.alpha * np.float32(0.16 if number % 2 else -0.16)
    canvas.paint(part, cover, canvas.lit(plan.rgb[part], shade))
    return cover


def wing(canvas: Canvas, plan: Plan, at: Frame, root: Points, *, far: bool) -> None:
    """The wing: folded along the body, or raised with its feathers spread (then the far one too)."""
    pose = plan.pose
    if "wing" in canvas.removed:
        return
    if pose.raised:
        lean = -0.5 * math.pi - 0.45 + 0.3 * pose.turn + (0.5 if far else 0.0)
        fan = [
            feather(root[0] - 0.035 * n, root[1] + 0.012 * n, lean - 0.17 * n, 0.84 - 0.065 * n, 0.19, -0.18)
            for n in range(7)
        ]
        cover_points = spline(
            [
                root + turned(np.array([p]), lean)[0]
                for p in ((0.5, 0.1), (0.3, -0.16), (0, -0.30), (-0.1, -0.1), (0, 0.1))
            ]
        )
        outlines = [at(o) for o in [*fan[::-1], cover_points]]
        axis = lean - 0.3
    else:
        angle = math.pi - pose.tilt + 0.06
        shape = np.array(
            [
                (-0.12, -0.02),
                (-0.05, 0.13),
                (0.16, 0.20),
                (0.42, 0.13),
                (0.70, 0.0),
                (0.78, -0.05),
                (0.45, -0.13),
                (0.1, -0.14),
            ]
        )
        blade = turned(spline(shape * (1, -pose.plump)), angle) + root + (0.02, 0.06)
        tips = [
            feather(*(turned(np.array([[0.18 + 0.03 * n, -0.01 - 0.028 * n]]), angle)[0] + root + (0.02, 0.06)), angle + 0.03 * n,
                    0.56 - 0.055 * n, 0.10, -0.10)
            for n in range(4)
        ]  # fmt: skip
        outlines = [at(o) for o in [blade, *tips]]
        axis = angle
        shadow = canvas.cover([at(blade + (0.0, 0.035))])
        canvas.multiply(shadow, (0.62, 0.6, 0.72), 0.55)
    cover = _feathers(canvas, "wing", plan, outlines, 0.3, 0.22 if far else 0.0)
    if cover is None:
        return
    spots = marks(canvas, cover, plan.looks["wing"].pattern, at, root, axis, 0.135)
    if spots is not None:
        canvas.paint(None, Cover(cover.left, cover.top, cover.alpha * spots), ink(plan.rgb["wing"]), 0.9)


def tail(canvas: Canvas, plan: Plan, at: Frame, root: Points, angle: float) -> None:
    """The tail, pointing towards `angle`: long and narrow, forked, or a fan."""
    x, y = root
    shape = plan.looks["tail"].shape
    if shape == "long":
        outlines = [
            feather(x + 0.08, y + 0.01 * n, angle - 0.05 * n, 0.74 - 0.07 * abs(n), 0.13, -0.22) for n in (-1, 1, 0)
        ]
    elif shape == "forked":
        outlines = [feather(x + 0.06, y, angle + s * 0.16, 0.66, 0.13, s * 0.42) for s in (-1, 1)]
        outlines += [feather(x + 0.06, y, angle + s * 0.06, 0.36, 0.12, s * 0.1) for s in (-1, 1)]
    else:
        outlines = [
            feather(x + 0.07, y, angle + 0.24 * n, 0.52 - 0.012 * n * n, 0.21, 0.0) for n in (-3, 3, -2, 2, -1, 1, 0)
        ]
    _feathers(canvas, "tail", plan, [at(o) for o in outlines], 0.3)


def crest(canvas: Canvas, plan: Plan, place: Place, rh: float) -> None:
    """The crest: swept-back points, or a fan of feathers; nothing where the look is none."""
    shape = plan.looks["crest"].shape
    if shape == "none":
        return
    if shape == "pointed":
        outlines = [
            ribbon(arc(0.25 * rh, -0.45 * rh, -2.15 - 0.36 * n, (1.95 - 0.28 * n) * rh, -0.75, 8),
                   rh * np.array((0.75, 0.72, 0.62, 0.5, 0.38, 0.27, 0.15, 0.02)))
            for n in range(3)
        ]  # fmt: skip
    else:
        outlines = [
            feather(-0.1 * rh, -0.45 * rh, -1.05 - 0.31 * n, 1.72 * rh, 0.52 * rh, -0.25) for n in (0, 5, 1, 4, 2, 3)
        ]
    _feathers(canvas, "crest", plan, [place(o) for o in outlines], 0.3)


def beak(canvas: Canvas, plan: Plan, place: Place, rh: float) -> None:
    """The beak: a cone, a long straight bill, one curved down, or a hook."""
    shape = plan.looks["beak"].shape
    if "beak" in canvas.removed:
        return
    x, y = 0.72 * rh, 0.10 * rh
    if shape == "cone":
        outline = np.array(
            [
                (x, y - 0.52 * rh),
                (x + 0.55 * rh, y - 0.22 * rh),
                (x + 1.1 * rh, y + 0.1 * rh),
                (x + 0.5 * rh, y + 0.42 * rh),
                (x, y + 0.5 * rh),
            ]
        )
        gape = [(x, y + 0.02 * rh), (x + 0.6 * rh, y + 0.06 * rh), (x + 1.02 * rh, y + 0.1 * rh)]
    elif shape == "long":
        outline = ribbon(arc(x, y, 0.02, 2.35 * rh, 0.06, 6), rh * np.array((0.46, 0.34, 0.27, 0.21, 0.16, 0.07)))
        gape = [(x, y), (x + 1.1 * rh, y + 0.03 * rh), (x + 2.2 * rh, y + 0.1 * rh)]
    elif shape == "curved":
        line = arc(x, y - 0.05 * rh, -0.30, 2.25 * rh, 1.5, 9)
        outline = ribbon(line, rh * np.array((0.48, 0.42, 0.36, 0.32, 0.28, 0.24, 0.19, 0.13, 0.03)))
        gape = line[:8].tolist()
    else:
        outline = spline(
            [(x, y - 0.60 * rh), (x + 0.55 * rh, y - 0.50 * rh), (x + 1.02 * rh, y - 0.05 * rh), (x + 0.92 * rh, y + 0.72 * rh),
             (x + 0.70 * rh, y + 0.34 * rh), (x + 0.30 * rh, y + 0.50 * rh), (x, y + 0.46 * rh)], 6)  # fmt: skip
        gape = [(x, y + 0.12 * rh), (x + 0.35 * rh, y + 0.18 * rh), (x + 0.66 * rh, y + 0.2 * rh)]
    cover = canvas.cover([place(np.asarray(outline))])
    if cover is None:
        return
    canvas.paint("beak", cover, canvas.lit(plan.rgb["beak"], canvas.volume(cover, 0.45)))
    line = canvas.cover([place(ribbon(path(gape, 3), np.full(3 * (len(gape) - 1) + 1, 0.075 * rh)))])
    if line is not None:
        line = line.within(cover)
    if line is not None:
        dark = np.array(plan.rgb["beak"]) * 0.45
        canvas.paint(None, line, dark.tolist(), 0.8)


_ = ellipse
