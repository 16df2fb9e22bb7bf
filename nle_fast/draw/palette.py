"""The colors of evidence, the same wherever an explanation is shown."""

from __future__ import annotations

__all__ = ["EDGE", "HALO", "INK", "MAT", "PALETTE", "PAPER", "color_of", "rgb"]

#: Every one reads as text on white (WCAG contrast ≥ 4.5) and as large text on black (≥ 2.7), carries white digits, and
#: any two stay apart for normal, deuteranope and protanope eyes. Lightness varies because it is what all eyes share.
PALETTE = ("#3068F8", "#903810", "#188060", "#C040A8", "#7810C8", "#886800", "#D04058", "#185878")

PAPER = "#FFFFFF"
INK = "#1F2328"
HALO = "#FFFFFF"
EDGE = "#101418"
MAT = "#ECEEF0"


def color_of(rank: int) -> str:
    """The color of a piece of evidence; after the last color the first comes again, and the number tells them apart.

    Args:
        rank: Index into the evidence, ≥ 0.

    Returns:
        `"#RRGGBB"`.

    Example:
        >>> color_of(0) == color_of(len(PALETTE)) != color_of(1)
        True
    """
    return PALETTE[rank % len(PALETTE)]


def rgb(color: str) -> tuple[int, int, int]:
    """`"#RRGGBB"` as three numbers in 0…255."""
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)
