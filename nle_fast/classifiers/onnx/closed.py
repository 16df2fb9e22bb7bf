"""Heads whose gradient can be read off their weights: pooling and one linear map, in either order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto

from nle_fast.classifiers.onnx.graph import Graph, attributes
from nle_fast.classifiers.removal import ReluHead

__all__ = ["pooled_weights", "relu_convolution", "relu_head"]

MOVES = frozenset({"Cast", "Dropout", "Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze"})


def pooled_weights(graph: Graph, head: Sequence[NodeProto], layer: str, logits: str) -> NDArray[np.float32] | None:
    """W (K, C) when every logit is W · (mean of the layer over space) + bias, as far as the operators tell; else None.

    The gradient of logit k is then W[k] / (H·W) at every position, whatever the picture.
    """
    makes = {name: node for node in head for name in node.output}
    weights: NDArray[np.float32] | None = None
    pooled, name = False, logits
    while name != layer:
        node = makes.get(name)
        sources = [source for source in node.input if source in graph.dependent] if node else []
        if node is None or len(sources) != 1 or not graph.is_float(sources[0]):
            return None
        source = sources[0]
        before, after = graph.shapes.get(source, ()), graph.shapes.get(name, ())
        if _is_pooling(graph, node):
            if pooled:
                return None
            pooled = True
        elif node.op_type in ("Conv", "Gemm", "MatMul"):
            rows = _rows(graph, node, source)
            if rows is None or weights is not None:
                return None
            weights = rows
        elif node.op_type in MOVES:
            if before[:2] != after[:2] or (not pooled and before != after and set(before[2:]) != {1}):
                return None
        elif node.op_type == "Add" or (node.op_type == "Sub" and source == node.input[0]):
            if before != after:
                return None
        else:
            return None
        name = source
    return weights if pooled else None


def relu_convolution(graph: Graph, head: Sequence[NodeProto], layer: str, logits: str) -> NodeProto | None:
    """The convolution of a head that is, as far as can be told, 1 × 1 to a map per class, ReLU, mean over space."""
    makes = {name: node for node in head for name in node.output}
    found, pooled, rectified, name = None, False, False, logits
    while name != layer:
        node = makes.get(name)
        sources = [source for source in node.input if source in graph.dependent] if node else []
        if node is None or len(sources) != 1 or graph.dtype(name) != np.float32:
            return None
        source = sources[0]
        if not pooled and _is_pooling(graph, node):
            pooled = True
        elif pooled and not rectified and node.op_type == "Relu":
            rectified = True
        elif rectified and found is None and node.op_type == "Conv":
            bias = graph.constant(node.input[2]) if len(node.input) == 3 else None
            if _rows(graph, node, source) is None or bias is None:
                return None
            found = node
        elif node.op_type not in MOVES or graph.shapes.get(source, ())[:2] != graph.shapes.get(name, ())[:2]:
            return None
        name = source
    return found


def pools_first(graph: Graph, head: Sequence[NodeProto], layer: str) -> bool:
    """Is all that the head does with the maps of the layer to average each over all of space?"""
    users = [node for node in head if layer in node.input]
    return bool(users) and all(_is_pooling(graph, node) for node in users)


def relu_head(graph: Graph, convolution: NodeProto) -> ReluHead:
    """The weights of what `relu_convolution` found."""
    weight, bias = _rows(graph, convolution, convolution.input[0]), graph.constant(convolution.input[2])
    assert weight is not None
    assert bias is not None
    # Few neurons of many are looked up: their columns are contiguous.
    return ReluHead(np.asfortranarray(weight), np.ascontiguousarray(bias, np.float32))


def _is_pooling(graph: Graph, node: NodeProto) -> bool:
    """Does the node average each map as a whole?"""
    shape, settings = graph.shapes.get(node.input[0], ()), attributes(node)
    if len(shape) != 4:
        return False
    if node.op_type == "ReduceMean":
        axes = settings.get("axes")
        if axes is None and len(node.input) > 1:
            axes = graph.constant(node.input[1])
        return axes is not None and sorted(int(axis) % 4 for axis in axes) == [2, 3]
    if node.op_type == "AveragePool":
        return shape[2:] == tuple(settings["kernel_shape"]) and not any(settings.get("pads", ()))
    return node.op_type == "GlobalAveragePool"


def _rows(graph: Graph, node: NodeProto, source: str) -> NDArray[np.float32] | None:
    """The weights of a linear layer or a 1 × 1 convolution, (outputs, inputs)."""
    weights = graph.constant(node.input[1]) if source == node.input[0] else None
    settings = attributes(node)
    if weights is None:
        return None
    if node.op_type == "Conv":
        plain = settings.get("group", 1) == 1 and set(settings.get("strides", ())) <= {1}
        if weights.shape[2:] != (1, 1) or not plain or any(settings.get("pads", ())):
            return None
        weights = weights[:, :, 0, 0]
    elif weights.ndim != 2 or settings.get("transA") or len(graph.shapes.get(source, ())) != 2:
        return None
    elif not settings.get("transB"):
        weights = weights.T
    return np.ascontiguousarray(weights * settings.get("alpha", 1.0), dtype=np.float32)
