"""Gradients by autograd, for heads without a closed form: of all rows of the last weight, or of a few.

Of K logits one or two are explained, but autograd walks back through all K rows of the last weight; for a 1 × 1
convolution to 1000 maps, as in SqueezeNet, that costs as much as its forward. So the head is split at the input of its
last weight: what comes before runs once with autograd, what comes after runs once for all logits without it and once
more, with it, for the rows of the classes in question. The last weight is the network's own and is read anew each time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

import torch
from torch import Tensor

from nle_fast.classifiers.torch.head import backward, one_hot, positionwise, with_graph
from nle_fast.classifiers.torch.tape import Head, Op, leaves, map_leaves

__all__ = ["AllRows", "FewRows", "by_autograd"]

Watch: TypeAlias = Callable[[Op, list[Any], Any], None]


def by_autograd(head: Head, num_classes: int, trial: Tensor) -> AllRows | FewRows:
    """The cheaper of the two ways that fits the head; checked on the activations `trial` (N, C, H, W)."""
    return FewRows.of(head, num_classes, trial) or AllRows(head)


class AllRows:
    """A whole head in autograd's graph, for when its last weight cannot be told from the rest."""

    def __init__(self, head: Head) -> None:
        self._head = head

    def __call__(self, activations: Tensor, watch: Watch | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """All logits (N, K); the same in the graph, and the leaf that they can be traced to."""
        logits, leaf = with_graph(self._head, activations)
        return logits.detach(), logits, leaf

    def gradients(self, inner: Tensor, leaf: Tensor, target: Tensor, versus: Tensor | None) -> Tensor:
        """Gradient at the leaf of logit `target[n]`, less that of `versus[n]` where it is not negative."""
        return backward(self._head, inner, leaf, one_hot(inner.detach(), target, versus))


class FewRows:
    """A head split at its last weight.

    Args:
        before: From the layer to the input of the last weight; None where that is the layer's output itself.
        after: From there to the logits.
        num_classes: K.
    """

    def __init__(self, before: Head | None, after: Head, num_classes: int) -> None:
        self._before, self._after, self._num_classes = before, after, num_classes
        self._per_class = [
            index for index, op in enumerate(after.ops) if any(_is_per_class(leaf, num_classes) for leaf in _all(op))
        ]

    @classmethod
    def of(cls, head: Head, num_classes: int, trial: Tensor) -> FewRows | None:
        """The split of a head; None where there is no last weight of K rows, or its rows are not each a class's own.

        Checked on the activations `trial` (N, C, H, W): the logits of two classes must come out as from the whole.
        """
        data = _depending(head)
        last = next((op for op in reversed(head.ops) if any(_is_weight(leaf, num_classes) for leaf in _all(op))), None)
        while last is not None and not last.reads & data:  # the transpose of a weight: who uses it?
            made = set(last.results)
            last = next((op for op in head.ops if op.reads & made), None)
        if last is None or len(last.reads & data) != 1:
            return None
        (middle,) = last.reads & data
        before = None if middle == head.entry else head.part(head.entry, middle)
        after = head.part(middle, head.output)
        if after is None or (before is None and middle != head.entry):
            return None
        found = cls(before, after, num_classes)
        classes = torch.tensor([num_classes - 1, 0], device=trial.device)
        with torch.no_grad():
            try:
                inner = trial if before is None else before(trial)
                few = found._of_classes(classes)(inner).reshape(len(trial), -1)
            except (RuntimeError, IndexError):
                return None
            expected = head(trial).reshape(len(trial), -1)[:, classes]
        close = few.shape == expected.shape and torch.allclose(few.float(), expected.float(), rtol=1e-2, atol=1e-3)
        return found if close else None

    def __call__(self, activations: Tensor, watch: Watch | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """All logits (N, K) without a graph; the input of the last weight, and the leaf that it can be traced to.

        `watch` is that of `Head`, for what comes after the input of the last weight.
        """
        with torch.inference_mode(False), torch.enable_grad():
            leaf = activations.clone() if activations.is_inference() else activations.detach()
            leaf.requires_grad_()
            inner = leaf if self._before is None else self._before(leaf)
            with torch.no_grad():
                logits = self._after(inner.detach(), watch).reshape(len(leaf), -1)
        return logits, inner, leaf

    def gradients(self, inner: Tensor, leaf: Tensor, target: Tensor, versus: Tensor | None) -> Tensor:
        """Gradient at the leaf of logit `target[n]`, less that of `versus[n]` where it is not negative."""
        asked = target if versus is None else torch.cat([target, versus.clamp(min=0)])
        if len(asked) == 1:  # looking for repeats takes longer than the gradient of one picture
            classes, place = asked, torch.zeros_like(asked)
        else:
            classes, place = torch.unique(asked, return_inverse=True)
        with torch.inference_mode(False), torch.enable_grad():
            few = self._of_classes(classes)(inner).reshape(len(leaf), -1)
        choice = torch.zeros_like(few).scatter_(1, place[: len(target), None], 1.0)
        if versus is not None:
            choice.scatter_add_(1, place[len(target) :, None], -(versus >= 0).to(choice.dtype)[:, None])
        with torch.inference_mode(False):
            return torch.autograd.grad(few, leaf, choice)[0]

    def _of_classes(self, classes: Tensor) -> Head:
        def pick(leaf: Any) -> Any:
            if _is_per_class(leaf, self._num_classes):
                return leaf.detach()[classes] if isinstance(leaf, Tensor) else len(classes)
            return leaf

        def change(op: Op) -> Op:
            kwargs = {key: map_leaves(pick, value) for key, value in op.kwargs.items()}
            return positionwise(replace(op, args=tuple(map_leaves(pick, arg) for arg in op.args), kwargs=kwargs))

        return self._after.changed({index: change(self._after.ops[index]) for index in self._per_class})


def _all(op: Op) -> list[Any]:
    return list(leaves((op.args, op.kwargs)))


def _is_per_class(leaf: Any, num_classes: int) -> bool:
    """Has a constant argument one entry per class, or is it the number of classes?"""
    if isinstance(leaf, Tensor):
        return leaf.ndim > 0 and leaf.shape[0] == num_classes
    return type(leaf) is int and leaf == num_classes


def _is_weight(leaf: Any, num_classes: int) -> bool:
    return isinstance(leaf, Tensor) and leaf.ndim >= 2 and leaf.shape[0] == num_classes


def _depending(head: Head) -> set[int]:
    """All values that are computed from the layer's output."""
    found = {head.entry}
    for op in head.ops:
        if op.reads & found:
            found.update(op.results)
    return found
