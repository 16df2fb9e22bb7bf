"""Words for learned features by votes, beside the same for the layer's own channels: which of the two says more?"""

from __future__ import annotations

import os
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nle_fast.classifiers import Classifier, FeatureClassifier, Features
from nle_fast.concepts import Concepts
from nle_fast.dissect.groups import groups_of
from nle_fast.dissect.labelled import LabelledPictures
from nle_fast.dissect.offers import Offer
from nle_fast.dissect.vote_source import Shown, class_of, name_by_votes
from nle_fast.features.measure import Measured
from nle_fast.features.tree import centred
from nle_fast.labels import Labels

__all__ = ["VoteWords", "compare_readings"]

Floats = NDArray[np.float32]


class VoteWords:
    """All that names by votes need besides the votes.

    Args:
        labels: Of the network.
        hierarchy: Groups of its classes; None: WordNet's for ImageNet's labels.
        labelled: Pictures of known class; None: none is known.

    Raises:
        InputError: The hierarchy is broken or knows none of the labels.
    """

    def __init__(
        self, labels: Labels, hierarchy: str | os.PathLike[str] | None, labelled: LabelledPictures | None
    ) -> None:
        self.groups = groups_of(labels.names, hierarchy)
        self._class: dict[Path, int] = {}
        if labelled is not None:
            classes = class_of(labelled, labels, self.groups).tolist()
            self._class = {probe.path.resolve(): one for probe, one in zip(labelled.probes, classes, strict=True)}

    def classes_of(self, paths: Sequence[Path]) -> NDArray[np.int64]:
        """The network's class of each picture; −1 where it is not known."""
        return np.array([self._class.get(path.resolve(), -1) for path in paths], np.int64)

    def names(self, votes: Floats, found: Measured, paths: Sequence[Path]) -> list[Offer | None]:
        """A name or none for each of F neurons with votes (F, classes), by what was measured on these pictures."""
        classes = self.classes_of(paths)
        half = np.array([zlib.crc32(path.name.encode("utf-8", "surrogateescape")) & 1 for path in paths], np.int64)
        return name_by_votes(votes, self.groups, Shown(found.pooled, found.winner, classes, half))


def compare_readings(
    held: dict[str, Measured],
    words: VoteWords | None,
    classifier: Classifier,
    features: Features,
    rows: Floats,
    paths: Sequence[Path],
) -> tuple[dict[str, Any], Concepts | None]:
    """Both readings of a layer on pictures held out, and the words of the features.

    The features are better where their five, hidden, lower the logit at least as far as the channels' five, and no
    smaller a part of what is told has words. Else the layer's own neurons are: they are simpler.

    Args:
        held: Figures of "features" and "channels"; empty without pictures held out.
        words: None: no class names are known.
        classifier: The network, cut at the layer.
        features: Of this layer.
        rows: (classes, C), what each class's logit gains per channel.
        paths: The pictures held out, as they were measured.

    Returns:
        For JSON: "neurons" and "features" → `named`, `told_with_words` (share of the five told), `five`, `drop`; and
        "better". The table of the features' words; None without class names.
    """
    own = centred(rows)
    votes = {"channels": own.T, "features": features.decoder @ own.T}
    offers: dict[str, list[Offer | None]] = {}
    if words is not None:
        nothing = Measured({}, {}, np.zeros((0, 0), np.float32), np.zeros((0, 5), np.int64), np.zeros(0, np.int64))
        for what, ballots in votes.items():
            if held:
                offers[what] = words.names(np.ascontiguousarray(ballots, np.float32), held[what], paths)
            elif what == "features":
                offers[what] = words.names(np.ascontiguousarray(ballots, np.float32), nothing, [])
    known = (("neurons", "channels"), ("features", "features")) if held else ()
    readings: dict[str, Any] = {name: _reading(held[what], offers.get(what)) for name, what in known}
    readings["better"] = _better(readings)
    if "features" not in offers:
        return readings, None
    return readings, _table(offers["features"], classifier, features)


def _reading(found: Measured, offers: Sequence[Offer | None] | None) -> dict[str, Any]:
    told = found.told[found.told >= 0]
    named = np.array([offer is not None for offer in offers or [None] * found.pooled.shape[1]])
    return {
        "named": int(named.sum()),
        "told_with_words": round(float(named[told].mean()), 4) if len(told) else 0.0,
        "five": round(float(found.figures["five"] or 0), 4),
        "drop": round(float(found.figures["drop"] or 0), 4),
    }


def _better(readings: dict[str, Any]) -> str:
    if len(readings) < 2:
        return "features"
    neurons, features = readings["neurons"], readings["features"]
    worse = features["drop"] < neurons["drop"] or features["told_with_words"] < neurons["told_with_words"]
    return "neurons" if worse else "features"


def _table(offers: Sequence[Offer | None], classifier: Classifier, features: Features) -> Concepts:
    through = FeatureClassifier(classifier, features)
    return Concepts(
        tuple(None if offer is None else offer.name for offer in offers),
        tuple(None if offer is None else offer.quality for offer in offers),
        classifier.layer,
        getattr(through, "fingerprint", None),
        0.0,
        tuple(None if offer is None else offer.source for offer in offers),
        tuple(None if offer is None else offer.classes for offer in offers),
    )
