"""The parts that sentences are put together from: evidence by concept, with its places, alone and in lists.

Evidence with the same concept and the same side is told once, with all its places; what lies in the same places may be
told together; what has no name is one part. Names with the same head share it: "what is typical of laptops on the left
and of desks". Each part comes with its alternatives (see `lattice`) and begins with the space that stands before it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nle_fast.schema import Evidence, Meaning, Told
from nle_fast.verbalizers.grammar.lattice import Choice, Nodes, Segment
from nle_fast.verbalizers.grammar.lists import Item, joined
from nle_fast.verbalizers.grammar.places import bare_place, where
from nle_fast.verbalizers.language.phrases import UNNAMED, Name, Names, percent, quoted
from nle_fast.verbalizers.language.vocabulary import COUNTS
from nle_fast.verbalizers.language.words import noun_phrase

__all__ = ["Group", "caption", "expert_items", "groups_of", "items_of", "listings"]


@dataclass(frozen=True, slots=True)
class Group:
    """Evidence of one concept and one side.

    Attributes:
        name: None for what has no name.
        ranks: Indices into `Meaning.evidence`.
        evidence: Parallel to `ranks`.
        places: Name of a place → the facts that it tells.
        expert: Whether numbers are told.
        judged: Whether its words were judged; else they are told with "perhaps".
        nets: Of each joined group that has both sides, the first rank, what speaks for it, and what against.
    """

    name: Name | None
    ranks: tuple[int, ...]
    evidence: tuple[Evidence, ...]
    places: dict[str, tuple[str, ...]]
    expert: bool
    judged: bool = True
    nets: tuple[tuple[int, float, float], ...] = ()

    @property
    def plural(self) -> bool:
        """Whether it takes a plural verb."""
        return len(self.ranks) > 1 and not self.expert if self.name is None else self.name.plural

    @property
    def head(self) -> str:
        """With which words its name begins that a list says once."""
        return self.name.head if self.name is not None and self.judged else ""

    @property
    def facts(self) -> tuple[str, ...]:
        """What its words tell."""
        return tuple(f"evidence.{rank}.concept" for rank in self.ranks)

    def concept(self, head: str = "") -> Segment:
        """Words for the concept in prose; `head`: that of the name before it in a list."""
        if self.name is None:
            return Segment(f" {self._unnamed()}", self.facts)
        if head and head == self.head:
            return Segment(f" {self.name.further}", self.facts)
        return Segment(f" {self.name.text if self.judged else self.name.perhaps}", self.facts)

    def bare(self, head: str = "") -> Segment:
        """The same for captions."""
        if self.name is None or self.name.head:
            told = self.concept(head)
            return told._replace(text=told.text.removeprefix(" what is"))
        return Segment(f" {'' if self.judged else 'perhaps '}{self.name.bare}", self.facts)

    def _unnamed(self) -> str:
        if self.expert:
            return f"{self.evidence[0].kind} {self.evidence[0].neuron}"
        if len(self.ranks) == 1:
            return "something without a name"
        many = COUNTS[len(self.ranks)] if len(self.ranks) < len(COUNTS) else str(len(self.ranks))
        return f"{many} patterns without a name"

    def loosely(self) -> str:
        """Untrusted words for an unnamed neuron: loosely “animals”; empty where there are none."""
        words = self.evidence[0].loosely
        return f"loosely {quoted(noun_phrase(words).bare).text}" if words and self.name is None else ""

    def both(self) -> Nodes:
        """Such as " (30% for it, 4% against it)"; nothing where all is on one side."""
        nodes: Nodes = ()
        for leader, pro, con in self.nets:
            fact = (f"evidence.{leader}.net",)
            numbers = Segment(percent(pro, 0), fact), Segment(percent(con, 0), fact)
            nodes = (*nodes, Segment(" ("), numbers[0], Segment(" for it, "), numbers[1], Segment(" against it)"))
        return nodes


def groups_of(meaning: Meaning, names: Names) -> tuple[list[Group], list[Group]]:
    """Evidence for and against, that of one concept together, in the order of telling; what has no name comes last."""
    expert = meaning.style == "expert"
    found: dict[tuple[bool, object], list[Told]] = {}
    for told in meaning.told:
        name = names.concepts[told.leader]
        unnamed: object = meaning.evidence[told.rank].neuron if expert else UNNAMED
        key = unnamed if name is None else name.key
        found.setdefault((told.supports, key), []).append(told)
    sides: tuple[list[Group], list[Group]] = [], []
    for (supports, key), some in sorted(found.items(), key=lambda entry: entry[0][1] is UNNAMED):
        places: dict[str, tuple[str, ...]] = {}
        for told in some:
            for place in told.places:
                places[place] = (*places.get(place, ()), f"evidence.{told.rank}.positions")
        ranks = tuple([told.rank for told in some])
        evidence = tuple([meaning.evidence[rank] for rank in ranks])
        judged = key is UNNAMED or all(item.judged for item in evidence)
        nets = _nets(meaning, some) if meaning.joined and meaning.style == "plain" else ()
        group = Group(names.concepts[some[0].leader], ranks, evidence, places, expert, judged, nets)
        sides[0 if supports else 1].append(group)
    return sides


def _nets(meaning: Meaning, some: Sequence[Told]) -> tuple[tuple[int, float, float], ...]:
    """Of each joined thing that has both sides: the rank of the first, what speaks for it, and what against."""
    found = []
    for leader in dict.fromkeys(told.leader for told in some):
        shares = [meaning.evidence[told.rank].share for told in some if told.leader == leader]
        pro, con = sum(share for share in shares if share > 0), -sum(share for share in shares if share < 0)
        if pro and con:
            found.append((leader, pro, con))
    return tuple(found)


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
        same = runs and set(runs[-1][0].places) == set(group.places)
        if same and _bundles(group) and _bundles(runs[-1][-1]):
            runs[-1].append(group)
        else:
            runs.append([group])
    gathered: dict[object, list[Group]] = {}
    for group in placed:
        gathered.setdefault(frozenset(group.places) if _bundles(group) else group.ranks, []).append(group)
    ways = [runs]
    if len(gathered) < len(runs):
        ways.append(list(gathered.values()))
    if len(runs) < len(placed):
        ways.append([[group] for group in placed])
    if len(ways) == 1 and len(runs) > 2:
        ways.append([runs[0], *sorted(runs[1:], key=lambda run: sum(_weight(group) for group in run))])
    last = [[group] for group in nowhere]
    return [_items([*way, *last]) for way in ways if way is runs or way != runs]


def items_of(groups: Sequence[Group]) -> list[Item]:
    """Each group as an item of its own, in this order."""
    return _items([[group] for group in groups])


def _weight(group: Group) -> int:
    return len(group.concept().text) + 12 * len(group.places)


def _items(runs: Sequence[Sequence[Group]]) -> list[Item]:
    """An item for each run of groups in the same places; names with the same head share it."""
    items, head = [], ""
    for run in runs:
        items.append(_together(run, head))
        head = run[-1].head
    return items


def _together(run: Sequence[Group], head: str) -> Item:
    """One item of groups in the same places."""
    places: dict[str, tuple[str, ...]] = {}
    for group in run:
        for name, facts in group.places.items():
            places[name] = (*places.get(name, ()), *facts)
    nodes, depth = where(places) if places else ((), 0)
    if len(run) == 1:
        return Item((run[0].concept(head), *nodes, *run[0].both()), max(depth, _depth(run[0])), run[0].plural)
    heads = [head, *(group.head for group in run)]
    told = [(group.concept(before), _depth(group)) for group, before in zip(run, heads, strict=False)]
    what = joined([Item((words,), inside) for words, inside in told])
    apart = any(group.name and {"and", "or"} & set(group.name.key) and not group.head for group in run)
    if len(run) == 2 and len(what) > 2 and apart:
        what = (what[0], Segment(" as well as"), *what[2:])  # "red and orange objects as well as food"
    return Item((*what, Segment(", both" if len(run) == 2 else ", all of them"), *nodes), 2, True, True)


def _bundles(group: Group) -> bool:
    """Whether it may be told with others, "both in the middle": not with figures or commas of its own."""
    return not group.nets and _depth(group) < 2


def _depth(group: Group) -> int:
    """What punctuation is inside its name: of clauses "and", or commas."""
    if group.name is None or not group.head:
        return 0
    return 2 if "," in group.name.key else int("and" in group.name.key)


# Other than prose


def expert_items(groups: Sequence[Group], further: Callable[[int], Nodes] = lambda rank: ()) -> list[Item]:
    """One item per concept; its words are said once for all its neurons that have places.

    Args:
        groups: Of the expert style.
        further: From a rank to what comes behind its numbers.
    """
    items: list[Item] = []
    for group in groups:
        by_place: dict[frozenset[str], list[int]] = {}
        for i, rank in enumerate(group.ranks):
            here = frozenset(name for name, facts in group.places.items() if f"evidence.{rank}.positions" in facts)
            by_place.setdefault(here, []).append(i)
        nowhere = by_place.pop(frozenset(), [])
        parts: list[Item] = []
        for some in by_place.values():
            part = _part(group, some)
            nodes, depth = where(part.places)
            parts.append(Item((*nodes, *_numbers(part, further)), depth))
        if parts:
            shared = _part(group, [i for some in by_place.values() for i in some])
            depth = 2 if len(parts) > 1 else parts[0].depth
            items.append(Item((shared.concept(), *joined(parts)), depth))
        if nowhere:
            alone = _part(group, nowhere)
            items.append(Item((alone.concept(), *_numbers(alone, further))))
    return items


def _part(group: Group, some: Sequence[int]) -> Group:
    """The group's own evidence at these indices."""
    places = {
        place: kept
        for place, facts in group.places.items()
        if (kept := tuple(fact for fact in facts if fact in {f"evidence.{group.ranks[i]}.positions" for i in some}))
    }
    ranks = tuple(group.ranks[i] for i in some)
    return Group(group.name, ranks, tuple(group.evidence[i] for i in some), places, group.expert, group.judged)


def _numbers(group: Group, further: Callable[[int], Nodes]) -> Nodes:
    """Such as " (neuron 12, share 8.0%)"."""
    nodes: list[Segment | Choice] = [Segment(" (")]
    for rank, item in zip(group.ranks, group.evidence, strict=True):
        if rank != group.ranks[0]:
            nodes.append(Segment("; "))
        if group.name is None:
            nodes.append(Segment(group.loosely() or "unnamed"))
        else:
            nodes.append(Segment(f"{item.kind} {item.neuron}", (f"evidence.{rank}.neuron",)))
        share = Segment(percent(item.share, 1), (f"evidence.{rank}.share",))
        nodes += [Segment(", share "), share, *further(rank)]
    return (*nodes, Segment(")"))


def caption(groups: Sequence[Group]) -> Nodes:
    """Such as " stripes (center, left), dog face (top)"."""
    nodes: list[Segment] = []
    head = ""
    for group in groups:
        nodes += [Segment("," if nodes else ""), group.bare(head)]
        head = group.head
        for i, (place, facts) in enumerate(group.places.items()):
            nodes += [Segment(", " if i else " ("), Segment(bare_place(place), facts)]
        nodes.append(Segment(")" if group.places else ""))
    return tuple(node for node in nodes if node.text)
