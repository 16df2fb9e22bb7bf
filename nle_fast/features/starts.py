"""Where learning starts: the head's tree of classes, or k-means where the classes are too few for a tree."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nle_fast.errors import ConfigError
from nle_fast.features.sight import Moments
from nle_fast.features.tree import class_tree, node_atoms, unit_rows

__all__ = ["FEW_CLASSES", "Start", "cluster_atoms", "start_of"]

Floats = NDArray[np.float32]

#: Heads of fewer classes have no tree to speak of.
FEW_CLASSES = 20

#: Features of such heads, where no number is asked for.
FEW_FEATURES = 64

#: Passes of k-means, at most.
PASSES = 50


class Start(NamedTuple):
    """Atoms to start from.

    Attributes:
        atoms: (K, C), rows of length 1.
        nodes: The classes of each, or None.
        how: "tree" or "clusters".
        recurrence: Of clusters: of each half's centres, the share with cosine ≥ .8 to one of the other's, and the
            median; a tree's nodes are the same for any pictures.
    """

    atoms: Floats
    nodes: tuple[NDArray[np.int64], ...] | None
    how: str
    recurrence: dict[str, float] | None


def start_of(rows: Floats, found: Moments, sample: Floats | None, size: int | None) -> Start:
    """The start for a head of these class rows.

    Args:
        rows: (classes, C).
        found: Mean and covariance of the layer.
        sample: (n, C) activations at positions, for clusters; a tree needs none.
        size: Atoms asked for; None: all nodes of 4 to 120 classes, at most 300, or 64 clusters.

    Raises:
        ConfigError: The tree has fewer nodes than `size`, or the sample fewer positions than two per atom.
        MissingExtraError: SciPy is not installed.
    """
    if len(rows) >= FEW_CLASSES or sample is None:
        # A larger number takes smaller nodes, too.
        tree = class_tree(rows) if size is None else class_tree(rows, most=size)
        if size is not None and len(tree.nodes) < size:
            tree = class_tree(rows, smallest=2, most=size)
        if size is not None and len(tree.nodes) < size:
            raise ConfigError(
                f"`size` must be at most {len(tree.nodes)}, the nodes of 2 to 120 classes in the tree of these "
                f"{len(rows)} classes, got {size}; ask for fewer or leave it out."
            )
        return Start(node_atoms(rows, tree.nodes, found.covariance), tree.nodes, "tree", None)
    most = len(sample) // 2
    if size is not None and size > most:
        raise ConfigError(
            f"`size` must be at most {most}, half the positions that clusters are made of, got {size}; ask for fewer, "
            "pass more pictures, or leave it out."
        )
    wanted = min(FEW_FEATURES, most) if size is None else size
    own = sample - found.mean
    halves = [cluster_atoms(half, wanted) for half in (own[::2], own[1::2])]
    cosine = (halves[0] @ halves[1].T).max(1)
    recurrence = {"median_cosine": float(np.median(cosine)), "share_of_08": float((cosine >= 0.8).mean())}
    return Start(cluster_atoms(own, wanted), None, "clusters", recurrence)


def cluster_atoms(rows: Floats, size: int, *, passes: int = PASSES) -> Floats:
    """Centres of spherical k-means as directions (size, C), without chance.

    Rows are brought to length 1. The first centre is the mean direction's nearest row, each further one the row
    farthest from those before; then centres and rows are assigned in turn until nothing moves. A centre without
    rows goes to the row that is farthest from its own.

    Source: Dhillon & Modha (2001), spherical k-means; Gonzalez (1985), farthest first.
    """
    import torch

    points = torch.from_numpy(unit_rows(rows))
    points = points[points.square().sum(1) > 0.5]
    size = min(size, len(points))
    first = int((points @ points.mean(0)).argmax())
    chosen, nearest = [first], points @ points[first]
    while len(chosen) < size:
        far = int(nearest.argmin())
        chosen.append(far)
        nearest = torch.maximum(nearest, points @ points[far])
    centres, before = points[chosen].clone(), None
    for _ in range(passes):
        similar = points @ centres.T
        own, label = similar.max(1)
        if before is not None and bool((label == before).all()):
            break
        before = label
        total: Any = torch.zeros_like(centres).index_add_(0, label, points)
        empty = torch.bincount(label, minlength=size) == 0
        if bool(empty.any()):
            total[empty] = points[own.argsort()[: int(empty.sum())]]
        centres = torch.nn.functional.normalize(total, dim=1)
    found: Floats = centres.numpy()
    return found
