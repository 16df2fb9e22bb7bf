"""The door to the GPU for a caller who stays on it: a launch that waits for nothing, and one copy to the host."""

from __future__ import annotations

from nle_fast.kernels.score_neurons import launch, to_host
from nle_fast.kernels.sizes import Layout

__all__ = ["Layout", "launch", "to_host"]
