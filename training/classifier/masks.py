"""Scenes of the drawn world as `nle_fast.dissect` reads them: pictures, and masks of parts and of parts with a look."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from nle_fast.world import Scene
from training.classifier.words import specs_in

__all__ = ["write_masks"]


def write_masks(folder: Path, scenes: Iterable[Scene]) -> Path:
    """Write scenes into a new folder with an `index.json`.

    A pixel's id stands for its part and all looks of the part in that scene.
    """
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    ids: dict[tuple[str, ...], int] = {}
    images = []
    for n, scene in enumerate(scenes):
        mask = np.zeros(scene.picture.shape[:2], np.uint16)
        for part, inside in scene.parts.items():
            mask[inside] = ids.setdefault(tuple(spec.words for spec in specs_in(scene, part)), len(ids) + 1)
        files = {"file": f"images/{n:05}.png", "mask": f"masks/{n:05}.png"}
        Image.fromarray(scene.picture).save(folder / files["file"], compress_level=1)
        Image.fromarray(mask).save(folder / files["mask"])
        images.append(files | {"source": "world"})
    words = {word: len(ids) + 1 + at for at, word in enumerate(sorted({word for words in ids for word in words}))}
    concepts = [
        *({"id": number, "name": None, "also": [words[word] for word in meant]} for meant, number in ids.items()),
        *({"id": number, "name": word, "category": "part"} for word, number in words.items()),
    ]
    sources = {"world": {"concept_ids": list(ids.values()), "zero_means": "negative"}}
    index = {"concepts": concepts, "sources": sources, "images": images}
    (folder / "index.json").write_text(json.dumps(index), encoding="utf-8")
    return folder
