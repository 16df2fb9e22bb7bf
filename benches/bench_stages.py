"""Each stage beside its peers: one group per operation, the peers in the same group and run.

Each bench first asserts that it does the work. `make bench` writes benches/results and prints the table.
"""

from __future__ import annotations

import numpy as np
import peers
import pytest
import torch
from architectures import build

from nle_fast import Config, Explainer, ops
from nle_fast.classifiers import read
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
    yield
    torch.set_num_threads(before)


def tensors(n, c, side):
    generator = torch.Generator().manual_seed(0)
    activations = torch.rand(n, c, side, side, generator=generator)
    return activations, torch.randn(n, c, side, side, generator=generator)


@pytest.mark.parametrize("shape", [(1, 512, 7), (1, 2048, 7), (64, 2048, 7)], ids=str)
@pytest.mark.parametrize("who", ["nle_fast", "torch", "copy"])
def test_score(benchmark, shape, who):
    benchmark.group = f"score {shape[0]} x {shape[1]} x {shape[2]} x {shape[2]}"
    activations, gradients = tensors(*shape)

    def by_torch():
        scores = (activations * gradients).sum((2, 3))
        values, neurons = scores.topk(K, dim=1)
        maps = activations.gather(1, neurons[:, :, None, None].expand(-1, -1, *activations.shape[2:]))
        return values, neurons, maps

    def by_us():
        return ops.score_neurons(activations, gradients, K, threads=1)

    expected, got = by_torch(), by_us()
    np.testing.assert_allclose(got.values, expected[0].numpy(), rtol=1e-4)
    source, target = torch.stack([activations, gradients]), torch.empty(2, *activations.shape)
    benchmark({"nle_fast": by_us, "torch": by_torch, "copy": lambda: target.copy_(source)}[who])


@pytest.mark.parametrize("size", [(224, 224), (640, 640)], ids=lambda s: f"{s[0]}px")
@pytest.mark.parametrize("who", ["nle_fast", "opencv", "skimage"])
def test_regions(benchmark, size, who):
    benchmark.group = f"regions of 10 maps 7 x 7 in {size[0]} px"
    maps = np.random.default_rng(0).random((K, 7, 7)).astype(np.float32) ** 3

    def by_skimage():
        from skimage import measure

        out = []
        for plane in maps:
            import cv2

            large = cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR)
            labels = measure.label(large > 0.5 * plane.max(), connectivity=2)
            regions = measure.regionprops(labels, large)
            out.append([(r.area, r.bbox, r.centroid, r.mean_intensity, r.max_intensity) for r in regions])
            for r in regions:
                measure.find_contours(np.pad(r.image, 1), 0.5)
        return out

    def by_us():
        return ops.find_regions(maps, size, threads=1)

    counts = [len(regions) for regions in by_us()]
    assert counts == [len(regions) for regions in peers.opencv_regions(maps, size)] == [len(r) for r in by_skimage()]
    benchmark({"nle_fast": by_us, "opencv": lambda: peers.opencv_regions(maps, size), "skimage": by_skimage}[who])


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v2", "squeezenet1_1"])
@pytest.mark.parametrize("who", ["plain forward", "nle_fast", "captum"])
def test_classify(benchmark, name, who):
    benchmark.group = f"forward and gradients, {name}"
    network, layer = build(name)
    images = torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    classifier = TorchClassifier(network, layer)
    module = network.get_submodule(layer)

    def plain():
        with torch.inference_mode():
            return network(images)

    def by_us():
        return read(classifier, images)

    reading = by_us()
    top = ops.score_neurons(reading.activations, reading.gradients, K)
    expected = peers.captum_scores(network, module, images, K)
    np.testing.assert_allclose(top.values, expected[0].numpy(), rtol=1e-3, atol=1e-5)
    ways = {
        "plain forward": plain,
        "nle_fast": by_us,
        "captum": lambda: peers.captum_scores(network, module, images, K),
    }
    benchmark.pedantic(ways[who], rounds=40, warmup_rounds=5)


def meaning():
    items = []
    for rank, name in enumerate(["stripes", "dog faces", "rounded edges in pictures"]):
        items.append(Evidence(rank, name, None, 1.0, 0.2 - 0.05 * rank, True, ("left", "top")[: 1 + rank % 2], ()))
    return Meaning(Prediction(1, "zebra", 0.9, 9.0), None, tuple(items), 0.45, "layer4", "plain")


def test_template_with_check(benchmark):
    benchmark.group = "text"
    verbalizer, said = open_verbalizer("template"), meaning()
    assert check(speak(verbalizer, said).text, said)
    benchmark(speak, verbalizer, said)


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v2", "squeezenet1_1"])
@pytest.mark.parametrize("who", ["plain forward", "nle_fast meaning and text", "captum + opencv"])
def test_whole(benchmark, name, who):
    """From a decoded picture to scored neurons with regions; ours also checks and writes the text."""
    benchmark.group = f"whole, {name}"
    network, layer = build(name)
    module = network.get_submodule(layer)
    generator = np.random.default_rng(0)
    picture = np.repeat(np.repeat(generator.integers(0, 256, (25, 34, 3), np.uint8), 15, 0), 15, 1)[:375, :500]
    explainer = Explainer(network, layer=layer, verbalizer="template", config=Config(top_k=K))
    from nle_fast import load_picture

    picture = load_picture(np.ascontiguousarray(picture))

    def by_peers():
        images = torch.from_numpy(explainer.preprocess([picture]))
        return peers.pipeline(network, module, images, SIZE, K)

    def plain():
        with torch.inference_mode():
            return network(torch.from_numpy(explainer.preprocess([picture])))

    (values, _, _), explanation = by_peers()[0], explainer(picture)
    ours = [item.score for item in explanation.evidence]
    np.testing.assert_allclose(ours, [v for v in values if v > 0], rtol=1e-3)
    assert len(explanation.text) > 20
    ways = {
        "plain forward": plain,
        "nle_fast meaning and text": lambda: explainer(picture),
        "captum + opencv": by_peers,
    }
    benchmark.pedantic(ways[who], rounds=40, warmup_rounds=5)
