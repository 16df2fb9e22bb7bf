"""Networks whose few classes cannot vote: borrowed words, votes and masks side by side, judged, with ten texts each.

    python examples/borrowed_words.py [--data ../shared/data] [--out docs/borrowed_words.md]

The CIFAR ResNet-20 (ten classes) sees the photos of ../shared at 32 pixels; the second network is the embedded one with
a head of two classes, birds and other things, on drawn scenes. MobileNetV2 is the witness. Texts only, no pictures.
"""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import numpy as np
import onnx
from make_bundles import make_bundles
from onnx import numpy_helper
from PIL import Image

import nle_fast as nle
from nle_fast.bundle import DEFAULT_BUNDLE, read_bundle
from nle_fast.concepts import Concepts
from nle_fast.dissect import Witness, dissect
from nle_fast.world import Scene

SOURCES = ("borrowed", "votes", "masks")
HEADS = {
    "borrowed": "Borrowed words (MobileNetV2 is the witness)",
    "votes": "Votes",
    "masks": "Masks",
}


class Named(NamedTuple):
    """One network with a table of words from each source."""

    title: str
    explainers: dict[str, nle.Explainer]
    lines: dict[str, str]
    pictures: list[Path]


def table_of(record: dict[str, Any], source: str) -> tuple[Concepts, str]:
    """One source's names alone, and a line on what they are worth."""
    neurons = record["neurons"]
    classes: list[tuple[int, ...] | None] = [None] * len(neurons)
    if source == "masks":
        names = [entry["name"] for entry in neurons]
        qualities = [entry["quality"] for entry in neurons]
    else:
        offers = [entry["offers"].get(source) for entry in neurons]
        names = [offer and offer["name"] for offer in offers]
        qualities = [offer and offer["quality"] for offer in offers]
        only = [offer and offer["only_class"] for offer in offers]
        classes = [None if at is None else (at,) for at in only]
    sources = tuple(name and source for name in names)
    concepts = Concepts(
        tuple(names), tuple(qualities), record["layer"], min_quality=0.4, sources=sources, classes=tuple(classes)
    )
    told = [quality for quality in qualities if quality is not None]
    trusted = sum(concept.trusted for concept in concepts)
    mean = f", mean quality {np.mean(told):.2f}" if told else ""
    how = next((offer["judged"] for entry in neurons if (offer := entry.get("offers", {}).get(source))), "masks")
    judged = f", judged by {how}" if told else ""
    return concepts, f"{trusted} of {len(neurons)} neurons have words{mean}{judged}"


def named(title: str, bundle: Path, records: dict[str, dict[str, Any]], pictures: Sequence[Path]) -> Named:
    """The network with each table."""
    explainers, lines = {}, {}
    for source, record in records.items():
        concepts, lines[source] = table_of(record, source)
        explainers[source] = nle.Explainer.load(bundle, concepts=concepts, verbalizer="template")
    return Named(title, explainers, lines, list(pictures))


def imagenet_photos(data: Path, out: Path, count: int = 800) -> Path:
    """A CSV of so many photos of known ImageNet class."""
    found = []
    for folder, name in (("photos", "labels.csv"), ("photos_more", "index.csv")):
        with (data / folder / name).open(encoding="utf-8") as rows:
            known = [row for row in csv.DictReader(rows) if row["wnid"]]
        found += [(str(data / folder / row["file"]), row["name"], row["wnid"]) for row in known]
    with out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "name", "wnid"])
        writer.writerows(Random(0).sample(found, count))
    return out


def cifar(data: Path, scratch: Path, bundles: Sequence[Path], witness: Witness) -> Named:
    """ResNet-20: its own classes vote on its own pictures; words are borrowed on photos."""
    bundle, cache = bundles[2], scratch / "cache"
    photos = imagenet_photos(data, scratch / "photos.csv")
    records = {
        "votes": dissect(bundle, votes=True, labelled=data / "cifar_test", cache=cache).record,
        "masks": dissect(bundle, masks=data / "concept_masks", cache=cache).record,
        "borrowed": dissect(bundle, witness=witness, labelled=photos, cache=cache).record,
    }
    return named("CIFAR ResNet-20, ten classes", bundle, records, sorted((data / "cifar_test").rglob("*.jpg")))


def two_classes(scratch: Path, witness: Witness, scenes: int = 400, first_seed: int = 7_000_000) -> Named:
    """The embedded network, its head averaged to birds and other things."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from training.classifier.masks import write_masks

    own = read_bundle(DEFAULT_BUNDLE)
    assert own.labels is not None
    labels = own.labels.read_text(encoding="utf-8").splitlines()
    kinds = np.array([Scene.random(0, label=at).kind == "bird" for at in range(len(labels))])
    model = onnx.load(own.model)
    for part in model.graph.initializer:
        if part.name in ("head.weight", "head.bias"):
            whole = numpy_helper.to_array(part)
            part.CopyFrom(numpy_helper.from_array(np.stack([whole[kinds].mean(0), whole[~kinds].mean(0)]), part.name))
    model.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 2
    onnx.save(model, scratch / "two.onnx")
    bundle = nle.write_bundle(
        scratch / "two", scratch / "two.onnx", labels=["bird", "other thing"], preprocess=own.preprocess,
        layer=own.layer, name="two classes of the drawn world",
    )  # fmt: skip
    drawn = [Scene.random(first_seed + n, label=n % len(labels)) for n in range(scenes)]
    masks, cache = write_masks(scratch / "masks", drawn), scratch / "cache"
    pictures = sorted((masks / "images").glob("*.png"))
    with (scratch / "scenes.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "name"])
        for picture, scene in zip(pictures, drawn, strict=True):
            writer.writerow([str(picture), "bird" if scene.kind == "bird" else "other thing"])
    records = {
        "borrowed": dissect(bundle, witness=witness, pictures=pictures, cache=cache).record,
        "votes": dissect(bundle, votes=True, labelled=scratch / "scenes.csv", cache=cache).record,
        "masks": dissect(bundle, masks=masks, cache=cache).record,
    }
    return named("A network of the drawn world with two classes", Path(bundle), records, pictures)


def page(network: Named, count: int, seed: int) -> list[str]:
    """What each source names, and so many texts of each beside one another."""
    lines = [f"## {network.title}", ""]
    lines += [f"- {HEADS[source]}: {network.lines[source]}." for source in SOURCES]
    for n, path in enumerate(Random(seed).sample(network.pictures, count), 1):
        lines += ["", f"{n}. `{path.parent.name}/{path.name}`"]
        for source in SOURCES:
            picture = Image.open(path).convert("RGB")
            lines.append(f"   - {source}: {network.explainers[source](picture).text}")
    return [*lines, ""]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    here = Path(__file__).parents[1]
    parser.add_argument("--data", type=Path, default=here.parent / "shared" / "data")
    parser.add_argument("--out", type=Path, default=here / "docs" / "borrowed_words.md")
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument("--seed", type=int, default=16)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        bundles = make_bundles(asked.data, scratch / "bundles")
        witness = Witness(bundles[0])
        networks = [cifar(asked.data, scratch, bundles, witness), two_classes(scratch, witness)]
        lines = [
            "# Borrowed words, votes and masks side by side",
            "",
            "Texts about pictures that the seed chose, made by `examples/borrowed_words.py`. Where a source has no "
            "words that hold, the text says where it is. What the words rest on: [dissect.md](dissect.md).",
            "",
        ]
        for network in networks:
            lines += page(network, asked.count, asked.seed)
    asked.out.write_text("\n".join(lines), encoding="utf-8")
    print(asked.out)


if __name__ == "__main__":
    main()
