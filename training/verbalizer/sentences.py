"""Free sentences about a meaning representation: each fact once, in an order and in words that the lattice does not have."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from nle_fast.schema import Meaning
from nle_fast.verbalizers.phrases import Names, coverage_rest, leads, names_of, percent, quoted
from nle_fast.verbalizers.words import noun_phrase
from training.verbalizer.wordings import ADVERBS, AGAINST, AMOUNT, SUPPORT, join, pick, place

__all__ = ["free_text"]


@dataclass(frozen=True)
class _Thing:
    """Evidence of one concept and side (in `expert` one neuron): words, places, and what leads among the reasons."""

    words: str
    bare: str
    places: tuple[str, ...]
    plural: bool
    figures: tuple[str, str]  # neuron, share


def free_text(meaning: Meaning, rng: Random) -> str:
    """A correct text, good or clumsy."""
    writer = _Writer(meaning, rng)
    text = {"plain": writer.plain, "expert": writer.expert, "short": writer.short}[meaning.style]()
    return text.replace(" ,", ",").replace(",,", ",").replace(",.", ".").replace(",;", ";").replace(", –", " –")


class _Writer:
    def __init__(self, meaning: Meaning, rng: Random) -> None:
        self.meaning, self.rng = meaning, rng
        self.names: Names = names_of(meaning)
        self.pro = self._things(supports=True)
        self.con = self._things(supports=False)
        first = [i for i in meaning.evidence if i.supports][:1]
        key = self.names.concepts[0].key if first and self.names.concepts[0] else None
        lead = tuple(
            item
            for item, name in zip(meaning.evidence, self.names.concepts, strict=True)
            if item.supports and (item in first or (name and name.key == key))
        )
        self.leads = bool(self.pro) and leads(meaning, lead)
        self.label = self.names.target.text
        self.a_label = self._article(self.label)
        versus = self.names.versus
        self.versus, self.a_versus = (versus.text, self._article(versus.text)) if versus else ("", "")

    def _article(self, label: str) -> str:
        return label if "“" in label or not label[:1].isascii() else noun_phrase(label).text

    def _pick(self, options: str) -> str:
        return pick(self.rng, options)

    def _odds(self, chance: float) -> bool:
        return self.rng.random() < chance

    # Evidence

    def _things(self, *, supports: bool) -> list[_Thing]:
        meaning, groups = self.meaning, {}
        expert = meaning.style == "expert"
        for rank, (item, name) in enumerate(zip(meaning.evidence, self.names.concepts, strict=True)):
            if item.supports == supports:
                groups.setdefault(rank if expert or name is None else name.key, []).append(rank)
        things = []
        for ranks in groups.values():
            item, name = meaning.evidence[ranks[0]], self.names.concepts[ranks[0]]
            places = dict.fromkeys(p for rank in ranks for p in meaning.evidence[rank].positions)
            loosely = f" (loosely {quoted(item.loosely).text})" if item.loosely and self._odds(0.7) else ""
            if name is None:
                words = self._pick(
                    f"something that neuron {item.neuron} responds to|what neuron {item.neuron} detects|"
                    f"whatever neuron {item.neuron} reacts to|what neuron {item.neuron} responds to"
                )
                bare = f"neuron {item.neuron}{loosely}"
                words = bare if meaning.style != "plain" else f"{words}{loosely}"
            else:
                words, bare = name.text, name.bare
                if name.plural and self._odds(0.15) and not name.quoted:
                    words = f"the {words}" if words == bare else words
            figures = (str(item.neuron), percent(item.share, 1))
            things.append(_Thing(words, bare, tuple(places), bool(name and name.plural), figures))
        return things

    def _one(self, thing: _Thing) -> str:
        """A thing with its place, and in `expert` its figures."""
        where = place(self.rng, thing.places)
        if self.meaning.style == "expert":
            return self._figured(thing, where)
        if not where:
            return thing.words
        if " and " in where and self._odds(0.1):
            return f"{thing.words} ({where})"
        if "neuron" in thing.words or self._odds(0.6):
            return f"{thing.words} {where}"
        appear = "which appear" if thing.plural else "which appears"
        return f"{thing.words} {self._pick(f'found|seen|visible|located|{appear}')} {where}"

    def _figured(self, thing: _Thing, where: str) -> str:
        neuron, share = thing.figures
        named = not thing.words.startswith("neuron ")
        about = f"neuron {neuron}, " if named else self._pick("|unnamed, ")
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

    def _list(self, things: list[_Thing], *, ends: bool = False) -> str:
        """All of them with their places; neighbors in the same places may share them."""
        items: list[str] = []
        i = 0
        while i < len(things):
            j = i + 1
            if things[i].places and self.meaning.style != "expert" and self._odds(0.75):
                while j < len(things) and set(things[j].places) == set(things[i].places):
                    j += 1
            if j - i > 1:
                where = place(self.rng, things[i].places)
                both = ", both" if j - i == 2 else ", all"
                items.append(f"{join([t.words for t in things[i:j]])}{both} {where}{'' if ends else ','}")
            else:
                items.append(self._one(things[i]))
            i = j
        return join(items, "and" if self._odds(0.9) else "as well as")

    def _verb(self, things: list[_Thing], forms: tuple[tuple[str, str], ...]) -> str:
        plural, single = self.rng.choice(forms)
        return plural if len(things) > 1 or things[0].plural else single

    def _be(self, things: list[_Thing]) -> str:
        return "are" if len(things) > 1 or things[0].plural else "is"

    # Answers

    def _than(self, versus: str) -> str:
        return (
            f"{self._pick(' rather than| rather than| instead of|, not|, and not| as opposed to')} {versus}"
            if versus
            else ""
        )

    def _answer(self) -> str:
        """A clause that says the answer, and what it is compared with; it begins with a small letter."""
        label, a_label, to, a_to = self.label, self.a_label, self._than(self.versus), self._than(self.a_versus)
        net = self._pick("the network|the network|the model|the classifier|it")
        if self.versus and self._odds(0.2):
            return self._pick(
                f"{net} chose {label} over {self.versus}|{net} preferred {label} to {self.versus}|"
                f"{label} was preferred to {self.versus}|{label} was chosen over {self.versus}"
            )
        return self._pick(
            f"the network's answer is {label}{to}|the network's answer is {label}{to}|the answer was {label}{to}|"
            f"{net} saw {a_label}{a_to}|{net} sees {a_label}{a_to}|{net} recognized {a_label}{a_to}|"
            f"{net} identified this as {a_label}{a_to}|{net} took this picture for {a_label}{a_to}|"
            f"the picture was classified as {a_label}{a_to}|the image was labelled {label}{to}|"
            f"{net} decided on {label}{to}|{net} answered {label}{to}|the verdict is {label}{to}|"
            f"{net} believes that this is {a_label}{a_to}|{net} thinks that the picture shows {a_label}{a_to}|"
            f"{net} predicted {label}{to}|this was recognized as {a_label}{a_to}|{net} says {label}{to}|"
            f"{net} settled on {label}{to}|the network's prediction is {label}{to}"
        )

    def _denied(self) -> str:
        return self._pick(
            f"The network's answer is not {self.label}.|The network did not answer {self.label}.|"
            f"The answer was not {self.label}.|The network did not see {self.a_label} here.|"
            f"The network's prediction is not {self.label}."
        )

    def _compared(self) -> str:
        if not self.versus:
            return ""
        return self._pick(f"compared with {self.versus}|compared to {self.versus}|in comparison with {self.versus}")

    # Reasons

    def _reasons(self) -> str:
        """The answer and all that supports it, without its amount; one or two sentences."""
        if not self.meaning.winner:
            return self._reasons_denied()
        split = len(self.pro) > 1 and self._odds(0.45)
        first, rest = (self.pro[:1], self.pro[1:]) if split else (self.pro, [])
        main = self._pick(ADVERBS + "|") if self.leads and (split or len(self.pro) == 1) else ""
        adverb = f"{main} " if main else self._pick("|||partly |in part ") if self.meaning.coverage < 0.6 else ""
        because = self._pick(
            "because of|because of|because of|due to|owing to|thanks to|on account of|based on|on the strength of"
        )
        kind = self.rng.randrange(11 if self.meaning.style == "expert" else 12)
        things = self._list(first)
        answer = self._answer()
        if kind < 3:
            text = f"{_cap(answer)}{self._pick('|,')} {adverb}{because} {things}"
        elif kind == 3:
            lead = self._pick(
                f"This is {adverb}because of|That is {adverb}due to|It is {adverb}based on|The evidence for it comes "
                f"{adverb}from|The reason for this is {adverb}|The decision rests {adverb}on|This is supported {adverb}by"
            )
            text = f"{_cap(answer)}. {lead.strip()} {things}"
        elif kind == 4:
            text = f"{_cap(f'{adverb}{because}')} {things}, {answer}"
        elif kind == 5:
            did = self._pick(
                f"see {self.a_label}{self._than(self.a_versus)}|answer {self.label}{self._than(self.versus)}"
            )
            text = f"What made the network {did}{self._pick('| here')} {self._be(first)} {adverb}{things}"
        elif kind == 6:
            to = self._than(self.versus)
            text = f"{_cap(things)} {self._verb(first, SUPPORT)} {self._pick(self.label + '|the answer ' + self.label)}{to}"
        elif kind == 7:
            text = f"{_cap(things)} {self._be(first)} {adverb}{self._pick('why|the reason why')} {answer}"
        elif kind == 8 and self.meaning.style != "expert" and all(t.places for t in first):
            told = [f"{place(self.rng, t.places)} there {self._be([t])} {t.words}" for t in first]
            text = f"{_cap('; '.join(told))}{self._pick(': this is why|, and that is why|. This is why|. Therefore,')} {answer}"
        elif kind == 9:
            found = self._pick("because|since|as") + self._pick(" the network found| it found| there are| it saw")
            found = found.replace("there are", f"there {self._be(first)}")
            text = f"{_cap(answer)} {found} {things}" if self._odds(0.6) else f"{_cap(found)} {things}, {answer}"
        elif kind == 10:
            made = self._pick(
                "made the network see|led the network to see|convinced the network that this is|made it recognize"
            )
            text = f"{_cap(things)} {made} {self.a_label}{self._than(self.a_versus)}"
        else:
            text = f"Why {self.a_label}{self._than(self.a_versus)}? {_cap(f'{adverb}{because}')} {things}"
        return text + self._rest(rest, adverb)

    def _rest(self, rest: list[_Thing], adverb: str) -> str:
        if not rest:
            return ""
        things = self._list(rest)
        if adverb and self._odds(0.4):
            return f", and {self._pick('partly|in part|also')} because of {things}"
        many = len(rest) > 1
        lead = self._pick(
            "Further support comes from|It also relied on|More support comes from|There is also support from|"
            f"{'Further reasons are' if many else 'A further reason is'}|Additional evidence comes from|"
            f"{'Other reasons are' if many else 'Another reason is'}|It is also supported by|Added to this {self._be(rest)}"
        )
        if self._odds(0.35):
            verb = self._verb(rest, SUPPORT)
            return f". {_cap(things)} {self._pick('also ' if verb.split()[0] not in ('is', 'are') else '')}{verb} {self._pick('it|this|this answer')}"
        return f". {lead} {things}"

    def _reasons_denied(self) -> str:
        things, compared = self._list(self.pro), self._compared()
        start = f"{compared}, " if compared else ""
        adverb = f"{self._pick(ADVERBS)} " if self.leads and len(self.pro) == 1 and self._odds(0.6) else ""
        said = self._pick(
            f"what speaks for it is {adverb}{things}|what would speak for it is {adverb}{things}|"
            f"the evidence for it comes {adverb}from {things}|it is supported {adverb}by {things}|"
            f"{things} {self._verb(self.pro, SUPPORT)} it|what supports it is {adverb}{things}|"
            f"in its favor {self._be(self.pro)} {things}"
        )
        return f"{self._denied()} {_cap(start + said)}"

    # Amount

    def _amount(self, number: str) -> tuple[str, str]:
        """A clause to add to the reasons and a sentence of its own; one of them is empty."""
        coverage, one = self.meaning.coverage, len(self.pro) == 1 and not self.pro[0].plural
        of = "of " + self._pick(
            "the evidence for it|the evidence|the evidence for this answer|the supporting evidence|its evidence|"
            "all evidence for it|the evidence in its favor"
        )
        only = self._pick("only |just ") if coverage < 0.25 and number[0].isdigit() else ""
        plural, single = self.rng.choice(AMOUNT)
        tail = ""
        if coverage_rest(self.meaning) and self._odds(0.4):
            tail = self._pick(
                ", so most of it is not named here|; most of it is not named|, so most of it remains unnamed"
            )
        many = self._pick(
            "Together these|Together they|These|They|Taken together, they|All in all, these|Combined, they"
        )
        kind = self.rng.randrange(8)
        if kind == 0 and not (set(self.pro[-1].places) and self._odds(0.5)):
            return (
                f", which {'together ' if len(self.pro) > 1 else ''}{single if one else plural} {only}{number} {of}",
                "",
            )
        if kind == 1:
            return f" ({only}{number} {of}{self._pick('| in total| in all') if len(self.pro) > 1 else ''})", ""
        if kind == 2:
            return (
                "",
                f" {self._pick('In total|In all|Altogether')}, {self._pick('this is|that is')} {only}{number} {of}{tail}.",
            )
        if kind == 3:
            return f", {self._pick('in total|altogether') if len(self.pro) > 1 else 'with'} {only}{number} {of}", ""
        who = self._pick("This|It") if one else many
        if len(self.pro) == 1 and not one:
            who = self._pick("These|They")
        return "", f" {who} {single if one else plural} {only}{number} {of}{tail}."

    def _number(self, decimals: int) -> str:
        number = percent(self.meaning.coverage, decimals)
        if decimals == 0:
            number = number.replace("<", "less than ").replace(">", "more than ")
        if self._odds(0.15) and number[0].isdigit():
            number = number.replace("%", " percent")
        return f"about {number}" if number[0].isdigit() and decimals == 0 and self._odds(0.1) else number

    # Against

    def _against(self, alone: bool) -> str:
        """Sentences after the others; where they stand alone, the answer has been said."""
        things = self._list(self.con)
        verb, it = self._verb(self.con, AGAINST), self._pick("it|it|this|this answer|that|this decision")
        be = self._be(self.con)
        lead = "" if alone else self._pick("However, |On the other hand, |Still, |Yet |However, |In contrast, |But ")
        return self._pick(
            f" {_cap(f'{lead}{things} {verb} {it}')}.| {_cap(f'{lead}{things} {verb} {it}')}.|"
            f" What speaks against it {be} {things}.| The evidence against it comes from {things}.|"
            f" Against it {self._verb(self.con, (('speak', 'speaks'), ('count', 'counts')))} {things}.|"
            f" {_cap(things)}{'' if alone else ', however,'} {verb} {it}.| {_cap(lead)}{'It' if not lead else 'it'} is opposed by {things}."
        )

    # Styles

    def plain(self) -> str:
        return self._nothing() if not self.meaning.evidence else self._told(0)

    def expert(self) -> str:
        meaning = self.meaning
        number = percent(meaning.target.probability, 1)
        chance = self._pick(
            f"The probability is {number}. |With a probability of {number}, |Probability: {number}. |At {number} probability, "
        )
        if not meaning.evidence:
            return f"{chance}{self._nothing()}" if chance.endswith(". ") else chance + _small(self._nothing())
        layer = self._pick("In {0}, |According to {0}, |In {0}: |At {0}, ").format(self.names.layer.text)
        text = self._told(1)
        if self._odds(0.5) or not chance.endswith(". "):
            return f"{chance}{layer if chance.endswith('. ') else _small(layer)}{_small(text)}"
        return f"{layer}{_small(text)} {chance}".strip()

    def _told(self, decimals: int) -> str:
        if not self.pro:
            first = f"{_cap(self._answer())}." if self.meaning.winner else self._denied_alone()
            if self.meaning.winner and self._odds(0.3):
                return (
                    first[:-1]
                    + f", {self._pick('although|though|even though')} {self._list(self.con, ends=False)} {self._verb(self.con, AGAINST)} it."
                )
            return first + self._against(alone=True)
        reasons = self._reasons()
        clause, sentence = self._amount(self._number(decimals))
        if not self.con:
            return f"{reasons}{clause}.{sentence}"
        kind = self.rng.randrange(6)
        things, verb = self._list(self.con), self._verb(self.con, AGAINST)
        if kind == 0 and not sentence:
            although = self._pick("although|though|even though|while|but|whereas")
            return f"{reasons}{clause}, {although} {things} {verb} it.{sentence}"
        if kind == 1 and not sentence:
            return f"{reasons}{clause}, {self._pick('despite|in spite of|notwithstanding')} {self._list(self.con, ends=True)}."
        if kind == 2 and self.meaning.winner:
            first = self._pick(
                f"Although {things} {verb} it, |Even though {things} {verb} it, |Despite {things}, |{_cap(things)} {verb} it. Still, |{_cap(things)} {verb} it, but "
            )
            return f"{first}{_small(reasons)}{clause}.{sentence}"
        return f"{reasons}{clause}.{sentence}{self._against(alone=False)}"

    def _denied_alone(self) -> str:
        compared = self._compared()
        if not compared:
            return self._denied()
        return f"{_cap(compared)}, {_small(self._denied())}"

    def _nothing(self) -> str:
        none = self._pick(
            "no evidence for it can be named|no evidence can be named|there is no evidence that could be named"
        )
        if self.meaning.winner:
            return f"{_cap(self._answer())}{self._pick(', but|; |, though')} {none}.".replace(";  ", "; ")
        return f"{self._denied_alone()} {_cap(none)}."

    def short(self) -> str:
        head, to = self._pick(f"{self.label}|{self.a_label}"), ""
        if self.versus:
            to = self._than(self.versus if head == self.label else self.a_versus)
        if not self.meaning.winner:
            head, to = f"why {head}", (to if to[:1] != "," else f" rather than{to.split(' not', 1)[1]}") + "?"
        pro, con = self._caption(self.pro), self._caption(self.con)
        winner = self.meaning.winner
        if not self.meaning.evidence:
            return f"{_cap(head)}{to}{':' if winner else ''} {_cap('no evidence named.') if not winner else 'no evidence.'}"
        if self._odds(0.4):
            parts = [self._pick(": |, because of |, due to |: ") + pro if self.pro else "", ""]
            if not winner:
                parts[0] = self._pick(" For it: | Because of | For: ") + pro if self.pro else ""
            if self.con:
                lead = (
                    self._pick("; against it: |, despite |; but against it: ")
                    if self.pro
                    else (", despite " if winner else " Against it: ")
                )
                parts[1] = lead + con
            return f"{_cap(head)}{to}{parts[0]}{parts[1]}."
        pro, con = self._list(self.pro, ends=not self.con), self._list(self.con, ends=True) if self.con else ""
        text = f"{_cap(head)}{to}"
        if self.pro:
            text += (self._pick(" because of | thanks to |: ") if winner else " Because of ") + pro
        if self.con:
            text += (", " if winner or self.pro else " ") + self._pick("despite |but against it: |in spite of ") + con
        return f"{text}."

    def _caption(self, things: list[_Thing]) -> str:
        return ", ".join(f"{t.bare} ({', '.join(t.places)})" if t.places else t.bare for t in things)


def _cap(text: str) -> str:
    return text[:1].upper() + text[1:] if text[:1].isascii() else text


def _small(text: str) -> str:
    """Without the capital of a sentence's beginning; names keep theirs."""
    first = text.split(" ", 1)[0].strip(",")
    common = first.lower() in _SMALL or (len(first) > 2 and first[1:].islower() and first.lower().endswith(("ly",)))
    return text[:1].lower() + text[1:] if common else text


_SMALL = frozenset(
    ["the", "a", "an", "it", "this", "that", "in", "on", "at", "what", "why", "because", "since", "as", "due", "owing", "thanks", "based", "above", "although", "despite", "however", "something", "whatever", "no", "neuron", "there", "according", "compared", "around", "along", "across", "all", "near", "toward", "throughout", "everywhere"]
)
