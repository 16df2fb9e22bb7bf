"""Intervals by the paired bootstrap: pictures are drawn again, and with each its values of every method."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nle_fast.errors import InputError

__all__ = ["Interval", "area_under", "difference_interval", "interval_text", "mean_interval", "ratio_interval"]

DRAWS = 10_000
LEVEL = 0.95
# Draws are kept up to 20 MB; of more pictures a block of them is held at a time.
_KEPT = 5_000_000
_BLOCK = 500


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with the range that 95 % of the bootstrap's draws fall into.

    Attributes:
        value: The figure of the pictures as they are; infinite for a ratio to nothing.
        low: 2.5 % quantile.
        high: 97.5 % quantile.
        count: Number of pictures.
    """

    value: float
    low: float
    high: float
    count: int

    def to_dict(self) -> dict[str, Any]:
        """For JSON, which has no infinity: null stands for it, and `infinite` gives its sign, −1 or 1.

        A null without an entry there is undefined; `infinite` is left out where it would be empty.
        """
        figures = {"value": self.value, "low": self.low, "high": self.high}
        plain = {key: round(x, 6) if math.isfinite(x) else None for key, x in figures.items()}
        signs = {key: int(math.copysign(1, x)) for key, x in figures.items() if math.isinf(x)}
        return plain | {"count": self.count} | ({"infinite": signs} if signs else {})


def interval_text(found: Mapping[str, Any], write: Callable[[float], str]) -> tuple[str, str, str]:
    """Value, low and high of `Interval.to_dict` for people: numbers as `write` writes them, ∞, −∞, or – if undefined.

    Example:
        >>> interval_text(ratio_interval([1.0, 2.0], [0.0, 0.0]).to_dict(), "{:.2f}".format)
        ('∞', '∞', '∞')
    """
    signs = found.get("infinite", {})
    texts = [
        write(found[key]) if found[key] is not None else {1: "∞", -1: "−∞"}.get(signs.get(key), "–")
        for key in ("value", "low", "high")
    ]
    return texts[0], texts[1], texts[2]


def mean_interval(values: ArrayLike, *, draws: int = DRAWS, seed: int = 0) -> Interval:
    """Mean of a value per picture; NaN marks pictures without one, which are left out.

    Example:
        >>> mean_interval([1.0, 1.0, 1.0])
        Interval(value=1.0, low=1.0, high=1.0, count=3)
    """
    own = _finite(values)
    if not len(own):
        return Interval(math.nan, math.nan, math.nan, 0)
    return _interval(float(own.mean()), _means(own[:, None], draws, seed)[:, 0], len(own))


def difference_interval(first: ArrayLike, second: ArrayLike, *, draws: int = DRAWS, seed: int = 0) -> Interval:
    """Mean of first − second, picture by picture."""
    one, two = _pair(first, second)
    return mean_interval(one - two, draws=draws, seed=seed)


def ratio_interval(first: ArrayLike, second: ArrayLike, *, draws: int = DRAWS, seed: int = 0) -> Interval:
    """Mean of first over mean of second, both of the same pictures in each draw.

    A ratio of means, not a mean of ratios: one picture on which the control does nothing cannot decide it. In a draw
    where the second mean is zero or below, the ratio is +∞ if the first is above zero and −∞ otherwise, so that an
    interval never excludes 1 because a control fell below zero together with the method.

    Example:
        >>> ratio_interval([2.0, 4.0], [1.0, 2.0])
        Interval(value=2.0, low=2.0, high=2.0, count=2)
    """
    one, two = _pair(first, second)
    if not len(one):
        return Interval(math.nan, math.nan, math.nan, 0)
    means = _means(np.stack([one, two], 1), draws, seed)
    return _interval(float(_ratios(one.mean(), two.mean())), _ratios(means[:, 0], means[:, 1]), len(one))


def area_under(curves: ArrayLike, at: ArrayLike) -> NDArray[np.float64]:
    """Area under curves (…, P) over the places `at` (P,), by trapezoids, as a share of the places' range.

    Example:
        >>> area_under([0.0, 1.0, 1.0], [0, 1, 2]).item()
        0.75
    """
    values, places = np.asarray(curves, np.float64), np.asarray(at, np.float64)
    areas = ((values[..., 1:] + values[..., :-1]) / 2 * np.diff(places)).sum(-1)
    return np.asarray(areas / (places[-1] - places[0]))


def _ratios(first: Any, second: Any) -> NDArray[np.float64]:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(second > 0, np.divide(first, second), np.where(np.asarray(first) > 0, np.inf, -np.inf))


def _means(values: NDArray[np.float64], draws: int, seed: int) -> NDArray[np.float64]:
    """(draws, columns): the columns' means of each draw of as many rows with replacement."""
    count = len(values)
    if count * draws <= _KEPT:
        return np.asarray(_times(count, draws, seed) @ values / count)
    generator = np.random.default_rng(seed)
    blocks = [min(_BLOCK, draws - start) for start in range(0, draws, _BLOCK)]
    return np.concatenate([_draw(generator, count, block) @ values / count for block in blocks])


@lru_cache(maxsize=2)
def _times(count: int, draws: int, seed: int) -> NDArray[np.float32]:
    """How often each row is in each draw. All figures of a table share it: drawing takes longer than adding up."""
    return _draw(np.random.default_rng(seed), count, draws).astype(np.float32)


def _draw(generator: np.random.Generator, count: int, draws: int) -> NDArray[np.int64]:
    return generator.multinomial(count, np.full(count, 1 / count), size=draws)


def _interval(value: float, drawn: NDArray[np.float64], count: int) -> Interval:
    tail = (1 - LEVEL) / 2
    # "lower" and "higher" never average an infinity with a number.
    low = np.quantile(drawn, tail, method="lower")
    high = np.quantile(drawn, 1 - tail, method="higher")
    return Interval(value, float(low), float(high), count)


def _finite(values: ArrayLike) -> NDArray[np.float64]:
    own = np.asarray(values, np.float64)
    if own.ndim != 1:
        raise InputError(f"`values` must be one number per picture, got shape {own.shape}; average over draws first.")
    return own[np.isfinite(own)]


def _pair(first: ArrayLike, second: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    one, two = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if one.shape != two.shape or one.ndim != 1:
        raise InputError(
            f"`first` and `second` must be of the same pictures, got shapes {one.shape} and {two.shape}; "
            "give one number per picture in both."
        )
    both = np.isfinite(one) & np.isfinite(two)
    return one[both], two[both]
