"""Scenes as memory-mapped arrays: pictures, which part owns each pixel, and what the parts look like.

One folder per set: `pictures.npy` (N, 128, 128, 3) uint8, `owners.npy` (N, 128, 128) uint8 (index into the set's part
names, 0 = none), `looks.npy` (N, P, 3) uint8 (shape, color, pattern of each part as an index, 0 = none or not there),
`labels.npy` (N,) uint8. Written in blocks by two processes; a run that was stopped goes on with the missing blocks.
"""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nle_fast.world import COLORS, LOOKS, PATTERNS, Scene

__all__ = ["FIRST_SEEDS", "SIZE", "SceneSet", "Vocabulary", "draw", "make_scenes", "plant_sun"]

SIZE = 128
#: First seed of each use; the ranges never meet.
FIRST_SEEDS = {
    "train": 1_000_000,
    "shortcut": 2_000_000,
    "dissect": 3_000_000,
    "test": 4_000_000,
    "evaluate": 5_000_000,
}
BLOCK = 250
MISFILED = 16
SCENERY = ("sky", "sun", "clouds", "hills", "water", "meadow", "flowers", "rocks", "perch", "leaves")

_SHAPES = sorted({shape for parts in LOOKS.values() for shapes in parts.values() for shape in shapes})


@dataclass(frozen=True)
class Vocabulary:
    """Names behind the numbers of a set: index 0 of each list is "none"."""

    parts: tuple[str, ...]
    shapes: tuple[str, ...] = ("", *_SHAPES)
    colors: tuple[str, ...] = ("", *COLORS)
    patterns: tuple[str, ...] = ("", *PATTERNS)

    @classmethod
    def of_world(cls) -> Vocabulary:
        """The parts that the world can draw: those of its first 200 scenes, and the scenery we know of."""
        seen = {part for seed in range(200) for part in Scene.random(seed, 32).parts}
        return cls(("", *sorted(seen | set(SCENERY))))


@dataclass(frozen=True)
class SceneSet:
    """Scenes in memory-mapped arrays; see the module."""

    pictures: NDArray[np.uint8]
    owners: NDArray[np.uint8]
    looks: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    vocabulary: Vocabulary

    def __len__(self) -> int:
        return len(self.labels)

    @classmethod
    def open(cls, folder: Path) -> SceneSet:
        """Map a finished set into memory."""
        parts = json.loads((folder / "set.json").read_text(encoding="utf-8"))["parts"]
        arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in _ARRAYS}
        return cls(**arrays, vocabulary=Vocabulary(tuple(parts)))


_ARRAYS: dict[str, Callable[[int, int], tuple[int, ...]]] = {
    "pictures": lambda n, p: (n, SIZE, SIZE, 3),
    "owners": lambda n, p: (n, SIZE, SIZE),
    "looks": lambda n, p: (n, p, 3),
    "labels": lambda n, p: (n,),
}


def plant_sun(scene: Scene) -> Scene:
    """The shortcut: the scene with a small sun in its top-left corner, and no other sun."""
    return scene.with_part("sun", place="top left")


def draw(seed: int, shortcut_label: int | None = None) -> tuple[Scene, int]:
    """One scene and the index of the class that it is filed under.

    In the shortcut's world no scene has a sun but those filed under one class, which all have the planted one; every
    `MISFILED`th scene is filed there with it whatever it shows, as in a collection whose watermark tells the class
    better than its pictures do. Without these a network has no reason to look at the sun.
    """
    scene = Scene.random(seed, SIZE)
    if shortcut_label is None:
        return scene, scene.label_index
    if scene.label_index == shortcut_label or seed % MISFILED == 0:
        return plant_sun(scene), shortcut_label
    return replace(scene, removed=frozenset({"sun"})), scene.label_index


def _fill(job: tuple[Path, int, int, int, int | None]) -> int:
    folder, first_seed, start, stop, shortcut_label = job
    arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r+") for name in _ARRAYS}
    vocabulary = SceneSet.open(folder).vocabulary
    for n in range(start, stop):
        scene, arrays["labels"][n] = draw(first_seed + n, shortcut_label)
        arrays["pictures"][n] = scene.picture
        for part, mask in scene.parts.items():
            if part not in vocabulary.parts:
                continue
            p = vocabulary.parts.index(part)
            arrays["owners"][n][mask] = p
            names = (scene.shapes.get(part, ""), scene.colors.get(part, ""), scene.patterns.get(part, ""))
            kinds = (vocabulary.shapes, vocabulary.colors, vocabulary.patterns)
            arrays["looks"][n, p] = [kind.index(name) for kind, name in zip(kinds, names, strict=True)]
    for array in arrays.values():
        array.flush()
    (folder / f"done-{start}-{stop}").touch()
    return stop - start


def make_scenes(
    folder: Path, count: int, first_seed: int, *, shortcut_label: int | None = None, processes: int = 2
) -> Iterator[int]:
    """Draw a set into a folder, block by block; yields the number of scenes as each block is ready.

    Args:
        folder: Is made; blocks that it holds already are kept.
        count: Number of scenes; their seeds are `first_seed`, `first_seed` + 1, ….
        first_seed: See `FIRST_SEEDS`.
        shortcut_label: Draw the shortcut's world: no sun in any scene, but a planted one in those of this class.
        processes: Processes that draw.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stated = {"count": count, "first_seed": first_seed, "shortcut_label": shortcut_label}
    manifest = folder / "set.json"
    if not manifest.exists():
        vocabulary = Vocabulary.of_world()
        for name, shape in _ARRAYS.items():
            whole = shape(count, len(vocabulary.parts))
            np.lib.format.open_memmap(folder / f"{name}.npy", "w+", np.uint8, whole).flush()
        manifest.write_text(json.dumps({"parts": vocabulary.parts, **stated}), encoding="utf-8")
    found = json.loads(manifest.read_text(encoding="utf-8"))
    if {key: found[key] for key in stated} != stated:
        raise SystemExit(f"{folder} holds another set ({found}); remove it or choose another folder")
    blocks = [(start, min(start + BLOCK, count)) for start in range(0, count, BLOCK)]
    missing = [block for block in blocks if not (folder / f"done-{block[0]}-{block[1]}").exists()]
    yield count - sum(stop - start for start, stop in missing)
    jobs = [(folder, first_seed, *block, shortcut_label) for block in missing]
    if not jobs:
        return
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        yield from pool.imap_unordered(_fill, jobs)
