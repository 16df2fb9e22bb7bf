"""Borrowed words for MobileNetV2, SqueezeNet 1.1 being the witness: share of told items with r > .2 by labels.

    python examples/witness_figures.py [--features HALF0 HALF1] [--data ../shared/data] [--out JSON]

Halves as in `vote_figures.py`; the group is chosen on one half of the photos of known class, without their labels, and
judged by the labels of the other. Without `--features`, which were learned on half 0 and on half 1, the layer's own
channels are named; features are judged on the half that they were not learned from.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import zlib
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
from vote_figures import HALF, look, photos

from nle_fast import Preprocess
from nle_fast.classifiers import Classifier, open_classifier, open_features
from nle_fast.dissect import Witness
from nle_fast.dissect.borrowed import crosswise, look_beside
from nle_fast.dissect.responses import read_responses
from nle_fast.dissect.vote_judge import share_told
from nle_fast.version import versions


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    here = Path(__file__).parents[1]
    parser.add_argument("--features", type=Path, nargs=2, metavar=("HALF0", "HALF1"))
    parser.add_argument("--data", type=Path, default=here.parent / "shared" / "data")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    networks, preprocess = asked.data / "networks", Preprocess(mean=HALF, std=HALF)
    channels = open_classifier(networks / "mobilenet_v2" / "model.onnx")
    labels = asked.data / "labels" / "imagenet_labels_1000.txt"
    witness = Witness(networks / "squeezenet1_1" / "model.onnx", labels)
    listed = [(file, at) for file, at in photos(asked.data) if at >= 0]
    files, classes = [file for file, _ in listed], np.array([at for _, at in listed])
    half = np.array([zlib.crc32(file.encode()) % 2 for file in files])
    paths = [asked.data / file for file in files]

    def figures(classifier: Classifier, sides: Sequence[int]) -> dict[str, float]:
        """Of the groups that were chosen on the other half than the one that judges."""
        _, _, told = look(classifier, preprocess, asked.data, files)
        with tempfile.TemporaryDirectory() as cache:
            responses = read_responses(classifier, preprocess, paths, Path(cache))
            windows = [preprocess.window((int(width), int(height))) for width, height in responses.sizes]
            seen = look_beside(witness, responses, paths, windows, half)
        r = crosswise(seen, witness.groups, responses.means, half, classes)
        return {
            "mean_r": float(np.mean([r[side].mean() for side in sides])),
            "share_of_neurons": float(np.mean([(r[side] > 0.2).mean() for side in sides])),
            "told": float(np.mean([share_told(told[half == side], r[side] > 0.2) for side in sides])),
        }

    if asked.features is None:
        found = [figures(channels, (0, 1))]
    else:
        found = [figures(open_features(channels, file), (1 - side,)) for side, file in enumerate(asked.features)]
    record = {
        "date": str(date.today()), "network": "mobilenet_v2", "witness": "squeezenet1_1", "device": "CPU",
        "read": "channels" if asked.features is None else "features", "versions": versions(), "photos": len(files),
        **{name: round(float(np.mean([one[name] for one in found])), 4) for name in found[0]},
    }  # fmt: skip
    print(json.dumps(record, indent=1))
    if asked.out is not None:
        asked.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
