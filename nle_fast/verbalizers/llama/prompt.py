"""What the embedded language model reads before it writes: a meaning representation in a few dozen tokens.

Whatever the choice of words may depend on, and nothing else: style, whether the target is the network's own answer and
how sure it is, names, and of every piece of evidence its polarity, the size of its share, and its places; then how much
that is, and what else there is to say. Numbers are read as sizes; the lattice alone knows how they are written.

    <plain> <answer> zebra <versus> horse <for 0.4> stripes <center> <left> <against 0.0> sky <top> <named 0.5> <text>
"""

from __future__ import annotations

from typing import NamedTuple

from nle_fast.errors import VerbalizerError
from nle_fast.schema import PLACES, POSITIONS, Meaning
from nle_fast.verbalizers.language.phrases import Name, Names, names_of

__all__ = ["MARKERS", "PROMPT", "Piece", "compact"]

#: Value of the key `nle_fast.prompt` in a GGUF file whose model reads these prompts.
PROMPT = "compact/2"

_SHARES = (0.0, 0.05, 0.1, 0.2, 0.4)
_COVERAGES = (0.0, 0.25, 0.5, 0.75)
_PROBABILITIES = (0.0, 0.5, 0.9)
_PLACES = (
    *POSITIONS, "entire image", "entire top", "entire bottom", "entire left", "entire right", "center cross",
    "perimeter", *PLACES,
)  # fmt: skip
_LONGEST = 24  # characters of a name; its beginning is enough to choose words by


class Piece(NamedTuple):
    """A part of a prompt: a marker, which is one token of the model's, or text, in which no marker is ever read."""

    text: str
    marker: bool


def _marker(word: str, value: float, steps: tuple[float, ...]) -> str:
    return f"<{word} {max((step for step in steps if step <= abs(value)), default=0.0)}>"


#: All markers, in the order of their tokens; the first begins nothing and ends a text.
MARKERS: tuple[str, ...] = (
    "<end>", "<text>", "<plain>", "<expert>", "<short>", "<answer>", "<not the answer>", "<versus>", "<unnamed>",
    "<loosely>", "<typical>", "<like>", "<perhaps>", "<certain>", "<quite sure>", "<thinks>", "<guesses>",
    "<hesitates>", "<next>", "<is>", "<also>", "<both>", "<counted>", "<counted against>", "<seen>", "<assumed>",
    "<photos>",
    *(_marker("likely", step, _PROBABILITIES) for step in _PROBABILITIES),
    *(_marker(word, step, _SHARES) for word in ("for", "against") for step in _SHARES),
    *(_marker("named", step, _COVERAGES) for step in _COVERAGES),
    *(_marker("unexplained", step, _SHARES) for step in _SHARES), "<unexplained against>",
    *(f"<{place}>" for place in _PLACES),
)  # fmt: skip

_HEADS = {"what is typical of": "<typical>", "what looks like": "<like>"}


def compact(meaning: Meaning) -> tuple[Piece, ...]:
    """The prompt of a meaning representation, in pieces that are tokenized one by one.

    Args:
        meaning: What will be said. Sizes of a number: the largest step that it reaches. Long names are cut.

    Returns:
        Markers (of `MARKERS`), and names with a space before them.

    Raises:
        VerbalizerError: A position is not one of the known names.

    Example:
        >>> from nle_fast.schema import Evidence, Prediction
        >>> stripes = Evidence(431, "Stripes", None, 6.0, 0.6, True, ("center", "left"), ())
        >>> meaning = Meaning(Prediction(340, "zebra", 0.98, 12.0), None, (stripes,), 0.6, "layer4", "short")
        >>> "".join(piece.text for piece in compact(meaning))
        '<short><answer> zebra<for 0.4> stripes<center><left><named 0.5><text>'
    """
    names = names_of(meaning)
    pieces = [_mark(f"<{meaning.style}>"), *_answer(meaning, names)]
    told = meaning.told
    both = {leader for rank, leader, supports, _ in told if meaning.evidence[rank].supports != supports}
    for rank, leader, supports, places in told:
        if leader != rank:
            continue
        item, name = meaning.evidence[rank], names.concepts[rank]
        pieces.append(_mark(_marker("for" if supports else "against", item.share, _SHARES)))
        if name is None:
            pieces.append(_mark("<loosely>" if item.loosely else "<unnamed>"))
        else:
            pieces += [*([] if item.judged else [_mark("<perhaps>")]), *_concept(name)]
        for place in places:
            if place not in _PLACES:
                raise VerbalizerError(
                    f"`positions` must be names that nle_fast.ops gives, got {place!r}; use those names."
                )
            pieces.append(_mark(f"<{place}>"))
        pieces += [_mark("<both>")] if rank in both else []
    pieces.append(_mark(_marker("named", meaning.coverage, _COVERAGES)))
    return (*pieces, *(_mark(marker) for marker in _amounts(meaning)), _mark("<text>"))


def _answer(meaning: Meaning, names: Names) -> list[Piece]:
    """The classes, and how sure the network is."""
    pieces = [_mark("<answer>" if meaning.winner else "<not the answer>"), _text(names.target)]
    if meaning.style == "expert":
        pieces.append(_mark(_marker("likely", meaning.target.probability, _PROBABILITIES)))
    elif meaning.style == "plain" and meaning.doubt is not None:
        pieces.append(_mark(f"<{meaning.doubt}>"))
    if names.versus is not None:
        pieces += [_mark("<versus>"), _text(names.versus)]
    for role, marker in (("runner_up", "<next>"), ("answer", "<is>")):
        if role in names.others:
            pieces += [_mark(marker), _text(names.others[role])]
    return [*pieces, *([_mark("<photos>")] if meaning.photos is not None else [])]


def _amounts(meaning: Meaning) -> list[str]:
    """What follows the evidence, but for the coverage."""
    facts = {fact.kind for fact in meaning.facts}
    found: list[str] = []
    if "counted" in facts:
        small = [meaning.evidence[rank].share for rank in meaning.counted]
        found += ["<counted>"] if max(small) >= 0 else []
        found += ["<counted against>"] if min(small) < 0 else []
    if "unexplained" in facts:
        against = meaning.unexplained < 0
        found.append("<unexplained against>" if against else _marker("unexplained", meaning.unexplained, _SHARES))
    for kind, marker in (("label", "<also>"), ("seen", "<seen>"), ("assumed", "<assumed>")):
        found += [marker] if kind in facts else []
    return found


def _concept(name: Name) -> list[Piece]:
    """A marker for its head, where it has one, and the rest of its words."""
    if not name.head:
        return [_text(name)]
    return [_mark(_HEADS[name.head]), Piece(name.text[len(name.head) :][: _LONGEST + 1], False)]


def _mark(text: str) -> Piece:
    return Piece(text, True)


def _text(name: Name) -> Piece:
    return Piece(f" {name.bare[:_LONGEST]}", False)
