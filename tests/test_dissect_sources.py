"""What users bring: masks, labelled pictures, an encoder; read as they are meant, or refused in one line."""

from __future__ import annotations

import json

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from planted import edit_index, write_index

from nle_fast.dissect import DualEncoder, LabelledPictures, MaskFolder
from nle_fast.dissect.probe import JUDGE, Probe, ProbeSet
from nle_fast.dissect.similarity import soft_wpmi
from nle_fast.errors import ConfigError, InputError, NleError

WHOLE = (0.0, 0.0, 8.0, 4.0)


@pytest.fixture
def folder(tmp_path):
    """Four pictures of 8 × 4 pixels: a wing that may be red, grass, and a texture."""
    left = np.zeros((4, 8), np.uint8)
    left[:, :4] = 1
    red = np.full((4, 8), 2, np.uint16)
    red[:, 6:] = 0
    masks = {"a": left, "b": red, "c": left * 4, "d": np.full((4, 8), 3, np.uint8)}
    for name, mask in masks.items():
        Image.fromarray(np.full((4, 8, 3), 90, np.uint8)).save(tmp_path / f"{name}.png")
        Image.fromarray(mask).save(tmp_path / f"{name}_mask.png")
    sources = [("a", "birds"), ("b", "birds"), ("c", "land"), ("d", "cloth")]
    write_index(
        tmp_path,
        {
            "concepts": [
                {"id": 1, "name": "wing", "category": "part"},
                {"id": 2, "name": None, "also": [1, 5]},
                {"id": 3, "name": "woven", "category": "texture"},
                {"id": 4, "name": "grass"},
                {"id": 5, "name": "red wing"},
            ],
            "sources": {
                "birds": {"concept_ids": [1, 2], "zero_means": "ignore"},
                "land": {"concept_ids": [4], "zero_means": "negative"},
                "cloth": {"concept_ids": [3], "zero_means": "whole-image"},
            },
            "images": [{"file": f"{n}.png", "mask": f"{n}_mask.png", "source": s} for n, s in sources],
        },
    )
    return tmp_path


def read(folder, side=4, windows=(WHOLE,) * 4, sizes=((8, 4),) * 4):
    masks = MaskFolder(folder)
    return masks, masks.read(sizes, windows, side)


def test_masks_say_what_their_sources_know(folder):
    masks, table = read(folder)
    assert [word.text for word in masks.words] == ["wing", "woven", "grass", "red wing"]
    assert masks.words[0].category == "part"
    presence = table.presence
    nan = np.nan
    expected = [[1, nan, nan, 0], [1, nan, nan, 1], [nan, nan, 0.5, nan], [nan, 1, nan, nan]]
    np.testing.assert_array_equal(presence, np.array(expected, np.float32))
    assert table.labels.tolist() == (~np.isnan(presence)).tolist()
    assert (table.codes[0] == 0).mean() == 0.5, "unknown where the source ignores 0"
    assert (table.codes[2] == 1).mean() == 0.5, "known to be nothing where 0 is negative"
    assert table.meanings[table.codes[1][0, 0]] == (0, 3)


def test_masks_are_sampled_where_the_classifier_looks(folder):
    _, table = read(folder, windows=((4.0, 0.0, 8.0, 4.0),) * 4)
    assert np.isnan(table.presence[0]).all(), "all that it sees is unknown"
    assert table.presence[2, 2] == 0
    Image.fromarray(np.kron(np.array([[4, 0]], np.uint8), np.ones((9, 9), np.uint8))).save(folder / "c_mask.png")
    assert read(folder)[1].presence[2, 2] == 0.5, "a mask may have another size of the same shape"


