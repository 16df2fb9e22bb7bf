"""Random maps of many kinds, and plain measures of regions, for the tests of regions."""

from __future__ import annotations

import numpy as np
import scipy.ndimage

from nle_fast import _core
from nle_fast.ops import reference
from nle_fast.ops.positions import region_names
from nle_fast.schema import POSITIONS, Region

CROSS = scipy.ndimage.generate_binary_structure(2, 1)
SQUARE = scipy.ndimage.generate_binary_structure(2, 2)
KINDS = ("noise", "blobs", "levels", "constant", "peak", "checkerboard", "signed", "rings")


def random_map(rng: np.random.Generator, kind: str, height: int, width: int) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    if kind == "noise":
        plane = rng.random((height, width))
    elif kind == "blobs":
        plane = np.zeros((height, width))
        for _ in range(rng.integers(1, 4)):
            center_y, center_x, spread = rng.uniform(0, height), rng.uniform(0, width), rng.uniform(0.5, 3)
            plane += np.exp(-((y - center_y) ** 2 + (x - center_x) ** 2) / (2 * spread**2))
    elif kind == "levels":  # many values equal to each other and to the threshold
        plane = rng.integers(0, 5, (height, width)) / 4
    elif kind == "constant":
        plane = np.full((height, width), rng.choice([0.25, 1e-30, 3e30, -1.0, 0.0]))
    elif kind == "peak":
        plane = np.zeros((height, width))
        plane[rng.integers(height), rng.integers(width)] = rng.uniform(1e-6, 1e6)
    elif kind == "checkerboard":
        plane = ((x + y + rng.integers(2)) % 2).astype(float)
    elif kind == "signed":
        plane = rng.normal(size=(height, width)) - rng.uniform(0, 2)
    else:
        radius = np.hypot(y - height / 2, x - width / 2)
        plane = np.cos(radius * rng.uniform(0.5, 3))
    return plane.astype(np.float32)


def random_case(rng: np.random.Generator, number: int) -> tuple[np.ndarray, tuple[int, int]]:
    height, width = rng.integers(1, 12, 2)
    plane = random_map(rng, KINDS[number % len(KINDS)], int(height), int(width))
    return plane, (int(rng.integers(1, 48)), int(rng.integers(1, 48)))


def random_window(rng: np.random.Generator, size: tuple[int, int]) -> tuple[float, float, float, float]:
    width, height = size
    left, right = np.sort(rng.uniform(-0.3 * width, 1.3 * width, 2))
    top, bottom = np.sort(rng.uniform(-0.3 * height, 1.3 * height, 2))
    return float(left), float(top), float(right) + 0.01, float(bottom) + 0.01


def raw_regions(plane, size, connectivity=8, simplify=0.0, threshold=0.5, window=None):
    """By default with every corner of the outlines."""
    sizes = np.array([size], dtype=np.int64)
    windows = np.array([window or (0, 0, *size)], dtype=np.float64)
    planes = np.ascontiguousarray(plane[None], dtype=np.float32)
    (regions,) = _core.find_regions(
        planes, sizes, windows, threshold, connectivity, 0.0, simplify, 1, Region, region_names(), POSITIONS
    )
    return regions


def labels_of(plane, size, connectivity, threshold=0.5, window=None):
    values, visible = reference.upsample(plane, size, window)
    on = visible & (values > threshold * float(plane.max())) & (plane.max() > 0)
    return scipy.ndimage.label(on, CROSS if connectivity == 4 else SQUARE)


def shoelace(outline) -> float:
    x, y = np.array(outline).T
    return float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum() / 2)


def fill(outline, size) -> np.ndarray:
    """Pixels whose center is inside a polygon of pixel corners, by the even-odd rule."""
    width, height = size
    inside = np.zeros((height, width), dtype=bool)
    for (x0, y0), (x1, y1) in zip(outline, outline[1:] + outline[:1], strict=True):
        if x0 == x1:
            rows = slice(int(min(y0, y1)), int(max(y0, y1)))
            inside[rows, int(x0) :] ^= True
    return inside
