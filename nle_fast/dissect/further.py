"""Votes and borrowed words in a dissection: gathered for one layer, ready to compete with the other sources' names."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nle_fast.classifiers import Classifier
from nle_fast.dissect.borrowed import Witness, look_beside, name_by_witness
from nle_fast.dissect.groups import Groups, wnid_at
from nle_fast.dissect.labelled import LabelledPictures
from nle_fast.dissect.offers import Offer
from nle_fast.dissect.options import DissectOptions
from nle_fast.dissect.probe import ProbeSet, content_digest
from nle_fast.dissect.responses import Progress, Responses
from nle_fast.dissect.vote_judge import share_told
from nle_fast.dissect.vote_source import RUNS, Shown, class_of, name_by_votes, votes_of
from nle_fast.labels import Labels
from nle_fast.preprocess import Preprocess, load_picture

__all__ = ["Further", "further_words"]

#: Pictures that mean gradients may be taken over.
GRADIENT_PICTURES = 256
#: As many neurons does an explanation tell.
TOLD = 5


@dataclass(frozen=True)
class Further:
    """Names that votes and a witness offer.

    Attributes:
        offers: Per source, "votes" or "borrowed", one or none per neuron.
        sources: What the record says of each source, as of the other sources.
        told_with_words: Of the five neurons whose votes carry most of the answer, the share that votes give words; None
            without votes or pictures.
    """

    offers: dict[str, list[Offer | None]]
    sources: list[dict[str, Any]]
    told_with_words: float | None = None


def further_words(
    classifier: Classifier,
    preprocess: Preprocess,
    labels: Labels,
    groups: Groups | None,
    witness: Witness | None,
    labelled: LabelledPictures | None,
    probes: ProbeSet,
    responses: Responses | None,
    windows: Sequence[tuple[float, float, float, float]],
    options: DissectOptions,
    *,
    learned: NDArray[np.bool_],
    progress: Progress | None = None,
) -> Further:
    """What votes and the witness call each neuron of a layer.

    Args:
        classifier: Whose layer.
        preprocess: Makes its input.
        labels: Its class names.
        groups: Groups of its classes, to name by votes; None: not by votes.
        witness: Another network; None: no borrowed words.
        labelled: Pictures of known classes, to judge.
        probes: All pictures.
        responses: Of all pictures; None without any.
        windows: What the network sees of each.
        options: Its seed deals the pictures to the two halves.
        learned: (P,) which pictures the features were learned from: they judge no name.
        progress: As of `dissect`.
    """
    half = _halves(probes.paths, options.seed)
    found = Further({}, [])
    told_with_words = None
    probabilities = None
    if witness is not None and responses is not None:
        half = np.where(learned, -1, half)
        seen = look_beside(witness, responses, probes.paths, windows, half, batch=options.batch, progress=progress)
        probabilities = seen.answers
        theirs = np.where(learned, -1, _classes(labelled, witness.labels, witness.groups, probes))
        found.offers["borrowed"] = name_by_witness(seen, witness.groups, responses.means, half, theirs)
        found.sources.append(
            {
                "name": "borrowed",
                "pictures": len(probes),
                "words": len(witness.groups.texts),
                "witness": witness.name,
                "pictures_of_known_class": int((theirs >= 0).sum()),
            }
        )
    if groups is not None:
        votes, how = votes_of(classifier, _activations(classifier, preprocess, probes.paths, options.batch))
        shown = None
        if responses is not None and responses.answers is not None:
            classes = _classes(labelled, labels, groups, probes)
            fresh = ~learned
            shown = Shown(responses.means[fresh], responses.answers[fresh], classes[fresh], half[fresh])
            if witness is not None and probabilities is not None:
                translated = _translated(probabilities, witness.labels, labels)
                shown = shown if translated is None else shown.with_answers(translated[fresh])
        found.offers["votes"] = name_by_votes(votes, groups, shown)
        if shown is not None:
            told_with_words = _told_with_words(votes, shown, found.offers["votes"])
        found.sources.insert(
            0,
            {
                "name": "votes",
                "pictures": len(probes),
                "words": len(groups.texts),
                "groups": groups.source,
                "votes": how,
                "pictures_of_known_class": 0 if shown is None else int((shown.classes >= 0).sum()),
                "classes_by_witness": 0 if shown is None else shown.borrowed,
            },
        )
    return replace(found, told_with_words=told_with_words)


def _told_with_words(votes: NDArray[np.float32], shown: Shown, offers: Sequence[Offer | None]) -> float | None:
    scores = shown.codes * votes[:, shown.answers].T
    order = np.argsort(-scores, axis=1, kind="stable")[:, :TOLD]
    told = np.where(np.take_along_axis(scores, order, 1) > 0, order, -1)
    share = share_told(told, np.array([offer is not None for offer in offers]))
    return round(share, 4) if np.isfinite(share) else None


def _halves(paths: Sequence[Path], seed: int) -> NDArray[np.int64]:
    """(P,) 0 or 1, by seed and name; copies of a picture share a half, or it would judge what it helped to choose."""
    first: dict[str, int] = {}
    half = []
    for path in paths:
        name = f"{seed} {path.name}".encode("utf-8", "surrogateescape")
        half.append(first.setdefault(content_digest(path), zlib.crc32(name) & 1))
    return np.array(half, np.int64)


def _activations(classifier: Classifier, preprocess: Preprocess, paths: Sequence[Path], batch: int) -> list[Any]:
    """Of the first pictures, in batches, for heads whose votes depend on pictures; no more than votes are taken of."""
    if any(getattr(classifier, name, None) is not None for name in ("pooled_weight", "relu_head")):
        return []
    paths = paths[: min(GRADIENT_PICTURES, max(1, RUNS // int(classifier.num_classes)))]
    return [
        classifier.activations(preprocess([load_picture(path) for path in paths[start : start + batch]]))
        for start in range(0, len(paths), batch)
    ]


def _classes(labelled: LabelledPictures | None, labels: Labels, groups: Groups, probes: ProbeSet) -> NDArray[np.int64]:
    """(P,) the class of each picture among these labels; −1 where unknown."""
    classes = np.full(len(probes), -1, np.int64)
    if labelled is not None:
        classes[probes.rows[labelled.name]] = class_of(labelled, labels, groups)
    return classes


def _translated(probabilities: NDArray[np.float32], theirs: Labels, labels: Labels) -> NDArray[np.float32] | None:
    """(P, K) the witness's probabilities of the network's classes, where both know ImageNet's; else None."""
    place = {number: at for at, number in enumerate(wnid_at(theirs.names)) if number}
    own = [(at, place[number]) for at, number in enumerate(wnid_at(labels.names)) if number in place]
    if not own:
        return None
    found = np.zeros((len(probabilities), len(labels)), np.float32)
    to, source = np.array(own).T
    found[:, to] = probabilities[:, source]
    return found
