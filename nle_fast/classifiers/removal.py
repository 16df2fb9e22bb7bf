"""What a network says without the named neurons and without many others, at the price of one run of the head at most.

Sixteen random sets of neurons beside the named ones are seventeen runs of the head, which for a heavy head is more than
the network itself. Two kinds of heads say the same in closed form:

| head | without the neurons S |
|---|---|
| pooling and a linear map | logits − Σ_{c ∈ S} mean(A_c) · W_c |
| 1 × 1 convolution to a map per class, ReLU, mean | mean(relu(P − Σ_{c ∈ S} W_c · A_c)), P the class maps before ReLU |

The second needs the rows of one class only, when only one is asked about. Any other head is run on every set.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nle_fast.classifiers.base import Classifier, as_numpy, check_logits
from nle_fast.classifiers.masking import masked_logits

__all__ = ["ReluHead", "Removal", "remove_neurons"]

Floats = NDArray[np.float32]


class ReluHead(NamedTuple):
    """A head that is a 1 × 1 convolution to one map per class, ReLU, and the mean over space.

    Attributes:
        weight: (K, C).
        bias: (K,).
    """

    weight: Floats
    bias: Floats


class Removal(NamedTuple):
    """Logits of one picture without some of its neurons.

    Attributes:
        named: (K,) without the named ones.
        others: (M, len(asked)) of the classes asked about, without each of the other sets.
        all_others: (M, K), or None where all classes would have cost much more than those asked about.
    """

    named: Floats
    others: Floats
    all_others: Floats | None


def remove_neurons(
    classifier: Classifier,
    activations: Any,
    named: Sequence[int],
    others: NDArray[np.int64],
    asked: Sequence[int],
    class_maps: Any = None,
) -> Removal:
    """Zero neurons of one picture and read the logits.

    Args:
        classifier: Any. One with a `pooled_weight` (K, C) that is not None runs its head once, for the named neurons,
            and one with a `relu_head` that is not None runs it once, or not at all when it gave `class_maps`; else it
            runs on all M + 1 sets.
        activations: (1, C, H, W) as the classifier gave them, NumPy or torch.
        named: Neurons.
        others: (M, k) further sets, each of different neurons.
        asked: Classes whose logits are wanted without the others.
        class_maps: (1, K, H, W), the maps before ReLU of the same picture, where they are at hand.

    Raises:
        ModelError: The head gave logits of another shape, or that are not finite.

    Source: "Masking effect", method.md; the closed forms follow from the operators, and tests hold them to the head.
    """
    asked, chosen = list(asked), list(named)
    if not others.shape[1]:
        after = _run_without(classifier, activations, chosen)
        every = np.repeat(after[None], len(others), axis=0)
        return Removal(after, every[:, asked], every)
    weight: Floats | None = getattr(classifier, "pooled_weight", None)
    head: ReluHead | None = None if weight is not None else getattr(classifier, "relu_head", None)
    if weight is None and head is None:
        logits = masked_logits(classifier, activations, _masks(classifier.num_neurons, named, others)[None])[0]
        return Removal(logits[0], logits[1:, asked], logits[1:])
    maps = as_numpy(activations)[0].astype(np.float32, copy=False)
    maps = maps.reshape(len(maps), -1)
    if weight is not None:
        after = _run_without(classifier, activations, chosen)
        flat = np.concatenate((chosen, others.ravel()))
        # All means are quicker than to gather most maps.
        sums = np.add.reduce(maps, axis=1)[flat] if len(flat) > len(maps) else np.add.reduce(maps[flat], axis=1)
        taken = np.take(weight.T, flat, axis=0) * (sums * np.float32(1 / maps.shape[1]))[:, None]
        # The head runs without the named neurons alone: what they took is put back for every other set.
        own = np.add.reduce(taken[: len(chosen)], axis=0)
        every = (after + own) - np.add.reduce(taken[len(chosen) :].reshape(*others.shape, -1), axis=1)
        return Removal(after, every[:, asked], every)
    assert head is not None
    if class_maps is None:
        after = _run_without(classifier, activations, chosen)
    else:
        after = _rectified(as_numpy(class_maps)[0], head.weight[:, chosen] @ maps[chosen])
    rows = head.weight[asked]
    before = rows @ maps + head.bias[asked, None]
    others_took = np.matmul(rows[:, others].swapaxes(0, 1), maps[others])  # (M, len(asked), H·W)
    return Removal(after, np.maximum(before - others_took, 0).mean(2), None)


def _run_without(classifier: Classifier, activations: Any, neurons: list[int]) -> Floats:
    """(K,) by running the head."""
    masked = activations.clone() if hasattr(activations, "clone") else np.array(activations)
    masked[:, neurons] = 0
    return np.asarray(check_logits(classifier.logits(masked), masked, classifier.num_classes)[0])


def _rectified(before: NDArray[Any], taken: Floats) -> Floats:
    """(K,) from the class maps (K, H, W) and what is taken away (K, H·W), which is written over."""
    np.subtract(before.reshape(taken.shape), taken, out=taken)
    # relu(x) = (x + |x|) / 2: NumPy's maximum takes four times as long as its absolute value.
    half = np.full(taken.shape[1], 0.5 / taken.shape[1], np.float32)
    plain = taken @ half
    return np.asarray(plain + np.abs(taken, out=taken) @ half)


def _masks(neurons: int, named: Sequence[int], others: NDArray[np.int64]) -> NDArray[np.bool_]:
    masks = np.zeros((len(others) + 1, neurons), np.bool_)
    masks[0, list(named)] = True
    np.put_along_axis(masks[1:], others, True, 1)
    return masks
