"""Where the neurons of a batch are active: regions and the names of their positions, per picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from nle_fast.config import PositionRule
from nle_fast.ops.positions import place_names, positions_by_any
from nle_fast.ops.regions import find
from nle_fast.schema import Region

__all__ = ["Place", "find_places"]

#: The regions of one neuron in one picture, and the names of their positions.
Place: TypeAlias = tuple[tuple[Region, ...], tuple[str, ...]]


def find_places(
    maps: NDArray[np.float32],
    picture_sizes: Sequence[tuple[int, int]],
    windows: Sequence[tuple[float, float, float, float]],
    threshold: float = 0.5,
    connectivity: int = 8,
    min_area: float = 0.0,
    rule: PositionRule = "area",
) -> list[list[Place]]:
    """Find regions and position names for k maps of each of N pictures, in one native call.

    Args:
        maps: (N, k, H, W) activation maps.
        picture_sizes: (width, height) of each picture in pixels.
        windows: Per picture the rectangle (left, top, right, bottom) that its maps cover, in pixels.
        threshold: As in `find_regions`, like `connectivity` and `min_area`.
        connectivity: 4 or 8.
        min_area: Fraction of the picture.
        rule: `"area"` names positions by `positions_by_area`, `"any"` by the published `positions_by_any`.

    Returns:
        Per picture one place per map.
    """
    k = maps.shape[1]
    flat = maps.reshape(-1, *maps.shape[2:])
    sizes, covered = np.asarray(picture_sizes, np.int64), np.asarray(windows, np.float64)
    if len(sizes) > 1:  # one row serves all maps
        sizes, covered = sizes.repeat(k, axis=0), covered.repeat(k, axis=0)
    names = None if rule == "any" else place_names()
    places = find(flat, sizes, threshold, connectivity, min_area, window=covered, place_names=names)
    if rule == "any":
        places = tuple(zip(places, positions_by_any(flat, threshold), strict=True))
    return [list(places[start : start + k]) for start in range(0, len(places), k)]
