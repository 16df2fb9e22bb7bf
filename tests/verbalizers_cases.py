"""Meaning representations for the tests of the verbalizers: makers, Hypothesis strategies, and fixed sets."""

from __future__ import annotations

import re
from dataclasses import replace

from hypothesis import strategies as st

from nle_fast.schema import PLACES, Assumption, Evidence, Joined, Meaning, Prediction

POSITION_NAMES = (
    "top-left corner", "top", "top-right corner", "left", "center", "right", "bottom-left corner", "bottom",
    "bottom-right corner", "entire image", "entire top", "entire bottom", "entire left", "entire right",
    "upper half", "lower half", "left half", "right half", "center cross", "perimeter",
)  # fmt: skip

CONCEPTS = (
    "Stripes", "stripes", "Dog face", "Dog faces", "dog", "dogs", "grass", "sky", "Water", "hourglass", "unicorn",
    "The color red", "red", "black lettering and numbers", "Black and white stripes", "rounded edges in pictures",
    "Horizontal lines", "Animals and food", "animals", "food", "dotted", "striped", "Spots of the color white",
    "The sky or walls", "Items that are connected", "Dots on the bottom", "The bottom of rectangular objects", "top",
    "center", "left", "evidence", "network", "neuron 7", "zebra", "horse", "tabby cat", "not a dog", "X-ray",
    "something against it", "T-1000 (v2) against!", "“quoted” words", "🦓 emoji 🦓", "12%", "Flower, flower, flower",
    "A water fountain, smoke, birds", "People 's heads", "bakery_shop-s", "because of stripes", "  ", "!!!", "İstanbul",
    "the", "stripes and", "of stripes", "stripes in the center", "on the left", "naïve café", "犬の顔", "mainly grass",
    "Yorkshire terrier", "two eyes", "and", "no evidence", "layer", "-", "a", "1.5", "dog-face", "St. Bernard",
    "x" * 80,
)  # fmt: skip

LABELS = (
    "zebra", "tabby, tabby cat", "horse", "Border collie", "T-shirt", "stripes", "center", "not a zebra", "12",
    "network",
    "safe", "it", "a (b)", "犬", "🦓", "“x”", "crane", "sports car, sport car", "rather than horse", "Mr. Big", "",
)  # fmt: skip

LAYERS = (
    "layer4",
    "features.12",
    "/features/Relu_output_0",
    "12",
    "top",
    "my layer",
    "layer",
    "a.b-c:0",
    "",
    "stripes",
    "x.",
)


def evidence(neuron, concept, share, positions=(), supports=True, **more):
    """Positions may be places. More: other fields of Evidence."""
    some = tuple(positions)
    if any(name in PLACES for name in some) and not all(name in POSITION_NAMES for name in some):
        more["places"] = some
        some = ()
    return Evidence(neuron, concept, None, share * 10, share, supports, some, (), **more)


def meaning(
    label, items=(), *, coverage=None, versus=None, style="plain", probability=0.923, layer="features.12", winner=True,
    **more,
):  # fmt: skip
    """More fields of a Meaning: classes as (label, probability), assumed as (kind, label), joined as (ranks, where)."""
    counted = more.get("counted", ())
    if coverage is None:
        coverage = min(1.0, sum(item.share for i, item in enumerate(items) if item.supports and i not in counted))
    other = None if versus is None else Prediction(1, versus, 0.02, 3.0)
    for i, name in enumerate(("answer", "runner_up")):
        if more.get(name) is not None:
            more[name] = Prediction(7 + i, *more[name], 4.0)
    more["also"] = tuple(Prediction(20 + i, some, 0.6, 2.0) for i, some in enumerate(more.get("also", ())))
    more["assumed"] = tuple(Assumption(*what) for what in more.get("assumed", ()))
    more["counted"] = tuple(counted)
    more["joined"] = tuple(Joined(tuple(ranks), tuple(places)) for ranks, places in more.get("joined", ()))
    target = Prediction(340, label, probability, 12.0)
    return Meaning(target, other, tuple(items), coverage, layer, style, winner, **more)


ZEBRA = meaning(
    "zebra", [evidence(431, "Stripes", 0.42, ("center", "left")), evidence(7, "sky", -0.05, ("top",), False)]
)
#: Long enough for a slow model to be caught in the middle.
LONG = meaning(
    "zebra",
    [evidence(i, f"{'very ' * i}black stripes", 0.1, ("center", "left"), i < 3) for i in range(4)],
    versus="horse",
    style="expert",
)


def some(count):
    """Meaning representations in all styles, of several lengths."""
    names = ("stripes", "dog face", "grass", "sky", "wheel", "horizontal lines")
    styles = ("plain", "short", "expert")
    return [
        meaning(
            ("zebra", "sports car", "crane")[i % 3],
            [evidence(j, names[(i + j) % 6], 0.3 / (j + 1), ("left", "top")[: 1 + j % 2]) for j in range(i % 5)],
            style=styles[i % 7 % 3],
        )
        for i in range(count)
    ]


