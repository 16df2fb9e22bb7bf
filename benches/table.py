"""Make the compact result file and the table from pytest-benchmark's JSON.

python benches/table.py raw.json benches/results/stages.json
"""

from __future__ import annotations

import json
import os
import platform
import sys
from importlib.metadata import version
from itertools import groupby
from pathlib import Path

from nle_fast.version import versions

PEERS = ("captum", "opencv-python-headless", "scikit-image")


def compact(raw: dict) -> dict:
    """Median, 95th percentile and ratio to the group's first row, per bench, with machine, versions and date."""
    groups = []
    rows = sorted(raw["benchmarks"], key=lambda row: row["group"])
    for group, members in groupby(rows, key=lambda row: row["group"]):
        entries = []
        for row in members:
            times = sorted(row["stats"]["data"])
            entries.append(
                {
                    "who": row["params"]["who"] if row["params"] else "nle_fast",
                    "median_ms": 1000 * row["stats"]["median"],
                    "p95_ms": 1000 * times[min(len(times) - 1, int(0.95 * len(times)))],
                    "rounds": row["stats"]["rounds"],
                }
            )
        ours = next(entry["median_ms"] for entry in entries if entry["who"].startswith("nle_fast"))
        for entry in entries:
            entry["ratio_to_nle_fast"] = entry["median_ms"] / ours
        groups.append({"group": group, "rows": entries})
    return {
        "date": raw["datetime"][:10],
        "machine": {
            "cpu": raw["machine_info"]["cpu"].get("brand_raw", platform.processor()),
            "cores": os.cpu_count(),
            "gpu": None,
        },
        "versions": versions() | {peer: version(peer) for peer in PEERS},
        "groups": groups,
    }


def markdown(result: dict) -> str:
    """The table that the README shows."""
    lines = ["| what | who | median ms | p95 ms | × nle_fast |", "|---|---|---:|---:|---:|"]
    for group in result["groups"]:
        for row in group["rows"]:
            numbers = f"{row['median_ms']:.3f} | {row['p95_ms']:.3f} | {row['ratio_to_nle_fast']:.2f}"
            lines.append(f"| {group['group']} | {row['who']} | {numbers} |")
    return "\n".join(lines)


if __name__ == "__main__":
    source, target = map(Path, sys.argv[1:3])
    result = compact(json.loads(source.read_text()))
    target.write_text(json.dumps(result, indent=1) + "\n")
    target.with_suffix(".md").write_text(markdown(result) + "\n")
    print(markdown(result))
