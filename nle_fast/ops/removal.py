"""What a head says without some of its neurons."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nle_fast import _core
from nle_fast.errors import InputError

__all__ = ["means_without"]

Floats = NDArray[np.float32]


def means_without(class_maps: Floats, weight: Floats, maps: Floats, neurons: Sequence[int]) -> Floats:
    """Logits of a head that is 1 × 1 convolution, ReLU and mean over space, without some of its neurons.

    One pass over the class maps, on the calling thread.

    Args:
        class_maps: (K, P) float32, one map per class before ReLU, of P positions.
        weight: (K, C) float32 of the convolution.
        maps: (C, P) float32, the activations.
        neurons: Channels, each once.

    Returns:
        (K,) float32, mean over positions of relu(class_maps − weight[:, neurons] @ maps[neurons]).

    Raises:
        InputError: Shapes or types that do not fit, or no such neuron.

    Example:
        >>> class_maps = np.array([[3.0, 1.0]], dtype=np.float32)
        >>> weight, maps = np.array([[2.0]], dtype=np.float32), np.array([[1.0, 1.0]], dtype=np.float32)
        >>> means_without(class_maps, weight, maps, [0]).tolist()
        [0.5]

    Source: this project; defined in `ops.reference`.
    """
    try:
        chosen = np.asarray(neurons, np.int64)
        if weight.shape[1] != len(maps) or chosen.ndim != 1 or (chosen < 0).any():
            raise IndexError("they do not fit")
        parts = (class_maps, weight[:, chosen], maps[chosen])
        before, factors, given = (np.ascontiguousarray(array, np.float32) for array in parts)
        return _core.means_without(before, factors, given)
    except (IndexError, TypeError, ValueError) as error:
        shapes = ", ".join(str(np.shape(array)) for array in (class_maps, weight, maps))
        raise InputError(
            "`class_maps`, `weight` and `maps` must be (K, P), (K, C) and (C, P), and `neurons` channels, got "
            f"{shapes} and {neurons} ({error}); take them from one head."
        ) from error
