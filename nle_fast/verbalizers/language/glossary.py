"""The words in which free texts explain: synonyms of what the lattice says, for the checker only.

`vocabulary` holds the words of our own texts, and decides with them which names need quotation marks. These lists only
help to read texts that someone else wrote. A word belongs here only if it cannot make a false text true: no negation,
no quantity, no strength ("strongly", "slightly"), no likelihood, and no noun that a picture is likely to show.
"""

from __future__ import annotations

from typing import NamedTuple

from nle_fast.verbalizers.language.glossary_places import CORNER_TAILS, POSITIONS
from nle_fast.verbalizers.language.glossary_told import TOLD, told_counts
from nle_fast.verbalizers.language.glossary_verbs import AGAINST, ANSWER, FOR, conjugated
from nle_fast.verbalizers.language.vocabulary import CORE, Entry, Kind, entries_of, spelled

__all__ = ["LEXICON", "PLACE_WORDS", "Words"]

_PHRASES: dict[tuple[Kind, str], str] = {
    ("forward", "for"): """
        goes back to; go back to; went back to; boils down to; comes down to;
        on account of; on the strength of; on the basis of; by virtue of; as a result of; owed to; down to; supported
        by; backed by; backed up by; based on; founded on; built on; resting on; relying on; relied on; relies on;
        relied mainly on; rests on; rested on; hinges on; hinged on; depends on; depended on; drew on; draws on; stems
        from; stemmed from; comes from; came from; come from; results from; resulted from; derives from; driven by;
        prompted by; caused by; triggered by; explained by; justified by; suggested by; strengthened by; confirmed by;
        reinforced by; helped by; aided by; led by; for it speak; for it speaks; for it:; for this:; in favor:; in its
        favor:; in favor of it:; in favor of this:; supporting it:; pro:; reasons:; reason:; evidence:; supporting
        evidence:; evidence for it:; evidence for:; because:; because of:; supported by:; for it is; for it are; in its
        favor is; in its favor are; in its favor speak; in its favor speaks; in its favor there is; in its favor there
        are; in its favor count; in its favor counts; rests mainly on; in favor of it are; in favor of it is; in favor
        of this are; in favor of this is; help from; support by; contribution from; contributions from; contribution of;
        indicated by; thanks mostly to; because; since; as there is; as there are; as it found; as it saw; as the
        network found; as the network saw; the reason is; the reasons are; reason for this is; reasons for this are;
        reason for it is; reasons for it are; what counts is; evidence includes; evidence consists of
    """,
    ("forward", "against"): """
        despite the fact that; in spite of the fact that; even though there is; even though there are; opposed by;
        contradicted by; countered by; weakened by; opposed to; regardless of; in the face of; against this; against
        that; against this answer; counter evidence; opposing evidence; opposing it; contradicting it; opposed:; against
        it:; con:; counter:; contra:; countering it; contradicting this; opposing this; arguments against it are;
        argument against it is; counterevidence; counterevidence:; contradicting evidence; offset by; evidence to the
        contrary comes from; evidence to the contrary is; against the answer; against this decision; against the
        decision; notwithstanding the; challenged by; disputed by; even with; speaks against it is; objections come
        from; objection comes from; counterweight; doubts come from; evidence that speaks against it; downside;
        opposition comes from; against which; balanced against
    """,
    ("backward", "for"): """
        driven; backed; based; bases; base; caused; prompted by; influenced; in its support; on its side; speaks in
        support; supports; supported; favours; favour; favored; favoured; suggest; suggests; suggested; suggesting;
        indicate; indicates; indicated; indicating; imply; implies; strengthen; strengthens; strengthened; confirm;
        confirms; confirmed; reinforce; reinforces; reinforced; prompt; prompts; prompted; motivate; motivates;
        motivated; justify; justifies; justified; speaks up for; helps; helped; help; bolster; bolsters; agree; agrees;
        underpin; underpins; advocate; plead for; pleads for; testify to; testifies to; back up; backs up
    """,
    ("backward", "against"): """
        does the opposite; do the opposite; did the opposite; suggests the opposite; suggest the opposite; on the other
        side; oppose; opposes; opposed; contradict; contradicts; contradicted; undermine; undermines; undermined;
        weaken; weakens; weakened; challenge; challenges; challenged; dispute; disputes; counter; counters; countered;
        disagree; disagrees; the other way; otherwise; contest; contests; conflicts; conflict; speaks to the contrary;
        dissent; dissents
    """,
    ("again", ""): """
        as do; as does; as did; so did; and so do; and so does; the same goes for; the same is true of; but
        also; the same holds for; the same applies to; and likewise
    """,
    ("contrast", ""): """
        in spite of this; in spite of that; despite this; despite that; that said; on the contrary; conversely; albeit;
        by contrast; nonetheless; even so; on the downside; at the same time; on the minus side; then again; having said
        that; all the same; at odds with this
    """,
    ("class", ""): """
        verdict; verdict is; prediction; decision is; decision was; guess; guess is; choice; choice is; choice was;
        predicted class; class; label; category; conclusion is; output; output is; result is; best guess; top class; it
        was; this was; that this is; this as; that it is; case for; winning class; top prediction; decision for;
        prediction of; response is; answer is that this is; settled for; the name; named it; named this; as being
    """,
    ("isclass", ""): """
        is the network's answer; is the answer; was the answer; was the network's answer; is the network's prediction;
        is its answer; was its answer; is the prediction; is the model's answer; is the network's guess; is the
        network's choice; is the network's verdict; is the verdict; is what the network sees; is what the network saw;
        is what the network chose; is what the network answered; is what it sees; is what the model sees; is what it
        saw; is what the network recognized; is what the network predicts; is what the network predicted; was chosen;
        was recognized; was predicted; is predicted; was preferred; is the predicted class; won; wins; is the class; was
        the network's choice; was what the network saw; is the model's prediction; is the model's choice; is the winner;
        is the result; it is; it was; was identified; is the classifier's answer; was the verdict; was the prediction;
        is recognized; is preferred; is chosen
    """,
    ("isnotclass", ""): """
        is not the network's answer; is not the answer; was not the answer; was not the network's answer; is not its
        answer; was not its answer; is not the network's prediction; was not the network's prediction; is not what the
        network sees; is not what the network saw; is not what the network chose; isn't the answer; is not what the
        network answered; was not chosen; was not recognized; was not predicted; is not predicted; isn't the network's
        answer; wasn't the network's answer; wasn't the answer; did not win; was not preferred; is not the prediction;
        was not what the network saw; was not what the network chose; is not the model's answer; was not the model's
        answer; was not the prediction; is not the network's choice; was not the network's choice; is not the model's
        prediction; is not the predicted class; was not the predicted class; was rejected; is not what the network
        predicted; was not what the network answered; is not the classifier's answer
    """,
    ("notclass", ""): """
        prediction was not; answer was not; verdict is not; verdict was not; prediction isn't; answer isn't; answer
        wasn't; decided against; ruled out; rejects; rejected; guess is not; choice is not; choice was not; decision was
        not
    """,
    ("versus", ""): """
        in comparison with; in comparison to; as against; in contrast to; as compared with; as compared to; when
        compared with; when compared to; if compared with; if it is compared with; if compared to; against the class;
        relative to; versus; vs; in preference to; if it is compared to; when it is compared with; when it is compared
        to; measured against; rather than as; and not as; as distinct from; over against
    """,
    ("than", ""): "over; to; than; from",
    ("object", ""): """
        evidence for; reason for; reasons for; argument for; arguments for; support for; in favor of; in favour of; in
        support of; evidence of; evidence that this is; evidence that it is; points to; case for; toward; towards;
        reason to see; clues to
    """,
    ("main", ""): """
        most; mostly; for the most part; first and foremost; principally; predominantly; chiefly; primarily; in the
        main; main reason; main evidence; main clue; main argument; main factor; main support; main cause; main thing;
        main point; chief reason; primary reason; principal reason; primary evidence; main driver; main basis; main
        source; largely; chief evidence; chief argument; primary factor; more than anything; main cue; main feature;
        main
    """,
    ("most", ""): """
        key; crucial; decisive; the decisive; top reason; number one reason; strongest; biggest; largest; greatest; most
        important; most decisive; key reason; strongest evidence; chief; primary; strongest reason; biggest reason; most
        important reason; most important clue; most weight; first reason; single most important; weightiest; heaviest;
        principal; leading; leading reason; strongest support
    """,
    ("part", ""): """
        to a lesser extent; to a lesser degree; to a smaller extent;
        partly; in part; partially; to some extent; part of the reason; to a certain extent; part of the evidence
    """,
    ("bound", ">"): "at least; no less than; above; upwards of; in excess of; more than",
    ("bound", "<"): "up to; at most; no more than; under; below; less than; fewer than",
    ("probability", ""): """
        certainty; certainty of; likelihood of; p value; with probability; chance; chance of; likelihood; p =; p;
        confident; probability:; with a confidence of; with a certainty of; confidence:; probability is; probability was
    """,
    ("coverage", ""): """
        come to; comes to; came to; add up to; adds up to; added up to; sum up to; sums up to; sum to; sums to; made up;
        making up; accounted for; accounting for; covered; covering; amounted to; amounting to; explain; explains;
        explained; explaining; represent; represents; represented; representing; provide; provides; provided; providing;
        contribute; contributes; contributed; contributing; constitute; constitutes; constituted; comprise; comprises;
        carry; carries; carried; carrying; supply; supplies; supplied; total; totals; totaling; hold; holds; reach;
        reaches; bring; brings; worth; equal; equals; form; forms; adding up to; coming to; responsible for; capture;
        captures; coverage is
    """,
    ("together", ""): """
        combined; taken together; overall; jointly; in sum; all in all; for a total of; a total of; between them;
        collectively; all told; put together; as a group; total of; in combination; summed up; added together; in their
        entirety; sum; that is; that makes; that was; that amounts; those; all of this; all of these; all this; taken as
        a whole
    """,
    ("none", ""): """
        no evidence for it that could be named; no evidence for it that can be named; no evidence for this that
        could be named; no evidence for that; no evidence for this;
        cannot name any evidence; can name no evidence; cannot name evidence; it cannot name any evidence for it; cannot
        name any evidence for it; cannot name any evidence for that; found no evidence that can be named; names no
        evidence; none of the evidence for it can be named; none of the evidence can be named; no evidence can be named;
        no evidence for it could be named; no evidence could be named; no evidence can be given; no evidence for it; no
        evidence is named; no evidence for it is named; no evidence that could be named; no evidence that can be named;
        no reason can be named; no reasons can be named; no reason for it can be named; no nameable evidence; nothing
        can be named; none can be named; no evidence was named; no evidence for this can be named; no evidence for it
        can be given; no supporting evidence can be named; no evidence for this could be named; no specific evidence can
        be named; none of its evidence can be named; no evidence for this answer can be named; no reasons for it can be
        named; no reason for this can be named; no evidence available; no evidence is available
    """,
    ("rest", "most"): """
        most of it is not named; most of it remains unnamed; most of it cannot be named; most of it is unnamed; most of
        the evidence is not named here; most of the evidence is not named; most of the evidence remains unnamed; most of
        it can't be named; most of the evidence cannot be named; most of it isn't named; most is not named here; most of
        it stays unnamed; most is not named; the larger part is not named here; the larger part of it is not named; the
        majority of it is not named; most of the evidence for it is not named here; most evidence is not named here; the
        larger part remains unnamed; most of it goes unnamed; more than half of it is not named; most remains unnamed;
        most of the evidence for it is not named; most of it is left unnamed; the bulk of it is not named here; the
        majority of the evidence is not named; more than half is not named; the bulk of it is not named
    """,
    ("rest", "some"): """
        the rest is not named here; the rest is not named; the rest remains unnamed; the rest is unnamed; the remainder
        is not named; the remainder is not named here; the rest cannot be named; the rest stays unnamed; the remaining
        evidence is not named; the remaining evidence is not named here; the rest of it is not named here; the rest
        comes from evidence that is not named here; the rest comes from other evidence; the rest of the evidence is not
        named here; the rest of the evidence is not named; the rest goes unnamed
    """,
    ("would", ""): "would; would have",
    ("loosely", ""): "loosely called",
    ("noun", ""): """
        regions; parts; areas; portions; sections; presence; existence; fact; scene; shot; aspects; details; position;
        area; region; portion; section; photograph; clue; reason; factor; feature; argument; point; cue; basis; verdict;
        guess; choice; decision; thing; category; prediction; output; result; conclusion; hand; part; side; picture;
        image; photo; network; model; classifier; class; label; concept; corner; corners; system; computer; ai; frame;
        clues; cues; factors; features; arguments; points; elements; things; concepts; findings; observations;
        indications; indication; indicator; indicators; signals; signal; considerations; contributions; contribution;
        case; weight; interpretation; opinion; view; judgment; judgement; assessment; classification; recognition;
        response; reply; question; explanation; impression
    """,
    ("glue", ""): """
        likewise; similarly;
        my evidence; others of;
        the rest of the named evidence; presence of; the presence of; the fact that; specifically; precisely;
        simply; basically; essentially; approximately; approx; circa; estimated; puts the; supporting neurons;
        as follows; in order; thing that; much of; i; we; our; some; such; both; here; how; when;
        as; due; thanks; therefore; thus; hence; so that; such as; including; include; includes; included; especially;
        particularly; in particular; namely; i.e; followed by; next; besides; apart from that; aside from that; on top
        of that; as well; as well as; plus; again; further; additional; additionally; other reasons; other reason; other
        evidence; another; another one; the other; one; one is; one of; one reason; each; every; first of all;
        secondly; thirdly; second; third; fourth; fifth; lastly; last; more support; more evidence; one more; more
        reasons; once more; what is more; what's more; even more; further more; present; located; situated; positioned;
        placed; seen; shown; found; discovered; spotted; noticed; observed; visible; seeing; finding; noticing;
        detecting; seen as; sits; sit; sat; lying; lie; lay; appears; appear; appeared; appearing; occur; occurs;
        occurring; stretching; stretches; stretch; spanning; spans; span; extending; extends; extend; running; runs;
        run; spread; spreads; filling; fills; fill; occupying; occupies; occupy; can be seen; can be found; is found;
        exists; exist; stands; stand; be; been; being; had; did; does; do; done; can; get; gets; got; went; go; goes;
        put; puts; give; gives; gave; given; giving; came; coming; take; takes; took; taken; use; uses; used; using;
        look; looks; looked; looking; make; makes; made; making; work; works; worked; play a part; play a role; plays a
        part; plays a role; played a part; played a role; a role; the role; contribute to; contributes to; contributed
        to; contributing to; add to; adds to; added to; adding to; add; adds; added; joins; join; joined; accompany;
        accompanied by; alongside; along with; together with; combined with; coupled with; paired with; in combination
        with; within; inside; upon; onto; out; off; over; up; down; beside; next to; toward; towards; close to; by the;
        per; via; through; throughout; at; respond; responds; responding; responded; react; reacts; reacting; detects;
        detect; detected; active; activates; activated; activate; activation; activated by; fires on; fires for; fires
        at; picks up on; looks for; recognizes; whatever; whichever; something; it there; there; led it there;
        that way; this way; that is why; this is why; which is why; reason why; the reason why; what made; what led;
        what; where; evidence; piece of evidence; pieces of evidence; line of evidence; bits of evidence; items of
        evidence; reasons; supporting; supportive; of the weight; rests; rest on; rested; hinges; depends; relies;
        speak; speaks; speaking; spoke; count; counts; argue; argues; says; say; tells; according to; consist of;
        consists of; consisted of; involving; involves; involve; come in; comes in; of course; in fact; that's; there's;
        here's; it's; what's; they're; itself; themselves; now; just as; also; too; in turn; all; for one; for another;
        same; neuron's; unnamed; without a name; with; without a trusted name; known; called; named; mentioned; listed;
        told; described; stated; noted; considering; looking at; when looking at; judging by; going by; on balance; in
        the picture; in this picture; in the image; in this image; in the photo; of the picture; of the image; of the
        photo; on the picture; in the frame; of the frame; the picture's; the image's; shown here; for this; for that;
        for it; to this; to it; in it; with it; about it; of it; on this; on it; of this; of that; of its; of their; of
        all; =; +; →; its own
    """,
    ("negation", ""): """
        all but; nothing but;
        non; anti; un; minus; excluding; excludes; exclude; ignoring; ignores; ignored; deny; denies; denied; doubt;
        doubts; doubtful; devoid; lacking; lacked; empty; zero; wouldn't; shouldn't; couldn't; hasn't; haven't; hadn't;
        ain't; no longer; anything but; far from; rather; less; fewer; false; falsely; wrongly; incorrectly
    """,
}

