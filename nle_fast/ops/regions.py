"""Regions of activation maps in pixels of the picture."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from nle_fast import _core
from nle_fast.errors import InputError
from nle_fast.ops.checks import check_fraction, check_maps, check_sizes, check_windows
from nle_fast.ops.positions import region_names
from nle_fast.schema import PLACES, POSITIONS, Region

__all__ = ["find_regions"]

#: How far an outline may stray from the pixels, in pixels of a picture of up to 512; larger ones in proportion.
TOLERANCE_PX = 1.0


def find_regions(
    maps: ArrayLike,
    picture_size: ArrayLike,
    threshold: float = 0.5,
    connectivity: int = 8,
    min_area: float = 0.0,
    *,
    window: ArrayLike | None = None,
    threads: int | None = None,
) -> tuple[tuple[Region, ...], ...]:
    """Find the connected pixels where each map, interpolated to the picture, exceeds a fraction of its maximum.

    Pixel (x, y) belongs to the window if its center (x + ½, y + ½) lies in it, edges included. Its map coordinate is
    u = (x + ½ − left) / (right − left) · W − ½, clamped to [0, W − 1], and v likewise; its value is bilinear there.
    With the whole picture as the window this is torch's `interpolate(mode="bilinear", align_corners=False)`, in
    float64. The pixel is on if value > threshold × max(map). The upsampled map is never built: along a row the value
    is linear between map columns, so the crossings of the threshold are solved for. The pixels are exactly those of
    the definition, `ops.reference.find_regions`.

    Args:
        maps: (M, H, W) finite numbers, read as float32; M may be 0.
        picture_size: (width, height) in pixels as PIL's `Image.size`, 1 … 65536 each; or one row per map (M, 2).
        threshold: Fraction of the map's own maximum, in (0, 1).
        connectivity: 4 or 8: which neighboring pixels belong together.
        min_area: Regions smaller than this fraction of the picture are left out, in [0, 1).
        window: (left, top, right, bottom) of the picture that the map covers, in pixels, fractions allowed, clipped to
            the picture; or one row per map (M, 4). None: the whole picture.
        threads: Maps are shared among so many threads; None: one for little work, else as many as the machine has.

    Returns:
        One tuple per map, regions by falling area, ties by their first pixel from the top left. A map without a
        positive value has none; a map that is on everywhere is one region. Outlines leave out corners that are less
        than 1 pixel off (pictures longer than 512 pixels: long side / 512).

    Raises:
        InputError: An argument has the wrong type, shape or range, or a map is not finite.

    Example:
        >>> maps = [[[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 9.0]]]
        >>> ((region,),) = find_regions(maps, (30, 30))
        >>> region.position, region.bbox
        ('bottom-right corner', (20, 20, 30, 30))

    Source: this project.
    """
    found: tuple[tuple[Region, ...], ...] = find(
        maps, picture_size, threshold, connectivity, min_area, window=window, threads=threads
    )
    return found


def find(
    maps: ArrayLike,
    picture_size: ArrayLike,
    threshold: float,
    connectivity: int,
    min_area: float,
    *,
    window: ArrayLike | None,
    threads: int | None = None,
    position_names: tuple[tuple[str, ...], ...] | None = None,
) -> Any:
    """`find_regions`; with names for each of the 512 sets of cells, (regions, names, words of `PLACES`) of each map."""
    planes = check_maps(maps)
    count = len(planes)
    sizes = check_sizes(picture_size, count)
    windows = check_windows(window, sizes, count)
    threshold = check_fraction("threshold", threshold, open_below=True)
    min_area = check_fraction("min_area", min_area, open_below=False)
    if not isinstance(connectivity, (int, np.integer)) or connectivity not in (4, 8):
        raise InputError(f"`connectivity` must be 4 or 8, got {connectivity!r}; choose one of them.")
    if threads is not None and (isinstance(threads, bool) or not isinstance(threads, int) or threads < 1):
        raise InputError(f"`threads` must be a whole number of at least 1, or None, got {threads!r}; leave it out.")
    return _core.find_regions(
        planes,
        sizes,
        windows,
        threshold,
        int(connectivity),
        min_area,
        TOLERANCE_PX,
        threads or 0,
        Region,
        region_names(),
        POSITIONS,
        position_names,
        PLACES,
    )
