"""What every classifier keeps, whatever runs it: `check_classifier(classifier, images)` asserts it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nle_fast.classifiers.base import Classifier, Reading, as_numpy, num_channels, read
from nle_fast.errors import InputError

__all__ = ["check_classifier", "scores"]


def scores(reading: Reading) -> np.ndarray:
    """Σ over space of gradient × activation, (N, C) float64: the plain definition."""
    activations, gradients = as_numpy(reading.activations), as_numpy(reading.gradients)
    weights = gradients[:, :, None, None] if gradients.ndim == 2 else gradients
    return (activations.astype(np.float64) * weights.astype(np.float64)).sum((2, 3))


def check_classifier(classifier: Any, images: Any, *, rtol: float = 1e-4) -> None:
    """Assert the whole protocol of `classifier` on `images` (N ≥ 2, 3, h, w); `rtol` is of the largest value."""
    images = as_numpy(images)
    assert len(images) >= 2
    assert isinstance(classifier, Classifier)
    assert isinstance(classifier.layer, str)
    assert classifier.layer
    before = images.copy()
    activations, logits = _check_forward(classifier, images, rtol)
    _check_gradients(classifier, activations, logits, rtol)
    _check_read(classifier, images, activations, logits, rtol)
    _check_refusals(classifier, images)
    np.testing.assert_array_equal(images, before, err_msg="the pictures were written to")
    if hasattr(classifier, "fingerprint"):
        assert classifier.fingerprint == classifier.fingerprint
        assert int(classifier.fingerprint, 16) >= 0


def close(actual: Any, expected: Any, rtol: float, what: str) -> None:
    actual, expected = as_numpy(actual).astype(np.float64), as_numpy(expected).astype(np.float64)
    assert actual.shape == expected.shape, what
    scale = max(float(np.abs(expected).max()), 1e-6)
    np.testing.assert_allclose(actual / scale, expected / scale, rtol=0, atol=rtol, err_msg=what)


def full(gradients: Any, activations: Any) -> np.ndarray:
    """Gradients as (N, C, H, W), whatever form they came in."""
    gradients = as_numpy(gradients)
    wide = gradients[:, :, None, None] if gradients.ndim == 2 else gradients
    return np.broadcast_to(wide, as_numpy(activations).shape)


def _check_forward(classifier: Classifier, images: np.ndarray, rtol: float) -> tuple[Any, np.ndarray]:
    activations = classifier.activations(images)
    assert activations.ndim == 4
    assert tuple(activations.shape[:2]) == (len(images), num_channels(classifier))
    kept = as_numpy(activations).copy()
    logits = as_numpy(classifier.logits(activations))
    assert logits.shape == (len(images), classifier.num_classes)
    assert np.isfinite(logits).all()
    np.testing.assert_array_equal(as_numpy(activations), kept, err_msg="logits() wrote to the activations")
    close(classifier.logits(kept), logits, rtol, "logits of a NumPy copy of the activations")
    for rows in ([0], [1, 0], [0, 1, 0, 1, 1]):
        close(classifier.activations(images[rows]), kept[rows], rtol, f"activations of pictures {rows}")
        close(classifier.logits(kept[rows]), logits[rows], rtol, f"logits of pictures {rows}")
    return activations, logits


def _check_gradients(classifier: Classifier, activations: Any, logits: np.ndarray, rtol: float) -> None:
    count, classes = logits.shape
    first = np.arange(count, dtype=np.int64) % classes
    second = (first + 1) % classes
    kept = as_numpy(activations).copy()
    one = full(classifier.gradients(activations, first), kept)
    two = full(classifier.gradients(kept, second), kept)
    close(full(classifier.gradients(activations, first, second), kept), one - two, rtol, "difference of two logits")
    np.testing.assert_array_equal(as_numpy(activations), kept, err_msg="gradients() wrote to the activations")

    if rtol > 1e-3:  # half precision: differences of logits would be rounding
        return
    # Central differences along the gradient itself, a step too small to cross many kinks of ReLU or max pooling.
    flat = one.astype(np.float64).reshape(count, -1)
    length = np.sqrt((flat**2).sum(1))
    unit = one / np.maximum(length, 1e-30)[:, None, None, None]
    step = (1e-3 * np.abs(kept).max() / np.maximum(np.abs(unit).max((1, 2, 3)), 1e-30)).astype(np.float32)
    moved = step[:, None, None, None] * unit
    ahead = as_numpy(classifier.logits((kept + moved).astype(kept.dtype)))[np.arange(count), first]
    behind = as_numpy(classifier.logits((kept - moved).astype(kept.dtype)))[np.arange(count), first]
    measured, expected = ahead - behind, 2 * step * length
    assert (np.abs(measured - expected) <= 0.1 * expected + rtol * np.abs(logits).max()).all(), (measured, expected)


def _check_read(classifier: Classifier, images: np.ndarray, activations: Any, logits: np.ndarray, rtol: float) -> None:
    winner = logits.argmax(1)
    reading = read(classifier, images)
    assert isinstance(reading, Reading)
    assert reading.logits.dtype == np.float32
    assert reading.class_index.dtype == np.int64
    np.testing.assert_array_equal(reading.class_index, winner)
    close(reading.logits, logits, rtol, "logits of read()")
    close(reading.activations, activations, rtol, "activations of read()")
    close(
        full(reading.gradients, activations),
        full(classifier.gradients(activations, winner), activations),
        rtol,
        "gradients of read()",
    )

    target = np.full(len(images), -1, np.int64)
    target[0] = (winner[0] + 1) % logits.shape[1]
    versus = np.full(len(images), -1, np.int64)
    versus[0] = winner[0]
    mixed = read(classifier, images, target, versus)
    chosen = np.where(target < 0, winner, target)
    np.testing.assert_array_equal(mixed.class_index, chosen)
    wanted = full(classifier.gradients(activations, chosen), activations).copy()
    wanted[:1] -= full(classifier.gradients(activations[:1], winner[:1]), activations[:1])
    close(full(mixed.gradients, activations), wanted, rtol, "gradients with and without a rival in one batch")


def _check_refusals(classifier: Classifier, images: np.ndarray) -> None:
    count, winner = len(images), read(classifier, images).class_index
    for bad in ([classifier.num_classes] * count, [-2] * count, [0] * (count + 1), [0.5] * count):
        with pytest.raises(InputError, match="target"):
            read(classifier, images, target=np.array(bad))
    with pytest.raises(InputError, match="versus"):
        read(classifier, images, versus=winner)
    for wrong in (images[0], images[:0], images.astype(np.uint8), images[:, :2]):
        with pytest.raises(InputError, match="images"):
            read(classifier, wrong)
