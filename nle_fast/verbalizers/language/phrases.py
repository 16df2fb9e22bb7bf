"""The names that occur in one meaning representation, as they are written and as they are recognized.

A name that could be mistaken for something else - a place, a number, a marker, the beginning of another name - is
written in quotation marks: “dots on the left”. The checker reads what stands between them as a name and nothing else.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from functools import lru_cache

from nle_fast.errors import VerbalizerError
from nle_fast.schema import Evidence, Meaning
from nle_fast.verbalizers.language.glossary import LEXICON
from nle_fast.verbalizers.language.vocabulary import ENTRIES, RESERVED, WORDS, tokenize
from nle_fast.verbalizers.language.words import clean, is_clause, label_name, noun_phrase, other_number

__all__ = [
    "NEURON",
    "PREPOSITIONS",
    "UNNAMED",
    "Key",
    "Name",
    "Names",
    "about",
    "coverage_rest",
    "leads",
    "names_of",
    "percent",
    "quoted",
]

Key = tuple[str, ...]

#: First token of the keys of unnamed neurons; no text has such a token.
NEURON = "\0neuron"

#: Key of all that has no name, where numbers of neurons are not told.
UNNAMED: Key = ("\0unnamed",)

_PLAIN_WORDS = re.compile(r"[^\W\d_]+(?:(?: |-|['’])[^\W\d_]+)*")
# Of clauses also lists, and what tells homonyms apart: "what is typical of masks (for the face), and of wigs".
_PLAIN_CLAUSE = re.compile(r"[^\W\d_]+(?:(?: |-|['’]|, | \()[^\W\d_]+\)?)*")
_TYPICAL = "what is typical of"
#: How clauses begin, and the last word of it, with which lists go on: "what is typical of cats, of dogs, and of birds".
_HEADS = {_TYPICAL: "of"}
#: What joins the parts of a name: "or", since "and" joins one name and the next.
_FURTHER_PART = re.compile(",(?: and)? of ")
_TINY = 1e-9  # of a fraction
_PLAIN_LAYER = re.compile(r"[A-Za-z_/][\w./:-]*[\w]")
_PLACE_WORDS = frozenset(
    token for entries in ENTRIES.values() for entry in entries if entry.kind == "position" for token in entry.tokens
) - {"the", "of", "image", "picture", "photo", "part", "edge", "side", "hand", "cross", "area", "border", "through"}
PREPOSITIONS = frozenset(["in", "on", "at", "along", "across", "around"])
_EDGES = (
    PREPOSITIONS
    | {"and", "as", "because", "by", "for", "from", "is", "led", "of", "or", "rather", "than", "to"}
    | {"why", "with"}
)  # a name that begins or ends with one would run into the sentence
_GOES_ON = (WORDS | {",", "&", "/"}) - {"or"}  # may follow a name in a sentence; no sentence joins evidence by "or"
_JOINTS = frozenset((",", "and", "as", "well", "perhaps", "a", "an", "the", "both", "all"))
_THINGS = frozenset(
    ["hand", "part", "class", "label", "concept", "picture", "image", "photo", "things", "decision", "side"]
)
_FOLLOW = PREPOSITIONS | {":", "is", "are", "was", "were", "and", "as", "rather", "speak", "speaks", "would"}
# Names with which other words begin: "counter: …", "output is …", "resting on …".
_RUN_ON = frozenset(
    entry.tokens[:size]
    for words in LEXICON.values()
    for entries in words.longer.values()
    for entry in entries
    if entry.kind != "glue"  # a name goes before glue
    for size in range(1, len(entry.tokens))
    if entry.tokens[size] in _FOLLOW
)
# Names that are places: "entire image".
_WHERE = frozenset(
    entry.tokens
    for entries in ENTRIES.values()
    for entry in entries
    if entry.kind == "position" and len(entry.tokens) > 1
)
_INSIDE = frozenset(
    token for entries in ENTRIES.values() for entry in entries if entry.kind != "position" for token in entry.tokens[1:]
)


@dataclass(frozen=True, slots=True)
class Name:
    """How one concept, label or layer is written.

    Attributes:
        text: With article or quotation marks: "a dog face", “dots on the left”.
        bare: Without the article, for captions: "dog face".
        key: Tokens of the text without its article; two names with one key are one thing.
        plural: Takes a plural verb.
        quoted: Stands between quotation marks.
        forms: Token sequences as which it is written.
        variants: Token sequences by which a lenient reader recognizes it too: the other number.
        head: With which words it begins that lists say once: "what is typical of"; empty: none.
        further: How it goes on after another name with the same head: "of dogs"; else empty.
    """

    text: str
    bare: str
    key: Key
    plural: bool
    quoted: bool
    forms: tuple[Key, ...]
    variants: tuple[Key, ...]
    head: str = ""
    further: str = ""

    @property
    def perhaps(self) -> str:
        """How it is written when it was not judged: "what is perhaps typical of dogs", "perhaps dogs"."""
        begins = "what is "
        if self.head and self.text.startswith(begins):
            return f"{begins}perhaps {self.text[len(begins) :]}"
        return f"perhaps {self.text}"


@dataclass(frozen=True, slots=True)
class Names:
    """The names of one meaning representation.

    Attributes:
        target: The class that is explained.
        versus: The class it is compared with.
        layer: The layer.
        concepts: Parallel to the evidence; None for an unnamed neuron.
        others: Role → further label: "runner_up", "answer", "label.0", "assumed.0", …, those that are told.
    """

    target: Name
    versus: Name | None
    layer: Name
    concepts: tuple[Name | None, ...]
    others: dict[str, Name] = field(default_factory=dict)


def names_of(meaning: Meaning) -> Names:
    """The names in a meaning representation, quoted where they need it."""
    global _last
    known, names = _last
    if known is not meaning:
        names = _names_of(meaning)
        _last = meaning, names  # one write, so that threads always see a pair
    assert names is not None
    return names


#: The last meaning representation and its names: prompt, lattice and check ask one after the other.
_last: tuple[Meaning | None, Names | None] = None, None


def _names_of(meaning: Meaning) -> Names:
    classes = _classes(meaning)
    said = {role: label_name(label) for role, (label, _) in classes.items()}
    # ImageNet has two cranes and two maillots: then all their synonyms are said, or their numbers.
    for numbered in (False, True):
        indices: dict[Key, set[int]] = {}
        for role, (_, index) in classes.items():
            indices.setdefault(_key(said[role]), set()).update(() if index is None else (index,))
        for role, (label, index) in classes.items():
            if len(indices[_key(said[role])]) > 1:
                said[role] = f"{clean(label)} (class {index})" if numbered else clean(label)
    labels = [_label(said[role] or f"class {index}") for role, (_, index) in classes.items()]
    concepts = [None if item.concept is None else _concept(item.concept) for item in meaning.evidence]
    unquoted = [*labels, *concepts]
    keys_of = {form for name in unquoted if name is not None for form in name.forms}
    written = [name and _quote_beginnings(name, keys_of) for name in unquoted]
    by_role = {role: name for role, name in zip(classes, written, strict=False) if name is not None}
    target, versus = by_role.pop("class"), by_role.pop("versus", None)
    return Names(target, versus, _layer(meaning.layer), tuple(written[len(classes) :]), by_role)


def _classes(meaning: Meaning) -> dict[str, tuple[str, int | None]]:
    """Role → label and index of each class that is told."""
    found: dict[str, tuple[str, int | None]] = {"class": (meaning.target.label, meaning.target.index)}
    if meaning.versus is not None:
        found["versus"] = meaning.versus.label, meaning.versus.index
    if meaning.style == "short":
        return found
    if meaning.photos is None:
        if meaning.doubt == "hesitates" and meaning.runner_up is not None:
            found["runner_up"] = meaning.runner_up.label, meaning.runner_up.index
        if meaning.answer is not None and not meaning.winner:
            found["answer"] = meaning.answer.label, meaning.answer.index
        found |= {f"label.{i}": (other.label, other.index) for i, other in enumerate(meaning.also)}
    assumed = ((i, what.label) for i, what in enumerate(meaning.assumed))
    return found | {f"assumed.{i}": (label, None) for i, label in assumed if label is not None}


def leads(meaning: Meaning, first: tuple[Evidence, ...]) -> bool:
    """Whether "mainly" is true of the first concept (all its neurons together).

    It must make up at least half of what is named, and what is named at least half of all supporting evidence.
    """
    return meaning.coverage >= 0.5 and sum(item.share for item in first) >= meaning.coverage / 2


def coverage_rest(meaning: Meaning) -> bool:
    """Whether "most of it is not named here" is true."""
    return meaning.coverage < 0.5


def percent(value: float, decimals: int) -> str:
    """A fraction as a percentage: "34%", "34.1%", "−5.2%", "<1%", ">99%".

    Rounded half up to `decimals`; what lies strictly between nothing and the smallest step is "<", what lies strictly
    between the last step and all is ">", so that neither "0%" nor "100%" is said of what is not.

    Raises:
        VerbalizerError: The value is not finite.

    Example:
        >>> percent(0.341, 0), percent(0.0004, 1), percent(0.9997, 1), percent(-0.052, 1), percent(1.0, 0)
        ('34%', '<0.1%', '>99.9%', '−5.2%', '100%')
    """
    if not math.isfinite(value):
        raise VerbalizerError(f"`share` and `coverage` must be finite, got {value!r}; check the scores.")
    scaled, step = abs(value) * 100, 10.0**-decimals
    sign = "−" if value < 0 else ""
    tiny = 100 * _TINY
    if tiny < scaled < step - tiny:
        return f"<{step:.{decimals}f}%" if not sign else f">−{step:.{decimals}f}%"
    if 100 - step + tiny < scaled < 100 - tiny and not sign:
        return f">{100 - step:.{decimals}f}%"
    rounded = math.floor(scaled / step + 0.5 + tiny) * step
    return f"{sign if rounded else ''}{rounded:.{decimals}f}%"


def about(value: float) -> str:
    """A fraction in steps of five percent: "about 35%", "less than 5%", "more than 95%".

    Example:
        >>> about(0.341), about(0.004), about(0.99), about(1.0)
        ('about 35%', 'less than 5%', 'more than 95%', '100%')
    """
    if not math.isfinite(value):
        raise VerbalizerError(f"`share` and `coverage` must be finite, got {value!r}; check the scores.")
    step = math.floor(value * 20 + 0.5) * 5
    if not _TINY < value < 1 - _TINY:
        return f"{step}%"
    return "less than 5%" if step <= 0 else "more than 95%" if step >= 100 else f"about {step}%"


def _key(text: str) -> Key:
    return tuple(token.text for token in tokenize(text))


@lru_cache(maxsize=1024)
def _concept(concept: str) -> Name:
    phrase = noun_phrase(concept)
    clause = is_clause(phrase.bare)
    if _needs_quotes(phrase.bare) or len(phrase.bare) > (160 if clause else 60) or not phrase.bare:
        return quoted(phrase.bare)
    written, bare = _key(phrase.text), _key(phrase.bare)
    key = written[1:] if written[0] in ("a", "an", "the") and len(written) > 1 else written
    forms = tuple(dict.fromkeys((key, bare, written)))
    if clause:
        head = next((some for some in _HEADS if phrase.text.lower().startswith(f"{some} ")), "")
        if head or key[1] == "looks":
            forms = (*forms, key[2:] if head else key[1:])  # "typical of cats", "looks like cats"
        text = _FURTHER_PART.sub(" or of ", phrase.text) if head else phrase.text
        written = _key(text)
        forms = tuple(dict.fromkeys((*forms, written, *((written[2:],) if head else ()))))
        further = text[len(head) - len(_HEADS[head]) :] if head else ""
        return Name(text, text, key, False, False, forms, (), head, further)
    other = _key(other_number(phrase))
    variants = () if all(token in WORDS for token in other) else (other,)  # "is" is no plural of "i"
    return Name(phrase.text, phrase.bare, key, phrase.plural, False, forms, variants)


@lru_cache(maxsize=1024)
def _label(label: str) -> Name:
    if _needs_quotes(label) or len(label) > 60:
        return quoted(label)
    key = _key(label)
    return Name(label, label, key, False, False, (key,), ())


@lru_cache(maxsize=64)
def _layer(layer: str) -> Name:
    words = clean(layer) if " " in layer else layer
    if _PLAIN_LAYER.fullmatch(words) and words.lower() not in WORDS:
        key = _key(words)
        return Name(words if words.startswith("layer") else f"layer {words}", words, key, False, False, (key,), ())
    name = quoted(clean(words))
    return Name(f"layer {name.text}", name.bare, name.key, False, True, (name.key,), ())


def quoted(words: str) -> Name:
    """Words as a name between quotation marks, whatever they are."""
    key = _key(words)
    if not key:
        return quoted("?")  # nothing that can be read aloud
    text = f"“{words}”"
    return Name(text, text, key, False, True, (key,), ())


def _quote_beginnings(name: Name, keys: set[Key]) -> Name:
    """Quoted, when another name plus the words that may follow it would read like this one."""
    if name.quoted:
        return name
    for form in name.forms:
        for other in keys:
            size = len(other)
            if size < len(form) and form[:size] == other and form[size] in _GOES_ON:
                if is_clause(name.bare) and not _another(form[size:], keys):
                    continue  # no list goes on after "what is typical of cats" with " and dogs"
                return quoted(name.bare)
    return name


def _another(rest: Key, keys: set[Key]) -> bool:
    """Whether a list could go on so: with a further name, alone or after the head that it shares."""
    while rest and rest[0] in _JOINTS:
        rest = rest[1:]
    heads = [_key(head) for head in _HEADS]
    names = keys | {key[len(head) - 1 :] for key in keys for head in heads if key[: len(head)] == head}
    return any(rest[: len(key)] == key for key in names)


@lru_cache(maxsize=1024)
def _needs_quotes(words: str) -> bool:
    if not (_PLAIN_CLAUSE if is_clause(words) else _PLAIN_WORDS).fullmatch(words):
        return True
    tokens = _key(words)
    if tokens[0] in _EDGES or tokens[-1] in _EDGES | {"a", "an", "the"}:
        return True
    if any(token in RESERVED for token in tokens) or all(token in WORDS - _THINGS for token in tokens):
        return True
    if tokens in _RUN_ON or tokens in _WHERE:
        return True
    for i, token in enumerate(tokens):
        if token in _PLACE_WORDS and any(before in PREPOSITIONS for before in tokens[max(0, i - 3) : i]):
            return True
        for entry in ENTRIES.get(token, ()):
            if (
                len(entry.tokens) > 1
                and entry.kind not in ("glue", "position")
                and tokens[i : i + len(entry.tokens)] == entry.tokens
            ):
                return True
    return tokens[0] in _INSIDE and not is_clause(words)  # "it girl" must not be eaten by "for it"
