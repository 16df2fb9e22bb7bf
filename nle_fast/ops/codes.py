"""Sparse codes: of many numbers at each position the few largest that are positive, and what they stand for."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nle_fast import _core
from nle_fast.errors import ConfigError, InputError
from nle_fast.ops.scoring import VALUES_PER_THREAD, default_threads

__all__ = ["reconstruct", "sparse_codes", "weighed"]


def sparse_codes(projections: Any, active: int, *, overwrite: bool = False) -> Any:
    """At each position of each picture keep the `active` largest of what is positive; all else becomes zero.

    Of equal ones those of the lowest features are kept (on a GPU, any).

    Args:
        projections: (N, K, H, W) floating point, NumPy or torch.
        active: Most codes per position, at least 1; K or more keep all that is positive.
        overwrite: Put the codes where the projections are, if these are float32 in one piece on the CPU.

    Returns:
        (N, K, H, W): float32 NumPy; of a tensor on a GPU a tensor there, of the same dtype, without waiting for it.

    Raises:
        InputError: `projections` are not (N, K, H, W) floating point.
        ConfigError: `active` is no whole number of at least 1.

    Example:
        >>> sparse_codes(np.array([3.0, -1.0, 2.0, 1.0], np.float32).reshape(1, 4, 1, 1), 2).ravel().tolist()
        [3.0, 0.0, 2.0, 0.0]

    Source: top-k codes as in Makhzani and Frey, "k-Sparse Autoencoders", ICLR 2014; defined in `ops.reference`.
    """
    if isinstance(active, bool) or not isinstance(active, (int, np.integer)) or active < 1:
        raise ConfigError(f"`active` must be a whole number of at least 1, got {active!r}; keep one or more.")
    shape = _checked("projections", projections)
    if getattr(projections, "is_cuda", False):
        largest, places = projections.topk(min(int(active), shape[1]), dim=1, sorted=False)
        return projections.new_zeros(shape).scatter_(1, places, largest.clamp_(min=0))
    given = _on_host(projections)
    threads = default_threads(shape, VALUES_PER_THREAD >> 3)  # a value costs eight times as much as in scoring
    return _core.sparse_codes(given, int(active), threads, overwrite and given.flags.writeable)


def reconstruct(codes: Any, directions: Any) -> Any:
    """What codes stand for: at each position the sum of the features' directions times their codes.

    Args:
        codes: (N, K, H, W) floating point, NumPy or torch; those that are zero cost nothing.
        directions: (K, C) floating point, one per feature, on the same device.

    Returns:
        (N, C, H, W): float32 NumPy; of tensors on a GPU a tensor there, of their dtype, without waiting for it.

    Raises:
        InputError: `codes` or `directions` are of another shape or no floating point.

    Example:
        >>> codes = np.array([2.0, 0.0], np.float32).reshape(1, 2, 1, 1)
        >>> reconstruct(codes, np.array([[1.0, 3.0], [5.0, 7.0]], np.float32)).ravel().tolist()
        [2.0, 6.0]

    Source: this project; defined in `ops.reference`.
    """
    shape = _checked("codes", codes)
    sizes = tuple(getattr(directions, "shape", ()))
    if len(sizes) != 2 or sizes[0] != shape[1]:
        raise InputError(f"`directions` must be ({shape[1]}, C), one per feature, got {sizes}; take the codes' own.")
    if getattr(codes, "is_cuda", False):
        return (directions.T @ codes.flatten(2)).reshape(shape[0], -1, *shape[2:])
    return _core.reconstruct(_on_host(codes), _on_host(directions), default_threads(shape))


def weighed(maps: Any, slopes: Any) -> NDArray[np.float32]:
    """For each picture and channel the sum of map × slope over all positions.

    Args:
        maps: (N, C, H, W) floating point, NumPy or torch.
        slopes: (N, C, H, W); (N, 1, H, W) when all channels share it; or (N, C) when constant over space; on the same
            device.

    Returns:
        (N, C) float32; of tensors on a GPU fetched from there.

    Raises:
        InputError: Shapes that do not fit each other.

    Example:
        >>> weighed(np.ones((1, 2, 1, 3), np.float32), np.array([[1.0, 2.0]], np.float32)).tolist()
        [[3.0, 6.0]]

    Source: this project; defined in `ops.reference`.
    """
    shape = _checked("maps", maps)
    sizes = tuple(getattr(slopes, "shape", ()))
    shared = (shape[0], 1, *shape[2:])
    if sizes not in (shape, shared, shape[:2]):
        raise InputError(
            f"`slopes` must be {shape}, {shared} or {shape[:2]}, got {sizes}; take the gradient at these maps."
        )
    if getattr(maps, "is_cuda", False):
        weights = slopes if slopes.ndim == 4 else slopes[:, :, None, None]
        return np.asarray((maps.float() * weights.float()).sum((2, 3)).cpu())
    return _core.weighed(_on_host(maps), _on_host(slopes), default_threads(shape))


def _checked(name: str, array: Any) -> tuple[int, ...]:
    shape = tuple(getattr(array, "shape", ()))
    dtype = getattr(array, "dtype", None)
    if len(shape) != 4 or (getattr(dtype, "kind", "") != "f" and "float" not in str(dtype)):
        given = f"{getattr(array, 'dtype', type(array).__name__)} of shape {shape}"
        raise InputError(f"`{name}` must be floating point (N, K, H, W), got {given}; encode activations first.")
    return shape


def _on_host(array: Any) -> NDArray[np.float32]:
    if hasattr(array, "detach"):  # a torch tensor
        array = array.detach().float().contiguous().numpy()
    return np.ascontiguousarray(array, np.float32)
