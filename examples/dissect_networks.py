"""Name the neurons of a network of ../shared/data, and keep the figures: each source alone, and all together.

python examples/dissect_networks.py mobilenet_v2 [--layer inner] [--only labelled] [--data ../shared/data]
python examples/dissect_networks.py mobilenet_v2 --splits 20 --figures FILE    (the pictures split anew, 20 times)
python examples/dissect_networks.py default --figures FILE                     (the embedded network, its world's masks)

The bundles are those of `make_bundles.py`. There is no CLIP in ../shared/data. In its place stands a dual encoder made
of another of the networks and of WordNet: the picture's vector is the root of that network's class chances, a word's is
the set of classes that it covers. It shows the way of the data; its words are one network's opinion of another.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
from onnx import helper

from nle_fast import Preprocess
from nle_fast.bundle import DEFAULT_BUNDLE, read_bundle
from nle_fast.dissect import Dissection, DissectOptions, dissect
from nle_fast.world import LABELS, Scene

LARGEST = 500  # classes that a word may cover
CLASSES = 1000  # of ImageNet
OF_A_SPLIT = ("named", "share_named", "confirmed", "mean_quality", "mean_over_all")


class Case(NamedTuple):
    """A network's inner layer, its pictures by class, and the other network that is made an encoder."""

    inner: str
    labelled: str
    hypernyms: bool
    encoder: str


CASES = {
    "mobilenet_v2": Case("/blocks/blocks.12/Add_output_0", "photos/labels.csv", True, "squeezenet1_1"),
    "squeezenet1_1": Case("/features/features.10/Concat_output_0", "photos/labels.csv", True, "mobilenet_v2"),
    "cifar_resnet": Case("/layer3/layer3.0/Relu_1_output_0", "cifar_test", False, "squeezenet1_1"),
}
PREPROCESS = {"squeezenet1_1": Preprocess(), "mobilenet_v2": Preprocess(mean=(0.5,) * 3, std=(0.5,) * 3)}


def write_encoder(network: str, data: Path, folder: Path) -> Path:
    """The dual encoder made of an ImageNet network and WordNet, as a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    model = onnx.load(data / "networks" / network / "model.onnx")
    output = model.graph.output[0]
    outputs = output.type.tensor_type.shape.dim[1].dim_value
    for kind, given, made, options in (
        ("Flatten", output.name, "flat", {}),
        ("Softmax", "flat", "chances", {"axis": 1}),
        ("Sqrt", "chances", "vectors", {}),
    ):
        model.graph.node.append(helper.make_node(kind, [given], [made], **options))
    del model.graph.output[:]
    model.graph.output.append(helper.make_tensor_value_info("vectors", onnx.TensorProto.FLOAT, ["n", outputs]))
    onnx.save(model, folder / "image.onnx")

    covers: dict[str, set[int]] = {}
    for entry in json.loads((data / "labels" / "imagenet_hypernyms.json").read_text(encoding="utf-8")):
        for word in (entry["names"][0], *(general["name"] for general in entry["hypernyms"])):
            # Of 1,001 outputs the first is the background.
            covers.setdefault(word, set()).add(entry["index"] + outputs - CLASSES)
    words: dict[frozenset[int], str] = {}
    for word, classes in covers.items():
        if len(classes) <= LARGEST:
            words.setdefault(frozenset(classes), word)
    vectors = np.zeros((len(words), outputs), np.float32)
    for row, classes in zip(vectors, words, strict=True):
        row[list(classes)] = 1
    np.save(folder / "words.npy", vectors)
    (folder / "words.txt").write_text("".join(f"{word}\n" for word in words.values()), encoding="utf-8")
    manifest = {
        "schema": "nle-fast-encoder/1",
        "image": "image.onnx",
        "preprocess": PREPROCESS[network].to_dict(),
        "words": "words.txt",
        "embeddings": "words.npy",
    }
    (folder / "encoder.json").write_text(json.dumps(manifest), encoding="utf-8")
    return folder


def keep(record: dict[str, Any], path: Path | None) -> None:
    """Write a record as JSON where there is a path for it."""
    if path is not None:
        path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def figures(record: dict) -> dict:
    """Numbers of a record, without names, paths or pictures."""
    kept = ("schema", "network", "layer", "num_neurons", "versions", "options", "parts", "sources", "summary")
    return {"date": str(date.today())} | {key: record[key] for key in kept}


def splits(run: Callable[[int], dict[str, Any]], count: int) -> dict[str, Any]:
    """Each source alone and all together on the judging pictures of other splits: the figures of each, and their means.

    `ahead` counts, for each source, the splits in which all together name more, as many, and better than it alone.
    """
    rows = []
    for seed in range(1, count + 1):
        summary = run(seed)["summary"]
        ways = {"together": summary} | summary["by_source"]
        rows.append({"seed": seed} | {name: {key: one[key] for key in OF_A_SPLIT} for name, one in ways.items()})
        print(rows[-1], flush=True)
    names = [name for name in rows[0] if name != "seed"]
    means = {
        name: {
            key: round(float(np.mean([row[name][key] for row in rows if row[name][key] is not None] or [0])), 4)
            for key in OF_A_SPLIT
        }
        for name in names
    }
    ahead = {
        name: {
            "named_more": sum(row["together"]["named"] > row[name]["named"] for row in rows),
            "named_as_many": sum(row["together"]["named"] == row[name]["named"] for row in rows),
            "mean_quality": sum(row["together"]["mean_quality"] > (row[name]["mean_quality"] or 0) for row in rows),
            "mean_over_all": sum(row["together"]["mean_over_all"] > row[name]["mean_over_all"] for row in rows),
        }
        for name in names
        if name != "together"
    }
    return {"date": str(date.today()), "splits": count, "means": means, "ahead": ahead, "rows": rows}


def embedded(scenes: int = 480, first_seed: int = 6_000_000) -> dict[str, Any]:
    """The embedded network, dissected with masks of scenes that its bundle's names have not seen."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from training.classifier.masks import write_masks

    own = read_bundle(DEFAULT_BUNDLE).concepts
    assert own is not None
    with tempfile.TemporaryDirectory() as scratch:
        drawn = (Scene.random(first_seed + n, label=n % len(LABELS)) for n in range(scenes))
        masks = write_masks(Path(scratch) / "masks", drawn)
        found = dissect(DEFAULT_BUNDLE, masks=masks, cache=scratch)
    pairs = zip(own.names, own.qualities, found.record["neurons"], strict=True)
    neurons = [
        {"neuron": one["neuron"], "bundle": name, "quality_in_bundle": quality, "again": one["name"]}
        | {"quality": one["quality"]}
        for name, quality, one in pairs
    ]
    again = sum(one["bundle"] == one["again"] for one in neurons)
    print(f"{again} of {sum(name is not None for name in own.names)} names again")
    record = {"scenes": scenes, "first_seed": first_seed, "same_name_again": again} | figures(found.record)
    return record | {"neurons": neurons}


