from __future__ import annotations

import gc
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from fakes import Colors, preprocess, scene, write_bundle_of

import nle_fast as nle
from nle_fast.schema import Utterance
from nle_fast.verbalizers import TemplateVerbalizer

NAMES = ["red", "orange things", None, "sky", "grass", "water", "stripes", "night"]


def make(**options):
    options = {"labels": ["ball", "sea", "wood"], "preprocess": preprocess(), "verbalizer": "template"} | options
    return nle.Explainer(Colors(), **options)


def same(first, second):
    assert first.text == second.text
    assert first.spans == second.spans
    assert first.evidence == second.evidence
    assert first.prediction == second.prediction


def test_scores_and_bias_sum_to_the_logit():
    explainer = make(config=nle.Config(top_k=8, against=True))
    for seed in range(10):
        explanation = explainer(scene(seed))
        bias = explainer.classifier.bias[explanation.prediction.index]
        assert sum(item.score for item in explanation.evidence) + bias == pytest.approx(
            explanation.prediction.logit, abs=1e-4
        )


def test_mask_changes_the_logit_by_the_score():
    explainer = make(config=nle.Config(top_k=8, against=True))
    explanation = explainer(scene(1))
    label = explanation.prediction.label
    for item in explanation.evidence:
        masked = explainer.mask(scene(1), [item.neuron], target=label)
        assert explanation.prediction.logit - masked.logit == pytest.approx(item.score, abs=1e-5)
        assert masked.label == label
    assert explainer.mask(scene(1), {2, 3}) == explainer.mask(scene(1), np.asarray([2, 3], np.uint8))
    nothing = explainer.mask(scene(1), [])
    assert nothing.logit == pytest.approx(explanation.prediction.logit, abs=1e-6)
    everything = explainer.mask(scene(1), range(8))
    assert everything.index == int(explainer.classifier.bias.argmax()), "without a target the new winner is read"


def test_evidence_is_ordered_and_shares_add_up():
    explanation = make(config=nle.Config(top_k=8, against=True, style="expert"))(scene(2))
    supporting = [item for item in explanation.evidence if item.supports]
    opposing = [item for item in explanation.evidence if not item.supports]
    assert [item.score for item in supporting] == sorted((item.score for item in supporting), reverse=True)
    assert [item.score for item in opposing] == sorted(item.score for item in opposing)
    assert explanation.coverage == pytest.approx(1.0), "all neurons are named"
    assert sum(item.share for item in supporting) == pytest.approx(1.0)
    assert explanation.evidence == tuple(supporting + opposing)


def test_versus_explains_the_difference_of_two_logits():
    explainer = make(config=nle.Config(top_k=8, against=True))
    explanation = explainer(scene(3), target="sea", versus="wood")
    assert (explanation.target.label, explanation.versus.label) == ("sea", "wood")
    bias = explainer.classifier.bias[1] - explainer.classifier.bias[2]
    difference = explanation.target.logit - explanation.versus.logit
    assert sum(item.score for item in explanation.evidence) + bias == pytest.approx(difference, abs=1e-4)
    assert explanation.prediction.index == explainer(scene(3)).prediction.index, "the winner stays the winner"
    assert "sea" in explanation.text
    assert "wood" in explanation.text


def test_targets_by_index_and_bad_targets():
    explainer = make()
    same(explainer(scene(), target=1), explainer(scene(), target="sea"))
    same(explainer(scene(), target=np.int64(1)), explainer(scene(), target="sea"))
    for bad in ({"target": "see"}, {"target": 3}, {"target": -1}, {"versus": 9}, {"target": 1, "versus": 1}):
        with pytest.raises(nle.InputError):
            explainer(scene(), **bad)
    with pytest.raises(nle.InputError, match="differ"):
        explainer(scene(), versus=explainer(scene()).prediction.label)


def test_batch_equals_one_by_one_for_pictures_of_any_size():
    explainer = make(concepts=nle.Concepts.from_names(NAMES, layer="colors"))
    pictures = [scene(seed, 64 + 16 * seed, 80) for seed in range(5)]
    targets, versus = [None, "sea", None, 2, 0], [None, "ball", None, None, 1]
    for one, (picture, target, other) in zip(
        explainer.batch(pictures, targets, versus), zip(pictures, targets, versus, strict=True), strict=True
    ):
        alone = explainer(picture, target=target, versus=other)
        # NumPy's own matrix product rounds differently for one row and for five.
        assert (one.text, one.spans) == (alone.text, alone.spans)
        assert [item.regions for item in one.evidence] == [item.regions for item in alone.evidence]
        assert one.prediction.logit == pytest.approx(alone.prediction.logit, rel=1e-5)
        assert one.picture.size == picture.shape[1::-1]
    assert explainer.batch([]) == []
    for wrong in ([None], "ball"):
        with pytest.raises(nle.InputError, match="one entry"):
            explainer.batch(pictures, targets=wrong)


