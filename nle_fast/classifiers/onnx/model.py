"""An ONNX network as a classifier: cut at one tensor, read in a single run of ONNX Runtime."""

from __future__ import annotations

import os
import threading
from collections.abc import Collection
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from numpy.typing import ArrayLike, NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper

from nle_fast.classifiers.base import Reading, as_numpy, asked_classes, check_images
from nle_fast.classifiers.onnx.closed import pooled_weights, pools_first, relu_convolution, relu_head
from nle_fast.classifiers.onnx.cut import choose_layer, head_nodes
from nle_fast.classifiers.onnx.gradients import CLASS_INDEX, GRADIENT, TARGET, VERSUS, write_gradient
from nle_fast.classifiers.onnx.graph import Graph, converted, file_fingerprint, read_model
from nle_fast.classifiers.onnx.probe import measure
from nle_fast.classifiers.onnx.projections import ALONG, PROJECTIONS, with_projections
from nle_fast.classifiers.onnx.session import Session, execution_provider, one_line
from nle_fast.classifiers.removal import ReluHead
from nle_fast.errors import BackendError, InputError, ModelError
from nle_fast.ops import pooled_gradients, rectified_gradients

if TYPE_CHECKING:
    from nle_fast.classifiers.features import Features

__all__ = ["OnnxClassifier"]

Array = NDArray[Any]
Floats = NDArray[np.float32]
SCATTER_OPSET = 16  # ScatterElements can add from here on, which the gradient of overlapping maxima needs


