"""Pixels: does the class fall when the named regions are painted over, and rise when only they are shown?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from nle_fast.classifiers import read
from nle_fast.errors import ConfigError, InputError
from nle_fast.explainer import Explainer
from nle_fast.faithfulness.attributions import grad_cam, neuron_maps, random_maps, region_maps
from nle_fast.faithfulness.masking import Progress, probabilities_of
from nle_fast.faithfulness.statistics import area_under, mean_interval, ratio_interval
from nle_fast.preprocess import Picture, load_picture

__all__ = ["Mapper", "PixelOptions", "blur", "measure_pixels"]

Floats = NDArray[np.float64]
#: (images (N, 3, h, w) preprocessed, classes (N,)) → maps (N, h, w).
Mapper: TypeAlias = Callable[[NDArray[np.float32], NDArray[np.int64]], NDArray[Any]]

#: "regions": only the outlined regions count. "neurons": the same neurons, also beyond the outlines. "more neurons":
#: four times as many.
OURS = ("regions", "neurons", "more neurons")

#: Standard deviation of the blur that insertion starts from, as a share of the input's side: 5 pixels of 224 in RISE.
BLUR = 5 / 224


@dataclass(frozen=True, slots=True)
class PixelOptions:
    """How pixels are deleted and inserted.

    Args:
        k: Neurons that are named.
        steps: Steps of equal numbers of pixels, ≥ 2; each costs a forward per picture, map, and direction.
        threshold: Of regions, as in `Config`.
        seed: Of the random map, and of the order among pixels that a map does not tell apart.

    Raises:
        ConfigError: An option is out of its range.
    """

    k: int = 5
    steps: int = 16
    threshold: float = 0.5
    seed: int = 0

    def __post_init__(self) -> None:
        for name, value, least in (("k", self.k, 1), ("steps", self.steps, 2)):
            if value < least:
                raise ConfigError(f"`{name}` must be at least {least}, got {value}; take more.")


def measure_pixels(
    explainer: Explainer,
    pictures: Sequence[Picture],
    options: PixelOptions | None = None,
    *,
    peers: Mapping[str, Mapper] | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Deletion and insertion curves of the winner's probability, pixels in the order of each map.

    Deletion paints pixels with the preprocessing's mean color, the most important first; insertion brings them back
    into a blurred picture. The area under a curve is that over the share of pixels, by trapezoids: small for deletion
    and large for insertion is good. Pixels that a map does not tell apart come in random order; `OURS` says what counts
    in our maps, where what is not named is worth no more than chance.

    Args:
        explainer: Any explainer; its verbalizer is not used.
        pictures: As for an explanation; N of them.
        options: None: the defaults.
        peers: More maps by name, from other libraries.
        progress: Told how many pictures are done.

    Returns:
        For JSON: "options"; "deletion" and "insertion" → map → area with interval and mean curve; "ratios" → direction
        → our map → other map: our area over its; "named_share": share of the picture that is named; "raw": each
        picture's areas.

    Raises:
        InputError: No picture, or one that cannot be read.

    Source: Petsiuk et al., "RISE" (BMVC 2018), section 4.3.
    """
    options = options or PixelOptions()
    if not len(pictures):
        raise InputError("`pictures` must hold at least one picture, got none; give some.")
    rows: list[dict[str, Any]] = []
    curves: dict[str, dict[str, list[Floats]]] = {"deletion": {}, "insertion": {}}
    for n, picture in enumerate(pictures):
        images = np.asarray(explainer.preprocess([load_picture(picture)]), np.float32)
        reading = read(explainer.classifier, images)
        size = (images.shape[2], images.shape[3])
        grid = (int(reading.activations.shape[2]), int(reading.activations.shape[3]))
        maps = {
            "regions": region_maps(reading, options.k, size, options.threshold)[0],
            "neurons": neuron_maps(reading, options.k, size)[0],
            "more neurons": neuron_maps(reading, 4 * options.k, size)[0],
            "grad-cam": grad_cam(reading, size)[0],
            **{name: np.asarray(mapper(images, reading.class_index))[0] for name, mapper in (peers or {}).items()},
            "random": random_maps(1, grid, size, options.seed + n)[0],
        }
        ground = {"deletion": (images[0], np.zeros_like(images[0])), "insertion": (blur(images[0]), images[0])}
        row: dict[str, Any] = {"class": int(reading.class_index[0]), "named_share": float((maps["regions"] > 0).mean())}
        for direction, (before, after) in ground.items():
            row[direction] = {}
            for name, values in maps.items():
                curve = _curve(explainer, before, after, values, row["class"], options.steps, options.seed + n)
                curves[direction].setdefault(name, []).append(curve)
                row[direction][name] = float(area_under(curve, np.arange(options.steps + 1)))
        rows.append(row)
        if progress is not None:
            progress("pixels", n + 1, len(pictures))
    result: dict[str, Any] = {"options": asdict(options), "count": len(rows), "ratios": {}}
    for direction, found in curves.items():
        areas = {name: np.array([row[direction][name] for row in rows]) for name in found}
        result[direction] = {
            name: {
                "area": mean_interval(areas[name], seed=options.seed).to_dict(),
                "curve": [round(float(value), 6) for value in np.mean(found[name], axis=0)],
            }
            for name in found
        }
        result["ratios"][direction] = {
            own: {
                name: ratio_interval(areas[own], area, seed=options.seed).to_dict()
                for name, area in areas.items()
                if name not in OURS
            }
            for own in OURS
        }
    shares = [row["named_share"] for row in rows]
    return result | {"named_share": mean_interval(shares, seed=options.seed).to_dict(), "raw": rows}


def blur(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """(3, h, w) blurred by a Gaussian whose standard deviation is `BLUR` of the side; edges are mirrored."""
    sigma = BLUR * image.shape[1]
    reach = max(1, int(np.ceil(3 * sigma)))
    taps = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    taps /= taps.sum()
    result = image.astype(np.float64)
    for axis in (1, 2):
        width = [(reach, reach) if a == axis else (0, 0) for a in range(3)]
        padded = np.pad(result, width, mode="symmetric")
        result = sum(
            weight * np.take(padded, np.arange(i, i + image.shape[axis]), axis) for i, weight in enumerate(taps)
        )
    return np.asarray(result, np.float32)


def _curve(
    explainer: Explainer,
    before: NDArray[np.float32],
    after: NDArray[np.float32],
    values: NDArray[Any],
    target: int,
    steps: int,
    seed: int,
) -> Floats:
    """(steps + 1,) probabilities while pixels change from `before` to `after`, the largest values first."""
    chance = np.random.default_rng(seed).random(values.size)
    order = np.lexsort((chance, -values.ravel()))
    place = np.empty(values.size, np.int64)
    place[order] = np.arange(values.size)
    counts = np.round(np.arange(steps + 1) * values.size / steps)
    changed = place.reshape(values.shape)[None] < counts[:, None, None]
    images = np.where(changed[:, None], after[None], before[None])
    logits = np.asarray(explainer.classifier.logits(explainer.classifier.activations(images)), np.float64)
    return probabilities_of(logits)[:, target]
