"""Neurons that never learned anything: what a name must be better than.

A network's first answer to any picture is to its colors, brightness and grain. On pictures where a concept goes with
such things, as grass with green, a neuron of a random network follows the concept too. A name says something about
training only if the neuron follows the concept better than untrained neurons do.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["UNTRAINED", "untrained_responses"]

#: Side in pixels at which they see pictures.
SIDE = 64
#: Channels, kernel and stride of their layers; the first `PASSED` channels of a layer are the next one's input.
LAYERS = ((192, 5, 2), (192, 3, 2), (128, 3, 1))
PASSED = 48
#: How many there are.
UNTRAINED = sum(channels for channels, _, _ in LAYERS)
SEED = 20_260_101


def untrained_responses(
    pictures: Sequence[Image.Image], windows: Sequence[tuple[float, float, float, float]]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean and maximum over the positions, (N, U) each, of three layers of random convolutions with ReLU.

    Args:
        pictures: RGB.
        windows: What the classifier sees of each, (left, top, right, bottom) in pixels.
    """
    from PIL import Image

    seen = [
        np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.BILINEAR, box=window), np.float32) / 127.5 - 1
        for picture, window in zip(pictures, windows, strict=True)
    ]
    values = np.stack(seen)  # (N, y, x, channels)
    means, peaks = [], []
    for (weights, bias), (_, kernel, stride) in zip(_weights(), LAYERS, strict=True):
        around = np.pad(values[..., :PASSED], ((0, 0), (kernel // 2,) * 2, (kernel // 2,) * 2, (0, 0)))
        patches = np.lib.stride_tricks.sliding_window_view(around, (kernel, kernel), (1, 2))[:, ::stride, ::stride]
        flat = patches.reshape(-1, weights.shape[0])
        values = np.maximum(flat @ weights + bias, 0).reshape(*patches.shape[:3], -1)
        means.append(values.mean((1, 2)))
        peaks.append(values.max((1, 2)))
    return np.concatenate(means, 1), np.concatenate(peaks, 1)


@lru_cache(maxsize=1)
def _weights() -> tuple[tuple[NDArray[np.float32], NDArray[np.float32]], ...]:
    """He's initialization, with biases as deep-learning libraries draw them."""
    rng = np.random.default_rng(SEED)
    found, inputs = [], 3
    for channels, kernel, _ in LAYERS:
        fan = inputs * kernel * kernel
        weights = rng.normal(0, np.sqrt(2 / fan), (fan, channels)).astype(np.float32)
        found.append((weights, rng.uniform(-1, 1, channels).astype(np.float32) / np.float32(np.sqrt(fan))))
        inputs = PASSED
    return tuple(found)
