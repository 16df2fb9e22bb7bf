"""What a network says without the named neurons and without many others, at the price of one run of the head at most.

Sixteen random sets of neurons beside the named ones are seventeen runs of the head, which for a heavy head is more than
the network itself. Two kinds of heads say the same in closed form:

| head | without the neurons S |
|---|---|
| pooling and a linear map | logits − Σ_{c ∈ S} mean(A_c) · W_c |
| 1 × 1 convolution to a map per class, ReLU, mean | mean(relu(P − Σ_{c ∈ S} W_c · A_c)), P the class maps before ReLU |

The rows of one class are enough where only that is asked about. Any other head is run on every set.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nle_fast.classifiers.base import Classifier, as_numpy, check_logits
from nle_fast.classifiers.masking import masked_logits
from nle_fast.ops import means_without

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
    """

    named: Floats
    others: Floats


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
        classifier: Any. One with a `pooled_weight` (K, C) that is not None runs its head once, for the named neurons:
            in closed form their drop would be the sum of their scores by definition, and no measurement. One with a
            `relu_head` that is not None runs it once, or not at all where `class_maps` are at hand. Else it runs on
            all M + 1 sets.
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
        return Removal(after, np.repeat(after[None, asked], len(others), axis=0))
    weight: Floats | None = getattr(classifier, "pooled_weight", None)
    head: ReluHead | None = None if weight is not None else getattr(classifier, "relu_head", None)
    if weight is None and head is None:
        logits = masked_logits(classifier, activations, _masks(classifier.num_neurons, named, others)[None])[0]
        return Removal(logits[0], logits[1:, asked])
    maps = as_numpy(activations)[0].astype(np.float32, copy=False)
    maps = maps.reshape(len(maps), -1)
    if weight is not None:
        after = _run_without(classifier, activations, chosen)
        # The head has run without the named neurons: what they gave is put back for every other set.
        rows = np.concatenate([np.asarray(chosen, np.int64), others.reshape(-1)])
        means = np.add.reduce(maps.take(rows, 0), axis=1)
        means *= np.float32(1 / maps.shape[1])
        left = np.empty((len(others), len(asked)), np.float32)
        for column, label in enumerate(asked):  # one, or two with a rival
            gives = weight[label].take(rows)
            gives *= means
            whole = after[label] + np.add.reduce(gives[: len(chosen)])
            np.subtract(whole, np.add.reduce(gives[len(chosen) :].reshape(others.shape), axis=1), out=left[:, column])
        return Removal(after, left)
    assert head is not None
    rows = head.weight[asked]
    if class_maps is None:
        after = _run_without(classifier, activations, chosen)
        before = rows @ maps + head.bias[asked, None]
    else:
        every = as_numpy(class_maps)[0].reshape(-1, maps.shape[1])
        after = means_without(every, head.weight, maps, chosen)
        before = every[asked]
    taken = np.matmul(rows[:, others].swapaxes(0, 1), maps[others])  # (M, len(asked), H·W)
    np.subtract(before, taken, out=taken)
    np.maximum(taken, 0, out=taken)
    return Removal(after, np.add.reduce(taken, axis=2) * np.float32(1 / maps.shape[1]))


def _run_without(classifier: Classifier, activations: Any, neurons: list[int]) -> Floats:
    """(K,) by running the head."""
    masked = activations.clone() if hasattr(activations, "clone") else np.array(activations)
    for neuron in neurons:  # a few: an index by a list costs more
        masked[:, neuron] = 0
    return np.asarray(check_logits(classifier.logits(masked), masked, classifier.num_classes)[0])


def _masks(neurons: int, named: Sequence[int], others: NDArray[np.int64]) -> NDArray[np.bool_]:
    masks = np.zeros((len(others) + 1, neurons), np.bool_)
    masks[0, list(named)] = True
    np.put_along_axis(masks[1:], others, True, 1)
    return masks
