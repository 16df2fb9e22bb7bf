"""Pixels: does the class fall when the named regions are painted over, and rise when only they are shown?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from numbers import Real
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from nle_fast.classifiers import neurons_of, read
from nle_fast.errors import ConfigError, InputError
from nle_fast.explainer import Explainer
from nle_fast.faithfulness.attributions import colors_first, grad_cam, neuron_maps, random_maps, region_maps
from nle_fast.faithfulness.checks import several_pictures, whole_number
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
        for name, least, remedy in (("k", 1, "take more"), ("steps", 2, "take more"), ("seed", 0, "give one from 0")):
            object.__setattr__(self, name, whole_number(name, getattr(self, name), least, remedy))
        threshold = self.threshold
        if isinstance(threshold, bool) or not isinstance(threshold, Real) or not 0 < threshold < 1:
            raise ConfigError(f"`threshold` must be a number in (0, 1), got {threshold!r}; give a fraction.")
        object.__setattr__(self, "threshold", float(threshold))


def measure_pixels(
    explainer: Explainer,
    pictures: Iterable[Picture],
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
        InputError: No picture, a single one, one that cannot be read, or a peer's maps are not finite numbers of the
            input's size.

    Source: Petsiuk et al., "RISE" (BMVC 2018), section 4.3.
    """
    options = options or PixelOptions()
    pictures = several_pictures(pictures)
    rows: list[dict[str, Any]] = []
    curves: dict[str, dict[str, list[Floats]]] = {"deletion": {}, "insertion": {}}
    for n, picture in enumerate(pictures):
        images = np.asarray(explainer.preprocess([load_picture(picture)]), np.float32)
        reading = read(explainer.classifier, images)
        image = colors_first(explainer, images)[0]
        size = (image.shape[1], image.shape[2])
        neurons = neurons_of(explainer.classifier, reading)
        grid = (int(reading.activations.shape[2]), int(reading.activations.shape[3]))
        maps = {
            "regions": region_maps(neurons, options.k, size, options.threshold)[0],
            "neurons": neuron_maps(neurons, options.k, size)[0],
            "more neurons": neuron_maps(neurons, 4 * options.k, size)[0],
            "grad-cam": grad_cam(reading, size)[0],
            **{name: _peer(name, mapper(images, reading.class_index), size) for name, mapper in (peers or {}).items()},
            "random": random_maps(1, grid, size, options.seed + n)[0],
        }
        ground = {"deletion": (image, np.zeros_like(image)), "insertion": (blur(image), image)}
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
    """(steps + 1,) probabilities while (3, h, w) changes from `before` to `after`, the largest values first."""
    chance = np.random.default_rng(seed).random(values.size)
    order = np.lexsort((chance, -values.ravel()))
    place = np.empty(values.size, np.int64)
    place[order] = np.arange(values.size)
    counts = np.round(np.arange(steps + 1) * values.size / steps)
    changed = place.reshape(values.shape)[None] < counts[:, None, None]
    images = np.where(changed[:, None], after[None], before[None])
    if explainer.preprocess.layout == "NHWC":
        images = np.ascontiguousarray(images.transpose(0, 2, 3, 1))
    logits = np.asarray(explainer.classifier.logits(explainer.classifier.activations(images)), np.float64)
    return probabilities_of(logits)[:, target]


def _peer(name: str, maps: Any, size: tuple[int, int]) -> NDArray[Any]:
    values = np.asarray(maps)
    if values.shape != (1, *size) or not np.isfinite(values).all():
        raise InputError(
            f"`peers` must give finite maps (1, {size[0]}, {size[1]}), got {values.shape} from {name!r}; "
            "give one value per pixel of the input."
        )
    return np.asarray(values[0])
