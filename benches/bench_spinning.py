"""What two sessions of ONNX Runtime in one process do to each other, with threads that spin on after a run and without.

    python benches/bench_spinning.py

Writes benches/results/spinning.json. Two sessions of the same network run in turn; the first is somebody else's. A
thread that spins holds a core although its session has nothing to do, and the other session's threads wait for it.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np
import onnxruntime as ort
from architectures import build

from nle_fast.classifiers.onnx.export import save_onnx
from nle_fast.version import versions

RESULTS = Path(__file__).parent / "results" / "spinning.json"
NETWORKS = ("squeezenet1_1", "resnet18")
ROUNDS = 40


def opened(path: Path, *, stops: bool) -> ort.InferenceSession:
    """A session whose threads stop spinning when a run ends, as ours do, or go on for a while, as is the default."""
    options = ort.SessionOptions()
    options.add_session_config_entry("session.force_spinning_stop", str(int(stops)))
    return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def in_turn(sessions: list[ort.InferenceSession], feeds: dict[str, Any]) -> list[float]:
    """Median milliseconds of each session's runs, one after the other."""
    times: list[list[float]] = [[] for _ in sessions]
    for _ in range(ROUNDS):
        for session, laps in zip(sessions, times, strict=True):
            start = perf_counter()
            session.run(None, feeds)
            laps.append(perf_counter() - start)
    return [round(1000 * float(np.median(laps[5:])), 3) for laps in times]


def measure(name: str, batch: int) -> dict[str, Any]:
    """One network: each kind of session alone, and two of them in turn."""
    feeds = {"images": np.random.default_rng(0).normal(size=(batch, 3, 224, 224)).astype(np.float32)}
    row: dict[str, Any] = {"network": name, "batch": batch, "cores": os.cpu_count()}
    with TemporaryDirectory() as folder:
        path = save_onnx(build(name)[0], Path(folder) / "it.onnx", 224)
        for kind, stops in (("spins", False), ("stops", True)):
            row[f"alone, {kind}"] = in_turn([opened(path, stops=stops)], feeds)[0]
        for first, second in ((False, False), (False, True), (True, True)):
            key = " then ".join("stops" if stops else "spins" for stops in (first, second))
            row[key] = in_turn([opened(path, stops=first), opened(path, stops=second)], feeds)
    return row


if __name__ == "__main__":
    rows = []
    for name in NETWORKS:
        for batch in (1, 8):
            rows.append(measure(name, batch))
            print(rows[-1], flush=True)
    RESULTS.write_text(json.dumps({"versions": versions(), "unit": "ms", "rows": rows}, indent=1) + "\n")
