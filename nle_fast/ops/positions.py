"""Where in the picture: nine cells, two rules that choose among them, and one way to merge their names.

A set of cells is a mask of nine bits, bit c for cell `POSITIONS[c]`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from nle_fast import _core
from nle_fast.errors import InputError
from nle_fast.ops.checks import check_fraction, check_maps, check_sizes, check_windows
from nle_fast.schema import POSITIONS, Region

__all__ = ["merge_positions", "positions_by_any", "positions_by_area", "region_names"]

#: Names of groups of cells. The published "perimeter" (eight cells) is not here: seven are already the entire image.
GROUPS: dict[str, tuple[int, ...]] = {
    "entire top": (0, 1, 2),
    "entire bottom": (6, 7, 8),
    "entire left": (0, 3, 6),
    "entire right": (2, 5, 8),
    "upper half": (0, 1, 2, 3, 4, 5),
    "lower half": (3, 4, 5, 6, 7, 8),
    "left half": (0, 1, 3, 4, 6, 7),
    "right half": (1, 2, 4, 5, 7, 8),
    "center cross": (1, 3, 4, 5, 7),
}
WITHIN_HALF = {
    "entire top": "upper half",
    "entire bottom": "lower half",
    "entire left": "left half",
    "entire right": "right half",
}
WHOLE = 0x1FF
ENTIRE = ("entire image",)


@lru_cache(maxsize=512)
def merge_positions(mask: int) -> tuple[str, ...]:
    """Names for a set of cells, as few as the published groups allow.

    Seven or more cells are the entire image. Else every group whose cells are all in the set is named, but an
    `entire X` is not where its half is; cells in no named group keep their own name.

    Args:
        mask: Bit c for cell `POSITIONS[c]`, 0 … 511.

    Returns:
        Names from top to bottom, then left to right, by the middle of their cells; empty for no cells.

    Example:
        >>> merge_positions(0b000_000_111)
        ('entire top',)
        >>> merge_positions(0b100_010_000)
        ('center', 'bottom-right corner')

    Source: "Faithful and Plausible Natural Language Explanations for Image Classification" (EMNLP Findings 2024),
    its public code; the order is ours.
    """
    cells = {cell for cell in range(9) if mask >> cell & 1}
    if len(cells) >= 7:
        return ENTIRE
    named = {group: members for group, members in GROUPS.items() if cells.issuperset(members)}
    grouped = {cell for members in named.values() for cell in members}
    parts = {name: members for name, members in named.items() if WITHIN_HALF.get(name) not in named}
    parts |= {POSITIONS[cell]: (cell,) for cell in cells - grouped}

    def middle(name: str) -> tuple[float, float, str]:
        members = parts[name]
        return sum(c // 3 for c in members) / len(members), sum(c % 3 for c in members) / len(members), name

    return tuple(sorted(parts, key=middle))


@lru_cache(maxsize=1)
def position_names() -> tuple[tuple[str, ...], ...]:
    """`merge_positions` of each of the 512 sets of cells."""
    return tuple(map(merge_positions, range(512)))


@lru_cache(maxsize=1)
def region_names() -> tuple[str | None, ...]:
    """For each of the 512 sets of cells its name, where it merges into one; a region elsewhere has its main cell's."""
    return tuple(names[0] if len(names) == 1 else None for names in position_names())


def positions_by_area(
    regions: Sequence[Region], picture_size: ArrayLike, window: ArrayLike | None = None
) -> tuple[str, ...]:
    """Where the regions of one map lie, by how much of them lies there.

    A cell counts if its on-area is at least half that of the fullest cell, or if at least half of what the window shows
    of it is on (where that is a tenth of the cell or more). Where that makes seven cells or more though less than half
    of what the window shows is on, 3/4 of the fullest cell is asked for: "entire image" would say too much. On at 9/10
    or more of all that the window shows is the entire image, even if the window hides part of the picture. A mirrored
    picture gives mirrored names.

    Args:
        regions: Of one map, as `find_regions` gives them for this picture and window.
        picture_size: (width, height) in pixels.
        window: (left, top, right, bottom) in pixels that the map covers; None: the whole picture.

    Returns:
        Merged names, see `merge_positions`; empty without regions.

    Raises:
        InputError: `picture_size` or `window` as in `find_regions`.

    Source: this project.
    """
    sizes = check_sizes(picture_size, 1)
    windows = check_windows(window, sizes, 1)
    if not regions:
        return ()
    width, height = sizes[0].tolist()
    # Fractions of the picture are whole numbers of pixels; the rule compares those, exactly.
    cells = [sum(round(region.cells[cell] * width * height) for region in regions) for cell in range(9)]
    return merge_positions(_core.places_by_area(cells, width, height, windows[0].tolist()))


def positions_by_any(
    maps: ArrayLike, threshold: float = 0.5, *, published_rounding: bool = True
) -> tuple[tuple[str, ...], ...]:
    """Where each map is on, by the published rule: a cell counts if any of its positions is on.

    At the map's own resolution, cut at `rows // 3` and `columns // 3`, the last band takes the rest. On where value >
    threshold × the map's maximum. A map on everywhere is the entire image; one without a positive value is nowhere.

    The published code scales the thresholded map to [0, 1] in float32 and then asks for values that *equal* 1. It
    multiplies by the rounded reciprocal of the maximum, and for one map in six maximum × reciprocal falls just short
    of 1: such a map is nowhere in the published results, however clearly it is on.

    Args:
        maps: (M, H, W), finite.
        threshold: Fraction of the map's maximum, in (0, 1).
        published_rounding: Lose those maps as the published code does; False names their places.

    Returns:
        One tuple of merged names per map, see `merge_positions`.

    Raises:
        InputError: `maps` or `threshold` as in `find_regions`; `published_rounding` is not a bool.

    Source: "Faithful and Plausible Natural Language Explanations for Image Classification" (EMNLP Findings 2024), its
    public code, which has no place for a map that is on everywhere either (this one has).
    """
    planes = check_maps(maps)
    threshold = check_fraction("threshold", threshold, open_below=True)
    if not isinstance(published_rounding, bool):
        raise InputError(f"`published_rounding` must be True or False, got {published_rounding!r}; pass a bool.")
    if not len(planes):
        return ()
    peaks = planes.max(axis=(1, 2))
    on = (planes > threshold * peaks[:, None, None].astype(np.float64)) & (peaks > 0)[:, None, None]
    rows, columns = planes.shape[1] // 3, planes.shape[2] // 3
    masks = np.zeros(len(planes), dtype=np.int64)
    for cell in range(9):
        row, column = divmod(cell, 3)
        part = on[
            :,
            row * rows : (row + 1) * rows if row < 2 else None,
            column * columns : (column + 1) * columns if column < 2 else None,
        ]
        masks |= part.any(axis=(1, 2)).astype(np.int64) << cell
    if published_rounding:
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            masks[peaks * (np.float32(1) / peaks) != 1] = 0
    masks[on.all(axis=(1, 2))] = WHOLE
    return tuple(merge_positions(mask) for mask in masks.tolist())
