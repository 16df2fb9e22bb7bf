"""Triton kernels run by Triton's interpreter, against their definitions.

Started by test_kernels.py in a process of its own: TRITON_INTERPRET must be set before Triton is imported, and would
reach every other test that imports it.
"""

from __future__ import annotations

import itertools
import os

import numpy as np
import pytest
import torch

from nle_fast.errors import InputError
from nle_fast.kernels import score_neurons as module
from nle_fast.ops import reference, scoring

if os.environ.get("TRITON_INTERPRET") != "1":
    pytest.exit("set TRITON_INTERPRET=1; test_kernels.py does", returncode=1)

SHAPES = [(1, 1, 1, 1), (2, 33, 5, 7), (3, 70, 7, 7), (1, 5, 40, 41)]
SIGNS = {"supporting": (True, False), "opposing": (False, True), "both": (True, True)}


@pytest.fixture(params=["one block of keys", "many blocks of keys"])
def blocks(request, monkeypatch):
    """Run with all keys held at once, and as for more neurons than can be."""
    if request.param == "many blocks of keys":
        sizes = module.launch_sizes(70, 49)._replace(block_neurons=16, block_select=32, one_block=False)
        monkeypatch.setattr(module, "launch_sizes", lambda *_: sizes)


@pytest.fixture(autouse=True)
def unwritten_is_nan(monkeypatch):
    """Every buffer that a launcher makes is full of NaN, so that what the kernel leaves unwritten shows."""
    empty = torch.empty
    monkeypatch.setattr(torch, "empty", lambda *shape, **options: empty(*shape, **options).fill_(float("nan")))


def grid(seed, shape, constant, dtype=torch.float32):
    """Values on a grid of 1/8, so that sums are exact in float32 and ties are common."""
    generator = torch.Generator().manual_seed(seed)
    activations = torch.randint(-12, 16, shape, generator=generator) / 8
    gradients = torch.randint(-12, 13, shape[:2] if constant else shape, generator=generator) / 8
    return activations.to(dtype), gradients.to(dtype)


def launch(activations, gradients, k, reduce="sum", sign="supporting"):
    supporting, opposing = SIGNS[sign]
    return module.score_neurons(
        activations, gradients, k, maximum=reduce == "max", supporting=supporting, opposing=opposing
    )


def assert_equals_reference(activations, gradients, k, reduce, sign):
    *found, bad = launch(activations, gradients, k, reduce, sign)
    expected = reference.score_neurons(activations.float().numpy(), gradients.float().numpy(), k, reduce, sign)
    for name, one, other in zip(("values", "neurons", "maps", "total"), found, expected, strict=True):
        assert one.dtype == other.dtype, name
        if name == "total":
            np.testing.assert_allclose(one, other, rtol=1e-6)
        else:
            np.testing.assert_array_equal(one, other, err_msg=name)
    assert bad.tolist() == [-1] * len(activations)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("constant", [False, True])
@pytest.mark.parametrize("reduce", ["sum", "max"])
@pytest.mark.parametrize("sign", SIGNS)
def test_equals_the_reference(shape, constant, reduce, sign):
    for k in {min(7, shape[1]), min(shape[1], 33)}:
        assert_equals_reference(*grid(k, shape, constant), k, reduce, sign)


@pytest.mark.parametrize("dtypes", itertools.product([torch.float32, torch.float16, torch.bfloat16], repeat=2), ids=str)
@pytest.mark.parametrize("reduce", ["sum", "max"])
def test_half_precision_and_mixtures(dtypes, reduce):
    for constant in (False, True):
        activations, gradients = grid(9, (2, 19, 3, 5), constant)
        assert_equals_reference(activations.to(dtypes[0]), gradients.to(dtypes[1]), 4, reduce, "both")


@pytest.mark.parametrize("reduce", ["sum", "max"])
def test_more_neurons_than_keys_held_at_once(reduce):
    assert not module.launch_sizes(5000, 2).one_block
    assert_equals_reference(*grid(3, (1, 5000, 1, 2), constant=False), 3, reduce, "both")


