"""Whole networks: meaning representation and whole explanation, beside the plain forward and the field's tools.

`make bench` runs this and writes benches/results/stages.json, the tables and the plots.
"""

from __future__ import annotations

import os

import numpy as np
import onnxruntime
import peers
import pytest
import torch
from architectures import NETWORKS, build

from nle_fast import Config, Explainer, load_picture, ops
from nle_fast.classifiers import read
from nle_fast.classifiers.onnx.model import OnnxClassifier
from nle_fast.classifiers.torch.model import TorchClassifier
from nle_fast.verbalizers import check
from nle_fast.verbalizers.llama import EMBEDDED

K = 10
SIZE = (500, 375)
SMALL = ("mobilenet_v2", "squeezenet1_1", "resnet18")

pytestmark = pytest.mark.usefixtures("one_thread_each")


def pictures(count):
    return torch.randn(count, 3, 224, 224, generator=torch.Generator().manual_seed(1))


def skip_long(quick, name, batch):
    if (quick and batch > 1) or (batch > 8 and name not in SMALL[:2]):
        pytest.skip("takes minutes by itself")


def why_not(way):
    """What a peer cannot do with this network, or None."""
    try:
        way()
    except Exception as error:
        return " ".join(str(error).split())[:120]
    return None


def rounds_of(batch):
    return {1: 40, 8: 20, 64: 3}[batch]


def exported(network, folder):
    path = folder / "network.onnx"
    names = {"input_names": ["images"], "dynamic_axes": {"images": {0: "n"}}}
    torch.onnx.export(network, (torch.zeros(1, 3, 224, 224),), path, dynamo=False, **names)
    return path


def meaning(classifier, images):
    """Scores of the K strongest neurons, their regions and positions: all that takes time before the words."""
    reading = read(classifier, images)
    top = ops.score_neurons(reading.activations, reading.gradients, K)
    return top, ops.find_places(top.maps, [(224, 224)] * len(images), [(0.0, 0.0, 224.0, 224.0)] * len(images))


@pytest.mark.parametrize("batch", [1, 8, 64])
@pytest.mark.parametrize("name", NETWORKS)
def test_torch(side_by_side, quick, name, batch):
    skip_long(quick, name, batch)
    network, layer = build(name)
    module, images, classifier = network.get_submodule(layer), pictures(batch), TorchClassifier(network, layer)

    def plain():
        with torch.inference_mode():
            return network(images)

    def by_us():
        return meaning(classifier, images)

    np.testing.assert_allclose(by_us()[0].values, peers.captum_scores(network, module, images, K)[0].numpy(), rtol=1e-2)
    np.testing.assert_allclose(read(classifier, images).logits, plain().numpy(), rtol=1e-3, atol=1e-4)
    ways, left_out = {"nle_fast": by_us, "plain forward": plain}, {}
    if batch < 64:
        ways["Captum, the same scores"] = lambda: peers.captum_scores(network, module, images, K)
    if batch == 1:
        for who, way in peers.attributions(network, module, images).items():
            reason = why_not(way)
            if reason is None:
                ways[who] = way
            else:
                left_out[who] = reason
    kind = "closed form" if classifier.closed_form else "autograd"
    facts = {"kind": kind, "network": name, "batch": batch, "left_out": left_out, "baseline": "plain forward"}
    side_by_side(f"meaning representation: {name}, torch, batch {batch}", ways, rounds_of(batch), **facts)


@pytest.mark.parametrize("batch", [1, 8, 64])
@pytest.mark.parametrize("name", NETWORKS)
def test_onnx(side_by_side, quick, name, batch, tmp_path):
    skip_long(quick, name, batch)
    path = exported(build(name)[0], tmp_path)
    classifier = OnnxClassifier(path)
    # As ours: threads that go on spinning after a run halve the speed of the session that comes next.
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.force_spinning_stop", "1")
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    images = pictures(batch).numpy()

    def plain():
        return session.run(None, {"images": images})

    np.testing.assert_allclose(read(classifier, images).logits, plain()[0], rtol=1e-3, atol=1e-4)
    ways = {"nle_fast": lambda: meaning(classifier, images), "plain forward": plain}
    facts = {"network": name, "batch": batch, "baseline": "plain forward"}
    group = f"meaning representation: {name}, ONNX Runtime, {os.cpu_count()} threads, batch {batch}"
    side_by_side(group, ways, 3 * rounds_of(batch), lap_ms=20, **facts)


def test_published_pipeline(side_by_side):
    """LayerLRP + LayerActivation + a loop over maps, on a network that Captum has rules for."""
    network, layer = build("resnet18")
    module, images, classifier = network.get_submodule(layer), pictures(1), TorchClassifier(network, layer)
    window = (0.0, 0.0, 224.0, 224.0)

    def by_us():
        reading = read(classifier, images)
        top = ops.score_neurons(reading.activations, reading.gradients, K, "max")
        return top, ops.find_places(top.maps, [(224, 224)], [window], rule="any")

    def plain():
        with torch.inference_mode():
            return network(images)

    (published,) = peers.published(network, module, images, K)
    assert len({neuron for neuron, _ in published} & set(by_us()[0].neurons[0].tolist())) >= K - 2
    ways = {
        "nle_fast, published setting": by_us,
        "published pipeline's steps": lambda: peers.published(network, module, images, K),
        "plain forward": plain,
    }
    side_by_side("published pipeline: resnet18, torch", ways, 20)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("name", SMALL)
def test_whole(side_by_side, name, threads, tmp_path):
    """From a decoded picture to the checked text, beside PyTorch's plain forward with as many threads."""
    network, layer = build(name)
    module = network.get_submodule(layer)
    coarse = np.random.default_rng(0).integers(0, 256, (25, 34, 3), np.uint8)
    picture = load_picture(np.repeat(np.repeat(coarse, 15, 0), 15, 1)[:375, :500])
    config = Config(top_k=5)
    torch.set_num_threads(threads)
    explainer = Explainer(network, layer=layer, verbalizer="template", config=config)
    # ONNX Runtime takes its number of threads from the cores that the process may use when it is opened.
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, set(sorted(cores)[:threads]))
    path = exported(network, tmp_path)
    onnx = Explainer(path, verbalizer="template", config=config)
    onnx(picture)
    os.sched_setaffinity(0, cores)
    images = torch.from_numpy(explainer.preprocess([picture]))

    def plain():
        with torch.inference_mode():
            return network(images)

    def by_peers():
        prepared = torch.from_numpy(explainer.preprocess([picture]))
        return peers.pipeline(network, module, prepared, SIZE, config.top_k)

    values = [item.score for item in explainer(picture).evidence]
    np.testing.assert_allclose(values, [v for v in by_peers()[0][0] if v > 0][: len(values)], rtol=1e-2)
    for said in (explainer(picture), onnx(picture)):
        assert check(said.text, said.meaning)
    ways = {
        "nle_fast, torch, template": lambda: explainer(picture),
        "nle_fast, ONNX Runtime, template": lambda: onnx(picture),
        "Captum + OpenCV, no text": by_peers,
        "plain torch forward only": plain,
    }
    if EMBEDDED.exists() and name in SMALL[:2]:
        model = Explainer(path, verbalizer="llama", config=Config(top_k=3))
        assert check(model(picture).text, model(picture).meaning)
        ways["nle_fast, ONNX Runtime, embedded model"] = lambda: model(picture)
    side_by_side(f"whole explanation: {name}, threads: {threads}", ways, 40, network=name, threads=threads)
