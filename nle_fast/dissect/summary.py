"""How many neurons have a name and how good the names are: of all sources together, and of each alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nle_fast.dissect.choose import Chosen

__all__ = ["equal_coverage", "summaries", "summary_of"]


def summaries(together: Sequence[Chosen], alone: Mapping[str, Sequence[Chosen]], least: float) -> dict[str, Any]:
    """The summary of all sources together, of each alone, and both at equal coverage.

    Args:
        together: Per neuron.
        alone: Per source and neuron.
        least: Quality at which a name counts as confirmed.
    """
    by_source = {}
    for name, chosen in alone.items():
        # How good all sources together are on the neurons that this one names.
        same = [_quality(both) for one, both in zip(chosen, together, strict=True) if one.refused is None]
        by_source[name] = summary_of(chosen, least) | {"together_on_these": _mean(same)}
    found = summary_of(together, least) | {"by_source": by_source}
    rankings = {**alone, "together": together}
    counts = sorted({sum(one.refused is None for one in chosen) for chosen in rankings.values()} - {0})
    return found | {"equal_coverage": [equal_coverage(rankings, count) for count in counts]}


def summary_of(chosen: Sequence[Chosen], least: float) -> dict[str, Any]:
    """How many neurons have a name, how many of these names the judging pictures confirm, and how good they are."""
    qualities = [one.quality for one in chosen if one.refused is None]
    refused = [one.refused for one in chosen if one.refused is not None]
    return {
        "named": len(qualities),
        "share_named": round(len(qualities) / max(1, len(chosen)), 4),
        "confirmed": sum(quality >= least for quality in qualities),
        "mean_quality": _mean(qualities),
        # A neuron without a name is predicted by nothing.
        "mean_over_all": _mean([_quality(one) for one in chosen]),
        "refused": {reason: refused.count(reason) for reason in sorted(set(refused))},
    }


def equal_coverage(rankings: Mapping[str, Sequence[Chosen]], count: int) -> dict[str, Any]:
    """The mean quality of the `count` neurons that each way of naming is surest of, whether it names them or not.

    Those that it names come first. Where a way has no candidates left, the quality is 0.
    """
    found: dict[str, Any] = {"neurons": count}
    for name, chosen in rankings.items():
        order = sorted(chosen, key=lambda one: (one.refused is None, one.confidence), reverse=True)[:count]
        found[name] = _mean([one.quality for one in order])
    return found


def _quality(one: Chosen) -> float:
    return one.quality if one.refused is None else 0.0


def _mean(values: Sequence[float]) -> float | None:
    return round(float(np.mean(values)), 4) if values else None