def test_texts_of_a_batch_are_written_together():
    calls = []

    class Together(TemplateVerbalizer):
        def batch(self, meanings):
            calls.append(len(meanings))
            return [self.verbalize(meaning) for meaning in meanings]

    explainer = make(verbalizer=Together())
    together = explainer.batch([scene(seed) for seed in range(4)])
    assert calls == [4]
    assert together[2].text == explainer(scene(2)).text


@pytest.fixture
def unsaid(monkeypatch):
    """Explanations without words, for what does not hang on them."""

    def speak_all(verbalizer, meanings):
        return [Utterance("", (), "nobody") for _ in meanings]

    monkeypatch.setattr("nle_fast.explainer.speak_all", speak_all)


def test_what_the_meaning_tells_of_the_answer(unsaid):
    explainer = make(config=nle.Config(certain=1, quite_sure=1, thinks=1))
    own = explainer(scene(3))
    probabilities = {label: explainer.mask(scene(3), [], target=label).probability for label in ("ball", "sea", "wood")}
    first, second, third = sorted(probabilities, key=probabilities.get, reverse=True)
    assert (own.prediction.label, own.runner_up.label) == (first, second)
    assert own.runner_up.probability == pytest.approx(probabilities[second])
    hesitates = probabilities[second] >= 0.6 * probabilities[first]
    assert own.meaning.certainty == ("hesitates" if hesitates else "guesses")
    for target in (second, third):
        other = explainer(scene(3), target=target)
        assert (other.meaning.answer, other.meaning.certainty) == (own.prediction, "guesses")
        assert other.runner_up.label == second, "next to the answer, whichever class is explained"
        assert nle.Explanation.from_json(other.to_json()) == other
    assert (
        make(config=nle.Config(certain=0, quite_sure=0, thinks=0, hesitates=1))(scene(3)).meaning.certainty == "certain"
    )


def test_small_pieces_are_counted_only_without_numbers(unsaid):
    pictures = [scene(seed) for seed in range(12)]
    explanations = make(config=nle.Config(top_k=8, against=True)).batch(pictures)
    assert any(explanation.meaning.counted for explanation in explanations)
    for explanation in explanations:
        told = {item.rank for item in explanation.meaning.told}
        for rank, item in enumerate(explanation.evidence):
            assert (rank in told) == (rank == 0 or abs(item.share) >= 0.02)
        shares = [explanation.evidence[rank].share for rank in told if explanation.evidence[rank].supports]
        assert explanation.coverage == pytest.approx(min(1, sum(shares)))
        assert nle.Explanation.from_json(explanation.to_json()) == explanation
    for explanation in make(config=nle.Config(top_k=8, against=True, style="expert")).batch(pictures):
        assert explanation.meaning.counted == ()


def test_a_crop_of_less_than_half_is_told(unsaid):
    wide, square = make().batch([scene(0, 160, 64), scene(0, 96, 64)])
    assert wide.meaning.seen == pytest.approx(0.4)
    assert square.meaning.seen is None
    assert wide.to_dict()["meaning"]["seen"] == pytest.approx(0.4)


def test_words_that_nobody_judged(unsaid):
    names = [f"what is typical of {name}" for name in ("balls", "seas", "sea and wood", "a", "b", "c", "d", "e")]
    table = nle.Concepts(
        tuple(names), (None, 0.5) * 4, "colors", sources=("votes",) * 8, classes=((0,), (1,), (1, 2), *[None] * 5)
    )
    explainer = make(concepts=table, config=nle.Config(top_k=8, against=True))
    for target in (0, 1, 2):
        words = {item.neuron: item for item in explainer(scene(4), target=target).evidence}
        assert {neuron: item.judged for neuron, item in words.items()} == {n: n % 2 == 1 for n in words}
        if 2 in words:
            common = "what sea and wood have in common" if target else "what is typical of sea and wood"
            assert words[2].concept == common


@pytest.mark.parametrize("frames", [scene(0), "photo.jpg", b"picture", None, 5])
def test_stream_refuses_one_picture_rather_than_taking_it_apart(frames):
    with pytest.raises(nle.InputError, match="`frames` must be several"):
        make().stream(frames)


def test_stream_is_lazy_and_holds_one_frame():
    taken = []

    def frames():
        for seed in range(100):
            taken.append(seed)
            yield scene(seed)

    explainer = make()
    stream = explainer.stream(frames())
    assert taken == []
    same(next(stream), explainer(scene(0)))
    assert taken == [0]
    stream.close()


