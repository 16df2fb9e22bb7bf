"""Work that is captured into a CUDA graph once per shape and then replayed, with one launch for all its kernels."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from nle_fast.errors import BackendError, NleWarning

__all__ = ["Graphed"]

#: Shapes kept; each holds the memory of all that its work computes.
MOST_SHAPES = 8
#: Runs before the capture: libraries choose algorithms and allocate workspaces in the first ones.
WARM_UPS = 3

Work = Callable[..., tuple[Tensor, ...]]


class _Captured:
    """One captured graph: what to fill before a replay, and what holds its results after it."""

    def __init__(self, work: Work, inputs: Sequence[Tensor], weights: Sequence[Tensor], device: torch.device) -> None:
        self.inputs = [one.clone() for one in inputs]
        # The graph knows addresses, not tensors: as long as it may be replayed, what lies there must live.
        self._weights = [weight.detach() for weight in weights]
        self._addresses = [weight.data_ptr() for weight in self._weights]
        side = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        side.wait_stream(torch.cuda.current_stream(device))
        with torch.cuda.stream(side):
            for _ in range(WARM_UPS):
                work(*self.inputs)
        torch.cuda.current_stream(device).wait_stream(side)
        self.graph = torch.cuda.CUDAGraph()
        # Errors of this thread only: another thread of the program may well allocate meanwhile.
        with torch.cuda.graph(self.graph, stream=side, capture_error_mode="thread_local"):
            self.outputs = work(*self.inputs)

    def replay(self, inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
        for place, value in zip(self.inputs, inputs, strict=True):
            place.copy_(value, non_blocking=True)
        self.graph.replay()
        return self.outputs

    def fits(self, weights: Sequence[Tensor]) -> bool:
        """Whether the network's weights still are where the graph reads them: `weight.data = …` moves them."""
        return [weight.data_ptr() for weight in weights] == self._addresses


class Graphed:
    """Calls `work`; a shape that comes again is captured, and from then on replayed.

    Where `work` cannot be captured, because it waits for the GPU, say, or decides by what it computes, it runs as it
    is; an `NleWarning` says so once, and `reason` holds why. For one thread at a time, until it has copied the results,
    which the next call overwrites.

    Args:
        work: Tensors on `device` → tensors on it; must compute the same from the same each time.
        weights: What `work` reads besides; a graph is captured anew when one of them has moved.
        device: A GPU.
        what: Names the work in the warning.

    Attributes:
        reason: Why `work` is not captured; None as long as it can be.
    """

    def __init__(self, work: Work, weights: Sequence[Tensor], device: torch.device, what: str) -> None:
        self._work, self._weights, self._device, self._what = work, weights, device, what
        self._captured: OrderedDict[tuple[object, ...], _Captured | None] = OrderedDict()
        self.reason: str | None = None

    def __call__(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """The results of `work`; they may be overwritten by the next call."""
        if self.reason is not None:
            return self._work(*inputs)
        key = tuple((tuple(one.shape), one.stride(), one.dtype) for one in inputs)
        if key not in self._captured:  # one of a kind, so far: a capture would cost more than it saves
            self._keep(key, None)
            return self._work(*inputs)
        captured = self._captured[key]
        if captured is not None:
            results = captured.replay(inputs)
            if captured.fits(self._weights):  # asked while the GPU works
                self._captured.move_to_end(key)
                return results
        try:
            captured = _Captured(self._work, inputs, self._weights, self._device)
        except (RuntimeError, BackendError) as err:
            self._captured.clear()
            self.reason = " ".join(str(err).split())
            message = f"{self._what} cannot be captured into a CUDA graph and runs kernel by kernel: {self.reason}"
            warnings.warn(message, NleWarning, stacklevel=2)
            return self._work(*inputs)
        self._keep(key, captured)
        return captured.replay(inputs)

    def _keep(self, key: tuple[object, ...], captured: _Captured | None) -> None:
        self._captured[key] = captured
        while len(self._captured) > MOST_SHAPES:
            self._captured.popitem(last=False)
