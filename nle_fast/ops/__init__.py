"""The only door to native code: each operation picks C++ or Triton; `ops.reference` defines them in plain NumPy."""

from __future__ import annotations

from nle_fast.ops.codes import reconstruct, sparse_codes, weighed
from nle_fast.ops.dissect import Overlaps, activation_quantiles, count_overlaps, rank_auc
from nle_fast.ops.heads import (
    find_winner,
    logits_without,
    means_without,
    pooled_gradients,
    rectified_gates,
    rectified_gradients,
)
from nle_fast.ops.places import Place, find_places, joint_places
from nle_fast.ops.positions import positions_by_any, positions_by_area
from nle_fast.ops.regions import find_regions
from nle_fast.ops.scoring import TopNeurons, score_neurons
from nle_fast.ops.stopping import StopFlag

__all__ = [
    "Overlaps",
    "Place",
    "StopFlag",
    "TopNeurons",
    "activation_quantiles",
    "count_overlaps",
    "find_places",
    "find_regions",
    "find_winner",
    "joint_places",
    "logits_without",
    "means_without",
    "pooled_gradients",
    "positions_by_any",
    "positions_by_area",
    "rank_auc",
    "reconstruct",
    "rectified_gates",
    "rectified_gradients",
    "score_neurons",
    "sparse_codes",
    "weighed",
]
