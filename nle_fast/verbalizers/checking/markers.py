"""Words that tell how names are meant: for or against, the answer or its rival, mainly or partly."""

from __future__ import annotations

from nle_fast.verbalizers.checking.claims import Count, Mention, Number, Said
from nle_fast.verbalizers.checking.figures import Figures
from nle_fast.verbalizers.language.glossary import LEXICON
from nle_fast.verbalizers.language.phrases import NEURON, UNNAMED, quoted
from nle_fast.verbalizers.language.vocabulary import Entry, tokenize, word_set
from nle_fast.verbalizers.language.words import clean, noun_phrase

__all__ = ["ASIDE", "Markers"]

#: Marks that set words off.
ASIDE = frozenset((",", ".", "?", "!", ")", ";"))
_BEFORE_THING = frozenset(("a", "an", "some", "one", "its", "another"))
_AFTER_LAST = word_set(", ; . and or both all")
_PREPOSITIONS = word_set("of in on at to for as with from by this that the these it")
_RANKS = word_set("second third fourth fifth last next other another previous former wrong")
_LISTING = frozenset((",", "and", "or", ";", "&", "plus"))
_AFTER_THING = word_set(", ; . ( ) and or in at on along across around near as all both toward")
_AGENTS = frozenset(("network", "model", "classifier", "system", "computer", "ai"))
_ORDINALS = frozenset(("second", "third", "fourth", "fifth", "role", "part", "way", "well"))
_PRONOUNS = frozenset(("it", "this", "that", "these", "they", "those", "which"))
_BEFORE_VERB = frozenset(("also", "both", "all", "too", "however", ",", "then", "would"))
_IS = word_set("is are was were as be being provide provides form forms make makes")
_REASON = word_set("why the what responsible because how behind")
_DESPITE = frozenset(("despite", "in", "notwithstanding", "regardless", "even"))
_PERCENT = frozenset(("%", "percent", "cent"))
_AMOUNTS = word_set(
    "about roughly around approximately make makes up account accounts for cover covers explain explains amount "
    "amounts to add adds come comes represent represents provide provides contribute contributes a total of"
)


_INSTEAD = frozenset((("rather", "than"), ("instead", "of"), ("as", "opposed", "to")))
_TOLD = frozenset(
    ("certainty", "first", "next", "also", "would be", "unnamed", "perhaps", "counted", "unexplained", "seen")
) | {"assumed"}
_PICTURE = frozenset(("picture", "image", "photo"))


