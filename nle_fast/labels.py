"""Names of the classes: read from a list or a file, found again by name or index."""

from __future__ import annotations

import operator
import os
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import SupportsIndex, TypeAlias, overload

from nle_fast.errors import InputError

__all__ = ["Labels", "Target"]

#: A class as a user names it: its label, one of the label's comma-separated names, or its index.
Target: TypeAlias = "str | SupportsIndex"


class Labels(Sequence[str]):
    """One name per class.

    Args:
        labels: Names in the order of the logits, or a text file with one per line; None: `"class 0"`, `"class 1"`, ….
        num_classes: How many the classifier has.

    Raises:
        InputError: The file cannot be read, a name is empty, or there are more or fewer names than classes.

    Example:
        >>> labels = Labels(["tench, Tinca tinca", "goldfish"], 2)
        >>> labels.find("tench", "target"), labels.find(1, "target")
        (0, 1)
    """

    def __init__(self, labels: Sequence[str] | str | os.PathLike[str] | None, num_classes: int) -> None:
        if labels is None:
            self.names = tuple(f"class {index}" for index in range(num_classes))
        elif isinstance(labels, (str, os.PathLike)):
            self.names = _read_lines(Path(labels))
        else:
            if not isinstance(labels, Iterable):
                raise InputError(f"`labels` must be names or a text file's path, got {labels!r}; pass a list of names.")
            self.names = tuple(_clean(name, index) for index, name in enumerate(labels))
        if len(self.names) != num_classes:
            raise InputError(
                f"`labels` must name each of the {num_classes} classes, got {len(self.names)} names; "
                "use the list that belongs to this network (some count a background class)."
            )
        self._indices: dict[str, list[int]] = {}
        for index, name in enumerate(self.names):
            for spelling in {name.casefold(), *(part.strip().casefold() for part in name.split(","))}:
                self._indices.setdefault(spelling, []).append(index)

    def __len__(self) -> int:
        return len(self.names)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[str, ...]: ...
    def __getitem__(self, index: int | slice) -> str | tuple[str, ...]:
        return self.names[index]

    def find(self, target: Target, argument: str) -> int:
        """The index of a class given by label or index.

        The whole label counts before one of its comma-separated names; upper and lower case are the same.

        Args:
            target: A label, one of its names, or an index in [0, K).
            argument: The caller's name for it, for the error message.

        Raises:
            InputError: No such class, or several share the name.
        """
        if isinstance(target, str):
            whole = [index for index, name in enumerate(self.names) if name.casefold() == target.strip().casefold()]
            found = whole or self._indices.get(target.strip().casefold(), [])
            if len(found) == 1:
                return found[0]
            if found:
                which = ", ".join(f"{index} ({self.names[index]})" for index in found[:5])
                raise InputError(
                    f"`{argument}` must name one class, got '{target}', which names {which}; give the index."
                )
            near = get_close_matches(target.casefold(), list(self._indices), n=3, cutoff=0.5)
            hint = f"did you mean {' or '.join(near)}?" if near else "see `explainer.labels.names`."
            raise InputError(f"`{argument}` must be a label or an index of the network, got '{target}'; {hint}")
        try:
            index = operator.index(target)
        except TypeError:
            index = -1
        if isinstance(target, bool) or not 0 <= index < len(self.names):
            raise InputError(
                f"`{argument}` must be a label or an index from 0 to {len(self.names) - 1}, got {target!r}; "
                "choose a class of the network."
            )
        return index

    def find_all(self, targets: Sequence[Target | None] | None, argument: str, count: int) -> list[int]:
        """One class index per picture, −1 where none is given; as `find`, and the lengths must agree."""
        if targets is None:
            return [-1] * count
        if isinstance(targets, (str, bytes)) or not hasattr(targets, "__len__") or len(targets) != count:
            raise InputError(
                f"`{argument}` must have one entry for each of {count} pictures, got {targets!r}; use None where none."
            )
        single = argument.replace("targets", "target")  # as the caller of one picture knows it
        return [-1 if target is None else self.find(target, single) for target in targets]


def _read_lines(path: Path) -> tuple[str, ...]:
    if not os.path.isfile(path):
        what = "a folder" if os.path.isdir(path) else "no regular file" if os.path.exists(path) else "no such file"
        raise InputError(f"`labels` must be a text file with one name per line, got '{path}' ({what}); check the path.")
    try:
        lines = path.read_text(encoding="utf-8-sig").rstrip().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"`labels` must be UTF-8 text, got '{path}' ({error}); save it as UTF-8.") from error
    return tuple(_clean(line, index) for index, line in enumerate(lines))


def _clean(name: object, index: int) -> str:
    text = " ".join(name.split()) if isinstance(name, str) else ""
    if not text or not text.isprintable():
        raise InputError(f"`labels` must be names, got {name!r} for class {index}; give it a name.")
    return text
