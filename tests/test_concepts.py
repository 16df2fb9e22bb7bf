from __future__ import annotations

import json

import pytest

from nle_fast.concepts import Concepts
from nle_fast.errors import ConceptsError


def write(tmp_path, text, name="table.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_milan(tmp_path):
    path = write(tmp_path, 'layer,unit,description\nlayer3,0,Red\nlayer4,1,"Dog, faces"\nlayer4,0, Rounded  edges \n')
    concepts = Concepts.load(path, layer="layer4")
    assert concepts.names == ("Rounded edges", "Dog, faces")
    assert concepts.qualities == (None, None)
    assert concepts[0].trusted
    assert Concepts.load(path) == concepts, "the last layer in the file is the default"
    assert Concepts.load(path, layer="layer3").names == ("Red",)


def test_clip_dissect(tmp_path):
    concepts = Concepts.load(write(tmp_path, "layer,unit,description,similarity\nconv1,0,red,0.25\nconv1,1,sky,0.1\n"))
    assert (concepts[1].name, concepts[1].quality, concepts.layer) == ("sky", 0.1, "conv1")


def test_network_dissection_counts_from_one_and_has_a_bar(tmp_path):
    path = write(tmp_path, "unit,category,label,score\n1,part,body,0.05\n3,scene,game_room-s,0.02\n")
    concepts = Concepts.load(path, layer="layer4")
    assert concepts.names == ("body", None, "game room")
    assert [concept.trusted for concept in concepts] == [True, False, False]
    assert concepts.layer == "layer4"


def test_json_round_trip(tmp_path):
    concepts = Concepts(("stripes", None, "Überraschung"), (0.3, None, None), "features.17", "abc", 0.2)
    concepts.save(tmp_path / "table.json")
    assert Concepts.load(tmp_path / "table.json") == concepts
    assert list(tmp_path.iterdir()) == [tmp_path / "table.json"], "no draft is left behind"


def test_names_are_cleaned():
    concepts = Concepts.from_names(["  a\tb\x1b[31m ", "", None], layer="x")
    assert concepts.names == ("a b [31m", None, None)


def test_untrusted_below_the_bar():
    concepts = Concepts(("a", "b", "c", None), (0.1, 0.5, None, 0.9), "x", min_quality=0.4)
    assert [concept.trusted for concept in concepts] == [False, True, True, False]


def test_refuses_what_it_was_not_made_for():
    concepts = Concepts(("a", "b"), (None, None), "layer4", "abc")
    concepts.check_fits(layer="layer4", num_neurons=2, model="abc")
    concepts.check_fits(layer="layer4", num_neurons=2, model=None)
    for other in ({"layer": "layer3"}, {"num_neurons": 3}, {"model": "def"}):
        with pytest.raises(ConceptsError, match="`concepts` must"):
            concepts.check_fits(**({"layer": "layer4", "num_neurons": 2, "model": "abc"} | other))
    concepts.at_layer("/features/Relu").check_fits(layer="/features/Relu", num_neurons=2, model="def")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", ""),
        ("a.csv", "layer,unit,description\n"),
        ("a.csv", "layer,unit\nx,1\n"),
        ("a.csv", "layer,unit,description\nx,one,red\n"),
        ("a.csv", "layer,unit,description\nx,1,red\nx,1,blue\n"),
        ("a.csv", "layer,unit,description\nx,-1,red\n"),
        ("a.csv", "layer,unit,description\nx,99999999999,red\n"),
        ("a.csv", "layer,unit,description,similarity\nx,0,red,nan\n"),
        ("a.csv", "layer,unit,description,similarity\nx,0,red,high\n"),
        ("a.csv", "layer,unit,description\nx,0," + "long " * 100 + "\n"),
        ("a.txt", "layer,unit,description\nx,0,red\n"),
        ("a.json", "{"),
        ("a.json", "[]"),
        ("a.json", '{"schema": "other"}'),
        ("a.json", json.dumps({"schema": "nle-fast-concepts/1", "neurons": [1]})),
        ("a.json", json.dumps({"schema": "nle-fast-concepts/1", "neurons": [{"name": 3}]})),
        ("a.json", json.dumps({"schema": "nle-fast-concepts/1", "neurons": [{"name": "a", "quality": "b"}]})),
        ("a.json", json.dumps({"schema": "nle-fast-concepts/1", "neurons": []})),
        ("a.json", json.dumps({"schema": "nle-fast-concepts/1", "layer": 3, "neurons": [{"name": "a"}]})),
        ("a.json", json.dumps({"schema": "nle-fast-concepts/1", "min_quality": "x", "neurons": [{"name": "a"}]})),
    ],
)
def test_broken_tables(tmp_path, name, text):
    with pytest.raises(ConceptsError):
        Concepts.load(write(tmp_path, text, name))


def test_other_failures(tmp_path):
    for path in (tmp_path / "missing.csv", tmp_path):
        with pytest.raises(ConceptsError, match=str(tmp_path)):
            Concepts.load(path)
    (tmp_path / "latin.csv").write_bytes("layer,unit,description\nx,0,caf\xe9\n".encode("latin-1"))
    with pytest.raises(ConceptsError, match="UTF-8"):
        Concepts.load(tmp_path / "latin.csv")
    path = write(tmp_path, "layer,unit,description\nlayer3,0,red\nlayer4,0,blue\n")
    with pytest.raises(ConceptsError, match="layer3"):
        Concepts.load(path, layer="layer33")
    for names, quality in ((["a"], [1, 2]), ([], None), ("abc", None), ([1], None), (["a"], [float("inf")])):
        with pytest.raises(ConceptsError):
            Concepts.from_names(names, layer="x", quality=quality)
    with pytest.raises(ConceptsError, match=r"\.json"):
        Concepts.from_names(["a"], layer="x").save(tmp_path / "a.txt")
    with pytest.raises(ConceptsError, match="writable"):
        Concepts.from_names(["a"], layer="x").save(tmp_path / "missing" / "a.json")


@pytest.mark.shared
def test_published_tables(shared):
    folder = shared / "neuron_labels"
    milan = Concepts.load(folder / "milan_resnet50.csv", layer="layer4")
    clip = Concepts.load(folder / "clip_dissect_resnet50.csv", layer="conv1")
    netdissect = Concepts.load(folder / "netdissect_resnet50_layer4.csv")
    assert (len(milan), len(clip), len(netdissect)) == (2048, 64, 2048)
    assert milan[0].name == "Items with straight features"
    assert clip[0].quality == pytest.approx(0.25616455)
    assert netdissect[1].name == "freckled"
    assert not netdissect[2].trusted


def test_names_may_come_from_a_generator():
    concepts = Concepts.from_names((name for name in ("a", None)), layer="top", quality=iter([0.5, None]))
    assert (concepts.names, concepts.qualities) == (("a", None), (0.5, None))


@pytest.mark.parametrize(
    "call",
    [
        lambda: Concepts.from_names(None, layer="top"),
        lambda: Concepts.from_names(["a"], layer="top", quality=0.5),
        lambda: Concepts.load(None),
        lambda: Concepts.load(b"table.csv"),
        lambda: Concepts.from_names(["a"], layer="top").save(5),
    ],
)
def test_arguments_of_another_kind_are_named(call):
    with pytest.raises(ConceptsError, match=r"`(names|quality|path)` must .*, got .*; "):
        call()
