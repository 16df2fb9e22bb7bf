"""Borrowed words for MobileNetV2, SqueezeNet 1.1 being the witness: share of told items with r > .2 by labels.

    python examples/witness_figures.py [--features FILE] [--data ../shared/data] [--out benches/results/NAME.json]

Halves as in `vote_figures.py`; the group is chosen on one half of the photos of known class, without their labels, and
judged by the labels of the other. Without `--features` the layer's own channels are named.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import zlib
from datetime import date
from pathlib import Path

import numpy as np
from vote_figures import HALF, look, photos

from nle_fast import Preprocess
from nle_fast.classifiers import open_classifier
from nle_fast.dissect import Witness
from nle_fast.dissect.borrowed import crosswise, look_beside, name_by_witness
from nle_fast.dissect.responses import read_responses
from nle_fast.dissect.vote_judge import share_told
from nle_fast.version import versions


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    here = Path(__file__).parents[1]
    parser.add_argument("--features", type=Path)
    parser.add_argument("--data", type=Path, default=here.parent / "shared" / "data")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    networks, preprocess = asked.data / "networks", Preprocess(mean=HALF, std=HALF)
    classifier = open_classifier(networks / "mobilenet_v2" / "model.onnx")
    if asked.features is not None:
        from nle_fast.classifiers import open_features

        classifier = open_features(classifier, asked.features)
    witness = Witness(networks / "squeezenet1_1" / "model.onnx", asked.data / "labels" / "imagenet_labels_1000.txt")
    listed = [(file, at) for file, at in photos(asked.data) if at >= 0]
    files, classes = [file for file, _ in listed], np.array([at for _, at in listed])
    half = np.array([zlib.crc32(file.encode()) % 2 for file in files])
    paths = [asked.data / file for file in files]
    _, _, told = look(classifier, preprocess, asked.data, files)
    with tempfile.TemporaryDirectory() as cache:
        responses = read_responses(classifier, preprocess, paths, Path(cache))
        windows = [preprocess.window((int(width), int(height))) for width, height in responses.sizes]
        seen = look_beside(witness, responses, paths, windows, half)
    r = crosswise(seen, witness.groups, responses.means, half, classes)
    offers = name_by_witness(seen, witness.groups, responses.means, half, classes)
    given = np.array([offer is not None for offer in offers])
    record = {
        "date": str(date.today()), "network": "mobilenet_v2", "witness": "squeezenet1_1", "device": "CPU",
        "features": None if asked.features is None else asked.features.name, "versions": versions(),
        "photos": len(files), "mean_r": round(float(r.mean()), 4),
        "share_of_neurons": round(float((r > 0.2).mean()), 4),
        "told": round(float(np.mean([share_told(told[half == side], r[side] > 0.2) for side in (0, 1)])), 4),
        "told_whose_name_is_given": round(share_told(told, given), 4),
    }  # fmt: skip
    print(json.dumps(record, indent=1))
    if asked.out is not None:
        asked.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
