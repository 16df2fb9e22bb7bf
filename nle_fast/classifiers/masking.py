"""What a network says without some of its neurons: the head run again on masked activations, many masks at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nle_fast.classifiers.base import Classifier, as_numpy, check_logits
from nle_fast.errors import InputError

__all__ = ["masked_logits", "zeroed_logits"]

#: Masked activations that exist at one time, in bytes; several times what a processor's cache holds gains nothing.
AT_MOST_BYTES = 32 << 20


def masked_logits(
    classifier: Classifier,
    activations: Any,
    masks: NDArray[np.bool_],
    replacement: NDArray[Any] | None = None,
    donors: NDArray[np.int64] | None = None,
    *,
    at_most_bytes: int = AT_MOST_BYTES,
) -> NDArray[np.float32]:
    """Logits with the neurons of each mask replaced; only the head runs, on as many masks at a time as memory allows.

    Args:
        classifier: Any `Classifier`; its trunk is not run. One whose head `pools_first` is given means for maps, which
            are as much as it sees, and a fraction of what is to be copied.
        activations: (N, C + rest, H, W) as the classifier gave them, NumPy or torch.
        masks: (N, M, C), true where a neuron of picture n is masked in its m-th mask. C are the neurons; what follows
            them in the activations, the rest of a classifier that has one, is never masked.
        replacement: What stands in for a masked map: None for zeros; (C,), one value per neuron; or (D, C, H, W), maps
            of D donors.
        donors: (N, M) in [0, D): which donor each mask takes its maps from; only with maps of donors.
        at_most_bytes: Bound of the masked activations that are held at a time; one mask is always allowed.

    Returns:
        (N, M, K) float32.

    Raises:
        InputError: The shapes do not fit each other.
        ModelError: The head gave logits of another shape, or that are not finite.

    Source: "Masking effect", method.md: z(A) − z(A with the channels zeroed), by running the head again.
    """
    pooled = bool(getattr(classifier, "pools_first", False))
    whole = as_numpy(activations)
    # What the head makes of a mask may be larger than the mask: as many as there would be maps of.
    step = max(1, at_most_bytes // max(whole[0].nbytes, 1))
    given = _means(whole) if pooled else whole
    count, neurons = len(given), given.shape[1] - int(getattr(classifier, "num_rest", 0))
    fits = masks.ndim == 3 and masks.shape[::2] == (count, neurons) and masks.dtype == np.bool_
    if not fits:
        raise InputError(
            f"`masks` must be bool of shape ({count}, M, {neurons}), got {masks.dtype} of {masks.shape}; "
            "one row of neurons per mask."
        )
    fill = None if replacement is None else np.asarray(replacement, given.dtype)
    if fill is not None and (donors is None) != (fill.shape == (neurons,)):
        raise InputError(
            f"`replacement` must be ({neurons},), or maps (D, {neurons}, H, W) with `donors`, got {fill.shape}; "
            "give one value per neuron, or say which donor each mask takes."
        )
    if pooled and fill is not None and fill.ndim == 4:
        fill = _means(fill)
    each = masks.shape[1]
    logits = np.empty((count * each, classifier.num_classes), np.float32)
    for start in range(0, count * each, step):
        rows = slice(start, min(start + step, count * each))
        picture, mask = np.divmod(np.arange(rows.start, rows.stop), each)
        # One picture, as for a certificate: copying it over and over is faster than gathering it.
        block = np.repeat(given, len(picture), axis=0) if count == 1 else given[picture]
        row, neuron = np.nonzero(masks.reshape(-1, neurons)[rows])
        if fill is None:
            block[row, neuron] = 0
        elif donors is None:
            block[row, neuron] = fill[neuron, None, None]
        else:
            block[row, neuron] = fill[donors[picture, mask][row], neuron]
        # A classifier gets what it gave: tensors on its device, or NumPy.
        again = activations.new_tensor(block) if hasattr(activations, "new_tensor") else block
        logits[rows] = check_logits(classifier.logits(again), len(again), classifier.num_classes)
    return logits.reshape(count, each, -1)


def _means(maps: NDArray[Any]) -> NDArray[Any]:
    """(N, C, H, W) → (N, C, 1, 1)."""
    return np.asarray(maps.mean((2, 3), keepdims=True))


def zeroed_logits(classifier: Classifier, activations: Any, neurons: Sequence[int]) -> NDArray[np.float32]:
    """Logits of one picture with these neurons zeroed, by running the head once; the least that this can cost.

    Args:
        classifier: Any `Classifier`; its trunk is not run.
        activations: (1, C, H, W) as the classifier gave them, NumPy or torch; left as they are.
        neurons: Channels.

    Returns:
        (K,) float32.

    Raises:
        ModelError: The head gave logits of another shape, or that are not finite.

    Source: "Masking effect", method.md.
    """
    if hasattr(activations, "index_fill"):  # a torch tensor: one operation, where an index by a list takes several
        import torch

        index = torch.tensor(neurons, dtype=torch.int64, device=activations.device)
        masked = activations.index_fill(1, index, 0)
    else:
        masked = np.array(activations)
        for neuron in neurons:  # a few: an index by a list costs more
            masked[:, neuron] = 0
    logits = check_logits(classifier.logits(masked), 1, classifier.num_classes)
    return np.asarray(logits[0])
