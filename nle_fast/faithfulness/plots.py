"""Two plots as inline SVG: bars with intervals, and curves; colors that color-blind people tell apart."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["bars", "curves"]

#: Okabe and Ito's palette, without its black and yellow.
COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f")
WIDTH = 720


def bars(values: Mapping[str, Mapping[str, Any]], title: str) -> str:
    """Horizontal bars, one per name, with the interval as a line."""
    ends = [end for one in values.values() for end in (one["value"], one["low"], one["high"]) if end is not None]
    low, high = min(0.0, *ends), max(0.0, *ends)
    scale = 480 / ((high - low) or 1)
    zero = 150 - low * scale
    rows = []
    for i, (name, one) in enumerate(values.items()):
        y, value = 12 + 26 * i, one["value"] or 0.0
        left, width = zero + min(value, 0) * scale, abs(value) * scale
        color = COLORS[i % len(COLORS)]
        rows.append(
            f'<text x="140" y="{y + 14}" text-anchor="end">{html.escape(name)}</text>'
            f'<rect x="{left:.1f}" y="{y}" width="{width:.1f}" height="18" fill="{color}"/>'
            f'<text x="{WIDTH - 4}" y="{y + 14}" text-anchor="end">{value:.3g}</text>'
        )
        if one["low"] is not None and one["high"] is not None:
            ends_px = [zero + one[end] * scale for end in ("low", "high")]
            rows.append(
                f'<line x1="{ends_px[0]:.1f}" x2="{ends_px[1]:.1f}" y1="{y + 9}" y2="{y + 9}" '
                'stroke="currentColor" stroke-width="2"/>'
            )
    height = 16 + 26 * len(values)
    axis = f'<line x1="{zero:.1f}" x2="{zero:.1f}" y1="6" y2="{height - 4}" stroke="currentColor"/>'
    return _svg(height, title, "".join(rows) + axis)


def curves(
    at: Sequence[float], lines: Mapping[str, Sequence[float]], across: str, up: str, own: str = "explanation"
) -> str:
    """Lines over one axis, ours thicker, with a legend at the right."""
    values = [value for line in lines.values() for value in line]
    low, high = min(0.0, *values), max(0.0, *values)
    left, right, top, bottom = 60, 540, 12, 250
    first, last = min(0.0, at[0]), at[-1]

    def place(x: float, y: float) -> str:
        px = left + (x - first) / ((last - first) or 1) * (right - left)
        py = bottom - (y - low) / ((high - low) or 1) * (bottom - top)
        return f"{px:.1f},{py:.1f}"

    parts = []
    for value in (low, (low + high) / 2, high):
        y = place(first, value).split(",")[1]
        parts.append(
            f'<line x1="{left}" x2="{right}" y1="{y}" y2="{y}" stroke="currentColor" opacity=".2"/>'
            f'<text x="{left - 6}" y="{float(y) + 4:.1f}" text-anchor="end">{value:.2g}</text>'
        )
    for x in (first, (first + last) / 2, last):
        px = place(x, low).split(",")[0]
        parts.append(f'<text x="{px}" y="{bottom + 18}" text-anchor="middle">{x:g}</text>')
    parts.append(f'<text x="{(left + right) / 2}" y="{bottom + 36}" text-anchor="middle">{html.escape(across)}</text>')
    # Ours is drawn last: no other line hides it.
    for i, (name, line) in sorted(enumerate(lines.items()), key=lambda entry: entry[1][0] == own):
        color, width = COLORS[i % len(COLORS)], 3.5 if name == own else 1.8
        points = " ".join(place(x, value) for x, value in zip(at, line, strict=True))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="{width}"/>')
        row = top + 10 + 20 * i
        parts.append(
            f'<line x1="{right + 16}" x2="{right + 40}" y1="{row - 4}" y2="{row - 4}" stroke="{color}" '
            f'stroke-width="{width}"/><text x="{right + 46}" y="{row}">{html.escape(name)}</text>'
        )
    return _svg(bottom + 44, up, "".join(parts))


def _svg(height: float, title: str, inside: str) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" role="img" aria-label="{html.escape(title)}">'
        f"<title>{html.escape(title)}</title>{inside}</svg>"
    )
