"""What names by votes are worth: each part alone, and the whole, on pictures whose class is known.

The judge is Pearson's r between a neuron's pooled code and "the picture's class is one of these". AUC and recall fail
the sanity checks of NeuronEval (ICML 2025), which Pearson passes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nle_fast.dissect.groups import Groups
from nle_fast.dissect.votes import Proposal, propose, typical_of
from nle_fast.errors import InputError

__all__ = [
    "LEAST_PICTURES",
    "PART",
    "SURE",
    "WHOLE",
    "Judged",
    "StrictNames",
    "confident_classes",
    "correlations",
    "judge_both_ways",
    "share_told",
    "strict_names",
    "vote_figures",
]

#: What the whole name, and each part of it alone, must exceed; pictures of a part's classes that there must be.
WHOLE, PART, LEAST_PICTURES = 0.2, 0.15, 3
#: From so high a probability on another network's answer may stand for a label.
SURE = 0.8


@dataclass(frozen=True)
class StrictNames:
    """Names whose parts were kept on some pictures, judged on others.

    Attributes:
        proposal: What votes say, F neurons.
        kept: (F, 3) parts that hold where it is decided: r > .15 alone, on three pictures of their classes at least.
        decided: (F,) r of the kept parts together where it is decided; NaN without any.
        quality: (F,) the same on the pictures that judge; NaN without any, or where no picture varies.
        parts_quality: (F, 3) r of each part alone on the pictures that judge; NaN where fewer than three show it.
    """

    proposal: Proposal
    kept: NDArray[np.bool_]
    decided: NDArray[np.float64]
    quality: NDArray[np.float64]
    parts_quality: NDArray[np.float64]

    @property
    def named(self) -> NDArray[np.bool_]:
        """(F,): there is a name by the pictures that decide: a part holds, and the whole has r > .2."""
        return self.kept.any(1) & (self.decided > WHOLE)

    @property
    def holds(self) -> NDArray[np.bool_]:
        """(F,): there is a name, its whole has r > .2 and each of its parts r > .15 on the pictures that judge, too."""
        each = (self.parts_quality > PART) | ~self.kept
        return self.named & (self.quality > WHOLE) & each.all(1)

    @property
    def names(self) -> tuple[str | None, ...]:
        """F names, "what is typical of …"; None where there is none."""
        return _names(self.proposal, self.kept & self.named[:, None])


@dataclass(frozen=True)
class Judged:
    """The names that are given, with what they are worth.

    Attributes:
        proposal: What votes say, F neurons.
        kept: (F, 3) parts of the name; none: no name.
        quality: (F,) cross-fitted r of the whole; NaN where there is none.
        parts_quality: (F, 3) r of each part alone, mean of both halves; NaN where it could not be measured.
        names: F names; None where there is none.
    """

    proposal: Proposal
    kept: NDArray[np.bool_]
    quality: NDArray[np.float64]
    parts_quality: NDArray[np.float64]
    names: tuple[str | None, ...]


def correlations(codes: NDArray[np.floating], shown: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Pearson's r of each neuron's pooled codes (P, F) with its own yes or no (P, F); NaN where one does not vary."""
    codes, there = np.asarray(codes, np.float64), np.asarray(shown, np.float64)
    codes, there = codes - codes.mean(0), there - there.mean(0)
    scale = np.sqrt((codes**2).sum(0) * (there**2).sum(0))
    with np.errstate(invalid="ignore", divide="ignore"):
        found: NDArray[np.float64] = np.where(scale > 1e-12, (codes * there).sum(0) / scale, np.nan)
    return found


