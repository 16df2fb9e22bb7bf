"""For Quantus: our named regions as the attributions that its metrics ask for."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nle_fast.classifiers import Classifier, neurons_of, open_classifier, read
from nle_fast.classifiers.base import as_numpy
from nle_fast.faithfulness.attributions import region_maps

__all__ = ["explain_func"]


def explain_func(
    model: Any,
    inputs: Any,
    targets: Any,
    *,
    classifier: Classifier | None = None,
    layer: str | None = None,
    k: int = 5,
    threshold: float = 0.5,
    **options: Any,
) -> NDArray[np.float64]:
    """Maps of what an explanation of each picture names; pass it as `explain_func` to any Quantus metric.

    Args:
        model: A `torch.nn.Module`, opened anew on each call, so that metrics that change its weights see the change.
        inputs: (N, 3, h, w), preprocessed.
        targets: (N,) classes to explain.
        classifier: An open one to be used instead of the model, faster where its weights stay as they are.
        layer: As in `Explainer`.
        k: Neurons that are named.
        threshold: Of regions.
        options: What Quantus passes along (device, batch size, …); not used.

    Returns:
        (N, 1, h, w), zero outside the named regions.

    Example:
        `quantus.FaithfulnessCorrelation(...)(model, x, y, explain_func=explain_func)`
    """
    images = np.asarray(as_numpy(inputs), np.float32)
    size = (int(images.shape[2]), int(images.shape[3]))
    opened = open_classifier(model, layer=layer, input_size=size) if classifier is None else classifier
    reading = read(opened, images, np.asarray(as_numpy(targets), np.int64))
    return region_maps(neurons_of(opened, reading), k, size, threshold)[:, None]
