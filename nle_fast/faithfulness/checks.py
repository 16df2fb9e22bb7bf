"""What the measuring refuses before it begins: options out of range, and pictures that are none."""

from __future__ import annotations

import operator
from collections.abc import Iterable

from nle_fast.errors import ConfigError, InputError
from nle_fast.preprocess import Picture, picture_list

__all__ = ["several_pictures", "whole_number"]


def whole_number(name: str, value: object, least: int, remedy: str) -> int:
    """An option as a plain int, as JSON takes it.

    Raises:
        ConfigError: It is no whole number, or below `least`.
    """
    try:
        number = least - 1 if isinstance(value, bool) else operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        number = least - 1
    if number < least:
        raise ConfigError(f"`{name}` must be a whole number of at least {least}, got {value!r}; {remedy}.")
    return number


def several_pictures(pictures: Iterable[Picture]) -> list[Picture]:
    """Pictures as a list, also from a generator, since the measuring goes over them more than once.

    Raises:
        InputError: There are none, or it is one picture rather than several.
    """
    found = picture_list(pictures)
    if not found:
        raise InputError("`pictures` must hold at least one picture, got none; give some.")
    return found
