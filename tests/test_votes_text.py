"""Words by votes and borrowed words in concept tables and in sentences."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from verbalizers_cases import evidence, meaning

from nle_fast import check
from nle_fast.concepts import Concept, Concepts, words_of
from nle_fast.dissect.votes import typical_of
from nle_fast.errors import ConceptsError
from nle_fast.verbalizers import open_verbalizer
from nle_fast.verbalizers.language.words import noun_phrase
from nle_fast.verbalizers.template import TemplateVerbalizer

NAMES = (
    "what is typical of keyboards and laptops",
    "what is typical of notebooks themselves",
    "what is typical of masks (for the face)",
    "what is typical of cranes (birds), and of dogs, cats and bears",
    "what is typical of fruit and vegetables, of potter's wheels, and of jars",
    "what is typical of chain-link fences",
    "what looks like dogs",
    "what looks like wings (of aircraft)",
)


@pytest.mark.parametrize("name", NAMES)
def test_clauses_take_no_article_and_a_singular_verb(name):
    for written in (name, name.capitalize()):
        phrase = noun_phrase(written)
        assert (phrase.text, phrase.bare, phrase.plural, phrase.compound) == (name, name, False, False)


def test_other_words_that_begin_so_are_nouns_as_before():
    assert noun_phrase("what").text == "a what"
    assert noun_phrase("whatnot").text == "a whatnot"


def told(name, style, **more):
    items = [
        evidence(3, name, 0.4, ("center", "left")),
        evidence(5, "stripes", 0.2, ("top",)),
        evidence(9, "what looks like cups and mugs", -0.1, (), False),
    ]
    return meaning("notebook, notebook computer", items, style=style, **more)


@pytest.mark.parametrize("style", ["plain", "short", "expert"])
@pytest.mark.parametrize("name", NAMES)
def test_texts_say_them_as_they_are_and_are_checked(name, style):
    for versus in (None, "horse"):
        asked = told(name, style, versus=versus)
        text = TemplateVerbalizer().verbalize(asked).text
        words = name.replace(", and of ", " or of ").replace(", of ", " or of ")  # "and" joins names, not their parts
        words = words.removeprefix("what is ") if style == "short" else words
        assert words in text or words.capitalize() in text
        assert f"“{name}" not in text
        assert check(text, asked).ok
        for wrong in ("what is typical of spoons", "what is typical of keyboards", "wolves", f"{name} and cars"):
            other = replace(asked, evidence=(replace(asked.evidence[0], concept=wrong), *asked.evidence[1:]))
            assert not check(text, other).ok, wrong


def test_what_only_looks_like_it_must_be_said_so():
    asked = meaning("zebra", [evidence(3, "what looks like dogs", 0.5), evidence(4, NAMES[0], -0.2, (), False)])
    text = TemplateVerbalizer().verbalize(asked).text
    assert "laptops speaks against it" in text
    assert check(text, asked).ok
    assert not check(text.replace("what looks like dogs", "dogs"), asked).ok
    assert not check(text.replace("typical of", "not typical of"), asked).ok


def test_a_name_that_begins_another_is_quoted():
    items = [
        evidence(1, "what is typical of cats", 0.3),
        evidence(2, "what is typical of cats and dogs", 0.2),
        evidence(3, "dogs", 0.1),
    ]
    asked = meaning("zebra", items)
    text = TemplateVerbalizer().verbalize(asked).text
    assert "“what is typical of cats and dogs”" in text
    assert check(text, asked).ok
    alone = replace(asked, evidence=tuple(items[:2]))  # no list goes on with " and dogs"
    text = TemplateVerbalizer().verbalize(alone).text
    assert "“" not in text
    assert check(text, alone).ok


def test_the_embedded_language_model_says_them():
    verbalizer = open_verbalizer("llama")
    for style, name in zip(("plain", "short", "expert"), NAMES[1:7:2], strict=True):
        asked = told(name, style)
        said = verbalizer.verbalize(asked)
        assert said.verbalizer == "llama"
        assert check(said.text, asked).ok


TABLE = Concepts(
    ("what is typical of notebooks", typical_of(["cats", "dogs"]), "what looks like dogs", "stripes", None),
    (None, 0.25, 0.19, 0.39, None),
    "features",
    "abc",
    0.4,
    ("votes", "votes", "borrowed", "masks", None),
    ((681,), (281, 151), None, None, None),
)


def test_each_source_has_its_own_bar():
    assert [concept.trusted for concept in TABLE] == [True, True, False, False, False]
    at_the_bar = replace(TABLE, qualities=(0.2, 0.2001, 0.21, 0.4, None))
    assert [concept.trusted for concept in at_the_bar] == [False, True, True, True, False]
    assert TABLE[0] == Concept("what is typical of notebooks", None, True, "votes", (681,))


def test_themselves_where_the_only_class_is_the_one_explained():
    assert words_of(TABLE, 681)(0) == ("what is typical of notebooks themselves", None, None, False)
    assert words_of(TABLE, 620)(0) == words_of(TABLE)(0) == ("what is typical of notebooks", None, None, False)
    assert words_of(TABLE, 3)(1) == ("what is typical of cats and dogs", 0.25, None, True)
    assert words_of(TABLE, 3)(2) == (None, 0.19, "what looks like dogs", True)
    assert words_of(None)(7) == (None, None, None, True)


@pytest.mark.parametrize(
    ("name", "classes", "said"),
    [
        ("what is typical of cats and dogs", (281, 151), "what cats and dogs have in common"),
        ("what is typical of cats, dogs and bears", (281, 151, 9), "what cats, dogs, and bears have in common"),
        ("what is typical of cranes (birds) and dogs", (281, 151), "what cranes (birds) and dogs have in common"),
        # One name for two classes, two names for three, and names that have an "and" themselves.
        ("what is typical of lobsters", (281, 151), None),
        ("what is typical of lobsters and cats", (281, 151, 9), None),
        ("what is typical of cats, and of salt and pepper shakers", (281, 151), None),
        ("what looks like cats and dogs", (281, 151), None),
    ],
)
def test_what_the_explained_class_has_in_common_with_others(name, classes, said):
    concept = Concept(name, 0.4, True, "votes", classes)
    for explained in classes:
        assert concept.said_of(explained) == (said or name)
    assert concept.said_of(3) == concept.said_of(None) == name
    assert replace(concept, source="masks").said_of(281) == name
    assert replace(concept, name=None).said_of(281) is None


def test_only_votes_without_a_quality_were_not_judged():
    assert [concept.judged for concept in TABLE] == [False, True, True, True, True]
    assert [concept.judged for concept in replace(TABLE, sources=None)] == [True] * 5


def test_json_keeps_where_words_come_from_and_old_files_load(tmp_path):
    TABLE.save(tmp_path / "table.json")
    assert Concepts.load(tmp_path / "table.json") == TABLE
    document = json.loads((tmp_path / "table.json").read_text())
    assert document["neurons"][3] == {"name": "stripes", "quality": 0.39, "source": "masks"}
    for neuron in document["neurons"]:
        neuron.pop("source", None)
        neuron.pop("classes", None)
    (tmp_path / "old.json").write_text(json.dumps(document))
    old = Concepts.load(tmp_path / "old.json")
    assert (old.sources, old.classes) == (None, None)
    assert old == replace(TABLE, sources=None, classes=None)
    old.save(tmp_path / "same.json")
    assert Concepts.load(tmp_path / "same.json") == old


@pytest.mark.parametrize(
    ("key", "value"),
    [("source", 3), ("source", ""), ("source", "x" * 41), ("classes", 3), ("classes", [-1]), ("classes", ["a"])],
)
def test_broken_entries_are_refused(tmp_path, key, value):
    path = tmp_path / "table.json"
    neuron = {"name": "stripes", "quality": 0.5, key: value}
    path.write_text(json.dumps({"schema": "nle-fast-concepts/1", "neurons": [neuron]}))
    with pytest.raises(ConceptsError, match=f"`{key.removesuffix('s')}"):
        Concepts.load(path)
    with pytest.raises(ConceptsError, match="one entry per neuron"):
        Concepts(("a",), (None,), None, sources=("votes", None))