def main() -> None:
    here = Path(__file__).parents[1]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("network", choices=(*CASES, "default"))
    parser.add_argument("--layer", choices=("last", "inner"), default="last")
    parser.add_argument("--only", choices=("masks", "labelled"), help="this source, and its pictures, alone")
    parser.add_argument("--splits", type=int, default=0, help="split anew so many times, in place of the one split")
    parser.add_argument("--bundles", type=Path, default=here / "scratch" / "bundles")
    parser.add_argument("--data", type=Path, default=here.parent / "shared" / "data")
    parser.add_argument("--out", type=Path, default=here / "scratch" / "words")
    parser.add_argument("--cache", type=Path, help="folder in which a stopped run is resumed")
    parser.add_argument("--figures", type=Path, help="JSON for the numbers alone")
    parser.add_argument("--threads", type=int)
    options = parser.parse_args()
    if options.network == "default":
        keep(embedded(), options.figures)
        return
    case = CASES[options.network]
    with tempfile.TemporaryDirectory() as scratch:
        cache = options.cache or Path(scratch)
        sources = {
            "masks": options.data / "concept_masks",
            "labelled": options.data / case.labelled,
            "encoder": write_encoder(case.encoder, options.data, cache / f"encoder of {case.encoder}"),
        }

        def run(seed: int) -> Dissection:
            return dissect(
                options.bundles / options.network,
                layer=case.inner if options.layer == "inner" else None,
                **{name: path for name, path in sources.items() if options.only in (None, name)},
                hypernyms=options.data / "labels" / "imagenet_hypernyms.json" if case.hypernyms else None,
                cache=cache,
                options=DissectOptions(threads=options.threads, seed=seed),
            )

        if options.splits:
            found = splits(lambda seed: run(seed).record, options.splits)
            keep({"network": options.network, "layer": options.layer} | found, options.figures)
            print(json.dumps({key: found[key] for key in ("means", "ahead")}, indent=1))
            return
        found = run(0)
    print(found.save(options.out))
    keep(figures(found.record), options.figures)
    together = found.record["summary"]
    for name, one in (together["by_source"] | {"together": together}).items():
        print(
            f"{name:10} {one['named']:5} named ({one['share_named']:.1%}), {one['confirmed']} confirmed, "
            f"mean {one['mean_quality']}, over all neurons {one['mean_over_all']}"
        )
    for line in together["equal_coverage"]:
        print(line)


if __name__ == "__main__":
    main()
