"""Pictures whose cells hold a few of twelve sources, and networks whose layer mixes these into known directions."""

from __future__ import annotations

import numpy as np
from PIL import Image

from nle_fast import Preprocess

SOURCES, CHANNELS, CELLS, SIDE = 12, 20, 4, 32
PREPROCESS = Preprocess(size=SIDE, resize=SIDE, interpolation="nearest", mean=(0, 0, 0), std=(1, 1, 1))


class Planted:
    """A layer whose positions are sums of twelve directions, one for each color of each quarter of a cell.

    Args:
        num_classes: Rows of the head.
        head: "pooled" (mean, linear), "relu" (1 × 1 convolution, ReLU, mean) or "any" (a head of no closed form).
        seed: Of directions and weights.
    """

    layer = "planted"
    num_neurons = CHANNELS

    def __init__(self, num_classes: int = 3, head: str = "pooled", seed: int = 0) -> None:
        chance = np.random.default_rng(seed)
        directions = chance.normal(size=(SOURCES, CHANNELS))
        self.directions = (directions / np.linalg.norm(directions, axis=1, keepdims=True)).astype(np.float32)
        self.num_classes, self.head = num_classes, head
        # Every class speaks for two sources, so that all of them matter to the head.
        speaks = chance.normal(size=(num_classes, SOURCES)) * 0.3
        for label in range(num_classes):
            speaks[label, [label % SOURCES, (5 * label + 1) % SOURCES]] += 3
        self.weight = (speaks @ np.linalg.pinv(self.directions).T).astype(np.float32)
        self.bias = chance.normal(size=num_classes).astype(np.float32) * 0.1
        if head == "pooled":
            self.pooled_weight = self.weight
        if head == "relu":
            from nle_fast.classifiers.removal import ReluHead

            self.relu_head = ReluHead(self.weight, self.bias)

    @property
    def fingerprint(self) -> str:
        return f"{self.head} {self.num_classes}"

    def activations(self, images):
        """Quarters of 4 × 4 cells of 8 × 8 pixels: (N, 3, 4, 2, 4, 4, 2, 4) → sources."""
        parts = images.reshape(len(images), 3, CELLS, 2, 4, CELLS, 2, 4).mean(
            (4, 7)
        )  # n, color, y, quarter, x, quarter
        sources = parts.transpose(0, 2, 4, 1, 3, 5).reshape(len(images), CELLS, CELLS, SOURCES)
        return (sources @ self.directions).transpose(0, 3, 1, 2).astype(np.float32)

    def _class_maps(self, activations):
        return np.einsum("kc,nchw->nkhw", self.weight, activations) + self.bias[:, None, None]

    def logits(self, activations):
        maps = self._class_maps(activations)
        if self.head == "relu":
            maps = np.maximum(maps, 0)
        pooled = maps.mean((2, 3))
        return (pooled + 0.1 * pooled**2 if self.head == "any" else pooled).astype(np.float32)

    def gradients(self, activations, class_index, versus=None):
        maps = self._class_maps(activations)
        found = self._gradients(maps, np.asarray(class_index))
        return found if versus is None else found - self._gradients(maps, np.asarray(versus))

    def _gradients(self, maps, label):
        positions = maps.shape[2] * maps.shape[3]
        rows = self.weight[label] / positions
        if self.head == "relu":
            on = np.take_along_axis(maps, label[:, None, None, None], 1) > 0
            return (rows[:, :, None, None] * on).astype(np.float32)
        if self.head == "any":
            pooled = np.take_along_axis(maps.mean((2, 3)), label[:, None], 1)
            return (rows * (1 + 0.2 * pooled)).astype(np.float32)
        return rows.astype(np.float32)


def write_pictures(folder, count: int = 60, seed: int = 0):
    """`count` PNG files; each cell of 8 × 8 pixels shows one or two of the sources."""
    folder.mkdir(parents=True, exist_ok=True)
    chance = np.random.default_rng(seed)
    paths = []
    for n in range(count):
        sources = np.zeros((CELLS, CELLS, SOURCES))
        for y in range(CELLS):
            for x in range(CELLS):
                sources[y, x, chance.permutation(SOURCES)[: chance.integers(1, 3)]] = chance.uniform(0.3, 1)
        parts = sources.reshape(CELLS, CELLS, 3, 2, 2).transpose(0, 3, 1, 4, 2)  # y, quarter, x, quarter, color
        pixels = parts.repeat(4, 1).repeat(4, 3).reshape(SIDE, SIDE, 3)
        paths.append(folder / f"{n:03}.png")
        Image.fromarray((pixels * 255).astype(np.uint8)).save(paths[-1])
    return paths
