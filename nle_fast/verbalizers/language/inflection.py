"""English: "a" or "an", singular or plural, of one word.

`inflect` knows it. Our own rules stand before it only where it is wrong (tests/english_words.py has the words that
showed it): numerals, letters read one by one, accents, -o, -z, what ends in s already; and it never sees what is not a
word of Latin letters, so that names with digits and names in other scripts stay what they are.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from functools import lru_cache
from typing import Any

from nle_fast.verbalizers.language.lexicon import (
    IN_I_OR_U,
    PLURAL_FORMS,
    PLURAL_IN_OES,
    PLURAL_ONLY,
    READ_ALOUD,
    SAME_IN_PLURAL,
    SINGULAR_IN_MEN,
    SINGULAR_IN_S,
)

__all__ = ["article", "is_plural", "plural_of", "singular_of"]

_AN_LETTERS = frozenset("AEFHILMNORSX")  # letters whose names begin with a vowel: "an X-ray", "an LCD"
_LIGATURES = str.maketrans({"œ": "oe", "Œ": "Oe", "æ": "ae", "Æ": "Ae", "ø": "o", "Ø": "O"})
# Where inflect hears the other sound. "us", "uni", "ub" and "uk" are not always "you"; "ones", "oui", "uv" and "ua" are
# no vowels; American "herb".
_A_SOUNDS = re.compile(r"ones|ou[ai]|u[aev]|unesco|unidi[mr]")
_AN_SOUNDS = re.compile(r"ewok|herb(?:s|al|ed)?\b|hors\b|(?:mri|suv)s?\b|uber|ukiyo|uni(?:gn|ll|r|ss)|ush")
_NUMERAL = re.compile(r"\d{1,3}(?:,\d{3})+|\d+", re.ASCII)
#: Before and in the last part of a word: "T-" and "shirt", "d'" and "oeuvre".
_PARTS = re.compile(r"(.*[-'’/.])?([^-'’/.]+)")
#: Compounds whose first part is counted: "mothers-in-law", "men-of-war", "runners-up".
_HEAD_FIRST = re.compile(r"(\w+)(-(?:in-law|of-.+))|(\w+ers?)(-(?:up|on|by|in))")
_LATIN = re.compile(r"[A-Za-z]+")
_LOCK = threading.Lock()


@lru_cache(maxsize=1)
def _engine() -> Any:
    """The engine of `inflect`, opened with the first word that is asked for; the import takes a tenth of a second.

    It asks typeguard to check the types of its methods, which parses its source once for each of them: two seconds,
    for words of which we know that they are strings. So while it is imported typeguard leaves its methods alone, as it
    does under `python -O`.
    """
    with _LOCK:
        try:
            import typeguard
        except ImportError:  # another version of inflect, which asks for nothing
            import inflect
        else:
            kept = typeguard.typechecked
            typeguard.typechecked = lambda target: target  # type: ignore[assignment]
            try:
                import inflect
            finally:
                typeguard.typechecked = kept
        return inflect.engine()


def article(words: str) -> str:
    """The article "a" or "an", by the sound of the first word.

    Example:
        >>> [article(word) for word in ("hour", "unicorn", "x-ray", "T-shirt", "SUV", "one-way sign", "8-ball")]
        ['an', 'a', 'an', 'a', 'an', 'a', 'an']
    """
    return _article((words.split(maxsplit=1) or [""])[0])


@lru_cache(maxsize=4096)
def _article(first: str) -> str:
    first = _plain(first).lstrip("'’([{$#*")
    if numeral := _NUMERAL.match(first):
        return _article_of_number(numeral[0])
    start = re.split(r"[-/.,:;!?'’)]", first, maxsplit=1)[0]
    if _spelled(start) or re.match("[a-z][A-Z]", start):  # inflect says "a SUV", "an URL", "a mRNA", "a lcd"
        return "an" if start[0].upper() in _AN_LETTERS else "a"
    if start.isupper() and len(start) > 4:
        first = first.lower()  # inflect reads "SPRAY" letter by letter
    if _AN_SOUNDS.match(first.lower()):
        return "an"
    if not first or _A_SOUNDS.match(first.lower()):
        return "a"
    return "an" if _engine().a(first).startswith("an ") else "a"


def _article_of_number(numeral: str) -> str:
    """Of digits as they are read: "an 8", "an 11", "an 18,000", "an 1851" (eighteen fifty-one), "a 180", "a 1,800"."""
    head = numeral.split(",")[0]
    if numeral.isdigit() and len(numeral) > 3:
        head = numeral[:2] if len(numeral) == 4 else numeral[: (len(numeral) - 1) % 3 + 1]
    return "an" if head[0] == "8" or head in ("11", "18") else "a"


def _spelled(word: str) -> bool:
    """Whether a word is read letter by letter: "MRI", "HDTV", "lcd"."""
    if len(word) < 2 or not (word.isupper() or word.islower()) or not word.isascii():
        return False
    if not re.search("[AEIOUYaeiouy]", word):
        return True
    return word.isupper() and len(word) <= 3 and word not in READ_ALOUD


@lru_cache(maxsize=4096)
def is_plural(word: str) -> bool:
    """Whether a noun is a plural.

    Of nouns in -s the form decides, and lists of exceptions: inflect takes "bus", "iris" and "gas" for plurals. Another
    noun is a plural when inflect knows a singular of which this is the plural, but for "specimen" and its like.
    """
    if whole := _HEAD_FIRST.fullmatch(word):
        return is_plural(whole[1] or whole[3])
    cased = word.rsplit("-", 1)[-1].strip("'.,;:!?()")
    noun = cased.lower()
    if noun in _SINGULARS or noun in PLURAL_ONLY:
        return True
    if noun in SINGULAR_IN_S or noun in SAME_IN_PLURAL or len(noun) < 3:
        return False
    if not noun.endswith("s"):
        return _ends_as_plural(noun)
    if re.fullmatch(r"[A-Z\d]+s", cased):  # "GPUs"
        return True
    if cased.endswith("S") and (_spelled(cased) or not cased.isupper()):  # "GPS", "iOS"
        return False
    if noun.endswith(("us", "is")):
        return noun[:-1] in IN_I_OR_U or noun.endswith("eaus")
    return not noun.endswith(("ss", "'s", "’s"))


def _ends_as_plural(noun: str) -> bool:
    if not (noun.isascii() and noun.isalpha()) or noun in SINGULAR_IN_MEN:
        return False
    single = _engine().singular_noun(noun)
    return bool(single) and single != noun and bool(_engine().plural_noun(single) == noun)


@lru_cache(maxsize=4096)
def plural_of(word: str) -> str:
    """Several of a noun; what is no noun of Latin letters stays as it is.

    Example:
        >>> [plural_of(word) for word in ("x-axis", "MRI", "jalapeño", "runner-up", "AK-47", "5", "犬")]
        ['x-axes', 'MRIs', 'jalapeños', 'runners-up', 'AK-47s', '5', '犬']
    """
    if whole := _HEAD_FIRST.fullmatch(word):
        return plural_of(whole[1] or whole[3]) + (whole[2] or whole[4])
    parts = _PARTS.fullmatch(word)
    if parts is None:
        return word
    before, noun = parts[1] or "", parts[2]
    if noun.isascii() and noun.isalnum() and not noun.isalpha():  # "2x4", "F-16"; but "class 5"
        return f"{word}s" if re.search("[A-Za-z]", word) else word
    plain = _plain(noun)
    if not _LATIN.fullmatch(plain) or (before.endswith(("'", "’")) and noun == "s"):
        return word
    several = _plural_noun(plain)
    if plain != noun:  # what has accents keeps them: "façades"
        several = noun + (several[len(plain) :] if several.startswith(plain) else "s")
    return before + several


def _plural_noun(noun: str) -> str:
    lower = noun.lower()
    if lower in SAME_IN_PLURAL:
        return noun
    if lower in PLURAL_FORMS:
        return _cased(PLURAL_FORMS[lower], noun)
    if any(mark.isupper() for mark in noun[1:]) or len(noun) == 1:  # inflect says "MRIS", and "NGOES"
        return noun + ("es" if noun[-1] in "SXZ" else "s")
    if lower.endswith("o"):  # inflect adds -es to all that it does not know: "burritoes", "geckoes"
        return noun + ("es" if lower in PLURAL_IN_OES else "s")
    if re.search("[^aeiou]z$", lower):  # inflect doubles it: "waltzzes"
        return f"{noun}es"
    # With a capital it would take "Canary" for a family.
    several = str(_engine().plural_noun(lower if lower.endswith("y") else noun))
    if lower.endswith("s") and several.lower() == f"{lower}s":  # "Christmass"
        return f"{noun}es"
    return _cased(several, noun)


@lru_cache(maxsize=4096)
def singular_of(word: str) -> str:
    """One of a plural; what is no noun of Latin letters stays as it is."""
    if whole := _HEAD_FIRST.fullmatch(word):
        return singular_of(whole[1] or whole[3]) + (whole[2] or whole[4])
    parts = _PARTS.fullmatch(word)
    if parts is None or not (_LATIN.fullmatch(_plain(parts[2])) or (parts[2].isascii() and parts[2].isalnum())):
        return word
    before, noun = parts[1] or "", parts[2]
    lower = noun.lower()
    if lower in SAME_IN_PLURAL:
        return word
    if lower in _SINGULARS:
        return before + _cased(_SINGULARS[lower], noun)
    known = _engine().singular_noun(lower) if noun.isascii() and noun.isalpha() else False
    # inflect says "matrice", "waltze", "uteru": only what has this plural is a singular of it
    for single in (known and _cased(str(known), noun), noun[:-1], noun[:-2]):
        if single and plural_of(before + single) == word:
            return before + single
    return before + noun.removesuffix("s")


def _plain(word: str) -> str:
    """Without accents: "Ångström" is read like "Angstrom"."""
    if word.isascii():
        return word
    return "".join(
        mark for mark in unicodedata.normalize("NFKD", word.translate(_LIGATURES)) if not unicodedata.combining(mark)
    )


def _cased(word: str, like: str) -> str:
    return word[:1].upper() + word[1:] if like[:1].isupper() else word


_SINGULARS = {several: single for single, several in PLURAL_FORMS.items()}
