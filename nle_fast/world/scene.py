"""A scene: a picture that knows what is where in it, and can be drawn again with one thing changed."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from nle_fast.errors import InputError
from nle_fast.world.balloon import draw_balloon
from nle_fast.world.bird import draw_bird, feet
from nle_fast.world.butterfly import draw_butterfly
from nle_fast.world.canvas import Array, Canvas
from nle_fast.world.catalog import COLORS, LABELS, LOOKS, PATTERNS, SPECIES, Kind
from nle_fast.world.fish import draw_fish
from nle_fast.world.land import draw_front, draw_land, draw_perch
from nle_fast.world.plan import PARTS, PATTERNED, Plan, make_plan, stream
from nle_fast.world.sky import draw_sky, make_backdrop

__all__ = ["Scene"]

Changes = tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
_DRAW = {"bird": draw_bird, "butterfly": draw_butterfly, "fish": draw_fish, "balloon": draw_balloon}


@dataclass(frozen=True)
class Scene:
    """One picture of the world, decided by a seed alone, with the truth about it.

    Make one with `Scene.random`. Frozen, hashable, small when pickled; picture and masks are drawn when first asked for and
    kept with the scene. The same arguments give the same pixels in every process.
    """

    seed: int
    size: int = 128
    background: int | None = None
    index: int | None = None
    changes: Changes = ()
    removed: frozenset[str] = frozenset()

    @classmethod
    def random(cls, seed: int, size: int = 128, *, label: str | int | None = None) -> Scene:
        """The scene of a seed.

        Args:
            seed: Whole number ≥ 0. It decides everything: class, looks, pose, light, background, noise.
            size: Pixels per side, 32 to 1024; the composition is the same at every size.
            label: A class, by name or index, instead of the one that the seed draws.

        Raises:
            InputError: An argument is out of its range, or no class has this name.
        """
        index = None
        if label is not None:
            if isinstance(label, str):
                if label not in LABELS:
                    raise InputError(
                        f"`label` must be one of nle_fast.world.LABELS, got {label!r}; choose one of them."
                    )
                index = LABELS.index(label)
            else:
                index = _whole("label", label, 0, len(LABELS) - 1)
        return cls(_whole("seed", seed, 0, 2**63 - 1), _whole("size", size, 32, 1024), index=index)

    @cached_property
    def _plan(self) -> Plan:
        return make_plan(self.seed, {part: dict(look) for part, look in self.changes}, self.index)

    @property
    def label(self) -> str:
        """Name of the class. A scene made by an intervention keeps the label of the scene it was made from."""
        return LABELS[self._plan.label_index]

    @property
    def label_index(self) -> int:
        """Index of the class in `LABELS`."""
        return self._plan.label_index

    @property
    def kind(self) -> Kind:
        """What sort of thing it is: "bird", "butterfly", "fish" or "balloon"."""
        return self._plan.kind

    @property
    def definition(self) -> Mapping[str, Mapping[str, str]]:
        """The part looks that make this class: part → look → value, as in `{"crest": {"shape": "fan"}}`."""
        return SPECIES[self._plan.label_index].definition

    @cached_property
    def _drawn(self) -> Canvas:
        return _draw(self)

    @cached_property
    def picture(self) -> NDArray[np.uint8]:
        """The picture, (size, size, 3) uint8 RGB, read-only."""
        pixels = (self._drawn.pixels * 255 + 0.5).clip(0, 255).astype(np.uint8)
        pixels.flags.writeable = False
        return pixels

    @cached_property
    def parts(self) -> Mapping[str, NDArray[np.bool_]]:
        """Where each part shows, name → (size, size) bool.

        A pixel belongs to the topmost part that covers at least half of it, so masks never overlap; a part that is hidden
        or removed has no entry.
        """
        canvas = self._drawn
        masks = {name: canvas.owner == number for number, name in enumerate(canvas.names) if number}
        return MappingProxyType({name: mask for name, mask in masks.items() if mask.any()})

    @cached_property
    def colors(self) -> Mapping[str, str]:
        """Colour name of each visible part that has one, one of `COLORS`."""
        named = {part: look.color for part, look in self._plan.looks.items()}
        return MappingProxyType({part: named[part] for part in self.parts if part in named})

    @cached_property
    def patterns(self) -> Mapping[str, str]:
        """Pattern of each visible part of the subject: plain, stripes, bars or dots."""
        return MappingProxyType({p: look.pattern for p, look in self._plan.looks.items() if p in self.parts})

    @cached_property
    def shapes(self) -> Mapping[str, str]:
        """Shape of each part that has more than one, also of one that is not there ("none")."""
        return MappingProxyType({p: look.shape for p, look in self._plan.looks.items() if look.shape is not None})

    def without(self, part: str) -> Scene:
        """The same scene with a part taken away and what is behind it drawn instead. The label stays.

        Args:
            part: A name in `parts`.

        Raises:
            InputError: The scene shows no such part, or it is the sky.
        """
        if part not in self.parts or part == "sky":
            names = ", ".join(name for name in self.parts if name != "sky")
            raise InputError(f"`part` must be a part of this scene, got {part!r}; choose one of {names}.")
        return replace(self, removed=self.removed | {part})

    def with_part(
        self, part: str, *, shape: str | None = None, color: str | None = None, pattern: str | None = None
    ) -> Scene:
        """The same scene with another look of one part of its subject. The label stays.

        Args:
            part: A part of the subject; a crest can be added where there is none.
            shape: One of `LOOKS[kind][part]`.
            color: One of `COLORS`.
            pattern: One of `PATTERNS`.

        Raises:
            InputError: The subject has no such part, or the part cannot look so.
        """
        kind = self.kind
        if part not in PARTS[kind]:
            raise InputError(
                f"`part` must be a part of a {kind}, got {part!r}; choose one of {', '.join(PARTS[kind])}."
            )
        look = {}
        for name, value, allowed in (
            ("shape", shape, LOOKS[kind].get(part, ())),
            ("color", color, tuple(COLORS)),
            ("pattern", pattern, PATTERNS if part in PATTERNED[kind] else ("plain",)),
        ):
            if value is None:
                continue
            if value not in allowed:
                choices = ", ".join(allowed) or "none: this part has one shape only"
                raise InputError(
                    f"`{name}` must be a {name} that a {part} can have, got {value!r}; choose one of {choices}."
                )
            look[name] = value
        changes = {name: dict(values) for name, values in self.changes}
        changes[part] = changes.get(part, {}) | look
        frozen = tuple(sorted((name, tuple(sorted(values.items()))) for name, values in changes.items()))
        return replace(self, changes=frozen, removed=self.removed - {part})

    def with_background(self, seed: int) -> Scene:
        """The same subject, light and noise before the background of another seed. The label stays.

        Raises:
            InputError: The seed is not a whole number ≥ 0.
        """
        return replace(self, background=_whole("seed", seed, 0, 2**63 - 1))


def _whole(name: str, value: object, low: int, high: int) -> int:
    try:
        if isinstance(value, (bool, np.bool_)):
            raise TypeError
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        number = low - 1
    if not low <= number <= high:
        raise InputError(
            f"`{name}` must be a whole number from {low} to {high}, got {value!r}; choose one in that range."
        )
    return number


def _texture(rng: np.random.Generator, size: int) -> Array:
    from PIL import Image

    coarse = rng.standard_normal((40, 40), np.float32)
    return np.asarray(Image.fromarray(coarse).resize((size, size), Image.Resampling.BICUBIC), np.float32) * np.float32(
        0.045
    )


def _draw(scene: Scene) -> Canvas:
    plan = scene._plan
    rng = stream(scene.seed, "grain")
    canvas = Canvas(scene.size, plan.light, _texture(rng, scene.size), scene.removed)
    backdrop_seed = scene.seed if scene.background is None else scene.background
    scenery = make_backdrop(backdrop_seed, plan.light)
    draw_sky(canvas, scenery)
    draw_land(canvas, scenery)
    x, y = feet(plan.pose)
    draw_perch(canvas, scenery, plan.pose, x, y)
    _DRAW[plan.kind](canvas, plan)
    draw_front(canvas, scene.seed, plan.pose)
    canvas.pixels += rng.standard_normal((scene.size, scene.size, 1), np.float32) * np.float32(0.012)
    return canvas
