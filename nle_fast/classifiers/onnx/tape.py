"""What the gradient rules of ONNX operators write with, and the table that they are registered in."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from onnx import NodeProto, TensorProto, helper, numpy_helper

from nle_fast.classifiers.onnx.graph import Graph, Shape

__all__ = ["PREFIX", "RULES", "Grad", "Rule", "Tape", "Unsupported", "broadcast", "rule"]

PREFIX = "nle_fast"
Rule = Callable[["Tape", NodeProto, "list[Grad]"], None]
RULES: dict[str, Rule] = {}


def rule(*operators: str) -> Callable[[Rule], Rule]:
    """Register a function as the rule of some operators.

    It gets the tape, the node, and the gradient at each of the node's outputs; it gives one to each input.
    """

    def register(function: Rule) -> Rule:
        RULES.update(dict.fromkeys(operators, function))
        return function

    return register


class Unsupported(Exception):  # noqa: N818 - it never leaves this package
    """An operator, or one of its settings, has no rule."""


@dataclass(frozen=True)
class Grad:
    """The gradient at a tensor: the rank is the tensor's; an extent of 1 may stand for any, the values being equal."""

    name: str
    shape: Shape


def broadcast(one: Shape, two: Shape) -> Shape:
    """The shape of one + two."""
    rank = max(len(one), len(two))
    pairs = zip((1,) * (rank - len(one)) + one, (1,) * (rank - len(two)) + two, strict=True)
    return tuple(b if a == 1 else a if b == 1 or a is not None else b for a, b in pairs)


