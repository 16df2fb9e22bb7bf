"""TorchClassifier on fourteen families of networks, against Captum, autograd and its own contract."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from classifier_contract import check_classifier, scores
from networks import CASES, Case, build, ids, pictures
from torch import nn

from nle_fast.classifiers.base import as_numpy, read
from nle_fast.classifiers.torch.model import TorchClassifier
from nle_fast.classifiers.torch.rows import AllRows, FewRows
from nle_fast.errors import ModelError

every_case = pytest.mark.parametrize("case", CASES, ids=ids)
POOLED = [case for case in CASES if case.closed_form]


def classifier_for(case: Case, layer: str | None = None) -> TorchClassifier:
    return TorchClassifier(build(case), layer, input_size=case.size)


class LastRelu(nn.Module):
    """Captum reads a module's last call only when told by a name of its own: the shared ReLU, unrolled."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.stem, self.conv, self.fc, self.last = model.stem, model.conv, model.fc, nn.ReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.conv(torch.relu(self.stem(x))))
        return self.fc(self.last(self.conv(x)).mean((2, 3)))


def logits_model(model: nn.Module) -> nn.Module:
    """The network without its softmax, for Captum."""
    if hasattr(model, "head") and isinstance(model.head[-1], nn.Softmax):
        model.head[-1] = nn.Identity()
    return model


@every_case
@pytest.mark.parametrize("which", ["last", "inner"])
def test_contract(case: Case, which: str) -> None:
    layer = case.last if which == "last" else case.inner
    check_classifier(classifier_for(case, layer), pictures(case).numpy())


@every_case
def test_default_layer_and_closed_form(case: Case) -> None:
    classifier = classifier_for(case)
    assert classifier.layer == case.last
    assert classifier.closed_form is case.closed_form
    assert classifier.num_classes == case.num_classes
    assert not classifier_for(case, case.inner).closed_form


@every_case
def test_layer_that_is_no_cut_is_refused_and_cuts_are_named(case: Case) -> None:
    if case.not_a_cut is None:  # a chain: every layer must be a cut
        for name, module in build(case).named_modules():
            if isinstance(module, (nn.Conv2d, nn.BatchNorm2d)):
                assert classifier_for(case, name).layer == name
        return
    with pytest.raises(ModelError, match="must be a cut") as caught:
        classifier_for(case, case.not_a_cut)
    named = str(caught.value).rsplit("choose ", 1)[1].split("'")[1::2]
    assert named
    for layer in named:
        assert classifier_for(case, layer).layer == layer


@every_case
@pytest.mark.parametrize("which", ["last", "inner"])
def test_scores_equal_captum(case: Case, which: str) -> None:
    attr = pytest.importorskip("captum.attr")
    layer, images = (case.last if which == "last" else case.inner), pictures(case, 4)
    reading = read(classifier_for(case, layer), images.numpy())
    reference = logits_model(build(case))
    if case.name == "shared" and which == "last":
        reference, layer = LastRelu(reference), "last"
    reference.requires_grad_(True)
    target = torch.from_numpy(reading.class_index)
    expected = attr.LayerGradientXActivation(reference, reference.get_submodule(layer)).attribute(images, target=target)
    expected = expected.detach().sum((2, 3)).numpy()
    assert np.abs(expected).max() > 0
    np.testing.assert_allclose(scores(reading), expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())


@every_case
def test_logits_of_the_head_equal_the_forward_pass(case: Case) -> None:
    model = logits_model(build(case))
    for layer in (case.last, case.inner):
        classifier = classifier_for(case, layer)
        for count in (1, 2, 5):
            images = pictures(case, count, seed=count)
            with torch.inference_mode():
                expected = model(images).numpy()
            logits = classifier.logits(classifier.activations(images))
            np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("case", POOLED, ids=ids)
def test_closed_form_equals_autograd(case: Case) -> None:
    classifier = classifier_for(case)
    activations = classifier.activations(pictures(case)).requires_grad_()
    model = logits_model(build(case))
    parts = [
        module for module in model.modules() if isinstance(module, nn.Linear) or module is get(model, "to_classes")
    ]
    weight = parts[-1].weight.flatten(1)
    target, versus = torch.tensor([0, 1, 2]), torch.tensor([3, -1, 1])
    rows = classifier.gradients(activations, target.numpy(), versus.numpy())
    assert rows.shape == activations.shape[:2]
    logits = activations.mean((2, 3)) @ weight.T
    chosen = logits.gather(1, target[:, None]).sum() - logits[0, 3] - logits[2, 1]
    expected = torch.autograd.grad(chosen, activations)[0]
    torch.testing.assert_close(rows[:, :, None, None].expand_as(expected), expected, rtol=1e-4, atol=1e-7)


def get(model: nn.Module, name: str) -> nn.Module | None:
    return getattr(model, name, None)


