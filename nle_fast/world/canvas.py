"""The canvas: outlines become antialiased coverage, coverage becomes paint, and the topmost paint owns the pixel."""

from __future__ import annotations

from typing import NamedTuple, Sequence

import numpy as np
from numpy.typing import NDArray

from nle_fast.world.curves import Points

__all__ = ["Array", "Canvas", "Cover"]

Array = NDArray[np.float32]
_WARM = np.array((1.0, 0.965, 0.86), np.float32)
_COOL = np.array((0.40, 0.38, 0.52), np.float32)


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

        self._new, self._draw, self._mode = Image.new, ImageDraw.Draw, Image.fromarray
        self.size, self.light, self.texture, self.removed = size, light, texture, removed
        self.pixels: Array = np.zeros((size, size, 3), np.float32)
        self.owner = np.zeros((size, size), np.int16)
        self.names: list[str] = [""]
        self._fine = 4 if size <= 200 else 3 if size <= 400 else 2
        axis = (np.arange(size, dtype=np.float32) + 0.5) / size
        self.x, self.y = axis[None, :], axis[:, None]

    def cover(self, outlines: Sequence[Points], pad: int = 1) -> Cover | None:
        """Coverage of the union of some outlines (unit coordinates); None if outside the picture or nothing."""
        size, fine = self.size, self._fine
        low = np.min([o.min(0) for o in outlines], axis=0) * size
        high = np.max([o.max(0) for o in outlines], axis=0) * size
        left, top = max(int(low[0]) - pad, 0), max(int(low[1]) - pad, 0)
        right, bottom = min(int(high[0]) + 1 + pad, size), min(int(high[1]) + 1 + pad, size)
        if right <= left or bottom <= top:
            return None
        image = self._new("L", ((right - left) * fine, (bottom - top) * fine))
        draw = self._draw(image)
        shift = np.array((left * fine + 0.5, top * fine + 0.5))
        for outline in outlines:
            draw.polygon((outline * (size * fine) - shift).ravel().tolist(), fill=255)
        alpha = np.asarray(image.reduce(fine), np.float32)
        alpha *= 1 / 255
        return Cover(left, top, alpha)

    def blur(self, cover: Cover, radius: float) -> Array:
        """The coverage, softened over `radius` pixels (its box must have been padded for it)."""
        from PIL import ImageFilter

        image = self._mode((cover.alpha * 255).astype(np.uint8))
        return np.asarray(image.filter(ImageFilter.GaussianBlur(radius / 2)), np.float32) * np.float32(1 / 255)

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
        """Lay a colour, (3,) or (h, w, 3) in 0 to 1, over the covered pixels; with a part name they become that part's."""
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
        """Light on a shape, (h, w): 0 its own colour, to +1 in light, to -1 in shadow.

        `slope` is a ramp over the box; `round_` adds roundness from the softened coverage, `radius` in pixels.
        """
        h, w = cover.alpha.shape
        across = np.linspace(-slope * self.light[0], slope * self.light[0], w, dtype=np.float32)
        down = np.linspace(-slope * self.light[1], slope * self.light[1], h, dtype=np.float32)
        shade = across[None, :] + down[:, None]
        if round_ and radius >= 1 and min(h, w) > 2:
            soft = self.blur(cover, radius)
            gain = np.float32(round_ * radius * 0.8)
            shade[:, 1:-1] -= (soft[:, 2:] - soft[:, :-2]) * (gain * np.float32(self.light[0]))
            shade[1:-1] -= (soft[2:] - soft[:-2]) * (gain * np.float32(self.light[1]))
        shade += self.texture[cover.box]
        return shade

    def lit(self, color: Sequence[float] | Array, shade: Array) -> Array:
        """A colour under a shade from `volume`: warm in light, cool in shadow. (h, w, 3)."""
        base = np.asarray(color, np.float32)
        shade = shade[..., None]
        return base + np.maximum(shade, 0) * ((_WARM - base) * 0.62) + np.minimum(shade, 0) * (base * (1 - _COOL))
