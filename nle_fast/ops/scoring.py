"""Gradient × activation scores: which neurons speak for a class, which against it, and their maps."""

from __future__ import annotations

import importlib.util
import math
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, TypeGuard

import numpy as np
from numpy.typing import NDArray

from nle_fast import _core
from nle_fast.errors import ConfigError, InputError, MissingExtraError, NleWarning

if TYPE_CHECKING:
    import torch

    Array: TypeAlias = NDArray[Any] | torch.Tensor

__all__ = ["TopNeurons", "finite_top", "score_neurons"]

ELEMENTS = ("float32", "float16", "bfloat16")
# Starting a thread costs what scoring about a hundred thousand values costs; give each several times that.
VALUES_PER_THREAD = 1 << 19


@dataclass(frozen=True, eq=False, slots=True)
class TopNeurons:
    """The neurons with the strongest scores; iterating gives values, neurons, maps.

    Attributes:
        values: (N, k') float32 scores, strongest first; k' is k, or 2 k for `"both"`.
        neurons: (N, k') int64 indices.
        maps: (N, k', H, W) float32, the activations of these neurons.
        total: (N,) float32, Σ_c max(score_c, 0) over all neurons: what a share is a share of.
    """

    values: NDArray[np.float32]
    neurons: NDArray[np.int64]
    maps: NDArray[np.float32]
    total: NDArray[np.float32]

    def __iter__(self) -> Iterator[NDArray[Any]]:
        yield self.values
        yield self.neurons
        yield self.maps


def score_neurons(
    activations: Array,
    gradients: Array,
    k: int,
    reduce: str = "sum",
    sign: str = "supporting",
    *,
    threads: int | None = None,
) -> TopNeurons:
    """Score every neuron in one pass and take the top k with their maps.

    With R = A · G: `"sum"` scores Σ_hw R; `"max"` scores max_hw relu(R) for support and −max_hw relu(−R) for
    opposition. Ties go to the lowest neuron index. Sums are within 1e-5 of the exact ones, relative to Σ_hw |R|. Arrays
    that are not contiguous are copied once; CPU tensors that are contiguous are read where they lie. A CUDA tensor is
    scored on its GPU in one launch, whatever its strides, and only the result is copied to the host.

    Args:
        activations: (N, C, H, W), float32, float16 or bfloat16, NumPy or torch.
        gradients: (N, C, H, W), or (N, C) when constant over space; on the same device. A dtype other than that of the
            activations costs a float32 copy of the 16-bit one.
        k: Neurons to keep, at least 1; more than C are clipped to C with an `NleWarning`.
        reduce: `"sum"` or `"max"`.
        sign: `"supporting"`: the k largest scores, falling. `"opposing"`: the k smallest, rising. `"both"`: first the k
            supporting, then the k opposing.
        threads: CPU threads over the pictures, at least 1; None: one for small work, else up to the cores of this
            process. The result does not depend on it.

    Returns:
        `TopNeurons`, all NumPy; `total` always adds up the supporting scores.

    Raises:
        ConfigError: `k` or `threads` below 1, or an unknown `reduce` or `sign`.
        InputError: Arrays of another type, dtype, shape or device, empty ones, or a relevance or score that is not
            finite; the message names the picture and the neuron.
        MissingExtraError: A CUDA tensor where Triton is not installed.

    Example:
        >>> activations = np.array([[[[1.0, 2.0]], [[3.0, 0.0]]]], dtype=np.float32)
        >>> weights = np.array([[1.0, 2.0]], dtype=np.float32)
        >>> values, neurons, maps = score_neurons(activations, weights, k=1)
        >>> values.tolist(), neurons.tolist(), maps.tolist()
        ([[6.0]], [[1]], [[[[3.0, 0.0]]]])

    Source: gradient × activation, which equals LRP-0 for piecewise-linear heads; defined in `ops.reference`.
    """
    # Most calls are plain, and small enough that this function's checks would take longer than the scoring.
    top: TopNeurons | None = _core.score_plain(activations, gradients, k, reduce, sign, threads, TopNeurons)
    if top is not None:
        return top
    _check_options(k, reduce, sign, threads)
    elements = [_element("activations", activations), _element("gradients", gradients)]
    _check_shapes(activations, gradients)
    if gradients.ndim == 4 and _is_constant(gradients):
        gradients = gradients[:, :, 0, 0]
    if k > activations.shape[1]:
        message = f"`k` must be at most the {activations.shape[1]} neurons of the layer, got {k}; all are taken."
        warnings.warn(message, NleWarning, stacklevel=2)
    k = min(int(k), activations.shape[1])
    element = elements[0] if elements[0] == elements[1] else "float32"
    supporting, opposing = sign != "opposing", sign != "supporting"

    if _on_gpu(activations, gradients):
        score = _gpu_scorer()
        found = score(activations, gradients, k, maximum=reduce == "max", supporting=supporting, opposing=opposing)
    else:
        found = _core.score_neurons(
            _host_array(activations, element),
            _host_array(gradients, element),
            element,
            k,
            reduce == "max",
            supporting,
            opposing,
            threads or default_threads(activations.shape),
        )
    return finite_top(found)


