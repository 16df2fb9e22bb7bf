"""Random arrays of every type for the tests of score_neurons, and the comparison with the definition."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import torch

from nle_fast.ops import reference

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
