"""The language model as verbalizer: files, prompts, tries, time; with a stand-in, and a real one where there is one."""

from __future__ import annotations

import struct
import sys
import threading
import time

import pytest
from verbalizers_cases import evidence, meaning

from nle_fast.errors import ConfigError, MissingExtraError, UnsupportedClaimError, VerbalizerError, VerbalizerTimeout
from nle_fast.verbalizers import TemplateVerbalizer, open_verbalizer, speak
from nle_fast.verbalizers.llama import LlamaVerbalizer, facts_as_text, prompt_prefix

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
    "neuron 12 responds to. These make up 57% of the evidence. The sky at the top speaks against it."
)


class Fake:
    """Says what it was told to, one text per call."""

    def __init__(self, *texts):
        self.texts, self.prompts, self.closed = list(texts), [], False

    def complete(self, prefix, prompt, *, max_tokens, deadline):
        assert deadline > time.perf_counter()
        self.prompts.append((prefix, prompt))
        text = self.texts.pop(0)
        if isinstance(text, Exception):
            raise text
        return text

    def close(self):
        self.closed = True


def test_a_right_text_is_spoken():
    engine = Fake(GOOD)
    verbalizer = LlamaVerbalizer("some/model.gguf", engine=engine)
    said = speak(verbalizer, ZEBRA)
    assert (said.text, said.verbalizer, said.note) == (GOOD, "llama:model.gguf", "")
    assert {span.fact for span in said.spans} == {fact.id for fact in ZEBRA.facts}
    assert all(said.text[span.start : span.end] for span in said.spans)
    assert len(engine.prompts) == 1


def test_a_wrong_text_is_tried_once_more_with_its_mistakes_named():
    engine = Fake("The answer is lion.", GOOD)
    said = speak(LlamaVerbalizer("model.gguf", engine=engine), ZEBRA)
    assert said.text == GOOD
    assert "second try" in said.note
    first, second = (prompt for _, prompt in engine.prompts)
    assert "lion" not in first
    assert "lion" in second
    assert "evidence.0.concept" in second
    assert engine.prompts[0][0] == engine.prompts[1][0]  # the prefix stays, so that it need not be decoded again


def test_always_wrong_gives_the_template_and_the_reason():
    engine = Fake("The answer is lion.", "The answer is tiger.", "never asked for")
    verbalizer = LlamaVerbalizer("model.gguf", engine=engine)
    said = speak(verbalizer, ZEBRA)
    assert said.text == TemplateVerbalizer().verbalize(ZEBRA).text
    assert said.verbalizer == "template"
    assert "lion" in said.note
    assert "tiger" in said.note
    assert engine.texts == ["never asked for"]
    engine.texts = ["lion", "lion"]
    with pytest.raises(UnsupportedClaimError, match="lion"):
        verbalizer.verbalize(ZEBRA)


@pytest.mark.parametrize("error", [VerbalizerTimeout("too slow"), VerbalizerError("broken")])
def test_failure_gives_the_template_and_the_reason(error):
    said = speak(LlamaVerbalizer("model.gguf", engine=Fake(error)), ZEBRA)
    assert said.verbalizer == "template"
    assert str(error) in said.note


def test_a_second_try_that_fails_keeps_the_first_reason():
    said = speak(
        LlamaVerbalizer("model.gguf", engine=Fake("The answer is lion.", VerbalizerError("does not fit"))), ZEBRA
    )
    assert "lion" in said.note
    assert "does not fit" in said.note


def test_bugs_are_not_hidden():
    with pytest.raises(ZeroDivisionError):
        speak(LlamaVerbalizer("model.gguf", engine=Fake(ZeroDivisionError())), ZEBRA)


def test_closes_with_the_block():
    engine = Fake()
    with LlamaVerbalizer("model.gguf", engine=engine):
        assert not engine.closed
    assert engine.closed


@pytest.mark.parametrize("style", ["plain", "expert", "short"])
def test_prompts_name_every_fact(style):
    import dataclasses

    what = dataclasses.replace(ZEBRA, style=style)
    facts = facts_as_text(what)
    for words in (
        "answer: zebra",
        "rather than: horse",
        "for: stripes",
        "where: center, left",
        "for: neuron 12",
        "against: the sky",
    ):
        assert words in facts
    assert ("57%" in facts) == (style == "plain")
    for words in ("probability: 92.3%", "neuron 431", "share 42.0%", "share −5.0%", "57.0%", "layer features.12"):
        assert (words in facts) == (style == "expert")
    assert prompt_prefix(style).endswith("\n\n")
    assert "Text: " in prompt_prefix(style)


