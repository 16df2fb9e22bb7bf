"""The result: JSON against its schema, round trip, drawing."""

from __future__ import annotations

import copy
import dataclasses
import json
import math
import pickle
from pathlib import Path
from typing import Any, get_args

import jsonschema
import numpy as np
import pytest
from explanation_cases import build, example, photo
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from nle_fast.config import Style
from nle_fast.errors import InputError
from nle_fast.explanation import SCHEMA, Explanation, schema
from nle_fast.schema import (
    PLACES,
    POSITIONS,
    Assumed,
    Assumption,
    Certainty,
    Evidence,
    EvidenceKind,
    Joined,
    Meaning,
    Prediction,
    Region,
    Span,
)

finite = st.floats(-1e6, 1e6)
fraction = st.floats(0, 1)
words = st.text(max_size=30)
pixel = st.integers(0, 4000)
point = st.tuples(st.floats(0, 4000), st.floats(0, 4000))
regions = st.builds(
    Region,
    area=fraction,
    bbox=st.tuples(pixel, pixel, pixel, pixel),
    centroid=point,
    mean=finite,
    peak=finite,
    outline=st.lists(point, max_size=6).map(tuple),
    position=st.sampled_from(POSITIONS),
    cells=st.tuples(*[fraction] * 9),
)
evidences = st.builds(
    Evidence,
    neuron=st.integers(0, 4096),
    concept=st.none() | words,
    quality=st.none() | finite,
    score=finite,
    share=finite,
    supports=st.booleans(),
    positions=st.lists(words, max_size=3).map(tuple),
    regions=st.lists(regions, max_size=2).map(tuple),
    loosely=st.none() | words,
    kind=st.sampled_from(get_args(EvidenceKind)),
    judged=st.booleans(),
    places=st.lists(st.sampled_from(PLACES), max_size=2).map(tuple),
    photos=st.none() | st.integers(0, 1000),
)
predictions = st.builds(Prediction, index=st.integers(0, 1000), label=words, probability=fraction, logit=finite)
assumptions = st.builds(Assumption, kind=st.sampled_from(get_args(Assumed)), label=st.none() | words)


@st.composite
def meanings(draw: st.DrawFn, winner: Prediction) -> Meaning:
    """Any meaning representation of a picture whose winner is this, with everything that may be told."""
    target = draw(predictions | st.just(winner))
    evidence = draw(st.lists(evidences, max_size=4).map(tuple))
    ranks = st.lists(st.sampled_from(range(len(evidence))), unique=True) if evidence else st.just([])
    own = target.index == winner.index
    return Meaning(
        target=target,
        versus=draw(st.none() | predictions),
        evidence=evidence,
        coverage=draw(fraction),
        layer=draw(words),
        style=draw(st.sampled_from(get_args(Style))),
        winner=own,
        answer=None if own else winner,
        certainty=draw(st.none() | st.sampled_from(get_args(Certainty))),
        runner_up=draw(st.none() | predictions),
        also=draw(st.lists(predictions, max_size=2).map(tuple)),
        unexplained=draw(finite),
        joined=draw(ranks.map(lambda group: (Joined(tuple(group), ("left half",)),) if len(group) > 1 else ())),
        counted=draw(ranks.map(tuple)),
        rounded=draw(st.booleans()),
        assumed=draw(st.lists(assumptions, max_size=2).map(tuple)),
        seen=draw(st.none() | fraction),
        photos=draw(st.none() | st.integers(1, 1000)),
    )


spans = st.builds(
    Span,
    start=st.integers(0, 50),
    end=st.integers(0, 50),
    fact=st.sampled_from(["class", "runner_up.probability", "label.3", "evidence.0.concept", "evidence.12.net"]),
)
provenances = st.dictionaries(
    st.text(max_size=5).map(lambda key: f"x{key}"),
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | finite | words,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
        max_leaves=6,
    ),
    max_size=3,
)


