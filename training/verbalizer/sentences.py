"""Free sentences about a meaning representation: each fact once, in orders and words that the lattice does not have."""

from __future__ import annotations

from random import Random

from nle_fast.schema import Meaning
from nle_fast.verbalizers.language.phrases import coverage_rest, percent
from training.verbalizer.things import Teller, Thing
from training.verbalizer.wordings import ADVERBS, AGAINST, AMOUNT, SUPPORT, place

__all__ = ["free_text"]


def free_text(meaning: Meaning, rng: Random) -> str:
    """A correct text, good or clumsy."""
    writer = _Writer(meaning, rng)
    text = {"plain": writer.plain, "expert": writer.expert, "short": writer.short}[meaning.style]()
    return text.replace(" ,", ",").replace(",,", ",").replace(",.", ".").replace(",;", ";").replace(", –", " –")


class _Writer(Teller):
    # Answers

    def _than(self, versus: str) -> str:
        return (
            f"{self.pick(' rather than| rather than| instead of|, not|, and not| as opposed to')} {versus}"
            if versus
            else ""
        )

    def _answer(self) -> str:
        """A clause that says the answer, and what it is compared with; it begins with a small letter."""
        label, a_label, to, a_to = self.label, self.a_label, self._than(self.versus), self._than(self.a_versus)
        net = self.pick("the network|the network|the model|the classifier|it")
        if self.versus and self.odds(0.2):
            return self.pick(
                f"{net} chose {label} over {self.versus}|{net} preferred {label} to {self.versus}|"
                f"{label} was preferred to {self.versus}|{label} was chosen over {self.versus}"
            )
        return self.pick(
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
        return self.pick(
            f"The network's answer is not {self.label}.|The network did not answer {self.label}.|"
            f"The answer was not {self.label}.|The network did not see {self.a_label} here.|"
            f"The network's prediction is not {self.label}."
        )

    def _compared(self) -> str:
        if not self.versus:
            return ""
        return self.pick(f"compared with {self.versus}|compared to {self.versus}|in comparison with {self.versus}")

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
        kind = self.rng.randrange(11 if self.meaning.style == "expert" else 12)
        things = self.list(first)
        answer = self._answer()
        if kind < 3:
            text = f"{_cap(answer)}{self.pick('|,')} {adverb}{because} {things}"
        elif kind == 3:
            lead = self.pick(
                f"This is {adverb}because of|That is {adverb}due to|It is {adverb}based on|The evidence for it comes "
                f"{adverb}from|The reason for this is {adverb}|The decision rests {adverb}on|"
                f"This is supported {adverb}by"
            )
            text = f"{_cap(answer)}. {lead.strip()} {things}"
        elif kind == 4:
            text = f"{_cap(f'{adverb}{because}')} {things}, {answer}"
        elif kind == 5:
            did = self.pick(
                f"see {self.a_label}{self._than(self.a_versus)}|answer {self.label}{self._than(self.versus)}"
            )
            text = f"What made the network {did}{self.pick('| here')} {self.be(first)} {adverb}{things}"
        elif kind == 6:
            to = self._than(self.versus)
            text = (
                f"{_cap(things)} {self.verb(first, SUPPORT)} {self.pick(self.label + '|the answer ' + self.label)}{to}"
            )
        elif kind == 7:
            text = f"{_cap(things)} {self.be(first)} {adverb}{self.pick('why|the reason why')} {answer}"
        elif kind == 8 and self.meaning.style != "expert" and all(t.places for t in first):
            told = [f"{place(self.rng, t.places)} there {self.be([t])} {t.words}" for t in first]
            therefore = self.pick(": this is why|, and that is why|. This is why|. Therefore,")
            text = f"{_cap('; '.join(told))}{therefore} {answer}"
        elif kind == 9:
            found = self.pick("because|since|as") + self.pick(" the network found| it found| there are| it saw")
            found = found.replace("there are", f"there {self.be(first)}")
            text = f"{_cap(answer)} {found} {things}" if self.odds(0.6) else f"{_cap(found)} {things}, {answer}"
        elif kind == 10:
            made = self.pick(
                "made the network see|led the network to see|convinced the network that this is|made it recognize"
            )
            text = f"{_cap(things)} {made} {self.a_label}{self._than(self.a_versus)}"
        else:
            text = f"Why {self.a_label}{self._than(self.a_versus)}? {_cap(f'{adverb}{because}')} {things}"
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
            return f". {_cap(things)} {also}{verb} {self.pick('it|this|this answer')}"
        return f". {lead} {things}"

    def _reasons_denied(self) -> str:
        things, compared = self.list(self.pro), self._compared()
        start = f"{compared}, " if compared else ""
        adverb = f"{self.pick(ADVERBS)} " if self.leads and len(self.pro) == 1 and self.odds(0.6) else ""
        said = self.pick(
            f"what speaks for it is {adverb}{things}|what would speak for it is {adverb}{things}|"
            f"the evidence for it comes {adverb}from {things}|it is supported {adverb}by {things}|"
            f"{things} {self.verb(self.pro, SUPPORT)} it|what supports it is {adverb}{things}|"
            f"in its favor {self.be(self.pro)} {things}"
        )
        return f"{self._denied()} {_cap(start + said)}"

    # Amount

    def _amount(self, number: str, split: bool) -> tuple[str, str]:
        """A clause to add to the reasons and a sentence of its own; one of them is empty."""
        coverage, one = self.meaning.coverage, len(self.pro) == 1 and not self.pro[0].plural
        of = "of " + self.pick(
            "the evidence for it|the evidence|the evidence for this answer|the supporting evidence|its evidence|"
            "all evidence for it|the evidence in its favor"
        )
        only = self.pick("only |just ") if coverage < 0.25 and number[0].isdigit() else ""
        plural, single = self.rng.choice(AMOUNT)
        tail = ""
        if coverage_rest(self.meaning) and self.odds(0.4):
            tail = self.pick(
                ", so most of it is not named here|; most of it is not named|, so most of it remains unnamed"
            )
        many = self.pick(
            "Together these|Together they|These|They|Taken together, they|All in all, these|Combined, they"
        )
        kind = self.rng.randrange(8) if not split else self.rng.choice((2, 5))
        if kind == 0 and not (set(self.pro[-1].places) and self.odds(0.5)):
            return (
                f", which {'together ' if len(self.pro) > 1 else ''}{single if one else plural} {only}{number} {of}",
                "",
            )
        if kind == 1:
            return f" ({only}{number} {of}{self.pick('| in total| in all') if len(self.pro) > 1 else ''})", ""
        if kind == 2:
            return (
                "",
                f" {self.pick('In total|In all|Altogether')}, {self.pick('this|that')} is {only}{number} {of}{tail}.",
            )
        if kind == 3:
            return f", {self.pick('in total|altogether') if len(self.pro) > 1 else 'with'} {only}{number} {of}", ""
        who = self.pick("This|It") if one else many
        if len(self.pro) == 1 and not one:
            who = self.pick("These|They")
        return "", f" {who} {single if one else plural} {only}{number} {of}{tail}."

    def _number(self, decimals: int) -> str:
        number = percent(self.meaning.coverage, decimals)
        if decimals == 0:
            number = number.replace("<", "less than ").replace(">", "more than ")
        if self.odds(0.15) and number[0].isdigit():
            number = number.replace("%", " percent")
        return f"about {number}" if number[0].isdigit() and decimals == 0 and self.odds(0.1) else number

    # Against

    def _against(self, alone: bool) -> str:
        """Sentences after the others; where they stand alone, the answer has been said."""
        things = self.list(self.con)
        verb, it = self.verb(self.con, AGAINST), self.pick("it|it|this|this answer|that|this decision")
        be = self.be(self.con)
        lead = "" if alone else self.pick("However, |On the other hand, |Still, |Yet |However, |In contrast, |But ")
        return self.pick(
            f" {_cap(f'{lead}{things} {verb} {it}')}.| {_cap(f'{lead}{things} {verb} {it}')}.|"
            f" What speaks against it {be} {things}.| The evidence against it comes from {things}.|"
            f" Against it {self.verb(self.con, (('speak', 'speaks'), ('count', 'counts')))} {things}.|"
            f" {_cap(things)}{'' if alone else ', however,'} {verb} {it}.|"
            f" {_cap(lead) + 'it' if lead else 'It'} is opposed by {things}."
        )

    # Styles

    def plain(self) -> str:
        return self._nothing() if not self.meaning.evidence else self._told(0)

    def expert(self) -> str:
        meaning = self.meaning
        number = percent(meaning.target.probability, 1)
        chance = self.pick(
            f"The probability is {number}. |With a probability of {number}, |Probability: {number}. |"
            f"At {number} probability, "
        )
        if not meaning.evidence:
            return f"{chance}{self._nothing()}" if chance.endswith(". ") else chance + _small(self._nothing())
        layer = self.pick("In {0}, |According to {0}, |In {0}: |At {0}, ").format(self.names.layer.text)
        text = self._told(1)
        if self.odds(0.5) or not chance.endswith(". "):
            return f"{chance}{layer if chance.endswith('. ') else _small(layer)}{_small(text)}"
        return f"{layer}{_small(text)} {chance}".strip()

    def _told(self, decimals: int) -> str:
        if not self.pro:
            first = f"{_cap(self._answer())}." if self.meaning.winner else self._denied_alone()
            if self.meaning.winner and self.odds(0.3):
                though = self.pick("although|though|even though")
                return f"{first[:-1]}, {though} {self.list(self.con)} {self.verb(self.con, AGAINST)} it."
            return first + self._against(alone=True)
        reasons = self._reasons()
        clause, sentence = self._amount(self._number(decimals), split=". " in reasons)
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
        if kind == 2 and self.meaning.winner:
            first = self.pick(
                f"Although {things} {verb} it, |Even though {things} {verb} it, |Despite {things}, |"
                f"{_cap(things)} {verb} it. Still, |{_cap(things)} {verb} it, but "
            )
            return f"{first}{_small(reasons)}{clause}.{sentence}"
        return f"{reasons}{clause}.{sentence}{self._against(alone=False)}"

    def _denied_alone(self) -> str:
        compared = self._compared()
        if not compared:
            return self._denied()
        return f"{_cap(compared)}, {_small(self._denied())}"

    def _nothing(self) -> str:
        none = self.pick(
            "no evidence for it can be named|no evidence can be named|there is no evidence that could be named"
        )
        if self.meaning.winner:
            return f"{_cap(self._answer())}{self.pick(', but|; |, though')} {none}.".replace(";  ", "; ")
        return f"{self._denied_alone()} {_cap(none)}."

    def short(self) -> str:
        head, to = self.pick(f"{self.label}|{self.a_label}"), ""
        if self.versus:
            to = self._than(self.versus if head == self.label else self.a_versus)
        if not self.meaning.winner:
            head, to = f"why {head}", (to if to[:1] != "," else f" rather than{to.split(' not', 1)[1]}") + "?"
        pro, con = self._caption(self.pro), self._caption(self.con)
        winner = self.meaning.winner
        if not self.meaning.evidence:
            return f"{_cap(head)}{to}{': no evidence.' if winner else ' No evidence named.'}"
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
            return f"{_cap(head)}{to}{parts[0]}{parts[1]}."
        pro, con = self.list(self.pro, ends=not self.con), self.list(self.con, ends=True) if self.con else ""
        text = f"{_cap(head)}{to}"
        if self.pro:
            text += (self.pick(" because of | thanks to |: ") if winner else " Because of ") + pro
        if self.con:
            text += (", " if winner or self.pro else " ") + self.pick("despite |but against it: |in spite of ") + con
        return f"{text}."

    def _caption(self, things: list[Thing]) -> str:
        return ", ".join(f"{t.bare} ({', '.join(t.places)})" if t.places else t.bare for t in things)


def _cap(text: str) -> str:
    return text[:1].upper() + text[1:] if text[:1].isascii() else text


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
