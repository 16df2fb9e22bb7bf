"""The pictures that a user passes to `learn`, and which of them judge."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from nle_fast.classifiers import Classifier
from nle_fast.dissect.labelled import SUFFIXES
from nle_fast.dissect.probe import content_digest
from nle_fast.errors import ConfigError, InputError
from nle_fast.features.options import LearnOptions
from nle_fast.preprocess import Preprocess, load_picture

__all__ = ["FEWEST", "picture_files", "split", "that_fit", "without_copies"]

#: Pictures without which nothing can be learned or judged.
FEWEST = 8


def picture_files(pictures: Any) -> list[Path]:
    """The picture files of a folder, of several folders, or of a list of files, each once, in the order of their names.

    Raises:
        InputError: A path does not exist, is no picture's, or there are fewer than eight pictures.
    """
    if isinstance(pictures, (str, os.PathLike)):
        pictures = [pictures]
    if not isinstance(pictures, Iterable):
        raise InputError(
            f"`pictures` must be a folder or a list of picture files, got {type(pictures).__name__}; pass their paths."
        )
    found: dict[Path, None] = {}
    for given in pictures:
        if not isinstance(given, (str, os.PathLike)):
            raise InputError(
                f"`pictures` must be paths, got {type(given).__name__} among them; save the pictures as files."
            )
        path = Path(given)
        if os.path.isdir(path):
            inside = sorted(file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file())
            found |= dict.fromkeys(inside)
        elif os.path.isfile(path):
            found[path] = None
        else:
            raise InputError(f"`pictures` must exist, got '{path}', which does not; check the path.")
    if len(found) < FEWEST:
        raise InputError(
            f"`pictures` must be at least {FEWEST}, got {len(found)}; a few hundred say something, thousands more."
        )
    return list(found)


def split(paths: list[Path], held_out: float, seed: int) -> tuple[list[Path], list[Path]]:
    """Pictures to learn from and pictures that judge, by a hash of seed and name.

    Each part has two at least, unless `held_out` is 0.
    """

    def chance(path: Path) -> float:
        digest = hashlib.blake2b(f"{seed} {path.name}".encode("utf-8", "surrogateescape"), digest_size=8).digest()
        return int.from_bytes(digest, "big") / 2**64

    order = sorted(range(len(paths)), key=lambda n: (chance(paths[n]), n))
    share = 0 if held_out == 0 else max(2, round(held_out * len(paths)))
    judges = set(order[: min(share, len(paths) - 2)])
    learns = [path for n, path in enumerate(paths) if n not in judges]
    return learns, [path for n, path in enumerate(paths) if n in judges]


def that_fit(
    paths: list[Path], classifier: Classifier, preprocess: Preprocess, options: LearnOptions
) -> tuple[list[Path], int]:
    """As many pictures and views as the bound allows: first fewer views, then an even sample of the pictures.

    Raises:
        ConfigError: Two crops do not fit.
    """
    shape = tuple(classifier.activations(preprocess([load_picture(paths[0])])).shape)
    room = int(options.store_gigabytes * 1e9 // (2 * int(np.prod(shape[1:]))))
    if room < 2:
        raise ConfigError(
            f"`store_gigabytes` must hold the activations of two crops at least, got {options.store_gigabytes} for "
            f"{shape[1:]}; raise it, or take a later layer."
        )
    views = max(1, min(options.views, room // len(paths)))
    if len(paths) <= room:
        return paths, views
    places = np.linspace(0, len(paths) - 1, room).round().astype(int)
    return [paths[place] for place in np.unique(places)], 1


def without_copies(judges: list[Path], contents: set[str]) -> list[Path]:
    """The pictures that judge, each once, without those whose content was learned from under another name.

    Args:
        judges: Picture files.
        contents: `content_digest` of the pictures that are learned from.

    Raises:
        InputError: A picture cannot be read.
    """
    seen, kept = set(contents), []
    for path in judges:
        if (content := content_digest(path)) not in seen:
            seen.add(content)
            kept.append(path)
    return kept