BAD_INDEX = {
    "no list": lambda d: d.pop("concepts"),
    "id twice": lambda d: d["concepts"].append({"id": 1, "name": "x"}),
    "id 0": lambda d: d["concepts"].append({"id": 0, "name": "x"}),
    "id of text": lambda d: d["concepts"].append({"id": "7", "name": "x"}),
    "empty name": lambda d: d["concepts"].append({"id": 9, "name": " "}),
    "no name at all": lambda d: [entry.update(name=None) for entry in d["concepts"]],
    "also unknown": lambda d: d["concepts"][0].update(also=[99]),
    "source's unknown id": lambda d: d["sources"]["land"]["concept_ids"].append(77),
    "zero": lambda d: d["sources"]["land"].update(zero_means="maybe"),
    "no zero": lambda d: d["sources"]["land"].pop("zero_means"),
    "unknown source": lambda d: d["images"][0].update(source="sea"),
    "no images": lambda d: d["images"].clear(),
    "no mask": lambda d: d["images"][0].pop("mask"),
    "missing picture": lambda d: d["images"][0].update(file="none.png"),
    "missing mask": lambda d: d["images"][0].update(mask="none.png"),
    "outside": lambda d: d["images"][0].update(mask="../outside.png"),
    "half": lambda d: d["images"][0].update(half="both"),
}


@pytest.mark.parametrize("what", BAD_INDEX)
def test_a_bad_index_is_refused(folder, what):
    (folder.parent / "outside.png").write_bytes((folder / "a_mask.png").read_bytes())
    edit_index(folder, BAD_INDEX[what])
    with pytest.raises(InputError, match=r"index\.json"):
        MaskFolder(folder)


def test_a_broken_index_is_refused(folder, tmp_path_factory):
    for text in ("{", "[" * 100_000, "[]", '"a"'):
        (folder / "index.json").write_text(text)
        with pytest.raises(InputError, match=r"index\.json"):
            MaskFolder(folder)
    with pytest.raises(InputError, match=r"index\.json"):
        MaskFolder(tmp_path_factory.mktemp("empty"))


def test_bad_masks_are_refused(folder):
    good = (folder / "a_mask.png").read_bytes()
    wrong = np.full((4, 8), 4, np.uint8)  # grass, which its source does not label
    for what, image in [
        ("labels, got 4", Image.fromarray(wrong)),
        ("labels, got 200", Image.fromarray(wrong * 50)),
        ("single-channel", Image.fromarray(np.zeros((4, 8, 3), np.uint8))),
        ("shape", Image.fromarray(np.ones((40, 40), np.uint8))),
    ]:
        image.save(folder / "a_mask.png")
        with pytest.raises(InputError, match=what):
            read(folder)
    (folder / "a_mask.png").write_bytes(good[:40])
    with pytest.raises(InputError, match="a_mask"):
        read(folder)
    (folder / "a_mask.png").write_bytes(good)
    Image.fromarray(np.zeros((4, 8), np.uint8)).save(folder / "d_mask.png")
    with pytest.raises(InputError, match="labels, got 0"):
        read(folder)


def test_parts_are_balanced_and_the_same_everywhere(tmp_path):
    probes = [Probe(tmp_path / f"{n}.png", "cat" if n % 3 else "dog") for n in range(30)]
    found = ProbeSet.of([("a", probes), ("b", [*probes[:4], Probe(tmp_path / "x.png", "", "held-out")])])
    assert len(found) == 31, "a picture of two sources is kept once"
    assert found.rows["b"].tolist() == [0, 1, 2, 3, 30]
    assert found.part[30] == JUDGE
    dogs = np.array([n % 3 == 0 for n in range(30)])
    for part in found.masks():
        assert abs(part[:30][dogs].sum() - 10 / 3) <= 1
    assert found.chooses.sum() == 20
    again = ProbeSet.of([("a", probes[::-1])])
    assert again.part[::-1].tolist() == found.part[:30].tolist()
    other = ProbeSet.of([("a", probes)], 1)
    assert other.part.tolist() != found.part[:30].tolist()
    assert all(abs(part[dogs].sum() - 10 / 3) <= 1 for part in other.masks())
    assert ProbeSet.of([("a", probes[::-1])], 1).part[::-1].tolist() == other.part.tolist()
    half = ProbeSet.of([("a", [Probe(probe.path, "", "choose") for probe in probes])])
    assert [int(part.sum()) for part in half.masks()] == [15, 15, 0]


