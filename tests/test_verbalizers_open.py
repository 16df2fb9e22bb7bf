"""Choosing a verbalizer, and speaking: whatever it says is checked, and replaced where it is wrong."""

from __future__ import annotations

import subprocess
import sys

import pytest
from verbalizers_cases import evidence, meaning

from nle_fast.errors import ConfigError, VerbalizerError
from nle_fast.schema import Span, Utterance
from nle_fast.verbalizers import TemplateVerbalizer, Verbalizer, open_verbalizer, speak

ZEBRA = meaning("zebra", [evidence(431, "Stripes", 0.42, ("center",))], style="short")
TEXT = "A zebra: stripes in the center."


class Custom:
    name = "custom"

    def __init__(self, said):
        self.said = said

    def verbalize(self, meaning):
        return self.said


def test_names():
    assert open_verbalizer("template").name == "template"
    assert open_verbalizer("llama").name == "llama"
    custom = Custom("")
    assert open_verbalizer(custom) is custom
    assert all(isinstance(some, Verbalizer) for some in (custom, open_verbalizer("llama"), TemplateVerbalizer()))


@pytest.mark.parametrize("spec", ["gpt", "", 3, None, Custom, object(), b"template"])
def test_anything_else_is_refused_with_the_choices(spec):
    with pytest.raises(ConfigError, match=r"`verbalizer` must be 'llama', 'template'"):
        open_verbalizer(spec)


def test_a_file_that_is_no_model_is_refused(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("hello")
    with pytest.raises(VerbalizerError, match="begins with b'hell'"):
        open_verbalizer(str(path))


def test_the_template_speaks_without_a_note():
    said = speak(TemplateVerbalizer(), ZEBRA)
    assert (said.text, said.verbalizer, said.note) == ("Zebra: stripes (center).", "template", "")


def test_the_embedded_model_speaks():
    verbalizer = open_verbalizer("llama")
    for style in ("plain", "expert", "short"):
        what = meaning("zebra", [evidence(431, "Stripes", 0.42, ("center",)), evidence(7, "sky", -0.1)], style=style)
        said = speak(verbalizer, what)
        assert (said.verbalizer, said.note) == ("llama", "")
        assert said == speak(verbalizer, what)


def test_text_of_a_custom_verbalizer_gets_its_spans_from_the_check():
    said = speak(Custom(TEXT), ZEBRA)
    assert (said.text, said.verbalizer, said.note) == (TEXT, "custom", "")
    assert [(TEXT[span.start : span.end], span.fact) for span in said.spans] == [
        ("zebra", "class"), ("stripes", "evidence.0.concept"), ("center", "evidence.0.positions"),
    ]  # fmt: skip


def test_spans_of_a_custom_verbalizer_are_kept_where_they_are_whole():
    spans = (Span(17, 30, "evidence.0.positions"), Span(2, 7, "class"), Span(9, 16, "evidence.0.concept"))
    assert speak(Custom(Utterance(TEXT, spans, "mine")), ZEBRA).spans == tuple(
        sorted(spans, key=lambda span: span.start)
    )
    for broken in (spans[:2], (*spans[:2], Span(9, 99, "evidence.0.concept"))):
        assert len(speak(Custom(Utterance(TEXT, broken, "mine")), ZEBRA).spans) == 3


def test_a_wrong_text_is_replaced_and_the_reason_kept():
    said = speak(Custom("A lion: stripes in the center."), ZEBRA)
    assert said.verbalizer == "template"
    assert said.note == "custom was not used: its text leaves out class; adds “lion”"


def test_what_is_no_text_is_an_error():
    with pytest.raises(VerbalizerError, match="must return str or Utterance, got int from custom"):
        speak(Custom(3), ZEBRA)


def test_numbers_that_are_none_are_an_error():
    with pytest.raises(VerbalizerError, match="finite"):
        speak(
            TemplateVerbalizer(), meaning("zebra", [evidence(1, "stripes", float("nan"))], style="expert", coverage=0.5)
        )


def test_unknown_places_are_an_error():
    with pytest.raises(VerbalizerError, match="`positions`"):
        speak(TemplateVerbalizer(), meaning("zebra", [evidence(1, "stripes", 0.5, ("over there",))]))


def test_importing_loads_no_language_model():
    code = "import sys, nle_fast.verbalizers; assert not {'llama_cpp', 'torch', 'onnxruntime'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
