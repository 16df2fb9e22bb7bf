"""The words for ImageNet's classes and their groups, and which label lists they are for."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from nle_fast.dissect.groups import TABLE, Groups, groups_of, imagenet_groups, wnid_at
from nle_fast.dissect.votes import typical_of
from nle_fast.errors import InputError
from nle_fast.verbalizers.language.phrases import _concept

DOCUMENT = json.loads(TABLE.read_text(encoding="utf-8"))
FULL = [", ".join(entry["names"]) for entry in DOCUMENT["classes"]]
FIRST = [entry["names"][0] for entry in DOCUMENT["classes"]]
#: Words of WordNet that nobody uses, or that say nothing.
NEVER = {
    "odonate",
    "viverrine",
    "instrumentality",
    "implement",
    "substance",
    "artifact",
    "heavier-than-air",
    "lighter-than-air",
    "soft-finned",
    "gallinaceous",
    "anseriform",
    "musteline",
    "conveyance",
    "commodity",
    "proboscidean",
    "placental",
    "covering",
    "organism",
    "chordate",
}


def test_the_table_is_small_complete_and_says_each_thing_once():
    assert TABLE.stat().st_size < 400_000
    assert TABLE.with_name("wordnet.LICENSE.txt").read_text().count("Princeton University") >= 3
    assert "Princeton" in DOCUMENT["note"]
    assert len(DOCUMENT["classes"]) == 1000
    texts = [entry["words"] for kind in ("classes", "groups") for entry in DOCUMENT[kind] if entry["words"]]
    assert len(texts) == len(set(texts)) > 1300
    assert not [text for text in texts if set(re.split(r"[^a-z-]+", text)) & NEVER]
    members = [tuple(map(tuple, group["members"])) for group in DOCUMENT["groups"]]
    assert len(members) == len(set(members)), "groups of the same members keep one name"
    for group in DOCUMENT["groups"]:
        assert 2 <= sum(last - first + 1 for first, last in group["members"]) <= 450


def test_homonyms_are_told_apart():
    words = {at: entry["words"] for at, entry in enumerate(DOCUMENT["classes"])}
    assert (words[134], words[517]) == ("cranes (birds)", "cranes (machines)")
    assert (words[643], words[751], words[998]) == ("masks (for the face)", "race cars", None)
    named = {name for group in DOCUMENT["groups"] for name in group["wordnet"].values() if group["words"] is None}
    assert {"instrumentality", "implement", "substance"} <= named


def test_every_word_goes_into_a_sentence_without_quotation_marks():
    groups = imagenet_groups(FULL)
    assert [text for text in groups.texts if _concept(typical_of([text])).quoted] == []


@pytest.mark.parametrize(
    "labels",
    [
        FULL,
        FIRST,
        ["background", *FULL],
        [*FULL, "nothing"],
        [name.replace(" ", "_") for name in FIRST],
        [name.upper() for name in FIRST],
        [f"{entry['wnid']} {entry['names'][0]}" for entry in DOCUMENT["classes"]],
        [f"{entry['wnid']}: {', '.join(entry['names'])}" for entry in DOCUMENT["classes"]],
        [entry["wnid"] for entry in DOCUMENT["classes"]],
        [entry["names"][-1] for entry in DOCUMENT["classes"]],
        [f"{name} (really)" for name in FIRST],
    ],
    ids=lambda labels: labels[0][:24] + f" {len(labels)}",
)
def test_imagenet_is_recognized_in_any_spelling(labels):
    groups = imagenet_groups(labels)
    shift = labels[0] == "background"
    assert groups.source == "wordnet"
    assert groups.num_classes == len(labels)
    singles = np.array(groups.singles, object)
    assert singles[134 + shift] == "cranes (birds)", "what two classes are called is told apart by the place"
    assert singles[517 + shift] == "cranes (machines)"
    spiders = groups.members[groups.names.index("spiders")]
    assert np.flatnonzero(spiders).tolist() == [n + shift for n in range(72, 78)]
    assert wnid_at(labels)[1 + shift] == "n01443537"


@pytest.mark.parametrize(
    "labels",
    [
        FULL[::-1],
        FULL[1:] + FULL[:1],
        sorted(FULL),
        FULL[:999],
        ["a", "b", *FULL[:999]],
        [f"class {n}" for n in range(1000)],
    ],
    ids=["reversed", "rotated", "sorted", "999", "shifted by two", "numbers"],
)
def test_another_order_or_length_is_another_network(labels):
    assert imagenet_groups(labels) is None
    assert set(wnid_at(labels)) == {None}


def test_a_class_with_another_label_has_no_words():
    labels = ["a thing that nobody knows" if n % 20 == 3 else name for n, name in enumerate(FULL)]
    groups = imagenet_groups(labels)
    assert groups.singles[3] is None
    assert not groups.members[:, 3].any()
    assert groups.singles[4] == "hammerhead sharks"
    assert imagenet_groups(["unknown" if n % 8 == 3 else name for n, name in enumerate(FULL)]) is None


def test_other_labels_stand_for_themselves():
    groups = groups_of(["airplane", "deer", "fox, red fox", "other thing", "class", "class", "12"])
    assert groups.texts == ("airplanes", "deer", "foxes", "other things")
    assert groups.singles[4:] == (None, None, None)


def test_a_hierarchy_gives_groups(tmp_path):
    path = tmp_path / "general.json"
    entries = [
        {"wnid": f"n{n}", "names": [name], "hypernyms": [{"wnid": "x", "name": kind}, {"wnid": "y", "name": "thing"}]}
        for n, (name, kind) in enumerate([("cat", "animal"), ("dog", "animal"), ("car", "vehicle"), ("bus", "vehicle")])
    ]
    path.write_text(json.dumps(entries))
    groups = groups_of(["cat", "Dog", "car", "bus", "cup"], path)
    assert groups.names == ("animals", "vehicles")
    assert groups.members.tolist() == [[1, 1, 0, 0, 0], [0, 0, 1, 1, 0]]
    with pytest.raises(InputError, match="`hierarchy` must know"):
        groups_of(["spoon", "fork"], path)
    path.write_text("{")
    with pytest.raises(InputError, match="must be a JSON list"):
        groups_of(["cat"], path)


def test_groups_are_checked():
    with pytest.raises(InputError, match="`members` must be"):
        Groups(("one",), np.array([[True, False]]))
    with pytest.raises(InputError, match="`singles` must have"):
        Groups(("both",), np.array([[True, True]]), ("a",))


@pytest.mark.shared
def test_the_table_is_what_training_makes(shared):
    from training.words.table import make, text_of

    classes = json.loads((shared / "labels" / "imagenet_hypernyms.json").read_text(encoding="utf-8"))
    assert TABLE.read_text(encoding="utf-8") == text_of(make(classes))
    for name in ("imagenet_labels_1000.txt", "imagenet_labels_1001.txt"):
        labels = (shared / "labels" / name).read_text(encoding="utf-8").splitlines()
        assert imagenet_groups(labels).source == "wordnet"
