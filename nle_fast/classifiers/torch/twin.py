"""A twin of the user's network: the same tensors, but modules, flags and hooks of its own; and what it returns."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any

import torch
from torch import Tensor, nn

from nle_fast.errors import BackendError, ModelError

__all__ = ["make_twin", "own_buffers", "select", "selector", "share_buffers", "weights_digest"]

EXPORT = "export it to ONNX and pass the file's path"


def make_twin(model: nn.Module, device: torch.device | str | None) -> nn.Module:
    """A copy of `model` in eval mode that shares its weights; on another `device` it has its own.

    Hooks that the network comes with (pruning, spectral norm, …) belong to what it computes and are kept.

    Raises:
        ModelError: It is a TorchScript module, has uninitialised weights, or cannot be copied.
        BackendError: Torch cannot use `device`.
    """
    model = _unwrapped(model)
    if isinstance(model, torch.jit.ScriptModule):
        raise ModelError(
            f"`model` must be an ordinary torch module, got TorchScript ({type(model).__name__}), which cannot be cut "
            f"at a layer; pass the module it was made from, or {EXPORT}."
        )
    if any(torch.nn.parameter.is_lazy(weight) or weight.is_meta for weight in [*model.parameters(), *model.buffers()]):
        raise ModelError(
            "`model` must have its weights, got lazy modules or meta tensors without values; "
            "run a lazy network once first, or load the weights."
        )
    memo: dict[int, Any] = {}
    for module in model.modules():
        # Also tensors that are plain attributes: pruning leaves non-leaf tensors there, which deepcopy refuses.
        for tensor in [*module._parameters.values(), *module._buffers.values(), *vars(module).values()]:
            if isinstance(tensor, Tensor):  # Autograd cannot save inference tensors: those get a copy.
                memo[id(tensor)] = tensor.clone() if tensor.is_inference() else tensor
    try:
        for module in list(model.modules()):
            if _is_compiled(module):
                memo[id(module)] = copy.deepcopy(module._modules["_orig_mod"], memo)
        twin = copy.deepcopy(model, memo)
    except Exception as err:
        raise ModelError(
            f"`model` must be copyable with copy.deepcopy, got {type(err).__name__}: {err}; "
            f"remove what cannot be copied from the module's attributes, or {EXPORT}."
        ) from err
    return _moved(twin, device).eval()


def _moved(twin: nn.Module, device: torch.device | str | None) -> nn.Module:
    """The twin on `device`, with weights of its own if it has to move; nothing of the user's moves."""
    if device is None:
        return twin
    try:
        there = torch.empty(0, device=device).device  # "cuda" becomes "cuda:0"
        if there.type == "meta":
            raise NotImplementedError("meta tensors hold no values")
        stays = all(tensor.device == there for tensor in [*twin.parameters(), *twin.buffers()])
        return twin if stays else copy.deepcopy(twin).to(there)
    except (RuntimeError, AssertionError, NotImplementedError, TypeError) as err:
        raise BackendError(
            f"`device` must be one that torch can use here, got {device!r} ({type(err).__name__}: {err}); "
            'use "cpu", or leave it out to stay where the module is.'
        ) from err


def _is_compiled(module: nn.Module) -> bool:
    return type(module).__name__ == "OptimizedModule" and "_orig_mod" in module._modules


def _unwrapped(model: nn.Module) -> nn.Module:
    while _is_compiled(model) or isinstance(model, (nn.DataParallel, nn.parallel.DistributedDataParallel)):
        inner = model._modules.get("_orig_mod", model._modules.get("module"))
        assert inner is not None
        model = inner
    return model


Buffers = dict[tuple[nn.Module, str], tuple[Tensor, Tensor, int]]


def own_buffers(twin: nn.Module) -> Buffers:
    """Give the twin its own buffers for a first run, in case the network writes to them even in eval mode."""
    kept: Buffers = {}
    for module in twin.modules():
        for name, buffer in module._buffers.items():
            if buffer is not None:
                own = buffer.clone()
                module._buffers[name] = own
                kept[module, name] = (buffer, own, own._version)
    return kept


def share_buffers(kept: Buffers) -> None:
    """Share again the buffers that the first run left alone; the others stay the twin's own."""
    for (module, name), (original, own, version) in kept.items():
        if module._buffers[name] is own and own._version == version:
            module._buffers[name] = original


def weights_digest(twin: nn.Module, layer: str) -> str:
    """Hash of all names, shapes, types and bytes of parameters and buffers, and of the layer's name."""
    digest = blake2b(digest_size=16)
    for name, tensor in sorted([*twin.named_parameters(), *twin.named_buffers()]):
        digest.update(f"{name}{tuple(tensor.shape)}{tensor.dtype}".encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    digest.update(f"@{layer}".encode())
    return digest.hexdigest()


def select(result: Any, path: tuple[Any, ...]) -> Any:
    """The part of a network's result that `path` leads to: keys, indices or attribute names."""
    for key in path:
        result = getattr(result, key) if isinstance(key, str) and not isinstance(result, Mapping) else result[key]
    return result


def selector(result: Any, output: Any, count: int) -> tuple[Any, ...]:
    """The path to the logits of `count` pictures in what a network returned.

    Args:
        result: What the network returned.
        output: The user's choice: a key, an index, an attribute, or a tuple of these; None: the only candidate.
        count: Number of pictures, N.

    Raises:
        ModelError: There are no logits (N, K) with K ≥ 2 at `output`, or not exactly one candidate without it.
    """
    entries: dict[tuple[Any, ...], Any] = dict(_entries(result, ()))
    if output is not None:
        path: tuple[Any, ...] = output if isinstance(output, tuple) else (output,)
        try:
            chosen = select(result, path)
        except (LookupError, TypeError, AttributeError):
            raise ModelError(
                f"`output` must name a part of what the network returns, got {output!r}; choose from {_list(entries)}."
            ) from None
        if not _is_logits(chosen, count):
            raise ModelError(f"`output` must name logits (N, K) with K ≥ 2, got {_kind(chosen)}; {_list(entries)}.")
        return path
    found = [path for path, value in entries.items() if _is_logits(value, count)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise ModelError(
            f"`model` must return logits (N, K) with K ≥ 2 for N = {count} pictures, got {_list(entries)}; "
            "wrap it in a module that returns the logits."
        )
    first = found[0][0] if len(found[0]) == 1 else found[0]
    raise ModelError(
        f"`model` must return one tensor of logits (N, K), got several: {_list(entries)}; "
        f"say which, e.g. TorchClassifier(model, output={first!r})."
    )


def _entries(result: Any, path: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if isinstance(result, Mapping):
        for key, value in result.items():
            yield from _entries(value, (*path, key))
    elif isinstance(result, Sequence) and not isinstance(result, str):
        for index, value in enumerate(result):
            yield from _entries(value, (*path, index))
    elif hasattr(result, "__dataclass_fields__"):
        for name in result.__dataclass_fields__:
            yield from _entries(getattr(result, name), (*path, name))
    else:
        yield path, result


def _is_logits(value: Any, count: int) -> bool:
    if not isinstance(value, Tensor) or not value.is_floating_point() or value.ndim not in (2, 4):
        return False
    return value.shape[0] == count and value.shape[1] >= 2 and value.shape[2:].numel() == 1


def _kind(value: Any) -> str:
    return f"{value.dtype} {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__


def _list(entries: Mapping[tuple[Any, ...], Any]) -> str:
    named = (
        f"{path[0] if len(path) == 1 else path!r}: {_kind(v)}" if path else _kind(v) for path, v in entries.items()
    )
    return ", ".join(named) or "nothing"
