"""score_neurons on the CPU against its definition, against torch, and where it must refuse."""

from __future__ import annotations

import itertools
import subprocess
import sys
import threading
import time

import ml_dtypes
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nle_fast import _core
from nle_fast.errors import ConfigError, InputError, NleWarning
from nle_fast.ops import reference
from nle_fast.ops.scoring import TopNeurons, score_neurons

REDUCES, SIGNS = ("sum", "max"), ("supporting", "opposing", "both")
DTYPES = {"float32": np.dtype(np.float32), "float16": np.dtype(np.float16), "bfloat16": np.dtype(ml_dtypes.bfloat16)}


def arrays(seed, shape, constant, dtype="float32", gradient_dtype=None):
    """Random arrays with values on a grid of 1/8, so that every sum is exact in float32 and ties are common."""
    rng = np.random.default_rng(seed)
    activations = rng.integers(-12, 16, shape) / 8
    gradients = rng.integers(-12, 13, shape[:2] if constant else shape) / 8
    return activations.astype(DTYPES[dtype]), gradients.astype(DTYPES[gradient_dtype or dtype])


def as_tensor(array):
    if array.dtype == DTYPES["bfloat16"]:
        return torch.from_numpy(array.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(array)


def assert_equals_reference(found, activations, gradients, k, reduce, sign):
    wide = activations.astype(np.float32), gradients.astype(np.float32)
    values, neurons, maps, total = reference.score_neurons(*wide, k, reduce, sign)
    np.testing.assert_array_equal(found.neurons, neurons)
    np.testing.assert_array_equal(found.values, values)
    np.testing.assert_array_equal(found.maps, maps)
    np.testing.assert_allclose(found.total, total, rtol=1e-6)
    assert [a.dtype.name for a in (found.values, found.neurons, found.maps, found.total)] == [
        "float32",
        "int64",
        "float32",
        "float32",
    ]


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


def test_unknown_unit_and_unsafe_arrays_are_refused_by_the_extension():
    a = np.ones((1, 4, 2, 2), np.float32)
    native = _core.score_neurons
    for arguments in (
        (a, a, "float32", 1, False, True, False, 1, "mmx"),
        (a, a, "float64", 1, False, True, False, 1),
        (a, a, "float16", 1, False, True, False, 1),
        (a, a, "float32", 5, False, True, False, 1),
        (a, a, "float32", 0, False, True, False, 1),
        (a, a, "float32", 1, False, False, False, 1),
        (a, a[:, :3], "float32", 1, False, True, False, 1),
        (a, a[0], "float32", 1, False, True, False, 1),
        (a.transpose(0, 1, 3, 2)[..., ::-1], a, "float32", 1, False, True, False, 1),
        (a[:0], a[:0], "float32", 1, False, True, False, 1),
        (a, a.astype(np.float16), "float32", 1, False, True, False, 1),
    ):
        with pytest.raises(ValueError, match="must"):
            native(*arguments)


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


def views(array):
    """The same values in memory laid out in other ways."""
    wide = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
    wide[..., ::2] = array
    unaligned = np.frombuffer(b"x" + array.tobytes(), np.uint8)[1:].view(array.dtype).reshape(array.shape)
    return {
        "strided": wide[..., ::2],
        "fortran": np.asfortranarray(array),
        "reversed": array[::-1].copy()[::-1],
        "unaligned": unaligned,
        "read-only": np.broadcast_to(array, array.shape),
        "other byte order": array.astype(array.dtype.newbyteorder(">")),
    }


@pytest.mark.parametrize("constant", [False, True])
@pytest.mark.parametrize("dtype", sorted(DTYPES))
def test_arrays_in_any_layout(dtype, constant):
    activations, gradients = arrays(5, (3, 11, 5, 6), constant, dtype)
    for (name, a), (other, g) in itertools.product(views(activations).items(), views(gradients).items()):
        if dtype == "bfloat16" and "other byte order" in (name, other):
            continue  # ml_dtypes has native bytes only
        assert_equals_reference(score_neurons(a, g, 4), activations, gradients, 4, "sum", "supporting")


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_tensors_in_any_layout(dtype):
    activations, gradients = (as_tensor(a).to(dtype) for a in arrays(6, (2, 9, 4, 5), constant=False))
    expected = score_neurons(activations, gradients, 3)
    channels_last = activations.to(memory_format=torch.channels_last)
    with_graph = activations.clone().requires_grad_() * 1
    for a in (channels_last, with_graph, activations.flip(3).flip(3), activations.transpose(2, 3).contiguous().mT):
        found = score_neurons(a, gradients, 3)
        np.testing.assert_array_equal(found.neurons, expected.neurons)
        np.testing.assert_array_equal(found.maps, expected.maps)
    assert with_graph.requires_grad


@pytest.mark.parametrize("as_array", [lambda t: t, lambda t: t.numpy()])
def test_gradients_expanded_over_space_are_read_as_constant(as_array):
    activations, weights = (torch.from_numpy(a) for a in arrays(2, (2, 6, 5, 4), constant=True))
    expanded = weights[:, :, None, None].expand_as(activations)
    found = score_neurons(as_array(activations), as_array(expanded), 3, "max", "both")
    expected = score_neurons(activations, weights, 3, "max", "both")
    for name in ("values", "neurons", "maps", "total"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))


