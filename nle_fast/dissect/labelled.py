"""Pictures with one class each, and the more general words that the classes stand for.

Either a folder with one sub-folder per class, or a CSV with the columns `file` (relative to the CSV) and `name` (or
`label`), and, where there is one, `wnid`. More general words come from a JSON list of
`{"wnid", "names": […], "hypernyms": [{"wnid", "name"}, …]}`, found by `wnid`, else by name.
"""

from __future__ import annotations

import csv
import io
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nle_fast.dissect.probe import Probe, Word
from nle_fast.errors import InputError

__all__ = ["LabelledPictures", "general_words"]

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff"}


class LabelledPictures:
    """Pictures of known classes; see the module.

    Args:
        path: A folder with a sub-folder per class, or a CSV.
        hypernyms: More general words, as JSON; None: the classes alone.

    Raises:
        InputError: Nothing to read, a picture that the CSV names is missing, a broken file, or fewer than two classes.

    Source: WordNet's hypernyms as more general labels, as in Bykov et al., INVERT, NeurIPS 2023.
    """

    name = "labelled"

    def __init__(self, path: str | os.PathLike[str], hypernyms: str | os.PathLike[str] | None = None) -> None:
        path = Path(path)
        if path.is_dir():
            rows = _folder(path)
        elif path.is_file() and path.suffix.lower() == ".csv":
            rows = _table(path)
        else:
            raise InputError(f"`labelled` must be a folder of classes or a .csv, got '{path}'; check the path.")
        classes = list(dict.fromkeys((label, wnid) for _, label, wnid in rows))
        if len(classes) < 2:
            raise InputError(f"`labelled` must have two classes or more, got {len(classes)} in '{path}'; add another.")
        #: The pictures, class by class.
        self.probes = tuple(Probe(picture, f"{classes.index((label, wnid)):06}") for picture, label, wnid in rows)
        #: Per picture its class's name, and its WordNet number where there is one.
        self.classes = tuple((label, wnid) for _, label, wnid in rows)
        general = {} if hypernyms is None else general_words(Path(hypernyms))
        meanings = [[label, *general.get(wnid or "", general.get(label.casefold(), []))] for label, wnid in classes]
        texts = list(dict.fromkeys(word for words in meanings for word in words))
        place = {text: at for at, text in enumerate(texts)}
        of_class = np.zeros((len(classes), len(texts)), bool)
        for row, words in enumerate(meanings):
            of_class[row, [place[word] for word in words]] = True
        #: Classes first seen first, each followed by its more general words; words true of the same classes are one,
        #: the most particular of them.
        keep = _first_of_equal(of_class)
        labels = {label for label, _ in classes}
        self.words = tuple(Word(texts[at], "class" if texts[at] in labels else "kind") for at in keep)
        index = np.array([classes.index((label, wnid)) for _, label, wnid in rows])
        #: (N, L) bool: whether the word is true of the picture.
        self.members: NDArray[np.bool_] = of_class[index][:, keep]


def _first_of_equal(of_class: NDArray[np.bool_]) -> list[int]:
    seen: set[bytes] = set()
    keep = []
    for at, column in enumerate(of_class.T):
        if (key := column.tobytes()) not in seen:
            seen.add(key)
            keep.append(at)
    return keep


def _folder(path: Path) -> list[tuple[Path, str, str | None]]:
    rows: list[tuple[Path, str, str | None]] = [
        (picture, folder.name.replace("_", " "), None)
        for folder in sorted(entry for entry in path.iterdir() if entry.is_dir() and entry.name[0] != ".")
        for picture in sorted(folder.iterdir())
        if picture.suffix.lower() in SUFFIXES
    ]
    if not rows:
        raise InputError(f"`labelled` must hold one folder of pictures per class, got '{path}' without any; add them.")
    return rows


def _table(path: Path) -> list[tuple[Path, str, str | None]]:
    try:
        reader = csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig")))
        columns = set(reader.fieldnames or ())
        entries = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"`labelled` must be a CSV in UTF-8, got '{path}' ({error}); save it as that.") from error
    label = next((name for name in ("name", "label") if name in columns), None)
    if "file" not in columns or label is None:
        raise InputError(
            f"`labelled` must have the columns file and name, got {', '.join(sorted(map(str, columns)))[:120]} in "
            f"'{path}'; rename them."
        )
    rows = []
    for line, entry in enumerate(entries, 2):
        picture, text = path.parent / (entry["file"] or ""), (entry[label] or "").strip()
        if not text or not picture.is_file():
            what = f"no name for {entry['file']!r}" if not text else f"'{entry['file']}' (no such file)"
            raise InputError(
                f"`labelled` must name a picture and its class, got {what} in '{path}' line {line}; mend it."
            )
        rows.append((picture, text, (entry.get("wnid") or "").strip() or None))
    return rows


def general_words(path: Path, argument: str = "hypernyms") -> dict[str, list[str]]:
    """More general words by wnid and by name, nearest first; errors call the file by the argument that it came with."""
    try:
        document: Any = json.loads(path.read_text(encoding="utf-8"))
        found: dict[str, list[str]] = {}
        for entry in document:
            words = [str(general["name"]) for general in entry["hypernyms"]]
            found.update({str(name).casefold(): words for name in entry["names"]})
            found[str(entry["wnid"])] = words
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise InputError(
            f'`{argument}` must be a JSON list of {{"wnid", "names", "hypernyms"}}, got \'{path}\' '
            f"({type(error).__name__}: {error}); see nle_fast.dissect.labelled."
        ) from error
    return found
