"""The meaning representation: from scored neurons to what will be said.

Nothing is dropped because it looks odd for the class: odd evidence is what a reader must see. Only a neuron that does
not speak for its side at all (a score of zero or of the other sign) is not evidence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from nle_fast.config import Style
from nle_fast.ops import Place, find_winner
from nle_fast.schema import Evidence, EvidenceKind, Meaning, Prediction

__all__ = ["build_meaning", "gather_evidence", "read_prediction"]


def read_prediction(logits: NDArray[np.float32], labels: Sequence[str], index: int | None = None) -> Prediction:
    """A class as the classifier sees it.

    Args:
        logits: (K,) finite.
        labels: K names.
        index: The class; None: the winner, of equal logits the lowest.
    """
    winner, probability = find_winner(logits, index)
    label = winner if index is None else int(index)
    return Prediction(label, labels[label], probability, float(logits[label]))


def gather_evidence(
    values: NDArray[np.float32],
    neurons: NDArray[np.int64],
    total: float,
    places: Sequence[Place],
    words: Callable[[int], tuple[str | None, float | None, str | None]],
    num_supporting: int,
    kind: EvidenceKind = "neuron",
) -> tuple[Evidence, ...]:
    """Put together what each chosen neuron of one picture says.

    Args:
        values: (k',) scores: the supporting ones by falling score, then the opposing ones by rising score.
        neurons: (k',) their channels.
        total: Σ_j max(score_j, 0) over all neurons of the layer, the unit of the shares.
        places: Per neuron its regions, the names of their positions, and the words of `PLACES` for them.
        words: From a neuron to its concept (None: its number is said), the concept's quality, and words that are not
            trusted.
        num_supporting: How many of the k' were chosen as supporting.
        kind: What the neurons are.

    Returns:
        One `Evidence` per neuron with a score of its side's sign, in the given order.
    """
    evidence = []
    for rank, (value, neuron) in enumerate(zip(values.tolist(), neurons.tolist(), strict=True)):
        supports = rank < num_supporting
        if value == 0 or (value > 0) != supports:
            continue
        concept, quality, loosely = words(neuron)
        regions, positions, where = places[rank]
        # Without any support the unit of the shares is zero; opposing evidence then has no share of it.
        share = value / total if total > 0 else 0.0
        evidence.append(
            Evidence(neuron, concept, quality, value, share, supports, positions, regions, loosely, kind, places=where)
        )
    return tuple(evidence)


def build_meaning(
    winner: Prediction,
    target: Prediction,
    versus: Prediction | None,
    evidence: tuple[Evidence, ...],
    layer: str,
    style: Style,
) -> Meaning:
    """Say what will be said, in no words yet.

    Args:
        winner: The network's own answer.
        target: The class to explain.
        versus: The class that it is told apart from, or None.
        evidence: As `gather_evidence` returns it.
        layer: Name of the layer that the neurons belong to.
        style: Decides which facts the text states.

    Returns:
        The meaning representation; its coverage is the sum of the supporting shares, at most 1.

    Source: `share` and `coverage` as in the formulas of "Faithful and Plausible Natural Language Explanations for Image
    Classification" made additive: signed sums of gradient × activation (this project).
    """
    coverage = min(1.0, sum(item.share for item in evidence if item.supports))
    return Meaning(target, versus, evidence, coverage, layer, style, winner=target.index == winner.index)
