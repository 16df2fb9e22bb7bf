"""What it costs to read a network through features: the meaning representation beside neurons and the plain forward.

512 features, of which 32 are active at every position: more than learned ones are, which are 300 and 24 at most unless
asked otherwise; SqueezeNet, whose forward is small beside its layer of 512 × 13 × 13, with both.
"""

from __future__ import annotations

import os

import numpy as np
import onnxruntime
import pytest
import torch
from architectures import build
from bench_networks import SMALL, K, exported, pictures, rounds_of

from nle_fast import ops
from nle_fast.classifiers import FeatureClassifier, Features, look
from nle_fast.classifiers.onnx.model import OnnxClassifier
from nle_fast.classifiers.torch.model import TorchClassifier
from nle_fast.timing import Laps

FEATURES, ACTIVE = 512, 32
CASES = [(name, FEATURES) for name in SMALL] + [("squeezenet1_1", 300)]

pytestmark = pytest.mark.usefixtures("one_thread_each")


def through(classifier, count):
    directions = np.random.default_rng(0).normal(size=(count, classifier.num_neurons)).astype(np.float32)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    bias, mean = np.full(count, 0.5, np.float32), np.zeros(classifier.num_neurons, np.float32)
    return FeatureClassifier(
        classifier, Features(classifier.layer, directions, directions, bias, mean, min(ACTIVE, count * 24 // 300))
    )


def meaning(classifier, images):
    """As an `Explainer` does it: scores of the K strongest, the rest, regions and positions."""
    seen = look(classifier, images, None, None, K, "sum", "supporting", Laps(len(images)))
    sizes, windows = [(224, 224)] * len(images), [(0.0, 0.0, 224.0, 224.0)] * len(images)
    return seen, ops.find_places(seen.top.maps, sizes, windows)


def ways_of(classifier, count, images, plain):
    featured = through(classifier, count)
    seen, _ = meaning(featured, images)
    assert seen.rest is not None
    np.testing.assert_allclose(seen.logits, plain(), rtol=1e-3, atol=1e-4)
    return {
        "nle_fast, features": lambda: meaning(featured, images),
        "nle_fast": lambda: meaning(classifier, images),
        "plain forward": plain,
    }


@pytest.mark.parametrize("batch", [1, 8])
@pytest.mark.parametrize(("name", "count"), CASES)
def test_torch(side_by_side, quick, name, count, batch):
    if quick and batch > 1:
        pytest.skip("takes a minute")
    network, layer = build(name)
    images = pictures(batch)

    def plain():
        with torch.inference_mode():
            return network(images).numpy()

    facts = {"network": name, "batch": batch, "baseline": "plain forward"}
    group = f"{count} features: {name}, torch, batch {batch}"
    ways = ways_of(TorchClassifier(network, layer), count, images, plain)
    side_by_side(group, ways, 2 * rounds_of(batch), **facts)


@pytest.mark.parametrize("batch", [1, 8])
@pytest.mark.parametrize(("name", "count"), CASES)
def test_onnx(side_by_side, quick, name, count, batch, tmp_path):
    if quick and batch > 1:
        pytest.skip("takes a minute")
    path = exported(build(name)[0], tmp_path)
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.force_spinning_stop", "1")
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    images = pictures(batch).numpy()

    def plain():
        return session.run(None, {"images": images})[0]

    facts = {"network": name, "batch": batch, "baseline": "plain forward"}
    group = f"{count} features: {name}, ONNX Runtime, {os.cpu_count()} threads, batch {batch}"
    ways = ways_of(OnnxClassifier(path), count, images, plain)
    side_by_side(group, ways, 3 * rounds_of(batch), lap_ms=20, **facts)
