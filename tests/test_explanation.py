"""The result: JSON against its schema, round trip, saving whole or not at all."""

from __future__ import annotations

import copy
import dataclasses
import json
import math
import os
import pickle
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from nle_fast.config import Config
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


def build(meaning: Meaning, text: str, marks: tuple[Span, ...], **others: Any) -> Explanation:
    given = {"prediction": meaning.target, "timings": {}, "provenance": {}, **others}
    return Explanation(
        text=text,
        spans=marks,
        target=meaning.target,
        versus=meaning.versus,
        evidence=meaning.evidence,
        coverage=meaning.coverage,
        meaning=meaning,
        **given,
    )


def example(picture: Image.Image | None = None, **others: Any) -> Explanation:
    """A zebra with two pieces of evidence, its provenance as the explainer writes it."""
    outline = ((8.0, 8.0), (40.0, 8.0), (40.0, 40.0), (8.0, 40.0))
    region = Region(0.25, (8, 8, 40, 40), (24.0, 24.0), 0.6, 1.0, outline, "center", (0.0,) * 4 + (0.25,) + (0.0,) * 4)
    stripes = Evidence(17, "stripes", 0.4, 2.5, 0.5, True, ("center",), (region,))
    water = Evidence(3, None, None, -1.0, -0.2, False, (), ())
    zebra, horse = Prediction(340, "zebra", 0.97, 12.5), Prediction(339, "horse", 0.02, 8.0)
    meaning = Meaning(zebra, horse, (stripes, water), 0.5, "layer4", "plain")
    text = "A zebra, not a horse: stripes in the center, but neuron 3 speaks against it."
    marks = (
        Span(2, 7, "class"),
        Span(15, 20, "versus"),
        Span(22, 29, "evidence.0.concept"),
        Span(33, 43, "evidence.0.positions"),
        Span(49, 57, "evidence.1.concept"),
    )
    given = {
        "timings": {"classify": 3.25, "verbalize": np.float64(0.5)},
        "provenance": {
            "versions": {"nle_fast": "0.1.0"},
            "model": "ab12",
            "layer": "layer4",
            "config": dataclasses.asdict(Config()),
            "picture": {"size": [48, 48], "window": [0.0, 0.0, 48.0, 48.0]},
            "verbalizer": {"asked": "llama", "used": "template", "note": "no embedded model yet"},
        },
        "picture": picture,
        **others,
    }
    return build(meaning, text, marks, **given)


def photo() -> Image.Image:
    return Image.effect_noise((48, 48), 60).convert("RGB")


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
    assert set(data) == {"schema", *(f.name for f in dataclasses.fields(Explanation))} - {"picture"}
    assert set(data["evidence"][0]) == {f.name for f in dataclasses.fields(Evidence)}
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


# --- saving


def test_save_writes_all(tmp_path: Path) -> None:
    explanation = example(photo())
    folder = explanation.save(tmp_path / "a" / "b")
    assert sorted(path.name for path in folder.iterdir()) == ["explanation.json", "picture.png", "text.txt"]
    assert Explanation.from_json((folder / "explanation.json").read_bytes()) == explanation
    assert (folder / "text.txt").read_text(encoding="utf-8") == explanation.text + "\n"
    with Image.open(folder / "picture.png") as written:
        assert np.array_equal(np.asarray(written), np.asarray(explanation.draw()))
    assert [path.name for path in folder.parent.iterdir()] == ["b"]


def test_save_without_picture_and_into_an_empty_folder(tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    assert example().save(str(folder)) == folder
    assert sorted(path.name for path in folder.iterdir()) == ["explanation.json", "text.txt"]


@pytest.mark.parametrize("name", ["full", "file"])
def test_save_refuses_what_is_there(tmp_path: Path, name: str) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "diary.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InputError, match="`folder` must be new or empty"):
        example(photo()).save(tmp_path / name)
    assert sorted(tmp_path.rglob("*")) == before
    assert (tmp_path / "full" / "diary.txt").read_text() == "mine"


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError, OSError("disk full")])
@pytest.mark.parametrize("step", ["draw", "to_json", "write_text", "rename"])
@pytest.mark.parametrize("there", [False, True])
def test_a_failure_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Any, step: str, there: bool
) -> None:
    def fail(*args: object, **options: object) -> None:
        raise error

    folder = tmp_path / "new" / "deeper"
    if there:
        folder.mkdir(parents=True)
    before = sorted(tmp_path.rglob("*"))
    monkeypatch.setattr(Explanation if step in ("draw", "to_json") else Path, step, fail)
    with pytest.raises(InputError if isinstance(error, OSError) else error):
        example(photo()).save(folder)
    monkeypatch.undo()
    assert sorted(tmp_path.rglob("*")) == before
    example(photo()).save(folder)


def test_what_json_cannot_hold_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="provenance"):
        example(photo(), provenance={"a": math.nan}).save(tmp_path / "x")
    assert list(tmp_path.iterdir()) == []


def test_a_parent_that_is_a_file_is_an_input_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputError, match="`folder` must be writable"):
        example(photo()).save(tmp_path / "file" / "x")


@pytest.mark.skipif(os.name != "posix", reason="POSIX permissions")
def test_the_folder_has_the_usual_permissions(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.mkdir()
    assert example().save(tmp_path / "saved").stat().st_mode == plain.stat().st_mode


def test_a_name_may_be_as_long_as_the_file_system_allows(tmp_path: Path) -> None:
    for name in ("n" * 250, "é" * 125):
        assert sorted(path.name for path in example().save(tmp_path / name).iterdir())[-1] == "text.txt"
    assert len(list(tmp_path.iterdir())) == 2


def test_what_another_process_saved_meanwhile_is_kept_and_named(tmp_path: Path, monkeypatch) -> None:
    folder, rename = tmp_path / "x", Path.rename

    def overtaken(partial: Path, target: Path) -> Path:
        target.mkdir()
        (target / "theirs").touch()
        return rename(partial, target)

    monkeypatch.setattr(Path, "rename", overtaken)
    with pytest.raises(InputError, match="`folder` must be new or empty"):
        example().save(folder)
    assert [path.name for path in tmp_path.rglob("*")] == ["x", "theirs"]


@pytest.mark.parametrize("folder", [None, 5, b"x"])
def test_what_is_no_path_is_no_folder(folder: object) -> None:
    with pytest.raises(InputError, match="`folder` must be a path"):
        example().save(folder)  # type: ignore[arg-type]


@pytest.mark.parametrize("longest", ["large", None, math.nan, math.inf])
def test_the_longest_side_is_a_number_of_pixels(longest: object) -> None:
    with pytest.raises(InputError, match="`longest` must be at least 480 pixels"):
        example(photo()).draw(longest=longest)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", [None, 5, ["{}"]])
def test_what_is_no_text_is_no_json(text: object) -> None:
    with pytest.raises(InputError, match=r"`text` must be JSON, got .*read explanation\.json"):
        Explanation.from_json(text)  # type: ignore[arg-type]


def test_strange_texts_are_saved(tmp_path: Path) -> None:
    folder = dataclasses.replace(example(photo()), text="\ud800 漢字 \x00\r\n").save(tmp_path / "x")
    assert Explanation.from_json((folder / "explanation.json").read_text()).text == "\ud800 漢字 \x00\r\n"