def check(data: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator(schema()).validate(data)


# --- JSON


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    assert schema() is not schema()
    assert schema()["properties"]["schema"] == {"const": SCHEMA} == {"const": "nle-fast/2"}
    with pytest.raises(InputError, match="`version` must be one of 1, 2, got 3"):
        schema(3)


def test_the_schema_knows_what_the_code_knows() -> None:
    evidence, meaning = schema()["$defs"]["evidence"]["properties"], schema()["properties"]["meaning"]["properties"]
    assert schema()["$defs"]["places"]["items"]["enum"] == list(PLACES)
    assert evidence["kind"]["enum"] == list(get_args(EvidenceKind))
    assert meaning["certainty"]["enum"] == [None, *get_args(Certainty)]
    assert meaning["assumed"]["items"]["properties"]["kind"]["enum"] == list(get_args(Assumed))
    assert meaning["style"]["enum"] == list(get_args(Style))


def test_json_keeps_to_the_schema_and_names_every_attribute() -> None:
    explanation = example(photo())
    data = json.loads(explanation.to_json())
    check(data)
    assert data == explanation.to_dict()
    known = {"schema", "runner_up", "unexplained", *(f.name for f in dataclasses.fields(Explanation))}
    assert set(data) == known - {"picture"}
    above = {"target", "versus", "evidence", "coverage", "winner", "answer", "runner_up", "unexplained", "language"}
    assert set(data["meaning"]) == {f.name for f in dataclasses.fields(Meaning)} - above
    assert set(data["evidence"][0]) == {f.name for f in dataclasses.fields(Evidence)}
    assert set(data["evidence"][0]["regions"][0]) == {f.name for f in dataclasses.fields(Region)}
    assert data["evidence"][0]["regions"][0]["bbox"] == [8, 8, 40, 40]
    assert data["provenance"]["picture"]["window"] == [0.0, 0.0, 48.0, 48.0]
    assert data["timings"]["verbalize"] == 0.5


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("schema",), "nle-slow/2"),
        (("surprise",), 1),
        (("coverage",), 1.5),
        (("target", "probability"), -0.1),
        (("target", "extra"), 0),
        (("evidence", 0, "neuron"), -1),
        (("evidence", 0, "neuron"), 1.5),
        (("evidence", 0, "supports"), "yes"),
        (("evidence", 0, "regions", 0, "bbox"), [1, 2, 3]),
        (("evidence", 0, "regions", 0, "outline"), [[1, 2, 3]]),
        (("evidence", 0, "regions", 0, "cells"), [0.1] * 8),
        (("spans", 0, "fact"), "evidence.x.concept"),
        (("spans", 0, "fact"), "weather"),
        (("spans", 0, "fact"), "versus.probability"),
        (("meaning", "style"), "rhyme"),
        (("meaning", "counted"), [-1]),
        (("meaning", "counted"), [0, 0]),
        (("meaning", "seen"), 1.5),
        (("meaning", "photos"), 0),
        (("meaning", "language"), 2),
        (("runner_up",), "horse"),
        (("unexplained",), None),
        (("evidence", 0, "judged"), None),
        (("evidence", 0, "places"), ["middle"] * 3),
        (("timings", "classify"), -1),
        (("provenance", "verbalizer"), "template"),
        (("provenance", "picture", "size"), [0, 5]),
        (("provenance", "versions", "nle_fast"), 1),
    ],
)
def test_the_schema_refuses(path: tuple[str | int, ...], value: object) -> None:
    data = example().to_dict()
    place: Any = data
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    with pytest.raises(jsonschema.ValidationError):
        check(data)
    with pytest.raises(InputError, match="`data` must keep to the JSON Schema"):
        Explanation.from_dict(data)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("meaning", "certainty"), "suspects"),
        (("meaning", "assumed"), [{"kind": "weather", "label": None}]),
        (("meaning", "style"), "rhyme"),
        (("evidence", 1, "kind"), "circuit"),
        (("evidence", 0, "places"), ["behind the camera"]),
    ],
)
def test_words_of_a_later_version_are_named(path: tuple[str | int, ...], value: Any) -> None:
    data = example().to_dict()
    place: Any = data
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    last = value if isinstance(value, str) else value[0]["kind"] if isinstance(value[0], dict) else value[0]
    with pytest.raises(InputError, match=rf"got at {'/'.join(map(str, path))}.*'{last}' is.*with a newer nle_fast"):
        Explanation.from_dict(data)


def test_a_later_version_is_refused_by_name() -> None:
    for later in ("nle-fast/3", "nle-fast/17"):
        with pytest.raises(InputError, match=rf"got {later}; read it with a newer nle_fast"):
            Explanation.from_dict({"schema": later, "text": "What do I know?"})


@pytest.mark.parametrize(("name", "value"), [("counted", [2]), ("joined", [{"ranks": [0, 5], "places": []}])])
def test_ranks_must_be_there(name: str, value: object) -> None:
    data = example().to_dict()
    data["meaning"][name] = value
    with pytest.raises(InputError, match="ranks of its 2 pieces of evidence"):
        Explanation.from_dict(data)