def class_folder(path):
    for name in ("red fox", "wolf", "oak"):
        (path / name).mkdir(parents=True)
        Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(path / name / "1.png")
        (path / name / "notes.txt").touch()
    return path


def test_labelled_pictures_know_more_general_words(tmp_path):
    above = [{"wnid": "n3", "name": "canine"}, {"wnid": "n4", "name": "animal"}]
    entries = [
        {"wnid": "n1", "names": ["Red Fox", "x"], "hypernyms": above},
        {"wnid": "n2", "names": ["wolf"], "hypernyms": above},
    ]
    general = tmp_path / "general.json"
    general.write_text(json.dumps(entries))
    folder = class_folder(tmp_path / "classes")
    by_folder = LabelledPictures(folder, general)
    table = tmp_path / "labels.csv"
    table.write_text(
        "file,name,wnid\nclasses/red fox/1.png,fox,n1\nclasses/wolf/1.png,wolf,n2\nclasses/oak/1.png,oak,\n"
    )
    by_csv = LabelledPictures(table, general)
    # "animal" is true of the same pictures as "canine": the more particular one stays.
    assert {word.text for word in by_folder.words} == {"oak", "red fox", "wolf", "canine"}
    assert {word.text for word in by_csv.words} == {"oak", "fox", "wolf", "canine"}
    for found in (by_folder, by_csv):
        canine = [word.text for word in found.words].index("canine")
        assert found.members[:, canine].sum() == 2
        assert len(found.probes) == 3


def test_bad_labelled_pictures_are_refused(tmp_path):
    folder = class_folder(tmp_path / "classes")
    (tmp_path / "empty").mkdir()
    (tmp_path / "one" / "a").mkdir(parents=True)
    (tmp_path / "one" / "a" / "1.png").write_bytes((folder / "oak" / "1.png").read_bytes())
    for name, text in [
        ("columns.csv", "path,name\na,b\n"),
        ("missing.csv", "file,name\nnone.png,fox\n"),
        ("nameless.csv", "file,name\nclasses/oak/1.png,\n"),
        ("latin.csv", None),
    ]:
        (tmp_path / name).write_bytes(b"file,name\n\xe9,a\n" if text is None else text.encode())
    for name in ("columns.csv", "missing.csv", "nameless.csv", "latin.csv", "none", "empty", "one"):
        with pytest.raises(InputError, match="labelled"):
            LabelledPictures(tmp_path / name)
    for text in ("{", '{"a": 1}', '[{"names": ["a"]}]'):
        (tmp_path / "general.json").write_text(text)
        with pytest.raises(InputError, match="hypernyms"):
            LabelledPictures(folder, tmp_path / "general.json")


def write_encoder(folder, words, vectors, **document):
    """An image encoder that pools the three colors, and words as rows of colors."""
    folder.mkdir(exist_ok=True)
    nodes = [
        helper.make_node("GlobalAveragePool", ["x"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["vectors"]),
    ]
    save_graph(folder / "image.onnx", nodes, ("x", TensorProto.FLOAT, ["n", 3, 8, 8]), [])
    rows = numpy_helper.from_array(np.asarray(vectors, np.float32), "rows")
    gather = [
        helper.make_node("Gather", ["rows", "t"], ["looked"]),
        helper.make_node("ReduceMean", ["looked"], ["vectors"], axes=[1], keepdims=0),
    ]
    save_graph(folder / "text.onnx", gather, ("t", TensorProto.INT64, ["n", 2]), [rows])
    np.save(folder / "words.npy", np.asarray(vectors, np.float32))
    np.save(folder / "tokens.npy", np.arange(len(words))[:, None].repeat(2, 1).astype(np.int32))
    (folder / "words.txt").write_text("".join(f"{word}\n" for word in words))
    preprocess = {"size": 8, "resize": 8, "mean": [0.5] * 3, "std": [1.0] * 3}
    whole = {"schema": "nle-fast-encoder/1", "image": "image.onnx", "preprocess": preprocess, "words": "words.txt"}
    (folder / "encoder.json").write_text(json.dumps(whole | (document or {"embeddings": "words.npy"})))
    return folder


def save_graph(path, nodes, given, weights):
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info(*given)],
        [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["n", "d"])], weights,
    )  # fmt: skip
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)


