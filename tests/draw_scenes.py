"""Regions, evidence and a text that the drawing tests share."""

from __future__ import annotations

from nle_fast.schema import Evidence, Region, Span

__all__ = ["SPANS", "TEXT", "box_region", "evidence_of", "scene"]


def box_region(left: int, top: int, right: int, bottom: int, size: tuple[int, int]) -> Region:
    area = (right - left) * (bottom - top) / (size[0] * size[1])
    outline = ((left, top), (right, top), (right, bottom), (left, bottom))
    middle = ((left + right) / 2, (top + bottom) / 2)
    return Region(area, (left, top, right, bottom), middle, 0.7, 1.0, outline, "center", (area,) + (0.0,) * 8)


def evidence_of(*regions: Region, concept: str | None = "stripes", supports: bool = True) -> Evidence:
    share = 0.3 if supports else -0.3
    return Evidence(7, concept, 0.5, share, share, supports, ("center",), regions)


TEXT = "A zebra: stripes in the center, a mane at the top; water speaks against."
SPANS = (
    Span(2, 7, "class"),
    Span(9, 16, "evidence.0.concept"),
    Span(20, 30, "evidence.0.positions"),
    Span(32, 38, "evidence.1.concept"),
    Span(42, 49, "evidence.1.positions"),
    Span(51, 56, "evidence.2.concept"),
)


def scene(size: tuple[int, int]) -> tuple[Evidence, ...]:
    """Three pieces of evidence, the last opposing, in the thirds of a picture."""
    width, height = size
    third = max(1, width // 3)
    return (
        evidence_of(box_region(0, 0, third, max(1, height // 2), size)),
        evidence_of(box_region(min(third, width - 1), 0, min(2 * third, width) or 1, height, size), concept="a mane"),
        evidence_of(box_region(width - third, height // 2, width, height, size), concept="water", supports=False),
    )
