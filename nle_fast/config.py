"""Options of an explanation: frozen, checked when made."""

from __future__ import annotations

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
        certain: The network "is certain" of an answer of at least this probability, in [0, 1].
        quite_sure: It "is quite sure" from here on, ≤ `certain`.
        thinks: It "thinks" so from here on, ≤ `quite_sure`; below it "guesses".
        hesitates: It "hesitates", whatever the probability, where the class next to its answer has at least this
            fraction of the answer's probability, in [0, 1].

    Raises:
        ConfigError: An option is out of its range or of the wrong type, or the three probabilities do not fall.

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
    certain: float = 0.95
    quite_sure: float = 0.8
    thinks: float = 0.5
    hesitates: float = 0.6

    def __post_init__(self) -> None:
        if isinstance(self.top_k, bool) or not isinstance(self.top_k, Integral) or self.top_k < 1:
            raise ConfigError(
                f"`top_k` must be a whole number of at least 1, got {self.top_k!r}; name at least one neuron."
            )
        _one_of("score", self.score, get_args(Score))
        _one_of("style", self.style, get_args(Style))
        _one_of("position_rule", self.position_rule, get_args(PositionRule))
        _one_of("connectivity", self.connectivity, (4, 8))
        _fraction("threshold", self.threshold, "()")
        _fraction("min_area", self.min_area, "[)")
        for name in ("certain", "quite_sure", "thinks", "hesitates"):
            _fraction(name, getattr(self, name), "[]")
        if not self.certain >= self.quite_sure >= self.thinks:
            raise ConfigError(
                f"`certain`, `quite_sure` and `thinks` must fall in this order, got {self.certain}, {self.quite_sure} "
                f"and {self.thinks}; give the highest probability to `certain`."
            )
        if not isinstance(self.against, bool):
            raise ConfigError(f"`against` must be True or False, got {self.against!r}; pass a bool.")
        # NumPy's numbers are welcome, but the options are written as JSON.
        object.__setattr__(self, "top_k", int(self.top_k))
        object.__setattr__(self, "connectivity", int(self.connectivity))
        for name in ("threshold", "min_area", "certain", "quite_sure", "thinks", "hesitates"):
            object.__setattr__(self, name, float(getattr(self, name)))

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


def _fraction(name: str, value: object, bounds: str) -> None:
    """Refuse what is no number from 0 to 1; a round bracket leaves its end out."""
    number = float(value) if isinstance(value, Real) and not isinstance(value, bool) else -1.0
    inside = 0 < number < 1 or (number == 0 and bounds[0] == "[") or (number == 1 and bounds[1] == "]")
    if not inside:
        raise ConfigError(f"`{name}` must be a number in {bounds[0]}0, 1{bounds[1]}, got {value!r}; give a fraction.")
