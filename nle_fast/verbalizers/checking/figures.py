"""Places and numbers in a text, and which concept they belong to."""

from __future__ import annotations

from nle_fast.schema import Meaning
from nle_fast.verbalizers.checking.claims import Mention, Number, Part, Place, Reading, Said
from nle_fast.verbalizers.checking.matching import ARTICLES, OPEN
from nle_fast.verbalizers.checking.numbers import ROUGHLY, Numbers
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
    | word_set("perhaps maybe possibly")
)
_SURE = frozenset(("probability", "confidence", "sure", "certain", "confident", "chance", "likelihood", "certainty"))
_PHOTOS = frozenset(("photos", "pictures", "images"))
_OF_THEM = (("of", "them"), ("of", "these"), ("of", "those"), ("of", "its"), ("of", "the"), ("of",))


class Figures(Numbers):
    """A place in a text, with what has been read of its sentence; reads places and numbers."""

    def __init__(self, text: str, meaning: Meaning, names: Names, lenient: bool) -> None:
        super().__init__(text, meaning, names, lenient)
        self.out = Reading()
        self.unread: list[int] = []  # words of an added claim so far
        self.counted = 0  # claims of numbers whose sentence is known
        # People who do not think in neurons are not told their numbers; texts of the first language did.
        self.numbered = not self.plain or meaning.language < 2
        self.kinds = {item.neuron: item.kind for item in meaning.evidence}
        self.beside = {
            meaning.evidence[told.rank].neuron
            for told in meaning.told
            if told.supports and not meaning.evidence[told.rank].supports
        }
        self.photos = meaning.photos
        self.nameless = any(fact.kind == "unnamed" for fact in meaning.facts)
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
            if word.isdecimal():
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
        if found is None and self.photos is not None and not _PHOTOS.isdisjoint(self.words[i + 1 : i + 2]):
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

    def _placed(self, number: Number, i: int, after: int) -> int:
        """Notes a percentage that words around it claim; gives the word after these, or 0 where there are none."""
        words = self.words
        behind = after + 3 * (words[after : after + 3] == ("of", "the", "evidence"))
        entry = self.entry(behind, words[behind]) if behind < len(words) and words[behind] in LEXICON else None
        if entry is not None and entry.kind in ("counted", "unexplained") and entry.value[:1] != "-":
            told = self.out.counted if entry.kind == "counted" else self.out.unexplained
            told.append(Said(entry.value, number.start, number.end, number))
            return behind + len(entry.tokens)
        k = i - 1
        while k > 0 and words[k] in ROUGHLY:
            k -= 1
        bracket = words[k] == "("
        mention = self.out.mentions[-1] if self.out.mentions else None
        if self.brackets and mention is not None and (side := self.behalf(after)):
            mention.net.append((side > 0, number))
            self.list = []
            return after + abs(side)
        if self.photos is not None and mention is not None and self.brackets and words[k] == "in":
            mention.parts[-1].photos.append(number)
            self.list = []  # "A (in 3%) and B in the center": no place for A
            return self._of_photos(after)
        if words[k] == "probability" and words[k - 1] == "(":
            k, bracket = k - 1, True
        if bracket and self.labelled[1] == k and words[after : after + 1] != ("of",):
            if self.labelled[0] == "certainty":
                self.out.probabilities.append(number)
            else:
                self.out.chances.append((self.labelled[0], number))
            self.numeric = ""
            return after
        here = mention is not None and mention.keys == (UNNAMED,) and self.first < len(self.out.mentions)
        added = words[k - (words[k] == "another")] in ("add", "adds")
        if (bracket or added) and here and self.nameless:
            self.out.unnamed.append(number)
            self.together = True  # what is told next is of all together
            return after
        return 0

    def _of_photos(self, i: int) -> int:
        """Of how many pictures a number is, where word i and those behind it tell; gives the word after them."""
        words = self.words
        tail = next((tail for tail in _OF_THEM if words[i : i + len(tail)] == tail), ())
        after = i + len(tail)
        if tail and words[after : after + 1] and words[after].isdecimal():
            self.out.photos.append(Said(words[after], self.starts[after], self.ends[after]))
            after += 1
        return after + (bool(tail) and not _PHOTOS.isdisjoint(words[after : after + 1]))

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
        if self.of_else(after):
            self.out.added.append((number.start, number.end))  # "70% of the picture"
        if not numeric:
            first = not self.plain and self.out.labels and not self.out.mentions and not self.out.probabilities
            numeric = "probability" if first and self.words[after : after + 1] != ("of",) else "coverage"
        if numeric == "probability":
            self.out.probabilities.append(number)
        elif numeric == "coverage":
            if len(self.out.mentions) > self.first and not self.together and not self.in_all(after):
                here = [said for said in self.out.mentions[self.first :] if said.polarity == "for"]
                self.alone.append((number, len(here) if self.out.mentions[-1].polarity == "for" else -1))
            self.out.coverages.append(number)
            self.together = False
        elif part is not None and mention is not None and not self.plain:
            part.shares.append(number)
            last = (
                part.neurons[-1][0] if part.neurons else int(mention.keys[0][1]) if mention.keys[0][0] == NEURON else -1
            )
            joined = last in self.beside  # told where the first of its group is
            if number.value < 0 and not mention.marked and not joined:
                mention.polarity = "against"
            self.list = []  # "A (3%) and B in the center": no place for A
        else:
            self.out.added.append((number.start, number.end))
        self.places = None

    def mention(self, keys: tuple[Key, ...], start: int, end: int) -> None:
        """A concept, told at these characters."""
        raise NotImplementedError