_NUMBERS = ("two", "three", "four", "five", "six", "seven", "eight")
_COUNTED = """
    reasons; things; clues; features; factors; arguments; points; cues; elements; neurons; concepts; pieces of evidence;
    pieces; items; of them; of these; together; supporting neurons; observations; more reasons; further reasons; other
    reasons; more things; other things; of which; findings; grounds; more pieces of evidence; supporting features; lines
    of evidence; in total; indications; aspects; details
"""
_BEFORE_COUNT = "these; those; all; the first; together these; together the; all of these; all these"

#: Fractions in words → percent; they may be off by one.
_FRACTIONS = {
    "half": 50, "one half": 50, "a half": 50, "two thirds": 66.667, "a third": 33.333,
    "one third": 33.333, "three quarters": 75, "three fourths": 75, "a quarter": 25, "one quarter": 25,
    "a fourth": 25, "a fifth": 20, "one fifth": 20, "two fifths": 40, "three fifths": 60,
    "four fifths": 80, "a tenth": 10, "one tenth": 10, "nine tenths": 90, "an eighth": 12.5,
    "a sixth": 16.667, "five sixths": 83.333, "three tenths": 30, "seven tenths": 70, "all": 100,
}  # fmt: skip
_OF = """
    of the evidence; of its evidence; of all evidence; of all the evidence; of the supporting evidence; of it; of what
    speaks; of the total evidence; of the case; of all supporting evidence; of the weight
"""


