"""Reads a text from left to right and notes what it claims: labels, concepts for and against, places, numbers.

One pass over the tokens. Names are matched before vocabulary, longest first. A place belongs to the concept before it;
to the concept after it where none came before in the clause; ", both in …" to two. What a concept speaks for is decided
by the marker before it ("because of") or the verb after it ("speaks against").
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from nle_fast.schema import Meaning
from nle_fast.verbalizers.claims import Label, Mention, Number, Part, Place, Reading
from nle_fast.verbalizers.phrases import NEURON, Key, Name, Names
from nle_fast.verbalizers.vocabulary import ENTRIES, Entry, Token, tokenize

__all__ = ["read"]

_OPEN, _CLOSE = frozenset("“\"‘'"), frozenset("”\"’'")
_ENDS = frozenset(".!?")


@dataclass(frozen=True, slots=True)
class _Known:
    """A token sequence that is a name, and what it can be: "class", "versus", "layer", or the key of a concept.

    `roles` are for names between quotation marks, `bare` for names that may stand without.
    """

    tokens: Key
    roles: tuple[str | Key, ...]
    bare: tuple[str | Key, ...]


def read(text: str, meaning: Meaning, names: Names, *, lenient: bool = False) -> Reading:
    """What a text claims, in the names of a meaning representation.

    Args:
        text: Any text.
        meaning: Gives the unnamed neurons and the style.
        names: Its names.
        lenient: Also recognize names without the quotation marks that they need.
    """
    return _Reader(text, meaning, names, lenient).run()


class _Reader:
    def __init__(self, text: str, meaning: Meaning, names: Names, lenient: bool) -> None:
        self.tokens = tokenize(text)
        self.text = text
        self.out = Reading()
        self.known = _known(names)
        self.lenient = lenient
        self.plain = meaning.style != "expert"
        self.unnamed = {
            item.neuron for item, name in zip(meaning.evidence, names.concepts, strict=True) if name is None
        }
        self.last_polarity = "for"
        self.alone: list[Number] = []  # "stripes make up 62%": only right where stripes are all there is
        self.unread: list[Token] = []  # words of an added claim so far
        self._new_sentence()

    def _new_sentence(self) -> None:
        self.polarity, self.default = "", "for"
        self.clause: list[Mention] = []  # concepts since the clause began
        self.list: list[Mention] = []  # concepts since the last place
        self.places: list[Place] | None = None  # the places being listed
        self.prefix: list[Place] = []  # places before their concept
        self.prefix_used = True
        self.cue: tuple[str, int, int] = ("", 0, 0)
        self.open: tuple[int, int] | None = None  # a marker that still needs a concept
        self.main: tuple[int, int] | None = None
        self.both = ""
        self.object = False  # after "stripes speak for": a label may follow
        self.brackets = 0
        self.numeric = ""  # what the next number is, by the last such word
        self.together = self.begun = False  # "together" was said; a concept was told in this sentence

    def run(self) -> Reading:
        i = 0
        while i < len(self.tokens):
            i = self._step(i)
        self._end_sentence()
        if sum(mention.polarity == "for" for mention in self.out.mentions) > 1:
            self.out.added += [(number.start, number.end) for number in self.alone]
        return self.out

    def _step(self, i: int) -> int:
        token = self.tokens[i]
        entry = self._entry(i)
        known, skip = self._name(i)
        if known is not None and (skip or entry is None or len(known.tokens) > len(entry.tokens) or (
            len(known.tokens) == len(entry.tokens) and known.bare
        )):  # fmt: skip
            self._flush()
            last = self.tokens[i + skip + len(known.tokens) - 1]
            roles = known.bare if known.bare and not skip else known.roles
            self._named(roles, self.tokens[i + skip].start, last.end)
            return i + len(known.tokens) + 2 * skip
        if entry is not None:
            self._flush()
            return self._marked(entry, i)
        if token.text[-1].isdigit():
            self._flush()
            return self._number(i)
        if unicodedata.category(token.text[0])[0] == "P":
            self._flush()
            self._mark(token, i)
        else:
            self.unread.append(token)
        return i + 1

    # Matching

    def _entry(self, i: int) -> Entry | None:
        for entry in ENTRIES.get(self.tokens[i].text, ()):
            if self._matches(entry.tokens, i):
                return entry
        return None

    def _matches(self, wanted: Key, i: int) -> bool:
        tokens = self.tokens
        if i + len(wanted) > len(tokens):
            return False
        return all(tokens[i + j].text == word for j, word in enumerate(wanted))

    def _name(self, i: int) -> tuple[_Known | None, int]:
        """The longest name that begins here, and 1 where it stands between quotation marks."""
        tokens = self.tokens
        if tokens[i].text in _OPEN and i + 1 < len(tokens):
            for known in self.known.get(tokens[i + 1].text, ()):
                after = i + 1 + len(known.tokens)
                if after < len(tokens) and tokens[after].text in _CLOSE and self._matches(known.tokens, i + 1):
                    return known, 1
        for known in self.known.get(tokens[i].text, ()):
            if (self.lenient or known.bare) and self._matches(known.tokens, i):
                return known, 0
        return None, 0

    # Names

    def _named(self, roles: tuple[str | Key, ...], start: int, end: int) -> None:
        role = self._role(roles)
        cue, cue_start, cue_end = self.cue
        if isinstance(role, str):
            if role == "layer":
                self.out.layers.append((start, end))
                if cue not in ("", "layer"):
                    self.out.added.append((start, end))  # "the answer is layer4"
            else:
                if not cue and self.out.mentions and not self.object:
                    cue = "elsewhere"
                self.out.labels.append(Label(role, cue, start, end))
            self.cue = ("", 0, 0)
            self.clause, self.list, self.places = [], [], None  # a place after a label is no place of a concept
            return
        if cue == "versus":
            self.out.added.append((cue_start, cue_end))  # "not stripes"
        self.cue = ("", 0, 0)
        self.object = False
        self._mention(tuple(key for key in roles if not isinstance(key, str)), start, end)

    def _role(self, roles: tuple[str | Key, ...]) -> str | Key:
        if len(roles) == 1:
            return roles[0]
        cue = self.cue[0]
        if cue in ("class", "notclass") and "class" in roles:
            return "class"
        if cue == "versus" and "versus" in roles:
            return "versus"
        if cue == "layer" and "layer" in roles:
            return "layer"
        concept = next((role for role in roles if not isinstance(role, str)), None)
        begun = self.polarity or self.out.mentions or any(label.role == "class" for label in self.out.labels)
        if "class" in roles and not begun:
            return "class"
        return concept if concept is not None else next(role for role in roles if role != "layer")

    def _mention(self, keys: tuple[Key, ...], start: int, end: int) -> None:
        mention = Mention(keys, start, end, self.polarity or self.default, [Part()])
        mention.main, self.main = self.main is not None, None
        if self.prefix:
            if self.prefix_used:
                mention.maybe = self.prefix
            else:
                mention.parts[0].places, self.prefix_used = self.prefix, True
        self.places, self.both, self.open = None, "", None
        self.begun = True
        self.clause.append(mention)
        self.list.append(mention)
        self.out.mentions.append(mention)

    # Vocabulary

    def _marked(self, entry: Entry, i: int) -> int:
        after = i + len(entry.tokens)
        start, end = self.tokens[i].start, self.tokens[after - 1].end
        kind, value = entry.kind, entry.value
        if kind == "position":
            self._place(Place(value, start, end))
        elif kind in ("forward", "again"):
            self._close_cue()
            self.polarity = value or self.last_polarity
            self.last_polarity = self.polarity
            self.open = (start, end)
            self._new_clause()
        elif kind == "backward":
            self._close_cue()
            if not self.clause:
                self.out.added.append((start, end))
            for mention in self.clause:
                mention.polarity = value
            self.last_polarity, self.polarity, self.object = value, "", True
            self._new_clause()
        elif kind == "contrast":
            self._close_cue()
            self.polarity, self.default = "", "against"
            self._new_clause()
        elif kind in ("class", "notclass", "versus", "layer"):
            if kind == "layer" and self.cue[0] in ("class", "notclass"):
                self.out.added.append((start, end))  # "the answer is layer 4"
            self._close_cue()
            self.cue = (kind, start, end)
        elif kind in ("both", "all"):
            self.both = kind
        elif kind == "main":
            self.main = (start, end)
        elif kind == "only":
            follows = self.tokens[after].text if after < len(self.tokens) else ""
            if not (follows[-1:].isdigit() or follows in ("about", "roughly", "<", ">", "less")):
                self.out.added.append((start, end))
        elif kind in ("probability", "share", "coverage"):
            self.numeric = kind
        elif kind == "together":
            self.together = True
        elif kind == "bound":
            if after < len(self.tokens) and self.tokens[after].text[-1].isdigit():
                return self._number(after, value, start)
            self.out.added.append((start, end))
        elif kind == "neuron":
            return self._neurons(after, start)
        elif kind == "none":
            self.out.none.append((start, end))
        elif kind == "rest":
            self.out.rest.append((start, end))
        elif kind in ("negation", "percent"):
            self.out.added.append((start, end))
        return after

    def _new_clause(self) -> None:
        self.clause, self.list, self.places, self.prefix = [], [], None, []

    def _place(self, place: Place) -> None:
        if self.places is None:
            self.places = self._targets()
        self.places.append(place)

    def _targets(self) -> list[Place]:
        """The list into which the places that begin here go; it may be shared by several concepts."""
        if not self.clause:
            self.prefix, self.prefix_used = [], False
            return self.prefix
        last = self.clause[-1]
        if last.parts[-1].places and (last.parts[-1].neurons or last.parts[-1].shares):
            last.parts.append(Part())
        places = last.parts[-1].places
        before = self.list[:-1]
        if self.both:
            before = before[-1:] if self.both == "both" else before
            if not before:
                self.out.added.append((last.end, last.end))
            for mention in before:
                mention.parts[-1].places = places
        else:
            for mention in before:
                mention.maybe = places
        self.both, self.list = "", []
        return places

    def _neurons(self, i: int, start: int) -> int:
        found = False
        while i < len(self.tokens):
            token = self.tokens[i]
            if token.text.isdigit():
                number, found = int(token.text), True
                if number in self.unnamed:
                    self._mention(((NEURON, token.text),), start, token.end)
                elif self.out.mentions and not self.plain:
                    self.out.mentions[-1].parts[-1].neurons.append((number, start, token.end))
                    self.places = None
                else:
                    self.out.added.append((start, token.end))
            elif not (token.text in (",", "and") and i + 1 < len(self.tokens) and self._bare_number(i + 1)):
                break
            start, i = self.tokens[i + 1].start if i + 1 < len(self.tokens) else token.end, i + 1
        if not found:
            self.out.added.append((start, start))
        return i

    def _bare_number(self, i: int) -> bool:
        follows = self.tokens[i + 1].text if i + 1 < len(self.tokens) else ""
        return self.tokens[i].text.isdigit() and follows not in ("%", "percent")

    # Numbers

    def _number(self, i: int, bound: str = "", start: int = -1) -> int:
        token = self.tokens[i]
        start = token.start if start < 0 else start
        entry = self._entry(i + 1) if i + 1 < len(self.tokens) else None
        if entry is None or entry.kind != "percent":
            self.out.added.append((start, token.end))
            return i + 1
        after = i + 1 + len(entry.tokens)
        digits = token.text.replace("−", "-")
        decimals = len(digits.partition(".")[2])
        number = Number(float(digits), decimals, bound, start, self.tokens[after - 1].end)
        follows = [following.text for following in self.tokens[after : after + 2]]
        numeric, self.numeric = self.numeric, ""
        part = self.out.mentions[-1].parts[-1] if self.out.mentions else None
        if not {"probability", "confidence", "sure", "certain"}.isdisjoint(follows):
            numeric = "probability"
        if not numeric:
            told = self.plain or self.brackets or (part and len(part.neurons) > len(part.shares))
            numeric = "together" if self.together else "share" if told else "coverage"
        if numeric == "coverage" and self.begun and not self.together:
            self.alone.append(number)
        if numeric == "probability":
            self.out.probabilities.append(number)
        elif numeric in ("coverage", "together"):
            self.out.coverages.append(number)
        elif numeric == "share" and part is not None and not self.plain:
            part.shares.append(number)
            self.list = []  # "A (3%) and B in the center": no place for A
        else:
            self.out.added.append((number.start, number.end))
        self.places = None
        return after

    def _mark(self, token: Token, i: int) -> None:
        if token.text == "(":
            self.brackets += 1
            if self._matches(("(", ")"), i):  # a place was to come; the next one is not it
                self.out.added.append((token.start, token.end))
        elif token.text == ")":
            self.brackets, self.places = max(0, self.brackets - 1), None
        elif token.text == ";":
            self.list, self.places = [], None
        elif token.text in _ENDS and (i + 1 == len(self.tokens) or self.tokens[i + 1].start > token.end):
            self._end_sentence()

    def _close_cue(self) -> None:
        """As in "not because of": words that announce a label, and none came."""
        if self.cue[0] == "versus":
            self.out.added.append(self.cue[1:])
        self.cue = ("", 0, 0)

    def _end_sentence(self) -> None:
        self._flush()
        self._close_cue()
        for left in (self.open, self.main):
            if left is not None:
                self.out.added.append(left)
        if not self.prefix_used:
            self.out.added += [(place.start, place.end) for place in self.prefix]
        self._new_sentence()

    def _flush(self) -> None:
        if self.unread:
            self.out.added.append((self.unread[0].start, self.unread[-1].end))
            self.unread = []


def _known(names: Names) -> dict[str, list[_Known]]:
    """First token → names that begin with it: longest first, as written before other forms."""
    roles: dict[tuple[Key, bool], list[str | Key]] = {}
    bare: dict[tuple[Key, bool], list[str | Key]] = {}

    def add(name: Name, role: str | Key, tokens: Key, exact: bool = True) -> None:
        for found in (roles,) if name.quoted else (roles, bare):
            if role not in (some := found.setdefault((tokens, exact), [])):
                some.append(role)

    add(names.target, "class", names.target.key)
    if names.versus is not None:
        add(names.versus, "versus", names.versus.key)
    add(names.layer, "layer", names.layer.key)
    for name in names.concepts:
        if name is not None:
            for form in name.forms:
                add(name, name.key, form)
            for variant in name.variants:
                add(name, name.key, variant, False)
    by_first: dict[str, list[_Known]] = {}
    for (tokens, exact), what in roles.items():
        if exact or (tokens, True) not in roles:  # a form of one name that is another name as written is the other name
            by_first.setdefault(tokens[0], []).append(_Known(tokens, tuple(what), tuple(bare.get((tokens, exact), ()))))
    for some in by_first.values():
        some.sort(key=lambda known: -len(known.tokens))
    return by_first
