"""What free sentences are about: evidence with its places and figures, alone and in lists."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from random import Random

from nle_fast.schema import Meaning
from nle_fast.verbalizers.language.phrases import UNNAMED, Name, Names, about, leads, names_of, percent, quoted
from nle_fast.verbalizers.language.vocabulary import COUNTS
from nle_fast.verbalizers.language.words import noun_phrase
from training.verbalizer import wordings
from training.verbalizer.wordings import join, pick, place

__all__ = ["Teller", "Thing"]

_HEADS = {"what is typical of ": "of ", "what looks like ": "like "}


@dataclass(frozen=True)
class Thing:
    """Evidence of one concept and side (in `expert` one neuron).

    Attributes:
        words, bare: In a sentence, and in a caption.
        places: Where it lies.
        plural: Takes a plural verb.
        figures: What it is a channel of ("neuron 41"), and its share.
        behind: What is told in brackets behind it: both sides, or the share of what has no name.
        head: With which words it begins that a list says once: "what is typical of "; empty: none.
        photos: In how many of the pictures it is; empty: one picture.
    """

    words: str
    bare: str
    places: tuple[str, ...]
    plural: bool
    figures: tuple[str, str]
    behind: str = ""
    head: str = ""
    photos: str = ""

    @property
    def named(self) -> bool:
        """Whether it has words."""
        return not self.words.startswith(("neuron ", "feature "))


class Teller:
    """Tells one meaning representation; chooses by its random numbers."""

    def __init__(self, meaning: Meaning, rng: Random) -> None:
        self.meaning, self.rng = meaning, rng
        self.names: Names = names_of(meaning)
        self.facts = {fact.id for fact in meaning.facts}
        self.expert = meaning.style == "expert"
        self.decimals = int(self.expert)
        self.leads = False
        self.pro = self.things(supports=True)
        self.con = self.things(supports=False)
        self.label = self.names.target.text
        self.a_label = self.article(self.label)
        versus = self.names.versus
        self.versus, self.a_versus = (versus.text, self.article(versus.text)) if versus else ("", "")

    def article(self, label: str) -> str:
        """The label with its article, where it takes one."""
        phrase = label if "“" in label or not label[:1].isascii() else noun_phrase(label).text
        return label if phrase.startswith(("the ", "something ")) else phrase

    def pick(self, options: str) -> str:
        """One of several texts separated by bars."""
        return pick(self.rng, options)

    def odds(self, chance: float) -> bool:
        """Yes, with this chance."""
        return self.rng.random() < chance

    def number(self, value: float) -> str:
        """A share of all evidence, as this style tells it."""
        if self.meaning.rounded and not self.expert:
            return about(value)
        number = percent(value, self.decimals)
        if not self.expert:
            number = number.replace("<", "less than ").replace(">", "more than ")
        if self.odds(0.12) and number[0].isdigit():
            number = number.replace("%", " percent")
        return f"about {number}" if number[0].isdigit() and not self.expert and self.odds(0.1) else number

    # Evidence

    def things(self, *, supports: bool) -> list[Thing]:
        """The evidence of one side, that of one concept together; what has no name comes last."""
        meaning, groups = self.meaning, {}
        told = [item for item in meaning.told if item.supports == supports]
        names = {item.rank: self.names.concepts[item.leader] for item in told}
        for item in told:
            name = names[item.rank]
            key = item.rank if self.expert else UNNAMED if name is None else name.key
            groups.setdefault(key, []).append(item)
        if UNNAMED in groups:
            groups[UNNAMED] = groups.pop(UNNAMED)
        unjudged = {name.key for rank, name in names.items() if name is not None and not meaning.evidence[rank].judged}
        things = []
        for i, some in enumerate(groups.values()):
            ranks, name = [item.rank for item in some], names[some[0].rank]
            if supports and not i:
                key = name and name.key
                first = [r for r, other in names.items() if r in ranks or (other is not None and other.key == key)]
                self.leads = leads(meaning, tuple(meaning.evidence[rank] for rank in first))
            places = dict.fromkeys(where for item in some for where in item.places)
            if name is None:
                thing = self._unnamed(ranks, tuple(places), supports=supports)
            else:
                thing = self._named(ranks, name, tuple(places), perhaps=name.key in unjudged)
            photos = [percent((meaning.evidence[rank].photos or 0) / (meaning.photos or 1), 0) for rank in ranks]
            things.append(replace(thing, photos=", ".join(f"in {n}" for n in photos) if meaning.photos else ""))
        return things

    def _named(self, ranks: list[int], name: Name, places: tuple[str, ...], *, perhaps: bool) -> Thing:
        words, bare, head = name.text, name.bare, ""
        if name.plural and self.odds(0.15) and not name.quoted:
            words = f"the {words}" if words == bare else words
        if perhaps:
            bare = name.perhaps.removeprefix("what is ") if name.head else f"perhaps {bare}"
            words = self.pick(f"{name.perhaps}|{name.perhaps}|maybe {words}|perhaps {words}")
        elif name.head:
            head = next(some for some in _HEADS if some.startswith(name.head))
            if head == "what is typical of ":
                bare = self.pick(f"{bare}|{bare.removeprefix('what is ')}")
                words = self.pick(f"{words}|{words}|{words}|something {words.removeprefix('what is ')}")
            elif self.odds(0.2):
                words = f"something that {words.removeprefix('what ')}"
        return Thing(
            words, bare, places, name.plural and not name.head, self._figures(ranks[0]), self._net(ranks), head
        )

    def _unnamed(self, ranks: list[int], places: tuple[str, ...], *, supports: bool) -> Thing:
        item, figures = self.meaning.evidence[ranks[0]], self._figures(ranks[0])
        if self.expert:
            words = item.loosely and f" (loosely {quoted(noun_phrase(item.loosely).bare).text})"
            words = f"{figures[0]}{words if words and self.odds(0.7) else ''}"
            return Thing(words, words, places, False, figures)
        count = len(ranks)
        many = COUNTS[count] if count < len(COUNTS) else str(count)
        words = self.pick(wordings.UNNAMED) if count == 1 else self.pick(wordings.UNNAMED_MANY).format(many)
        behind = self._net(ranks)
        if supports and "unnamed" in self.facts:
            behind += f" ({self.number(sum(self.meaning.evidence[rank].share for rank in ranks))})"
        return Thing(words, words, places, count > 1, figures, behind)

    def _figures(self, rank: int) -> tuple[str, str]:
        item = self.meaning.evidence[rank]
        return f"{item.kind} {item.neuron}", percent(item.share, 1)

    def _net(self, ranks: list[int]) -> str:
        """What of joined evidence speaks for it and what against it."""
        nets = ""
        for rank in ranks:
            if f"evidence.{rank}.net" in self.facts:
                shares = [self.meaning.evidence[told.rank] for told in self.meaning.told if told.leader == rank]
                pro, con = (
                    percent(abs(sum(item.share for item in shares if item.supports == side)), 0)
                    for side in (True, False)
                )
                nets += self.pick(
                    f" ({pro} for it, {con} against it)| ({pro} for it, {con} against it)| ({pro} for, {con} against)|"
                    f" ({pro} for it and {con} against it)| ({con} against it, {pro} for it)"
                )
        return nets

    # Lists

    def one(self, thing: Thing) -> str:
        """A thing with its place, and in `expert` its figures."""
        where = place(self.rng, thing.places)
        if self.expert:
            return self.figured(thing, where)
        if not where:
            return f"{thing.words}{thing.behind}"
        if " and " in where and not thing.behind and self.odds(0.1):
            return f"{thing.words} ({where})"
        if self.odds(0.6) or "looks like" in thing.words:
            return f"{thing.words} {where}{thing.behind}"
        appear = "which appear" if thing.plural else "which appears"
        return f"{thing.words} {self.pick(f'found|seen|visible|located|{appear}')} {where}{thing.behind}"

    def figured(self, thing: Thing, where: str) -> str:
        """A thing with its place, its neuron and its share."""
        neuron, share = thing.figures
        about = f"{neuron}, " if thing.named else self.pick("|unnamed, ")
        lead = f"{where} " if where else ""
        found = f", {thing.photos}" if thing.photos else ""
        kind = self.rng.randrange(5)
        if kind == 0 and thing.named and not found:
            return f"{neuron} ({thing.bare}, share {share}) {lead}".strip()
        if kind == 1 and thing.named and not found:
            return f"{thing.words} ({neuron}) {lead}with a share of {share}"
        if kind == 2 and not found:
            return f"{thing.words} ({about}{share}) {lead}".strip()
        if kind == 3 and not found:
            return f"{thing.words} {lead}({about}{share} of the evidence)"
        return f"{thing.words} {lead}({about}share {share}{found})"

    def list(self, things: list[Thing], *, ends: bool = False) -> str:
        """All of them with their places; neighbors in the same places may share them."""
        items: list[str] = []
        i = 0
        things = self._shared(things)
        while i < len(things):
            j = i + 1
            alone = self.expert or things[i].behind or not things[i].places
            if not alone and self.odds(0.75):
                while j < len(things) and set(things[j].places) == set(things[i].places) and not things[j].behind:
                    j += 1
            if j - i > 1:
                where = place(self.rng, things[i].places)
                both = ", both" if j - i == 2 else ", all"
                words = [t.words for t in things[i:j]]
                items.append(f"{', '.join(words[:-1])} and {words[-1]}{both} {where}{'' if ends else ','}")
            else:
                items.append(self.one(things[i]))
            i = j
        return join(items, "and" if self.odds(0.9) else "as well as")

    def _shared(self, things: list[Thing]) -> list[Thing]:
        """The same, where names after one with the same head may go on with "of …"."""
        if self.expert or self.odds(0.4):
            return things
        told = things[:1]
        for before, thing in pairwise(things):
            if thing.head and thing.head == before.head and thing.words.startswith(thing.head):
                told.append(replace(thing, words=f"{_HEADS[thing.head]}{thing.words.removeprefix(thing.head)}"))
            else:
                told.append(thing)
        return told

    def verb(self, things: list[Thing], forms: tuple[tuple[str, str], ...]) -> str:
        """One of several verbs, in the number of the things."""
        plural, single = self.rng.choice(forms)
        return plural if len(things) > 1 or things[0].plural else single

    def be(self, things: list[Thing]) -> str:
        """The word "is" or "are"."""
        return "are" if len(things) > 1 or things[0].plural else "is"
