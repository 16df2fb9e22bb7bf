"""What free sentences are made of: places, verbs, and connectives, several for each meaning."""

from __future__ import annotations

from random import Random

__all__ = [
    "ADVERBS", "AGAINST", "AMOUNT", "ASSUMED", "BETWEEN", "DOUBT", "FIRST", "PLACES", "SUPPORT", "UNNAMED",
    "UNNAMED_MANY", "join", "pick", "place",
]  # fmt: skip


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

_QUARTER = (
    "in the {0} {1} quarter|in the {0} {1} quarter|in the {2} {1} quarter|in the {0}-{1} quarter of the picture|"
    "in the {0} {1} quarter of the image"
)

#: Name of a place → phrases.
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
    "middle": "in the middle|in the middle of the picture|in the middle of the image",
    "upper left quarter": _QUARTER.format("upper", "left", "top"),
    "upper right quarter": _QUARTER.format("upper", "right", "top"),
    "lower left quarter": _QUARTER.format("lower", "left", "bottom"),
    "lower right quarter": _QUARTER.format("lower", "right", "bottom"),
    "most of the picture": "in most of the picture|in most of the picture|across most of the image",
    "entire picture": "across the entire picture|all over the picture|throughout the image|in the whole picture",
    "spread over the picture": "spread over the picture|spread over the image|scattered over the picture",
}

#: How sure the network is → clauses before "the answer is", and before a label; {} is the network.
DOUBT = {
    "certain": "{} is certain that|{} is certain that|{} was certain that",
    "quite sure": "{} is quite sure that|{} is quite sure that|{} was quite sure that|{} is fairly sure that",
    "thinks": "{} thinks that|{} thinks that|{} believes that|{} thought that",
    "guesses": "{} guesses that|{} guesses that|{} guessed that",
}

#: Two classes between which the network hesitates, and that the first of them is its answer.
BETWEEN = "hesitates between|hesitates between|hesitated between|is torn between|wavers between|cannot decide between"
FIRST = (
    ", but leans to the first|, but leans towards the first|, leaning to the first|, but tends to the first|"
    ", but prefers the first|, but chose the first"
)

#: A thing that has no name, and {} of them.
UNNAMED = "something without a name|something without a name|something that has no name|something unnamed"
UNNAMED_MANY = "{} patterns without a name|{} things without a name|{} things that have no name|{} unnamed things"

#: Sentences about what was assumed.
ASSUMED = {
    "outputs": (
        "The outputs were taken as logits.|The outputs were read as logits.|The outputs were assumed to be logits.|"
        "It was assumed that the outputs are logits."
    ),
    "preprocessing": (
        "The usual preprocessing was assumed.|The usual preprocessing was assumed here.|Usual preprocessing is "
        "assumed.|It was assumed that the picture is prepared in the usual way."
    ),
    "conventions": (
        "With other usual preprocessing, the answer would be {}.|The answer would be {} with other usual preprocessing."
        "|Prepared in another usual way, the picture would be {}.|With another usual preprocessing, the network would "
        "answer {}."
    ),
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
