"""English: "a" or "an", and singular or plural, of words that are odd."""

from __future__ import annotations

import re
import subprocess
import sys
import unicodedata

import pytest
from english_words import BEGINNINGS, ENDINGS, SAME
from hypothesis import given
from hypothesis import strategies as st

from nle_fast.verbalizers.language.inflection import article, is_plural, plural_of, singular_of
from nle_fast.verbalizers.language.words import indefinite, label_name, noun_phrase, other_number

NOUNS = BEGINNINGS + ENDINGS
#: What no plural is made of and what no letter is taken from; commas, digits, and scripts of all kinds.
SCRIPTS = [
    "犬",
    "猫の顔",
    "개",
    "собака",
    "кот Шрёдингера",
    "كلب",
    "כלב",
    "कुत्ता",
    "หมา",
    "σκύλος",
    "🦓",
    "👩‍🚀",
    "犬s顔",
]
NAMES = [
    "cat, dog, and bird",
    "1,800-seat hall",
    "3,000 m",
    "class 5",
    "nr. 12, blue",
    "n02084071",
    "7",
    "2024",
    "v1.2",
]


def test_the_table_is_long_and_says_each_word_once():
    assert len({word for _, word, _ in BEGINNINGS}) == len(BEGINNINGS) >= 300
    assert len({word for _, word, _ in NOUNS}) == len(NOUNS) >= 700
    assert {"x-ray", "e-reader", "one-piece", "heirloom", "ukulele", "f-stop", "MRI", "8-ball", "euro"} <= {
        word for _, word, _ in BEGINNINGS
    }


@pytest.mark.parametrize(("right", "word", "plural"), NOUNS, ids=[word for _, word, _ in NOUNS])
def test_articles_and_plurals(right, word, plural):
    assert indefinite(word) == f"{right} {word}"
    one, several = noun_phrase(f"the {word}"), noun_phrase(f"the {plural}")
    assert (one.bare, one.plural, several.bare, several.plural) == (word, False, plural, True)
    assert other_number(one) == plural
    assert other_number(noun_phrase(f"the {other_number(several)}")) == plural, "one of them, and several again"


@pytest.mark.parametrize("word", SAME)
def test_one_looks_like_many(word):
    assert plural_of(word) == singular_of(word) == word
    assert other_number(noun_phrase(f"the {word}")) == word


@pytest.mark.parametrize(
    ("expected", "words"),
    [("an", "x"), ("an", "A"), ("a", "u"), ("a", "B"), ("an", "X"), ("an", "lcd monitor"), ("a", "tv"),
     ("an", "mri scan"), ("an", "SPF label"), ("a", "SPRAY"), ("a", "FOX"), ("an", "EAGLE"), ("a", "UNICORN"),
     ("an", "$8 bill"), ("an", "'80s car"), ("an", "(old) car"), ("an", "herb garden"), ("a", "herbivore"),
     ("a", "pH meter"), ("an", "H2O bottle"), ("a", "2-cent coin"), ("an", "811 building"), ("an", "1100"),
     ("a", "1900"), ("an", "80000"), ("an", "11000"), ("an", "à la carte menu"), ("an", "œuvre"), ("a", "Zoë"),
     ("a", ""), ("a", "…"), ("a", "犬"), ("a", "собака")],
)  # fmt: skip
def test_articles_of_what_is_no_plain_noun(expected, words):
    assert article(words) == expected


def test_what_ends_in_s_and_is_one():
    assert not any(map(is_plural, ("GPS", "iOS", "SOS", "lens", "gas", "dress", "lotus", "iris", "news", "men's", "s")))
    assert not any(map(is_plural, ("specimen", "abdomen", "omen", "agenda", "cactus", "bus", "virus", "tennis")))
    assert all(map(is_plural, ("GPUs", "80s", "B-52s", "menus", "skis", "plateaus", "criteria", "nuclei", "data")))
    assert all(map(is_plural, ("runners-up", "mothers-in-law", "passersby", "cattle", "police", "dormice")))
    assert (noun_phrase("GPS").text, noun_phrase("GPUs").text) == ("a GPS", "GPUs")


@pytest.mark.parametrize("name", [*SCRIPTS, *NAMES])
def test_names_with_commas_digits_and_any_script_are_unharmed(name):
    assert noun_phrase(name).bare == name
    assert noun_phrase(name).text.endswith(name)
    assert label_name(name) == name.split(",")[0]
    assert indefinite(name).split(" ", 1)[1] == name


@pytest.mark.parametrize("name", [*SCRIPTS[:-2], "class 5", "7", "2024", "9/11"])
def test_what_is_no_word_of_latin_letters_has_no_other_number(name):
    assert plural_of(name.split(" ")[-1]) == singular_of(name.split(" ")[-1]) == name.split(" ")[-1]
    assert other_number(noun_phrase(name)) == name


@given(st.text(max_size=12))
def test_any_word_has_an_answer(word):
    assert article(word) in ("a", "an")
    assert is_plural(word) in (True, False)
    if not re.search("[A-Za-zœæøŒÆØ]", unicodedata.normalize("NFKD", word)):
        assert plural_of(word) == singular_of(word) == word


def test_accents_stay():
    assert [plural_of(word) for word in ("façade", "Wölf", "piñata", "née")] == ["façades", "Wölfs", "piñatas", "nées"]


def test_importing_nle_fast_does_not_open_inflect():
    code = "import nle_fast, nle_fast.verbalizers.language.words, sys; sys.exit('inflect' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_opening_inflect_leaves_typeguard_as_it_was():
    code = (
        "import typeguard; kept = typeguard.typechecked; from nle_fast.verbalizers.language.words import article; "
        "assert article('unicorn') == 'a'; assert typeguard.typechecked is kept"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
