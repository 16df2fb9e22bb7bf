"""All that the pipeline asks of a network and of the scoring, in one step for classifiers that offer one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nle_fast.classifiers.base import (
    Classifier,
    beside_rest,
    check_classes,
    check_images,
    check_logits,
    check_rivals,
    narrow,
    read,
    read_class_maps,
    read_codes,
)
from nle_fast.errors import InputError
from nle_fast.ops.scoring import TopNeurons, finite_top, score_neurons
from nle_fast.timing import Laps

__all__ = ["Look", "look"]


class Look(NamedTuple):
    """What one look at a batch of N pictures gives.

    Attributes:
        logits: (N, K) float32.
        class_index: (N,) int64, the class that is explained.
        top: The strongest neurons.
        activations: (N, C, H, W), NumPy or torch; may be None where they were not asked for.
        class_maps: (N, K, H, W) as `remove_neurons` takes them; None where they were not asked for, or there are none.
        rest: (N,) float32, the signed score of what no neuron explains; None where the classifier has no rest.
    """

    logits: NDArray[np.float32]
    class_index: NDArray[np.int64]
    top: TopNeurons
    activations: Any
    class_maps: Any = None
    rest: NDArray[np.float32] | None = None


def look(
    classifier: Classifier,
    images: Any,
    target: ArrayLike | None,
    versus: ArrayLike | None,
    k: int,
    reduce: str,
    sign: str,
    laps: Laps,
    *,
    keep_activations: bool = False,
) -> Look:
    """`read` and `score_neurons` one after the other, or together.

    A network on a GPU does both before the host waits for it once; its lap "score" is then part of "classify".

    Args:
        classifier: Any; one that has a `look` which is not None is asked for all at once.
        images: As of `read`; so are `target`, `versus`.
        target: Classes to explain.
        versus: Classes to compare with.
        k: As of `score_neurons`, at most C; so are `reduce`, `sign`.
        reduce: Which score.
        sign: Which neurons.
        laps: Where the laps "classify" and "score" end.
        keep_activations: Are the activations asked for, and the class maps?

    Raises:
        InputError, ModelError, BackendError: As `read` and `score_neurons`.
    """
    joint = getattr(classifier, "look", None)
    if joint is None:
        if getattr(classifier, "num_rest", 0):
            return _look_beside_rest(classifier, images, target, versus, (k, reduce, sign), laps, keep_activations)
        if keep_activations:
            reading, maps = read_class_maps(classifier, images, target, versus)
        else:
            reading, maps = read(classifier, images, target, versus), None
        laps.end("classify")
        top = score_neurons(narrow(reading.activations), narrow(reading.gradients), k, reduce, sign)
        laps.end("score")
        return Look(reading.logits, reading.class_index, top, reading.activations, maps)
    count, classes = check_images(images), int(classifier.num_classes)
    rivals = check_classes("versus", versus, count, classes)
    scoring = (k, reduce == "max", sign != "opposing", sign != "supporting")
    seen = joint(
        images, check_classes("target", target, count, classes), rivals, scoring, keep_activations=keep_activations
    )
    logits = check_logits(seen.logits, count, classes, images)
    check_rivals(rivals, seen.class_index)
    laps.end("classify")
    top = finite_top(seen.found)
    laps.end("score")
    return Look(logits, seen.class_index, top, seen.activations)


def _look_beside_rest(
    classifier: Classifier,
    images: Any,
    target: ArrayLike | None,
    versus: ArrayLike | None,
    asked: tuple[int, str, str],
    laps: Laps,
    keep_activations: bool,
) -> Look:
    """`look` at a classifier with a rest, whose score counts among the support where it is positive."""
    activations = maps = None
    if keep_activations:
        reading, maps = read_class_maps(classifier, images, target, versus)
        activations, seen = reading.activations, beside_rest(classifier, reading)
    else:
        seen = read_codes(classifier, images, target, versus)
    laps.end("classify")
    if not np.isfinite(seen.rest).all():  # NaN has no code, so that it is in the rest alone
        picture = int(np.flatnonzero(~np.isfinite(seen.rest))[0])
        raise InputError(
            f"`activations` × `gradients` must be finite, got a value that is not finite in picture {picture}; look "
            "for NaN in the picture or the weights, or for overflow in half precision."
        )
    if seen.scores is None:
        top = score_neurons(narrow(seen.codes), narrow(seen.gradients), *asked)
    else:
        top = score_neurons(seen.scores[:, :, None, None], np.ones_like(seen.scores), *asked)
        top = replace(top, maps=seen.codes[np.arange(len(seen.codes))[:, None], top.neurons])
    laps.end("score")
    total = top.total + np.maximum(seen.rest, 0)
    return Look(seen.logits, seen.class_index, replace(top, total=total), activations, maps, seen.rest)
