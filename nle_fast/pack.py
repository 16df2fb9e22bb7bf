"""A bundle from whatever a user has, opened once before anything is written."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nle_fast.bundle import read_bundle, write_bundle
from nle_fast.classifiers import Features, open_classifier, open_features, read
from nle_fast.classifiers.onnx.export import save_onnx
from nle_fast.classifiers.torch.known import open_known
from nle_fast.concepts import Concepts, open_concepts
from nle_fast.errors import ConfigError, ModelError
from nle_fast.labels import Labels
from nle_fast.opening import check_input_size
from nle_fast.preprocess import Preprocess, load_picture

if TYPE_CHECKING:
    from torch.nn import Module

__all__ = ["pack_bundle"]


def pack_bundle(
    folder: str | os.PathLike[str],
    model: Module | str | os.PathLike[str] | None = None,
    *,
    known: str | None = None,
    weights: str | os.PathLike[str] | None = None,
    labels: Sequence[str] | str | os.PathLike[str] | None = None,
    preprocess: Preprocess | None = None,
    concepts: Concepts | str | os.PathLike[str] | None = None,
    concepts_layer: str | None = None,
    features: Features | str | os.PathLike[str] | None = None,
    reading: str | None = None,
    layer: str | None = None,
    name: str | None = None,
) -> Path:
    """Write a bundle, after its network has read one picture and labels and concepts were found to fit it.

    Exactly one of `model` and `known` is given. What else is not given comes from the bundle `model`, or from the
    package that knows the network. A torch module is exported to ONNX: a bundle holds no pickles, which could run code.

    Args:
        folder: Must not exist yet.
        model: An ONNX file, the folder of another bundle, or a `torch.nn.Module`.
        known: `"torchvision:NAME"` or `"timm:NAME"`, see `nle_fast.classifiers.torch.known`.
        weights: Saved state for `known`; None: the package's own.
        labels: Class names, or a text file with one per line.
        preprocess: The network's own; None and nothing known: ImageNet's with 224 pixels.
        concepts: Words for the neurons of `layer`, or a `.csv` or `.json` table.
        concepts_layer: What the table calls the layer, where that differs from the network's name for it.
        features: Learned directions of the layer, or a `.safetensors` file.
        reading: What explanations name: `"features"` or `"neurons"`; None: what won when the features were learned.
        layer: None: the one that the concepts were made for, else the last one.
        name: What people call the network; None: its own name.

    Returns:
        The folder.

    Raises:
        ConfigError: Not exactly one of `model` and `known`, or the preprocessing does not fit the network.
        ModelError: The network cannot be read or exported, or the folder exists or cannot be written.
        ConceptsError: The table is broken or made for something else.
        FeaturesError: The features are broken or made for something else.
        InputError: The labels do not fit the network.
        MissingExtraError: The package that knows the network is not installed.
    """
    if (model is None) == (known is None):
        raise ConfigError("`model` or `from` must be given, and only one of them; pass the network's file or its name.")
    if weights is not None and known is None:
        raise ConfigError("`weights` must come with `from`, got them alone; name the network that they belong to.")
    if not isinstance(folder, (str, os.PathLike)):
        raise ModelError(f"`folder` must be a path, got {type(folder).__name__}; choose one that does not exist yet.")
    if Path(folder).exists():
        raise ModelError(f"`folder` must not exist yet, got '{folder}'; choose another or remove it first.")
    if isinstance(model, (str, os.PathLike)) and os.path.isdir(model):
        bundle = read_bundle(model)
        name, layer = name or bundle.name, layer or bundle.layer
        labels = bundle.labels if labels is None else labels
        preprocess = bundle.preprocess if preprocess is None else preprocess
        concepts = bundle.concepts if concepts is None and layer == bundle.layer else concepts
        if features is None and layer == bundle.layer:
            features, reading = bundle.features, reading or bundle.reading
        model = bundle.model
    with tempfile.TemporaryDirectory() as scratch:
        if known is not None:
            found = open_known(known, weights)
            name, model = name or found.name, found.module
            labels = found.labels if labels is None else labels
            preprocess = Preprocess.from_dict(found.preprocess) if preprocess is None else preprocess
        preprocess = Preprocess() if preprocess is None else preprocess
        if not isinstance(model, (str, os.PathLike)):
            name = name or type(model).__name__
            model = save_onnx(model, Path(scratch) / "model.onnx", preprocess.size)
        concepts, layer = _concepts(concepts, concepts_layer, layer)
        if isinstance(features, (str, os.PathLike)):
            features = Features.load(features)
        classifier = open_classifier(model, layer=layer, input_size=(preprocess.size, preprocess.size))
        check_input_size(classifier, preprocess)
        if concepts is not None and concepts_layer is not None:
            concepts = concepts.at_layer(classifier.layer)
        open_concepts(
            concepts, classifier.layer, classifier.num_neurons, lambda: getattr(classifier, "fingerprint", None)
        )
        if features is not None:
            open_features(classifier, features)
        fitting = None if labels is None else Labels(labels, classifier.num_classes)
        read(classifier, preprocess([load_picture(np.full((preprocess.size, preprocess.size, 3), 128, np.uint8))]))
        return write_bundle(
            folder,
            model,
            labels=None if fitting is None else fitting.names,
            preprocess=preprocess,
            concepts=concepts,
            features=features,
            reading=reading,
            layer=classifier.layer,
            name=name or Path(model).stem,
        )


def _concepts(
    concepts: Concepts | str | os.PathLike[str] | None, concepts_layer: str | None, layer: str | None
) -> tuple[Concepts | None, str | None]:
    """The table, and the layer: a table that was made for one network knows the name that this network has for it."""
    if isinstance(concepts, (str, os.PathLike)):
        concepts = Concepts.load(concepts, layer=concepts_layer)
    if concepts is not None and layer is None and concepts.model is not None:
        layer = concepts.layer
    return concepts, layer
