"""The only door to native code: each operation picks C++ or Triton; `ops.reference` defines them in plain NumPy."""

from __future__ import annotations

from nle_fast.ops.places import Place, find_places
from nle_fast.ops.positions import positions_by_any, positions_by_area
from nle_fast.ops.regions import find_regions
from nle_fast.ops.scoring import TopNeurons, score_neurons

__all__ = [
    "Place",
    "TopNeurons",
    "find_places",
    "find_regions",
    "positions_by_any",
    "positions_by_area",
    "score_neurons",
]
