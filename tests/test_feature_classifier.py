"""A classifier read through features: the network's own predictions, scores that add up, and what fits what."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from classifier_contract import check_classifier, scores
from fakes import Colors
from networks import CASES, build, ids, pictures
from onnx_exports import BY_NAME, exported

import nle_fast as nle
from nle_fast.classifiers import (
    FeatureClassifier,
    Features,
    masked_logits,
    of_neurons,
    open_classifier,
    read,
    read_class_maps,
    remove_neurons,
    zeroed_logits,
)
from nle_fast.classifiers.base import as_numpy, read_codes
from nle_fast.classifiers.looking import look
from nle_fast.ops import weighed
from nle_fast.timing import Laps


def features_of(classifier, count=10, active=3, seed=0, **options):
    """Random directions of a classifier's layer, encoded by themselves."""
    rng = np.random.default_rng(seed)
    channels = classifier.num_neurons
    directions = rng.normal(size=(count, channels))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return Features(
        classifier.layer,
        directions.astype(np.float32),
        directions.astype(np.float32),
        rng.normal(size=count).astype(np.float32) / 10,
        rng.random(channels).astype(np.float32) / 10,
        active,
        getattr(classifier, "fingerprint", None),
        **options,
    )


def opened(name, backend, layer=None):
    """A network of the tests, in torch or as ONNX, and pictures for it."""
    case = BY_NAME[name]
    if backend == "torch":
        classifier = open_classifier(build(case), layer=layer, input_size=case.size)
    else:
        classifier = open_classifier(exported(name))
    return classifier, pictures(case, 3).numpy()


NETWORKS = [(case.name, backend) for case in CASES for backend in ("torch", "onnx")]


@pytest.mark.parametrize(("name", "backend"), NETWORKS)
def test_the_whole_protocol_and_the_same_predictions(name, backend):
    classifier, images = opened(name, backend)
    through = FeatureClassifier(classifier, features_of(classifier))
    assert (through.num_neurons, through.num_rest) == (10, classifier.num_neurons)
    assert through.layer == classifier.layer
    check_classifier(through, images)
    plain, reading = read(classifier, images), read(through, images)
    scale = np.abs(plain.logits).max()
    np.testing.assert_allclose(reading.logits, plain.logits, atol=1e-5 * scale)
    np.testing.assert_allclose(as_numpy(through.logits(reading.activations)), plain.logits, atol=1e-4 * scale)
    # Codes and rest share out what the channels add up to.
    np.testing.assert_allclose(scores(reading).sum(1), scores(plain).sum(1), rtol=1e-3, atol=1e-4 * scale)


@pytest.mark.parametrize(("name", "backend"), NETWORKS)
@pytest.mark.parametrize("rival", [False, True])
def test_the_short_look_says_what_the_long_one_does(name, backend, rival):
    classifier, images = opened(name, backend)
    through = FeatureClassifier(classifier, features_of(classifier))
    versus = None
    if rival:
        versus = (read(classifier, images).class_index + 1) % classifier.num_classes
        versus[1] = -1
    long, short = read(through, images, None, versus), read_codes(through, images, None, versus)
    own = scores(long)
    scale = np.abs(own).max()
    np.testing.assert_allclose(as_numpy(short.codes), as_numpy(of_neurons(through, long.activations)), atol=1e-5)
    found = weighed(short.codes, short.gradients) if short.scores is None else short.scores
    np.testing.assert_allclose(found, own[:, :10], atol=1e-4 * scale)
    np.testing.assert_allclose(short.rest, own[:, 10:].sum(1), atol=1e-3 * scale)
    kept = look(through, images, None, versus, 5, "sum", "both", Laps(3), keep_activations=True)
    quick = look(through, images, None, versus, 5, "sum", "both", Laps(3))
    np.testing.assert_allclose(kept.top.values, quick.top.values, atol=1e-4 * scale)
    np.testing.assert_allclose(kept.top.total, quick.top.total, atol=1e-3 * scale)
    expected = np.maximum(own[:, :10], 0).sum(1) + np.maximum(own[:, 10:].sum(1), 0)
    np.testing.assert_allclose(quick.top.total, expected, atol=1e-3 * scale)
    assert quick.activations is None
    assert (quick.top.neurons < 10).all()


