"""The font of captions and numbers."""

from __future__ import annotations

import os
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

from nle_fast.errors import InputError

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

__all__ = ["FontPath", "load_font", "spell"]

FontPath = str | os.PathLike[str]

#: What unaccented text writes for signs that do not decompose.
_PLAIN = {"–": "-", "—": "-", "−": "-", "‐": "-", "‑": "-", "×": "x", "ß": "ss", "ø": "o", "Ø": "O", "ł": "l",
          "Ł": "L", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "đ": "d", "ı": "i", "•": "·", "→": "->"}  # fmt: skip


def load_font(size: float, font: FontPath | None = None) -> FreeTypeFont:
    """A scalable font: the one that ships with Pillow, or a file.

    Args:
        size: Em size in pixels.
        font: Path to a TrueType or OpenType file, for labels in scripts that the built-in font lacks.

    Raises:
        InputError: The file is not a font, or this Pillow was built without FreeType.
    """
    return _load(size, None if font is None else os.fspath(font))


@lru_cache(maxsize=64)
def _load(size: float, font: str | None) -> FreeTypeFont:
    from PIL import ImageFont

    try:
        if font is not None:
            return ImageFont.truetype(font, size)
        face = ImageFont.load_default(size)
    except (OSError, ImportError) as error:
        raise InputError(
            f"`font` must be a TrueType or OpenType file, got {font!r}: {error}; check the path."
        ) from error
    assert isinstance(face, ImageFont.FreeTypeFont)
    return face


def spell(text: str, face: FreeTypeFont) -> str:
    """The text as this font can write it: letters it lacks lose their accents, the rest of what it lacks is a box.

    Example:
        >>> spell("Épagneul breton 97 %", load_font(20))
        'Epagneul breton 97 %'
    """
    return "".join(_spell(character, face) for character in text)


@lru_cache(maxsize=4096)
def _spell(character: str, face: FreeTypeFont) -> str:
    if character.isascii() or _has(character, face):
        return character
    plain = _PLAIN.get(character) or unicodedata.normalize("NFKD", character)
    if unicodedata.combining(character) or unicodedata.category(character) == "Mn":
        return ""
    kept = "".join(part for part in plain if not unicodedata.combining(part))
    return kept if kept and all(part.isascii() or _has(part, face) for part in kept) else "\uffff"


def _has(character: str, face: FreeTypeFont) -> bool:
    """Whether the font draws the character otherwise than the box that stands for all it lacks."""
    drawn, box = face.getmask(character), face.getmask("\uffff")
    return drawn.size != box.size or bytes(drawn) != bytes(box)
