"""Options of an explanation: frozen, checked when made."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Literal, get_args

from nle_fast.errors import ConfigError

__all__ = ["Config"]

Score = Literal["sum", "max"]
Style = Literal["plain", "expert", "short"]
PositionRule = Literal["area", "any"]


@dataclass(frozen=True, slots=True)
class Config:
    """What is scored, what is a region, and how the text sounds.

    Args:
        top_k: Number of most supporting neurons to name, ≥ 1; more than the layer has is clipped with a warning.
        score: `"sum"`: signed sum over space of gradient × activation. `"max"`: the largest positive
            gradient × activation over space, the published score.
        threshold: A position is on where the activation exceeds this fraction of its map's own maximum, in (0, 1).
        connectivity: 4 or 8: which neighbouring pixels belong to one region.
        min_area: Regions smaller than this fraction of the picture are left out, in [0, 1).
        against: Also name the `top_k` most opposing neurons.
        style: `"plain"` for non-experts, `"expert"` with neuron numbers and shares, `"short"` for one line.
        position_rule: `"area"`: a place is named by how much of the region lies there. `"any"`: the published rule, any
            position of the activation map that is on.

    Raises:
        ConfigError: An option is out of its range or of the wrong type.

    Example:
        >>> Config(top_k=3).top_k
        3
        >>> Config.paper().score
        'max'
    """

    top_k: int = 5
    score: Score = "sum"
    threshold: float = 0.5
    connectivity: Literal[4, 8] = 8
    min_area: float = 0.0
    against: bool = False
    style: Style = "plain"
    position_rule: PositionRule = "area"

    def __post_init__(self) -> None:
        if isinstance(self.top_k, bool) or not isinstance(self.top_k, Integral) or self.top_k < 1:
            raise ConfigError(
                f"`top_k` must be a whole number of at least 1, got {self.top_k!r}; name at least one neuron."
            )
        _one_of("score", self.score, get_args(Score))
        _one_of("style", self.style, get_args(Style))
        _one_of("position_rule", self.position_rule, get_args(PositionRule))
        _one_of("connectivity", self.connectivity, (4, 8))
        _fraction("threshold", self.threshold, low_open=True)
        _fraction("min_area", self.min_area, low_open=False)
        if not isinstance(self.against, bool):
            raise ConfigError(f"`against` must be True or False, got {self.against!r}; pass a bool.")
        # NumPy's numbers are welcome, but the options are written as JSON.
        object.__setattr__(self, "top_k", int(self.top_k))
        object.__setattr__(self, "connectivity", int(self.connectivity))
        object.__setattr__(self, "threshold", float(self.threshold))
        object.__setattr__(self, "min_area", float(self.min_area))

    @classmethod
    def paper(cls) -> Config:
        """The published setting: ten neurons by maximum, any position that is on names its place.

        Source: "Faithful and Plausible Natural Language Explanations for Image Classification" (EMNLP Findings 2024).
        """
        return cls(top_k=10, score="max", threshold=0.5, position_rule="any")


def _one_of(name: str, value: object, allowed: tuple[object, ...]) -> None:
    # 8.0 equals 8, but no native code takes it.
    if isinstance(value, (bool, float)) or value not in allowed:
        choices = ", ".join(repr(choice) for choice in allowed)
        raise ConfigError(f"`{name}` must be one of {choices}, got {value!r}; choose one of them.")


def _fraction(name: str, value: object, *, low_open: bool) -> None:
    number = isinstance(value, Real) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or not 0 <= value < 1 or (low_open and value == 0):  # type: ignore[arg-type,operator]
        bracket = "(" if low_open else "["
        raise ConfigError(f"`{name}` must be a number in {bracket}0, 1), got {value!r}; give a fraction.")
