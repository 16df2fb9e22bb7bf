"""The parts that sentences are put together from: evidence by concept, places, lists.

Evidence with the same concept and the same side is told once, with all its places; what lies in the same places may be
told together. Each part comes with its alternatives (see `lattice`) and begins with the space that stands before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nle_fast.errors import VerbalizerError
from nle_fast.schema import Evidence, Meaning
from nle_fast.verbalizers.grammar.lattice import Choice, Nodes, Segment, either
from nle_fast.verbalizers.language.phrases import Name, Names, percent, quoted
from nle_fast.verbalizers.language.words import noun_phrase

__all__ = ["Group", "Item", "capitalized", "caption", "expert_items", "groups_of", "joined", "listings"]


@dataclass(frozen=True, slots=True)
class Group:
    """Evidence of one concept and one side.

    Attributes:
        name: None for an unnamed neuron.
        ranks: Indices into `Meaning.evidence`.
        evidence: Parallel to `ranks`.
        places: Position name → the facts that it belongs to.
    """

    name: Name | None
    ranks: tuple[int, ...]
    evidence: tuple[Evidence, ...]
    places: dict[str, tuple[str, ...]]

    @classmethod
    def of(cls, name: Name | None, ranks: Sequence[int], evidence: Sequence[Evidence]) -> Group:
        """The group of `evidence[rank] for rank in ranks`."""
        places: dict[str, tuple[str, ...]] = {}
        for rank in ranks:
            for place in evidence[rank].positions:
                places[place] = (*places.get(place, ()), f"evidence.{rank}.positions")
        return cls(name, tuple(ranks), tuple(evidence[rank] for rank in ranks), places)

    @property
    def plural(self) -> bool:
        """Whether it takes a plural verb."""
        return self.name is not None and self.name.plural

    def concept(self) -> Segment:
        """Words for the concept in prose, for readers who do not think in neurons."""
        facts = tuple(f"evidence.{rank}.concept" for rank in self.ranks)
        if self.name is not None:
            return Segment(f" {self.name.text}", facts)
        loosely = self.loosely()
        return Segment(f" what neuron {self.evidence[0].neuron} detects{f' ({loosely})' if loosely else ''}", facts)

    def loosely(self) -> str:
        """Untrusted words for an unnamed neuron: loosely “animals”; empty where there are none."""
        words = self.evidence[0].loosely
        return f"loosely {quoted(noun_phrase(words).bare).text}" if words and self.name is None else ""


@dataclass(frozen=True, slots=True)
class Item:
    """An entry of a list; `depth`: punctuation inside (0 none, 1 "and", 2 commas); `bundle`: ends in ", both in …"."""

    nodes: Nodes
    depth: int = 0
    plural: bool = False
    bundle: bool = False


def groups_of(meaning: Meaning, names: Names, *, supports: bool) -> list[Group]:
    """Evidence of one side, that of one concept together, in the order of telling."""
    found: dict[object, list[int]] = {}
    for rank, item in enumerate(meaning.evidence):
        if item.supports == supports:
            name = names.concepts[rank]
            found.setdefault(item.neuron if name is None else name.key, []).append(rank)
    return [Group.of(names.concepts[ranks[0]], ranks, meaning.evidence) for ranks in found.values()]


# Lists


def listings(groups: Sequence[Group]) -> list[list[Item]]:
    """Ways to list evidence, the template's first.

    Neighbors in the same places are told together and those in no place come last; or all in the same places are; or
    each has its own; or the longest comes last.
    """
    placed = [group for group in groups if group.places]
    nowhere = [group for group in groups if not group.places]
    runs: list[list[Group]] = []
    for group in placed:
        if runs and set(runs[-1][0].places) == set(group.places):
            runs[-1].append(group)
        else:
            runs.append([group])
    gathered: dict[frozenset[str], list[Group]] = {}
    for group in placed:
        gathered.setdefault(frozenset(group.places), []).append(group)
    ways = [runs]
    if len(gathered) < len(runs):
        ways.append(list(gathered.values()))
    if len(runs) < len(placed):
        ways.append([[group] for group in placed])
    if len(ways) == 1 and len(runs) > 2:
        ways.append([runs[0], *sorted(runs[1:], key=lambda run: sum(_weight(group) for group in run))])
    last = [Item((group.concept(),), 0, group.plural) for group in nowhere]
    return [[_together(run) for run in way] + last for way in ways if way is runs or way != runs]


def _weight(group: Group) -> int:
    return len(group.concept().text) + 12 * len(group.places)


def _together(run: list[Group]) -> Item:
    """One item of groups in the same places."""
    places: dict[str, tuple[str, ...]] = {}
    for group in run:
        for name, facts in group.places.items():
            places[name] = (*places.get(name, ()), *facts)
    nodes, depth = _where(places)
    if len(run) == 1:
        return Item((run[0].concept(), *nodes), depth, run[0].plural)
    what = _neurons(run) or joined([Item((group.concept(),)) for group in run])
    if len(run) == 2 and len(what) > 2 and any(group.name and {"and", "or"} & set(group.name.key) for group in run):
        what = (what[0], Segment(" as well as"), *what[2:])  # "red and orange objects as well as food"
    return Item((*what, Segment(", both" if len(run) == 2 else ", all of them"), *nodes), 2, True, True)


def _neurons(run: list[Group]) -> Nodes:
    """Such as " what neurons 4 and 12 detect", for neurons of which nothing else is known."""
    if any(group.name or group.loosely() for group in run):
        return ()
    first, *others = run
    lead = Segment(f" what neurons {first.evidence[0].neuron}", first.concept().facts)
    numbers = [
        Item((lead,)),
        *(Item((other.concept()._replace(text=f" {other.evidence[0].neuron}"),)) for other in others),
    ]
    return (*joined(numbers), Segment(" detect"))


def joined(items: Sequence[Item]) -> Nodes:
    """As in "A", "A and B", "A, B, and C"; semicolons where an item has commas inside."""
    depth = max((item.depth for item in items), default=0)
    if len(items) == 2:
        separators = [(" and", ", and", ", as well as")[items[0].depth]]
    else:
        separators = ["," if depth < 2 else ";"] * (len(items) - 2) + [", and" if depth < 2 else "; and"]
    nodes: list[Segment | Choice] = []
    for i, item in enumerate(items):
        nodes += [*([Segment(separators[i - 1])] if i else []), *item.nodes]
    return tuple(nodes)


def capitalized(nodes: Nodes, *, opening: bool = False) -> Nodes | None:
    """The same at the beginning of a sentence, of the whole text when `opening`; None where no capital is right."""
    first = nodes[0]
    if isinstance(first, Choice):
        options = [capitalized(option, opening=opening) for option in first.options]
        kept = [option for option in options if option is not None]
        return (*either(kept), *nodes[1:]) if kept else None
    words = first.text.lstrip()
    name = words.split(" ", 1)[0]
    if name[:1].islower():
        if not name.isascii() or not name.islower():  # "iPhone"
            return None
        words = words[0].upper() + words[1:]
    elif not (name[:1].isupper() or name[:1] == "“"):
        return None
    return (first._replace(text=words if opening else f" {words}"), *nodes[1:])


# Places


def _where(places: dict[str, tuple[str, ...]]) -> tuple[Nodes, int]:
    """Such as " in the center and at the top and bottom", and its depth."""
    clusters: dict[str, list[str]] = {}
    for name in places:
        lead, noun = _preposition(name)
        edge = noun in ("top", "bottom", "left", "right") or name.endswith("corner")
        clusters.setdefault(lead if edge else f"{lead}{noun}", []).append(name)
    parts: list[Item] = []
    for names in sorted(clusters.values(), key=lambda names: len(names) > 1):
        lead, noun = _preposition(names[0])
        corner = " corner" if names[0].endswith("corner") else ""
        if len(names) == 1:
            said = (f"{lead} {noun}{corner}", *_OTHERWISE.get(names[0], ()))
            parts.append(Item(either((Segment(words, places[names[0]]),) for words in said)))
            continue
        words = joined([Item((Segment(f" {_preposition(name)[1]}", places[name]),)) for name in names])
        ends = [node for node in words if isinstance(node, Segment)]
        ends[0] = ends[0]._replace(text=lead + ends[0].text)
        ends[-1] = ends[-1]._replace(text=f"{ends[-1].text}{corner and ' corners'}")
        parts.append(Item(tuple(ends)))
    commas = len(parts) > 2 or any(len(names) > 2 for names in clusters.values())
    return joined(parts), 2 if commas else int(len(places) > 1)


_OTHERWISE = {
    "center": (" in the middle",),
    "entire image": (" all over the picture",),
    "top-left corner": (" in the upper left corner",),
    "top-right corner": (" in the upper right corner",),
    "bottom-left corner": (" in the lower left corner",),
    "bottom-right corner": (" in the lower right corner",),
}

_FIXED = {
    "entire image": (" across", "the entire picture"),
    "entire top": (" along", "the entire top"),
    "entire bottom": (" along", "the entire bottom"),
    "entire left": (" along", "the entire left side"),
    "entire right": (" along", "the entire right side"),
    "center cross": (" in", "a cross through the center"),
    "perimeter": (" around", "the perimeter"),
}


def _preposition(name: str) -> tuple[str, str]:
    """Preposition and noun: "top-left corner" → (" in the", "top-left")."""
    if name in ("top", "bottom"):
        return " at the", name
    if name in ("left", "right"):
        return " on the", name
    if name == "center" or name in ("upper half", "lower half", "left half", "right half"):
        return " in the", name
    if name in ("top-left corner", "top-right corner", "bottom-left corner", "bottom-right corner"):
        return " in the", name.removesuffix(" corner")
    if name not in _FIXED:
        raise VerbalizerError(f"`positions` must be names that nle_fast.ops gives, got {name!r}; use those names.")
    return _FIXED[name]


# Other than prose


def expert_items(groups: Sequence[Group]) -> list[Item]:
    """One item per concept; its words are said once for all its neurons that have places."""
    items: list[Item] = []
    for group in groups:
        by_place: dict[frozenset[str], list[int]] = {}
        for i, item in enumerate(group.evidence):
            by_place.setdefault(frozenset(item.positions), []).append(i)
        nowhere = by_place.pop(frozenset(), [])
        parts: list[Item] = []
        for some in by_place.values():
            part = _part(group, some)
            nodes, depth = _where(part.places)
            parts.append(Item((*nodes, *_numbers(part)), depth))
        if parts:
            shared = _part(group, [i for some in by_place.values() for i in some])
            depth = 2 if len(parts) > 1 else parts[0].depth
            items.append(Item((_expert_name(shared), *joined(parts)), depth))
        if nowhere:
            alone = _part(group, nowhere)
            items.append(Item((_expert_name(alone), *_numbers(alone))))
    return items


def _part(group: Group, some: Sequence[int]) -> Group:
    """The group's own evidence at these indices."""
    places = {
        place: kept
        for place, facts in group.places.items()
        if (kept := tuple(fact for fact in facts if fact in {f"evidence.{group.ranks[i]}.positions" for i in some}))
    }
    return Group(group.name, tuple(group.ranks[i] for i in some), tuple(group.evidence[i] for i in some), places)


