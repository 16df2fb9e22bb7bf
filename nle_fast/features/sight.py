"""Coordinates in which an error counts as the head sees it: what learning runs in.

Two ways to measure an error e of an activation: its length, eᵀe, and what the head sees of it, eᵀMe, M = Σ (row − mean
row)(row − mean row)ᵀ over the classes. With G = a mixture of both, each as a share of the layer's own variance, the d
directions of the largest variance in G are kept, and turned so that both measures are diagonal there:

    y = Aᵀ(a − μ)  (d)      a ≈ μ + B y      eᵀe = Σ plain · y²      eᵀMe = Σ seen · y²      (for e = B y)

A step then costs d instead of C products per code, an error in the head C products instead of classes × C, and Adam's
steps are of one size in all directions.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nle_fast.features.tree import centred

__all__ = ["MOST_COORDINATES", "Moments", "Sight", "moments", "sight_of"]

Floats = NDArray[np.float32]

#: Coordinates kept; of MobileNetV2's 1,280 channels these hold 96 % of the variance in G.
MOST_COORDINATES = 512


class Moments(NamedTuple):
    """Of the activations over positions and pictures.

    Attributes:
        mean: μ (C,) float32.
        covariance: Σ (C, C) float64.
    """

    mean: Floats
    covariance: NDArray[np.float64]


class Sight(NamedTuple):
    """Coordinates of the layer for one head; see the module.

    Attributes:
        mean: μ (C,).
        read: A (C, d).
        show: B (C, d).
        plain: (d,) > 0.
        seen: (d,) ≥ 0.
        kept: Share of the variance in G, in (0, 1].
    """

    mean: Floats
    read: Floats
    show: Floats
    plain: Floats
    seen: Floats
    kept: float

    def unit(self, coordinates: Floats) -> Floats:
        """Rows (K, d) whose directions in the layer have length 1."""
        length = np.sqrt((coordinates.astype(np.float64) ** 2) @ self.plain)
        return (coordinates / np.where(length > 0, length, 1)[:, None]).astype(np.float32)


def moments(batches: Iterable[Floats], channels: int) -> Moments:
    """Mean and covariance of rows that come batch by batch.

    Args:
        batches: Iterable of (n, C) float32.
        channels: C.
    """
    import torch

    total = torch.zeros(channels, dtype=torch.float64)
    square = torch.zeros(channels, channels, dtype=torch.float64)
    count = 0
    for batch in batches:
        rows = torch.from_numpy(np.ascontiguousarray(batch, np.float32))
        total += rows.sum(0, dtype=torch.float64)
        square += (rows.T @ rows).double()
        count += len(rows)
    mean = total / max(count, 1)
    covariance = square / max(count, 1) - torch.outer(mean, mean)
    return Moments(mean.float().numpy(), covariance.numpy())


def sight_of(
    rows: Floats, found: Moments, *, plain: float = 0.2, seen: float = 2.0, most: int = MOST_COORDINATES
) -> Sight:
    """The coordinates for a head of these class rows.

    Args:
        rows: (classes, C); centred here.
        found: Of the layer.
        plain: Weight of the length in G.
        seen: Weight of what the head sees.
        most: d at most.
    """
    import torch

    own = torch.from_numpy(centred(rows)).double()
    metric, covariance = own.T @ own, torch.from_numpy(found.covariance)
    one = torch.eye(len(metric), dtype=torch.float64)
    variance, visible = float(covariance.trace()), float((metric @ covariance).trace())
    mixed = one * (max(plain, 1e-3) / max(variance, 1e-12))
    if visible > 1e-12:
        mixed = mixed + metric * (seen / visible)
    strength, axes = torch.linalg.eigh(mixed)
    root, back = axes * strength.sqrt() @ axes.T, axes / strength.sqrt() @ axes.T
    values, vectors = torch.linalg.eigh(root @ covariance @ root)
    kept = vectors[:, -most:]
    show = back @ kept
    seen_by, turn = torch.linalg.eigh(show.T @ metric @ show)
    kept, show = kept @ turn, show @ turn
    share = float(values[-most:].clamp(min=0).sum() / values.clamp(min=0).sum().clamp(min=1e-30))
    return Sight(
        found.mean,
        (root @ kept).float().numpy(),
        show.float().numpy(),
        show.square().sum(0).float().numpy(),
        seen_by.clamp(min=0).float().numpy(),
        min(share, 1.0),
    )
