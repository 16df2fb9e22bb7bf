"""What a user of the package may rely on, through the public names alone."""

from __future__ import annotations

import itertools

import pytest
from fakes import Colors, preprocess, scene

import nle_fast as nle


def colors(classifier=None, **options):
    options = {"preprocess": preprocess(), "verbalizer": "template"} | options
    return nle.Explainer(Colors() if classifier is None else classifier, **options)


@pytest.mark.parametrize(("style", "target"), itertools.product(("plain", "expert", "short"), (0, 1, 2)))
def test_json_keeps_whether_the_explained_class_is_the_winner(style, target):
    explanation = colors(config=nle.Config(style=style, against=True))(scene(), target=target)
    back = nle.Explanation.from_json(explanation.to_json())
    assert back == explanation
    assert back.meaning.winner == (explanation.prediction.index == target)
    assert nle.check(back.text, back.meaning).ok


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000])
def test_deeply_nested_json_is_refused(text):
    with pytest.raises(nle.InputError, match="JSON"):
        nle.Explanation.from_json(text)


@pytest.mark.parametrize("name", ["a" * 300, "nul\0byte"])
def test_a_folder_that_no_file_system_takes_is_refused(tmp_path, name):
    with pytest.raises(nle.InputError, match="folder"):
        colors()(scene()).save(tmp_path / name)
    assert not list(tmp_path.iterdir())