@pytest.mark.usefixtures("blocks")
@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")  # the totals of these extremes
@pytest.mark.parametrize("sign", ["supporting", "opposing"])
def test_order_over_all_magnitudes(sign):
    bits = np.random.default_rng(0).integers(0, 2**32, 100, dtype=np.uint64).astype(np.uint32)
    values = np.where(np.isfinite(bits.view(np.float32)), bits.view(np.float32), np.float32(1))
    values[:6] = [3.4e38, -3.4e38, 1e-45, -1e-45, 0.0, -0.0]
    activations = torch.from_numpy(values).reshape(1, -1, 1, 1)
    found, neurons, *_ = launch(activations, torch.ones(1, 100), 100, sign=sign)
    expected = reference.score_neurons(activations.numpy(), np.ones((1, 100), np.float32), 100, sign=sign)
    np.testing.assert_array_equal(neurons, expected[1])
    np.testing.assert_array_equal(found, expected[0])


@pytest.mark.usefixtures("blocks")
def test_ties_and_negative_zeros_go_to_the_lowest_neuron():
    weights = torch.zeros(1, 100)
    weights[0, 50] = -0.0
    weights[0, [70, 90]] = 1.0
    weights[0, [71, 91]] = -1.0
    zeros = [c for c in range(100) if c not in (70, 71, 90, 91)]
    _, found, *_ = launch(torch.ones(1, 100, 2, 2), weights, 60, sign="both")
    assert found[0].tolist() == [70, 90, *zeros[:58], 71, 91, *zeros[:58]]


@pytest.mark.parametrize("reduce", ["sum", "max"])
def test_all_negative(reduce):
    activations, weights = torch.ones(2, 5, 3, 3), -torch.arange(1.0, 6).repeat(2, 1)
    assert_equals_reference(activations, weights, 5, reduce, "both")
    assert launch(activations, weights, 2, reduce)[3].tolist() == [0, 0]


def test_sums_of_large_planes_stay_within_1e_5():
    generator = torch.Generator().manual_seed(0)
    activations = torch.rand((1, 3, 300, 301), generator=generator) + 100
    gradients = torch.ones_like(activations)
    values = launch(activations, gradients, 3)[0]
    expected = reference.score_neurons(activations.numpy(), gradients.numpy(), 3)[0]
    np.testing.assert_allclose(values, expected, rtol=1e-5)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NumPy, which interprets, remarks on infinity times zero
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("where", [0, 1])
@pytest.mark.parametrize("constant", [False, True])
@pytest.mark.parametrize("reduce", ["sum", "max"])
def test_values_that_are_not_finite_are_flagged(value, where, constant, reduce):
    pair = grid(4, (3, 20, 3, 7), constant)
    for place in ((1, 17, 1, 5), (1, 19, 0, 0)):
        pair[where][place[: pair[where].ndim]] = value
    # k = C: the gather must stay inside the picture whatever the keys are.
    _, neurons, *_, bad = launch(*pair, 20, reduce, "both")
    assert bad.tolist() == [-1, 17, -1]
    assert neurons.min() == 0
    assert neurons.max() == 19


@pytest.mark.parametrize("shape", SHAPES)
def test_one_launch_per_batch(shape, monkeypatch):
    grids, kernel = [], module.score_neurons_kernel

    class Counter:
        def __getitem__(self, launched):
            grids.append(launched)
            return kernel[launched]

    monkeypatch.setattr(module, "score_neurons_kernel", Counter())
    launch(*grid(0, shape, constant=False), 1, "max", "both")
    assert grids == [(shape[0],)]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_ops_gives_the_same_on_either_device(monkeypatch):
    activations, gradients = grid(1, (3, 40, 7, 7), constant=False)
    for pair in ((activations, gradients), (activations.half(), gradients), (activations, gradients[..., :1, :1])):
        pair = pair[0], pair[1].expand_as(pair[0])
        on_cpu = scoring.score_neurons(*pair, 5, "max", "both")
        with monkeypatch.context() as patch:
            patch.setattr(scoring, "_on_gpu", lambda *_: True)
            on_gpu = scoring.score_neurons(*pair, 5, "max", "both")
            poisoned = pair[0].clone()
            poisoned[2, 7] = float("nan")
            with pytest.raises(InputError, match="picture 2, neuron 7"):
                scoring.score_neurons(poisoned, pair[1], 5)
        for name in ("values", "neurons", "maps"):
            np.testing.assert_array_equal(getattr(on_gpu, name), getattr(on_cpu, name))
        np.testing.assert_allclose(on_gpu.total, on_cpu.total, rtol=1e-6)
