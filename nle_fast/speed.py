"""How long an explanation takes on this machine, stage by stage, beside the network's plain forward."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from time import perf_counter
from typing import Any

from nle_fast.errors import ConfigError
from nle_fast.explainer import Explainer
from nle_fast.preprocess import Picture, load_picture, picture_list
from nle_fast.version import versions

__all__ = ["Speed", "machine", "measure_speed"]

#: Explanations and forwards before the first that counts: caches, threads and kernels settle.
WARM_UP = 2


@dataclass(frozen=True)
class Speed:
    """Times of one batch size, each in milliseconds per picture, the median of the rounds.

    Attributes:
        batch: Pictures per call.
        rounds: How often it was measured.
        stages_ms: Stage → time, in the order of the pipeline.
        total_ms: The whole explanation, text included.
        p95_ms: 95th percentile of it.
        forward_ms: The network's plain forward on the preprocessed pictures; None where the classifier has none.
        ratio: Median of the ratio of the two within each round; None without a plain forward.
    """

    batch: int
    rounds: int
    stages_ms: dict[str, float]
    total_ms: float
    p95_ms: float
    forward_ms: float | None
    ratio: float | None

    def to_dict(self) -> dict[str, Any]:
        """All fields, JSON-ready."""
        return asdict(self)


def measure_speed(
    explainer: Explainer, pictures: Sequence[Picture], batches: Sequence[int] = (1,), rounds: int = 20
) -> Iterator[Speed]:
    """Explain pictures and run the plain forward in turn, round by round, so that a busy moment hits both.

    Args:
        explainer: What is measured.
        pictures: At least one; decoded once, before the clock runs, and repeated to fill a batch.
        batches: Pictures per call, each at least 1.
        rounds: At least 1.

    Returns:
        One `Speed` per batch size, as it is found.

    Raises:
        ConfigError: A batch size or `rounds` is below 1, or there are no pictures.
        InputError: A picture cannot be read.
    """
    opened = [load_picture(picture) for picture in picture_list(pictures)]
    for name, value in (("pictures", len(opened)), ("rounds", rounds), *(("batch", size) for size in batches)):
        if value < 1:
            raise ConfigError(f"`{name}` must be at least 1, got {value}; ask for more.")
    forward = getattr(explainer.classifier, "forward", None)
    for batch in batches:
        given = [opened[i % len(opened)] for i in range(batch)]
        images = explainer.preprocess(given)
        stages: dict[str, list[float]] = {}
        wholes, forwards = [], []
        for lap in range(-WARM_UP, rounds):
            start = perf_counter()
            explained = explainer.batch(given)
            middle = perf_counter()
            if forward is not None:
                forward(images)
            end = perf_counter()
            if lap < 0:
                continue
            wholes.append(1000 * (middle - start) / batch)
            forwards.append(1000 * (end - middle) / batch)
            for stage, took in explained[0].timings.items():
                stages.setdefault(stage, []).append(took)
        yield Speed(
            batch=batch,
            rounds=rounds,
            stages_ms={stage: median(took) for stage, took in stages.items() if stage != "total"},
            total_ms=median(wholes),
            p95_ms=sorted(wholes)[round(0.95 * (rounds - 1))],
            forward_ms=None if forward is None else median(forwards),
            ratio=None if forward is None else median(a / b for a, b in zip(wholes, forwards, strict=True)),
        )


def machine() -> dict[str, Any]:
    """What the times were taken on."""
    return {"system": f"{platform.system()} {platform.machine()}", "cores": os.cpu_count(), "versions": versions()}
