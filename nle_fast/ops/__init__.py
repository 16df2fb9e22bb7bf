"""The only door to native code: each operation picks C++ or Triton; `ops.reference` defines them in plain NumPy."""

from __future__ import annotations

from nle_fast.ops.scoring import TopNeurons, score_neurons

__all__ = ["TopNeurons", "score_neurons"]
