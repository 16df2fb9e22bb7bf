"""Reads a text from left to right and notes what it claims: labels, concepts for and against, places, numbers.

One pass over the tokens. Names are matched before vocabulary, longest first. A place belongs to the concept before it;
to the concept after it where none came before in the clause; ", both in …" to two. What a concept speaks for is decided
by the marker before it ("because of") or the verb after it ("speaks against").
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_left

from nle_fast.schema import Meaning
from nle_fast.verbalizers.checking.claims import Count, Label, Mention, Part, Reading
from nle_fast.verbalizers.checking.markers import Markers
from nle_fast.verbalizers.checking.matching import ARTICLES, OPEN
from nle_fast.verbalizers.language.glossary import LEXICON
from nle_fast.verbalizers.language.phrases import Key, Names
from nle_fast.verbalizers.language.vocabulary import word_set

__all__ = ["read"]

_ENDS = frozenset(".!?")
_JOINTS = OPEN | word_set("and a an the as well both some what whatever something that also its perhaps maybe possibly")
_NUMBERED = word_set("( neuron neurons feature features")
_MARKS = frozenset(",.;:()?!“”\"'–—…")


def read(text: str, meaning: Meaning, names: Names, *, lenient: bool = False) -> Reading:
    """What a text claims, in the names of a meaning representation.

    Args:
        text: Any text.
        meaning: Gives the unnamed neurons and the style.
        names: Its names.
        lenient: Also recognize names without the quotation marks that they need.
    """
    return _Reader(text, meaning, names, lenient).run()


#: What announces a label → the roles that it announces.
_ROLES = {
    "between1": "class", "between2": "runner_up", "next": "runner_up", "also": "label.", "would be": "assumed.",
}  # fmt: skip


class _Reader(Markers):
    def run(self) -> Reading:
        """Reads the whole text."""
        words, known = self.words, self.known
        i, size = 0, len(words)
        while i < size:
            word = words[i]
            entries = LEXICON.get(word)
            if entries is not None and entries.only_glue and word not in known:
                after = words[i + 1] if i + 1 < size else ""
                if after not in entries.longer and words[i - 1] not in ("a", "an"):
                    if self.unread:
                        self._flush()
                    i += 1  # most words go this way
                    continue
            i = self._step(i)
        self._end_sentence()
        told = sum(mention.polarity == "for" for mention in self.out.mentions)
        self.out.added += [(number.start, number.end) for number, before in self.alone if before != told]
        return self.out

    def _step(self, i: int) -> int:
        word = self.words[i]
        entry = self.entry(i, word) if word in LEXICON else None
        if word in self.known or word in OPEN:
            known, skip = self.find_name(i, word)
            if known is not None and (skip or entry is None or len(known.tokens) > len(entry.tokens) or (
                known.bare and (entry.kind == "glue" or len(known.tokens) == len(entry.tokens))
            )):  # fmt: skip
                self._flush()
                end = self.ends[i + skip + len(known.tokens) - 1]
                roles = known.bare if known.bare and not skip else known.roles
                after = i + len(known.tokens) + 2 * skip
                if known.perhaps:
                    self.maybe = self.starts[i], end
                self._named(roles, self.starts[i + skip], end, after)
                return after
            if word == "“" and known is None:
                self._quoted(i)
        if entry is not None:
            if self.unread:
                self._flush()
            if entry.kind == "glue":
                if word == "something" or word == "whatever":
                    self.places, self.ahead = None, True
                elif self.words[i - 1] in ("a", "an") and self.odd(i, entry):
                    self.out.added.append((self.starts[i], self.ends[i]))
                elif word == "there" and self.despite and self.open is None:
                    self.polarity, self.despite = "", False  # "despite grass, there are stripes"
                    self.new_clause()
                return i + len(entry.tokens)
            return self.marked(entry, i)
        if word[-1].isdecimal():
            self._flush()
            return self.number(i)
        if word in _MARKS or unicodedata.category(word[0])[0] == "P":
            self._flush()
            self._mark(word, i)
            return i + 1
        found = self.spelled(i)
        if found is None:
            self.unread.append(i)
            return i + 1
        self.figure(*found)
        return found[1]

    def _quoted(self, i: int) -> None:
        """Words between quotation marks, which are a name: an added one, where none of ours begins in them."""
        closed = next((j for j in range(i + 1, min(i + 20, len(self.words))) if self.words[j] == "”"), i)
        if closed > i + 1 and not any(self.find_name(j, self.words[j])[0] for j in range(i + 1, closed)):
            self.out.added.append((self.starts[i], self.ends[closed]))

    def _named(self, roles: tuple[str | Key, ...], start: int, end: int, after: int) -> None:
        role = self._role(roles, end)
        cue, cue_start, cue_end = self.cue
        if isinstance(role, str):
            if role == "layer":
                self.out.layers.append((start, end))
                if cue not in ("", "layer", "why"):
                    self.out.added.append((start, end))  # "the answer is layer4"
            else:
                if self.claim is not None and cue and self.claim[1] > cue_start:
                    self.out.added.append(self.claim[1:])  # "it is mostly a zebra"
                    self.claim = None
                if not cue and self.out.mentions:
                    cue = "object" if self.object else "class" if self._after_colon(start) else "elsewhere"
                if self.maybe is not None and self.maybe[0] < start:
                    self.out.added.append(self.maybe)  # "perhaps the answer is zebra"
                    self.maybe = None
                self.out.labels.append(Label(role, cue, start, end))
                if self.open is None:
                    self.polarity = ""  # "despite grass, the answer is zebra"
                self.leave()
                self.clause, self.list, self.semicolon = [], [], 0  # a place after a label is no place of a concept
                self.labelled = role, after
            self.places = None
            self.cue = {"between1": ("between2", start, end), "also": self.cue}.get(cue, ("", 0, 0))
            return
        if cue == "versus":
            self.out.added.append((cue_start, cue_end))  # "not stripes"
        self.cue = ("", 0, 0)
        self.object = False
        self.mention(tuple(key for key in roles if not isinstance(key, str)), start, end)

    def _after_colon(self, start: int) -> bool:
        """Whether a colon stands before, as in "stripes in the center: a zebra"."""
        k = bisect_left(self.starts, start) - 1
        while k > 0 and (self.words[k] in ARTICLES or self.words[k] in OPEN):
            k -= 1
        return self.words[k] == ":"

    def _role(self, roles: tuple[str | Key, ...], end: int) -> str | Key:
        if len(roles) == 1:
            return roles[0]
        cue = self.cue[0]
        wanted = _ROLES.get(cue)
        announced = next((role for role in roles if wanted and isinstance(role, str) and role.startswith(wanted)), None)
        if announced is not None:
            return announced
        if cue in ("class", "notclass", "why") and "class" in roles:
            return "class"
        if cue == "versus" and "versus" in roles:
            word = self.words[bisect_left(self.starts, self.cue[1])]
            told = any(label.role == "versus" for label in self.out.labels)
            concepts = [role for role in roles if not isinstance(role, str)]
            if not (told and concepts and word == "from"):
                return "versus"
            self.cue = ("", 0, 0)  # "compared with a horse, the evidence comes partly from a horse"
            return concepts[0]
        if cue == "layer" and "layer" in roles:
            return "layer"
        if cue == "class" and "answer" in roles:
            return "answer"
        concept = next((role for role in roles if not isinstance(role, str)), None)
        begun = self.polarity or self.out.mentions or any(label.role == "class" for label in self.out.labels)
        if "class" in roles and not begun and not (concept is not None and self.is_subject(end)):
            return "class"
        return concept if concept is not None else next(role for role in roles if role != "layer")

    def mention(self, keys: tuple[Key, ...], start: int, end: int) -> None:
        mention = Mention(keys, start, end, self.polarity or self.default, [Part()], marked=bool(self.polarity))
        if self.claim is not None:
            mention.claims.append(self.claim[0])
            self.claim = None
        if self.maybe is not None:
            mention.perhaps, self.maybe = True, None
        self.head = "" if mention.perhaps else self.heads.get(keys[0], "")
        if self.prefix:
            if self.prefix_used:
                mention.maybe = self.prefix
            else:
                mention.parts[0].places, self.prefix_used = self.prefix, True
                self.fronted = True
        if self.waiting:
            mention.parts[0].neurons, self.waiting = self.waiting, []
        mention.link = self._link(start)
        self.places, self.both, self.open, self.ahead, self.together = None, "", None, False, False
        self.clause.append(mention)
        self.list.append(mention)
        self.out.mentions.append(mention)

    def _link(self, start: int) -> str:
        """The word "and", with or without a comma, where it stands before."""
        at = bisect_left(self.starts, start)
        k = at - 1
        while (k > 0 and self.words[k] in _NUMBERED) or self.words[k].isdecimal():  # "and neuron 12 (stripes"
            k -= 1
        while k > 0 and self.words[k] in _JOINTS:
            k -= 1
        if "and" not in self.words[k + 1 : at] and "well" not in self.words[k + 1 : at]:
            return ""
        return ", and" if self.words[k] == "," else "and"

    def _mark(self, word: str, i: int) -> None:
        if word == "(":
            self.brackets += 1
            if self.words[i + 1 : i + 2] == (")",):  # a place was to come; the next one is not it
                self.out.added.append((self.starts[i], self.ends[i]))
        elif word == ")":
            self.brackets, self.places = max(0, self.brackets - 1), None
        elif word == ";":
            self.list, self.places, self.semicolon = [], None, len(self.clause)
        elif word in _ENDS and (i + 1 == len(self.words) or self.starts[i + 1] > self.ends[i]):
            self._end_sentence()

    def _end_sentence(self) -> None:
        self._flush()
        self.close_cue()
        self.leave()
        if self.open is not None:
            self.out.added.append(self.open)
        if self.claim is not None and self.claim[0] != "part":
            self.out.added.append(self.claim[1:])
        if not self.prefix_used:
            self.out.added += [(place.start, place.end) for place in self.prefix]
        self.out.added += [(start, end) for _, start, end in self.waiting]
        if self.maybe is not None:
            self.out.added.append(self.maybe)
        if self.both == "both":
            self.out.counts.append(Count(2, *self.both_at, []))
        for count in self.out.counts[self.counted :]:
            count.mentions = self.out.mentions[self.first :]
        self.counted = len(self.out.counts)
        self.new_sentence()

    def _flush(self) -> None:
        if self.unread:
            self.out.added.append((self.starts[self.unread[0]], self.ends[self.unread[-1]]))
            self.unread = []
