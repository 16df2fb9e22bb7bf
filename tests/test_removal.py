"""Closed forms of masking say what the head says when it is run on every set, and run it no more than they claim."""

from __future__ import annotations

import numpy as np
import pytest
from networks import build, pictures
from onnx_exports import BY_NAME, exported

import nle_fast as nle
from nle_fast.certificate import DRAWS, measure_certificate
from nle_fast.classifiers import masked_logits, remove_neurons
from nle_fast.classifiers.base import as_numpy
from nle_fast.classifiers.base import read_class_maps as read_both
from nle_fast.classifiers.onnx.model import OnnxClassifier
from nle_fast.classifiers.torch.model import TorchClassifier

POOLED = ("resnet", "network_in_network", "batch_norm_last", "mobilenet_v2", "probabilities")
OTHERS = ("vgg", "mobilenet_v3", "alexnet", "global_max")


def opened(name: str, backend: str):
    case = BY_NAME[name]
    if backend == "torch":
        return TorchClassifier(build(case), input_size=case.size)
    return OnnxClassifier(exported(name))


def counted(classifier, monkeypatch) -> list[int]:
    """The pictures of each run of the head from now on."""
    runs, logits = list[int](), classifier.logits
    monkeypatch.setattr(classifier, "logits", lambda maps: runs.append(len(maps)) or logits(maps))
    return runs


def before(reading, n: int, classes) -> dict[int, float]:
    """The logits of picture n that are asked about."""
    return {index: float(reading.logits[n, index]) for index in classes}


def by_the_head(classifier, activations, named, others):
    masks = np.zeros((1, len(others) + 1, classifier.num_neurons), bool)
    masks[0, 0, named] = True
    for mask, neurons in zip(masks[0, 1:], others, strict=True):
        mask[neurons] = True
    return masked_logits(classifier, activations, masks)[0]


def drawn(classifier, k: int, seed: int):
    generator = np.random.default_rng(seed)
    sets = [generator.permutation(classifier.num_neurons)[:k] for _ in range(DRAWS + 1)]
    return sets[0].tolist(), np.stack(sets[1:])


@pytest.mark.parametrize("backend", ["torch", "onnx"])
@pytest.mark.parametrize("name", [*POOLED, "squeezenet", *OTHERS])
def test_every_set_is_as_if_the_head_were_run_on_it(name, backend, monkeypatch):
    classifier, case = opened(name, backend), BY_NAME[name]
    assert (classifier.pooled_weight is not None) == (name in POOLED) == case.closed_form
    assert (classifier.relu_head is not None) == (name == "squeezenet")
    images = pictures(case, 3).numpy()
    reading, maps = read_both(classifier, images)
    assert (maps is not None) == (name == "squeezenet")
    plain = classifier.read(images)
    for one, other in zip(reading, plain, strict=True):
        np.testing.assert_allclose(as_numpy(one), as_numpy(other), rtol=1e-5, atol=1e-6)
    runs = counted(classifier, monkeypatch)
    for k in (0, 1, 5):
        for n, asked in ((0, [1]), (1, [2, 0]), (2, [case.num_classes - 1])):
            named, others = drawn(classifier, k, seed=10 * k + n)
            one = reading.activations[n : n + 1]
            wanted = by_the_head(classifier, one, named, others)
            close = {"rtol": 0, "atol": 1e-5 * max(1.0, float(np.abs(wanted).max()))}
            ways = [(None, [1])] if maps is None else [(None, [1]), (maps[n : n + 1], [])]
            for given, expected in ways:
                runs.clear()
                found = remove_neurons(classifier, one, named, others, before(reading, n, asked), given)
                assert runs == ([1] if k == 0 else [DRAWS + 1] if name in OTHERS else expected)
                np.testing.assert_allclose(found.named, wanted[0], **close)
                np.testing.assert_allclose(found.others, wanted[1:, asked], **close)


@pytest.mark.parametrize("backend", ["torch", "onnx"])
@pytest.mark.parametrize("name", ["resnet", "squeezenet"])
@pytest.mark.parametrize("versus", [None, 3])
def test_a_certificate_is_that_of_a_classifier_that_can_only_run_its_head(name, backend, versus):
    case, classifier = BY_NAME[name], opened(name, backend)

    class OnlyRuns:
        layer, num_neurons, num_classes = classifier.layer, classifier.num_neurons, classifier.num_classes
        activations, logits, gradients = classifier.activations, classifier.logits, classifier.gradients

    options = {"labels": [f"class {i}" for i in range(case.num_classes)], "verbalizer": "template"}
    options["preprocess"] = nle.Preprocess(size=case.size[0], resize=case.size[0])
    picture = np.random.default_rng(1).integers(0, 256, (60, 60, 3)).astype(np.uint8)
    first, second = (nle.Explainer(c, **options)(picture, 5, versus, certify=True) for c in (classifier, OnlyRuns()))
    quick, slow = first.certificate, second.certificate
    assert quick.neurons == slow.neurons
    assert quick.neurons
    for field in ("logit_drop", "probability_drop", "random_logit_drop", "random_largest", "claimed_drop", "coverage"):
        assert getattr(quick, field) == pytest.approx(getattr(slow, field), abs=1e-4), field
    assert (quick.flips, quick.beaten, quick.facts_checked) == (slow.flips, slow.beaten, slow.facts_checked)
    again = nle.Explainer(classifier, **options)(picture, 5, versus)
    assert again.certify().certificate.logit_drop == pytest.approx(quick.logit_drop, abs=1e-5)
    assert nle.Explanation.from_json(first.to_json()).certificate == quick
    facts = first.prediction, first.meaning, first.spans
    images = nle.Explainer(classifier, **options).preprocess([first.picture])
    assert measure_certificate(classifier, classifier.activations(images), *facts).logit_drop == pytest.approx(
        quick.logit_drop, abs=1e-4
    ), "without class maps the head is run"


