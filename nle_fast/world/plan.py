"""What a seed decides about a scene before anything is drawn: class, looks, pose, light, weather. No pixels here."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nle_fast.world.catalog import COLORS, LOOKS, PATTERNS, SPECIES, Kind, Look

__all__ = ["PARTS", "Plan", "Pose", "make_plan", "stream"]

#: Parts of each kind of thing, and the colors each may have (drawn with equal chance, whatever the class).
PARTS: Mapping[Kind, Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "bird": MappingProxyType(
            {
                "body": ("blue", "green", "brown", "gray", "purple", "pink"),
                "head": ("blue", "green", "brown", "gray", "purple", "black", "white", "red", "yellow", "orange"),
                "wing": ("blue", "green", "brown", "gray", "purple", "orange", "red", "yellow"),
                "tail": ("blue", "green", "brown", "purple", "orange", "red", "black", "white"),
                "crest": ("red", "orange", "yellow", "blue", "black", "white", "purple", "pink"),
                "beak": ("orange", "yellow", "black", "gray", "red"),
                "breast": ("red", "yellow", "white"),
                "legs": ("orange", "yellow", "black", "pink", "gray"),
                "eye": ("black",),
            }
        ),
        "butterfly": MappingProxyType(
            {
                "forewings": ("orange", "yellow", "blue", "purple", "red", "pink", "white", "green"),
                "hindwings": ("orange", "yellow", "blue", "purple", "red", "pink", "white", "green"),
                "body": ("brown", "black", "purple"),
                "antennae": ("black", "brown"),
            }
        ),
        "fish": MappingProxyType(
            {
                "body": ("orange", "blue", "green", "purple", "red", "pink", "gray", "yellow"),
                "belly": ("white", "yellow", "pink"),
                "tail": ("orange", "blue", "green", "purple", "red", "yellow"),
                "fins": ("orange", "blue", "green", "purple", "red", "yellow"),
                "eye": ("black",),
            }
        ),
        "balloon": MappingProxyType(
            {
                "balloon": ("red", "orange", "yellow", "green", "blue", "purple", "pink", "white"),
                "basket": ("brown", "orange", "black"),
                "ropes": ("brown",),
                "streamers": ("red", "orange", "yellow", "green", "blue", "purple", "pink"),
            }
        ),
    }
)
#: Parts that can carry a pattern.
PATTERNED: Mapping[Kind, tuple[str, ...]] = MappingProxyType(
    {"bird": ("wing",), "butterfly": ("forewings",), "fish": ("body",), "balloon": ("balloon",)}
)
_STREAMS = ("subject", "backdrop", "front", "grain", "strokes")


def stream(seed: int, name: str) -> np.random.Generator:
    """The random numbers of one aspect of a scene, independent of those of the others."""
    return np.random.Generator(np.random.PCG64([seed, _STREAMS.index(name)]))


class Pose(NamedTuple):
    """How the subject stands in the picture. Drawn alike for every class; each kind uses what it needs."""

    mirror: bool
    scale: float
    x: float
    y: float
    tilt: float
    plump: float
    neck: float
    head: float
    nod: float
    back: bool
    raised: bool
    leg: float
    support: str  # "branch", "rock", "ground", "air"
    turn: float
    spread: float


class Plan(NamedTuple):
    """A scene before it is drawn."""

    label_index: int
    kind: Kind
    looks: Mapping[str, Look]
    rgb: Mapping[str, tuple[float, float, float]]
    pose: Pose
    light: tuple[float, float]


def _color(name: str, jitter: NDArray[np.float64]) -> tuple[float, float, float]:
    r, g, b = (np.array(COLORS[name]) / 255 * (1 + 0.05 * jitter[3]) + 0.022 * jitter[:3]).clip(0, 1).tolist()
    return (r, g, b)


def make_plan(seed: int, changed: Mapping[str, Mapping[str, str]], index: int | None = None) -> Plan:
    """Decide everything about the subject of scene `seed`; `changed` overrides looks, `index` the class."""
    rng = stream(seed, "subject")
    drawn = int(rng.integers(len(SPECIES)))
    index = drawn if index is None else index
    u = rng.random(24)
    plain = rng.random(64)
    jitter = rng.uniform(-1, 1, (16, 4))
    species = SPECIES[index]
    support = ("branch", "branch", "branch", "rock", "rock", "ground", "ground", "ground", "air", "air")[
        int(10 * u[12])
    ]
    pose = Pose(
        mirror=bool(u[0] < 0.5),
        scale=0.9 + 0.2 * float(u[1]),
        x=0.5 + 0.08 * (float(u[2]) - 0.5),
        y=0.5 + 0.06 * (float(u[3]) - 0.5),
        tilt=0.12 + 0.72 * float(u[4]),
        plump=0.86 + 0.32 * float(u[5]),
        neck=0.02 + 0.2 * max(0.0, float(u[6]) - 0.35),
        head=0.185 + 0.035 * float(u[7]),
        nod=0.5 * (float(u[8]) - 0.5),
        back=bool(u[9] < 0.14),
        raised=bool(u[10] < (0.85 if support == "air" else 0.14)),
        leg=0.24 + 0.28 * float(u[11]) ** 2,
        support=support,
        turn=float(u[13]) - 0.5,
        spread=float(u[14]),
    )
    side = 1.0 if u[15] < 0.5 else -1.0
    angle = math.radians(38 + 30 * float(u[16]))
    looks: dict[str, Look] = {}
    rgb = {}
    for number, (part, colors) in enumerate(PARTS[species.kind].items()):
        shapes = LOOKS[species.kind].get(part)
        look = {"color": colors[int(len(colors) * plain[3 * number])], "pattern": "plain"}
        if shapes:
            look["shape"] = shapes[int(len(shapes) * plain[3 * number + 1])]
        if part in PATTERNED[species.kind]:
            look["pattern"] = PATTERNS[int(len(PATTERNS) * plain[3 * number + 2])]
        look |= {**species.definition.get(part, {}), **changed.get(part, {})}
        looks[part] = Look(look.get("shape"), look["color"], look["pattern"])
        rgb[part] = _color(look["color"], jitter[number])
    light = (side * math.cos(angle), -math.sin(angle))
    return Plan(index, species.kind, MappingProxyType(looks), MappingProxyType(rgb), pose, light)
