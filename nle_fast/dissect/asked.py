"""Arguments of the kinds that `dissect` and `learn` share, checked before anything is read."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from nle_fast.errors import ConfigError, InputError

__all__ = ["check_kinds", "check_progress", "picture_paths"]


def check_kinds(**asked: tuple[Any, str, tuple[type, ...]]) -> None:
    """Each argument by its name: its value, in words what it must be, and its types; None is always right.

    Raises:
        ConfigError: A value is of another type, or a path with a zero in it.
    """
    for name, (value, wanted, kinds) in asked.items():
        if value is None or (isinstance(value, kinds) and not isinstance(value, type) and "\0" not in str(value)):
            continue
        raise ConfigError(f"`{name}` must be {wanted} or None, got {value!r:.80}; pass one of these.")


def check_progress(progress: Any) -> None:
    """Raises ConfigError where it cannot be called."""
    if progress is not None and not callable(progress):
        raise ConfigError(f"`progress` must be callable or None, got {progress!r:.80}; pass a function of three.")


def picture_paths(pictures: Any) -> list[Path]:
    """A list of picture files as paths.

    Raises:
        InputError: It is no list of paths, or a file does not exist.
    """
    if isinstance(pictures, (str, bytes, os.PathLike)) or not isinstance(pictures, Iterable):
        raise InputError(f"`pictures` must be a list of picture files, got {pictures!r:.80}; put the paths in a list.")
    found = []
    for picture in pictures:
        if not isinstance(picture, (str, os.PathLike)):
            raise InputError(
                f"`pictures` must be paths, got {type(picture).__name__} among them; save the pictures as files."
            )
        if not os.path.isfile(picture):
            raise InputError(f"`pictures` must exist, got '{picture}', which does not; check the path.")
        found.append(Path(picture))
    return found
