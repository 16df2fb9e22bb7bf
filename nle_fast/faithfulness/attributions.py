"""Maps that say how much each pixel counts: ours from named regions alone, and those that it is compared with.

All maps are (N, h, w) in pixels of the network's input, what it saw of the picture.

| name | map |
|---|---|
| regions | Σ over the named evidence of its share, spread over its regions as its support is; zero elsewhere |
| neurons | Σ over the named evidence of its support, relu(gradient × activation), also beyond the regions' outlines |
| grad-cam | relu(Σ_c mean_hw(gradient_c) × activation_c), interpolated bilinearly |
| input × gradient | Σ over colors of input × gradient |
| random | independent noise, smoothed to the size of a position of the layer |
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nle_fast.classifiers import Classifier, Reading, read
from nle_fast.classifiers.base import as_numpy
from nle_fast.explainer import Explainer
from nle_fast.faithfulness.rankings import relevance_maps

__all__ = [
    "colors_first",
    "grad_cam",
    "input_times_gradient",
    "interpolate",
    "neuron_maps",
    "random_maps",
    "region_maps",
]

Floats = NDArray[np.float64]


def region_maps(reading: Reading, k: int, size: tuple[int, int], threshold: float = 0.5) -> Floats:
    """What an explanation names, as a map: only the regions of its k supporting neurons count.

    Args:
        reading: Of N pictures.
        k: Neurons that the explanation names.
        size: (height, width) of the input.
        threshold: As in `Config`: a region is where the interpolated activation exceeds this share of its maximum.

    Returns:
        (N, height, width): Σ_c share_c × R_c / Σ R_c inside the regions of c, zero elsewhere, with R = relu(gradient ×
        activation): how much of the support lies at a pixel.
    """
    relevance = relevance_maps(reading.activations, reading.gradients)
    scores = relevance.sum((2, 3))
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    maps = as_numpy(reading.activations)
    result = np.zeros((len(maps), *size))
    for n, neurons in enumerate(order):
        total = np.maximum(scores[n], 0).sum()
        for neuron in neurons[scores[n, neurons] > 0]:
            plane = interpolate(maps[n, neuron][None], size)[0]
            peak = float(maps[n, neuron].max())
            if peak > 0:
                support = interpolate(np.maximum(relevance[n, neuron], 0)[None], size)[0]
                share = scores[n, neuron] / total / support.sum()
                result[n] += share * np.where(plane > threshold * peak, support, 0)
    return result


def neuron_maps(reading: Reading, k: int, size: tuple[int, int]) -> Floats:
    """Where the named neurons see what they support the class by, as a map: all of their maps, no other neuron's.

    A region outlines where a neuron is more than half as active as at its peak. What it adds to the logit goes on
    beyond the outline, and falls off; here that counts, so that pixels outside all regions are not a matter of chance.

    Args:
        reading: Of N pictures.
        k: Neurons that the explanation names.
        size: (height, width) of the input.

    Returns:
        (N, height, width): Σ_c relu(gradient × activation) over the k supporting neurons, interpolated bilinearly.
    """
    relevance = relevance_maps(reading.activations, reading.gradients)
    scores = relevance.sum((2, 3))
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    named = np.take_along_axis(relevance, order[:, :, None, None], axis=1)
    supports = np.take_along_axis(scores, order, axis=1) > 0
    return interpolate((np.maximum(named, 0) * supports[:, :, None, None]).sum(1), size)


def grad_cam(reading: Reading, size: tuple[int, int]) -> Floats:
    """Grad-CAM of the explained class, (N, height, width), not normalized.

    Source: Selvaraju et al., "Grad-CAM" (ICCV 2017), equations 1 and 2.
    """
    slopes = as_numpy(reading.gradients).astype(np.float64)
    weights = slopes.mean((2, 3)) if slopes.ndim == 4 else slopes
    cam = np.einsum("nc,nchw->nhw", weights, as_numpy(reading.activations).astype(np.float64))
    return interpolate(np.maximum(cam, 0), size)


def colors_first(explainer: Explainer, images: NDArray[Any]) -> NDArray[Any]:
    """A batch of inputs as (N, 3, height, width), also where the network takes colors last."""
    return images.transpose(0, 3, 1, 2) if explainer.preprocess.layout == "NHWC" else images


def input_times_gradient(at_picture: Classifier, images: Any, target: NDArray[np.int64]) -> Floats:
    """Σ over colors of input × gradient, (N, height, width).

    Args:
        at_picture: The network as `classifiers.cut_at_picture` gives it.
        images: (N, 3, height, width), preprocessed, or (N, height, width, 3) where the network takes colors last.
        target: (N,) classes.

    Source: Shrikumar et al., "Not just a black box" (2016).
    """
    reading = read(at_picture, images, target)
    given = as_numpy(images)
    return np.asarray((as_numpy(reading.gradients).astype(np.float64) * given).sum(1 if given.shape[1] == 3 else 3))


def random_maps(count: int, grid: tuple[int, int], size: tuple[int, int], seed: int) -> Floats:
    """Noise as coarse as the layer's positions: a map that knows nothing but is as smooth as the others."""
    return interpolate(np.random.default_rng(seed).random((count, *grid)), size)


def interpolate(planes: NDArray[Any], size: Sequence[int]) -> Floats:
    """(N, H, W) → (N, height, width), bilinear with the centers of the corner pixels inside, as regions are found.

    The same as torch's `interpolate(mode="bilinear", align_corners=False)`.
    """
    result = np.asarray(planes, np.float64)
    for axis, length in ((1, size[0]), (2, size[1])):
        own = result.shape[axis]
        at = np.clip((np.arange(length) + 0.5) * own / length - 0.5, 0, own - 1)
        low = np.floor(at).astype(np.int64)
        high = np.minimum(low + 1, own - 1)
        part = (at - low).reshape((-1, 1) if axis == 1 else (-1,))
        result = np.take(result, low, axis) * (1 - part) + np.take(result, high, axis) * part
    return result
