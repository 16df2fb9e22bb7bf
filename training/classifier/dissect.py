"""Words for the neurons of a trained network: `nle_fast.dissect`, from masks of the world's own scenes.

    python -m training.classifier.dissect --model build/clean/model.onnx --out build/clean

Which part, with which look, each neuron sees is decided as for any other network; only the number of words is held to
one, so that each name means one thing of the world. A name says when a neuron answers most; a neuron may still be
evidence elsewhere, where it answers little ("a balloon" on a bird's head). So a name is withheld where, in more than a
fifth of the scenes in which the neuron is evidence, its strongest position lies outside the named part.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from nle_fast.dissect import Dissection, DissectOptions
from nle_fast.dissect import dissect as name_neurons
from nle_fast.world import Scene
from training.classifier.evaluate import Speaker, measure_pointing
from training.classifier.inputs import PREPROCESS
from training.classifier.masks import write_masks
from training.classifier.scenes import FIRST_SEEDS, draw

__all__ = ["MIN_POINTING", "dissect", "figures_of", "main", "withheld"]

#: Share of the scenes it is evidence for in which a neuron's strongest position must lie inside its part; of so many.
MIN_POINTING, FEW = 0.8, 8


def dissect(model: Path, folder: Path, scenes: Sequence[Scene]) -> Dissection:
    """Name the neurons of a network of the world, with one concept each.

    Args:
        model: `model.onnx` as `train` writes it.
        folder: Scratch folder for masks and responses; is made.
        scenes: What it is shown.
    """
    masks = write_masks(folder / "masks", scenes)
    return name_neurons(model, preprocess=PREPROCESS, masks=masks, cache=folder, options=DissectOptions(max_words=1))


def withheld(pointing: dict[int, list[bool]]) -> dict[int, float]:
    """Neurons that point elsewhere than their names say, and the share in which they do not."""
    shares = {neuron: sum(cases) / len(cases) for neuron, cases in pointing.items() if len(cases) >= FEW}
    return {neuron: round(share, 4) for neuron, share in shares.items() if share < MIN_POINTING}


def figures_of(record: dict[str, Any]) -> dict[str, Any]:
    """What the record says of the network and of each neuron, without pictures."""
    kept = ("schema", "model", "layer", "num_neurons", "versions", "options", "parts", "summary")
    bulky = ("exemplars", "candidates")
    neurons = [{key: value for key, value in one.items() if key not in bulky} for one in record["neurons"]]
    return {key: record[key] for key in kept} | {"neurons": neurons}


def main(arguments: list[str] | None = None) -> None:
    """The command line; see the module."""
    from training.classifier.train import SHORTCUT_LABEL

    parser = argparse.ArgumentParser(prog="training.classifier.dissect", description=__doc__.split("\n")[0])
    parser.add_argument("--model", type=Path, required=True, help="model.onnx as train.py writes it")
    parser.add_argument("--out", type=Path, required=True, help="folder for concepts.json and dissection.json")
    parser.add_argument("--count", type=int, default=2000, help="number of scenes")
    parser.add_argument("--shortcut", action="store_true", help="in the world with the planted sun")
    given = parser.parse_args(arguments)
    scratch = given.out / "dissect"
    shutil.rmtree(scratch, ignore_errors=True)
    label = SHORTCUT_LABEL if given.shortcut else None
    scenes = [draw(FIRST_SEEDS["dissect"] + n, label)[0] for n in range(given.count)]
    found = dissect(given.model, scratch, scenes)
    found.concepts.save(scratch / "concepts.json")
    astray = withheld(measure_pointing(Speaker.open(given.model, scratch / "concepts.json"), scenes))
    names = tuple(None if neuron in astray else name for neuron, name in enumerate(found.concepts.names))
    qualities = tuple(
        None if name is None else quality for name, quality in zip(names, found.concepts.qualities, strict=True)
    )
    replace(found.concepts, names=names, qualities=qualities).save(given.out / "concepts.json")
    draft = given.out / "dissection.json.draft"
    draft.write_text(json.dumps(figures_of(found.record) | {"withheld": astray}, indent=1) + "\n", encoding="utf-8")
    draft.replace(given.out / "dissection.json")
    shutil.rmtree(scratch)
    summary = found.record["summary"]
    named = f"{summary['named']} of {len(names)} neurons named, {len(astray)} of these names withheld"
    print(f"{named}, mean quality {summary['mean_quality']}; {given.out}")


if __name__ == "__main__":
    main()
