"""Features by halves: learned on one half of the photos, judged on the other, both ways, beside every control.

    python training/features/halves.py mobilenet_v2 --data ../shared/data --cache CACHE

Half: crc32 of a photo's path below the data folder, mod 2; 300 photos are in neither and show what recurs. What was
measured already is kept in the JSON and not measured again; `--only` names dictionaries.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from halves_figures import intervals, word_figures

from nle_fast.classifiers import Classifier, open_classifier
from nle_fast.classifiers.features import Features
from nle_fast.dissect.groups import Groups, groups_of
from nle_fast.features.controls import CONTROLS, LEARNED_CONTROLS, control
from nle_fast.features.learning import Workshop
from nle_fast.features.measure import Dictionary, Measured, measure
from nle_fast.features.options import LearnOptions
from nle_fast.features.recurrence import match, recurrence
from nle_fast.features.store import Store, read_store
from nle_fast.files import write_whole
from nle_fast.preprocess import Preprocess
from nle_fast.version import versions

NETWORKS: dict[str, dict[str, Any]] = {
    "mobilenet_v2": {
        "preprocess": Preprocess(size=224, resize=256, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)),
        "labels": "imagenet_labels_1001.txt",
        "offset": 1,
        "views": 6,
        "options": {},
    },
    "squeezenet1_1": {
        "preprocess": Preprocess(size=224, resize=256),
        "labels": "imagenet_labels_1000.txt",
        "offset": 0,
        "views": 2,
        # Maps of 13 × 13 positions: a step of six crops sees as many as one of twenty of 7 × 7.
        "options": {"batch": 6, "steps": 1500},
    },
}
OUTSIDE = 300
BATCH = 32
#: In the order of the table.
DICTIONARIES = ("features", "channels", *LEARNED_CONTROLS, *CONTROLS)


class Photos:
    """All photos, their half (2: in neither) and their class (−1: unknown)."""

    def __init__(self, data: Path, offset: int) -> None:
        folders = (data / "photos", data / "photos_more", data / "concept_masks" / "images")
        files = [file for folder in folders for file in folder.rglob("*") if file.suffix in (".jpg", ".png", ".JPEG")]
        self.paths = sorted(files)
        names = [str(path.relative_to(data)) for path in self.paths]
        self.half = np.array([zlib.crc32(name.encode()) % 2 for name in names])
        self.outside = np.zeros(len(names), bool)
        drawn = sorted(range(len(names)), key=lambda at: zlib.crc32(f"outside {names[at]}".encode()))
        self.outside[drawn[:OUTSIDE]] = True
        self.label = np.full(len(names), -1)
        at = {name: n for n, name in enumerate(names)}
        for folder, table in (("photos", "labels.csv"), ("photos_more", "index.csv")):
            with (data / folder / table).open(encoding="utf-8") as lines:
                for row in csv.DictReader(lines):
                    name = f"{folder}/{row['file']}"
                    if row["imagenet_index"] and name in at:
                        self.label[at[name]] = int(row["imagenet_index"]) + offset

    def learns(self, way: int) -> list[Path]:
        """What half `way` learns from; 2: all photos."""
        chosen = np.full(len(self.paths), True) if way == 2 else (self.half == way) & ~self.outside
        return [self.paths[n] for n in np.flatnonzero(chosen)]


class Bench:
    """A network, its photos, and what is measured on them."""

    def __init__(self, name: str, data: Path, cache: Path, options: LearnOptions) -> None:
        self.name, self.setting, self.options = name, NETWORKS[name], options
        self.folder = cache / name
        self.folder.mkdir(parents=True, exist_ok=True)
        self.classifier: Classifier = open_classifier(data / "networks" / name / "model.onnx")
        self.photos = Photos(data, self.setting["offset"])
        labels = (data / "labels" / self.setting["labels"]).read_text(encoding="utf-8").splitlines()
        self.groups: Groups = groups_of(labels)
        self.centres = self.store(self.photos.paths, 1)

    def store(self, paths: list[Path], views: int) -> Store:
        """Activations of these photos, read or taken up."""
        began = time.perf_counter()
        store = read_store(self.classifier, self.setting["preprocess"], paths, self.folder, views=views)
        say(f"{len(paths)} photos, {views} views: {(time.perf_counter() - began) / 60:.1f} min")
        return store

    def shop(self, way: int) -> Workshop:
        """What half `way` learns with; the seed is the half's number."""
        from dataclasses import replace

        store = self.store(self.photos.learns(way), self.setting["views"])
        return Workshop(self.classifier, store, replace(self.options, seed=way), self.folder)

    def maps(self, rows: np.ndarray) -> Iterator[np.ndarray]:
        """Activations of photos, batch by batch."""
        for at in range(0, len(rows), BATCH):
            found = self.centres.rows(rows[at : at + BATCH])
            yield np.ascontiguousarray(found.swapaxes(1, 2).reshape(len(found), -1, *self.centres.shape))

    def measured(self, dictionary: Dictionary, rows: np.ndarray, votes: np.ndarray) -> Measured:
        """Figures on these photos."""
        return measure(dictionary, self.classifier, self.maps(rows), votes=votes)


def say(text: str) -> None:
    """One line, at once."""
    print(time.strftime("%H:%M:%S"), text, flush=True)


