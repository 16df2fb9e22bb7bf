"""Numbers in a text as they are written, in digits and in words; `figures` decides what they are of."""

from __future__ import annotations

from nle_fast.verbalizers.checking.claims import Number
from nle_fast.verbalizers.checking.matching import Matcher
from nle_fast.verbalizers.language.glossary import LEXICON
from nle_fast.verbalizers.language.vocabulary import word_set

__all__ = ["ROUGHLY", "Numbers"]

#: What may stand before a number.
ROUGHLY = word_set("less more fewer than < > about only roughly just")
_WHOSE = word_set("the its all this that total whole entire named supporting their")
_TOTAL = frozenset(("total", "altogether", "together", "combined", "overall"))
_FOR_IT, _AGAINST_IT = (("for", "it"), ("for", "this"), ("in", "favor")), (("against", "it"), ("against", "this"))
_UNITS = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
    "seventeen": 17, "eighteen": 18, "nineteen": 19,
}  # fmt: skip
_TENS = {
    "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}  # fmt: skip


class Numbers(Matcher):
    """Reads numbers, and the words right behind them."""

    def bare_number(self, i: int) -> bool:
        """Whether a number that is no percentage stands at word i."""
        if i >= len(self.words):
            return False
        follows = self.words[i + 1] if i + 1 < len(self.words) else ""
        return self.words[i].isdecimal() and follows not in ("%", "percent")

    def percentage(self, i: int, bound: str = "", start: int = -1) -> tuple[Number, int] | None:
        """A percentage at word i, perhaps with words before it, and the word after it; None where there is none."""
        start = self.starts[i] if start < 0 and i < len(self.words) else start
        while i < len(self.words) and self.words[i] in ROUGHLY:
            bound = {"less": "<", "fewer": "<", "<": "<", "more": ">", ">": ">"}.get(self.words[i], bound)
            i += 1
        if i >= len(self.words) or not self.words[i][-1].isdecimal():
            return None
        if self.words[i + 1 : i + 2] in (("%",), ("percent",)):
            after = i + 2
        elif self.words[i + 1 : i + 3] == ("per", "cent"):
            after = i + 3
        else:
            return None
        digits = self.words[i].replace("−", "-")
        decimals = len(digits.partition(".")[2])
        return Number(float(digits), decimals, bound, start, self.ends[after - 1]), after

    def behalf(self, i: int) -> int:
        """How many words from word i tell that a number is for it; negative: against it; 0: none do."""
        words = self.words[i : i + 2]
        if words in _FOR_IT:
            return 2
        if words in _AGAINST_IT:
            return -2
        alone = len(words) == 2 and words[1] in (",", ")", "and")
        return {"for": 1, "against": -1}.get(words[0], 0) if alone else 0

    def spelled(self, i: int) -> tuple[Number, int] | None:
        """A percentage in words at word i ("sixty two percent"); and the word after it; None where there is none."""
        words = self.words
        value = _UNITS.get(words[i], -1)
        j = i + 1
        if words[i] in _TENS:
            value = _TENS[words[i]]
            if 0 < _UNITS.get(words[j] if j < len(words) else "", 0) < 10:
                value += _UNITS[words[j]]
                j += 1
        size = 1 if words[j : j + 1] == ("percent",) else 2 if words[j : j + 2] == ("per", "cent") else 0
        if value < 0 or not size:
            return None
        after = j + size
        return Number(float(value), 0, "", self.starts[i], self.ends[after - 1]), after

    def of_else(self, after: int) -> bool:
        """Whether a share of something that is no evidence follows."""
        words = self.words
        if words[after : after + 1] != ("of",):
            return False
        j = after + 1
        while j < len(words) and words[j] in _WHOSE:
            j += 1
        entry = LEXICON[words[j]].alone if j < len(words) and words[j] in LEXICON else None
        return entry is not None and entry.kind in ("noun", "position") and words[j] not in ("weight", "case")

    def in_all(self, after: int) -> bool:
        """Whether "in total" or the like follows, with nothing between but what the number is of."""
        for j in range(after, min(after + 10, len(self.words))):
            if self.words[j] in _TOTAL:
                return True
            if self.words[j] == "in" and self.words[j + 1 : j + 2] in (("all",), ("total",), ("sum",)):
                return True
            if self.words[j] in ".;,":
                return False
        return False
