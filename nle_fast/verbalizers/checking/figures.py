"""Places and numbers in a text, and which concept they belong to."""

from __future__ import annotations

from nle_fast.schema import Meaning
from nle_fast.verbalizers.checking.claims import Mention, Number, Part, Place, Reading, Said
from nle_fast.verbalizers.checking.matching import ARTICLES, OPEN, Matcher
from nle_fast.verbalizers.language.glossary import LEXICON, PLACE_WORDS
from nle_fast.verbalizers.language.phrases import NEURON, UNNAMED, Key, Names
from nle_fast.verbalizers.language.vocabulary import Entry, word_set

__all__ = ["Figures"]

_LEADS = ARTICLES | word_set(
    "in on at along across around near toward towards to by also both over close again all mainly further there down "
    "within is are found seen located visible up"
)
_SEPARATORS = frozenset((",", ";", "and", ":", "but", "while"))
_BETWEEN = ARTICLES | {
    "and",
    ",",
    "in",
    "on",
    "at",
    "along",
    "of",
    "picture",
    "image",
    "photo",
    "as",
    "well",
    "near",
    "to",
}
_AFTER_NEURON = (
    ARTICLES
    | OPEN
    | word_set("( , : which that detects responds to stands for means detecting labeled labelled named called known as")
)
_SURE = frozenset(("probability", "confidence", "sure", "certain", "confident", "chance", "likelihood", "certainty"))
_WHOSE = word_set("the its all this that total whole entire named supporting their")
_TOTAL = frozenset(("total", "altogether", "together", "combined", "overall"))
_ROUGHLY = word_set("less more fewer than < > about only roughly just")
_EXPLAINED = ("is", "in", "what", "no", "feature", "explains")
_UNITS = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
    "seventeen": 17, "eighteen": 18, "nineteen": 19,
}  # fmt: skip
_TENS = {
    "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}  # fmt: skip


class Figures(Matcher):
    """A place in a text, with what has been read of its sentence; reads places and numbers."""

    def __init__(self, text: str, meaning: Meaning, names: Names, lenient: bool) -> None:
        super().__init__(text, meaning, names, lenient)
        self.out = Reading()
        self.unread: list[int] = []  # words of an added claim so far
        self.counted = 0  # claims of numbers whose sentence is known
        # People who do not think in neurons are not told their numbers; texts of the first language did.
        self.numbered = not self.plain or meaning.language < 2
        self.kinds = {item.neuron: item.kind for item in meaning.evidence}
        self.photos = meaning.photos
        self.unnamed = {
            item.neuron: item.loosely
            for item, name in zip(meaning.evidence, names.concepts, strict=True)
            if name is None
        }
        self.of_neuron: dict[int, Key] = {
            item.neuron: name.key
            for item, name in zip(meaning.evidence, names.concepts, strict=True)
            if name is not None
        }
        self.last_polarity = "for"
        self.alone: list[tuple[Number, int]] = []  # "stripes make up 62%": right where they are all there is
        self.previous: list[Mention] = []  # concepts of the last clause; "this" may be they
        self.new_sentence()

    def new_sentence(self) -> None:
        """Forgets what belongs to one sentence."""
        self.polarity, self.default = "", "for"
        self.clause: list[Mention] = []  # concepts since the clause began
        self.list: list[Mention] = []  # concepts since the last place
        self.semicolon = 0  # how many concepts of the clause stand before its last semicolon
        self.places: list[Place] | None = None  # the places being listed
        self.prefix: list[Place] = []  # places before their concept
        self.prefix_used = True
        self.fronted = self.ahead = False  # a place came first; the next place belongs to what follows
        self.cue: tuple[str, int, int] = ("", 0, 0)
        self.open: tuple[int, int] | None = None  # a marker that still needs a concept
        self.despite = False  # what is against stands before the main clause
        self.claim: tuple[str, int, int] | None = None  # "mainly", which still needs a concept
        self.both = ""
        self.both_at = (0, 0)
        self.object = False  # after "stripes speak for": a label may follow
        self.brackets = 0
        self.numeric = ""  # what the next number is, by the last such word
        self.together = False  # "together" was said
        self.waiting: list[tuple[int, int, int]] = []  # neurons before their concept
        self.head = ""
        self.labelled: tuple[str, int] = ("", -1)  # the last label's role, and where it ends
        self.maybe: tuple[int, int] | None = None  # "perhaps", which still needs a concept
        self.first = len(self.out.mentions)  # of this sentence

    def new_clause(self) -> None:
        """Forgets what belongs to one clause."""
        self.leave()
        self.clause, self.list, self.places, self.semicolon = [], [], None, 0
        if self.prefix_used:
            self.prefix = []

    def leave(self) -> None:
        """Remembers what "this" may be."""
        if self.clause:
            self.previous = self.clause

    # Places

    def place(self, entry: Entry, i: int, after: int) -> None:
        """A position name, or two, at words i to after."""
        start, end = self.starts[i], self.ends[after - 1]
        self.negated()
        if self.clause and not self.ahead:
            self.ahead = self._leads_on(i, after)
            if self.ahead:
                self.places = None
        if self.places is None:
            self.places = self._targets()
        for name in entry.value.split("|"):
            name, _, other = name.partition("~")
            self.places.append(Place(name, start, end, other))

    def negated(self) -> None:
        """Words that announce a label, and none came: "rather than in the center"."""
        if self.cue[0] == "versus":
            self.close_cue()

    def close_cue(self) -> None:
        """No label came after the words that announce one; "not" and "rather than" then deny something else."""
        if self.cue[0] in ("versus", "next", "would be", "between1", "between2"):
            self.out.added.append(self.cue[1:])
        self.cue = ("", 0, 0)

    def _leads_on(self, i: int, after: int) -> bool:
        """Whether a place belongs to the concept after it, though one stands before it."""
        words = self.words
        k = i - 1
        while k > 0 and words[k] in _LEADS:
            k -= 1
        separated = words[k] in _SEPARATORS
        if not separated:
            return False
        last = self.clause[-1]
        if self.fronted and (
            last.parts[0].places is self.prefix or (not last.parts[0].places and last.maybe is self.prefix)
        ):
            return True
        for j in range(after, min(after + 14, len(words))):
            if words[j] == "there":
                return words[j + 1 : j + 2] in (("is",), ("are",), ("was",), ("were",))
            if words[j] not in _BETWEEN and words[j] not in PLACE_WORDS:
                return False
        return False

    def _targets(self) -> list[Place]:
        """The list into which the places that begin here go; it may be shared by several concepts."""
        if not self.clause or self.ahead:
            if not self.prefix_used:
                return self.prefix
            self.prefix, self.prefix_used = [], False
            return self.prefix
        last = self.clause[-1]
        if last.parts[-1].places and (last.parts[-1].neurons or last.parts[-1].shares):
            last.parts.append(Part())
        places = last.parts[-1].places
        before = self.list[:-1] if last.link or self.both else []  # "A, B on the left": only B is there
        if self.both:
            before = self.clause[-2:-1] if self.both == "both" else before
            if not before:
                self.out.added.append((last.end, last.end))
            for mention in before:
                mention.parts[-1].places = places
        else:
            for mention in before:
                mention.maybe = places
        self.both, self.list = "", []
        return places

    # Neurons

    def neurons(self, i: int, start: int) -> int:
        """Numbers of neurons from word i; gives the word after them."""
        words, ends = self.words, self.ends
        found, kind = False, words[i - 1].removesuffix("s")
        while i < len(words):
            word = words[i]
            if word.isdigit():
                number, found = int(word), True
                if self.kinds.get(number, kind) != kind or (number in self.unnamed and not self.numbered):
                    self.out.added.append((start, ends[i]))
                elif number in self.unnamed:
                    self.mention(((NEURON, word),), start, ends[i])
                elif self.plain:
                    self.out.added.append((start, ends[i]))
                elif self._told_after(number, i + 1):
                    self.waiting.append((number, start, ends[i]))
                elif self.out.mentions:
                    self.out.mentions[-1].parts[-1].neurons.append((number, start, ends[i]))
                    self.places = None
                else:
                    self.out.added.append((start, ends[i]))
            elif not (word in (",", "and") and self.bare_number(i + 1 + (words[i : i + 2] == (",", "and")))):
                break
            start, i = self.starts[i + 1] if i + 1 < len(words) else ends[i], i + 1
        if not found and words[i - 1] != "neurons" and words[i - 2 : i - 1] not in (("unnamed",), ("the",), ("that",)):
            self.out.added.append((start, start))
        return i

    def bare_number(self, i: int) -> bool:
        """Whether a number that is no percentage stands at word i."""
        if i >= len(self.words):
            return False
        follows = self.words[i + 1] if i + 1 < len(self.words) else ""
        return self.words[i].isdigit() and follows not in ("%", "percent")

    def _told_after(self, number: int, i: int) -> bool:
        """Whether the concept of a neuron stands after its number: "neuron 431 (dog faces)"."""
        said = self.out.mentions[self.first :]
        if number not in self.of_neuron:
            return False
        if said and not said[-1].parts[-1].neurons and said[-1].keys[0][0] != NEURON:
            return False
        key = self.of_neuron[number]
        for j in range(i, min(i + 6, len(self.words))):
            for known in self.known.get(self.words[j], ()):
                if key in known.roles and self.words[j : j + len(known.tokens)] == known.tokens:
                    return True
            if self.words[j] not in _AFTER_NEURON:
                return False
        return False

    # Numbers

    def number(self, i: int, bound: str = "", start: int = -1) -> int:
        """A number at word i; gives the word after it."""
        start = self.starts[i] if start < 0 else start
        found = self.percentage(i, bound, start)
        if found is None and self.photos is not None and self.words[i + 1 : i + 2] == ("photos",):
            self.out.photos.append(Said(self.words[i], start, self.ends[i]))
            return i + 2
        if found is None:
            self.out.added.append((start, self.ends[i]))
            return i + 1
        number, after = found
        told = self._placed(number, i, after)
        if not told:
            self.figure(number, after)
        return told or after

    def percentage(self, i: int, bound: str = "", start: int = -1) -> tuple[Number, int] | None:
        """A percentage at word i, perhaps with words before it, and the word after it; None where there is none."""
        start = self.starts[i] if start < 0 and i < len(self.words) else start
        while i < len(self.words) and self.words[i] in _ROUGHLY:
            bound = {"less": "<", "fewer": "<", "<": "<", "more": ">", ">": ">"}.get(self.words[i], bound)
            i += 1
        if i >= len(self.words) or not self.words[i][-1].isdigit():
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

    def _placed(self, number: Number, i: int, after: int) -> int:
        """Notes a percentage that words around it claim; gives the word after these, or 0 where there are none."""
        words = self.words
        if words[after : after + len(_EXPLAINED)] == _EXPLAINED:
            self.out.unexplained.append(Said("for", number.start, number.end, number))
            return after + len(_EXPLAINED)
        k = i - 1
        while k > 0 and words[k] in _ROUGHLY:
            k -= 1
        bracket = words[k] == "("
        mention = self.out.mentions[-1] if self.out.mentions else None
        side = words[after : after + 2]
        if self.brackets and mention is not None and side in (("for", "it"), ("against", "it")):
            mention.net.append((side[0] == "for", number))
            return after + 2
        if self.photos is not None and mention is not None and words[k] == "in" and self.brackets:
            mention.parts[-1].photos.append(number)
            if words[after : after + 2] == ("of", "its") and words[after + 2][:1].isdigit():
                self.out.photos.append(Said(words[after + 2], self.starts[after + 2], self.ends[after + 2]))
                return after + 3 + (words[after + 3 : after + 4] == ("photos",))
            return after
        if words[k] == "probability" and words[k - 1] == "(":
            k, bracket = k - 1, True
        if bracket and self.labelled[1] == k:
            self.out.chances.append((self.labelled[0], number))
            self.numeric = ""
            return after
        if bracket and mention is not None and mention.keys == (UNNAMED,) and self.first < len(self.out.mentions):
            self.out.unnamed.append(number)
            self.together = True  # what is told next is of all together
            return after
        return 0

    def spelled_number(self, i: int) -> int:
        """A percentage in words at word i ("sixty two percent"); gives the word after it, or i where there is none."""
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
            return i
        after = j + size
        self.figure(Number(float(value), 0, "", self.starts[i], self.ends[after - 1]), after)
        return after

    def figure(self, number: Number, after: int) -> None:
        """Decides what a percentage is of: the probability, the share of the last concept, or all that is named."""
        self.negated()
        mention = self.out.mentions[-1] if self.out.mentions else None
        part = mention.parts[-1] if mention else None
        numeric, self.numeric = self.numeric, ""
        if not _SURE.isdisjoint(self.words[after : after + 1]):
            numeric = "probability"
        elif numeric != "probability" and part is not None and mention is not None and not self.plain:
            told = len(part.neurons) or (mention.keys[0][0] == NEURON)
            if (
                told > len(part.shares)
                and not self.together
                and (numeric != "coverage" or len(self.out.mentions) > self.first)
            ):
                numeric = "share"
            elif numeric == "share" and told <= len(part.shares):
                numeric = "coverage" if self.words[after : after + 1] == ("of",) else "share"
        if self._of_else(after):
            self.out.added.append((number.start, number.end))  # "70% of the picture"
        if not numeric:
            first = not self.plain and self.out.labels and not self.out.mentions and not self.out.probabilities
            numeric = "probability" if first and self.words[after : after + 1] != ("of",) else "coverage"
        if numeric == "probability":
            self.out.probabilities.append(number)
        elif numeric == "coverage":
            if len(self.out.mentions) > self.first and not self.together and not self._in_all(after):
                here = [said for said in self.out.mentions[self.first :] if said.polarity == "for"]
                self.alone.append((number, len(here) if self.out.mentions[-1].polarity == "for" else -1))
            self.out.coverages.append(number)
            self.together = False
        elif part is not None and mention is not None and not self.plain:
            part.shares.append(number)
            if number.value < 0 and not mention.marked:
                mention.polarity = "against"
            self.list = []  # "A (3%) and B in the center": no place for A
        else:
            self.out.added.append((number.start, number.end))
        self.places = None

    def _of_else(self, after: int) -> bool:
        """Whether a share of something that is no evidence follows."""
        words = self.words
        if words[after : after + 1] != ("of",):
            return False
        j = after + 1
        while j < len(words) and words[j] in _WHOSE:
            j += 1
        entry = LEXICON[words[j]].alone if j < len(words) and words[j] in LEXICON else None
        return entry is not None and entry.kind in ("noun", "position") and words[j] not in ("weight", "case")

    def _in_all(self, after: int) -> bool:
        """Whether "in total" or the like follows, with nothing between but what the number is of."""
        for j in range(after, min(after + 10, len(self.words))):
            if self.words[j] in _TOTAL:
                return True
            if self.words[j] == "in" and self.words[j + 1 : j + 2] in (("all",), ("total",), ("sum",)):
                return True
            if self.words[j] in ".;,":
                return False
        return False

    def mention(self, keys: tuple[Key, ...], start: int, end: int) -> None:
        """A concept, told at these characters."""
        raise NotImplementedError
