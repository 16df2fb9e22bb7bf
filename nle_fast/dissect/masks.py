"""Pictures whose pixels carry concepts: a folder with an `index.json`, as Network Dissection needs it.

    {"concepts": [{"id": 1, "name": "wing", "category": "part", "also": [7]}, …],
     "sources":  {"birds": {"concept_ids": [1, 7], "zero_means": "ignore"}, …},
     "images":   [{"file": "images/a.jpg", "mask": "masks/a.png", "source": "birds"}, …]}

A mask is a single-channel PNG of concept ids, 8 or 16 bits, of the picture's shape at any size. `also`: a pixel of this
id is a pixel of those concepts too; a concept whose name is null only carries its `also`. What 0 means is said by the
source: `ignore`: unknown; `negative`: none of the source's concepts; `whole-image`: the mask has no 0. An image may
have a "half", "choose" (which proposes or picks) or "held-out"; else it is drawn.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nle_fast.dissect.probe import Probe, Word
from nle_fast.errors import InputError

__all__ = ["MaskFolder", "MaskTable"]

ZERO_MEANS = ("ignore", "negative", "whole-image")
HALVES = (None, "choose", "held-out")

#: Of a picture's pixels so many must be known before it says that a concept is absent.
MIN_KNOWN = 0.1


@dataclass(frozen=True)
class MaskTable:
    """The masks as the classifier sees the pictures.

    Attributes:
        codes: (N, side, side) uint16; 0 is unknown, others index `meanings`.
        meanings: Of each code the words, as indices.
        labels: (N, J) bool, whether the picture's source labels the word.
        presence: (N, J) float32, share of the known pixels; NaN where unknown.
    """

    codes: NDArray[np.uint16]
    meanings: list[tuple[int, ...]]
    labels: NDArray[np.bool_]
    presence: NDArray[np.float32]


class MaskFolder:
    """A folder of pictures and masks, described by its `index.json`; see the module.

    Args:
        folder: Where `index.json` lies. Everything that it names must lie inside.

    Raises:
        InputError: The index is missing or broken, a file that it names is missing or outside, an id is unknown.

    Source: the format of Bau et al.'s Broden in spirit, one mask per picture.
    """

    name = "masks"

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        self._index = self.folder / "index.json"
        document = self._read()
        entries = [self._entry(entry, "concepts", ("id",)) for entry in document["concepts"]]
        self._ids = [self._id(entry["id"]) for entry in entries]
        if len(set(self._ids)) < len(self._ids):
            twice = next(i for i in self._ids if self._ids.count(i) > 1)
            raise self._bad(f"have each concept id once, got id {twice} twice", "give each concept its own id")
        names = [entry.get("name") for entry in entries]
        for name in names:
            if not (name is None or (isinstance(name, str) and name.strip())):
                raise self._bad(f"name its concepts in text, got {name!r}", "use null for an id without a name")
        named = [i for i, name in enumerate(names) if name is not None]
        #: One per named concept.
        self.words = tuple(Word(str(names[i]).strip(), _text(entries[i].get("category"))) for i in named)
        if not self.words:
            raise self._bad("name at least one concept, got none", "give the concepts their names")
        self._word_of = {self._ids[i]: at for at, i in enumerate(named)}
        self._meaning = {self._ids[i]: self._meaning_of(self._ids[i], entry) for i, entry in enumerate(entries)}
        self._sources = {name: self._source(name, entry) for name, entry in document["sources"].items()}
        images = [self._entry(entry, "images", ("file", "mask", "source")) for entry in document["images"]]
        if not images:
            raise self._bad("list images, got none", "add the pictures and their masks")
        for image in images:
            if image["source"] not in self._sources:
                raise self._bad(
                    f"describe every source, got '{image['source']}' of {image['file']}", "add it to sources"
                )
            if image.get("half") not in HALVES:
                raise self._bad(
                    f"have choose or held-out as half, got {image['half']!r}", "leave it out to have it drawn"
                )
        self._of = [str(image["source"]) for image in images]
        self._masks = [self._file(image["mask"]) for image in images]
        #: The pictures, in the order of the index.
        self.probes = tuple(
            Probe(self._file(image["file"]), str(image["source"]), image.get("half")) for image in images
        )

    def read(
        self, sizes: Sequence[tuple[int, int]], windows: Sequence[tuple[float, float, float, float]], side: int
    ) -> MaskTable:
        """The masks of all pictures where the classifier looks.

        Args:
            sizes: (width, height) of each picture in pixels.
            windows: What the classifier sees of each, (left, top, right, bottom) in its pixels.
            side: Pixels per side that a window is sampled at.

        Raises:
            InputError: A mask cannot be read, has another shape than its picture, or an id that its source does not
                label.
        """
        meanings: list[tuple[int, ...]] = [(), ()]
        code_of: dict[tuple[int, ...], int] = {(): 1}
        tables = {name: self._codes_of(name, code_of, meanings) for name in self._sources}
        codes = np.zeros((len(self.probes), side, side), np.uint16)
        for n, path in enumerate(self._masks):
            ids = self._sampled(path, sizes[n], windows[n], side)
            table = tables[self._of[n]]
            codes[n] = table[np.minimum(ids, len(table) - 1)]
            wrong = (codes[n] == _WRONG) | (ids >= len(table))
            if wrong.any():
                raise InputError(
                    f"`masks` must have ids that source '{self._of[n]}' labels, got {int(ids[wrong][0])} in '{path}'; "
                    "add it to the source's concept_ids or mend the mask."
                )
        of_word = np.zeros((len(meanings), len(self.words)), bool)
        for code, members in enumerate(meanings):
            of_word[code, list(members)] = True
        labels = np.stack([self._labelled(name) for name in self._of])
        presence = np.full(labels.shape, np.nan, np.float32)
        for n, mask in enumerate(codes):
            counts = np.bincount(mask.ravel(), minlength=len(meanings))
            known = counts[1:].sum()
            if known >= MIN_KNOWN * mask.size:
                presence[n] = np.where(labels[n], counts @ of_word / known, np.nan)
        return MaskTable(codes, meanings, labels, presence)

    def _read(self) -> dict[str, Any]:
        if not self._index.is_file():
            raise InputError(
                f"`masks` must be a folder with index.json, got '{self.folder}' without it; check the path."
            )
        try:
            document = json.loads(self._index.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise self._bad(f"be JSON ({error})", "mend that line") from error
        kinds = {"concepts": list, "sources": dict, "images": list}
        if not isinstance(document, dict) or any(not isinstance(document.get(k), kind) for k, kind in kinds.items()):
            raise self._bad("hold concepts (list), sources (object) and images (list)", "see nle_fast.dissect.masks")
        return document

    def _bad(self, must: str, remedy: str) -> InputError:
        return InputError(f"`masks` must {must}, in '{self._index}'; {remedy}.")

    def _entry(self, entry: Any, what: str, keys: tuple[str, ...]) -> dict[str, Any]:
        if not isinstance(entry, dict) or any(key not in entry for key in keys):
            raise self._bad(f"have {', '.join(keys)} in each of {what}, got {str(entry)[:80]}", "add what is missing")
        return entry

    def _id(self, value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value < _WRONG:
            raise self._bad(f"have ids from 1 to {_WRONG - 1}, got {value!r}", "0 is no concept's id")
        return value

    def _meaning_of(self, number: int, entry: dict[str, Any]) -> tuple[int, ...]:
        also = entry.get("also", [])
        if not isinstance(also, list) or any(other not in self._word_of for other in also):
            raise self._bad(f"have ids of named concepts in also, got {also!r} for id {number}", "mend the list")
        own = [number] if number in self._word_of else []
        return tuple(sorted({self._word_of[i] for i in (*own, *also)}))

    def _source(self, name: str, entry: Any) -> tuple[tuple[int, ...], str]:
        entry = self._entry(entry, "sources", ("concept_ids", "zero_means"))
        unknown = [i for i in entry["concept_ids"] if i not in self._meaning]
        if unknown:
            raise self._bad(f"have known ids in concept_ids, got {unknown[0]!r} in source '{name}'", "add the concept")
        if entry["zero_means"] not in ZERO_MEANS:
            raise self._bad(f"have zero_means among {', '.join(ZERO_MEANS)}, got {entry['zero_means']!r}", "choose one")
        return tuple(entry["concept_ids"]), entry["zero_means"]

    def _labelled(self, source: str) -> NDArray[np.bool_]:
        labelled = np.zeros(len(self.words), bool)
        for number in self._sources[source][0]:
            labelled[list(self._meaning[number])] = True
        return labelled

    def _codes_of(
        self, source: str, code_of: dict[tuple[int, ...], int], meanings: list[tuple[int, ...]]
    ) -> NDArray[np.uint16]:
        """From ids to codes, for one source; `_WRONG` for ids that it does not label."""
        ids, zero = self._sources[source]
        table = np.full(max((0, *ids)) + 1, _WRONG, np.uint16)
        if zero != "whole-image":
            table[0] = 1 if zero == "negative" else 0
        for number in ids:
            meaning = self._meaning[number]
            if meaning not in code_of:
                code_of[meaning] = len(meanings)
                meanings.append(meaning)
            table[number] = code_of[meaning]
        return table

    def _file(self, name: object) -> Path:
        """A file of the folder. An index from a stranger must not reach files outside it."""
        path = self.folder / str(name)
        try:
            inside = isinstance(name, str) and path.resolve().is_relative_to(self.folder.resolve())
        except (OSError, ValueError, RuntimeError):
            inside = False
        if not inside:
            raise self._bad(f"name files inside its folder, got {name!r}", "move the file into it")
        if not os.path.isfile(path):
            raise self._bad(f"name files that are there, got '{name}' (no such file)", "add it or remove its image")
        return path

    def _sampled(
        self, path: Path, size: tuple[int, int], window: tuple[float, float, float, float], side: int
    ) -> NDArray[np.int64]:
        from PIL import Image

        try:
            with Image.open(path) as opened:
                mask = np.asarray(opened)
        except Exception as error:  # Pillow's decoders raise whatever their parsers trip over.
            raise InputError(f"`masks` must be readable pictures, got '{path}' ({error}); save it as PNG.") from error
        if mask.ndim != 2 or mask.dtype.kind not in "iu" or mask.min() < 0:
            raise InputError(
                f"`masks` must be single-channel PNGs of 8 or 16 bits, got '{path}' ({mask.dtype}, {mask.shape}); "
                "save the ids as gray values."
            )
        height, width = mask.shape
        # The shape may be rounded by a pixel each way, as when pictures and masks were scaled down.
        if abs(size[0] * height - size[1] * width) > max(size[0] + size[1], width + height):
            raise InputError(
                f"`masks` must have the shape of their pictures, got '{path}' of {width} × {height} for a picture of "
                f"{size[0]} × {size[1]}; scale both alike."
            )
        center = (np.arange(side) + 0.5) / side
        x = (window[0] + center * (window[2] - window[0])) / size[0] * width
        y = (window[1] + center * (window[3] - window[1])) / size[1] * height
        column, row = (np.clip(at.astype(np.int64), 0, end - 1) for at, end in ((x, width), (y, height)))
        sampled: NDArray[np.int64] = mask[row[:, None], column].astype(np.int64)
        return sampled


#: Stands for ids that a source does not label; no id and no code reaches it.
_WRONG = 65535


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
