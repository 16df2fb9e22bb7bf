"""Free clauses about the network's answer: what it is, how sure the network is, and which class is explained."""

from __future__ import annotations

from nle_fast.verbalizers.language.phrases import percent
from training.verbalizer.things import Teller
from training.verbalizer.wordings import BETWEEN, DOUBT, FIRST

__all__ = ["Answers"]


class Answers(Teller):
    """Tells the answer of one meaning representation."""

    @property
    def doubt(self) -> str:
        """The word for how sure the network is, where this style tells it."""
        return self.meaning.doubt or "" if "certainty" in self.facts else ""

    @property
    def other(self) -> bool:
        """Whether the network's own answer is told beside the class that is explained."""
        return "answer" in self.facts

    @property
    def it(self) -> str:
        """The class that is explained."""
        return "the latter" if self.other else "it"

    def than(self, versus: str) -> str:
        """Such as " rather than horse"."""
        lead = self.pick(" rather than| rather than| instead of|, not|, and not| as opposed to")
        return f"{lead} {versus}" if versus else ""

    def answer(self) -> str:
        """A clause that says the answer, and what it is compared with; it begins with a small letter."""
        answer = self._main()
        second = self.meaning.runner_up
        if not self.expert or second is None or "runner_up" not in self.facts:
            return answer
        ahead, label = self.pick(" ahead of| ahead of|, ahead of|, followed by"), self.names.others["runner_up"].text
        return f"{answer}{ahead} {label} ({percent(second.probability, 1)})"

    def _main(self) -> str:
        net = self.pick("the network|the network|the model|the classifier|it")
        if self.doubt == "hesitates":
            return self._hesitates()
        if self.doubt:
            return self._doubting(net)
        label, a_label, to, a_to = self.label, self.a_label, self.than(self.versus), self.than(self.a_versus)
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

    def _doubting(self, net: str) -> str:
        chance = percent(self.meaning.target.probability, 0)
        to, a_to = self.than(self.versus), self.than(self.a_versus)
        sure = self.pick(DOUBT[self.doubt]).format(net)
        bracket = f" ({chance})"
        if self.doubt in ("certain", "quite sure") and self.odds(0.3):
            sure, bracket = f"{sure.removesuffix(' that')} ({chance}) that", ""
        kinds = [
            f"{sure} the answer is {self.label}{bracket}{to}",
            f"{sure} the answer is {self.label}{bracket}{to}",
            f"{sure} this is {self.a_label}{bracket}{a_to}",
            f"{sure} the picture shows {self.a_label}{bracket}{a_to}",
        ]
        if self.doubt == "guesses":
            kinds.append(f"the network's guess is {self.label} ({chance}){to}")
        if self.doubt in ("certain", "quite sure"):
            kinds.append(f"{self.doubt} of its answer, the network chose {self.label} ({chance}){to}")
        return self.rng.choice(kinds)

    def _hesitates(self) -> str:
        second = self.meaning.runner_up
        assert second is not None
        between, first = self.pick(BETWEEN), self.pick(FIRST)
        pair = (
            f"{self.label} ({percent(self.meaning.target.probability, 0)}) and "
            f"{self.names.others['runner_up'].text} ({percent(second.probability, 0)})"
        )
        if between.startswith("hesitates") and self.odds(0.25):
            return f"hesitating between {pair}, the network {self.pick('leans to|leans towards|chose')} the first"
        return f"the network {between} {pair}{first}"

    # Of another class

    def denied(self) -> str:
        """A sentence that says that the class is not the network's answer."""
        if self.other:
            return f"{self._told()}."
        return self.pick(
            f"The network's answer is not {self.label}.|The network did not answer {self.label}.|"
            f"The answer was not {self.label}.|The network did not see {self.a_label} here.|"
            f"The network's prediction is not {self.label}."
        )

    def _told(self) -> str:
        """Both the answer and the class that is explained."""
        told = self.meaning.answer
        assert told is not None
        answer, label = self.names.others["answer"].text, self.label
        if self.expert:
            answer = f"{answer} (probability {percent(told.probability, 1)})"
            label = f"{label} (probability {percent(self.meaning.target.probability, 1)})"
        elif "answer.probability" in self.facts:
            answer = f"{answer} ({percent(told.probability, 0)})"
        no = self.pick(f", not {label}|, not {label}| and not {label}|, rather than {label}")
        if self.doubt:
            sure = self.pick(DOUBT[self.doubt]).format(self.pick("The network|The model|The classifier"))
            return f"{sure} {self.pick('the answer is|this is')} {answer}{no}"
        return self.pick(
            f"The network's answer is {answer}{no}|The network chose {answer}{no}|The network answered {answer}{no}|"
            f"The network's answer is not {label} but {answer}|The network predicts {answer}{no}"
        )

    def compared(self) -> str:
        """Such as "compared with horse"; empty where it is compared with nothing."""
        if not self.versus:
            return ""
        return self.pick(f"compared with {self.versus}|compared to {self.versus}|in comparison with {self.versus}")
