"""The gradients of operators that slide a window over a map: convolution, average pooling, max pooling."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, helper

from nle_fast.classifiers.onnx.graph import Array, attributes
from nle_fast.classifiers.onnx.session import Session
from nle_fast.classifiers.onnx.tape import Grad, Tape, Unsupported, rule

__all__ = ["Window"]


@dataclass(frozen=True)
class Window:
    """How a window slides: per axis of space its extent, step, spacing, and the padding before and after."""

    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    before: tuple[int, ...]
    after: tuple[int, ...]

    @property
    def reach(self) -> tuple[int, ...]:
        """Positions from the first to the last that a window reads, less one."""
        return tuple(d * (k - 1) for d, k in zip(self.dilations, self.kernel, strict=True))

    @classmethod
    def of(cls, t: Tape, node: NodeProto, kernel: tuple[int, ...]) -> Window:
        """Read a node's settings; `auto_pad` is worked out."""
        settings = attributes(node)
        rank = len(kernel)
        strides = tuple(settings.get("strides", [1] * rank))
        dilations = tuple(settings.get("dilations", [1] * rank))
        pads = settings.get("pads", [0] * (2 * rank))
        before, after = tuple(pads[:rank]), tuple(pads[rank:])
        mode = settings.get("auto_pad", "NOTSET")
        if mode.startswith("SAME"):
            sizes, results = t.shape(node.input[0])[2:], t.shape(node.output[0])[2:]
            totals = []
            for size, result, s, d, k in zip(sizes, results, strides, dilations, kernel, strict=True):
                if s > 1 and (size is None or result is None):
                    raise Unsupported("auto_pad with strides, for pictures of several sizes")
                totals.append(
                    max((((result or 1) - 1) * s + d * (k - 1) + 1 - (size or 1)) if s > 1 else d * (k - 1), 0)
                )
            small = tuple(total // 2 for total in totals)
            large = tuple(total - half for total, half in zip(totals, small, strict=True))
            before, after = (small, large) if mode == "SAME_UPPER" else (large, small)
        elif mode == "VALID":
            before = after = (0,) * rank
        return cls(kernel, strides, dilations, before, after)


def transposed(t: Tape, node: NodeProto, grad: Grad, window: Window, weights: Array | None, group: int) -> Grad:
    """The gradient at the input of a convolution of `node.input[0]` with `weights` (or those that the node names).

    With stride 1 it is written as a convolution with the mirrored weights, which ONNX Runtime is quickest at.
    """
    x = node.input[0]
    shape, grad = t.shape(x), t.full(grad, node.output[0])
    before = [reach - pad for reach, pad in zip(window.reach, window.before, strict=True)]
    after = [reach - pad for reach, pad in zip(window.reach, window.after, strict=True)]
    common: dict[str, Any] = {"dilations": window.dilations, "group": group, "kernel_shape": window.kernel}
    if weights is not None and set(window.strides) == {1} and min(before + after) >= 0:
        split = weights.reshape(group, weights.shape[0] // group, *weights.shape[1:]).swapaxes(1, 2)
        mirrored = np.flip(split, tuple(range(3, split.ndim))).reshape(-1, *split.shape[2:])
        name = t.emit("Conv", grad.name, t.const(mirrored, t.graph.dtype(x)), pads=before + after, **common)
        return Grad(name, shape)
    name = node.input[1] if weights is None else t.const(weights, t.graph.dtype(x))
    extra, crop = [], list(window.after)
    sizes, results = shape[2:], grad.shape[2:]
    fixed = None not in sizes and None not in results
    for i, (size, result) in enumerate(zip(sizes, results, strict=True)):
        if not fixed:  # as large as it can be, cut to size below
            extra.append(window.strides[i] - 1)
            continue
        covered = ((result or 1) - 1) * window.strides[i] + window.reach[i] + 1 - window.before[i] - window.after[i]
        extra.append(max((size or 1) - covered, 0))
        crop[i] += max(covered - (size or 1), 0)
    name = t.emit(
        "ConvTranspose", grad.name, name, strides=window.strides, output_padding=extra,
        pads=[*window.before, *crop], **common,
    )  # fmt: skip
    if not fixed and any(extra):
        if t.graph.opset < 10:
            raise Unsupported("strides, for pictures of several sizes, before opset 10")
        rank = len(window.kernel)
        ends = t.emit("Slice", t.emit("Shape", t.value(x)), t.ints([2]), t.ints([2 + rank]))
        name = t.emit("Slice", name, t.ints([0] * rank), ends, t.ints(range(2, 2 + rank)))
    return Grad(name, shape)


@rule("Conv")
def _convolution(t: Tape, node: NodeProto, grads: list[Grad]) -> None:
    if t.needs(node.input[1]):
        raise Unsupported("its weights are computed from the picture")
    kernel = tuple(extent or 0 for extent in t.shape(node.input[1])[2:])
    weights = t.graph.constant(node.input[1])
    group = attributes(node).get("group", 1)
    t.give(node.input[0], transposed(t, node, grads[0], Window.of(t, node, kernel), weights, group))


@rule("AveragePool")
def _average_pool(t: Tape, node: NodeProto, grads: list[Grad]) -> None:
    x, y = node.input[0], node.output[0]
    settings = attributes(node)
    window = Window.of(t, node, tuple(settings["kernel_shape"]))
    shape, grad = t.shape(x), t.full(grads[0], y)
    padded = any((*window.before, *window.after))
    if not padded and shape[2:] == window.kernel and set(window.dilations) == {1}:  # one window: the whole map
        t.give(x, t.times(grad, t.number(1 / math.prod(window.kernel), x)))
        return
    if padded or settings.get("ceil_mode", 0):
        share = _shares(t, node, window)
        grad = t.times(grad, t.const(share, t.graph.dtype(x)), share.shape)
    else:
        grad = t.times(grad, t.number(1 / math.prod(window.kernel), x))
    channels = shape[1] or 0
    ones = np.ones((channels, 1, *window.kernel))
    t.give(x, transposed(t, node, grad, window, ones, channels))


def _shares(t: Tape, node: NodeProto, window: Window) -> NDArray[np.float64]:
    """(1, 1, H′, W′): what one element weighs in each window of an average pooling with padding.

    Which padding counts has changed between opsets and versions, so ONNX Runtime is asked: it averages a map of ones,
    and the result is the weight times the number of ones in the window.
    """
    sizes = [extent or 0 for extent in t.shape(node.input[0])[2:]]
    results = [extent or 0 for extent in t.shape(node.output[0])[2:]]
    if 0 in sizes or 0 in results:
        raise Unsupported("padding that does not count, for pictures of several sizes")
    pool = NodeProto()
    pool.CopyFrom(node)
    pool.input[:], pool.output[:] = ["x"], ["y"]
    infos = [helper.make_tensor_value_info(name, 1, [1, 1, *dims]) for name, dims in (("x", sizes), ("y", results))]
    model = helper.make_model(
        helper.make_graph([pool], "pool", infos[:1], infos[1:]), opset_imports=list(t.graph.model.opset_import)
    )
    model.ir_version = max(t.graph.model.ir_version, 4)
    average = Session(model, t.graph.source).run({"x": np.ones((1, 1, *sizes), dtype=np.float32)})[0]
    ones = np.ones(())
    for axis, (size, result) in enumerate(zip(sizes, results, strict=True)):
        start = np.arange(result) * window.strides[axis] - window.before[axis]
        places = start[:, None] + np.arange(window.kernel[axis]) * window.dilations[axis]
        ones = np.multiply.outer(ones, ((places >= 0) & (places < size)).sum(1))
    return np.divide(average, ones, out=np.zeros(average.shape), where=ones > 0)


@rule("MaxPool")
def _max_pool(t: Tape, node: NodeProto, grads: list[Grad]) -> None:
    """To the first maximum: MaxPool itself says where that is, counting through the whole batch."""
    if t.graph.opset < 16:
        raise Unsupported("before opset 16")
    if attributes(node).get("storage_order"):
        raise Unsupported("places counted by column")
    x = node.input[0]
    flat = t.ints([-1])
    size = t.emit("Reshape", t.emit("Size", t.value(x)), t.ints([1]))
    zeros = t.emit("Expand", t.number(0, x), size)
    places = t.emit("Reshape", t.second_output(node), flat)
    values = t.emit("Reshape", t.full(grads[0], node.output[0]).name, flat)
    spread = t.emit("ScatterElements", zeros, places, values, axis=0, reduction="add")
    t.give(x, Grad(t.emit("Reshape", spread, t.target_shape(x)), t.shape(x)))
