"""Features learned from all photos, with words whose quality is that of their counterparts in both halves.

    python training/features/product.py mobilenet_v2 --data ../shared/data --cache CACHE --out product.safetensors

After `halves.py`, whose files it takes from the cache. No photo is left to judge what is learned from all: a feature's
quality is the mean of the held-out figures of its counterparts (cosine ≥ .8) in the halves' dictionaries, each on the
photos that it was not learned from; what has no counterpart in both is not told by name.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from halves import NETWORKS, Bench, say

from nle_fast.classifiers import Classifier
from nle_fast.classifiers.features import FeatureClassifier, Features
from nle_fast.concepts import Concepts
from nle_fast.dissect.groups import Groups
from nle_fast.dissect.vote_judge import LEAST_PICTURES, PART, WHOLE, correlations
from nle_fast.dissect.votes import propose, typical_of
from nle_fast.features.learning import Workshop, nodes_of
from nle_fast.features.options import LearnOptions
from nle_fast.features.recurrence import match
from nle_fast.features.store import Store


def joined(bench: Bench, folder: Path) -> Store:
    """The stores of both halves and of the photos in neither, as one."""
    views = bench.setting["views"]
    outside = [bench.photos.paths[n] for n in np.flatnonzero(bench.photos.outside)]
    stores = [bench.store(paths, views) for paths in (bench.photos.learns(0), bench.photos.learns(1), outside)]
    exponent = max(store.exponent for store in stores)
    form = (sum(len(store) for store in stores), *stores[0].maps.shape[1:])
    maps = np.lib.format.open_memmap(folder / "all.npy", "w+", np.float16, form)
    at = 0
    for store in stores:
        for start in range(0, len(store), 256):
            rows = store.maps[start : start + 256] * np.float16(2.0 ** (store.exponent - exponent))
            maps[at : at + len(rows)] = rows
            at += len(rows)
    maps.flush()
    return Store(maps, exponent, stores[0].shape, views)


def halves(bench: Bench, features: Features) -> list[dict[str, Any]]:
    """Per half: each feature's counterpart, −1 without one, and codes and classes of the labelled judging photos."""
    found = []
    for way in (0, 1):
        other = Features.load(bench.folder / f"features_{way}.safetensors")
        judged = np.load(bench.folder / f"judged_features_{way}.npz")
        matched = match(features.decoder, other.decoder)
        labels = bench.photos.label[bench.photos.half == 1 - way]
        partner = np.where(matched.counterpart, matched.partner, -1)
        found.append({"partner": partner, "codes": judged["pooled"][labels >= 0], "labels": labels[labels >= 0]})
    return found


def held_out(feature: int, members: np.ndarray, ways: list[dict[str, Any]]) -> float | None:
    """Mean of both halves' r of a feature's counterparts with "the class is one of these"; None where one is mute."""
    each = []
    for way in ways:
        partner = way["partner"][feature]
        shown = members[way["labels"]]
        if partner < 0 or shown.sum() < LEAST_PICTURES:
            return None
        each.append(float(correlations(way["codes"][:, [partner]], shown[:, None])[0]))
    return None if np.isnan(each).any() else float(np.mean(each))


def words(
    classifier: Classifier, features: Features, votes: np.ndarray, groups: Groups, ways: list[dict[str, Any]]
) -> Concepts:
    """Names by votes, of which each part and the whole hold on the photos that the halves were not learned from."""
    proposal = propose(votes, groups)
    names: list[str | None] = []
    qualities: list[float | None] = []
    classes: list[tuple[int, ...] | None] = []
    for feature, parts in enumerate(proposal.parts):
        there = [part for part in parts if part >= 0]
        kept = [part for part in there if (held_out(feature, groups.sets[part], ways) or 0) > PART]
        members = groups.sets[kept].any(0) if kept else np.zeros(groups.num_classes, bool)
        quality = held_out(feature, members, ways) if kept else None
        named = quality is not None and quality > WHOLE
        names.append(typical_of([groups.texts[part] for part in kept]) if named else None)
        qualities.append(round(quality, 4) if named and quality is not None else None)
        for_it = np.flatnonzero(members & (votes[feature] > 0)) if named else np.zeros(0, int)
        classes.append(tuple(int(label) for label in for_it) if named else None)
    return Concepts(
        tuple(names),
        tuple(qualities),
        features.layer,
        FeatureClassifier(classifier, features).fingerprint,
        sources=tuple(None if name is None else "votes" for name in names),
        classes=tuple(classes),
    )


def main() -> None:
    """Learn, name, save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("network", choices=sorted(NETWORKS))
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--options", type=json.loads, default={}, help="options of learning, as JSON")
    parser.add_argument("--threads", type=int, default=2)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    options = LearnOptions(**(NETWORKS[asked.network]["options"] | asked.options))
    bench = Bench(asked.network, asked.data, asked.cache, options)
    folder = bench.folder / "all"
    folder.mkdir(exist_ok=True)
    shop = Workshop(bench.classifier, joined(bench, folder), options, folder)
    say("learning")
    learned, start = shop.learned()
    features = shop.features(learned)
    ways = halves(bench, features)
    concepts = words(
        bench.classifier, features, np.ascontiguousarray(shop.votes(features.decoder).T), bench.groups, ways
    )
    recurs = np.mean([way["partner"] >= 0 for way in ways], 0)
    record = {
        "network": asked.network,
        "options": options.to_dict(),
        "photos": len(bench.photos.paths),
        "nodes": nodes_of(start, learned),
        "recurs_in_halves": recurs.tolist(),
        "minutes": round(learned.seconds / 60, 2),
        "dead": learned.dead,
        "date": time.strftime("%Y-%m-%d"),
    }
    replace(features, record=record).with_words(concepts.to_dict()).save(asked.out)
    named = sum(name is not None for name in concepts.names)
    say(f"{len(features)} features, {named} with words, {(recurs == 1).sum()} in both halves: '{asked.out}'")


if __name__ == "__main__":
    main()
