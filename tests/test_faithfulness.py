"""The measuring itself: intervals, controls, masks, pixels, on networks whose answer is known."""

from __future__ import annotations

import json

import numpy as np
import pytest
from fakes import Colors, preprocess, scene

import nle_fast as nle
from nle_fast.classifiers import masked_logits, read
from nle_fast.faithfulness import (
    MaskingOptions,
    PixelOptions,
    fit_words,
    look_without,
    mean_interval,
    measure_masking,
    measure_pixels,
    neurons_seeing,
    ratio_interval,
    read_hypernyms,
)
from nle_fast.faithfulness.attributions import grad_cam, interpolate, neuron_maps, random_maps, region_maps
from nle_fast.faithfulness.pixels import blur
from nle_fast.faithfulness.pointing import measure_pointing
from nle_fast.faithfulness.rankings import rank_neurons, relevance_scores, signed_scores
from nle_fast.faithfulness.statistics import difference_interval, interval_text

NAMES = ["red ball", "blue water", None, "sky", "green leaves", "sea", "wooden board", "night"]


def make(**options):
    given = {
        "labels": ["ball", "sea", "wood"],
        "preprocess": preprocess(),
        "verbalizer": "template",
        "concepts": nle.Concepts.from_names(NAMES, layer="colors"),
    }
    return nle.Explainer(Colors(), **(given | options))


def activations(count=3):
    return Colors().activations(preprocess()([nle.load_picture(scene(seed)) for seed in range(count)]))


# --- intervals


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    generator = np.random.default_rng(3)
    held = 0
    for trial in range(150):
        interval = mean_interval(generator.normal(2.0, 1.0, 50), draws=200, seed=trial)
        held += interval.low <= 2.0 <= interval.high
    assert 0.87 <= held / 150 <= 0.99


def test_a_ratio_is_paired_and_of_means():
    generator = np.random.default_rng(0)
    control = generator.uniform(0.1, 5.0, 40)
    interval = ratio_interval(3 * control, control)
    assert (interval.low, interval.high) == (pytest.approx(3), pytest.approx(3)), "the same pictures in both"
    assert ratio_interval([4.0, 0.0], [1.0, 1.0]).value == 2.0
    assert difference_interval([4.0, 1.0], [1.0, 1.0]).value == 1.5


def test_a_control_without_effect_gives_no_number_that_could_be_quoted():
    nothing = ratio_interval([1.0, 2.0, 3.0], [-1.0, 0.5, -2.0])
    assert nothing.value == np.inf
    assert nothing.to_dict()["value"] is None
    both_below = ratio_interval([-1.0, -2.0], [-1.0, -1.0])
    assert both_below.value == both_below.low == -np.inf, "two harms are no success"
    assert interval_text(nothing.to_dict(), "{:.1f}".format)[0] == "∞"
    assert interval_text(both_below.to_dict(), "{:.1f}".format) == ("−∞", "−∞", "−∞"), "no success to be quoted either"
    mixed = ratio_interval([3.0, -1.0, 2.0], [1.0, -1.0, 1.0])
    assert interval_text(mixed.to_dict(), "{:.1f}".format) == ("4.0", "−∞", "∞"), "an interval that holds 1"
    assert json.loads(json.dumps(mixed.to_dict(), allow_nan=False)) == mixed.to_dict()
    empty = mean_interval([np.nan, np.nan])
    assert empty.count == 0
    assert interval_text(empty.to_dict(), "{:.1f}".format) == ("–", "–", "–"), "undefined is not infinite"
    with pytest.raises(nle.InputError, match="same pictures"):
        ratio_interval([1.0], [1.0, 2.0])


def test_intervals_repeat_and_follow_their_seed():
    values = np.random.default_rng(1).normal(size=30)
    assert mean_interval(values, seed=1) == mean_interval(values, seed=1)
    assert mean_interval(values, seed=1) != mean_interval(values, seed=2)