class Markers(Figures):
    """Reads the words between the names."""

    def marked(self, entry: Entry, i: int) -> int:
        """Words of the vocabulary that begin at word i; gives the word after them."""
        after = i + len(entry.tokens)
        start, end = self.starts[i], self.ends[after - 1]
        kind, value = entry.kind, entry.value
        if kind == "position":
            self.place(entry, i, after)
        elif kind == "noun" and entry.tokens[-1] in ("feature", "features") and self.bare_number(after):
            return self.neurons(after, start)
        elif kind == "noun":
            if self.listed(i, after):
                self.out.added.append((start, end))
        elif kind == "together":
            self.together = True
        elif kind in ("forward", "again", "backward"):
            self.side(entry, i, after)
        elif kind == "contrast":
            self.close_cue()
            against = self.out.mentions and self.out.mentions[-1].polarity == "against"
            self.default = "for" if against else "against"  # "grass speaks against it, but there are stripes"
            if not (
                self.clause
                and self.words[i - 1] in ASIDE
                and self.words[after : after + 1]
                and self.words[after] in ASIDE
            ):
                self.polarity = ""
                self.new_clause()
        elif (
            kind == "than"
            and entry.tokens == ("over",)
            and self.words[after : after + 1]
            and self.words[after][-1].isdecimal()
        ):
            return self.number(after, ">", start)
        elif kind in ("class", "notclass", "versus", "layer", "why", "than", "not"):
            self.announced(kind, entry, i, after)
        elif kind in ("isclass", "isnotclass"):
            label = next((label for label in reversed(self.out.labels) if label.role == "class"), None)
            if label is None:
                self.cue = (kind[2:], start, end)
            elif label.cue in ("", "elsewhere", "object", "why"):
                label.cue = kind[2:]
        elif kind in ("main", "most", "part"):
            self.claimed(kind, i, after)
        elif kind == "object":
            self.object = True
        elif kind in ("both", "all"):
            self.both, self.both_at = kind, (start, end)
        elif kind == "count":
            self.both = "all" if entry.tokens[0] == "all" else self.both
            self.together = self.together or "together" in entry.tokens or entry.tokens[0] in ("these", "all")
            self.out.counts.append(Count(int(value), start, end, []))
        elif kind == "only":
            ahead = next((word for word in self.words[after : after + 6] if word not in _AMOUNTS), "")
            little = ahead in ("<", "less", "fewer") or (ahead[-1:].isdecimal() and float(ahead.lstrip("−-")) < 50)
            if not little:
                self.out.added.append((start, end))
        elif kind in ("probability", "share", "coverage"):
            if self.words[i - 1] not in _PERCENT:  # "92% probability"
                self.numeric = kind
        elif kind == "fraction":
            self.figure(Number(float(value), 0, "~", start, end), i)
        elif kind == "bound":
            if after < len(self.words) and self.words[after][-1].isdecimal():
                return self.number(after, value, start)
            self.out.added.append((start, end))
        elif kind == "sure":
            if self.words[i - 1] not in _PERCENT:
                self.out.added.append((start, end))
        elif kind == "neuron":
            return self.neurons(after, start)
        elif kind == "loosely":
            return self.loosely(i, after)
        elif kind in _TOLD:
            return self.told(entry, i, after)
        elif kind == "none":
            self.out.none.append((start, end))
        elif kind == "rest":
            self.out.rest.append((value, start, end))
        elif kind == "would":
            verb = (
                self.entry(after, self.words[after])
                if after < len(self.words) and self.words[after] in LEXICON
                else None
            )
            if verb is None or verb.kind != "backward" or verb.value != "against":
                self.out.would.append((start, end))
        elif kind in ("negation", "percent"):
            self.out.added.append((start, end))
        return after

    def told(self, entry: Entry, i: int, after: int) -> int:
        """Words that claim one certain thing, with the number that belongs to them; gives the word after them."""
        start, end = self.starts[i], self.ends[after - 1]
        kind, said = entry.kind, Said(entry.value, start, end)
        if kind == "perhaps":
            self.maybe = start, end
        elif kind == "unnamed":
            self.mention((UNNAMED,), start, end)
            self.out.mentions[-1].count = int(entry.value)
        elif kind == "certainty":
            self.out.certainty.append(said)
            self.labelled = "certainty", after
            if entry.tokens[-1] in ("between", "is", "was") or entry.value in ("thinks", "guesses"):
                self.close_cue()
                self.cue = ("between1" if entry.value == "hesitates" else "class", start, end)
        elif kind == "first":
            self.out.firsts.append((start, end))
        elif kind == "next" and entry.tokens[0] == "followed" and not self.runner_up_ahead(after):
            pass  # "stripes, followed by grass"
        elif kind == "would be" and self.words[after : after + 1] in (("another",), ("different",)):
            self.out.unknown.append((self.starts[after], self.ends[after]))
            return after + 1
        elif kind in ("next", "also", "would be"):
            self.close_cue()
            self.cue = (kind, start, end)
        elif kind == "assumed":
            self.out.assumed.append(said)
        else:  # a number belongs to them
            at = after + (self.words[after : after + 1] in (("(",), ("another",), ("further",)))
            at += 2 * (self.words[at : at + 2] == ("a", "further"))
            found = self.percentage(at) if entry.value[:1] != "-" and at < len(self.words) else None
            if found is not None:
                said.number, after = found
            if kind == "seen":
                after += 3 * (self.words[after : after + 2] == ("of", "the") and self.words[after + 2] in _PICTURE)
            {"seen": self.out.seen, "counted": self.out.counted, "unexplained": self.out.unexplained}[kind].append(said)
        return after

    def side(self, entry: Entry, i: int, after: int) -> None:
        """Words that tell for or against: of what follows, or of what stands before."""
        start, end = self.starts[i], self.ends[after - 1]
        value = entry.value or self.last_polarity
        follows = self.words[after] if after < len(self.words) else "."
        if entry.tokens == ("against",) and self.label_ahead(after) == "versus":
            self.cue = ("versus", start, end)
            return
        backward = entry.kind == "backward" or (
            value == "against"
            and bool(self.clause)
            and follows in ASIDE
            and self.words[i - 1] not in (",", "and", ";", "but")
        )
        self.close_cue()
        if value == "for" and not backward and self.open is not None:
            return  # "the evidence against it in layer4 comes from"
        subject = self.subject(i) if backward else []
        for mention in subject:
            mention.polarity, mention.marked = value, True
        self.last_polarity = value
        if subject:
            self.polarity, self.default, self.object = "", "for", True
            if follows == ")":
                return
        else:
            self.polarity = value
            self.object = self.object or backward
            self.despite = value == "against" and entry.tokens[0] in _DESPITE
            if value == "against":
                self.open = (start, end)
        self.new_clause()
        if entry.tokens[-3:] == ("to", "the", "answer"):
            self.cue = ("class", start, end)

    def subject(self, i: int) -> list[Mention]:
        """The concepts before a verb."""
        if not self.clause:
            k = i - 1
            while k > 0 and self.words[k] in _BEFORE_VERB:
                k -= 1
            pronoun = i > 0 and self.words[k] in _PRONOUNS
            return [mention for mention in self.previous if not mention.marked] if pronoun else []
        if not self.polarity:
            after = self.clause[self.semicolon :]
            return after if after and not after[0].link else self.clause  # "stripes; grass speaks against it"
        if self.despite:  # "despite grass and trees, stripes support it"
            first = next((k for k, mention in enumerate(self.clause) if k and mention.link != "and"), 0)
            return self.clause[first:]
        subject = [self.clause[-1]]
        for mention in reversed(self.clause[:-1]):
            if subject[-1].link != "and":
                break
            subject.append(mention)
        return subject

    def announced(self, kind: str, entry: Entry, i: int, after: int) -> None:
        """Words after which a label comes."""
        start, end = self.starts[i], self.ends[after - 1]
        cue = self.cue[0]
        if kind in ("than", "not"):
            role = self.label_ahead(after)
            if role == "versus":
                self.cue = ("versus", start, end)
            elif kind == "not":
                self.close_cue()
                if role == "class":
                    self.cue = ("notclass", start, end)
                else:
                    self.out.added.append((start, end))
        elif entry.tokens in _INSTEAD and self.label_ahead(after) == "class":
            self.close_cue()
            self.cue = ("notclass", start, end)  # "the answer is horse rather than zebra", where zebra is explained
        elif kind in ("class", "why") and cue in ("versus", "notclass"):
            pass  # "rather than the answer horse"
        elif kind == "class" and self.words[i - 1] in _RANKS:
            self.out.added.append((self.starts[i - 1], end))  # "its second answer"
        elif not (kind == "class" and cue == "why"):
            if kind == "layer" and cue in ("class", "notclass"):
                self.out.added.append((start, end))  # "the answer is layer 4"
            self.close_cue()
            self.cue = (kind, start, end)

    def claimed(self, kind: str, i: int, after: int) -> None:
        """A claim about the size of a concept: of the one that follows, or of those before "are the main reason"."""
        words = self.words
        k = i - 1
        while k > 0 and words[k] in ("the", "a", "its", "single", "our"):
            k -= 1
        if self.clause and words[i - 1] in ("what", "that", "which"):
            self.clause[-1].claims.append(kind)  # "a mane is what mainly speaks for it"
            return
        if self.clause and i and words[k] in _IS:
            follows = words[after] if after < len(words) else "."
            if k < i - 1 or follows in _REASON:
                for mention in self.subject(i):
                    mention.claims.append(kind)
                    if self.despite:
                        mention.polarity = "for"
                return
        if kind != "part" or self.claim is None:
            self.claim = (kind, self.starts[i], self.ends[after - 1])

    def listed(self, i: int, after: int) -> bool:
        """Whether a word stands where a thing in a list of things would stand."""
        words = self.words
        follows = words[after] if after < len(words) else "."
        k = i - 1
        while k > 0 and words[k] in _BEFORE_THING:
            k -= 1
        definite = k >= 0 and words[k] == "the"
        if k < 0 or (words[i] in _AGENTS and (definite or k == i - 1)):
            return False
        k -= definite
        if follows in _AFTER_LAST or (follows in _AFTER_THING and not definite):
            if words[k] in _LISTING:
                return bool(self.clause)
            if self.cue[0] in ("class", "also") and follows in _AFTER_LAST and self.words[k] not in _PREPOSITIONS:
                return True  # "it sees a hand"
        elif follows in LEXICON and words[k] in _LISTING:
            verb = self.entry(after, follows)
            return bool(self.clause) and verb is not None and verb.kind == "backward"
        return follows in _AFTER_THING and (
            words[k] in ("from", "by") or (words[k] == "of" and words[k - 1] == "because")
        )

    def odd(self, i: int, entry: Entry) -> bool:
        """Whether a word that explains stands after "a" as if it were a thing: "a stand at the top"."""
        after = i + len(entry.tokens)
        follows = self.words[after] if after < len(self.words) else "."
        return follows in _AFTER_THING and entry.tokens[-1] not in _ORDINALS

    def loosely(self, i: int, after: int) -> int:
        """Untrusted words, which must be those of the unnamed neuron before them."""
        last = self.out.mentions[-1].keys[0] if self.out.mentions else ("", "")
        words = self.unnamed.get(int(last[1])) if last[0] == NEURON else None
        if words is not None:
            for known in (noun_phrase(words).bare, noun_phrase(words).text, clean(words)):
                said = tuple(token.text for token in tokenize(quoted(known).text))
                for wanted in (said, said[1:-1]):
                    if self.words[after : after + len(wanted)] == wanted:
                        return after + len(wanted)
        self.out.added.append((self.starts[i], self.ends[after - 1]))
        return after
