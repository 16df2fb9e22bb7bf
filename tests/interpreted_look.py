"""The one-wait look at a batch as on a GPU, its kernel run by Triton's interpreter, against `read` and the CPU.

Started by test_kernels.py, like interpreted_kernels.py.
"""

from __future__ import annotations

import os
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from nle_fast import Config, Explainer, ops
from nle_fast.classifiers import look, read
from nle_fast.classifiers.torch import look as module
from nle_fast.classifiers.torch import model as torch_model
from nle_fast.errors import InputError, ModelError, NleWarning
from nle_fast.timing import Laps
from nle_fast.world import Scene

if os.environ.get("TRITON_INTERPRET") != "1":
    pytest.exit("set TRITON_INTERPRET=1; test_kernels.py does", returncode=1)


def network(kind):
    """With a closed form, or with a head that autograd has to walk."""
    torch.manual_seed(0)
    trunk = [nn.Conv2d(3, 24, 3, 2), nn.ReLU(), nn.Conv2d(24, 20, 3), nn.ReLU()]
    pooled = [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    heads = {
        "closed": [*pooled, nn.Linear(20, 6)],
        "two layers": [*pooled, nn.Linear(20, 9), nn.Tanh(), nn.Linear(9, 6)],
    }
    return nn.Sequential(*trunk, *heads[kind]).eval()


def opened(model):
    """A classifier on the CPU that believes to be on a GPU."""
    classifier = torch_model.TorchClassifier(model, "3", input_size=(16, 16))
    closed = None if classifier._weight is None else partial(torch_model._rows, classifier._weight)
    parts = classifier._pictures, classifier._trunk, classifier._head, closed, list(model.parameters())
    classifier.look = module.GpuLook(*parts, torch.device("cpu"))
    return classifier


def pictures(count, seed=0):
    return np.random.default_rng(seed).normal(size=(count, 3, 16, 16)).astype(np.float32)


@pytest.mark.parametrize("kind", ["closed", "two layers"])
@pytest.mark.parametrize(("reduce", "sign"), [("sum", "supporting"), ("max", "both")])
def test_equals_reading_and_scoring_one_after_the_other(kind, reduce, sign):
    classifier = opened(network(kind))
    images = pictures(3)
    another = (int(read(classifier, images).class_index[0]) + 1) % 6
    for target, versus in ((None, None), (np.array([-1, 3, 2]), np.array([another, -1, 5]))):
        reading = read(classifier, images, target, versus)
        expected = ops.score_neurons(reading.activations, reading.gradients, 4, reduce, sign)
        seen = look(classifier, images, target, versus, 4, reduce, sign, Laps(3), keep_activations=True)
        np.testing.assert_allclose(seen.logits, reading.logits, rtol=1e-6)
        np.testing.assert_array_equal(seen.class_index, reading.class_index)
        np.testing.assert_array_equal(seen.top.neurons, expected.neurons)
        for name in ("values", "maps", "total"):
            np.testing.assert_allclose(getattr(seen.top, name), getattr(expected, name), rtol=1e-5, atol=1e-7)
        torch.testing.assert_close(seen.activations, reading.activations)


class NoWaiting(TorchDispatchMode):
    """Refuses what would make the host wait for the GPU: reading a value, or a shape that depends on values."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        waits = {torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape} & set(func.tags)
        if func is torch.ops.aten.index.Tensor:  # by a mask it would have to count, by numbers it does not
            waits = any(index is not None and index.dtype == torch.bool for index in args[1])
        assert not waits, func
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("kind", ["closed", "two layers"])
def test_the_host_waits_once(kind, monkeypatch):
    classifier, copies, to_host = opened(network(kind)), [], module.to_host
    monkeypatch.setattr(module, "to_host", lambda results: copies.append(results) or to_host(results))
    with NoWaiting():
        look(classifier, pictures(2), np.array([-1, 2]), np.array([-1, 1]), 3, "sum", "both", Laps(2))
    assert len(copies) == 1
    assert copies[0].ndim == 1


def test_errors_are_those_of_reading_and_scoring():
    classifier = opened(network("closed"))
    images = pictures(2)
    images[1, 0, 3, 3] = np.nan
    with pytest.raises(InputError, match="`images` must be finite"):
        look(classifier, images, None, None, 3, "sum", "supporting", Laps(2))
    with pytest.raises(InputError, match="`versus` must be another class"):
        look(classifier, pictures(1), np.array([2]), np.array([2]), 3, "sum", "supporting", Laps(1))
    with pytest.raises(InputError, match="16 × 16"):
        look(classifier, pictures(1)[..., :8], None, None, 3, "sum", "supporting", Laps(1))
    model = network("closed")
    broken = opened(model)
    with torch.no_grad():
        model[-1].bias[1] = float("inf")
    with pytest.raises(ModelError, match="finite logits"):
        look(broken, pictures(1), None, None, 3, "sum", "supporting", Laps(1))


def test_without_graphs_it_runs_eagerly_and_says_so():
    """This machine cannot capture anything: first the whole is given up, then what comes after the trunk."""
    classifier = opened(network("closed"))
    expected = look(classifier, pictures(1), None, None, 3, "sum", "supporting", Laps(1))
    for stated in ("The network", None, "What comes after the layer", None):
        if stated:
            with pytest.warns(NleWarning, match=f"{stated} cannot be captured into a CUDA graph"):
                seen = look(classifier, pictures(1), None, None, 3, "sum", "supporting", Laps(1))
        else:
            seen = look(classifier, pictures(1), None, None, 3, "sum", "supporting", Laps(1))
        np.testing.assert_array_equal(seen.top.maps, expected.top.maps)
        np.testing.assert_array_equal(seen.logits, expected.logits)


def test_an_explanation_is_the_same():
    picture = Scene.random(3).picture
    options = {"verbalizer": "template", "config": Config(against=True)}
    of_cpu, of_gpu = (Explainer(network("closed"), layer="3", **options) for _ in range(2))
    classifier = of_gpu.classifier
    closed = partial(torch_model._rows, classifier._weight)
    parts = classifier._pictures, classifier._trunk, classifier._head, closed, []
    classifier.look = module.GpuLook(*parts, torch.device("cpu"))
    expected, found = of_cpu(picture), of_gpu(picture)
    assert found.text == expected.text
    assert [one.neuron for one in found.evidence] == [one.neuron for one in expected.evidence]
    assert set(found.timings) == set(expected.timings)
