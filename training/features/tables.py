"""Writes the tables of `docs/features.md` and `docs/faithfulness.md` from the JSON of `halves.py`, between its marks.

python training/features/tables.py
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]

NAMES = {
    "features": "**features**",
    "channels": "the layer's channels",
    "random start": "random start, learned alike",
    "shuffled tree": "tree of shuffled classes, learned alike",
    "untrained": "the tree's atoms, untrained",
    "pca": "PCA, each component and its opposite",
    "clusters": "k-means",
    "random": "activations at random positions",
    "gaussian": "Gaussian directions",
    "nmf": "NMF",
}

EXPLAINS = (
    "R²",
    "same winner",
    "KL",
    "five carry",
    "of it not near the answer",
    "all",
    "five hidden",
    "five random active hidden",
    "minutes",
)
#: Head of the column → key of `word_figures`, and whether it is a correlation or a number, not a share of told items.
SAYS = {
    "one set, r": ("set_r", True),
    "one set, told > .2": ("set_told", False),
    "unions, r": ("union_r", True),
    "unions, told > .2": ("union_told", False),
    "**strict, told**": ("strict_told", False),
    "strict, mean r of these": ("strict_r_told", True),
    "strict, one class alone, told": ("strict_single_told", False),
    "strict crosswise, told": ("crosswise_told", False),
    "of it holds": ("crosswise_holds", False),
    "shuffled names, told > .2": ("shuffled_told", False),
}


def mean(ways: list[dict[str, Any]], *keys: str) -> float | None:
    """Mean of both ways of a figure; None where there is none."""
    found = []
    for way in ways:
        value: Any = way
        for key in keys:
            value = value[key]
        found.append(value)
    return None if None in found else sum(found) / len(found)


def share(value: float | None) -> str:
    """A share as the issue writes it."""
    return "–" if value is None else f"{value:.3f}".replace("0.", ".", 1) if abs(value) < 1 else f"{value:.2f}"


def hidden(ways: list[dict[str, Any]], prefix: str = "") -> str:
    """Logit / flips / probability."""
    drop, flips, lost = (mean(ways, f"{prefix}{key}") for key in ("drop", "flips", "probability"))
    assert drop is not None
    assert flips is not None
    assert lost is not None
    return f"{drop:.2f} / {flips:.0%} / {lost:.2f}"


def tables(results: dict[str, Any]) -> str:
    """Both tables of a network, and what recurs."""
    names = [name for name in NAMES if all(name in way for way in results["ways"])]
    lines = ["| |" + "|".join(EXPLAINS) + "|", "|---|" + "---|" * len(EXPLAINS)]
    for name in names:
        ways = [way[name] for way in results["ways"]]
        own = name == "channels"
        cells = [
            "–" if own else share(mean(ways, "r2")),
            "–" if own else share(mean(ways, "same_winner")),
            "–" if own else f"{mean(ways, 'kl'):.2f}",
            share(mean(ways, "five")),
            share(mean(ways, "not_near")),
            "–" if own else share(mean(ways, "all")),
            hidden(ways),
            hidden(ways, "random_"),
            "–" if own else f"{mean(ways, 'minutes'):.1f}",
        ]
        lines.append(f"| {NAMES[name]} |" + "|".join(cells) + "|")
    lines += ["", "| |" + "|".join(SAYS) + "|", "|---|" + "---|" * len(SAYS)]
    for name in names:
        ways = [way[name] for way in results["ways"]]
        cells = [
            share(mean(ways, "words", key)) if number else f"{mean(ways, 'words', key):.0%}"
            for key, number in SAYS.values()
        ]
        lines.append(f"| {NAMES[name]} |" + "|".join(cells) + "|")
    for name, found in results.get("recurrence", {}).items():
        lines += [
            "",
            f"What recurs, {NAMES[name].strip('*')}, the other half and another seed, on "
            f"{results['photos']['in_neither']} photos of neither: "
            f"matched cosine {found['median_cosine']:.2f} (median), ≥ .8 for {found['share']:.0%} of features and "
            f"{found['told_share']:.0%} of told items; codes r {found['codes_r']:.2f} (median of counterparts); "
            f"{found['same_told']:.1f} of the five told are the same.",
        ]
    photos = results["photos"]
    lines += [
        "",
        f"Learned from {photos['learned_from'][0]:,} and {photos['learned_from'][1]:,} photos, {photos['views']} crops "
        "each; judged on "
        f"{results['ways'][0]['features']['photos']:,} and {results['ways'][1]['features']['photos']:,}, of which "
        f"{results['ways'][0]['features']['labelled']} and {results['ways'][1]['features']['labelled']} have an "
        "ImageNet class; "
        f"{results['machine']['cores']} cores, shared with other work, {results['date']}.",
    ]
    return "\n".join(lines)


def masking(results: dict[str, Any]) -> str:
    """Five hidden with the rest kept: mean and 95 % interval over photos, the first way and the second."""
    lines = ["| | logit | winner changes | probability |", "|---|---|---|---|"]
    for name, prefix, title in (
        ("features", "", "five features named"),
        ("channels", "", "five channels named"),
        ("features", "random_", "five random active features"),
        ("features", "any_", "five of all features"),
    ):
        if not all(name in way for way in results["ways"]):
            continue
        cells = []
        for key in ("drop", "flips", "probability"):
            spans = [way[name]["intervals"][prefix + key] for way in results["ways"]]
            cells.append("; ".join(f"{at:.2f} [{low:.2f}, {high:.2f}]" for at, low, high in spans))
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Rewrite what lies between the marks."""
    for path in sorted((ROOT / "benches" / "results").glob("features_*.json")):
        results = json.loads(path.read_text(encoding="utf-8"))
        if "network" not in results or not all("features" in way for way in results.get("ways", [{}])):
            continue
        for doc, made in (("features.md", tables), ("faithfulness.md", masking)):
            text = (ROOT / "docs" / doc).read_text(encoding="utf-8")
            marks = rf"(<!-- {results['network']} -->\n).*?(<!-- end -->)"
            told = made(results).replace("\\", r"\\")
            text = re.sub(marks, rf"\g<1>{told}\n\g<2>", text, flags=re.DOTALL)
            (ROOT / "docs" / doc).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
