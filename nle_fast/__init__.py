"""Explains in plain words, in real time, why a CNN classified a picture as it did.

    import nle_fast as nle

    explainer = nle.Explainer("model.onnx", labels="labels.txt")
    explanation = explainer("photo.jpg")
    print(explanation.text)
    explanation.save("why/")

Names are loaded when first used: importing the package loads neither torch nor any other heavy library.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from nle_fast.errors import (
    BackendError,
    ConceptsError,
    ConfigError,
    FeaturesError,
    GradientUnavailableError,
    InputError,
    LayerNotFoundError,
    MissingExtraError,
    ModelError,
    NleError,
    NleWarning,
    UnsupportedClaimError,
    VerbalizerCancelled,
    VerbalizerError,
    VerbalizerTimeout,
)

if TYPE_CHECKING:
    from nle_fast.bundle import read_bundle, write_bundle
    from nle_fast.certificate import Certificate
    from nle_fast.classifiers import Classifier
    from nle_fast.classifiers.features import FeatureClassifier, Features
    from nle_fast.classifiers.onnx.model import OnnxClassifier
    from nle_fast.classifiers.torch.model import TorchClassifier
    from nle_fast.concepts import Concept, Concepts
    from nle_fast.config import Config
    from nle_fast.explainer import Explainer
    from nle_fast.explanation import Explanation
    from nle_fast.preprocess import Preprocess, load_picture
    from nle_fast.schema import Evidence, Fact, Meaning, Prediction, Region, Span, Utterance
    from nle_fast.verbalizers import Verbalizer
    from nle_fast.verbalizers.checking import Report, check
    from nle_fast.verbalizers.llama import Llama
    from nle_fast.version import __version__

__all__ = [
    "BackendError",
    "Certificate",
    "Classifier",
    "Concept",
    "Concepts",
    "ConceptsError",
    "Config",
    "ConfigError",
    "Evidence",
    "Explainer",
    "Explanation",
    "Fact",
    "FeatureClassifier",
    "Features",
    "FeaturesError",
    "GradientUnavailableError",
    "InputError",
    "LayerNotFoundError",
    "Llama",
    "Meaning",
    "MissingExtraError",
    "ModelError",
    "NleError",
    "NleWarning",
    "OnnxClassifier",
    "Prediction",
    "Preprocess",
    "Region",
    "Report",
    "Span",
    "TorchClassifier",
    "UnsupportedClaimError",
    "Utterance",
    "Verbalizer",
    "VerbalizerCancelled",
    "VerbalizerError",
    "VerbalizerTimeout",
    "__version__",
    "check",
    "load_picture",
    "read_bundle",
    "write_bundle",
]

#: Module of each name that is loaded when first used.
_HOMES = {
    "Certificate": "certificate",
    "Classifier": "classifiers",
    "Concept": "concepts",
    "Concepts": "concepts",
    "Config": "config",
    "Evidence": "schema",
    "Explainer": "explainer",
    "Explanation": "explanation",
    "Fact": "schema",
    "FeatureClassifier": "classifiers.features",
    "Features": "classifiers.features",
    "Llama": "verbalizers.llama",
    "Meaning": "schema",
    "OnnxClassifier": "classifiers.onnx.model",
    "Prediction": "schema",
    "Preprocess": "preprocess",
    "Region": "schema",
    "Report": "verbalizers",
    "Span": "schema",
    "TorchClassifier": "classifiers.torch.model",
    "Utterance": "schema",
    "Verbalizer": "verbalizers",
    "__version__": "version",
    "check": "verbalizers",
    "load_picture": "preprocess",
    "read_bundle": "bundle",
    "write_bundle": "bundle",
}


def __getattr__(name: str) -> Any:
    if name == "world":
        return importlib.import_module("nle_fast.world")
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'nle_fast' has no attribute '{name}'")
    value = getattr(importlib.import_module(f"nle_fast.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
