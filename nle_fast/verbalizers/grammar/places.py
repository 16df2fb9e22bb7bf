"""Where something lies, in words: "in the upper half and in the middle"."""

from __future__ import annotations

from nle_fast.errors import VerbalizerError
from nle_fast.verbalizers.grammar.lattice import Choice, Nodes, Segment, either
from nle_fast.verbalizers.grammar.lists import Item, joined

__all__ = ["bare_place", "where"]


def where(places: dict[str, tuple[str, ...]]) -> tuple[Nodes, int]:
    """Such as " in the center and at the top and bottom", and its depth.

    Args:
        places: Name of a place → the facts that it tells.

    Raises:
        VerbalizerError: A name is none that `nle_fast.ops` gives.
    """
    halves = frozenset(places)
    if halves in _ALL_BUT:
        told = tuple(fact for facts in places.values() for fact in facts)
        return (Segment(f" everywhere but in the {_ALL_BUT[halves]}", told),), 0
    clusters: dict[str, list[str]] = {}
    for name in places:
        lead, noun, tail = _split(name)
        edge = noun in ("top", "bottom", "left", "right") or bool(tail)
        clusters.setdefault(f"{lead}{tail}" if edge else f"{lead}{noun}", []).append(name)
    parts: list[Item] = []
    for names in sorted(clusters.values(), key=lambda names: len(names) > 1):
        lead, noun, tail = _split(names[0])
        if len(names) == 1:
            said = (f"{lead} {noun}{tail}", *_OTHERWISE.get(names[0], ()))
            parts.append(Item(either((Segment(words, places[names[0]]),) for words in said)))
            continue
        words = joined([Item((Segment(f" {_split(name)[1]}", places[name]),)) for name in names])
        ends = [node for node in words if isinstance(node, Segment)]
        ends[0] = ends[0]._replace(text=lead + ends[0].text)
        ends[-1] = ends[-1]._replace(text=f"{ends[-1].text}{tail and f'{tail}s'}")
        parts.append(Item(tuple(ends)))
    for i in range(1, len(parts)):  # "in the middle and the upper half"
        before, (first, *others) = parts[i - 1].nodes[0], parts[i].nodes
        inside = before.options[0][0] if isinstance(before, Choice) else before
        if not (isinstance(inside, Segment) and inside.text.startswith((_IN, " the "))):
            continue
        if isinstance(first, Segment) and first.text.startswith(_IN):
            parts[i] = Item((first._replace(text=first.text.removeprefix(" in")), *others))
    commas = len(parts) > 2 or any(len(names) > 2 for names in clusters.values())
    return joined(parts), 2 if commas else int(len(places) > 1)


def bare_place(name: str) -> str:
    """A place in a caption: "top-left", "upper half"."""
    _split(name)  # refuses unknown places
    return name.removesuffix(" corner").removesuffix(" quarter")


_IN = " in the "
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
    "most of the picture": (" in", "most of the picture"),
    "entire picture": (" across", "the entire picture"),
    "spread over the picture": (" spread", "over the picture"),
}
_INSIDE = frozenset(("center", "middle", "upper half", "lower half", "left half", "right half"))
#: Two halves that leave out one quarter.
_ALL_BUT = {
    frozenset((f"{side} half", f"{level} half")): f"{other_level} {other_side}"
    for side, other_side in (("left", "right"), ("right", "left"))
    for level, other_level in (("upper", "lower"), ("lower", "upper"))
}
_CORNERS = frozenset(f"{one}-{two} corner" for one in ("top", "bottom") for two in ("left", "right"))
_QUARTERS = frozenset(f"{one} {two} quarter" for one in ("upper", "lower") for two in ("left", "right"))


def _split(name: str) -> tuple[str, str, str]:
    """Preposition, noun, and what comes once after several: "top-left corner" → (" in the", "top-left", " corner")."""
    if name in ("top", "bottom"):
        return " at the", name, ""
    if name in ("left", "right"):
        return " on the", name, ""
    if name in _INSIDE:
        return " in the", name, ""
    if name in _CORNERS:
        return " in the", name.removesuffix(" corner"), " corner"
    if name in _QUARTERS:
        return " in the", name.removesuffix(" quarter"), ""
    if name not in _FIXED:
        raise VerbalizerError(f"`positions` must be names that nle_fast.ops gives, got {name!r}; use those names.")
    return (*_FIXED[name], "")
