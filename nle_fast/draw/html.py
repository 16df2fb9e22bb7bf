"""An explanation as one self-contained piece of HTML, for notebooks and pages."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from nle_fast.draw.palette import INK, PAPER, color_of
from nle_fast.draw.phrases import phrases, printable
from nle_fast.draw.picture import draw_regions
from nle_fast.schema import Evidence, Prediction, Span

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["explanation_html"]

_FAINT = "#57606A"
_RULE = "#D8DEE4"


def explanation_html(
    picture: Image | None,
    evidence: Sequence[Evidence],
    text: str,
    spans: Sequence[Span],
    *,
    target: Prediction,
    versus: Prediction | None = None,
) -> str:
    """Picture, text and table of evidence, in the same colors.

    Styles stand inline, without scripts or classes, because notebooks and mail programs strip the rest; the card
    brings its own background, so that the colors hold on dark pages too. Labels and concepts are escaped.

    Args:
        picture: Upright; None leaves it out.
        evidence: In order of rank.
        text: The explanation.
        spans: Where it says which evidence.
        target: The class that is explained.
        versus: What it is compared with.

    Returns:
        One `<div>`.
    """
    card = (
        f"font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif;font-size:15px;"
        f"line-height:1.55;color:{INK};background:{PAPER};border:1px solid {_RULE};border-radius:10px;"
        f"padding:18px;max-width:1040px;box-sizing:border-box;display:flex;flex-wrap:wrap;gap:22px;text-align:left"
    )
    rest = f" rather than <b>{_safe(versus.label)}</b>" if versus is not None else ""
    head = (
        f'<div style="font-size:20px;font-weight:650;line-height:1.3;margin:0 0 8px">{_safe(target.label)}'
        f'<span style="font-size:14px;font-weight:400;color:{_FAINT}">&ensp;{target.probability:.1%}{rest}</span></div>'
    )
    body = f'<p style="margin:0 0 14px;font-size:16px;white-space:pre-line">{_marked(text, spans, evidence)}</p>'
    right = f'<div style="flex:1 1 360px;min-width:0">{head}{body}{_table(evidence)}</div>'
    return f'<div style="{card}">{_image(picture, evidence, target)}{right}</div>'


def _safe(text: str) -> str:
    return escape(printable(text), quote=True)


def _image(picture: Image | None, evidence: Sequence[Evidence], target: Prediction) -> str:
    if picture is None:
        return ""
    drawn = draw_regions(picture, evidence, longest=960)
    buffer = io.BytesIO()
    drawn.save(buffer, "JPEG", quality=88, subsampling=0)
    data = base64.b64encode(buffer.getvalue()).decode("ascii")
    return (
        f'<img src="data:image/jpeg;base64,{data}" width="{drawn.width}" height="{drawn.height}" '
        f'alt="{_safe(target.label)}, with the regions of the evidence outlined and numbered" '
        f'style="flex:0 1 480px;width:480px;max-width:100%;height:auto;min-width:0;align-self:flex-start;'
        f'border-radius:6px;margin:0">'
    )


def _marked(text: str, spans: Sequence[Span], evidence: Sequence[Evidence]) -> str:
    """The text with colored phrases and their numbers."""
    out = []
    for phrase in phrases(text, spans):
        words = escape(phrase.text, quote=True)
        if phrase.rank is None:
            out.append(words)
        else:
            line = "solid" if _supports(evidence, phrase.rank) else "dashed"
            style = (
                f"color:{color_of(phrase.rank)};font-weight:600;"
                f"text-decoration:underline {line} 1.5px;text-underline-offset:3px"
            )
            out.append(f'<span style="{style}">{words}</span>')
        out += [_number(rank, _supports(evidence, rank), "0 1px 0 4px") for rank in phrase.numbers]
    return "".join(out)


def _supports(evidence: Sequence[Evidence], rank: int) -> bool:
    return rank >= len(evidence) or evidence[rank].supports


def _number(rank: int, supports: bool, margin: str) -> str:
    color = color_of(rank)
    # Inline, not a block: a block could be torn from its phrase at the end of a line.
    paint = f"background:{color};color:{PAPER}" if supports else f"background:{PAPER};color:{color}"
    return (
        f'<span style="padding:1px 5px;'
        f"margin:{margin};border:1.5px solid {color};border-radius:10px;{paint};font-size:11.5px;font-weight:700;"
        f'vertical-align:1px;text-decoration:none;white-space:nowrap;user-select:none">{rank + 1}</span>'
    )


def _table(evidence: Sequence[Evidence]) -> str:
    if not evidence:
        return ""
    cell = f"padding:6px 10px 6px 0;text-align:left;vertical-align:top;border:0;background:none;color:{INK}"
    head = f"{cell};font-weight:600;color:{_FAINT};font-size:12.5px;border-bottom:1px solid {_RULE}"
    names = ("", "Concept", evidence[0].kind.capitalize(), "Share", "Where")
    titles = "".join(f'<th style="{head}">{name}</th>' for name in names)
    largest = max(abs(item.share) for item in evidence) or 1.0
    rows = []
    for rank, item in enumerate(evidence):
        named = _safe(item.concept) if item.concept is not None else f'<i style="color:{_FAINT}">unnamed</i>'
        notes = ["speaks against"] * (not item.supports) + ["not judged on pictures"] * (not item.judged)
        beside = "".join(f'<div style="color:{_FAINT};font-size:12px">{note}</div>' for note in notes)
        bar = (
            f'<div style="height:4px;border-radius:2px;margin-top:3px;width:{56 * abs(item.share) / largest:.0f}px;'
            f'background:{color_of(rank)}"></div>'
        )
        values = (
            _number(rank, item.supports, "0"),
            f"{named}{beside}",
            f'<span style="font-variant-numeric:tabular-nums;white-space:nowrap">{item.kind} {item.neuron}</span>',
            f'<span style="font-variant-numeric:tabular-nums;white-space:nowrap">{_percent(item.share)}</span>{bar}',
            _safe(", ".join(item.where)) or f'<span style="color:{_FAINT}">nowhere</span>',
        )
        cells = "".join(f'<td style="{cell}">{value}</td>' for value in values)
        rows.append(f'<tr style="background:none">{cells}</tr>')
    style = "border-collapse:collapse;width:100%;font-size:13.5px;line-height:1.4;border:0;margin:0"
    return f'<table style="{style}"><thead><tr>{titles}</tr></thead><tbody>{"".join(rows)}</tbody></table>'


def _percent(share: float) -> str:
    """With a true minus sign, and never a rounded-away zero."""
    text = f"{abs(share):.0%}" if abs(share) >= 0.005 or share == 0 else "<1%"
    return ("−" if share < 0 else "") + text.replace("<", "&lt;")
