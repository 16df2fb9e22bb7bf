"""English: articles, number, and the case of words that come from foreign tables.

A concept may be anything that someone once wrote about a neuron: "Dog faces", "The color red", "black lettering and
numbers", "dotted", "🦓 (v2)". `noun_phrase` makes of it what can stand after "because of"; `label_name` makes of a
class label what can stand after "the answer is".
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from nle_fast.verbalizers.language.inflection import article, is_plural, plural_of, singular_of
from nle_fast.verbalizers.language.lexicon import (
    ADJECTIVES,
    COLORS,
    COUNTABLE_ING,
    DEFINITE,
    DETERMINERS,
    MASS,
    PHRASE_BREAKS,
    PROPER,
)

__all__ = [
    "NounPhrase",
    "article",
    "clean",
    "indefinite",
    "is_clause",
    "is_plural",
    "label_name",
    "noun_phrase",
    "other_number",
]

_QUOTES = str.maketrans(dict.fromkeys('"“”„‟«»‘’‚‛', "'"))  # our own quotation marks must stay ours
_CLAUSES = ("what is typical of ", "what looks like ")


@dataclass(frozen=True, slots=True)
class NounPhrase:
    """Words for a concept.

    Attributes:
        text: With its article, where it takes one: "a dog face", "stripes", "the sky".
        bare: Without an indefinite article: "dog face", "stripes", "sky".
        plural: Takes a plural verb.
        compound: Joins several things with "and", "or", or commas.
    """

    text: str
    bare: str
    plural: bool
    compound: bool


def clean(text: str) -> str:
    """One line of composed Unicode: no control or invisible characters, single spaces, no double quotation marks."""
    text = unicodedata.normalize("NFC", text).translate(_QUOTES).replace("_", " ")
    kept = []
    for mark in text:
        kind = unicodedata.category(mark)
        if kind in ("Cc", "Zl", "Zp", "Cs"):
            kept.append(" ")
        elif kind != "Cf" or mark == "\u200d":  # the joiner inside an emoji is visible in effect
            kept.append(mark)
    return " ".join("".join(kept).split()).replace(" 's", "'s")


@lru_cache(maxsize=1024)
def label_name(label: str) -> str:
    """The first name of a class label, which may be a list of WordNet synonyms.

    Example:
        >>> label_name("tabby, tabby cat")
        'tabby'
    """
    first = clean(label.split(",")[0])
    return first or clean(label)


@lru_cache(maxsize=1024)
def noun_phrase(concept: str) -> NounPhrase:
    """Words for a concept, with article and number.

    The head noun is the last word before the first preposition or relative pronoun; it decides. Unknown words count as
    countable nouns. Adjectives become "something dotted", colors "the color red". Clauses, "what is typical of …" and
    "what looks like …", stay as they are and take a singular verb, whatever they join.

    Example:
        >>> noun_phrase("Dog face").text, noun_phrase("The color red").text, noun_phrase("hourglass").text
        ('a dog face', 'the color red', 'an hourglass')
        >>> noun_phrase("rounded edges in pictures").plural, noun_phrase("grass").text
        (True, 'grass')
    """
    words = _unrepeated(_decapitalized(clean(concept)))
    if not any(mark.isalnum() for mark in words):
        return NounPhrase(words or "something unnamed", words or "something unnamed", False, False)
    if is_clause(words):
        return NounPhrase(words, words, False, False)
    tokens = words.lower().split(" ")
    if tokens[0] in DETERMINERS and len(tokens) > 1:
        core, compound = _core(tokens[1:])
        plural = compound or (tokens[0] not in ("a", "an") and is_plural(words.split(" ")[len(core)]))
        bare = words.split(" ", 1)[1] if tokens[0] in ("a", "an", "the") else words
        return NounPhrase(words, bare, plural, compound)
    colors = [token for token in tokens if token not in ("and", "or")]
    if all(color in COLORS for color in colors):
        several = len(colors) > 1 and "or" not in tokens
        return NounPhrase(f"the {'colors' if several else 'color'} {words}", words, several, False)
    if len(parts := words.split(" or ")) > 1 and all(part.strip() for part in parts):
        return _alternatives([noun_phrase(part) for part in parts])
    core, compound = _core(tokens)
    head = core[-1]
    if compound:
        return NounPhrase(words, words, True, True)
    if _is_adjective(head, alone=len(core) == 1):
        return NounPhrase(f"something {words}", words, False, False)
    if is_plural(words.split(" ")[len(core) - 1]):  # with its capitals: "GPUs" are several, "GPS" is one
        return NounPhrase(words, words, True, False)
    if head in MASS or head in COLORS or _is_doing(head.rsplit("-", 1)[-1]):
        return NounPhrase(words, words, False, False)
    if head in DEFINITE and len(core) == 1:
        return NounPhrase(f"the {words}", words, False, False)
    return NounPhrase(indefinite(words), words, False, False)


def is_clause(words: str) -> bool:
    """Whether words are a clause about what votes or another network say, and no noun with its article.

    Example:
        >>> is_clause("what is typical of cats"), is_clause("what"), is_clause("cats")
        (True, False, False)
    """
    lower = words.lower()
    if lower.startswith("what ") and lower.endswith(" have in common"):
        return len(lower) > len("what  have in common")
    return any(lower.startswith(start) and len(lower) > len(start) for start in _CLAUSES)


def _alternatives(phrases: list[NounPhrase]) -> NounPhrase:
    """What answers to several things: "a dog face or a wheel"; the verb agrees with the last."""
    if any(phrase.compound for phrase in phrases):
        words = " or ".join(phrase.bare for phrase in phrases)
        return NounPhrase(words, words, True, True)
    return NounPhrase(
        " or ".join(phrase.text for phrase in phrases),
        " or ".join(phrase.bare for phrase in phrases),
        phrases[-1].plural,
        True,
    )


def indefinite(words: str) -> str:
    """The words with "a" or "an" before them."""
    return f"{article(words)} {words}"


def other_number(phrase: NounPhrase) -> str:
    """The bare phrase with its head noun in the other number, for readers that are not strict about it."""
    words = phrase.bare.split(" ")
    core, _ = _core([word.lower() for word in words])
    at = len(core) - 1
    head = words[at]
    return " ".join([*words[:at], singular_of(head) if is_plural(head) else plural_of(head), *words[at + 1 :]])


def _is_doing(word: str) -> bool:
    """Whether a word in -ing takes no article: "snorkeling", but "O-ring"."""
    return word.endswith("ing") and len(word) > 5 and word not in COUNTABLE_ING


def _is_adjective(head: str, *, alone: bool) -> bool:
    if head in ADJECTIVES:
        return True
    return alone and len(head) > 6 and head.endswith("ed") and not head.endswith(("eed", "hundred", "tweed"))


def _core(tokens: list[str]) -> tuple[list[str], bool]:
    """The words up to and including the head noun, and whether several things are joined."""
    end = next((i for i, token in enumerate(tokens) if i and token in PHRASE_BREAKS), len(tokens))
    core = tokens[:end]
    joined = any(token.endswith(",") or token in ("&", "/") for token in core[:-1])
    for i, token in enumerate(core[1:-1], start=1):
        if token in ("and", "or"):
            # "black and white stripes": two adjectives, one thing
            joined = joined or not (core[i - 1] in COLORS or core[i - 1] in ADJECTIVES or core[i - 1].endswith("ed"))
    return core, joined


def _decapitalized(words: str) -> str:
    """Without the capital with which tables begin their entries, unless it belongs to a name."""
    first, _, rest = words.partition(" ")
    if first.lower() in DETERMINERS and first.lower() != first:
        return f"{first.lower()} {rest}".strip()
    stem = re.split(r"[-']", first, maxsplit=1)[0]
    titled = any(word[:1].isupper() for word in rest.split(" "))
    if (
        len(stem) < 2
        or not stem[0].isupper()
        or not stem[1:].islower()
        or titled
        or stem.lower().removesuffix("s") in PROPER
    ):
        return words
    return f"{first[0].lower()}{first[1:]} {rest}".strip()


def _unrepeated(words: str) -> str:
    """Makes "flower" of "flower, flower, flower": captioning models stutter."""
    parts = [part.strip() for part in re.split(r",(?!\d)", words)]  # not within "1,800"
    if len(parts) < 2 or not all(parts):
        return words
    return ", ".join(dict.fromkeys(parts))
