"""What a dictionary explains, on pictures that it was not learned from: features, controls, channels by one rule."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nle_fast.classifiers import Classifier
from nle_fast.classifiers.base import as_numpy
from nle_fast.classifiers.features import Features

__all__ = ["Dictionary", "Measured", "measure"]

Floats = NDArray[np.float32]

#: Features that an explanation names.
FIVE = 5

#: A feature is near the answer when the winner is among its first so many classes by vote.
FIRST = 3


@dataclass(frozen=True)
class Dictionary:
    """A sparse code to be measured; `decoder` None: the layer's own channels, each its own code.

    Attributes:
        decoder, encoder: (K, C) or None.
        bias: (K,) or None.
        mean: (C,).
        active: Codes above zero per position.
    """

    decoder: Floats | None
    encoder: Floats | None
    bias: Floats | None
    mean: Floats
    active: int

    @classmethod
    def of(cls, features: Features) -> Dictionary:
        """That of learned features."""
        return cls(features.decoder, features.encoder, features.bias, features.mean, features.active)

    @classmethod
    def channels(cls, mean: Floats) -> Dictionary:
        """The layer's own."""
        return cls(None, None, None, mean, len(mean))

    def codes(self, maps: Floats) -> Floats:
        """(N, positions, C) → (N, positions, K)."""
        if self.encoder is None or self.bias is None:
            return maps
        import torch

        from nle_fast.features.running import sparse

        encoder, bias = torch.tensor(self.encoder), torch.tensor(self.bias)
        projections = torch.from_numpy(maps - self.mean) @ encoder.T + bias
        found: Floats = sparse(projections, self.active).numpy()
        return found

    def decoded(self, codes: Floats) -> Floats:
        """(…, K) → (…, C)."""
        return codes if self.decoder is None else _product(codes, self.decoder)

    def along(self, slopes: Floats) -> Floats:
        """Gradients (…, C) → (…, K), along each atom."""
        return slopes if self.decoder is None else _product(slopes, np.ascontiguousarray(self.decoder.T))


@dataclass(frozen=True)
class Measured:
    """Figures of each held-out picture, and of all.

    Attributes:
        figures: `r2` (centred per channel, over positions), `same_winner`, `kl`, `five` and `all` (share of the
            winner's logit above the mean class; of the logit itself where `centred` is 0), `not_near` (part of `five`
            from features whose first three classes by vote do not hold the winner; None without votes), `drop`,
            `flips`, `probability` (five hidden), the same with `random_` (five other active ones) and `any_` (five of
            all).
        each: The same per picture, (N,) arrays, but for `r2`.
        pooled: (N, K) mean codes.
        told: (N, 5) the five features with the largest scores, −1 where fewer have a positive one.
        winner: (N,) the class.
    """

    figures: dict[str, float | None]
    each: dict[str, NDArray[np.float64]]
    pooled: Floats
    told: NDArray[np.int64]
    winner: NDArray[np.int64]

    @property
    def rounded(self) -> dict[str, float | None]:
        """The figures to four digits, for a record."""
        return {key: None if value is None else round(value, 4) for key, value in self.figures.items()}


def measure(
    dictionary: Dictionary,
    classifier: Classifier,
    batches: Iterable[Floats],
    *,
    votes: Floats | None = None,
    seed: int = 0,
) -> Measured:
    """Measure a dictionary on pictures.

    Score of feature j: Σ over positions of code × (gradient of the winner's logit along atom j), the gradient above the
    mean of all classes where the head has a closed form. Hiding j: a − u_j · atom, the rest kept, the head run again.

    Args:
        dictionary: What is measured.
        classifier: The network, cut at its layer.
        batches: Activations (N, C, H, W) of held-out pictures, batch by batch.
        votes: (classes, K) centred votes, for `not_near`.
        seed: Draws the random features.
    """
    run = _Run(dictionary, classifier, votes, seed)
    for maps in batches:
        run.add(maps)
    return run.result()


