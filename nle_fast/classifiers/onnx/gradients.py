"""Writes the gradient of a logit at a layer as ONNX nodes behind the network, so that one run gives everything.

The walk starts at the logits with one row for the class that is explained and one for the class that it is compared
with. As long as operators treat every class by itself, only these two rows are walked back; at the weights that made
the logits they become ordinary gradients. So the gradient of a 1 × 1 convolution to a thousand classes costs two of
them. What each operator does to a gradient stands in `rules`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from onnx import NodeProto, TensorProto, helper

# The rules register themselves.
from nle_fast.classifiers.onnx import moves, rules, windows  # noqa: F401
from nle_fast.classifiers.onnx.cut import cuts, is_activation
from nle_fast.classifiers.onnx.graph import Graph, Shape, attributes
from nle_fast.classifiers.onnx.tape import PREFIX, RULES, Grad, Tape, Unsupported
from nle_fast.errors import GradientUnavailableError

__all__ = ["CLASS_INDEX", "GRADIENT", "TARGET", "VERSUS", "Written", "write_gradient"]

TARGET, VERSUS, CLASS_INDEX, GRADIENT = (f"{PREFIX}_{n}" for n in ("target", "versus", "class_index", "gradient"))
# Operators that treat every class map by itself, whose rules need no more than the rows of the chosen classes.
ROW_BY_ROW = frozenset({
    "Add", "AveragePool", "Cast", "Clip", "Dropout", "Flatten", "GlobalAveragePool", "HardSigmoid", "HardSwish",
    "Identity", "LeakyRelu", "Relu", "Reshape", "Sigmoid", "Squeeze", "Sub", "Tanh", "Unsqueeze",
})  # fmt: skip


@dataclass(frozen=True)
class Written:
    """The head with its gradient.

    Attributes:
        head: The head's nodes, max pooling with its second output.
        nodes: Those of the gradient.
        weights: What the new nodes need besides.
    """

    head: list[NodeProto]
    nodes: list[NodeProto]
    weights: list[TensorProto]


def write_gradient(graph: Graph, head: Sequence[NodeProto], layer: str, logits: str, num_classes: int) -> Written:
    """Nodes for the gradient of logit `TARGET` − logit `VERSUS` at the layer, as `GRADIENT`, (N, C, H, W).

    `TARGET` and `VERSUS` are inputs (N,) int64; -1 is the winner (`CLASS_INDEX` says which that is) and none.

    Raises:
        GradientUnavailableError: An operator has no rule; the message names it and a later layer.
    """
    tape = Tape(graph, head, layer)
    chosen = _start(tape, logits, num_classes)
    here = _walk_rows(tape, head, layer, logits, num_classes)
    maker = next((node for node in head if here in node.output), None)
    if maker is None or not _contract_rows(tape, maker, chosen):
        _finish_rows(tape, here)
    for node in reversed(head):
        grads = [tape.take(name) for name in node.output]
        if any(grads):
            _apply(tape, node, grads, layer, logits)
    grad = tape.take(layer)
    if grad is None:
        raise GradientUnavailableError(
            f"`layer` must move the logits smoothly, got {layer!r} in {graph.source}, behind which the values are "
            "rounded; choose a later layer."
        )
    tape.emit("Identity", tape.full(grad, layer).name)
    tape.nodes[-1].output[0] = GRADIENT
    return Written(tape.forward, tape.nodes, tape.weights)


def _walk_rows(tape: Tape, head: Sequence[NodeProto], layer: str, logits: str, num_classes: int) -> str:
    """Walk the two rows back through the operators that treat every class by itself; where that ends."""
    here = logits
    for node in reversed(head):
        if node.output[0] != here:
            continue
        sources = [name for name in node.input if tape.needs(name)]
        if node.op_type not in ROW_BY_ROW or len(sources) != 1 or sources[0] == layer:
            break
        shape = tape.graph.shapes.get(sources[0], ())
        users = [other for other in head if sources[0] in other.input and tape.behind & set(other.output)]
        if shape[1:2] != (num_classes,) or None in shape[1:] or len(users) != 1:
            break
        _apply(tape, node, [tape.take(here)], layer, logits)
        here = sources[0]
    return here


def _apply(tape: Tape, node: NodeProto, grads: list[Grad | None], layer: str, logits: str) -> None:
    try:
        rule = RULES.get(node.op_type) if node.domain in ("", "ai.onnx") else None
        if rule is None:
            raise Unsupported("this operator has no gradient here")
        if any(grads[1:]) and node.op_type != "Split":
            raise Unsupported("more than its first output is used")
        rule(
            tape,
            node,
            [
                grad or tape.zeros(name)
                for grad, name in zip(grads, node.output, strict=True)
                if name in tape.graph.shapes
            ],
        )
    except Unsupported as reason:
        raise _unavailable(tape.graph, node, layer, logits, str(reason)) from None


def _unavailable(graph: Graph, node: NodeProto, layer: str, logits: str, reason: str) -> GradientUnavailableError:
    order = {name: place for place, other in enumerate(graph.nodes) for name in other.output}
    later = [
        name
        for name in cuts(graph, logits)
        if order[name] >= order[node.output[0]] and is_activation(graph.shapes.get(name, ())) and name != logits
    ]
    advice = f"choose a later layer, such as {later[0]!r}" if later else "there is no later layer: change the head"
    return GradientUnavailableError(
        f"`layer` must be followed by operators whose gradient is known, got {layer!r} in {graph.source}, behind which "
        f"stands {node.op_type} {node.name or node.output[0]!r}: {reason}; {advice}."
    )


def _start(t: Tape, logits: str, num_classes: int) -> str:
    """Choose the classes and give the logits their gradient, two rows; the name of the indices (N, 2)."""
    kind = t.graph.dtype(logits)
    flat = logits
    if len(t.graph.shapes[logits]) > 2:
        flat = t.emit("Reshape", logits, t.ints([-1, num_classes]))
    winner = t.emit("ArgMax", flat, axis=1, keepdims=0)
    zero = t.const(0, np.int64)
    chosen = t.emit("Where", t.emit("Less", TARGET, zero), winner, TARGET)
    t.nodes[-1].output[0] = chosen = CLASS_INDEX
    column = t.ints([-1, 1])
    both = t.emit("Concat", t.emit("Reshape", chosen, column), t.emit("Reshape", VERSUS, column), axis=1)
    absent = t.emit("Less", both, zero)
    seed = t.emit("Where", absent, t.const(0, kind), t.const([[1, -1]], kind))
    equal = t.emit("Equal", t.emit("Reshape", both, t.ints([-1, 2, 1])), t.const(np.arange(num_classes), np.int64))
    t.rows = t.emit("Cast", equal, to=helper.np_dtype_to_tensor_dtype(kind))
    shape = t.shape(logits)
    if len(shape) > 2:
        seed = t.emit("Reshape", seed, t.target_shape(logits))
    t.gradients[logits] = [Grad(seed, shape)]
    return t.emit("Where", absent, zero, both)


def _finish_rows(t: Tape, name: str) -> None:
    """Scatter the two rows at `name` into all K; from here on the walk is an ordinary one."""
    grad, rows = t.take(name), t.rows
    assert grad is not None
    assert rows is not None
    flat = t.emit("Reshape", grad.name, t.ints([-1, 2, math.prod(e or 1 for e in grad.shape[2:])]))
    spread = t.emit("MatMul", t.emit("Transpose", rows, perm=[0, 2, 1]), flat)
    t.rows = None
    shape = (grad.shape[0], t.shape(name)[1], *grad.shape[2:])
    sizes = t.ints([-1, *(extent or 1 for extent in shape[1:])])
    t.give(name, Grad(t.emit("Reshape", spread, sizes), shape))


def _contract_rows(t: Tape, node: NodeProto, chosen: str) -> bool:
    """Go through the weights that made the class maps, with the rows of two classes; False if they are others."""
    source, weights = node.input[0], node.input[1] if len(node.input) > 1 else ""
    settings = attributes(node)
    if not t.needs(source) or weights in t.behind:
        return False
    inner, extents = t.graph.shapes[source], t.graph.shapes[node.output[0]]
    if node.op_type == "Conv":
        kernel = _kernel(t, weights)
        plain = set(settings.get("strides", ())) <= {1} and not any(settings.get("pads", ()))
        if kernel[2:] != (1, 1) or settings.get("group", 1) != 1 or not plain:
            return False
        weights = t.emit("Reshape", weights, t.ints([e or 1 for e in kernel[:2]]))
        picked = t.emit("Gather", weights, chosen, axis=0)
    elif node.op_type not in ("Gemm", "MatMul") or len(inner) != 2 or settings.get("transA"):
        return False
    elif settings.get("transB"):
        picked = t.emit("Gather", weights, chosen, axis=0)
    else:
        picked = t.emit("Transpose", t.emit("Gather", weights, chosen, axis=1), perm=[1, 2, 0])
    grad = t.take(node.output[0])
    assert grad is not None
    if settings.get("alpha", 1.0) != 1.0:
        grad = t.times(grad, t.number(settings["alpha"], source))
    space = grad.shape[2:] if len(extents) > 2 else ()
    places = math.prod(extent or 1 for extent in space)
    rows = t.emit("Reshape", grad.name, t.ints([-1, 2, places]))
    result = t.emit("MatMul", t.emit("Transpose", picked, perm=[0, 2, 1]), rows)
    shape = (inner[0], inner[1], *space)
    sizes = t.ints([-1, *(extent or 1 for extent in shape[1:])])
    t.rows = None
    t.give(source, Grad(t.emit("Reshape", result, sizes), shape))
    return True


def _kernel(t: Tape, weights: str) -> Shape:
    array = t.graph.constant(weights)
    return () if array is None else array.shape
