"""The pictures that a network is probed with: those of all sources in one list, each in one of two halves."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Probe", "ProbeSet", "Word"]


class Word(NamedTuple):
    """A concept that a source can name: its words, and what kind of thing its source calls it."""

    text: str
    category: str | None = None


class Probe(NamedTuple):
    """One picture of a source.

    Attributes:
        path: Where it lies.
        group: What it is drawn from (a source of masks, a class); halves are balanced within a group.
        half: "choose" or "held-out" where its source says so; None: drawn.
    """

    path: Path
    group: str
    half: str | None = None


@dataclass(frozen=True)
class ProbeSet:
    """Pictures of several sources.

    Attributes:
        paths: Each picture once, in the order of the sources.
        sources: Name of the first source that has it, per picture.
        held_out: (P,) bool: judges the choice; the others make it.
        rows: Per source the row of each of its pictures.
    """

    paths: tuple[Path, ...]
    sources: tuple[str, ...]
    held_out: NDArray[np.bool_]
    rows: dict[str, NDArray[np.int64]]

    @classmethod
    def of(cls, sources: Iterable[tuple[str, Sequence[Probe]]]) -> ProbeSet:
        """Gather the pictures of named sources; a picture of two sources is kept once.

        Within a source the pictures are put in an order that depends on their group and name alone and dealt to the two
        halves in turn, so that the split is the same on every machine and every group is in both.
        """
        places: dict[Path, int] = {}
        names: list[str] = []
        held_out: list[bool] = []
        rows = {}
        for source, probes in sources:
            half = _halves(probes)
            found = []
            for probe, judges in zip(probes, half, strict=True):
                path = probe.path.resolve()
                if path not in places:
                    places[path] = len(names)
                    names.append(source)
                    held_out.append(judges)
                found.append(places[path])
            rows[source] = np.array(found, np.int64)
        return cls(tuple(places), tuple(names), np.array(held_out, bool), rows)

    def __len__(self) -> int:
        return len(self.paths)


def _halves(probes: Sequence[Probe]) -> list[bool]:
    order = sorted(
        (n for n, probe in enumerate(probes) if probe.half is None),
        key=lambda n: (probes[n].group, zlib.crc32(probes[n].path.name.encode()), probes[n].path.name),
    )
    held_out = [probe.half == "held-out" for probe in probes]
    for place, n in enumerate(order):
        held_out[n] = place % 2 == 1
    return held_out
