"""Where the neurons of a batch are active: regions, the names of their positions and words for them, per picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from nle_fast import _core
from nle_fast.config import PositionRule
from nle_fast.ops.positions import position_names, positions_by_any
from nle_fast.ops.regions import find
from nle_fast.schema import PLACES, Region

__all__ = ["Place", "find_places", "joint_places"]

#: The regions of one neuron in one picture, the names of their positions, one or two of `PLACES`, and the areas of all
#: of them in the sixteenths of the picture, row by row, in quarter pixels (none by the published rule).
Place: TypeAlias = tuple[tuple[Region, ...], tuple[str, ...], tuple[str, ...], tuple[int, ...]]


def find_places(
    maps: NDArray[np.float32],
    picture_sizes: Sequence[tuple[int, int]],
    windows: Sequence[tuple[float, float, float, float]],
    threshold: float = 0.5,
    connectivity: int = 8,
    min_area: float = 0.0,
    rule: PositionRule = "area",
) -> list[list[Place]]:
    """Find regions, position names and place words for k maps of each of N pictures, in one native call.

    Place words are chosen by where the pixels of all regions of a map lie in the whole picture; holes are not theirs.

    - "entire picture": they are at least 85 % of it; "most of the picture": at least 60 %.
    - Else zones: the halves, the middle (from 1/4 to 3/4 of the width and of the height) and the quarters. One zone, or
      two of which each holds at least 20 % of the pixels, that hold at least 70 % of them. Of those the ones with the
      smallest area together; if it is equal, one before two, then in the order of `PLACES`. Zones that together are
      more than 75 % of the picture say nothing.
    - Else "spread over the picture".

    A pixel lies where its center lies, half on either side where that is on a cut: where a side of the picture cannot
    be divided by four, a zone is up to half a pixel off.

    Args:
        maps: (N, k, H, W) activation maps.
        picture_sizes: (width, height) of each picture in pixels.
        windows: Per picture the rectangle (left, top, right, bottom) that its maps cover, in pixels.
        threshold: As in `find_regions`, like `connectivity` and `min_area`.
        connectivity: 4 or 8.
        min_area: Fraction of the picture.
        rule: `"area"` names positions by `positions_by_area`, `"any"` by the published `positions_by_any`, and chooses
            no words.

    Returns:
        Per picture one place per map; without regions it has no words.

    Source: this project.
    """
    k = maps.shape[1]
    flat = maps.reshape(-1, *maps.shape[2:])
    sizes, covered = np.asarray(picture_sizes, np.int64), np.asarray(windows, np.float64)
    if len(sizes) > 1:  # one row serves all maps
        sizes, covered = sizes.repeat(k, axis=0), covered.repeat(k, axis=0)
    names = None if rule == "any" else position_names()
    places = find(flat, sizes, threshold, connectivity, min_area, window=covered, position_names=names)
    if rule == "any":
        positions = positions_by_any(flat, threshold)
        places = tuple((regions, named, (), ()) for regions, named in zip(places, positions, strict=True))
    return [list(places[start : start + k]) for start in range(0, len(places), k)]


def joint_places(places: Sequence[Place], picture_size: tuple[int, int]) -> tuple[str, ...]:
    """One or two of `PLACES` for several maps of one picture together, by the rule of `find_places`.

    A pixel counts for each map that is on there. "entire picture" and "most of the picture" are said where that is true
    of the maps' mean, and so of what they cover.

    Args:
        places: As `find_places` gives them.
        picture_size: (width, height) in pixels.

    Returns:
        The words; none where a place has none.

    Source: this project.
    """
    areas = [area for *_, area in places]
    if not areas or not all(areas):
        return ()
    width, height = picture_size
    return _core.places_by_zone([sum(some) for some in zip(*areas, strict=True)], width, len(areas) * height, PLACES)
