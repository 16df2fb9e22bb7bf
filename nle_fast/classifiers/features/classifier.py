"""A classifier read through features: the same network, cut at the same layer, with directions in place of channels."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import cached_property, reduce
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nle_fast.classifiers.base import (
    MEMBERS,
    Classifier,
    CodeReading,
    Reading,
    as_numpy,
    asked_classes,
    read,
    read_class_maps,
)
from nle_fast.classifiers.features.directions import Features
from nle_fast.classifiers.removal import ReluHead
from nle_fast.errors import FeaturesError, InputError, ModelError
from nle_fast.ops import pooled_gradients, reconstruct, rectified_gates, sparse_codes, weighed

Floats = NDArray[np.float32]

__all__ = ["FeatureClassifier"]


class FeatureClassifier:
    """A classifier whose neurons are learned features; its predictions are those of the network.

    Its activations are (N, K + C, H, W): K maps of codes, then the rest, C maps of what no feature explains. The head
    gets `decoderᵀ · codes + rest`, which is the layer's own activations, so the logits are the network's; with codes
    zeroed it gets them without these features. The rest is no neuron: it is never ranked, masked, drawn or named.

    Args:
        classifier: Any `Classifier` that has no rest of its own.
        features: Learned at its layer.

    Attributes:
        layer: That of the classifier.
        num_neurons: K, the features.
        num_rest: C, the channels of the layer.
        num_classes: That of the classifier.
        classifier: The classifier itself.
        features: The features.

    Raises:
        FeaturesError: The features are of another layer or network, or the classifier is read through features already.
        ModelError: The classifier is none.

    Example:
        >>> class Two:  # two channels, two classes, pooling and a linear map
        ...     layer, num_neurons, num_classes = "two", 2, 2
        ...     def activations(self, images): return images[:, :2]
        ...     def logits(self, activations): return activations.mean((2, 3))
        ...     def gradients(self, activations, class_index, versus=None): return np.eye(2)[class_index]
        >>> axes = np.eye(2, dtype=np.float32)
        >>> features = Features("two", axes, axes, np.zeros(2, np.float32), np.zeros(2, np.float32), active=1)
        >>> through = FeatureClassifier(Two(), features)
        >>> picture = np.array([3.0, 1.0, 0.0], np.float32).reshape(1, 3, 1, 1)
        >>> through.activations(picture).ravel().tolist()  # two codes, of which one may be active, and the rest
        [3.0, 0.0, 0.0, 1.0]

    Source: this project; the residual of the sparse code is kept, as in method.md, "Formulas": scores add up.
    """

    def __init__(self, classifier: Classifier, features: Features) -> None:
        if not isinstance(features, Features):
            raise FeaturesError(
                f"`features` must be nle_fast.Features, got {type(features).__name__}; load or learn some."
            )
        if missing := [member for member in MEMBERS if not hasattr(classifier, member)]:
            raise ModelError(
                f"`classifier` must have the members of nle_fast.Classifier, got {type(classifier).__name__} without "
                f"{', '.join(missing)}; pass `explainer.classifier`."
            )
        if getattr(classifier, "num_rest", 0):
            raise FeaturesError("`classifier` must have no rest, got one read through features; pass its `classifier`.")
        own = getattr(classifier, "fingerprint", None) if features.fingerprint is not None else None
        features.check_fits(layer=classifier.layer, num_neurons=int(classifier.num_neurons), fingerprint=own)
        self.classifier, self.features = classifier, features
        self.layer, self.num_classes = classifier.layer, int(classifier.num_classes)
        self.num_neurons, self.num_rest = len(features), features.num_channels
        self._kept: dict[tuple[str, str], Any] = {}
        self._head: tuple[Floats | None, Floats] = (None, np.empty((0, 0), np.float32))
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"FeatureClassifier({self.classifier!r}, {len(self.features)} features)"

    @property
    def input_size(self) -> tuple[int, int] | None:
        """That of the classifier; None where it has none."""
        return getattr(self.classifier, "input_size", None)

    @property
    def closed_form(self) -> bool:
        """Are gradients (N, K + C), constant over space?"""
        return bool(getattr(self.classifier, "closed_form", False))

    @cached_property
    def fingerprint(self) -> str:
        """What tells network, layer and features from others; no attribute where the classifier has none."""
        own: str = self.classifier.fingerprint  # type: ignore[attr-defined]
        return blake2b(f"{own} {self.features.digest}".encode(), digest_size=16).hexdigest()

    # ---- the members of a classifier

    def activations(self, images: Any, /) -> Any:
        """Preprocessed pictures (N, 3, h, w) → (N, K + C, H, W): codes, then the rest."""
        maps = _single(self.classifier.activations(images))
        return self._parts(maps, sparse_codes(self._projected(maps), self.features.active))

    def logits(self, activations: Any, /) -> Any:
        """(N, K + C, H, W) → (N, classes), by the network's own head.

        Raises:
            InputError: The activations are of another shape.
        """
        return self.classifier.logits(self._joined(activations))

    def gradients(self, activations: Any, class_index: Any, /, versus: Any = None) -> Any:
        """Gradient at `activations` of one logit of each picture, or of the difference of two; as of a `Classifier`."""
        rivals = () if versus is None else (versus,)
        slopes = _single(self.classifier.gradients(self._joined(activations), class_index, *rivals))
        return _beside(self._along(slopes), slopes)

    def read(self, images: Any, target: Any = None, versus: Any = None) -> Reading:
        """Logits, activations and gradients in one pass of the network; see `classifiers.read`."""
        reading, projections, along = self._look(images, target, versus)
        return self._split(reading, projections, along, versus)

    def read_class_maps(self, images: Any, target: Any = None, versus: Any = None) -> tuple[Reading, Any]:
        """`read`, and the class maps before ReLU where the network's classifier has them."""
        if getattr(self.classifier, "relu_head", None) is None:
            return self.read(images, target, versus), None
        reading, maps = read_class_maps(self.classifier, images, target, versus)
        return self._split(reading, self._projected(_single(reading.activations)), None, versus), maps

    def read_codes(self, images: Any, target: Any = None, versus: Any = None) -> CodeReading:
        """As `read`, but for the rest, of which no map is made."""
        reading, projections, along = self._look(images, target, versus)
        codes = sparse_codes(projections, self.features.active, overwrite=True)
        if along is None:
            parts = [
                (rows[:, : self.num_neurons] * weighed(codes, gates), sums)
                for rows, gates, sums in self._gates(reading, versus)
            ]
            scores, every = (reduce(np.add, part) for part in zip(*parts, strict=True))
            return CodeReading(reading.logits, codes, None, every - scores.sum(1), reading.class_index, scores)
        along = as_numpy(along) if isinstance(codes, np.ndarray) else along
        rest = weighed(reading.activations, reading.gradients).sum(1) - weighed(codes, along).sum(1)
        return CodeReading(reading.logits, codes, along, rest, reading.class_index)

    # ---- what heads in closed form offer

    @property
    def pooled_weight(self) -> Floats | None:
        """(classes, K + C) when every logit is that · (mean of the activations over space) + bias; else None."""
        weight = getattr(self.classifier, "pooled_weight", None)
        return None if weight is None else self._of_head(weight)

    @property
    def relu_head(self) -> ReluHead | None:
        """The weights of a head that is 1 × 1 convolution, ReLU, mean over space; else None."""
        head = getattr(self.classifier, "relu_head", None)
        return None if head is None else ReluHead(self._of_head(head.weight), head.bias)

    @property
    def pools_first(self) -> bool:
        """Does the head see no more of each map than its mean, so that `logits` also takes means (N, K + C, 1, 1)?"""
        return bool(getattr(self.classifier, "pools_first", False))

    def _of_head(self, weight: Floats) -> Floats:
        """(classes, C) → (classes, K + C), along the features and as it is; made anew when the weights have changed."""
        known, made = self._head
        if weight is not known and (known is None or not np.array_equal(weight, known)):
            made = np.concatenate([weight @ self.features.decoder.T, weight], 1)
            # A view of a module's weights would change with them, unseen.
            self._head = (weight.copy() if weight.flags.writeable else weight, made)
        return made

    def _rows(self, weight: Floats, labels: NDArray[np.int64]) -> Floats:
        """(N, K + C): the row of each picture's class, along the features and as it is."""
        if not weight.flags.writeable:
            return self._of_head(weight)[labels]
        # To find out whether all are as they were would take longer than to make some; no BLAS, whose threads spin.
        return np.concatenate([np.einsum("kc,nc->nk", self.features.decoder, weight[labels]), weight[labels]], 1)

    # ---- through the features

    def _look(self, images: Any, target: Any, versus: Any) -> tuple[Reading, Any, Any]:
        """The network's own reading, and projections (N, K, H, W) and gradients along the features of it.

        With a `relu_head` these gradients are None, see `_gates`, and those of the layer may be.
        """
        along = None
        joint: Callable[..., tuple[Reading, Any, Any]] | None = getattr(self.classifier, "read_projected", None)
        if joint is not None:
            reading, projections, along = joint(images, self.features, target, versus)
        else:
            reading = read(self.classifier, images, target, versus)
            projections = self._projected(_single(reading.activations))
        if along is not None:
            return reading, projections, along
        if getattr(self.classifier, "relu_head", None) is not None:
            return reading, projections, None
        slopes, weight = _single(reading.gradients), None
        if isinstance(slopes, np.ndarray):
            # NumPy's product would wake threads that then spin beside those of the network.
            weight = self.pooled_weight if slopes.ndim == 2 else None
        if weight is None:
            return reading, projections, self._along(slopes)
        count, positions = len(reading.logits), int(np.prod(reading.activations.shape[2:]))
        rivals = asked_classes("versus", versus, count, self.num_classes)
        codes_weight = weight[:, : self.num_neurons]
        _, along = pooled_gradients(reading.logits, codes_weight, reading.class_index, rivals, positions)
        return reading, projections, along

    def _gates(self, reading: Reading, versus: Any) -> Iterator[tuple[Floats, Floats, Floats]]:
        """What gradients add up to at a `relu_head`: those of the classes, then, if there are any, of their rivals.

        Yields:
            Rows (N, K + C), of rivals with the opposite sign; gates (N, 1, H, W); and Σ activations × gradients, (N,).
        """
        head: ReluHead = self.classifier.relu_head  # type: ignore[attr-defined]
        maps = np.ascontiguousarray(as_numpy(_single(reading.activations)))
        yield self._rows(head.weight, reading.class_index), *rectified_gates(*head, maps, reading.class_index)
        if versus is not None:
            rivals = asked_classes("versus", versus, len(maps), self.num_classes)
            gates, sums = rectified_gates(*head, maps, rivals)
            yield -self._rows(head.weight, rivals), gates, -sums

    def _projected(self, maps: Any) -> Any:
        """(N, C, H, W) → (N, K, H, W): `encoder` · maps + `offset`."""
        encoder, offset = self._like("encoder", maps), self._like("offset", maps)
        return (encoder @ _flat(maps) + offset[:, None]).reshape(len(maps), -1, *maps.shape[2:])

    def _along(self, slopes: Any) -> Any:
        """Gradients of the layer, (N, C) or (N, C, H, W), along each feature."""
        decoder = self._like("decoder", slopes)
        if slopes.ndim == 2:
            return slopes @ decoder.T
        return (decoder @ _flat(slopes)).reshape(len(slopes), -1, *slopes.shape[2:])

    def _parts(self, maps: Any, codes: Any) -> Any:
        """(N, K + C, H, W) of the layer's activations and codes."""
        decoded = reconstruct(codes, self._like("decoder", codes))
        if isinstance(codes, np.ndarray):
            whole = np.concatenate([codes, as_numpy(maps) - decoded], 1)
            return maps.new_tensor(whole) if hasattr(maps, "new_tensor") else whole
        return _beside(codes, maps - decoded)

    def _split(self, reading: Reading, projections: Any, along: Any, versus: Any) -> Reading:
        maps = _single(reading.activations)
        if along is None:
            gradients = sum(rows[:, :, None, None] * gates for rows, gates, _ in self._gates(reading, versus))
            gradients = maps.new_tensor(gradients) if hasattr(maps, "new_tensor") else gradients
        else:
            gradients = _beside(along, _single(reading.gradients))
        codes = sparse_codes(projections, self.features.active)
        return Reading(reading.logits, self._parts(maps, codes), gradients, reading.class_index)

    def _joined(self, activations: Any) -> Any:
        """(N, K + C, H, W) → (N, C, H, W), what the network's own head takes."""
        shape = tuple(getattr(activations, "shape", ()))
        if len(shape) != 4 or shape[1] != self.num_neurons + self.num_rest:
            raise InputError(
                f"`activations` must be (N, {self.num_neurons} + {self.num_rest}, H, W), codes and rest, got "
                f"{shape or type(activations).__name__}; take them from this classifier."
            )
        given = _single(activations)
        codes, rest = given[:, : self.num_neurons], given[:, self.num_neurons :]
        decoded = reconstruct(codes, self._like("decoder", codes))
        if isinstance(decoded, np.ndarray) and hasattr(rest, "new_tensor"):
            return rest + rest.new_tensor(decoded)
        return rest + decoded

    def _like(self, name: str, array: Any) -> Any:
        """An array of the features as `array` is: NumPy, or a tensor of its precision on its device, made once."""
        values = getattr(self.features, name)
        if not hasattr(array, "new_tensor"):
            return values
        key = name, f"{array.device} {array.dtype}"
        with self._lock:
            if key not in self._kept:
                self._kept[key] = array.new_tensor(values)
            return self._kept[key]


def _single(array: Any) -> Any:
    """In float32: codes and rest of half precision would not add up to what they were taken from."""
    return array.float() if hasattr(array, "float") else np.asarray(array, np.float32)


def _flat(maps: Any) -> Any:
    """(N, C, H, W) → (N, C, H · W)."""
    return maps.reshape(*maps.shape[:2], -1)


def _beside(codes: Any, rest: Any) -> Any:
    """Codes and rest as one array (N, K + C, …), of the kind of the rest."""
    if not hasattr(rest, "new_tensor"):
        return np.concatenate([as_numpy(codes), rest], 1)
    import torch  # there is a tensor

    return torch.cat([rest.new_tensor(codes) if isinstance(codes, np.ndarray) else codes, rest], 1)
