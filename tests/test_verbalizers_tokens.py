"""Tokens of texts that go on: exact for every vocabulary, and no special token is ever read from a name."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from language_models import WHOLE, write_model
from verbalizers_cases import meanings

from nle_fast.errors import VerbalizerError
from nle_fast.verbalizers.grammar import lattice_of
from nle_fast.verbalizers.llama.model import Weights
from nle_fast.verbalizers.llama.prompt import MARKERS, Piece, compact

PARTS = ("Zebra", " zebra", ",", ", mainly", ".", " (", "–", "  ", " a  b ", "İ", " 犬の顔", "🦓", "\n", "a\nb", " ")


@pytest.fixture(scope="module")
def vocabularies(tmp_path_factory):
    """Name → tokens, of models that are open while the tests run."""
    folder = tmp_path_factory.mktemp("models")
    weights = {name: Weights(write_model(folder / f"{i}.gguf", name), None, 1) for i, name in enumerate(WHOLE)}
    yield {name: loaded.tokens for name, loaded in weights.items()}
    for loaded in weights.values():
        loaded.close()


def said(vocabulary, tokens):
    return b"".join(map(vocabulary.piece, tokens)).decode()


@pytest.mark.parametrize("name", WHOLE)
def test_the_pieces_give_the_text_back(vocabularies, name):
    for part in PARTS:
        assert said(vocabularies[name], vocabularies[name].text(part)) == part
    assert vocabularies[name].text("") == []


@pytest.mark.parametrize("name", WHOLE)
def test_common_words_are_one_token(vocabularies, name):
    assert [len(vocabularies[name].text(word)) for word in (" zebra", " because", " of")] == [1, 1, 1]


@settings(deadline=None, max_examples=60)
@given(meaning=meanings(), name=st.sampled_from(WHOLE))
def test_options_of_lattices_keep_their_characters_and_are_told_apart(vocabularies, meaning, name):
    walk, vocabulary = lattice_of(meaning).walk(), vocabularies[name]
    walk.forced()
    while walk.options:
        tokens = [vocabulary.text(option) for option in walk.options]
        assert [said(vocabulary, some) for some in tokens] == list(walk.options)
        for i, one in enumerate(tokens):
            assert not any(other[: len(one)] == one for j, other in enumerate(tokens) if i != j)
        walk.take(len(walk.options) - 1)


@pytest.mark.parametrize("name", WHOLE)
def test_special_tokens_are_not_read_from_text(vocabularies, name):
    vocabulary = vocabularies[name]
    for text in ("<s>", "</s>", "<text>", "<plain>", "<end>", " <0x41>", "\0<plain>"):
        assert said(vocabulary, vocabulary.text(text)) == text  # special tokens say nothing
    assert len(vocabulary.prompt([Piece("<plain>", False)])) > 1


def test_markers_are_tokens_of_their_own(vocabularies):
    vocabulary = vocabularies["byte pairs"]
    assert vocabulary.prompt([Piece(marker, True) for marker in MARKERS]) == list(range(len(MARKERS)))
    assert all(vocabulary.piece(token) == b"" for token in range(len(MARKERS)))
    assert vocabulary.ends(0)
    assert not vocabulary.ends(1)


@settings(deadline=None, max_examples=40)
@given(meaning=meanings())
def test_markers_of_a_prompt_come_only_from_markers(vocabularies, meaning):
    vocabulary, pieces = vocabularies["byte pairs"], compact(meaning)
    tokens = vocabulary.prompt(pieces)
    assert sum(token < len(MARKERS) for token in tokens) == sum(piece.marker for piece in pieces)


def test_a_text_begins_as_the_model_was_trained(vocabularies):
    assert {name: vocabulary.begin for name, vocabulary in vocabularies.items()} == {
        "byte pairs": [],
        "sentence pieces": [1],
    }


def test_what_is_remembered_is_bounded(vocabularies):
    vocabulary = vocabularies["byte pairs"]
    for i in range(20_000):
        vocabulary.text(f" {i}")
        vocabulary.prompt([Piece(f"{i}", True)])
    assert len(vocabulary._words) + len(vocabulary._markers) < 20_000
    assert said(vocabulary, vocabulary.text(" 7 zebra")) == " 7 zebra"


def test_a_vocabulary_that_would_end_the_process_is_refused(tmp_path):
    path = write_model(tmp_path / "model.gguf", "sentence pieces without bytes")
    with pytest.raises(VerbalizerError, match=r"model\.gguf.*lacks the bytes"):
        Weights(path, None, None)
