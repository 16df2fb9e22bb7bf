"""One call for the commonest thing: a shape of a part, filled with its color under the light."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nle_fast.world.canvas import Canvas, Cover
from nle_fast.world.curves import Points
from nle_fast.world.plan import Plan

__all__ = ["fill", "lines"]


def fill(
    canvas: Canvas,
    plan: Plan,
    part: str,
    outlines: Sequence[Points] | Points,
    slope: float,
    bulge: float = 0.0,
    radius: float = 0.0,
    dim: float = 0.0,
) -> Cover | None:
    """Paint a part from its outlines in the picture; `radius` in pixels, `dim` darkens. Returns its coverage."""
    cover = canvas.cover(outlines, pad=1 + int(radius / 2))
    if cover is not None and part not in canvas.removed:
        shade = canvas.volume(cover, slope, bulge, radius)
        if dim:
            shade -= np.float32(dim)
        canvas.paint(part, cover, canvas.lit(plan.rgb[part], shade))
    return cover


def lines(
    canvas: Canvas,
    part: str,
    cover: Cover | None,
    outlines: Sequence[Points] | Points,
    tint: Sequence[float],
    opacity: float,
) -> None:
    """Shade fine lines (veins, rays, seams) into a part; they show only where the part does."""
    if cover is None or part in canvas.removed:
        return
    drawn = canvas.cover(outlines, pad=0)
    if drawn is not None:
        canvas.multiply(drawn.within(cover), tint, opacity)
