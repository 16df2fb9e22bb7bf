"""Interventions and sanity in the drawn world, with the embedded network; docs/faithfulness.md has larger counts."""

from __future__ import annotations

import numpy as np
import pytest

import nle_fast as nle
from nle_fast.bundle import DEFAULT_BUNDLE
from nle_fast.classifiers import cut_at_picture, read
from nle_fast.faithfulness import measure_interventions, measure_pointing
from nle_fast.faithfulness.interventions import _ranks, _spearman, named_parts, sufficient_sets
from nle_fast.faithfulness.pointing import world_cases
from nle_fast.faithfulness.rankings import signed_scores
from nle_fast.world import LABELS, SPECIES, Scene

FIRST = 9_000_000  # seeds that no script and no other test uses
MIRROR = {"left": "right", "right": "left"}


@pytest.fixture(scope="module")
def explainer():
    return nle.Explainer.default(verbalizer="template")


def scores_of(explainer, picture, target=-1):
    reading = read(explainer.classifier, explainer.preprocess([nle.load_picture(picture)]), [target])
    return signed_scores(reading.activations, reading.gradients)[0]


# --- gradients at the picture


def test_the_gradient_of_the_picture_is_that_of_differences():
    at_picture = cut_at_picture(DEFAULT_BUNDLE / "model.onnx")
    images = np.random.default_rng(0).normal(size=(1, 3, 128, 128)).astype(np.float32)
    reading = read(at_picture, images, [3])
    generator = np.random.default_rng(1)
    direction = generator.normal(size=images.shape).astype(np.float32) * 1e-3
    ahead, behind = (at_picture.logits(images + sign * direction)[0, 3] for sign in (1, -1))
    assert float((reading.gradients * direction).sum() * 2) == pytest.approx(float(ahead - behind), rel=0.05, abs=2e-4)
    assert at_picture.num_neurons == 3
    with pytest.raises(nle.GradientUnavailableError, match="leave out"):
        cut_at_picture(object())


# --- the world's questions


def test_sufficient_sets_are_smallest_and_tell_the_class():
    for index, species in enumerate(SPECIES):
        sets = sufficient_sets(index)
        assert sets
        for parts in sets:
            same = [
                one for one in SPECIES
                if one.kind == species.kind and all(one.definition[p] == species.definition[p] for p in parts)
            ]  # fmt: skip
            assert same == [species]
            for part in parts:
                assert not any(other <= parts - {part} for other in sets)


def test_rank_correlation_is_scipys():
    scipy = pytest.importorskip("scipy.stats")
    generator = np.random.default_rng(0)
    for _ in range(20):
        one, two = generator.integers(0, 4, 9), generator.normal(size=9)
        assert _ranks(one) == pytest.approx(scipy.rankdata(one))
        assert _spearman(one, two) == pytest.approx(scipy.spearmanr(one, two).statistic)
    assert _spearman([1, 1, 1], [1, 2, 3]) == 0


def test_named_parts_are_those_of_the_explanation(explainer):
    for seed in range(FIRST, FIRST + 5):
        scene = Scene.random(seed)
        explanation = explainer(scene.picture)
        found, total = named_parts(scores_of(explainer, scene.picture), explainer.concepts, scene.parts)
        named = {item.concept.split()[-1] for item in explanation.evidence if item.concept}
        assert {part for part, value in found.items() if value > 0} == named & set(scene.parts)
        shares = sum(e.share for e in explanation.evidence if e.concept and e.concept.split()[-1] in scene.parts)
        assert sum(found.values()) / total == pytest.approx(shares, abs=1e-5)


def test_the_text_beats_input_times_gradient_and_chance(explainer):
    found = measure_interventions(explainer, DEFAULT_BUNDLE / "model.onnx", 3, FIRST + 100)
    methods = {name: {k: v["value"] for k, v in m.items() if k != "threshold"} for name, m in found["methods"].items()}
    for other in ("input × gradient", "random"):
        for key in ("completeness", "correctness"):
            assert methods["text"][key] > methods[other][key]
    assert found["accuracy"] > 0.8
    assert found["background_independence_of_the_network"] > 0.8
    again = measure_interventions(explainer, DEFAULT_BUNDLE / "model.onnx", 1, FIRST + 102)
    assert again["raw"] == found["raw"][2:]


