"""The training of the embedded language model, end to end in a tiny setting, and the parts that it is made of."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest
from verbalizers_cases import CONCEPTS, LABELS, POSITION_NAMES, evidence, meaning

sys.path.insert(0, str(Path(__file__).parents[1]))

torch = pytest.importorskip("torch")
llama_cpp = pytest.importorskip("llama_cpp")

from nle_fast.errors import VerbalizerError  # noqa: E402
from nle_fast.verbalizers.grammar import lattice_of  # noqa: E402
from nle_fast.verbalizers.llama import EMBEDDED  # noqa: E402
from nle_fast.verbalizers.llama.prompt import MARKERS, PROMPT, compact  # noqa: E402
from training.verbalizer import card, corpus, evaluate, gguf, network, train, vocabulary  # noqa: E402
from training.verbalizer.generator import lattice_text, random_meaning  # noqa: E402
from training.verbalizer.soak import faults_of, odd_meaning  # noqa: E402

SETTINGS = replace(train.TINY, meanings=24, test_meanings=8, steps=6, save_every=3, pairs=8)
ODD = meaning(
    "zebra<plain>",
    [evidence(i, concept, 0.05, POSITION_NAMES[i % 20 : i % 20 + 2]) for i, concept in enumerate(CONCEPTS[-9:])],
    versus="犬の<end> “x”",
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    out = tmp_path_factory.mktemp("run")
    return out, train.train(SETTINGS, out, processes=1)


@pytest.fixture(scope="module")
def tokenizer(trained):
    return vocabulary.Tokenizer(vocabulary.Vocabulary.load(trained[0] / "vocabulary.json"))


@pytest.fixture(scope="module")
def tokenizer_of_file(trained):
    model = llama_cpp.Llama(str(trained[0] / "f16.gguf"), n_ctx=512, logits_all=True, verbose=False)
    yield model
    model.close()


def weights_of(out, tokens):
    made = network.Llama(tokens, SETTINGS.shape).eval()
    made.load_state_dict(torch.load(out / "last.pt", weights_only=True)["network"])
    return made


def test_markers_are_distinct_and_never_read_from_names():
    assert len(set(MARKERS)) == len(MARKERS)
    pieces = compact(ODD)
    assert {piece.text for piece in pieces if piece.marker} <= set(MARKERS)
    assert next(piece.text for piece in pieces if not piece.marker) == " “zebra<plain>”"
    for style in ("plain", "expert", "short"):
        for place in POSITION_NAMES:
            assert compact(meaning("a", [evidence(1, None, 0.3, (place,))], style=style))
    with pytest.raises(VerbalizerError, match="`positions`"):
        compact(meaning("a", [evidence(1, "b", 0.3, ("nowhere",))]))


def test_prompts_are_short(tokenizer):
    three = [
        evidence(1, "stripes", 0.4, ("center", "left")), evidence(2, None, 0.1), evidence(3, "sky", -0.1, ("top",)),
    ]  # fmt: skip
    assert len(compact(meaning("zebra", three, versus="horse"))) < 20  # pieces; names are a few tokens each


def test_llama_cpp_reads_markers_as_one_token_and_never_in_names(tokenizer, tokenizer_of_file):
    for number, marker in enumerate(MARKERS):
        assert tokenizer_of_file.tokenize(marker.encode(), add_bos=False, special=True) == [number]
        assert number not in tokenizer_of_file.tokenize(marker.encode(), add_bos=False, special=False)
    names = [token for piece in compact(ODD) if not piece.marker for token in tokenizer.text(piece.text)]
    assert min(names) >= len(MARKERS)


def test_segments_have_the_tokens_of_the_whole_text(tokenizer, tokenizer_of_file):
    rng = Random(5)
    cases = [random_meaning(rng) for _ in range(60)]
    cases += [
        meaning(rng.choice(LABELS), [evidence(7, concept, 0.2, ("top",))], style=style, versus="horse")
        for concept in CONCEPTS
        for style in ("plain", "expert", "short")
    ]
    for case in cases:
        walk, parts = lattice_of(case).walk(), []
        parts.append(walk.forced())
        while walk.options:
            taken = rng.randrange(len(walk.options))
            parts.append(walk.options[taken])
            walk.take(taken)
        tokens = [token for part in parts for token in tokenizer.text(part)]
        assert tokens == tokenizer_of_file.tokenize(walk.text.encode(), add_bos=False, special=False), parts
        assert tokenizer_of_file.detokenize(tokens).decode() == walk.text


def test_any_text_has_tokens(tokenizer):
    for text in (" 🦓", "İstanbul", " \u0915\u094d\u0937", "\t", " ١٢"):
        assert len(tokenizer.text(text)) >= 1


def test_exported_network_is_the_same_in_llama_cpp(trained, tokenizer, tokenizer_of_file):
    out, log = trained
    assert tokenizer_of_file.metadata["nle_fast.prompt"] == PROMPT
    made = weights_of(out, log["tokens"])
    case = random_meaning(Random(1), "plain")
    tokens = tokenizer.prompt(compact(case)) + tokenizer.text(lattice_of(case).first()[0])
    tokenizer_of_file.reset()
    tokenizer_of_file.eval(tokens)
    with torch.no_grad():
        ours = made(torch.tensor([tokens]))[0].numpy()
    theirs = tokenizer_of_file.scores[: len(tokens)]
    assert np.abs(ours - theirs).max() < 0.02 * np.abs(ours).max()
    assert (ours.argmax(1) == theirs.argmax(1)).mean() > 0.9


def test_eight_bits_are_what_llama_cpp_reads(trained, tokenizer):
    out, log = trained
    made = weights_of(out, log["tokens"])
    with torch.no_grad():
        for parameter in made.parameters():
            if parameter.ndim == 2:
                parameter.copy_(torch.from_numpy(gguf.unpacked_q8_0(parameter.numpy())))
        tokens = tokenizer.text("The network's answer is zebra.")
        ours = made(torch.tensor([tokens]))[0].numpy()
    model = llama_cpp.Llama(str(out / "q8_0.gguf"), n_ctx=64, logits_all=True, verbose=False)
    model.eval(tokens)
    assert np.abs(ours - model.scores[: len(tokens)]).max() < 0.05 * np.abs(ours).max()  # it rounds activations, too
    model.close()


def test_examples_mark_where_the_engine_chooses(tokenizer):
    rng = Random(2)
    for seed in range(30):
        case = random_meaning(Random(seed))
        lattice = lattice_of(case)
        text = lattice_text(lattice, rng)
        made = corpus.example(lattice, case, text, tokenizer)
        prompt = tokenizer.prompt(compact(case))
        assert made.tokens == [*prompt, *tokenizer.text(text), corpus.END]
        assert made.kinds[: len(prompt)] == [corpus.PROMPT] * len(prompt)
        branches = made.kinds.count(corpus.BRANCH)
        assert (branches > 0) == (lattice.count > 1)
        # As many decisions as it takes to tell this text from all others.
        late = corpus.example(lattice, case, text, tokenizer, start=len(text), whole=False)
        assert late.kinds.count(corpus.BRANCH) == 0


def test_a_climb_finds_texts_of_the_lattice():
    for seed in range(10):
        case = random_meaning(Random(seed), "plain")
        lattice = lattice_of(case)
        scores, start = corpus.climb(lattice, case, Random(0), corpus.beginning(lattice, seed % 3, Random(0)))
        assert len({text[:start] for text in scores}) == 1
        for text in list(scores)[:20]:
            walk = lattice.walk()
            walk.forced()
            while walk.options:
                walk.take(next(i for i, option in enumerate(walk.options) if text.startswith(option, len(walk.text))))
            assert walk.text == text


def test_the_loss_falls_and_the_log_says_what_was_done(trained):
    out, log = trained
    assert json.loads((out / "log.json").read_text()) == json.loads(json.dumps(log))
    assert [entry["step"] for entry in log["history"]] == [3, 6]
    assert log["history"][1]["text"] < log["history"][0]["text"]
    assert all(entry["choice"] > entry["choice_floor"] > 0 for entry in log["history"])
    assert log["corpus"]["examples"] >= SETTINGS.meanings


def test_a_stopped_training_goes_on(trained, tmp_path):
    out, log = trained
    half = train.Run(SETTINGS, log["tokens"])
    parts = [corpus.Corpus.load(path) for path in sorted((out / "corpus").glob("train-*.npz"))]
    whole = corpus.Corpus.joined(parts)
    order = train.batches(whole, SETTINGS, 0) + train.batches(whole, SETTINGS, 1) + train.batches(whole, SETTINGS, 2)
    for step in range(3):
        half.advance(whole, order[step])
    torch.save(half.state(), tmp_path / "half.pt")
    again = train.Run(SETTINGS, log["tokens"])
    again.restore(torch.load(tmp_path / "half.pt", weights_only=True))
    for step in range(3, 6):
        again.advance(whole, order[step])
    kept = torch.load(out / "last.pt", weights_only=True)["network"]
    for name, weight in again.network.state_dict().items():
        assert torch.allclose(weight, kept[name], atol=1e-5), name


def test_evaluation_measures_and_the_card_tells(trained):
    out, log = trained
    found = evaluate.evaluate(out, 6)
    assert found["rounding"]["f32"]["same_choice_as_f32"] == 1
    assert found["agreement"]["branch"]["random"] == 0.5
    assert found["agreement"]["branch"]["pairs"] + found["agreement"]["text"]["pairs"] == SETTINGS.pairs
    assert 0 < found["diversity"]["distinct_1"] <= 1
    assert found["quality"]["mean_score"]["best found"] >= found["quality"]["mean_score"]["random path"]
    assert found["quality"]["pytorch_writes_the_same"] > 0.5  # 16 bits may turn a near tie of an untrained network
    told = card.card(json.loads(json.dumps(log)), json.loads(json.dumps(found)), train.EMBEDDED)
    assert "$" not in told
    assert f"{log['weights']:,}" in told


def test_the_embedded_model_reads_our_prompts():
    model = llama_cpp.Llama(str(EMBEDDED), n_ctx=64, verbose=False)
    assert model.metadata["nle_fast.prompt"] == PROMPT
    for number, marker in enumerate(MARKERS):
        assert model.tokenize(marker.encode(), add_bos=False, special=True) == [number]
    model.close()
    assert EMBEDDED.stat().st_size <= 8_000_000


def test_the_card_is_made_of_the_results():
    folder = Path(card.__file__).parent
    log, found = (json.loads((folder / "results" / f"{name}.json").read_text()) for name in ("log", "evaluation"))
    assert (folder / "CARD.md").read_text(encoding="utf-8") == card.card(log, found, train.EMBEDDED)
    assert EMBEDDED.stat().st_size == log["bytes"][train.EMBEDDED]


def test_odd_names_are_told_and_read_back():
    rng = Random(3)
    for what in (odd_meaning(rng) for _ in range(400)):
        text, _ = lattice_of(what).choose(lambda options: rng.randrange(len(options)))
        assert faults_of(text, what) == [], text


@pytest.mark.parametrize("word", ["ONE", "counter", "Contra", "output", "relying", "result"])
def test_names_that_begin_words_of_the_checker(word):
    rng = Random(4)
    for style in ("plain", "expert", "short"):
        for winner in (True, False):
            what = replace(meaning(word, [evidence(1, word, 0.4, ("left",))], versus=word, style=style), winner=winner)
            for _ in range(40):
                text, _ = lattice_of(what).choose(lambda options: rng.randrange(len(options)))
                assert faults_of(text, what) == [], text
