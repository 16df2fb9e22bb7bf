"""The definition of each operation, in plain NumPy: slow, short, and what the C++ and Triton versions are tested against."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["score_neurons"]


def score_neurons(
    activations: NDArray[np.float32],
    gradients: NDArray[np.float32],
    k: int,
    reduce: str = "sum",
    sign: str = "supporting",
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.float32], NDArray[np.float32]]:
    """Score every neuron and take the top k.

    With R = A · G: `sum` scores Σ_hw R; `max` scores max_hw relu(R) for support and −max_hw relu(−R) for opposition.
    Ties go to the lowest neuron index.

    Args:
        activations: (N, C, H, W).
        gradients: (N, C, H, W), or (N, C) when constant over space.
        k: Neurons to keep, 1 ≤ k ≤ C.
        reduce: `"sum"` or `"max"`.
        sign: `"supporting"`: the k largest scores, falling. `"opposing"`: the k smallest, rising. `"both"`: first the k
            supporting, then the k opposing.

    Returns:
        values (N, k'), neurons (N, k'), maps (N, k', H, W) and total (N,) = Σ_c max(score_c, 0), where k' is k, or 2 k for
        `"both"`. `total` always uses the supporting score.

    Source: `../shared/method.md`, formulas; the published score is `max` with support only.
    """
    weights = gradients[:, :, None, None] if gradients.ndim == 2 else gradients
    relevance = activations.astype(np.float64) * weights.astype(np.float64)
    if reduce == "sum":
        supporting = opposing = relevance.sum(axis=(2, 3))
    else:
        supporting = np.maximum(relevance, 0).max(axis=(2, 3))
        opposing = np.minimum(relevance, 0).min(axis=(2, 3))
    total = np.maximum(supporting, 0).sum(axis=1).astype(np.float32)
    # Compared as float32, like the fast versions, so that ties are the same ties.
    supporting, opposing = supporting.astype(np.float32), opposing.astype(np.float32)

    chosen = []
    if sign in ("supporting", "both"):
        chosen.append((supporting, np.argsort(-supporting, axis=1, kind="stable")[:, :k]))
    if sign in ("opposing", "both"):
        chosen.append((opposing, np.argsort(opposing, axis=1, kind="stable")[:, :k]))
    values = np.concatenate([np.take_along_axis(scores, order, axis=1) for scores, order in chosen], axis=1)
    neurons = np.concatenate([order for _, order in chosen], axis=1).astype(np.int64)
    maps = np.take_along_axis(activations, neurons[:, :, None, None], axis=1).astype(np.float32)
    return values, neurons, maps, total
