"""What a network says without the named neurons and without many others, often at the price of one run of the head.

Sixteen random sets of neurons beside the named ones are seventeen runs of the head, which for a heavy head is more than
the network itself. Two kinds of heads say the same in closed form:

| head | without the neurons S | by |
|---|---|---|
| pooling and a linear map | logits − Σ_{c ∈ S} mean(A_c) · W_c | `ops.logits_without` |
| 1 × 1 convolution to a map per class, ReLU, mean | mean(relu(P − Σ_{c ∈ S} W_c · A_c)) | `ops.means_without` |

P are the class maps before ReLU. The rows of one class are enough where only that is asked about. Any other head is
run on every set: where it pools first, as MobileNetV3's and ConvNeXt's do, on means in place of maps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nle_fast.classifiers.base import Classifier, as_numpy
from nle_fast.classifiers.masking import masked_logits, zeroed_logits
from nle_fast.ops import logits_without, means_without

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
    asked: Mapping[int, float],
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
        asked: Classes whose logits are wanted without the others, each with its logit before.
        class_maps: (1, K, H, W), the maps before ReLU of the same picture, where they are at hand.

    Raises:
        ModelError: The head gave logits of another shape, or that are not finite.

    Source: "Masking effect", method.md; the closed forms follow from the operators, and tests hold them to the head.
    """
    classes = np.array(list(asked), np.int64)
    if not others.shape[1]:
        after = zeroed_logits(classifier, activations, named)
        return Removal(after, np.repeat(after[None, classes], len(others), axis=0))
    weight: Floats | None = getattr(classifier, "pooled_weight", None)
    head: ReluHead | None = None if weight is not None else getattr(classifier, "relu_head", None)
    if weight is None and head is None:
        logits = masked_logits(classifier, activations, _masks(classifier.num_neurons, named, others)[None])[0]
        return Removal(logits[0], logits[1:, classes])
    maps = _rows(activations)
    if weight is not None:
        left = logits_without(np.array(list(asked.values()), np.float32), weight, maps, others, classes)
        return Removal(zeroed_logits(classifier, activations, named), left)
    assert head is not None
    if class_maps is None:
        after = zeroed_logits(classifier, activations, named)
        rows = head.weight[classes] @ maps + head.bias[classes, None]
    else:
        every = _rows(class_maps)
        after = means_without(every, head.weight, maps, np.array([named], np.int64))[0]
        rows = every[classes]
    return Removal(after, means_without(rows, head.weight, maps, others, classes))


def _rows(maps: Any) -> Floats:
    """(1, C, H, W) as (C, H·W) float32, one map after the other; copied where channels come last in memory."""
    first = as_numpy(maps)[0]
    return np.ascontiguousarray(first.reshape(len(first), -1), np.float32)


def _masks(neurons: int, named: Sequence[int], others: NDArray[np.int64]) -> NDArray[np.bool_]:
    masks = np.zeros((len(others) + 1, neurons), np.bool_)
    masks[0, list(named)] = True
    np.put_along_axis(masks[1:], others, True, 1)
    return masks
