"""A dissection for people: one HTML file that opens from disk, with a row per neuron.

Words, qualities, and the strongest held-out pictures with the region outlined; searched and sorted by a few lines of
script. The page loads nothing: its own policy forbids it, and only the one script whose digest it names can run.
"""

from __future__ import annotations

import base64
import hashlib
import os
from importlib import resources
from pathlib import Path
from typing import Any

from nle_fast.dissect.report_pictures import MAX_BYTES, Thumbnails, make_thumbnails
from nle_fast.dissect.report_rows import REFUSED, SOURCES, number, row, safe
from nle_fast.dissect.responses import Progress
from nle_fast.errors import ConceptsError, InputError
from nle_fast.files import write_whole

__all__ = ["report_html", "write_report"]

_GUIDE = """<details><summary>How to read this page</summary>
<p>The <b>quality</b> of a neuron’s words is a correlation: how well the presence of what they name predicts the
neuron’s response, on held-out pictures that took no part in choosing them. 1 is perfect, 0 is none. It is the
lower of two: on the pictures whose source can say whether the concept is there, whose number stands beside it,
and on all, where unknown counts as absent. The other pictures chose: half of them proposed words, the other half
picked among these. Words below {least} on either are not given, nor are words that too many others match, that
untrained neurons follow as closely, or that chance may have made. Words whose quality is below {least} after all
are shown here, but explanations say them loosely at most. <b>AUC</b> is the chance that a picture with the
concept moves the neuron more than one without. <b>IoU</b> is the overlap of the neuron’s region with the
concept’s.</p>
<p>Each row shows the neuron’s strongest held-out pictures of all sources, strongest first, cropped to what the
network saw. Its region is bright and outlined; dashed where it stays below the neuron’s usual level. Keys:
<kbd>/</kbd> searches, <kbd>j</kbd> and <kbd>k</kbd> go to the next and the previous neuron, <kbd>o</kbd> opens
its candidates.</p></details>"""

#: Bars of the distribution of qualities.
BINS = 20


def write_report(
    record: dict[str, Any],
    path: str | os.PathLike[str],
    *,
    max_bytes: int = MAX_BYTES,
    progress: Progress | None = None,
) -> Path:
    """Write the report of a dissection; the file appears whole or not at all.

    The photos are read from where the record says and embedded small, each once, so the page can be moved and they need
    not be. What they show, and hence the page, belongs to whoever owns the photos.

    Args:
        record: As `Dissection.record` or `read_dissection` give it.
        path: The `.html` file; an earlier one is replaced.
        max_bytes: Bound on the embedded photos; with more they become smaller, and at last fewer per neuron.
        progress: Called with ("report", done, total).

    Returns:
        The path.

    Raises:
        ConceptsError: The record is broken.
        InputError: A photo is missing or another one than was dissected, or the file cannot be written.
    """
    path = Path(path)
    page = report_html(record, max_bytes=max_bytes, progress=progress)
    try:
        write_whole(path, page)
    except OSError as error:
        raise InputError(f"`path` must be writable, got '{path}' ({error.strerror}); choose another.") from error
    return path


def report_html(record: dict[str, Any], *, max_bytes: int = MAX_BYTES, progress: Progress | None = None) -> str:
    """The page as text; see `write_report`."""
    try:
        thumbnails = make_thumbnails(record, max_bytes=max_bytes, progress=progress)
        return _page(record, thumbnails)
    except (KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise ConceptsError(
            f"`record` must be the record of a dissection, got one that is broken ({error!r}); make it anew."
        ) from error


def _page(record: dict[str, Any], thumbnails: Thumbnails) -> str:
    script = resources.files("nle_fast.dissect").joinpath("report.js").read_text(encoding="utf-8")
    style = resources.files("nle_fast.dissect").joinpath("report.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    policy = f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    photos = "".join(
        f".p{at}{{background-image:url(data:image/jpeg;base64,{data})}}\n" for at, data in thumbnails.data.items()
    )
    rows = "".join(row(neuron, record["pictures"], thumbnails.rung.shown) for neuron in record["neurons"])
    network = safe(record["network"])
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>Neurons of {network}</title>\n<style>{style}</style>\n<style>{photos}</style></head>\n<body>\n"
        f"{_head(record)}{_controls(record)}<main>\n{rows}</main>\n"
        f'<p class="empty" hidden>No neuron fits. <button type="button">Show all</button></p>\n'
        f"{_foot(record, thumbnails)}<script>{script}</script></body></html>\n"
    )


def _head(record: dict[str, Any]) -> str:
    summary, neurons = record["summary"], record["num_neurons"]
    least, parts = record["options"]["min_quality"], record["parts"]
    facts = [
        (f"{summary['named']:,}", f"of {neurons:,} neurons have words ({_share(summary['share_named'])})"),
        (number(summary["mean_quality"]), "mean quality of these words"),
        (
            f"{parts['judge']:,}",
            f"held-out pictures judged them, {parts['propose'] + parts['pick']:,} others chose them",
        ),
    ]
    tiles = "".join(f"<li><b>{value}</b><span>{what}</span></li>" for value, what in facts)
    return (
        f'<header><h1>{safe(record["network"])}</h1><p class="layer">What each neuron of layer '
        f'<code>{safe(record["layer"])}</code> answers to</p><div class="summary"><ul class="facts">{tiles}</ul>'
        f"{_distribution(record)}{_sources(record)}</div>"
        f"{_GUIDE.format(least=number(least))}</header>\n"
    )


