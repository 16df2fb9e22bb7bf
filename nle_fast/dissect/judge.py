"""How good a name is: simulation correlation, AUC, other concepts as rivals, and what chance alone would do.

Y (P, C) are responses. X (P, J) is how much of each concept a picture shows, NaN where unknown; a concept is judged on
the pictures where it is known.
"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from nle_fast.ops import rank_auc

__all__ = [
    "Relatives",
    "adjusted",
    "aucs",
    "by_chance",
    "correlations",
    "errors_below",
    "lower_bounds",
    "standard_error",
    "support",
    "sure_correlations",
    "surely",
]

Floats = NDArray[np.float64]

#: From so much correlation on, or from so large a share of one in the other, two concepts are no rivals.
RELATED_CORRELATION = 0.5
RELATED_SHARE = 0.9


def correlations(y: NDArray[np.float32], x: NDArray[np.float32]) -> tuple[Floats, NDArray[np.int64]]:
    """Simulation correlation: Pearson's r of response and concept, over the pictures where the concept is known.

    Returns:
        r (C, J), 0 where the response or the concept does not vary, and the number of pictures (J,).

    Source: Oikarinen and Weng, "Linear Explanations for Individual Neurons", ICML 2024, with known presence in place of
    a language model's guess.
    """
    known = ~np.isnan(x)
    seen = known.astype(np.float64)
    shown = np.where(known, x, 0).astype(np.float64)
    # Centered first, so that the differences of sums below lose no digits.
    response = y.astype(np.float64) - y.mean(0, dtype=np.float64) if len(y) else y.astype(np.float64)
    n = seen.sum(0)
    sum_y, sum_x = response.T @ seen, shown.sum(0)
    covariance = n * (response.T @ shown) - sum_x * sum_y
    spread_x = n * (shown**2).sum(0) - sum_x**2
    square_y = (response**2).T @ seen
    spread_y = n * square_y - sum_y**2
    varies = (spread_x > 1e-9 * np.maximum(n * (shown**2).sum(0), 1e-300)) & (spread_y > 1e-9 * n * square_y)
    with np.errstate(divide="ignore", invalid="ignore"):
        r = np.where(varies, covariance / np.sqrt(spread_x * np.maximum(spread_y, 0)), 0.0)
    return np.clip(r, -1, 1), n.astype(np.int64)


def sure_correlations(y: NDArray[np.float32], x: NDArray[np.float32]) -> tuple[Floats, NDArray[np.int64]]:
    """The lower of two: where the concept is known, and over all pictures, on which the unknown counts as absent.

    Known alone would praise a neuron that tells cups from apples where only cups and apples are labelled, and answers
    to sheep elsewhere. A concept that is often there without being labelled comes off worse than it is.

    Returns:
        As `correlations`; the pictures are those where the concept is known.
    """
    known, n = correlations(y, x)
    if not np.isnan(x).any():
        return known, n
    return np.minimum(known, correlations(y, np.nan_to_num(x))[0]), n


def lower_bounds(r: Floats, n: NDArray[np.int64]) -> Floats:
    """What the correlation surely reaches: one standard error below, by Fisher's z. Few pictures count less."""
    z = np.arctanh(np.clip(r, -0.999999, 0.999999)) - 1 / np.sqrt(np.maximum(n - 3, 1))
    return np.where(n > 3, np.tanh(z), -1.0)


def support(y: NDArray[np.float32], x: NDArray[np.float32]) -> Floats:
    """How many pictures each correlation rests on: one, where all but one agree with anything.

    (Σ c)² / Σ c², with c the products whose mean is the covariance: n where n pictures contribute alike.

    Args:
        y: (P,) response.
        x: (P, J), NaN where unknown.

    Returns:
        (J,).
    """
    known = ~np.isnan(x)
    n = np.maximum(known.sum(0), 1)
    wide = np.where(known, y[:, None], 0).astype(np.float64)
    shown = np.where(known, x, 0).astype(np.float64)
    c = np.where(known, (wide - wide.sum(0) / n) * (shown - shown.sum(0) / n), 0)
    found: Floats = c.sum(0) ** 2 / np.maximum((c**2).sum(0), 1e-300)
    return found