@pytest.mark.parametrize("key", sorted(set(example().to_dict())))
def test_every_key_is_required(key: str) -> None:
    data = example().to_dict()
    del data[key]
    with pytest.raises(InputError, match=key):
        Explanation.from_dict(data)


@settings(deadline=None)
@given(
    data=st.data(),
    winner=predictions,
    text=st.text(max_size=80),
    marks=st.lists(spans, max_size=4).map(tuple),
    timings=st.dictionaries(words, st.floats(0, 1e6), max_size=3),
    provenance=provenances,
)
def test_round_trip(
    data: st.DataObject,
    winner: Prediction,
    text: str,
    marks: tuple[Span, ...],
    timings: dict[str, float],
    provenance: dict[str, Any],
) -> None:
    meaning = data.draw(meanings(winner))
    # Each fact may have its span, and the schema knows them all.
    marks += tuple(Span(0, 1, fact.id) for fact in meaning.facts)
    explanation = build(meaning, text, marks, prediction=winner, timings=timings, provenance=provenance)
    check(explanation.to_dict())
    for indent in (None, 2):
        written = explanation.to_json(indent)
        assert written.isascii()
        again = Explanation.from_json(written)
        assert again == explanation
        assert again.timings == explanation.timings
        assert again.meaning == meaning
        assert (again.runner_up, again.unexplained) == (meaning.runner_up, meaning.unexplained)
        assert again.to_dict() == explanation.to_dict()


def test_numbers_of_numpy_become_plain() -> None:
    explanation = example(
        provenance={"scale": np.float32(0.5), "count": np.int64(3), "flag": np.bool_(True), "at": Path("a")}
    )
    data = explanation.to_dict()["provenance"]
    assert [type(data[key]) for key in ("scale", "count", "flag", "at")] == [float, int, bool, str]


@pytest.mark.parametrize(
    ("provenance", "place"),
    [
        ({"a": [1.0, math.nan]}, r"provenance\.a\[1\]"),
        ({"a": {"b": math.inf}}, r"provenance\.a\.b"),
        ({"a": np.zeros(3)}, r"provenance\.a"),
        ({"a": object()}, r"provenance\.a"),
    ],
)
def test_what_json_cannot_hold_is_named(provenance: dict[str, Any], place: str) -> None:
    with pytest.raises(InputError, match=place):
        example(provenance=provenance).to_json()


@pytest.mark.parametrize("text", ["", "{", b"\xff", "[]", "{}", "3", '{"schema": "nle-fast/1"}'])
def test_what_is_no_explanation_is_refused(text: str | bytes) -> None:
    with pytest.raises(InputError, match="must"):
        Explanation.from_json(text)


# --- as a value


def test_str_repr_equality_and_hash_leave_the_picture_alone() -> None:
    first = example(photo())
    second = example(Image.new("RGB", (9, 9)), timings={"classify": 99.0})
    assert str(first) == first.text
    assert repr(first) == (
        f"Explanation('zebra', probability=0.970, versus='horse', evidence=2, coverage=0.50, text={first.text!r})"
    )
    assert first == second
    assert hash(first) == hash(second)
    assert first != dataclasses.replace(first, text="Another.")
    assert first != dataclasses.replace(first, provenance={})


def test_frozen_and_copied_whole() -> None:
    explanation = example(photo())
    with pytest.raises(dataclasses.FrozenInstanceError):
        explanation.text = "x"  # type: ignore[misc]
    for again in (copy.deepcopy(explanation), pickle.loads(pickle.dumps(explanation))):
        assert again == explanation
        assert again.picture == explanation.picture
        assert again.timings == explanation.timings


@pytest.mark.parametrize(
    ("name", "value"),
    [("evidence", ()), ("coverage", 0.1), ("versus", None), ("target", Prediction(1, "horse", 0.1, 0.0))],
)
def test_fields_agree_with_the_meaning(name: str, value: object) -> None:
    with pytest.raises(InputError, match=f"`{name}` must be that of `meaning`"):
        dataclasses.replace(example(), **{name: value})


