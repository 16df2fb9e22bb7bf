"""From pictures to the network's input, without torch: the same preprocessing that the bundle carries."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nle_fast import Preprocess
from training.classifier.scenes import SIZE

__all__ = ["MEAN", "PREPROCESS", "STD", "images_of"]

#: x = (pixel / 255 − MEAN) / STD.
MEAN, STD = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)
PREPROCESS = Preprocess(size=SIZE, resize=SIZE, mean=MEAN, std=STD)


def images_of(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(N, H, W, 3) uint8 → (N, 3, H, W) float32."""
    images = (pictures.astype(np.float32) / np.float32(255) - np.float32(MEAN)) / np.float32(STD)
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2))