def _free() -> list[Entry]:
    said = spelled({("position", name): words for name, words in POSITIONS.items()})
    said += spelled(TOLD) + spelled(told_counts())
    for vertical, words in {"top": ("top", "upper"), "bottom": ("bottom", "lower")}.items():
        for side in ("left", "right"):
            tails = "; ".join(f"{word} {side} {tail}" for word in words for tail in CORNER_TAILS)
            said += spelled({("position", f"{vertical}-{side} corner"): tails})
    said += spelled({("backward", "for"): "; ".join(conjugated(FOR))})
    said += spelled({("backward", "against"): "; ".join(conjugated(AGAINST))})
    classes = conjugated(ANSWER)
    said += spelled({("class", ""): "; ".join(classes)})
    bases = [words for words in classes if words.split(" ")[0][-1] != "s"]
    did = ("did not", "does not", "didn't", "doesn't")
    said += spelled({("notclass", ""): "; ".join(f"{not_} {words}" for not_ in did for words in bases)})
    counted = [noun.strip() for noun in _COUNTED.split(";")]
    for number, word in enumerate(_NUMBERS, 2):
        phrases = [f"{word} {noun}" for noun in counted] + [f"{before} {word}" for before in _BEFORE_COUNT.split("; ")]
        phrases += [f"{before} {word} {noun}" for before in ("these", "the", "all", "all these") for noun in counted]
        said += spelled({("count", str(number)): "; ".join(phrases)})
    for fraction, value in _FRACTIONS.items():
        said += spelled({("fraction", str(value)): "; ".join(f"{fraction} {of}" for of in _OF.split(";"))})
    return said + spelled(_PHRASES)


class Words(NamedTuple):
    """Entries that begin with one word: the word alone, and by their second word those that go on, longest first.

    `only_glue`: alone it is glue, and changes nothing for the words after it.
    """

    alone: Entry | None
    longer: dict[str, tuple[Entry, ...]]
    only_glue: bool


def _lexicon() -> dict[str, Words]:
    found = {}
    for first, entries in entries_of(_free(), CORE).items():
        longer: dict[str, list[Entry]] = {}
        for entry in entries:
            if len(entry.tokens) > 1:
                longer.setdefault(entry.tokens[1], []).append(entry)
        alone = entries[-1] if len(entries[-1].tokens) == 1 else None
        only_glue = alone is not None and alone.kind == "glue" and first not in ("something", "whatever", "there")
        found[first] = Words(alone, {second: tuple(some) for second, some in longer.items()}, only_glue)
    return found


#: First word → entries; where the lists here and `vocabulary` have the same words, these decide.
LEXICON = _lexicon()

#: Every word of a place.
PLACE_WORDS = frozenset(word for entry in (*_free(), *CORE) if entry.kind == "position" for word in entry.tokens)
