"""The same work done with the field's tools: Captum's gradient × activation, OpenCV's connected components."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from captum.attr import LayerGradientXActivation
from numpy.typing import NDArray
from torch import nn

__all__ = ["captum_scores", "opencv_regions", "pipeline"]


def captum_scores(
    network: nn.Module, layer: nn.Module, images: torch.Tensor, k: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Forward, gradient × activation of the winner summed over space, top k, and the k maps."""
    kept = {}
    hook = layer.register_forward_hook(lambda _m, _i, output: kept.update(maps=output.detach()))
    try:
        with torch.inference_mode():
            winner = network(images).argmax(1)
    finally:
        hook.remove()
    scores = LayerGradientXActivation(network, layer).attribute(images, target=winner).sum((2, 3))
    values, neurons = scores.detach().topk(k, dim=1)
    return values, neurons, kept["maps"].gather(1, neurons[:, :, None, None].expand(-1, -1, *kept["maps"].shape[2:]))


def opencv_regions(maps: NDArray[np.float32], size: tuple[int, int], threshold: float = 0.5) -> list[list[dict]]:
    """Resize, threshold, label; area, box, centroid, mean, peak and outline of each region of each map."""
    found = []
    for plane in maps:
        large = cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR)
        on = (large > threshold * plane.max()).astype(np.uint8)
        count, labels, stats, centroids = cv2.connectedComponentsWithStats(on, connectivity=8)
        regions = []
        for i in range(1, count):
            left, top, width, height, area = stats[i]
            # Inside its box only, as a careful user would write it.
            cut = (slice(top, top + height), slice(left, left + width))
            mask = (labels[cut] == i).astype(np.uint8)
            mean = cv2.mean(large[cut], mask)[0]
            peak = cv2.minMaxLoc(large[cut], mask)[1]
            outline = max(cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[0], key=len)
            regions.append(
                {
                    "area": area / (size[0] * size[1]),
                    "bbox": (left, top, left + width, top + height),
                    "centroid": tuple(centroids[i]),
                    "mean": mean,
                    "peak": peak,
                    "outline": outline[:, 0] + (left, top),
                }
            )
        found.append(regions)
    return found


def pipeline(network: nn.Module, layer: nn.Module, images: torch.Tensor, size: tuple[int, int], k: int) -> list:
    """Captum and OpenCV joined: from preprocessed pictures to scored neurons with regions."""
    values, neurons, maps = captum_scores(network, layer, images, k)
    regions = [opencv_regions(planes, size) for planes in maps.numpy()]
    return list(zip(values.tolist(), neurons.tolist(), regions, strict=True))
