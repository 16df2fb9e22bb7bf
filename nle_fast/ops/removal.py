"""What logits say, and what a head says without some of its neurons where a closed form tells it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nle_fast import _core
from nle_fast.errors import InputError

__all__ = ["find_winner", "logits_without", "means_without"]

Floats = NDArray[np.float32]
Indices = NDArray[np.int64]


def find_winner(logits: Floats, index: int | None = None) -> tuple[int, float]:
    """The class of the largest logit, of equal ones the lowest, and a probability by softmax.

    Args:
        logits: (K,) float32, finite.
        index: The class whose probability is asked for; None: the winner.

    Returns:
        The winner, and a probability in [0, 1].

    Raises:
        InputError: `logits` are not (K,) float32, or there is no such class.

    Example:
        >>> find_winner(np.array([0.0, 0.0, -1e9], dtype=np.float32))
        (0, 0.5)

    Source: this project; defined in `ops.reference`.
    """
    try:
        return _core.find_winner(logits, index)
    except (IndexError, TypeError, ValueError) as error:
        raise InputError(
            f"`logits` must be (K,) float32 and `index` a class, got {np.shape(logits)} and {index} ({error}); "
            "pass the logits of one picture."
        ) from error


def logits_without(
    logits: Floats, weight: Floats, maps: Floats, sets: Indices, classes: Indices | None = None
) -> Floats:
    """Logits of a head that is mean over space and a linear map, without each of some sets of neurons.

    Args:
        logits: (A,) float32, with all neurons.
        weight: (K, C) float32 of the linear map, of any strides.
        maps: (C, P) float32, the activations.
        sets: (M, k) int64, neurons, in each row each once.
        classes: (A,) int64, the class of each of `logits`; None: A is K.

    Returns:
        (M, A) float32, logits − Σ weight[classes, c] · mean(maps[c]) over the neurons c of each set.

    Raises:
        InputError: Shapes or types that do not fit, or no such neuron or class.

    Example:
        >>> logits, weight = np.array([5.0], dtype=np.float32), np.array([[2.0, 1.0]], dtype=np.float32)
        >>> maps = np.array([[1.0, 0.0], [4.0, 4.0]], dtype=np.float32)
        >>> logits_without(logits, weight, maps, np.array([[0], [1]])).tolist()
        [[4.0], [1.0]]

    Source: this project; defined in `ops.reference`.
    """
    return _without(_core.logits_without, "logits", logits, weight, maps, sets, classes)


def means_without(
    class_maps: Floats, weight: Floats, maps: Floats, sets: Indices, classes: Indices | None = None
) -> Floats:
    """Logits of a head that is 1 × 1 convolution, ReLU and mean over space, without each of some sets of neurons.

    One pass over the class maps per set, on the calling thread.

    Args:
        class_maps: (A, P) float32, one map per class before ReLU, of P positions.
        weight: (K, C) float32 of the convolution, of any strides.
        maps: (C, P) float32, the activations.
        sets: (M, k) int64, neurons, in each row each once.
        classes: (A,) int64, the class of each of `class_maps`; None: A is K.

    Returns:
        (M, A) float32, mean over positions of relu(class_maps − weight[classes][:, set] @ maps[set]).

    Raises:
        InputError: Shapes or types that do not fit, or no such neuron or class.

    Example:
        >>> class_maps = np.array([[3.0, 1.0]], dtype=np.float32)
        >>> weight, maps = np.array([[2.0]], dtype=np.float32), np.array([[1.0, 1.0]], dtype=np.float32)
        >>> means_without(class_maps, weight, maps, np.array([[0]])).tolist()
        [[0.5]]

    Source: this project; defined in `ops.reference`.
    """
    return _without(_core.means_without, "class_maps", class_maps, weight, maps, sets, classes)


def _without(
    remove: Callable[..., Floats],
    name: str,
    given: Floats,
    weight: Floats,
    maps: Floats,
    sets: Indices,
    classes: Indices | None,
) -> Floats:
    try:
        return remove(given, weight, maps, np.ascontiguousarray(sets), classes)
    except (IndexError, TypeError, ValueError) as error:
        arrays: dict[str, Any] = {name: given, "weight": weight, "maps": maps, "sets": sets, "classes": classes}
        shapes = ", ".join(f"`{key}` {np.shape(array)}" for key, array in arrays.items() if array is not None)
        raise InputError(
            f"`{name}`, `weight` (K, C), `maps` (C, P), `sets` (M, k) and `classes` must fit each other, got {shapes} "
            f"({str(error).splitlines()[0]}); take them from one head, as float32 and int64."
        ) from error
