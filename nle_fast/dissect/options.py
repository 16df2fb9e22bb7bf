"""What a dissection may be told."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from nle_fast.errors import ConfigError

__all__ = ["DissectOptions"]

Response = Literal["mean", "max"]


@dataclass(frozen=True, slots=True)
class DissectOptions:
    """How neurons are named.

    Args:
        response: What a neuron says about a whole picture: the `"mean"` or the `"max"` over its positions.
        quantiles: Shares of its positions, in (0, 1), at which a neuron's map is cut; of these the one that fits a
            concept best counts. Between coarse ones small things lose to the larger ones around them.
        mask_size: Pixels per side at which maps and masks are compared, 1 … 1024.
        min_quality: Simulation correlation that a name must reach on the pictures that propose it, and on those that
            pick it, in [0, 1).
        min_iou: IoU below which no name from masks is given, in [0, 1).
        beats: Share of the unrelated other concepts that a name must beat, in [0, 1).
        false_names: Expected share of given names that chance alone made, in (0, 1).
        min_pictures: Pictures with the concept, and without it, that each third must have, ≥ 2.
        max_words: Words that a name may join, 1 … 3.
        seed: Deals the pictures to the thirds; what does not hold for another seed rests on a few pictures. ≥ 0.
        batch: Pictures per run of the network, ≥ 1.
        threads: CPU threads of what is counted; None: one per core.

    Raises:
        ConfigError: An option is out of its range.

    Example:
        >>> DissectOptions(min_quality=0.5).response
        'mean'
    """

    response: Response = "mean"
    quantiles: tuple[float, ...] = (0.0025, 0.005, 0.01, 0.02, 0.05)
    mask_size: int = 112
    min_quality: float = 0.4
    min_iou: float = 0.04
    beats: float = 0.95
    false_names: float = 0.05
    min_pictures: int = 4
    max_words: int = 3
    seed: int = 0
    batch: int = 16
    threads: int | None = None

    def __post_init__(self) -> None:
        if self.response not in get_args(Response):
            raise ConfigError(f"`response` must be 'mean' or 'max', got {self.response!r}; choose one of them.")
        object.__setattr__(self, "quantiles", tuple(self.quantiles))
        if not self.quantiles or not all(_between(q, 0, 1) and q > 0 for q in self.quantiles):
            raise ConfigError(
                f"`quantiles` must be shares in (0, 1), got {self.quantiles!r}; 0.005 is the published one."
            )
        whole = (
            ("mask_size", 1, 1024),
            ("min_pictures", 2, 10**6),
            ("max_words", 1, 3),
            ("seed", 0, 2**63 - 1),
            ("batch", 1, 4096),
        )
        for name, low, high in whole:
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
                raise ConfigError(f"`{name}` must be a whole number from {low} to {high}, got {value!r}; change it.")
        for name in ("min_quality", "min_iou", "beats", "false_names"):
            if not _between(getattr(self, name), 0, 1):
                raise ConfigError(f"`{name}` must be a number in [0, 1), got {getattr(self, name)!r}; give a fraction.")
        threads = self.threads
        if threads is not None and (isinstance(threads, bool) or not isinstance(threads, int) or threads < 1):
            raise ConfigError(
                f"`threads` must be a whole number of at least 1, or None, got {threads!r}; leave it out."
            )

    def to_dict(self) -> dict[str, Any]:
        """The options as JSON-ready values."""
        return asdict(self) | {"quantiles": list(self.quantiles)}


def _between(value: object, low: float, high: float) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return math.isfinite(value) and low <= value < high
