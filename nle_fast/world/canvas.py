"""The canvas: outlines become antialiased coverage, coverage becomes paint, and the topmost paint owns the pixel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nle_fast.world.curves import Points

if TYPE_CHECKING:
    from PIL import Image, ImageDraw

__all__ = ["Array", "Canvas", "Cover"]

Array = NDArray[np.floating[Any]]
_WARM = np.array((1.0, 0.965, 0.86), np.float32)
_COOL = np.array((0.97, 0.96, 1.08), np.float32)


class Cover(NamedTuple):
    """How much of each pixel of a box a shape covers: `alpha` (h, w), 0 to 1, whose corner is pixel (left, top)."""

    left: int
    top: int
    alpha: Array

    @property
    def box(self) -> tuple[slice, slice]:
        """The box as an index into the picture."""
        return slice(self.top, self.top + self.alpha.shape[0]), slice(self.left, self.left + self.alpha.shape[1])

    def within(self, other: Cover | None) -> Cover | None:
        """This shape where the other one is too; None where they do not meet."""
        if other is None:
            return None
        left, top = max(self.left, other.left), max(self.top, other.top)
        right = min(self.left + self.alpha.shape[1], other.left + other.alpha.shape[1])
        bottom = min(self.top + self.alpha.shape[0], other.top + other.alpha.shape[0])
        if right <= left or bottom <= top:
            return None
        mine = self.alpha[top - self.top : bottom - self.top, left - self.left : right - self.left]
        theirs = other.alpha[top - other.top : bottom - other.top, left - other.left : right - other.left]
        return Cover(left, top, mine * theirs)


class Canvas:
    """A square picture in progress.

    Args:
        size: Pixels per side.
        light: Unit vector (x, y) towards the light, y down.
        texture: (size, size) float32 around 0: the hand-painted unevenness that `volume` adds.
        removed: Names of the parts that are left out.
    """

    def __init__(self, size: int, light: tuple[float, float], texture: Array, removed: frozenset[str] = frozenset()):
        from PIL import Image, ImageDraw

        self._image, self._draw = Image, ImageDraw.Draw
        self.size, self.light, self.texture, self.removed = size, light, texture, removed
        self.pixels: Array = np.zeros((size, size, 3), np.float32)
        self.owner = np.zeros((size, size), np.int16)
        self.names: list[str] = [""]
        self._fine = 4 if size <= 200 else 3 if size <= 400 else 2
        axis = (np.arange(size, dtype=np.float32) + 0.5) / size
        self.x, self.y = axis[None, :], axis[:, None]

    def cover(self, outlines: Sequence[Points] | Points, pad: int = 1) -> Cover | None:
        """Coverage of the union of some outlines (unit coordinates); None if outside the picture or nothing."""
        box = self._box(outlines, pad)
        if box is None:
            return None
        image, draw, shift = self._sheet(box, 0)
        for corners in self._corners(outlines, shift):
            draw.polygon(corners, fill=255)
        return Cover(box[0], box[1], self._fold(image))

    def layers(self, outlines: Sequence[Points], tones: Sequence[float]) -> tuple[Cover, Array] | None:
        """Outlines that overlap, each with its tone (-1 to 1) and a darker edge: their union and the tones, (h, w)."""
        box = self._box(outlines, 1)
        if box is None:
            return None
        image, draw, shift = self._sheet(box, 0)
        toned, edge, _ = self._sheet(box, 128)
        for corners, tone in zip(self._corners(outlines, shift), tones, strict=True):
            draw.polygon(corners, fill=255)
            level = 128 + int(127 * tone)
            edge.polygon(corners, fill=level)
            edge.line([*corners, *corners[:2]], fill=max(level - 60, 0), width=self._fine // 2)
        tone_map = self._fold(toned)
        tone_map -= np.float32(128 / 255)
        tone_map *= 2
        return Cover(box[0], box[1], self._fold(image)), tone_map

    def _box(self, outlines: Sequence[Points] | Points, pad: int) -> tuple[int, int, int, int] | None:
        points = outlines[0] if len(outlines) == 1 else np.concatenate(list(outlines))
        low, high = (points.min(0) * self.size).tolist(), (points.max(0) * self.size).tolist()
        left, top = max(int(low[0]) - pad, 0), max(int(low[1]) - pad, 0)
        right, bottom = min(int(high[0]) + 1 + pad, self.size), min(int(high[1]) + 1 + pad, self.size)
        return None if right <= left or bottom <= top else (left, top, right, bottom)

    def _corners(self, outlines: Sequence[Points] | Points, shift: Points) -> Iterator[list[float]]:
        """Each outline as the flat list of fine pixel coordinates that Pillow takes."""
        flat = ((np.concatenate(list(outlines)) * (self.size * self._fine)) - shift).ravel().tolist()
        start = 0
        for outline in outlines:
            stop = start + 2 * len(outline)
            yield flat[start:stop]
            start = stop

    def _sheet(self, box: tuple[int, int, int, int], level: int) -> tuple[Image.Image, ImageDraw.ImageDraw, Points]:
        left, top, right, bottom = box
        fine = self._fine
        image = self._image.new("L", ((right - left) * fine, (bottom - top) * fine), level)
        return image, self._draw(image), np.array((left * fine + 0.5, top * fine + 0.5))

    def _fold(self, image: Image.Image) -> Array:
        return np.asarray(image.reduce(self._fine), np.float32) * np.float32(1 / 255)

    def blur(self, cover: Cover, radius: float) -> Array:
        """The coverage, softened over `radius` pixels (its box must have been padded for it)."""
        h, w = cover.alpha.shape
        cell = max(1.0, radius / 3)  # softened on a coarse grid: as smooth, and the cost does not grow with the radius
        small = (max(2, round(w / cell)), max(2, round(h / cell)))
        soft = np.asarray(self._image.fromarray(cover.alpha).resize(small, self._image.Resampling.BOX), np.float32)
        for _ in range(2):
            wide = np.pad(soft, 1)
            soft = wide[:, 2:] + 2 * wide[:, 1:-1] + wide[:, :-2]
            soft = (soft[2:] + 2 * soft[1:-1] + soft[:-2]) * np.float32(1 / 16)
        return np.asarray(self._image.fromarray(soft).resize((w, h), self._image.Resampling.BICUBIC), np.float32)

    def grid(self, cover: Cover) -> tuple[Array, Array]:
        """Unit picture coordinates x (1, w) and y (h, 1) of the box."""
        rows, columns = cover.box
        return self.x[:, columns], self.y[rows]

    def own(self, part: str, cover: Cover) -> None:
        """Give the part every pixel that it covers by at least half."""
        if part not in self.names:
            self.names.append(part)
        np.putmask(self.owner[cover.box], cover.alpha >= 0.5, self.names.index(part))

    def paint(
        self, part: str | None, cover: Cover | None, color: Array | Sequence[float], opacity: float = 1.0
    ) -> None:
        """Lay a color, (3,) or (h, w, 3) in 0 to 1, over the covered pixels and give them to the part, if any."""
        if cover is None or part in self.removed:
            return
        pixels = self.pixels[cover.box]
        alpha = cover.alpha if opacity == 1.0 else cover.alpha * np.float32(opacity)
        difference = np.asarray(color, np.float32) - pixels
        difference *= alpha[..., None]
        pixels += difference
        if part is not None:
            self.own(part, cover)

    def multiply(self, cover: Cover | None, color: Sequence[float], opacity: float = 1.0) -> None:
        """Darken the covered pixels by a tint, as a shadow does."""
        if cover is not None:
            tint = np.float32(opacity) * (1 - np.asarray(color, np.float32))
            self.pixels[cover.box] *= 1 - cover.alpha[..., None] * tint

    def volume(self, cover: Cover, slope: float = 0.35, round_: float = 0.0, radius: float = 0.0) -> Array:
        """Light on a shape, (h, w): 0 its own color, to +1 in light, to -1 in shadow.

        `slope` is a ramp over the box; `round_` adds roundness from the softened coverage, `radius` in pixels.
        """
        h, w = cover.alpha.shape
        across = (np.arange(w, dtype=np.float32) - np.float32(w / 2)) * np.float32(2 * slope * self.light[0] / w)
        down = (np.arange(h, dtype=np.float32) - np.float32(h / 2)) * np.float32(2 * slope * self.light[1] / h)
        shade = across[None, :] + down[:, None]
        if round_ and radius >= 1 and min(h, w) > 2:
            soft = self.blur(cover, radius)
            gain = np.float32(round_ * radius * 0.8)
            shade[:, 1:-1] -= (soft[:, 2:] - soft[:, :-2]) * (gain * np.float32(self.light[0]))
            shade[1:-1] -= (soft[2:] - soft[:-2]) * (gain * np.float32(self.light[1]))
        shade += self.texture[cover.box]
        return np.clip(shade, -0.75, 0.8, out=shade)

    def lit(self, color: Sequence[float] | Array, shade: Array) -> Array:
        """A color under a shade from `volume`: warm in light, deeper and cooler in shadow. (h, w, 3)."""
        base = np.asarray(color, np.float32)
        shade = shade[..., None]
        light: Array = np.maximum(shade, 0) * ((_WARM - base) * np.float32(0.48))
        light += np.minimum(shade, 0) * (base - base * (np.float32(0.30) + np.float32(0.34) * base) * _COOL)
        light += base
        return light
