"""Masking: how far the class falls without the named neurons, beside controls of equal count, with intervals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from nle_fast.classifiers import masked_logits, neurons_of, of_neurons, read
from nle_fast.classifiers.base import as_numpy
from nle_fast.errors import ConfigError
from nle_fast.explainer import Explainer
from nle_fast.faithfulness.checks import several_pictures, whole_number
from nle_fast.faithfulness.plausible import fit_words
from nle_fast.faithfulness.rankings import random_orders, rank_neurons, signed_scores
from nle_fast.faithfulness.statistics import area_under, difference_interval, mean_interval, ratio_interval
from nle_fast.preprocess import Picture, load_picture

__all__ = ["MaskingOptions", "Progress", "measure_masking", "probabilities_of"]

Floats = NDArray[np.float64]
#: Told (stage, done, total).
Progress: TypeAlias = Callable[[str, int, int], None]

MEASURES = ("logit_drop", "probability_drop", "flip_rate")
REPLACEMENTS = ("zero", "mean", "resampled")
BATCH = 8


@dataclass(frozen=True, slots=True)
class MaskingOptions:
    """What is masked and how often.

    Args:
        k: Neurons that are masked, ≥ 1: as many as an explanation names.
        ks: Further counts, for the curves over k.
        draws: Random sets per picture at k, ≥ 1; the curves take the first five.
        replacements: Of "zero", "mean" (over the reference pictures) and "resampled" (another picture's maps; left out
            where there is one picture only).
        references: Pictures that means and other maps are taken from, at most.
        seed: Of all that is drawn.

    Raises:
        ConfigError: An option is out of its range.
    """

    k: int = 5
    ks: tuple[int, ...] = (1, 2, 3, 5, 10, 20)
    draws: int = 20
    replacements: tuple[str, ...] = REPLACEMENTS
    references: int = 32
    seed: int = 0

    def __post_init__(self) -> None:
        ks = self.ks if isinstance(self.ks, (tuple, list)) else (self.ks,)
        remedies = {"k": "mask one neuron or more", "draws": "draw one set or more", "references": "take one or more"}
        for name, remedy in remedies.items():
            object.__setattr__(self, name, whole_number(name, getattr(self, name), 1, remedy))
        counts = tuple(whole_number("ks", k, 1, "give whole numbers of neurons, as in (1, 2, 5)") for k in ks)
        object.__setattr__(self, "ks", counts)
        object.__setattr__(self, "seed", whole_number("seed", self.seed, 0, "give one from 0"))
        kinds = self.replacements
        if not isinstance(kinds, (tuple, list)) or not kinds or any(kind not in REPLACEMENTS for kind in kinds):
            raise ConfigError(
                f"`replacements` must be one or more of {', '.join(REPLACEMENTS)}, got {kinds!r}; "
                'give them as ("zero", "mean").'
            )


def measure_masking(
    explainer: Explainer,
    pictures: Iterable[Picture],
    options: MaskingOptions | None = None,
    *,
    hypernyms: Sequence[Sequence[str]] | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Mask what explanations name, and controls of equal count, and compare what the network then says.

    Of each picture the winner is explained. Masked are its min(k, number of supporting neurons) first neurons of each
    order in `rankings`, so that every control loses as many neurons as the explanation. Drops are of the winner:
    z(A) − z(A masked), p(A) − p(A masked), and whether another class wins. Comprehensiveness is the probability drop,
    sufficiency p(A) − p(A with only these neurons); areas are trapezoids over k from 0 (no drop) to the largest.

    Args:
        explainer: Any explainer; its verbalizer is not used.
        pictures: As for an explanation; N of them.
        options: None: the defaults.
        hypernyms: For each class more general words, for the plausible control; None: the labels' own words only.
        progress: Told how many pictures are done.

    Returns:
        For JSON: "options", "count", "rankings" → replacement → order → measure → interval; "ratios" and "differences"
        → replacement → control → measure: the explanation's over, and minus, the control's; "curves" → order →
        comprehensiveness and sufficiency per k and their areas; "raw": the numbers of each picture.

    Raises:
        InputError: No picture, a single one, or one that cannot be read.

    Source: this project; comprehensiveness and sufficiency as in DeYoung et al., ERASER (ACL 2020).
    """
    options = options or MaskingOptions()
    pictures = several_pictures(pictures)
    classifier = explainer.classifier
    ks = sorted({min(k, classifier.num_neurons) for k in (*options.ks, options.k)})
    at_k = min(options.k, classifier.num_neurons)
    fits, named = _fits(explainer, hypernyms)
    # Of a single picture there are no other maps to take.
    kinds = tuple(kind for kind in options.replacements if kind != "resampled" or len(pictures) > 1)
    stock = _references(explainer, pictures, options) if set(kinds) - {"zero"} else None
    rows: list[dict[str, Any]] = []
    for start, reading in _readings(explainer, pictures):
        whole = as_numpy(reading.activations)
        _, maps_now, slopes, _ = neurons_of(classifier, reading)
        target, count = reading.class_index, len(reading.class_index)
        chosen = fits[target] if fits is not None else None
        orders = rank_neurons(maps_now, slopes, chosen, named, options.seed + start)
        supporting = (signed_scores(maps_now, slopes) > 0).sum(1)
        chance = {
            name: random_orders(maps_now, options.draws, options.seed + start, active=name == "active")
            for name in ("random", "active")
        }
        plan = _plan(orders, chance, supporting, ks, at_k)
        before = reading.logits.astype(np.float64)
        found: dict[str, dict[Any, Floats]] = {}
        for kind in ("zero", *(kind for kind in kinds if kind != "zero")):
            keys = [key for key in plan if kind == "zero" or (key[1] == at_k and not key[3])]
            masks = np.stack([plan[key] for key in keys], 1)
            stand_in, donors = _stand_in(kind, stock, masks.shape[:2], start, options.seed)
            after = masked_logits(classifier, whole, masks, stand_in, donors).astype(np.float64)
            drops = _drops(before, after, target)
            found[kind] = {key: drops[:, :, m] for m, key in enumerate(keys)}
        rows += [_row(found, n, at_k, ks, kinds, int(supporting[n]), int(target[n])) for n in range(count)]
        if progress is not None:
            progress("mask", start + count, len(pictures))
    return {
        "options": asdict(options),
        "count": len(rows),
        "neurons": classifier.num_neurons,
        **_summary(rows, kinds, options.seed, ks, at_k),
        "raw": rows,
    }


