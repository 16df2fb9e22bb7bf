"""Meaning representations of real photos, without the photos: what the embedded language model should tell best.

    python -m training.verbalizer.real BUNDLE… --photos DIR… --count 300    # ─► real.json.gz, which is in the project

They hold classes, probabilities, words, shares and places, and nothing of the pictures; where they come from says the
card. Without the photos the training takes the file as it is.
"""

from __future__ import annotations

import argparse
import gzip
import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any

from nle_fast.schema import Assumption, Evidence, Joined, Meaning, Prediction

__all__ = ["REAL", "gather", "main", "real_meanings"]

#: Where they are kept.
REAL = Path(__file__).parent / "real.json.gz"


@lru_cache(maxsize=1)
def real_meanings() -> tuple[Meaning, ...]:
    """All of the file, in its order, in plain style."""
    with gzip.open(REAL, "rt", encoding="utf-8") as file:
        return tuple(_meaning(entry) for entry in json.load(file))


def _meaning(entry: dict[str, Any]) -> Meaning:
    evidence = [
        Evidence(**{**item, "positions": tuple(item["positions"]), "places": tuple(item["places"]), "regions": ()})
        for item in entry["evidence"]
    ]
    joined = [Joined(tuple(group["ranks"]), tuple(group["places"])) for group in entry["joined"]]
    classes = {
        role: None if entry[role] is None else Prediction(**entry[role])
        for role in ("target", "versus", "answer", "runner_up")
    }
    return Meaning(
        **{
            **entry, **classes, "evidence": tuple(evidence), "joined": tuple(joined),
            "also": tuple(Prediction(**other) for other in entry["also"]), "counted": tuple(entry["counted"]),
            "assumed": tuple(Assumption(**what) for what in entry["assumed"]),
        }
    )  # fmt: skip


def gather(bundles: list[Path], folders: list[Path], count: int) -> Iterator[Meaning]:
    """Meaning representations of so many photos per bundle, drawn by seed; every fifth beside the runner-up."""
    import nle_fast as nle

    photos = sorted(path for folder in folders for path in folder.rglob("*") if path.suffix.lower() in (".jpg", ".png"))
    for number, bundle in enumerate(bundles):
        rng = Random(number)
        config = nle.Config(against=True, top_k=5)
        explainer = nle.Explainer(nle.read_bundle(bundle), verbalizer="template", config=config)
        for photo in rng.sample(photos, count):
            explanation = explainer(str(photo))
            if rng.random() < 0.2 and explanation.runner_up is not None:
                explanation = explainer(str(photo), versus=explanation.runner_up.index)
            yield replace(explanation.meaning, evidence=tuple(replace(e, regions=()) for e in explanation.evidence))


def main() -> None:
    """The command line; see the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundles", nargs="+", type=Path)
    parser.add_argument("--photos", nargs="+", type=Path, required=True)
    parser.add_argument("--count", type=int, default=300, help="photos per bundle")
    parser.add_argument("--out", type=Path, default=REAL)
    options = parser.parse_args()
    found = [asdict(meaning) for meaning in gather(options.bundles, options.photos, options.count)]
    for entry in found:
        for item in entry["evidence"]:
            del item["regions"]
            item["share"], item["score"] = round(item["share"], 5), round(item["score"], 4)
    with gzip.GzipFile(options.out, "wb", mtime=0) as file:  # the same photos give the same bytes
        file.write(json.dumps(found, ensure_ascii=False, separators=(",", ":")).encode())
    print(f"{len(found)} meaning representations in {options.out}, {options.out.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
