"""What any language model reads before it writes: instructions, one worked example, and the facts in plain words."""

from __future__ import annotations

from functools import lru_cache

from nle_fast.config import Style
from nle_fast.errors import VerbalizerError
from nle_fast.schema import Evidence, Meaning, Prediction
from nle_fast.verbalizers.language.phrases import Name, Names, names_of, percent
from nle_fast.verbalizers.llama.prompt import Piece
from nle_fast.verbalizers.template import TemplateVerbalizer

__all__ = ["chat_prompt", "facts_as_text", "instructions", "text_prompt"]

_SURE = {
    "certain": "is certain", "quite sure": "is quite sure", "thinks": "the network thinks",
    "guesses": "the network guesses", "hesitates": "hesitates between the answer and the next, but leans to the first",
}  # fmt: skip
_ASSUMED = {
    "outputs": "outputs were taken as logits",
    "preprocessing": "usual preprocessing was assumed",
    "conventions": "with other usual preprocessing, the answer would be {}",
}
_HERE = "␞facts␞"  # where the facts stand in a filled chat template


def text_prompt(meaning: Meaning, mistake: str = "") -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """Beginning, the same for all meaning representations of a style, and rest of a prompt; after it, " " and the text.

    Args:
        meaning: What will be said.
        mistake: What was wrong with a first text; empty: there was none.

    Example:
        >>> beginning, rest = text_prompt(_example("short"))
        >>> rest[0].text.splitlines()[-1]
        'Text:'
    """
    return (Piece(f"{instructions(meaning.style)}\n\n", False),), (Piece(f"{_asked(meaning, mistake)}Text:", False),)


def chat_prompt(meaning: Meaning, template: str, mistake: str = "") -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """The same as `text_prompt` as a user's message to an instruct model; after it, the model's answer.

    Args:
        meaning: What will be said.
        template: The model's chat template, in Jinja. Its special tokens are read as such; those in names are not.
        mistake: What was wrong with a first text; empty: there was none.

    Raises:
        VerbalizerError: The template cannot be filled.
    """
    before, after = _filled(template, meaning.style)
    return (Piece(before, True),), (Piece(_asked(meaning, mistake).rstrip("\n"), False), Piece(after, True))


def facts_as_text(meaning: Meaning) -> str:
    """The facts of a meaning representation, one per line, in the words that the text must use.

    Example:
        >>> print(facts_as_text(_example("short")), end="")
        answer: zebra
        for: stripes; where: center, left
        for: a dog face; where: top
        against: grass; where: bottom
    """
    names, facts = names_of(meaning), {fact.id for fact in meaning.facts}
    decimals = 1 if meaning.style == "expert" else 0
    lines = _answer_lines(meaning, names, facts, decimals)
    for rank, leader, supports, places in meaning.told:
        item, name = meaning.evidence[rank], names.concepts[leader]
        line = f"{'for' if supports else 'against'}: {_words(meaning, item, name)}"
        if f"evidence.{rank}.neuron" in facts:
            line += f"; {item.kind} {item.neuron}"
        if f"evidence.{rank}.share" in facts:
            line += f"; share {percent(item.share, decimals)}"
        if places:
            line += f"; where: {', '.join(places)}"
        if f"evidence.{rank}.photos" in facts:
            line += f"; in {percent((item.photos or 0) / max(1, meaning.photos or 1), 0)} of its photos"
        lines.append(line)
    lines += _amount_lines(meaning, facts, decimals)
    return "\n".join(lines) + "\n"


def _answer_lines(meaning: Meaning, names: Names, facts: set[str], decimals: int) -> list[str]:
    lines = [f"{'answer' if meaning.winner else 'not the answer'}: {names.target.text}"]
    if "photos" in facts:
        lines.append(f"photos: {meaning.photos}")
    if "certainty" in facts:
        lines.append(f"how sure: {_SURE[meaning.doubt or 'thinks']}")
    if "probability" in facts:
        lines.append(f"probability: {percent(meaning.target.probability, decimals)}")
    for role, lead, other in (("answer", "the answer is", meaning.answer), ("runner_up", "next", meaning.runner_up)):
        if role in facts and other is not None:
            number = f" ({percent(other.probability, decimals)})" if f"{role}.probability" in facts else ""
            lines.append(f"{lead}: {names.others[role].text}{number}")
    if names.versus is not None:
        lines.append(f"rather than: {names.versus.text}")
    if "layer" in facts:
        lines.append(f"in: {names.layer.text}")
    return lines


