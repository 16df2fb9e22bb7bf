"""The meaning representation: from scored neurons to what will be said.

Nothing is dropped because it looks odd for the class: odd evidence is what a reader must see. Only a neuron that does
not speak for its side at all (a score of zero or of the other sign) is not evidence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from nle_fast.config import Config
from nle_fast.ops import Place, find_winner
from nle_fast.schema import Certainty, Evidence, EvidenceKind, Joined, Meaning, Prediction

__all__ = ["build_meaning", "gather_evidence", "part_seen", "read_prediction", "read_runner_up"]

#: Evidence of a smaller share, for or against, is only counted.
SMALL = 0.02
#: Where the network saw less of the picture than this, that is told.
SEEN = 0.5


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


def read_runner_up(logits: NDArray[np.float32], labels: Sequence[str]) -> Prediction | None:
    """The class next to the winner; of equal logits the lowest; None where there is only one class.

    Args:
        logits: (K,) finite.
        labels: K names.
    """
    if len(logits) < 2:
        return None
    others = logits.copy()
    others[logits.argmax()] = -np.inf
    return read_prediction(logits, labels, int(others.argmax()))


def part_seen(window: tuple[float, float, float, float], size: tuple[int, int]) -> float | None:
    """The fraction of a picture that the network saw, where it is less than half; else None.

    Args:
        window: (left, top, right, bottom) of what it saw, in pixels of the picture.
        size: (width, height) of the picture.
    """
    left, top, right, bottom = window
    across = max(0.0, min(right, size[0]) - max(left, 0.0))
    down = max(0.0, min(bottom, size[1]) - max(top, 0.0))
    seen = across * down / (size[0] * size[1])
    return seen if seen < SEEN else None


def gather_evidence(
    values: NDArray[np.float32],
    neurons: NDArray[np.int64],
    total: float,
    places: Sequence[Place],
    words: Callable[[int], tuple[str | None, float | None, str | None, bool]],
    num_supporting: int,
    kind: EvidenceKind = "neuron",
) -> tuple[Evidence, ...]:
    """Put together what each chosen neuron of one picture says.

    Args:
        values: (k',) scores: the supporting ones by falling score, then the opposing ones by rising score.
        neurons: (k',) their channels.
        total: Σ_j max(score_j, 0) over all neurons of the layer, the unit of the shares.
        places: Per neuron its regions, the names of their positions, and the words of `PLACES` for them.
        words: From a neuron to its concept (None: none is known), the concept's quality, words that are not trusted,
            and whether the concept was judged on pictures.
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
        concept, quality, loosely, judged = words(neuron)
        regions, positions, where, _ = places[rank]
        # Without any support the unit of the shares is zero; opposing evidence then has no share of it.
        share = value / total if total > 0 else 0.0
        evidence.append(
            Evidence(neuron, concept, quality, value, share, supports, positions, regions, loosely, kind, judged, where)
        )
    return tuple(evidence)


def build_meaning(
    winner: Prediction,
    target: Prediction,
    versus: Prediction | None,
    evidence: tuple[Evidence, ...],
    layer: str,
    config: Config,
    *,
    runner_up: Prediction | None = None,
    unexplained: float = 0.0,
    seen: float | None = None,
    together: Callable[[Sequence[Evidence]], tuple[str, ...]] | None = None,
) -> Meaning:
    """Say what will be said, in no words yet.

    In plain and short style pieces of a share below .02 are only counted, never all: the first is always told; and
    pieces of one side with the same words, or without any, are one thing, whose place is that of all of them. In
    plain style the network's own answer is told with a word for how sure it is, see `Config`. It hesitates only where
    its own answer is explained, and not beside a third class.

    Args:
        winner: The network's own answer.
        target: The class to explain.
        versus: The class that it is told apart from, or None.
        evidence: As `gather_evidence` returns it.
        layer: Name of the layer that the neurons belong to.
        config: Style, which decides which facts the text states, and limits of the words for certainty.
        runner_up: The class next to the network's own answer; None where it knows only one.
        unexplained: Signed share of what no feature explains.
        seen: Fraction of the picture that the network saw, where that is to be told.
        together: From pieces of evidence to words of `PLACES` for where they lie together; None: each tells its own.

    Returns:
        The meaning representation; its coverage is the sum of the supporting shares that are told, at most 1.

    Source: `share` and `coverage` as in the formulas of "Faithful and Plausible Natural Language Explanations for Image
    Classification" made additive: signed sums of gradient × activation (this project).
    """
    own, style = target.index == winner.index, config.style
    # Without any support shares have no unit and are zero, which does not make them small.
    small = [rank > 0 and 0 < abs(item.share) < SMALL and style != "expert" for rank, item in enumerate(evidence)]
    told = [item for item, is_small in zip(evidence, small, strict=True) if not is_small]
    counted = tuple(rank for rank, is_small in enumerate(small) if is_small)
    rival = runner_up if own and versus is None else None
    return Meaning(
        target=target,
        versus=versus,
        evidence=evidence,
        coverage=min(1.0, sum(item.share for item in told if item.supports)),
        layer=layer,
        style=style,
        winner=own,
        answer=None if own else winner,
        certainty=_certainty(winner, rival, config) if style == "plain" else None,
        runner_up=runner_up,
        unexplained=unexplained,
        joined=_joined(evidence, counted, together) if together is not None and style != "expert" else (),
        counted=counted,
        seen=seen,
    )


def _joined(
    evidence: Sequence[Evidence], counted: Sequence[int], together: Callable[[Sequence[Evidence]], tuple[str, ...]]
) -> tuple[Joined, ...]:
    """What has the same words, or like it none, of each side as one thing."""
    alike: dict[tuple[bool, str | None], list[int]] = {}
    for rank, item in enumerate(evidence):
        if rank not in counted:
            alike.setdefault((item.supports, item.concept), []).append(rank)
    several = [tuple(ranks) for ranks in alike.values() if len(ranks) > 1]
    return tuple(Joined(ranks, together([evidence[rank] for rank in ranks])) for ranks in several)


def _certainty(answer: Prediction, rival: Prediction | None, config: Config) -> Certainty:
    if rival is not None and rival.probability >= config.hesitates * answer.probability:
        return "hesitates"
    if answer.probability >= config.certain:
        return "certain"
    if answer.probability >= config.quite_sure:
        return "quite sure"
    return "thinks" if answer.probability >= config.thinks else "guesses"
