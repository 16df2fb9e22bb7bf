"""What a source says: its words, where they are true, and which of them it would give to each neuron."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from nle_fast.dissect.judge import Relatives, aucs, lower_bounds, sure_correlations
from nle_fast.dissect.options import DissectOptions
from nle_fast.dissect.probe import PROPOSE, ProbeSet, Word
from nle_fast.dissect.responses import Responses

__all__ = ["NOMINEES", "Answers", "Parts", "SourceTable", "enough", "make_table"]

#: Words per neuron that a source nominates and the record lists.
NOMINEES = 6


@dataclass(frozen=True)
class Parts:
    """One measure (C, J) on the pictures that propose, on those that pick, and on those that judge."""

    propose: NDArray[np.float64]
    pick: NDArray[np.float64]
    judge: NDArray[np.float64]


@dataclass(frozen=True)
class SourceTable:
    """One source's words for all neurons.

    Attributes:
        name: "masks", "labelled" or "encoder".
        words: J concepts.
        presence: (P, J) how much of each a picture shows; NaN where unknown.
        nominees: (C, K) indices of words, best first, −1 for none; see `choose.champions`.
        correlation: Of response and presence, see `sure_correlations`.
        bound: (C, J), `lower_bounds` on the pictures that propose.
        pictures: (3, J) how many are known in each part.
        relatives: Which words are related, and so no rivals.
        untrained: (J,) the highest correlation of any untrained neuron, on the pictures that propose or pick.
        auc: None where presence has no yes and no.
        iou: From masks only; `quantile` (C, J) is the share at which it was best on the pictures that propose.
        similarity: (C, J) soft-WPMI, from an encoder only.
        says: (P, J), from an encoder only: whether the word is among those that it finds most like the picture.
        parts: Of words that join two others, these two.
    """

    name: str
    words: tuple[Word, ...]
    presence: NDArray[np.float32]
    nominees: NDArray[np.int64]
    correlation: Parts
    bound: NDArray[np.float64]
    pictures: NDArray[np.int64]
    relatives: Relatives
    untrained: NDArray[np.float64]
    auc: Parts | None = None
    iou: Parts | None = None
    quantile: NDArray[np.float64] | None = None
    similarity: NDArray[np.float64] | None = None
    says: NDArray[np.bool_] | None = None
    parts: dict[int, tuple[int, int]] = field(default_factory=dict)


def enough(presence: NDArray[np.float32], probes: ProbeSet, least: int) -> NDArray[np.bool_]:
    """(J,): each part has so many pictures with the concept, and without it."""
    found = np.ones(presence.shape[1], bool)
    for mask in probes.masks():
        part = presence[mask]
        found &= ((part > 0).sum(0) >= least) & ((part <= 0).sum(0) >= least)
    return found


@dataclass(frozen=True)
class Answers:
    """What the neurons, and untrained ones, say about each picture, and which part it is in.

    Attributes:
        probes: The pictures.
        response: (P, C).
        untrained: (P, U).
    """

    probes: ProbeSet
    response: NDArray[np.float32]
    untrained: NDArray[np.float32]

    @classmethod
    def of(cls, probes: ProbeSet, responses: Responses, kind: str) -> Answers:
        """Of the `"mean"` or the `"max"` over the positions."""
        if kind == "mean":
            return cls(probes, responses.means, responses.untrained[:, 0])
        return cls(probes, responses.peaks, responses.untrained[:, 1])


def make_table(
    name: str,
    words: tuple[Word, ...],
    answers: Answers,
    presence: NDArray[np.float32],
    options: DissectOptions,
    *,
    binary: bool = True,
) -> SourceTable:
    """A table with everything but its nominees; `binary` says that presence above 0 means that the concept is there."""
    response, masks, chooses = answers.response, answers.probes.masks(), answers.probes.chooses
    correlation, known = zip(*(sure_correlations(response[mask], presence[mask]) for mask in masks), strict=True)
    untrained, _ = sure_correlations(answers.untrained[chooses], presence[chooses])
    return SourceTable(
        name=name,
        words=words,
        presence=presence,
        nominees=np.full((response.shape[1], 0), -1, np.int64),
        correlation=Parts(*correlation),
        bound=lower_bounds(correlation[PROPOSE], known[PROPOSE]),
        pictures=np.stack(known),
        relatives=Relatives(presence[chooses], binary=binary),
        untrained=untrained.max(0),
        auc=Parts(*(aucs(response[mask], presence[mask], options.threads) for mask in masks)) if binary else None,
    )
