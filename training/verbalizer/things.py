"""What free sentences are about: evidence with its places and figures, alone and in lists."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from nle_fast.schema import Meaning
from nle_fast.verbalizers.language.phrases import Names, leads, names_of, percent, quoted
from nle_fast.verbalizers.language.words import noun_phrase
from training.verbalizer.wordings import join, pick, place

__all__ = ["Teller", "Thing"]


@dataclass(frozen=True)
class Thing:
    """Evidence of one concept and side (in `expert` one neuron): words, places, and what leads among the reasons."""

    words: str
    bare: str
    places: tuple[str, ...]
    plural: bool
    figures: tuple[str, str]  # neuron, share


class Teller:
    """Tells one meaning representation; chooses by its random numbers."""

    def __init__(self, meaning: Meaning, rng: Random) -> None:
        self.meaning, self.rng = meaning, rng
        self.names: Names = names_of(meaning)
        self.pro = self.things(supports=True)
        self.con = self.things(supports=False)
        first = [i for i in meaning.evidence if i.supports][:1]
        key = self.names.concepts[0].key if first and self.names.concepts[0] else None
        lead = tuple(
            item
            for item, name in zip(meaning.evidence, self.names.concepts, strict=True)
            if item.supports and (item in first or (name and name.key == key))
        )
        self.leads = bool(self.pro) and leads(meaning, lead)
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

    # Evidence

    def things(self, *, supports: bool) -> list[Thing]:
        """The evidence of one side, that of one concept together."""
        meaning, groups = self.meaning, {}
        expert = meaning.style == "expert"
        for rank, (item, name) in enumerate(zip(meaning.evidence, self.names.concepts, strict=True)):
            if item.supports == supports:
                groups.setdefault(rank if expert or name is None else name.key, []).append(rank)
        things = []
        for ranks in groups.values():
            item, name = meaning.evidence[ranks[0]], self.names.concepts[ranks[0]]
            places = dict.fromkeys(p for rank in ranks for p in meaning.evidence[rank].positions)
            loosely = (
                f" (loosely {quoted(noun_phrase(item.loosely).bare).text})" if item.loosely and self.odds(0.7) else ""
            )
            if name is None:
                words = self.pick(
                    f"something that neuron {item.neuron} responds to|what neuron {item.neuron} detects|"
                    f"whatever neuron {item.neuron} reacts to|what neuron {item.neuron} responds to"
                )
                bare = f"neuron {item.neuron}{loosely}"
                words = bare if meaning.style != "plain" else f"{words}{loosely}"
            else:
                words, bare = name.text, name.bare
                if name.plural and self.odds(0.15) and not name.quoted:
                    words = f"the {words}" if words == bare else words
            figures = (str(item.neuron), percent(item.share, 1))
            things.append(Thing(words, bare, tuple(places), bool(name and name.plural), figures))
        return things

    def one(self, thing: Thing) -> str:
        """A thing with its place, and in `expert` its figures."""
        where = place(self.rng, thing.places)
        if self.meaning.style == "expert":
            return self.figured(thing, where)
        if not where:
            return thing.words
        if " and " in where and self.odds(0.1):
            return f"{thing.words} ({where})"
        if "neuron" in thing.words or self.odds(0.6):
            return f"{thing.words} {where}"
        appear = "which appear" if thing.plural else "which appears"
        return f"{thing.words} {self.pick(f'found|seen|visible|located|{appear}')} {where}"

    def figured(self, thing: Thing, where: str) -> str:
        """A thing with its place, its neuron and its share."""
        neuron, share = thing.figures
        named = not thing.words.startswith("neuron ")
        about = f"neuron {neuron}, " if named else self.pick("|unnamed, ")
        lead = f"{where} " if where else ""
        kind = self.rng.randrange(5)
        if kind == 0 and named:
            return f"neuron {neuron} ({thing.bare}, share {share}) {lead}".strip()
        if kind == 1 and named:
            return f"{thing.words} (neuron {neuron}) {lead}with a share of {share}"
        if kind == 2:
            return f"{thing.words} ({about}{share}) {lead}".strip()
        if kind == 3:
            return f"{thing.words} {lead}({about}{share} of the evidence)"
        return f"{thing.words} {lead}({about}share {share})"

    def list(self, things: list[Thing], *, ends: bool = False) -> str:
        """All of them with their places; neighbors in the same places may share them."""
        items: list[str] = []
        i = 0
        while i < len(things):
            j = i + 1
            if things[i].places and self.meaning.style != "expert" and self.odds(0.75):
                while j < len(things) and set(things[j].places) == set(things[i].places):
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

    def verb(self, things: list[Thing], forms: tuple[tuple[str, str], ...]) -> str:
        """One of several verbs, in the number of the things."""
        plural, single = self.rng.choice(forms)
        return plural if len(things) > 1 or things[0].plural else single

    def be(self, things: list[Thing]) -> str:
        """The word "is" or "are"."""
        return "are" if len(things) > 1 or things[0].plural else "is"
