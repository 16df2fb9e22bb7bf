"""A language model as verbalizer, with small random models: its files and modes; what it says is always right."""

from __future__ import annotations

import dataclasses
import struct
import sys
import threading

import pytest
from hypothesis import given, settings
from language_models import WHOLE, open_models, write_encoder, write_model
from verbalizers_cases import evidence, meaning, meanings

from nle_fast import Llama
from nle_fast.errors import ConfigError, MissingExtraError, VerbalizerError, VerbalizerTimeout
from nle_fast.schema import Utterance
from nle_fast.verbalizers import TemplateVerbalizer, check, open_verbalizer, speak
from nle_fast.verbalizers.grammar import lattice_of
from nle_fast.verbalizers.llama import verbalizer as llama_verbalizer
from nle_fast.verbalizers.llama.prompt_text import chat_prompt, facts_as_text, instructions, text_prompt

ZEBRA = meaning(
    "zebra",
    [
        evidence(431, "Stripes", 0.42, ("center", "left")),
        evidence(12, None, 0.15),
        evidence(7, "sky", -0.05, ("top",), False),
    ],
    versus="horse",
)
GOOD = (
    "The answer is zebra rather than horse, because of stripes in the center and on the left and something that "
    "has no name (15%). Together these make up 57% of the evidence. The sky at the top speaks against it."
)
CHAT = "{{ bos_token }}<|user|>\n{% for m in messages %}{{ m['content'] }}{% endfor %}{{ '\n<|assistant|>\n' }}"


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Vocabulary → an open verbalizer."""
    with open_models(tmp_path_factory.mktemp("models")) as opened:
        yield opened


# What it says


@settings(deadline=None, max_examples=40)
@given(what=meanings())
def test_a_random_model_says_each_fact_and_nothing_else(models, what):
    for verbalizer in models.values():
        said = verbalizer.verbalize(what)
        assert check(said.text, what)
        assert {span.fact for span in said.spans} == {fact.id for fact in what.facts}
        assert all(said.text[span.start : span.end].strip() for span in said.spans)
        assert (said.verbalizer, said.note) == (verbalizer.name, "")


@pytest.mark.parametrize("name", WHOLE)
def test_the_same_meaning_gives_the_same_text(models, name):
    texts = {models[name].verbalize(ZEBRA) for _ in range(3)}
    assert len(texts) == 1
    assert speak(models[name], ZEBRA) in texts


def test_models_differ(tmp_path):
    texts = set()
    for seed in range(6):
        with Llama(write_model(tmp_path / f"{seed}.gguf", seed=seed)) as verbalizer:
            texts.add(verbalizer.verbalize(ZEBRA).text)
    assert len(texts) > 2


def test_calls_are_as_many_as_decisions_and_the_rest_of_the_text_is_not_read(models):
    verbalizer = models["byte pairs"]
    engine = verbalizer._engine
    calls, read = engine.counts
    said = verbalizer.verbalize(ZEBRA)
    walk, decisions = lattice_of(ZEBRA).walk(), 0
    walk.forced()
    while walk.options:
        decisions += len(walk.options) - 1
        walk.take(next(i for i, option in enumerate(walk.options) if said.text.startswith(walk.text + option)))
    tokens = len(engine.weights().tokens.text(said.text))
    assert 0 < engine.counts[0] - calls <= decisions
    assert engine.counts[1] - read < tokens + 40


def test_the_beginning_of_a_prompt_is_read_once(tmp_path):
    with Llama(write_model(tmp_path / "model.gguf", "sentence pieces")) as verbalizer:
        costs = []
        for label in ("zebra", "horse", "zebra"):
            before = verbalizer._engine.counts[1]
            verbalizer.verbalize(dataclasses.replace(ZEBRA, target=dataclasses.replace(ZEBRA.target, label=label)))
            costs.append(verbalizer._engine.counts[1] - before)
        tokens = verbalizer._engine.weights().tokens
        beginning = len(tokens.prompt(text_prompt(ZEBRA)[0]))
    assert costs[0] - beginning == pytest.approx(costs[2], abs=2)
    assert costs[1] < costs[0] - beginning // 2


def test_texts_of_all_styles_one_after_another(models):
    for name in WHOLE:
        for _ in range(2):
            for style in ("plain", "expert", "short"):
                what = dataclasses.replace(ZEBRA, style=style)
                assert check(models[name].verbalize(what).text, what)


# Free text


class Canned:
    """Stands in for the engine: says what it was told to, one text or error per task."""

    def __init__(self, *said, chat_template=None):
        self.said, self.tasks, self.chat_template, self.prompt = list(said), [], chat_template, None

    def weights(self):
        return self

    def start(self, tasks, deadline):
        self.tasks += tasks
        return [self.said.pop(0) for _ in tasks]

    def wait(self, job, cancel):
        if isinstance(job, Exception):
            raise job
        return Utterance(job, (), "free")

    def drop(self, jobs):
        pass

    def close(self):
        self.said = None


@pytest.fixture
def free(models):
    """Makes a verbalizer in free mode that says canned texts."""

    def make(*said, **options):
        verbalizer = Llama(models["sentence pieces"].path, mode="free")
        verbalizer.close()
        verbalizer._engine = Canned(*said, **options)
        return verbalizer

    return make


def prompts(verbalizer):
    return ["".join(piece.text for piece in (*task.beginning, *task.prompt)) for task in verbalizer._engine.tasks]


def test_a_right_free_text_is_spoken(free):
    said = speak(free(GOOD), ZEBRA)
    assert (said.text, said.note) == (GOOD, "")
    assert {span.fact for span in said.spans} == {fact.id for fact in ZEBRA.facts}


def test_a_wrong_free_text_is_tried_once_more_with_its_mistakes_named(free):
    verbalizer = free("The answer is lion.", GOOD)
    said = speak(verbalizer, ZEBRA)
    assert said.text == GOOD
    assert "second try" in said.note
    first, second = prompts(verbalizer)
    assert "lion" not in first
    assert "lion" in second
    assert "evidence.0.concept" in second
    assert verbalizer._engine.tasks[0].beginning == verbalizer._engine.tasks[1].beginning  # need not be read again


def test_always_wrong_goes_through_the_lattice_and_says_so(models):
    with Llama(models["sentence pieces"].path, mode="free", max_tokens=12) as verbalizer:
        said = speak(verbalizer, ZEBRA)
        both = verbalizer.batch([ZEBRA, dataclasses.replace(ZEBRA, style="short")])
    assert said.text == models["sentence pieces"].verbalize(ZEBRA).text
    assert said.verbalizer == verbalizer.name
    assert "the first leaves out" in said.note
    assert "the lattice spoke" in said.note
    assert both[0] == said
    assert check(both[1].text, dataclasses.replace(ZEBRA, style="short"))


def test_a_free_text_that_comes_too_late_is_an_error(free):
    with pytest.raises(VerbalizerTimeout):
        free(VerbalizerTimeout("too slow")).verbalize(ZEBRA)


def test_a_free_text_that_does_not_fit_goes_through_the_lattice(free):
    said = free(VerbalizerError("no room"), "The answer is lion.", "from the lattice").verbalize(ZEBRA)
    assert said.text == "from the lattice"
    assert "no room" in said.note
    assert "lion" in said.note


def test_bugs_are_not_hidden(free):
    with pytest.raises(ZeroDivisionError):
        speak(free(ZeroDivisionError()), ZEBRA)


def test_a_chat_template_is_filled_and_names_are_not_read_as_markers(free):
    verbalizer = free(GOOD, chat_template=CHAT)
    verbalizer.verbalize(ZEBRA)
    (task,) = verbalizer._engine.tasks
    assert task.beginning[0].text.startswith("<|user|>\nSay each fact once")
    assert [piece.marker for piece in (*task.beginning, *task.prompt)] == [True, False, True]
    assert task.prompt[0].text == facts_as_text(ZEBRA).rstrip("\n")
    assert task.prompt[1].text == "\n<|assistant|>\n"


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("{{ raise_exception('system messages only') }}", "system messages only"),
        ("hello", "does not show"),
        ("{% if", "fail"),
    ],
)
def test_a_chat_template_that_cannot_be_filled(template, problem):
    with pytest.raises(VerbalizerError, match=problem):
        chat_prompt(ZEBRA, template)


@pytest.mark.parametrize("style", ["plain", "expert", "short"])
def test_prompts_name_every_fact(style):
    what = dataclasses.replace(ZEBRA, style=style)
    facts = facts_as_text(what)
    for words in (
        "answer: zebra",
        "rather than: horse",
        "for: stripes",
        "where: center, left",
        "for: neuron 12" if style == "expert" else "for: something without a name",
        "against: the sky",
    ):
        assert words in facts
    assert ("57%" in facts) == (style == "plain")
    for words in ("probability: 92.3%", "neuron 431", "share 42.0%", "share −5.0%", "57.0%", "layer features.12"):
        assert (words in facts) == (style == "expert")
    assert "Text: " in instructions(style)


# Options and files


@pytest.mark.parametrize("options", [{"max_tokens": 0}, {"max_tokens": True}, {"threads": 0}, {"context": 1.5},
                                     {"timeout_s": 0}, {"mode": "loud"},
                                     {"timeout_s": float("nan")}, {"timeout_s": "1"}])  # fmt: skip
def test_options_are_checked(options):
    with pytest.raises(ConfigError, match=f"`{next(iter(options))}`"):
        Llama("model.gguf", **options)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "does not exist"),
        ("folder", "folder"),
        (b"", "empty"),
        (b"PK\x03\x04" + bytes(100), "begins with b'PK"),
        (b"GGUF\x03\x00", "truncated"),
        (b"GGUF" + struct.pack("<IQQ", 3, 48, 19) + bytes(500), "llama.cpp"),
        (b"GGUF" + struct.pack("<IQQ", 77, 0, 0), "llama.cpp"),
    ],
)
def test_files_that_are_no_models(tmp_path, content, problem, capfd):
    path = tmp_path / "model.gguf"
    if content == "folder":
        path.mkdir()
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(VerbalizerError, match=r"`verbalizer` must .*model\.gguf") as raised:
        open_verbalizer(path)
    assert problem in str(raised.value)
    assert "template" in str(raised.value)
    assert capfd.readouterr().err == ""  # llama.cpp is quiet


@pytest.mark.parametrize("part", [0.3, 0.9, 0.999])
def test_a_truncated_model(tmp_path, part, capfd):
    whole = write_model(tmp_path / "whole.gguf").read_bytes()
    path = tmp_path / "short.gguf"
    path.write_bytes(whole[: int(part * len(whole))])
    with pytest.raises(VerbalizerError, match=r"short\.gguf.*truncated"):
        Llama(path)
    assert capfd.readouterr().err == ""


def test_a_file_without_weights(tmp_path):
    with pytest.raises(VerbalizerError, match=r"model\.gguf"):
        Llama(write_model(tmp_path / "model.gguf", weights=False))


def test_a_model_that_only_reads(tmp_path, capfd):
    with pytest.raises(VerbalizerError, match="does not go on with them"):
        Llama(write_encoder(tmp_path / "model.gguf"))
    assert capfd.readouterr().err == ""


def test_llama_cpp_missing(tmp_path, monkeypatch):
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF" + bytes(100))
    monkeypatch.setitem(sys.modules, "llama_cpp", None)
    with pytest.raises(MissingExtraError, match="pip install llama-cpp-python"):
        open_verbalizer(path)


@pytest.mark.parametrize("mode", ["lattice", "free"])
def test_a_prompt_that_does_not_fit_is_said(models, mode):
    with Llama(models["sentence pieces"].path, context=64, mode=mode) as small:
        said = speak(small, ZEBRA)
    assert said.text == TemplateVerbalizer().verbalize(ZEBRA).text
    assert said.verbalizer == "template"
    assert "`context` must hold" in said.note
    assert "got 64" in said.note


def test_a_model_is_quiet(models, capfd):
    with Llama(models["byte pairs"].path, context=40) as small:
        speak(small, ZEBRA)
    assert capfd.readouterr().err == ""


def test_broken_numbers_are_an_error(models):
    broken = meaning("zebra", [evidence(1, "stripes", float("nan"))], style="expert", coverage=0.5)
    with pytest.raises(VerbalizerError, match="finite"):
        models["byte pairs"].verbalize(broken)
    first, second = models["byte pairs"].batch([broken, ZEBRA])
    assert isinstance(first, VerbalizerError)
    assert check(second.text, ZEBRA)


# The embedded model


@pytest.fixture
def embedded(models, monkeypatch):
    """A small model in the place of the embedded one."""
    monkeypatch.setattr(llama_verbalizer, "EMBEDDED", models["byte pairs"].path)
    monkeypatch.setattr(llama_verbalizer, "_shared", None)


def test_the_embedded_model_is_shared_and_loaded_when_it_is_needed(embedded, models):
    one, other = Llama(), open_verbalizer("llama")
    assert one.name == other.name == "llama"
    assert one._engine is other._engine
    assert not one._engine._owner.flights
    assert one.verbalize(ZEBRA).text == models["byte pairs"].verbalize(ZEBRA).text
    one.close()
    one.close()
    with pytest.raises(VerbalizerError, match="closed"):
        one.verbalize(ZEBRA)
    assert other.verbalize(ZEBRA).verbalizer == "llama"
    (thread,) = other._engine._owner._threads
    other.close()
    thread.join(10)
    assert not thread.is_alive()
    with Llama() as again:
        assert check(again.verbalize(ZEBRA).text, ZEBRA)


def test_options_make_an_engine_of_its_own(embedded):
    with Llama() as shared, Llama(threads=1) as own:
        assert shared._engine is not own._engine


def test_loading_at_once_from_many_threads(embedded):
    found = []
    threads = [threading.Thread(target=lambda: found.append(Llama().verbalize(ZEBRA).text)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(found) == 8
    assert len(set(found)) == 1
