"""The checker: every text of the template passes, every changed one does not, whoever wrote it."""

from __future__ import annotations

import dataclasses
import re

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from verbalizers_cases import evidence, meaning, meanings

from nle_fast.verbalizers import TemplateVerbalizer, check

CLEAN = (
    "stripes", "dog face", "grass", "sky", "red", "animal fur", "hourglass", "birds", "Horizontal lines", "white dots",
    "black lettering and numbers", "dotted", "Dots on the left side", "mane",
)  # fmt: skip
LABELS = ("zebra", "horse", "Border collie", "tabby, tabby cat", "T-shirt", "center")
clean = meanings(concepts=CLEAN, labels=LABELS, layers=("layer4", "features.12"))
relaxed = settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow]
)


def say(what):
    return TemplateVerbalizer().verbalize(what).text


def with_item(what, rank, **changes):
    items = list(what.evidence)
    items[rank] = dataclasses.replace(items[rank], **changes)
    return dataclasses.replace(what, evidence=tuple(items))


@given(meanings())
@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])
def test_accepts_every_template_text(what):
    said = TemplateVerbalizer().verbalize(what)
    report = check(said.text, what)
    assert report, (said.text, str(report))
    assert report.slot_error_rate == 0
    facts = {fact.id for fact in what.facts}
    assert {span.fact for span in report.spans} == facts
    # The checker finds each fact where the template put it.
    for fact in facts:
        ours = [(span.start, span.end) for span in said.spans if span.fact == fact]
        theirs = [(span.start, span.end) for span in report.spans if span.fact == fact]
        assert all(any(start < end2 and start2 < end for start2, end2 in ours) for start, end in theirs), (
            fact,
            said.text,
        )


def unique(what):
    return len({item.concept for item in what.evidence if item.concept}) == sum(
        1 for item in what.evidence if item.concept
    )


@given(clean, st.data())
@relaxed
def test_rejects_a_dropped_piece_of_evidence(what, data):
    assume(what.evidence and unique(what))
    rank = data.draw(st.integers(0, len(what.evidence) - 1))
    less = dataclasses.replace(what, evidence=what.evidence[:rank] + what.evidence[rank + 1 :])
    report = check(say(less), what)
    assert f"evidence.{rank}.concept" in report.missing
    assert report.slot_error_rate > 0


@given(clean, st.data())
@relaxed
def test_rejects_a_text_from_which_the_words_of_a_fact_are_cut(what, data):
    said = TemplateVerbalizer().verbalize(what)
    span = data.draw(st.sampled_from(said.spans))
    text = said.text[: span.start] + said.text[span.end :]
    assert not check(text, what), text


@given(clean, st.data())
@relaxed
def test_rejects_swapped_positions(what, data):
    assume(len(what.evidence) > 1 and unique(what))
    first, second = data.draw(st.permutations(range(len(what.evidence))))[:2]
    one, two = what.evidence[first].positions, what.evidence[second].positions
    assume(set(one) != set(two))
    swapped = with_item(with_item(what, first, positions=two), second, positions=one)
    report = check(say(swapped), what)
    assert report.wrong or report.missing or report.added, say(swapped)


@given(clean, st.data())
@relaxed
def test_rejects_for_told_as_against(what, data):
    assume(what.evidence and unique(what))
    rank = data.draw(st.integers(0, len(what.evidence) - 1))
    flipped = with_item(what, rank, supports=not what.evidence[rank].supports)
    report = check(say(flipped), what)
    assert f"evidence.{rank}.concept" in report.wrong, (say(flipped), str(report))


@given(clean, st.data())
@relaxed
def test_rejects_changed_numbers(what, data):
    numbers = list(re.finditer(r"(?<![\w.])\d+(?:\.\d+)?", say(what)))
    assume(numbers)
    match = data.draw(st.sampled_from(numbers))
    value, decimals = match[0], len(match[0].partition(".")[2])
    changed = f"{float(value) + data.draw(st.integers(2, 50)):.{decimals}f}"
    text = say(what)[: match.start()] + changed + say(what)[match.end() :]
    assume(not (text[match.start() - 1] in "<>" or "than" in text[: match.start()][-5:]))  # a bound may stay true
    assert not check(text, what), text


@given(clean, st.sampled_from(("lion", "zebra crossing", "collie", "horses cart")))
@relaxed
def test_rejects_a_wrong_label(what, label):
    other = dataclasses.replace(what, target=dataclasses.replace(what.target, label=label))
    report = check(say(other), what)
    assert report.missing or report.wrong or report.added


