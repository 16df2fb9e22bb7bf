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
from nle_fast.world.canvas import Canvas
from nle_fast.world.catalog import COLORS, LABELS, LOOKS, PATTERNS, SPECIES, Kind
from nle_fast.world.colors import color_name
from nle_fast.world.plan import PARTS, PATTERNED, Plan, make_plan
from nle_fast.world.render import painted_colors, render
from nle_fast.world.sky import CORNERS

__all__ = ["Scene"]

Changes = tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
_LAST_SEED = 2**63 - 1


@dataclass(frozen=True)
class Scene:
    """One picture of the world, decided by a seed alone, with the truth about it.

    Make one with `Scene.random`, and others from it with `without`, `with_part` and `with_background`. Frozen and
    hashable, and pickled without its pixels; picture and masks are drawn when first asked for and kept with the scene.
    The same arguments give the same pixels in every process.

    Args:
        seed: What the scene is made from, 0 to 2⁶³ − 1.
        size: Pixels per side, 32 to 1024.
        background: Seed of the background; None: the scene's own.
        index: Index of the class in `LABELS`; None: as the seed draws it.
        changes: Looks that were changed, part by part.
        removed: Parts that were taken away.

    Raises:
        InputError: Seed, size, background or index is not a whole number in its range.

    Example:
        >>> scene = Scene.random(7)
        >>> scene.picture.shape, scene.label in LABELS
        ((128, 128, 3), True)
    """

    seed: int
    size: int = 128
    background: int | None = None
    index: int | None = None
    changes: Changes = ()
    removed: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        object.__setattr__(self, "seed", _whole("seed", self.seed, 0, _LAST_SEED))
        object.__setattr__(self, "size", _whole("size", self.size, 32, 1024))
        if self.background is not None:
            object.__setattr__(self, "background", _whole("background", self.background, 0, _LAST_SEED))
        if self.index is not None:
            object.__setattr__(self, "index", _whole("index", self.index, 0, len(LABELS) - 1))

    def __reduce__(self) -> tuple[type[Scene], tuple[object, ...]]:
        """Pickled as its arguments, without picture and masks."""
        return Scene, (self.seed, self.size, self.background, self.index, self.changes, self.removed)

    @classmethod
    def random(cls, seed: int, size: int = 128, *, label: str | int | None = None) -> Scene:
        """The scene of a seed.

        Args:
            seed: Whole number from 0. It decides everything: class, looks, pose, light, background, noise.
            size: Pixels per side, 32 to 1024; the composition is the same at every size.
            label: A class, by name or index, instead of the one that the seed draws.

        Returns:
            A scene whose class is one of `LABELS`, each with the same chance.

        Raises:
            InputError: An argument is not a whole number in its range, or no class has this name.

        Example:
            >>> Scene.random(3, size=64, label="tufted meadow lark").label
            'tufted meadow lark'
        """
        if isinstance(label, str):
            if label not in LABELS:
                raise InputError(f"`label` must be one of nle_fast.world.LABELS, got {label!r}; choose one of them.")
            label = LABELS.index(label)
        elif label is not None:
            label = _whole("label", label, 0, len(LABELS) - 1)
        return cls(seed, size, index=label)

    @cached_property
    def _plan(self) -> Plan:
        return make_plan(self.seed, {part: dict(look) for part, look in self.changes}, self.index)

    @cached_property
    def _drawn(self) -> Canvas:
        place = dict(dict(self.changes).get("sun", ())).get("place")
        return render(self._plan, self.size, self.seed, self._backdrop, self.removed, place)

    @property
    def _backdrop(self) -> int:
        return self.seed if self.background is None else self.background

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
        """The part looks that make this class: part → look → value, as in `{"crest": {"shape": "fan"}, …}`."""
        return SPECIES[self._plan.label_index].definition

    @cached_property
    def picture(self) -> NDArray[np.uint8]:
        """The picture, (size, size, 3) uint8 RGB, read-only."""
        pixels = (self._drawn.pixels * 255 + 0.5).clip(0, 255).astype(np.uint8)
        pixels.flags.writeable = False
        return pixels

    @cached_property
    def parts(self) -> Mapping[str, NDArray[np.bool_]]:
        """Where each part shows: name → (size, size) bool, read-only.

        A pixel belongs to the topmost part that covers at least half of it, so masks never overlap, and together they
        cover the picture. A part that is hidden or removed has no entry. Names of scenery: sky, sun, clouds, hills,
        trees, water or meadow, flowers, reeds, rocks, leaves, and perch for the branch or rock that a bird stands on; a
        fish brings drops.
        """
        canvas = self._drawn
        masks = {}
        for number, name in enumerate(canvas.names):
            mask = canvas.owner == number
            if number and mask.any():
                mask.flags.writeable = False
                masks[name] = mask
        return MappingProxyType(masks)

    @cached_property
    def colors(self) -> Mapping[str, str]:
        """Color of each visible part, one of the names in `COLORS`.

        What is painted in one color has that one, a part with a pattern that of its ground. Sky, sun, clouds, hills,
        trees, water, meadow and reeds change from place to place and are named by the median of their pixels.
        """
        painted = painted_colors(self._plan, self._backdrop)
        pixels = self._drawn.pixels
        return MappingProxyType(
            {
                p: painted.get(p) or color_name(np.median(pixels[mask], axis=0).clip(0, 1))
                for p, mask in self.parts.items()
            }
        )

    @cached_property
    def patterns(self) -> Mapping[str, str]:
        """Pattern of each visible part of the subject, one of the names in `PATTERNS`."""
        return MappingProxyType({p: look.pattern for p, look in self._plan.looks.items() if p in self.parts})

    @cached_property
    def shapes(self) -> Mapping[str, str]:
        """Shape of each part that can have several, also of one that is not there ("none")."""
        return MappingProxyType({p: look.shape for p, look in self._plan.looks.items() if look.shape is not None})

    def without(self, part: str) -> Scene:
        """The same scene with a part taken away and what is behind it drawn instead. The label stays.

        Pixels away from the part stay as they are, noise too; the sun takes its glow along, and what water mirrors goes
        from the water too.

        Args:
            part: A name in `parts`, but not the sky.

        Raises:
            InputError: The scene shows no such part, or it is the sky.
        """
        if not isinstance(part, str) or part not in self.parts or part == "sky":
            names = ", ".join(name for name in self.parts if name != "sky")
            raise InputError(f"`part` must be a part that this scene shows, got {part!r}; choose one of {names}.")
        return replace(self, removed=self.removed | {part})

    def with_part(
        self,
        part: str,
        *,
        shape: str | None = None,
        color: str | None = None,
        pattern: str | None = None,
        place: str | None = None,
    ) -> Scene:
        """The same scene with another look of one part of its subject, or with a sun. The label stays.

        A part that had been taken away comes back. What is not named stays as it was.

        Args:
            part: A part of the subject (a crest or streamers can be added where there are none), or "sun".
            shape: One of `LOOKS[kind][part]`.
            color: One of `COLORS`; not for the sun.
            pattern: One of `PATTERNS`; for wing, forewings, body of a fish, balloon.
            place: Of the sun only: "sky", where the background has it, or "top left" or "top right" for a small sun in
                that corner.

        Raises:
            InputError: The subject has no such part, or the part cannot look so.
        """
        kind, is_sun = self.kind, part == "sun"
        if not is_sun and (not isinstance(part, str) or part not in PARTS[kind]):
            names = ", ".join((*PARTS[kind], "sun"))
            raise InputError(f"`part` must be a part of a {kind} or the sun, got {part!r}; choose one of {names}.")
        look = {"place": "sky"} if is_sun else {}
        for name, value, allowed in (
            ("shape", shape, LOOKS[kind].get(part, ())),
            ("color", color, () if is_sun else tuple(COLORS)),
            ("pattern", pattern, PATTERNS if part in PATTERNED[kind] else ()),
            ("place", place, ("sky", *CORNERS) if is_sun else ()),
        ):
            if value is None:
                continue
            if value not in allowed:
                remedy = f"choose one of {', '.join(allowed)}" if allowed else f"leave `{name}` out for the {part}"
                raise InputError(f"`{name}` must be a {name} that the {part} can have, got {value!r}; {remedy}.")
            look[name] = value
        changes = {name: dict(values) for name, values in self.changes}
        changes[part] = changes.get(part, {}) | look
        frozen = tuple(sorted((name, tuple(sorted(values.items()))) for name, values in changes.items()))
        return replace(self, changes=frozen, removed=self.removed - {part})

    def with_background(self, seed: int) -> Scene:
        """The same subject, light and noise before the background of another seed. The label stays.

        Where the subject stands, the perch stands; leaves in front stay too.

        Args:
            seed: Whole number from 0.

        Raises:
            InputError: The seed is not a whole number in its range.
        """
        return replace(self, background=_whole("seed", seed, 0, _LAST_SEED))


def _whole(name: str, value: object, low: int, high: int) -> int:
    try:
        number = low - 1 if isinstance(value, (bool, np.bool_)) else operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        number = low - 1
    if not low <= number <= high:
        raise InputError(f"`{name}` must be a whole number from {low} to {high}, got {value!r}; choose one of them.")
    return number
