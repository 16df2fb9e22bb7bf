"""Concepts of the world: a part, or a part with one look that a person would name, and the words for it."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from training.classifier.scenes import SIZE, SceneSet

__all__ = ["CELL", "Spec", "Truth", "specs_of"]

#: Side in pixels of what one position of the last map stands for.
CELL = 8
_ADJECTIVES: Final = {"stripes": "striped", "bars": "barred", "dots": "dotted", "cone": "cone-shaped"}
_COLUMNS: Final = ("shape", "color", "pattern")


class Spec(NamedTuple):
    """What a concept means: a part, and the kind of look ("shape", "color", "pattern", or "") with its value."""

    part: str
    kind: str = ""
    value: str = ""

    @property
    def words(self) -> str:
        """As a person says it: "beak", "red breast", "striped wing", "forked tail"."""
        return f"{_ADJECTIVES.get(self.value, self.value)} {self.part}".strip()


def specs_of(scenes: SceneSet, at_least: int = 20) -> tuple[Spec, ...]:
    """The concepts that at least so many scenes of a set show, bare parts first."""
    names = scenes.vocabulary
    values = (names.shapes, names.colors, names.patterns)
    shown = np.stack([(scenes.owners == p).any((1, 2)) for p in range(1, len(names.parts))], 1)
    specs = []
    for p, part in enumerate(names.parts[1:], 1):
        if shown[:, p - 1].sum() < at_least:
            continue
        specs.append(Spec(part))
        looks = scenes.looks[shown[:, p - 1], p]
        for column, kind in enumerate(_COLUMNS):
            counts = np.bincount(looks[:, column], minlength=len(values[column]))
            found = [v for v in range(1, len(counts)) if counts[v] >= at_least]
            # A look that every such part has ("plain" where no pattern is possible) says nothing.
            specs += [Spec(part, kind, values[column][v]) for v in found] if len(found) > 1 else []
    return tuple(sorted(specs, key=lambda spec: spec.kind != ""))


class Truth:
    """Answers whether a concept is what lies at a place of a scene of a set."""

    def __init__(self, scenes: SceneSet, specs: tuple[Spec, ...]):
        names = scenes.vocabulary
        values = (names.shapes, names.colors, names.patterns)
        self.scenes, self.specs = scenes, specs
        self.part_of = np.array([names.parts.index(spec.part) for spec in specs])
        #: (N, J): the part, if the scene shows it, has the look.
        self.has_look = np.ones((len(scenes), len(specs)), bool)
        for j, spec in enumerate(specs):
            if spec.kind:
                column = _COLUMNS.index(spec.kind)
                wanted = values[column].index(spec.value)
                self.has_look[:, j] = scenes.looks[:, self.part_of[j], column] == wanted

    def inside(self, scene: int, position: int, width: int, margin: int = 0) -> NDArray[np.bool_]:
        """(J,): whether the concept lies at the middle of a position of a map `width` wide.

        The middle is where the interpolated map peaks: the 2×2 pixels around it, or `margin` pixels more on each side.
        """
        y, x = ((index * CELL + CELL // 2) for index in divmod(position, width))
        low, high = 1 + margin, 1 + margin
        window = self.scenes.owners[scene, max(y - low, 0) : min(y + high, SIZE), max(x - low, 0) : min(x + high, SIZE)]
        return np.isin(self.part_of, window) & self.has_look[scene]
