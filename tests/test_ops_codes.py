"""Sparse codes, natively, against their definition and torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from nle_fast.errors import ConfigError, InputError
from nle_fast.ops import reconstruct, reference, sparse_codes, weighed


@pytest.mark.parametrize("shape", [(1, 300, 7, 7), (3, 17, 5, 4), (2, 1, 1, 1), (1, 512, 13, 13), (2, 40, 1, 33)])
@pytest.mark.parametrize("active", [1, 5, 24, 1000])
@pytest.mark.parametrize("coarse", [False, True])
def test_as_defined(shape, active, coarse):
    projections = np.random.default_rng(active).normal(size=shape).astype(np.float32)
    if coarse:  # many equal ones
        projections = np.round(2 * projections) / 2
    codes = sparse_codes(projections, active)
    np.testing.assert_array_equal(codes, reference.sparse_codes(projections, active))
    assert (np.count_nonzero(codes, axis=1) <= active).all()
    again = projections.copy()
    assert np.shares_memory(sparse_codes(again, active, overwrite=True), again)
    np.testing.assert_array_equal(again, codes)
    if not coarse:
        largest, places = torch.from_numpy(projections).topk(min(active, shape[1]), 1)
        again = torch.zeros(shape).scatter(1, places, largest.relu())
        np.testing.assert_array_equal(codes, again.numpy())


def test_tensors_other_layouts_and_precisions():
    projections = torch.randn(2, 30, 3, 5)
    expected = sparse_codes(projections.numpy(), 4)
    np.testing.assert_array_equal(sparse_codes(projections, 4), expected)
    np.testing.assert_array_equal(sparse_codes(projections.contiguous(memory_format=torch.channels_last), 4), expected)
    np.testing.assert_array_equal(sparse_codes(projections.numpy()[::-1], 4), expected[::-1])
    half = projections.to(torch.bfloat16)
    np.testing.assert_array_equal(sparse_codes(half, 4), sparse_codes(half.float(), 4))


def test_what_a_gpu_does():
    class OnGpu:
        """A tensor that believes to be on a GPU."""

        def __init__(self, tensor):
            self.tensor = tensor

        def __getattr__(self, name):
            return True if name == "is_cuda" else getattr(self.tensor, name)

    projections = torch.randn(2, 30, 3, 5)
    found = sparse_codes(OnGpu(projections.clone()), 4)
    assert isinstance(found, torch.Tensor)
    np.testing.assert_array_equal(found.numpy(), sparse_codes(projections, 4))


def test_what_cannot_be_used_is_refused():
    projections = np.ones((1, 3, 2, 2), np.float32)
    for active in (0, -1, 1.5, True, None):
        with pytest.raises(ConfigError, match="`active`"):
            sparse_codes(projections, active)
    for bad in (projections[0], projections.astype(np.int32), None, [1.0]):
        with pytest.raises(InputError, match="`projections`"):
            sparse_codes(bad, 2)


@pytest.mark.parametrize(
    ("shape", "channels"), [((1, 300, 7, 7), 1280), ((3, 17, 5, 4), 9), ((2, 1, 1, 1), 1), ((2, 9, 3, 11), 33)]
)
@pytest.mark.parametrize("active", [1, 8])
def test_what_codes_stand_for(shape, channels, active):
    rng = np.random.default_rng(channels)
    codes = sparse_codes(rng.normal(size=shape).astype(np.float32), active)
    directions = rng.normal(size=(shape[1], channels)).astype(np.float32)
    maps = reconstruct(codes, directions)
    assert maps.dtype == np.float32
    np.testing.assert_allclose(maps, reference.reconstruct(codes, directions), rtol=1e-5, atol=1e-5)
    again = torch.einsum("nkhw,kc->nchw", torch.from_numpy(codes), torch.from_numpy(directions))
    np.testing.assert_allclose(maps, again.numpy(), rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(reconstruct(torch.from_numpy(codes), torch.from_numpy(directions)), maps)


def test_directions_must_fit():
    codes = np.ones((1, 3, 2, 2), np.float32)
    for bad in (np.ones((2, 5), np.float32), np.ones(3, np.float32), None):
        with pytest.raises(InputError, match="`directions`"):
            reconstruct(codes, bad)
    with pytest.raises(InputError, match="`codes`"):
        reconstruct(codes[0], np.ones((3, 5), np.float32))


@pytest.mark.parametrize("shape", [(1, 1280, 7, 7), (3, 17, 5, 4), (2, 1, 1, 1)])
@pytest.mark.parametrize("spread", ["own", "shared", "constant"])
def test_weighed_sums(shape, spread):
    rng = np.random.default_rng(len(shape))
    sizes = {"own": shape, "shared": (shape[0], 1, *shape[2:]), "constant": shape[:2]}[spread]
    maps, slopes = (rng.normal(size=size).astype(np.float32) for size in (shape, sizes))
    found = weighed(maps, slopes)
    np.testing.assert_allclose(found, reference.weighed(maps, slopes), rtol=1e-5, atol=1e-5)
    rule = {"own": "nchw,nchw->nc", "shared": "nchw,nxhw->nc", "constant": "nchw,nc->nc"}[spread]
    again = torch.einsum(rule, torch.from_numpy(maps), torch.from_numpy(slopes))
    np.testing.assert_allclose(found, again, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(weighed(torch.from_numpy(maps), torch.from_numpy(slopes)), found)
    for bad in (slopes[:, :0], slopes[0], np.ones((shape[0], shape[1] + 1), np.float32)):
        with pytest.raises(InputError, match="`slopes`"):
            weighed(maps, bad)