@pytest.mark.parametrize("options", [{"max_tokens": 0}, {"max_tokens": True}, {"threads": 0}, {"context": 1.5},
                                     {"timeout_s": 0},
                                     {"timeout_s": float("nan")}, {"timeout_s": "1"}])  # fmt: skip
def test_options_are_checked(options):
    with pytest.raises(ConfigError, match=f"`{next(iter(options))}`"):
        LlamaVerbalizer("model.gguf", engine=Fake(), **options)


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


def test_llama_cpp_missing(tmp_path, monkeypatch):
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF" + bytes(100))
    monkeypatch.setitem(sys.modules, "llama_cpp", None)
    with pytest.raises(MissingExtraError, match="pip install llama-cpp-python"):
        open_verbalizer(path)


@pytest.fixture(scope="module")
def stories(request):
    path = request.getfixturevalue("shared") / "language_model" / "stories260K.gguf"
    with LlamaVerbalizer(path, max_tokens=8, threads=1, timeout_s=120) as verbalizer:
        yield verbalizer


@pytest.mark.shared
def test_a_real_model_falls_back_with_the_reason(stories, capfd):
    said = speak(stories, ZEBRA)
    assert said.verbalizer == "template"
    assert "stories260K.gguf" in said.note
    assert "leaves out class" in said.note
    assert capfd.readouterr().err == ""


@pytest.mark.shared
def test_the_prefix_is_decoded_once(stories):
    engine = stories._engine
    prefix, deadline = prompt_prefix("short"), time.perf_counter() + 100
    beginning = len(engine._model.tokenize(prefix.encode(), add_bos=True, special=False))
    first = engine.complete(prefix, "answer: cat\nText:", max_tokens=5, deadline=deadline)
    before = engine.decoded
    engine.complete(prefix, "answer: zebra\nText:", max_tokens=5, deadline=deadline)
    suffix = len(engine._model.tokenize(b"answer: zebra\nText:", add_bos=False, special=False))
    assert engine.decoded - before <= suffix + 5 < beginning
    before = engine.decoded
    assert engine.complete(prefix, "answer: cat\nText:", max_tokens=5, deadline=deadline) == first  # greedy
    assert engine.decoded - before < beginning


@pytest.mark.shared
def test_cached_and_fresh_contexts_write_the_same(stories, shared):
    other = LlamaVerbalizer(shared / "language_model" / "stories260K.gguf", threads=1)
    deadline = time.perf_counter() + 100
    prompt = ("Once upon a time, ", "there was a little")
    stories._engine.complete("Once upon a time, ", "a dog", max_tokens=20, deadline=deadline)
    ours = stories._engine.complete(*prompt, max_tokens=20, deadline=deadline)
    assert ours
    assert other._engine.complete(*prompt, max_tokens=20, deadline=deadline) == ours
    other.close()
    other.close()
    with pytest.raises(VerbalizerError, match="closed"):
        other.verbalize(ZEBRA)


@pytest.mark.shared
def test_no_time_is_a_timeout(stories, shared):
    with LlamaVerbalizer(shared / "language_model" / "stories260K.gguf", timeout_s=1e-6) as hasty:
        with pytest.raises(VerbalizerTimeout, match="timeout_s"):
            hasty.verbalize(ZEBRA)
        assert "timeout_s" in speak(hasty, ZEBRA).note
        hasty.timeout_s = 120.0
        hasty.max_tokens = 2
        assert "leaves out" in speak(hasty, ZEBRA).note  # still usable after a timeout


@pytest.mark.shared
def test_a_prompt_that_does_not_fit_is_said(shared):
    with LlamaVerbalizer(shared / "language_model" / "stories260K.gguf", context=256) as small:
        said = speak(small, ZEBRA)
    assert said.verbalizer == "template"
    assert "`context`" in said.note


@pytest.mark.shared
def test_threads_share_a_context(stories):
    deadline = time.perf_counter() + 100
    prompts = ["a dog", "a cat", "a big tree", "a girl named Lily"]
    alone = [
        stories._engine.complete("Once there was ", prompt, max_tokens=10, deadline=deadline) for prompt in prompts
    ]
    found = {}

    def work(prompt):
        found[prompt] = stories._engine.complete("Once there was ", prompt, max_tokens=10, deadline=deadline)

    threads = [threading.Thread(target=work, args=(prompt,)) for prompt in prompts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [found[prompt] for prompt in prompts] == alone


@pytest.mark.shared
def test_a_truncated_model(shared, tmp_path):
    whole = (shared / "language_model" / "stories260K.gguf").read_bytes()
    path = tmp_path / "short.gguf"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(VerbalizerError, match=r"short\.gguf.*truncated"):
        LlamaVerbalizer(path)
