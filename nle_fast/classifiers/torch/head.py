"""What the head of a network is: closed form or not, differentiable or not, class maps or evidence."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from nle_fast.classifiers.torch.tape import Head, Op, Recording, Ref, leaves
from nle_fast.errors import GradientUnavailableError

__all__ = [
    "backward",
    "before_softmax",
    "class_maps",
    "final_weight",
    "one_hot",
    "positionwise",
    "relu_convolution",
    "with_graph",
]

aten = torch.ops.aten
SOFTMAX = {aten._softmax.default, aten._log_softmax.default, aten.softmax.int, aten.log_softmax.int}
RESHAPE = {
    aten.view.default, aten._unsafe_view.default, aten.reshape.default, aten.flatten.using_ints,
    aten.squeeze.default, aten.squeeze.dim, aten.squeeze.dims, aten.unsqueeze.default, aten.clone.default,
    aten.alias.default, aten.contiguous.default,
}  # fmt: skip
KEEPS = {aten.add.Tensor, aten.add_.Tensor, aten.as_strided_.default}
TRANSPOSE = {aten.t.default, aten.transpose.int, aten.permute.default, aten.numpy_T.default}
ADAPTIVE = {aten._adaptive_avg_pool2d.default, aten.adaptive_avg_pool2d.default}
CONVOLUTION = {aten.convolution.default, aten.conv2d.default}
RELU = {aten.relu.default, aten.relu_.default}


def before_softmax(recording: Recording, output: int) -> int:
    """The value that a trailing softmax or log-softmax was computed from; `output` itself when there is none."""
    maker = recording.maker(output)
    while maker is not None and maker.func in SOFTMAX and isinstance(maker.args[0], Ref):
        output = maker.args[0].value
        maker = recording.maker(output)
    return output


def one_hot(logits: Tensor, target: Tensor, versus: Tensor | None) -> Tensor:
    """(N, K): +1 at the target of each picture, -1 at its rival where that is not negative."""
    choice = torch.zeros_like(logits).scatter_(1, target[:, None], 1.0)
    if versus is not None:
        choice.scatter_add_(1, versus.clamp(min=0)[:, None], -(versus >= 0).to(choice.dtype)[:, None])
    return choice


def with_graph(head: Head, activations: Tensor) -> tuple[Tensor, Tensor]:
    """Logits (N, K), and the leaf that they can be differentiated by; only the head is in the graph."""
    with torch.inference_mode(False), torch.enable_grad():
        leaf = activations.clone() if activations.is_inference() else activations.detach()
        leaf.requires_grad_()
        return head(leaf).reshape(leaf.shape[0], -1), leaf


def backward(head: Head, logits: Tensor, leaf: Tensor, choice: Tensor) -> Tensor:
    """Σ_k choice[n, k] · ∂logits[n, k] / ∂leaf, shape of the leaf.

    Raises:
        GradientUnavailableError: An operator of the head has no gradient; it is named.
    """
    try:
        with torch.inference_mode(False):
            return torch.autograd.grad(logits, leaf, choice)[0]
    except (RuntimeError, NotImplementedError) as err:
        raise GradientUnavailableError(
            f"The network after the layer must be differentiable, got {_culprit(head, leaf)} ({err}); "
            "choose a later layer."
        ) from err


def _culprit(head: Head, leaf: Tensor) -> str:
    """The first operator after which the gradient is lost, in words."""
    lost: list[str] = []

    def watch(op: Op, args: list[Any], result: Any) -> None:
        came = any(
            arg.requires_grad for arg in leaves(args) if isinstance(arg, Tensor) and not isinstance(arg, nn.Parameter)
        )
        stays = any(part.requires_grad for part in leaves(result) if isinstance(part, Tensor))
        if came and not stays:
            lost.append(f"`{op.func}`")

    with torch.inference_mode(False), torch.enable_grad():
        inner = leaf.detach().clone().requires_grad_()
        head(inner, watch)
    return lost[0] if lost else "an operator without a gradient"


def class_maps(head: Head, trial: Tensor) -> bool:
    """Is the layer merely one map per class: does logit k depend on channel k alone, and on no other?

    Looked up for three classes at the activations `trial` (N, C, H, W).
    """
    logits, leaf = with_graph(head, trial)
    classes = logits.shape[1]
    if classes != trial.shape[1] or not logits.requires_grad:
        return False
    for label in {0, classes // 2, classes - 1}:
        choice = one_hot(logits, torch.full((len(trial),), label, device=trial.device), None)
        reached = torch.autograd.grad(logits, leaf, choice, retain_graph=True)[0].abs().amax((0, 2, 3))
        reached[label] = 0
        if reached.any():
            return False
    return True


def final_weight(head: Head, activations: Tensor) -> Tensor | None:
    """The weight (K, C) of a head that is an average over space and one linear map, in either order; else None.

    Such a head has ∂logit_k / ∂A[c, y, x] = weight[k, c] / (H · W). The weight is the network's own tensor.
    """
    calls: list[tuple[Op, list[Any], Any]] = []
    with torch.no_grad():
        head(activations, lambda op, args, result: calls.append((op, args, result)))

    weight: Tensor | None = None
    current, shape, constants = head.entry, activations.shape, dict[int, Op]()
    for op, args, result in calls:
        read = op.reads - constants.keys()
        if not read:  # computed from weights alone, such as a transposed weight
            constants.update(dict.fromkeys(op.results, op))
            continue
        made = [value for value in op.results if op.renamed.get(value, current) == current]
        if read != {current} or len(made) != 1 or not isinstance(result, Tensor):
            return None
        positions = shape[2:].numel()
        if op.func in KEEPS and result.shape == shape:  # a constant added, or strides rewritten
            pass
        elif _averages(op, args, shape, result):
            positions = 1
        elif op.func not in RESHAPE:
            found = _linear(op, args, constants, shape)
            if found is None or weight is not None:
                return None
            weight = found
        elif result.shape[:2] != shape[:2]:
            return None
        if result.shape[2:].numel() != positions:
            return None
        current, shape = made[0], result.shape
    return weight if current == head.output and shape[2:].numel() == 1 else None


def relu_convolution(head: Head, activations: Tensor) -> Op | None:
    """The 1 × 1 convolution of a head that is one to a map per class, ReLU, and the mean over space; else None."""
    calls: list[tuple[Op, list[Any], Tensor]] = []
    with torch.no_grad():
        head(activations, lambda op, args, result: calls.append((op, args, result)))
    found: Op | None = None
    rectified, current, shape = False, head.entry, activations.shape
    for op, args, result in calls:
        made = [value for value in op.results if op.renamed.get(value, current) == current]
        if op.reads != {current} or len(made) != 1 or not isinstance(result, Tensor):
            return None
        if op.func in RELU:
            if found is None or rectified:
                return None
            rectified = True
        elif op.func in CONVOLUTION:
            if found is not None or _linear(op, args, {}, shape) is None or not isinstance(op.args[2], Tensor):
                return None
            found = op
        elif _averages(op, args, shape, result):
            if not rectified:
                return None
        elif op.func not in RESHAPE or result.shape[:2] != shape[:2]:
            return None
        current, shape = made[0], result.shape
    return found if rectified and current == head.output and shape[2:].numel() == 1 else None


def pools_first(head: Head, activations: Tensor) -> bool:
    """Is all that the head does with the maps of the layer to average each over all of space?"""
    calls: list[tuple[Op, list[Any], Tensor]] = []
    with torch.no_grad():
        head(activations, lambda op, args, result: calls.append((op, args, result)))
    readers = [call for call in calls if head.entry in call[0].reads]
    return bool(readers) and all(_averages(op, args, activations.shape, result) for op, args, result in readers)


def _averages(op: Op, args: list[Any], shape: torch.Size, result: Tensor) -> bool:
    """Does the operator average over all of space?"""
    if op.func in ADAPTIVE:
        return result.shape[2:].numel() == 1
    if op.func is aten.mean.dim:
        dims = range(len(shape)) if args[1] is None else {dim % len(shape) for dim in args[1]}
        return set(dims) == set(range(2, len(shape)))
    if op.func is aten.avg_pool2d.default:
        padding = args[3] if len(args) > 3 else 0
        plain = not any(_pair(padding)) and (len(args) < 7 or args[6] is None)
        return plain and _pair(args[1]) == tuple(shape[2:])
    return False


def _linear(op: Op, args: list[Any], constants: dict[int, Op], shape: torch.Size) -> Tensor | None:
    """The weight (K, C) or (K, C, 1, 1) when the operator applies it to the channels, each position alike."""
    if op.func in CONVOLUTION:
        weight = op.args[1]
        stride, padding, groups = _convolution(op.func, args)
        fits = isinstance(weight, Tensor) and weight.shape[2:].numel() == 1 and groups == 1 and not any(padding)
        return weight if fits and (set(stride) == {1} or shape[2:].numel() == 1) else None
    if len(shape) != 2 or op.kwargs:
        return None
    if op.func is aten.linear.default:
        return op.args[1] if isinstance(op.args[1], Tensor) else None
    if op.func is aten.addmm.default or op.func is aten.mm.default:
        factor = op.args[-1]
        source = constants.get(factor.value) if isinstance(factor, Ref) else None
        if source is not None and source.func in TRANSPOSE and isinstance(source.args[0], Tensor):
            return source.args[0]
    return None


def positionwise(op: Op) -> Op:
    """A 1 × 1 convolution as a matrix product, which for a few rows is much faster; any other `op` as it is."""
    if op.func not in CONVOLUTION or op.kwargs or not isinstance(op.args[1], Tensor) or op.args[1].dim() != 4:
        return op
    stride, padding, groups = _convolution(op.func, list(op.args))
    dilated = len(op.args) > 5 and set(_pair(op.args[5])) != {1}
    if op.args[1].shape[2:].numel() != 1 or groups != 1 or set(stride) != {1} or any(padding) or dilated:
        return op
    return replace(op, func=_at_each_position, args=op.args[:3])


def _at_each_position(maps: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    rows = (weight.flatten(1) @ maps.flatten(2)).reshape(len(maps), len(weight), *maps.shape[2:])
    # Not a view: an in-place operator that follows would make autograd copy around it.
    return rows.clone() if bias is None else rows + bias[:, None, None]


def _convolution(func: Any, args: list[Any]) -> tuple[tuple[int, ...], tuple[int, ...], int]:
    """(stride, padding, groups); a transposed convolution counts as no group at all, so that it is refused."""
    stride = _pair(args[3]) if len(args) > 3 else (1, 1)
    padding = _pair(args[4]) if len(args) > 4 else (0, 0)
    if func is aten.convolution.default:  # its arguments are never left out
        return stride, padding, 0 if args[6] else int(args[8])
    return stride, padding, int(args[6]) if len(args) > 6 else 1


def _pair(value: Any) -> tuple[int, ...]:
    values = tuple(value) if isinstance(value, (list, tuple)) else (value,)
    return values * 2 if len(values) == 1 else values
