"""Names from sources that need no nominees: votes and borrowed words, as they compete with the others' names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nle_fast.concepts import BARS
from nle_fast.dissect.record import grammar_of

__all__ = ["Offer", "add_offers"]


@dataclass(frozen=True)
class Offer:
    """What one such source calls a neuron.

    Attributes:
        name: The words.
        source: "votes" or "borrowed".
        quality: Held-out r; None where nothing could judge it.
        confidence: What it competes with: r where it is judged.
        classes: Indices of the network's classes that the words name, where these are three at most; else None.
        told: What else the record says.
        pictures: How many judged it.
    """

    name: str
    source: str
    quality: float | None
    confidence: float
    classes: tuple[int, ...] | None = None
    told: dict[str, Any] = field(default_factory=dict)
    pictures: int = 0


def add_offers(
    entries: Sequence[dict[str, Any]],
    summary: dict[str, Any],
    offers: Mapping[str, Sequence[Offer | None]],
    least: float,
) -> dict[str, Any]:
    """Let the offers of each source compete for the neurons, change their entries, and count again.

    A neuron whose best word from the other sources passed their bars keeps it, unless a judged offer has a higher
    correlation; of judged offers the highest counts. One that is not judged is taken where nothing else is.

    Args:
        entries: Of `record.neuron_record`, one per neuron; changed.
        summary: As `summary.summaries` gives it.
        offers: Per source, one or none per neuron.
        least: Quality at which a name of the other sources counts as confirmed.

    Returns:
        The summary with the offers' sources in it.
    """
    for neuron, entry in enumerate(entries):
        entry["source"] = entry["words"][0]["source"] if entry["words"] else None
        entry["classes"] = None
        entry["offers"] = {}
        for source, given in offers.items():
            if (offer := given[neuron]) is None:
                continue
            alone = offer.classes[0] if offer.classes is not None and len(offer.classes) == 1 else None
            told = {"name": offer.name, "quality": _rounded(offer.quality), "only_class": alone}
            entry["offers"][source] = told | offer.told
            entry["candidates"].append(_candidate(offer))
            taken = entry["name"] is not None
            better = offer.quality is not None and (entry["quality"] is None or offer.confidence > entry["confidence"])
            if not taken or better:
                entry |= {
                    "name": offer.name,
                    "quality": _rounded(offer.quality),
                    "confidence": round(offer.confidence, 4),
                    "refused": None,
                    "words": [_candidate(offer)],
                    "grammar": [grammar_of(offer.name)],
                    "source": source,
                    "classes": None if offer.classes is None else list(offer.classes),
                }
    each = {
        source: _counted([None if one is None else (one.quality, source) for one in given], least)
        for source, given in offers.items()
    }
    together = [(entry["quality"], entry["source"]) if entry["name"] is not None else None for entry in entries]
    refused = [entry["refused"] for entry in entries if entry["refused"] is not None]
    return (
        summary
        | _counted(together, least)
        | {"refused": {reason: refused.count(reason) for reason in sorted(set(refused))}}
        | {"by_source": summary.get("by_source", {}) | each}
    )


def _counted(names: Sequence[tuple[float | None, str] | None], least: float) -> dict[str, Any]:
    """How many neurons have a name, and how good the names are that were judged."""
    named = [one for one in names if one is not None]
    judged = [(quality, source) for quality, source in named if quality is not None]
    mean = round(float(np.mean([quality for quality, _ in judged])), 4) if judged else None
    over_all = round(sum(quality for quality, _ in judged) / max(1, len(names)), 4) if judged else None
    return {
        "named": len(named),
        "share_named": round(len(named) / max(1, len(names)), 4),
        "unjudged": len(named) - len(judged),
        "confirmed": sum(quality >= BARS.get(source, least) for quality, source in judged),
        "mean_quality": mean,
        "mean_over_all": over_all,
        "refused": {},
    }


def _candidate(offer: Offer) -> dict[str, Any]:
    """The offer as the record lists candidates."""
    nothing = {"correlation": None, "auc": None, "iou": None, "pictures": 0}
    return {
        "words": offer.name,
        "category": offer.source,
        "source": offer.source,
        "propose": nothing | {"similarity": None},
        "pick": nothing,
        "judge": nothing | {"correlation": _rounded(offer.quality), "pictures": offer.pictures},
        "beats": None,
        "p": None,
        "quantile": None,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
