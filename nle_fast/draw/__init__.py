"""Shows an explanation: each piece of evidence has one color and one number, in picture, text, HTML and terminal."""

from __future__ import annotations

from nle_fast.draw.html import explanation_html
from nle_fast.draw.palette import PALETTE, color_of
from nle_fast.draw.picture import draw_explanation, draw_regions
from nle_fast.draw.terminal import rich_text

__all__ = ["PALETTE", "color_of", "draw_explanation", "draw_regions", "explanation_html", "rich_text"]
