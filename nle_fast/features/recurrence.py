"""Do two dictionaries, learned from other pictures and by other seeds, say the same?"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["SAME", "Matched", "match", "recurrence"]

Floats = NDArray[np.float32]

#: Atoms with this cosine are counterparts.
SAME = 0.8


class Matched(NamedTuple):
    """One partner for each feature.

    Attributes:
        partner: (K,) the other dictionary's feature; −1 without one.
        cosine: (K,) between their atoms; −1 without one.
    """

    partner: NDArray[np.int64]
    cosine: NDArray[np.float64]

    @property
    def counterpart(self) -> NDArray[np.bool_]:
        """(K,): is the partner the same direction?"""
        found: NDArray[np.bool_] = self.cosine >= SAME
        return found


def match(decoder: Floats, other: Floats) -> Matched:
    """Pair the atoms of two dictionaries one to one so that the sum of their cosines is largest.

    Args:
        decoder: (K, C) rows of length 1.
        other: (L, C) likewise.

    Source: Kuhn (1955); matched cosines of dictionaries as in Sharkey et al. (2022) and Fel et al. (2025).
    """
    from scipy.optimize import linear_sum_assignment

    cosine = decoder.astype(np.float64) @ other.astype(np.float64).T
    rows, columns = linear_sum_assignment(cosine, maximize=True)
    partner, found = np.full(len(decoder), -1, np.int64), np.full(len(decoder), -1.0)
    partner[rows], found[rows] = columns, cosine[rows, columns]
    return Matched(partner, found)


def recurrence(
    matched: Matched,
    pooled: Floats,
    other_pooled: Floats,
    told: NDArray[np.int64],
    other_told: NDArray[np.int64],
) -> dict[str, float]:
    """How much of a dictionary recurs in another, on pictures that neither was learned from.

    Args:
        matched: Partners of the first dictionary's features.
        pooled: (P, K) mean codes of these pictures.
        other_pooled: (P, L) the other's.
        told: (P, 5) features that the first tells; −1 for none.
        other_told: (P, 5) the other's.

    Returns:
        `median_cosine` and `share` (cosine ≥ .8) over features, `told_share` over told items, `codes_r` (median
        Pearson's r of the pooled codes of counterparts), `same_told` (how many of the five told are counterparts of
        those that the other tells, mean over pictures).
    """
    codes = []
    for feature in np.flatnonzero(matched.counterpart):
        own, its = pooled[:, feature].astype(np.float64), other_pooled[:, matched.partner[feature]].astype(np.float64)
        if own.std() > 0 and its.std() > 0:
            codes.append(float(np.corrcoef(own, its)[0, 1]))
    there = told >= 0
    good = matched.counterpart[np.maximum(told, 0)] & there
    partners = np.where(good, matched.partner[np.maximum(told, 0)], -2)
    same = (partners[:, :, None] == other_told[:, None, :]).any(2).sum(1)
    return {
        "median_cosine": float(np.median(matched.cosine)),
        "share": float(matched.counterpart.mean()),
        "told_share": float(good.sum() / max(int(there.sum()), 1)),
        "codes_r": float(np.median(codes)) if codes else 0.0,
        "same_told": float(same.mean()) if len(same) else 0.0,
    }
