"""`nle-fast/1`: what the release before wrote, kept in data/explanations_1, is read, shown and written as it was."""

from __future__ import annotations

import copy
import dataclasses
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from explanation_cases import photo

from nle_fast import check
from nle_fast.errors import InputError
from nle_fast.explanation import Explanation, schema
from nle_fast.schema import Prediction

FILES = sorted((Path(__file__).parent / "data" / "explanations_1").glob("*.json"))
SAVED = pytest.mark.parametrize("data", [json.loads(file.read_text()) for file in FILES], ids=[f.stem for f in FILES])


def test_all_styles_and_questions_are_there() -> None:
    saved = {file.stem: Explanation.from_json(file.read_bytes()) for file in FILES}
    assert set(saved) == {"plain", "short", "expert", "versus", "target", "against"}
    assert {item.meaning.style for item in saved.values()} == {"plain", "short", "expert"}
    assert saved["versus"].versus is not None
    assert not saved["target"].meaning.winner
    assert not all(item.supports for item in saved["against"].evidence)
    assert saved["against"].certificate is not None
    assert any(item.concept is None for item in saved["plain"].evidence)


@SAVED
def test_read_as_what_it_is(data: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator(schema(1)).validate(data)
    explanation = Explanation.from_dict(data)
    meaning = explanation.meaning
    assert meaning.language == 1
    assert explanation.text == data["text"]
    assert (meaning.answer, meaning.certainty, explanation.runner_up, explanation.unexplained) == (None, None, None, 0)
    assert {span.fact for span in explanation.spans} == {fact.id for fact in meaning.facts}


@SAVED
def test_written_as_what_it_is(data: dict[str, Any]) -> None:
    explanation = Explanation.from_dict(data)
    assert explanation.to_dict() == data
    assert Explanation.from_json(explanation.to_json()) == explanation


@SAVED
def test_it_is_drawn(data: dict[str, Any]) -> None:
    explanation = Explanation.from_dict(data)
    assert data["target"]["label"] in explanation._repr_html_()
    assert dataclasses.replace(explanation, picture=photo()).draw().width == 480


@SAVED
def test_its_text_passes_the_check(data: dict[str, Any]) -> None:
    explanation = Explanation.from_dict(data)
    report = check(explanation.text, explanation.meaning)
    assert report.ok, str(report)


@SAVED
def test_it_keeps_to_its_own_schema_and_no_other(data: dict[str, Any]) -> None:
    for name, changed in (
        ("nle-fast/1", {**data, "runner_up": None}),
        ("nle-fast/2", {**data, "schema": "nle-fast/2"}),
        ("nle-fast/1", {**data, "coverage": 2}),
    ):
        with pytest.raises(InputError, match=f"`data` must keep to the JSON Schema of {name}"):
            Explanation.from_dict(changed)


def test_features_were_told_by_the_provenance() -> None:
    data = copy.deepcopy(json.loads(FILES[0].read_text()))
    for features, kind in (({"used": True, "count": 9}, "feature"), ({"used": False}, "neuron"), ("odd", "neuron")):
        data["provenance"]["features"] = features
        explanation = Explanation.from_dict(data)
        assert {item.kind for item in explanation.evidence} == {kind}
        assert explanation.to_dict() == data


def test_what_it_cannot_hold_is_not_lost_in_silence() -> None:
    explanation = Explanation.from_json(FILES[0].read_bytes())
    for more in ({"seen": 0.3}, {"runner_up": Prediction(3, "crane", 0.1, 0.0)}, {"counted": (0,)}):
        changed = dataclasses.replace(explanation, meaning=dataclasses.replace(explanation.meaning, **more))
        with pytest.raises(InputError, match="nle-fast/1 can hold"):
            changed.to_dict()
