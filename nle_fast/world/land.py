"""The ground: water that mirrors the sky, or a meadow in flower; reeds, rocks, the perch, and leaves in front."""

from __future__ import annotations

import math

import numpy as np

from nle_fast.world.canvas import Canvas, Cover
from nle_fast.world.catalog import COLORS
from nle_fast.world.curves import Points, arc, circle, ellipse, feather, path, ribbon, spline, strokes, vec
from nle_fast.world.plan import Pose, stream
from nle_fast.world.sky import Backdrop, Hour, mixed

_TUFT = np.stack([ribbon(arc(0, 0, -1.57 + a, 1.0, a, 4), [0.16, 0.13, 0.09, 0.01]) for a in (-0.35, 0.0, 0.4)])

__all__ = ["FLOWERS", "draw_front", "draw_land", "draw_perch", "flower_color"]

FLOWERS = ("white", "yellow", "red", "purple", "pink", "orange")
_BARK, _STONE, _LEAF, _FRONT_LEAF = (0.47, 0.31, 0.20), (0.545, 0.55, 0.565), (0.35, 0.58, 0.31), (0.25, 0.50, 0.28)


def flower_color(scenery: Backdrop) -> str:
    """The color that the meadow's flowers have."""
    return FLOWERS[int(len(FLOWERS) * scenery.u[330])]


def draw_land(canvas: Canvas, scenery: Backdrop) -> None:
    """Paint water or meadow, and the rocks."""
    hour, u, horizon = scenery.hour, scenery.u, scenery.horizon
    if scenery.water:
        _water(canvas, hour, u[140:200], horizon)
    else:
        _meadow(canvas, hour, u[140:260], horizon, flower_color(scenery))
    for n in range(int(3 * u[260])):
        a = u[262 + 8 * n : 270 + 8 * n]
        s = 0.035 + 0.045 * float(a[2])
        _rock(canvas, "rocks", float(a[0]), horizon + 0.05 + (0.9 - horizon) * float(a[1]), s, a[3:8])
    if scenery.water and u[331] < 0.6:
        _reeds(canvas, hour, u[332:360], horizon)