# --- the head alone


@pytest.mark.parametrize("at_most_bytes", [1, 5000, 1 << 25])
def test_masked_logits_are_those_of_masking_by_hand(at_most_bytes):
    classifier, maps = Colors(), activations()
    masks = np.random.default_rng(0).random((3, 7, 8)) < 0.4
    logits = masked_logits(classifier, maps, masks, at_most_bytes=at_most_bytes)
    donors = np.random.default_rng(1).integers(2, size=(3, 7))
    other = masked_logits(classifier, maps, masks, maps[:2], donors, at_most_bytes=at_most_bytes)
    means = masked_logits(classifier, maps, masks, maps.mean((0, 2, 3)), at_most_bytes=at_most_bytes)
    for n in range(3):
        for m in range(7):
            for got, stand_in in (
                (logits, 0),
                (other, maps[donors[n, m]]),
                (means, maps.mean((0, 2, 3))[:, None, None]),
            ):
                by_hand = np.where(masks[n, m][:, None, None], stand_in, maps[n])
                assert got[n, m] == pytest.approx(classifier.logits(by_hand[None])[0], abs=1e-4)


def test_masked_logits_give_tensors_to_who_gave_tensors():
    import torch

    class Tensors(Colors):
        def logits(self, maps):
            assert isinstance(maps, torch.Tensor)
            return torch.from_numpy(Colors.logits(self, maps.numpy()))

    masks = np.eye(8, dtype=bool)[None]
    got = masked_logits(Tensors(), torch.from_numpy(activations(1)), masks)
    assert got == pytest.approx(masked_logits(Colors(), activations(1), masks))
    with pytest.raises(nle.InputError, match="one row of neurons"):
        masked_logits(Colors(), activations(1), masks[:, :, :5])
    with pytest.raises(nle.InputError, match="donor"):
        masked_logits(Colors(), activations(1), masks, activations(1))


# --- orders


def test_orders_are_those_of_their_definitions():
    classifier, maps = Colors(), activations()
    slopes = classifier.gradients(maps, np.zeros(3, np.int64))
    relevance = maps * slopes[:, :, None, None]
    assert signed_scores(maps, slopes) == pytest.approx(relevance.sum((2, 3)), abs=1e-5)
    assert relevance_scores(maps, slopes) == pytest.approx(np.maximum(relevance, 0).max((2, 3)), abs=1e-6)
    orders = rank_neurons(maps, slopes)
    assert (orders["lowest"][:, 0] == relevance.sum((2, 3)).argmin(1)).all()
    assert (orders["activation"][:, 0] == maps.mean((2, 3)).argmax(1)).all()
    assert all((np.sort(order, 1) == np.arange(8)).all() for order in orders.values())


def test_the_published_score_is_captums_lrp():
    captum = pytest.importorskip("captum.attr")
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)

    class Network(torch.nn.Sequential):
        def forward(self, images):  # Captum knows no rule for a Flatten
            return super().forward(images).flatten(1)

    model = Network(
        torch.nn.Conv2d(3, 6, 3, padding=1), torch.nn.ReLU(), torch.nn.Conv2d(6, 8, 3), torch.nn.ReLU(),
        torch.nn.AdaptiveAvgPool2d(1), torch.nn.Conv2d(8, 4, 1),
    )  # fmt: skip
    images = torch.rand(3, 3, 16, 16)
    explainer = nle.Explainer(model, layer="3", preprocess=nle.Preprocess(size=16), verbalizer="template")
    reading = read(explainer.classifier, images.numpy())
    classes = torch.from_numpy(reading.class_index)
    relevance = captum.LayerLRP(model, model[4]).attribute(images, target=classes, attribute_to_layer_input=True)
    published = np.maximum(relevance.detach().numpy().max((2, 3)), 0)
    assert relevance_scores(reading.activations, reading.gradients) == pytest.approx(published, abs=1e-6)
    cam = captum.LayerGradCam(model, model[3]).attribute(images, target=classes, relu_attributions=True)
    large = torch.nn.functional.interpolate(cam, (16, 16), mode="bilinear").detach().numpy()[:, 0]
    assert grad_cam(reading, (16, 16)) == pytest.approx(large, abs=1e-6)


