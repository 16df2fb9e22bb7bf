"""The pictures that a network is probed with: those of all sources in one list, each in one of three parts."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["JUDGE", "PARTS", "PICK", "PROPOSE", "Probe", "ProbeSet", "Word", "picture_digest"]

#: What a picture is for: sources propose words, one of the proposals is picked, and what was picked is judged.
PARTS = ("propose", "pick", "judge")
PROPOSE, PICK, JUDGE = range(3)


def picture_digest(path: Path) -> str:
    """12 hexadecimal digits that tell a picture file from others: of its name and its size."""
    said = f"{path.name} {path.stat().st_size}".encode("utf-8", "surrogateescape")
    return hashlib.blake2b(said, digest_size=6).hexdigest()


class Word(NamedTuple):
    """A concept that a source can name: its words, and what kind of thing its source calls it."""

    text: str
    category: str | None = None


class Probe(NamedTuple):
    """One picture of a source.

    Attributes:
        path: Where it lies.
        group: What it is drawn from (a source of masks, a class); parts are balanced within a group.
        half: Where its source says so, "held-out": it judges, or "choose": it proposes or picks; None: drawn.
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
        part: (P,) int8, index of `PARTS`.
        rows: Per source the row of each of its pictures.
    """

    paths: tuple[Path, ...]
    sources: tuple[str, ...]
    part: NDArray[np.int8]
    rows: dict[str, NDArray[np.int64]]

    @classmethod
    def of(cls, sources: Iterable[tuple[str, Sequence[Probe]]], seed: int = 0) -> ProbeSet:
        """Gather the pictures of named sources; a picture of two sources is kept once, in one part for both.

        Within a source the pictures are put in an order that depends on their group, their name and the seed alone and
        dealt to the three parts in turn, so that the split is the same on every machine and every group is in all.
        """
        places: dict[Path, int] = {}
        names: list[str] = []
        part: list[int] = []
        rows = {}
        for source, probes in sources:
            found = []
            for probe, dealt in zip(probes, _dealt(probes, seed), strict=True):
                path = probe.path.resolve()
                if path not in places:
                    places[path] = len(names)
                    names.append(source)
                    part.append(dealt)
                found.append(places[path])
            rows[source] = np.array(found, np.int64)
        return cls(tuple(places), tuple(names), np.array(part, np.int8), rows)

    def __len__(self) -> int:
        return len(self.paths)

    def without_judging(self, taken: NDArray[np.bool_]) -> ProbeSet:
        """The same pictures, of which those `taken` (P,) propose where they would judge."""
        part = np.where(taken & (self.part == JUDGE), np.int8(PROPOSE), self.part)
        return ProbeSet(self.paths, self.sources, part, self.rows)

    @property
    def chooses(self) -> NDArray[np.bool_]:
        """(P,): proposes or picks."""
        chooses: NDArray[np.bool_] = self.part != JUDGE
        return chooses

    def masks(self) -> list[NDArray[np.bool_]]:
        """Which pictures are in each part, in the order of `PARTS`."""
        return [self.part == at for at in range(len(PARTS))]


def _dealt(probes: Sequence[Probe], seed: int) -> list[int]:
    """The part of each picture."""

    def mixed(name: str) -> int:
        # The first split is older than the seed.
        return int(hashlib.sha256(f"{seed} {name}".encode()).hexdigest(), 16) if seed else zlib.crc32(name.encode())

    order = sorted(
        (n for n, probe in enumerate(probes) if probe.half != "held-out"),
        key=lambda n: (probes[n].group, mixed(probes[n].path.name), probes[n].path.name),
    )
    found = [JUDGE] * len(probes)
    for half, parts in ((None, (PROPOSE, PICK, JUDGE)), ("choose", (PROPOSE, PICK))):
        for place, n in enumerate(n for n in order if probes[n].half == half):
            found[n] = parts[place % len(parts)]
    return found
