"""A look at a batch on a GPU: forward, gradients, scores and copy on one stream, with one wait for the host.

Which class is explained is settled on the GPU, so that nothing has to come back in between. All results lie in one
buffer: those of the scoring, then the logits, then the classes. Trunk, head and scoring together are captured into a
CUDA graph when a shape comes again; where the trunk cannot be, what comes after it still is.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nle_fast.classifiers.torch.graph import Graphed
from nle_fast.classifiers.torch.rows import AllRows
from nle_fast.classifiers.torch.tape import Head
from nle_fast.ops.on_gpu import Layout, launch, to_host

__all__ = ["GpuLook", "Scoring", "Seen"]


class Scoring(NamedTuple):
    """What is asked of `ops.score_neurons`: k, and which scores."""

    k: int
    maximum: bool
    supporting: bool
    opposing: bool


class Seen(NamedTuple):
    """What one look gives, on the host but for the activations.

    Attributes:
        logits: (N, K) float32.
        class_index: (N,) int64, the classes that are explained.
        found: values, neurons, maps, total and bad, as of `_core.score_neurons`.
        activations: (N, C, H, W) on the GPU, of the caller's own; None where it did not ask for them.
    """

    logits: NDArray[np.float32]
    class_index: NDArray[np.int64]
    found: tuple[NDArray[Any], ...]
    activations: Tensor | None


class GpuLook:
    """Looks at batches with one classifier; threads take turns.

    Args:
        prepare: (N, 3, h, w) on the GPU → the same as the network wants it, or `InputError`.
        trunk: Pictures → activations (N, C, H, W).
        head: Activations → logits (N, K).
        closed: (target, versus, activations) → gradients (N, C), where the head has a closed form; else None, and
            autograd walks it.
        weights: All that trunk and head read.
        device: The GPU.
    """

    def __init__(
        self,
        prepare: Callable[[Tensor], Tensor],
        trunk: Callable[[Tensor], Tensor],
        head: Head,
        closed: Callable[[Tensor, Tensor | None, Tensor], Tensor] | None,
        weights: Sequence[Tensor],
        device: torch.device,
    ) -> None:
        self._prepare, self._trunk, self._head, self._closed = prepare, trunk, head, closed
        self._weights, self._device = weights, device
        # Of K logits one is explained, but to pick its row needs to know it on the host.
        self._rows = AllRows(head)
        self._works: dict[Scoring, tuple[Graphed, Graphed]] = {}
        self._arrived = [torch.zeros(1024, dtype=torch.int32, device=device)]
        self._lock = threading.Lock()

    def __call__(
        self,
        images: Any,
        target: NDArray[np.int64] | None,
        versus: NDArray[np.int64] | None,
        scoring: tuple[int, bool, bool, bool],
        *,
        keep_activations: bool = False,
    ) -> Seen:
        """Look at (N, 3, h, w), NumPy or torch; `target` and `versus` as of `read`: -1 for the winner and for none.

        `scoring` are the fields of a `Scoring`.
        """
        count, scoring = len(images), Scoring(*scoring)
        classes = [np.full(count, -1, np.int64) if target is None else target]
        if versus is not None and bool((versus >= 0).any()):
            classes.append(versus)
        chosen = [to_device(one, self._device) for one in classes]
        with self._lock, torch.inference_mode(False), torch.no_grad():
            pictures = self._prepare(to_device(images, self._device))
            # Graphs know these by address, so that longer ones do not replace them. They belong to this object alone,
            # whose looks follow one another: no other launch counts in them at the same time.
            if len(self._arrived[-1]) < count:
                self._arrived.append(torch.zeros(count, dtype=torch.int32, device=self._device))
            whole, after = self._graphs(scoring)
            if whole.reason is None:
                results, maps = whole(pictures, *chosen)
            else:
                results, maps = after(self._trunk(pictures), *chosen)
            kept = maps.clone() if keep_activations else None
            host = to_host(results)
        layout = _layout(maps, scoring)
        logits = host[layout.size() : len(host) - count].reshape(count, -1)
        return Seen(logits, host[len(host) - count :].view(np.int32).astype(np.int64), layout.unpack(host), kept)

    def _graphs(self, scoring: Scoring) -> tuple[Graphed, Graphed]:
        """The whole work, and what comes after the trunk."""
        if scoring not in self._works:

            def after(maps: Tensor, *classes: Tensor) -> tuple[Tensor, ...]:
                return self._after(scoring, maps, *classes), maps

            def whole(pictures: Tensor, *classes: Tensor) -> tuple[Tensor, ...]:
                return after(self._trunk(pictures), *classes)

            self._works[scoring] = (
                Graphed(whole, self._weights, self._device, "The network"),
                Graphed(after, self._weights, self._device, "What comes after the layer"),
            )
        return self._works[scoring]

    def _after(self, scoring: Scoring, maps: Tensor, target: Tensor, versus: Tensor | None = None) -> Tensor:
        """All results of a batch in one float32 tensor; nothing here waits for the GPU."""
        count = len(maps)
        if self._closed is None:
            logits, inner, leaf = self._rows(maps)
        else:
            logits = self._head(maps)
        logits = logits.detach().reshape(count, -1).float()
        chosen = torch.where(target < 0, logits.argmax(dim=1), target)
        if self._closed is None:
            gradients = self._rows.gradients(inner, leaf, chosen, versus)
        else:
            gradients = self._closed(chosen, versus, maps)
        size = _layout(maps, scoring).size()
        results = torch.empty(size + logits.numel() + count, dtype=torch.float32, device=maps.device)
        launch(maps, gradients, **scoring._asdict(), output=results[:size], arrived=self._arrived[-1])
        results[size:-count].copy_(logits.flatten())
        results[-count:].view(torch.int32).copy_(chosen)
        return results


def _layout(maps: Tensor, scoring: Scoring) -> Layout:
    return Layout(len(maps), scoring.k * (scoring.supporting + scoring.opposing), *maps.shape[2:])


def to_device(array: Any, device: torch.device) -> Tensor:
    """A tensor on the GPU; from the host by way of page-locked memory, so that the copy waits for nothing."""
    if isinstance(array, Tensor):
        return array.to(device, non_blocking=True)
    if device.type != "cuda":
        return torch.from_numpy(np.array(array))
    array = np.asarray(array)
    host = torch.empty(array.shape, dtype=torch.from_numpy(np.empty(0, array.dtype)).dtype, pin_memory=True)
    host.numpy()[...] = array
    return host.to(device, non_blocking=True)
