"""English: articles, number, case."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nle_fast.verbalizers.language.words import article, clean, is_plural, label_name, noun_phrase, other_number


@pytest.mark.parametrize(
    ("concept", "text", "plural"),
    [
        ("Dog face", "a dog face", False),
        ("dog faces", "dog faces", True),
        ("Animals", "animals", True),
        ("The color red", "the color red", False),
        ("red", "the color red", False),
        ("red and blue", "the colors red and blue", True),
        ("red or blue", "the color red or blue", False),
        ("dog face or wheel", "a dog face or a wheel", False),
        ("grass or ox or stripes", "grass or an ox or stripes", True),
        ("Neon green", "neon green", False),
        ("grass", "grass", False),
        ("Water", "water", False),
        ("sky", "the sky", False),
        ("The ground", "the ground", False),
        ("blue sky", "a blue sky", False),
        ("rounded edges in pictures", "rounded edges in pictures", True),
        ("Spots of the color white", "spots of the color white", True),
        ("Black lettering and numbers", "black lettering and numbers", True),
        ("Black and white stripes", "black and white stripes", True),
        ("Black and white color combination", "a black and white color combination", False),
        ("Dogs and other animals", "dogs and other animals", True),
        ("Items that are connected", "items that are connected", True),
        ("Horizontal lines", "horizontal lines", True),
        ("Animal fur", "animal fur", False),
        ("dotted", "something dotted", False),
        ("zigzagged", "something zigzagged", False),
        ("bed", "a bed", False),
        ("snorkeling", "snorkeling", False),
        ("building", "a building", False),
        ("hourglass", "an hourglass", False),
        ("unicorn", "a unicorn", False),
        ("umbrella", "an umbrella", False),
        ("X-ray", "an X-ray", False),
        ("T-shirt", "a T-shirt", False),
        ("TV", "a TV", False),
        ("Yorkshire terrier", "a Yorkshire terrier", False),
        ("Jack Russell", "a Jack Russell", False),
        ("people", "people", True),
        ("cow", "a cow", False),
        ("bus", "a bus", False),
        ("cactus", "a cactus", False),
        ("glasses", "glasses", True),
        ("a stick like objects", "a stick like objects", False),
        ("two items that are connected", "two items that are connected", True),
        ("Flower, flower, flower", "a flower", False),
        ("flower, flower, flower", "a flower", False),
        ("People 's heads", "people's heads", True),
        ("pool_table", "a pool table", False),
        ("🦓", "🦓", False),
        ("", "something unnamed", False),
    ],
)
def test_noun_phrases(concept, text, plural):
    phrase = noun_phrase(concept)
    assert (phrase.text, phrase.plural) == (text, plural)


@pytest.mark.parametrize(
    ("words", "expected"),
    [("hour", "an"), ("honest face", "an"), ("one-way sign", "a"), ("unicycle", "a"), ("uninhabited island", "an"),
     ("user", "a"), ("usher", "an"), ("ukulele", "a"), ("urn", "an"), ("European", "a"), ("euro", "a"), ("SUV", "an"),
     ("UFO", "a"), ("LCD screen", "an"), ("8-ball", "an"), ("18-wheeler", "an"), ("180", "a"), ("11", "an"),
     ("écharpe", "an"),
     ("犬", "a")],
)  # fmt: skip
def test_articles_follow_the_sound(words, expected):
    assert article(words) == expected


def test_labels():
    assert label_name("tabby, tabby cat") == "tabby"
    assert label_name("golden_retriever") == "golden retriever"
    assert label_name(", odd") == ", odd"


@pytest.mark.parametrize(
    ("one", "other"), [("dog", "dogs"), ("Dog face", "dog faces"), ("foxes", "fox"), ("berry", "berries")]
)
def test_other_number(one, other):
    assert other_number(noun_phrase(one)) == other


def test_clean_leaves_one_visible_line():
    assert clean("a\n\tb\u202ec\u200b “d”\x00") == "a bc 'd'"
    assert clean("👩\u200d🚀") == "👩\u200d🚀"


def test_plurals():
    assert all(
        is_plural(word) for word in ("stripes", "women", "firemen", "fungi", "pandas", "knives", "skis", "cattle")
    )
    assert not any(is_plural(word) for word in ("gas", "iris", "dress", "men's", "omen", "chess", "series", "s"))


@given(st.text(max_size=40))
@example("0 or 0")
def test_any_text_becomes_a_phrase(text):
    phrase = noun_phrase(text)
    assert phrase.text
    assert phrase.bare == clean(phrase.bare)
    assert all(part in phrase.text for part in phrase.bare.split(" or ")), "each of them has an article of its own"
    assert label_name(text) == clean(label_name(text))
