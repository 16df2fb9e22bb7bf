"""Runs a network on a few made-up pictures to learn every shape, its logits, and whether it takes batches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper

from nle_fast.classifiers.onnx.graph import Graph, Shape, attributes
from nle_fast.classifiers.onnx.session import Session
from nle_fast.errors import BackendError, ModelError

__all__ = ["Probe", "measure"]

Array = NDArray[Any]
Result = tuple[dict[str, Shape], list[Array]]
SIZES = (224, 32, 64, 28, 96, 128, 227, 240, 256, 299, 384)  # tried in turn where the network does not tell
TOLERANCE = {"float32": 1e-3, "float16": 3e-2}


@dataclass(frozen=True)
class Probe:
    """What running the network has shown.

    Attributes:
        batch: None when any number of pictures may go in together, else the only number that may.
        input_size: (height, width) of the pictures, or None when several sizes work.
        logits: Name of the tensor with one number per class, before a final softmax.
        num_classes: K.
    """

    batch: int | None
    input_size: tuple[int, int] | None
    logits: str
    num_classes: int


def measure(graph: Graph) -> Probe:
    """Fill `graph.shapes` and say how the network wants its pictures.

    Two runs, with one and with two random pictures, must agree about the picture they share; where they do not, or
    the second fails, pictures go in singly, or as many as the file declares. What the file declares about the number
    of pictures is therefore no obstacle where the operators do not insist on it. Where the file leaves the size of
    the picture open, a further run tells what varies with it.

    Raises:
        BackendError: The network does not run.
        ModelError: It has no output that can be logits, or several.
    """
    declared = graph.picture_shape[0]
    batch: int | None = None
    runner = _Runner(graph, None)
    try:
        size, single = _working_size(graph, runner, 1)
        together = _takes_two(graph, runner, size, single)
    except BackendError:
        if declared is None:
            raise
        together = False
    if not together:
        batch = declared or 1
        runner = _Runner(graph, batch)
        size, (graph.shapes, _) = _working_size(graph, runner, batch)
    input_size: tuple[int, int] | None = size
    height, width = graph.picture_size
    if height is None or width is None:
        larger = (size[0] + 32 * (height is None), size[1] + 32 * (width is None))
        try:
            graph.shapes = _varying(graph.shapes, runner.run(batch or 1, larger)[0])
        except BackendError:  # The operators fix the size, though the file does not.
            input_size = size
        else:
            input_size = None
    logits = _logits(graph)
    return Probe(batch, input_size, logits, graph.shapes[logits][1] or 0)


class _Runner:
    """The network with the shape of every tensor as a further output."""

    def __init__(self, graph: Graph, batch: int | None) -> None:
        self._graph = graph
        names = [name for node in graph.nodes for name in node.output if name in graph.dependent]
        self._names = [graph.picture, *(name for name in names if graph.is_tensor(name))]
        probes = [helper.make_node("Shape", [name], [f"nle_fast_shape_{i}"]) for i, name in enumerate(self._names)]
        outputs = [value.name for value in graph.model.graph.output if graph.is_float(value.name)]
        infos = [helper.make_tensor_value_info(node.output[0], TensorProto.INT64, None) for node in probes]
        infos += [graph.info(name) for name in outputs]
        model = graph.cut_out([*graph.nodes, *probes], (), [graph.picture_info(batch)], infos)
        self._session = Session(model, graph.source, optimize=False)

    def run(self, count: int, size: tuple[int, int]) -> Result:
        """Every shape, and the network's own outputs, for `count` random pictures, the last always the same."""
        one = (*size, 3) if self._graph.channels_last else (self._graph.picture_shape[1] or 3, *size)
        pictures = np.random.default_rng(7).standard_normal((count, *one))[::-1]
        feeds = {self._graph.picture: np.ascontiguousarray(pictures, dtype=self._graph.picture_dtype)}
        results = self._session.run(feeds)
        shapes = [tuple(int(extent) for extent in shape) for shape in results[: len(self._names)]]
        return dict(zip(self._names, shapes, strict=True)), results[len(self._names) :]


def _working_size(graph: Graph, runner: _Runner, count: int) -> tuple[tuple[int, int], Result]:
    height, width = graph.picture_size
    errors = []
    for size in dict.fromkeys((height or size, width or size) for size in SIZES):
        try:
            return size, runner.run(count, size)
        except BackendError as error:  # noqa: PERF203 - a handful of sizes
            errors.append(error)
    raise errors[0]


def _takes_two(graph: Graph, runner: _Runner, size: tuple[int, int], single: Result) -> bool:
    """Do two pictures together give what one gives? If so, `graph.shapes` are set, with None where they differ."""
    shapes, first = single
    try:
        others, second = runner.run(2, size)
    except BackendError:
        return False
    close = TOLERANCE[graph.picture_dtype.name]
    for one, two in zip(first, second, strict=True):
        if two.shape[1:] != one.shape[1:] or two.shape[:1] != (2,):
            return False
        scale = float(np.abs(one).max(initial=0)) + 1e-6
        if not np.allclose(one[0], two[-1], rtol=close, atol=close * scale, equal_nan=True):
            return False
    graph.shapes = _varying(shapes, others)
    return True


def _varying(one: dict[str, Shape], two: dict[str, Shape]) -> dict[str, Shape]:
    """Shapes with None where the two disagree; a tensor whose very rank differs is left out."""
    return {
        name: tuple(a if a == b else None for a, b in zip(shape, two[name], strict=True))
        for name, shape in one.items()
        if len(shape) == len(two[name])
    }


def _logits(graph: Graph) -> str:
    """The one output with a number per class, before its softmax."""
    found: dict[str, None] = {}
    for value in graph.model.graph.output:
        shape = graph.shapes.get(value.name, ())
        if graph.is_float(value.name) and _per_class(shape):
            found[_before_softmax(graph, value.name)] = None
    if len(found) != 1:
        outputs = {value.name: graph.shapes.get(value.name, ()) for value in graph.model.graph.output}
        raise ModelError(
            f"`model` must have exactly one output with a number per class, (N, K) with K ≥ 2, got {len(found)} in "
            f"{graph.source}, whose outputs are {outputs}; export a classifier with its logits as the only output."
        )
    return next(iter(found))


def _per_class(shape: Shape) -> bool:
    return len(shape) in (2, 4) and (shape[1] or 0) >= 2 and all(extent == 1 for extent in shape[2:])


def _before_softmax(graph: Graph, output: str) -> str:
    """The input of the softmax that `output` comes from, `output` itself where it comes from none."""
    name = output
    while node := graph.producer.get(name):
        source = node.input[0] if node.input else ""
        if not _per_class(graph.shapes.get(source, ())):
            break
        if node.op_type in ("Softmax", "LogSoftmax"):
            axis = attributes(node).get("axis", 1 if graph.opset < 13 else -1)
            return source if axis % len(graph.shapes[source]) == 1 else output
        if node.op_type not in ("Identity", "Cast", "Flatten", "Reshape", "Squeeze"):
            break
        name = source
    return output
