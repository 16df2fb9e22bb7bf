"""The template verbalizer: deterministic, and right by construction.

The text is put together from pieces, each of which knows the facts that it says, so the spans need no search. Evidence
with the same concept is told once, with all its places; neighbors in the same place share it. Every sentence begins
with fixed words, so no concept ever has to be capitalized.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nle_fast.errors import VerbalizerError
from nle_fast.schema import Evidence, Meaning, Span, Utterance
from nle_fast.verbalizers.phrases import Name, Names, coverage_rest, leads, names_of, percent

__all__ = ["TemplateVerbalizer"]

_PER_SENTENCE = 3
_FURTHER = ("Further support comes from ", "There is also support from ", "More support comes from ")
_SMALL = 0.25  # below this "only", and the text says that most is not named


@dataclass(frozen=True, slots=True)
class _Piece:
    text: str
    facts: tuple[str, ...] = ()


_Pieces = list[_Piece]


@dataclass(frozen=True, slots=True)
class _Item:
    """In a list; `depth`: punctuation inside (0 none, 1 "and", 2 commas); `bundle`: ends in ", both in …"."""

    pieces: _Pieces
    depth: int = 0
    plural: bool = False
    bundle: bool = False


@dataclass(frozen=True, slots=True)
class _Group:
    """Evidence of one concept and one polarity."""

    name: Name | None
    ranks: tuple[int, ...]


class TemplateVerbalizer:
    r"""Says every fact once and nothing else, always in the same words.

    Percentages: whole in `plain`, one decimal in `expert`; "<" and ">" keep "0%" and "100%" from being said of what is
    not (see `percent`). "mainly" is said only where it is true: the first concept makes up at least half of what is
    named, and what is named at least half of all supporting evidence. Below 25 % the text says "only", and that most of
    the evidence is not named.

    Example:
        >>> from nle_fast.schema import Evidence, Meaning, Prediction
        >>> stripes = Evidence(431, "Stripes", None, 6.0, 0.6, True, ("center", "left"), ())
        >>> meaning = Meaning(Prediction(340, "zebra", 0.98, 12.0), None, (stripes,), 0.6, "layer4", "plain")
        >>> print(TemplateVerbalizer().verbalize(meaning).text.replace(". ", ".\n"))
        The network's answer is zebra, mainly because of stripes in the center and on the left.
        This makes up 60% of the evidence for it.
    """

    name = "template"

    def verbalize(self, meaning: Meaning) -> Utterance:
        """The text of a meaning representation, in its style.

        Raises:
            VerbalizerError: A share is not finite, or a position is not one of the known names.
        """
        writer = _Writer(meaning)
        pieces = {"plain": writer.plain, "expert": writer.expert, "short": writer.short}[meaning.style]()
        return _utterance(pieces)


class _Writer:
    def __init__(self, meaning: Meaning) -> None:
        self.meaning = meaning
        self.names: Names = names_of(meaning)
        self.supporting = self._groups(supports=True)
        self.opposing = self._groups(supports=False)

    # Styles

    def plain(self) -> _Pieces:
        meaning, supporting, opposing = self.meaning, self.supporting, self.opposing
        out = self._answer()
        if supporting:
            first = supporting[0]
            main = leads(meaning, self._evidence(first))
            small = meaning.coverage < _SMALL
            rest = supporting[1:_PER_SENTENCE]
            adverb = (
                "mainly " if main else "partly " if small or (len(supporting) == 1 and meaning.coverage < 0.5) else ""
            )
            out.append(_Piece(f", {adverb}because of " if meaning.winner else f"what speaks for it is {adverb}"))
            if main and rest:
                item = self._items([first])[0]
                joint = (", and" if item.depth else " and") + " partly "
                out += [
                    *item.pieces,
                    _Piece(joint + ("because of " if meaning.winner else "")),
                    *_joined(self._items(rest)),
                ]
            else:
                out += _joined(self._items(supporting[:_PER_SENTENCE]))
            out.append(_Piece("."))
            for i, some in enumerate(_chunks(supporting[_PER_SENTENCE:])):
                out += [_Piece(f" {_FURTHER[i % len(_FURTHER)]}"), *_joined(self._items(some)), _Piece(".")]
            out += self._coverage(one=len(supporting) == 1, decimals=0)
        elif not opposing:
            out.append(
                _Piece(
                    ", but no evidence for it can be named." if meaning.winner else "no evidence for it can be named."
                )
            )
        for i, some in enumerate(_chunks(opposing)):
            items = self._items(some)
            plural = len(some) > 1 or items[0].plural
            if i:
                out += [_Piece(" So do " if plural else " So does "), *_joined(items), _Piece(".")]
                continue
            if not supporting and not meaning.winner:
                out += [_Piece("what speaks against it is "), *_joined(items), _Piece(".")]
                continue
            closing = "," if items[-1].bundle or (len(items) == 2 and items[0].depth) else ""
            out += [_Piece(" However, " if supporting else ", although "), *_joined(items)]
            out.append(_Piece(f"{closing} {'speak' if plural else 'speaks'} against it."))
        return out

    def expert(self) -> _Pieces:
        meaning, supporting, opposing = self.meaning, self.supporting, self.opposing
        out = self._answer(
            _Piece(" (probability "), _Piece(percent(meaning.target.probability, 1), ("probability",)), _Piece(")")
        )
        if not meaning.evidence:
            lead = ", but " if meaning.winner else ""
            return [*out, _Piece(f"{lead}no evidence for it can be named.")]
        if meaning.winner:
            out.append(_Piece(". In "))
        else:
            out.append(_Piece("in " if meaning.versus else "In "))
        out += [_Piece(self.names.layer.text, ("layer",)), _Piece(", the evidence ")]
        for groups, lead in ((supporting, "for it comes from "), (opposing, "against it comes from ")):
            if not groups:
                continue
            if groups is opposing and supporting:
                out.append(_Piece(" The evidence "))
            out += [_Piece(lead), *_joined(self._expert_items(groups)), _Piece(".")]
            if groups is supporting:
                out += self._coverage(one=sum(item.supports for item in meaning.evidence) == 1, decimals=1)
        return out

    def short(self) -> _Pieces:
        meaning, names = self.meaning, self.names
        label = names.target.text
        out = [_Piece(label[:1].upper() + label[1:] if label[:1].isascii() else label, ("class",))]
        if not meaning.winner:
            out = [_Piece("Why "), _Piece(label, ("class",))]
        if names.versus is not None:
            out += [_Piece(" rather than "), _Piece(names.versus.text, ("versus",))]
        if not meaning.evidence:
            return [*out, _Piece(": no evidence named." if meaning.winner else "? No evidence named.")]
        if self.supporting:
            out += [_Piece(": " if meaning.winner else "? For: "), *self._caption(self.supporting)]
        if self.opposing:
            lead = "; against: " if self.supporting or meaning.winner else "? Against: "
            out += [_Piece(lead), *self._caption(self.opposing)]
        return [*out, _Piece(".")]

    # Sentences

    def _answer(self, *probability: _Piece) -> _Pieces:
        """The answer; ends where a reason can follow (in a new sentence when it is not the network's answer)."""
        names, winner = self.names, self.meaning.winner
        out = [
            _Piece("The network's answer is " if winner else "The network's answer is not "),
            _Piece(names.target.text, ("class",)),
        ]
        out += probability
        if winner:
            return out + ([_Piece(" rather than "), _Piece(names.versus.text, ("versus",))] if names.versus else [])
        out.append(_Piece(". "))
        if names.versus is not None:
            out += [_Piece("Compared with "), _Piece(names.versus.text, ("versus",)), _Piece(", ")]
        return out

    def _coverage(self, *, one: bool, decimals: int) -> _Pieces:
        value = self.meaning.coverage
        number = percent(value, decimals)
        if decimals == 0:
            number = number.replace("<", "less than ").replace(">", "more than ")
        only = "only " if value < _SMALL and number[0].isdigit() else ""
        tail = ", so most of it is not named here." if value < _SMALL and coverage_rest(self.meaning) else "."
        lead = " This makes up " if one else " Together these make up "
        return [_Piece(f"{lead}{only}"), _Piece(number, ("coverage",)), _Piece(f" of the evidence for it{tail}")]

    # Evidence

    def _groups(self, *, supports: bool) -> list[_Group]:
        found: dict[object, list[int]] = {}
        for rank, item in enumerate(self.meaning.evidence):
            if item.supports == supports:
                name = self.names.concepts[rank]
                found.setdefault(item.neuron if name is None else name.key, []).append(rank)
        return [_Group(self.names.concepts[ranks[0]], tuple(ranks)) for ranks in found.values()]

    def _evidence(self, group: _Group) -> tuple[Evidence, ...]:
        return tuple(self.meaning.evidence[rank] for rank in group.ranks)

    def _places(self, ranks: Iterable[int]) -> dict[str, tuple[str, ...]]:
        """Position name → the facts that it belongs to."""
        places: dict[str, tuple[str, ...]] = {}
        for rank in ranks:
            for name in self.meaning.evidence[rank].positions:
                places[name] = (*places.get(name, ()), f"evidence.{rank}.positions")
        return places

    def _concept(self, group: _Group) -> _Piece:
        facts = tuple(f"evidence.{rank}.concept" for rank in group.ranks)
        if group.name is None:
            return _Piece(f"something that neuron {self.meaning.evidence[group.ranks[0]].neuron} responds to", facts)
        return _Piece(group.name.text, facts)

    def _items(self, groups: Sequence[_Group]) -> list[_Item]:
        """List items for prose: neighbors in the same places are told together, those in no place come last."""
        placed = [group for group in groups if self._places(group.ranks)]
        items: list[_Item] = []
        i = 0
        while i < len(placed):
            places = self._places(placed[i].ranks)
            j = i + 1
            while j < len(placed) and set(self._places(placed[j].ranks)) == set(places):
                j += 1
            run = placed[i:j]
            plural = len(run) > 1 or bool(run[0].name and run[0].name.plural)
            where, depth = _where(self._places(rank for group in run for rank in group.ranks))
            what = _joined([_Item([self._concept(group)]) for group in run])
            if len(run) == 2 and any(group.name and {"and", "or"} & set(group.name.key) for group in run):
                what[1] = _Piece(" as well as ")  # "red and orange objects as well as food"
            if len(run) > 1:
                items.append(_Item([*what, _Piece(", both " if len(run) == 2 else ", all "), *where], 2, True, True))
            else:
                items.append(_Item([*what, _Piece(" "), *where], depth, plural))
            i = j
        nowhere = [group for group in groups if group not in placed]
        return items + [_Item([self._concept(group)], 0, bool(group.name and group.name.plural)) for group in nowhere]

    def _expert_items(self, groups: Sequence[_Group]) -> list[_Item]:
        """One item per neuron; the words of a shared concept are said once for all neurons that have places."""
        items: list[_Item] = []
        for group in groups:
            by_place: dict[frozenset[str], list[int]] = {}
            for rank in group.ranks:
                by_place.setdefault(frozenset(self.meaning.evidence[rank].positions), []).append(rank)
            nowhere = by_place.pop(frozenset(), [])
            shared = _Group(group.name, tuple(rank for ranks in by_place.values() for rank in ranks))
            parts: list[_Item] = []
            for ranks in by_place.values():
                where, depth = _where(self._places(ranks))
                parts.append(_Item([*where, *self._numbers(group, ranks)], depth))
            if parts:
                items.append(
                    _Item(
                        [self._expert_name(shared), _Piece(" "), *_joined(parts)],
                        2 if len(parts) > 1 else parts[0].depth,
                    )
                )
            if nowhere:
                alone = _Group(group.name, tuple(nowhere))
                items.append(_Item([self._expert_name(alone), *self._numbers(group, nowhere)]))
        return items

    def _expert_name(self, group: _Group) -> _Piece:
        piece = self._concept(group)
        return piece if group.name else _Piece(f"neuron {self.meaning.evidence[group.ranks[0]].neuron}", piece.facts)

    def _numbers(self, group: _Group, ranks: Sequence[int]) -> _Pieces:
        out = [_Piece(" (")]
        for i, rank in enumerate(ranks):
            item = self.meaning.evidence[rank]
            if i:
                out.append(_Piece("; "))
            if group.name is None:
                out.append(_Piece("unnamed"))
            else:
                out.append(_Piece(f"neuron {item.neuron}", (f"evidence.{rank}.neuron",)))
            out += [_Piece(", share "), _Piece(percent(item.share, 1), (f"evidence.{rank}.share",))]
        return [*out, _Piece(")")]

    def _caption(self, groups: Sequence[_Group]) -> _Pieces:
        out: _Pieces = []
        for i, group in enumerate(groups):
            facts = tuple(f"evidence.{rank}.concept" for rank in group.ranks)
            neuron = self.meaning.evidence[group.ranks[0]].neuron
            out += [_Piece(", " if i else ""), _Piece(group.name.bare if group.name else f"neuron {neuron}", facts)]
            places = self._places(group.ranks)
            for j, (name, where) in enumerate(places.items()):
                _preposition(name)  # refuses unknown places
                out += [_Piece(", " if j else " ("), _Piece(name.removesuffix(" corner"), where)]
            out.append(_Piece(")" if places else ""))
        return out


def _where(places: dict[str, tuple[str, ...]]) -> tuple[_Pieces, int]:
    """Such as "in the center and at the top and bottom", and its depth."""
    clusters: dict[str, list[str]] = {}
    for name in places:
        lead, noun = _preposition(name)
        clusters.setdefault(
            lead if noun in ("top", "bottom", "left", "right") or name.endswith("corner") else f"{lead}{noun}", []
        ).append(name)
    parts: list[_Item] = []
    for names in sorted(clusters.values(), key=lambda names: len(names) > 1):
        lead = _preposition(names[0])[0]
        words = [_Item([_Piece(_preposition(name)[1], places[name])]) for name in names]
        pieces = _joined(words)
        pieces[0] = _Piece(lead + pieces[0].text, pieces[0].facts)
        if names[0].endswith("corner"):
            pieces[-1] = _Piece(f"{pieces[-1].text} corner{'s' if len(names) > 1 else ''}", pieces[-1].facts)
        parts.append(_Item(pieces))
    pieces = _joined([_Item(part.pieces) for part in parts])
    inside = "".join(piece.text for piece in pieces)
    return pieces, 2 if "," in inside else int(" and " in inside)


def _preposition(name: str) -> tuple[str, str]:
    """Preposition and noun: "top-left corner" → ("in the ", "top-left")."""
    if name in ("top", "bottom"):
        return "at the ", name
    if name in ("left", "right"):
        return "on the ", name
    if name == "center" or name in ("upper half", "lower half", "left half", "right half"):
        return "in the ", name
    if name in ("top-left corner", "top-right corner", "bottom-left corner", "bottom-right corner"):
        return "in the ", name.removesuffix(" corner")
    fixed = {
        "entire image": ("across ", "the entire picture"),
        "entire top": ("along ", "the entire top"),
        "entire bottom": ("along ", "the entire bottom"),
        "entire left": ("along ", "the entire left side"),
        "entire right": ("along ", "the entire right side"),
        "center cross": ("in ", "a cross through the center"),
        "perimeter": ("around ", "the perimeter"),
    }
    if name not in fixed:
        raise VerbalizerError(f"`positions` must be names that nle_fast.ops gives, got {name!r}; use those names.")
    return fixed[name]


def _joined(items: Sequence[_Item]) -> _Pieces:
    """As in "A", "A and B", "A, B, and C"; semicolons where an item has commas inside."""
    depth = max((item.depth for item in items), default=0)
    if len(items) == 2:
        separators = [(" and ", ", and ", ", as well as ")[items[0].depth]]
    else:
        separators = [", " if depth < 2 else "; "] * (len(items) - 2) + [", and " if depth < 2 else "; and "]
    out: _Pieces = []
    for i, item in enumerate(items):
        out += [*([_Piece(separators[i - 1])] if i else []), *item.pieces]
    return out


def _chunks(groups: Sequence[_Group]) -> list[Sequence[_Group]]:
    return [groups[i : i + _PER_SENTENCE] for i in range(0, len(groups), _PER_SENTENCE)]


def _utterance(pieces: _Pieces) -> Utterance:
    text, spans = "", []
    for piece in pieces:
        start = len(text)
        text += piece.text if not (text.endswith(". ") or not text) else piece.text[:1].upper() + piece.text[1:]
        spans += [Span(start, len(text), fact) for fact in piece.facts]
    return Utterance(text, tuple(sorted(spans, key=lambda span: (span.start, span.end, span.fact))), "template")
