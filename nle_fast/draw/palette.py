"""The colors of evidence, the same wherever an explanation is shown."""

from __future__ import annotations

__all__ = ["EDGE", "HALO", "INK", "MAT", "PALETTE", "PAPER", "color_of", "rgb", "terminal_color_of"]

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


def terminal_color_of(rank: int) -> str:
    """The same hue for a ground that may be dark or light: lightened until the contrast is ≥ 4.5 on black and on white.

    Args:
        rank: Index into the evidence, ≥ 0.

    Returns:
        `"#RRGGBB"`.
    """
    light = [_linear(value / 255) for value in rgb(color_of(rank))]
    luminance = 0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2]
    white = max(0.0, (0.179 - luminance) / (1 - luminance))
    return "#" + "".join(f"{round(255 * _encoded(value + white * (1 - value))):02X}" for value in light)


def _linear(value: float) -> float:
    """Light of an sRGB value, both in [0, 1]."""
    return float(value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4)


def _encoded(value: float) -> float:
    """The sRGB value of light, both in [0, 1]."""
    return float(12.92 * value if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055)


def rgb(color: str) -> tuple[int, int, int]:
    """`"#RRGGBB"` as three numbers in 0…255."""
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)
