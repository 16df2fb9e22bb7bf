"""Scenes of the drawn world as a folder with `index.json`: parts, and parts with a look ("red breast")."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from planted import write_index

from nle_fast.world import LABELS, Scene

ADJECTIVES = {"stripes": "striped", "bars": "barred", "dots": "dotted", "cone": "cone-shaped"}
#: Parts that come with patterns; of the others "plain" says nothing.
PATTERNED = ("wing", "forewings", "body", "balloon")


def write_world(folder: Path, count: int, first_seed: int) -> Path:
    """`count` scenes, of all classes in turn.

    A pixel's id stands for its part and all looks of the part in that scene.
    """
    (folder / "images").mkdir(parents=True)
    (folder / "masks").mkdir()
    concepts: dict[tuple[str, ...], int] = {}
    images = []
    for n in range(count):
        scene = Scene.random(first_seed + n, label=n % len(LABELS))
        mask = np.zeros(scene.picture.shape[:2], np.uint16)
        for part, inside in scene.parts.items():
            looks = [kind.get(part) for kind in (scene.shapes, scene.colors, scene.patterns)]
            said = [look for look in looks if look and (look != "plain" or part in PATTERNED)]
            names = (part, *(f"{ADJECTIVES.get(look, look)} {part}" for look in said))
            mask[inside] = concepts.setdefault(names, len(concepts) + 1)
        Image.fromarray(scene.picture).save(folder / "images" / f"{n:05}.png")
        Image.fromarray(mask).save(folder / "masks" / f"{n:05}.png")
        images.append({"file": f"images/{n:05}.png", "mask": f"masks/{n:05}.png", "source": "world"})
    words = sorted({name for names in concepts for name in names})
    ids = {word: len(concepts) + 1 + at for at, word in enumerate(words)}
    entries = [
        {"id": number, "name": None, "also": [ids[name] for name in names]} for names, number in concepts.items()
    ]
    entries += [{"id": number, "name": word, "category": "part"} for word, number in ids.items()]
    sources = {"world": {"concept_ids": list(concepts.values()), "zero_means": "negative"}}
    write_index(folder, {"concepts": entries, "sources": sources, "images": images})
    return folder
