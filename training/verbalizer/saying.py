"""What a text about a meaning representation says, so that two that say the same can be told from two that do not."""

from __future__ import annotations

from nle_fast.schema import Meaning
from nle_fast.verbalizers.language.phrases import UNNAMED, about, names_of, percent

__all__ = ["says"]


def says(meaning: Meaning) -> tuple[object, ...]:
    """What a text in this style says, so that two that say the same are equal."""
    names, told = names_of(meaning), {fact.id for fact in meaning.facts}
    expert = meaning.style == "expert"
    number = about if meaning.rounded and not expert else lambda value: percent(value, int(expert))

    def said(fact: str, value: object) -> object:
        return value if fact in told else None

    small = [meaning.evidence[rank].share for rank in meaning.counted]
    pro, con = [share for share in small if share >= 0], [share for share in small if share < 0]
    other, second = meaning.answer, meaning.runner_up
    return (
        names.target.key, names.versus and names.versus.key, meaning.winner, meaning.photos, _evidence(meaning),
        {role: name.key for role, name in names.others.items()}.get("answer"),
        {role: name.key for role, name in names.others.items()}.get("runner_up"),
        frozenset(name.key for role, name in names.others.items() if role.startswith("label.")),
        frozenset(
            (what.kind, name.key if (name := names.others.get(f"assumed.{i}")) else None)
            for i, what in enumerate(meaning.assumed) if f"assumed.{i}" in told
        ),
        said("certainty", meaning.doubt), said("layer", names.layer.key),
        said("coverage", number(meaning.coverage)),
        said("probability", percent(meaning.target.probability, int(expert))),
        said("answer.probability", other and percent(other.probability, int(expert))),
        said("runner_up.probability", second and percent(second.probability, int(expert))),
        said("unnamed", number(sum(meaning.evidence[item.rank].share for item in meaning.told
                                   if item.supports and names.concepts[item.leader] is None))),
        said("counted", (len(pro), number(sum(pro)), len(con))),
        said("unexplained", (meaning.unexplained > 0, number(abs(meaning.unexplained)))),
        said("seen", percent(meaning.seen or 0, 0)),
    )  # fmt: skip


def _evidence(meaning: Meaning) -> frozenset[object]:
    """What is said of the evidence."""
    names, told = names_of(meaning), {fact.id for fact in meaning.facts}
    expert = meaning.style == "expert"
    found: dict[object, list[object]] = {}
    unjudged = {
        (name.key, item.supports)
        for item in meaning.told
        if (name := names.concepts[item.leader]) is not None and not meaning.evidence[item.rank].judged
    }
    for rank, leader, side, places in meaning.told:
        name, item = names.concepts[leader], meaning.evidence[rank]
        key: object = (UNNAMED if name is None else name.key, side)
        if expert:
            key = (key, item.neuron, places and frozenset(places), percent(item.share, 1), item.kind)
        photos = percent((item.photos or 0) / (meaning.photos or 1), 0) if meaning.photos else ""
        entry = found.setdefault(key, [frozenset(), 0, [], []])
        entry[0] = frozenset(places) | entry[0]  # type: ignore[operator]
        entry[1] += name is None or expert  # type: ignore[operator]
        entry[2] += [photos] if photos else []  # type: ignore[attr-defined]
        if f"evidence.{rank}.net" in told:
            entry[3].append(_sides(meaning, rank))  # type: ignore[attr-defined]
    return frozenset(
        (key, entry[0], entry[1], tuple(entry[2]), tuple(entry[3]), (key[0] if expert else key) in unjudged)  # type: ignore[index, arg-type]
        for key, entry in found.items()
    )


def _sides(meaning: Meaning, leader: int) -> tuple[str, str]:
    members = [meaning.evidence[item.rank] for item in meaning.told if item.leader == leader]
    pro, con = (sum(item.share for item in members if item.supports == side) for side in (True, False))
    return percent(abs(pro), 0), percent(abs(con), 0)
