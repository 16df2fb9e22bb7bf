"""Published tables, written and read again."""

from __future__ import annotations

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nle_fast.concepts import Concepts
from nle_fast.concepts.formats import CSV_FORMATS
from nle_fast.errors import ConceptsError

NAMES = st.lists(
    st.none() | st.text(st.characters(codec="utf-8", exclude_characters="_"), max_size=30), min_size=1, max_size=6
)


def written(tmp_path, concepts, kind):
    path = tmp_path / "table.csv"
    concepts.save(path, kind=kind)
    return Concepts.load(path, layer=concepts.layer)


@given(NAMES, st.data())
@pytest.mark.parametrize("kind", CSV_FORMATS)
def test_round_trip(tmp_path_factory, kind, names, data):
    measured = st.none() | st.floats(-1, 1)
    qualities = data.draw(st.lists(measured, min_size=len(names), max_size=len(names)))
    concepts = Concepts(tuple(names), tuple(qualities), "layer4")
    again = written(tmp_path_factory.mktemp("csv"), concepts, kind)
    assert again.names == concepts.names
    assert again.qualities == ((None,) * len(names) if kind == "milan" else concepts.qualities)
    assert again.layer == "layer4"


@pytest.mark.parametrize("kind", CSV_FORMATS)
def test_columns_are_those_that_were_published(tmp_path, kind):
    Concepts(("pool table", None), (0.25, None), "layer4").save(tmp_path / "t.csv", kind=kind)
    rows = list(csv.reader((tmp_path / "t.csv").open(newline="")))
    assert tuple(rows[0]) == CSV_FORMATS[kind]
    expected = {
        "milan": [["layer4", "0", "pool table"], ["layer4", "1", ""]],
        "clip-dissect": [["layer4", "0", "pool table", "0.25"], ["layer4", "1", "", ""]],
        "netdissect": [["1", "concept", "pool_table", "0.25"], ["2", "concept", "", ""]],
    }
    assert rows[1:] == expected[kind]


def test_names_that_look_like_marks_stay(tmp_path):
    concepts = Concepts(("model-s", "plan-c", "x"), (0.1, None, 0.2), None)
    assert written(tmp_path, concepts, "netdissect").names == concepts.names
    assert written(tmp_path, concepts, "clip-dissect") == concepts, "also without a layer"


def test_the_kind_follows_from_what_is_known(tmp_path):
    Concepts.from_names(["a"], layer="x").save(tmp_path / "a.csv")
    Concepts.from_names(["a"], layer="x", quality=[0.5]).save(tmp_path / "b.csv")
    assert (tmp_path / "a.csv").read_text().startswith("layer,unit,description\n")
    assert (tmp_path / "b.csv").read_text().startswith("layer,unit,description,similarity\n")


@pytest.mark.parametrize(("name", "kind"), [("t.csv", "other"), ("t.json", "milan"), ("t.txt", None)])
def test_what_cannot_be_written_is_refused(tmp_path, name, kind):
    with pytest.raises(ConceptsError, match="must"):
        Concepts.from_names(["a"], layer="x").save(tmp_path / name, kind=kind)
    assert not list(tmp_path.iterdir())


@pytest.mark.shared
@pytest.mark.parametrize("name", ["clip_dissect_resnet50", "milan_resnet50", "netdissect_resnet50_layer4"])
def test_published_tables_survive(shared, tmp_path, name):
    kind = {"clip": "clip-dissect", "mila": "milan", "netd": "netdissect"}[name[:4]]
    concepts = Concepts.load(shared / "neuron_labels" / f"{name}.csv")
    assert written(tmp_path, concepts, kind).names == concepts.names