def _amount_lines(meaning: Meaning, facts: set[str], decimals: int) -> list[str]:
    names, lines = names_of(meaning), []
    if "coverage" in facts:
        lines.append(f"together: {percent(meaning.coverage, decimals)} of the evidence for it")
    if "unnamed" in facts:
        unnamed = sum(item.share for item in meaning.evidence if item.concept is None and item.supports)
        lines.append(f"of this without a name: {percent(unnamed, decimals)}")
    small = [meaning.evidence[rank].share for rank in meaning.counted] if "counted" in facts else []
    for side, shares in (("add", [s for s in small if s >= 0]), ("speak against it", [s for s in small if s < 0])):
        if shares:
            many = f"{len(shares)} smaller {'piece' if len(shares) == 1 else 'pieces'}"
            lines.append(f"{many} {side}{f' {percent(sum(shares), decimals)}' if side == 'add' else ''}")
    if "unexplained" in facts:
        side = "for" if meaning.unexplained > 0 else "against"
        lines.append(f"what no feature explains: {percent(abs(meaning.unexplained), decimals)} {side} it")
    also = [names.others[role].text for role in names.others if role.startswith("label.")]
    lines += [f"also answers: {', '.join(also)}"] if also else []
    if "seen" in facts and meaning.seen is not None:
        lines.append(f"the network saw: the middle {percent(meaning.seen, 0)} of the picture")
    for i, what in enumerate(meaning.assumed):
        if f"assumed.{i}" in facts:
            other = names.others[f"assumed.{i}"].text if f"assumed.{i}" in names.others else "another"
            lines.append(_ASSUMED[what.kind].format(other))
    return lines


def _words(meaning: Meaning, item: Evidence, name: Name | None) -> str:
    if name is not None:
        return name.text if item.judged else name.perhaps
    return f"{item.kind} {item.neuron}" if meaning.style == "expert" else "something without a name"


@lru_cache(maxsize=8)
def instructions(style: Style) -> str:
    """What to do, and one worked example."""
    example = _example(style)
    text = TemplateVerbalizer().verbalize(example).text
    return f"Say each fact once, in these words, and nothing else.\n\n{facts_as_text(example)}Text: {text}"


def _asked(meaning: Meaning, mistake: str) -> str:
    return facts_as_text(meaning) + (f"A first text was wrong: it {mistake}.\n" if mistake else "")


@lru_cache(maxsize=8)
def _filled(template: str, style: Style) -> tuple[str, str]:
    """A chat template with the instructions, cut where the facts go."""
    from jinja2.exceptions import TemplateError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    def refuse(why: str) -> None:
        raise TemplateError(why)

    content = f"{instructions(style)}\n\nNow say these facts.\n\n{_HERE}"
    try:
        environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
        filled = environment.from_string(template).render(
            messages=[{"role": "user", "content": content}], add_generation_prompt=True, bos_token="", eos_token="",
            raise_exception=refuse,
        )  # fmt: skip
    except Exception as error:  # a foreign program: any error may come out of it
        raise _unusable(f"it failed: {error}") from error
    before, here, after = filled.partition(_HERE)
    if not here or _HERE in after:
        raise _unusable("it does not show the message once")
    return before, after


def _unusable(why: str) -> VerbalizerError:
    return VerbalizerError(
        f"`verbalizer` must have a chat template that takes a user's message, but {why}; use mode='lattice'."
    )


def _example(style: Style) -> Meaning:
    def item(neuron: int, concept: str, share: float, *positions: str) -> Evidence:
        return Evidence(neuron, concept, None, 10 * share, share, share > 0, positions, ())

    evidence = (
        item(431, "stripes", 0.42, "center", "left"),
        item(12, "dog face", 0.2, "top"),
        item(7, "grass", -0.05, "bottom"),
    )
    return Meaning(Prediction(340, "zebra", 0.92, 12.0), None, evidence, 0.62, "layer4", style)