def test_contiguous_tensors_are_not_copied(monkeypatch):
    seen = []
    native = _core.score_neurons

    def spy(activations, gradients, *rest):
        seen.extend([activations.ctypes.data, gradients.ctypes.data])
        return native(activations, gradients, *rest)

    monkeypatch.setattr(_core, "score_neurons", spy)
    monkeypatch.setattr(_core, "score_plain", lambda *_: None)
    for dtype in (torch.float32, torch.float16, torch.bfloat16):
        activations, gradients = torch.rand(1, 3, 2, 2).to(dtype), torch.rand(1, 3).to(dtype)
        score_neurons(activations, gradients, 1)
        assert seen[-2:] == [activations.data_ptr(), gradients.data_ptr()]


PLAIN = ("sum", "both", 1, TopNeurons)


@pytest.mark.parametrize("tensors", [True, False])
@pytest.mark.parametrize("dtype", sorted(DTYPES))
@pytest.mark.parametrize("reduce", REDUCES)
def test_the_short_way_gives_what_the_long_way_gives(dtype, tensors, reduce, monkeypatch):
    for shape, constant in itertools.product([(1, 40, 7, 7), (3, 9, 2, 3)], [True, False]):
        a, g = (as_tensor(x) if tensors else x for x in arrays(8, shape, constant, dtype))
        short = _core.score_plain(a, g, 4, reduce, "both", None, TopNeurons)
        assert (short is None) == (not tensors and dtype == "bfloat16")  # NumPy has no bfloat16 of its own
        with monkeypatch.context() as long_way:
            long_way.setattr(_core, "score_plain", lambda *_: None)
            expected = score_neurons(a, g, 4, reduce, "both", threads=1)
        if short is not None:
            for name in ("values", "neurons", "maps", "total"):
                assert getattr(short, name).tobytes() == getattr(expected, name).tobytes()
                assert getattr(short, name).shape == getattr(expected, name).shape


def test_the_short_way_leaves_all_else_to_the_long_way():
    a, g = np.ones((1, 4, 2, 2), np.float32), np.ones((1, 4), np.float32)
    t = torch.ones(1, 4, 2, 2)
    assert isinstance(_core.score_plain(a, g, 2, *PLAIN), TopNeurons)
    assert isinstance(_core.score_plain(t, g, 2, *PLAIN), TopNeurons)
    unlike = [
        a[:, ::2], a.astype(np.float64), a.astype(">f4"), a[0], a[:0], a.tolist(), None, a[..., None], a[:, :3],
        t.double(), t.mT, t[:, ::2], t.to_sparse(), t.to("meta"), t[:0], torch.nn.Parameter(t), t[..., None],
        torch._neg_view(t), a.astype(np.float16), np.ones((1, 4, 2, 3), np.float32), np.ones((1, 5), np.float32),
    ]  # fmt: skip
    for other in unlike:
        for pair in ((other, a), (a, other)):
            assert _core.score_plain(*pair, 2, *PLAIN) is None, pair
    options = [
        (0, *PLAIN), (5, *PLAIN), (10**30, *PLAIN), (True, *PLAIN), (2.0, *PLAIN), (2, "mean", *PLAIN[1:]),
        (2, "sum", None, 1, TopNeurons), (2, "sum", "for", 1, TopNeurons), (2, "sum", "both", 2, TopNeurons),
        (2, "sum", "both", True, TopNeurons), (2, "sum", "both", 10**30, TopNeurons),
    ]  # fmt: skip
    for given_options in options:
        assert _core.score_plain(a, g, *given_options) is None, given_options
    seen = []
    torch.func.vmap(lambda x: seen.append(_core.score_plain(x, g, 2, *PLAIN)) or x)(t[None])
    assert seen == [None]
    assert _core.score_plain(a * np.nan, g, 2, *PLAIN) is None