class OnnxClassifier:
    """A network in an ONNX file, cut at one tensor.

    The gradient is read off the weights where the head is pooling and a linear map, and off the weights and the
    activations where it is a 1 × 1 convolution, ReLU and pooling on a CPU. Otherwise it is written as ONNX nodes behind
    the network, so that one run gives logits, activations and gradients. Objects may be shared by threads. The file is
    not written to.

    Args:
        path: The .onnx file; external data beside it.
        layer: Name of the tensor to cut at; None: the last 4-D activation that everything passes through and that is
            not merely one map per class.
        device: None or "cpu", "cuda", or "cuda:1".

    Attributes:
        layer: Name of the tensor that is cut at.
        num_neurons: C, its channels.
        num_classes: K.
        closed_form: Are gradients (N, C), constant over space and independent of the picture?
        input_size: (height, width) of the pictures, or None when several sizes work.

    Raises:
        ModelError: The file is no ONNX network with one picture as input and one logit per class as output, or the
            layer is no place to cut.
        LayerNotFoundError: No such tensor.
        GradientUnavailableError: An operator behind the layer has no gradient here.
        BackendError: ONNX Runtime cannot open or run the network, or not on this device.

    Source:
        This project; the gradient is that of `method.md`, "Formulas".
    """

    def __init__(self, path: str | os.PathLike[str], layer: str | None = None, *, device: object | None = None) -> None:
        self._path = Path(path)
        self._device = device
        on_cpu = execution_provider(device)[0] == "CPUExecutionProvider"
        self._open(read_model(path), layer)
        if self._graph.opset < SCATTER_OPSET and any(node.op_type == "MaxPool" for node in self._head):
            self._open(converted(self._graph.model, SCATTER_OPSET, str(path)), self.layer)
        self._lock = threading.Lock()
        self._sessions: dict[str, Session] = {}
        self._features: dict[str, Features] = {}  # by the name of their part
        weights = pooled_weights(self._graph, self._head, self.layer, self._logits)
        self._light_head = weights is not None
        self._weights = self._verified(weights)
        self.closed_form = self._weights is not None
        self._convolution: NodeProto | None = None
        if not self.closed_form:
            self._written = write_gradient(self._graph, self._head, self.layer, self._logits, self.num_classes)
            self._convolution = self._rectified() if on_cpu else None
        self._session("read")

    def _open(self, model: ModelProto, layer: str | None) -> None:
        graph = Graph(model, str(self._path))
        probe = measure(graph)
        self._graph, self._logits, self._batch = graph, probe.logits, probe.batch
        self.num_classes, self.input_size = probe.num_classes, probe.input_size
        self.layer = choose_layer(graph, probe.logits, probe.num_classes, layer)
        self.num_neurons = graph.shapes[self.layer][1] or 0
        self._head = head_nodes(graph, self.layer, probe.logits)

    def __repr__(self) -> str:
        return f"OnnxClassifier({str(self._path)!r}, {self.layer!r})"

    @cached_property
    def fingerprint(self) -> str:
        """blake2b (16 bytes, hexadecimal) of the file, its external data and the name of the layer."""
        return file_fingerprint(self._path, self.layer)

    def activations(self, images: Any, /) -> Floats:
        """Preprocessed pictures (N, 3, h, w) → (N, C, H, W) float32."""
        return _float32(self._run("trunk", {self._graph.picture: self._pictures(images)})[0])

    def logits(self, activations: Any, /) -> Floats:
        """(N, C, H, W) → (N, K) float32, by running what comes after the layer, and only that.

        Where the head `pools_first`, (N, C, 1, 1), the means of the maps, give the same.
        """
        given = self._given(activations)
        part = "head" if self._fits(given) else "pooled head"
        return _float32(self._run(part, {self.layer: given})[0]).reshape(len(given), -1)

    def gradients(self, activations: Any, class_index: Any, /, versus: Any = None) -> Floats:
        """Gradient at the activations of logit `class_index[n]`, minus logit `versus[n]` where given.

        Args:
            activations: (N, C, H, W).
            class_index: (N,) whole numbers in [-1, K); -1: the winner.
            versus: (N,) whole numbers in [-1, K), or None; -1: none.

        Returns:
            (N, C) float32 when `closed_form`, else (N, C, H, W).

        Raises:
            InputError: A shape or a class does not fit.
        """
        given = self._given(activations)
        target, rival = self._classes("target", class_index, len(given)), self._classes("versus", versus, len(given))
        if self._weights is None:
            return _float32(self._run("gradient", {self.layer: given, TARGET: target, VERSUS: rival})[0])
        logits = self.logits(given) if (target < 0).any() else np.zeros((len(given), self.num_classes), np.float32)
        return pooled_gradients(logits, self._weights, target, rival, given.shape[2] * given.shape[3])[1]

    def read(self, images: Any, target: ArrayLike | None = None, versus: ArrayLike | None = None) -> Reading:
        """Logits, activations, gradients and the classes they are of, in one run.

        Args:
            images: (N, 3, h, w) floating point, preprocessed.
            target: (N,) whole numbers in [-1, K), or None; -1: the winner, the lowest of equal ones.
            versus: (N,) whole numbers in [-1, K), or None; -1: none.

        Raises:
            InputError: A shape or a class does not fit; the message names the size that does.
            BackendError: ONNX Runtime failed.
        """
        return self._read(images, target, versus, "read")[0]

    def read_class_maps(
        self, images: Any, target: ArrayLike | None = None, versus: ArrayLike | None = None
    ) -> tuple[Reading, Floats | None]:
        """`read`, and where there is a `relu_head` its maps (N, K, H, W) before ReLU, which the forward made anyway."""
        reading, maps = self._read(images, target, versus, "read" if self._convolution is None else "class maps")
        return reading, maps[0] if maps else None

    def read_projected(
        self, images: Any, features: Features, target: ArrayLike | None = None, versus: ArrayLike | None = None
    ) -> tuple[Reading, Floats, Floats | None]:
        """`read`, and in the same run what features of this layer make of it.

        Returns:
            The reading, whose gradients are None where there is a `relu_head`; `encoder` · activations + `offset`,
            (N, K, H, W); and where the gradients come from the run also `decoder` · gradients, (N, K, H, W), else None.
        """
        part = f"projected {features.digest}"
        self._features.setdefault(part, features)
        reading, (projections, *along) = self._read(images, target, versus, part, gated=True)
        return reading, _float32(projections), _float32(along[0]) if along else None

    def _read(
        self, images: Any, target: ArrayLike | None, versus: ArrayLike | None, part: str, *, gated: bool = False
    ) -> tuple[Reading, list[Array]]:
        """A reading, and what else `part` gives; `gated`: without the gradients at a `relu_head`."""
        pictures, maps = self._pictures(images), list[Array]()
        chosen, rival = self._classes("target", target, len(pictures)), self._classes("versus", versus, len(pictures))
        feeds: dict[str, Array] = {self._graph.picture: pictures}
        if self._weights is not None or self._convolution is not None:
            scores, activations, *maps = self._run(part, feeds, self._stay)
        else:
            feeds |= {TARGET: chosen, VERSUS: rival}
            scores, activations, gradients, chosen, *maps = self._run(part, feeds, self._stay)
        scores = _float32(scores).reshape(len(pictures), -1)
        if self._weights is not None:
            positions = activations.shape[2] * activations.shape[3]
            chosen, gradients = pooled_gradients(scores, self._weights, chosen, rival, positions)
        elif self._convolution is not None and gated:
            return Reading(scores, activations, None, np.where(chosen < 0, scores.argmax(1), chosen)), maps
        elif self._convolution is not None:
            chosen, gradients = rectified_gradients(scores, *self._class_weights, as_numpy(activations), chosen, rival)
        if isinstance(gradients, np.ndarray) and not isinstance(activations, np.ndarray):  # those stayed on a GPU
            gradients = activations.new_tensor(gradients)
        return Reading(scores, _float32(activations), _float32(gradients), chosen), maps

    @property
    def pooled_weight(self) -> Floats | None:
        """W (K, C) when every logit is W · (mean of the activations over space) + bias; else None."""
        return self._weights

    @cached_property
    def pools_first(self) -> bool:
        """Does the head see no more of each map than its mean, so that `logits` also takes means (N, C, 1, 1)?"""
        if not pools_first(self._graph, self._head, self.layer):
            return False
        maps = self._random_maps()
        try:
            found = self._run("pooled head", {self.layer: maps.mean((2, 3), keepdims=True)})[0]
        except BackendError:  # made for maps of one size
            return False
        return _close(_float32(found).reshape(len(maps), -1), self.logits(maps))

    @cached_property
    def _class_weights(self) -> tuple[Floats, Floats]:
        """(K, C) and (K,) of the head's convolution, a class's row in one piece."""
        assert self._convolution is not None
        weight, bias = relu_head(self._graph, self._convolution)
        return _kept(np.ascontiguousarray(weight)), bias

    @cached_property
    def relu_head(self) -> ReluHead | None:
        """The weights of a head that is 1 × 1 convolution, ReLU, mean over space; else None."""
        return None if self._convolution is None else ReluHead(*self._class_weights)

    def forward(self, images: Any) -> Floats:
        """Logits (N, K) float32 of the file as it is, as who does not explain runs it; for comparing times."""
        return _float32(self._run("plain", {self._graph.picture: self._pictures(images)})[0]).reshape(len(images), -1)

    # ---- what goes in

    def _pictures(self, images: Any) -> Array:
        check_images(images)
        expected, graph = self.input_size, self._graph
        if expected is not None and tuple(images.shape[2:]) != expected:
            raise InputError(
                f"`images` must be (N, 3, {expected[0]}, {expected[1]}) for {self._path}, got {tuple(images.shape)}; "
                f"preprocess the pictures to height {expected[0]} and width {expected[1]}."
            )
        pictures = as_numpy(images)
        if graph.channels_last:
            pictures = pictures.transpose(0, 2, 3, 1)
        return np.ascontiguousarray(pictures, dtype=graph.picture_dtype)

    def _given(self, activations: Any) -> Array:
        shape, given = self._graph.shapes[self.layer], as_numpy(activations)
        whole = given.ndim == 4 and len(given) > 0 and given.dtype.kind == "f"
        if not whole or not (self._fits(given) or (given.shape[1:] == (shape[1], 1, 1) and self.pools_first)):
            sizes = ", ".join("?" if extent is None else str(extent) for extent in shape[1:])
            raise InputError(
                f"`activations` must be floating point (N, {sizes}) at {self.layer!r}, got {given.dtype} of shape "
                f"{given.shape}; take them from this classifier."
            )
        return np.ascontiguousarray(given, dtype=self._graph.dtype(self.layer))

    def _fits(self, given: Array) -> bool:
        sizes, own = given.shape[1:], tuple(self._graph.shapes[self.layer][1:])
        return sizes == own or all(fixed in (None, size) for fixed, size in zip(own, sizes, strict=True))

    def _classes(self, name: str, value: Any, count: int) -> NDArray[np.int64]:
        if value is not None and np.ndim(value) == 0:
            value = [value] * count
        return asked_classes(name, value, count, self.num_classes)

    # ---- closed form

    def _verified(self, weights: Floats | None) -> Floats | None:
        """The weights if they do predict how the logits move with random activations, else None."""
        if weights is None or weights.shape != (self.num_classes, self.num_neurons):
            return None
        random = self._random_maps()
        random[1] = 0
        moved = self.logits(random).astype(np.float64)
        predicted = weights.astype(np.float64) @ random[0].mean((1, 2), dtype=np.float64)
        tolerance = 1e-4 if self._graph.dtype(self.layer) == np.float32 else 2e-2
        scale = np.abs(moved).max() + np.abs(predicted).max() + 1e-12
        if np.abs(moved[0] - moved[1] - predicted).max() > tolerance * scale:
            return None
        return _kept(weights)

    def _rectified(self) -> NodeProto | None:
        """The convolution of a `relu_head`, if its weights tell what the head says about random maps; else None."""
        found = relu_convolution(self._graph, self._head, self.layer, self._logits)
        if found is None:
            return None
        weight, bias = relu_head(self._graph, found)
        if weight.shape != (self.num_classes, self.num_neurons) or self._graph.dtype(self.layer) != np.float32:
            return None
        random = self._random_maps()[:1]
        told = np.maximum(weight @ random[0].reshape(len(random[0]), -1) + bias[:, None], 0).mean(1)
        return found if _close(told, self.logits(random)[0]) else None

    def _random_maps(self) -> Array:
        """Activations of two pictures as no picture makes them, to try what the head does with any."""
        shape = [extent or 5 for extent in self._graph.shapes[self.layer][1:]]
        return np.random.default_rng(3).standard_normal((2, *shape)).astype(self._graph.dtype(self.layer))

    # ---- running

    @cached_property
    def _stay(self) -> tuple[str, ...]:
        """What of "read" stays on the GPU for the scoring, which sends the maps of its k neurons to the host."""
        if not self._session("read").shares_gpu:
            return ()
        return (self.layer, PROJECTIONS) if self.closed_form else (self.layer, GRADIENT, PROJECTIONS, ALONG)

    def _run(self, part: str, feeds: dict[str, Array], stay: Collection[str] = ()) -> list[Array]:
        session, size = self._session(part), self._batch
        count = len(next(iter(feeds.values())))
        if size is None or count == size:
            return session.run(feeds, stay)
        pieces = []
        for start in range(0, count, size):
            rows = np.minimum(np.arange(start, start + size), count - 1)  # the last picture fills the last batch
            pieces.append(session.run({name: values[rows] for name, values in feeds.items()}))
        return [np.concatenate(results)[:count] for results in zip(*pieces, strict=True)]

    def _session(self, part: str) -> Session:
        session = self._sessions.get(part)
        if session is None:
            with self._lock:
                session = self._sessions.get(part)
                if session is None:
                    # Pooling and a linear map: one reading of its weights, done before a second thread is awake.
                    light = part == "head" and self._light_head
                    session = Session(self._part(part), str(self._path), self._device, one_thread=light)
                    self._sessions[part] = session
        return session

    def _part(self, part: str) -> ModelProto:
        """The network for a purpose: "read" all, "class maps" those too, "plain", "trunk", "head", and so on."""
        graph, layer, logits = self._graph, self._graph.info(self.layer), self._graph.info(self._logits)
        picture = graph.picture_info(self._batch)
        if part == "plain":
            return graph.cut_out(graph.nodes, (), [picture], [logits])
        if part == "trunk":
            return graph.cut_out(graph.nodes, (), [picture], [layer])
        if part == "head":
            return graph.cut_out(self._head, (), [layer], [logits])
        if part == "pooled head":
            kind, channels = helper.np_dtype_to_tensor_dtype(graph.dtype(self.layer)), graph.shapes[self.layer][1]
            means = helper.make_tensor_value_info(self.layer, kind, [self._batch, channels, 1, 1])
            return graph.cut_out(self._head, (), [means], [logits])
        if part in self._features:
            shape = [self._batch, None, *graph.shapes[self.layer][2:]]
            return with_projections(
                self._part("read"), self.layer, graph.dtype(self.layer), shape, self._features[part]
            )
        if part == "class maps" and self._convolution is not None:
            return graph.cut_out(graph.nodes, (), [picture], [logits, layer, graph.info(self._convolution.output[0])])
        if part == "read" and (self._weights is not None or self._convolution is not None):
            return graph.cut_out(graph.nodes, (), [picture], [logits, layer])
        classes = [helper.make_tensor_value_info(name, TensorProto.INT64, [self._batch]) for name in (TARGET, VERSUS)]
        kind = helper.np_dtype_to_tensor_dtype(graph.dtype(self.layer))
        gradient = helper.make_tensor_value_info(GRADIENT, kind, graph.shapes[self.layer])
        written = self._written
        if part == "gradient":
            nodes = [*written.head, *written.nodes]
            model = graph.cut_out(nodes, written.weights, [layer, *classes], [gradient])
        else:
            chosen = helper.make_tensor_value_info(CLASS_INDEX, TensorProto.INT64, [self._batch])
            fuller = {node.output[0]: node for node in written.head if node.op_type == "MaxPool"}
            nodes = [*(fuller.get(node.output[0], node) for node in graph.nodes if node.output), *written.nodes]
            model = graph.cut_out(nodes, written.weights, [picture, *classes], [logits, layer, gradient, chosen])
        try:
            onnx.checker.check_model(model)
        except Exception as error:
            raise ModelError(
                f"`model` must be valid ONNX, got {self._path}: {one_line(error)}; export it again."
            ) from error
        return model


def _kept(weights: Floats) -> Floats:
    """Weights that nobody writes to, so that what is made of them may be kept, too."""
    weights = weights if weights.flags.owndata else weights.copy()
    weights.flags.writeable = False
    return weights


def _float32(array: Array) -> Floats:
    if isinstance(array, np.ndarray):
        return array.astype(np.float32, copy=False)
    return array.float()  # a tensor that stayed


def _close(actual: Floats, expected: Floats) -> bool:
    """Equal up to rounding of float32, relative to the largest value."""
    scale = np.abs(expected).max() + 1e-12
    return actual.shape == expected.shape and bool(np.abs(actual - expected).max() <= 1e-4 * scale)
