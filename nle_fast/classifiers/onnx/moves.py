"""The gradients of reductions, and of operators that only move values about."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import NodeProto, helper

from nle_fast.classifiers.onnx.graph import Array, attributes
from nle_fast.classifiers.onnx.tape import Grad, Tape, Unsupported, rule

__all__: list[str] = []

# ---- reductions


def _axes(t: Tape, node: NodeProto, since: int) -> tuple[int, ...]:
    rank, settings = len(t.shape(node.input[0])), attributes(node)
    axes: Sequence[int] | Array | None = settings.get("axes")
    if t.graph.opset >= since and len(node.input) > 1 and node.input[1]:
        axes = t.graph.constant(node.input[1])
        if axes is None:
            raise Unsupported("its axes are not fixed")
    if axes is None or len(axes) == 0:
        return () if settings.get("noop_with_empty_axes") else tuple(range(rank))
    return tuple(sorted(int(axis) % rank for axis in axes))


def _spread(t: Tape, node: NodeProto, grad: Grad, axes: Sequence[int], value: bool = False) -> Grad:
    """The gradient (or, if `value`, what `grad` names) with the reduced axes back in, of extent 1."""
    if attributes(node).get("keepdims", 1) or not axes:
        return grad
    kept = tuple(1 if axis in axes else extent for axis, extent in enumerate(t.shape(node.input[0])))
    if kept.count(None) > 1:
        raise Unsupported("keepdims=0 with several sizes left open")
    name = t.emit("Reshape", grad.name, t.ints([-1 if extent is None else extent for extent in kept]))
    return Grad(name, kept)


def _per_element(t: Tape, x: str, y: str, axes: Sequence[int]) -> str:
    """1 / (number of elements of x that make one of y)."""
    extents = [t.shape(x)[axis] for axis in axes]
    if None not in extents:
        return t.number(1 / math.prod(extent or 1 for extent in extents), x)
    count = t.emit("Div", t.emit("Size", t.value(x)), t.emit("Size", t.value(y)))
    return t.emit("Reciprocal", t.emit("Cast", count, to=helper.np_dtype_to_tensor_dtype(t.graph.dtype(x))))


@rule("GlobalAveragePool", "ReduceMean", "ReduceSum")
def _mean(t: Tape, node: NodeProto, grads: list[Grad]) -> None:
    x, y = node.input[0], node.output[0]
    if node.op_type == "GlobalAveragePool":
        axes: tuple[int, ...] = tuple(range(2, len(t.shape(x))))
    else:
        axes = _axes(t, node, 18 if node.op_type == "ReduceMean" else 13)
    grad = _spread(t, node, t.full(grads[0], y), axes)
    t.give(x, grad if node.op_type == "ReduceSum" else t.times(grad, _per_element(t, x, y, axes)))


@rule("ReduceMax")
def _reduce_max(t: Tape, node: NodeProto, grads: list[Grad]) -> None:
    """As torch.amax: equal maxima share."""
    x, y = node.input[0], node.output[0]
    axes = _axes(t, node, 18)
    grad = _spread(t, node, t.full(grads[0], y), axes)
    largest = _spread(t, node, Grad(t.value(y), t.shape(y)), axes)
    kind = helper.np_dtype_to_tensor_dtype(t.graph.dtype(x))
    on = Grad(t.emit("Cast", t.emit("Equal", t.value(x), largest.name), to=kind), t.shape(x))
    share = t.emit("Div", grad.name, t.summed(on, axes).name)
    t.give(x, t.times(on, share, grad.shape))


@rule("GlobalMaxPool")
def _global_max(t: Tape, node: NodeProto, grads: list[Grad]) -> None:
    x = node.input[0]
    rank = len(t.shape(x))
    flat = t.emit("Reshape", t.value(x), t.ints([0, 0, -1]))
    first = t.emit("Reshape", t.emit("ArgMax", flat, axis=2, keepdims=0), t.ints([0, 0]))
    places = t.emit("Gather", t.emit("Shape", flat), t.const(2, np.int64), axis=0)
    on = t.emit("OneHot", first, places, t.const([0, 1], np.float32), axis=2)
    on = t.emit("Cast", on, to=helper.np_dtype_to_tensor_dtype(t.graph.dtype(x)))
    on = t.emit("Reshape", on, t.target_shape(x))
    grad = t.full(grads[0], node.output[0])
    assert len(grad.shape) == rank
    t.give(x, t.times(grad, on, t.shape(x)))


# ---- moving values


@rule("Flatten", "Reshape", "Squeeze", "Unsqueeze")
def _reshape(t: Tape, node: NodeProto, grads: list[Grad]) -> None:
    t.give(node.input[0], t.reshaped(grads[0], node.output[0], node.input[0]))


@rule("Identity", "Dropout")
def _same(t: Tape, node: NodeProto, grads: list[Grad]) -> None:
    if node.op_type == "Dropout" and len(node.input) > 2 and node.input[2]:
        mode = t.graph.constant(node.input[2])
        if mode is None or bool(mode.reshape(-1)[0]):
            raise Unsupported("it is in training mode")
    t.give(node.input[0], grads[0])


@rule("Cast")
def _cast(t: Tape, node: NodeProto, grads: list[Grad]) -> None:
    kind = helper.np_dtype_to_tensor_dtype(t.graph.dtype(node.input[0]))
    t.give(node.input[0], Grad(t.emit("Cast", grads[0].name, to=kind), grads[0].shape))


@rule("Transpose")
def _transpose(t: Tape, node: NodeProto, grads: list[Grad]) -> None:
    rank = len(grads[0].shape)
    forward = attributes(node).get("perm") or list(range(rank))[::-1]
    back = [forward.index(axis) for axis in range(rank)]
    name = t.emit("Transpose", grads[0].name, perm=back)
    t.give(node.input[0], Grad(name, tuple(grads[0].shape[axis] for axis in back)))


@rule("Expand")
def _expand(t: Tape, node: NodeProto, grads: list[Grad]) -> None:
    t.give(node.input[0], t.sum_to(grads[0], node.output[0], node.input[0]))


def _axis(t: Tape, node: NodeProto, default: int) -> int:
    return int(attributes(node).get("axis", default)) % len(t.shape(node.input[0]))


@rule("Concat")
def _concat(t: Tape, node: NodeProto, grads: list[Grad]) -> None:
    axis = _axis(t, node, 1)
    sizes: list[Any] = [t.shape(name)[axis] for name in node.input]
    if None in sizes:
        raise Unsupported("it joins tensors of sizes that are left open")
    grad = t.full(grads[0], node.output[0])
    inputs, settings = t.setting(sizes, "split", 13)
    first = t.emit("Split", grad.name, *inputs, outputs=len(sizes), axis=axis, **settings)
    for i, name in enumerate(node.input):
        part = first if i == 0 else f"{first}_{i}"
        t.give(name, Grad(part, t.shape(name)))


@rule("Split")
def _split(t: Tape, node: NodeProto, grads: list[Grad]) -> None:
    parts = [t.full(grad, name).name for grad, name in zip(grads, node.output, strict=True)]
    axis = _axis(t, node, 0)
    t.give(node.input[0], Grad(t.emit("Concat", *parts, axis=axis), t.shape(node.input[0])))


@rule("Slice")
def _slice(t: Tape, node: NodeProto, grads: list[Grad]) -> None:
    shape, settings = t.shape(node.input[0]), attributes(node)
    keys = ("starts", "ends", "axes", "steps")
    given: list[Any] = [settings.get(key) for key in keys]
    for i, name in enumerate(node.input[1:]):
        if name:
            given[i] = t.graph.constant(name)
            if given[i] is None:
                raise Unsupported("its bounds are not fixed")
    starts, ends, axes, steps = given
    axes = range(len(starts)) if axes is None else axes
    if steps is not None and any(int(step) != 1 for step in steps):
        raise Unsupported("it takes every n-th element only, or backwards")
    before, after = [0] * len(shape), [0] * len(shape)
    for start, end, axis in zip(starts, ends, axes, strict=True):
        place = int(axis) % len(shape)
        extent = shape[place]
        if extent is None:
            raise Unsupported("it cuts an axis whose size is left open")
        first, last, _ = slice(int(start), int(end)).indices(extent)
        before[place], after[place] = first, extent - last
    grad = t.full(grads[0], node.output[0])
    inputs, extra = t.setting([*before, *after], "pads", 11)
    t.give(node.input[0], Grad(t.emit("Pad", grad.name, *inputs, **extra), shape))


@rule("Pad")
def _pad(t: Tape, node: NodeProto, grads: list[Grad]) -> None:
    settings = attributes(node)
    if settings.get("mode", "constant") != "constant":
        raise Unsupported(f"it pads by {settings['mode']!r}")
    grad = t.full(grads[0], node.output[0])
    if "pads" in settings:
        name = t.emit("Pad", grad.name, pads=[-pad for pad in settings["pads"]])
    else:
        axes = ["", node.input[3]] if len(node.input) > 3 and node.input[3] else []
        name = t.emit("Pad", grad.name, t.emit("Neg", node.input[1]), *axes)
    t.give(node.input[0], Grad(name, t.shape(node.input[0])))
