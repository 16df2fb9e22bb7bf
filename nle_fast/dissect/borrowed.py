"""Borrowed words: what another network, that knows many things, sees at the same place.

For networks whose few classes cannot vote. The *witness* says of each position how probable each of its classes is; of
each group of classes that has words the probabilities are added up, brought to the network's own grid, and correlated
with its neurons over all positions of all pictures. A neuron is called after the group that it goes with best.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nle_fast.bundle import Bundle, read_bundle
from nle_fast.classifiers import Classifier, open_classifier
from nle_fast.classifiers.base import as_numpy
from nle_fast.dissect.asked import check_kinds
from nle_fast.dissect.grid import on_grid
from nle_fast.dissect.groups import Groups, groups_of
from nle_fast.dissect.offers import Offer
from nle_fast.dissect.responses import Progress, Responses
from nle_fast.dissect.vote_judge import LEAST_PICTURES, PART, WHOLE, correlations
from nle_fast.errors import InputError, ModelError
from nle_fast.labels import Labels
from nle_fast.opening import check_input_size
from nle_fast.preprocess import Preprocess, load_picture

__all__ = [
    "Seen",
    "Witness",
    "crosswise",
    "look_beside",
    "looks_like",
    "name_by_witness",
    "set_correlations",
]

#: A group is there where its probability reaches this at any position.
THERE = 0.2
#: Pictures of known class from which on labels judge.
ENOUGH = 50


class Witness:
    """A network that tells what it sees at every position.

    Args:
        model: A bundle's folder, an .onnx file, a torch module or a `Classifier`.
        labels: Its class names, as a list or a file; None: the bundle's.
        preprocess: None: the bundle's, else ImageNet's with 224 pixels.
        hierarchy: Groups of its classes, see `groups.groups_of`; None: WordNet's where its labels are ImageNet's.
        device: Where it runs.

    Raises:
        ModelError: Its head has no class maps: neither pooling and a linear map, nor a 1 × 1 convolution, ReLU, mean.
        InputError: Labels are missing, or labels or hierarchy are broken or do not fit.
        ConfigError: An argument is of another kind, or the preprocessing does not fit the network.

    Attributes:
        classifier: The network, cut where its class maps can be read.
        labels: Its class names.
        groups: Sets of its classes that have words.
        preprocess: Makes its input.
        name: What people call it.
    """

    def __init__(
        self,
        model: Any,
        labels: Sequence[str] | str | os.PathLike[str] | None = None,
        preprocess: Preprocess | None = None,
        hierarchy: str | os.PathLike[str] | None = None,
        device: str | None = None,
    ) -> None:
        self.name = os.path.basename(model) if isinstance(model, (str, os.PathLike)) else type(model).__name__
        layer = None
        if isinstance(model, (str, os.PathLike)) and os.path.isdir(model):
            model = read_bundle(model)
        if isinstance(model, Bundle):
            preprocess, labels = preprocess or model.preprocess, model.labels if labels is None else labels
            self.name, layer, model = model.name, model.layer, model.model
        check_kinds(
            preprocess=(preprocess, "an nle_fast.Preprocess", (Preprocess,)),
            hierarchy=(hierarchy, "the path of a .json", (str, os.PathLike)),
        )
        self.preprocess = Preprocess() if preprocess is None else preprocess
        side = self.preprocess.size
        self.classifier: Classifier = open_classifier(model, layer=layer, input_size=(side, side), device=device)
        check_input_size(self.classifier, self.preprocess)
        if labels is None:
            raise InputError(f"`labels` must name the classes of the witness, got none for '{self.name}'; pass them.")
        self.labels = Labels(labels, int(self.classifier.num_classes))
        self.groups: Groups = groups_of(self.labels.names, hierarchy)
        self._weight: NDArray[np.float32] | None = getattr(self.classifier, "pooled_weight", None)
        self._relu = None if self._weight is not None else getattr(self.classifier, "relu_head", None)
        if self._weight is None and self._relu is None:
            raise ModelError(
                f"`witness` must have a head of pooling and one linear map, or of a 1 × 1 convolution, ReLU and mean, "
                f"got '{self.name}' with another one; take another network, on the CPU."
            )
        self._bias: NDArray[np.float32] | None = None

    def look(self, images: Any) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Pictures (N, 3, h, w), its own → class probabilities (N, K, H, W) per position, and logits (N, K).

        softmax(W a(p) + b), with b from the logits of the first pictures; of a head with ReLU the map's is rectified.

        Raises:
            ModelError: They are not finite.
        """
        raw = self.classifier.activations(images)
        logits = as_numpy(self.classifier.logits(raw)).astype(np.float32)
        activations = as_numpy(raw).astype(np.float32, copy=False)
        if self._weight is not None:
            if self._bias is None:
                self._bias = (logits - activations.mean((2, 3)) @ self._weight.T).mean(0)
            maps = np.einsum("kc,ncyx->nkyx", self._weight, activations, optimize=True) + self._bias[:, None, None]
        else:
            assert self._relu is not None
            maps = np.einsum("kc,ncyx->nkyx", self._relu.weight, activations, optimize=True)
            maps = np.maximum(maps + self._relu.bias[:, None, None], 0)
        if not np.isfinite(maps).all() or not np.isfinite(logits).all():
            raise ModelError(f"`witness` must give finite numbers, got NaN or infinity from '{self.name}'; check it.")
        maps = np.exp(maps - maps.max(1, keepdims=True))
        return maps / maps.sum(1, keepdims=True), logits


