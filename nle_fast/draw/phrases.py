"""Cuts a text into the phrases that say one piece of evidence each."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from nle_fast.schema import Span

__all__ = ["Phrase", "phrases", "printable"]

_EVIDENCE = re.compile(r"evidence\.(\d+)\.(\w+)")


@dataclass(frozen=True, slots=True)
class Phrase:
    """A stretch of the text.

    Attributes:
        text: The words, safe to show.
        rank: The evidence that it says; None for words about the whole or about several pieces at once.
        numbers: Ranks whose number stands right after it, ascending.
    """

    text: str
    rank: int | None
    numbers: tuple[int, ...] = ()


def printable(text: str) -> str:
    """The text with nothing in it that steers a terminal, reorders a line or cannot be encoded; of the same length.

    Labels and concepts come from files of strangers: escape sequences, direction overrides and lone surrogates become
    U+FFFD. New lines stay.
    """
    return "".join(
        character if character == "\n" or unicodedata.category(character) not in ("Cc", "Cf", "Cs") else "\ufffd"
        for character in text
    )


def phrases(text: str, spans: Sequence[Span]) -> tuple[Phrase, ...]:
    """Cut a text at the ends of its evidence spans.

    A concept's words take the color of the evidence that they name; where two pieces share the same words, of the
    first. A place, share or number said for several pieces at once belongs to none. A piece's number follows the end of
    its first concept span, or of its first span of any kind.

    Args:
        text: What the spans index.
        spans: In any order; facts about the whole are passed over, ends beyond the text are cut.

    Returns:
        Phrases in order whose texts join to `printable(text)`.

    Example:
        >>> [(p.text, p.rank) for p in phrases("A zebra: stripes.", [Span(9, 16, "evidence.0.concept")])]
        [('A zebra: ', None), ('stripes', 0), ('.', None)]
    """
    claims = _claims(spans, len(text))
    ends: dict[int, int] = {}
    for start, end, rank, _ in sorted(claims, key=lambda claim: (not claim[3], claim[0])):
        if start < end:
            ends.setdefault(rank, end)
    cuts = sorted({0, len(text)} | {claim[0] for claim in claims} | {claim[1] for claim in claims})
    shown = printable(text)
    out: list[Phrase] = []
    for start, end in pairwise(cuts):
        over = [claim for claim in claims if claim[0] <= start and end <= claim[1]]
        named = sorted(claim[2] for claim in over if claim[3])
        said = named[:1] or sorted({claim[2] for claim in over})
        owner = said[0] if len(said) == 1 else None
        numbers = tuple(sorted(piece for piece, stop in ends.items() if stop == end))
        out.append(Phrase(shown[start:end], owner, numbers))
    return tuple(out)


def _claims(spans: Sequence[Span], length: int) -> list[tuple[int, int, int, bool]]:
    """(start, end, rank, is a concept) of every span about evidence, inside the text and not empty."""
    claims = []
    for span in spans:
        match = _EVIDENCE.fullmatch(span.fact)
        start, end = max(0, span.start), min(span.end, length)
        if match and start < end:
            claims.append((start, end, int(match[1]), match[2] == "concept"))
    return claims