def _sources(record: dict[str, Any]) -> str:
    """The sources together, and each alone."""
    summary = record["summary"]
    lines = [("All together", None, None, summary)]
    for source in record["sources"]:
        name = SOURCES.get(source["name"], str(source["name"])).capitalize()
        alone = summary["by_source"].get(source["name"])
        if alone is not None:
            lines.append((f"{name} alone", source["pictures"], source["words"], alone))
    rows = "".join(
        f"<tr><th scope=row>{safe(name)}</th>"
        f"<td>{'' if pictures is None else f'{pictures:,}'}</td><td>{'' if words is None else f'{words:,}'}</td>"
        f"<td>{of['named']:,}</td><td>{_share(of['share_named'])}</td><td>{number(of['mean_quality'])}</td></tr>"
        for name, pictures, words, of in lines
    )
    heads = "".join(
        f"<th scope=col>{head}</th>" for head in ("", "Pictures", "Words", "Named", "Share", "Mean quality")
    )
    return f'<table class="sources"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>'


def _share(value: float | None) -> str:
    """Never a rounded-away few."""
    return "&lt;1%" if 0 < (value or 0) < 0.005 else f"{value or 0:.0%}"


def _distribution(record: dict[str, Any]) -> str:
    """How many names have which quality, as bars from 0 to 1."""
    counts = [0] * BINS
    for neuron in record["neurons"]:
        if neuron["quality"] is not None:
            counts[min(BINS - 1, max(0, int(float(neuron["quality"]) * BINS)))] += 1
    most = max(1, *counts)
    width = 200 / BINS
    bars = "".join(
        f'<rect x="{at * width + 0.5:g}" y="{60 - 60 * count / most:.1f}" width="{width - 1:g}" '
        f'height="{60 * count / most:.1f}"><title>{at / BINS:.2f} to {(at + 1) / BINS:.2f}: {count}</title></rect>'
        for at, count in enumerate(counts)
        if count
    )
    axis = "".join(f'<text x="{200 * at:g}" y="74" text-anchor="{to}">{at:g}</text>' for at, to in _TICKS)
    return (
        '<figure class="distribution"><svg viewBox="0 0 200 78" role="img" aria-label="Distribution of the qualities">'
        f'{bars}<path d="M0 60.5H200"/>{axis}</svg><figcaption>Names by quality</figcaption></figure>'
    )


_ORDERS = (
    '<option value="n">neuron</option><option value="best">best quality</option>'
    '<option value="worst">worst quality</option><option value="name">words, A to Z</option>'
)
_TICKS = ((0, "start"), (0.5, "middle"), (1, "end"))


def _controls(record: dict[str, Any]) -> str:
    given = list(dict.fromkeys(source["name"] for source in record["sources"]))
    refused = [reason for reason in REFUSED if reason in {neuron["refused"] for neuron in record["neurons"]}]
    names = "".join(f'<option value="{safe(n)}">words from {safe(SOURCES.get(n, n))}</option>' for n in given)
    reasons = "".join(f'<option value="refused: {safe(why)}">{safe(REFUSED[why])}</option>' for why in refused)
    sizes = "".join(
        f'<label><input type="radio" name="size" value="{value}"{chosen}><span>{value.upper()}</span></label>'
        for value, chosen in (("s", ""), ("m", " checked"), ("l", ""))
    )
    shows = f'<option value="">all neurons</option><option value="named">with words</option>{names}'
    shows += f'<option value="none">without words</option>{reasons}'
    return (
        '<form class="controls" role="search" aria-label="Neurons"><label class="search"><span>Search</span><input '
        'type="search" id="q" placeholder="words or a neuron’s number" autocomplete="off" spellcheck="false"></label>'
        '<label><input type="checkbox" id="all"><span>in candidates too</span></label>'
        f'<label><span>Show</span><select id="show">{shows}</select></label>'
        f'<label><span>Sort by</span><select id="sort">{_ORDERS}</select></label>'
        f'<fieldset class="sizes"><legend>Pictures</legend>{sizes}</fieldset>'
        f'<output id="count" aria-live="polite">{len(record["neurons"]):,} neurons</output></form>\n'
    )


def _foot(record: dict[str, Any], thumbnails: Thumbnails) -> str:
    rung = thumbnails.rung
    versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
    options = ", ".join(f"{name} {value}" for name, value in record["options"].items() if value is not None)
    fingerprint = f"Network {record['model']}. " if record["model"] else ""
    return (
        f"<footer><p>{len(thumbnails.data):,} photos, each embedded once at up to {rung.side} pixels, JPEG quality "
        f"{rung.quality}, {thumbnails.size / 1e6:.1f} MB; up to {rung.shown} per neuron. "
        "This page loads nothing else.</p>"
        f"<p>{safe(fingerprint)}Options: {safe(options)}.</p><p>{safe(versions)}</p></footer>\n"
    )
