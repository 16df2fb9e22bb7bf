"""Hours of the day, and what they light: sky, stars, sun, clouds, hills, trees."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nle_fast.world.canvas import Array, Canvas, Cover
from nle_fast.world.curves import Points, circle, ellipse, vec
from nle_fast.world.plan import stream

__all__ = ["CORNERS", "HOURS", "Backdrop", "Hour", "draw_sky", "make_backdrop", "mixed"]


def _rgb(text: str) -> Array:
    return np.array([int(text[i : i + 2], 16) / 255 for i in (0, 2, 4)], np.float32)


#: Centers of a small sun put in a corner, for scenes with a planted shortcut.
CORNERS = {"top left": (0.09, 0.09), "top right": (0.91, 0.09)}


class Hour(NamedTuple):
    """The colors of an hour of the day, (3,) in 0 to 1."""

    top: Array
    middle: Array
    horizon: Array
    sun: Array
    hill: Array
    land: Array
    water: Array
    cloud: Array
    dark: bool


def _hour(colors: str, dark: bool = False) -> Hour:
    return Hour(*map(_rgb, colors.split()), dark)  # type: ignore[call-arg,arg-type]


#: Morning, noon, golden hour, sunset, dusk, mist, spring haze.
HOURS = (
    _hour("78b2d6 bedae2 fce6c8 fff0c0 5c8e80 84a85c 4a82a0 fffaf2"),
    _hour("4a94d2 8cc4e6 daeef0 fff2aa 468468 6ea44e 2e74a8 fffffc"),
    _hour("6278ac e4ac8c ffda96 fff0be 70686e 968c4c 586c8c ffe2c4"),
    _hour("463e7a ce6470 ffb870 ffe296 543e68 60624e 4e4678 fab098"),
    _hour("1e2c58 525c92 cea0a8 faf0d6 2c385c 3a5454 283a68 8c8ab2", dark=True),
    _hour("b0c4c8 cedad6 eceadc fffae6 7c9892 8ca474 74969c fafaf6"),
    _hour("8fc3cf c9e3dc fdeedd fff4d2 6fa18c 9bbd62 5a9aa8 fffdf8"),
)


_FIR = np.array([(0, -1.2), (0.18, -0.6), (0.10, -0.6), (0.30, 0.0), (-0.30, 0.0), (-0.10, -0.6), (-0.18, -0.6)])
_CROWN = circle(18) * (0.42, 0.50)  # from the right side on, below first: the trunk follows the lowest point
_TRUNK = np.array([(0.05, 0.5), (0.05, 0.85), (-0.05, 0.85), (-0.05, 0.5)])
_ROUND_TREE = np.concatenate([_CROWN[:5], _TRUNK, _CROWN[5:]]) + vec(0.0, -0.85)


class Backdrop(NamedTuple):
    """The scenery a seed decides on."""

    hour: Hour
    u: Points
    horizon: float
    water: bool
    sun: tuple[float, float, float] | None


def make_backdrop(seed: int, light: tuple[float, float], sun_place: str | None = None) -> Backdrop:
    """Draw the scenery of a seed; the sun stands on the side that the light comes from, or in the corner it was put."""
    u = stream(seed, "backdrop").random(420)
    hour = HOURS[int(len(HOURS) * u[0])]
    side = 0.5 + (0.10 + 0.32 * float(u[4])) * (1 if light[0] > 0 else -1)
    sun: tuple[float, float, float] | None = (side, 0.09 + 0.28 * float(u[5]), 0.045 + 0.045 * float(u[6]))
    if sun_place in CORNERS:
        sun = (*CORNERS[sun_place], 0.045)
    elif sun_place is None and u[3] >= 0.5:
        sun = None
    return Backdrop(hour, u, 0.58 + 0.18 * float(u[1]), bool(u[2] < 0.5), sun)


def mixed(a: Array, b: Array, share: float) -> Array:
    """A color between two."""
    return a + (b - a) * np.float32(share)


def draw_sky(canvas: Canvas, scenery: Backdrop) -> None:
    """Paint sky, sun, clouds and hills."""
    hour, u, horizon = scenery.hour, scenery.u, scenery.horizon
    t = np.clip(canvas.y / np.float32(horizon), 0, 1)[..., None]
    low = hour.top + (hour.middle - hour.top) * np.minimum(t * 2, 1)
    canvas.pixels[:] = low + (hour.horizon - low) * np.clip(t * 2 - 1, 0, 1) ** np.float32(1.2)
    canvas.own("sky", Cover(0, 0, np.ones((canvas.size, canvas.size), np.float32)))
    if hour.dark:
        sizes = 0.0022 + 0.0022 * u[390:416]
        places = np.stack([u[360:386], 0.5 * u[361:387]], axis=1)
        stars = circle(6) * sizes[:, None, None] + places[:, None]
        canvas.paint(None, canvas.cover(stars), (1.0, 0.97, 0.88), 0.8)
    if scenery.sun is not None and "sun" not in canvas.removed:
        x, y, r = scenery.sun
        down, across = (canvas.y - np.float32(y)) ** 2, (canvas.x - np.float32(x)) ** 2
        near, far = np.float32(-1 / (2.0 * r) ** 2), np.float32(-1 / (5.5 * r) ** 2)
        glow = np.exp(down * near) * np.exp(across * near) * np.float32(0.5) + np.exp(down * far) * np.exp(
            across * far
        ) * np.float32(0.32)
        canvas.paint(None, Cover(0, 0, glow), hour.sun)
        canvas.paint("sun", canvas.cover([ellipse(x, y, r, r, n=48)]), hour.sun)
    for n in range(int(4 * u[20])):
        _cloud(canvas, hour, u[23 + 14 * n : 37 + 14 * n])
    ridges = 2 + int(2 * u[7])
    for n in range(ridges):
        nearness = n / (ridges - 1)
        _ridge(
            canvas,
            hour,
            u[80 + 12 * n : 92 + 12 * n],
            horizon - 0.13 + 0.10 * nearness,
            0.74 - 0.52 * nearness,
            n == ridges - 1,
        )


def _cloud(canvas: Canvas, hour: Hour, a: Points) -> None:
    if "clouds" in canvas.removed:
        return
    x, y, s = float(a[0]), 0.07 + 0.28 * float(a[1]), 0.075 + 0.075 * float(a[2])
    puffs, tones = [], []
    for i in (0, 4, 1, 3, 2):
        middle = 2 - abs(i - 2)
        r = s * (0.26 + 0.16 * float(a[8 + i]) + 0.12 * middle)
        puffs.append(ellipse(x + (i - 2) * 0.5 * s, y - 0.18 * s * middle, r * 1.15, r, n=20))
        tones.append(0.0)
    puffs.append(ellipse(x, y + 0.10 * s, 1.5 * s, 0.20 * s, n=24))
    cover = canvas.cover(puffs)
    if cover is None:
        return
    rows = canvas.grid(cover)[1]
    light = np.clip((np.float32(y + 0.28 * s) - rows) / np.float32(0.75 * s), 0, 1)[..., None]
    shadow = mixed(hour.cloud, hour.middle, 0.62) * np.float32(0.97)
    field = shadow + (hour.cloud - shadow) * light
    canvas.paint("clouds", cover, np.broadcast_to(field, (*cover.alpha.shape, 3)), 0.94)


def _ridge(canvas: Canvas, hour: Hour, u: Points, base: float, haze: float, wooded: bool) -> None:
    x = np.linspace(-0.02, 1.02, 48)
    line = np.full_like(x, base - 0.03 * float(u[0]))
    for k in range(4):
        line += (0.05 / (k + 1)) * (0.4 + float(u[k + 1])) * np.sin((k + 1.3) * 3.1 * x + 6.3 * float(u[k + 5]))
    cover = canvas.cover([np.concatenate([np.stack([x, line], 1), [(1.02, 1.02), (-0.02, 1.02)]])])
    if cover is None:
        return
    color = mixed(hour.hill, hour.horizon, haze)
    top = np.float32(line.min())
    ramp = np.clip((canvas.grid(cover)[1] - top) / np.float32(0.26), 0, 1)[..., None] * np.float32(0.55)
    field = color + (hour.horizon - color) * ramp
    if wooded:
        _trees(canvas, mixed(hour.hill, hour.horizon, haze - 0.16) * np.float32(0.92), u, x, line)
    canvas.paint("hills", cover, np.broadcast_to(field, (*cover.alpha.shape, 3)))


def _trees(canvas: Canvas, color: Array, u: Points, x: Points, line: Points) -> None:
    """Groves of firs or round trees on the near ridge."""
    pointed = bool(u[10] < 0.6)
    n = np.arange(11)
    places = (0.13 * n * (1 + u[11]) + u[n % 4] * 0.12) % 1.0
    height = (0.035 + 0.045 * np.abs(np.sin(5.1 * n + 6 * u[9])))[:, None, None]
    feet = np.stack([places, np.interp(places, x, line) + 0.012], axis=1)[:, None]
    outlines: Points = (_FIR if pointed else _ROUND_TREE) * height + feet
    if not pointed:
        outlines = outlines[::2]
    canvas.paint("trees", canvas.cover(outlines), color)