def made(name: str, shop: Workshop, folder: Path, way: int) -> tuple[Dictionary, float]:
    """A dictionary and the minutes that it took; features are kept as a file."""
    began = time.perf_counter()
    if name == "channels":
        return Dictionary.channels(shop.moments.mean), 0.0
    path = folder / f"{name.replace(' ', '_')}_{way}.safetensors"
    if path.is_file():
        kept = Features.load(path)
        return Dictionary.of(kept), float(kept.record["minutes"])
    start = shop.start()
    if name == "features":
        learned, _ = shop.learned(start)
        say(
            f"  losses {learned.losses[0]:.3f} … {learned.losses[-1]:.3f}, left out {learned.dead}, {learned.precision}"
        )
        found = Dictionary.of(shop.features(learned))
    else:
        found = control(name, shop, start, seed=way)
    minutes = (time.perf_counter() - began if name != "features" else learned.seconds) / 60
    assert found.decoder is not None
    assert found.encoder is not None
    assert found.bias is not None
    record = {"minutes": minutes, "half": way}
    own = getattr(shop.classifier, "fingerprint", None)
    Features(
        shop.classifier.layer, found.decoder, found.encoder, found.bias, found.mean, found.active, own, record
    ).save(path)
    return found, minutes


def way_figures(bench: Bench, shop: Workshop, name: str, way: int) -> dict[str, Any]:
    """All figures of one dictionary, learned on half `way`, judged on the other."""
    dictionary, minutes = made(name, shop, bench.folder, way)
    judge = np.flatnonzero(bench.photos.half == 1 - way)
    decoder = np.eye(len(shop.moments.mean), dtype=np.float32) if dictionary.decoder is None else dictionary.decoder
    votes = shop.votes(decoder)
    found = bench.measured(dictionary, judge, votes)
    words, quality = word_figures(votes, bench.groups, found, bench.photos.label[judge], seed=way)
    result = {
        "minutes": round(minutes, 2),
        "photos": len(judge),
        "labelled": int((bench.photos.label[judge] >= 0).sum()),
        **{key: None if value is None else round(value, 4) for key, value in found.figures.items()},
        "words": words,
        "intervals": intervals(found.each),
    }
    if name in ("features", "random start"):
        np.savez(
            bench.folder / f"judged_{name.replace(' ', '_')}_{way}.npz", pooled=found.pooled, told=found.told, **quality
        )
        outside = bench.measured(dictionary, np.flatnonzero(bench.photos.outside), votes)
        np.savez(bench.folder / f"outside_{name.replace(' ', '_')}_{way}.npz", pooled=outside.pooled, told=outside.told)
    return result


def both(bench: Bench, name: str) -> dict[str, float]:
    """What recurs between the two ways, on the photos of neither; told items of the first, then of the second, mean."""
    key = name.replace(" ", "_")
    files = [np.load(bench.folder / f"outside_{key}_{way}.npz") for way in (0, 1)]
    decoders = [Features.load(bench.folder / f"{key}_{way}.safetensors").decoder for way in (0, 1)]
    ways = []
    for a, b in ((0, 1), (1, 0)):
        matched = match(decoders[a], decoders[b])
        ways.append(recurrence(matched, files[a]["pooled"], files[b]["pooled"], files[a]["told"], files[b]["told"]))
    return {key: round(float(np.mean([way[key] for way in ways])), 4) for key in ways[0]}


def main() -> None:
    """Measure what is asked for and write the JSON after each dictionary."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("network", choices=sorted(NETWORKS))
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--only", nargs="*", default=DICTIONARIES)
    parser.add_argument("--options", type=json.loads, default={}, help="options of learning, as JSON")
    parser.add_argument("--threads", type=int, default=2)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    options = LearnOptions(**(NETWORKS[asked.network]["options"] | asked.options))
    out = asked.out or Path(f"benches/results/features_{asked.network}.json")
    results: dict[str, Any] = json.loads(out.read_text(encoding="utf-8")) if out.is_file() else {}
    if results.get("options") not in (None, options.to_dict()):
        sys.exit(f"error: '{out}' holds figures of other options; remove it or choose another.")
    bench = Bench(asked.network, asked.data, asked.cache, options)
    results |= {
        "network": asked.network,
        "date": time.strftime("%Y-%m-%d"),
        "options": options.to_dict(),
        "machine": {"cores": os.cpu_count(), "threads": asked.threads},
        "versions": versions(),
        "photos": {
            "all": len(bench.photos.paths),
            "learned_from": [len(bench.photos.learns(way)) for way in (0, 1)],
            "in_neither": OUTSIDE,
            "views": bench.setting["views"],
        },
    }
    ways = results.setdefault("ways", [{}, {}])
    shops: dict[int, Workshop] = {}
    for name in asked.only:
        for way in (0, 1):
            if name in ways[way]:
                continue
            if way not in shops:
                shops[way] = bench.shop(way)
            ways[way][name] = way_figures(bench, shops[way], name, way)
            shown = {k: v for k, v in ways[way][name].items() if k not in ("intervals",)}
            say(f"{name}, half {way}: {json.dumps(shown)}")
            write_whole(out, json.dumps(results, indent=1) + "\n")
        if name in ("features", "random start") and all(name in way for way in ways):
            results.setdefault("recurrence", {})[name] = both(bench, name)
            say(f"recurrence of {name}: {results['recurrence'][name]}")
            write_whole(out, json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