# --- words that fit


def test_plausible_neurons_are_those_whose_words_fit():
    fits = fit_words(
        ["red-breasted finch", "tabby, tabby cat"],
        ["red breast", "cat or dog", "breast", "cats, wolves", None, "animal with stripes"],
        [["bird"], ["animal"]],
    )
    assert fits[0].tolist() == [1, 0, 1, 0, 0, 0]
    assert fits[1].tolist() == [0, 1, 0, 1, 0, 0.25]


def test_hypernyms_are_found_by_any_name(tmp_path):
    path = tmp_path / "more.json"
    path.write_text(
        json.dumps([{"names": ["tench", "Tinca tinca"], "hypernyms": [{"name": "fish"}, {"name": "animal"}]}])
    )
    assert read_hypernyms(path, ["Tench", "goldfish", "tinca tinca, tench"]) == [
        ["fish", "animal"],
        [],
        ["fish", "animal"],
    ]
    path.write_text("[{}]")
    with pytest.raises(nle.InputError, match="hypernyms"):
        read_hypernyms(path, ["tench"])
    with pytest.raises(nle.InputError, match="one entry for each of 2"):
        fit_words(["a", "b"], [None], [[]])


def test_neurons_are_found_by_their_words():
    concepts = nle.Concepts.from_names(NAMES, layer="colors")
    assert neurons_seeing(concepts, "ball") == (0,)
    assert neurons_seeing(concepts, "leaves") == neurons_seeing(concepts, "green leaves") == (4,)
    with pytest.raises(nle.InputError, match="did you mean blue water"):
        neurons_seeing(concepts, "blue waters of night")
    with pytest.raises(nle.InputError, match="without concepts"):
        neurons_seeing(None, "ball")
    with pytest.raises(nle.InputError, match=r"`without` must name a concept.*as text"):
        neurons_seeing(concepts, None)


def test_names_without_words_in_them_are_found_whole():
    digits = nle.Concepts.from_names(["7", "8", None, "7 and 8", "C++"], layer="colors")
    assert neurons_seeing(digits, "7") == (0,)
    assert neurons_seeing(digits, " c++ ") == (4,)


def test_what_the_network_would_say_if_it_could_not_see_it():
    explainer = make()
    explanation = explainer(scene(1))
    found = look_without(explainer, explanation, "sea")
    assert found.neurons == (5,)
    assert found.prediction == explainer.mask(scene(1), [5])
    assert found.target == explainer.mask(scene(1), [5], target=explanation.target.index)
    assert "Without “sea” (neuron 5)" in str(found)
    assert found.prediction.label in str(found)
    with pytest.raises(nle.InputError, match="picture"):
        look_without(explainer, nle.Explanation.from_json(explanation.to_json()), "sea")


# --- masking


def test_masking_measures_what_mask_says_at_equal_counts():
    explainer, pictures = make(), [scene(seed) for seed in range(5)]
    found = measure_masking(explainer, pictures, MaskingOptions(k=3, ks=(1, 2, 3, 5), draws=4))
    drops = []
    for picture, row in zip(pictures, found["raw"], strict=True):
        explanation = nle.Explainer.__call__(make(config=nle.Config(top_k=3)), picture)
        neurons = [item.neuron for item in explanation.evidence]
        assert row["masked"] == len(neurons)
        masked = explainer.mask(picture, neurons, target=explanation.target.index)
        assert row["drops"]["zero"]["explanation"]["logit_drop"] == pytest.approx(
            explanation.target.logit - masked.logit, abs=1e-4
        )
        drops.append(row["drops"]["zero"]["explanation"]["logit_drop"])
    zero = found["rankings"]["zero"]
    assert zero["explanation"]["logit_drop"]["value"] == pytest.approx(np.mean(drops), abs=1e-5)
    assert set(zero) == {"explanation", "published", "activation", "lowest", "plausible", "random", "active"}
    # With pooling and a linear map nothing lowers the logit more than the neurons with the largest scores.
    assert all(values["logit_drop"]["value"] <= zero["explanation"]["logit_drop"]["value"] for values in zero.values())
    curve = found["curves"]["explanation"]["comprehensiveness"]["mean"]
    assert len(curve) == 4
    json.dumps(found, allow_nan=False)


