"""The lines that the benches must show: which two ways of which group are compared, and how far apart they must be."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["LINES", "Line", "summary"]


@dataclass(frozen=True)
class Line:
    """`over` takes at least or at most `limit` times as long as `under`, median of the ratios of each round.

    Attributes:
        text: What the line promises.
        group: Pattern of the groups that it is about; each must hold.
        over: The way above the fraction bar.
        under: The way below it.
        limit: Of the ratio.
        least: Must the ratio be at least the limit, or at most?
        kind: Only groups whose facts have this kind.
        beyond: Of the time of `over` that of this way is taken off first.
    """

    text: str
    group: str
    over: str
    under: str
    limit: float
    least: bool
    kind: str | None = None
    beyond: str | None = None


US, PLAIN, COPY = "nle_fast", "plain forward", "copy of the same bytes"
EAGER = "torch eager (a*g).sum((2,3)).topk(k)"
ALONE, FIELDS, SKIMAGE = "OpenCV components alone", "OpenCV, same fields", "scikit-image, same fields"
TORCH, RUNTIME = r"meaning .* torch, batch", r"meaning .* ONNX Runtime, .* batch"
WHOLE, FORWARD = r"whole explanation: (mobilenet_v2|squeezenet1_1), threads: ", "plain torch forward only"
FEATURES = "nle_fast, features"
TEMPLATE, MODEL = "nle_fast, ONNX Runtime, template", "nle_fast, ONNX Runtime, embedded model"
ONE, BATCH = r"score 1 × (512|2048) × 7 × 7, float32, ", r"score 64 × 2048 × 7 × 7, float32, full"
SMALL, LARGE = "maps 7 × 7 in 224", "maps 7 × 7 in 640"
LINES = (
    Line("meaning representation / plain forward, torch, closed form", TORCH, US, PLAIN, 1.05, False, "closed form"),
    Line("meaning representation / plain forward, torch, autograd", TORCH, US, PLAIN, 1.12, False, "autograd"),
    Line("meaning representation / plain forward, ONNX Runtime", RUNTIME, US, PLAIN, 1.15, False),
    Line("with features / plain forward", r"features: mobilenet_v2", FEATURES, PLAIN, 1.15, False),
    Line(
        "(with features − without) / plain forward",
        r"features: (squeezenet|resnet)",
        FEATURES,
        PLAIN,
        0.12,
        False,
        beyond=US,
    ),
    Line("whole with text (template), ONNX Runtime / torch's plain forward", WHOLE, TEMPLATE, FORWARD, 1.0, False),
    Line("whole with text (embedded model), ONNX Runtime / torch's plain forward", WHOLE, MODEL, FORWARD, 1.0, False),
    # A copy reads and writes each byte, scoring only reads it: 70 % of the copy's bandwidth takes 1 / 1.4 of its time.
    Line("scoring: copy of the same bytes / nle_fast, 70 % of its bandwidth", BATCH, COPY, US, 1.4, True),
    Line("scoring, batch 1: torch eager / nle_fast, full gradients", ONE + "full", EAGER, US, 3.0, True),
    Line("scoring, batch 1: torch eager / nle_fast, (N, C) gradients", ONE + r"\(N", EAGER, US, 3.0, True),
    Line("regions, 224²: OpenCV components alone / nle_fast", SMALL, ALONE, US, 10.0, True),
    Line("regions, 224²: OpenCV with the same fields / nle_fast", SMALL, FIELDS, US, 10.0, True),
    Line("regions, 224²: scikit-image / nle_fast", SMALL, SKIMAGE, US, 40.0, True),
    Line("regions, 640²: OpenCV components alone / nle_fast", LARGE, ALONE, US, 30.0, True),
    Line("regions, 640²: OpenCV with the same fields / nle_fast", LARGE, FIELDS, US, 30.0, True),
)
IMPORT_MS = 150.0


def summary(groups: list[dict]) -> list[dict]:
    """One row per line and group: what was measured, what must be, PASS or FAIL; "not measured" where no group fits."""
    rows = []
    for line in LINES:
        fitting = [
            group
            for group in groups
            if re.search(line.group, group["group"])
            and {line.over, line.under} <= group["ways"].keys()
            and line.kind in (None, group["facts"].get("kind"))
        ]
        must = f"{'≥' if line.least else '≤'} {line.limit:g} ×"
        if not fitting:
            rows.append({"line": line.text, "where": "", "found": "not measured", "must": must, "verdict": "FAIL"})
        for group in fitting:
            ratio = group["ways"][line.over]["over"][line.under]
            if line.beyond is not None:
                ratio -= group["ways"][line.beyond]["over"][line.under]
            holds = ratio >= line.limit if line.least else ratio <= line.limit
            rows.append(_row(line.text, group["group"], f"{ratio:.3g} ×", must, holds))
    for group in groups:
        if group["group"] == "start of a program":
            ways = group["ways"]
            took = ways["python, import nle_fast"]["median_ms"] - ways["python alone"]["median_ms"]
            holds = took < IMPORT_MS
            rows.append(_row("import nle_fast", group["group"], f"{took:.0f} ms", f"< {IMPORT_MS:.0f} ms", holds))
    return rows


def _row(line: str, where: str, found: str, must: str, holds: bool) -> dict:
    return {"line": line, "where": where, "found": found, "must": must, "verdict": "PASS" if holds else "FAIL"}
