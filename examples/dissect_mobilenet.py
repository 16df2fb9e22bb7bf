"""Name the neurons of MobileNetV2 from ../shared/data, and keep the figures: each source alone, and all together.

python examples/dissect_mobilenet.py --bundle scratch/bundles/mobilenet_v2 [--data ../shared/data] [--out scratch/words]

There is no CLIP in ../shared/data. In its place stands a dual encoder made of SqueezeNet 1.1 and WordNet: the picture's
vector is the root of SqueezeNet's class chances, a word's is the set of classes that it covers. It shows the way of the
data; its words are one network's opinion of another.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnx import helper

from nle_fast import Preprocess
from nle_fast.dissect import DissectOptions, dissect

LARGEST = 500  # classes that a word may cover


def write_encoder(data: Path, folder: Path) -> Path:
    """The dual encoder made of SqueezeNet and WordNet, as a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    model = onnx.load(data / "networks" / "squeezenet1_1" / "model.onnx")
    logits = model.graph.output[0].name
    for kind, given, made, options in (
        ("Flatten", logits, "flat", {}),
        ("Softmax", "flat", "chances", {"axis": 1}),
        ("Sqrt", "chances", "vectors", {}),
    ):
        model.graph.node.append(helper.make_node(kind, [given], [made], **options))
    del model.graph.output[:]
    model.graph.output.append(helper.make_tensor_value_info("vectors", onnx.TensorProto.FLOAT, ["n", 1000]))
    onnx.save(model, folder / "image.onnx")

    covers: dict[str, set[int]] = {}
    for entry in json.loads((data / "labels" / "imagenet_hypernyms.json").read_text(encoding="utf-8")):
        for word in (entry["names"][0], *(general["name"] for general in entry["hypernyms"])):
            covers.setdefault(word, set()).add(entry["index"])
    words: dict[frozenset[int], str] = {}
    for word, classes in covers.items():
        if len(classes) <= LARGEST:
            words.setdefault(frozenset(classes), word)
    vectors = np.zeros((len(words), 1000), np.float32)
    for row, classes in zip(vectors, words, strict=True):
        row[list(classes)] = 1
    np.save(folder / "words.npy", vectors)
    (folder / "words.txt").write_text("".join(f"{word}\n" for word in words.values()), encoding="utf-8")
    manifest = {
        "schema": "nle-fast-encoder/1",
        "image": "image.onnx",
        "preprocess": Preprocess().to_dict(),
        "words": "words.txt",
        "embeddings": "words.npy",
    }
    (folder / "encoder.json").write_text(json.dumps(manifest), encoding="utf-8")
    return folder


def figures(record: dict) -> dict:
    """Numbers of a record, without names, paths or pictures."""
    kept = ("schema", "network", "layer", "num_neurons", "versions", "options", "halves", "sources", "summary")
    return {key: record[key] for key in kept}


def main() -> None:
    here = Path(__file__).parents[1]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bundle", type=Path, default=here / "scratch" / "bundles" / "mobilenet_v2")
    parser.add_argument("--layer", help="the last one if not given")
    parser.add_argument("--data", type=Path, default=here.parent / "shared" / "data")
    parser.add_argument("--out", type=Path, default=here / "scratch" / "words")
    parser.add_argument("--cache", type=Path, help="folder in which a stopped run is resumed")
    parser.add_argument("--figures", type=Path, help="JSON for the numbers alone")
    parser.add_argument("--threads", type=int)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        cache = options.cache or Path(scratch)
        found = dissect(
            options.bundle,
            layer=options.layer,
            masks=options.data / "concept_masks",
            labelled=options.data / "photos" / "labels.csv",
            hypernyms=options.data / "labels" / "imagenet_hypernyms.json",
            encoder=write_encoder(options.data, cache / "encoder"),
            cache=cache,
            options=DissectOptions(threads=options.threads),
        )
    print(found.save(options.out))
    if options.figures is not None:
        options.figures.write_text(json.dumps(figures(found.record), indent=1) + "\n", encoding="utf-8")
    together = found.record["summary"]
    for name, one in (together["by_source"] | {"together": together}).items():
        print(
            f"{name:10} {one['named']:5} named ({one['share_named']:.1%}), mean {one['mean_quality']}, "
            f"over all neurons {one['mean_over_all']}"
        )


if __name__ == "__main__":
    main()