def _expert_name(group: Group) -> Segment:
    concept = group.concept()
    return concept if group.name else concept._replace(text=f" neuron {group.evidence[0].neuron}")


def _numbers(group: Group) -> Nodes:
    """Such as " (neuron 12, share 8.0%)"."""
    nodes = [Segment(" (")]
    for rank, item in zip(group.ranks, group.evidence, strict=True):
        if rank != group.ranks[0]:
            nodes.append(Segment("; "))
        if group.name is None:
            nodes.append(Segment(group.loosely() or "unnamed"))
        else:
            nodes.append(Segment(f"neuron {item.neuron}", (f"evidence.{rank}.neuron",)))
        nodes += [Segment(", share "), Segment(percent(item.share, 1), (f"evidence.{rank}.share",))]
    return (*nodes, Segment(")"))


def caption(groups: Sequence[Group]) -> Nodes:
    """Such as " stripes (center, left), dog face (top)"."""
    nodes: list[Segment] = []
    for group in groups:
        name = group.name.bare if group.name else f"neuron {group.evidence[0].neuron}"
        nodes += [Segment("," if nodes else ""), group.concept()._replace(text=f" {name}")]
        places = group.places
        for i, (place, facts) in enumerate(places.items()):
            _preposition(place)  # refuses unknown places
            nodes += [Segment(", " if i else " ("), Segment(place.removesuffix(" corner"), facts)]
        nodes.append(Segment(")" if places else ""))
    return tuple(node for node in nodes if node.text)