def test_regions_lie_in_the_picture_and_follow_the_thing():
    picture = np.full((120, 240, 3), 0, np.uint8)
    picture[80:115, 160:200] = 255
    explanation = make(config=nle.Config(top_k=3))(picture)
    assert explanation.evidence
    for item in explanation.evidence:
        left, top, right, bottom = item.regions[0].bbox
        assert 145 <= left < right <= 215
        assert 65 <= top < bottom <= 120
        assert 172 < item.regions[0].centroid[0] < 188


def test_everywhere_on_is_the_entire_image():
    explanation = make()(np.full((60, 160, 3), 200, np.uint8))
    assert explanation.evidence
    assert all(item.positions == ("entire image",) for item in explanation.evidence)


def test_mirroring_swaps_left_and_right():
    explainer = make(config=nle.Config(top_k=8))
    swap = {"left": "right", "right": "left"}
    for seed in range(20):
        picture = scene(seed, 64, 64)
        plain, mirrored = explainer(picture), explainer(picture[:, ::-1].copy())
        for item, other in zip(plain.evidence, mirrored.evidence, strict=True):
            assert item.neuron == other.neuron
            turned = {re.sub(r"left|right", lambda m: swap[m[0]], name) for name in item.positions}
            assert turned == set(other.positions)


def test_paper_setting():
    explainer = make(config=nle.Config(top_k=4, score="max", position_rule="any"))
    explanation = explainer(scene(4))
    activations = explainer.classifier.activations(explainer.preprocess([nle.load_picture(scene(4))]))
    gradients = explainer.classifier.gradients(activations, [explanation.prediction.index])
    published = np.maximum(activations * gradients[:, :, None, None], 0).max((2, 3))[0]
    order = [n for n in np.argsort(-published, kind="stable")[:4] if published[n] > 0]
    assert [item.neuron for item in explanation.evidence] == order
    assert nle.Config.paper().top_k == 10


def test_concepts_are_used_or_refused(tmp_path):
    explainer = make(concepts=nle.Concepts.from_names(NAMES, layer="colors"), config=nle.Config(top_k=8))
    for item in explainer(scene()).evidence:
        assert item.concept == NAMES[item.neuron]
    poor = nle.Concepts(tuple(NAMES), (0.1,) * 8, "colors", min_quality=0.5)
    for item in make(concepts=poor)(scene()).evidence:
        assert (item.concept, item.quality) == (None, 0.1)
    path = tmp_path / "concepts.json"
    nle.Concepts.from_names(NAMES, layer="colors").save(path)
    assert make(concepts=path).concepts == nle.Concepts.from_names(NAMES, layer="colors")
    for wrong in (nle.Concepts.from_names(NAMES, layer="other"), nle.Concepts.from_names(NAMES[:7], layer="colors")):
        with pytest.raises(nle.ConceptsError):
            make(concepts=wrong)


def test_more_neurons_than_there_are_is_said_once():
    with pytest.warns(nle.NleWarning, match="clipped to the 8"):
        explainer = make(config=nle.Config(top_k=50))
    assert len(explainer(scene()).evidence) <= 8


def test_timings_and_provenance():
    explanation = make()(scene())
    stages = ["preprocess", "classify", "score", "regions", "meaning", "verbalize", "total"]
    assert list(explanation.timings) == stages
    assert explanation.timings["total"] == pytest.approx(sum(explanation.timings[s] for s in stages[:-1]))
    provenance = explanation.provenance
    assert (provenance["network"], provenance["layer"]) == ("Colors", "colors")
    assert provenance["verbalizer"] == {"asked": "template", "used": "template", "note": ""}
    assert provenance["config"]["top_k"] == 5
    assert provenance["versions"]["numpy"] == np.__version__
    by_model = make(verbalizer="llama")(scene()).provenance["verbalizer"]
    assert by_model == {"asked": "llama", "used": "llama", "note": ""}
    with nle.Llama(timeout_s=1e-6) as hasty:
        too_late = make(verbalizer=hasty)(scene()).provenance["verbalizer"]
    assert (too_late["asked"], too_late["used"]) == ("llama", "template")
    assert "`timeout_s`" in too_late["note"]


def test_a_network_that_breaks_down_is_to_blame_not_the_picture():
    class Broken(Colors):
        def activations(self, images):
            return super().activations(images) * np.float32(np.nan)

    explainer = nle.Explainer(Broken(), preprocess=preprocess(), verbalizer="template")
    for ask in (explainer, lambda picture: explainer.mask(picture, [1])):
        with pytest.raises(nle.ModelError, match="must give finite logits"):
            ask(scene())


