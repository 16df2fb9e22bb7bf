"""How a model writes, without a model: what is read in one step, what is compared, and what is left out."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from verbalizers_cases import meanings

from nle_fast.schema import Span
from nle_fast.verbalizers.grammar import lattice_of
from nle_fast.verbalizers.grammar.lattice import Choice, Lattice, Segment
from nle_fast.verbalizers.llama.decoding import write_freely, write_path


class Letters:
    """A vocabulary of letters; what is not ASCII it cannot say."""

    def text(self, text):
        return [ord(letter) for letter in text if ord(letter) < 128]

    def prompt(self, pieces):
        return [token for piece in pieces for token in self.text(piece.text)]

    def piece(self, token):
        return bytes([token])

    def ends(self, token):
        return token == 0


def run(steps, choose):
    """Runs a writer; what it read as text, what was compared after it, and what it wrote."""
    read = []
    try:
        step = next(steps)
        while True:
            read.append(("".join(map(chr, step.tokens)), None if step.among is None else "".join(map(chr, step.among))))
            step = steps.send(choose(step))
    except StopIteration as end:
        return read, end.value


def options(*texts):
    return Choice(tuple((Segment(text, (text.strip(),)),) for text in texts))


def last(step):
    return step.among[-1]


def first(step):
    return step.among[0]


def test_forced_text_is_read_in_one_step_and_the_end_is_not_read_at_all():
    lattice = Lattice(
        (Segment("Zebra"), options(" is", " was"), Segment(" seen"), options(" now", " then"), Segment("."))
    )
    read, said = run(write_path(lattice.walk(), "x", Letters(), [64]), last)
    assert said.text == "Zebra was seen then."
    assert read == [("@Zebra ", "iw"), ("was seen ", "nt")]
    assert said.spans == (Span(6, 9, "was"), Span(15, 19, "then"))
    assert said.verbalizer == "x"


def test_only_the_first_letters_that_differ_are_compared():
    lattice = Lattice((options("stop", "stars", "start"), Segment(".")))
    read, said = run(write_path(lattice.walk(), "x", Letters(), [64]), last)
    assert read == [("@st", "oa"), ("ar", "st")]
    assert said.text == "start."
    assert run(write_path(lattice.walk(), "x", Letters(), [64]), first)[0] == [("@st", "oa")]


def test_a_text_without_branchings_needs_no_model():
    assert run(write_path(Lattice((Segment("Zebra."),)).walk(), "x", Letters(), [64]), last)[0] == []


@pytest.mark.parametrize("nodes", [(options("a b", "a c"),), (Segment("a"), options(" b", " c"))])
def test_what_leads_to_the_text_is_read_before_its_beginning_only(nodes):
    read, said = run(write_path(Lattice(nodes).walk(), "x", Letters(), [64], lead="\t"), last)
    assert read == [("@\ta ", "bc")]
    assert said.text == "a c"


def test_options_that_a_vocabulary_cannot_tell_apart_give_the_first():
    lattice = Lattice((options("犬.", "猫."), options(" 犬", " 犬 a"), Segment("!")))
    read, said = run(write_path(lattice.walk(), "x", Letters(), [64]), last)
    assert said.text.startswith("犬.")
    assert all(len(among) > 1 for _, among in read)


def test_the_text_is_told_as_soon_as_it_is_certain():
    told = []
    lattice = Lattice(
        (Segment("Zebra"), options(" is", " was"), Segment(" seen"), options(" now", " then"), Segment("."))
    )
    steps = write_path(lattice.walk(), "x", Letters(), [64], tell=lambda text, spans: told.append((text, spans)))
    next(steps)
    assert told == [("Zebra", ())]
    steps.send(ord("i"))
    assert told[1:] == [("Zebra is seen", (Span(6, 8, "is"),))]
    with pytest.raises(StopIteration):
        steps.send(ord("n"))
    assert told[2][0] == "Zebra is seen now."


@settings(deadline=None, max_examples=60)
@given(meanings(), st.randoms(use_true_random=False), st.sampled_from(["", " "]))
def test_any_choices_give_a_text_of_the_lattice(meaning, random, lead):
    lattice, picks = lattice_of(meaning), []

    def choose(step):
        assert len(set(step.among)) == len(step.among) >= 2
        assert step.tokens
        picks.append(random.choice(step.among))
        return picks[-1]

    read, said = run(write_path(lattice.walk(), "x", Letters(), [64], lead), choose)
    again = iter(picks)
    assert run(write_path(lattice.walk(), "x", Letters(), [64], lead), lambda step: next(again)) == (read, said)
    # What was read, with the choices, is the beginning of the text.
    heard = "".join(tokens for tokens, _ in read)
    ascii_text = "".join(letter for letter in lead + said.text if ord(letter) < 128)
    assert ("@" + ascii_text).startswith(heard)


def test_free_text_ends_at_its_end_or_at_a_line():
    def text_of(letters, longest=50):
        letters = iter(letters)
        return run(write_freely("x", Letters(), [64], longest), lambda step: ord(next(letters)))[1].text

    assert text_of(" zebra.\0") == "zebra."
    assert text_of("\n zebra.\nmore") == "zebra."
    assert text_of("zebra.", longest=3) == "zeb"
    read, _ = run(write_freely("x", Letters(), [64], 3), lambda step: ord("a"))
    assert read == [("@", None), ("a", None), ("a", None)]


def test_free_text_of_broken_characters_is_still_text():
    steps = write_freely("x", Bytes(), [64], 4)
    said = iter([0xC3, 0xA9, 0xC3, 0])
    assert run(steps, lambda step: next(said))[1].text == "é"


class Bytes(Letters):
    def piece(self, token):
        return bytes([token])