@given(clean)
@relaxed
def test_rejects_class_and_versus_exchanged(what):
    assume(what.versus is not None and "center" not in (what.versus.label, what.target.label))
    other = dataclasses.replace(what, target=what.versus, versus=what.target)
    assert {"class", "versus"} & set(check(say(other), what).wrong)


@given(clean, st.sampled_from(("a beak", "wheels", "water", "something shiny", "neuron 99999")), st.data())
@relaxed
def test_rejects_an_added_concept(what, foreign, data):
    text = say(what)
    ends = [match.start() for match in re.finditer(r"[.;,)]", text)]
    at = data.draw(st.sampled_from(ends))
    assert check(f"{text[:at]} and {foreign}{text[at:]}", what).added


@given(clean, st.data())
@relaxed
def test_rejects_evidence_from_another_picture(what, data):
    other = data.draw(clean)
    assume(say(other) != say(what) and other.style == what.style)
    facts = lambda some: (  # noqa: E731
        some.target.label, some.winner, some.versus and some.versus.label,
        {(item.concept or item.neuron, item.supports): None for item in some.evidence}.keys(),
    )  # fmt: skip
    assume(facts(other) != facts(what))
    assert not check(say(other), what)


@given(clean, st.data())
@relaxed
def test_rejects_a_repeated_sentence(what, data):
    sentences = re.split(r"(?<=[.]) (?=[A-Z])", say(what))
    again = data.draw(st.sampled_from(sentences))
    report = check(" ".join([*sentences, again]), what)
    assert report.repeated or report.added or report.wrong


@given(clean, st.data())
@relaxed
def test_rejects_negation(what, data):
    text = say(what)
    places = [
        match.start() for match in re.finditer(r"because of|comes from|speaks? (?:against|for)|make|against", text)
    ]
    assume(places)
    at = data.draw(st.sampled_from(places))
    word = data.draw(st.sampled_from(("not ", "never ", "hardly ", "doesn't ", "no ")))
    assert not check(text[:at] + word + text[at:], what)


@given(clean)
@relaxed
def test_rejects_the_answer_negated(what):
    assert not check(say(dataclasses.replace(what, winner=not what.winner)), what) or what.style == "short"


@given(st.text(max_size=200), clean)
@relaxed
def test_reads_any_text_without_failing(text, what):
    report = check(text, what)
    assert bool(report) == report.ok == (report.slot_error_rate == 0)
    assert all(0 <= span.start <= span.end <= len(text) for span in report.spans)


ZEBRA = meaning(
    "zebra, striped horse",
    [
        evidence(431, "Stripes", 0.42, ("center", "left")),
        evidence(12, "Dog face", 0.15, ("top",)),
        evidence(7, "sky", -0.05, ("top",), supports=False),
    ],
    coverage=0.57,
)
VERSUS = dataclasses.replace(ZEBRA, versus=dataclasses.replace(ZEBRA.target, index=1, label="horse"))
EXPERT = dataclasses.replace(ZEBRA, style="expert", layer="layer4")
SHORT = dataclasses.replace(ZEBRA, style="short")
SHARED = meaning(
    "zebra", [evidence(1, "stripes", 0.4, ("center",)), evidence(2, "mane", 0.3, ("center",))], style="short"
)


@pytest.mark.parametrize(
    ("what", "text"),
    [
        (ZEBRA, "The network's answer is zebra because of stripes in the center and on the left and a dog face at the top. "
                "Together they account for 57% of the evidence. The sky at the top speaks against it."),
        (ZEBRA, "In the center and on the left, stripes support the answer zebra; a dog face at the top supports it too. "
                "They make up about 57 percent of the evidence for it, although the sky at the top opposes it."),
        (ZEBRA, "Thanks to stripes on the left and in the middle, and dog faces at the top, the prediction is “zebra”, despite "
                "the sky at the top. Together these cover 57% of the evidence."),
        (ZEBRA, "The model predicted zebra due to a dog face at the top and stripes in the center and left, but the sky at the "
                "top counts against it. Coverage: 57%."),
        (VERSUS, "The network's answer is a zebra instead of a horse, mainly because of stripes in the center and on the left and "
                 "partly because of a dog face at the top, in total 57% of the evidence. However, the sky at the top speaks against it."),
        (VERSUS, "The network's answer is zebra, not horse, because of stripes in the center and left and a dog face at the top. "
                 "These make up 57.0% of the evidence for it. The sky at the top speaks against it."),
        (EXPERT, "With a probability of 92.3%, the answer is zebra. In layer4, the evidence for it comes from stripes (neuron 431, "
                 "42%) in the center and on the left and a dog face (neuron 12, 15%) at the top; against it: the sky at the top "
                 "(neuron 7, −5%). Coverage 57%."),
        (SHORT, "zebra: stripes (left, center), dog face (top); against: sky (top)"),
        (SHARED, "Zebra, because of stripes and a mane in the center."),
        (SHARED, "Zebra: stripes and mane, both in the center."),
        (SHARED, "In the center, stripes and a mane support the answer zebra."),
    ],
)  # fmt: skip
def test_accepts_other_words_for_the_same(what, text):
    report = check(text, what)
    assert report, str(report)


