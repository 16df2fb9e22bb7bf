"""What each ONNX operator does to a gradient: the vector-Jacobian products, written as nodes.

A rule reads the gradient at a node's outputs and gives one to each input that needs it. Values of the forward pass
are taken from the operator's *output* where that is enough, so that ONNX Runtime may still fuse what comes before.
At kinks the gradient is torch's: 0 where a ReLU or a clip is at its bound, and all of it to the first maximum.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from onnx import NodeProto

from nle_fast.classifiers.onnx.graph import Shape, attributes
from nle_fast.classifiers.onnx.tape import RULES, Grad, Rule, Tape, Unsupported, broadcast, rule

__all__: list[str] = []

# ---- activations


@rule("Relu", "LeakyRelu", "Clip", "HardSigmoid")
def _piecewise(t: Tape, node: NodeProto, grads: list[Grad]) -> None:
    x, y = node.input[0], t.value(node.output[0])
    settings = attributes(node)
    zero = t.number(0, x)
    if node.op_type == "LeakyRelu":
        slope = t.number(settings.get("alpha", 0.01), x)
        # The output has the input's sign only when the slope is positive.
        on = t.emit("Greater", y if settings.get("alpha", 0.01) > 0 else t.value(x), zero)
        factor = t.emit("Where", on, t.number(1, x), slope)
        t.give(x, t.times(grads[0], factor, t.shape(x)))
        return
    low, high = zero, ""
    scale = 1.0
    if node.op_type == "HardSigmoid":
        high, scale = t.number(1, x), settings.get("alpha", 0.2)
    elif node.op_type == "Clip":
        bounds = [*node.input[1:], "", ""]
        low, high = (
            bounds[i] or (t.number(settings[key], x) if key in settings else "") for i, key in ((0, "min"), (1, "max"))
        )
    masks = ([t.emit("Greater", y, low)] if low else []) + ([t.emit("Less", y, high)] if high else [])
    grad = grads[0] if scale == 1.0 else t.times(grads[0], t.number(scale, x))
    if masks:
        grad = t.only_where(masks[0] if len(masks) == 1 else t.emit("And", *masks), grad, x)
    t.give(x, grad)


def _elementwise(derivative: Callable[[Tape, NodeProto, str, str], str]) -> Rule:
    """The rule of a function applied to each element; `derivative` writes f′ from the names of x and y = f(x)."""

    def apply(t: Tape, node: NodeProto, grads: list[Grad]) -> None:
        x = node.input[0]
        factor = derivative(t, node, t.value(x), t.value(node.output[0]))
        t.give(x, t.times(grads[0], factor, t.shape(x)))

    return apply


def _number(t: Tape, node: NodeProto, value: float) -> str:
    return t.number(value, node.input[0])


def _hard_swish(t: Tape, node: NodeProto, x: str, y: str) -> str:
    line = t.emit("Add", t.emit("Mul", x, _number(t, node, 1 / 3)), _number(t, node, 0.5))
    upper = t.emit("Where", t.emit("Greater", x, _number(t, node, 3)), _number(t, node, 1), line)
    return t.emit("Where", t.emit("Less", x, _number(t, node, -3)), _number(t, node, 0), upper)


def _elu(t: Tape, node: NodeProto, x: str, y: str) -> str:
    alpha = attributes(node).get("alpha", 1.0)
    positive = t.emit("Greater", x, _number(t, node, 0))
    return t.emit("Where", positive, _number(t, node, 1), t.emit("Add", y, _number(t, node, alpha)))


def _erf(t: Tape, node: NodeProto, x: str, y: str) -> str:
    bell = t.emit("Exp", t.emit("Neg", t.emit("Mul", x, x)))
    return t.emit("Mul", bell, _number(t, node, 2 / math.sqrt(math.pi)))


def _gelu(t: Tape, node: NodeProto, x: str, y: str) -> str:
    """Φ(x) + x · φ(x), with the normal distribution's Φ and its density φ."""
    if attributes(node).get("approximate", "none") != "none":
        raise Unsupported("it is the approximation by tanh")
    half = _number(t, node, 0.5)
    below = t.emit("Add", t.emit("Mul", t.emit("Erf", t.emit("Mul", x, _number(t, node, 0.5**0.5))), half), half)
    bell = t.emit("Exp", t.emit("Neg", t.emit("Mul", t.emit("Mul", x, x), half)))
    return t.emit("Add", below, t.emit("Mul", t.emit("Mul", x, bell), _number(t, node, (2 * math.pi) ** -0.5)))


