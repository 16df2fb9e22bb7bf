"""What a user of the package may rely on, through the public names alone."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from fakes import Colors, preprocess, scene

import nle_fast as nle
from nle_fast.classifiers.base import as_numpy


def colors(classifier=None, **options):
    options = {"preprocess": preprocess(), "verbalizer": "template"} | options
    return nle.Explainer(Colors() if classifier is None else classifier, **options)


@pytest.mark.parametrize(("style", "target"), itertools.product(("plain", "expert", "short"), (0, 1, 2)))
def test_json_keeps_whether_the_explained_class_is_the_winner(style, target):
    explanation = colors(config=nle.Config(style=style, against=True))(scene(), target=target)
    back = nle.Explanation.from_json(explanation.to_json())
    assert back == explanation
    assert back.meaning.winner == (explanation.prediction.index == target)
    assert nle.check(back.text, back.meaning).ok


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000])
def test_deeply_nested_json_is_refused(text):
    with pytest.raises(nle.InputError, match="JSON"):
        nle.Explanation.from_json(text)


@pytest.mark.parametrize("name", ["a" * 300, "nul\0byte"])
def test_a_folder_that_no_file_system_takes_is_refused(tmp_path, name):
    with pytest.raises(nle.InputError, match="folder"):
        colors()(scene()).save(tmp_path / name)
    assert not list(tmp_path.iterdir())


class Mixed(Colors):
    """Colors in the kind of array that its user happens to have."""

    def __init__(self, kind) -> None:
        super().__init__()
        self.kind = kind

    def activations(self, images):
        return self.kind(super().activations(images))

    def logits(self, activations):
        return self.kind(super().logits(np.asarray(as_numpy(activations), np.float32)))

    def gradients(self, activations, class_index, versus=None):
        return self.kind(super().gradients(activations, class_index, versus))


def locked(array):
    array = np.array(array)
    array.flags.writeable = False
    return array


def tensor(array):
    return torch.from_numpy(np.array(array))


@pytest.mark.parametrize(
    ("kind", "tolerance"),
    [
        (np.float64, 1e-6),
        (np.float16, 1e-2),
        (locked, 0),
        (np.asfortranarray, 1e-6),
        (lambda array: array.astype(">f4"), 0),
        (tensor, 0),
        (lambda array: tensor(array).double(), 1e-6),
        (lambda array: tensor(array).bfloat16(), 0.1),
        (lambda array: tensor(array).requires_grad_(), 0),
    ],
    ids=["float64", "float16", "locked", "Fortran", "big-endian", "tensor", "double", "bfloat16", "with gradient"],
)
def test_a_classifier_may_return_any_array(kind, tolerance):
    plain, mixed = colors(), colors(Mixed(kind))
    options = {"target": 1, "versus": 2}
    expected, explanation = plain(scene(), **options), mixed(scene(), **options)
    found = {item.neuron: item.score for item in explanation.evidence}
    assert found == pytest.approx({item.neuron: item.score for item in expected.evidence}, rel=tolerance, abs=tolerance)
    logit = plain.mask(scene(), [3], target=1).logit
    assert mixed.mask(scene(), [3], target=1).logit == pytest.approx(logit, rel=tolerance, abs=tolerance)


def test_a_network_in_double_precision_is_explained():
    network = small_network()
    single = colors(network)(scene())
    double = colors(network.double())(scene())
    assert [item.neuron for item in double.evidence] == [item.neuron for item in single.evidence]
    assert [item.score for item in double.evidence] == pytest.approx([item.score for item in single.evidence], rel=1e-4)


@pytest.mark.parametrize(
    "members", [{"layer": None}, {"layer": 4}, {"num_neurons": 8.0}, {"num_classes": 0}, {"num_classes": None}]
)
def test_members_of_a_wrong_kind_are_named_at_once(members):
    classifier = Colors()
    vars(classifier).update(members)
    with pytest.raises(nle.ModelError, match="num_classes"):
        colors(classifier)


@pytest.mark.parametrize("shape", [(1, 8, 8), (1, 7, 8, 8), (2, 8, 8, 8), (1, 8, 0, 8)])
def test_activations_of_a_wrong_shape_are_named(shape):
    classifier = Colors()
    classifier.activations = lambda images: np.ones(shape, np.float32)
    classifier.logits = lambda activations: np.ones((len(activations), 3), np.float32)
    for use in (lambda e: e(scene()), lambda e: e.mask(scene(), [1])):
        with pytest.raises(nle.ModelError):
            use(colors(classifier))


@pytest.mark.parametrize(
    ("options", "error", "named"),
    [
        ({"config": {"top_k": 3}}, nle.ConfigError, "config"),
        ({"config": nle.Config}, nle.ConfigError, "config"),
        ({"preprocess": {"size": 64}}, nle.ConfigError, "preprocess"),
        ({"labels": 3}, nle.InputError, "labels"),
        ({"labels": "x" * 5000}, nle.InputError, "labels"),
        ({"labels": "nul\0.txt"}, nle.InputError, "labels"),
        ({"concepts": ["red"] * 8}, nle.ConceptsError, "concepts"),
        ({"concepts": "x" * 5000 + ".csv"}, nle.ConceptsError, "concepts"),
        ({"layer": 3}, nle.LayerNotFoundError, "layer"),
        ({"verbalizer": "nul\0.gguf"}, nle.VerbalizerError, "verbalizer"),
        ({"verbalizer": "x" * 5000 + ".gguf"}, nle.VerbalizerError, "verbalizer"),
        ({"classifier": "x" * 5000 + ".onnx"}, nle.ModelError, "model"),
    ],
)
def test_options_of_a_wrong_kind_are_named(options, error, named):
    with pytest.raises(error, match=f"`{named}`"):
        colors(**options)


@pytest.mark.parametrize("neurons", [3, None, "3", [1.0], [True], [8], [-1], [[1], [2, 3]], [[1, 2]], [None], [2**70]])
def test_neurons_of_a_wrong_kind_are_named(neurons):
    with pytest.raises(nle.InputError, match="`neurons`"):
        colors().mask(scene(), neurons)


@pytest.mark.parametrize(
    "pictures", ["photo.jpg", b"bytes", None, 7, scene()], ids=["path", "bytes", "None", "7", "array"]
)
def test_one_picture_is_no_batch(pictures):
    with pytest.raises(nle.InputError, match="`pictures`"):
        colors().batch(pictures)


def test_a_batch_may_be_anything_with_pictures():
    explainer, frames = colors(), np.stack([scene(0), scene(1)])
    expected = explainer.batch([scene(0), scene(1)])
    assert explainer.batch(frames) == expected
    assert explainer.batch(frame for frame in frames) == expected


@pytest.mark.parametrize("targets", [1, "ab", b"ab", ["cat"], iter([1, 2])])
def test_targets_of_a_wrong_kind_are_named(targets):
    with pytest.raises(nle.InputError, match="`targets`"):
        colors().batch([scene(), scene()], targets)


def test_an_unknown_target_is_named_as_the_caller_named_it():
    with pytest.raises(nle.InputError, match="`target`"):
        colors()(scene(), target="lion")
    with pytest.raises(nle.InputError, match="`versus`"):
        colors()(scene(), versus="lion")


def small_network():
    torch.manual_seed(0)
    pooled = [torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()]
    return torch.nn.Sequential(torch.nn.Conv2d(3, 6, 3), torch.nn.ReLU(), *pooled, torch.nn.Linear(6, 3)).eval()


def test_layers_go_by_the_names_that_the_users_module_has():
    parallel = torch.nn.DataParallel(small_network())
    for name in ("module.1", "1"):
        assert name == "1" or name in dict(parallel.named_modules())
        assert colors(parallel, layer=name).classifier.layer == "1"
    with pytest.raises(nle.LayerNotFoundError, match="mean"):
        colors(parallel, layer="")


def test_a_network_that_fails_is_told_in_one_line():
    class Moody(torch.nn.Module):
        def forward(self, x):
            raise RuntimeError("first line\nsecond line")

    with pytest.raises(nle.BackendError, match="first line second line"):
        colors(torch.nn.Sequential(small_network(), Moody()))


def test_empty_brackets_do_not_borrow_the_place_that_follows():
    places = [(), ("center",), ("center",)]
    evidence = tuple(
        nle.Evidence(i, name, None, -1.0, -0.1, False, place, ())
        for i, (name, place) in enumerate(zip(("stripes", "dots", "waves"), places, strict=True))
    )
    meaning = nle.Meaning(nle.Prediction(0, "zebra", 0.5, 0.0), None, evidence, 0.0, "layer4", "short")
    text = nle.Explainer(Colors(), preprocess=preprocess(), verbalizer="template").verbalizer.verbalize(meaning).text
    assert nle.check(text, meaning)
    assert not nle.check(text.replace("dots (center)", "dots ()"), meaning)


class Careless:
    """A verbalizer without a name."""

    def __init__(self, said) -> None:
        self.said = said

    def verbalize(self, meaning):
        return self.said


def test_a_verbalizer_without_a_name_goes_by_its_class():
    explanation = colors(verbalizer=Careless("No."))(scene())
    assert explanation.provenance["verbalizer"]["asked"] == "Careless"
    assert explanation.provenance["verbalizer"]["used"] == "template"


@pytest.mark.parametrize("said", [None, b"text", nle.Utterance(None, (), "x")])  # type: ignore[arg-type]
def test_a_verbalizer_that_returns_no_text_is_named(said):
    with pytest.raises(nle.VerbalizerError, match="Careless"):
        colors(verbalizer=Careless(said))(scene())


def test_a_name_that_no_file_can_hold_leaves_no_draft(tmp_path):
    with pytest.raises(nle.ConceptsError, match="names"):
        nle.Concepts.from_names(["\ud800"], layer="x").save(tmp_path / "c.json")
    assert not list(tmp_path.iterdir())
