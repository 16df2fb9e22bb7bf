"""Orders of a layer's neurons: the explanation's, and those that it must beat at equal count.

| name | order |
|---|---|
| explanation | signed sum over space of gradient × activation, falling: what the text names |
| published | max over space of relu(gradient × activation), falling: LRP-0 for piecewise-linear heads |
| activation | mean activation over space, falling: what is brightest, whatever the class |
| plausible | fit of the neuron's words to the class's name, falling; ties in random order, words before none |
| lowest | signed sum, rising: what speaks most against |
| random | a permutation, drawn anew for each draw |
| active | as random, but neurons that are zero everywhere come last |
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nle_fast.classifiers.base import as_numpy

__all__ = [
    "CONTROLS",
    "RANKINGS",
    "random_orders",
    "rank_neurons",
    "relevance_maps",
    "relevance_scores",
    "signed_scores",
]

Order = NDArray[np.int64]

RANKINGS = ("explanation", "published", "activation", "plausible", "lowest")
CONTROLS = ("random", "active")


def signed_scores(activations: Any, gradients: Any) -> NDArray[np.float64]:
    """(N, C): Σ over space of gradient × activation."""
    return np.asarray(relevance_maps(activations, gradients).sum((2, 3)))


def relevance_scores(activations: Any, gradients: Any) -> NDArray[np.float64]:
    """(N, C): max over space of relu(gradient × activation), the published score.

    For a piecewise-linear head this is what the published code computes: Captum's `LayerLRP` (LRP-0), ReLU, maximum.
    """
    return np.asarray(np.maximum(relevance_maps(activations, gradients).max((2, 3)), 0))


def rank_neurons(
    activations: Any, gradients: Any, fits: NDArray[np.float32] | None = None, named: Any = None, seed: int = 0
) -> dict[str, Order]:
    """The orders of `RANKINGS` for each picture; ties go to the lowest neuron, but for `plausible` to chance.

    Args:
        activations: (N, C, H, W).
        gradients: (N, C, H, W), or (N, C) when constant over space.
        fits: (N, C) fit of each neuron's words to the class that is explained; None leaves `plausible` out.
        named: (C,) bool, the neurons that have words.
        seed: Of the order among neurons whose words fit equally well.

    Returns:
        Name → (N, C), first neuron first.
    """
    scores = signed_scores(activations, gradients)
    keys = {
        "explanation": -scores,
        "published": -relevance_scores(activations, gradients),
        "activation": -as_numpy(activations).mean((2, 3), dtype=np.float64),
        "lowest": scores,
    }
    orders = {name: np.argsort(key, axis=1, kind="stable") for name, key in keys.items()}
    if fits is not None:
        chance = np.random.default_rng(seed).random(fits.shape)
        worded = np.broadcast_to(np.asarray(named, bool), fits.shape)
        orders["plausible"] = np.lexsort((chance, ~worded, -fits), axis=1)
    return orders


def random_orders(activations: Any, draws: int, seed: int, *, active: bool = False) -> Order:
    """(N, draws, C) permutations; with `active` the neurons that are zero everywhere come last."""
    maps = as_numpy(activations)
    chance = np.random.default_rng(seed).random((len(maps), draws, maps.shape[1]))
    if active:
        chance += (np.abs(maps).max((2, 3)) == 0)[:, None, :]
    return np.argsort(chance, axis=2)


def relevance_maps(activations: Any, gradients: Any) -> NDArray[np.float64]:
    """(N, C, H, W): gradient × activation at each position."""
    slopes = as_numpy(gradients).astype(np.float64)
    return as_numpy(activations).astype(np.float64) * (slopes if slopes.ndim == 4 else slopes[:, :, None, None])
