"""Lists of words with their alternatives, and their first letter at the beginning of a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nle_fast.verbalizers.grammar.lattice import Choice, Nodes, Segment, either

__all__ = ["Item", "capitalized", "joined"]


@dataclass(frozen=True, slots=True)
class Item:
    """An entry of a list; `depth`: punctuation inside (0 none, 1 "and", 2 commas); `bundle`: ends in ", both in …"."""

    nodes: Nodes
    depth: int = 0
    plural: bool = False
    bundle: bool = False


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
