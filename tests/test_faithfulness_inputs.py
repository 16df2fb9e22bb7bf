"""What the measuring takes and what it refuses: options, pictures, maps of others, colors first and last."""

from __future__ import annotations

import numpy as np
import pytest
from fakes import Colors, preprocess, scene

import nle_fast as nle
from nle_fast.faithfulness import (
    EvaluateOptions,
    MaskingOptions,
    PixelOptions,
    evaluate,
    measure_masking,
    measure_pixels,
    measure_pointing,
)

BAD = (0, 2.5, "5", True)
FEW = MaskingOptions(k=2, ks=(1,), draws=2)


class ColorsLast(Colors):
    """The same network as `Colors` that takes (N, height, width, 3)."""

    def activations(self, images):
        assert images.shape[3] == 3
        return super().activations(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))


def make(kind=Colors, layout="NCHW"):
    names = ["red ball", "sky", None, "wall", "sea", "wood", "night", "leaf"]
    return nle.Explainer(
        kind(),
        preprocess=nle.Preprocess(**{**preprocess().to_dict(), "layout": layout}),
        concepts=nle.Concepts.from_names(names, layer="colors"),
        verbalizer="template",
    )


def test_a_network_that_takes_colors_last_gets_the_same_figures():
    first, last = make(), make(ColorsLast, "NHWC")
    pictures = [scene(1), scene(2)]
    options = PixelOptions(k=2, steps=4)
    assert measure_pixels(last, pictures, options) == measure_pixels(first, pictures, options)
    masks = {name: np.arange(64 * 64).reshape(64, 64) % (3 + n) == 0 for n, name in enumerate(("ball", "sky", "wood"))}
    cases = [(picture, masks) for picture in pictures]
    assert measure_pointing(last, cases, 2) == measure_pointing(first, cases, 2)
    assert measure_pointing(first, cases, 2)["evidence"]


def test_input_times_gradient_sums_over_colors_first_and_last():
    from nle_fast.faithfulness.attributions import input_times_gradient

    class Pixels:
        layer, num_classes = "pixels", 2

        def __init__(self, shape):
            self.num_neurons = shape[0]
            self.weight = np.random.default_rng(0).normal(size=(2, 3, 8, 8)).astype(np.float32)
            if shape[0] != 3:
                self.weight = self.weight.transpose(0, 2, 3, 1)

        def activations(self, images):
            return images

        def logits(self, activations):
            return np.einsum("nabc,kabc->nk", activations, self.weight)

        def gradients(self, activations, class_index, versus=None):
            return self.weight[class_index]

    images = np.random.default_rng(1).normal(size=(2, 3, 8, 8)).astype(np.float32)
    first = input_times_gradient(Pixels((3, 8, 8)), images, np.array([0, 1]))
    last = input_times_gradient(Pixels((8, 8, 3)), images.transpose(0, 2, 3, 1), np.array([0, 1]))
    assert first.shape == (2, 8, 8)
    np.testing.assert_array_equal(first, last)


def test_pictures_may_come_from_a_generator_and_must_be_several():
    explainer, pictures = make(), [scene(1), scene(2)]
    given = measure_masking(explainer, pictures, FEW)
    assert measure_masking(explainer, (picture for picture in pictures), FEW) == given
    steps = PixelOptions(k=2, steps=2)
    assert measure_pixels(explainer, iter(pictures), steps) == measure_pixels(explainer, pictures, steps)
    assert evaluate(explainer, iter(pictures), EvaluateOptions(FEW, steps, 1))["masking"]["count"] == 2
    for measure in (measure_masking, measure_pixels, evaluate):
        for one in (scene(1), "photo.jpg", 5):
            with pytest.raises(nle.InputError, match=r"`pictures` must be several"):
                measure(explainer, one)
        with pytest.raises(nle.InputError, match=r"`pictures` must hold at least one"):
            measure(explainer, [])


