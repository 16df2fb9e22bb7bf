"""Texts about the same photos by two releases, side by side: the texts alone, without the photos.

    python examples/texts_of_releases.py write --network BUNDLE PHOTOS [--network …] --out former.json    # the old one
    python examples/texts_of_releases.py compare --former former.json --network … --out docs/texts_releases.md

Photos are drawn by seed, none is left out, none changed; a fifth is explained beside the runner-up.
"""

from __future__ import annotations

import argparse
import json
import statistics
from pathlib import Path
from random import Random
from typing import Any

from PIL import Image

import nle_fast as nle

STYLES = ("plain", "plain", "plain", "expert", "plain", "short")  # a non-expert reads most of them
PICTURES = (".jpg", ".jpeg", ".png")


def runner_up(explainer: nle.Explainer, photo: Path) -> int:
    """The class with the second highest logit."""
    images = explainer.preprocess([Image.open(photo).convert("RGB")])
    logits = explainer.classifier.logits(explainer.classifier.activations(images))
    return int(logits[0].argsort()[-2])


def texts_of(bundle: Path, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Name of the network, and for each photo its style, the rival and the text."""
    photos = sorted(path for path in folder.rglob("*") if path.suffix.lower() in PICTURES)
    random = Random(options.seed)
    opened = nle.read_bundle(bundle)
    explainers = {
        style: nle.Explainer(
            opened, verbalizer=options.verbalizer, config=nle.Config(style=style, against=style == "expert")
        )
        for style in dict.fromkeys(STYLES if options.style is None else [options.style])
    }
    texts = []
    for i, photo in enumerate(random.sample(photos, options.count)):
        style = options.style or STYLES[i % len(STYLES)]
        explainer = explainers[style]
        versus = runner_up(explainer, photo) if random.random() < options.rivals else None
        said = explainer(photo, versus=versus).text
        texts.append({"photo": str(photo.relative_to(folder)), "style": style, "text": said})
    return {"network": opened.name, "texts": texts}


def page(former: list[dict[str, Any]], now: list[dict[str, Any]], options: argparse.Namespace) -> list[str]:
    """Markdown: each photo with its two texts, and how long those in plain style are."""
    lines = [
        f"# {options.count} texts per network, before and now",
        "",
        f"Photos drawn by seed {options.seed}, none left out, none changed; five pieces of evidence; verbalizer: "
        f"'{options.verbalizer}'. Before: {options.before}. Made by `examples/texts_of_releases.py`.",
    ]
    for old, new in zip(former, now, strict=True):
        words = {
            name: statistics.median(len(one["text"].split()) for one in part["texts"] if one["style"] == "plain")
            for name, part in (("before", old), ("now", new))
        }
        lines += ["", f"## {new['network']}", ""]
        lines += [f"Words of a text in plain style, median: {words['before']:.0f} before, {words['now']:.0f} now.", ""]
        for one, other in zip(old["texts"], new["texts"], strict=True):
            assert (one["photo"], one["style"]) == (other["photo"], other["style"])
            lines += [f"- `{one['photo']}`, {one['style']}", f"  - before: {one['text']}", f"  - now: {other['text']}"]
    return [*lines, ""]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("write", "compare"))
    parser.add_argument("--network", nargs=2, type=Path, action="append", required=True, metavar=("BUNDLE", "PHOTOS"))
    parser.add_argument("--former", type=Path, help="what the other release wrote")
    parser.add_argument("--before", default="the release before", help="what to call the other release")
    parser.add_argument("--verbalizer", default="llama")
    parser.add_argument("--style", choices=sorted(set(STYLES)), help="all in this style")
    parser.add_argument("--count", type=int, default=20, help="photos per network")
    parser.add_argument("--seed", type=int, default=17)
    parser.add_argument("--rivals", type=float, default=0.2, help="part of the photos explained beside the runner-up")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    now = [texts_of(bundle, photos, options) for bundle, photos in options.network]
    if options.what == "write":
        text = json.dumps(now, indent=1, ensure_ascii=False) + "\n"
    else:
        text = "\n".join(page(json.loads(options.former.read_text(encoding="utf-8")), now, options))
    options.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
