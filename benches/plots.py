"""Growth as small SVG plots, both axes logarithmic, one line per way."""

from __future__ import annotations

import math
from html import escape

__all__ = ["plot"]

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 560, 300, 60, 20, 34, 40
COLORS = ("#0b6e4f", "#c0392b", "#7f8c8d", "#2c5f9e", "#b9770e", "#6c3483")


def plot(title: str, lines: dict[str, list[tuple[float, float]]]) -> str:
    """An SVG of `lines`: name → (x, milliseconds) by rising x, all above zero."""
    points = [point for line in lines.values() for point in line]
    across = _scale([x for x, _ in points], LEFT, WIDTH - RIGHT)
    up = _scale([y for _, y in points], HEIGHT - BOTTOM, TOP + 16 * len(lines))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        'font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<text x="{LEFT}" y="20" font-size="14" font-weight="bold">{escape(title)}</text>',
    ]
    for x in sorted({x for x, _ in points}):
        parts.append(
            f'<line x1="{across(x):.1f}" x2="{across(x):.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}" stroke="#eee"/>'
        )
        parts.append(f'<text x="{across(x):.1f}" y="{HEIGHT - 22}" text-anchor="middle">{x:g}</text>')
    low, high = min(y for _, y in points), max(y for _, y in points)
    for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1):
        if low <= (y := 10.0**power) <= high:
            parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{up(y):.1f}" y2="{up(y):.1f}" stroke="#ddd"/>')
            parts.append(f'<text x="{LEFT - 6}" y="{up(y) + 4:.1f}" text-anchor="end">{y:g} ms</text>')
    for i, (name, line) in enumerate(lines.items()):
        color = COLORS[i % len(COLORS)]
        path = " ".join(f"{across(x):.1f},{up(y):.1f}" for x, y in line)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2"/>')
        parts += [f'<circle cx="{across(x):.1f}" cy="{up(y):.1f}" r="3" fill="{color}"/>' for x, y in line]
        parts.append(f'<text x="{LEFT + 8}" y="{TOP + 12 + 16 * i}" fill="{color}">{escape(name)}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _scale(values: list[float], start: float, end: float):
    low, high = math.log(min(values)), math.log(max(values))
    return lambda value: start + (end - start) * (math.log(value) - low) / ((high - low) or 1.0)