def test_weights_that_are_trained_on_are_read_anew():
    import torch

    case = BY_NAME["resnet"]
    model = build(case)
    classifier = TorchClassifier(model, input_size=case.size)
    activations = classifier.activations(pictures(case, 1))
    named, others = drawn(classifier, 4, seed=1)

    def removed():
        asked = {0: float(classifier.logits(activations)[0, 0])}
        return remove_neurons(classifier, activations, named, others, asked)

    earlier = removed()
    with torch.no_grad():
        list(model.parameters())[-2].mul_(2)  # the last weight; the last parameter is its bias
    later = removed()
    assert not np.allclose(earlier.others, later.others)
    np.testing.assert_allclose(later.others, by_the_head(classifier, activations, named, others)[1:, [0]], atol=1e-4)


@pytest.mark.parametrize("name", ["mobilenet_v2", "squeezenet1_1", "cifar_resnet"])
@pytest.mark.shared
def test_real_networks_from_torch(name, shared):
    import sys
    from pathlib import Path

    sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))
    from real_networks import load_network

    side = 32 if name == "cifar_resnet" else 224
    classifier = TorchClassifier(load_network(name, shared), input_size=(side, side))
    images = np.random.default_rng(0).normal(size=(1, 3, side, side)).astype(np.float32)
    reading, maps = read_both(classifier, images)
    named, others = drawn(classifier, 5, seed=3)
    wanted = by_the_head(classifier, reading.activations, named, others)
    found = remove_neurons(classifier, reading.activations, named, others, before(reading, 0, [7, 9]), maps)
    scale = max(1.0, float(np.abs(wanted).max()))
    assert np.abs(found.named - wanted[0]).max() <= 1e-5 * scale
    assert np.abs(found.others - wanted[1:, [7, 9]]).max() <= 1e-5 * scale


@pytest.mark.parametrize("backend", ["torch", "onnx"])
@pytest.mark.parametrize("name", [*BY_NAME])
def test_a_head_that_pools_first_says_the_same_of_means(name, backend):
    classifier, case = opened(name, backend), BY_NAME[name]
    activations = as_numpy(classifier.activations(pictures(case, 2)))
    means = activations.mean((2, 3), keepdims=True)
    blurred = np.broadcast_to(means, activations.shape)
    same = np.allclose(classifier.logits(blurred), classifier.logits(activations), rtol=1e-4, atol=1e-4)
    # A kernel as large as the map is pooling, too, but does not fit on a mean; and a convolution may come first.
    assert classifier.pools_first == (same and name not in ("batch_norm_last", "network_in_network"))
    if not classifier.pools_first:
        with pytest.raises(nle.InputError, match="`activations` must be"):
            classifier.logits(means)
        return
    whole = classifier.logits(activations)
    np.testing.assert_allclose(classifier.logits(means), whole, rtol=1e-4, atol=1e-5 * np.abs(whole).max())


@pytest.mark.parametrize("backend", ["torch", "onnx"])
@pytest.mark.parametrize("before", ["clamp", "hardtanh", "nothing"])
def test_what_comes_before_the_pooling_counts_even_where_chance_does_not_reach_it(before, backend, tmp_path):
    import torch
    from torch import nn

    from nle_fast.classifiers.onnx.export import save_onnx

    torch.manual_seed(0)
    step = {"clamp": nn.ReLU6(), "hardtanh": nn.Hardtanh(-10, 10), "nothing": nn.Identity()}[before]
    head = [step, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 5)]
    model = nn.Sequential(nn.Conv2d(3, 8, 3, 2), *head).eval()
    with torch.no_grad():
        model[0].weight.mul_(20)  # far beyond what the steps let through
    torch_one = TorchClassifier(model, "0", input_size=(16, 16))
    classifier = torch_one
    if backend == "onnx":
        path = save_onnx(model, tmp_path / "it.onnx", 16)
        classifier = OnnxClassifier(path, "/0/Conv_output_0")
    assert classifier.pools_first == (before == "nothing")
    images = np.random.default_rng(0).normal(size=(1, 3, 16, 16)).astype(np.float32)
    activations = as_numpy(classifier.activations(images))
    masks = np.zeros((1, 3, 8), bool)
    masks[0, 1, [1, 5]] = masks[0, 2] = True
    wanted = []
    for mask in masks[0]:
        masked = activations.copy()
        masked[:, mask] = 0
        wanted.append(as_numpy(torch_one.logits(masked))[0])
    np.testing.assert_allclose(masked_logits(classifier, activations, masks)[0], wanted, rtol=1e-4, atol=1e-4)


def test_a_head_whose_logits_follow_the_size_of_the_maps_is_run_whole(tmp_path):
    from torch import nn

    from nle_fast.classifiers.onnx.export import save_onnx

    model = nn.Sequential(nn.Conv2d(3, 8, 3, 4), nn.ReLU(), nn.Conv2d(8, 2, 1), nn.Flatten()).eval()
    classifier = OnnxClassifier(save_onnx(model, tmp_path / "it.onnx", 16), "/1/Relu_output_0")
    assert not classifier.pools_first
    with pytest.raises(nle.InputError, match="`activations` must be"):
        classifier.logits(np.zeros((1, 8, 1, 1), np.float32))
