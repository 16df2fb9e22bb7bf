"""Votes as a source of words for a layer: read from the head, proposed, and judged on pictures whose class is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nle_fast.classifiers import Classifier
from nle_fast.classifiers.base import as_numpy
from nle_fast.dissect.groups import Groups, wnid_at
from nle_fast.dissect.labelled import LabelledPictures
from nle_fast.dissect.offers import Offer
from nle_fast.dissect.vote_judge import PART, WHOLE, confident_classes, judge_both_ways, strict_names
from nle_fast.dissect.votes import MAX_PARTS, pooled_votes, propose, typical_of
from nle_fast.errors import ConfigError
from nle_fast.labels import Labels

__all__ = ["RUNS", "Shown", "class_of", "mean_gradient_votes", "name_by_votes", "votes_of"]

#: Runs of the head backwards that mean gradients may take.
RUNS = 8192
#: Rows per run.
ROWS = 32
#: An unjudged name that no picture bears out must fit the votes so well.
FIT = 0.25
#: Pictures of known class from which on names are judged.
ENOUGH = 50


@dataclass(frozen=True)
class Shown:
    """What is known of P pictures.

    Attributes:
        codes: (P, F) means over the positions.
        answers: (P,) the network's own answers.
        classes: (P,) the class of each, −1 where unknown.
        half: (P,) 0 or 1.
        borrowed: How many of the classes are another network's confident answers.
    """

    codes: NDArray[np.float32]
    answers: NDArray[np.int64]
    classes: NDArray[np.int64]
    half: NDArray[np.int64]
    borrowed: int = 0

    def with_answers(self, probabilities: NDArray[np.floating]) -> Shown:
        """With another network's answers (P, K) where no class is known and it is sure."""
        classes, theirs = confident_classes(self.classes, probabilities)
        return Shown(self.codes, self.answers, classes, self.half, int(theirs.sum()))


def votes_of(classifier: Classifier, activations: Sequence[Any] = ()) -> tuple[NDArray[np.float32], str]:
    """Votes (F, K) of a layer's neurons, centred over the classes, and how they were found.

    Closed form where the head is pooling + linear (`pooled_weight`), its weights where it is a 1 × 1 convolution to one
    map per class, ReLU and mean (`relu_head`); else the mean gradient over pictures, see `mean_gradient_votes`.

    Args:
        classifier: Whose layer.
        activations: Of pictures, in batches; needed for other heads only.

    Raises:
        ConfigError: The head needs pictures, and there are none.
    """
    weight, neurons = getattr(classifier, "pooled_weight", None), int(classifier.num_neurons)
    if weight is not None:
        return pooled_votes(weight[:, :neurons]), "weights"
    if (head := getattr(classifier, "relu_head", None)) is not None:
        return pooled_votes(head.weight[:, :neurons]), "weights of the class maps"
    if not len(activations):
        raise ConfigError(
            "`votes` must have pictures where the head is not one linear map behind pooling, got none; pass "
            "`labelled`, `masks` or `pictures`."
        )
    votes, count = mean_gradient_votes(classifier, activations)
    return votes, f"mean gradient over {count} pictures"


