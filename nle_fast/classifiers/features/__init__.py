"""Features: learned directions of a layer, and a classifier that is read through them."""

from __future__ import annotations

from nle_fast.classifiers.features.classifier import FeatureClassifier
from nle_fast.classifiers.features.directions import FEATURES_SCHEMA, Features

__all__ = ["FEATURES_SCHEMA", "FeatureClassifier", "Features"]