def test_the_answer_agrees_with_the_prediction() -> None:
    explanation = example()
    horse = Prediction(339, "horse", 0.02, 8.0)
    wrong = dataclasses.replace(explanation.meaning, answer=horse)
    with pytest.raises(InputError, match=r"`meaning\.answer` must be `prediction`"):
        dataclasses.replace(explanation, meaning=wrong)
    other = dataclasses.replace(explanation.meaning, winner=False)
    with pytest.raises(InputError, match=r"`meaning\.answer` must be `prediction`"):
        dataclasses.replace(explanation, meaning=other, prediction=horse)
    asked = dataclasses.replace(explanation, meaning=dataclasses.replace(other, answer=horse), prediction=horse)
    assert Explanation.from_dict(asked.to_dict()) == asked


def test_runner_up_and_what_is_unexplained_are_those_of_the_meaning() -> None:
    horse = Prediction(339, "horse", 0.02, 8.0)
    explanation = example()
    assert (explanation.runner_up, explanation.unexplained) == (None, 0.0)
    meaning = dataclasses.replace(explanation.meaning, runner_up=horse, unexplained=-0.125)
    changed = dataclasses.replace(explanation, meaning=meaning)
    assert (changed.runner_up, changed.unexplained) == (horse, -0.125)
    assert changed.to_dict()["runner_up"]["label"] == "horse"
    assert changed.to_dict()["unexplained"] == -0.125


# --- picture and HTML


def test_what_is_only_counted_is_not_outlined_but_stands_in_the_table() -> None:
    explanation = example(photo())
    counted = dataclasses.replace(explanation, meaning=dataclasses.replace(explanation.meaning, counted=(0,)))
    bare = dataclasses.replace(explanation.evidence[0], regions=())
    plain = dataclasses.replace(explanation.meaning, evidence=(bare, explanation.evidence[1]))
    expected = dataclasses.replace(explanation, evidence=plain.evidence, meaning=plain)
    assert counted.draw().tobytes() == expected.draw().tobytes() != explanation.draw().tobytes()
    assert ">stripes<" in counted._repr_html_()
    assert counted.evidence[0].regions


def test_spans_of_facts_without_a_rank_belong_to_no_evidence() -> None:
    explanation = example(photo())
    facts = ("runner_up.probability", "label.0", "assumed.0", "unnamed", "counted", "seen", "photos", "evidence.0.net")
    marks = (*explanation.spans, *(Span(22, 29, fact) for fact in facts), Span(2, 7, "answer"))
    marked = dataclasses.replace(explanation, spans=marks)
    assert marked.draw().tobytes() == explanation.draw().tobytes()
    assert marked._repr_html_() == explanation._repr_html_()


def test_the_table_tells_kind_places_and_what_was_not_judged() -> None:
    explanation = example()
    first = dataclasses.replace(explanation.evidence[0], kind="feature", judged=False, places=("upper half", "middle"))
    evidence = (first, explanation.evidence[1])
    meaning = dataclasses.replace(explanation.meaning, evidence=evidence)
    html = dataclasses.replace(explanation, evidence=evidence, meaning=meaning)._repr_html_()
    for part in (">Feature</th>", ">feature 17<", ">neuron 3<", "not judged on pictures", ">upper half, middle<"):
        assert part in html
    assert "not judged on pictures" not in explanation._repr_html_()


def test_draw_gives_picture_and_panel() -> None:
    drawn = example(photo()).draw()
    assert drawn.mode == "RGB"
    assert drawn.width == 480
    assert drawn.height > 520


def test_draw_without_picture_says_how_to_get_one() -> None:
    read_back = Explanation.from_json(example(photo()).to_json())
    with pytest.raises(InputError, match=r"dataclasses\.replace"):
        read_back.draw()
    assert dataclasses.replace(read_back, picture=photo()).draw().width == 480


def test_html_has_text_table_and_picture() -> None:
    html = example(photo())._repr_html_()
    for part in ("data:image/jpeg;base64,", ">zebra<", "horse", ">stripes<", "unnamed", "−20%", "97.0%"):
        assert part in html
    assert "<img" not in example()._repr_html_()


@pytest.mark.parametrize("longest", ["large", None, math.nan, math.inf])
def test_the_longest_side_is_a_number_of_pixels(longest: object) -> None:
    with pytest.raises(InputError, match="`longest` must be at least 480 pixels"):
        example(photo()).draw(longest=longest)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", [None, 5, ["{}"]])
def test_what_is_no_text_is_no_json(text: object) -> None:
    with pytest.raises(InputError, match=r"`text` must be JSON, got .*read explanation\.json"):
        Explanation.from_json(text)  # type: ignore[arg-type]
