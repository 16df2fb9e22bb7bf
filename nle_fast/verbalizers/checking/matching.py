"""Finds the names of one meaning representation, and the words that the checker knows, in a text."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

from nle_fast.schema import Meaning
from nle_fast.verbalizers.language.glossary import LEXICON
from nle_fast.verbalizers.language.phrases import PREPOSITIONS, Key, Name, Names
from nle_fast.verbalizers.language.vocabulary import Entry, places_of, tokenize, word_set

__all__ = ["ARTICLES", "CLOSE", "OPEN", "Known", "Matcher"]

OPEN, CLOSE = frozenset("“\"‘'"), frozenset("”\"’'")
ARTICLES = frozenset(("a", "an", "the"))
_BEFORE_LABEL = ARTICLES | OPEN | {"as", "for", "on", "class", "label", "answer", "it", "of", "with", "network's"}
#: What may stand between the names of a subject: places, neurons by their number, and words that are not trusted.
_IN_SUBJECTS = ARTICLES | OPEN | CLOSE | PREPOSITIONS | word_set(", ; ( ) and as well both all what something detects")
_KINDS_IN_SUBJECTS = frozenset(("position", "neuron", "loosely", "sure", "both", "all", "part"))


@dataclass(frozen=True, slots=True)
class Known:
    """A token sequence that is a name, and what it can be: "class", "versus", "layer", or the key of a concept.

    `roles` are for names between quotation marks, `bare` for names that may stand without. `after`: the head of a name
    that it must follow: "what is typical of" for "of dogs". `perhaps`: it is said with doubt.
    """

    tokens: Key
    roles: tuple[str | Key, ...]
    bare: tuple[str | Key, ...]
    after: str = ""
    perhaps: bool = False


class Matcher:
    """A text in words, and what begins at a word.

    Attributes:
        words: Case-folded words, numbers and marks.
        starts, ends: Where they stand in the text.
    """

    def __init__(self, text: str, meaning: Meaning, names: Names, lenient: bool) -> None:
        self.words, self.starts, self.ends = places_of(text)
        self.known: dict[str, list[Known]] = _known_names(names)
        self.lenient = lenient
        self.plain = meaning.style != "expert"
        self.head = ""  # of the last name, which the next may share
        self.heads = {name.key: name.head for name in names.concepts if name is not None}

    def entry(self, i: int, word: str) -> Entry | None:
        """The longest words of the vocabulary that begin with this one, word i."""
        words = self.words
        alone, longer, _ = LEXICON[word]
        if longer and i + 1 < len(words):
            for entry in longer.get(words[i + 1], ()):
                end = i + len(entry.tokens)
                if words[i:end] == entry.tokens and not self.cuts(i, end):
                    return entry
        return alone

    def cuts(self, i: int, end: int) -> bool:
        """Whether a name begins inside these tokens and goes on behind them: "for it", "it girl"."""
        for j in range(i + 1, end):
            for known in self.known.get(self.words[j], ()):
                size = len(known.tokens)
                if known.bare and not known.after and j + size > end and self.words[j : j + size] == known.tokens:
                    return True
        return False

    def find_name(self, i: int, word: str) -> tuple[Known | None, int]:
        """The longest name that begins here, and 1 where it stands between quotation marks."""
        words = self.words
        if word in OPEN and i + 1 < len(words):
            for known in self.known.get(words[i + 1], ()):
                after = i + 1 + len(known.tokens)
                if after < len(words) and words[after] in CLOSE and words[i + 1 : after] == known.tokens:
                    return known, 1
        for known in self.known.get(word, ()):
            if known.after and known.after != self.head:
                continue
            if (self.lenient or known.bare) and words[i : i + len(known.tokens)] == known.tokens:
                return known, 0
        return None, 0

    def is_subject(self, end: int) -> bool:
        """Whether the name that ends there is the subject, or one of several, of what concepts do: "… speak for it"."""
        i = bisect_left(self.starts, end)
        while i < len(self.words):
            word = self.words[i]
            entry = self.entry(i, word) if word in LEXICON else None
            known, skip = self.find_name(i, word) if word in self.known or word in OPEN else (None, 0)
            if known is not None:
                i += len(known.tokens) + 2 * skip
            elif entry is not None and entry.kind == "backward":
                return True
            elif entry is not None and entry.kind in _KINDS_IN_SUBJECTS:
                i += len(entry.tokens)
            elif word in _IN_SUBJECTS or word.isdecimal():
                i += 1
            else:
                return False
        return False

    def label_ahead(self, i: int) -> str:
        """The role of the label that stands at token i, perhaps after an article; empty where there is none."""
        roles = self._roles_ahead(i)
        return next((role for role in ("versus", "class") if role in roles), "")

    def runner_up_ahead(self, i: int) -> bool:
        """Whether the label of the class that comes next stands at token i."""
        return "runner_up" in self._roles_ahead(i)

    def _roles_ahead(self, i: int) -> tuple[str | Key, ...]:
        for j in range(i, min(i + 5, len(self.words))):
            known, skip = (
                self.find_name(j, self.words[j]) if self.words[j] in self.known or self.words[j] in OPEN else (None, 0)
            )
            if known is not None:
                return known.bare if known.bare and not skip else known.roles
            if self.words[j] not in _BEFORE_LABEL:
                return ()
        return ()


def _known_names(names: Names) -> dict[str, list[Known]]:
    """First token → names that begin with it: longest first, as written before other forms."""
    roles: dict[tuple[Key, bool], list[str | Key]] = {}
    bare: dict[tuple[Key, bool], list[str | Key]] = {}

    def add(name: Name, role: str | Key, tokens: Key, exact: bool = True) -> None:
        some = roles.setdefault((tokens, exact), [])
        if role not in some:
            some.append(role)
        if not name.quoted:
            some = bare.setdefault((tokens, exact), [])
            if role not in some:
                some.append(role)

    add(names.target, "class", names.target.key)
    if names.versus is not None:
        add(names.versus, "versus", names.versus.key)
    for role, other in names.others.items():
        add(other, role, other.key)
    add(names.layer, "layer", names.layer.key)
    for name in names.concepts:
        if name is not None:
            for form in name.forms:
                add(name, name.key, form)
            for variant in name.variants:
                add(name, name.key, variant, False)
    by_first: dict[str, list[Known]] = {}
    for (tokens, exact), what in roles.items():
        if exact or (tokens, True) not in roles:  # a form of one name that is another name as written is the other name
            known = Known(tokens, tuple(what), tuple(bare.get((tokens, exact), ())))
            by_first.setdefault(tokens[0], []).append(known)
    for name in names.concepts:
        if name is not None and name.head:
            further = tuple(token.text for token in tokenize(name.further))
            known = Known(further, (name.key,), (name.key,), name.head)
            by_first.setdefault(further[0], []).append(known)
            doubtful = tuple(token.text for token in tokenize(name.perhaps))
            for form in (doubtful, doubtful[2:]):
                by_first.setdefault(form[0], []).append(Known(form, (name.key,), (name.key,), perhaps=True))
    for some in by_first.values():
        if len(some) > 1:
            some.sort(key=lambda known: -len(known.tokens))
    return by_first
