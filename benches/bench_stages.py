"""Each stage, and the whole, beside its peers doing the same work in the same run; each asserts that it does it.

`make bench` runs this and writes benches/results/stages.json and the table beside it.
"""

from __future__ import annotations

import cv2
import numpy as np
import onnxruntime
import peers
import pytest
import torch
from architectures import NETWORKS, build
from skimage import measure

from nle_fast import Config, Explainer, load_picture, ops
from nle_fast.classifiers import read
from nle_fast.classifiers.onnx_model import OnnxClassifier
from nle_fast.classifiers.torch_model import TorchClassifier
from nle_fast.schema import Evidence, Meaning, Prediction
from nle_fast.verbalizers import check, open_verbalizer, speak

K = 10
SIZE = (500, 375)


@pytest.fixture(scope="module", autouse=True)
def one_thread_each():
    """Two cores are noisy; one thread each compares the work, not the scheduling."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("shape", [(1, 512, 7, 7), (1, 2048, 7, 7), (64, 2048, 7, 7)], ids=str)
def test_score(side_by_side, shape):
    generator = torch.Generator().manual_seed(0)
    activations = torch.rand(shape, generator=generator)
    gradients = torch.randn(shape, generator=generator)
    source, target = torch.stack([activations, gradients]), torch.empty(2, *shape)

    def by_torch():
        values, neurons = (activations * gradients).sum((2, 3)).topk(K, dim=1)
        return values, neurons, activations.gather(1, neurons[:, :, None, None].expand(-1, -1, *shape[2:]))

    def by_us():
        return ops.score_neurons(activations, gradients, K, threads=1)

    np.testing.assert_allclose(by_us().values, by_torch()[0].numpy(), rtol=1e-4)
    ways = {"nle_fast": by_us, "torch eager": by_torch, "copy of the same bytes": lambda: target.copy_(source)}
    side_by_side(f"score {' × '.join(map(str, shape))}", ways, rounds=200 if shape[0] == 1 else 30)


def by_skimage(maps, size):
    """Resize with OpenCV, then label, measure and outline with scikit-image."""
    found = []
    for plane in maps:
        found.append([])
        large = cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR)
        regions = measure.regionprops(measure.label(large > 0.5 * plane.max(), connectivity=2), large)
        for r in regions:
            outline = measure.find_contours(np.pad(r.image, 1), 0.5)
            found[-1].append((r.area, r.bbox, r.centroid, r.intensity_mean, r.intensity_max, outline))
    return found


@pytest.mark.parametrize("size", [(224, 224), (640, 640)], ids=lambda size: f"{size[0]}px")
def test_regions(side_by_side, size):
    maps = np.random.default_rng(0).random((K, 7, 7)).astype(np.float32) ** 3
    ways = {
        "nle_fast": lambda: ops.find_regions(maps, size, threads=1),
        "OpenCV": lambda: peers.opencv_regions(maps, size),
        "scikit-image": lambda: by_skimage(maps, size),
    }
    counts = [[len(regions) for regions in way()] for way in ways.values()]
    assert counts[0] == counts[1] == counts[2]
    side_by_side(f"regions of {K} maps 7 × 7 in {size[0]} × {size[1]}", ways)


@pytest.mark.parametrize("name", NETWORKS)
def test_classify_torch(side_by_side, name):
    network, layer = build(name)
    module = network.get_submodule(layer)
    images = torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    classifier = TorchClassifier(network, layer)

    def plain():
        with torch.inference_mode():
            return network(images)

    def by_us():
        reading = read(classifier, images)
        return ops.score_neurons(reading.activations, reading.gradients, K)

    def by_captum():
        return peers.captum_scores(network, module, images, K)

    np.testing.assert_allclose(by_us().values, by_captum()[0].numpy(), rtol=1e-3, atol=1e-5)
    ways = {"nle_fast": by_us, "plain forward": plain, "Captum": by_captum}
    side_by_side(f"forward, gradients, scores: {name}, torch", ways)


@pytest.mark.parametrize("name", NETWORKS)
def test_classify_onnx(side_by_side, name, tmp_path):
    network, _ = build(name)
    torch.onnx.export(network, (torch.zeros(1, 3, 224, 224),), tmp_path / "network.onnx", dynamo=False)
    classifier = OnnxClassifier(tmp_path / "network.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "network.onnx", providers=["CPUExecutionProvider"])
    images = np.random.default_rng(1).normal(size=(1, 3, 224, 224)).astype(np.float32)
    feed = {session.get_inputs()[0].name: images}

    def by_us():
        reading = read(classifier, images)
        return ops.score_neurons(reading.activations, reading.gradients, K)

    np.testing.assert_allclose(read(classifier, images).logits, session.run(None, feed)[0], rtol=1e-3, atol=1e-4)
    ways = {"nle_fast": by_us, "plain forward": lambda: session.run(None, feed)}
    side_by_side(f"forward, gradients, scores: {name}, ONNX Runtime, 2 threads", ways)


def test_text(side_by_side):
    items = [
        Evidence(rank, name, None, 1.0, 0.2 - 0.05 * rank, True, ("left", "top")[: 1 + rank % 2], ())
        for rank, name in enumerate(["stripes", "dog faces", "rounded edges in pictures"])
    ]
    meaning = Meaning(Prediction(1, "zebra", 0.9, 9.0), None, tuple(items), 0.45, "layer4", "plain")
    verbalizer = open_verbalizer("template")
    assert check(speak(verbalizer, meaning).text, meaning)
    side_by_side(
        "text of 3 pieces of evidence, template, checked", {"nle_fast": lambda: speak(verbalizer, meaning)}, 200
    )


@pytest.mark.parametrize("name", NETWORKS)
def test_whole(side_by_side, name, tmp_path):
    """From a decoded picture to scored neurons with regions; ours also writes the text and checks it."""
    network, layer = build(name)
    module = network.get_submodule(layer)
    coarse = np.random.default_rng(0).integers(0, 256, (25, 34, 3), np.uint8)
    picture = load_picture(np.repeat(np.repeat(coarse, 15, 0), 15, 1)[:375, :500])
    options = {"verbalizer": "template", "config": Config(top_k=K)}
    explainer = Explainer(network, layer=layer, **options)
    torch.onnx.export(network, (torch.zeros(1, 3, 224, 224),), tmp_path / "network.onnx", dynamo=False)
    onnx = Explainer(tmp_path / "network.onnx", **options)

    def by_peers():
        return peers.pipeline(network, module, torch.from_numpy(explainer.preprocess([picture])), SIZE, K)

    def plain():
        with torch.inference_mode():
            return network(torch.from_numpy(explainer.preprocess([picture])))

    (values, _, _), explanation = by_peers()[0], explainer(picture)
    np.testing.assert_allclose([item.score for item in explanation.evidence], [v for v in values if v > 0], rtol=1e-3)
    assert check(explanation.text, explanation.meaning)
    assert check(onnx(picture).text, onnx(picture).meaning)
    ways = {
        "nle_fast": lambda: explainer(picture),
        "nle_fast, ONNX Runtime, 2 threads": lambda: onnx(picture),
        "Captum + OpenCV, no text": by_peers,
        "plain torch forward only": plain,
    }
    side_by_side(f"whole explanation: {name}", ways)
