"""Fills the model card from the JSON files of a run; no figure in it is typed by hand.

python -m training.classifier.card --clean build/clean --shortcut build/shortcut --evaluation build/evaluation.json
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from string import Template
from typing import Any

from nle_fast.world import LABELS
from training.classifier.scenes import FIRST_SEEDS

__all__ = ["card", "main"]


def _percent(share: float | None) -> str:
    return "none named" if share is None else f"{100 * share:.1f} %"


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.2f}"


def card(log: dict[str, Any], dissection: dict[str, Any], evaluation: dict[str, Any], shortcut: dict[str, Any]) -> str:
    """The card's text.

    Args:
        log: `log.json` of the clean network.
        dissection: Its `dissection.json`.
        evaluation: What `evaluate` wrote, with the shortcut.
        shortcut: `log.json` of the shortcut network.
    """
    before = log.get("started_from")
    steps, seconds, further = f"{log['settings']['steps']:,}", log["training_seconds"], ""
    if before is not None:
        steps, seconds = f"{before['settings']['steps']:,} + {steps}", seconds + before["training_seconds"]
        silent = ", ".join(map(str, log["settings"]["silent"]))
        further = (
            f" It was trained in two goes: neuron {silent}, which had no hint in the first, became a mixture of "
            "things and was taken out of the head for the second, so that it is evidence for nothing. That was "
            "decided after the first had been evaluated on the same scenes as below."
        )
    evidence, parity = evaluation["evidence"], evaluation["torch_and_onnx"]
    planted, others = evaluation["shortcut"], evaluation["shortcut"]["other_classes"]
    fields = {
        "classes": len(LABELS),
        "neurons": len(dissection["neurons"]),
        "weights": f"{log['weights']:,}",
        "onnx_bytes": f"{log['bytes']['model.onnx']:,}",
        "safetensors_bytes": f"{log['bytes']['weights.safetensors']:,}",
        "train_scenes": f"{log['settings']['scenes']:,}",
        "train_seed": f"{FIRST_SEEDS['train']:,}",
        "steps": steps,
        "further": further,
        "batch": log["settings"]["batch"],
        "train_minutes": round(seconds / 60, 1),
        "test_scenes": f"{evaluation['accuracy']['scenes']:,}",
        "test_seed": f"{FIRST_SEEDS['test']:,}",
        "accuracy": f"{100 * evaluation['accuracy']['accuracy']:.2f} %",
        "dissect_scenes": f"{sum(dissection['parts'].values()):,}",
        "named": dissection["summary"]["named"],
        "distinct": len({one["name"] for one in dissection["neurons"] if one["name"] is not None}),
        "withheld": len(dissection["withheld"]),
        "given": dissection["summary"]["named"] - len(dissection["withheld"]),
        "quality": _number(dissection["summary"]["mean_quality"]),
        "least": _number(
            min((one["quality"] for one in dissection["neurons"] if one["name"] is not None), default=None)
        ),
        "evaluate_scenes": f"{evidence['scenes']:,}",
        "inside": _percent(evidence["strongest_position_inside_part"]),
        "inside_near": _percent(evidence["strongest_position_within_4px_of_part"]),
        "colors": _percent(evidence["colors_right"]),
        "colors_named": f"{evidence['colors_named']:,}",
        "patterns": _percent(evidence["patterns_right"]),
        "shapes": _percent(evidence["shapes_right"]),
        "removal": _percent(evidence["removing_first_part_lowers_logit_more"]),
        "said": _percent(evidence["evidence_named"]),
        "same": _percent(parity["same_evidence"]),
        "difference": f"{parity['largest_difference']['score']:.1e}",
        "shortcut_steps": f"{shortcut['settings']['steps']:,}",
        "shortcut_label": planted["label"],
        "flipped": _percent(others["flipped_by_planted_sun"]),
        "clean_flipped": _percent(others["clean_network_flipped"]),
        "sun_shortcut": _percent(planted["sun_among_first_three"]["shortcut_network"]),
        "sun_clean": _percent(planted["sun_among_first_three"]["clean_network"]),
        "masked": _percent(others["masking_sun_flips_or_halves"]),
    }
    return Template(Path(__file__).with_name("card.md").read_text(encoding="utf-8")).substitute(fields)


def main(arguments: list[str] | None = None) -> None:
    """The command line; see the module."""
    parser = argparse.ArgumentParser(prog="training.classifier.card", description=__doc__.split("\n")[0])
    parser.add_argument("--clean", type=Path, required=True, help="folder of the clean network")
    parser.add_argument("--shortcut", type=Path, required=True, help="folder of the network with the shortcut")
    parser.add_argument("--evaluation", type=Path, required=True, help="what evaluate.py wrote")
    parser.add_argument("--out", type=Path, help="file to write (default: CLEAN/MODEL_CARD.md)")
    given = parser.parse_args(arguments)
    files = (given.clean / "log.json", given.clean / "dissection.json", given.evaluation, given.shortcut / "log.json")
    text = card(*(json.loads(path.read_text(encoding="utf-8")) for path in files))
    out = given.out or given.clean / "MODEL_CARD.md"
    out.write_text(text, encoding="utf-8")
    print(out)


if __name__ == "__main__":
    main()
