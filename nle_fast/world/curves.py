"""Outlines as point lists: closed splines, ellipses, feathers, tapering ribbons. Arrays (n, 2) of x and y, y down."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["Frame", "Points", "arc", "circle", "ellipse", "feather", "path", "ribbon", "spline", "turned"]

Points = NDArray[np.float64]


@lru_cache(maxsize=8)
def _basis(n: int) -> Points:
    t = np.arange(n) / n
    return np.stack(
        [
            -0.5 * t + t**2 - 0.5 * t**3,
            1 - 2.5 * t**2 + 1.5 * t**3,
            0.5 * t + 2 * t**2 - 1.5 * t**3,
            0.5 * (t**3 - t**2),
        ],
        axis=1,
    )


def spline(points: Sequence[Any] | Points, n: int = 7) -> Points:
    """A smooth closed outline through all points (Catmull-Rom), `n` samples between two of them."""
    p = np.asarray(points, float)
    quads = np.stack([np.roll(p, 1, 0), p, np.roll(p, -1, 0), np.roll(p, -2, 0)], axis=1)
    return np.asarray((_basis(n) @ quads).reshape(-1, 2))


def path(points: Sequence[Any] | Points, n: int = 6) -> Points:
    """A smooth open line through all points."""
    p = np.asarray(points, float)
    p = np.vstack([2 * p[0] - p[1], p, 2 * p[-1] - p[-2]])
    quads = np.stack([p[:-3], p[1:-2], p[2:-1], p[3:]], axis=1)
    return np.vstack([(_basis(n) @ quads).reshape(-1, 2), p[-2:-1]])


@lru_cache(maxsize=8)
def circle(n: int) -> Points:
    """The unit circle as `n` points."""
    t = np.arange(n) * (2 * math.pi / n)
    return np.stack([np.cos(t), np.sin(t)], axis=1)


def ellipse(x: float, y: float, rx: float, ry: float, angle: float = 0.0, n: int = 28) -> Points:
    """An ellipse, turned by `angle` radians."""
    return turned(circle(n) * (rx, ry), angle) + (x, y)


def turned(points: Points, angle: float) -> Points:
    """Points turned about the origin."""
    c, s = math.cos(angle), math.sin(angle)
    return points @ np.array([[c, s], [-s, c]])


def ribbon(line: Points, widths: Iterable[float] | Points) -> Points:
    """The outline of a line with a width (whole width, same units) at each of its points."""
    step = np.gradient(line, axis=0)
    normal = np.stack([-step[:, 1], step[:, 0]], axis=1)
    normal /= np.maximum(np.hypot(normal[:, 0], normal[:, 1]), 1e-9)[:, None]
    side = normal * (np.asarray(widths, float)[:, None] / 2)
    return np.vstack([line + side, (line - side)[::-1]])


def arc(x: float, y: float, angle: float, length: float, bend: float, n: int = 9) -> Points:
    """A line that starts at (x, y) towards `angle` and turns by `bend` radians on its way."""
    turn = angle + bend * (np.arange(n - 1) + 0.5) / (n - 1)
    step = np.stack([np.cos(turn), np.sin(turn)], axis=1) * (length / (n - 1))
    return np.vstack([[x, y], np.cumsum(step, axis=0) + (x, y)])


_FEATHER = np.array([0.35, 0.72, 0.92, 1.0, 0.98, 0.90, 0.74, 0.48, 0.0])


def feather(x: float, y: float, angle: float, length: float, width: float, bend: float = 0.0) -> Points:
    """A feather or leaf: narrow at its base (x, y), rounded towards the tip."""
    return ribbon(arc(x, y, angle, length, bend), _FEATHER * width)


class Frame:
    """Places local points in the picture: turned, mirrored, scaled, moved. Unit picture coordinates."""

    def __init__(self, x: float, y: float, scale: float, angle: float = 0.0, mirror: bool = False):
        self.x, self.y, self.scale, self.angle, self.mirror = x, y, scale, angle, mirror
        c, s = math.cos(angle) * scale, math.sin(angle) * scale
        m = -1.0 if mirror else 1.0
        self._matrix = np.array([[c * m, s], [-s * m, c]])

    def __call__(self, points: Points | Sequence[Any]) -> Points:
        return np.asarray(points, float) @ self._matrix + (self.x, self.y)