def test_named_neurons_point_into_their_parts(explainer):
    hits = measure_pointing(explainer, world_cases(12, 128, FIRST + 200), 12)["hits"]
    assert hits["neuron"]["value"] > 0.8
    assert hits["neuron"]["value"] > hits["grad-cam"]["value"] + 0.2 > hits["random"]["value"]


# --- sanity


def test_randomized_weights_change_the_explanation_layer_by_layer(explainer, tmp_path):
    """Adebayo et al., "Sanity Checks for Saliency Maps" (NeurIPS 2018): from the last layer to the first."""
    import onnx
    from onnx import numpy_helper

    network = onnx.load(DEFAULT_BUNDLE / "model.onnx")
    weights = {tensor.name: tensor for tensor in network.graph.initializer}
    layers = [node for node in network.graph.node if node.op_type in ("Conv", "Gemm")][::-1]
    pictures = [Scene.random(FIRST + 300 + n).picture for n in range(4)]
    target = [explainer(picture).prediction.index for picture in pictures]
    before = np.array([scores_of(explainer, p, t) for p, t in zip(pictures, target, strict=True)])
    generator = np.random.default_rng(0)
    likeness = []
    for depth, node in enumerate(layers):
        tensor = weights[node.input[1]]
        values = numpy_helper.to_array(tensor)
        fresh = generator.normal(0, values.std(), values.shape).astype(np.float32)
        tensor.CopyFrom(numpy_helper.from_array(fresh, tensor.name))
        if depth not in (0, 1, 4, len(layers) - 1):
            continue
        path = tmp_path / f"{depth}.onnx"
        onnx.save(network, path)
        random = nle.Explainer(path, layer="features", preprocess=explainer.preprocess, verbalizer="template")
        after = np.array([scores_of(random, p, t) for p, t in zip(pictures, target, strict=True)])
        likeness.append(np.mean([_spearman(one, two) for one, two in zip(before, after, strict=True)]))
        named = [set(np.argsort(-s)[:5]) for s in (before[0], after[0])]
        assert named[0] != named[1]
    assert max(likeness) < 0.5, likeness
    assert abs(likeness[-1]) < 0.4, likeness


def test_a_mirrored_picture_swaps_left_and_right(explainer):
    swapped = kept = 0
    for seed in range(FIRST + 400, FIRST + 412):
        picture = Scene.random(seed).picture
        one, other = explainer(picture), explainer(np.ascontiguousarray(picture[:, ::-1]))
        if one.prediction.index != other.prediction.index:
            continue
        places = {item.neuron: {_mirrored(name) for name in item.positions} for item in one.evidence}
        for item in other.evidence:
            if item.neuron in places:
                kept += 1
                swapped += places[item.neuron] == set(item.positions)
    assert kept >= 30
    assert swapped / kept >= 0.75, f"{swapped} of {kept}"


def _mirrored(name):
    return " ".join("-".join(MIRROR.get(part, part) for part in word.split("-")) for word in name.split())


@pytest.mark.parametrize(("noise", "least"), [(0.05, 0.75), (0.20, 0.4)])
def test_noise_leaves_most_of_the_explanation(explainer, noise, least):
    generator = np.random.default_rng(0)
    shared = []
    for seed in range(FIRST + 500, FIRST + 510):
        picture = Scene.random(seed).picture
        noisy = (picture + generator.normal(0, 255 * noise, picture.shape)).clip(0, 255).astype(np.uint8)
        one, other = explainer(picture), explainer(noisy)
        if one.prediction.index == other.prediction.index:
            first, second = ({item.neuron for item in e.evidence} for e in (one, other))
            shared.append(len(first & second) / len(first | second))
    assert shared, "the noise changed every answer"
    assert np.mean(shared) >= least


def test_repeats_are_identical(explainer):
    picture = Scene.random(FIRST + 600).picture
    first, *others = (explainer(picture, certify=True) for _ in range(5))
    assert all(other == first for other in others)


def test_another_class_gives_another_explanation(explainer):
    shared = []
    for seed in range(FIRST + 700, FIRST + 705):
        scene = Scene.random(seed)
        own = explainer(scene.picture)
        rival = next(i for i, one in enumerate(SPECIES) if one.kind != scene.kind)
        other = explainer(scene.picture, target=LABELS[rival])
        first, second = ({item.neuron for item in e.evidence} for e in (own, other))
        shared.append(len(first & second) / len(first | second))
        assert own.text != other.text
    # What a picture does not show cannot be named, so classes far apart may share some evidence.
    assert max(shared) < 1
    assert np.mean(shared) <= 0.35, shared
