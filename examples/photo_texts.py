"""Write a page of texts about photos, chosen by seed: the texts alone, without the photos.

python examples/photo_texts.py --photos DATA/photos --model scratch/bundles/mobilenet_v2 --out docs/texts.md
python examples/photo_texts.py … --before --count 10 --out docs/texts_before_after.md    # also with numbers only
"""

from __future__ import annotations

import argparse
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True, help="a bundle")
    parser.add_argument("--concepts", type=Path, help="a table; without it the bundle's")
    parser.add_argument("--verbalizer", default="llama")
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--before", action="store_true", help="plain texts, with numbers only and with concepts")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()

    def explainer(style: str, named: bool = True) -> nle.Explainer:
        bundle = nle.read_bundle(options.model)
        concepts = options.concepts if named else nle.Concepts.from_names([None] * count, layer=None)
        config = nle.Config(style=style, top_k=3, against=style == "expert")
        return nle.Explainer(bundle, concepts=concepts, verbalizer=options.verbalizer, config=config)

    count = nle.Explainer(options.model, verbalizer="template").classifier.num_neurons
    photos = chosen(options.photos, options.count, options.seed)
    lines = [
        f"# {options.count} texts about photos",
        "",
        f"Network: {options.model.name}. Photos drawn by seed {options.seed}, none left out; the texts are what the "
        f"verbalizer '{options.verbalizer}' wrote, none changed.",
        f"`python examples/photo_texts.py` makes this page{' with `--before`' if options.before else ''}.",
        "",
    ]
    if options.before:
        unnamed, named = explainer("plain", named=False), explainer("plain")
        for photo in photos:
            both = (f"- numbers only: {unnamed(photo).text}", f"- concepts: {named(photo).text}")
            lines += [f"**{photo.name}**", "", *both, ""]
    else:
        by_style = {style: explainer(style) for style in dict.fromkeys(STYLES)}
        random = Random(options.seed)
        for i, photo in enumerate(photos):
            style = STYLES[i % len(STYLES)]
            versus = runner_up(by_style[style], photo) if random.random() < 0.25 else None
            lines += [f"{i + 1}. `{photo.name}`, {style}: {by_style[style](photo, versus=versus).text}", ""]
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text("\n".join(lines), encoding="utf-8")


def runner_up(explainer: nle.Explainer, photo: Path) -> int:
    """The class with the second highest logit."""
    images = explainer.preprocess([Image.open(photo)])
    logits = explainer.classifier.logits(explainer.classifier.activations(images))
    return int(logits[0].argsort()[-2])


if __name__ == "__main__":
    main()
