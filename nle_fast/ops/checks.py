"""What `find_regions` and the position rules ask of maps, picture sizes and windows."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nle_fast.errors import InputError

__all__ = ["check_fraction", "check_maps", "check_sizes", "check_windows"]

#: Longest side of a picture in pixels: with it, every sum over pixels fits 64 bits.
LONGEST = 65536
#: Windows may reach beyond the picture, but not to where float64 no longer resolves a pixel.
FARTHEST = 1e9


def check_maps(maps: ArrayLike) -> NDArray[np.float32]:
    """Activation maps as a C-contiguous float32 array (M, H, W), all finite.

    Raises:
        InputError: Not numbers, not three axes, H or W is 0, or NaN or infinity.
    """
    try:
        array = np.asarray(maps)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(
            f"`maps` must be an array of numbers, got {type(maps).__name__} ({error}); pass a NumPy array."
        ) from error
    if array.dtype.kind not in "fiub":
        raise InputError(f"`maps` must hold real numbers, got dtype {array.dtype}; pass float32.")
    if array.ndim != 3 or 0 in array.shape[1:]:
        raise InputError(
            f"`maps` must have shape (M, H, W) with H, W ≥ 1, got {array.shape}; stack the maps, also a single one."
        )
    if array.dtype == np.float32:
        single = np.ascontiguousarray(array)
    else:
        with np.errstate(over="ignore"):
            single = np.ascontiguousarray(array, dtype=np.float32)
    finite = np.isfinite(single)
    if not finite.all():
        index = int(np.argmin(finite.all(axis=(1, 2))))
        raise InputError(
            f"`maps` must be finite in float32, got NaN or infinity in map {index}; "
            "check the network's activations (float16 overflows at 65504)."
        )
    return single


def check_sizes(picture_size: ArrayLike, count: int) -> NDArray[np.int64]:
    """Picture sizes as (1, 2) or (count, 2) int64, each (width, height).

    Raises:
        InputError: Not whole numbers in 1 … 65536, or neither one size nor one per map.
    """
    sizes = _table("picture_size", picture_size, count, 2, "(width, height)")
    if sizes.dtype.kind not in "iu":
        raise InputError(
            f"`picture_size` must hold whole numbers of pixels, got {picture_size!r}; pass (width, height) as integers."
        )
    if sizes.size and (sizes.min() < 1 or sizes.max() > LONGEST):
        raise InputError(
            f"`picture_size` must be from 1 to {LONGEST} pixels a side, got {_first_bad_size(sizes)}; "
            "pass (width, height) of the picture."
        )
    return np.ascontiguousarray(sizes, dtype=np.int64)


def check_windows(window: ArrayLike | None, sizes: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    """Windows as (1, 4) or (count, 4) float64, each (left, top, right, bottom); None means the whole picture.

    Raises:
        InputError: Not finite, too far away, without positive extent, or neither one window nor one per map.
    """
    if window is None:
        windows = np.zeros((sizes.shape[0], 4))
        windows[:, 2:] = sizes
        return windows
    windows = _table("window", window, count, 4, "(left, top, right, bottom)")
    if windows.dtype.kind not in "fiu":
        raise InputError(f"`window` must hold real numbers, got {window!r}; pass (left, top, right, bottom) in pixels.")
    windows = np.ascontiguousarray(windows, dtype=np.float64)
    if not (np.abs(windows) <= FARTHEST).all():
        raise InputError(
            f"`window` must be finite and within ±{FARTHEST:.0e} pixels, got {window!r}; "
            "pass (left, top, right, bottom) in pixels of the picture."
        )
    if not (windows[:, :2] < windows[:, 2:]).all():
        raise InputError(
            f"`window` must have positive width and height, got {window!r}; pass left < right and top < bottom."
        )
    return windows


def check_fraction(name: str, value: float, *, open_below: bool) -> float:
    """A number in (0, 1), or [0, 1) where `open_below` is False.

    Raises:
        InputError: Not a number, or outside.
    """
    number = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or not 0 <= value < 1 or (open_below and value == 0):
        raise InputError(
            f"`{name}` must be a number in {'(' if open_below else '['}0, 1), got {value!r}; give a fraction."
        )
    return float(value)


def _table(name: str, value: ArrayLike, count: int, columns: int, meaning: str) -> NDArray[Any]:
    try:
        table = np.asarray(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"`{name}` must be {meaning}, got {value!r} ({error}); pass {columns} numbers.") from error
    if table.ndim == 1:
        table = table[None]
    if table.ndim != 2 or table.shape[1] != columns or table.shape[0] not in (1, count):
        raise InputError(
            f"`{name}` must be {meaning}, or one such row per map ({count}), got shape {np.shape(table)}; "
            f"pass {columns} numbers."
        )
    return table


def _first_bad_size(sizes: NDArray[Any]) -> tuple[int, int]:
    bad = ((sizes < 1) | (sizes > LONGEST)).any(axis=1)
    width, height = sizes[int(np.argmax(bad))].tolist()
    return width, height
