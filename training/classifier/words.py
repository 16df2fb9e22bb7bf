"""Concepts of the world: a part, or a part with one look that a person would name, and the words for it."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

from nle_fast.world import Scene
from training.classifier.scenes import Vocabulary

__all__ = ["Spec", "specs_in", "specs_of_world"]

_ADJECTIVES: Final = {"stripes": "striped", "bars": "barred", "dots": "dotted", "cone": "cone-shaped"}
#: Parts that come with patterns; of the others "plain" says nothing.
_PATTERNED: Final = ("wing", "forewings", "body", "balloon")


class Spec(NamedTuple):
    """What a concept means: a part, and the kind of look ("shape", "color", "pattern", or "") with its value."""

    part: str
    kind: str = ""
    value: str = ""

    @property
    def words(self) -> str:
        """As a person says it: "beak", "red breast", "striped wing", "forked tail"."""
        return f"{_ADJECTIVES.get(self.value, self.value)} {self.part}".strip()


def specs_in(scene: Scene, part: str) -> tuple[Spec, ...]:
    """What a scene shows where it shows a part: the part, and the part with each of its looks."""
    looks = (("shape", scene.shapes), ("color", scene.colors), ("pattern", scene.patterns))
    found = [Spec(part, kind, of[part]) for kind, of in looks if of.get(part)]
    return (Spec(part), *(spec for spec in found if spec.value != "plain" or part in _PATTERNED))


@lru_cache(maxsize=1)
def specs_of_world() -> dict[str, Spec]:
    """What each concept's words mean, for all that the world can draw."""
    names = Vocabulary.of_world()
    looks = (("shape", names.shapes), ("color", names.colors), ("pattern", names.patterns))
    parts = [Spec(part) for part in names.parts if part]
    dressed = [Spec(bare.part, kind, value) for bare in parts for kind, values in looks for value in values if value]
    return {spec.words: spec for spec in (*parts, *dressed)}
