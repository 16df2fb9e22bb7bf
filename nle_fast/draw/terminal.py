"""The text of an explanation for a terminal, through rich."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nle_fast.draw.palette import terminal_color_of
from nle_fast.draw.phrases import phrases
from nle_fast.schema import Evidence, Span

if TYPE_CHECKING:
    from rich.text import Text

__all__ = ["rich_text"]


def rich_text(text: str, spans: Sequence[Span], evidence: Sequence[Evidence] = (), *, numbers: bool = True) -> Text:
    """The text with each phrase in the color of its region, and the region's number after it.

    Args:
        text: The explanation's text.
        spans: Where it says what.
        evidence: In order of rank; phrases of opposing pieces are underlined, as their outlines are dashed.
        numbers: Whether `[1]` follows the first phrase.

    Returns:
        A `rich.text.Text`; control characters of labels are replaced, markup in labels stays literal.

    Example:
        >>> rich_text("Stripes.", [Span(0, 7, "evidence.0.concept")]).plain
        'Stripes[1].'
    """
    from rich.style import Style
    from rich.text import Text

    opposing = {rank for rank, item in enumerate(evidence) if not item.supports}
    out = Text()
    for phrase in phrases(text, spans):
        style = Style.null()
        if phrase.rank is not None:
            style = Style(color=terminal_color_of(phrase.rank), bold=True, underline=phrase.rank in opposing)
        out.append(phrase.text, style)
        for rank in phrase.numbers if numbers else ():
            out.append(f"[{rank + 1}]", Style(color=terminal_color_of(rank)))
    return out