class _Run:
    def __init__(self, dictionary: Dictionary, classifier: Classifier, votes: Floats | None, seed: int) -> None:
        self._of, self._classifier = dictionary, classifier
        self._first = None if votes is None else np.argsort(-votes, axis=0, kind="stable")[:FIRST]
        self._chance = np.random.default_rng(seed)
        self._mean_slope = _mean_slopes(classifier)
        self._each: dict[str, list[NDArray[Any]]] = {}
        self._sum = self._square = self._rest = 0.0
        self._total: NDArray[np.float64] | float = 0.0
        self._positions = 0

    def add(self, maps: Floats) -> None:
        """Measure a batch (N, C, H, W)."""
        count, channels, height, width = maps.shape
        rows = np.ascontiguousarray(maps.reshape(count, channels, -1).swapaxes(1, 2))
        codes = self._of.codes(rows)
        decoded = self._of.decoded(codes)
        if self._of.decoder is not None:
            decoded = decoded + self._of.mean
        self._spread(rows, rows - decoded)

        logits = self._logits(maps)
        winner = logits.argmax(1)
        told = self._logits(_maps(decoded, height, width))
        slopes = _rows(as_numpy(self._classifier.gradients(maps, winner)), rows.shape)
        above = slopes - self._mean_slope(rows) if self._mean_slope is not None else slopes
        scores = (codes * self._of.along(above)).sum(1)
        whole = logits[np.arange(count), winner] - (logits.mean(1) if self._mean_slope is not None else 0)
        order = np.argsort(-scores, axis=1, kind="stable")[:, :FIVE]
        kept = np.take_along_axis(scores, order, 1).clip(min=0)
        near = np.zeros(kept.shape, bool)
        if self._first is not None:
            near = np.asarray((self._first[:, order] == winner[:, None]).any(0))

        # What hiding does is said of the logit itself, so it is the logit itself that picks whom to hide.
        plain = (codes * self._of.along(slopes)).sum(1)
        hidden = np.argsort(-plain, axis=1, kind="stable")[:, :FIVE]
        self._keep(
            same_winner=(told.argmax(1) == winner),
            kl=_divergence(logits, told),
            five=kept.sum(1) / whole,
            not_near=(kept * ~near).sum(1) / whole,
            all=scores.sum(1) / whole,
            pooled=codes.mean(1),
            told=np.where(kept > 0, order, -1),
            winner=winner,
            logit=logits[np.arange(count), winner],
        )
        active: NDArray[np.bool_] = np.max(codes, axis=1) > 0
        others = np.stack([self._drawn(active[n], hidden[n]) for n in range(count)])
        anyone = np.stack([self._chance.permutation(codes.shape[2])[:FIVE] for _ in range(count)])
        for prefix, chosen in (("", hidden), ("random_", others), ("any_", anyone)):
            self._hide(prefix, maps, codes, chosen, logits, winner)

    def _drawn(self, active: NDArray[np.bool_], told: NDArray[np.int64]) -> NDArray[np.int64]:
        """Five features that are active on the picture and not hidden already; −1 where there are fewer."""
        free = active.copy()
        free[told] = False
        found = self._chance.permutation(np.flatnonzero(free))[:FIVE]
        return np.concatenate([found, np.full(FIVE - len(found), -1)])

    def _hide(
        self,
        prefix: str,
        maps: Floats,
        codes: Floats,
        chosen: NDArray[np.int64],
        logits: Floats,
        winner: NDArray[np.int64],
    ) -> None:
        only = np.zeros_like(codes)
        place = np.broadcast_to(np.maximum(chosen, 0)[:, None], (*codes.shape[:2], chosen.shape[1]))
        values = np.take_along_axis(codes, place, 2) * (chosen >= 0)[:, None]
        for column in range(chosen.shape[1]):  # −1 stands on the place of feature 0, with a value of zero
            at = place[..., column : column + 1]
            np.put_along_axis(only, at, np.take_along_axis(only, at, 2) + values[..., column : column + 1], 2)
        without = self._logits(maps - _maps(self._of.decoded(only), *maps.shape[2:]))
        rows = np.arange(len(maps))
        before, after = _probabilities(logits)[rows, winner], _probabilities(without)[rows, winner]
        self._keep(
            **{
                f"{prefix}drop": logits[rows, winner] - without[rows, winner],
                f"{prefix}flips": without.argmax(1) != winner,
                f"{prefix}probability": before - after,
            }
        )

    def _spread(self, rows: Floats, rest: Floats) -> None:
        flat = rows.reshape(-1, rows.shape[2]).astype(np.float64)
        self._total = self._total + flat.sum(0)
        self._square += float(np.square(flat).sum())
        self._rest += float(np.square(rest, dtype=np.float64).sum())
        self._positions += len(flat)

    def _logits(self, maps: Floats) -> Floats:
        return np.asarray(as_numpy(self._classifier.logits(np.ascontiguousarray(maps, np.float32))), np.float32)

    def _keep(self, **values: NDArray[Any]) -> None:
        for name, value in values.items():
            self._each.setdefault(name, []).append(value)

    def result(self) -> Measured:
        found = {name: np.concatenate(parts) for name, parts in self._each.items()}
        pooled, told, winner = found.pop("pooled"), found.pop("told"), found.pop("winner")
        each = {name: values.astype(np.float64) for name, values in found.items()}
        if self._first is None:
            each.pop("not_near")
        figures: dict[str, float | None] = {name: float(values.mean()) for name, values in each.items()}
        spread = self._square - float((np.asarray(self._total) ** 2).sum()) / self._positions
        figures["r2"] = 1 - self._rest / spread if spread > 0 else None
        figures["centred"] = float(self._mean_slope is not None)
        figures.setdefault("not_near", None)
        return Measured(figures, each, pooled.astype(np.float32), told.astype(np.int64), winner.astype(np.int64))


