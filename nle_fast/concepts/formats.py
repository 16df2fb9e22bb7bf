"""Files that hold concept tables: our JSON, and the three published CSV formats, told apart by their columns."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from nle_fast.errors import ConceptsError

__all__ = ["CSV_FORMATS", "JSON_SCHEMA", "NETDISSECT_MIN_IOU", "csv_text", "from_document", "read"]

JSON_SCHEMA = "nle-fast-concepts/1"

#: Network Dissection reports a unit as a detector when its IoU exceeds .04 (Bau et al., CVPR 2017).
NETDISSECT_MIN_IOU = 0.04

#: Columns of the published tables.
CSV_FORMATS = {
    "milan": ("layer", "unit", "description"),
    "clip-dissect": ("layer", "unit", "description", "similarity"),
    "netdissect": ("unit", "category", "label", "score"),
}

#: More neurons than any layer has: a typing error in a unit's number must not allocate gigabytes.
MAX_NEURONS = 1_000_000


def read(path: Path, layer: str | None) -> dict[str, Any]:
    """Read one layer's table as the fields of `Concepts`.

    Raises:
        ConceptsError: The file is missing, broken, of another format, or has no such layer.
    """
    if not os.path.isfile(path):
        what = "a folder" if os.path.isdir(path) else "no regular file" if os.path.exists(path) else "no such file"
        raise ConceptsError(f"`concepts` must be a .csv or .json file, got '{path}' ({what}); check the path.")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConceptsError(f"`concepts` must be UTF-8 text, got '{path}' ({error}); save it as UTF-8.") from error
    suffix = path.suffix.lower()
    if suffix == ".json":
        return _read_json(text, path, layer)
    if suffix == ".csv":
        return _read_csv(text, path, layer)
    raise ConceptsError(f"`concepts` must end in .csv or .json, got '{path}'; rename it after its format.")


def _read_json(text: str, path: Path, layer: str | None) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConceptsError(f"`concepts` must be JSON, got '{path}' ({error}); mend that line.") from error
    return from_document(document, path, layer)


def from_document(document: Any, path: object, layer: str | None = None) -> dict[str, Any]:
    """The fields of `Concepts` from what its JSON holds.

    Raises:
        ConceptsError: It is no table, or one of another layer; the message names `path`.
    """
    if not isinstance(document, dict) or document.get("schema") != JSON_SCHEMA:
        raise ConceptsError(
            f'`concepts` must carry "schema": "{JSON_SCHEMA}", got \'{path}\' without it; see the docs.'
        )
    neurons = document.get("neurons")
    if not isinstance(neurons, list) or not all(isinstance(neuron, dict) for neuron in neurons):
        raise ConceptsError(f"`concepts` must have a list \"neurons\" of objects, got '{path}' without it; add it.")
    if layer is not None and document.get("layer") not in (None, layer):
        raise _no_such_layer(path, layer, [document["layer"]])
    return {
        "names": tuple(neuron.get("name") for neuron in neurons),
        "qualities": tuple(neuron.get("quality") for neuron in neurons),
        "layer": document.get("layer"),
        "model": document.get("model"),
        "min_quality": document.get("min_quality", 0.0),
        "sources": tuple(neuron.get("source") for neuron in neurons),
        "classes": tuple(neuron.get("classes") for neuron in neurons),
    }


def _read_csv(text: str, path: Path, layer: str | None) -> dict[str, Any]:
    reader = csv.DictReader(io.StringIO(text))
    try:
        columns = set(reader.fieldnames or ())
    except csv.Error as error:
        raise ConceptsError(f"`concepts` must be CSV, got '{path}' line 1 ({error}); check the file.") from error
    if {"layer", "unit", "description"} <= columns:
        first, name, quality, bar = 0, "description", "similarity", 0.0
    elif {"unit", "label", "score"} <= columns:
        first, name, quality, bar = 1, "label", "score", NETDISSECT_MIN_IOU
    else:
        raise ConceptsError(
            f"`concepts` must have the columns layer,unit,description[,similarity] or unit,category,label,score, "
            f"got '{path}' with {', '.join(sorted(map(str, columns)))[:120] or 'none'}; rename them."
        )
    try:
        rows = [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        raise ConceptsError(f"`concepts` must be CSV, got '{path}' line {reader.line_num} ({error}).") from error
    if "layer" in columns:
        layers = list(dict.fromkeys(row["layer"] for _, row in rows))
        if layer is not None and layer not in layers:
            raise _no_such_layer(path, layer, layers)
        layer = layers[-1] if layer is None and layers else layer
        rows = [(line, row) for line, row in rows if row["layer"] == layer]
        layer = layer or None
    names: dict[int, str | None] = {}
    qualities: dict[int, float | None] = {}
    for line, row in rows:
        unit = _number(int, row["unit"], path, line, "unit") - first
        if not 0 <= unit < MAX_NEURONS or unit in names:
            problem = "a unit out of range" if unit not in names else "a unit twice"
            raise ConceptsError(f"`concepts` must have each unit once, got {problem} in '{path}' line {line}; mend it.")
        names[unit] = _plain(row[name]) if first else row[name]
        # An empty field is a neuron that was never measured.
        measured = quality in columns and row[quality] != ""
        qualities[unit] = _number(float, row[quality], path, line, quality) if measured else None
    if not names:
        raise ConceptsError(f"`concepts` must have rows, got '{path}' without any; check the file.")
    count = max(names) + 1
    return {
        "names": tuple(names.get(unit) for unit in range(count)),
        "qualities": tuple(qualities.get(unit) for unit in range(count)),
        "layer": layer,
        "min_quality": bar,
    }


def csv_text(names: Sequence[str | None], qualities: Sequence[float | None], layer: str | None, kind: str) -> str:
    """A table as a published CSV, one row per neuron; what is missing is an empty field.

    Args:
        names: One per neuron.
        qualities: One per neuron.
        layer: Of all; not part of `"netdissect"`.
        kind: One of `CSV_FORMATS`.
    """
    columns = CSV_FORMATS[kind]
    opened = io.StringIO()
    writer = csv.DictWriter(opened, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for unit, (name, quality) in enumerate(zip(names, qualities, strict=True)):
        measure = "" if quality is None else repr(float(quality))
        row = {"layer": layer or "", "description": name or "", "similarity": measure, "score": measure}
        label = (name or "").replace(" ", "_")
        # Its readers take a final -s (scene) or -c (color) off.
        row |= {"category": "concept", "label": f"{label}-s" if re.search(r"-[cs]$", label) else label}
        writer.writerow(row | {"unit": unit + 1 if kind == "netdissect" else unit})
    return opened.getvalue()


def _plain(label: str | None) -> str | None:
    """Network Dissection's label as words: `bakery-shop-s` (a scene), `white-c` (a color), `pool_table`."""
    return None if label is None else re.sub(r"-[cs]$", "", label).replace("_", " ")


def _number(kind: type, text: str | None, path: Path, line: int, column: str) -> Any:
    try:
        return kind(text)
    except (TypeError, ValueError):
        raise ConceptsError(
            f"`concepts` must have a number in column {column}, got {text!r} in '{path}' line {line}; mend that line."
        ) from None


def _no_such_layer(path: object, layer: str, layers: Sequence[str]) -> ConceptsError:
    near = get_close_matches(layer, layers, n=3, cutoff=0) or list(layers)
    return ConceptsError(
        f"`concepts` must have layer '{layer}', got '{path}' with {', '.join(near)}; "
        "load the layer you mean with Concepts.load(path, layer=…) and rename it with `.at_layer`."
    )
