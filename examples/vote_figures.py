"""What votes name of a network's own channels, by halves of the photos of ../shared: the loose figures and the strict.

    python examples/vote_figures.py squeezenet1_1 [--data ../shared/data] [--out benches/results/NAME.json]

Half = crc32 of the path below data/, mod 2. Told are the five channels of highest gradient × activation on each photo
of known class. One half decides, the other judges, and the other way round; `answers` says whether the network's own
answers on the half that decides, labels unseen, have their say in what is proposed.
"""

from __future__ import annotations

import argparse
import csv
import json
import zlib
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from nle_fast import Preprocess
from nle_fast.classifiers import open_classifier, read
from nle_fast.classifiers.base import as_numpy
from nle_fast.dissect.groups import groups_of
from nle_fast.dissect.vote_judge import judge_both_ways, share_told, strict_names, vote_figures
from nle_fast.dissect.vote_source import votes_of
from nle_fast.preprocess import load_picture
from nle_fast.version import versions

HALF = (0.5, 0.5, 0.5)
NETWORKS = {
    "squeezenet1_1": ("imagenet_labels_1000.txt", Preprocess(), 0),
    "mobilenet_v2": ("imagenet_labels_1001.txt", Preprocess(mean=HALF, std=HALF), 1),
}


def photos(data: Path) -> list[tuple[str, int]]:
    """Every photo, as its path below `data`, with its ImageNet class, or −1."""
    found = []
    for folder, name in (("photos", "labels.csv"), ("photos_more", "index.csv")):
        with (data / folder / name).open(encoding="utf-8") as rows:
            found += [(f"{folder}/{row['file']}", int(row["imagenet_index"] or -1)) for row in csv.DictReader(rows)]
    index = json.loads((data / "concept_masks" / "index.json").read_text(encoding="utf-8"))
    return found + [(f"concept_masks/{image['file']}", -1) for image in index["images"]]


def look(classifier: Any, preprocess: Preprocess, data: Path, files: list[str]) -> tuple[np.ndarray, ...]:
    """(P, C) pooled activations, (P,) answers, (P, 5) told channels."""
    codes, answers, told = [], [], []
    for start in range(0, len(files), 16):
        pictures = [load_picture(data / file) for file in files[start : start + 16]]
        reading = read(classifier, preprocess(pictures))
        neurons = int(classifier.num_neurons)  # what follows them is what no feature explains
        activations, gradients = (as_numpy(part)[:, :neurons] for part in (reading.activations, reading.gradients))
        means = activations.mean((2, 3))
        scores = means * gradients if gradients.ndim == 2 else (activations * gradients).mean((2, 3))
        codes.append(means)
        answers.append(reading.logits.argmax(1))
        told.append(np.argsort(-scores, 1)[:, :5])
    return np.concatenate(codes), np.concatenate(answers), np.concatenate(told)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    here = Path(__file__).parents[1]
    parser.add_argument("network", choices=NETWORKS)
    parser.add_argument("--data", type=Path, default=here.parent / "shared" / "data")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    names, preprocess, shift = NETWORKS[asked.network]
    labels = (asked.data / "labels" / names).read_text(encoding="utf-8").splitlines()
    classifier = open_classifier(asked.data / "networks" / asked.network / "model.onnx")
    groups = groups_of(labels)
    votes, how = votes_of(classifier)
    listed = photos(asked.data)
    codes, answers, told = look(classifier, preprocess, asked.data, [file for file, _ in listed])
    classes = np.array([at + shift if at >= 0 else -1 for _, at in listed])
    half = np.array([zlib.crc32(file.encode()) % 2 for file, _ in listed])
    rows = []
    for use in (False, True):
        for decide in (0, 1):
            a, b = half == decide, (half != decide) & (classes >= 0)
            given = answers[a] if use else None
            loose = vote_figures(votes, groups, codes[b], classes[b], codes[a], given)
            strict = strict_names(votes, groups, codes[a], classes[a], codes[b], classes[b], given)
            items = told[b]
            good = items[strict.holds[items]]
            rows.append(
                {
                    "answers": use, "decides": decide, "decide": int(a.sum()), "judge": int(b.sum()),
                    "told_one_set": share_told(items, loose["set"] > 0.2), "mean_r_one_set": float(loose["set"].mean()),
                    "told_union": share_told(items, loose["union"] > 0.2), "mean_r_union": float(loose["union"].mean()),
                    "told_named_strictly": share_told(items, strict.named),
                    "told_hold_strictly": share_told(items, strict.holds),
                    "mean_r_told_that_hold": float(strict.quality[good].mean()) if len(good) else None,
                    "parts_per_name": float(strict.kept[strict.named].sum(1).mean()) if strict.named.any() else None,
                }
            )  # fmt: skip
            print({key: round(value, 3) if isinstance(value, float) else value for key, value in rows[-1].items()})
    means = [
        {"answers": use}
        | {
            key: round(float(np.mean([row[key] for row in rows if row["answers"] == use and row[key] is not None])), 4)
            for key in rows[0]
            if key not in ("answers", "decides", "decide", "judge")
        }
        for use in (False, True)
    ]
    both = judge_both_ways(votes, groups, codes, classes, half, answers)
    given = np.array([name is not None for name in both.names])
    record = {
        "date": str(date.today()), "network": asked.network, "layer": classifier.layer, "votes": how,
        "device": "CPU", "versions": versions(), "means": means, "rows": rows,
        "given_both_ways": {"channels": float(given.mean()), "told": share_told(told[classes >= 0], given),
                            "mean_quality": float(np.nanmean(both.quality))},
    }  # fmt: skip
    print(json.dumps({"means": means, "given": record["given_both_ways"]}, indent=1))
    if asked.out is not None:
        asked.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