@dataclass(frozen=True)
class Seen:
    """What network and witness did on P pictures, by half.

    Attributes:
        r: (2, F, S) correlation over the positions of each half.
        both: (F, S) over those of all pictures.
        pictures: (2, S) in how many pictures of each half a group was there.
        answers: (P, K') the witness's class probabilities of the whole picture.
    """

    r: NDArray[np.float32]
    both: NDArray[np.float32]
    pictures: NDArray[np.int64]
    answers: NDArray[np.float32]


def set_correlations(sums: NDArray[np.float64], cross: NDArray[np.float64], neurons: int) -> NDArray[np.float32]:
    """(F, S) Pearson's r from sums (2, F + S) of values and of squares, the count in front, and of products (F, S)."""
    count, values, squares = sums[0, 0], sums[0, 1:], sums[1, 1:]
    if count < 2:
        return np.zeros(cross.shape, np.float32)
    spread = np.sqrt(np.maximum(squares - values**2 / count, 0))
    together = cross - np.outer(values[:neurons], values[neurons:]) / count
    with np.errstate(invalid="ignore", divide="ignore"):
        r = together / np.outer(spread[:neurons], spread[neurons:])
    return np.where(np.isfinite(r), r, 0).astype(np.float32)


def look_beside(
    witness: Witness,
    responses: Responses,
    paths: Sequence[Path],
    windows: Sequence[tuple[float, float, float, float]],
    half: NDArray[np.int64],
    *,
    batch: int = 16,
    progress: Progress | None = None,
) -> Seen:
    """Show the pictures to the witness, too, and correlate what it sees with the network's maps, position by position.

    Args:
        witness: The other network.
        responses: The network's maps of P pictures.
        paths: The pictures.
        windows: What the network sees of each, (left, top, right, bottom) in pixels.
        half: (P,) 0 or 1; −1 for pictures of neither, which only have a say in the name of all together.
        batch: Pictures per run.
        progress: Called with ("witness", done, total).
    """
    sets = witness.groups.sets.astype(np.float32)
    neurons = responses.maps.shape[1]
    sums = np.zeros((3, 2, 1 + neurons + len(sets)))
    cross = np.zeros((3, neurons, len(sets)))
    pictures = np.zeros((3, len(sets)), np.int64)
    answers = []
    for start in range(0, len(paths), batch):
        opened = [load_picture(path) for path in paths[start : start + batch]]
        maps, logits = witness.look(witness.preprocess(opened))
        shares = np.exp(logits - logits.max(1, keepdims=True))
        answers.append(shares / shares.sum(1, keepdims=True))
        for row, picture in enumerate(opened):
            n = start + row
            own = np.asarray(responses.maps[n], np.float32)
            theirs, kept = on_grid(maps[row], own.shape[1:], windows[n], witness.preprocess.window(picture.size))
            seen = sets @ theirs[:, kept]
            values = np.concatenate([own.reshape(neurons, -1)[:, kept], seen])
            side = int(half[n])
            sums[side, :, 0] += kept.sum()
            sums[side, 0, 1:] += values.sum(1)
            sums[side, 1, 1:] += (values.astype(np.float64) ** 2).sum(1)
            cross[side] += values[:neurons] @ seen.T
            if kept.any():
                pictures[side] += seen.max(1) >= THERE
        if progress is not None:
            progress("witness", min(start + batch, len(paths)), len(paths))
    r = np.stack([set_correlations(sums[side], cross[side], neurons) for side in (0, 1)])
    both = set_correlations(sums.sum(0), cross.sum(0), neurons)
    return Seen(r, both, pictures[:2], np.concatenate(answers).astype(np.float32))


def looks_like(words: str) -> str:
    """The name that the words for a group make.

    Example:
        >>> looks_like("dogs")
        'what looks like dogs'
    """
    return f"what looks like {words}"


