"""The head's own tree of classes, and the directions that it gives to start from."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nle_fast.errors import MissingExtraError

__all__ = ["Tree", "centred", "class_tree", "node_atoms", "unit_rows"]

Floats = NDArray[np.float32]

#: Nodes of fewer classes are near the answer and say nothing new; of more, nothing at all.
SMALLEST, LARGEST, MOST = 4, 120, 300


class Tree(NamedTuple):
    """Groups of classes that a head treats alike.

    Attributes:
        nodes: The classes of each, ascending; the most persistent first.
        persistence: (nodes,) height of the parent minus own height.
    """

    nodes: tuple[NDArray[np.int64], ...]
    persistence: NDArray[np.float64]


def unit_rows(rows: NDArray[np.floating]) -> Floats:
    """Each row of length 1; a row of zeros stays."""
    wide = rows.astype(np.float64)
    length = np.linalg.norm(wide, axis=1, keepdims=True)
    return (wide / np.where(length > 0, length, 1)).astype(np.float32)


def centred(rows: NDArray[np.floating]) -> Floats:
    """Class rows (classes, C) minus their mean: what tells classes apart."""
    found: Floats = (rows - rows.mean(0, dtype=np.float64)).astype(np.float32)
    return found


def class_tree(rows: Floats, *, smallest: int = SMALLEST, largest: int = LARGEST, most: int = MOST) -> Tree:
    """Ward's tree of the classes, and its nodes of `smallest` to `largest` classes, the most persistent first.

    A node persists for (height at which it is joined to another) − (height at which it was made). Ties go to the node
    that was made first. The tree needs no pictures, so it is the same for every half of them and every seed.

    Args:
        rows: (classes, C), a row per class in which classes that the head treats alike are close; they are centred and
            brought to length 1 here.
        smallest: Classes of a node, at least.
        largest: At most.
        most: Nodes kept, at most.

    Raises:
        MissingExtraError: SciPy is not installed.

    Source: Ward (1963); persistence as in Chazal et al. (2013), ToMATo; this project for the head's rows.
    """
    try:
        from scipy.cluster.hierarchy import linkage
    except ImportError as error:
        raise MissingExtraError(
            "`learn` must have SciPy for the tree of classes, got none; run pip install 'nle_fast[features]'."
        ) from error
    count = len(rows)
    joins = linkage(unit_rows(centred(rows)).astype(np.float64), "ward")
    members: list[list[int]] = [[label] for label in range(count)]
    height, parent = np.zeros(2 * count - 1), np.full(2 * count - 1, -1)
    for made, (left, right, at, _) in enumerate(joins, count):
        members.append(members[int(left)] + members[int(right)])
        height[made] = at
        parent[[int(left), int(right)]] = made
    fits = [node for node in range(2 * count - 2) if smallest <= len(members[node]) <= largest]
    persistence = np.array([height[parent[node]] - height[node] for node in fits])
    kept = np.argsort(-persistence, kind="stable")[:most]
    nodes = tuple(np.array(sorted(members[fits[place]]), np.int64) for place in kept)
    return Tree(nodes, persistence[kept])


def node_atoms(rows: Floats, nodes: tuple[NDArray[np.int64], ...], covariance: NDArray[np.floating]) -> Floats:
    """A direction per node: the activation pattern that goes with the logit of its classes, Σ w̄, of length 1.

    Args:
        rows: (classes, C) the head's; centred here.
        nodes: The classes of each.
        covariance: Σ (C, C) of the activations over positions.

    Returns:
        (nodes, C) float32.

    Source: Haufe et al. (2014), "On the interpretation of weight vectors": patterns, not filters.
    """
    own = centred(rows)
    means = np.stack([own[node].mean(0, dtype=np.float64) for node in nodes])
    return unit_rows(means @ covariance.astype(np.float64))
