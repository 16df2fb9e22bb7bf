"""What a head makes of a reconstruction, as a loss that torch can follow back.

Every head has *class rows* (classes, C): what each class's logit gains per channel. They give the tree of classes, and
the coordinates of `sight`, in which learning runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from nle_fast.classifiers import Classifier
from nle_fast.classifiers.base import as_numpy
from nle_fast.features.products import fast_precision, times
from nle_fast.features.sight import Sight

if TYPE_CHECKING:
    import torch
    from torch import Tensor

__all__ = ["AnyHead", "Head", "PooledHead", "ReluHead", "Terms", "class_rows", "open_head"]

#: Classes whose gradients a head of no closed form is asked for, per picture and step: those that matter most.
FOLLOWED = 6


#: Features that an explanation names, and the least logit (above the mean class) that shares are taken of.
FIVE, LEAST_LOGIT = 5, 1e-3


class Terms(NamedTuple):
    """How far a reconstruction is from the network, scalars ≥ 0 of a batch.

    Attributes:
        position: Relative squared error as the head sees it at each position.
        pooled: Of the whole map.
        divergence: KL of the probabilities, in nats.
        five: Mean of (1 − share of the winner's logit that the five largest scores carry)².
    """

    position: Tensor
    pooled: Tensor
    divergence: Tensor
    five: Tensor


class Head(Protocol):
    """What comes after the layer, for maps in coordinates."""

    def terms(self, x: Tensor, r: Tensor, codes: Tensor, atoms: Tensor) -> Terms:
        """What maps x (N, positions, d) lose by their residual r; codes (N, positions, K), atoms (K, d)."""


def class_rows(
    classifier: Classifier, maps: NDArray[np.float32], *, batch: int = 16
) -> tuple[NDArray[np.float32], str]:
    """(classes, C), what each class's logit gains per channel, and where that is from.

    `"weight"`: the linear map of a head that pools; `"convolution"`: of one that is 1 × 1 convolution, ReLU and mean;
    `"gradients"`: of any other, the mean over these pictures and all positions of each logit's gradient.

    Args:
        classifier: Cut at the layer.
        maps: (N, C, H, W), activations that gradients are taken at.
        batch: Pictures at a time.
    """
    weight = getattr(classifier, "pooled_weight", None)
    if weight is not None:
        return np.asarray(weight, np.float32), "weight"
    head = getattr(classifier, "relu_head", None)
    if head is not None:
        return np.asarray(head.weight, np.float32), "convolution"
    rows = np.zeros((int(classifier.num_classes), maps.shape[1]), np.float64)
    for start in range(0, len(maps), batch):
        some = np.ascontiguousarray(maps[start : start + batch])
        for label in range(len(rows)):
            found = as_numpy(classifier.gradients(some, np.full(len(some), label, np.int64))).astype(np.float64)
            rows[label] += found.sum(0) if found.ndim == 2 else found.mean((2, 3)).sum(0)
    return (rows / len(maps)).astype(np.float32), "gradients"


class PooledHead:
    """A head that pools and is linear: everything in closed form.

    Args:
        weight: (classes, d), in coordinates.
        offset: (classes,) logits of the mean activation.
        seen: (d,) the head's metric.
    """

    def __init__(self, weight: Tensor, offset: Tensor, seen: Tensor) -> None:
        self._weight, self._offset, self._seen = weight, offset, seen

    def terms(self, x: Tensor, r: Tensor, codes: Tensor, atoms: Tensor) -> Terms:
        """See `Head`."""
        whole, missing = x.mean(1), r.mean(1)
        logits = whole @ self._weight.T + self._offset
        scores = codes.mean(1) * (_above(self._weight) @ atoms.T)[logits.argmax(1)]
        return Terms(
            _visible(r, x, self._seen),
            _visible(missing, whole, self._seen),
            _divergence(logits, logits - missing @ self._weight.T),
            _left(scores, _above(logits.T).T),
        )


class ReluHead:
    """1 × 1 convolution to the classes, ReLU, mean over space: what ReLU cuts off does not count.

    Args:
        weight: (classes, d), in coordinates.
        offset: (classes,) what the mean activation gives before ReLU.
    """

    def __init__(self, weight: Tensor, offset: Tensor) -> None:
        self._weight, self._offset = weight, offset

    def terms(self, x: Tensor, r: Tensor, codes: Tensor, atoms: Tensor) -> Terms:
        """See `Head`."""
        precision = fast_precision(x.device)
        before = times(x, self._weight.T, precision) + self._offset
        found, told = before.relu(), (before - times(r, self._weight.T, precision)).relu()
        logits = found.mean(1)
        winner = logits.argmax(1)
        on = (found.gather(2, winner[:, None, None].expand(-1, x.shape[1], 1)) > 0).float()
        scores = (codes * on).mean(1) * (self._weight @ atoms.T)[winner]
        return Terms(
            _relative(found - told, found),
            _relative(logits - told.mean(1), logits),
            _divergence(logits, told.mean(1)),
            _left(scores, logits),
        )


class AnyHead:
    """A head of no closed form is run on the whole reconstructed map.

    Its gradient there is followed back for the `FOLLOWED` classes of each picture on whose logits the loss depends
    most, which is all of them for heads of few classes; the others' part of the gradient is left out. Per position
    there is no logit, and the metric of the class rows stands for it.

    Args:
        classifier: Its `logits` and `gradients` are asked.
        rows: (classes, d), in coordinates.
        mean: (C,) of the layer.
        show: (C, d) from coordinates to channels.
        seen: (d,) the head's metric.
        shape: (H, W).
    """

    def __init__(
        self,
        classifier: Classifier,
        rows: Tensor,
        mean: Tensor,
        show: Tensor,
        seen: Tensor,
        shape: tuple[int, int],
    ) -> None:
        self._rows = rows
        self._mean, self._show, self._seen, self._shape = mean, show, seen, shape
        self._run = _followed(classifier)

    def terms(self, x: Tensor, r: Tensor, codes: Tensor, atoms: Tensor) -> Terms:
        """See `Head`."""
        found, told = self._logits(x), self._logits(x - r)
        found = found.detach()
        # The classes' mean gradients stand for the gradient of each picture.
        scores = codes.mean(1) * (_above(self._rows) @ atoms.T)[found.argmax(1)]
        above = scores.clamp(min=0).sum(1, keepdim=True).detach().clamp(min=1e-9)
        return Terms(
            _visible(r, x, self._seen),
            _relative(found - told, found),
            _divergence(found, told),
            (1 - (scores / above).topk(min(FIVE, scores.shape[1]), 1).values.clamp(min=0).sum(1)).square().mean(),
        )

    def _logits(self, x: Tensor) -> Tensor:
        maps = (x @ self._show.T + self._mean).swapaxes(1, 2).reshape(len(x), -1, *self._shape)
        logits: Tensor = self._run(maps)
        return logits


def open_head(
    classifier: Classifier, rows: NDArray[np.float32], sight: Sight, shape: tuple[int, int], device: Any
) -> Head:
    """The head of a classifier, for maps (H, W) in the coordinates of `sight`."""
    import torch

    show, mean, seen = (torch.from_numpy(part).to(device) for part in (sight.show, sight.mean, sight.seen))
    own = torch.tensor(rows).to(device)
    if getattr(classifier, "pooled_weight", None) is not None:
        flat = np.broadcast_to(sight.mean[None, :, None, None], (1, len(mean), *shape))
        offset = as_numpy(classifier.logits(np.ascontiguousarray(flat, np.float32)))[0]
        return PooledHead(own @ show, torch.from_numpy(np.array(offset, np.float32)).to(device), seen)
    if (head := getattr(classifier, "relu_head", None)) is not None:
        return ReluHead(own @ show, own @ mean + torch.from_numpy(np.array(head.bias, np.float32)).to(device))
    return AnyHead(classifier, own @ show, mean, show, seen, shape)


def _above(rows: Tensor) -> Tensor:
    """Above the mean of the classes, the first axis."""
    return rows - rows.mean(0, keepdim=True)


def _left(scores: Tensor, logits: Tensor) -> Tensor:
    """Mean of (1 − what the five largest scores (N, K) carry of the winner's logit)²."""
    whole = logits.max(1).values.clamp(min=LEAST_LOGIT)
    told = scores.topk(min(FIVE, scores.shape[1]), 1).values.clamp(min=0).sum(1)
    return (1 - told / whole).square().mean()


def _visible(r: Tensor, x: Tensor, seen: Tensor) -> Tensor:
    return (r.square() @ seen).sum() / (x.square() @ seen).sum().clamp(min=1e-12)


def _relative(error: Tensor, whole: Tensor) -> Tensor:
    """Σ error² / Σ whole², both above the mean of the classes (the last axis)."""
    error, whole = error - error.mean(-1, keepdim=True), whole - whole.mean(-1, keepdim=True)
    return error.square().sum() / whole.square().sum().clamp(min=1e-12)


def _divergence(found: Tensor, told: Tensor) -> Tensor:
    from torch.nn.functional import kl_div, log_softmax

    return kl_div(log_softmax(told, 1), log_softmax(found, 1), log_target=True, reduction="batchmean")


def _followed(classifier: Classifier) -> Any:
    """`classifier.logits` as a function whose gradient torch can ask for."""
    import torch

    class Followed(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, maps: torch.Tensor) -> torch.Tensor:
            given = maps.detach().cpu().numpy().astype(np.float32)
            ctx.given, ctx.device = given, maps.device
            return torch.from_numpy(np.array(as_numpy(classifier.logits(given)), np.float32)).to(maps.device)

        @staticmethod
        def backward(ctx: Any, slopes: torch.Tensor) -> torch.Tensor:
            strength = slopes.detach().cpu().numpy()
            total = np.zeros_like(ctx.given)
            order = np.argsort(-np.abs(strength), axis=1, kind="stable")[:, :FOLLOWED]
            for labels in order.T:
                found = as_numpy(classifier.gradients(ctx.given, labels.astype(np.int64)))
                found = found[:, :, None, None] if found.ndim == 2 else found
                total += found * np.take_along_axis(strength, labels[:, None], 1)[:, :, None, None]
            return torch.from_numpy(total).to(ctx.device)

    return Followed.apply
