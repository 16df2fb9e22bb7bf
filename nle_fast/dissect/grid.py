"""One network's maps on another's grid, where both look at different parts of the same picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["on_grid", "overlaps"]


def overlaps(
    cells: int, inside: tuple[float, float], others: int, window: tuple[float, float]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """How much of each of `cells` equal cells of one interval lies in each of `others` equal cells of another.

    Returns:
        (cells, others), rows that add up to 1, and (cells,) whether half of the cell or more lies in the other one.

    Example:
        >>> overlaps(2, (0, 8), 4, (0, 8))[0].tolist()
        [[0.5, 0.5, 0.0, 0.0], [0.0, 0.0, 0.5, 0.5]]
    """
    edges, theirs = np.linspace(*inside, cells + 1), np.linspace(*window, others + 1)
    low = np.maximum(edges[:-1, None], theirs[None, :-1])
    high = np.minimum(edges[1:, None], theirs[None, 1:])
    shared = np.maximum(high - low, 0)
    whole = shared.sum(1, keepdims=True)
    inside_enough = whole[:, 0] >= 0.5 * (edges[1] - edges[0])
    return (shared / np.maximum(whole, 1e-12)).astype(np.float32), inside_enough


def on_grid(
    maps: NDArray[np.float32],
    shape: tuple[int, ...],
    window: tuple[float, float, float, float],
    theirs: tuple[float, float, float, float],
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """(K, H·W): maps (K, h, w) of the window `theirs` on a grid of `shape` over `window`; and what both see."""
    height, width = shape
    down, rows = overlaps(height, (window[1], window[3]), maps.shape[1], (theirs[1], theirs[3]))
    across, columns = overlaps(width, (window[0], window[2]), maps.shape[2], (theirs[0], theirs[2]))
    found = np.einsum("ya,kab,xb->kyx", down, maps, across, optimize=True)
    return found.reshape(len(maps), -1), (rows[:, None] & columns[None]).ravel()
