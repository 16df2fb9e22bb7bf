"""Dissection from masks: everything but the network's forward, at full size, and beside NumPy in the same run.

    python benches/bench_dissect.py [--threads 2] [--out benches/results/dissect.json]

1,280 neurons × 1,000 pictures × 100 concepts, maps 7 × 7, masks 112 × 112. `counts`: quantiles and overlaps, with one
quantile and with three; the pictures show 8 concepts each, in blobs, and then, as the worst case, all 100. NumPy
computes the same counts on the first 50 pictures, as its users do (one matrix product per picture interpolates, another
counts), and again skipping, as we do, maps that stay below their threshold; the ratio is of the same 50 pictures,
medians of nine runs of ours and three of NumPy's, and the counts are compared before it counts. `whole`: all of
`dissect` from a folder of masks, less the time inside the classifier, which plays back the maps. Maps look like those
of a trained last layer: silent on most pictures.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import tempfile
from datetime import date
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
from PIL import Image

from nle_fast import Preprocess
from nle_fast.dissect import DissectOptions, dissect
from nle_fast.ops import activation_quantiles, count_overlaps
from nle_fast.ops.reference_dissect import interpolate
from nle_fast.version import versions

PICTURES, NEURONS, CONCEPTS, MAP, SIDE = 1000, 1280, 100, 7, 112
BESIDE = 50
QUANTILES = (0.005, 0.02, 0.05)


def make_maps(seed: int = 0) -> np.ndarray:
    """(PICTURES, NEURONS, 7, 7) float16: a neuron answers to one picture in ten, in one place, over faint noise."""
    rng = np.random.default_rng(seed)
    maps = np.empty((PICTURES, NEURONS, MAP, MAP), np.float16)
    at = np.arange(MAP)
    for picture in maps:
        middle = rng.uniform(0, MAP, (2, NEURONS, 1))
        bump = np.exp(-((at - middle[0]) ** 2)[:, :, None] / 4 - ((at - middle[1]) ** 2)[:, None] / 4)
        height = rng.exponential(2, (NEURONS, 1, 1)) * (rng.random((NEURONS, 1, 1)) < 0.1)
        picture[:] = np.maximum(bump * height + rng.normal(-0.1, 0.1, bump.shape), 0)
    return maps


def make_codes(shown: int, seed: int = 1) -> tuple[np.ndarray, list[tuple[int, ...]]]:
    """Masks with `shown` concepts each, in blocks of 8 × 8 pixels; code 0 is unknown."""
    rng = np.random.default_rng(seed)
    coarse = SIDE // 8
    codes = np.empty((PICTURES, SIDE, SIDE), np.uint16)
    for mask in codes:
        chosen = 1 + rng.permutation(CONCEPTS)[:shown]
        mask[:] = chosen[rng.integers(0, shown, (coarse, coarse))].repeat(8, 0).repeat(8, 1)
    return codes, [(), *((concept,) for concept in range(CONCEPTS))]


def by_numpy(maps: np.ndarray, thresholds: np.ndarray, codes: np.ndarray, skip: bool) -> tuple[np.ndarray, np.ndarray]:
    """`both` (C, J) and `on` (C,) as a user of NumPy writes it: BLAS interpolates and counts."""
    eye = np.eye(MAP, dtype=np.float32)
    rise = np.stack([interpolate(row[None].astype(np.float16), SIDE)[0] for row in eye], 1)
    both, on = np.zeros((NEURONS, CONCEPTS), np.int64), np.zeros(NEURONS, np.int64)
    for planes, mask in zip(maps, codes, strict=True):
        rows = np.flatnonzero(planes.max((1, 2)) > thresholds) if skip else np.arange(NEURONS)
        fine = rise @ planes[rows].astype(np.float32) @ rise.T
        lit = (fine.reshape(len(rows), -1) > thresholds[rows, None]).astype(np.float32)
        shown = np.eye(CONCEPTS + 1, dtype=np.float32)[mask.ravel()]
        counts = lit @ shown
        both[rows] += counts[:, 1:].astype(np.int64)
        on[rows] += counts[:, 1:].sum(1).astype(np.int64)
    return both, on


def timed(call, *arguments, times: int = 1, **options):
    """What it returns, and the seconds that passed, the median of so many times."""
    seconds = []
    for _ in range(times):
        start = perf_counter()
        result = call(*arguments, **options)
        seconds.append(perf_counter() - start)
    return result, median(seconds)


def peak_mb() -> int:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def counts(maps: np.ndarray, shown: int, threads: int) -> dict:
    """Quantiles and overlaps alone, with `shown` concepts per picture, beside NumPy."""
    codes, meanings = make_codes(shown)
    row = {"concepts_per_picture": shown}
    for name, shares in (("one_quantile_s", QUANTILES[:1]), ("three_quantiles_s", QUANTILES)):
        bars, quantile_s = timed(activation_quantiles, maps, shares, threads=threads)
        _, overlap_s = timed(count_overlaps, maps, bars, codes, meanings, CONCEPTS, threads=threads)
        row[name] = round(quantile_s + overlap_s, 2)
    few, few_codes = np.ascontiguousarray(maps[:BESIDE]), codes[:BESIDE]
    bars = bars[:1]
    ours, ours_s = timed(count_overlaps, few, bars, few_codes, meanings, CONCEPTS, times=9, threads=threads)
    for name, skip in (("numpy", False), ("numpy_skipping", True)):
        (both, on), numpy_s = timed(by_numpy, few, bars[0], few_codes, skip, times=3)
        # The product rounds in another order: a pixel at the very threshold may fall on the other side.
        assert abs(both - ours.both[0]).sum() <= 1e-4 * both.sum() + 1
        assert abs(on - ours.on[0]).sum() <= 1e-4 * on.sum() + 1
        row[f"{name}_times_ours"] = round(numpy_s / ours_s, 1)
    return row


class Playback:
    """A classifier that gives the maps in their order and counts the seconds that this takes."""

    layer, num_neurons, num_classes, fingerprint = "layer", NEURONS, 2, "playback"

    def __init__(self, maps: np.ndarray) -> None:
        self.maps, self.at, self.seconds = maps, 0, 0.0

    def activations(self, images):
        start = perf_counter()
        found = self.maps[self.at : self.at + len(images)].astype(np.float32)
        self.at += len(images)
        self.seconds += perf_counter() - start
        return found

    def logits(self, activations):
        return activations.mean((2, 3))[:, :2]

    def gradients(self, activations, class_index, versus=None):
        return np.zeros(activations.shape[:2], np.float32)


def write_folder(folder: Path) -> Path:
    """The pictures (noise, 224 × 224) and masks of the case with 8 concepts, with their index."""
    codes, _ = make_codes(8)
    rng = np.random.default_rng(2)
    images = []
    for n, mask in enumerate(codes):
        picture = rng.integers(0, 256, (14, 14, 3), np.uint8).repeat(16, 0).repeat(16, 1)
        Image.fromarray(picture).save(folder / f"{n}.jpg")
        Image.fromarray(mask.astype(np.uint8)).save(folder / f"{n}.png")
        images.append({"file": f"{n}.jpg", "mask": f"{n}.png", "source": "drawn"})
    concepts = [{"id": n, "name": f"concept {n}"} for n in range(1, CONCEPTS + 1)]
    sources = {"drawn": {"concept_ids": [entry["id"] for entry in concepts], "zero_means": "ignore"}}
    (folder / "index.json").write_text(json.dumps({"concepts": concepts, "sources": sources, "images": images}))
    return folder


def whole(maps: np.ndarray, threads: int) -> dict:
    """`dissect` from masks, first to last, without the network; and with what it read kept from before."""
    with tempfile.TemporaryDirectory() as name:
        folder = write_folder(Path(name))
        row = {}
        for which in ("fresh_s", "resumed_s"):
            classifier = Playback(maps)
            options = DissectOptions(threads=threads)
            preprocess = Preprocess(size=224, resize=224)
            cache = folder / "cache"
            _, seconds = timed(dissect, classifier, preprocess=preprocess, masks=folder, cache=cache, options=options)
            row[which] = round(seconds - classifier.seconds, 2)
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "dissect.json")
    options = parser.parse_args()
    maps = make_maps()
    before = peak_mb()
    found = {"whole": whole(maps, options.threads)}
    found["whole"] |= {"peak_mb": peak_mb(), "peak_mb_before": before, "maps_mb": round(maps.nbytes / 1e6)}
    print(found["whole"])
    found["counts"] = []
    for shown in (8, CONCEPTS):
        found["counts"].append(counts(maps, shown, options.threads))
        print(found["counts"][-1])
    result = {
        "date": str(date.today()),
        "machine": {"cpu": platform.processor() or platform.machine(), "cores": os.cpu_count()},
        "versions": versions(),
        "size": {"neurons": NEURONS, "pictures": PICTURES, "concepts": CONCEPTS, "map": MAP, "mask": SIDE},
        "threads": options.threads,
    } | found
    options.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
