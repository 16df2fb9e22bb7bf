"""Write a page of texts about photos, chosen by seed: the texts alone, without the photos.

A network is a bundle, a table of concepts, and a folder of photos:

    python examples/photo_texts.py --network BUNDLE CONCEPTS PHOTOS [--network …] --out docs/texts.md
    python examples/photo_texts.py … --before --count 10 --out docs/texts_before_after.md    # also with numbers only
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from random import Random

from PIL import Image

import nle_fast as nle

STYLES = ("plain", "plain", "expert", "plain", "short")  # a non-expert reads most of them
PICTURES = (".jpg", ".jpeg", ".png")


def chosen(folder: Path, count: int, seed: int) -> list[Path]:
    """So many pictures of a folder, in the order in which the seed draws them."""
    photos = sorted(path for path in folder.rglob("*") if path.suffix.lower() in PICTURES)
    return Random(seed).sample(photos, count)


def runner_up(explainer: nle.Explainer, photo: Path) -> int:
    """The class with the second highest logit."""
    images = explainer.preprocess([Image.open(photo).convert("RGB")])
    logits = explainer.classifier.logits(explainer.classifier.activations(images))
    return int(logits[0].argsort()[-2])


def in_all_styles(make: Callable[[str], nle.Explainer], photos: list[Path], seed: int) -> list[str]:
    """A line for each photo; every fourth beside the runner-up, on average."""
    explainers = {style: make(style) for style in dict.fromkeys(STYLES)}
    random, lines = Random(seed), []
    for i, photo in enumerate(photos):
        style = STYLES[i % len(STYLES)]
        versus = runner_up(explainers[style], photo) if random.random() < 0.25 else None
        lines.append(f"- `{photo.name}`, {style}: {explainers[style](photo, versus=versus).text}")
    return lines


def before_and_after(make: Callable[..., nle.Explainer], photos: list[Path]) -> list[str]:
    """Two lines for each photo: with the numbers of the neurons only, and with their concepts."""
    unnamed, named = make("plain", named=False), make("plain")
    lines = []
    for photo in photos:
        lines += [f"- `{photo.name}`", f"  - before: {unnamed(photo).text}", f"  - after: {named(photo).text}"]
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--network", nargs=3, type=Path, action="append", required=True, metavar=("BUNDLE", "CONCEPTS", "PHOTOS")
    )
    parser.add_argument("--verbalizer", default="llama")
    parser.add_argument("--count", type=int, default=20, help="of photos, all networks together")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--note", default="Names of neurons: `nle-fast dissect`.", help="what the names rest on")
    parser.add_argument("--before", action="store_true", help="plain texts, with numbers only and with concepts")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    lines = [
        f"# {options.count} texts about photos",
        "",
        f"Photos drawn by seed {options.seed}, none left out, none changed; verbalizer: '{options.verbalizer}'.",
        f"{options.note} Made by `examples/photo_texts.py`.",
    ]
    for folder, table, photos in options.network:
        bundle = nle.read_bundle(folder)
        size = nle.Explainer(bundle, verbalizer="template").classifier.num_neurons

        def make(style: str, named: bool = True, *, bundle=bundle, table=table, size=size) -> nle.Explainer:
            concepts = table if named else nle.Concepts.from_names([None] * size, layer=None)
            config = nle.Config(style=style, top_k=3, against=style == "expert")
            return nle.Explainer(bundle, concepts=concepts, verbalizer=options.verbalizer, config=config)

        some = chosen(photos, options.count // len(options.network), options.seed)
        told = before_and_after(make, some) if options.before else in_all_styles(make, some, options.seed)
        lines += ["", f"## {bundle.name}", "", *told]
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text("\n".join([*lines, ""]), encoding="utf-8")


if __name__ == "__main__":
    main()