COLORS = {"red": (1, -1, -1), "green": (-1, 1, -1), "yellow": (1, 1, -1)}


def colored(path, color):
    Image.fromarray((np.broadcast_to(np.array(color) * 100 + 120, (9, 8, 3))).astype(np.uint8)).save(path)
    return path


@pytest.mark.parametrize("document", [{"embeddings": "words.npy"}, {"text": "text.onnx", "tokens": "tokens.npy"}])
def test_an_encoder_finds_the_word_and_resumes(tmp_path, document):
    encoder = DualEncoder(write_encoder(tmp_path / "encoder", COLORS, list(COLORS.values()), **document))
    paths = [colored(tmp_path / f"{name}.png", color) for name, color in COLORS.items()]
    seen = []
    similar = encoder.similarities(paths, tmp_path / "cache", batch=2, progress=lambda *step: seen.append(step))
    assert similar.argmax(1).tolist() == [0, 1, 2]
    assert similar.max(1) == pytest.approx(1, abs=0.01)
    assert seen == [("encode", 2, 3), ("encode", 3, 3)]
    blocks = sorted((tmp_path / "cache").rglob("*.npy"))
    before = blocks[0].stat().st_mtime_ns
    blocks[1].unlink()
    np.testing.assert_array_equal(encoder.similarities(paths, tmp_path / "cache", batch=2), similar)
    assert blocks[0].stat().st_mtime_ns == before


def test_bad_encoders_are_refused(tmp_path):
    good = write_encoder(tmp_path / "encoder", COLORS, list(COLORS.values()))
    document = json.loads((good / "encoder.json").read_text())
    cases = [
        {"schema": "x"}, {"image": "none.onnx"}, {"image": "../encoder/../x.onnx"}, {"words": "none.txt"},
        {"embeddings": "tokens.npy"}, {"embeddings": "words.txt"}, {"preprocess": []}, {"preprocess": {"size": 0}},
    ]  # fmt: skip
    for change in cases:
        (good / "encoder.json").write_text(json.dumps(document | change))
        with pytest.raises((InputError, ConfigError)):
            DualEncoder(good)
    (good / "encoder.json").write_text(json.dumps(document))
    (good / "words.txt").write_text("red\n\nblue\n")
    with pytest.raises(InputError, match="empty line"):
        DualEncoder(good)
    with pytest.raises(InputError, match="encoder"):
        DualEncoder(tmp_path)
    other = write_encoder(tmp_path / "other", COLORS, np.ones((3, 5)))
    path = colored(tmp_path / "red.png", COLORS["red"])
    with pytest.raises(InputError, match="one space"):
        DualEncoder(other).similarities([path], tmp_path / "cache")
    (other / "image.onnx").write_bytes(b"none")
    with pytest.raises(NleError):
        DualEncoder(other).similarities([path], tmp_path / "cache2")


def test_soft_wpmi_is_the_published_formula():
    rng = np.random.default_rng(0)
    similar, response = rng.normal(0, 0.3, (40, 6)).astype(np.float32), rng.random((40, 5)).astype(np.float32)
    found = soft_wpmi(similar, response, strongest=10)
    likely = np.exp(10 * similar.astype(float))
    likely /= likely.sum(1, keepdims=True)
    evidence = np.zeros((5, 6))
    for neuron in range(5):
        for rank, picture in enumerate(np.argsort(-response[:, neuron])[:10]):
            chance = 0.998 - rank / 10 * (0.998 - 0.97)
            evidence[neuron] += np.log(1 + chance * (likely[picture] - 1) + 1e-7)
    prior = np.log(np.exp(evidence).sum(0)) - np.log(5)
    np.testing.assert_allclose(found, evidence - prior, rtol=1e-9)