def _water(canvas: Canvas, hour: Hour, u: Points, horizon: float) -> None:
    if "water" in canvas.removed:
        return
    size = canvas.size
    start = round(horizon * size)
    depth = ((np.arange(start, size) - start) / size).astype(np.float32)
    wobble = np.sin(depth * 260 / (1 + 5 * depth) + 6 * float(u[0])) * (0.003 + 0.018 * depth)
    source = np.clip(start - 1 - np.rint((depth - wobble) * size).astype(int), 0, start - 1)
    mirror = canvas.pixels[source]
    strength = (0.30 + 0.55 * np.clip(depth / 0.4, 0, 1))[:, None, None].astype(np.float32)
    cover = Cover(0, start, np.ones((size - start, size), np.float32))
    canvas.paint("water", cover, mirror + (hour.water - mirror) * strength)
    for bright, first in ((True, 4), (False, 30)):
        streaks = []
        for n in range(12):
            d = (float(u[first + n]) ** 1.5 * 0.96 + 0.01) * (1 - horizon)
            w = (0.03 + 0.10 * float(u[first + (5 * n + 3) % 24])) * (0.35 + 2.4 * d)
            streaks.append(circle(14) * (w, 0.0022 + 0.008 * d) + (float(u[first + 12 + n]), horizon + d))
        color = mixed(hour.horizon, hour.cloud, 0.5) if bright else hour.water * np.float32(0.8)
        canvas.paint(None, canvas.cover(streaks), color, 0.42)
    shore = Cover(0, start, np.ones((max(1, size // 90), size), np.float32))
    canvas.paint(None, shore, hour.horizon, 0.55)


def _meadow(canvas: Canvas, hour: Hour, u: Points, horizon: float, flower: str) -> None:
    x = np.linspace(-0.02, 1.02, 40)
    line = horizon + 0.02 * np.sin(4 * x + 6 * float(u[0])) + 0.012 * np.sin(9 * x + 6 * float(u[1]))
    cover = canvas.cover([np.concatenate([np.stack([x, line], 1), [(1.02, 1.02), (-0.02, 1.02)]])])
    if cover is not None:
        ramp = np.clip((canvas.grid(cover)[1] - np.float32(horizon)) / np.float32(0.4), 0, 1)
        shade = np.float32(0.34) - ramp * np.float32(0.70) + 2 * canvas.texture[cover.box]
        canvas.paint("meadow", cover, canvas.lit(hour.land, shade))
    if "meadow" not in canvas.removed:
        for tone, step in ((0.70, 0.37), (1.22, 0.61)):
            far = ((np.arange(16) + 0.5) * step + u[2:18]) % 1.0
            places = np.stack([u[20 + int(10 * step) :][:16], horizon + 0.03 + (1.0 - horizon) * far], axis=1)
            blades = _TUFT * (0.025 + 0.055 * far)[:, None, None, None] + places[:, None, None, :]
            color = np.minimum(hour.land * np.float32(tone), 1)
            canvas.paint(None, canvas.cover(blades.reshape(-1, *_TUFT.shape[1:])), color, 0.6)
    if "flowers" not in canvas.removed:
        _flowers(canvas, hour, u[60:], horizon, flower)


def _flowers(canvas: Canvas, hour: Hour, u: Points, horizon: float, flower: str) -> None:
    number = 5 + int(9 * u[46])
    far = 0.06 + (0.92 - horizon) * u[:number] ** 0.8
    places = np.stack([u[15 : 15 + number], horizon + far], axis=1)
    radii = (0.010 + 0.053 * far)[:, None, None]
    angles = 6.3 * u[:number, None] + np.arange(5) * (2 * math.pi / 5)
    around = np.stack([0.85 * np.cos(angles), 0.72 * np.sin(angles)], axis=2) * radii + places[:, None]
    petals = circle(8) * (0.62, 0.55) * radii[..., None] + around[:, :, None]
    stems = strokes(np.stack([places, places + vec(0.0, 2.6) * radii[:, 0]], axis=1), 0.004, 0.003)
    canvas.paint(None, canvas.cover(stems), hour.land * np.float32(0.6), 0.8)
    canvas.paint("flowers", canvas.cover(petals.reshape(-1, 8, 2)), np.array(COLORS[flower], np.float32) / 255)
    heart = (0.97, 0.76, 0.25) if flower != "yellow" else (0.80, 0.46, 0.16)
    canvas.paint(None, canvas.cover(circle(8) * (0.45, 0.40) * radii + places[:, None]), heart)


def _reeds(canvas: Canvas, hour: Hour, u: Points, horizon: float) -> None:
    """A stand of reeds with brown heads, at one side of the water."""
    if "reeds" in canvas.removed:
        return
    middle = 0.06 + 0.10 * float(u[0]) if u[1] < 0.5 else 0.94 - 0.10 * float(u[0])
    foot = horizon + 0.10 + 0.16 * float(u[2])
    blades, heads = [], []
    for n in range(9):
        x, length = middle + 0.15 * (float(u[4 + n]) - 0.5), 0.20 + 0.16 * float(u[14 + n])
        lean = 0.30 * (float(u[4 + n]) - 0.5)
        stalk = arc(x, foot + 0.02 * (n % 3), -1.57 + lean, length, 0.5 * lean, 6)
        blades.append(ribbon(stalk, [0.011, 0.010, 0.009, 0.007, 0.005, 0.002]))
        if n % 3 == 0:
            heads.append(ribbon(stalk[3:6], [0.014, 0.020, 0.014]))
    canvas.paint("reeds", canvas.cover(blades), mixed(hour.land, hour.hill, 0.35) * np.float32(0.82))
    canvas.paint("reeds", canvas.cover(heads), (0.42, 0.27, 0.18))


def _rock(canvas: Canvas, part: str, x: float, y: float, s: float, u: Points) -> None:
    if part in canvas.removed:
        return
    a, b = 0.3 * float(u[0]), 0.25 * float(u[1])
    shape = [
        (-1.5, 0.72),
        (-1.34, 0.1),
        (-0.86 + a, -0.52),
        (-0.1, -0.80 + b),
        (0.62, -0.70 + a),
        (1.22, -0.12),
        (1.52, 0.45),
        (1.56, 0.76),
    ]
    outline = spline(np.array(shape) * s + (x, y), 3)
    cover = canvas.cover([outline], pad=1 + int(0.2 * s * canvas.size))
    if cover is None:
        return
    shadow = canvas.cover([ellipse(x, y + 0.74 * s, 1.75 * s, 0.22 * s)])
    canvas.multiply(shadow, (0.5, 0.5, 0.6), 0.45)
    canvas.paint(part, cover, canvas.lit(_STONE, canvas.volume(cover, 0.42, 0.5, 0.6 * s * canvas.size)))
    cracks = [
        ribbon(
            np.array([(-0.9 + a, -0.1), (-0.4, 0.05 + b), (-0.2, 0.5)]) * s + (x, y), np.array((0.02, 0.05, 0.01)) * s
        ),
        ribbon(np.array([(0.1, -0.6 + b), (0.4, -0.1), (1.0, 0.1 + a)]) * s + (x, y), np.array((0.01, 0.05, 0.02)) * s),
    ]
    drawn = canvas.cover(cracks, pad=0)
    if drawn is not None:
        canvas.multiply(drawn.within(cover), (0.5, 0.5, 0.55), 0.7)


def draw_perch(canvas: Canvas, scenery: Backdrop, pose: Pose, x: float, y: float) -> None:
    """What the feet stand on, at (x, y): a branch, a rock, or the ground, which then takes a soft shadow or ripples."""
    u = scenery.u[300:330]
    if pose.support == "rock":
        s = 0.125
        _rock(canvas, "perch", x, y + 0.70 * s, s, u)
    elif pose.support == "branch":
        _branch(canvas, u, x, y, pose.mirror)
    elif pose.support == "ground":
        if scenery.water:
            for r in (0.15, 0.08):
                canvas.paint(None, canvas.cover([ellipse(x, y, r, 0.20 * r)]), scenery.hour.horizon, 0.35)
                canvas.paint(None, canvas.cover([ellipse(x, y + 0.003, r * 0.9, 0.17 * r)]), scenery.hour.water, 0.5)
        else:
            canvas.multiply(canvas.cover([ellipse(x, y + 0.004, 0.13, 0.020)]), (0.45, 0.45, 0.55), 0.55)


def _branch(canvas: Canvas, u: Points, x: float, y: float, mirror: bool) -> None:
    sign = -1.0 if mirror else 1.0
    bow = 0.05 * (float(u[0]) - 0.5)
    spine = [(-0.95, 0.15), (-0.45, 0.055 + bow), (0.0, 0.016), (0.30, -0.015 - bow), (0.52, -0.07)]
    line = path([(x + sign * dx, y + dy) for dx, dy in spine])
    twig = path([(x + sign * 0.12, y + 0.01), (x + sign * 0.24, y + 0.065), (x + sign * 0.36, y + 0.085)])
    outlines = [ribbon(line, np.linspace(0.070, 0.014, len(line))), ribbon(twig, np.linspace(0.022, 0.007, len(twig)))]
    cover = canvas.cover(outlines, pad=3)
    if cover is not None and "perch" not in canvas.removed:
        canvas.paint("perch", cover, canvas.lit(_BARK, canvas.volume(cover, 0.06, 0.7, 0.055 * canvas.size)))
        turns = np.arange(4, 20, 3)
        grain = strokes(np.stack([line[turns], line[turns + 4]], axis=1) + vec(0.0, 0.004), 0.006, 0.003)
        drawn = canvas.cover(grain, pad=0)
        if drawn is not None:
            canvas.multiply(drawn.within(cover), (0.55, 0.5, 0.5), 0.7)
    leaves, tones = [], []
    for n in range(9):
        stem = twig[min(4 + 3 * (n - 6), len(twig) - 1)] if n > 6 else line[min(4 + 3 * n, len(line) - 1)]
        turn = (0.9 if n % 2 else -0.8) + 0.7 * (float(u[1 + n]) - 0.5)
        angle = turn if not mirror else math.pi - turn
        leaves.append(
            feather(float(stem[0]), float(stem[1]), angle, 0.075 + 0.035 * float(u[11 + n]), 0.046, 0.35 * sign)
        )
        tones.append(0.14 * (n % 3 - 1))
    _foliage(canvas, leaves, tones, _LEAF)


def _foliage(canvas: Canvas, leaves: list[Points], tones: list[float], color: tuple[float, float, float]) -> None:
    if "leaves" in canvas.removed:
        return
    drawn = canvas.layers(leaves, tones)
    if drawn is not None:
        cover, tone = drawn
        canvas.paint("leaves", cover, canvas.lit(color, tone + canvas.volume(cover, 0.25)))
        spines = np.stack([(o[[0, len(o) // 2 - 1]] + o[[-1, len(o) // 2]]) / 2 for o in leaves])
        drawn_ribs = canvas.cover(strokes(spines, 0.004, 0.002), pad=0)
        if drawn_ribs is not None:
            canvas.paint(
                None, drawn_ribs.within(cover), np.minimum(np.array(color, np.float32) * np.float32(1.5), 1), 0.5
            )


def draw_front(canvas: Canvas, seed: int, pose: Pose) -> None:
    """A spray of leaves in front, in a third of the scenes: from the lower corner ahead, so that no tail is hidden."""
    u = stream(seed, "front").random(40)
    if u[0] > 0.36:
        return
    left = pose.mirror
    x, sign = (-0.02, 1.0) if left else (1.02, -1.0)
    y, reach = 0.82 + 0.18 * float(u[2]), 0.20 + 0.12 * float(u[3])
    leaves = [
        ribbon(
            np.array([(x, y), (x + 0.5 * sign * reach, y - 0.06), (x + sign * reach, y - 0.1)]), [0.018, 0.014, 0.008]
        )
    ]
    tones = [-0.2]
    for n in range(8):
        angle = (0.60 if n % 2 else -0.80) + 0.4 * (float(u[4 + n]) - 0.5)
        place = (x + sign * reach * n / 8, y - 0.10 * n / 8)
        leaves.append(
            feather(*place, angle if left else math.pi - angle, 0.11 + 0.055 * float(u[12 + n]), 0.060, 0.3 * sign)
        )
        tones.append(0.15 * (n % 3 - 1))
    _foliage(canvas, leaves, tones, _FRONT_LEAF)