@pytest.mark.parametrize("case", POOLED, ids=ids)
def test_scores_and_bias_add_up_to_the_logit_and_masking_takes_the_score_away(case: Case) -> None:
    classifier, model = classifier_for(case), logits_model(build(case))
    reading = read(classifier, pictures(case).numpy())
    last = [module for module in model.modules() if isinstance(module, nn.Linear)] or [model.to_classes]
    bias = 0.0 if last[-1].bias is None else last[-1].bias.detach().numpy()[reading.class_index]
    logit = np.take_along_axis(reading.logits, reading.class_index[:, None], 1)[:, 0]
    table = scores(reading)
    np.testing.assert_allclose(table.sum(1) + bias, logit, rtol=1e-4, atol=1e-4)
    for neuron in (0, int(table[0].argmax()), classifier.num_neurons - 1):
        masked = as_numpy(reading.activations).copy()
        masked[:, neuron] = 0
        after = np.take_along_axis(as_numpy(classifier.logits(masked)), reading.class_index[:, None], 1)[:, 0]
        np.testing.assert_allclose(logit - after, table[:, neuron], rtol=1e-4, atol=2e-5 * np.abs(logit).max())


def captum_head(case: Case) -> list[nn.Module] | None:
    """The modules after the layer `last` (flattening aside) where Captum's LRP has a rule for each; else None."""
    model = logits_model(build(case))
    for module in model.modules():
        if isinstance(module, nn.ReLU):
            module.inplace = False
    linear = [module for module in model.modules() if isinstance(module, nn.Linear)]
    if case.name in ("vgg", "alexnet"):
        return [module for module in model.classifier if not isinstance(module, nn.Dropout)]
    if case.name == "squeezenet":
        return list(model.classifier)[1:]
    if case.name == "network_in_network":
        return [model.to_classes, nn.AdaptiveAvgPool2d(1)]
    if case.name == "global_max":
        return [nn.MaxPool2d(8), *linear]
    return [nn.AdaptiveAvgPool2d(1), *linear] if case.closed_form else None


class Chain(nn.Module):
    def __init__(self, parts: list[nn.Module]) -> None:
        super().__init__()
        self.parts = nn.ModuleList(parts)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for part in self.parts:
            x = part(x.flatten(1) if isinstance(part, nn.Linear) else x)
        return x.flatten(1)


@pytest.mark.parametrize("case", [case for case in CASES if captum_head(case)], ids=ids)
def test_published_ranking_equals_captum_lrp(case: Case) -> None:
    """Config.paper(): ReLU of relevance, maximum over space, top ten; LRP-0 equals gradient × activation there."""
    attr = pytest.importorskip("captum.attr")
    reading = read(classifier_for(case), pictures(case, 4).numpy())
    activations = torch.from_numpy(as_numpy(reading.activations).copy())
    head = Chain(captum_head(case))
    lrp = attr.LayerLRP(head, head.parts[0])
    with pytest.warns(UserWarning, match="did not already require gradients"):
        relevance = lrp.attribute(
            activations, target=torch.from_numpy(reading.class_index), attribute_to_layer_input=True
        )
    relevance = relevance.detach().numpy().reshape(activations.shape)
    weights = as_numpy(reading.gradients)
    weights = weights[:, :, None, None] if weights.ndim == 2 else weights
    ours = np.maximum(activations.numpy() * weights, 0).max((2, 3))
    theirs = np.maximum(relevance, 0).max((2, 3))
    assert theirs.max() > 0
    np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-4 * theirs.max())
    order = [np.argsort(-table, axis=1, kind="stable")[:, :10] for table in (ours, theirs)]
    np.testing.assert_array_equal(order[0], order[1])


def test_eight_threads_equal_one() -> None:
    for case in CASES[:3]:
        for layer in (case.last, case.inner):
            classifier = classifier_for(case, layer)
            batches = [pictures(case, 2, seed=seed).numpy() for seed in range(20)]
            serial = [read(classifier, batch) for batch in batches]
            with ThreadPoolExecutor(8) as pool:
                runs = list(pool.map(lambda _: [read(classifier, batch) for batch in batches], range(8)))  # noqa: B023
            for run in runs:
                for one, two in zip(run, serial, strict=True):
                    np.testing.assert_allclose(one.logits, two.logits, rtol=1e-5, atol=1e-5)
                    np.testing.assert_allclose(scores(one), scores(two), rtol=1e-4, atol=1e-5)


def test_gradients_are_of_the_picture_that_was_asked_for() -> None:
    """Batches do not mix: each row of a batch equals the picture alone."""
    case = CASES[0]
    classifier, images = classifier_for(case), pictures(case, 3).numpy()
    together = read(classifier, images, target=np.array([0, 1, 2]))
    for row in range(3):
        alone = read(classifier, images[row : row + 1], target=np.array([row]))
        np.testing.assert_allclose(scores(alone)[0], scores(together)[row], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_few_rows_of_the_last_weight_give_the_gradient_of_all(case: Case) -> None:
    model = build(case)
    classifier = TorchClassifier(model, case.inner, input_size=case.size)
    maps = classifier.activations(pictures(case, 3))
    few, every = FewRows.of(classifier._head, case.num_classes, maps), AllRows(classifier._head)
    assert few is not None
    target, versus = torch.tensor([1, 4, 1]), torch.tensor([-1, 1, 6])
    (logits, *graph), (expected, *whole) = few(maps), every(maps)
    torch.testing.assert_close(logits, expected)
    for rivals in (versus, None):
        got, exact = few.gradients(*graph, target, rivals), every.gradients(*whole, target, rivals)
        torch.testing.assert_close(got, exact, rtol=1e-4, atol=1e-6)
        (logits, *graph), (expected, *whole) = few(maps), every(maps)