def test_more_than_all_neurons_is_clipped_with_a_warning():
    activations, gradients = arrays(0, (1, 3, 2, 2), constant=False)
    with pytest.warns(NleWarning, match=r"`k` must be at most the 3 neurons .* got 9"):
        found = score_neurons(activations, gradients, 9, sign="both")
    assert_equals_reference(found, activations, gradients, 3, "sum", "both")


@pytest.mark.parametrize("threads", [1, 4])
@pytest.mark.parametrize("reduce", REDUCES)
@pytest.mark.parametrize("constant", [False, True])
@pytest.mark.parametrize("dtype", sorted(DTYPES))
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("where", ["activations", "gradients"])
def test_values_that_are_not_finite_name_picture_and_neuron(where, value, dtype, constant, reduce, threads):
    pair = dict(zip(("activations", "gradients"), arrays(4, (5, 90, 3, 7), constant, dtype), strict=True))
    # Two pictures with one each: the first is named. Zero times infinity counts, as in the definition.
    for place in ((3, 80, 2, 6), (2, 77, 1, 5), (2, 79, 0, 0)):
        pair[where][place[: pair[where].ndim]] = value
    with pytest.raises(InputError, match=r"must be finite, .* in picture 2, neuron 77; look"):
        score_neurons(pair["activations"], pair["gradients"], 2, reduce, threads=threads)


def test_overflow_of_a_score_is_refused():
    activations = np.full((1, 2, 4, 4), 3e38, np.float32)
    with pytest.raises(InputError, match="picture 0, neuron 0"):
        score_neurons(activations, np.ones((1, 2), np.float32), 1)


GOOD = np.ones((2, 4, 3, 3), np.float32)


@pytest.mark.parametrize(
    ("activations", "gradients", "message"),
    [
        (GOOD.astype(np.float64), GOOD, "`activations` must be float32, float16 or bfloat16, got float64; convert"),
        (GOOD, GOOD.astype(np.int16), "`gradients` must be float32, float16 or bfloat16, got int16"),
        (torch.ones(1, 1, 1, 1, dtype=torch.float64), GOOD, "got float64"),
        (GOOD.tolist(), GOOD, "must be a NumPy array or a torch tensor, got list"),
        (GOOD, None, "`gradients` must be a NumPy array or a torch tensor, got NoneType"),
        (GOOD[0], GOOD[0], r"`activations` must be \(N, C, H, W\)"),
        (GOOD[:, :0], GOOD[:, :0], "without an empty dimension"),
        (GOOD[:0], GOOD[:0], "without an empty dimension"),
        (GOOD[..., :0], GOOD[..., :0], "without an empty dimension"),
        (GOOD, GOOD[:1], "`gradients` must have the shape of the activations"),
        (GOOD, GOOD[..., :1], "`gradients` must have the shape of the activations"),
        (GOOD, GOOD[:, :, 0], "`gradients` must have the shape of the activations"),
        (GOOD, GOOD[:, :3, 0, 0], "`gradients` must have the shape of the activations"),
        (torch.ones(2, 4, 3, 3).to_sparse(), GOOD, "must be a dense tensor"),
        (torch.ones(2, 4, 3, 3, device="meta"), GOOD, "`gradients` must be on the device of the activations, meta"),
    ],
)
def test_arrays_that_cannot_be_scored(activations, gradients, message):
    with pytest.raises(InputError, match=message):
        score_neurons(activations, gradients, 1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"k": 0}, "`k` must be an integer of at least 1, got 0"),
        ({"k": -3}, "`k` must be"),
        ({"k": 2.0}, "`k` must be"),
        ({"k": True}, "`k` must be"),
        ({"k": 1, "reduce": "mean"}, "`reduce` must be 'sum' or 'max', got 'mean'"),
        ({"k": 1, "sign": "for"}, "`sign` must be"),
        ({"k": 1, "threads": 0}, "`threads` must be"),
        ({"k": 1, "threads": 1.5}, "`threads` must be"),
    ],
)
def test_options_out_of_their_range(options, message):
    with pytest.raises(ConfigError, match=message):
        score_neurons(GOOD, GOOD, **options)


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