def probabilities_of(logits: Floats) -> Floats:
    """Softmax over the last axis."""
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    return np.asarray(powers / powers.sum(-1, keepdims=True))


def _fits(
    explainer: Explainer, hypernyms: Sequence[Sequence[str]] | None
) -> tuple[NDArray[np.float32] | None, NDArray[np.bool_] | None]:
    if explainer.concepts is None:
        return None, None
    words = [concept.name if concept.trusted else None for concept in explainer.concepts]
    if not any(words):  # the order would be one by chance alone, under another name
        return None, None
    return fit_words(explainer.labels.names, words, hypernyms), np.array([word is not None for word in words])


def _readings(explainer: Explainer, pictures: Sequence[Picture]) -> Iterator[tuple[int, Any]]:
    for start in range(0, len(pictures), BATCH):
        opened = [load_picture(picture) for picture in pictures[start : start + BATCH]]
        yield start, read(explainer.classifier, explainer.preprocess(opened))


class _Stock(NamedTuple):
    """What stands in for masked maps: each neuron's mean (C,), the maps (D, C, H, W) and whose (D,) they are."""

    means: NDArray[Any]
    maps: NDArray[Any]
    owners: NDArray[np.int64]


def _references(explainer: Explainer, pictures: Sequence[Picture], options: MaskingOptions) -> _Stock:
    """Mean of each neuron, and the maps, of some of the pictures: two at least where there are two."""
    generator = np.random.default_rng(options.seed)
    chosen = generator.permutation(len(pictures))[: max(options.references, 2)]
    maps = np.concatenate(
        [
            as_numpy(of_neurons(explainer.classifier, reading.activations))
            for _, reading in _readings(explainer, [pictures[i] for i in chosen])
        ]
    )
    return _Stock(maps[: options.references].mean((0, 2, 3), dtype=np.float64), maps, chosen)


def _stand_in(
    kind: str, stock: _Stock | None, shape: tuple[int, ...], start: int, seed: int
) -> tuple[NDArray[Any] | None, NDArray[np.int64] | None]:
    """The replacement of `masked_logits`, and its donors, for the pictures from `start` on."""
    if kind == "zero" or stock is None:
        return None, None
    if kind == "mean":
        return stock.means, None
    # One donor per picture, the same for all orders: they are compared with the same chance.
    donors = np.random.default_rng(seed + start).integers(len(stock.maps), size=shape[0])
    # Another picture's maps: whoever draws its own takes the next.
    donors = np.where(stock.owners[donors] == start + np.arange(shape[0]), (donors + 1) % len(stock.maps), donors)
    return stock.maps, np.broadcast_to(donors[:, None], shape)


