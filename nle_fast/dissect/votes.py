"""Names by votes: the classes that a neuron or a feature speaks for in the head, as the words for groups of them.

No picture is needed for a name, only for its judgement; without labels they help to choose. Votes say what a neuron is
*typical of*, not what it looks like.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nle_fast.dissect.groups import Groups
from nle_fast.errors import ConfigError, InputError

__all__ = ["GAIN", "MAX_PARTS", "Proposal", "of_parts", "pooled_votes", "propose", "typical_of"]

#: Sets that a name joins, at most, and by how much a further one must raise the correlation with the votes.
MAX_PARTS, GAIN = 3, 0.03


@dataclass(frozen=True)
class Proposal:
    """What votes would call each of F neurons.

    Attributes:
        parts: (F, 3) indices of `Groups.sets`, in the order in which they joined; −1 for none.
        fit: (F, 3) correlation with the union of the sets up to this one, see `propose`; 0 for none.
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


def propose(
    votes: NDArray[np.floating],
    groups: Groups,
    codes: NDArray[np.floating] | None = None,
    answers: NDArray[np.integer] | None = None,
    *,
    max_parts: int = MAX_PARTS,
    gain: float = GAIN,
) -> Proposal:
    """Up to three sets of classes that cover the votes of each neuron and little else.

    The set whose indicator correlates best with the votes; then, again and again, the set whose union with those before
    raises the correlation most, while it does by `gain`. Single classes are sets, too. Of equal ones the smallest is
    taken, then the first. Where there are pictures, it is the mean of two correlations that counts: with the votes, and
    of the neuron's codes with "the network's answer is one of these". That needs no labels, and tells which of the
    classes that a neuron votes for are ever there when it is on.

    Args:
        votes: (F, K) finite: how much each class's logit rises with the neuron.
        groups: Sets of the K classes.
        codes: (P, F) pooled codes, or activations, of any pictures; None: votes alone.
        answers: (P,) the network's own answers on them.
        max_parts: 1 to 3.
        gain: Least rise that a further set brings.

    Returns:
        A neuron whose votes are all alike, or fit no set, has no part.

    Raises:
        ConfigError: `max_parts` is out of its range.
        InputError: The votes are not (F, K) of finite numbers, or codes and answers do not go with them.

    Source: this project.
    """
    if max_parts not in range(1, MAX_PARTS + 1):
        raise ConfigError(f"`max_parts` must be a whole number from 1 to {MAX_PARTS}, got {max_parts!r}; change it.")
    votes = np.asarray(votes, np.float32)
    if votes.ndim != 2 or votes.shape[1] != groups.num_classes or not np.isfinite(votes).all():
        raise InputError(
            f"`votes` must be finite (F, {groups.num_classes}), got {votes.shape}; one row per neuron, one column "
            "per class."
        )
    count, classes = votes.shape
    parts = np.full((count, MAX_PARTS), -1, np.int64)
    fit = np.zeros((count, MAX_PARTS))
    open_rows = votes.std(1) > 1e-12
    if not len(groups.texts):
        return Proposal(parts, fit, groups)
    sources = [_of_votes(votes)]
    if codes is not None and answers is not None and len(answers):
        sources.append(_of_answers(np.asarray(codes), np.asarray(answers), votes.shape))
    sets = groups.sets.astype(np.float32)
    small_first = np.argsort(groups.sizes, kind="stable")
    union = np.zeros((count, classes), np.float32)
    before = np.zeros(count)
    rows = np.arange(count)
    for place in range(max_parts):
        r = np.zeros((count, len(sets)))
        for together, weight in sources:
            # Σ over the classes of the union, of each set with what was there before.
            gathered = (together * union).sum(1, keepdims=True) + (together * (1 - union)) @ sets.T
            share = (union @ weight)[:, None] + (1 - union) @ (sets * weight).T
            spread = np.sqrt(np.maximum(share * (1 - share), 1e-6))
            r += np.where((share > 0) & (share < 1 - 1e-6), gathered / spread, 0) / len(sources)
        chosen = small_first[r[:, small_first].argmax(1)]
        reached = r[rows, chosen]
        open_rows &= reached >= before + (gain if place else 1e-6)
        at = np.flatnonzero(open_rows)
        parts[at, place], fit[at, place] = chosen[at], reached[at]
        union[at] = np.maximum(union[at], sets[chosen[at]])
        before = np.where(open_rows, reached, before)
    return Proposal(parts, fit, groups)


def _of_votes(votes: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(F, K) what each class adds to the correlation of an indicator with the votes, and (K,) its share of all."""
    centred = votes - votes.mean(1, keepdims=True)
    classes = votes.shape[1]
    together = centred / (np.maximum(centred.std(1, keepdims=True), 1e-12) * classes)
    return together, np.full(classes, 1 / classes, np.float32)


def _of_answers(
    codes: NDArray[np.floating], answers: NDArray[np.integer], shape: tuple[int, int]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The same of the codes with "the answer is this class"; the answers exclude one another, so that it adds up."""
    count, classes = shape
    if codes.ndim != 2 or codes.shape != (len(answers), count) or answers.min() < 0 or answers.max() >= classes:
        raise InputError(
            f"`codes` and `answers` must be (P, {count}) and (P,) with answers from 0 to {classes - 1}, got "
            f"{codes.shape} and {answers.shape}; one row per picture."
        )
    shown = np.zeros((len(answers), classes), np.float32)
    shown[np.arange(len(answers)), answers] = 1
    centred = (codes - codes.mean(0)).astype(np.float32)
    centred /= np.maximum(centred.std(0), 1e-12)
    together: NDArray[np.float32] = centred.T @ shown / len(answers)
    return together, shown.mean(0)


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
