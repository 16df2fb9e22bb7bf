"""Pointing: does a named neuron light up where its words say it does? Against masks, in the world or in photos."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nle_fast.classifiers import neurons_of, read
from nle_fast.classifiers.base import as_numpy
from nle_fast.errors import InputError
from nle_fast.explainer import Explainer
from nle_fast.faithfulness.attributions import colors_first, grad_cam, interpolate
from nle_fast.faithfulness.masking import Progress
from nle_fast.faithfulness.rankings import signed_scores
from nle_fast.faithfulness.statistics import difference_interval, mean_interval
from nle_fast.preprocess import Picture, load_picture

__all__ = ["measure_pointing", "world_cases"]

POINTERS = ("neuron", "grad-cam", "center", "random")
Masks = Mapping[str, NDArray[np.bool_]]


def measure_pointing(
    explainer: Explainer,
    cases: Iterable[tuple[Picture, Masks]],
    count: int,
    *,
    k: int = 5,
    threshold: float = 0.5,
    seed: int = 0,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Pointing game and region IoU of the named concepts of each picture's explanation.

    Of each named neuron whose words are those of a mask of the picture (its concept, or the concept's last word) it is
    asked whether its strongest pixel lies in the mask, and how well its region (above `threshold` of its maximum)
    overlaps it. The same is asked of Grad-CAM, of the picture's center and of a random pixel, with the same masks.

    Args:
        explainer: With concepts.
        cases: Pictures with their masks by name, (height, width) of the network's input each.
        count: Number of cases, for `progress`.
        k: Neurons that are named.
        threshold: Of regions.
        seed: Of the random pixels and of the bootstrap.
        progress: Told how many pictures are done.

    Returns:
        For JSON: "hits" and "iou" → pointer → interval over pictures, each picture's evidence averaged; "differences"
        from the neuron's; "evidence": how many were asked; "unmasked": how many named concepts had no mask there.

    Raises:
        InputError: The explainer has no concepts.

    Source: Zhang et al., "Top-down neural attention by excitation backprop" (ECCV 2016), without their tolerance.
    """
    if explainer.concepts is None:
        raise InputError("`explainer` must have concepts to be asked where they are, got none; pass concepts.")
    chance = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    asked = unmasked = 0
    for n, (picture, masks) in enumerate(cases):
        images = np.asarray(explainer.preprocess([load_picture(picture)]), np.float32)
        reading = read(explainer.classifier, images)
        size = colors_first(explainer, images).shape[2:]
        neurons = neurons_of(explainer.classifier, reading)
        scores = signed_scores(neurons.activations, neurons.gradients)[0]
        order = np.argsort(-scores, kind="stable")[:k]
        cam = grad_cam(reading, size)[0]
        hits: dict[str, list[float]] = {pointer: [] for pointer in POINTERS}
        ious: dict[str, list[float]] = {"neuron": [], "grad-cam": []}
        for neuron in order[scores[order] > 0]:
            concept = explainer.concepts[int(neuron)]
            mask = _mask_of(concept.name if concept.trusted else None, masks)
            if mask is None:
                unmasked += concept.trusted
                continue
            asked += 1
            plane = interpolate(as_numpy(neurons.activations)[0, neuron][None], size)[0]
            points = {
                "neuron": int(plane.argmax()),
                "grad-cam": int(cam.argmax()),
                "center": size[0] // 2 * size[1] + size[1] // 2,
                "random": int(chance.integers(plane.size)),
            }
            for pointer, at in points.items():
                hits[pointer].append(float(mask.ravel()[at]))
            for pointer, values in (("neuron", plane), ("grad-cam", cam)):
                ious[pointer].append(_iou(values > threshold * values.max(), mask))
        if hits["neuron"]:
            rows.append(
                {
                    "hits": {pointer: float(np.mean(found)) for pointer, found in hits.items()},
                    "iou": {pointer: float(np.mean(found)) for pointer, found in ious.items()},
                }
            )
        if progress is not None:
            progress("point", n + 1, count)
    result: dict[str, Any] = {"count": len(rows), "evidence": asked, "unmasked": unmasked, "differences": {}}
    for what in ("hits", "iou") if rows else ():
        columns = {pointer: np.array([row[what][pointer] for row in rows]) for pointer in rows[0][what]}
        result[what] = {pointer: mean_interval(column, seed=seed).to_dict() for pointer, column in columns.items()}
        result["differences"][what] = {
            pointer: difference_interval(columns["neuron"], column, seed=seed).to_dict()
            for pointer, column in columns.items()
            if pointer != "neuron"
        }
    return result | {"raw": rows}


def world_cases(count: int, size: int, first_seed: int = 8_500_000) -> Iterable[tuple[Picture, Masks]]:
    """Scenes of the drawn world with the masks of their parts."""
    from nle_fast.world import Scene

    for n in range(count):
        scene = Scene.random(first_seed + n, size)
        yield scene.picture, scene.parts


def _mask_of(words: str | None, masks: Masks) -> NDArray[np.bool_] | None:
    if words is None:
        return None
    name = words if words in masks else words.split()[-1]
    mask = masks.get(name)
    return mask if mask is not None and mask.any() else None


def _iou(on: NDArray[np.bool_], mask: NDArray[np.bool_]) -> float:
    return float((on & mask).sum() / max((on | mask).sum(), 1))
