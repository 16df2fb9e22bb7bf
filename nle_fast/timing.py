"""Time per stage, in milliseconds per picture."""

from __future__ import annotations

from time import perf_counter

__all__ = ["Laps"]


class Laps:
    """A stopwatch whose laps are the stages of the pipeline.

    Args:
        num_pictures: Each lap is divided by it, so that a batch reports the time per picture.
    """

    def __init__(self, num_pictures: int) -> None:
        self._num_pictures = num_pictures
        self._laps_ms: dict[str, float] = {}
        self._start = perf_counter()

    def end(self, stage: str) -> None:
        """End the current lap and name it."""
        now = perf_counter()
        self._laps_ms[stage] = 1000 * (now - self._start) / self._num_pictures
        self._start = now

    def timings(self) -> dict[str, float]:
        """Milliseconds per stage, and their `total`."""
        return self._laps_ms | {"total": sum(self._laps_ms.values())}
