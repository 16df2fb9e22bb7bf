"""What network dissection counts: activation quantiles, overlaps with masks, rank statistics."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nle_fast import _core
from nle_fast.errors import ConfigError, InputError

__all__ = ["Overlaps", "activation_quantiles", "count_overlaps", "rank_auc"]

#: Bytes of float64 that `rank_auc` holds at a time beside its result.
CHUNK_BYTES = 64 << 20


class Overlaps(NamedTuple):
    """Pixel counts at mask resolution, summed over pictures.

    Attributes:
        both: (Q, C, J) int64, pixels where the neuron is on and the concept is.
        on: (Q, C) int64, pixels where the neuron is on, of those that are known.
        area: (J,) int64, pixels where the concept is.
    """

    both: NDArray[np.int64]
    on: NDArray[np.int64]
    area: NDArray[np.int64]


def activation_quantiles(
    maps: NDArray[np.float16],
    shares: Sequence[float],
    rows: NDArray[np.int64] | None = None,
    *,
    threads: int | None = None,
) -> NDArray[np.float32]:
    """Per share and neuron the smallest of its values with at most that share of its values above it.

    Exact over all positions of all the pictures: two passes over the float16 values count their upper and lower bytes,
    so nothing is sorted or sampled, and maps in a memory-mapped file are read through once per pass.

    Args:
        maps: (P, C, H, W) float16, C-contiguous, no NaN.
        shares: Q numbers in [0, 1); 0 gives the largest value.
        rows: Which pictures, (R,) indices; None: all.
        threads: CPU threads over the neurons; None: one per core of this process. The result does not depend on it.

    Returns:
        (Q, C) float32.

    Raises:
        InputError: `maps`, `rows` or `shares` of another type, shape or range; no pictures.
        ConfigError: `threads` below 1.

    Example:
        >>> maps = np.arange(8, dtype=np.float16).reshape(2, 1, 2, 2)
        >>> activation_quantiles(maps, [0.25]).tolist()
        [[5.0]]

    Source: the threshold T_k of Bau et al., "Network Dissection", CVPR 2017, found exactly; `ops.reference_dissect`.
    """
    bits, rows = _kept(maps, rows)
    if not len(rows):
        raise InputError("`rows` must name at least one picture, got none; a quantile of nothing does not exist.")
    values = len(rows) * maps.shape[2] * maps.shape[3]
    for share in shares:
        if not isinstance(share, (int, float)) or not 0 <= share < 1:
            raise InputError(f"`shares` must be numbers in [0, 1), got {share!r}; give fractions of the positions.")
    # A share that is meant as a whole number of values must not lose one to rounding.
    places = np.array([math.floor(share * values + 1e-9) for share in shares], np.int64)
    return _core.ranked_activations(bits, rows, places, _threads(threads))


def count_overlaps(
    maps: NDArray[np.float16],
    thresholds: NDArray[np.float32],
    codes: NDArray[np.uint16],
    meanings: Sequence[Sequence[int]],
    concepts: int,
    rows: NDArray[np.int64] | None = None,
    *,
    threads: int | None = None,
) -> Overlaps:
    """Count where neurons are on and where concepts are, at the masks' resolution.

    Maps are interpolated bilinearly (half-pixel centers, clamped edges) to the masks and are on where the value exceeds
    the neuron's threshold. Both become bits and are counted 64 at a time. Maps that stay below the threshold, at a high
    quantile most, cost one look at their values. The counts are exactly those of the definition.

    Args:
        maps: (P, C, H, W) float16, C-contiguous.
        thresholds: (Q, C), any real numbers.
        codes: (R, side, side) uint16, one mask per row of `rows`; 0 is unknown, others index `meanings`.
        meanings: Of each code the concepts, 0 … J − 1, that its pixels are; none for code 0.
        concepts: J.
        rows: Which pictures of `maps`, (R,); None: all.
        threads: As in `activation_quantiles`.

    Returns:
        `Overlaps`.

    Raises:
        InputError: An array of another type, shape or range, or a code without a meaning.
        ConfigError: `threads` below 1.

    Example:
        >>> maps = np.array([[[[0, 4], [0, 4]]]], np.float16)
        >>> codes = np.array([[[1, 2], [0, 2]]], np.uint16)
        >>> both, on, area = count_overlaps(maps, np.array([[1.0]], np.float32), codes, [(), (0,), (1,)], 2)
        >>> both.tolist(), on.tolist(), area.tolist()
        ([[[0, 2]]], [[2]], [1, 2])

    Source: IoU of Bau et al., CVPR 2017, is both / (on + area − both); defined in `ops.reference_dissect`.
    """
    bits, rows = _kept(maps, rows)
    thresholds = np.ascontiguousarray(thresholds, np.float32)
    if thresholds.ndim != 2 or thresholds.shape[1] != maps.shape[1]:
        raise InputError(
            f"`thresholds` must be (Q, {maps.shape[1]}), got {thresholds.shape}; give each neuron one per quantile."
        )
    if codes.dtype != np.uint16 or codes.ndim != 3 or len(codes) != len(rows) or codes.shape[1] != codes.shape[2]:
        raise InputError(
            f"`codes` must be ({len(rows)}, side, side) uint16, got {codes.dtype} {codes.shape}; one mask per picture."
        )
    if not meanings or len(meanings[0]) or len(meanings) > 65536:
        raise InputError("`meanings` must begin with no concept for code 0, and hold at most 65536 codes.")
    if codes.size and int(codes.max()) >= len(meanings):
        raise InputError(
            f"`codes` must have a meaning each, got code {int(codes.max())} with {len(meanings)} meanings; add it."
        )
    members = np.array([member for code in meanings for member in code], np.int32)
    if members.size and not 0 <= members.min() <= members.max() < concepts:
        raise InputError(f"`meanings` must be concepts from 0 to {concepts - 1}, got {members.max()}; mend the list.")
    starts = np.cumsum([0, *map(len, meanings)]).astype(np.int32)
    counts = _core.count_overlaps(
        bits, rows, thresholds, np.ascontiguousarray(codes), starts, members, concepts, _threads(threads)
    )
    return Overlaps(*counts)


def rank_auc(
    values: NDArray[np.float32], members: NDArray[np.bool_], *, threads: int | None = None
) -> NDArray[np.float64]:
    """The area under the ROC curve of every neuron for every word, by rank sums.

    AUC = (Σ ranks of members − n₁ (n₁ + 1) / 2) / (n₁ n₀), equal values sharing their mean rank: the chance that a
    member has a larger value than a picture that is none, ties counting half.

    Args:
        values: (P, C) finite, one response per picture and neuron.
        members: (P, L) bool, whether the word is true of the picture.
        threads: As in `activation_quantiles`.

    Returns:
        (C, L); NaN for a word that is true of all pictures, or of none.

    Raises:
        InputError: Another shape, or values that are not finite.
        ConfigError: `threads` below 1.

    Example:
        >>> rank_auc(np.array([[1.0], [2.0], [3.0]], np.float32), np.array([[False], [False], [True]])).tolist()
        [[1.0]]

    Source: Mann and Whitney 1947; as a score for neurons in Bykov et al., "Labeling Neural Representations with Inverse
    Recognition" (INVERT), NeurIPS 2023; defined in `ops.reference_dissect`.
    """
    values, members = np.asarray(values, np.float32), np.asarray(members, bool)
    if values.ndim != 2 or members.ndim != 2 or len(values) != len(members):
        raise InputError(
            f"`values` and `members` must be (P, C) and (P, L), got shapes {values.shape} and {members.shape}; "
            "give both one row per picture."
        )
    if not np.isfinite(values).all():
        raise InputError("`values` must be finite, got NaN or infinity; check the network's activations.")
    ranks = _core.average_ranks(np.ascontiguousarray(values.T), _threads(threads))
    inside = members.astype(np.float64)
    ones = inside.sum(0)
    zeros = len(members) - ones
    sums = np.empty((len(ranks), members.shape[1]))
    step = max(1, CHUNK_BYTES // (8 * max(1, len(members))))
    for start in range(0, len(ranks), step):
        sums[start : start + step] = ranks[start : start + step].astype(np.float64) @ inside
    pairs = np.where((ones > 0) & (zeros > 0), ones * zeros, np.nan)
    auc: NDArray[np.float64] = (sums - ones * (ones + 1) / 2) / pairs
    return auc


def _kept(maps: NDArray[np.float16], rows: NDArray[np.int64] | None) -> tuple[NDArray[np.uint16], NDArray[np.int64]]:
    """The bits of the maps where they lie, and the rows, checked."""
    if maps.dtype != np.float16 or maps.ndim != 4 or 0 in maps.shape[1:] or not maps.flags.c_contiguous:
        raise InputError(
            f"`maps` must be contiguous float16 (P, C, H, W), got {maps.dtype} {maps.shape}; convert them with astype."
        )
    chosen = np.arange(len(maps)) if rows is None else np.asarray(rows)
    if chosen.ndim != 1 or (chosen.size and (chosen.dtype.kind not in "iu" or chosen.min() < 0)):
        raise InputError(f"`rows` must be indices of pictures, got {rows!r}; give whole numbers from 0.")
    if chosen.size and chosen.max() >= len(maps):
        raise InputError(f"`rows` must lie below {len(maps)}, the number of pictures, got {int(chosen.max())}.")
    return np.asarray(maps).view(np.uint16), np.ascontiguousarray(chosen, np.int64)


def _threads(threads: int | None) -> int:
    if threads is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if isinstance(threads, bool) or not isinstance(threads, int) or threads < 1:
        raise ConfigError(f"`threads` must be a whole number of at least 1, or None, got {threads!r}; leave it out.")
    return threads
