"""The JSON form of an explanation: its versions, writing plainly, and reading what strangers wrote.

data ─► checked_version (its schema holds) ─► read_meaning
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
import re
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

import numpy as np

from nle_fast.errors import InputError
from nle_fast.schema import LANGUAGE, Assumption, Evidence, Joined, Meaning, Prediction, Region

__all__ = ["SCHEMA", "TOLD", "answer_of", "as_first", "checked_version", "plainly", "read_meaning", "schema"]

#: Name and version of the JSON form; the version changes when a reader of the old one would break, and is that of the
#: language: what an explanation of an older one says in its words is written as it was.
SCHEMA = f"nle-fast/{LANGUAGE}"

_FILES = {1: "explanation.schema.1.json", LANGUAGE: "explanation.schema.json"}
_VERSION = re.compile(r"nle-fast/([1-9]\d{0,8})")
#: Attributes of evidence that version 1 has no place for.
_NEW = ("kind", "judged", "places", "photos")
#: Those of a meaning representation.
TOLD = ("certainty", "also", "joined", "counted", "rounded", "assumed", "seen", "photos")


def schema(version: int = LANGUAGE) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) that `Explanation.to_dict` keeps to.

    Args:
        version: 2, or 1, which is still read.

    Returns:
        A new dict on each call.

    Raises:
        InputError: There is no such version.

    Example:
        >>> schema()["properties"]["schema"]["const"], schema(1)["properties"]["schema"]["const"]
        ('nle-fast/2', 'nle-fast/1')
    """
    if version not in _FILES:
        raise InputError(f"`version` must be one of {', '.join(map(str, _FILES))}, got {version!r}; choose one.")
    source = resources.files("nle_fast").joinpath(_FILES[version])
    loaded: dict[str, Any] = json.loads(source.read_text(encoding="utf-8"))
    return loaded


def checked_version(data: Mapping[str, Any]) -> int:
    """The version of data, after checking that they keep to its schema.

    Raises:
        InputError: They do not, or the version is a later one; the message names the first place.
    """
    import jsonschema

    version = _version(data)
    problem = jsonschema.exceptions.best_match(jsonschema.Draft202012Validator(schema(version)).iter_errors(data))
    if problem is not None:
        place = "/".join(str(part) for part in problem.absolute_path) or "the whole"
        later = ", or, if it is of a later version, read it with a newer nle_fast" * (problem.validator == "enum")
        raise InputError(
            f"`data` must keep to the JSON Schema of nle-fast/{version}, got at {place}: {problem.message[:200]}; "
            f"read what Explanation.to_dict or to_json wrote{later}."
        )
    return version


def answer_of(winner: bool, prediction: Prediction, language: int) -> Prediction | None:
    """The network's own answer as a fact; version 1 did not tell it."""
    return None if winner or language == 1 else prediction


def _version(data: object) -> int:
    """The version that the data say they are of; the current one where they say nothing of the kind."""
    said = data.get("schema") if isinstance(data, Mapping) else None
    match = _VERSION.fullmatch(said) if isinstance(said, str) else None
    version = LANGUAGE if match is None else int(match[1])
    if version not in _FILES:
        raise InputError(
            f"`data` must be of {SCHEMA} or an earlier version, got {said}; read it with a newer nle_fast."
        )
    return version


def as_first(plain: dict[str, Any], meaning: Meaning) -> dict[str, Any]:
    """What was read from version 1, as that again: its text says what that version's meaning representation says."""
    first = {name: value for name, value in plain.items() if name not in ("runner_up", "unexplained")}
    first["meaning"] = {name: value for name, value in plain["meaning"].items() if name not in TOLD}
    first["evidence"] = [
        {name: value for name, value in item.items() if name not in _NEW} for item in plain["evidence"]
    ]
    if plain["certificate"] is not None:
        first["certificate"] = {name: value for name, value in plain["certificate"].items() if name != "kind"}
    if read_meaning(first, 1) != meaning:
        raise InputError(
            "`meaning` of language 1 must have only what nle-fast/1 can hold, got more; explain the picture again."
        )
    return first


def read_meaning(data: Mapping[str, Any], version: int) -> Meaning:
    """The meaning representation of data that keep to the schema."""
    target, answer = Prediction(**data["target"]), Prediction(**data["prediction"])
    evidence = tuple(_evidence(item) for item in data["evidence"])
    winner = target.index == answer.index
    given, new = data["meaning"], {}
    if version == 1:
        # That version did not say of evidence whether it is a feature; its provenance did.
        features = data["provenance"].get("features")
        if isinstance(features, Mapping) and features.get("used") is True:
            evidence = tuple(dataclasses.replace(item, kind="feature") for item in evidence)
    else:
        new = {
            **{name: given[name] for name in ("certainty", "rounded", "seen", "photos")},
            "runner_up": _prediction(data["runner_up"]),
            "unexplained": data["unexplained"],
            "also": tuple(Prediction(**label) for label in given["also"]),
            "joined": tuple(
                Joined(_ranks(group["ranks"], evidence), tuple(group["places"])) for group in given["joined"]
            ),
            "counted": _ranks(given["counted"], evidence),
            "assumed": tuple(Assumption(**item) for item in given["assumed"]),
        }
    return Meaning(
        target=target,
        versus=_prediction(data["versus"]),
        evidence=evidence,
        coverage=data["coverage"],
        layer=given["layer"],
        style=given["style"],
        winner=winner,
        answer=answer_of(winner, answer, version),
        language=version,
        **new,
    )


def _prediction(data: Mapping[str, Any] | None) -> Prediction | None:
    return None if data is None else Prediction(**data)


def _ranks(ranks: Sequence[int], evidence: Sequence[Evidence]) -> tuple[int, ...]:
    if max(ranks, default=-1) >= len(evidence):
        raise InputError(
            f"`data` must join and count ranks of its {len(evidence)} pieces of evidence, got {max(ranks)}; read what "
            "Explanation.to_dict or to_json wrote."
        )
    return tuple(ranks)


def _evidence(data: Mapping[str, Any]) -> Evidence:
    regions = tuple(
        Region(
            **{
                **region,
                "bbox": tuple(region["bbox"]),
                "centroid": tuple(region["centroid"]),
                "outline": tuple((x, y) for x, y in region["outline"]),
                "cells": tuple(region["cells"]),
            }
        )
        for region in data["regions"]
    )
    places = tuple(data.get("places", ()))
    return Evidence(**{**data, "positions": tuple(data["positions"]), "places": places, "regions": regions})


def plainly(value: object, where: str) -> Any:
    """The value as JSON knows it; `where` names it in errors.

    Raises:
        InputError: JSON does not know it, or it is a number that is not finite.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise InputError(f"`{where}` must be finite, got {value!r}; JSON has no such number.")
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in dataclasses.fields(value)]
        return {name: plainly(getattr(value, name), f"{where}.{name}") for name in names}
    if isinstance(value, Mapping):
        return {str(key): plainly(item, f"{where}.{key}") for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plainly(item, f"{where}[{index}]") for index, item in enumerate(value)]
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    kind = type(value).__name__
    raise InputError(f"`{where}` must be something that JSON knows, got {kind}; give text, numbers, lists or dicts.")
