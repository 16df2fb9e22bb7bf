"""One neuron of a report as HTML: words, quality, its strongest held-out pictures with the region outlined."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from html import escape
from typing import Any

from nle_fast.draw.phrases import printable

__all__ = ["REFUSED", "SOURCES", "number", "row", "safe"]

#: Sources as people call them.
SOURCES = {
    "masks": "masks",
    "labelled": "labelled pictures",
    "encoder": "dual encoder",
    "votes": "votes",
    "borrowed": "another network",
}

#: Why a neuron has no name.
REFUSED = {
    "no candidate": "no word stood out",
    "quality": "its best word predicts it too poorly",
    "place": "it is active elsewhere than its best word",
    "said": "the encoder does not say its best word of its strongest pictures",
    "rivals": "too many other words fit as well",
    "untrained": "untrained neurons follow its best word as closely",
    "chance": "its best word may fit by chance",
    "best": "its best word is not sure enough for the best of several sources",
}


def row(neuron: dict[str, Any], pictures: Sequence[dict[str, Any]], shown: int) -> str:
    """One `<article>`; every string of the record is escaped."""
    at = int(neuron["neuron"])
    exemplars = neuron["exemplars"][:shown]
    photos = "".join(_photo(one, rank, pictures[one["picture"]], neuron) for rank, one in enumerate(exemplars, 1))
    silent = "Silent on every held-out picture." if pictures else "No pictures were shown."
    strip = f'<ol class="strip">{photos}</ol>' if photos else f'<p class="silent">{silent}</p>'
    candidates = [_candidate(one) for one in neuron["candidates"]]
    more = ""
    if candidates:
        plural = "" if len(candidates) == 1 else "s"
        more = f"<details><summary>{len(candidates)} candidate{plural}</summary></details>"
    quality = neuron["quality"]
    name = neuron["name"] or ""
    return (
        f'<article id="n{at}" data-n="{at}" data-q="{"" if quality is None else float(quality)}" '
        f'data-name="{safe(name)}" data-s="{safe(_state(neuron))}" data-c="{safe(json.dumps(candidates))}">'
        f'<div class="words"><a class="at" href="#n{at}" aria-label="Neuron {at}">{at}</a>'
        f"{_heading(neuron)}{more}</div>{strip}</article>\n"
    )


def safe(text: object) -> str:
    """Text of strangers, for HTML and for attributes in double quotes."""
    return escape(printable(str(text)), quote=True)


def number(value: float | None, digits: int = 2) -> str:
    """With a true minus sign; a dash for what was not measured."""
    return "–" if value is None else f"{float(value):.{digits}f}".replace("-", "−")


def _state(neuron: dict[str, Any]) -> str:
    """What the page filters by: the source of a name, or why there is none."""
    return str(neuron["words"][0]["source"]) if neuron["words"] else f"refused: {neuron['refused']}"


def _heading(neuron: dict[str, Any]) -> str:
    if not neuron["words"]:
        reason = REFUSED.get(neuron["refused"], neuron["refused"] or "not said why")
        # The pictures that choose say which is closest; the best on held-out pictures would be a lucky one.
        best = max(neuron["candidates"], key=lambda one: _bound(one["propose"]) + _bound(one["pick"]), default=None)
        closest = ""
        if best is not None:
            closest = f"; closest: {safe(best['words'])} ({number(best['judge']['correlation'])})"
        return f'<h2 class="none">no concept</h2><p class="why">{safe(reason)}{closest}</p>'
    words = '<span class="or"> or </span>'.join(safe(word["words"]) for word in neuron["words"])
    first = neuron["words"][0]
    measures = [
        SOURCES.get(first["source"], str(first["source"])),
        *([f"AUC {number(first['judge']['auc'])}"] if first["judge"]["auc"] is not None else []),
        *([f"IoU {number(first['judge']['iou'])}"] if first["judge"]["iou"] is not None else []),
        *([f"on {first['judge']['pictures']:,} pictures"] if first["judge"]["pictures"] else []),
    ]
    if neuron["quality"] is None:
        return f'<h2>{words}</h2><p class="why">{safe(" · ".join([*measures, "not judged"]))}</p>'
    quality = float(neuron["quality"])
    return (
        f'<h2>{words}</h2><p class="quality" title="Held-out simulation correlation"><span class="bar">'
        f'<i style="width:{100 * min(1.0, max(0.0, quality)):.0f}%"></i></span><b>{number(quality)}</b></p>'
        f'<p class="why">{safe(" · ".join(measures))}</p>'
    )


def _bound(measured: dict[str, Any]) -> float:
    """Where the correlation lies at least, by Fisher's transformation: a few pictures correlate with anything."""
    r, count = float(measured["correlation"] or 0.0), int(measured["pictures"])
    return math.atanh(min(0.999, max(-0.999, r))) - 1.645 / math.sqrt(max(1, count - 3))


def _candidate(one: dict[str, Any]) -> list[Any]:
    """What the page's script shows of a candidate, in the order of its columns."""
    source = SOURCES.get(one["source"], str(one["source"]))
    measures = [one[part]["correlation"] for part in ("propose", "pick")]
    measures += [one["judge"][name] for name in ("correlation", "pictures", "auc", "iou")]
    return [printable(one["words"]), printable(source), *measures, one["beats"], one["p"]]


def _photo(one: dict[str, Any], rank: int, picture: dict[str, Any], neuron: dict[str, Any]) -> str:
    path = "".join(_outline(outline, picture["window"]) for outline in one["outlines"])
    # A network's strongest picture may stay below the level that its other pictures are cut at.
    below = " below" if float(one["peak"]) < float(neuron["threshold"]) else ""
    # What lies outside the region is darkened: the frame and the outlines are one path, filled where only one covers.
    drawing = f'<path class="o{below}" d="M-9-9H109V109H-9Z{path}"/>' if path else ""
    file = safe(str(picture["path"]).replace("\\", "/").rsplit("/", 1)[-1])
    title = f"{rank}. {file}, response {number(one['response'])}, peak {number(one['peak'])}"
    kind = f"p p{int(one['picture'])}"
    return f'<li><svg class="{kind}" viewBox="0 0 100 100" role="img"><title>{title}</title>{drawing}</svg></li>'


def _outline(outline: Sequence[Sequence[float]], window: Sequence[float]) -> str:
    """A polygon in pixels of the picture as a path in hundredths of the window."""
    left, top, right, bottom = map(float, window)
    points = []
    for x, y in outline:
        across, down = 100 * (x - left) / (right - left), 100 * (y - top) / (bottom - top)
        points.append(f"{round(across, 1):g} {round(down, 1):g}")
    return f"M{'L'.join(points)}Z" if points else ""