def test_masking_repeats_and_needs_pictures():
    explainer, pictures = make(), [scene(1), scene(2)]
    options = MaskingOptions(k=2, ks=(2,), draws=2, replacements=("resampled",))
    assert measure_masking(explainer, pictures, options) == measure_masking(explainer, pictures, options)
    without_words = measure_masking(make(concepts=None), pictures, options)
    assert "plausible" not in without_words["rankings"]["resampled"]
    with pytest.raises(nle.InputError, match="at least one picture"):
        measure_masking(explainer, [])
    for bad in ({"k": 0}, {"draws": 0}, {"ks": (0,)}, {"replacements": ("noise",)}):
        with pytest.raises(nle.ConfigError):
            MaskingOptions(**bad)


# --- pixels


def test_interpolation_is_torchs():
    torch = pytest.importorskip("torch")
    planes = np.random.default_rng(0).random((2, 5, 7))
    wanted = torch.nn.functional.interpolate(torch.from_numpy(planes)[None], (33, 20), mode="bilinear")[0].numpy()
    assert interpolate(planes, (33, 20)) == pytest.approx(wanted)


def test_blur_is_a_gaussian_that_keeps_the_mean():
    image = np.random.default_rng(0).random((3, 40, 40)).astype(np.float32)
    soft = blur(image)
    scipy = pytest.importorskip("scipy.ndimage")
    wanted = scipy.gaussian_filter(image.astype(float), (0, *(2 * [5 / 224 * 40])), mode="reflect", truncate=3.4)
    assert soft == pytest.approx(wanted, abs=2e-3)
    assert soft.mean() == pytest.approx(image.mean(), abs=1e-3)


def test_only_named_regions_count_in_our_map():
    explainer = make()
    explanation = make(config=nle.Config(top_k=1))(scene(2, 64, 64))
    reading = read(explainer.classifier, preprocess()([nle.load_picture(scene(2, 64, 64))]))
    values = region_maps(reading, 1, (64, 64))[0]
    assert (values > 0).mean() == pytest.approx(sum(r.area for r in explanation.evidence[0].regions), abs=1e-9)
    assert values.max() <= explanation.evidence[0].share + 1e-9
    assert random_maps(2, (8, 8), (64, 64), 0).shape == (2, 64, 64)


def test_all_of_the_named_neurons_maps_and_no_others_count():
    explainer = make()
    reading = read(explainer.classifier, preprocess()([nle.load_picture(scene(seed, 64, 64)) for seed in (2, 3)]))
    whole = neuron_maps(reading, 3, (8, 8))
    for n in range(2):
        parts = reading.activations[n] * reading.gradients[n][:, None, None]
        order = np.argsort(-parts.sum((1, 2)))[:3]
        wanted = sum(np.maximum(parts[c], 0) for c in order if parts[c].sum() > 0)
        assert whole[n] == pytest.approx(wanted, abs=1e-6)
    larger = neuron_maps(reading, 3, (64, 64))
    assert (larger[region_maps(reading, 3, (64, 64)) > 0] > 0).all()
    assert larger.mean() == pytest.approx(whole.mean(), rel=1e-6)
    against = reading._replace(gradients=-np.abs(reading.gradients))
    assert not neuron_maps(against, 3, (8, 8)).any(), "what speaks against is not in the map"


