"""Names by votes: the classes that a neuron or a feature speaks for in the head, as the words for groups of them.

No picture is needed for a name, only for its judgement. Votes say what a neuron is *typical of*, not what it looks
like.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nle_fast.dissect.groups import Groups
from nle_fast.errors import InputError

__all__ = ["GAIN", "MAX_PARTS", "Proposal", "of_parts", "pooled_votes", "propose", "typical_of"]

#: Sets that a name joins, at most, and by how much a further one must raise the correlation with the votes.
MAX_PARTS, GAIN = 3, 0.03
#: Of sets that fit nearly as well, within so much of the best, the smallest is taken: the most specific.
NEARLY = 0.01


@dataclass(frozen=True)
class Proposal:
    """What votes would call each of F neurons.

    Attributes:
        parts: (F, 3) indices of `Groups.sets`, in the order in which they joined; −1 for none.
        fit: (F, 3) correlation of the positive votes with the union of the sets up to this one; 0 for none.
        groups: What `parts` points into.
    """

    parts: NDArray[np.int64]
    fit: NDArray[np.float64]
    groups: Groups

    def members(self, keep: NDArray[np.bool_] | None = None) -> NDArray[np.bool_]:
        """(F, K) bool: the classes in any part, or in any of those that are kept (F, 3)."""
        there = self.parts >= 0 if keep is None else keep & (self.parts >= 0)
        found = np.zeros((len(self.parts), self.groups.num_classes), bool)
        for place in range(self.parts.shape[1]):
            rows = np.flatnonzero(there[:, place])
            found[rows] |= self.groups.sets[self.parts[rows, place]]
        return found


def pooled_votes(weight: NDArray[np.floating]) -> NDArray[np.float32]:
    """Votes (F, K) from the weights (K, F) of a head that is pooling + linear, centred over the classes.

    For the features of a dictionary D (F, C) over a layer the weights are W Dᵀ.
    """
    weight = np.asarray(weight, np.float32)
    return np.ascontiguousarray((weight - weight.mean(0)).T)


def propose(votes: NDArray[np.floating], groups: Groups, *, max_parts: int = MAX_PARTS, gain: float = GAIN) -> Proposal:
    """Up to three sets of classes that cover the votes of each neuron and little else.

    The set whose indicator correlates best with the positive part of the centred votes; then, again and again, the set
    whose union with those before raises the correlation most, while it does by `gain`. Single classes are sets, too. Of
    sets within 0.01 of the best the smallest is taken, of equal ones the first.

    Args:
        votes: (F, K) finite: how much each class's logit rises with the neuron.
        groups: Sets of the K classes.
        max_parts: 1 to 3.
        gain: Least rise of the correlation that a further set brings.

    Returns:
        A neuron whose votes are all alike, or fit no set, has no part.

    Raises:
        InputError: The votes are not (F, K) of finite numbers.

    Source: this project.
    """
    votes = np.asarray(votes, np.float32)
    if votes.ndim != 2 or votes.shape[1] != groups.num_classes or not np.isfinite(votes).all():
        raise InputError(
            f"`votes` must be finite (F, {groups.num_classes}), got {votes.shape}; one row per neuron, one column "
            "per class."
        )
    count, classes = votes.shape
    parts = np.full((count, MAX_PARTS), -1, np.int64)
    fit = np.zeros((count, MAX_PARTS))
    if not len(groups.texts):
        return Proposal(parts, fit, groups)
    positive = np.maximum(votes - votes.mean(1, keepdims=True), 0)
    sets = groups.sets.astype(np.float32)
    sizes = sets.sum(1)
    total = positive.sum(1, keepdims=True)
    spread = np.maximum(positive.std(1, keepdims=True), 1e-30) * classes
    open_rows = (positive.max(1) > 0) & (votes.std(1) > 1e-12)
    union = np.zeros_like(positive)
    before = np.zeros(count)
    small_first = np.argsort(sizes, kind="stable")
    for place in range(max_parts):
        outside = np.where(union > 0, 0, positive)
        gathered = (positive * union).sum(1, keepdims=True) + outside @ sets.T  # Σ of votes in the union
        held = union.sum(1, keepdims=True) + (1 - union) @ sets.T  # its classes
        share = held / classes
        r = (gathered - total * share) / (spread * np.sqrt(np.maximum(share * (1 - share), 1e-30)))
        r[held >= classes - 0.5] = -1
        best = r.max(1)
        near = (r >= best[:, None] - NEARLY)[:, small_first]
        chosen = small_first[near.argmax(1)]
        reached = r[np.arange(count), chosen]
        open_rows &= reached >= before + (gain if place else 1e-6)
        rows = np.flatnonzero(open_rows)
        parts[rows, place], fit[rows, place] = chosen[rows], reached[rows]
        union[rows] = np.maximum(union[rows], sets[chosen[rows]])
        before = np.where(open_rows, reached, before)
    return Proposal(parts, fit, groups)


def of_parts(parts: Sequence[str]) -> str:
    """Parts of a name as they follow "typical of": "cats", "cats and dogs", "fruit and vegetables, and of bottles".

    Example:
        >>> of_parts(["keyboards", "laptops"])
        'keyboards and laptops'
    """
    if len(parts) == 1:
        return parts[0]
    if any(" and " in part or "," in part for part in parts):
        return ", ".join(parts[:1]) + "".join(f", {'and ' if part is parts[-1] else ''}of {part}" for part in parts[1:])
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def typical_of(parts: Sequence[str]) -> str:
    """The name that these parts make.

    Example:
        >>> typical_of(["military vehicles", "ocean liners"])
        'what is typical of military vehicles and ocean liners'
    """
    return f"what is typical of {of_parts(parts)}"
