"""What the checker understands besides the names of a meaning representation: places, markers, and glue.

The vocabulary is closed on purpose: a word that is neither in here nor part of a name is a claim that nobody made.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, NamedTuple

__all__ = [
    "CORE",
    "COUNTS",
    "ENTRIES",
    "RESERVED",
    "WORDS",
    "Entry",
    "Kind",
    "Token",
    "entries_of",
    "places_of",
    "spelled",
    "tokenize",
]

Kind = Literal[
    "position",  # value: one of the position names; "a|b" for both, "a~b" for either
    "forward",  # the concepts that follow are for or against (value)
    "backward",  # the concepts before it are for or against (value)
    "again",  # the concepts that follow are what the last ones were
    "contrast",  # "although": the concepts that follow are against unless something else says otherwise
    "object",  # a label may follow: "evidence for a zebra"
    "class", "notclass",  # the label that follows is, or is not, the network's answer
    "isclass", "isnotclass",  # the label before is, or is not, the network's answer
    "why",  # the label that follows is asked about
    "would",  # allowed of what is not the network's answer
    "versus",  # the label that follows is what it is compared with
    "than",  # the same, where such a label follows; else nothing
    "not",  # the same, or "notclass", by the label that follows; else a negation
    "both", "all",  # the position that follows belongs to two, or to all, of the concepts before
    "count",  # value: how many there must be
    "main",  # a claim that must be true of the first concept
    "most",  # a claim that must be true of the concept with the largest share
    "part",  # a claim that is false of a concept that is nearly all
    "only",  # allowed before a number
    "bound",  # value: "<" or ">", before a number
    "probability", "share", "coverage",  # what a number is
    "sure",  # allowed after a number: the probability
    "together",  # the number after it is of all the evidence told
    "fraction",  # value: a percentage in words, of the evidence
    "neuron", "layer", "percent",
    "loosely",  # untrusted words of an unnamed neuron follow
    "none",  # "no evidence"
    "rest",  # value "most": "most of it is not named here"; "some": "the rest is not named here"
    "certainty",  # value: how sure the network is
    "first",  # "leans to the first": of two classes between which the network hesitates
    "next", "also", "would be",  # the label that follows is the runner-up, a further answer, another answer
    "unnamed",  # value: so many things without a name
    "perhaps",  # the words that follow were not judged
    "counted",  # value: so many small pieces; negative: against it
    "unexplained",  # what no feature explains; value: "for" or "against"
    "seen",  # the number that follows is how much of the picture the network saw
    "assumed",  # value: what was assumed
    "negation",
    "noun",  # glue that could be a thing in a list of things, and is then an added claim
    "glue",
]  # fmt: skip


class Entry(NamedTuple):
    """Words that mean something to the checker."""

    tokens: tuple[str, ...]
    kind: Kind
    value: str = ""


class Token(NamedTuple):
    """One case-folded word, number or mark of a text, and where it stands."""

    text: str
    start: int
    end: int


#: Numbers in words.
COUNTS = (
    "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
)  # fmt: skip

_TOKEN = re.compile(r"[−-]?\d+(?:\.\d+)?|[^\W\d_]+(?:['’][^\W\d_]+)*|[^\w\s\-\u2010\u2011]|_")


def tokenize(text: str) -> list[Token]:
    """Words, numbers and marks; hyphens count as spaces, so that "top-left" is "top left"."""
    folded = text.casefold()
    if len(folded) == len(text):  # no letter became two: all stand where they stood
        if "’" in folded:
            folded = folded.replace("’", "'")
        return [Token(match[0], match.start(), match.end()) for match in _TOKEN.finditer(folded)]
    return [Token(match[0].casefold().replace("’", "'"), match.start(), match.end()) for match in _TOKEN.finditer(text)]


def word_set(text: str) -> frozenset[str]:
    """The words of a text, separated by spaces."""
    return frozenset(text.split())


def places_of(text: str) -> tuple[tuple[str, ...], list[int], list[int]]:
    """The tokens of a text as words, starts and ends: `tokenize` for readers in a hurry."""
    folded = text.casefold()
    if len(folded) != len(text):
        tokens = tokenize(text)
        return tuple(token.text for token in tokens), [token.start for token in tokens], [token.end for token in tokens]
    folded = folded.replace("’", "'")
    words: list[str] = _TOKEN.findall(folded)
    starts, ends, at = [], [], 0
    find = folded.index
    for word in words:  # between two tokens there is nothing but spaces and hyphens
        at = find(word, at)
        starts.append(at)
        at += len(word)
        ends.append(at)
    return tuple(words), starts, ends


_POSITIONS = {
    "top": "top; top edge; upper part; upper edge; top part",
    "bottom": "bottom; bottom edge; lower part; lower edge; bottom part",
    "left": "left; left side; left hand side; left edge; center left",
    "right": "right; right side; right hand side; right edge; center right",
    "center": "center; centre; central part; central area",
    "middle~center": "middle; middle of the picture",
    "upper half": "upper half; top half",
    "lower half": "lower half; bottom half",
    "left half": "left half; left hand half",
    "right half": "right half; right hand half",
    "entire top": "entire top; whole top; entire top edge",
    "entire bottom": "entire bottom; whole bottom; entire bottom edge",
    "entire left": "entire left; entire left side; whole left side; entire left edge",
    "entire right": "entire right; entire right side; whole right side; entire right edge",
    "entire image~entire picture": (
        "entire image; whole image; entire picture; whole picture; entire photo; whole photo; everywhere"
    ),
    "most of the picture": "most of the picture; most of the image; most of the photo",
    "spread over the picture": "spread over the picture; spread over the image; spread over the photo",
    "center cross": "center cross; central cross; cross through the center; cross through the middle",
    "perimeter": "perimeter; border of the picture; border of the image",
}

_PHRASES: dict[tuple[Kind, str], str] = {
    ("forward", "for"): (
        "because of; for:; due to; owing to; thanks to; based on; on account of; supported by; relies on; rests on; "
        "support comes from; support from; evidence for it comes from; evidence comes from; "
        "evidence for it is; what speaks for it is; speaking for it; in favor of it; what speaks for the latter is; "
        "evidence for the latter comes from; evidence for the latter is; its reasons are; its reason is"
    ),
    ("forward", "against"): (
        "against; against it; despite; in spite of; opposed by; evidence against it comes from; "
        "evidence against it is; what speaks against it is; speaking against it; notwithstanding; "
        "what speaks against the latter is; evidence against the latter comes from; evidence against the latter"
    ),
    ("backward", "for"): (
        "speak for; speaks for; support; supports; argue for; argues for; point to; points to; count for; "
        "counts for; count toward; counts toward; favor; favors; suggest; suggests; spoke for; supported; "
        "led the network to the answer; is evidence for; are evidence for"
    ),
    ("backward", "against"): (
        "speak against; speaks against; argue against; argues against; point against; points against; "
        "count against; counts against; weigh against; weighs against; oppose; opposes; contradict; "
        "contradicts; point away from; points away from; spoke against; is evidence against; "
        "are evidence against"
    ),
    ("again", ""): "so do; so does",
    ("contrast", ""): (
        "although; though; even though; but; however; yet; while; whereas; on the other hand; in contrast; "
        "still; nevertheless"
    ),
    ("class", ""): (
        "answer is; it is; it's; this is; answer was; answer; prediction is; predicted; predicts; "
        "classified as; classifies it as; "
        "recognized; recognizes; chose; chooses; decided on; sees"
    ),
    (
        "notclass",
        "",
    ): "answer is not; prediction is not; did not choose; does not see; does not predict; did not predict",
    ("isclass", ""): "is the network's answer",
    ("isnotclass", ""): "is not the network's answer",
    ("why", ""): "why",
    ("would", ""): "would",
    ("object", ""): "evidence for",
    ("versus", ""): "rather than; instead of; as opposed to; compared with; compared to",
    ("not", ""): "not; and not; but not; is not; was not",
    ("both", ""): "both",
    ("all", ""): "all; all three; all of them",
    ("main", ""): "main reason; mainly; mostly; chiefly; primarily; largely; above all; most of all",
    ("only", ""): "only; just; merely",
    ("bound", "<"): "<; less than; fewer than",
    ("bound", ">"): ">; more than",
    ("probability", ""): "probability; probability of; confidence; confidence of",
    ("sure", ""): "sure; certain",
    ("part", ""): "partly",
    ("share", ""): "share; shares; share of",
    (
        "coverage",
        "",
    ): "make up; makes up; cover; covers; account for; accounts for; amount to; amounts to; coverage; coverage of",
    ("together", ""): "together; altogether; in all; in total; all together; these; they; this",
    ("neuron", ""): "neuron; neurons",
    ("layer", ""): "layer",
    ("percent", ""): "%; percent; per cent",
    ("none", ""): (
        "no evidence; no evidence named; no evidence for it can be named; no evidence for the latter can be named"
    ),
    ("loosely", ""): "loosely",
    ("rest", "most"): "so most of it is not named here; most of it is not named here",
    ("rest", "some"): ("the rest is not named here; the rest is in smaller pieces; the rest is smaller still"),
    ("most", ""): "more of the evidence comes from; more of it comes from",
    ("certainty", "certain"): "is certain; certain of its answer",
    ("certainty", "quite sure"): "is quite sure; quite sure of its answer",
    ("certainty", "thinks"): "network thinks; it thinks; model thinks; classifier thinks",
    ("certainty", "guesses"): (
        "network guesses; it guesses; model guesses; classifier guesses; network's guess is; its guess is; "
        "model's guess is; classifier's guess is"
    ),
    ("certainty", "hesitates"): "hesitates between; hesitating between; hesitates",
    ("first", ""): "but leans to the first; leans to the first",
    ("next", ""): "ahead of",
    ("also", ""): "also answers; also sees; also says; also recognizes",
    ("would be", ""): "answer would be",
    ("perhaps", ""): "perhaps",
    ("unnamed", "1"): "something without a name",
    ("unexplained", "for"): "what no feature explains adds; is in what no feature explains; remains unexplained",
    ("unexplained", "against"): (
        "what no feature explains speaks against it; what remains unexplained speaks against it; "
        "unexplained rest speaks against it"
    ),
    ("seen", ""): "saw the middle; sees the middle; saw only the middle; sees only the middle",
    ("assumed", "outputs"): "outputs were taken as logits; outputs are taken as logits",
    ("assumed", "preprocessing"): "usual preprocessing was assumed; usual preprocessing is assumed",
    ("assumed", "conventions"): "with other usual preprocessing; with another usual preprocessing",
    ("negation", ""): (
        "no; never; without; neither; nor; none; nothing; nobody; cannot; can't; don't; doesn't; didn't; "
        "isn't; aren't; wasn't; weren't; won't; hardly; rarely; barely; scarcely; except; unless; if; lack; "
        "lacks; absence; missing; absent; nowhere; unlikely; seldom; refuses; fails; fail; instead"
    ),
    ("glue", ""): (
        "a; an; the; and; or; of; in; on; at; to; by; from; with; for; as; is; are; was; were; be; it; its; "
        "this; that; these; those; they; them; their; there; which; what; network; network's; classifier; "
        "classifier's; model; model's; evidence; also; too; together; further; more support; another; same; "
        "image; picture; photo; something; things; responds; respond; detects; corner; corners; along; across; around; "
        "near; hand; part; for it; evidence for it; in its favor; named here; has; have; seen; shown; "
        "visible; found; located; lies; lie; appears; appear; well; then; in addition; moreover; furthermore; "
        "finally; first; second; third; comes; come; because; unnamed; about; roughly; around; called; so; "
        "into; where; who; decision; class; label; concept; side; about; up; latter"
    ),
}


def _counted() -> dict[tuple[Kind, str], str]:
    """What is only counted, for each number."""
    found: dict[tuple[Kind, str], str] = {}
    for n, word in enumerate(COUNTS[1:], 1):
        pieces, add, speak = ("pieces", "add", "speak") if n > 1 else ("piece", "adds", "speaks")
        if n > 1:
            found["unnamed", str(n)] = f"{word} patterns without a name; {word} things without a name"
        for what in (pieces, f"{pieces} of evidence"):
            said = f"{word} smaller {what}"
            found["counted", str(n)] = f"{found.get(('counted', str(n)), '')}; {said} {add}"
            found["counted", str(-n)] = f"{found.get(('counted', str(-n)), '')}; {said} {speak} against it"
    return found


#: "top left" is the corner, "upper left" the quarter, unless only the other is there.
_QUARTERS = {
    "~".join(names if word in ("top", "bottom") else names[::-1]): "; ".join(
        f"{word} {side}{tail}" for tail in ("", " quarter", " quarters")
    )
    for vertical, words in {"top": ("top", "upper"), "bottom": ("bottom", "lower")}.items()
    for word in words
    for side in ("left", "right")
    for names in ((f"{vertical}-{side} corner", f"{words[1]} {side} quarter"),)
}

_ALL_BUT = {
    f"{side} half|{level} half": f"everywhere but in the {other_level} {other_side}"
    for side, other_side in (("left", "right"), ("right", "left"))
    for level, other_level in (("upper", "lower"), ("lower", "upper"))
}

_CORNERS = {
    f"{vertical}-{side} corner": "; ".join(
        f"{word} {side}{tail}" for word in words for tail in (" corner", " corners", " hand corner")
    )
    for vertical, words in {"top": ("top", "upper"), "bottom": ("bottom", "lower")}.items()
    for side in ("left", "right")
}


def spelled(phrases: Mapping[tuple[Kind, str], str]) -> list[Entry]:
    """Entries from lists of phrases, separated by semicolons."""
    return [
        Entry(tuple(token.text for token in tokenize(phrase)), kind, value)
        for (kind, value), text in phrases.items()
        for phrase in text.split(";")
        if phrase.strip()
    ]


def entries_of(*lists: list[Entry]) -> dict[str, tuple[Entry, ...]]:
    """First word → entries that begin with it, longest first; of entries with the same words the first counts."""
    found: dict[tuple[str, ...], Entry] = {}
    for entries in lists:
        for entry in entries:
            found.setdefault(entry.tokens, entry)
    by_first: dict[str, list[Entry]] = {}
    for entry in sorted(found.values(), key=lambda entry: -len(entry.tokens)):
        by_first.setdefault(entry.tokens[0], []).append(entry)
    return {first: tuple(some) for first, some in by_first.items()}


#: Everything that our own texts say besides names.
CORE = [
    *spelled({("position", name): text for name, text in {**_POSITIONS, **_ALL_BUT, **_QUARTERS, **_CORNERS}.items()}),
    *spelled(_counted()),
    *spelled(_PHRASES),
]

#: First token → entries that begin with it, longest first.
ENTRIES = entries_of(CORE)

#: Every word of the vocabulary.
WORDS = frozenset(token for entries in ENTRIES.values() for entry in entries for token in entry.tokens)

#: Words that carry meaning wherever they stand: a name that contains one is written in quotation marks.
RESERVED = frozenset(
    entry.tokens[0]
    for entries in ENTRIES.values()
    for entry in entries
    if len(entry.tokens) == 1
    and entry.kind not in ("glue", "position", "share", "layer", "together", "both", "all", "bound", "part", "loosely")
) | {"because", "despite", "although", "speaks", "speak", "rather"}
