"""score_neurons on arrays and tensors in any layout, and the short way for those that need no preparation."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from scoring_cases import DTYPES, REDUCES, arrays, as_tensor, assert_equals_reference

from nle_fast import _core
from nle_fast.ops.scoring import TopNeurons, score_neurons


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
