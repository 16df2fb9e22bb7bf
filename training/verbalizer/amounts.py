"""Free sentences on how much of the evidence is told, and on all that is told after it."""

from __future__ import annotations

from nle_fast.verbalizers.language.phrases import coverage_rest, percent
from nle_fast.verbalizers.language.vocabulary import COUNTS
from training.verbalizer.answers import Answers
from training.verbalizer.wordings import AMOUNT, ASSUMED, join

__all__ = ["Amounts", "cap"]


class Amounts(Answers):
    """Tells the amounts of one meaning representation."""

    def amount(self, split: bool) -> tuple[str, str]:
        """A clause to add to the reasons and a sentence of its own; one of them is empty."""
        coverage, one = self.meaning.coverage, len(self.pro) == 1 and not self.pro[0].plural
        number = self.number(coverage)
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
        if self.pro[-1].behind and kind in (0, 1, 3):
            kind = 5
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

    def after(self) -> str:
        """Sentences on what is only counted, on what no feature explains, and the remarks."""
        return self.small() + self.rest() + self.remarks()

    def small(self) -> str:
        """What is only counted."""
        if "counted" not in self.facts:
            return ""
        shares = [self.meaning.evidence[rank].share for rank in self.meaning.counted]
        text = ""
        for side in ([share for share in shares if share >= 0], [share for share in shares if share < 0]):
            if not side:
                continue
            count = COUNTS[len(side)] if len(side) < len(COUNTS) else str(len(side))
            piece = "piece" if len(side) == 1 else "pieces"
            end = "s" if len(side) == 1 else ""
            what = self.pick(f"{count} smaller {piece}|{count} smaller {piece} of evidence|{count} small {piece}")
            if side[0] < 0:
                verb = self.pick("speak|speak|count|weigh|argue")
                text += f" {cap(what)} {verb}{end} against it."
                continue
            number = self.number(sum(side))
            text += self.pick(
                f" {cap(what)} add{end} {number}.| {cap(what)} add{end} another {number}.| {cap(what)} contribute{end} "
                f"{number}.| Another {number.removeprefix('about ')} come{'s'} from {what}."
                f"| {cap(what)} add{end} {number} of the evidence for it."
            )
        return text

    def rest(self) -> str:
        """What no feature explains."""
        if "unexplained" not in self.facts:
            return ""
        value = self.meaning.unexplained
        number = self.number(abs(value))
        if value < 0:
            return self.pick(
                f" What no feature explains speaks against it ({number}).| What no feature explains counts against it "
                f"({number}).| The rest that no feature explains speaks against it ({number}).| What remains "
                f"unexplained speaks against it ({number})."
            )
        another = number.removeprefix("about ") if number[0].isalpha() and "than" not in number else number
        return self.pick(
            f" Another {another} is in what no feature explains.| What no feature explains adds {number}.|"
            f" {cap(number)} is in what no feature explains.| No feature explains another {another}.|"
            f" What no feature explains makes up another {another}.| Another {another} is explained by no feature.|"
            f" {cap(number)} remains unexplained by the features.| Another {another} remains unexplained."
        )

    def remarks(self) -> str:
        """What else the network answers, what it saw, and what was assumed, in any order."""
        said = []
        labels = [
            self.names.others[f"label.{i}"].text for i in range(len(self.meaning.also)) if self._tells("label", i)
        ]
        if labels:
            listed, s = join(labels), "s" if len(labels) > 1 else ""
            said.append(
                self.pick(
                    f"The network also answers {listed}.|It also answers {listed}.|The network also sees {listed}.|"
                    f"The network's further answer{s} {'are' if s else 'is'} {listed}.|It also names {listed}."
                )
            )
        if "seen" in self.facts:
            seen = percent(self.meaning.seen or 0, 0)
            said.append(
                self.pick(
                    f"The network saw the middle {seen} of the picture.|The network saw only the middle {seen} of the "
                    f"picture.|It saw the middle {seen} of the image.|The network looked at the middle {seen} of the "
                    f"picture.|Only the middle {seen} of the picture was seen by the network."
                )
            )
        for i, what in enumerate(self.meaning.assumed):
            if self._tells("assumed", i):
                label = self.names.others.get(f"assumed.{i}")
                said.append(self.pick(ASSUMED[what.kind]).format(label.text if label else "another"))
        self.rng.shuffle(said)
        return "".join(f" {sentence}" for sentence in said)

    def _tells(self, kind: str, i: int) -> bool:
        return f"{kind}.{i}" in self.facts


def cap(text: str) -> str:
    """With a capital at its beginning, where there is a letter that has one."""
    return text[:1].upper() + text[1:] if text[:1].isascii() else text