def finite_top(found: Sequence[NDArray[Any]]) -> TopNeurons:
    """`TopNeurons` of values, neurons, maps, total and bad; `InputError` where `bad` names a neuron."""
    values, neurons, maps, total, bad = found
    if max(bad.tolist()) >= 0:
        picture = int(np.argmax(bad >= 0))
        raise InputError(
            "`activations` × `gradients` must be finite, got a value that is not finite "
            f"in picture {picture}, neuron {bad[picture]}; "
            "look for NaN in the picture or the weights, or for overflow in half precision."
        )
    return TopNeurons(values, neurons, maps, total)


def _check_options(k: int, reduce: str, sign: str, threads: int | None) -> None:
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or k < 1:
        raise ConfigError(f"`k` must be an integer of at least 1, got {k!r}; ask for one neuron or more.")
    if reduce not in ("sum", "max"):
        raise ConfigError(f"`reduce` must be 'sum' or 'max', got {reduce!r}; choose one of these.")
    if sign not in ("supporting", "opposing", "both"):
        raise ConfigError(f"`sign` must be 'supporting', 'opposing' or 'both', got {sign!r}; choose one of these.")
    if threads is not None and (isinstance(threads, bool) or not isinstance(threads, (int, np.integer)) or threads < 1):
        raise ConfigError(f"`threads` must be an integer of at least 1, or None, got {threads!r}; leave it out.")


def _is_tensor(array: object) -> TypeGuard[torch.Tensor]:
    # Whoever passes a tensor has imported torch; nobody else shall pay for the import.
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(array, torch.Tensor)


def _element(name: str, array: Array) -> str:
    """Name of the dtype, checked."""
    if _is_tensor(array):
        element = str(array.dtype).removeprefix("torch.")
        if str(array.layout) != "torch.strided":
            raise InputError(f"`{name}` must be a dense tensor, got {array.layout}; call .to_dense().")
    elif isinstance(array, np.ndarray):
        # The names of NumPy's dtypes are slow to come by; ml_dtypes' bfloat16 and foreign byte orders take that way.
        element = "float32" if array.dtype == np.float32 else array.dtype.name
    else:
        raise InputError(
            f"`{name}` must be a NumPy array or a torch tensor, got {type(array).__name__}; call numpy.asarray."
        )
    if element not in ELEMENTS:
        raise InputError(f"`{name}` must be float32, float16 or bfloat16, got {element}; convert it to float32.")
    return element


def _check_shapes(activations: Array, gradients: Array) -> None:
    shape = tuple(activations.shape)
    if len(shape) != 4 or 0 in shape:
        raise InputError(
            f"`activations` must be (N, C, H, W) without an empty dimension, got shape {shape}; "
            "pass the output of a convolutional layer."
        )
    if tuple(gradients.shape) not in (shape, shape[:2]):
        raise InputError(
            f"`gradients` must have the shape of the activations {shape} or, when constant over space, {shape[:2]}, "
            f"got {tuple(gradients.shape)}; take the gradient with respect to these activations."
        )


def _is_constant(gradients: Array) -> bool:
    """Whether the planes are one value seen many times, as the backward pass of an average pooling returns them."""
    strides = gradients.stride() if _is_tensor(gradients) else np.asarray(gradients).strides
    return tuple(strides[2:]) == (0, 0)


def _on_gpu(activations: Array, gradients: Array) -> bool:
    hosts = [not _is_tensor(array) or array.is_cpu for array in (activations, gradients)]
    if all(hosts):
        return False
    devices = [str(array.device) if _is_tensor(array) else "cpu" for array in (activations, gradients)]
    if devices[0] != devices[1]:
        raise InputError(
            f"`gradients` must be on the device of the activations, {devices[0]}, got {devices[1]}; move one of them."
        )
    return devices[0].startswith("cuda")


def _gpu_scorer() -> Any:
    if importlib.util.find_spec("triton") is None:
        raise MissingExtraError(
            "`activations` on a GPU must be scored by Triton, got no package triton; "
            "pip install triton, or move the tensors to the CPU."
        )
    from nle_fast.kernels.score_neurons import score_neurons as score

    return score


def _host_array(array: Array, element: str) -> NDArray[Any]:
    """A contiguous NumPy view (a copy only where it must be one); bfloat16 as its bits: NumPy has no such type."""
    if _is_tensor(array):
        torch = sys.modules["torch"]
        tensor = array.detach()
        if not (tensor.is_cpu and tensor.is_contiguous()) or str(tensor.dtype) != f"torch.{element}":
            tensor = tensor.to(device="cpu", dtype=getattr(torch, element)).contiguous()
        bits: NDArray[Any] = (tensor.view(torch.int16) if element == "bfloat16" else tensor).numpy()
        return bits
    plain = np.asarray(array)
    if element != "bfloat16":
        # Asked for by name, the dtype is in the byte order of this machine.
        return np.require(plain, dtype=element, requirements=["C", "A"])
    native = plain.astype(plain.dtype.newbyteorder("="), copy=False)
    return np.require(native, requirements=["C", "A"]).view(np.int16)


def default_threads(shape: tuple[int, ...], per_thread: int = VALUES_PER_THREAD) -> int:
    shares = min(shape[0], math.prod(shape) // per_thread)
    if shares <= 1:
        return 1
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, shares)
