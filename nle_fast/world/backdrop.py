"""What lies behind: sky, sun, clouds, hills, water or meadow, flowers, rocks, and the perch."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from nle_fast.world.canvas import Canvas, Cover
from nle_fast.world.curves import arc, ellipse, feather, path, ribbon, spline
from nle_fast.world.plan import stream

__all__ = ["HOURS", "Backdrop", "draw_backdrop", "draw_front", "make_backdrop"]


class Hour(NamedTuple):
    """The colours of an hour of the day, 0 to 255."""

    top: tuple[int, int, int]
    middle: tuple[int, int, int]
    horizon: tuple[int, int, int]
    sun: tuple[int, int, int]
    hill: tuple[int, int, int]
    land: tuple[int, int, int]
    water: tuple[int, int, int]
    cloud: tuple[int, int, int]


HOURS = (
    Hour(
        (120, 178, 214),
        (190, 218, 226),
        (252, 230, 200),
        (255, 244, 206),
        (92, 142, 128),
        (132, 168, 92),
        (74, 130, 160),
        (255, 250, 242),
    ),
    Hour(
        (74, 148, 210),
        (140, 196, 230),
        (218, 238, 240),
        (255, 246, 190),
        (70, 132, 104),
        (110, 164, 78),
        (46, 116, 168),
        (255, 255, 252),
    ),
    Hour(
        (98, 120, 172),
        (228, 172, 140),
        (255, 218, 150),
        (255, 240, 190),
        (112, 104, 110),
        (150, 140, 76),
        (88, 108, 140),
        (255, 226, 196),
    ),
    Hour(
        (70, 62, 122),
        (206, 100, 112),
        (255, 184, 112),
        (255, 226, 150),
        (84, 62, 104),
        (96, 98, 82),
        (78, 70, 120),
        (250, 176, 152),
    ),
    Hour(
        (30, 44, 88),
        (82, 92, 146),
        (206, 160, 168),
        (250, 240, 214),
        (44, 56, 92),
        (58, 84, 84),
        (40, 58, 104),
        (140, 138, 178),
    ),
    Hour(
        (176, 196, 200),
        (206, 218, 214),
        (236, 234, 220),
        (255, 250, 230),
        (124, 152, 146),
        (140, 164, 116),
        (116, 150, 156),
        (250, 250, 246),
    ),
)


class Backdrop(NamedTuple):
    """The scenery a seed decides on."""

    hour: Hour
    u: np.ndarray
    horizon: float
    water: bool
    sun: tuple[float, float, float] | None


def make_backdrop(seed: int, light: tuple[float, float]) -> Backdrop:
    """Draw the scenery of a seed; the sun stands on the side the light comes from."""
    u = stream(seed, "backdrop").random(400)
    hour = HOURS[int(len(HOURS) * u[0])]
    horizon = 0.56 + 0.2 * float(u[1])
    side = 0.5 + (0.12 + 0.28 * float(u[4])) * (1 if light[0] > 0 else -1)
    sun = (side, 0.10 + 0.30 * float(u[5]), 0.05 + 0.05 * float(u[6])) if u[3] < 0.5 else None
    return Backdrop(hour, u, horizon, bool(u[2] < 0.5), sun)


def _rgb(color: tuple[int, int, int]) -> np.ndarray:
    return np.array(color, np.float32) / 255


def draw_backdrop(canvas: Canvas, scenery: Backdrop) -> None:
    """Paint everything behind the subject except its perch."""
    hour, u, horizon = scenery.hour, scenery.u, scenery.horizon
    whole = Cover(0, 0, np.ones((canvas.size, canvas.size), np.float32))
    t = np.clip(canvas.y / np.float32(horizon), 0, 1)[..., None]
    low = _rgb(hour.top) + (_rgb(hour.middle) - _rgb(hour.top)) * np.minimum(t * 2, 1)
    canvas.pixels[:] = low + (_rgb(hour.horizon) - low) * np.clip(t * 2 - 1, 0, 1) ** 1.2
    canvas.own("sky", whole)
    if scenery.sun is not None and "sun" not in canvas.removed:
        x, y, r = scenery.sun
        d = (canvas.x - np.float32(x)) ** 2 + (canvas.y - np.float32(y)) ** 2
        glow = np.exp(d * np.float32(-1 / (2.6 * r) ** 2))
        canvas.paint(None, Cover(0, 0, glow), _rgb(hour.sun), 0.55)
        canvas.paint("sun", canvas.cover([ellipse(x, y, r, r, n=48)]), _rgb(hour.sun))
    _clouds(canvas, hour, u[20:80], horizon)
    for n in range(2 + int(2 * u[7])):
        _ridge(canvas, hour, u[80 + 12 * n : 92 + 12 * n], horizon - 0.10 + 0.06 * n, 0.72 - 0.26 * n)
    if scenery.water:
        _water(canvas, hour, u[140:200], horizon)
    else:
        _meadow(canvas, hour, u[140:260], horizon)
    _rocks(canvas, hour, u[260:300], horizon)


def _clouds(canvas: Canvas, hour: Hour, u: np.ndarray, horizon: float) -> None:
    for n in range(int(4 * u[0])):
        a = u[3 + 14 * n : 17 + 14 * n]
        x, y, s = float(a[0]), 0.06 + 0.30 * float(a[1]), 0.07 + 0.07 * float(a[2])
        puffs = [
            ellipse(x + (i - 2) * 0.55 * s, y - s * (0.30 * float(a[3 + i])) * (2 - abs(i - 2)), s * (0.5 + 0.3 * float(a[8 + i])),
                    s * (0.24 + 0.2 * float(a[8 + i])) * (1.25 - 0.25 * abs(i - 2)))
            for i in range(5)
        ]  # fmt: skip
        cover = canvas.cover(puffs)
        if cover is not None:
            ramp = np.linspace(1, 0.45, cover.alpha.shape[0], dtype=np.float32)[:, None, None]
            base = _rgb(hour.middle)
            canvas.paint(
                "clouds",
                cover,
                base + (_rgb(hour.cloud) - base) * (ramp * np.ones((1, cover.alpha.shape[1], 1), np.float32)),
                0.92,
            )


def _ridge(canvas: Canvas, hour: Hour, u: np.ndarray, base: float, haze: float) -> None:
    x = np.linspace(-0.02, 1.02, 60)
    y = base - 0.05 * float(u[0])
    line = y + sum(
        (0.05 / (k + 1)) * float(0.4 + u[k + 1]) * np.sin((k + 1.3) * 3.1 * x + 6.3 * float(u[k + 5])) for k in range(4)
    )
    cover = canvas.cover([np.vstack([np.stack([x, line], 1), [(1.02, 1.02), (-0.02, 1.02)]])])
    if cover is None:
        return
    color = _rgb(hour.hill) + (_rgb(hour.horizon) - _rgb(hour.hill)) * np.float32(haze)
    ramp = np.clip((canvas.grid(cover)[1] - np.float32(line.min())) / np.float32(0.28), 0, 1)[..., None] * np.float32(
        0.5
    )
    field = color + (_rgb(hour.horizon) - color) * ramp
    canvas.paint("hills", cover, field * np.ones((1, cover.alpha.shape[1], 1), np.float32))


def _water(canvas: Canvas, hour: Hour, u: np.ndarray, horizon: float) -> None:
    size = canvas.size
    start = int(round(horizon * size))
    rows = np.arange(start, size)
    depth = ((rows - start) / size).astype(np.float32)
    wobble = np.sin(depth * 260 / (1 + 5 * depth) + 6 * float(u[0])) * (0.004 + 0.02 * depth)
    source = np.clip(start - 1 - (rows - start) + np.rint(wobble * size).astype(int), 0, start - 1)
    mirror = canvas.pixels[source]
    tint = _rgb(hour.water)
    strength = (0.35 + 0.55 * np.clip(depth / 0.4, 0, 1))[:, None, None]
    alpha = np.ones((size - start, size), np.float32)
    canvas.paint("water", Cover(0, start, alpha), mirror + (tint - mirror) * strength)
    streaks = []
    for n in range(14):
        d = float(u[4 + n]) ** 1.4 * (1 - horizon)
        w = 0.03 + 0.12 * float(u[20 + n]) * (0.4 + 2 * d)
        streaks.append(ellipse(float(u[36 + n]), horizon + d, w, 0.0022 + 0.007 * d, n=14))
    canvas.paint(None, canvas.cover(streaks), _rgb(hour.horizon), 0.5)


def _meadow(canvas: Canvas, hour: Hour, u: np.ndarray, horizon: float) -> None:
    x = np.linspace(-0.02, 1.02, 40)
    line = horizon + 0.02 * np.sin(4 * x + 6 * float(u[0])) + 0.012 * np.sin(9 * x + 6 * float(u[1]))
    cover = canvas.cover([np.vstack([np.stack([x, line], 1), [(1.02, 1.02), (-0.02, 1.02)]])])
    if cover is None:
        return
    ramp = np.clip((canvas.grid(cover)[1] - np.float32(horizon)) / np.float32(0.4), 0, 1)
    shade = np.float32(0.25) - ramp * np.float32(0.75) + 2 * canvas.texture[cover.box]
    canvas.paint("meadow", cover, canvas.lit(_rgb(hour.land), shade))
    blades = [
        ribbon(
            arc(
                float(u[2 + n % 50]) + 0.021 * n % 1.0,
                horizon + 0.04 + (1 - horizon) * ((n * 0.37) % 1.0),
                -1.57 + 0.5 * (float(u[52 + n % 50]) - 0.5),
                0.05,
                0.4,
                4,
            ),
            [0.010, 0.008, 0.006, 0.001],
        )
        for n in range(24)
    ]
    canvas.paint(None, canvas.cover(blades), _rgb(hour.land) * 0.62, 0.7)
    for n in range(3):
        color = ((0.96, 0.93, 0.86), (0.95, 0.76, 0.25), (0.86, 0.35, 0.42), (0.60, 0.45, 0.80))[int(4 * u[104 + n])]
        heads = []
        for i in range(4):
            d = 0.05 + (0.95 - horizon) * float(u[(60 + 7 * n + 5 * i) % 110])
            heads.append((float(u[(20 + 11 * n + 13 * i) % 110]), horizon + d, 0.008 + 0.022 * d / 0.4))
        petals = [
            ellipse(hx + 0.9 * r * math.cos(a), hy + 0.7 * r * math.sin(a), r * 0.62, r * 0.55, n=10)
            for hx, hy, r in heads
            for a in (0.3, 1.55, 2.8, 4.1, 5.35)
        ]
        canvas.paint("flowers", canvas.cover(petals), color)
        canvas.paint(
            "flowers",
            canvas.cover([ellipse(hx, hy, r * 0.42, r * 0.36, n=10) for hx, hy, r in heads]),
            (0.98, 0.80, 0.32),
        )


def _rocks(canvas: Canvas, hour: Hour, u: np.ndarray, horizon: float) -> None:
    for n in range(int(3 * u[0])):
        a = u[2 + 8 * n : 10 + 8 * n]
        x, y, s = float(a[0]), horizon + 0.05 + (0.9 - horizon) * float(a[1]), 0.04 + 0.05 * float(a[2])
        _rock(canvas, "rocks", x, y, s, a[3:8])


def _rock(canvas: Canvas, part: str, x: float, y: float, s: float, u: np.ndarray) -> None:
    shape = [
        (-1.5, 0.75),
        (-1.3, 0.0),
        (-0.7 + 0.3 * float(u[0]), -0.65),
        (0.2, -0.8 + 0.2 * float(u[1])),
        (1.0, -0.4),
        (1.45, 0.2),
        (1.6, 0.8),
    ]
    cover = canvas.cover([spline(np.array(shape) * s + (x, y), 4)], pad=1 + int(0.2 * s * canvas.size))
    if cover is not None:
        canvas.paint(part, cover, canvas.lit((0.54, 0.54, 0.56), canvas.volume(cover, 0.5, 0.4, 0.5 * s * canvas.size)))


def draw_perch(canvas: Canvas, scenery: Backdrop, support: str, x: float, y: float, mirror: bool) -> None:
    """What the feet stand on, at (x, y): a branch, a rock, or the ground itself (then nothing)."""
    u = scenery.u[300:360]
    if support == "rock":
        s = 0.13
        _rock(canvas, "perch", x, y + 0.70 * s, s, u)
    elif support == "branch":
        sign = -1.0 if mirror else 1.0
        line = path(
            [
                (x - sign * 0.85, y + 0.13),
                (x - sign * 0.4, y + 0.06),
                (x, y + 0.018),
                (x + sign * 0.3, y - 0.01 - 0.03 * float(u[0])),
                (x + sign * 0.5, y - 0.06),
            ]
        )
        twig = path([(x + sign * 0.12, y + 0.01), (x + sign * 0.24, y + 0.06), (x + sign * 0.36, y + 0.08)])
        cover = canvas.cover(
            [ribbon(line, np.linspace(0.062, 0.016, len(line))), ribbon(twig, np.linspace(0.02, 0.008, len(twig)))],
            pad=3,
        )
        if cover is not None:
            canvas.paint(
                "perch", cover, canvas.lit((0.46, 0.31, 0.21), canvas.volume(cover, 0.1, 0.8, 0.05 * canvas.size))
            )
        leaves = []
        for n in range(7):
            i = 5 + 3 * n
            lx, ly = line[min(i, len(line) - 1)]
            leaves.append(
                feather(
                    float(lx),
                    float(ly),
                    (0.9 if n % 2 else -0.7) + 0.6 * (float(u[1 + n]) - 0.5) + (math.pi - 0.4 if mirror else 0),
                    0.08 + 0.03 * float(u[10 + n]),
                    0.045,
                    0.4,
                )
            )
        cover = canvas.cover(leaves)
        if cover is not None:
            canvas.paint("leaves", cover, canvas.lit((0.36, 0.56, 0.30), canvas.volume(cover, 0.3)))


def draw_front(canvas: Canvas, seed: int) -> None:
    """A spray of leaves in front, reaching in from a lower corner, in a third of the scenes."""
    u = stream(seed, "front").random(40)
    if u[0] > 0.35:
        return
    left = bool(u[1] < 0.5)
    x, sign = (-0.02, 1.0) if left else (1.02, -1.0)
    y = 0.80 + 0.2 * float(u[2])
    reach = 0.22 + 0.14 * float(u[3])
    leaves = []
    for n in range(6):
        lx, ly = x + sign * reach * n / 6, y - 0.10 * n / 6
        angle = (0.55 if n % 2 else -0.75) + 0.4 * (float(u[4 + n]) - 0.5)
        leaves.append(
            feather(lx, ly, angle if left else math.pi - angle, 0.11 + 0.05 * float(u[12 + n]), 0.062, 0.3 * sign)
        )
    stem = ribbon(np.array([(x, y), (x + sign * reach, y - 0.1)]), [0.016, 0.008])
    cover = canvas.cover([stem, *leaves])
    if cover is not None:
        canvas.paint("leaves", cover, canvas.lit((0.24, 0.46, 0.26), canvas.volume(cover, 0.5)))