RULES.update({
    "Sigmoid": _elementwise(lambda t, n, x, y: t.emit("Mul", y, t.emit("Sub", _number(t, n, 1), y))),
    "Tanh": _elementwise(lambda t, n, x, y: t.emit("Sub", _number(t, n, 1), t.emit("Mul", y, y))),
    "Exp": _elementwise(lambda t, n, x, y: y),
    "Log": _elementwise(lambda t, n, x, y: t.emit("Reciprocal", x)),
    "Sqrt": _elementwise(lambda t, n, x, y: t.emit("Div", _number(t, n, 0.5), y)),
    "Reciprocal": _elementwise(lambda t, n, x, y: t.emit("Neg", t.emit("Mul", y, y))),
    "Neg": _elementwise(lambda t, n, x, y: _number(t, n, -1)),
    "Abs": _elementwise(lambda t, n, x, y: t.emit("Sign", x)),
    "Softplus": _elementwise(lambda t, n, x, y: t.emit("Sigmoid", x)),
    "HardSwish": _elementwise(_hard_swish),
    "Elu": _elementwise(_elu),
    "Erf": _elementwise(_erf),
    "Gelu": _elementwise(_gelu),
})  # fmt: skip


@rule("PRelu")
def _prelu(t: Tape, node: NodeProto, grads: list[Grad]) -> None:
    x, slope = node.input
    if t.needs(slope):
        raise Unsupported("its slope is computed from the picture")
    on = t.emit("Greater", t.value(x), t.number(0, x))
    t.give(x, t.times(grads[0], t.emit("Where", on, t.number(1, x), slope), t.shape(x)))


@rule("Softmax")
def _softmax(t: Tape, node: NodeProto, grads: list[Grad]) -> None:
    x, y = node.input[0], node.output[0]
    shape = t.shape(x)
    axis = attributes(node).get("axis", 1 if t.graph.opset < 13 else -1) % len(shape)
    axes = [axis] if t.graph.opset >= 13 else list(range(axis, len(shape)))
    weighted = t.times(t.full(grads[0], y), t.value(y), shape)
    total = t.summed(weighted, axes)
    scaled = t.emit("Mul", t.value(y), total.name)
    t.give(x, Grad(t.emit("Sub", weighted.name, scaled), shape))


# ---- arithmetic


@rule("Add", "Sub", "Sum")
def _add(t: Tape, node: NodeProto, grads: list[Grad]) -> None:
    for place, name in enumerate(node.input):
        if t.needs(name):
            grad = grads[0]
            if node.op_type == "Sub" and place == 1:
                grad = Grad(t.emit("Neg", grad.name), grad.shape)
            t.give(name, t.sum_to(grad, node.output[0], name))


@rule("Mul", "Div")
def _mul(t: Tape, node: NodeProto, grads: list[Grad]) -> None:
    (a, b), out, grad = node.input, node.output[0], grads[0]
    if node.op_type == "Div":
        if t.needs(a):
            share = Grad(t.emit("Div", grad.name, t.value(b)), broadcast(grad.shape, t.shape(b)))
            t.give(a, t.sum_to(share, out, a))
        if t.needs(b):
            slope = t.emit("Neg", t.emit("Div", t.value(out), t.value(b)))
            t.give(b, t.sum_to(t.times(grad, slope, t.shape(out)), out, b))
        return
    for name, other in ((a, b), (b, a)):
        if t.needs(name):
            t.give(name, t.sum_to(t.times(grad, t.value(other), t.shape(other)), out, name))


@rule("Pow")
def _pow(t: Tape, node: NodeProto, grads: list[Grad]) -> None:
    x, exponent = node.input
    power = t.graph.constant(exponent)
    if power is None or power.size != 1:
        raise Unsupported("its exponent is not one fixed number")
    p = float(power.reshape(()))
    factor = t.emit("Mul", t.emit("Pow", t.value(x), t.number(p - 1, x)), t.number(p, x))
    t.give(x, t.sum_to(t.times(grads[0], factor, t.shape(x)), node.output[0], x))


