"""Texts side by side: what a batch gives, and what threads give, is what each text is alone."""

from __future__ import annotations

import dataclasses
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from language_models import open_models
from verbalizers_cases import LONG, ZEBRA, meanings, some

from nle_fast import Llama
from nle_fast.errors import VerbalizerCancelled, VerbalizerError
from nle_fast.verbalizers import TemplateVerbalizer, speak_all
from nle_fast.verbalizers.llama import flight


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Open verbalizers: one that reads compact prompts, one that reads text."""
    with open_models(tmp_path_factory.mktemp("models")) as opened:
        yield opened


@pytest.mark.parametrize("name", ["byte pairs", "sentence pieces"])
def test_a_batch_is_what_its_texts_are_alone(models, name):
    what = some(24)
    alone = [models[name].verbalize(one) for one in what]
    assert models[name].batch(what) == alone
    assert models[name].batch(what[::-1]) == alone[::-1]
    assert models[name].batch([]) == []


@settings(deadline=None, max_examples=10)
@given(what=st.lists(meanings(), min_size=2, max_size=9))
def test_any_batch_is_what_its_texts_are_alone(models, what):
    assert models["byte pairs"].batch(what) == [models["byte pairs"].verbalize(one) for one in what]


def test_what_is_near_a_tie_beside_others_is_written_again_alone(models, monkeypatch):
    what = some(12)
    alone = [models["sentence pieces"].verbalize(one) for one in what]
    again = []
    monkeypatch.setattr(models["sentence pieces"]._engine.weights(), "noise", 1e9)  # as if all were near a tie
    send_back = flight.Flight._send_back
    monkeypatch.setattr(flight.Flight, "_send_back", lambda self, job: (again.append(job), send_back(self, job)))
    assert models["sentence pieces"].batch(what) == alone
    assert again


def test_texts_side_by_side_share_calls(models):
    engine = models["byte pairs"]._engine
    what = [LONG] * 8

    def calls(ask):
        before = engine.counts[0]
        ask()
        return engine.counts[0] - before

    one_by_one = calls(lambda: [models["byte pairs"].verbalize(one) for one in what])
    together = calls(lambda: models["byte pairs"].batch(what))
    assert together < one_by_one


def test_threads_get_what_they_would_get_alone(models):
    what = some(40)
    for verbalizer in models.values():
        alone = [verbalizer.verbalize(one) for one in what]
        found = {}

        def work(start, found=found, verbalizer=verbalizer):
            for i in range(start, len(what), 8):
                found[i] = verbalizer.verbalize(what[i])

        threads = [threading.Thread(target=work, args=(start,)) for start in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert [found[i] for i in range(len(what))] == alone


@pytest.mark.parametrize("context", [800, 1100])
def test_a_context_with_room_for_few_texts(models, context):
    """Texts and the beginnings of prompts give way to each other; nothing changes but the time."""
    what = some(14)
    alone = [models["sentence pieces"].verbalize(one) for one in what]
    with Llama(models["sentence pieces"].path, context=context) as small:
        weights = small._engine.weights()
        weights.cells = context
        assert small.batch(what) == alone


def test_speak_all_replaces_only_what_failed(models):
    broken = dataclasses.replace(LONG, evidence=LONG.evidence * 12)
    with Llama(models["byte pairs"].path, context=500) as small:
        first, second, third = speak_all(small, [ZEBRA, broken, LONG])
    assert (first.verbalizer, third.verbalizer) == (small.name, small.name)
    assert second.verbalizer == "template"
    assert "`context`" in second.note


class Several:
    name = "several"

    def __init__(self, said):
        self.said = said

    def verbalize(self, meaning):
        return "one by one"

    def batch(self, meanings):
        if isinstance(self.said, Exception):
            raise self.said
        return self.said


def test_speak_all_with_verbalizers_of_other_kinds():
    template = TemplateVerbalizer()
    text = template.verbalize(ZEBRA).text
    assert [said.text for said in speak_all(template, [ZEBRA, ZEBRA])] == [text, text]
    assert speak_all(template, []) == []
    several = speak_all(Several([text, "The answer is lion."]), [ZEBRA, ZEBRA])
    assert [said.verbalizer for said in several] == ["several", "template"]
    assert "lion" in several[1].note
    assert "no room" in speak_all(Several(VerbalizerError("no room")), [ZEBRA, ZEBRA])[1].note
    assert "leaves out class" in speak_all(Several([]), [ZEBRA])[0].note  # one text is written alone
    with pytest.raises(VerbalizerCancelled):
        speak_all(Several(VerbalizerCancelled("no")), [ZEBRA, ZEBRA])
    for wrong in ([text], [text, 3]):
        with pytest.raises(VerbalizerError, match=r"must return"):
            speak_all(Several(wrong), [ZEBRA, ZEBRA])
