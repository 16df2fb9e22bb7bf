"""Verbs of explaining, for the checker only; see `glossary`.

"speak/speaks for|in favor of" are all pairs of a form and a tail.
"""

from __future__ import annotations

__all__ = ["AGAINST", "ANSWER", "FOR", "conjugated"]

#: Verbs of support.
FOR = """
    tip/tips/tipped the scales|the balance; add/adds/added to it|to this|to that|to the case;
    speak/speaks/spoke/speaking for|in favor of|in its favor|in favour of|in support of|for; argue/argues/argued/arguing
    for|in favor of|in its favor|in favour of; point/points/pointed/pointing to|toward|towards|in the direction of;
    count/counts/counted/counting for|toward|towards|in favor of|in its favor|in favour of; lead/leads/led/leading the
    network to|it to|the model to|to|toward|the classifier to; make/makes/made/making the network|the model|the
    classifier|it recognize|it see|it answer|it choose|it predict; persuade/persuades/persuaded the
    network|the model|it|the classifier; convince/convinces/convinced the
    network|the model|it|the classifier; back/backs/backed it|this|that|the answer|up; drive/drives/drove the
    network|the model|the decision|this decision|the answer|this answer|this|it; push/pushes/pushed the network|it|the
    model|toward; lend/lends/lent support|weight; give/gives/gave it|support|evidence for; is/are/was/were evidence
    for|evidence of|a reason for|reasons for|an argument for|arguments for|in favor of|in its favor|arguments in favor
    of|an argument in favor of|a clue|clues|a sign of|why|the reason why|the reasons why|the reason|the
    reasons|responsible for|decisive|what made|reasons why|a reason why|what led|a reason|reasons|behind|why|the reasons
    for|the reason for; speak/speaks/argue/argues/count/counts toward
"""

#: Verbs of opposition.
AGAINST = """
    speak/speaks/spoke/speaking against; argue/argues/argued/arguing against|otherwise; weigh/weighs/weighed/weighing
    against; count/counts/counted/counting against; tell/tells/told/telling against; go/goes/went/going against;
    work/works/worked/working against; stand/stands/stood against; militate/militates against;
    point/points/pointed/pointing away from|against|the other way|elsewhere|in the other direction|in the opposite
    direction|in another direction|to something else; pull/pulls/pulled/pulling it the other way|the other way|away
    from|in the other direction|it in the other direction|against|the network the other way|in the opposite direction;
    push/pushes/pushed against|away from; say/says/said otherwise; suggest/suggests/suggested otherwise|something else;
    cast/casts doubt on; conflict/conflicts/conflicted with; run/runs/ran counter to; disagree/disagrees/disagreed with;
    detract/detracts/detracted from; object/objects to; speak/speaks for something else; make/makes/made it less
    likely|this less likely|the answer less likely|this answer less likely|that less likely; is/are/was/were evidence
    against|an argument against|arguments against|a reason against|reasons against|counter evidence|a
    counterargument|counterarguments|a counter argument|counter arguments|against|at odds with|in conflict with|opposed
    to; reduce/reduces/reduced its score|the score|support for; lower/lowers/lowered its score|the score
"""

#: Verbs before a label.
ANSWER = """
    answer/answers/answered/answering |with; choose/chooses/chose/chosen/choosing; pick/picks/picked;
    select/selects/selected; predict/predicts/predicted/predicting; recognize/recognizes/recognized/recognizing;
    recognise/recognises/recognised/recognising; identify/identifies/identified/identifying;
    classify/classifies/classified/classifying; label/labels/labeled/labelled; see/sees/saw/seeing; think/thinks/thought
    of|; believe/believes/believed; say/says/said; conclude/concludes/concluded; decide/decides/decided on|for|in favor
    of|that this is|; guess/guesses/guessed; settle/settles/settled on|for; opt/opts/opted for; take/takes/took/taken it
    for|it to be|this for|this to be|this picture for|the picture for|this image for|the image for|for|to be|to
    show|this picture to be|this as|it as; call/calls/called it|this; interpret/interprets/interpreted;
    categorize/categorizes/categorized; prefer/prefers/preferred; regard/regards/regarded; go/goes/went for; show/shows;
    look/looks/looked like; depict/depicts; report/reports/reported; make/makes/made this|it; come/comes/came to the
    answer|up with|to the conclusion|down on; end/ends/ended up with; land/lands/landed on; describe/describes/described
    this as|it as|the picture as; tag/tags/tagged; arrive/arrives/arrived at; consider/considers/considered;
    detect/detects/detected a|an; judge/judges/judged; give/gives/gave the answer; represent/represents a|an;
    assign/assigns/assigned; read/reads as; vote/votes/voted for; find/finds/found a|an
"""


def conjugated(verbs: str) -> list[str]:
    """All phrases of "speak/speaks for|against; …"."""
    found = []
    for verb in verbs.split(";"):
        forms, _, tails = " ".join(verb.split()).partition(" ")
        found += [f"{form} {tail}".strip() for form in forms.split("/") for tail in tails.split("|")]
    return found
