"""Fills the model card from the JSON files of a run; no figure in it is typed by hand.

python -m training.verbalizer.card --log results/log.json --evaluation results/evaluation.json --out CARD.md
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from string import Template
from typing import Any

from training.verbalizer.corpus import FIRST_SEEDS
from training.verbalizer.real import real_meanings

__all__ = ["card", "main"]


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _pairs(agreement: dict[str, Any]) -> dict[str, str]:
    rules = {
        "random": "random", "template": "template", "first": "first differing token", "mean": "branch, mean",
        "sum": "branch, sum", "whole_mean": "whole text, mean", "whole_sum": "whole text, sum",
    }  # fmt: skip
    fields = {f"branch_{name}": _percent(agreement["branch"][rule]) for name, rule in rules.items()}
    whole = {"random": "random", "template": "template", "mean": "whole text, mean", "sum": "whole text, sum"}
    return fields | {f"text_{name}": _percent(agreement["text"][rule]) for name, rule in whole.items()}


def card(log: dict[str, Any], evaluation: dict[str, Any], kind: str) -> str:
    """The card's text.

    Args:
        log: `log.json` of the run.
        evaluation: What `evaluate` measured.
        kind: Of the weights in the package.
    """
    settings, corpus, last = log["settings"], log["corpus"], log["history"][-1]
    quality, diversity, agreement = evaluation["quality"], evaluation["diversity"], evaluation["agreement"]
    scores, unseen = quality["mean_score"], evaluation["quality_of_unseen_classes"]
    fields = {
        **{name: settings["shape"][name] for name in ("layers", "width", "inner", "heads")},
        "tokens": f"{log['tokens']:,}",
        "real": f"{len(real_meanings()):,}",
        "weights": f"{log['weights']:,}",
        "f16_bytes": f"{log['bytes']['f16']:,}",
        "q8_0_bytes": f"{log['bytes']['q8_0']:,}",
        "kind": {"f16": "16-bit floats", "q8_0": "blocks of 8 bits"}[kind],
        "prompt_tokens": f"{corpus['prompt_tokens'] / corpus['examples']:.0f}",
        "examples": f"{corpus['examples']:,}",
        "meanings": f"{settings['meanings']:,}",
        "train_seed": f"{FIRST_SEEDS['train']:,}",
        "corpus_tokens": f"{corpus['tokens']:,}",
        "branchings": f"{corpus['branchings']:,}",
        "temperature": settings["temperature"],
        "rate": settings["rate"],
        "steps": f"{log['history'][-1]['step']:,}",
        "batch_tokens": f"{settings['batch_tokens']:,}",
        "epochs": log["epochs"],
        "train_minutes": f"{log['training_seconds'] / 60:.0f}",
        "test_meanings": f"{settings['test_meanings']:,}",
        "test_seed": f"{FIRST_SEEDS['test']:,}",
        "choice": f"{last['choice']:.3f}",
        "choice_floor": f"{last['choice_floor']:.3f}",
        "choices_right": _percent(last["choices_right"]),
        "text": f"{last['text']:.2f}",
        "score_template": f"{scores['template']:.2f}",
        "score_random": f"{scores['random path']:.2f}",
        "score_model": f"{scores['model']:.2f}",
        "score_best": f"{scores['best found']:.2f}",
        "way": _percent(quality["of_the_way_from_template_to_best"]),
        "texts": f"{quality['texts']:,}",
        "as_good": _percent(quality["as_good_as_best"]),
        "better": _percent(quality["better_than_template"]),
        "worse": _percent(quality["worse_than_template"]),
        "unseen_way": _percent(unseen["of_the_way_from_template_to_best"]),
        "unseen_as_good": _percent(unseen["as_good_as_best"]),
        "pairs_branch": f"{agreement['branch']['pairs']:,}",
        "pairs_text": f"{agreement['text']['pairs']:,}",
        **_pairs(agreement),
        "rounding": "\n".join(
            f"| {name} | {entry['held_out']['choice']:.4f} | {_percent(entry['same_choice_as_f32'])} |"
            for name, entry in evaluation["rounding"].items()
        ),
        "diversity_texts": f"{diversity['texts']:,}",
        "same": _percent(quality["pytorch_writes_the_same"]),
        "distinct": ", ".join(f"{diversity[f'distinct_{n}']:.2f}" for n in (1, 2, 3)),
        "different": f"{diversity['different']:,}",
        "openings": "\n".join(
            f"| {name} | {', '.join(f'“{words}” {_percent(part)}' for words, part in diversity[key].items())} |"
            for name, key in (("all", "openings_all"), ("plain", "openings_plain"), ("expert", "openings_expert"))
        ),
    }
    return Template(Path(__file__).with_name("card.md").read_text(encoding="utf-8")).substitute(fields)


def main(arguments: list[str] | None = None) -> None:
    """The command line; see the module."""
    parser = argparse.ArgumentParser(prog="training.verbalizer.card", description=__doc__.split("\n")[0])
    parser.add_argument("--log", type=Path, required=True, help="log.json of the run")
    parser.add_argument("--evaluation", type=Path, required=True, help="what evaluate.py measured")
    parser.add_argument("--kind", choices=("f16", "q8_0"), default="f16", help="weights in the package")
    parser.add_argument("--out", type=Path, required=True, help="file to write")
    given = parser.parse_args(arguments)
    log, evaluation = (json.loads(path.read_text(encoding="utf-8")) for path in (given.log, given.evaluation))
    given.out.write_text(card(log, evaluation, given.kind), encoding="utf-8")
    print(given.out)


if __name__ == "__main__":
    main()