@pytest.mark.parametrize(
    ("kind", "option"),
    [
        *(
            (MaskingOptions, {name: value})
            for name in ("k", "draws", "references", "ks")
            for value in (0, 2.5, "5", True)
        ),
        (MaskingOptions, {"ks": (1, 0)}),
        (MaskingOptions, {"ks": None}),
        (MaskingOptions, {"seed": -1}),
        (MaskingOptions, {"seed": "a"}),
        (MaskingOptions, {"replacements": ()}),
        (MaskingOptions, {"replacements": "zero"}),
        (MaskingOptions, {"replacements": ("nothing",)}),
        *((PixelOptions, {name: value}) for name in ("k", "steps") for value in (0, 2.5, "5")),
        (PixelOptions, {"seed": -1}),
        *((PixelOptions, {"threshold": value}) for value in (0, 1, -1, "x", float("nan"))),
        *(
            (EvaluateOptions, {name: value})
            for name in ("scenes", "pixel_pictures", "limit")
            for value in (-1, 2.5, "a")
        ),
        (EvaluateOptions, {"masking": 5}),
        (EvaluateOptions, {"pixels": None}),
        (EvaluateOptions, {"first_seed": 0}),
    ],
)
def test_an_option_out_of_its_range_is_named(kind, option):
    (name,) = option
    with pytest.raises(nle.ConfigError, match=rf"`{name}` must .*, got .*; "):
        kind(**option)


def test_a_table_without_one_trusted_word_gives_no_plausible_control():
    concepts = nle.Concepts(("ball",) * 8, (0.1,) * 8, "colors", min_quality=0.5)
    wordless = nle.Explainer(Colors(), preprocess=preprocess(), concepts=concepts, verbalizer="template")
    assert "plausible" not in measure_masking(wordless, [scene(1)], FEW)["curves"], "it would be one by chance"
    assert "plausible" in measure_masking(make(), [scene(1)], FEW)["curves"]


def test_no_picture_lends_its_own_maps_to_itself():
    explainer, pictures = make(), [scene(1), scene(2)]
    options = MaskingOptions(k=2, ks=(2,), draws=2, replacements=("resampled",), references=1)
    rows = measure_masking(explainer, pictures, options)["raw"]
    network = explainer.classifier
    maps = [network.activations(explainer.preprocess([nle.load_picture(picture)])) for picture in pictures]
    for picture, row, own, other in zip(pictures, rows, maps, maps[::-1], strict=True):
        named = [item.neuron for item in explainer(picture).evidence if item.supports][:2]
        replaced = own.copy()
        replaced[:, named] = other[:, named]
        fall = network.logits(own)[0, row["class"]] - network.logits(replaced)[0, row["class"]]
        assert row["drops"]["resampled"]["explanation"]["logit_drop"] == pytest.approx(float(fall), abs=1e-5)


def test_one_picture_has_no_other_to_take_maps_from():
    found = measure_masking(make(), [scene(1)], FEW)
    assert list(found["rankings"]) == list(found["ratios"]) == ["zero", "mean"]


def test_numbers_of_numpy_are_options_too():
    options = MaskingOptions(k=np.int64(2), ks=[np.int32(1)], draws=np.int8(2))
    assert (options.k, options.ks, options.draws) == (2, (1,), 2)
    assert type(options.k) is int
    assert MaskingOptions(ks=()).ks == (), "no curve but at k"


@pytest.mark.parametrize("maps", [np.zeros((1, 3, 3)), np.zeros((64, 64)), np.full((1, 64, 64), np.nan)])
def test_maps_of_another_shape_or_without_numbers_are_refused(maps):
    with pytest.raises(nle.InputError, match=r"`peers` must .*'theirs'"):
        measure_pixels(make(), [scene(1)], PixelOptions(k=2, steps=2), peers={"theirs": lambda images, classes: maps})


@pytest.mark.parametrize("name", ["out.json", "OUT.JSON", ""])
def test_a_report_that_its_numbers_would_overwrite_is_bad_use(tmp_path, monkeypatch, name):
    status, said = run(monkeypatch, tmp_path, name)
    assert (status, list(tmp_path.iterdir())) == (2, [])
    assert "`report` must be the name of a page" in said


def test_a_report_that_cannot_be_written_fails_before_the_measuring(tmp_path, monkeypatch):
    (tmp_path / "folder.html").mkdir()
    (tmp_path / "file").touch()
    before = sorted(tmp_path.iterdir())
    for name in ("folder.html", "file/out.html"):
        status, said = run(monkeypatch, tmp_path, name)
        assert (status, sorted(tmp_path.iterdir())) == (1, before)
        assert "`report` must be writable" in said


def run(monkeypatch, folder, report):
    """`nle-fast evaluate --report report`, whose measuring must not begin: its status and last line."""
    from typer.testing import CliRunner

    import nle_fast.faithfulness
    from nle_fast.cli import app

    monkeypatch.chdir(folder)
    monkeypatch.setattr(nle_fast.faithfulness, "evaluate", lambda *args, **options: pytest.fail("it measures"))
    result = CliRunner().invoke(app, ["evaluate", "--report", report])
    return result.exit_code, result.output