def strict_names(
    votes: NDArray[np.floating],
    groups: Groups,
    codes_decide: NDArray[np.floating],
    classes_decide: NDArray[np.integer],
    codes_judge: NDArray[np.floating],
    classes_judge: NDArray[np.integer],
    answers_decide: NDArray[np.integer] | None = None,
) -> StrictNames:
    """Names of which every part holds alone: kept on some pictures, measured on others.

    Args:
        votes: (F, K), see `votes.propose`.
        groups: Sets of the K classes.
        codes_decide: (P, F) pooled codes, or activations, of pictures that took no part in learning the features.
        classes_decide: (P,) the class of each, −1 where unknown: such pictures are left out.
        codes_judge: (Q, F) the same of other pictures.
        classes_judge: (Q,).
        answers_decide: (P,) the network's own answers on the pictures that decide, labelled or not, which then have
            their say in what is proposed, see `votes.propose`; None: votes alone.

    Raises:
        InputError: Shapes do not go together, or a class is out of range.
    """
    proposal = propose(votes, groups, None if answers_decide is None else codes_decide, answers_decide)
    codes_decide, classes_decide = _known(codes_decide, classes_decide, proposal)
    codes_judge, classes_judge = _known(codes_judge, classes_judge, proposal)
    r_parts, pictures = _parts(proposal, codes_decide, classes_decide)
    kept = (r_parts > PART) & (pictures >= LEAST_PICTURES)
    judged, seen = _parts(proposal, codes_judge, classes_judge)
    return StrictNames(
        proposal,
        kept,
        _whole(proposal, kept, codes_decide, classes_decide),
        _whole(proposal, kept, codes_judge, classes_judge),
        np.where(seen >= LEAST_PICTURES, judged, np.nan),
    )


def judge_both_ways(
    votes: NDArray[np.floating],
    groups: Groups,
    codes: NDArray[np.floating],
    classes: NDArray[np.integer],
    half: NDArray[np.integer],
    answers: NDArray[np.integer] | None = None,
) -> Judged:
    """The names to give: a part is kept if it holds in both halves, each for itself; quality is cross-fitted.

    Each half proposes and decides on a name of its own, which the other half measures, see `strict_names`; quality is
    the mean of the two measures, 0 for a half that decides on no name. So no picture measures a name that it helped to
    choose: what is measured is how well such names do. The name that is given is proposed by all pictures, keeps the
    parts that hold in both halves, and is given if the quality exceeds .2.

    Args:
        votes: As for `strict_names`.
        groups: Sets of the K classes.
        codes: (P, F) pooled codes of pictures that took no part in learning.
        classes: (P,), −1 where unknown.
        half: (P,) 0 or 1.
        answers: (P,) the network's own answers, see `strict_names`.
    """
    codes, classes, half = np.asarray(codes), np.asarray(classes), np.asarray(half)
    sides = [half == 0, half != 0]
    quality = np.zeros(len(votes))
    for decide, judge in (sides, sides[::-1]):
        say = None if answers is None else np.asarray(answers)[decide]
        way = strict_names(votes, groups, codes[decide], classes[decide], codes[judge], classes[judge], say)
        quality += np.where(way.named, np.nan_to_num(way.quality), 0) / 2
    proposal = propose(votes, groups, None if answers is None else codes, answers)
    measured = [_parts(proposal, *_known(codes[side], classes[side], proposal)) for side in sides]
    kept = (quality > WHOLE)[:, None] & (proposal.parts >= 0)
    for r, pictures in measured:
        kept &= (r > PART) & (pictures >= LEAST_PICTURES)
    parts = np.mean([r for r, _ in measured], 0)
    return Judged(proposal, kept, np.where(kept.any(1), quality, np.nan), parts, _names(proposal, kept))


def vote_figures(
    votes: NDArray[np.floating],
    groups: Groups,
    codes_judge: NDArray[np.floating],
    classes_judge: NDArray[np.integer],
    codes_decide: NDArray[np.floating] | None = None,
    answers_decide: NDArray[np.integer] | None = None,
) -> dict[str, NDArray[np.float64]]:
    """The looser figures, for tables: r of the best single set and r of the union, (F,) each, by pictures that judge.

    Args:
        votes: As for `strict_names`.
        groups: Sets of the K classes.
        codes_judge: (Q, F) of the pictures that judge.
        classes_judge: (Q,), −1 where unknown.
        codes_decide: (P, F) of other pictures, whose `answers_decide` have their say in what is proposed.
        answers_decide: (P,), as for `strict_names`.

    Returns:
        {"set", "union"}; 0 where nothing could be measured.
    """
    found = {}
    for name, most in (("set", 1), ("union", 3)):
        proposal = propose(votes, groups, codes_decide, answers_decide, max_parts=most)
        known, of = _known(codes_judge, classes_judge, proposal)
        found[name] = np.nan_to_num(_whole(proposal, proposal.parts >= 0, known, of))
    return found


