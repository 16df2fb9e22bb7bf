"""The panel under the picture: the text, wrapped, its phrases in the colors and with the numbers of their regions."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nle_fast.draw.badges import draw_badge
from nle_fast.draw.fonts import FontPath, load_font, spell
from nle_fast.draw.palette import INK, PAPER, color_of, rgb
from nle_fast.draw.phrases import Phrase

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

__all__ = ["draw_caption"]

#: The panel is drawn this much larger and reduced, for smooth discs and strokes finer than a pixel.
_FINE = 3


@dataclass(frozen=True, slots=True)
class _Piece:
    """Letters of one rank, a space, or a number (`text` empty, `rank` its evidence)."""

    text: str
    rank: int | None
    width: float


def draw_caption(
    parts: Sequence[Phrase],
    width: int,
    size: float,
    *,
    opposing: Collection[int] = (),
    font: FontPath | None = None,
) -> Image:
    """Set the text in a white panel.

    Args:
        parts: The text's phrases.
        width: Of the panel, in pixels.
        size: Em size of the font, in pixels.
        opposing: Ranks of evidence against the class; underlined in dashes.
        font: As for `load_font`.

    Returns:
        An RGB picture `width` wide and as high as the text needs.
    """
    from PIL import Image, ImageDraw

    em = size * _FINE
    face = load_font(round(em), font)
    margin = round(1.05 * em)
    lines = _wrap(_pieces(parts, face, em), width * _FINE - 2 * margin, face)
    leading = 1.5 * em
    height = round((2 * margin + leading * len(lines) - 0.42 * em) / _FINE)
    panel = Image.new("RGB", (width * _FINE, height * _FINE), rgb(PAPER))
    draw = ImageDraw.Draw(panel)
    for row, line in enumerate(lines):
        baseline = margin + 0.83 * em + row * leading
        _set_line(draw, line, margin, baseline, em, face, opposing)
    return panel.reduce(_FINE)


def _pieces(parts: Sequence[Phrase], face: FreeTypeFont, em: float) -> Iterator[_Piece]:
    """Letters, spaces, line breaks and numbers in order."""
    for part in parts:
        for text in re.findall(r"\n|[^\S\n]+|\S+", spell(part.text, face)):
            yield _Piece("\n" if text == "\n" else text.strip() or " ", part.rank, face.getlength(text.strip() or " "))
        for rank in part.numbers:
            yield _Piece("", rank, 1.38 * em)


def _wrap(pieces: Iterator[_Piece], width: float, face: FreeTypeFont) -> list[list[_Piece]]:
    """Break at spaces; a word longer than the line is broken where it must."""
    lines: list[list[_Piece]] = [[]]
    word: list[_Piece] = []

    def room() -> float:
        return width - sum(piece.width for piece in lines[-1])

    def end_word() -> None:
        if lines[-1] and sum(piece.width for piece in word) > room():
            if lines[-1][-1].text == " ":
                lines[-1].pop()
            lines.append([])
        for piece in word:
            for bit in _broken(piece, width, face):
                if lines[-1] and bit.width > room():
                    lines.append([])
                lines[-1].append(bit)
        word.clear()

    for piece in pieces:
        if piece.text == "\n":
            end_word()
            lines.append([])
        elif piece.text == " ":
            end_word()
            if lines[-1]:
                lines[-1].append(piece)
        else:
            word.append(piece)
    end_word()
    return [line for line in lines if line]


def _broken(piece: _Piece, width: float, face: FreeTypeFont) -> Iterator[_Piece]:
    if piece.width <= width:
        yield piece
        return
    start = 0
    for stop in range(1, len(piece.text) + 1):
        if stop == len(piece.text) or face.getlength(piece.text[start : stop + 1]) > width:
            bit = piece.text[start:stop]
            yield _Piece(bit, piece.rank, face.getlength(bit))
            start = stop


def _set_line(
    draw: ImageDraw,
    line: Sequence[_Piece],
    x: float,
    baseline: float,
    em: float,
    face: FreeTypeFont,
    opposing: Collection[int],
) -> None:
    for place, piece in enumerate(line):
        if not piece.text:
            assert piece.rank is not None
            center = (x + 0.76 * em, baseline - 0.36 * em)
            draw_badge(draw, center, 0.52 * em, piece.rank, opposing=piece.rank in opposing, edge=False)
        elif piece.rank is None:
            draw.text((x, baseline), piece.text, fill=rgb(INK), font=face, anchor="ls")
        else:
            color = rgb(color_of(piece.rank))
            # The built-in font has one weight; a third of a pixel around makes it
            # the medium that small colored text needs.
            draw.text((x, baseline), piece.text, fill=color, font=face, anchor="ls", stroke_width=1, stroke_fill=color)
            last = place + 1 == len(line) or line[place + 1].rank != piece.rank or not line[place + 1].text
            if not (piece.text == " " and last):
                _underline(draw, x, x + piece.width, baseline + 0.17 * em, em, color, dashed=piece.rank in opposing)
        x += piece.width


def _underline(
    draw: ImageDraw, left: float, right: float, y: float, em: float, color: tuple[int, ...], *, dashed: bool
) -> None:
    thick = max(1, round(em / 18))
    if not dashed:
        draw.line((left, y, right, y), fill=color, width=thick)
        return
    period = em / 3
    # Dashes keep step from word to word, because they start at multiples of the period.
    at = left // period * period
    while at < right:
        start, stop = max(left, at), min(right, at + 0.6 * period)
        if start < stop:
            draw.line((start, y, stop, y), fill=color, width=thick)
        at += period