@pytest.mark.parametrize(
    ("what", "text", "where"),
    [
        (SHORT, "Zebra: stripes (center), dog face (top); against: sky (top).", "evidence.0.positions"),
        (SHORT, "Zebra: stripes (center, left), dog face; against: sky (top).", "evidence.1.positions"),
        (SHORT, "Zebra: stripes (center, left), dog face (top), sky (top).", "evidence.2.concept"),
        (SHORT, "Zebra: stripes (center, left); against: dog face (top), sky (top).", "evidence.1.concept"),
        (SHORT, "Zebra: stripes (center, left), dog face (top), dog face (top); against: sky (top).", "evidence.1.concept"),
        (SHORT, "Zebra: stripes (center, left), dog face (top); against: sky (top). Zebra.", "class"),
        (SHORT, "Zebra: only stripes (center, left), dog face (top); against: sky (top).", "only"),
        (SHORT, "Zebra: stripes (center, left), dog face (top); against: sky (top), 3 hats.", "3"),
        (SHORT, "Zebra rather than horse: stripes (center, left), dog face (top); against: sky (top).", "horse"),
        (SHORT, "Zebra rather than stripes (center, left), dog face (top); against: sky (top).", "rather than"),
        (SHORT, "Not zebra: stripes (center, left), dog face (top); against: sky (top).", "class"),
        (SHORT, "Stripes (center, left), dog face (top); against: sky (top).", "class"),
        (SHORT, "Zebra: mainly dog face (top), stripes (center, left); against: sky (top).", "dog face"),
        (SHORT, "", "class"),
        (ZEBRA, "The network's answer is zebra, because of stripes in the center and on the left, which make up 57% of the evidence, "
                "and a dog face at the top. The sky at the top speaks against it.", "57%"),
        (ZEBRA, "The network's answer is zebra, because of stripes in the center and on the left (42%) and a dog face at the top. "
                "Together these make up 57% of the evidence. The sky at the top speaks against it.", "42%"),
        (SHORT, "Zebra: stripes (center, left), dog face (top); against: sky (top). 57%.", "57%"),
        (SHARED, "Zebra: stripes, both in the center, and a mane.", "evidence.1.positions"),
        (SHARED, "Zebra: stripes and a mane.", "evidence.0.positions"),
        (EXPERT, "The answer is zebra (probability 92.3%). In layer4, the evidence for it comes from stripes in the center and on "
                 "the left (neuron 12, share 42%) and a dog face at the top (neuron 431, share 15%). Together 57%. Against it: sky "
                 "at the top (neuron 7, share −5%).", "evidence.0.neuron"),
        (EXPERT, "The answer is zebra (probability 92.3%). In layer4, the evidence for it comes from stripes in the center and on "
                 "the left (neuron 431, share 15%) and a dog face at the top (neuron 12, share 42%). Together 57%. Against it: sky "
                 "at the top (neuron 7, share −5%).", "evidence.0.share"),
    ],
)  # fmt: skip
def test_names_what_is_wrong(what, text, where):
    report = check(text, what)
    assert not report
    problems = " ".join((*report.missing, *report.added, *report.wrong, *report.repeated))
    assert where in problems, str(report)
    assert str(report) != str(check(say(what), what))


def test_rest_is_only_said_where_it_is_true():
    most = meaning("zebra", [evidence(1, "stripes", 0.8, ("top",))])
    text = "The network's answer is zebra, because of stripes at the top. This makes up 80% of the evidence for it{}."
    assert check(text.format(""), most)
    assert check(text.format(", so most of it is not named here"), most).added


def test_mainly_is_a_claim():
    text = "The network's answer is zebra, mainly because of stripes and birds. Together these make up {} of the evidence for it."
    small = meaning("zebra", [evidence(1, "stripes", 0.1), evidence(2, "birds", 0.05)])
    large = meaning("zebra", [evidence(1, "stripes", 0.6), evidence(2, "birds", 0.05)])
    assert check(text.format("65%"), large)
    assert check(text.format("15%"), small).added == ("stripes",)


def test_no_evidence_is_a_claim():
    assert check("Zebra: no evidence.", meaning("zebra", style="short"))
    assert check("Zebra: no evidence, stripes.", meaning("zebra", [evidence(1, "stripes", 0.1)], style="short")).added
