"""From a plan to pixels: back to front, then grain."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nle_fast.world.balloon import draw_balloon
from nle_fast.world.bird import draw_bird, feet
from nle_fast.world.butterfly import draw_butterfly
from nle_fast.world.canvas import Array, Canvas
from nle_fast.world.fish import draw_fish
from nle_fast.world.land import draw_front, draw_land, draw_perch, flower_color
from nle_fast.world.plan import Plan, stream
from nle_fast.world.sky import draw_sky, make_backdrop

__all__ = ["painted_colors", "render"]

_DRAW = {"bird": draw_bird, "butterfly": draw_butterfly, "fish": draw_fish, "balloon": draw_balloon}


def render(
    plan: Plan, size: int, seed: int, background: int, removed: frozenset[str], sun_place: str | None = None
) -> Canvas:
    """Draw a scene.

    Args:
        plan: What the subject is and how it stands.
        size: Pixels per side.
        seed: Of the scene: grain, brush strokes, leaves in front.
        background: Seed of the backdrop.
        removed: Parts that are left out.
        sun_place: Where the sun was put, or None for what the backdrop has.
    """
    rng = stream(seed, "grain")
    canvas = Canvas(size, plan.light, _texture(rng, size), removed)
    scenery = make_backdrop(background, plan.light, sun_place)
    draw_sky(canvas, scenery)
    draw_land(canvas, scenery)
    x, y = feet(plan.pose)
    draw_perch(canvas, scenery, plan.pose, x, y)
    _DRAW[plan.kind](canvas, plan)
    draw_front(canvas, seed, plan.pose)
    canvas.pixels += rng.standard_normal((size, size, 1), np.float32) * np.float32(0.012)
    return canvas


def painted_colors(plan: Plan, background: int) -> Mapping[str, str]:
    """Color names of what a scene paints in one color, part by part."""
    scenery = {
        "leaves": "green",
        "rocks": "gray",
        "perch": "gray" if plan.pose.support == "rock" else "brown",
        "flowers": flower_color(make_backdrop(background, plan.light)),
    }
    return scenery | {part: look.color for part, look in plan.looks.items()}


def _texture(rng: np.random.Generator, size: int) -> Array:
    """Unevenness as of a brush, the same at every size."""
    from PIL import Image

    coarse = Image.fromarray(rng.standard_normal((40, 40), np.float32))
    return np.asarray(coarse.resize((size, size), Image.Resampling.BICUBIC), np.float32) * np.float32(0.035)