def test_logits_may_lie_in_memory_in_any_way():
    class Turned(Colors):
        def logits(self, activations):
            return np.asfortranarray(super().logits(activations))

    explainer = nle.Explainer(Turned(), preprocess=preprocess(), verbalizer="template")
    plain = nle.Explainer(Colors(), preprocess=preprocess(), verbalizer="template")
    pictures = [scene(1), scene(2)]
    for one, other in zip(explainer.batch(pictures, certify=True), plain.batch(pictures, certify=True), strict=True):
        assert one.prediction == other.prediction
        assert one.certificate.logit_drop == pytest.approx(other.certificate.logit_drop, abs=1e-6)


def test_bad_neurons_and_labels():
    explainer = make()
    for neurons in ([8], [-1], [1.5], [True], ["a"], 3, [[1, 2]], None):
        with pytest.raises(nle.InputError, match="`neurons` must"):
            explainer.mask(scene(), neurons)
    with pytest.raises(nle.InputError, match="`labels` must"):
        make(labels=["a", "b"])


def small_explainer(kind, folder):
    """The engine on a NumPy classifier, a torch module (backward through its head) and an ONNX file."""
    if kind == "numpy":
        return make(concepts=nle.Concepts.from_names(NAMES, layer="colors"))
    if kind == "onnx":
        return nle.Explainer.load(write_bundle_of(folder / "bundle"), verbalizer="template")
    import networks

    case = next(case for case in networks.CASES if case.name == "squeezenet")
    pre = nle.Preprocess(size=case.size[0], resize=case.size[0])
    return nle.Explainer(networks.build(case), preprocess=pre, verbalizer="template")


KINDS = ["numpy", "torch", "onnx"]


@pytest.mark.parametrize("kind", KINDS)
def test_eight_threads_equal_the_serial_ones(kind, tmp_path):
    explainer = small_explainer(kind, tmp_path)
    pictures = [scene(seed) for seed in range(50)]
    serial = [explainer(picture) for picture in pictures]
    with ThreadPoolExecutor(8) as pool:
        runs = list(pool.map(lambda _: [explainer(picture) for picture in pictures], range(8)))
    for run in runs:
        for one, other in zip(serial, run, strict=True):
            same(one, other)


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="reads the process's size from Linux's /proc")
@pytest.mark.parametrize("kind", KINDS)
def test_memory_stays_where_it_is(kind, tmp_path):
    def resident_mb():
        gc.collect()
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6

    explainer = small_explainer(kind, tmp_path)
    pictures = [scene(seed) for seed in range(10)]
    for i in range(100):
        explainer(pictures[i % 10]).to_json()
    before = resident_mb()
    for i in range(2000):
        explainer(pictures[i % 10]).to_json()
    assert resident_mb() - before < 20


def test_a_torch_model_is_left_as_it_was():
    import networks
    import torch

    case = next(case for case in networks.CASES if case.name == "resnet_inplace")
    model = networks.build(case).train()
    for parameter in list(model.parameters())[::2]:
        parameter.requires_grad_(False)
    next(model.parameters()).grad = torch.ones_like(next(model.parameters()))

    def state():
        flags = [
            (module.training, len(module._forward_hooks), len(module._backward_hooks), len(module._forward_pre_hooks))
            for module in model.modules()
        ]
        values = [tensor.clone() for tensor in model.state_dict().values()]
        return (
            flags,
            [p.requires_grad for p in model.parameters()],
            [p.grad is None for p in model.parameters()],
            values,
        )

    failing = []

    def fail(module, inputs):
        if failing:
            raise ZeroDivisionError("inside the forward")

    model.layer3.register_forward_pre_hook(fail)
    before = state()
    explainer = nle.Explainer(model, preprocess=nle.Preprocess(size=40, resize=40), verbalizer="template")
    for seed in range(5):
        explainer(scene(seed))
    explainer.mask(scene(), [0, 1])
    failing.append(True)
    with pytest.raises(nle.BackendError):
        explainer(scene())
    after = state()
    assert before[:3] == after[:3]
    assert all(torch.equal(one, other) for one, other in zip(before[3], after[3], strict=True))


def test_import_loads_nothing_heavy():
    heavy = ["torch", "triton", "onnx", "onnxruntime", "llama_cpp", "PIL", "rich", "typer", "jsonschema"]
    code = f"import sys, nle_fast; nle_fast.Config(); print([m for m in {heavy!r} if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_public_names():
    assert nle.__all__ == sorted(nle.__all__)
    for name in nle.__all__:
        assert getattr(nle, name) is not None
    assert set(nle.__all__) <= set(dir(nle))
    assert len(nle.world.LABELS) == 24
    with pytest.raises(AttributeError):
        nle.nothing
