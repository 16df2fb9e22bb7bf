"""Color names for measured colors: the nearest named color in OKLab, where distance is close to what eyes see.

Source: OKLab, B. Ottosson, "A perceptual color space for image processing" (2020).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from nle_fast.errors import InputError
from nle_fast.world.catalog import COLORS

__all__ = ["color_name", "oklab"]

_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_AXES = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def oklab(rgb: NDArray[np.floating]) -> NDArray[np.float64]:
    """SRGB in 0 to 1, (..., 3), to OKLab: lightness, green to red, blue to yellow."""
    c = np.asarray(rgb, float)
    linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    lab: NDArray[np.float64] = np.cbrt(linear @ _CONES.T) @ _AXES.T
    return lab


@lru_cache(maxsize=1)
def _table() -> Mapping[str, NDArray[np.float64]]:
    return {name: oklab(np.array(rgb) / 255) for name, rgb in COLORS.items()}


def color_name(rgb: NDArray[np.floating]) -> str:
    """The name in `COLORS` nearest to an sRGB color.

    Args:
        rgb: (3,) red, green, blue in 0 to 1. A gray without hue is named by lightness among black, gray and white.

    Raises:
        InputError: Not three finite numbers in 0 to 1.

    Example:
        >>> color_name(np.array((0.8, 0.2, 0.2)))
        'red'
    """
    values = np.asarray(rgb, float)
    if values.shape != (3,) or not np.all((values >= 0) & (values <= 1)):
        raise InputError(f"`rgb` must be three numbers from 0 to 1, got {rgb!r}; divide 8-bit values by 255.")
    lab = oklab(values)
    weight = np.array((0.6, 1.0, 1.0))  # lightness varies with the light, hue does not
    chroma = float(np.hypot(lab[1], lab[2]))
    names = [name for name in COLORS if chroma > 0.035 or name in ("black", "gray", "white")]
    return min(names, key=lambda name: float(np.sum((weight * (lab - _table()[name])) ** 2)))