def crosswise(
    seen: Seen,
    groups: Groups,
    codes: NDArray[np.floating],
    half: NDArray[np.int64],
    classes: NDArray[np.int64] | None = None,
) -> NDArray[np.float64]:
    """(2, F): r, on each half, of the group that the other half chose for a neuron; 0 where it could not be measured.

    Args and rule as of `name_by_witness`; for tables.
    """
    ways = _Ways(seen, groups, np.asarray(codes), half, classes)
    return np.stack([ways.judge(ways.choose(1 - side), side) for side in (0, 1)])


def name_by_witness(
    seen: Seen,
    groups: Groups,
    codes: NDArray[np.floating],
    half: NDArray[np.int64],
    classes: NDArray[np.int64] | None = None,
) -> list[Offer | None]:
    """What each neuron looks like to the witness, chosen on some pictures and judged on others, both ways.

    On each half the group is chosen that goes with the neuron best, of those that are there in three pictures: by the
    mean of two correlations, over the positions, and of the pooled code with what the witness answers to the whole
    picture. The other half judges it: with 50 pictures of known class by Pearson's r of the pooled code and "the class
    is one of these"; with fewer by the correlation with the witness's own maps there, which is kinder. Quality is the
    mean of both measures. The name given is that of all pictures together; it must exceed .2 in the mean, and .15 in
    each half.

    Args:
        seen: As `look_beside` gives it.
        groups: The witness's.
        codes: (P, F) pooled codes, or activations.
        half: (P,) 0 or 1, or −1, as `look_beside` was given them.
        classes: (P,) the picture's class among the *witness's*, −1 where unknown.
    """
    ways = _Ways(seen, groups, np.asarray(codes), half, classes)
    quality = crosswise(seen, groups, codes, half, classes).mean(0)
    final = ways.choose(None)
    each = np.stack([ways.judge(final, side) for side in (0, 1)])
    given = (quality > WHOLE) & (each > PART).all(0) & (final >= 0)
    return [
        Offer(
            name=looks_like(groups.texts[final[neuron]]),
            source="borrowed",
            quality=float(quality[neuron]),
            confidence=float(quality[neuron]),
            told={
                "words": groups.texts[final[neuron]],
                "r": [round(float(value), 4) for value in each[:, neuron]],
                "positions_r": round(float(seen.both[neuron, final[neuron]]), 4),
                "judged": "labels" if ways.by_labels else "the witness's maps",
            },
            pictures=int(ways.known.sum()) if ways.by_labels else int((half >= 0).sum()),
        )
        if given[neuron]
        else None
        for neuron in range(len(given))
    ]


class _Ways:
    """The two halves, each of which may choose or judge."""

    def __init__(
        self,
        seen: Seen,
        groups: Groups,
        codes: NDArray[np.floating],
        half: NDArray[np.int64],
        classes: NDArray[np.int64] | None,
    ) -> None:
        self._seen, self._groups, self._codes, self._half = seen, groups, codes, half
        self._classes = np.full(len(codes), -1, np.int64) if classes is None else classes
        self.known = self._classes >= 0
        self.by_labels = int(self.known.sum()) >= ENOUGH
        self._sums = seen.answers @ groups.sets.T.astype(np.float32)  # (P, S)

    def choose(self, side: int | None) -> NDArray[np.int64]:
        """(F,) the group that goes best with each neuron on one half, or on all pictures; −1 for none."""
        if side is None:
            part, positions = np.ones(len(self._codes), bool), self._seen.both
            there = (self._seen.pictures >= LEAST_PICTURES).all(0)
        else:
            part, positions = self._half == side, self._seen.r[side]
            there = self._seen.pictures[side] >= LEAST_PICTURES
        neurons = self._codes.shape[1]
        if not there.any():
            return np.full(neurons, -1, np.int64)
        values = np.concatenate([np.asarray(self._codes, np.float64)[part], self._sums[part]], 1)
        totals = np.stack([np.append(part.sum(), of.sum(0)) for of in (values, values**2)])
        pooled = set_correlations(totals, values[:, :neurons].T @ values[:, neurons:], neurons)
        chosen: NDArray[np.int64] = np.where(there, positions + pooled, -2).argmax(1)
        return chosen

    def judge(self, chosen: NDArray[np.int64], side: int) -> NDArray[np.float64]:
        """(F,) what the chosen groups are worth on one half; 0 for none."""
        found: NDArray[np.float64]
        if not self.by_labels:
            found = self._seen.r[side][np.arange(len(chosen)), chosen].astype(np.float64)
        else:
            use = self.known & (self._half == side)
            shown = self._groups.sets[chosen][:, self._classes[use]].T
            found = np.nan_to_num(correlations(self._codes[use], shown))
            found[shown.sum(0) < LEAST_PICTURES] = 0
        found[chosen < 0] = 0
        return found
