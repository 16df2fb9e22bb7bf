"""Batches: pictures with light changes that keep the label, and which part-and-look covers each position."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nle_fast.world import LOOKS, SPECIES
from nle_fast.world.plan import PARTS
from training.classifier.inputs import MEAN, STD
from training.classifier.scenes import SIZE, SceneSet

__all__ = ["GRID", "PARTS_SEEN", "Batches", "normalized"]

#: Positions per side of the last map.
GRID = SIZE // 8
#: Largest shift in pixels.
SHIFT = 6


#: Scenery that neurons get a hint of, so that a sun that matters can be told from one that does not.
SCENERY = ("flowers", "leaves", "perch", "rocks", "sun", "clouds")


def _parts_seen() -> tuple[tuple[str, str, str], ...]:
    """(part, kind of look, value) of every look that can make a class; then each part as such, and some scenery."""
    looks = {
        (part, kind, value) for one in SPECIES for part, look in one.definition.items() for kind, value in look.items()
    }
    looks |= {(part, "shape", value) for parts in LOOKS.values() for part, values in parts.items() for value in values}
    bare = sorted({part for parts in PARTS.values() for part in parts} - {"ropes"})
    return (*sorted(look for look in looks if look[2] != "none"), *((part, "", "") for part in (*bare, *SCENERY)))


PARTS_SEEN = _parts_seen()


def normalized(pictures: NDArray[np.uint8]) -> Tensor:
    """The network's input (N, 3, H, W) float32, channels last in memory, of pictures (N, H, W, 3) uint8."""
    images = torch.from_numpy(np.array(pictures)).permute(0, 3, 1, 2).float()
    scale = torch.tensor([1 / (255 * s) for s in STD])[:, None, None]
    shift = torch.tensor([-m / s for m, s in zip(MEAN, STD, strict=True)])[:, None, None]
    return images.mul_(scale).add_(shift)


class Batches:
    """Random batches of a set, decided by a generator whose state can be kept.

    Args:
        scenes: The set.
    """

    def __init__(self, scenes: SceneSet):
        self.scenes = scenes
        self._part_of, self._has_look = _looks_of(scenes)

    def take(self, rows: NDArray[np.int64], rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Images, labels, and the share (N, J, 16, 16) of each position that each part-and-look covers."""
        rows = np.sort(rows)
        pictures, owners = np.array(self.scenes.pictures[rows]), np.array(self.scenes.owners[rows])
        for n, (mirror, x, y) in enumerate(
            zip(rng.random(len(rows)) < 0.5, *rng.integers(-SHIFT, SHIFT + 1, (2, len(rows))), strict=True)
        ):
            for array in (pictures, owners):
                seen = array[n, :, ::-1] if mirror else array[n]
                array[n] = _moved(seen, int(x), int(y))
        images = normalized(pictures)
        # Light and its color, a little: +-15 % contrast, +-0.15 brightness, +-4 % per channel.
        gain = torch.from_numpy(
            rng.uniform(0.85, 1.15, (len(rows), 1)) * rng.uniform(0.96, 1.04, (len(rows), 3))
        ).float()
        offset = torch.from_numpy(rng.uniform(-0.3, 0.3, (len(rows), 1))).float()
        images.mul_(gain[:, :, None, None]).add_(offset[:, :, None, None])
        labels = torch.from_numpy(self.scenes.labels[rows].astype(np.int64))
        return images, labels, torch.from_numpy(self._cover(rows, owners))

    def _cover(self, rows: NDArray[np.int64], owners: NDArray[np.uint8]) -> NDArray[np.float32]:
        parts, side, cell = len(self.scenes.vocabulary.parts), SIZE // 2, SIZE // 2 // GRID
        seen = owners[:, 1::2, 1::2].reshape(len(rows), -1).astype(np.int64)
        y, x = np.divmod(np.arange(side * side), side)
        index = (np.arange(len(rows))[:, None] * parts + seen) * GRID * GRID + (y // cell) * GRID + x // cell
        counts = np.bincount(index.ravel(), minlength=len(rows) * parts * GRID * GRID)
        share = (counts / np.float32(cell * cell)).astype(np.float32).reshape(len(rows), parts, GRID, GRID)
        return share[:, self._part_of] * self._has_look[rows][:, :, None, None]


def _moved(picture: NDArray[np.uint8], x: int, y: int) -> NDArray[np.uint8]:
    """The picture shifted by (x, y) pixels, its border repeated."""
    h, w = picture.shape[:2]
    return picture[np.clip(np.arange(h) - y, 0, h - 1)][:, np.clip(np.arange(w) - x, 0, w - 1)]


def _looks_of(scenes: SceneSet) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """For each of `PARTS_SEEN` its part's index, and (N, J) whether that part of each scene has the look."""
    names = scenes.vocabulary
    columns = {"shape": (0, names.shapes), "color": (1, names.colors), "pattern": (2, names.patterns)}
    part_of = np.array([names.parts.index(part) for part, _, _ in PARTS_SEEN])
    has_look = np.ones((len(scenes), len(PARTS_SEEN)), np.float32)
    for j, (_, kind, value) in enumerate(PARTS_SEEN):
        if kind:
            column, values = columns[kind]
            has_look[:, j] = scenes.looks[:, part_of[j], column] == values.index(value)
    return part_of, has_look