def _plan(
    orders: dict[str, NDArray[np.int64]],
    chance: dict[str, NDArray[np.int64]],
    supporting: NDArray[np.int64],
    ks: list[int],
    at_k: int,
) -> dict[tuple[str, int, int, bool], NDArray[np.bool_]]:
    """(order, k, draw, only these are kept) → (N, C) mask."""
    plan = {}
    for name, order in orders.items():
        for k in ks:
            mask = _first(order, np.minimum(k, supporting))
            plan[name, k, 0, False], plan[name, k, 0, True] = mask, ~mask
    for name, drawn in chance.items():
        for draw in range(drawn.shape[1]):
            for k in ks if draw < 5 else (at_k,):
                mask = _first(drawn[:, draw], np.minimum(k, supporting))
                plan[name, k, draw, False] = mask
                if draw < 5:
                    plan[name, k, draw, True] = ~mask
    return plan


def _first(order: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(N, C): the first neurons of each order, as many as `counts` says."""
    mask = np.zeros(order.shape, np.bool_)
    np.put_along_axis(mask, order, np.arange(order.shape[1]) < counts[:, None], axis=1)
    return mask


def _drops(before: Floats, after: Floats, target: NDArray[np.int64]) -> Floats:
    """(measure, N, M) from logits (N, K) and (N, M, K)."""
    each = np.arange(len(target))
    logit = before[each, target][:, None] - after[each, :, target]
    probability = probabilities_of(before)[each, target][:, None] - probabilities_of(after)[each, :, target]
    return np.stack([logit, probability, (after.argmax(2) != target[:, None]).astype(np.float64)])


def _row(
    found: dict[str, dict[Any, Floats]],
    n: int,
    at_k: int,
    ks: list[int],
    kinds: tuple[str, ...],
    count: int,
    target: int,
) -> dict[str, Any]:
    """One picture's numbers; draws are averaged."""
    row: dict[str, Any] = {"class": target, "masked": min(at_k, count), "drops": {}, "curves": {}}
    for kind, drops in found.items():
        names = list(dict.fromkeys(key[0] for key in drops))
        if kind in kinds:
            row["drops"][kind] = {
                name: dict(zip(MEASURES, _mean(drops, n, name, at_k, False).tolist(), strict=True)) for name in names
            }
        if kind == "zero":
            for name in names:
                row["curves"][name] = {
                    "comprehensiveness": [float(_mean(drops, n, name, k, False, 5)[1]) for k in ks],
                    "sufficiency": [float(_mean(drops, n, name, k, True, 5)[1]) for k in ks],
                }
    return row


def _mean(drops: dict[Any, Floats], n: int, name: str, k: int, only: bool, draws: int | None = None) -> Floats:
    keys = [
        key for key in drops if key[0] == name and key[1] == k and key[3] == only and (draws is None or key[2] < draws)
    ]
    return np.asarray(np.mean([drops[key][:, n] for key in keys], axis=0))


def _summary(rows: list[dict[str, Any]], kinds: tuple[str, ...], seed: int, ks: list[int], at_k: int) -> dict[str, Any]:
    names = list(rows[0]["curves"])
    result: dict[str, Any] = {"k": at_k, "ks": ks, "rankings": {}, "ratios": {}, "differences": {}, "curves": {}}
    for kind in kinds:
        values = {
            name: {measure: np.array([row["drops"][kind][name][measure] for row in rows]) for measure in MEASURES}
            for name in names
        }
        own = values["explanation"]
        result["rankings"][kind] = {
            name: {m: mean_interval(v, seed=seed).to_dict() for m, v in found.items()} for name, found in values.items()
        }
        for what, compare in (("ratios", ratio_interval), ("differences", difference_interval)):
            result[what][kind] = {
                name: {m: compare(own[m], found[m], seed=seed).to_dict() for m in MEASURES}
                for name, found in values.items()
                if name != "explanation"
            }
    for name in names:
        result["curves"][name] = {}
        for what in ("comprehensiveness", "sufficiency"):
            curves = np.array([row["curves"][name][what] for row in rows])
            # With no neuron masked nothing falls; with none but masked ones left the curve begins at its first k.
            start = np.zeros((len(rows), 1)) if what == "comprehensiveness" else curves[:, :1]
            areas = area_under(np.concatenate([start, curves], 1), [0, *ks])
            result["curves"][name][what] = {
                "mean": [round(float(value), 6) for value in curves.mean(0)],
                "area": mean_interval(areas, seed=seed).to_dict(),
            }
    return result