class Tape:
    """What the rules write with: emits nodes, knows shapes and forward values, collects gradients."""

    def __init__(self, graph: Graph, head: Sequence[NodeProto], layer: str) -> None:
        self.graph = graph
        self.behind = graph.depends_on(layer)
        self.nodes: list[NodeProto] = []
        self.weights: list[TensorProto] = []
        self.gradients: dict[str, list[Grad]] = {}
        self.forward = list(head)
        self.rows: str | None = None  # (N, 2, K), while only two classes are walked
        self._memo: dict[Any, str] = {}

    # ---- writing nodes

    def emit(self, kind: str, *inputs: str, outputs: int = 1, **settings: Any) -> str:
        """Append a node; the name of its first output; the others are called the same with `_1`, `_2`, … behind."""
        name = f"{PREFIX}_{len(self.nodes)}_{kind}"
        names = [name, *(f"{name}_{i}" for i in range(1, outputs))]
        self.nodes.append(helper.make_node(kind, inputs, names, **settings))
        return name

    def const(self, values: ArrayLike, dtype: Any) -> str:
        """Append weights; their name."""
        array = np.array(values, dtype=dtype, order="C")
        key = (array.tobytes(), array.shape, array.dtype) if array.size < 64 else None
        if key is None or key not in self._memo:
            name = f"{PREFIX}_weight_{len(self.weights)}"
            self.weights.append(numpy_helper.from_array(array, name))
            if key is None:
                return name
            self._memo[key] = name
        return self._memo[key]

    def number(self, value: float, like: str) -> str:
        """A scalar of the type of the tensor `like`."""
        return self.const(value, self.graph.dtype(like))

    def gemm(self, one: str, two: str, like: str, **settings: Any) -> str:
        """The matrix product of two tensors of the type of `like`; before opset 11 there must be something to add."""
        added = [] if self.graph.opset >= 11 else [self.const([0], self.graph.dtype(like))]
        return self.emit("Gemm", one, two, *added, **settings)

    def ints(self, values: Sequence[int]) -> str:
        """A list of whole numbers, as shapes and axes are."""
        return self.const(list(values), np.int64)

    def setting(self, values: Sequence[int], name: str, since: int) -> tuple[list[str], dict[str, Any]]:
        """Whole numbers as an input from opset `since` on, as the attribute `name` before."""
        if self.graph.opset >= since:
            return [self.ints(values)], {}
        return [], {name: list(values)}

    # ---- the forward pass

    def needs(self, name: str) -> bool:
        """Does the tensor depend on the layer through floating point numbers?"""
        return name in self.behind and self.graph.is_float(name)

    def shape(self, name: str) -> Shape:
        """The shape of a tensor, as far as it is the walk's business: two rows instead of K in the beginning."""
        if name in self.graph.shapes:
            shape = self.graph.shapes[name]
        else:
            array = self.graph.constant(name)
            if array is None:
                raise Unsupported(f"the shape of {name!r} is not known")
            shape = array.shape
        return (shape[0], 2, *shape[2:]) if self.rows and name in self.behind else shape

    def value(self, name: str) -> str:
        """A tensor of the forward pass; of class maps, the rows of the two classes."""
        if self.rows is None or name not in self.behind:
            return name
        found = self._memo.get(name)
        if found is None:
            shape = self.graph.shapes[name]
            flat = self.emit("Reshape", name, self.ints([-1, shape[1] or 1, math.prod(e or 1 for e in shape[2:])]))
            picked = self.emit("MatMul", self.rows, flat)
            found = self._memo[name] = self.emit("Reshape", picked, self.target_shape(name))
        return found

    def target_shape(self, name: str) -> str:
        """A tensor that holds the shape of `name`, for Reshape."""
        shape = self.shape(name)
        if shape.count(None) <= 1:
            return self.ints([-1 if extent is None else extent for extent in shape])
        return self.emit("Shape", self.value(name))

    def second_output(self, node: NodeProto) -> str:
        """Make a node of the forward pass give its second output too (the places of the maxima, for MaxPool)."""
        place = next(i for i, other in enumerate(self.forward) if other.output[0] == node.output[0])
        if len(self.forward[place].output) < 2 or not self.forward[place].output[1]:
            fuller = NodeProto()
            fuller.CopyFrom(node)
            del fuller.output[1:]
            fuller.output.append(f"{PREFIX}_{node.output[0]}_second")
            self.forward[place] = fuller
        return str(self.forward[place].output[1])

    # ---- gradients

    def give(self, name: str, grad: Grad) -> None:
        """One more path by which the tensor moves the logits."""
        if self.needs(name):
            self.gradients.setdefault(name, []).append(grad)

    def take(self, name: str) -> Grad | None:
        """The sum over all paths; None when there is none."""
        parts = self.gradients.pop(name, [])
        if not parts:
            return None
        total = parts[0]
        for part in parts[1:]:
            total = Grad(self.emit("Add", total.name, part.name), broadcast(total.shape, part.shape))
        return total

    def zeros(self, name: str) -> Grad:
        """The gradient of an output that nothing uses."""
        shape = (1,) * len(self.graph.shapes.get(name, ()))
        return Grad(self.emit("Reshape", self.number(0, name), self.ints(shape)), shape)

    def times(self, grad: Grad, factor: str, shape: Shape = ()) -> Grad:
        """Gradient × factor, which may have to be spread over space."""
        return Grad(self.emit("Mul", grad.name, factor), broadcast(grad.shape, shape))

    def only_where(self, mask: str, grad: Grad, like: str) -> Grad:
        """The gradient where `mask` (shape of `like`) is on, else 0."""
        return Grad(self.emit("Where", mask, grad.name, self.number(0, like)), broadcast(grad.shape, self.shape(like)))

    def full(self, grad: Grad, name: str) -> Grad:
        """The gradient with every extent of the tensor `name` written out."""
        shape = self.shape(name)
        if grad.shape == shape:
            return grad
        if all(extent is not None or own is None for extent, own in zip(shape, grad.shape, strict=True)):
            sizes = self.ints([extent or 1 for extent in shape])  # 1 keeps what the gradient has
        else:
            sizes = self.emit("Shape", self.value(name))
        return Grad(self.emit("Expand", grad.name, sizes), shape)

    def reshaped(self, grad: Grad, source: str, result: str) -> Grad:
        """A gradient at `source` in the shape of `result`, which has as many elements."""
        name = self.emit("Reshape", self.full(grad, source).name, self.target_shape(result))
        return Grad(name, self.shape(result))

    def summed(self, grad: Grad, axes: Sequence[int]) -> Grad:
        """The sum over some axes, which stay with extent 1."""
        inputs, settings = self.setting(axes, "axes", 13)
        name = self.emit("ReduceSum", grad.name, *inputs, keepdims=1, **settings)
        return Grad(name, tuple(1 if axis in axes else extent for axis, extent in enumerate(grad.shape)))

    def sum_to(self, grad: Grad, source: str, result: str) -> Grad:
        """A gradient at `source` for an operand `result` that was spread (broadcast) over it."""
        outer, inner = self.shape(source), self.shape(result)
        extra = len(outer) - len(inner)
        padded = (1,) * extra + inner
        axes = [axis for axis, extent in enumerate(outer) if padded[axis] == 1 and extent != 1]
        if axes:
            if any(grad.shape[axis] == 1 for axis in axes):
                grad = self.full(grad, source)
            grad = self.summed(grad, axes)
        if extra:
            grad = Grad(self.emit("Reshape", grad.name, self.target_shape(result)), inner)
        return grad