@pytest.mark.parametrize("case", [case for case in CASES if case.closed_form], ids=ids)
@pytest.mark.parametrize("backend", ["torch", "onnx"])
def test_hiding_a_feature_moves_the_logit_by_its_score(case, backend):
    classifier, images = opened(case.name, backend)
    through = FeatureClassifier(classifier, features_of(classifier))
    reading = read(through, images[:1])
    target, maps = int(reading.class_index[0]), reading.activations
    for feature in range(10):
        after = zeroed_logits(through, maps, [feature])[target]
        drop = float(reading.logits[0, target]) - float(after)
        near = 1e-4 * float(np.abs(reading.logits).max())
        assert drop == pytest.approx(scores(reading)[0, feature], rel=1e-3, abs=near)
    again = masked_logits(through, maps, np.eye(10, dtype=bool)[None])
    np.testing.assert_allclose(again[0, 9], zeroed_logits(through, maps, [9]), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ["squeezenet", "mobilenet_v2", "vgg", "mobilenet_v3"])
@pytest.mark.parametrize("backend", ["torch", "onnx"])
def test_removal_in_closed_form_is_what_the_head_says(name, backend):
    classifier, images = opened(name, backend)
    through = FeatureClassifier(classifier, features_of(classifier))
    reading, maps = read_class_maps(through, images[:1])
    sets = np.array([[0, 1], [8, 9], [3, 4]])
    asked = {0: float(reading.logits[0, 0]), 3: float(reading.logits[0, 3])}
    removed = remove_neurons(through, reading.activations, (2, 5), sets, asked, maps)
    scale = np.abs(reading.logits).max()
    np.testing.assert_allclose(removed.named, zeroed_logits(through, reading.activations, [2, 5]), atol=1e-4 * scale)
    for row, neurons in enumerate(sets):
        left = zeroed_logits(through, reading.activations, neurons.tolist())[[0, 3]]
        np.testing.assert_allclose(removed.others[row], left, atol=1e-4 * scale)


def test_weights_that_are_trained_further_are_seen():
    case = BY_NAME["mobilenet_v2"]
    model = build(case)
    classifier = open_classifier(model, input_size=case.size)
    through = FeatureClassifier(classifier, features_of(classifier))
    images = pictures(case, 2).numpy()
    before = through.pooled_weight.copy()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1.1)
    assert not np.allclose(through.pooled_weight, before)
    reading = read(through, images)
    np.testing.assert_allclose(scores(reading).sum(1), scores(read(classifier, images)).sum(1), rtol=1e-3)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision(dtype):
    case = BY_NAME["mobilenet_v2"]
    classifier = open_classifier(build(case).to(dtype), input_size=case.size)
    through = FeatureClassifier(classifier, features_of(classifier))
    images = pictures(case, 2).numpy()
    reading = read(through, images)
    np.testing.assert_allclose(as_numpy(through.logits(reading.activations)), reading.logits, rtol=3e-2, atol=3e-2)


def test_any_classifier_and_eight_threads():
    through = FeatureClassifier(Colors(), features_of(Colors(), 6, 2))
    images = np.random.default_rng(0).random((8, 3, 64, 64)).astype(np.float32)
    check_classifier(through, images[:3])
    expected = read_codes(through, images)
    for classifier in (through, *(FeatureClassifier(c, features_of(c, 6, 2)) for c in _both("squeezenet"))):
        if classifier is not through:
            images = pictures(BY_NAME["squeezenet"], 8).numpy()
            expected = read_codes(classifier, images)
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda n, c=classifier, i=images: read_codes(c, i[n : n + 1]), range(8)))
        for n, one in enumerate(found):
            np.testing.assert_allclose(as_numpy(one.codes)[0], as_numpy(expected.codes)[n], atol=1e-4)
            np.testing.assert_allclose(one.rest[0], expected.rest[n], rtol=1e-3, atol=1e-3)


def _both(name):
    return [opened(name, backend)[0] for backend in ("torch", "onnx")]


def test_what_does_not_fit_is_refused():
    classifier = opened("squeezenet", "onnx")[0]
    features = features_of(classifier)
    through = FeatureClassifier(classifier, features)
    with pytest.raises(nle.FeaturesError, match="no rest"):
        FeatureClassifier(through, features)
    with pytest.raises(nle.FeaturesError, match=r"nle_fast\.Features, got dict"):
        FeatureClassifier(classifier, {})
    other = opened("vgg", "onnx")[0]
    with pytest.raises(nle.FeaturesError, match="must be for layer"):
        FeatureClassifier(other, features)
    moved = features.at_layer(other.layer, fingerprint="00")
    with pytest.raises(nle.FeaturesError, match=r"channels of layer|learned on this network"):
        FeatureClassifier(other, moved)
    same = features.at_layer(classifier.layer, fingerprint="00")
    with pytest.raises(nle.FeaturesError, match="learned on this network"):
        FeatureClassifier(classifier, same)
    with pytest.raises(nle.InputError, match="codes and rest"):
        through.logits(np.zeros((1, 3, 2, 2), np.float32))
    assert int(through.fingerprint, 16) != int(classifier.fingerprint, 16)
