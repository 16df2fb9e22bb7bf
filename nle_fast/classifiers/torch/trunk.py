"""A network's forward pass from pictures to one layer's output, or to its end with that output kept."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from nle_fast.classifiers.torch.layers import Layer
from nle_fast.errors import BackendError, NleError

__all__ = ["Trunk", "blamed"]


class _ReachedError(BaseException):
    """Ends a forward pass at the layer; not an Exception, so that a network's own `except` lets it through."""


class Trunk:
    """Pictures (N, 3, h, w), as the network wants them, → activations (N, C, H, W); may be shared by threads.

    Args:
        twin: The network; gets one hook for good.
        layer: Where to cut it.
    """

    def __init__(self, twin: nn.Module, layer: Layer) -> None:
        self._twin, self._layer = twin, layer
        self._local = threading.local()
        twin.get_submodule(layer.name).register_forward_hook(self._reached)

    def __call__(self, pictures: Tensor) -> Tensor:
        """Activations; the forward pass ends at the layer.

        Raises:
            BackendError: The network failed, or did not come to the layer as it did before.
        """
        return self._run(pictures, stop=True)[0]

    def whole(self, pictures: Tensor) -> tuple[Tensor, Any]:
        """Activations, and what the network returns; raises as a call does."""
        return self._run(pictures, stop=False)

    def _run(self, pictures: Tensor, *, stop: bool) -> tuple[Tensor, Any]:
        local, returned = self._local, None
        local.calls, local.found, local.stop = self._layer.call, None, stop
        try:
            # Inference mode spares each operator what autograd would need of it; the copy below is an ordinary tensor.
            with blamed(pictures), torch.inference_mode():
                returned = self._twin(pictures)
        except _ReachedError:
            pass
        finally:
            found, local.calls, local.found = local.found, 0, None
        if not isinstance(found, Tensor) or tuple(found.shape[1:]) != self._layer.shape:
            raise BackendError(
                f"The network must reach `layer` {self._layer.name!r} with {self._layer.shape} for every picture, got "
                f"{'nothing' if found is None else tuple(found.shape[1:])}; choose a layer that always runs alike."
            )
        return found.clone() if found.is_inference() else found, returned

    def _reached(self, module: nn.Module, args: Any, output: Any) -> None:
        """The layer's hook: keeps the output of the wanted call in this thread, and may end the forward pass there."""
        local = self._local
        calls = getattr(local, "calls", 0)
        if not calls:
            return
        local.calls = calls - 1
        if calls == 1:
            local.found = output
            if local.stop:
                raise _ReachedError
            if isinstance(output, Tensor):  # what follows may write to it
                with torch.inference_mode(False):
                    local.found = output.clone()


@contextmanager
def blamed(pictures: Tensor) -> Iterator[None]:
    """What the user's network raises is told as a `BackendError` that says on which pictures."""
    try:
        yield
    except NleError:
        raise
    except Exception as err:
        reason = " ".join(str(err).split())
        raise BackendError(
            f"The network failed on pictures {tuple(pictures.shape)}, {pictures.dtype}, on {pictures.device}: "
            f"{type(err).__name__}: {reason}; give the `input_size` that it was made for."
        ) from err
