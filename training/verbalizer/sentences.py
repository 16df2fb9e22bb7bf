"""Free sentences about a meaning representation: each fact once, in orders and words that the lattice does not have."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from nle_fast.schema import Meaning
from nle_fast.verbalizers.language.phrases import percent
from training.verbalizer.amounts import Amounts, cap
from training.verbalizer.things import Thing
from training.verbalizer.wordings import ADVERBS, AGAINST, SUPPORT, join, place

__all__ = ["free_text"]


def free_text(meaning: Meaning, rng: Random) -> str:
    """A correct text, good or clumsy."""
    writer = _Writer(meaning, rng)
    tell = {"plain": writer.plain, "expert": writer.expert_text, "short": writer.short}[meaning.style]
    text = tell() if meaning.photos is None else writer.many()
    return text.replace(" ,", ",").replace(",,", ",").replace(",.", ".").replace(",;", ";").replace(", –", " –")


class _Writer(Amounts):
    # Reasons

    def _reasons(self) -> str:
        """The answer and all that supports it, without its amount; one or two sentences."""
        if not self.meaning.winner:
            return self._reasons_denied()
        split = len(self.pro) > 1 and self.odds(0.45)
        first, rest = (self.pro[:1], self.pro[1:]) if split else (self.pro, [])
        main = self.pick(ADVERBS + "|") if self.leads and (split or len(self.pro) == 1) else ""
        adverb = f"{main} " if main else self.pick("|||partly |in part ") if self.meaning.coverage < 0.6 else ""
        because = self.pick(
            "because of|because of|because of|due to|owing to|thanks to|on account of|based on|on the strength of"
        )
        kind = self.rng.randrange(11 if self.expert else 12)
        if self.doubt:
            kind = self.rng.choice((0, 1, 2, 3, 9) if self.doubt == "hesitates" else (0, 1, 2, 3, 4, 7, 8, 9))
        elif "runner_up" in self.facts:
            kind = self.rng.choice((0, 1, 2, 3))
        if kind == 8 and (self.expert or not all(t.places and not t.behind for t in first)):
            kind = 0
        things = self.list(first)
        answer = self.answer()
        if kind < 3:
            text = f"{cap(answer)}{self.pick('|,')} {adverb}{because} {things}"
        elif kind == 3:
            lead = self.pick(
                f"This is {adverb}because of|That is {adverb}due to|It is {adverb}based on|The evidence for it comes "
                f"{adverb}from|The reason for this is {adverb}|The decision rests {adverb}on|"
                f"This is supported {adverb}by"
            )
            text = f"{cap(answer)}. {lead.strip()} {things}"
        elif kind == 4:
            text = f"{cap(f'{adverb}{because}')} {things}, {answer}"
        elif kind == 5:
            did = self.pick(f"see {self.a_label}{self.than(self.a_versus)}|answer {self.label}{self.than(self.versus)}")
            text = f"What made the network {did}{self.pick('| here')} {self.be(first)} {adverb}{things}"
        elif kind == 6:
            to = self.than(self.versus)
            text = (
                f"{cap(things)} {self.verb(first, SUPPORT)} {self.pick(self.label + '|the answer ' + self.label)}{to}"
            )
        elif kind == 7:
            text = f"{cap(things)} {self.be(first)} {adverb}{self.pick('why|the reason why')} {answer}"
        elif kind == 8:
            told = [f"{place(self.rng, t.places)} there {self.be([t])} {t.words}" for t in first]
            therefore = self.pick(": this is why|, and that is why|. This is why|. Therefore,")
            text = f"{cap('; '.join(told))}{therefore} {answer}"
        elif kind == 9:
            found = self.pick("because|since|as") + self.pick(" the network found| it found| there are| it saw")
            found = found.replace("there are", f"there {self.be(first)}")
            text = f"{cap(answer)} {found} {things}" if self.odds(0.6) else f"{cap(found)} {things}, {answer}"
        elif kind == 10:
            made = self.pick(
                "made the network see|led the network to see|convinced the network that this is|made it recognize"
            )
            text = f"{cap(things)} {made} {self.a_label}{self.than(self.a_versus)}"
        else:
            text = f"Why {self.a_label}{self.than(self.a_versus)}? {cap(f'{adverb}{because}')} {things}"
        return text + self._rest(rest, adverb)

    def _rest(self, rest: list[Thing], adverb: str) -> str:
        if not rest:
            return ""
        things = self.list(rest)
        if adverb and self.odds(0.4):
            return f", and {self.pick('partly|in part|also')} because of {things}"
        many = len(rest) > 1
        lead = self.pick(
            "Further support comes from|It also relied on|More support comes from|There is also support from|"
            f"{'Further reasons are' if many else 'A further reason is'}|Additional evidence comes from|"
            f"{'Other reasons are' if many else 'Another reason is'}|It is also supported by|"
            f"Added to this {self.be(rest)}"
        )
        if self.odds(0.35):
            verb = self.verb(rest, SUPPORT)
            also = "" if verb.split()[0] in ("is", "are") else "also "
            return f". {cap(things)} {also}{verb} {self.pick('it|this|this answer')}"
        return f". {lead} {things}"

    def _reasons_denied(self) -> str:
        things, compared, it = self.list(self.pro), self.compared(), self.it
        start = f"{compared}, " if compared else ""
        adverb = f"{self.pick(ADVERBS)} " if self.leads and len(self.pro) == 1 and self.odds(0.6) else ""
        said = self.pick(
            f"what speaks for {it} is {adverb}{things}|what would speak for {it} is {adverb}{things}|"
            f"the evidence for {it} comes {adverb}from {things}|{it} is supported {adverb}by {things}|"
            f"{things} {self.verb(self.pro, SUPPORT)} {it}|what supports {it} is {adverb}{things}|"
            f"in its favor {self.be(self.pro)} {things}"
        )
        return f"{self.denied()} {cap(start + said)}"

    # Against

    def _against(self, alone: bool) -> str:
        """Sentences after the others; where they stand alone, the answer has been said."""
        things = self.list(self.con)
        verb, it = self.verb(self.con, AGAINST), self.pick("it|it|this|this answer|that|this decision")
        it = self.it if alone else "it" if self.other else it
        be = self.be(self.con)
        lead = "" if alone else self.pick("However, |On the other hand, |Still, |Yet |However, |In contrast, |But ")
        return self.pick(
            f" {cap(f'{lead}{things} {verb} {it}')}.| {cap(f'{lead}{things} {verb} {it}')}.|"
            f" What speaks against it {be} {things}.| The evidence against it comes from {things}.|"
            f" Against it {self.verb(self.con, (('speak', 'speaks'), ('count', 'counts')))} {things}.|"
            f" {cap(things)}{'' if alone else ', however,'} {verb} {it}.|"
            f" {cap(lead) + 'it' if lead else 'It'} is opposed by {things}."
        )

    # Styles

    def plain(self) -> str:
        return self._whole()

    def _whole(self) -> str:
        return (self._reasoned() if self.meaning.told else self._nothing()) + self.after()

    def many(self) -> str:
        """Of many pictures, in simple words."""
        meaning = self.meaning
        photos = f"{meaning.photos} {self.pick('photos|photos|pictures|images')}"
        start = f"For {self.label}{f' rather than {self.versus}' if self.versus else ''}, "
        if not meaning.told:
            return f"{start}in its {photos}, no evidence for it can be named.{self.after()}"
        told = []
        for i, thing in enumerate([*self.pro, *self.con]):
            part = self.pick(f" of its {photos}| of its {photos}| of {photos}") if not i else self.pick("|| of them")
            found = thing.photos.replace("%", f"%{part}", 1)
            where = place(self.rng, thing.places)
            if self.expert:
                told.append(self.figured(replace(thing, photos=found), where))
            else:
                told.append(f"{thing.words}{f' {where}' if where else ''} ({found})")
        pro, con = told[: len(self.pro)], told[len(self.pro) :]
        text = start
        if pro:
            lead = self.pick("the network relies on|the evidence comes from|the evidence for it comes from")
            text += f"{lead} {_listed(pro)}."
            text += self.amount(split=True)[1] if meaning.style != "short" else ""
        if con:
            lead = self.pick("what speaks against it is|the evidence against it comes from")
            text += f"{f' {cap(lead)}' if pro else lead} {_listed(con)}."
        return text + self.after()

    def expert_text(self) -> str:
        meaning = self.meaning
        number = percent(meaning.target.probability, 1)
        chance = self.pick(
            f"The probability is {number}. |With a probability of {number}, |Probability: {number}. |"
            f"At {number} probability, "
        )
        if self.other:
            chance = ""  # both are told with their labels
        if not meaning.told:
            text = self._whole()
            return f"{chance}{text}" if chance.endswith(". ") or not chance else chance + _small(text)
        layer = self.pick("In {0}, |According to {0}, |In {0}: |At {0}, ").format(self.names.layer.text)
        text = self._whole()
        if self.odds(0.5) or not chance.endswith(". "):
            return f"{chance}{_small(layer) if chance and not chance.endswith('. ') else layer}{_small(text)}"
        return f"{layer}{_small(text)} {chance}".strip()

    def _reasoned(self) -> str:
        if not self.pro:
            first = f"{cap(self.answer())}." if self.meaning.winner else self._denied_alone()
            if self.meaning.winner and self.doubt != "hesitates" and self.odds(0.3):
                though = self.pick("although|though|even though")
                return f"{first[:-1]}, {though} {self.list(self.con)} {self.verb(self.con, AGAINST)} it."
            return first + self._against(alone=True)
        reasons = self._reasons()
        clause, sentence = self.amount(split=". " in reasons)
        if not self.con:
            return f"{reasons}{clause}.{sentence}"
        kind = self.rng.randrange(6)
        things, verb = self.list(self.con), self.verb(self.con, AGAINST)
        if kind == 0 and not sentence:
            although = self.pick("although|though|even though|while|but|whereas")
            return f"{reasons}{clause}, {although} {things} {verb} it.{sentence}"
        if kind == 1 and not sentence:
            despite = self.pick("despite|in spite of|notwithstanding")
            return f"{reasons}{clause}, {despite} {self.list(self.con, ends=True)}."
        if kind == 2 and self.meaning.winner and self.doubt != "hesitates":
            first = self.pick(
                f"Although {things} {verb} it, |Even though {things} {verb} it, |Despite {things}, |"
                f"{cap(things)} {verb} it. Still, |{cap(things)} {verb} it, but "
            )
            return f"{first}{_small(reasons)}{clause}.{sentence}"
        return f"{reasons}{clause}.{sentence}{self._against(alone=False)}"

    def _denied_alone(self) -> str:
        compared = self.compared()
        if not compared:
            return self.denied()
        return f"{cap(compared)}, {_small(self.denied())}"

    def _nothing(self) -> str:
        none = self.pick(
            "no evidence for it can be named|no evidence can be named|there is no evidence that could be named"
        )
        if self.meaning.winner:
            return f"{cap(self.answer())}{self.pick(', but|; |, though')} {none}.".replace(";  ", "; ")
        if self.other:
            none = "no evidence for the latter can be named"
        return f"{self._denied_alone()} {cap(none)}."

    def short(self) -> str:
        head, to = self.pick(f"{self.label}|{self.a_label}"), ""
        if self.versus:
            to = self.than(self.versus if head == self.label else self.a_versus)
        if not self.meaning.winner:
            head, to = f"why {head}", (to if to[:1] != "," else f" rather than{to.split(' not', 1)[1]}") + "?"
        pro, con = self._caption(self.pro), self._caption(self.con)
        winner = self.meaning.winner
        if not self.meaning.told:
            return f"{cap(head)}{to}{': no evidence.' if winner else ' No evidence named.'}"
        if self.odds(0.4):
            parts = [self.pick(": |, because of |, due to |: ") + pro if self.pro else "", ""]
            if not winner:
                parts[0] = self.pick(" For it: | Because of | For: ") + pro if self.pro else ""
            if self.con:
                lead = (
                    self.pick("; against it: |, despite |; but against it: ")
                    if self.pro
                    else (", despite " if winner else " Against it: ")
                )
                parts[1] = lead + con
            return f"{cap(head)}{to}{parts[0]}{parts[1]}."
        pro, con = self.list(self.pro, ends=not self.con), self.list(self.con, ends=True) if self.con else ""
        text = f"{cap(head)}{to}"
        if self.pro:
            text += (self.pick(" because of | thanks to |: ") if winner else " Because of ") + pro
        if self.con:
            text += (", " if winner or self.pro else " ") + self.pick("despite |but against it: |in spite of ") + con
        return f"{text}."

    def _caption(self, things: list[Thing]) -> str:
        return ", ".join(f"{t.bare} ({', '.join(t.places)})" if t.places else t.bare for t in things)


def _listed(items: list[str]) -> str:
    """With commas around "and", as the items have brackets and places inside."""
    return items[0] if len(items) == 1 else join(items) if len(items) > 2 else f"{items[0]}, and {items[1]}"


def _small(text: str) -> str:
    """Without the capital of a sentence's beginning; names keep theirs."""
    first = text.split(" ", 1)[0].strip(",")
    common = first.lower() in _SMALL or (len(first) > 2 and first[1:].islower() and first.lower().endswith(("ly",)))
    return text[:1].lower() + text[1:] if common else text


_SMALL = frozenset(
    [
        "the",
        "a",
        "an",
        "it",
        "this",
        "that",
        "in",
        "on",
        "at",
        "what",
        "why",
        "because",
        "since",
        "as",
        "due",
        "owing",
        "thanks",
        "based",
        "above",
        "although",
        "despite",
        "however",
        "something",
        "whatever",
        "no",
        "neuron",
        "there",
        "according",
        "compared",
        "around",
        "along",
        "across",
        "all",
        "near",
        "toward",
        "throughout",
        "everywhere",
    ]
)
