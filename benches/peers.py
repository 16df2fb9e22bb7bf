"""The same work done with the field's tools, as their documentation uses them."""

from __future__ import annotations

import importlib
import sys
import types
from collections.abc import Callable
from typing import Any

import cc3d
import cv2
import numpy as np
import torch
from captum.attr import LayerActivation, LayerGradCam, LayerGradientXActivation, LayerLRP
from captum.attr._utils.lrp_rules import IdentityRule
from numpy.typing import NDArray
from scipy import ndimage
from skimage import measure
from torch import nn

__all__ = ["REGION_PEERS", "attributions", "captum_scores", "opencv_regions", "pipeline", "published", "with_stubs"]

Regions = list[list[dict[str, Any]]]
Size = tuple[int, int]


# ---- which neurons speak for the class


def captum_scores(
    network: nn.Module, layer: nn.Module, images: torch.Tensor, k: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Forward, gradient × activation of the winner summed over space, top k, and the k maps."""
    kept = {}
    hook = layer.register_forward_hook(lambda _m, _i, output: kept.update(maps=output.detach()))
    try:
        with torch.no_grad():  # Captum cannot use what inference mode made
            winner = network(images).argmax(1)
    finally:
        hook.remove()
    scores = LayerGradientXActivation(network, layer).attribute(images, target=winner).sum((2, 3))
    values, neurons = scores.detach().topk(k, dim=1)
    return values, neurons, kept["maps"].gather(1, neurons[:, :, None, None].expand(-1, -1, *kept["maps"].shape[2:]))


def published(network: nn.Module, layer: nn.Module, images: torch.Tensor, k: int) -> list[list[tuple[int, list[int]]]]:
    """The steps of the published pipeline: LayerLRP, LayerActivation, largest relevance per map, and a loop over maps.

    Per picture and neuron: which of the nine cells its map is on in. LayerLRP computes the winner's relevance, for
    which the network is run once before.
    """
    relevance = _by_lrp(network, images).detach()
    maps = LayerActivation(network, layer).attribute(images).detach()
    neurons = relevance.amax((2, 3)).topk(k, dim=1).indices
    found = []
    for n in range(len(images)):
        found.append([])
        for neuron in neurons[n].tolist():
            plane = maps[n, neuron]
            on = plane > 0.5 * plane.max()
            rows, columns = (np.array_split(np.arange(side), 3) for side in plane.shape)
            cells = [3 * i + j for i in range(3) for j in range(3) if on[rows[i]][:, columns[j]].any()]
            found[-1].append((neuron, cells))
    return found


def attributions(network: nn.Module, layer: nn.Module, images: torch.Tensor) -> dict[str, Callable[[], object]]:
    """Ways to attribute the winner to the layer's maps; those that cannot be had here are left out."""

    def winner() -> torch.Tensor:
        with torch.inference_mode():
            return network(images).argmax(1)

    ways: dict[str, Callable[[], object]] = {
        "Captum LayerGradientXActivation": lambda: LayerGradientXActivation(network, layer).attribute(
            images, target=winner()
        ),
        "Captum LayerGradCam": lambda: LayerGradCam(network, layer).attribute(images, target=winner()),
        "Captum LayerLRP": lambda: _by_lrp(network, images),
    }
    grad_cam = with_stubs("pytorch_grad_cam")
    if grad_cam is not None:
        ways["pytorch-grad-cam GradCAM"] = lambda: _by_grad_cam(grad_cam, network, layer, images)
    torchcam = with_stubs("torchcam.methods")
    if torchcam is not None:
        ways["torchcam GradCAM"] = lambda: _by_torchcam(torchcam, network, layer, images)
    return ways


def _by_lrp(network: nn.Module, images: torch.Tensor) -> torch.Tensor:
    """Relevance of the input of the pooling that follows the layer: a layer that ends in a ReLU has no rule itself."""
    for module in network.modules():
        if isinstance(module, nn.Identity):  # Captum has no rule of its own for it
            module.rule = IdentityRule()
    with torch.inference_mode():
        winner = network(images).argmax(1)
    return LayerLRP(network, network.pool).attribute(images, target=winner, attribute_to_layer_input=True)


def _by_grad_cam(package: Any, network: nn.Module, layer: nn.Module, images: torch.Tensor) -> object:
    with package.GradCAM(network, [layer]) as cam:
        return cam(images, None)


def _by_torchcam(package: Any, network: nn.Module, layer: nn.Module, images: torch.Tensor) -> object:
    with package.GradCAM(network, target_layer=layer) as cam:
        logits = network(images.clone().requires_grad_())
        return cam(logits.argmax(1).tolist(), logits)


def with_stubs(name: str) -> Any:
    """A package, or None where it is not installed.

    pytorch-grad-cam imports torchvision and scikit-learn for functions that are not measured here; where these
    are not installed, or built for another torch, it is given empty modules under their names while it is imported.
    """
    names = {
        "torchvision": (), "torchvision.transforms": ("Compose", "Normalize", "ToTensor"),
        "torchvision.transforms.functional": ("resize",), "sklearn": (),
        "sklearn.decomposition": ("NMF", "KernelPCA"),
    }  # fmt: skip
    try:
        importlib.import_module("torchvision")
        importlib.import_module("sklearn.decomposition")
        lent = []
    except Exception:  # torchvision for another torch fails with what its operators raise
        lent = [missing for missing in names if missing not in sys.modules]
    for missing in lent:
        module = types.ModuleType(missing)
        for member in names[missing]:
            setattr(module, member, object)
        sys.modules[missing] = module
    try:
        return importlib.import_module(name)
    except ImportError:
        return None
    finally:
        for missing in lent:
            sys.modules.pop(missing, None)


# ---- where its maps are active


def _enlarged(maps: NDArray[np.float32], size: Size, threshold: float):
    for plane in maps:
        large = cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR)
        yield large, large > threshold * plane.max()


