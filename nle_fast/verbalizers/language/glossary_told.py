"""Other words for what is told besides evidence: how sure the network is, small pieces, what was seen and assumed.

For the checker only; see `glossary`. Each of these words claims one fact, and is an added claim where there is none.
"""

from __future__ import annotations

from nle_fast.verbalizers.language.vocabulary import COUNTS, Kind

__all__ = ["TOLD", "told_counts"]

_WHO = ("network", "it", "model", "classifier")


def _said(*verbs: str) -> str:
    """Each verb after each word for the network: "network thinks; it thinks"."""
    return "; ".join(f"{who} {verb}" for who in _WHO for verb in verbs)


def _sure(*words: str) -> str:
    """That somebody is sure, in each of these words."""
    return "; ".join(
        text
        for word in words
        for text in (
            *(f"{who} {word}" for who in ("is", "was", "it is", "it was")),
            *(f"{word} {tail}" for tail in ("of its answer", "that")),
        )
    )


TOLD: dict[tuple[Kind, str], str] = {
    ("certainty", "certain"): _sure("certain"),
    ("certainty", "quite sure"): _sure("quite sure", "fairly sure", "pretty sure", "quite certain", "fairly certain"),
    ("certainty", "thinks"): _said("thinks", "thought", "believes", "believed"),
    ("certainty", "guesses"): f"{_said('guesses', 'guessed')}; guess is; best guess is; guess was; best guess was",
    ("certainty", "hesitates"): """
        hesitates between; hesitated between; hesitating between; is torn between; was torn between; torn between;
        wavers between; wavered between; wavering between; cannot decide between; could not decide between; is undecided
        between; was undecided between; undecided between; cannot quite decide between
    """,
    ("first", ""): """
        leans towards the first; leans toward the first; leaned to the first; leaned toward the first; leaned towards
        the first; leaning to the first; leaning toward the first; leaning towards the first; tends to the first; tends
        toward the first; prefers the first; preferred the first; preferring the first; chose the first; chooses the
        first; decides for the first; decided for the first; settles on the first; settled on the first; with the first
        ahead; the first is ahead; leans to the former; leans toward the former; leans towards the former; prefers the
        former; chose the former
    """,
    ("next", ""): "ahead of; followed by; runner up is; runner up was; next comes; second comes; in second place",
    ("also", ""): """
        also answered; also saw; also recognized; also names; also named; also gives; also predicts; also predicted;
        also chose; also chooses; also finds; further answer is; further answers are; further labels are; further label
        is; other answers are; other answer is; answers further are
    """,
    ("would be", ""): """
        picture would be; image would be; photo would be; network would answer; it would answer; model would answer;
        network would say; it would say; network would see
    """,
    ("perhaps", ""): "maybe; possibly",
    ("unnamed", "1"): """
        something that has no name; something which has no name; something nameless; something unnamed; an unnamed
        thing; a thing without a name; one thing without a name; one unnamed thing; a nameless thing; one thing that has
        no name; a thing that has no name
    """,
    ("unexplained", "for"): """
        what no feature explains makes up; what no feature explains accounts for; what no feature explains contributes;
        what no feature explains is; what no feature explains brings; no feature explains; no feature accounts for; the
        rest that no feature explains adds; the rest that no feature explains is; is explained by no feature; remains
        unexplained by the features; remains unexplained by features; lies in what no feature explains; comes from what
        no feature explains; is not explained by any feature; is left unexplained by the features; that no feature
        explains; goes unexplained by the features; remain unexplained by the features; are explained by no feature
    """,
    ("unexplained", "against"): """
        what no feature explains counts against it; what no feature explains argues against it; the rest that no feature
        explains speaks against it; the rest that no feature explains counts against it; what no feature explains weighs
        against it
    """,
    ("seen", ""): """
        saw only the middle; saw just the middle; only saw the middle; sees only the middle; only sees the middle;
        looked at the middle; looked only at the middle; only looked at the middle; looks at the middle; was shown the
        middle; was shown only the middle; was only shown the middle; only the middle; what the network saw is the
        middle
    """,
    ("assumed", "outputs"): """
        outputs were read as logits; outputs are read as logits; outputs were assumed to be logits; outputs are assumed
        to be logits; it was assumed that the outputs are logits; it is assumed that the outputs are logits; it was
        assumed that its outputs are logits; outputs were treated as logits; outputs were taken for logits; assuming
        that the outputs are logits; assuming that its outputs are logits
    """,
    ("assumed", "preprocessing"): """
        usual preprocessing was taken for granted; it was assumed that the picture is prepared in the usual way; it was
        assumed that pictures are prepared in the usual way; assuming the usual preprocessing; assuming usual
        preprocessing; usual preparation of pictures was assumed; usual preparation was assumed
    """,
    ("assumed", "conventions"): """
        prepared in another usual way; under another usual preprocessing; with the other usual preprocessing; if it were
        prepared in another usual way; if the picture were prepared in another usual way; had the picture been prepared
        in another usual way; under other usual preprocessing
    """,
}

_SMALL = (
    "smaller {}",
    "small {}",
    "smaller {} of evidence",
    "small {} of evidence",
    "minor {}",
    "minor {} of evidence",
)
_ADD = ("add", "contribute", "bring", "make up", "account for", "amount to", "give")
_SPEAK = ("speak", "count", "argue", "weigh")


def told_counts() -> dict[tuple[Kind, str], str]:
    """What has no name and what is only counted, for each number."""
    found: dict[tuple[Kind, str], str] = {}
    for n, word in enumerate(COUNTS[1:], 1):
        piece, end = ("pieces", "") if n > 1 else ("piece", "s")
        if n > 1:
            ways = ("{} unnamed things", "{} nameless things", "{} things that have no name", "{} things with no name")
            found["unnamed", str(n)] = "; ".join(way.format(word) for way in ways)
        what = [f"{word} {small.format(piece)}" for small in _SMALL]
        adds = [f"{verb}{end}" if " " not in verb else verb.replace(" ", f"{end} ", 1) for verb in _ADD]
        phrases = [f"{some} {verb}" for some in what for verb in adds]
        phrases += [f"{lead} {some}" for some in what for lead in ("comes from", "come from", "is in", "are in")]
        found["counted", str(n)] = "; ".join(phrases)
        spoken = [f"{some} {verb}{end} against {it}" for some in what for verb in _SPEAK for it in ("it", "this")]
        found["counted", str(-n)] = "; ".join([*spoken, *(f"{some} oppose{end} it" for some in what)])
    return found