@st.composite
def meanings(draw, concepts=None, labels=None, layers=None, styles=("plain", "expert", "short"), min_size=0, told=True):
    """Any meaning representation: up to eight pieces of evidence, shared concepts and places, odd words.

    `told`: with what is told besides them: doubt, further answers, joined and counted pieces, what was assumed, …
    """
    words = st.sampled_from(CONCEPTS) | st.text(max_size=12) if concepts is None else st.sampled_from(concepts)
    names = st.sampled_from(LABELS) | st.text(max_size=12) if labels is None else st.sampled_from(labels)
    layer = st.sampled_from(LAYERS) | st.text(max_size=8) if layers is None else st.sampled_from(layers)
    size = draw(st.integers(min_size, 8))
    neurons = draw(st.lists(st.integers(0, 3000), min_size=size, max_size=size, unique=True))
    supporting = draw(st.integers(0, size))
    share = st.floats(0, 1) | st.sampled_from((0.0, 1.0, 0.5, 0.0005, 0.9996))
    items = []
    for rank, neuron in enumerate(neurons):
        positions = draw(st.lists(st.sampled_from(POSITION_NAMES), max_size=4, unique=True))
        sign = 1 if rank < supporting else -1
        more = draw(_told_of_evidence()) if told else {}
        items.append(evidence(neuron, draw(st.none() | words), sign * draw(share), positions, sign > 0, **more))
    label = draw(names)
    versus = draw(st.none() | names.filter(lambda other: other != label))
    winner = draw(st.booleans())
    what = meaning(
        label, items, coverage=draw(st.floats(-0.1, 1.2) | share), versus=versus, style=draw(st.sampled_from(styles)),
        probability=draw(share), layer=draw(layer), winner=winner,
    )  # fmt: skip
    return draw(_told_of_the_whole(what, names, share)) if told and draw(st.booleans()) else what


@st.composite
def _told_of_evidence(draw):
    """Further fields of a piece of evidence."""
    if draw(st.booleans()):
        return {}
    return {
        "places": tuple(draw(st.lists(st.sampled_from(PLACES), max_size=2, unique=True))),
        "judged": draw(st.booleans()),
        "kind": draw(st.sampled_from(("neuron", "feature"))),
    }


@st.composite
def _told_of_the_whole(draw, what, names, share):
    """The same with further fields."""
    ranks = range(len(what.evidence))
    some_places = st.lists(st.sampled_from(PLACES), max_size=2, unique=True).map(tuple)
    # The first piece is never so small that it is only counted, and what is joined is told.
    counted = tuple(rank for rank in ranks[1:] if draw(st.integers(0, 4)) == 0)
    told = [rank for rank in ranks if rank not in counted]
    some = len(told) > 1 and all(what.evidence[rank].share for rank in (told[0], told[-1]))
    used = [what.target.label, what.versus.label if what.versus else what.target.label]

    def other(index):
        label = draw(names.filter(lambda name: name not in used))
        used.append(label)
        return Prediction(index, label, draw(share), 1.0)

    changes = {
        "counted": counted,
        "joined": (Joined((told[0], told[-1]), draw(some_places)),) if some and draw(st.booleans()) else (),
        "unexplained": draw(st.just(0.0) | st.floats(-1, 1)),
        "rounded": what.coverage >= 0 and draw(st.booleans()),
        "certainty": draw(st.none() | st.sampled_from(("certain", "quite sure", "thinks", "guesses", "hesitates"))),
        "runner_up": draw(st.none() | st.builds(other, st.just(5))) if what.winner else None,
        "answer": None if what.winner or draw(st.booleans()) else other(6),
        "also": tuple(other(7 + i) for i in range(draw(st.integers(0, 2)))),
        "seen": draw(st.none() | share),
        "assumed": tuple(draw(st.lists(st.sampled_from(_ASSUMED), max_size=2, unique_by=lambda one: one.kind))),
    }
    if draw(st.integers(0, 5)) == 0:
        items = tuple(replace(item, photos=draw(st.integers(0, 50))) for item in what.evidence)
        changes |= {"photos": 50, "evidence": items, "winner": True, "joined": ()}
    return replace(what, **changes)


_ASSUMED = (Assumption("outputs"), Assumption("preprocessing"), Assumption("conventions"))


def assert_english(text):
    """What holds for every text of the grammar about concepts in ordinary words."""
    assert not re.search(r"\b(\w+) \1\b", text), text  # no doubled word
    assert not re.search(r"\ba [aeio]\w", text, re.IGNORECASE), text  # no "a eye"
    assert not re.search(r" [,.;]|[,;][,;.]|\(\)| {2}", text), text
    for sentence in re.split(r"(?<=[.?]) ", text):
        assert sentence[0].isupper(), text