def _mean_slopes(classifier: Classifier) -> Callable[[Floats], Floats] | None:
    """Gradient of the mean of all logits, (N, positions, C), from rows (N, positions, C); None: no closed form."""
    weight = getattr(classifier, "pooled_weight", None)
    if weight is None:
        return None
    mean = np.asarray(weight, np.float64).mean(0)
    return lambda rows: (mean / rows.shape[1]).astype(np.float32)[None, None]


def _rows(slopes: NDArray[Any], shape: tuple[int, ...]) -> Floats:
    """Gradients (N, C) or (N, C, H, W) as (N, positions or 1, C)."""
    flat = slopes[:, None] if slopes.ndim == 2 else slopes.reshape(shape[0], shape[2], -1).swapaxes(1, 2)
    return np.ascontiguousarray(flat, np.float32)


def _maps(rows: Floats, height: int, width: int) -> Floats:
    return np.ascontiguousarray(rows.swapaxes(1, 2).reshape(len(rows), -1, height, width))


def _probabilities(logits: Floats) -> NDArray[np.float64]:
    powers = np.exp(logits.astype(np.float64) - logits.max(1, keepdims=True))
    found: NDArray[np.float64] = powers / powers.sum(1, keepdims=True)
    return found


def _divergence(logits: Floats, told: Floats) -> NDArray[np.float64]:
    """KL(network ‖ reconstruction) per picture, in nats."""

    def logarithms(values: Floats) -> NDArray[np.float64]:
        wide = values.astype(np.float64) - values.max(1, keepdims=True)
        logs: NDArray[np.float64] = wide - np.log(np.exp(wide).sum(1, keepdims=True))
        return logs

    own, other = logarithms(logits), logarithms(told)
    found: NDArray[np.float64] = (np.exp(own) * (own - other)).sum(1)
    return found


def _product(left: Floats, right: Floats) -> Floats:
    """`left` @ `right` by torch, whose product is quick on every machine."""
    import torch

    found: Floats = (torch.tensor(left) @ torch.tensor(right)).numpy()
    return found