def test_deletion_and_insertion_know_a_good_map_from_a_bad_one():
    """Of a network that looks at one corner only."""

    class Corner(Colors):
        num_classes = 2

        def __init__(self):
            super().__init__()
            self.mix, self.weight = np.eye(8, 3, dtype=np.float32), np.zeros((2, 8), np.float32)
            self.weight[0, 0] = 1.0

        def logits(self, maps):
            return 10 * maps[:, :, :3, :3].mean((2, 3)) @ self.weight.T + np.float32([-5, 0])

        def gradients(self, maps, class_index, versus=None):
            slopes = np.zeros(maps.shape, np.float32)
            slopes[:, :, :3, :3] = 10 / 9 * self.weight[class_index][:, :, None, None]
            return slopes

    picture = np.zeros((64, 64, 3), np.uint8)
    picture[:24, :24, 0] = 250
    explainer = nle.Explainer(Corner(), labels=["red", "not"], preprocess=preprocess(), verbalizer="template")
    corner = np.zeros((1, 64, 64))
    corner[:, :24, :24] = 1
    peers = {"corner": lambda images, target: corner, "elsewhere": lambda images, target: 1 - corner}
    found = measure_pixels(explainer, [picture, picture], PixelOptions(k=1, steps=8), peers=peers)
    deletion = {name: values["area"]["value"] for name, values in found["deletion"].items()}
    assert deletion["corner"] < deletion["random"] < deletion["elsewhere"]
    assert deletion["regions"] == pytest.approx(deletion["corner"], abs=0.05)
    assert deletion["neurons"] == pytest.approx(deletion["corner"], abs=0.05)
    assert set(found["ratios"]["deletion"]) == {"regions", "neurons", "more neurons"}
    assert set(found["ratios"]["deletion"]["neurons"]) == {"grad-cam", "corner", "elsewhere", "random"}
    insertion = {name: values["area"]["value"] for name, values in found["insertion"].items()}
    assert insertion["corner"] > insertion["elsewhere"]
    first, second = (row["deletion"]["corner"] for row in found["raw"])
    assert first == pytest.approx(second, abs=1e-6)
    with pytest.raises(nle.ConfigError, match="steps"):
        PixelOptions(steps=1)


def test_quantus_can_call_us():
    from nle_fast.faithfulness.quantus import explain_func

    images = preprocess()([nle.load_picture(scene(seed, 64, 64)) for seed in range(2)])
    maps = explain_func(None, images, np.array([0, 2]), classifier=Colors(), k=3, device="cpu", batch_size=2)
    assert maps.shape == (2, 1, 64, 64)
    assert (maps >= 0).all()
    quantus = pytest.importorskip("quantus")
    torch = pytest.importorskip("torch")
    model = torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3),
        torch.nn.ReLU(),
        torch.nn.AdaptiveAvgPool2d(1),
        torch.nn.Flatten(),
        torch.nn.Linear(4, 3),
    )
    metric = quantus.Sparseness(disable_warnings=True, display_progressbar=False)
    assert len(metric(model=model, x_batch=images, y_batch=np.array([0, 2]), explain_func=explain_func)) == 2


def test_pointing_asks_named_neurons_about_the_masks_of_their_words():
    explainer = make(concepts=nle.Concepts.from_names(["thing"] * 8, layer="colors"))
    everywhere = {"thing": np.ones((64, 64), bool)}
    found = measure_pointing(explainer, [(scene(1), everywhere), (scene(2), {"other": everywhere["thing"]})], 2)
    assert found["hits"]["neuron"]["value"] == found["hits"]["random"]["value"] == 1.0
    assert found["count"] == 1
    assert found["unmasked"] > 0
    assert 0 < found["iou"]["neuron"]["value"] <= 1
    with pytest.raises(nle.InputError, match="concepts"):
        measure_pointing(make(concepts=None), [], 0)
