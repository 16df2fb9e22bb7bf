"""The result: JSON against its schema, round trip, drawing."""

from __future__ import annotations

import copy
import dataclasses
import json
import math
import pickle
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from explanation_cases import build, example, photo
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from nle_fast.errors import InputError
from nle_fast.explanation import SCHEMA, Explanation, schema
from nle_fast.schema import POSITIONS, Evidence, Meaning, Prediction, Region, Span

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
)
predictions = st.builds(Prediction, index=st.integers(0, 1000), label=words, probability=fraction, logit=finite)
meanings = st.builds(
    Meaning,
    target=predictions,
    versus=st.none() | predictions,
    evidence=st.lists(evidences, max_size=3).map(tuple),
    coverage=fraction,
    layer=words,
    style=st.sampled_from(["plain", "expert", "short"]),
)
spans = st.builds(
    Span,
    start=st.integers(0, 50),
    end=st.integers(0, 50),
    fact=st.sampled_from(["class", "versus", "coverage", "evidence.0.concept", "evidence.12.positions"]),
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
    assert schema()["properties"]["schema"] == {"const": SCHEMA}


def test_json_keeps_to_the_schema_and_names_every_attribute() -> None:
    explanation = example(photo())
    data = json.loads(explanation.to_json())
    check(data)
    assert data == explanation.to_dict()
    known = {"schema", *(f.name for f in dataclasses.fields(Explanation))}
    assert set(data) == known - {"picture", "unexplained"}
    assert set(data["evidence"][0]) == {f.name for f in dataclasses.fields(Evidence)} - {"kind"}
    assert set(data["evidence"][0]["regions"][0]) == {f.name for f in dataclasses.fields(Region)}
    assert data["evidence"][0]["regions"][0]["bbox"] == [8, 8, 40, 40]
    assert data["provenance"]["picture"]["window"] == [0.0, 0.0, 48.0, 48.0]
    assert data["timings"]["verbalize"] == 0.5


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("schema",), "nle-fast/2"),
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
        (("meaning", "style"), "rhyme"),
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


@pytest.mark.parametrize("key", sorted(set(example().to_dict())))
def test_every_key_is_required(key: str) -> None:
    data = example().to_dict()
    del data[key]
    with pytest.raises(InputError, match=key):
        Explanation.from_dict(data)


@settings(deadline=None)
@given(
    meaning=meanings,
    winner=predictions,
    text=st.text(max_size=80),
    marks=st.lists(spans, max_size=4).map(tuple),
    timings=st.dictionaries(words, st.floats(0, 1e6), max_size=3),
    provenance=provenances,
)
def test_round_trip(
    meaning: Meaning,
    winner: Prediction,
    text: str,
    marks: tuple[Span, ...],
    timings: dict[str, float],
    provenance: dict[str, Any],
) -> None:
    meaning = dataclasses.replace(meaning, winner=meaning.target.index == winner.index)
    explanation = build(meaning, text, marks, prediction=winner, timings=timings, provenance=provenance)
    check(explanation.to_dict())
    for indent in (None, 2):
        written = explanation.to_json(indent)
        assert written.isascii()
        again = Explanation.from_json(written)
        assert again == explanation
        assert again.timings == explanation.timings
        assert again.meaning.facts == explanation.meaning.facts
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


# --- picture and HTML


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