def opencv_components(maps: NDArray[np.float32], size: Size, threshold: float = 0.5) -> list[int]:
    """Resize, threshold, connectedComponentsWithStats, and no more: areas, boxes, centroids."""
    found = []
    for plane in maps:
        large = cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR)
        _, on = cv2.threshold(large, threshold * float(plane.max()), 1, cv2.THRESH_BINARY)
        found.append(cv2.connectedComponentsWithStats(on.astype(np.uint8), connectivity=8)[0] - 1)
    return found


def opencv_regions(maps: NDArray[np.float32], size: Size, threshold: float = 0.5) -> Regions:
    """Resize, threshold, label; area, box, centroid, mean, peak and outline of each region of each map."""
    found = []
    for large, on in _enlarged(maps, size, threshold):
        count, labels, stats, centroids = cv2.connectedComponentsWithStats(on.astype(np.uint8), connectivity=8)
        regions = []
        for i in range(1, count):
            left, top, width, height, area = stats[i]
            # Inside its box only, as a careful user would write it.
            cut = (slice(top, top + height), slice(left, left + width))
            mask = (labels[cut] == i).astype(np.uint8)
            regions.append(
                {
                    "area": area / (size[0] * size[1]),
                    "bbox": (left, top, left + width, top + height),
                    "centroid": tuple(centroids[i]),
                    "mean": cv2.mean(large[cut], mask)[0],
                    "peak": cv2.minMaxLoc(large[cut], mask)[1],
                    "outline": _outline(mask) + np.array((left, top)),
                }
            )
        found.append(regions)
    return found


def _outline(mask: NDArray[np.uint8]) -> NDArray[np.int32]:
    return max(cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[0], key=len)[:, 0]


def skimage_regions(maps: NDArray[np.float32], size: Size, threshold: float = 0.5) -> Regions:
    """Resize with OpenCV; label, measure and outline with scikit-image."""
    found = []
    for large, on in _enlarged(maps, size, threshold):
        regions = measure.regionprops(measure.label(on, connectivity=2), large)
        found.append(
            [
                {
                    "area": r.area,
                    "bbox": r.bbox,
                    "centroid": r.centroid,
                    "mean": r.intensity_mean,
                    "peak": r.intensity_max,
                    "outline": measure.find_contours(np.pad(r.image, 1), 0.5),
                }
                for r in regions
            ]
        )
    return found


def scipy_regions(maps: NDArray[np.float32], size: Size, threshold: float = 0.5) -> Regions:
    """Resize with OpenCV; label and measure with scipy.ndimage, outline with OpenCV."""
    found = []
    for large, on in _enlarged(maps, size, threshold):
        labels, count = ndimage.label(on, np.ones((3, 3)))
        each = range(1, count + 1)
        columns = zip(
            ndimage.sum_labels(on, labels, each),
            ndimage.find_objects(labels),
            ndimage.center_of_mass(on, labels, each),
            ndimage.mean(large, labels, each),
            ndimage.maximum(large, labels, each),
            strict=True,
        )
        names = ("area", "bbox", "centroid", "mean", "peak")
        regions = [dict(zip(names, row, strict=True)) for row in columns]
        for i, region in enumerate(regions, 1):
            region["outline"] = _outline((labels[region["bbox"]] == i).astype(np.uint8))
        found.append(regions)
    return found


def cc3d_regions(maps: NDArray[np.float32], size: Size, threshold: float = 0.5) -> Regions:
    """Resize with OpenCV; label and measure with connected-components-3d; mean, peak and outline region by region."""
    found = []
    for large, on in _enlarged(maps, size, threshold):
        labels, count = cc3d.connected_components(on, connectivity=8, return_N=True)
        stats = cc3d.statistics(labels)
        regions = []
        for i in range(1, count + 1):
            box = stats["bounding_boxes"][i]
            mask = labels[box] == i
            values = large[box][mask]
            regions.append(
                {
                    "area": stats["voxel_counts"][i], "bbox": box, "centroid": stats["centroids"][i],
                    "mean": values.mean(), "peak": values.max(), "outline": _outline(mask.astype(np.uint8)),
                }
            )  # fmt: skip
        found.append(regions)
    return found


REGION_PEERS = {
    "OpenCV, same fields": opencv_regions,
    "scikit-image, same fields": skimage_regions,
    "SciPy, same fields": scipy_regions,
    "cc3d, same fields": cc3d_regions,
}


def pipeline(network: nn.Module, layer: nn.Module, images: torch.Tensor, size: Size, k: int) -> list:
    """Captum and OpenCV joined: from preprocessed pictures to scored neurons with regions."""
    values, neurons, maps = captum_scores(network, layer, images, k)
    regions = [opencv_regions(planes, size) for planes in maps.numpy()]
    return list(zip(values.tolist(), neurons.tolist(), regions, strict=True))
