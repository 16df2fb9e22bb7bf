"""A realization lattice: every acceptable text of one meaning representation, as a graph of segments.

A text is a sequence of segments, some of which are choices between sequences; every segment knows the facts that it
says. `Walk` goes through the graph from the beginning to the final stop; whoever decides at the branchings - nobody
(the first option everywhere is the template), a language model, a random number - can only come out at a text that says
each fact once. The spans of a text fall out of its path.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from nle_fast.schema import Span

__all__ = ["Choice", "Lattice", "Nodes", "Segment", "Walk", "either"]


class Segment(NamedTuple):
    """Words that must come here, and the facts that they say; they begin with the space that stands before them."""

    text: str
    facts: tuple[str, ...] = ()


class Choice(NamedTuple):
    """A branching: one of several sequences; the first is what the template says."""

    options: tuple[Nodes, ...]


Nodes = tuple["Segment | Choice", ...]


def either(options: Iterable[Nodes]) -> Nodes:
    """A choice between different sequences; no choice where there is one."""
    some = tuple(options)
    return some[0] if len(some) == 1 else (Choice(some),)


@dataclass(frozen=True, slots=True)
class Lattice:
    """All texts of one meaning representation in one style.

    Attributes:
        nodes: Segments and choices in the order of reading. The sequence after a choice is shared by all its options.

    Example:
        >>> lattice = Lattice((Segment("Zebra"), Choice(((Segment(": stripes"),), (Segment(", for its stripes"),))),
        ...                    Segment(".")))
        >>> lattice.count, lattice.first()[0]
        (2, 'Zebra: stripes.')
        >>> walk = lattice.walk()
        >>> walk.forced(), walk.options
        ('Zebra', (': stripes.', ', for its stripes.'))
        >>> walk.take(1)
        >>> walk.text
        'Zebra, for its stripes.'
    """

    nodes: Nodes

    @property
    def count(self) -> int:
        """Number of paths from the beginning to the end."""
        return _count(self.nodes, {})

    def walk(self) -> Walk:
        """A cursor at the beginning."""
        return Walk(self)

    def first(self) -> tuple[str, tuple[Span, ...]]:
        """Text and spans of the first option everywhere."""
        return self.choose(lambda options: 0)

    def choose(self, chooser: Callable[[Sequence[str]], int]) -> tuple[str, tuple[Span, ...]]:
        """Text and spans of the path on which `chooser(options)` gives the option at each branching."""
        walk = self.walk()
        walk.forced()
        while walk.options:
            walk.take(chooser(walk.options))
        return walk.text, walk.spans


class _Rest(NamedTuple):
    """What is still to come: the nodes from `at`, and then what follows them."""

    nodes: Nodes
    at: int
    after: _Rest | None


class _Leaf(NamedTuple):
    """A way to go on: its segments up to the next branching or the end, and what is still to come then."""

    text: str
    segments: tuple[Segment, ...]
    choice: Choice | None
    rest: _Rest | None


class Walk:
    """A cursor through one lattice; for one reader.

    Use: `forced()`, then while there are `options`, `take` one. What is forced after an option belongs to the option,
    up to the next branching; so `forced` has something to say only at the beginning.

    Attributes:
        text: What has been read so far.
        options: The texts with which it may go on: distinct, none the beginning of another, in the order of the
            grammar; empty before `forced` was called, and at the end.
    """

    def __init__(self, lattice: Lattice) -> None:
        self.text = ""
        self.options: tuple[str, ...] = ()
        self._spans: list[Span] = []
        self._start: _Rest | None = _Rest(lattice.nodes, 0, None)
        self._leaves: list[_Leaf] = []

    @property
    def spans(self) -> tuple[Span, ...]:
        """Which characters of `text` say which fact, sorted by start."""
        return tuple(sorted(self._spans, key=lambda span: (span.start, span.end, span.fact)))

    def forced(self) -> str:
        """The text with which every path begins, from where the cursor stands; the cursor goes past it."""
        if self._start is None:
            return ""
        start, self._start = self._start, None
        leaf = _run(start)
        self._go(leaf)
        return leaf.text

    def take(self, option: int) -> None:
        """Goes on with an option, up to the next branching or the end."""
        self._go(self._leaves[option])

    def _go(self, leaf: _Leaf) -> None:
        for segment in leaf.segments:
            start = len(self.text)
            self.text += segment.text
            if segment.facts:
                start += len(segment.text) - len(segment.text.lstrip())
                self._spans += [Span(start, len(self.text), fact) for fact in segment.facts]
        self._leaves = [] if leaf.choice is None else _apart(_enter(leaf.choice, leaf.rest))
        self.options = tuple(leaf.text for leaf in self._leaves)


def _run(rest: _Rest | None, segments: tuple[Segment, ...] = ()) -> _Leaf:
    """Collects segments up to the next branching or the end."""
    found = list(segments)
    choice = None
    while rest is not None and choice is None:
        nodes, at, rest = rest
        for node in nodes[at:]:
            at += 1
            if isinstance(node, Choice):
                choice, rest = node, _Rest(nodes, at, rest) if at < len(nodes) else rest
                break
            found.append(node)
    return _Leaf("".join([segment.text for segment in found]), tuple(found), choice, rest)


def _enter(choice: Choice, rest: _Rest | None, segments: tuple[Segment, ...] = ()) -> list[_Leaf]:
    return [_run(_Rest(option, 0, rest), segments) for option in choice.options]


def _apart(leaves: list[_Leaf]) -> list[_Leaf]:
    """Follows the ways until none is the beginning of another, so that one look at the text tells them apart."""
    while True:
        texts = [leaf.text for leaf in leaves]
        for i, leaf in enumerate(leaves):
            if leaf.choice is not None and (
                not leaf.text or any(j != i and text.startswith(leaf.text) for j, text in enumerate(texts))
            ):
                leaves[i : i + 1] = _enter(leaf.choice, leaf.rest, leaf.segments)
                break
        else:
            first: dict[str, _Leaf] = {}
            for leaf in leaves:
                first.setdefault(leaf.text, leaf)
            return list(first.values())


def _count(nodes: Nodes, known: dict[int, int]) -> int:
    total = 1
    for node in nodes:
        if isinstance(node, Choice):
            if id(node) not in known:
                known[id(node)] = sum(_count(option, known) for option in node.options)
            total *= known[id(node)]
    return total