def mean_gradient_votes(classifier: Classifier, activations: Sequence[Any]) -> tuple[NDArray[np.float32], int]:
    """Mean of ∂z_c / ∂u_j over the positions and pictures at which neuron j is on, centred over the classes.

    Args:
        classifier: Any head.
        activations: Batches (N, C, H, W) of pictures, of which so many are taken as 8,192 runs of the head allow, one
            for each class and picture; one where the gradient does not depend on the picture.

    Returns:
        (F, K), and of how many pictures.
    """
    classes, neurons = int(classifier.num_classes), int(classifier.num_neurons)
    total, on = np.zeros((neurons, classes)), np.zeros((neurons, 1))
    most, seen = max(1, RUNS // classes), 0
    for batch in activations:
        for row in range(len(batch)):
            if seen == most:
                break
            one = batch[row : row + 1]
            active = (as_numpy(one)[0, :neurons] > 0).astype(np.float64)  # (F, H, W)
            seen += 1
            for start in range(0, classes, ROWS):
                index = np.arange(start, min(classes, start + ROWS))
                gradient = as_numpy(classifier.gradients(_repeated(one, len(index)), index))[:, :neurons]
                if gradient.ndim == 2:
                    total[:, index] += gradient.T
                else:
                    total[:, index] += np.einsum("kfyx,fyx->fk", gradient, active)
            if gradient.ndim == 2:
                most, on = seen, np.ones((neurons, 1))
            else:
                on += active.sum((1, 2))[:, None]
    mean = total / np.maximum(on, 1)
    return (mean - mean.mean(1, keepdims=True)).astype(np.float32), seen


def _repeated(one: Any, times: int) -> Any:
    return one.expand(times, *one.shape[1:]) if hasattr(one, "expand") else np.repeat(one, times, 0)


def class_of(labelled: LabelledPictures, labels: Labels, groups: Groups) -> NDArray[np.int64]:
    """(N,) the network's class of each labelled picture; −1 where no label, or several, bear its name.

    A WordNet number decides where the labels are ImageNet's.
    """
    by_number = (
        {number: at for at, number in enumerate(wnid_at(labels.names)) if number} if groups.source == "wordnet" else {}
    )
    names: dict[str, set[int]] = {}
    for at, label in enumerate(labels.names):
        for spelling in {label, *label.split(",")}:
            names.setdefault(spelling.strip().casefold(), set()).add(at)
    found: dict[tuple[str, str | None], int] = {}
    for label, number in set(labelled.classes):
        same = names.get(label.casefold(), set())
        known = by_number.get(number or label)
        found[label, number] = known if known is not None else next(iter(same)) if len(same) == 1 else -1
    return np.array([found[one] for one in labelled.classes], np.int64)


def chance_fit(groups: Groups, draws: int = 400) -> float:
    """What 95 % of random votes stay below in their fit; with few classes, that is nearly all that is possible."""
    votes = np.random.default_rng(0).normal(size=(draws, groups.num_classes)).astype(np.float32)
    return float(np.quantile(propose(votes, groups).fit.max(1), 0.95))


def name_by_votes(votes: NDArray[np.float32], groups: Groups, shown: Shown | None) -> list[Offer | None]:
    """What votes call each neuron.

    With 50 pictures of known class or more: judged, see `vote_judge.judge_both_ways`. With fewer: unjudged, without a
    quality; then the parts are those that the network's own answers on the pictures bear out (r > .15 each, .2
    together), or, without any picture, the whole where it fits the votes with r ≥ .25 and better than chance does.
    """
    texts = groups.texts
    if shown is not None and (shown.classes >= 0).sum() >= ENOUGH:
        judged = judge_both_ways(votes, groups, shown.codes, shown.classes, shown.half, shown.answers)
        proposal, kept = judged.proposal, judged.kept
        quality: list[float | None] = [float(q) if np.isfinite(q) else None for q in judged.quality]
        parts_r, confidence = judged.parts_quality, np.nan_to_num(judged.quality)
    else:
        quality = [None] * len(votes)
        if shown is not None and len(shown.codes):
            own = shown.codes, shown.answers
            strict = strict_names(votes, groups, *own, *own, shown.answers)
            proposal, kept, parts_r = strict.proposal, strict.kept & strict.named[:, None], strict.parts_quality
            confidence = np.nan_to_num(strict.decided)
        else:
            proposal = propose(votes, groups)
            fit = proposal.fit.max(1)
            bar = max(FIT, chance_fit(groups))
            kept, confidence = (proposal.parts >= 0) & (fit >= bar)[:, None], fit
            parts_r = np.full(kept.shape, np.nan)
    offers: list[Offer | None] = []
    for neuron, (row, keep) in enumerate(zip(proposal.parts.tolist(), kept, strict=True)):
        parts = [place for place in range(len(row)) if keep[place]]
        if not parts:
            offers.append(None)
            continue
        members = np.flatnonzero(np.logical_or.reduce([groups.sets[row[place]] for place in parts]))
        told = [
            {
                "words": texts[row[place]],
                "classes": int(groups.sizes[row[place]]),
                "r": round(float(parts_r[neuron, place]), 4) if np.isfinite(parts_r[neuron, place]) else None,
            }
            for place in parts
        ]
        offers.append(
            Offer(
                name=typical_of([texts[row[place]] for place in parts]),
                source="votes",
                quality=quality[neuron],
                confidence=float(confidence[neuron]),
                classes=tuple(members.tolist()) if len(members) <= MAX_PARTS else None,
                pictures=0 if shown is None or quality[neuron] is None else int((shown.classes >= 0).sum()),
                told={
                    "parts": told,
                    "fit": round(float(proposal.fit[neuron].max()), 4),
                    "judged": None if quality[neuron] is None else "labels",
                    "bars": {"whole": WHOLE, "part": PART},
                },
            )
        )
    return offers
