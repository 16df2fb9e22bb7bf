"""What every classifier offers, and the one call that reads it: logits, activations and gradients at one layer.

Any object with the members of `Classifier` is a classifier; NumPy arrays or tensors may come back. This module needs
neither torch nor ONNX Runtime.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nle_fast import ops
from nle_fast.errors import InputError, ModelError

__all__ = [
    "Classifier",
    "CodeReading",
    "Reading",
    "as_numpy",
    "asked_classes",
    "beside_rest",
    "check_activations",
    "check_classes",
    "check_images",
    "check_logits",
    "check_rivals",
    "narrow",
    "neurons_of",
    "num_channels",
    "of_neurons",
    "read",
    "read_class_maps",
    "read_codes",
]

Classes = NDArray[np.int64]
MEMBERS = ("layer", "num_neurons", "num_classes", "activations", "logits", "gradients")


@runtime_checkable
class Classifier(Protocol):
    """A network cut at one layer: pictures → activations → logits, and the gradient of the second half.

    Shapes: N pictures, C neurons, H × W positions, K classes. Arrays may be NumPy or torch.

    A classifier may have `num_rest` (0 where it has not): so many channels follow the neurons in activations and
    gradients, which are what no neuron explains. They have one signed score together, and are never ranked or masked.
    """

    @property
    def layer(self) -> str:
        """Name of the layer that is cut at."""

    @property
    def num_neurons(self) -> int:
        """C, the channels of the layer."""

    @property
    def num_classes(self) -> int:
        """K, the logits per picture."""

    def activations(self, images: Any, /) -> Any:
        """Preprocessed pictures (N, 3, h, w) float32 → (N, C, H, W)."""

    def logits(self, activations: Any, /) -> Any:
        """(N, C, H, W) → (N, K), by running what comes after the layer, and only that."""

    def gradients(self, activations: Any, class_index: Any, /, versus: Any = None) -> Any:
        """Gradient at `activations` of logit `class_index[n]` (minus logit `versus[n]`) of each picture n.

        Returns (N, C, H, W), or (N, C) when it is constant over space.
        """


class Reading(NamedTuple):
    """What one look at a batch of N pictures gives.

    Attributes:
        logits: (N, K) float32.
        activations: (N, C, H, W), NumPy or torch.
        gradients: (N, C, H, W), or (N, C) when constant over space; NumPy or torch.
        class_index: (N,) int64, the class that `gradients` are of.
    """

    logits: NDArray[np.float32]
    activations: Any
    gradients: Any
    class_index: Classes


class CodeReading(NamedTuple):
    """What one look at a batch of N pictures gives beside a rest, which is one number per picture.

    Attributes:
        logits: (N, K) float32.
        codes: (N, C, H, W), the neurons' maps, NumPy or torch.
        gradients: (N, C, H, W), or (N, C) when constant over space; None where there are `scores` in their place.
        rest: (N,) float32, Σ over positions and channels of rest × gradient, signed.
        class_index: (N,) int64, the class that `gradients` are of.
        scores: (N, C) float32, Σ over positions of codes × gradients; None where nobody has added them up.
    """

    logits: NDArray[np.float32]
    codes: Any
    gradients: Any
    rest: NDArray[np.float32]
    class_index: Classes
    scores: NDArray[np.float32] | None = None


def read(
    classifier: Classifier, images: Any, target: ArrayLike | None = None, versus: ArrayLike | None = None
) -> Reading:
    """Read a batch: logits, activations, and the gradient of one logit, or of the difference of two, per picture.

    Uses `classifier.read(images, target, versus)` where the object has it; else composes `activations`, `logits` and
    `gradients`. Of equal logits the lowest class wins.

    Args:
        classifier: Any object with the members of `Classifier`.
        images: (N, 3, h, w) float, preprocessed; NumPy or torch; N ≥ 1.
        target: (N,) whole numbers in [-1, K): the class to explain; -1 or None: the winner.
        versus: (N,) whole numbers in [-1, K): the class to compare with; -1 or None: none.

    Returns:
        A `Reading` whose shapes have been checked and whose logits are finite.

    Raises:
        InputError: `images`, `target` or `versus` have the wrong shape or range, the pictures are not finite, or
            `versus` is the very class that is explained.
        ModelError: The classifier returned something of another shape, or logits that are not finite.
    """
    return _read(classifier, images, target, versus, maps=False)[0]


def read_class_maps(
    classifier: Classifier, images: Any, target: ArrayLike | None = None, versus: ArrayLike | None = None
) -> tuple[Reading, Any]:
    """`read`, and from a classifier that has `read_class_maps` also what that gives beside it for `remove_neurons`.

    Raises:
        InputError, ModelError: As `read`.
    """
    return _read(classifier, images, target, versus, maps=True)


def read_codes(
    classifier: Classifier, images: Any, target: ArrayLike | None = None, versus: ArrayLike | None = None
) -> CodeReading:
    """`read` of a classifier with a rest, of which no map is made where the classifier has `read_codes` of its own.

    Raises:
        InputError, ModelError: As `read`.
    """
    short = getattr(classifier, "read_codes", None)
    if short is None:
        return beside_rest(classifier, read(classifier, images, target, versus))
    count, classes, neurons = check_images(images), int(classifier.num_classes), int(classifier.num_neurons)
    target, versus = check_classes("target", target, count, classes), check_classes("versus", versus, count, classes)
    seen = short(images, target, versus)
    check_activations(seen.codes, count, neurons)
    check_rivals(versus, seen.class_index)
    return CodeReading(check_logits(seen.logits, count, classes, images), *seen[1:])


def beside_rest(classifier: Classifier, reading: Reading) -> CodeReading:
    """A reading with the rest as one number."""
    neurons = int(classifier.num_neurons)
    rest = ops.weighed(narrow(reading.activations[:, neurons:]), narrow(reading.gradients[:, neurons:])).sum(1)
    codes, slopes = of_neurons(classifier, reading.activations), of_neurons(classifier, reading.gradients)
    return CodeReading(reading.logits, codes, slopes, rest, reading.class_index)


def _read(
    classifier: Classifier, images: Any, target: ArrayLike | None, versus: ArrayLike | None, *, maps: bool
) -> tuple[Reading, Any]:
    count = check_images(images)
    classes = int(classifier.num_classes)
    target = check_classes("target", target, count, classes)
    versus = check_classes("versus", versus, count, classes)
    joint, both = getattr(classifier, "read", None), getattr(classifier, "read_class_maps", None) if maps else None
    found = None
    if both is not None:
        reading, found = both(images, target, versus)
    elif joint is not None:
        reading = joint(images, target, versus)
    else:
        reading = _compose(classifier, images, target, versus)
    return _checked(reading, classifier, images, versus), found


def _compose(classifier: Classifier, images: Any, target: Classes | None, versus: Classes | None) -> Reading:
    activations, count = classifier.activations(images), int(images.shape[0])
    check_activations(activations, count, num_channels(classifier))
    logits = check_logits(classifier.logits(activations), count, int(classifier.num_classes), images)
    winner = logits.argmax(axis=1).astype(np.int64)
    chosen = winner if target is None else np.where(target < 0, winner, target)
    if versus is None or (versus < 0).all():
        gradients = classifier.gradients(activations, chosen)
    elif (versus >= 0).all():
        gradients = classifier.gradients(activations, chosen, versus)
    else:  # A classifier need not know our -1: pictures without a rival get their own call.
        gradients = as_numpy(classifier.gradients(activations, chosen)).copy()
        rows = np.flatnonzero(versus >= 0)
        gradients[rows] = as_numpy(classifier.gradients(activations[rows], chosen[rows], versus[rows]))
    return Reading(logits, activations, gradients, chosen)


def _checked(reading: Any, classifier: Classifier, images: Any, versus: Classes | None) -> Reading:
    if not isinstance(reading, tuple) or len(reading) != 4:
        raise ModelError(
            "`classifier.read` must return (logits, activations, gradients, class_index), "
            f"got {type(reading).__name__}; return an nle_fast Reading."
        )
    count, neurons = int(images.shape[0]), num_channels(classifier)
    logits = check_logits(reading[0], count, int(classifier.num_classes), images)
    shape = check_activations(reading[1], count, neurons)
    if tuple(getattr(reading[2], "shape", ())) not in (shape, shape[:2]):
        raise ModelError(
            f"`classifier.gradients` must return the shape of the activations {shape}, or {shape[:2]} when constant "
            f"over space, got {tuple(getattr(reading[2], 'shape', ())) or type(reading[2]).__name__}; "
            "differentiate with respect to the activations."
        )
    class_index = np.asarray(reading[3], dtype=np.int64)
    check_rivals(versus, class_index)
    return Reading(logits, reading[1], reading[2], class_index)


def check_rivals(versus: Classes | None, class_index: Classes) -> None:
    """`InputError` where a picture is compared with the very class that it is explained for."""
    if versus is not None and (versus == class_index).any():
        row = int(np.flatnonzero(versus == class_index)[0])
        raise InputError(
            f"`versus` must be another class than the explained one, got {int(versus[row])} for picture {row}, "
            "which is explained for that very class; name a different class."
        )


def narrow(array: Any) -> Any:
    """`array` in a precision that the operations take: NumPy code makes float64 without meaning to."""
    if str(array.dtype).rpartition(".")[2] in ("float32", "float16", "bfloat16"):
        return array
    return array.float() if hasattr(array, "float") else np.asarray(array, np.float32)


def num_channels(classifier: Classifier) -> int:
    """Channels of the activations: the neurons, and the rest where there is one."""
    return int(classifier.num_neurons) + int(getattr(classifier, "num_rest", 0))


def of_neurons(classifier: Classifier, array: Any) -> Any:
    """The channels that are neurons, of (N, C, …) activations or gradients; a view, and all of it without a rest."""
    return array[:, : int(classifier.num_neurons)] if getattr(classifier, "num_rest", 0) else array


def neurons_of(classifier: Classifier, reading: Reading) -> Reading:
    """The reading without the channels of the rest."""
    activations, gradients = (of_neurons(classifier, part) for part in reading[1:3])
    return Reading(reading.logits, activations, gradients, reading.class_index)


def check_activations(activations: Any, count: int, channels: int) -> tuple[int, ...]:
    """The shape (count, channels, H, W) of what a classifier gave as `activations`; `ModelError` when it is none."""
    shape = tuple(getattr(activations, "shape", ()))
    if len(shape) != 4 or shape[:2] != (count, channels) or 0 in shape:
        raise ModelError(
            f"`classifier.activations` must return ({count}, {channels}, H, W) for {count} pictures and "
            f"num_neurons={channels} (with num_rest, where there is one), got {shape or type(activations).__name__}; "
            "cut at a layer with 4-D output."
        )
    return shape


def as_numpy(array: Any) -> NDArray[Any]:
    """A NumPy view or copy of `array`; torch tensors come to the CPU, bfloat16 as float32."""
    if hasattr(array, "detach"):  # a torch tensor, without importing torch
        array = array.detach().cpu()
        return np.asarray(array.float().numpy() if str(array.dtype) == "torch.bfloat16" else array.numpy())
    return np.asarray(array)


def check_images(images: Any) -> int:
    """N of a batch of preprocessed pictures (N, 3, h, w); `InputError` when it is none."""
    shape = tuple(getattr(images, "shape", ()))
    # A network made for colors last gets them so, see `Preprocess.layout`; its backend knows which it wants.
    if len(shape) != 4 or 3 not in (shape[1], shape[3]) or 0 in shape:
        raise InputError(
            f"`images` must be a batch of preprocessed pictures (N, 3, height, width) with N ≥ 1, "
            f"got {shape or type(images).__name__}; stack the pictures, colours first."
        )
    if getattr(images.dtype, "kind", "") != "f" and "float" not in str(images.dtype):
        raise InputError(f"`images` must be floating point, got {images.dtype}; preprocess the pictures first.")
    return int(shape[0])


def check_classes(name: str, value: ArrayLike | None, count: int, num_classes: int) -> Classes | None:
    """`value` as (count,) int64 with entries in [-1, num_classes); None stays None; else `InputError`."""
    if value is None:
        return None
    classes = as_numpy(value)
    if classes.shape != (count,) or classes.dtype.kind not in "iu":
        raise InputError(
            f"`{name}` must be {count} whole numbers, one per picture, got {classes.dtype} of shape {classes.shape}; "
            "give one class index for each, -1 for none."
        )
    if classes.size and (classes.min() < -1 or classes.max() >= num_classes):
        raise InputError(
            f"`{name}` must lie in 0 … {num_classes - 1}, got {classes.tolist()}; "
            f"the network has {num_classes} classes."
        )
    return classes.astype(np.int64)


def asked_classes(name: str, value: ArrayLike | None, count: int, num_classes: int) -> Classes:
    """`check_classes`, with -1 for each picture where None was given, as native code takes them."""
    classes = check_classes(name, value, count, num_classes)
    return np.full(count, -1, dtype=np.int64) if classes is None else classes


def check_logits(logits: Any, count: int, num_classes: int, images: Any = None) -> NDArray[np.float32]:
    """`logits` as finite (count, num_classes) float32.

    Args:
        logits: What a classifier gave.
        count: Pictures.
        num_classes: K.
        images: The pictures, where they may be to blame.

    Raises:
        InputError: The logits are not finite because the pictures are not.
        ModelError: They are not finite although the pictures are, or have another shape.
    """
    scores = as_numpy(logits).astype(np.float32, order="C", copy=False)  # native code reads them row by row
    expected = (count, num_classes)
    if scores.shape != expected:
        raise ModelError(
            f"`classifier.logits` must return {expected} for {expected[0]} pictures and num_classes={num_classes}, "
            f"got {scores.shape}; return one row of logits per picture."
        )
    if not np.isfinite(scores).all():
        if images is not None and not np.isfinite(as_numpy(images)).all():
            raise InputError(
                "`images` must be finite, got NaN or infinity; check the pictures and their preprocessing."
            )
        raise ModelError(
            "`model` must give finite logits, got NaN or infinity for finite pictures; "
            "check its weights, or run it in float32."
        )
    return scores
