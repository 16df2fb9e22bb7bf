"""The held-out pictures that a neuron answers to most, with the outlines of where."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nle_fast.dissect.responses import Responses
from nle_fast.ops import find_regions

__all__ = ["exemplars_of"]

SHOWN = 9
Window = tuple[float, float, float, float]


def exemplars_of(
    neuron: int,
    threshold: float,
    responses: Responses,
    response: NDArray[np.float32],
    judges: NDArray[np.bool_],
    windows: Sequence[Window],
) -> list[dict[str, Any]]:
    """The nine strongest held-out pictures, strongest first; pictures on which the neuron is silent are left out.

    Args:
        neuron: Which.
        threshold: Activation above which the neuron is on.
        responses: Its maps.
        response: (P, C), what is ranked.
        judges: (P,), the held-out ones.
        windows: What the classifier sees of each picture.
    """
    judged = np.flatnonzero(judges)
    order = judged[np.argsort(-response[judged, neuron], kind="stable")][:SHOWN]
    found = []
    for picture in order:
        peak = float(responses.peaks[picture, neuron])
        if peak <= 0:
            continue
        # Outlines are cut at a share of the map's own maximum.
        share = float(np.clip(threshold / peak, 0.01, 0.99))
        plane = np.asarray(responses.maps[picture, neuron], np.float32)
        (regions,) = find_regions(
            plane[None], tuple(responses.sizes[picture].tolist()), share, window=windows[picture], threads=1
        )
        found.append(
            {
                "picture": int(picture),
                "response": round(float(response[picture, neuron]), 4),
                "peak": round(peak, 4),
                "outlines": [[[int(x), int(y)] for x, y in region.outline] for region in regions],
            }
        )
    return found
