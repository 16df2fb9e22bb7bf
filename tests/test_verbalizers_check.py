"""The checker: every text of the template passes, every changed one does not, whoever wrote it."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from verbalizers_cases import evidence, meaning, meanings

from nle_fast.errors import InputError
from nle_fast.verbalizers import TemplateVerbalizer, check
from training.verbalizer.planting import without

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
    """Whether no two pieces of evidence are told in one."""
    told = [item.neuron if what.style == "expert" and item.concept is None else item.concept for item in what.evidence]
    return len(set(told)) == len(told)


def alone(what):
    """Ranks of evidence that is told, and belongs to no other."""
    joined = [rank for group in what.joined for rank in group.ranks]
    return [item.rank for item in what.told if item.rank not in joined]


@given(clean, st.data())
@relaxed
def test_rejects_a_dropped_piece_of_evidence(what, data):
    assume(alone(what) and unique(what))
    rank = data.draw(st.sampled_from(alone(what)))
    less = without(what, rank)
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
    assume(len(alone(what)) > 1 and unique(what))
    first, second = data.draw(st.permutations(alone(what)))[:2]
    one, two = what.evidence[first], what.evidence[second]
    assume(set(one.where) != set(two.where))
    swapped = with_item(what, first, positions=two.positions, places=two.places)
    swapped = with_item(swapped, second, positions=one.positions, places=one.places)
    report = check(say(swapped), what)
    assert report.wrong or report.missing or report.added, say(swapped)


@given(clean, st.data())
@relaxed
def test_rejects_for_told_as_against(what, data):
    assume(alone(what) and unique(what))
    rank = data.draw(st.sampled_from(alone(what)))
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
    least = 8 if what.rounded else 2
    changed = f"{float(value) + data.draw(st.integers(least, 50)):.{decimals}f}"
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
    # Two neurons of one concept, side and place are two facts in the same words: the second sentence says the second.
    said = [(item.concept, item.supports, item.positions) for item in what.evidence if item.concept is not None]
    assume(len(set(said)) == len(said))
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
    assume(what.style != "short" and what.photos is None)  # "Why zebra?" asks of any class, and many photos have none
    assert not check(say(dataclasses.replace(what, winner=not what.winner)), what)


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


MEANINGS = {"ZEBRA": ZEBRA, "VERSUS": VERSUS, "EXPERT": EXPERT, "SHORT": SHORT, "SHARED": SHARED}
CASES = json.loads((Path(__file__).parent / "golden" / "texts_checked.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("what", "text"), [(case["meaning"], case["text"]) for case in CASES["right"]])
def test_accepts_other_words_for_the_same(what, text):
    report = check(text, MEANINGS[what])
    assert report, str(report)


@pytest.mark.parametrize(
    ("what", "text", "where"), [(case["meaning"], case["text"], case["problem"]) for case in CASES["wrong"]]
)
def test_names_what_is_wrong(what, text, where):
    report = check(text, MEANINGS[what])
    assert not report
    problems = " ".join((*report.missing, *report.added, *report.wrong, *report.repeated))
    assert where in problems, str(report)


def test_rest_is_only_said_where_it_is_true():
    most = meaning("zebra", [evidence(1, "stripes", 0.8, ("top",))])
    text = "The network's answer is zebra, because of stripes at the top. This makes up 80% of the evidence for it{}."
    assert check(text.format(""), most)
    assert check(text.format(", so most of it is not named here"), most).added


def test_mainly_is_a_claim():
    text = (
        "The network's answer is zebra, mainly because of stripes and birds. Together these make up {} of the evidence."
    )
    small = meaning("zebra", [evidence(1, "stripes", 0.1), evidence(2, "birds", 0.05)])
    large = meaning("zebra", [evidence(1, "stripes", 0.6), evidence(2, "birds", 0.05)])
    assert check(text.format("65%"), large)
    assert check(text.format("15%"), small).added == ("stripes",)


def test_no_evidence_is_a_claim():
    assert check("Zebra: no evidence.", meaning("zebra", style="short"))
    assert check("Zebra: no evidence, stripes.", meaning("zebra", [evidence(1, "stripes", 0.1)], style="short")).added


@pytest.mark.parametrize(("name", "place", "value"), [("text", 0, None), ("text", 0, 5), ("meaning", 1, None)])
def test_what_is_no_text_or_no_meaning_is_refused(name, place, value):
    arguments = ["The answer is zebra.", meaning("zebra")]
    arguments[place] = value
    with pytest.raises(InputError, match=f"`{name}` must be"):
        check(*arguments)


@pytest.mark.parametrize("text", ["¹%", "neuron ¹", "about ²%", "(¹%)", "saw the middle ¹% of the picture", "٣%"])
def test_digits_that_are_no_numbers_are_read_without_failing(text):
    assert not check(text, ZEBRA)


def test_a_corner_and_a_quarter_with_the_same_words_are_two():
    items = [evidence(1, None, -0.1, ("top-left corner",), False), evidence(2, None, -0.1, (), False)]
    items[1] = dataclasses.replace(items[1], places=("upper left quarter",))
    what = meaning("zebra", items, style="short")
    assert say(what) == "Zebra; against: two patterns without a name (top-left, upper left)."
    assert check(say(what), what)
