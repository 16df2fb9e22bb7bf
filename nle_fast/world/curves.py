"""Outlines as point lists: closed splines, ellipses, feathers, tapering ribbons. Arrays (n, 2) of x and y, y down."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Frame",
    "Points",
    "arc",
    "circle",
    "ellipse",
    "feather",
    "path",
    "ribbon",
    "spline",
    "strokes",
    "turned",
    "vec",
]

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
    return np.concatenate([(_basis(n) @ quads).reshape(-1, 2), p[-2:-1]])


@lru_cache(maxsize=8)
def circle(n: int) -> Points:
    """The unit circle as `n` points."""
    t = np.arange(n) * (2 * math.pi / n)
    return np.stack([np.cos(t), np.sin(t)], axis=1)


def vec(x: float, y: float) -> Points:
    """One point or offset."""
    return np.array((x, y))


def ellipse(x: float, y: float, rx: float, ry: float, angle: float = 0.0, n: int = 28) -> Points:
    """An ellipse, turned by `angle` radians."""
    return turned(circle(n) * (rx, ry), angle) + vec(x, y)


def turned(points: Points, angle: float) -> Points:
    """Points turned about the origin."""
    c, s = math.cos(angle), math.sin(angle)
    rotated: Points = points @ np.array([[c, s], [-s, c]])
    return rotated


def ribbon(line: Points, widths: Sequence[float] | Points) -> Points:
    """The outline of a line with a width (whole width, same units) at each of its points."""
    side = _normals(line) * (np.asarray(widths, float)[:, None] / 2)
    return np.concatenate([line + side, (line - side)[::-1]])


def strokes(ends: Points, start_width: float, end_width: float) -> Points:
    """Straight tapering strokes: (n, 2 ends, 2) to outlines (n, 4, 2)."""
    step = ends[:, 1] - ends[:, 0]
    normal = np.stack([-step[:, 1], step[:, 0]], axis=1) / np.maximum(np.hypot(step[:, 0], step[:, 1]), 1e-9)[:, None]
    near, far = normal * (start_width / 2), normal * (end_width / 2)
    return np.stack([ends[:, 0] + near, ends[:, 1] + far, ends[:, 1] - far, ends[:, 0] - near], axis=1)


def _normals(line: Points) -> Points:
    step = np.empty_like(line)
    step[1:-1] = line[2:] - line[:-2]
    step[0], step[-1] = line[1] - line[0], line[-1] - line[-2]
    step /= np.maximum(np.hypot(step[:, 0], step[:, 1]), 1e-9)[:, None]
    return np.stack([-step[:, 1], step[:, 0]], axis=1)


def arc(x: float, y: float, angle: float, length: float, bend: float, n: int = 9) -> Points:
    """A line that starts at (x, y) towards `angle` and turns by `bend` radians on its way."""
    turn = angle + bend * (np.arange(n - 1) + 0.5) / (n - 1)
    line = np.zeros((n, 2))
    np.cumsum(np.cos(turn), out=line[1:, 0])
    np.cumsum(np.sin(turn), out=line[1:, 1])
    return line * (length / (n - 1)) + (x, y)


_FEATHER = np.array([0.30, 0.70, 0.92, 1.0, 0.99, 0.93, 0.80, 0.56, 0.05])


@lru_cache(maxsize=64)
def _vane(bend: float) -> tuple[Points, Points]:
    line = arc(0.0, 0.0, 0.0, 1.0, bend)
    side = _normals(line) * (_FEATHER[:, None] / 2)
    return np.concatenate([line, line[::-1]]), np.concatenate([side, -side[::-1]])


def feather(x: float, y: float, angle: float, length: float, width: float, bend: float = 0.0) -> Points:
    """A feather or leaf: narrow at its base (x, y), rounded towards the tip."""
    line, side = _vane(round(bend, 2))
    return turned(line * length + side * width, angle) + vec(x, y)


class Frame:
    """Places local points in the picture: turned, mirrored, scaled, moved. Unit picture coordinates."""

    def __init__(self, x: float, y: float, scale: float, angle: float = 0.0, mirror: bool = False):
        self.x, self.y, self.scale, self.angle, self.mirror = x, y, scale, angle, mirror
        c, s = math.cos(angle) * scale, math.sin(angle) * scale
        m = -1.0 if mirror else 1.0
        self._matrix = np.array([[c * m, s], [-s * m, c]])

    def __call__(self, points: Points | Sequence[Any]) -> Points:
        """Local points in the picture."""
        moved: Points = np.asarray(points, float) @ self._matrix + (self.x, self.y)
        return moved

    def local(self, x: NDArray[np.float32], y: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Local coordinates of picture columns x (1, w) and rows y (h, 1), each (h, w)."""
        m = np.linalg.inv(self._matrix).astype(np.float32)
        dx, dy = x - np.float32(self.x), y - np.float32(self.y)
        return dx * m[0, 0] + dy * m[1, 0], dx * m[0, 1] + dy * m[1, 1]
