"""Logits of a head with ReLU without some of its neurons: C++ against the definition."""

from __future__ import annotations

import numpy as np
import pytest

from nle_fast.errors import InputError
from nle_fast.ops import means_without, reference


@pytest.mark.parametrize("removed", [0, 1, 3, 4, 5, 9])
@pytest.mark.parametrize("positions", [1, 7, 49, 169])
def test_as_defined(removed, positions):
    rng = np.random.default_rng(removed * 1000 + positions)
    weight, maps = rng.normal(size=(30, 12)), rng.random((12, positions))
    class_maps = weight @ maps + rng.normal(size=(30, 1))
    arrays = [array.astype(np.float32) for array in (class_maps, weight, maps)]
    neurons = rng.permutation(12)[:removed].tolist()
    found = means_without(*arrays, neurons)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, reference.means_without(*arrays, neurons), rtol=1e-5, atol=1e-5)


def test_what_does_not_fit_is_refused():
    class_maps, weight, maps = np.zeros((3, 4), np.float32), np.zeros((3, 2), np.float32), np.zeros((2, 4), np.float32)
    for changed in ((class_maps[:2], weight, maps), (class_maps, weight, maps[:1]), (class_maps[0], weight, maps)):
        with pytest.raises(InputError, match="must be"):
            means_without(*changed, [0])
    for neurons in ([2], [-1], [[0]]):
        with pytest.raises(InputError, match="must be"):
            means_without(class_maps, weight, maps, neurons)
