"""What free sentences are made of: places, verbs, and connectives, several for each meaning."""

from __future__ import annotations

from random import Random

__all__ = ["ADVERBS", "AGAINST", "AMOUNT", "PLACES", "SUPPORT", "join", "pick", "place"]


def pick(rng: Random, options: str) -> str:
    """One of several texts separated by bars."""
    return rng.choice(options.split("|"))


#: Verbs of support: plural and singular, without their object.
SUPPORT = (
    ("speak for", "speaks for"), ("support", "supports"), ("argue for", "argues for"), ("point to", "points to"),
    ("count for", "counts for"), ("favor", "favors"), ("are evidence for", "is evidence for"),
    ("count in favor of", "counts in favor of"), ("suggest", "suggests"), ("are reasons for", "is a reason for"),
)  # fmt: skip

AGAINST = (
    ("speak against", "speaks against"), ("argue against", "argues against"), ("count against", "counts against"),
    ("weigh against", "weighs against"), ("contradict", "contradicts"), ("oppose", "opposes"),
    ("point away from", "points away from"), ("are evidence against", "is evidence against"),
    ("tell against", "tells against"), ("are arguments against", "is an argument against"),
)  # fmt: skip

#: What a reason does that makes up more than anything else.
ADVERBS = "mainly|mainly|mostly|chiefly|primarily|largely|above all"

#: Verbs between evidence and its amount.
AMOUNT = (
    ("make up", "makes up"), ("make up", "makes up"), ("account for", "accounts for"), ("cover", "covers"),
    ("amount to", "amounts to"), ("add up to", "adds up to"), ("explain", "explains"), ("provide", "provides"),
    ("represent", "represents"), ("come to", "comes to"), ("contribute", "contributes"),
)  # fmt: skip

_CORNER = (
    "in the {0}-{1} corner|in the {0} {1} corner|in the {2} {1} corner|in the {2} {1}|at the {0} {1}|"
    "in the {2}-{1} corner of the picture|in the {0} {1} of the image"
)

#: Position name → phrases.
PLACES: dict[str, str] = {
    "top": "at the top|near the top|at the top of the picture|toward the top|in the upper part of the picture",
    "bottom": "at the bottom|near the bottom|at the bottom of the picture|toward the bottom|"
    "in the lower part of the image",
    "left": "on the left|to the left|on the left side|on the left-hand side|at the left edge|"
    "on the left of the picture",
    "right": "on the right|to the right|on the right side|on the right-hand side|at the right edge|toward the right",
    "center": "in the center|in the middle|at the center|in the middle of the picture|in the center of the image",
    "upper half": "in the upper half|in the top half|in the upper half of the picture",
    "lower half": "in the lower half|in the bottom half|in the lower half of the picture",
    "left half": "in the left half|in the left half of the picture|on the left half of the image",
    "right half": "in the right half|in the right half of the picture|on the right half of the image",
    "entire image": "across the entire picture|all over the picture|throughout the picture|everywhere|"
    "all across the image|in the whole picture",
    "entire top": "along the entire top|along the whole top edge|all along the top|across the entire top",
    "entire bottom": "along the entire bottom|along the whole bottom edge|all along the bottom|"
    "across the entire bottom",
    "entire left": "along the entire left side|along the whole left side|all along the left side",
    "entire right": "along the entire right side|along the whole right side|all along the right side",
    "center cross": "in a cross through the center|in a cross through the middle of the picture",
    "perimeter": "around the perimeter|all around the border of the picture|along the perimeter of the image",
    "top-left corner": _CORNER.format("top", "left", "upper"),
    "top-right corner": _CORNER.format("top", "right", "upper"),
    "bottom-left corner": _CORNER.format("bottom", "left", "lower"),
    "bottom-right corner": _CORNER.format("bottom", "right", "lower"),
}


def place(rng: Random, names: tuple[str, ...]) -> str:
    """Where something lies: "in the center and on the left"; empty for no positions."""
    if len(names) == 2 and set(names) in ({"top", "bottom"}, {"left", "right"}) and rng.random() < 0.5:
        return ("at the " if "top" in names else "on the ") + " and ".join(names)
    order = list(names)
    if rng.random() < 0.15:
        rng.shuffle(order)
    return join([pick(rng, PLACES[name]) if rng.random() < 0.5 else PLACES[name].split("|")[0] for name in order])


def join(items: list[str], word: str = "and") -> str:
    """As in "A", "A and B", "A, B, and C"; semicolons where an item has commas inside."""
    if len(items) < 2:
        return "".join(items)
    if any(", " in item for item in items):
        return f"; {word} ".join(["; ".join(items[:-1]), items[-1]])
    if len(items) == 2:
        return f"{items[0]} {word} {items[1]}" if " and " not in items[0] else f"{items[0]}, {word} {items[1]}"
    return f"{', '.join(items[:-1])}, {word} {items[-1]}"
