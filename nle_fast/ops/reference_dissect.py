"""The definitions of what network dissection counts, in plain NumPy; see `ops.reference`."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["activation_quantiles", "count_overlaps", "interpolate", "rank_auc"]


def activation_quantiles(maps: NDArray[np.float16], shares: Sequence[float]) -> NDArray[np.float32]:
    """Per share and neuron the smallest of the neuron's values with at most that share of its values above it.

    Args:
        maps: (P, C, H, W).
        shares: Q numbers in [0, 1).

    Returns:
        (Q, C).
    """
    falling = -np.sort(-maps.transpose(1, 0, 2, 3).reshape(maps.shape[1], -1).astype(np.float32), axis=1)
    return np.stack([falling[:, math.floor(share * falling.shape[1] + 1e-9)] for share in shares])


def interpolate(plane: NDArray[np.float16], side: int) -> NDArray[np.float32]:
    """One map (H, W) at (side, side): bilinear, half-pixel centers, clamped edges, in float32; first along the rows."""
    cells = plane.astype(np.float32)
    low, high, share = _axis(side, cells.shape[1])
    lines = cells[:, low] + (cells[:, high] - cells[:, low]) * share
    low, high, share = _axis(side, cells.shape[0])
    return lines[low] + (lines[high] - lines[low]) * share[:, None]


def count_overlaps(
    maps: NDArray[np.float16],
    thresholds: NDArray[np.float32],
    codes: NDArray[np.uint16],
    meanings: Sequence[Sequence[int]],
    concepts: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Pixels where neurons are on, and where concepts are; on where the interpolated value exceeds the threshold.

    Args:
        maps: (P, C, H, W).
        thresholds: (Q, C).
        codes: (P, side, side); 0 is unknown.
        meanings: Of each code the concepts that its pixels are.
        concepts: J.

    Returns:
        Summed over the pictures: `both` (Q, C, J), on and of the concept; `on` (Q, C), on and known; `area` (J,).
    """
    both = np.zeros((*thresholds.shape, concepts), np.int64)
    on = np.zeros(thresholds.shape, np.int64)
    area = np.zeros(concepts, np.int64)
    of_concept = np.zeros((len(meanings), concepts), bool)
    for code, members in enumerate(meanings):
        of_concept[code, list(members)] = True
    for picture, mask in zip(maps, codes, strict=True):
        shown = of_concept[mask]
        area += shown.sum((0, 1))
        for neuron, plane in enumerate(picture):
            lit = (interpolate(plane, mask.shape[0]) > thresholds[:, neuron, None, None]) & (mask > 0)
            on[:, neuron] += lit.sum((1, 2))
            both[:, neuron] += (lit[..., None] & shown).sum((1, 2))
    return both, on, area


def rank_auc(values: NDArray[np.float32], members: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The chance that a member has a larger value than a picture that is none, ties counting half.

    Args:
        values: (P, C).
        members: (P, L).

    Returns:
        (C, L); NaN where all pictures are members, or none.
    """
    found = np.full((values.shape[1], members.shape[1]), np.nan)
    for word, inside in enumerate(members.T):
        for neuron, column in enumerate(values.T):
            if inside.any() and not inside.all():
                higher = column[inside][:, None] - column[~inside]
                found[neuron, word] = (higher > 0).mean() + (higher == 0).mean() / 2
    return found


def _axis(side: int, length: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    at = np.clip((np.arange(side) + 0.5) / side * length - 0.5, 0.0, length - 1.0)
    low = np.clip(np.floor(at).astype(np.int64), 0, max(0, length - 2))
    return low, np.minimum(low + 1, length - 1), (at - low).astype(np.float32)
