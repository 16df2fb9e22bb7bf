"""The lattice: every path says each fact once, in English; what a walk shows is what the graph holds."""

from __future__ import annotations

import itertools
import random
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from verbalizers_cases import assert_english, evidence, meaning, meanings

from nle_fast.errors import VerbalizerError
from nle_fast.verbalizers import check
from nle_fast.verbalizers.grammar import lattice_of
from nle_fast.verbalizers.grammar.lattice import Choice, Lattice, Segment, either

A, B, C = (Segment(f" {letter}", (letter,)) for letter in "abc")
STOP = (Segment("."),)


def every_text(nodes):
    """The definition: all texts of a sequence, one path after the other."""
    parts = [
        [node.text] if isinstance(node, Segment) else [text for option in node.options for text in every_text(option)]
        for node in nodes
    ]
    return ["".join(texts) for texts in itertools.product(*parts)]


def walked(lattice):
    """All texts that a walk can end with."""
    found = []

    def go(path):
        walk = lattice.walk()
        assert walk.text == ""
        assert walk.options == ()
        assert walk.forced() == walk.text
        for option in path:
            walk.take(option)
        assert walk.forced() == "", "said once"
        if not walk.options:
            found.append(walk.text)
        assert len(set(walk.options)) == len(walk.options)
        for one, other in itertools.permutations(walk.options, 2):
            assert not one.startswith(other)
        for option in range(len(walk.options)):
            go([*path, option])

    go([])
    return found


def nodes_of(depth):
    """Small random graphs; options begin alike on purpose."""
    segment = st.sampled_from([A, B, C, Segment(" a b"), Segment(" ab")])
    if depth == 0:
        return st.lists(segment, min_size=1, max_size=2).map(tuple)
    option = nodes_of(depth - 1)
    choice = st.lists(option, min_size=2, max_size=3).map(lambda options: Choice(tuple(options)))
    return st.lists(segment | choice, min_size=1, max_size=3).map(tuple)


@given(nodes_of(2))
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_a_walk_reaches_every_text_and_no_other(nodes):
    lattice = Lattice((*nodes, *STOP))
    texts = every_text(lattice.nodes)
    assert lattice.count == len(texts)
    assert lattice.first()[0] == texts[0]
    if len(texts) < 200:
        assert set(walked(lattice)) == set(texts)


def test_spans_are_the_words_without_the_space_before_them():
    lattice = Lattice((Segment("x"), A, *either([(B,), (C,)]), *STOP))
    text, spans = lattice.choose(lambda options: 1)
    assert text == "x a c."
    assert [(text[span.start : span.end], span.fact) for span in spans] == [("a", "a"), ("c", "c")]


def test_what_is_forced_after_an_option_belongs_to_it():
    walk = Lattice((A, *either([(B,), (C,)]), Segment(" and"), *either([(A,), (B,)]), *STOP)).walk()
    assert (walk.forced(), walk.options) == (" a", (" b and", " c and"))
    walk.take(1)
    assert (walk.text, walk.options) == (" a c and", (" a.", " b."))


@given(meanings(), st.integers(0, 2**32))
@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])
def test_every_path_says_each_fact_once_and_nothing_else(what, seed):
    generator = random.Random(seed)
    text, spans = lattice_of(what).choose(lambda options: generator.randrange(len(options)))
    assert {span.fact for span in spans} == {fact.id for fact in what.facts}
    assert all(text[span.start : span.end].strip() == text[span.start : span.end] for span in spans)
    report = check(text, what)
    assert report, (text, str(report))
    assert text.endswith(".")
    assert text == " ".join(text.split())


@pytest.mark.parametrize("name", ["0", "数", "3d"])
@pytest.mark.parametrize("positions", [(), ("center",), ("top-left corner", "entire bottom")])
@pytest.mark.parametrize("style", ["plain", "expert", "short"])
def test_a_label_that_is_also_a_concept_and_has_no_capital(name, positions, style):
    generator = random.Random(0)
    for concepts in (
        (name,),
        (name, "1"),
        (name, None),
        ("1", name),
        (None, name),
        (name, "1", None),
        (name, "1", name),
    ):
        named = [evidence(i, concept, 0.4 - 0.1 * i, positions) for i, concept in enumerate(concepts)]
        what = meaning(name, named, style=style)
        for _ in range(120):
            text, _ = lattice_of(what).choose(lambda options: generator.randrange(len(options)))
            assert check(text, what), text


WORDS = ("Stripes", "dog", "Hour", "unicorn", "sky", "grass", "Animals", "eye", "two eyes", "Dog faces", "dotted")


@given(meanings(concepts=WORDS, labels=("zebra", "horse", "Border collie"), layers=("layer4",)), st.integers(0, 2**32))
@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])
def test_english_on_every_path(what, seed):
    generator = random.Random(seed)
    text, _ = lattice_of(what).choose(lambda options: generator.randrange(len(options)))
    assert_english(text)
    if what.style == "plain" and what.photos is None:
        concepts = r"stripes|dog face|dog\b|hour|unicorn|sky|grass|animals|\beyes?\b|dotted|neuron"
        for sentence in re.split(r"(?<=[.]) ", text):
            assert len(re.findall(concepts, sentence, re.IGNORECASE)) <= 3, text


@pytest.mark.parametrize(
    ("concept", "verb"), [("stripes", "speak"), ("eye", "speaks"), ("grass", "speaks"), ("cats and dogs", "speak")]
)
def test_verbs_agree_with_their_subject(concept, verb):
    what = meaning("zebra", [evidence(1, "mane", 0.4), evidence(2, concept, -0.1, ("left",), False)])
    texts = set(every_text(lattice_of(what).nodes))
    spoken = [text for text in texts if "against it" in text and "Evidence against" not in text]
    assert spoken
    assert all(f" {verb} against it" in text for text in spoken)


def test_a_name_that_must_not_be_changed_begins_no_sentence():
    texts = every_text(lattice_of(meaning("iPhone", [evidence(1, "stripes", 0.6)])).nodes)
    assert not any(text.startswith(("iPhone", "IPhone")) for text in texts)
    assert any(text.startswith("Stripes") for text in every_text(lattice_of(meaning("iPhone", [
        evidence(1, "stripes", 0.2), evidence(2, "dots", 0.2)], coverage=0.4)).nodes))  # fmt: skip


def test_poor_words_are_told_as_such():
    loose = evidence(41, None, 0.6, ("top",))
    loose = type(loose)(**{**{name: getattr(loose, name) for name in loose.__slots__}, "loosely": "Animals"})
    for style, words in (("plain", "something without a name at the top"), ("short", "something without a name (top)"),
                         ("expert", "neuron 41 at the top (loosely “animals”, share 60.0%)")):  # fmt: skip
        what = meaning("zebra", [loose], style=style)
        for text in every_text(lattice_of(what).nodes):
            assert words in text[0].lower() + text[1:]
            assert check(text, what), text


def test_an_unknown_place_is_refused():
    with pytest.raises(VerbalizerError, match="nowhere"):
        lattice_of(meaning("zebra", [evidence(1, "stripes", 0.4, ("nowhere",))]))


def test_there_are_many_ways_to_say_it():
    items = [evidence(1, "stripes", 0.4, ("center",)), evidence(2, "mane", 0.2, ("top",)), evidence(3, "sky", 0.1)]
    assert lattice_of(meaning("zebra", items)).count >= 50
    assert lattice_of(meaning("zebra", items, style="expert")).count >= 10
