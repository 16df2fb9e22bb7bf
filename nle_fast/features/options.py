"""What learning may be told."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

from nle_fast.errors import ConfigError

__all__ = ["LearnOptions"]


@dataclass(frozen=True, slots=True)
class LearnOptions:
    """How features are learned; the defaults are what won on real networks, see docs/features.md.

    Args:
        size: Features, 2 … 65,536; None: the tree's nodes of 4 to 120 classes, at most 300; heads of fewer than 20
            classes: 64.
        active: Codes above zero per position, at most, ≥ 1.
        seed: Deals the pictures and their crops; another one learns on others. ≥ 0.
        steps: Steps of Adam, ≥ 0; 0 leaves the start as it is.
        batch: Crops per step, ≥ 1.
        rate: Adam's step length, > 0, for rows of length 1 in 1,280 channels; it rises in the first hundred steps, then
            falls to zero in a line.
        encoder: Factor on the encoder's step length, > 0: it has to tell overlapping atoms apart, and recurs by itself.
        views: Crops per picture, the centre first, ≥ 1.
        held_out: Share of the pictures that take no part and judge, in [0, 1).
        store_gigabytes: Bound of the activations kept on disk, > 0; of more pictures than fit, a sample is drawn.
        reconstruction: Weight of ‖a − â‖² / ‖a − μ‖² in the loss, ≥ 0.
        position: Weight of the same in the head's eyes, per position, ≥ 0.
        pooled: Weight of the same over the whole picture, ≥ 0.
        divergence: Weight of KL(network's probabilities ‖ those of the reconstruction), ≥ 0.
        five: Weight of (what the five features with the largest scores leave of the winner's logit)², as a share, ≥ 0.
        anchor: Weight of 1 − cosine to the start: what keeps features the same from one half of the pictures to the
            other, ≥ 0.

        again: Where a feature that fires nowhere in two passes begins again: at its own `"start"`, and stays what
            it is, or at the position that is explained `"worst"`; None: a tree's at their start, others at the worst.

    Raises:
        ConfigError: An option is out of its range.

    Example:
        >>> LearnOptions(active=16).views
        6
    """

    size: int | None = None
    active: int = 24
    seed: int = 0
    steps: int = 1600
    batch: int = 24
    rate: float = 8e-4
    encoder: float = 4.0
    views: int = 6
    held_out: float = 0.2
    store_gigabytes: float = 4.0
    reconstruction: float = 0.2
    position: float = 1.0
    pooled: float = 1.0
    divergence: float = 0.1
    five: float = 0.1
    anchor: float = 2.0
    again: Literal["start", "worst"] | None = None

    def __post_init__(self) -> None:
        whole = (
            ("active", 1, 65536),
            ("seed", 0, 2**63 - 1),
            ("steps", 0, 10**7),
            ("batch", 1, 65536),
            ("views", 1, 1000),
        )
        for name, low, high in (*whole, *([] if self.size is None else [("size", 2, 65536)])):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
                raise ConfigError(f"`{name}` must be a whole number from {low} to {high:,}, got {value!r}; change it.")
        for name in (
            "rate",
            "encoder",
            "store_gigabytes",
            "reconstruction",
            "position",
            "pooled",
            "divergence",
            "five",
            "anchor",
        ):
            value, positive = getattr(self, name), name in ("rate", "encoder", "store_gigabytes")
            number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
            if not number or value < 0 or (positive and value == 0):
                above = "above 0" if positive else "of at least 0"
                raise ConfigError(f"`{name}` must be a finite number {above}, got {value!r}; change it.")
        if self.again not in (None, "start", "worst"):
            raise ConfigError(f"`again` must be 'start', 'worst' or None, got {self.again!r}; choose one of them.")
        share = self.held_out
        if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 <= share < 1:
            raise ConfigError(f"`held_out` must be a number in [0, 1), got {share!r}; 0.2 keeps a fifth to judge with.")

    def to_dict(self) -> dict[str, Any]:
        """The options as JSON-ready values."""
        return asdict(self)
