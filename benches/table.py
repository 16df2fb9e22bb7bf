"""Make the compact result file and the table from pytest-benchmark's JSON.

python benches/table.py raw.json benches/results/stages.json
"""

from __future__ import annotations

import json
import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path
from statistics import median

from nle_fast.version import versions

PEERS = ("captum", "opencv-python-headless", "scikit-image")


def compact(raw: dict) -> dict:
    """Median and 95th percentile of each way, and the median of its round-by-round ratios to nle_fast."""
    groups = []
    for bench in raw["benchmarks"]:
        times = bench["extra_info"]["times_ms"]
        rows = [
            {
                "who": who,
                "median_ms": round(median(laps), 4),
                "p95_ms": round(sorted(laps)[int(0.95 * (len(laps) - 1))], 4),
                "times_nle_fast": round(median(lap / own for lap, own in zip(laps, times["nle_fast"], strict=True)), 3),
            }
            for who, laps in times.items()
        ]
        groups.append({"group": bench["group"], "rounds": len(times["nle_fast"]), "rows": rows})
    cpu = raw["machine_info"]["cpu"].get("brand_raw", platform.processor())
    return {
        "date": raw["datetime"][:10],
        "machine": {"cpu": cpu, "cores": os.cpu_count(), "gpu": None},
        "versions": versions() | {peer: version(peer) for peer in PEERS},
        "groups": groups,
    }


def markdown(result: dict) -> str:
    """The table that the README shows."""
    lines = ["| what | who | median ms | p95 ms | × nle_fast |", "|---|---|---:|---:|---:|"]
    for group in result["groups"]:
        for row in group["rows"]:
            numbers = f"{row['median_ms']:.3f} | {row['p95_ms']:.3f} | {row['times_nle_fast']:.2f}"
            lines.append(f"| {group['group']} | {row['who']} | {numbers} |")
    return "\n".join(lines)


if __name__ == "__main__":
    source, target = map(Path, sys.argv[1:3])
    result = compact(json.loads(source.read_text()))
    target.write_text(json.dumps(result, indent=1) + "\n")
    target.with_suffix(".md").write_text(markdown(result) + "\n")
    print(markdown(result))
