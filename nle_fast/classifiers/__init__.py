"""Networks as classifiers, cut at one layer: torch modules, ONNX files, or any object with the members of one.

Torch and ONNX Runtime are imported when the first network of their kind is opened.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

from nle_fast.classifiers.base import (
    MEMBERS,
    Classifier,
    Reading,
    check_activations,
    check_logits,
    narrow,
    neurons_of,
    num_channels,
    of_neurons,
    read,
    read_class_maps,
)
from nle_fast.classifiers.features import FeatureClassifier, Features
from nle_fast.classifiers.looking import Look, look
from nle_fast.classifiers.masking import masked_logits, zeroed_logits
from nle_fast.classifiers.picture_cut import cut_at_picture
from nle_fast.classifiers.removal import Removal, remove_neurons
from nle_fast.errors import InputError, LayerNotFoundError, ModelError

__all__ = [
    "Classifier",
    "FeatureClassifier",
    "Features",
    "Look",
    "Reading",
    "Removal",
    "check_activations",
    "check_logits",
    "cut_at_picture",
    "look",
    "masked_logits",
    "narrow",
    "neurons_of",
    "num_channels",
    "of_neurons",
    "open_classifier",
    "open_features",
    "read",
    "read_class_maps",
    "remove_neurons",
    "zeroed_logits",
]

WEIGHTS = {".pt", ".pth", ".th", ".bin", ".ckpt", ".safetensors", ".pkl", ".h5", ".keras", ".npz"}


def open_classifier(
    model: Any, *, layer: str | None = None, input_size: tuple[int, int] = (224, 224), device: Any = None
) -> Classifier:
    """The classifier for whatever a user passes as a network.

    Args:
        model: A `torch.nn.Module`, the path of an .onnx file, or an object with the members of `Classifier`, which is
            returned as it is.
        layer: Where to cut: torch module name or ONNX tensor name; None: the last 4-D activation that is a cut.
        input_size: (height, width) of the pictures, for a torch module.
        device: Where to run; None: where the module is, and the CPU for an ONNX file.

    Raises:
        InputError: `layer` is not the one of a ready classifier.
        ModelError: `model` is missing or nothing that can be opened; names what it is and what to pass.
        LayerNotFoundError: The network has no such layer.
    """
    if layer is not None and not isinstance(layer, str):
        raise LayerNotFoundError(f"`layer` must be a layer's name or None, got {layer!r}; pass its name as text.")
    torch = sys.modules.get("torch")  # Who has a module has imported torch.
    if torch is not None and isinstance(model, torch.nn.Module):
        from nle_fast.classifiers.torch.model import TorchClassifier

        return TorchClassifier(model, layer, input_size=input_size, device=device)
    if isinstance(model, (str, os.PathLike)):
        path = _checked_path(Path(model))
        from nle_fast.classifiers.onnx.model import OnnxClassifier

        opened: Classifier = OnnxClassifier(path, layer, device=device)
        return opened
    missing = [member for member in MEMBERS if not hasattr(model, member)]
    if missing or isinstance(model, type):
        raise ModelError(
            "`model` must be a torch.nn.Module, the path of an .onnx file, or an object with the members of "
            f"nle_fast.Classifier, got {type(model).__name__} without {', '.join(missing) or 'an instance'}; "
            "pass one of these."
        )
    if layer is not None and layer != model.layer:
        raise InputError(
            f"`layer` must be None or {model.layer!r}, the layer of the classifier that was passed, got {layer!r}; "
            "make the classifier with that layer."
        )
    ready: Classifier = model
    numbers = (ready.num_neurons, ready.num_classes)
    rest = getattr(ready, "num_rest", 0)
    if isinstance(rest, bool) or not isinstance(rest, (int, np.integer)) or rest < 0:
        raise ModelError(f"`model` must have a whole number from 0 as `num_rest`, or none, got {rest!r}; mend it.")
    if not isinstance(ready.layer, str) or not all(isinstance(n, (int, np.integer)) and n > 0 for n in numbers):
        raise ModelError(
            "`model` must have a text as `layer` and positive whole numbers as `num_neurons` and `num_classes`, "
            f"got {ready.layer!r}, {numbers[0]!r} and {numbers[1]!r}; mend the members of {type(model).__name__}."
        )
    return ready


def open_features(classifier: Classifier, features: Features | str | os.PathLike[str]) -> FeatureClassifier:
    """A classifier read through features, from a path or as they are.

    Raises:
        FeaturesError: The file is broken, or the features are of another layer or network.
    """
    return FeatureClassifier(
        classifier, Features.load(features) if isinstance(features, (str, os.PathLike)) else features
    )


def _checked_path(path: Path) -> Path:
    suffix = path.suffix.lower()
    if suffix in WEIGHTS:
        raise ModelError(
            f"`model` must be a network, got {path.name!r}: a {suffix} file holds weights, not a network, and pickled "
            "files are not opened because they can run code; build the module, load its weights and pass the module, "
            "or export it to ONNX and pass that file."
        )
    if not os.path.exists(path):
        raise ModelError(f"`model` must be an existing file, got {str(path)!r}, which does not exist; check the path.")
    if suffix != ".onnx" or path.is_dir():
        what = "a folder" if path.is_dir() else f"a {suffix or 'suffix-less'} file"
        raise ModelError(
            f"`model` must be the path of an .onnx file, got {path.name!r}, {what}; export the network to ONNX."
        )
    return path
