"""score_neurons on the CPU against its definition, against torch, and beside other threads."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scoring_cases import DTYPES, REDUCES, SIGNS, arrays, as_tensor, assert_equals_reference

from nle_fast import _core
from nle_fast.ops import reference
from nle_fast.ops.scoring import TopNeurons, score_neurons


@settings(max_examples=200, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 4), st.integers(1, 40), st.integers(1, 9), st.integers(1, 9)),
    constant=st.booleans(),
    dtype=st.sampled_from(sorted(DTYPES)),
    gradient_dtype=st.sampled_from(sorted(DTYPES)),
    reduce=st.sampled_from(REDUCES),
    sign=st.sampled_from(SIGNS),
    seed=st.integers(0, 2**32 - 1),
    tensors=st.booleans(),
    data=st.data(),
)
def test_equals_the_reference(shape, constant, dtype, gradient_dtype, reduce, sign, seed, tensors, data):
    k = data.draw(st.integers(1, shape[1]))
    activations, gradients = arrays(seed, shape, constant, dtype, gradient_dtype)
    given_arrays = (as_tensor(activations), as_tensor(gradients)) if tensors else (activations, gradients)
    found = score_neurons(*given_arrays, k, reduce, sign)
    assert_equals_reference(found, activations, gradients, k, reduce, sign)


@pytest.mark.parametrize("unit", _core.vector_units())
@pytest.mark.parametrize("element", sorted(DTYPES))
@pytest.mark.parametrize("reduce", REDUCES)
@pytest.mark.parametrize("constant", [False, True])
@pytest.mark.parametrize("shape", [(2, 130, 7, 7), (1, 3, 61, 41), (3, 70, 1, 1), (1, 9, 8, 8)])
def test_every_vector_unit_equals_the_reference(unit, element, reduce, constant, shape):
    activations, gradients = arrays(7, shape, constant, element)
    bits = [a.view(np.int16) if element == "bfloat16" else a for a in (activations, gradients)]
    for k in {1, shape[1]}:
        *found, bad = _core.score_neurons(*bits, element, k, reduce == "max", True, True, 1, unit)
        top = TopNeurons(found[0], found[1], found[2], found[3])
        assert_equals_reference(top, activations, gradients, k, reduce, "both")
        assert (bad == -1).all()


@pytest.mark.parametrize("bits", [np.arange(65536, dtype=np.uint16)])
@pytest.mark.parametrize("element", ["float16", "bfloat16"])
@pytest.mark.parametrize("unit", _core.vector_units())
def test_every_16_bit_value_is_widened_exactly(bits, element, unit):
    values = bits.view(DTYPES[element])
    finite = values[np.isfinite(values.astype(np.float32))]
    activations = finite.reshape(1, -1, 1, 1)
    ones = np.ones(activations.shape[:2], DTYPES[element])
    raw = [np.ascontiguousarray(a).view(np.uint16) for a in (activations, ones)]
    found, neurons, maps, _, bad = _core.score_neurons(*raw, element, finite.size, False, True, False, 1, unit)
    assert (bad == -1).all()
    widened = finite.astype(np.float32)
    np.testing.assert_array_equal(found[0], widened[neurons[0]])
    np.testing.assert_array_equal(maps.ravel(), widened[neurons[0]])
    assert sorted(neurons[0].tolist()) == list(range(finite.size))
    for other in values[~np.isfinite(values.astype(np.float32))][::37]:
        one = np.full((1, 1, 1, 1), other).view(np.uint16)
        assert _core.score_neurons(one, raw[1][:, :1], element, 1, False, True, False, 1, unit)[4].tolist() == [0]


@pytest.mark.parametrize(("shape", "k"), [((1, 2048, 7, 7), 5), ((3, 64, 112, 112), 10), ((2, 1280, 4, 4), 100)])
def test_three_witnesses(shape, k):
    generator = torch.Generator().manual_seed(3)
    activations = torch.rand(shape, generator=generator)
    gradients = torch.randn(shape, generator=generator)
    found = score_neurons(activations, gradients, k)
    values, neurons = (activations.double() * gradients.double()).sum((2, 3)).topk(k)
    magnitude = (activations * gradients).abs().sum((2, 3)).gather(1, neurons).numpy()
    np.testing.assert_array_equal(found.neurons, neurons.numpy())
    assert (np.abs(found.values - values.numpy()) <= 1e-5 * magnitude).all()
    rows = torch.arange(shape[0])[:, None]
    np.testing.assert_array_equal(found.maps, activations[rows, neurons].numpy())
    defined = reference.score_neurons(activations.numpy(), gradients.numpy(), k)
    np.testing.assert_array_equal(found.neurons, defined[1])
    np.testing.assert_allclose(found.total, defined[3], rtol=1e-5)


@pytest.mark.parametrize("unit", _core.vector_units())
def test_sums_of_large_planes_stay_within_1e_5(unit):
    rng = np.random.default_rng(0)
    activations = rng.random((1, 2, 500, 501), dtype=np.float32) + 1000
    gradients = np.ones_like(activations)
    values = _core.score_neurons(activations, gradients, "float32", 2, False, True, False, 1, unit)[0]
    np.testing.assert_allclose(values, reference.score_neurons(activations, gradients, 2)[0], rtol=1e-5)


@pytest.mark.parametrize("threads", [1, 4, 7, None])
@pytest.mark.parametrize("constant", [False, True])
@pytest.mark.parametrize("reduce", REDUCES)
def test_threads_give_equal_results(threads, constant, reduce):
    rng = np.random.default_rng(1)
    shape = (6, 300, 21, 20)
    activations = rng.standard_normal(shape, dtype=np.float32)
    gradients = rng.standard_normal(shape[:2] if constant else shape, dtype=np.float32)
    serial = score_neurons(activations, gradients, 7, reduce, "both", threads=1)
    found = score_neurons(activations, gradients, 7, reduce, "both", threads=threads)
    for name in ("values", "neurons", "maps", "total"):
        assert getattr(found, name).tobytes() == getattr(serial, name).tobytes()


@pytest.mark.parametrize("k", [3, 80])
def test_ties_go_to_the_lowest_neuron(k):
    activations = np.ones((1, 100, 2, 2), np.float32)
    weights = np.zeros((1, 100), np.float32)
    weights[0, 50] = -0.0
    weights[0, [70, 90]] = 1
    weights[0, [71, 91]] = -1
    found = score_neurons(activations, weights, k, sign="both")
    zeros = [c for c in range(100) if c not in (70, 71, 90, 91)]
    assert found.neurons[0].tolist() == ([70, 90, *zeros])[:k] + ([71, 91, *zeros])[:k]


def test_all_negative_scores_and_totals():
    activations = np.ones((1, 4, 1, 1), np.float32)
    weights = -np.array([[1, 2, 3, 4]], np.float32)
    found = score_neurons(activations, weights, 2)
    assert found.neurons.tolist() == [[0, 1]]
    assert found.values.tolist() == [[-1, -2]]
    assert found.total.tolist() == [0]
    assert score_neurons(activations, weights, 2, "max").values.tolist() == [[0, 0]]
    assert score_neurons(activations, weights, 2, "max", "opposing").neurons.tolist() == [[3, 2]]


def test_iterating_gives_values_neurons_maps():
    found = score_neurons(*arrays(0, (2, 5, 3, 3), constant=False), 2)
    values, neurons, maps = found
    assert values is found.values
    assert neurons is found.neurons
    assert maps is found.maps


def test_scoring_numpy_arrays_imports_no_torch():
    program = (
        "import sys, numpy as np; from nle_fast.ops.scoring import score_neurons;"
        "a = np.ones((1, 2, 2, 2), np.float32);"
        "score_neurons(a, a, 1); sys.exit(any(name in sys.modules for name in ('torch', 'triton')))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_the_gil_is_released():
    planes = np.zeros((16, 512, 56, 56), np.float32)

    def turns_while_scoring():
        scorer = threading.Thread(target=score_neurons, args=(planes, planes, 1), kwargs={"threads": 1})
        scorer.start()
        turns = 0
        while scorer.is_alive():
            turns += 1
            time.sleep(0)
        return turns

    # With the GIL held this thread gets one to three turns. Several tries, because the machine may be busy.
    assert max(turns_while_scoring() for _ in range(5)) > 10
