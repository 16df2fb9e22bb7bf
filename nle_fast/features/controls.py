"""What a sceptic asks for: dictionaries with the same K and k that were made in other ways, to be measured alike.

None of them is the product. A control that is not learned gets the one factor on its encoder with which its codes
reconstruct best, so that none looks bad by its scale alone.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from nle_fast.features.learning import Workshop
from nle_fast.features.measure import Dictionary
from nle_fast.features.starts import Start, cluster_atoms
from nle_fast.features.tree import node_atoms, unit_rows

__all__ = ["CONTROLS", "LEARNED_CONTROLS", "control"]

Floats = NDArray[np.float32]

#: Updates of NMF, and the positions that it is made from.
UPDATES, FACTORED = 60, 8000


def control(name: str, shop: Workshop, start: Start, seed: int = 0) -> Dictionary:
    """A control with as many atoms and codes as `start` and the options have.

    Args:
        name: One of `CONTROLS` or `LEARNED_CONTROLS`.
        shop: Activations and options.
        start: The features' own start.
        seed: Of what is drawn.
    """
    if name in LEARNED_CONTROLS:
        learned, _ = shop.learned(LEARNED_CONTROLS[name](shop, start, seed))
        active = min(shop.options.active, len(learned.decoder))
        return Dictionary(learned.decoder, learned.encoder, learned.bias, shop.moments.mean, active)
    if name == "nmf":
        return _nmf(shop, len(start.atoms), seed)
    return _scaled(CONTROLS[name](shop, start, seed), shop)


def _tree(shop: Workshop, start: Start, seed: int) -> Floats:
    return start.atoms


def _components(shop: Workshop, start: Start, seed: int) -> Floats:
    """PCA: codes are never below zero, so each component comes with its opposite."""
    vectors = np.linalg.eigh(shop.moments.covariance)[1][:, ::-1]
    half = vectors[:, : (len(start.atoms) + 1) // 2].T
    return unit_rows(np.stack([half, -half], 1).reshape(-1, half.shape[1])[: len(start.atoms)])


def _clusters(shop: Workshop, start: Start, seed: int) -> Floats:
    return cluster_atoms(shop.sample() - shop.moments.mean, len(start.atoms), passes=20)


def _random_atoms(shop: Workshop, start: Start, seed: int) -> Floats:
    """Activations at random positions."""
    rows = shop.sample() - shop.moments.mean
    return unit_rows(rows[np.random.default_rng(seed).choice(len(rows), len(start.atoms), replace=False)])


def _gaussian(shop: Workshop, start: Start, seed: int) -> Floats:
    return unit_rows(np.random.default_rng(seed).standard_normal(start.atoms.shape))


def _random_start(shop: Workshop, start: Start, seed: int) -> Start:
    return Start(_random_atoms(shop, start, seed + 1), None, "random", None)


def _shuffled_tree(shop: Workshop, start: Start, seed: int) -> Start:
    """The tree's shape with its classes dealt anew: groups as large, and as nested, that mean nothing."""
    if start.nodes is None:
        return _random_start(shop, start, seed)
    order = np.random.default_rng(seed).permutation(len(shop.rows))
    nodes = tuple(np.sort(order[node]) for node in start.nodes)
    return Start(node_atoms(shop.rows, nodes, shop.moments.covariance), nodes, "shuffled", None)


def _nmf(shop: Workshop, size: int, seed: int) -> Dictionary:
    """Activations ≈ u H, both ≥ 0, by multiplicative updates (Lee & Seung, 2001); new codes by H's pseudo-inverse."""
    import torch

    rows = torch.from_numpy(np.maximum(shop.sample(FACTORED), 0))
    chance = torch.Generator().manual_seed(seed)
    atoms = rows[torch.randperm(len(rows), generator=chance)[:size]] + 1e-4
    codes = torch.rand(len(rows), len(atoms), generator=chance) * rows.mean() / atoms.mean() / len(atoms)
    for _ in range(UPDATES):
        codes *= (rows @ atoms.T) / (codes @ (atoms @ atoms.T)).clamp(min=1e-9)
        atoms *= (codes.T @ rows) / ((codes.T @ codes) @ atoms).clamp(min=1e-9)
    decoder = unit_rows(atoms.numpy())
    inverse = np.linalg.pinv(decoder.astype(np.float64), rcond=1e-3).T.astype(np.float32)
    nothing = np.zeros(len(decoder), np.float32)
    return Dictionary(decoder, inverse, nothing, np.zeros(decoder.shape[1], np.float32), shop.options.active)


def _scaled(atoms: Floats, shop: Workshop) -> Dictionary:
    """Atoms as encoder and decoder, the encoder times the factor that reconstructs a sample best."""
    mean = shop.moments.mean
    plain = Dictionary(atoms, atoms, np.zeros(len(atoms), np.float32), mean, shop.options.active)
    rows = shop.sample(4096)[None]
    told = plain.decoded(plain.codes(rows))
    own = float(np.square(told, dtype=np.float64).sum())
    factor = float(((rows - mean) * told).sum(dtype=np.float64)) / own if own > 0 else 1.0
    scaled = (atoms * max(factor, 1e-6)).astype(np.float32)
    return Dictionary(atoms, scaled, np.zeros(len(atoms), np.float32), mean, shop.options.active)


#: Name → atoms that are only scaled ("nmf" has a rule of its own).
CONTROLS: dict[str, Callable[[Workshop, Start, int], Floats]] = {
    "untrained": _tree,
    "pca": _components,
    "clusters": _clusters,
    "random": _random_atoms,
    "gaussian": _gaussian,
    "nmf": _random_atoms,
}

#: Name → another start, from which learning goes on as for the features, for the same minutes.
LEARNED_CONTROLS: dict[str, Callable[[Workshop, Start, int], Start]] = {
    "random start": _random_start,
    "shuffled tree": _shuffled_tree,
}
