"""The record of an evaluation as one HTML page: figures with intervals, plots, settings; nothing from outside."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from typing import Any

from nle_fast.faithfulness.plots import bars, curves
from nle_fast.faithfulness.statistics import interval_text

__all__ = ["report_html"]

_STYLE = """
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#5b6570;--line:#d7dce1;--own:#0b6bcb;--paper:#fff}
@media(prefers-color-scheme:dark){:root{--ink:#e8eaed;--soft:#9aa4ae;--line:#3a424a;--own:#6cb2ff;--paper:#15181c}}
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper)}
body{max-width:72rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.6rem;margin:0}h2{font-size:1.2rem;margin:2.2rem 0 .4rem}p{margin:.4rem 0}
.soft{color:var(--soft)}.scroll{overflow-x:auto}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;margin:.6rem 0}
th,td{text-align:right;padding:.25rem .7rem;border-bottom:1px solid var(--line);white-space:nowrap}
th:first-child,td:first-child{text-align:left}td .soft{font-size:.8em}td div{line-height:1.2}
tr.own td{color:var(--own);font-weight:600}
svg{max-width:100%;height:auto}svg text{fill:currentColor;font:13px system-ui,sans-serif}
pre{white-space:pre-wrap;overflow-wrap:anywhere;font-size:.8rem}
"""
_ABOUT = {
    "explanation": "what the text names",
    "published": "max relu(gradient × activation)",
    "activation": "highest mean activation",
    "plausible": "words that fit the label, blind to the picture",
    "lowest": "what speaks most against it",
    "random": "any neurons of the layer",
    "active": "any of the neurons that are on",
}


def report_html(record: Mapping[str, Any]) -> str:
    """A page for people, from what `evaluate` returns."""
    sections = [_head(record), _masking(record["masking"])]
    for name, write in (("pixels", _pixels), ("pointing", _pointing), ("interventions", _interventions)):
        if name in record:
            sections.append(write(record[name]))
    sections.append(_settings(record))
    title = f"Faithfulness of {html.escape(str(record['network']))}"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{title}</title><style>{_STYLE}</style><body>{''.join(sections)}</body></html>\n"
    )


def _head(record: Mapping[str, Any]) -> str:
    words = record["concepts"]
    named = "none of them with words" if words is None else f"{words} of them with words"
    return (
        f"<h1>Faithfulness of {html.escape(str(record['network']))}</h1>"
        f"<p class=soft>Layer {html.escape(record['layer'])}: {record['neurons']} neurons, {named}; behind it "
        f"{record['head']}; {record['classes']} classes. {record['masking']['count']} pictures. {record['date']}.</p>"
        "<p>In brackets: 95 % intervals of a paired bootstrap over pictures.</p>"
    )


def _masking(found: Mapping[str, Any]) -> str:
    parts = [
        f"<h2>Masking {found['k']} neurons</h2><p>How far the winner falls when its {found['k']} named neurons are "
        "replaced, beside as many neurons chosen otherwise. The last column is the drop of the explanation's neurons "
        "over that of the row's.</p>"
    ]
    for kind, rankings in found["rankings"].items():
        rows = []
        for name, values in rankings.items():
            ratio = found["ratios"][kind].get(name)
            rows.append(
                (
                    name == "explanation",
                    [
                        f"{name}<div class=soft>{_ABOUT.get(name, '')}</div>",
                        _figure(values["logit_drop"]),
                        _figure(values["probability_drop"]),
                        _figure(values["flip_rate"]),
                        "" if ratio is None else _figure(ratio["logit_drop"], "×"),
                    ],
                )
            )
        parts.append(f"<h3>Replaced by {_KINDS[kind]}</h3>")
        parts.append(_table(["neurons", "logit drop", "probability drop", "another class wins", "ratio"], rows))
        if kind == "zero":
            parts.append(bars({name: values["logit_drop"] for name, values in rankings.items()}, "logit drop"))
    for what, about in (
        ("comprehensiveness", "probability lost without the first k neurons; more is better"),
        ("sufficiency", "probability lost with only the first k neurons; less is better"),
    ):
        lines = {name: values[what]["mean"] for name, values in found["curves"].items()}
        areas = ", ".join(f"{n} {_figure(v[what]['area'])}" for n, v in found["curves"].items())
        parts.append(f"<h3>{what.capitalize()} over k</h3><p class=soft>{about}</p>")
        parts.append(curves(found["ks"], lines, "k neurons", what))
        parts.append(f"<p class=soft>Area: {areas}</p>")
    return "".join(parts)


_KINDS = {"zero": "zero", "mean": "the neuron's mean", "resampled": "the maps of another picture"}


def _pixels(found: Mapping[str, Any]) -> str:
    parts = [
        f"<h2>Pixels</h2><p>{found['count']} pictures; the named regions are {_figure(found['named_share'])} of what "
        "the network sees, and outside of them pixels come in random order. <i>neurons</i>: their maps also count "
        "beyond the outlines; <i>more neurons</i>: those of four times as many.</p>"
    ]
    steps = found["options"]["steps"]
    for direction, better in (("deletion", "less is better"), ("insertion", "more is better")):
        rows, ratios = [], found["ratios"][direction]
        for name, values in found[direction].items():
            over = [_figure(own[name], "×") if name in own else "" for own in ratios.values()]
            rows.append((name in ratios, [name, _figure(values["area"]), *over]))
        parts.append(f"<h3>{direction.capitalize()}</h3><p class=soft>area under the probability; {better}</p>")
        parts.append(_table(["map", "area", *(f"{own}' over this" for own in ratios)], rows))
        shares = [round(i / steps, 4) for i in range(steps + 1)]
        lines = {name: values["curve"] for name, values in found[direction].items()}
        parts.append(curves(shares, lines, "share of pixels", "probability", own="regions"))
    return "".join(parts)


def _pointing(found: Mapping[str, Any]) -> str:
    if not found["count"]:
        return "<h2>Pointing</h2><p>No named concept had a mask.</p>"
    rows = [
        (name == "neuron", [name, _figure(value), _figure(found["iou"][name]) if name in found["iou"] else ""])
        for name, value in found["hits"].items()
    ]
    return (
        f"<h2>Pointing</h2><p>{found['evidence']} named concepts of {found['count']} pictures, each against the mask "
        "of what its words say.</p>" + _table(["pointer", "strongest pixel inside", "IoU of region and mask"], rows)
    )


def _interventions(found: Mapping[str, Any]) -> str:
    keys = ("completeness", "correctness", "contrastivity", "csdc", "pc", "dc", "d")
    rows = [
        (name == "text", [name, *(_figure(values[key]) for key in keys)]) for name, values in found["methods"].items()
    ]
    return (
        f"<h2>Interventions in the drawn world</h2><p>{found['count']} scenes, FunnyBirds' protocols; each part taken "
        f"away and drawn anew. The network is right in {100 * found['accuracy']:.1f} %, and does not need "
        f"{100 * (found['background_independence_of_the_network'] or 0):.1f} % of the scenery's parts.</p>"
        + _table(["method", *keys], rows)
    )


def _settings(record: Mapping[str, Any]) -> str:
    kept = {key: value for key, value in record.items() if not isinstance(value, Mapping) or "raw" not in value}
    kept |= {
        key: {k: v for k, v in value.items() if k in ("options", "count", "seed", "first_seed", "k")}
        for key, value in record.items()
        if isinstance(value, Mapping) and "raw" in value
    }
    text = html.escape(json.dumps(kept, indent=1, ensure_ascii=False))
    return f"<h2>Settings</h2><details><summary>options, seeds, versions, pictures</summary><pre>{text}</pre></details>"


def _figure(found: Mapping[str, Any], sign: str = "") -> str:
    """A figure with its interval; ∞ where the control does nothing."""
    value, low, high = interval_text(found, lambda number: f"{number:.3g}{sign}")
    return f"{value} <span class=soft>[{low}, {high}]</span>"


def _table(head: list[str], rows: list[tuple[bool, list[str]]]) -> str:
    top = "".join(f"<th>{cell}</th>" for cell in head)
    body = "".join(
        f"<tr{' class=own' if own else ''}>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>" for own, cells in rows
    )
    return f"<div class=scroll><table><tr>{top}</tr>{body}</table></div>"
