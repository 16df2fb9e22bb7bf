"""Changes of a meaning representation: what a faulty text would be right about.

Each function gives another meaning representation, or None where this kind of fault is not possible here. Whether the
other says anything else in this style is for `says` to tell. Here are faults in what is told of the evidence; those of
the whole are in `planting_whole`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any

from nle_fast.schema import PLACES, Evidence, Meaning
from nle_fast.verbalizers.language.phrases import Name, names_of
from training.verbalizer.planting_whole import nudged
from training.verbalizer.words import random_concept

__all__ = ["OF_EVIDENCE", "changed", "without"]

_POSITIONS = ("top", "bottom", "left", "right", "center", "lower half", "top-left corner", "entire left")


def changed(meaning: Meaning, rank: int, **changes: Any) -> Meaning:
    """With one piece of evidence changed."""
    items = list(meaning.evidence)
    items[rank] = replace(items[rank], **changes)
    return replace(meaning, evidence=tuple(items))


def without(meaning: Meaning, rank: int) -> Meaning:
    """Without one piece of evidence."""
    return _ordered(meaning, [other for other in range(len(meaning.evidence)) if other != rank])


def _ordered(meaning: Meaning, order: Sequence[int]) -> Meaning:
    """With the evidence of these ranks, in this order."""
    new = {rank: i for i, rank in enumerate(order)}
    joined = [
        replace(group, ranks=tuple(sorted(new[rank] for rank in group.ranks if rank in new)))
        for group in meaning.joined
    ]
    return replace(
        meaning,
        evidence=tuple(meaning.evidence[rank] for rank in order),
        counted=tuple(sorted(new[rank] for rank in meaning.counted if rank in new)),
        joined=tuple(group for group in joined if len(group.ranks) > 1),
    )


def _placed(item: Evidence, places: Sequence[str]) -> dict[str, tuple[str, ...]]:
    return {"places": tuple(places)} if item.places else {"positions": tuple(places)}


def _dropped(meaning: Meaning, rng: Random) -> Meaning | None:
    if not meaning.evidence:
        return None if meaning.versus is None else replace(meaning, versus=None)
    rank = rng.randrange(len(meaning.evidence))
    what = rng.randrange(4)
    item = meaning.evidence[rank]
    if what == 0 and meaning.versus is not None:
        return replace(meaning, versus=None)
    if what == 1 and item.where:
        places = list(item.where)
        places.pop(rng.randrange(len(places)))
        return changed(meaning, rank, positions=tuple(places), places=())
    return without(meaning, rank)


def _moved(meaning: Meaning, rng: Random) -> Meaning | None:
    placed = [rank for rank, item in enumerate(meaning.evidence) if item.where]
    if not placed:
        return None
    one = rng.choice(placed)
    here = meaning.evidence[one]
    others = [rank for rank in placed if set(meaning.evidence[rank].where) != set(here.where)]
    if others and rng.random() < 0.5:
        there = meaning.evidence[rng.choice(others)]
        swapped = changed(meaning, one, positions=there.positions, places=there.places)
        return changed(swapped, meaning.evidence.index(there), positions=here.positions, places=here.places)
    places = list(here.where)
    new = rng.choice([name for name in _POSITIONS if name not in places])
    if ("middle" in places and new == "center") or ("upper left quarter" in places and new == "top-left corner"):
        return None  # these two share their words
    places[rng.randrange(len(places))] = new
    return changed(meaning, one, **_placed(here, places))


def _zoned(meaning: Meaning, rng: Random) -> Meaning | None:
    """Another of `PLACES`: half for quarter, upper for lower."""
    placed = [rank for rank, item in enumerate(meaning.evidence) if item.places]
    if not placed:
        return None
    rank = rng.choice(placed)
    places = list(meaning.evidence[rank].places)
    at = rng.randrange(len(places))
    like = [name for name in PLACES if name not in places and set(name.split()) & set(places[at].split())]
    places[at] = rng.choice(like if like and rng.random() < 0.6 else [name for name in PLACES if name not in places])
    return changed(meaning, rank, places=tuple(places))


def _recounted(meaning: Meaning, rng: Random) -> Meaning | None:
    ranks = range(len(meaning.evidence))
    what = rng.randrange(3)
    if meaning.style == "expert" and what == 0:
        value = nudged(rng, meaning.target.probability)
        return replace(meaning, target=replace(meaning.target, probability=value))
    if meaning.style == "expert" and what == 1 and ranks:
        rank = rng.choice(ranks)
        return changed(meaning, rank, share=meaning.evidence[rank].share * (1.1 + rng.uniform(0.015, 0.3)))
    step = 0.06 if meaning.rounded else 0.0
    value = nudged(rng, meaning.coverage)
    return replace(meaning, coverage=value) if abs(value - meaning.coverage) > step else None


def _flipped(meaning: Meaning, rng: Random) -> Meaning | None:
    if not meaning.evidence:
        return None
    rank = rng.randrange(len(meaning.evidence))
    item = meaning.evidence[rank]
    other = changed(meaning, rank, supports=not item.supports, share=-item.share)
    return _ordered(other, sorted(range(len(other.evidence)), key=lambda rank: -other.evidence[rank].supports))


def _invented(meaning: Meaning, rng: Random) -> Meaning | None:
    known = {name.key for name in names_of(meaning).concepts if name} | {names_of(meaning).target.key}
    concept = random_concept(rng)
    neuron = 5000 + rng.randrange(1000)
    photos = None if meaning.photos is None else 1
    new = Evidence(neuron, concept, None, 0.1, 0.01, True, rng.choice((("top",), (), ("center",))), (), photos=photos)
    other = replace(meaning, evidence=(new,), joined=(), counted=())
    name = names_of(other).concepts[0]
    if name is None or name.key in known or any(_alike(name, old) for old in names_of(meaning).concepts if old):
        return None
    if rng.random() < 0.3 and meaning.evidence:  # instead of another one
        return changed(meaning, rng.randrange(len(meaning.evidence)), concept=concept)
    place = rng.randrange(sum(item.supports for item in meaning.evidence) + 1)
    size = len(meaning.evidence)
    grown = replace(meaning, evidence=(*meaning.evidence, new))
    return _ordered(grown, [*range(place), size, *range(place, size)])


def _alike(one: Name, two: Name) -> bool:
    """Whether one is the other in another number."""
    return bool({*one.forms, *one.variants} & {*two.forms, *two.variants})


def _rewired(meaning: Meaning, rng: Random) -> Meaning | None:
    ranks = [item.rank for item in meaning.told]
    if not ranks or meaning.style != "expert":
        return None
    rank = rng.choice(ranks)
    used = [item.neuron for item in meaning.evidence]
    if len(ranks) > 1 and rng.random() < 0.5:
        other = rng.choice([some for some in ranks if some != rank])
        swapped = changed(meaning, rank, neuron=used[other])
        return changed(swapped, other, neuron=used[rank])
    if rng.random() < 0.2:
        kind = meaning.evidence[rank].kind
        return changed(meaning, rank, kind="feature" if kind == "neuron" else "neuron")
    return changed(meaning, rank, neuron=rng.choice([n for n in range(3000) if n not in used]))


_TYPICAL, _LIKE = "what is typical of ", "what looks like "


def _mannered(meaning: Meaning, rng: Random) -> Meaning | None:
    """Words by votes told as things, borrowed words as words by votes; a head that is not shared."""
    ranks = [
        item.rank for item in meaning.told if (meaning.evidence[item.rank].concept or "").startswith((_TYPICAL, _LIKE))
    ]
    if not ranks:
        return None
    rank = rng.choice(ranks)
    concept = meaning.evidence[rank].concept or ""
    typical = concept.startswith(_TYPICAL)
    things = concept.removeprefix(_TYPICAL).removeprefix(_LIKE)
    told = rng.choice((things, f"{_LIKE if typical else _TYPICAL}{things}"))
    ranks = [other for other in ranks if meaning.evidence[other].concept == concept]
    for other in ranks:
        meaning = changed(meaning, other, concept=told)
    return meaning


def _doubted(meaning: Meaning, rng: Random) -> Meaning | None:
    """With "perhaps", or without."""
    ranks = [item.rank for item in meaning.told if meaning.evidence[item.rank].concept is not None]
    unjudged = [rank for rank in ranks if not meaning.evidence[rank].judged]
    if not ranks or (not unjudged and rng.random() < 0.5):
        return None
    rank = rng.choice(unjudged or ranks)
    return changed(meaning, rank, judged=not meaning.evidence[rank].judged)


def _nameless(meaning: Meaning, rng: Random) -> Meaning | None:
    """Another number of things without a name, or another share of them."""
    ranks = [item.rank for item in meaning.told if meaning.evidence[item.rank].concept is None]
    if not ranks or meaning.style == "expert":
        return None
    rank = rng.choice(ranks)
    item = meaning.evidence[rank]
    if rng.random() < 0.5:
        other = changed(meaning, rank, share=item.share * rng.choice((0.3, 0.5, 1.5, 2.2)))
        told = any(fact.id == "unnamed" for fact in meaning.facts)
        return other if item.supports and told and not (meaning.rounded and abs(item.share) < 0.15) else None
    if len(ranks) > 1 and rng.random() < 0.5:
        return without(meaning, rank)
    size = len(meaning.evidence)
    grown = replace(meaning, evidence=(*meaning.evidence, replace(item, neuron=5000, share=item.share * 0.001)))
    return _ordered(grown, [*range(rank + 1), size, *range(rank + 1, size)])


def _netted(meaning: Meaning, rng: Random) -> Meaning | None:
    """What of joined evidence is for it and what against: exchanged, or another number."""
    leaders = [fact.rank for fact in meaning.facts if fact.kind == "net" and fact.rank is not None]
    if not leaders:
        return None
    leader = rng.choice(leaders)
    members = [item.rank for item in meaning.told if item.leader == leader]
    sums = [sum(meaning.evidence[r].share for r in members if meaning.evidence[r].supports == s) for s in (True, False)]
    if not all(sums):
        return None
    swap, factor, side = rng.random() < 0.5, rng.choice((0.4, 1.6, 2.5)), rng.random() < 0.5
    for rank in members:
        item = meaning.evidence[rank]
        by = abs(sums[item.supports] / sums[1 - item.supports]) if swap else factor if item.supports == side else 1.0
        meaning = changed(meaning, rank, share=item.share * by)
    return meaning


def _smaller(meaning: Meaning, rng: Random) -> Meaning | None:
    """Another number of small pieces, of another size, or none."""
    if not meaning.counted:
        return None
    rank = rng.choice(meaning.counted)
    item = meaning.evidence[rank]
    what = rng.randrange(4)
    if what == 0:
        return without(meaning, rank)
    if what == 1:
        size = len(meaning.evidence)
        grown = replace(meaning, evidence=(*meaning.evidence, replace(item, neuron=5000, share=item.share * 0.01)))
        return replace(grown, counted=(*meaning.counted, size))
    if what == 2:
        return changed(meaning, rank, share=-item.share, supports=not item.supports)
    return changed(meaning, rank, share=item.share + 0.02 if item.share > 0 else -0.02 - item.share)


def _other_photos(meaning: Meaning, rng: Random) -> Meaning | None:
    """Another number of pictures, or evidence in another part of them."""
    if meaning.photos is None:
        return None
    if rng.random() < 0.4 or not meaning.told:
        return replace(meaning, photos=meaning.photos + rng.choice((1, 7, 100)))
    rank = rng.choice(meaning.told).rank
    return changed(meaning, rank, photos=rng.randrange(1, meaning.photos + 1))


#: Kind of a fault → how it is planted.
OF_EVIDENCE = {
    "dropped": _dropped, "position": _moved, "number": _recounted, "flipped": _flipped, "invented": _invented,
    "neuron": _rewired, "manner": _mannered, "perhaps": _doubted, "unnamed": _nameless, "net": _netted,
    "counted": _smaller, "photos": _other_photos, "place": _zoned,
}  # fmt: skip
