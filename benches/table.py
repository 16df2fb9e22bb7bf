"""Make the result file, the tables and the plots from pytest-benchmark's JSON.

python benches/table.py raw.json benches/results/stages.json

Writes stages.json, stages.md and one stages-*.svg per plot. Ratios are medians of the ratios within each round.
"""

from __future__ import annotations

import json
import os
import platform
import re
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median

from must import summary
from plots import plot

from nle_fast.version import versions

PEERS = (
    "captum", "connected-components-3d", "grad-cam", "opencv-python-headless", "scikit-image", "scipy", "torchcam",
)  # fmt: skip


def compact(raw: dict) -> dict:
    """Median and 95th percentile of each way, and the median of its round-by-round ratios to each other way."""
    groups = []
    for bench in raw["benchmarks"]:
        extra = bench["extra_info"]
        times = extra["times_ms"]
        ways = {
            who: {
                "median_ms": _round(median(laps)),
                "p95_ms": _round(sorted(laps)[round(0.95 * (len(laps) - 1))]),
                "over": {
                    other: _round(median(a / b for a, b in zip(laps, theirs, strict=True)))
                    for other, theirs in times.items()
                    if other != who
                },
            }
            for who, laps in times.items()
        }
        rounds = len(next(iter(times.values())))
        groups.append({"group": bench["group"], "rounds": rounds, "facts": extra.get("facts", {}), "ways": ways})
    result = {
        "date": raw["datetime"][:16],
        "machine": {
            "cpu": raw["machine_info"]["cpu"].get("brand_raw", platform.processor()),
            "cores": os.cpu_count(),
            "load_average": round(os.getloadavg()[1], 1),
        },
        "versions": versions() | {peer: _version(peer) for peer in PEERS},
        "groups": groups,
    }
    rows = summary(groups)
    # A file of other benches has no line of this list.
    return ({"must_show": rows} if any(row["where"] for row in rows) else {}) | result


def markdown(result: dict, plots: list[str]) -> str:
    """The must-show lines, then all groups, then the plots."""
    machine = result["machine"]
    parts = [
        f"{machine['cpu']}, {machine['cores']} cores, load average {machine['load_average']}, {result['date']}; "
        + ", ".join(f"{name} {number}" for name, number in result["versions"].items() if number)
        + ".",
        "",
    ]
    if "must_show" in result:
        parts += ["| must show | where | found | must be | |", "|---|---|---:|---:|---|"]
        for row in result["must_show"]:
            cells = (row["line"], row["where"], row["found"], row["must"], row["verdict"])
            parts.append("| " + " | ".join(cells) + " |")
        parts.append("")
    parts += ["| what | who | p50 ms | p95 ms | ratio |", "|---|---|---:|---:|---:|"]
    notes = []
    for group in result["groups"]:
        ways, facts = group["ways"], group["facts"]
        unit = facts.get("baseline", next(iter(ways)))
        for who, row in ways.items():
            ratio = 1.0 if who == unit else row["over"][unit]
            parts.append(f"| {group['group']} | {who} | {row['median_ms']:.4g} | {row['p95_ms']:.4g} | {ratio:.3g} |")
        left_out = facts.get("left_out", {})
        notes += [f"- {group['group']}: {who} is left out: {reason}" for who, reason in left_out.items()]
    notes = [
        "Ratio: to the plain forward where the group has one, else to its first way; the median over the rounds.",
        "pytorch-grad-cam is imported with empty modules in place of torchvision and scikit-learn where these are not "
        "installed; what is measured uses neither.",
        *notes,
    ]
    parts += ["", *notes, "", *(f"![{name}]({name})" for name in plots)]
    return "\n".join(parts) + "\n"


def growth(groups: list[dict]) -> dict[str, dict[str, list[tuple[float, float]]]]:
    """Plot → way → points, of the groups that belong to a plot."""
    found: dict[str, dict[str, list[tuple[float, float]]]] = {}
    for group in groups:
        if "plot" in group["facts"]:
            lines = found.setdefault(group["facts"]["plot"], {})
            for who, row in group["ways"].items():
                lines.setdefault(who, []).append((group["facts"]["x"], row["median_ms"]))
    return found


def _round(value: float) -> float:
    return float(f"{value:.4g}")


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


if __name__ == "__main__":
    source, target = map(Path, sys.argv[1:3])
    result = compact(json.loads(source.read_text()))
    if target.stem != "stages" and "must_show" in result:  # of all benches only the whole has to show every line
        result["must_show"] = [row for row in result["must_show"] if row["where"]]
    target.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")
    names = []
    for title, lines in growth(result["groups"]).items():
        name = f"{target.stem}-{re.sub('[^a-z0-9]+', '-', title.lower().replace('²', '2')).strip('-')}.svg"
        target.with_name(name).write_text(plot(title, lines))
        names.append(name)
    target.with_suffix(".md").write_text(markdown(result, names))
    for row in result.get("must_show", []):
        print(f"{row['verdict']:4}  {row['found']:>12}  {row['must']:>9}  {row['line']}: {row['where']}")
