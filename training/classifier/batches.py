"""Batches: pictures with light changes that keep the label, and which part-and-look covers each position."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nle_fast.world import LOOKS, SPECIES
from training.classifier.inputs import MEAN, STD
from training.classifier.scenes import SIZE, SceneSet, Vocabulary

__all__ = ["GRID", "PARTS_SEEN", "Batches", "normalized"]

#: Positions per side of the last map.
GRID = SIZE // 8
#: Largest shift in pixels.
SHIFT = 6


def _parts_seen() -> tuple[tuple[str, str, str], ...]:
    """(part, kind of look, value) of every look that helps to make a class, and the sun that a shortcut may plant."""
    pairs = {
        (part, kind, value) for one in SPECIES for part, look in one.definition.items() for kind, value in look.items()
    }
    pairs |= {(part, "shape", value) for parts in LOOKS.values() for part, values in parts.items() for value in values}
    return (*sorted(pair for pair in pairs if pair[2] != "none"), ("sun", "", ""))


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
        sun: Whether the sun counts as a part to be seen (it does where a shortcut is planted).
    """

    def __init__(self, scenes: SceneSet, sun: bool = False):
        self.scenes = scenes
        self._concept_of = _concepts_of(scenes.looks, scenes.vocabulary, sun)

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
        seen = owners[:, 1::2, 1::2].reshape(len(rows), -1)
        concept = np.take_along_axis(self._concept_of[rows], seen.astype(np.int64), 1).astype(np.int64)
        side, cell = SIZE // 2, SIZE // 2 // GRID
        y, x = np.divmod(np.arange(side * side), side)
        place = (y // cell) * GRID + x // cell
        wide = len(PARTS_SEEN) + 1
        index = (np.arange(len(rows))[:, None] * wide + concept) * GRID * GRID + place
        counts = np.bincount(index.ravel(), minlength=len(rows) * wide * GRID * GRID)
        counts = counts.reshape(len(rows), wide, GRID, GRID)[:, 1:]
        return (counts / np.float32(cell * cell)).astype(np.float32)


def _moved(picture: NDArray[np.uint8], x: int, y: int) -> NDArray[np.uint8]:
    """The picture shifted by (x, y) pixels, its border repeated."""
    h, w = picture.shape[:2]
    return picture[np.clip(np.arange(h) - y, 0, h - 1)][:, np.clip(np.arange(w) - x, 0, w - 1)]


def _concepts_of(looks: NDArray[np.uint8], vocabulary: Vocabulary, sun: bool) -> NDArray[np.uint8]:
    """(N, P): 1 + index into `PARTS_SEEN` of each part of each scene, 0 where it is none of them."""
    table = np.zeros(looks.shape[:2], np.uint8)
    values = {"shape": (0, vocabulary.shapes), "color": (1, vocabulary.colors), "pattern": (2, vocabulary.patterns)}
    for number, (part, kind, value) in enumerate(PARTS_SEEN, 1):
        p = vocabulary.parts.index(part)
        if part == "sun":
            table[:, p] = number if sun else 0
        else:
            column, names = values[kind]
            table[looks[:, p, column] == names.index(value), p] = number
    return table
