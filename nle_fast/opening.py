"""A network opened for explaining: from what a user passes to the classifier that is read, with its words."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from nle_fast.bundle import Bundle, read_bundle
from nle_fast.classifiers import Classifier, FeatureClassifier, Features, open_classifier, open_features
from nle_fast.concepts import Concepts, open_concepts
from nle_fast.config import Config
from nle_fast.errors import ConfigError
from nle_fast.preprocess import Preprocess

if TYPE_CHECKING:
    from torch.nn import Module

__all__ = ["AskedFeatures", "Network", "Opened", "check_input_size", "open_network"]

Network: TypeAlias = "Module | str | os.PathLike[str] | Bundle | Classifier"
AskedFeatures: TypeAlias = "Features | str | os.PathLike[str] | Literal[False] | None"


@dataclass(frozen=True, slots=True)
class Opened:
    """A network that is ready to be explained.

    Attributes:
        name: What people call it.
        classifier: Cut at the layer, and read through features where there are some.
        preprocess: Its preprocessing.
        labels: Its class names, as they were given.
        concepts: Words for the classifier's neurons, or None.
        features: What it is read through, or None.
        note: Why features of the bundle were left aside; empty where they were not.
    """

    name: str
    classifier: Classifier
    preprocess: Preprocess
    labels: Sequence[str] | str | os.PathLike[str] | None
    concepts: Concepts | None
    features: Features | None
    note: str


def open_network(
    model: Network,
    *,
    layer: str | None = None,
    labels: Sequence[str] | str | os.PathLike[str] | None = None,
    concepts: Concepts | str | os.PathLike[str] | None = None,
    features: AskedFeatures = None,
    preprocess: Preprocess | None = None,
    device: str | None = None,
    config: Config,
) -> Opened:
    """Open a network with all that belongs to it; arguments and errors as of `Explainer`."""
    name = os.path.basename(model) if isinstance(model, (str, os.PathLike)) else type(model).__name__
    if isinstance(model, (str, os.PathLike)) and os.path.isdir(model):
        model = read_bundle(model)
    bundle: Bundle | None = None
    if isinstance(model, Bundle):
        bundle = model
        labels = bundle.labels if labels is None else labels
        preprocess = bundle.preprocess if preprocess is None else preprocess
        name, model = bundle.name, bundle.model
    fits = bundle is not None and layer in (None, bundle.layer)
    layer = bundle.layer if bundle is not None and layer is None else layer
    preprocess = Preprocess() if preprocess is None else preprocess
    for argument, value, kind in (("config", config, Config), ("preprocess", preprocess, Preprocess)):
        if not isinstance(value, kind):
            raise ConfigError(f"`{argument}` must be an nle_fast.{kind.__name__}, got {value!r}; make one.")
    side = preprocess.size
    classifier = open_classifier(model, layer=layer, input_size=(side, side), device=device)
    check_input_size(classifier, preprocess)
    if isinstance(concepts, (str, os.PathLike)):
        concepts = Concepts.load(concepts, layer=classifier.layer)
    note = ""
    if features is None and fits and bundle is not None and bundle.reading == "features":
        features, note = bundle.features, _unfit(classifier, bundle.features, concepts, config)
        features = None if note else features
    if features is False and isinstance(classifier, FeatureClassifier):
        classifier = classifier.classifier
    explicit = features is not None and features is not False
    if config.score == "max" and (explicit or isinstance(classifier, FeatureClassifier)):
        raise ConfigError(
            "`features` must be False with score 'max', whose scores of features add up to nothing, got some; pass "
            "features=False, or a Config with score='sum'."
        )
    if features is not None and features is not False:
        classifier = open_features(classifier, features)
    through = classifier.features if isinstance(classifier, FeatureClassifier) else None
    if concepts is None and through is not None:
        concepts = (
            None if through.words is None else Concepts.from_dict(through.words, source="the words of `features`")
        )
    elif concepts is None and fits and bundle is not None:
        concepts = bundle.concepts
    opened = open_concepts(
        concepts, classifier.layer, classifier.num_neurons, lambda: getattr(classifier, "fingerprint", None)
    )
    return Opened(name, classifier, preprocess, labels, opened, through, note)


def check_input_size(classifier: Classifier, preprocess: Preprocess) -> None:
    """Refuse a preprocessing that makes pictures of a size that the network does not take.

    Raises:
        ConfigError: The sizes differ.
    """
    side = preprocess.size
    if (expected := getattr(classifier, "input_size", None)) not in (None, (side, side)):
        raise ConfigError(
            f"`preprocess` must make pictures of {expected[0]} × {expected[1]} for this network, got size {side}; "
            f"pass Preprocess(size={expected[0]}, …)."
        )


def _unfit(classifier: Classifier, features: Features | None, concepts: Any, config: Config) -> str:
    """Why the features of a bundle do not go with what else was asked for; empty where they do."""
    if config.score == "max":
        return "The bundle's features are left aside: by their maximum only neurons are scored."
    if isinstance(concepts, Concepts) and len(concepts) == classifier.num_neurons:
        own = getattr(classifier, "fingerprint", None)
        if features is not None and len(concepts) == len(features) and concepts.model not in (None, own):
            return ""  # as many features as neurons: the table's fingerprint tells of which it is
        return "The bundle's features are left aside: the concepts that were passed are for the layer's neurons."
    return ""
