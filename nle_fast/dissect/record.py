"""The record of a dissection: every neuron's name, candidates, qualities and exemplars, as strict JSON."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nle_fast.dissect.choose import Chosen, share_beaten
from nle_fast.dissect.judge import by_chance
from nle_fast.dissect.probe import JUDGE, PARTS, PICK, PROPOSE
from nle_fast.dissect.table import SourceTable
from nle_fast.errors import ConceptsError
from nle_fast.files import write_whole
from nle_fast.verbalizers.language.words import noun_phrase

__all__ = [
    "RECORD_SCHEMA",
    "candidates_of",
    "grammar_of",
    "neuron_record",
    "read_dissection",
    "write_json",
]

RECORD_SCHEMA = "nle-fast-dissection/2"

#: Candidates per source that the record lists.
LISTED = 4


def neuron_record(neuron: int, chosen: Chosen, tables: Sequence[SourceTable]) -> dict[str, Any]:
    """One neuron's entry, without exemplars."""
    table = tables[chosen.source] if chosen.source >= 0 else None
    words = [] if table is None else [_candidate(table, neuron, word) for word in chosen.words]
    named = chosen.refused is None
    return {
        "neuron": neuron,
        "name": " or ".join(word["words"] for word in words) if named else None,
        "quality": _number(chosen.quality) if named else None,
        "confidence": _number(chosen.confidence),
        "refused": chosen.refused,
        "words": words if named else [],
        "grammar": [grammar_of(word["words"]) for word in words] if named else [],
        "beats": _number(chosen.beats),
        "p": _number(chosen.p, 6),
        "candidates": candidates_of(neuron, tables),
    }


def candidates_of(neuron: int, tables: Sequence[SourceTable]) -> list[dict[str, Any]]:
    """The best few of each source, in the order of the sources."""
    return [
        _candidate(table, neuron, int(word))
        for table in tables
        for word in table.nominees[neuron, :LISTED]
        if word >= 0
    ]


def _candidate(table: SourceTable, neuron: int, word: int) -> dict[str, Any]:
    def measured(place: int) -> dict[str, Any]:
        measures = {"correlation": table.correlation, "auc": table.auc, "iou": table.iou}
        found = {
            name: None if both is None else _number(getattr(both, PARTS[place])[neuron, word])
            for name, both in measures.items()
        }
        return found | {"pictures": int(table.pictures[place, word])}

    picked = table.correlation.pick[neuron, word]
    p = by_chance(picked[None], table.pictures[PICK, word, None])
    return {
        "words": table.words[word].text,
        "category": table.words[word].category,
        "source": table.name,
        "propose": measured(PROPOSE)
        | {"similarity": None if table.similarity is None else _number(table.similarity[neuron, word])},
        "pick": measured(PICK),
        "judge": measured(JUDGE),
        "beats": _number(share_beaten(table, neuron, [word], float(picked))),
        "p": _number(float(p[0]), 6),
        "quantile": None if table.quantile is None else float(table.quantile[neuron, word]),
    }


def grammar_of(words: str) -> dict[str, str | None]:
    """Number and article, for whoever writes sentences: {"text", "bare", "article", "number"}.

    Example:
        >>> grammar_of("hourglass")["text"], grammar_of("grass")["number"], grammar_of("stripes")["number"]
        ('an hourglass', 'mass', 'plural')
    """
    phrase = noun_phrase(words)
    lead = phrase.text.split(" ", 1)[0]
    article = lead if lead in ("a", "an", "the") and phrase.text != phrase.bare else None
    number = "plural" if phrase.plural else "mass" if phrase.text == phrase.bare else "singular"
    return {"text": phrase.text, "bare": phrase.bare, "article": article, "number": number}


def write_json(document: Any, path: Path) -> None:
    """Write a document whole or not at all.

    Raises:
        ConceptsError: The path cannot be written.
    """
    try:
        write_whole(path, json.dumps(document, ensure_ascii=False, allow_nan=False) + "\n")
    except OSError as error:
        raise ConceptsError(f"`path` must be writable, got '{path}' ({error.strerror}); choose another.") from error


def read_dissection(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a record.

    Args:
        path: A `dissection.json`, or the folder that holds it.

    Raises:
        ConceptsError: The file is missing or is no record.
    """
    path = Path(path)
    path = path / "dissection.json" if path.is_dir() else path
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ConceptsError(
            f"`path` must be a dissection.json, got '{path}' ({error}); run nle-fast dissect."
        ) from error
    if not isinstance(document, dict) or document.get("schema") != RECORD_SCHEMA:
        raise ConceptsError(f'`path` must carry "schema": "{RECORD_SCHEMA}", got \'{path}\' without it; make it anew.')
    return document


def _number(value: float, digits: int = 4) -> float | None:
    """Rounded; None for what was never measured."""
    return round(float(value), digits) if math.isfinite(value) else None
