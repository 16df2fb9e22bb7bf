"""How a text begins: the network's answer, how sure it is, and what it is compared with."""

from __future__ import annotations

from nle_fast.schema import Meaning
from nle_fast.verbalizers.grammar.lattice import Nodes, Segment
from nle_fast.verbalizers.grammar.lists import capitalized
from nle_fast.verbalizers.language.phrases import Names, percent

__all__ = ["Answer"]

#: How sure the network is → its word, and what stands before and after it in a clause about the answer.
_THAT = {
    "certain": (" certain", " The network is", " that the answer is"),
    "quite sure": (" quite sure", " The network is", " that the answer is"),
    "thinks": (" thinks", " The network", " that the answer is"),
    "guesses": (" guesses", " The network", " that the answer is"),
}


class Answer:
    """The answer of one meaning representation, as the beginning of a sentence.

    What follows each is a comma and a reason, or a stop.
    """

    def __init__(self, meaning: Meaning, names: Names) -> None:
        self.meaning, self.names = meaning, names
        self.told = meaning.answer if not meaning.winner and meaning.photos is None else None
        known = meaning.style == "plain" and meaning.photos is None and (meaning.winner or self.told is not None)
        self.doubt = meaning.doubt if known else None

    def label(self) -> Segment:
        """The class that is explained."""
        return Segment(f" {self.names.target.text}", ("class",))

    def versus(self, lead: str = " rather than") -> Nodes:
        """The class that it is compared with; nothing where there is none."""
        other = self.names.versus
        return () if other is None else (Segment(lead), Segment(f" {other.text}", ("versus",)))

    def openings(self) -> list[Nodes]:
        """Ways to begin a text of the plain style."""
        if self.doubt == "hesitates":
            return self._hesitating()
        answer = self._answer()
        if self.doubt is not None:
            return self._doubting(answer)
        openings: list[Nodes] = [(Segment("The network's answer is"), *answer)]
        if self.told is None:
            openings.append((Segment("The network chose"), *answer))
            if subject := capitalized(answer, opening=True):
                openings.append((*subject, Segment(" is the network's answer")))
        return openings

    def within(self) -> Nodes:
        """The same clause in the midst of a sentence: "the network's answer is zebra"."""
        answer = self._answer()
        if self.doubt is None or self.doubt == "hesitates":
            return (Segment(" the network's answer is"), *answer)
        word, before, after = _THAT[self.doubt]
        return (Segment(f" the{before.removeprefix(' The')}"), Segment(word, ("certainty",)), Segment(after), *answer)

    def _answer(self) -> Nodes:
        """The label, its probability, and what it is not."""
        versus = self.versus() if self.meaning.winner else ()
        return (*self._main(), *self._probability(), *self._not(), *versus)

    def _main(self) -> Nodes:
        if self.told is None:
            return (self.label(),)
        return (Segment(f" {self.names.others['answer'].text}", ("answer",)),)

    def _not(self) -> Nodes:
        """The class that is explained, where it is not the answer."""
        return () if self.told is None else (Segment(", not"), self.label())

    def _probability(self) -> Nodes:
        """Such as " (83%)", where the text says how sure the network is."""
        if self.doubt is None:
            return ()
        if self.told is None:
            return _bracket(self.meaning.target.probability, "probability")
        return _bracket(self.told.probability, "answer.probability")

    def _doubting(self, answer: Nodes) -> list[Nodes]:
        assert self.doubt is not None
        word, before, after = _THAT[self.doubt]
        said = Segment(word, ("certainty",))
        ways: list[Nodes] = [(Segment(before.lstrip()), said, Segment(after), *answer)]
        capital = Segment(word.strip().capitalize(), ("certainty",))
        if self.doubt in ("certain", "quite sure"):
            ways.append((capital, Segment(" of its answer, the network chose"), *answer))
        elif self.doubt == "guesses":
            ways.append((Segment("The network's"), Segment(" guess", ("certainty",)), Segment(" is"), *answer))
        return ways

    def _hesitating(self) -> list[Nodes]:
        second = self.meaning.runner_up
        assert second is not None
        first = self.meaning.target.probability
        decimals = int(percent(first, 0) == percent(second.probability, 0))  # 7.3% and 6.9%
        between = (
            self.label(),
            *_bracket(first, "probability", decimals),
            Segment(" and"),
            Segment(f" {self.names.others['runner_up'].text}", ("runner_up",)),
            *_bracket(second.probability, "runner_up.probability", decimals),
        )
        fact = ("certainty",)
        return [
            (
                Segment("The network"),
                Segment(" hesitates between", fact),
                *between,
                Segment(", but leans to the first"),
            ),
            (Segment("Hesitating between", fact), *between, Segment(", the network leans to the first")),
        ]

    # Expert

    def expert_openings(self) -> list[Nodes]:
        """Ways to begin a text of the expert style."""
        leads = ("The network's answer is", "The network chose", "The network predicts")
        number = (Segment(" (probability "), Segment(percent(self.meaning.target.probability, 1), ("probability",)))
        own = (self.label(), *number, Segment(")"))
        if self.told is not None:
            chance = (Segment(" (probability "), Segment(percent(self.told.probability, 1), ("answer.probability",)))
            answer = (*self._main(), *chance, Segment(")"), Segment(", not"), *own)
            return [(Segment(lead), *answer) for lead in leads]
        if not self.meaning.winner:
            leads = ("The network's answer is not", "The network did not choose", "The network does not predict")
        answer = (*own, *self._ahead(), *(self.versus() if self.meaning.winner else ()))
        openings: list[Nodes] = [(Segment(lead), *answer) for lead in leads]
        if subject := capitalized(answer, opening=True):
            is_answer = " is the network's answer" if self.meaning.winner else " is not the network's answer"
            openings.append((*subject, Segment(is_answer)))
        return openings

    def _ahead(self) -> Nodes:
        """The class that comes next, where the network hesitates."""
        second = self.meaning.runner_up
        if self.meaning.doubt != "hesitates" or second is None:
            return ()
        label = Segment(f" {self.names.others['runner_up'].text}", ("runner_up",))
        return (Segment(" ahead of"), label, *_bracket(second.probability, "runner_up.probability", 1))


def _bracket(probability: float, fact: str, decimals: int = 0) -> Nodes:
    return (Segment(" ("), Segment(percent(probability, decimals), (fact,)), Segment(")"))
