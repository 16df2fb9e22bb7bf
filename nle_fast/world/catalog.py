"""The classes of the world, the looks a part can have, and the colors by name.

A class is a combination of part looks. No look of one part belongs to one class alone, and each class has a neighbor
that differs from it in exactly one part: whoever names the class must have seen several parts.

Source: this project; the idea of classes as combinations of parts is that of FunnyBirds (Hesse et al., ICCV 2023).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

__all__ = ["COLORS", "KINDS", "LABELS", "LOOKS", "PATTERNS", "SPECIES", "Kind", "Look", "Species"]

Kind = Literal["bird", "butterfly", "fish", "balloon"]
KINDS: Final[tuple[Kind, ...]] = ("bird", "butterfly", "fish", "balloon")

#: Red, green and blue, 0 to 255, of each color by name: the center around which a scene varies it.
COLORS: Final[Mapping[str, tuple[int, int, int]]] = MappingProxyType(
    {
        "red": (206, 54, 48),
        "orange": (240, 136, 44),
        "yellow": (248, 208, 62),
        "green": (88, 156, 82),
        "blue": (58, 122, 196),
        "purple": (124, 78, 162),
        "pink": (244, 152, 182),
        "brown": (130, 82, 50),
        "black": (42, 42, 50),
        "white": (246, 242, 232),
        "gray": (140, 145, 152),
    }
)
PATTERNS: Final = ("plain", "stripes", "bars", "dots")

#: Shapes that a part can take, by kind of thing; a part that is not listed has one shape only.
LOOKS: Final[Mapping[Kind, Mapping[str, tuple[str, ...]]]] = MappingProxyType(
    {
        "bird": MappingProxyType(
            {
                "beak": ("cone", "long", "curved", "hooked"),
                "crest": ("none", "pointed", "fan"),
                "tail": ("long", "forked", "fan"),
            }
        ),
        "butterfly": MappingProxyType({"hindwings": ("round", "tailed")}),
        "fish": MappingProxyType({"tail": ("forked", "fan")}),
        "balloon": MappingProxyType({"streamers": ("none", "wavy")}),
    }
)


class Look(NamedTuple):
    """How one part looks: its shape (None where it has one only), its color and its pattern, by name."""

    shape: str | None
    color: str
    pattern: str = "plain"


class Species(NamedTuple):
    """One class: its name, the kind of thing it is, and the looks that make it this class and no other."""

    label: str
    kind: Kind
    definition: Mapping[str, Mapping[str, str]]


def _bird(label: str, beak: str, crest: str, wing: str, tail: str, breast: str) -> Species:
    looks = {
        "beak": MappingProxyType({"shape": beak}),
        "crest": MappingProxyType({"shape": crest}),
        "wing": MappingProxyType({"pattern": wing}),
        "tail": MappingProxyType({"shape": tail}),
        "breast": MappingProxyType({"color": breast}),
    }
    return Species(label, "bird", MappingProxyType(looks))


def _two(label: str, kind: Kind, first: tuple[str, str, str], second: tuple[str, str, str]) -> Species:
    looks = {part: MappingProxyType({what: value}) for part, what, value in (first, second)}
    return Species(label, kind, MappingProxyType(looks))


#: All classes; the index in this tuple is the class index.
SPECIES: Final[tuple[Species, ...]] = (
    _bird("crested reed hopper", "long", "pointed", "bars", "fan", "white"),
    _bird("bareheaded reed hopper", "long", "none", "bars", "fan", "white"),
    _bird("red-breasted thorn finch", "cone", "none", "plain", "forked", "red"),
    _bird("yellow-breasted thorn finch", "cone", "none", "plain", "forked", "yellow"),
    _bird("spotted marsh piper", "curved", "none", "dots", "long", "white"),
    _bird("barred marsh piper", "curved", "none", "bars", "long", "white"),
    _bird("fork-tailed moor hawk", "hooked", "none", "bars", "forked", "yellow"),
    _bird("fan-tailed moor hawk", "hooked", "none", "bars", "fan", "yellow"),
    _bird("hook-billed plume jay", "hooked", "fan", "stripes", "long", "red"),
    _bird("curve-billed plume jay", "curved", "fan", "stripes", "long", "red"),
    _bird("crowned meadow lark", "cone", "fan", "dots", "fan", "yellow"),
    _bird("tufted meadow lark", "cone", "pointed", "dots", "fan", "yellow"),
    _two("banded glade swallowtail", "butterfly", ("forewings", "pattern", "bars"), ("hindwings", "shape", "tailed")),
    _two("spotted glade swallowtail", "butterfly", ("forewings", "pattern", "dots"), ("hindwings", "shape", "tailed")),
    _two("banded glade skipper", "butterfly", ("forewings", "pattern", "bars"), ("hindwings", "shape", "round")),
    _two("spotted glade skipper", "butterfly", ("forewings", "pattern", "dots"), ("hindwings", "shape", "round")),
    _two("fork-tailed tiger trout", "fish", ("tail", "shape", "forked"), ("body", "pattern", "bars")),
    _two("fan-tailed tiger trout", "fish", ("tail", "shape", "fan"), ("body", "pattern", "bars")),
    _two("fork-tailed pearl trout", "fish", ("tail", "shape", "forked"), ("body", "pattern", "dots")),
    _two("fan-tailed pearl trout", "fish", ("tail", "shape", "fan"), ("body", "pattern", "dots")),
    _two("striped parade balloon", "balloon", ("balloon", "pattern", "stripes"), ("streamers", "shape", "wavy")),
    _two("dotted parade balloon", "balloon", ("balloon", "pattern", "dots"), ("streamers", "shape", "wavy")),
    _two("striped drifter balloon", "balloon", ("balloon", "pattern", "stripes"), ("streamers", "shape", "none")),
    _two("dotted drifter balloon", "balloon", ("balloon", "pattern", "dots"), ("streamers", "shape", "none")),
)

#: Names of the classes, in the order of their index.
LABELS: Final[tuple[str, ...]] = tuple(species.label for species in SPECIES)