@rule("Gemm")
def _gemm(t: Tape, node: NodeProto, grads: list[Grad]) -> None:
    a, b = node.input[:2]
    settings = attributes(node)
    flip_a, flip_b = settings.get("transA", 0), settings.get("transB", 0)
    alpha, g = settings.get("alpha", 1.0), t.full(grads[0], node.output[0])
    if t.needs(a):
        pair = (t.value(b), g.name) if flip_a else (g.name, t.value(b))
        name = t.gemm(*pair, a, alpha=alpha, transA=flip_a and flip_b, transB=1 if flip_a else 1 - flip_b)
        t.give(a, Grad(name, t.shape(a)))
    if t.needs(b):
        pair = (g.name, t.value(a)) if flip_b else (t.value(a), g.name)
        name = t.gemm(*pair, a, alpha=alpha, transA=1 if flip_b else 1 - flip_a, transB=flip_a and flip_b)
        t.give(b, Grad(name, t.shape(b)))
    if len(node.input) > 2 and t.needs(node.input[2]):
        scaled = t.times(g, t.number(settings.get("beta", 1.0), a))
        t.give(node.input[2], t.sum_to(scaled, node.output[0], node.input[2]))


@rule("MatMul")
def _matmul(t: Tape, node: NodeProto, grads: list[Grad]) -> None:
    a, b = node.input
    out = node.output[0]
    g = t.full(grads[0], out)
    if min(len(t.shape(a)), len(t.shape(b))) < 2:
        raise Unsupported("one of its operands is a vector")

    def swapped(name: str) -> str:
        rank = len(t.shape(name))
        return t.emit("Transpose", t.value(name), perm=[*range(rank - 2), rank - 1, rank - 2])

    for place, name in enumerate((a, b)):
        if t.needs(name):
            product = t.emit("MatMul", *((swapped(a), g.name) if place else (g.name, swapped(b))))
            own = t.shape(name)
            batch = broadcast(t.shape(a)[:-2], t.shape(b)[:-2])
            t.give(name, _sum_leading(t, Grad(product, (*batch, *own[-2:])), name, own))


def _sum_leading(t: Tape, grad: Grad, name: str, own: Shape) -> Grad:
    """Sum over the leading axes along which an operand was repeated."""
    padded = (1,) * (len(grad.shape) - len(own)) + own
    axes = [axis for axis, extent in enumerate(grad.shape) if padded[axis] == 1 and extent != 1]
    if axes:
        grad = t.summed(grad, axes)
    if len(grad.shape) != len(own):
        grad = Grad(t.emit("Reshape", grad.name, t.target_shape(name)), own)
    return grad


@rule("BatchNormalization")
def _batch_norm(t: Tape, node: NodeProto, grads: list[Grad]) -> None:
    settings = attributes(node)
    scale, variance = t.graph.constant(node.input[1]), t.graph.constant(node.input[4])
    if settings.get("training_mode") or scale is None or variance is None:
        raise Unsupported("it is in training mode, or its statistics are not fixed")
    factor = scale.astype(np.float64) / np.sqrt(variance.astype(np.float64) + settings.get("epsilon", 1e-5))
    shape = (1, factor.size) + (1,) * (len(t.shape(node.input[0])) - 2)
    name = t.const(factor.reshape(shape), t.graph.dtype(node.input[0]))
    t.give(node.input[0], t.times(grads[0], name, shape))


@rule("LayerNormalization")
def _layer_norm(t: Tape, node: NodeProto, grads: list[Grad]) -> None:
    x = node.input[0]
    shape, settings = t.shape(x), attributes(node)
    axes = list(range(settings.get("axis", -1) % len(shape), len(shape)))
    count = math.prod(shape[axis] or 0 for axis in axes)
    if not count or any(t.needs(name) for name in node.input[1:]):
        raise Unsupported("the size or the scale that it normalizes with is not fixed")
    share = t.number(1 / count, x)

    def mean(name: str) -> str:
        return t.emit("Mul", t.summed(Grad(name, shape), axes).name, share)

    centered = t.emit("Sub", t.value(x), mean(t.value(x)))
    variance = mean(t.emit("Mul", centered, centered))
    deviation = t.emit("Sqrt", t.emit("Add", variance, t.number(settings.get("epsilon", 1e-5), x)))
    unit = t.emit("Div", centered, deviation)
    grad = t.times(t.full(grads[0], node.output[0]), node.input[1], t.shape(node.input[1])).name
    along = t.emit("Mul", unit, mean(t.emit("Mul", grad, unit)))
    rest = t.emit("Sub", t.emit("Sub", grad, mean(grad)), along)
    t.give(x, Grad(t.emit("Div", rest, deviation), shape))
