"""The main job on real input: the networks and photos of ../shared/data, through bundles made as users make them."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np
import pytest

import nle_fast as nle

pytestmark = pytest.mark.shared
sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))


@pytest.fixture(scope="module")
def bundles(shared, tmp_path_factory):
    from make_bundles import make_bundles

    return {folder.name: folder for folder in make_bundles(shared, tmp_path_factory.mktemp("bundles"))}


@pytest.fixture(scope="module")
def photos(shared):
    with open(shared / "photos" / "labels.csv") as file:
        rows = list(csv.DictReader(file))
    return [(shared / "photos" / row["file"], int(row["imagenet_index"])) for row in rows[::4]]


def cifar(shared):
    folders = sorted((shared / "cifar_test").iterdir())
    return [(path, folder.name) for folder in folders for path in sorted(folder.glob("*"))[:5]]


@pytest.mark.parametrize(
    ("name", "layer_neurons", "background", "least"), [("mobilenet_v2", 1280, 1, 0.75), ("squeezenet1_1", 512, 0, 0.5)]
)
def test_imagenet_networks(bundles, photos, name, layer_neurons, background, least):
    explainer = nle.Explainer.load(bundles[name], verbalizer="template")
    assert explainer.classifier.num_neurons == layer_neurons
    explanations = explainer.batch([path for path, _ in photos])
    right = [e.prediction.index == truth + background for e, (_, truth) in zip(explanations, photos, strict=True)]
    assert np.mean(right) >= least
    for explanation in explanations:
        assert nle.check(explanation.text, explanation.meaning)
        assert 0 < explanation.coverage <= 1
        width, height = explanation.picture.size
        for item in explanation.evidence:
            assert item.regions
            for region in item.regions:
                left, top, right_, bottom = region.bbox
                assert 0 <= left < right_ <= width
                assert 0 <= top < bottom <= height


def test_cifar_network(bundles, shared):
    explainer = nle.Explainer.load(bundles["cifar_resnet"], verbalizer="template")
    pictures = cifar(shared)
    explanations = explainer.batch([path for path, _ in pictures])
    right = [e.prediction.label == truth for e, (_, truth) in zip(explanations, pictures, strict=True)]
    assert np.mean(right) >= 0.7
    assert all(nle.check(e.text, e.meaning) for e in explanations)


@pytest.mark.parametrize("name", ["mobilenet_v2", "squeezenet1_1", "cifar_resnet"])
def test_torch_and_onnx_agree(bundles, shared, photos, name):
    from real_networks import load_network

    onnx = nle.Explainer.load(bundles[name], verbalizer="template", config=nle.Config(top_k=3))
    torch = nle.Explainer(
        load_network(name, shared),
        labels=onnx.labels.names,
        preprocess=onnx.preprocess,
        verbalizer="template",
        config=onnx.config,
    )
    paths = [path for path, _ in (photos[:6] if name != "cifar_resnet" else cifar(shared)[:6])]
    # The torch weights of MobileNetV2 are rounded to 16 bits.
    tolerance = 0.05 if name == "mobilenet_v2" else 1e-3
    for one, other in zip(onnx.batch(paths), torch.batch(paths), strict=True):
        assert one.prediction.index == other.prediction.index
        assert one.coverage == pytest.approx(other.coverage, rel=tolerance)
        assert one.evidence[0].score == pytest.approx(other.evidence[0].score, rel=tolerance)


def test_masking_in_mobilenet_is_the_score(bundles, photos):
    explainer = nle.Explainer.load(bundles["mobilenet_v2"], verbalizer="template")
    for path, _ in photos[:3]:
        explanation = explainer(path)
        for item in explanation.evidence:
            masked = explainer.mask(path, [item.neuron], target=explanation.prediction.index)
            assert explanation.prediction.logit - masked.logit == pytest.approx(item.score, abs=1e-4)
