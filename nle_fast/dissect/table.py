"""What a source says: its words, where they are true, and which of them it would give to each neuron."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from nle_fast.dissect.judge import Relatives, aucs, lower_bounds, sure_correlations
from nle_fast.dissect.options import DissectOptions
from nle_fast.dissect.probe import ProbeSet, Word
from nle_fast.dissect.responses import Responses

__all__ = ["NOMINEES", "Answers", "Halves", "SourceTable", "enough", "make_table"]

#: Words per neuron that a source nominates and the record lists.
NOMINEES = 6


@dataclass(frozen=True)
class Halves:
    """One measure (C, J) on the half that chooses and on the half that judges."""

    choose: NDArray[np.float64]
    held_out: NDArray[np.float64]


@dataclass(frozen=True)
class SourceTable:
    """One source's words for all neurons.

    Attributes:
        name: "masks", "labelled" or "encoder".
        words: J concepts.
        presence: (P, J) how much of each a picture shows; NaN where unknown.
        nominees: (C, K) indices of words, best first, −1 for none; the first competes with those of other sources.
        correlation: Of response and presence, see `sure_correlations`.
        bound: (C, J), `lower_bounds` of the choosing half.
        pictures: (2, J) how many are known in each half.
        relatives: Which words are related, and so no rivals.
        untrained: (J,) the highest correlation of any untrained neuron, over both halves.
        auc: None where presence has no yes and no.
        iou: From masks only; `quantile` (C, J) is the share at which it was best on the choosing half.
        similarity: (C, J) soft-WPMI, from an encoder only.
        parts: Of words that join two others, these two.
    """

    name: str
    words: tuple[Word, ...]
    presence: NDArray[np.float32]
    nominees: NDArray[np.int64]
    correlation: Halves
    bound: NDArray[np.float64]
    pictures: NDArray[np.int64]
    relatives: Relatives
    untrained: NDArray[np.float64]
    auc: Halves | None = None
    iou: Halves | None = None
    quantile: NDArray[np.float64] | None = None
    similarity: NDArray[np.float64] | None = None
    parts: dict[int, tuple[int, int]] = field(default_factory=dict)


def enough(presence: NDArray[np.float32], held_out: NDArray[np.bool_], least: int) -> NDArray[np.bool_]:
    """(J,): each half has so many pictures with the concept, and without it."""
    found = np.ones(presence.shape[1], bool)
    for half in (~held_out, held_out):
        part = presence[half]
        found &= ((part > 0).sum(0) >= least) & ((part <= 0).sum(0) >= least)
    return found


@dataclass(frozen=True)
class Answers:
    """What the neurons, and untrained ones, say about each picture, and which half it is in.

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

    @property
    def held_out(self) -> NDArray[np.bool_]:
        """(P,): judges."""
        return self.probes.held_out


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
    response, held_out = answers.response, answers.held_out
    first, n_first = sure_correlations(response[~held_out], presence[~held_out])
    second, n_second = sure_correlations(response[held_out], presence[held_out])
    untrained, _ = sure_correlations(answers.untrained, presence)
    auc = None
    if binary:
        parts = [aucs(response[half], presence[half], options.threads) for half in (~held_out, held_out)]
        auc = Halves(*parts)
    return SourceTable(
        name=name,
        words=words,
        presence=presence,
        nominees=np.full((response.shape[1], 0), -1, np.int64),
        correlation=Halves(first, second),
        bound=lower_bounds(first, n_first),
        pictures=np.stack([n_first, n_second]),
        relatives=Relatives(presence, binary=binary),
        untrained=untrained.max(0),
        auc=auc,
    )