def surely(r: Floats, supported: Floats) -> Floats:
    """What correlations on two sets of pictures surely reach together: the mean of their z, one standard error below.

    Args:
        r: (2, J).
        supported: (2, J), `support`, which stands for the number of pictures: else one odd picture makes a word sure.
    """
    z = np.arctanh(np.clip(r, -0.999999, 0.999999)).mean(0)
    sure: Floats = np.tanh(z - standard_error(supported))
    return sure


def standard_error(supported: Floats) -> Floats:
    """Of the mean z of correlations on two sets of pictures; `supported` (2, J)."""
    error: Floats = 1 / np.sqrt(np.maximum(supported.sum(0), 1))
    return error


def errors_below(best_of: int) -> float:
    """So many standard errors below the best of several is as sure as one standard error below a single one (Šidák)."""
    normal = NormalDist()
    return normal.inv_cdf(normal.cdf(1) ** (1 / best_of))


def by_chance(r: Floats, n: NDArray[np.int64]) -> Floats:
    """Chance that a response which has nothing to do with the concept correlates as much, by Fisher's z; one-sided."""
    z = np.arctanh(np.clip(r, -0.999999, 0.999999)) * np.sqrt(np.maximum(n - 3, 0))
    tail: Floats = np.vectorize(math.erfc, otypes=[np.float64])(z / math.sqrt(2)) / 2
    return np.where(n > 3, tail, 1.0)


def adjusted(p: Floats) -> Floats:
    """Of all names whose adjusted value is at most q, a share of q or less is expected to be made by chance.

    Source: Benjamini and Hochberg 1995.
    """
    order = np.argsort(p, kind="stable")
    scaled = p[order] * len(p) / np.arange(1, len(p) + 1)
    found = np.empty_like(p)
    found[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1)
    return found


def aucs(y: NDArray[np.float32], x: NDArray[np.float32], threads: int | None) -> Floats:
    """AUC (C, J) of the response for pictures with the concept (x > 0) among those where it is known."""
    found = np.full((y.shape[1], x.shape[1]), np.nan)
    known = ~np.isnan(x)
    patterns: dict[bytes, list[int]] = {}
    for concept in range(x.shape[1]):
        patterns.setdefault(known[:, concept].tobytes(), []).append(concept)
    for concepts in patterns.values():
        rows = known[:, concepts[0]]
        if rows.any():
            found[:, concepts] = rank_auc(y[rows], x[rows][:, concepts] > 0, threads=threads)
    return found


class Relatives:
    """Concepts that are no rivals of a concept: they go together with it, or nearly always show with it.

    Found one concept at a time: a word list may have tens of thousands.

    Args:
        presence: (P, J), NaN where unknown.
        binary: Whether above 0 means there and 0 means not; else presence is in standard deviations.
    """

    def __init__(self, presence: NDArray[np.float32], *, binary: bool) -> None:
        self._binary = binary
        self._known = (~np.isnan(presence)).astype(np.float32)
        self._shown = np.nan_to_num(presence)
        if binary:
            self._shown = (self._shown > 0).astype(np.float32)
        self._found: dict[int, NDArray[np.bool_]] = {}

    def of(self, word: int) -> NDArray[np.bool_]:
        """(J,): itself, and the concepts that are related to it."""
        if word not in self._found:
            shown, known = self._shown[:, word], self._known[:, word]
            both = shown @ self._shown
            if self._binary:
                # How often each shows where both are known.
                mine, theirs, n = shown @ self._known, known @ self._shown, known @ self._known
                share = np.maximum(both / np.maximum(mine, 1), both / np.maximum(theirs, 1))
                spread = np.sqrt(np.maximum(mine * (n - mine), 0) * np.maximum(theirs * (n - theirs), 0))
                with np.errstate(divide="ignore", invalid="ignore"):
                    phi = np.where(spread > 0, (n * both - mine * theirs) / spread, 0)
                found = ((share >= RELATED_SHARE) & (both > 0)) | (phi >= RELATED_CORRELATION)
            else:
                found = both >= RELATED_CORRELATION * len(shown)
            found[word] = True
            self._found[word] = found
        return self._found[word]
