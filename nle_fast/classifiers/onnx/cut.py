"""Where an ONNX network can be cut in two, which cut is the default, and what lies behind it."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

import numpy as np
from onnx import NodeProto, helper, numpy_helper

from nle_fast.classifiers.onnx.graph import VALUE_FREE, Graph, Shape, attributes, reads
from nle_fast.errors import LayerNotFoundError, ModelError

__all__ = ["choose_layer", "class_maps", "cuts", "head_nodes"]

# Operators that treat each channel by itself and add no weights: behind them a class map is still one class's map.
PER_CHANNEL = frozenset({
    "AveragePool", "Cast", "Clip", "Dropout", "Elu", "Flatten", "GlobalAveragePool", "GlobalMaxPool", "HardSigmoid",
    "HardSwish", "Identity", "LeakyRelu", "MaxPool", "ReduceMax", "ReduceMean", "ReduceSum", "Relu", "Reshape",
    "Sigmoid", "Squeeze", "Tanh",
})  # fmt: skip
# Operators whose result is the same activation again, in another place, type or order.
SAME = frozenset({"Cast", "Dropout", "Expand", "Identity", "Pad", "Reshape", "Squeeze", "Transpose", "Unsqueeze"})


def cuts(graph: Graph, logits: str) -> list[str]:
    """The tensors that every path from the picture to the logits goes through, in order of execution.

    A tensor is one exactly when (paths from the picture to it) × (paths from it to the logits) = all paths.
    """
    relevant = graph.ancestors([logits])
    steps = []
    for node in graph.nodes:
        sources = [name for name in reads(node) if name in graph.dependent]
        steps += [(sources, name) for name in node.output if name in graph.dependent and name in relevant]
    before, after = {graph.picture: 1}, {logits: 1}
    for sources, name in steps:
        before[name] = sum(before.get(source, 0) for source in sources)
    for sources, name in reversed(steps):
        for source in sources:
            after[source] = after.get(source, 0) + after.get(name, 0)
    whole = before.get(logits, 0)
    return [name for _, name in steps if before[name] * after.get(name, 0) == whole and whole]


def class_maps(graph: Graph, logits: str, num_classes: int) -> set[str]:
    """The tensors from which each logit is read off channel by channel, without further weights."""
    found = {logits}
    name = logits
    while node := graph.producer.get(name):
        moving = [source for source in reads(node) if source in graph.dependent]
        alone = node.op_type in PER_CHANNEL or (node.op_type in ("Add", "Sub") and len(moving) == 1)
        if not alone or len(moving) != 1 or graph.shapes.get(moving[0], ())[1:2] != (num_classes,):
            break
        name = moving[0]
        found.add(name)
    return found


def choose_layer(graph: Graph, logits: str, num_classes: int, layer: str | None) -> str:
    """The tensor to cut at: `layer` when it is a cut, the last useful activation for None.

    Raises:
        LayerNotFoundError: There is no tensor of that name.
        ModelError: It is not 4-D, not a cut, or no tensor of the network is suitable.
    """
    possible = cuts(graph, logits)
    if layer is not None:
        _check(graph, layer, possible)
        return layer
    useless = class_maps(graph, logits, num_classes)
    useful = [
        name
        for name in possible
        if is_activation(graph.shapes.get(name, ()))
        and not all(extent == 1 for extent in graph.shapes[name][2:])
        and name not in useless
        and graph.is_float(name)
        and graph.producer[name].op_type not in SAME
        and not _channels_moved(graph, name)
    ]
    if not useful:
        raise ModelError(
            f"`layer` must be named for {graph.source}: no 4-D activation is one that everything passes through; "
            f"choose among {_some(_named(graph, possible))}."
        )
    return useful[-1]


def is_activation(shape: Shape) -> bool:
    """Can it be (N, C, H, W)?"""
    return len(shape) == 4 and shape[1] is not None


def _check(graph: Graph, layer: str, possible: Sequence[str]) -> None:
    tensors = [name for name in graph.dependent if name != graph.picture]
    if layer not in tensors:
        near = get_close_matches(layer, tensors, 3, 0.3) or _named(graph, possible)[-3:]
        kind = "the picture itself" if layer == graph.picture else "no tensor computed from the picture"
        raise LayerNotFoundError(
            f"`layer` must name a tensor of {graph.source}, got {layer!r}, which is {kind}; "
            f"the nearest names are {_some(near)}."
        )
    if layer not in possible:
        raise ModelError(
            f"`layer` must be a tensor that everything passes through, got {layer!r}, which part of the evidence "
            f"by-passes in {graph.source}; the nearest such layers are {_some(_around(graph, layer, possible))}."
        )
    shape = graph.shapes.get(layer, ())
    if not is_activation(shape) or not graph.is_float(layer):
        sizes = tuple("N" if extent is None else extent for extent in shape)
        raise ModelError(
            f"`layer` must be an activation (N, C, H, W), got {layer!r} of shape {sizes} in {graph.source}; "
            f"the nearest such layers are {_some(_around(graph, layer, possible))}."
        )


def _around(graph: Graph, layer: str, possible: Sequence[str]) -> list[str]:
    """The last suitable layer before `layer` and the first one after it."""
    order = {name: place for place, node in enumerate(graph.nodes) for name in node.output}
    named = _named(graph, possible)
    before = [name for name in named if order[name] < order[layer]]
    after = [name for name in named if order[name] > order[layer]]
    return before[-1:] + after[:1]


def _named(graph: Graph, possible: Sequence[str]) -> list[str]:
    return [name for name in possible if is_activation(graph.shapes.get(name, ())) and graph.is_float(name)]


def _some(names: Sequence[str]) -> str:
    return ", ".join(repr(name) for name in names[-5:]) or "none"


def _channels_moved(graph: Graph, name: str) -> bool:
    """Has a transpose taken the neurons away from axis 1, as (N, H, W, C) does?"""
    while node := graph.producer.get(name):
        if node.op_type == "Transpose":
            return attributes(node).get("perm") != [0, 3, 1, 2]
        if node.op_type == "Conv":
            return False
        name = next((source for source in node.input if source in graph.dependent), "")
    return False


def head_nodes(graph: Graph, layer: str, logits: str) -> list[NodeProto]:
    """What computes the logits from the layer, and from nothing else that depends on the picture.

    Where the network asks the size of an earlier tensor (`x.size(0)`), the answer is put together anew: the number of
    pictures from the layer, the rest from what is known.

    Raises:
        ModelError: Such a size varies with the size of the picture.
    """
    needed = graph.ancestors([logits], stop=layer)
    behind = graph.depends_on(layer)
    nodes: list[NodeProto] = []
    for node in graph.nodes:
        if needed.isdisjoint(node.output) or layer in node.output:
            continue
        if node.op_type in VALUE_FREE and node.input[0] in graph.dependent - behind:
            nodes += _size_of(graph, layer, node)
        elif graph.dependent.isdisjoint(node.output) or not behind.isdisjoint(node.output):
            nodes.append(node)
    return nodes


def _size_of(graph: Graph, layer: str, node: NodeProto) -> list[NodeProto]:
    """Nodes that compute the same as a Shape of an earlier tensor, from the layer and what is known."""
    shape = graph.shapes.get(node.input[0], ())
    if node.op_type != "Shape" or not shape or None in shape[1:]:
        raise ModelError(
            f"`layer` must not be followed by operators that ask the size of an earlier tensor, got {layer!r} in "
            f"{graph.source}, after which {node.name or node.output[0]!r} does; export for one size of pictures."
        )
    own = f"nle_fast_{node.output[0]}"
    count, rest, sizes = (f"{own}_{part}" for part in ("count", "rest", "sizes"))

    def fixed(name: str, values: Sequence[int | None]) -> NodeProto:
        array = np.array(values, dtype=np.int64)
        return helper.make_node("Constant", [], [name], value=numpy_helper.from_array(array))

    if shape[0] is None:
        zero = f"{own}_zero"
        nodes = [fixed(zero, [0]), helper.make_node("Shape", [layer], [sizes])]
        nodes.append(helper.make_node("Gather", [sizes, zero], [count], axis=0))
    else:
        nodes = [fixed(count, shape[:1])]
    # Only the wanted part is put together, which also serves a Shape that has bounds.
    start, end, _ = slice(*(attributes(node).get(key) for key in ("start", "end"))).indices(len(shape))
    parts = [count] * (start == 0 < end) + [rest] * (max(start, 1) < end)
    nodes.append(fixed(rest, shape[max(start, 1) : end]))
    nodes.append(helper.make_node("Concat", parts or [rest], list(node.output), axis=0))
    return nodes
