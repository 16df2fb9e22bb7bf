"""Heads in closed form: their gradients, and what they say without some of their neurons; and what logits say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nle_fast import _core
from nle_fast.errors import InputError

__all__ = [
    "find_winner",
    "logits_without",
    "means_without",
    "pooled_gradients",
    "rectified_gates",
    "rectified_gradients",
]

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
        given = f"{getattr(logits, 'dtype', type(logits).__name__)} {getattr(logits, 'shape', '')}".rstrip()
        raise InputError(
            f"`logits` must be (K,) float32, in one piece, and `index` a class, got {given} and {index} "
            f"({str(error).splitlines()[0]}); pass the logits of one picture."
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


def pooled_gradients(
    logits: Floats, weight: Floats, target: Indices, versus: Indices, positions: int
) -> tuple[Indices, Floats]:
    """The classes that pictures are explained for, and their gradients at a head that is mean over space and linear.

    Args:
        logits: (N, K) float32.
        weight: (K, C) float32, of any strides.
        target: (N,) int64; negative: the winner, of equal logits the lowest.
        versus: (N,) int64; negative: none.
        positions: H · W of the layer.

    Returns:
        (N,) int64, the classes; and (N, C) float32, what one unit at one position of each neuron adds to the logit of
        the class, less what it adds to that of `versus`.

    Raises:
        InputError: Shapes or types that do not fit, or no such class.

    Example:
        >>> logits, weight = np.array([[1.0, 3.0]], dtype=np.float32), np.array([[2.0], [8.0]], dtype=np.float32)
        >>> chosen, gradients = pooled_gradients(logits, weight, np.array([-1]), np.array([0]), 4)
        >>> chosen.tolist(), gradients.tolist()
        ([1], [[1.5]])

    Source: this project; defined in `ops.reference`.
    """
    try:
        return _core.pooled_gradients(logits, weight, target, versus, positions)
    except (IndexError, TypeError, ValueError) as error:
        shown = {"logits": logits, "weight": weight, "target": target, "versus": versus}
        raise _misfit("`logits` (N, K), `weight` (K, C), `target` and `versus` (N,)", shown, error) from error


def rectified_gates(weight: Floats, bias: Floats, activations: Floats, classes: Indices) -> tuple[Floats, Floats]:
    """Where a head that is 1 × 1 convolution, ReLU and mean over space sees a class: what its gradient is made of.

    Args:
        weight: (K, C) float32 of the convolution, of any strides.
        bias: (K,) float32.
        activations: (N, C, H, W) float32.
        classes: (N,) int64; negative: none.

    Returns:
        (N, 1, H, W) float32, 1 / (H · W) where the map of the class is positive, else 0: the gradient of its logit is
        its row of the weights times that; and (N,) float32, the sum of activations × gradient.

    Raises:
        InputError: Shapes or types that do not fit, or no such class.

    Example:
        >>> maps, bias = np.array([[[[3.0, -1.0]]]], dtype=np.float32), np.array([1.0], dtype=np.float32)
        >>> gates, sums = rectified_gates(np.array([[2.0]], dtype=np.float32), bias, maps, np.array([0]))
        >>> gates.tolist(), sums.tolist()
        ([[[[0.5, 0.0]]]], [3.0])

    Source: this project; defined in `ops.reference`.
    """
    try:
        return _core.rectified_gates(weight, bias, activations, classes)
    except (IndexError, TypeError, ValueError) as error:
        what = "`weight` (K, C), `bias` (K,), `activations` (N, C, H, W) and `classes` (N,)"
        shown = {"weight": weight, "bias": bias, "activations": activations, "classes": classes}
        raise _misfit(what, shown, error) from error


def rectified_gradients(
    logits: Floats, weight: Floats, bias: Floats, activations: Floats, target: Indices, versus: Indices
) -> tuple[Indices, Floats]:
    """The classes that pictures are explained for, and their gradients at a head of 1 × 1 convolution, ReLU and mean.

    The maps of the two classes alone are made anew from the activations; where one is positive its weights count.

    Args:
        logits: (N, K) float32.
        weight: (K, C) float32 of the convolution, of any strides.
        bias: (K,) float32.
        activations: (N, C, H, W) float32.
        target: (N,) int64; negative: the winner, of equal logits the lowest.
        versus: (N,) int64; negative: none.

    Returns:
        (N,) int64, the classes; and (N, C, H, W) float32: what one unit at a position of each neuron adds to the logit
        of the class, less what it adds to that of `versus`.

    Raises:
        InputError: Shapes or types that do not fit, or no such class.

    Example:
        >>> maps = np.array([[[[3.0, -1.0]]]], dtype=np.float32)
        >>> head = np.array([[2.0]], dtype=np.float32), np.array([1.0], dtype=np.float32)
        >>> logits, none = np.array([[3.5]], dtype=np.float32), np.array([-1])
        >>> chosen, gradients = rectified_gradients(logits, *head, maps, none, none)
        >>> chosen.tolist(), gradients.tolist()
        ([0], [[[[1.0, 0.0]]]])

    Source: this project; defined in `ops.reference`.
    """
    try:
        return _core.rectified_gradients(logits, weight, bias, activations, target, versus)
    except (IndexError, TypeError, ValueError) as error:
        shown = {"logits": logits, "weight": weight, "bias": bias, "activations": activations, "target": target}
        what = "`logits` (N, K), `weight` (K, C), `bias` (K,), `activations` (N, C, H, W), `target` and `versus` (N,)"
        raise _misfit(what, shown | {"versus": versus}, error) from error


def _misfit(what: str, arrays: dict[str, Any], error: Exception) -> InputError:
    given = ", ".join(
        f"`{name}` {getattr(array, 'dtype', type(array).__name__)} {getattr(array, 'shape', '')}".rstrip()
        for name, array in arrays.items()
        if array is not None
    )
    return InputError(
        f"{what} must fit each other, got {given} ({str(error).splitlines()[0]}); "
        "take them from one head, as float32 and int64, row by row in memory."
    )


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
        shown: dict[str, Any] = {name: given, "weight": weight, "maps": maps, "sets": sets, "classes": classes}
        what = f"`{name}`, `weight` (K, C), `maps` (C, P), `sets` (M, k) and `classes`"
        raise _misfit(what, shown, error) from error