def share_told(items: NDArray[np.integer], good: NDArray[np.bool_]) -> float:
    """Of the told items, neurons (any shape; −1 for none), the share of which `good` (F,) is true; NaN without any."""
    flat = np.asarray(items).ravel()
    flat = flat[flat >= 0]
    return float(np.asarray(good, bool)[flat].mean()) if len(flat) else float("nan")


def confident_classes(
    classes: NDArray[np.integer], probabilities: NDArray[np.floating], sure: float = SURE
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Known classes, and where none is known another network's answer, if it is sure of it.

    Args:
        classes: (P,), −1 where unknown.
        probabilities: (P, K) of the other network, over the same classes.
        sure: Least probability of its answer.

    Returns:
        (P,) classes, and (P,) which of them are such answers: say so in the record.
    """
    classes = np.asarray(classes, np.int64)
    answers = (classes < 0) & (probabilities.max(1) >= sure)
    return np.where(answers, probabilities.argmax(1), classes), answers


def _names(proposal: Proposal, kept: NDArray[np.bool_]) -> tuple[str | None, ...]:
    texts = proposal.groups.texts
    return tuple(
        typical_of([texts[part] for part, keep in zip(row, keeps, strict=True) if keep]) if keeps.any() else None
        for row, keeps in zip(proposal.parts.tolist(), kept, strict=True)
    )


def _known(
    codes: NDArray[np.floating], classes: NDArray[np.integer], proposal: Proposal
) -> tuple[NDArray[np.floating], NDArray[np.int64]]:
    """The pictures whose class is known, after a check."""
    codes, known = np.asarray(codes), np.asarray(classes).astype(np.int64)
    if codes.ndim != 2 or codes.shape[1] != len(proposal.parts) or known.shape != codes.shape[:1]:
        raise InputError(
            f"`codes` and `classes` must be (P, {len(proposal.parts)}) and (P,), got {codes.shape} and "
            f"{known.shape}; one row per picture."
        )
    if known.size and (known.max() >= proposal.groups.num_classes or known.min() < -1):
        raise InputError(
            f"`classes` must lie in −1 … {proposal.groups.num_classes - 1}, got {int(known.min())} … "
            f"{int(known.max())}; −1 where the class is unknown."
        )
    return codes[known >= 0], known[known >= 0]


def _parts(
    proposal: Proposal, codes: NDArray[np.floating], classes: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Of each part r alone and how many pictures are of its classes, (F, 3) each; NaN and 0 for none."""
    r, pictures = np.full(proposal.parts.shape, np.nan), np.zeros(proposal.parts.shape, np.int64)
    if not len(classes):
        return r, pictures
    shown = proposal.groups.sets[:, classes].T  # (P, S)
    for place in range(proposal.parts.shape[1]):
        rows = np.flatnonzero(proposal.parts[:, place] >= 0)
        of = shown[:, proposal.parts[rows, place]]
        r[rows, place], pictures[rows, place] = correlations(codes[:, rows], of), of.sum(0)
    return r, pictures


def _whole(
    proposal: Proposal, kept: NDArray[np.bool_], codes: NDArray[np.floating], classes: NDArray[np.int64]
) -> NDArray[np.float64]:
    """(F,) r of the kept parts together; NaN without any."""
    if not len(classes):
        return np.full(len(kept), np.nan)
    found = correlations(codes, proposal.members(kept)[:, classes].T)
    return np.where(kept.any(1), found, np.nan)
