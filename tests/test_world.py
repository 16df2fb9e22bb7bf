"""The world: what it says about its pictures is what its pictures show."""

from __future__ import annotations

import dataclasses
import hashlib
import pickle
import subprocess
import sys
from collections import Counter
from itertools import combinations

import numpy as np
import pytest

from nle_fast.errors import InputError
from nle_fast.world import COLORS, KINDS, LABELS, LOOKS, PATTERNS, SPECIES, Scene, color_name
from nle_fast.world.plan import PARTS, PATTERNED, make_plan
from nle_fast.world.sky import HOURS, make_backdrop

SEEDS = range(60)
FLAT = [
    (label, part, *look) for label, _, looks in SPECIES for part, values in looks.items() for look in values.items()
]


@pytest.fixture(scope="module")
def scenes():
    return [Scene.random(seed) for seed in SEEDS]


def grown(mask, pixels):
    """The mask and everything up to `pixels` away from it."""
    for _ in range(pixels):
        wide = np.pad(mask, 1)
        mask = np.any(
            [wide[1 + y :, 1 + x :][: len(mask), : len(mask)] for y in (-1, 0, 1) for x in (-1, 0, 1)], axis=0
        )
    return mask


def nearby(scene, part, mask):
    """Where a part may show: its mask, edge and shadow, and the antialiased seams of what hides the rest of it."""
    if part == "body":
        mask = grown(np.any([m for p, m in scene.parts.items() if p in PARTS[scene.kind]], axis=0), 3)
    return grown(mask, 8) | scene.parts.get("leaves", mask)


def changed(a, b):
    return (a.picture != b.picture).any(axis=2)


def chi_square(table):
    """Statistic and degrees of freedom of independence of a contingency table."""
    table = np.asarray(table, float)
    expected = table.sum(1, keepdims=True) * table.sum(0, keepdims=True) / table.sum()
    return ((table - expected) ** 2 / expected).sum(), (table.shape[0] - 1) * (table.shape[1] - 1)


def limit(freedom, z=3.29):
    """Chi-square that chance exceeds once in 2,000 (Wilson-Hilferty)."""
    return freedom * (1 - 2 / (9 * freedom) + z * np.sqrt(2 / (9 * freedom))) ** 3


# Classes


def test_twenty_four_classes_of_four_kinds():
    assert len(LABELS) == len(set(LABELS)) == 24
    assert Counter(kind for _, kind, _ in SPECIES) == {"bird": 12, "butterfly": 4, "fish": 4, "balloon": 4}
    assert set(KINDS) == {kind for _, kind, _ in SPECIES}


def test_no_look_gives_a_class_away():
    kinds = {label: kind for label, kind, _ in SPECIES}
    owners = Counter((kinds[label], part, what, value) for label, part, what, value in FLAT)
    assert min(owners.values()) >= 2


def test_no_two_classes_can_look_the_same_and_many_differ_in_one_part():
    neighbors = Counter()
    for a, b in combinations(SPECIES, 2):
        if a.kind != b.kind:
            continue
        assert a.definition.keys() == b.definition.keys()
        different = [part for part in a.definition if a.definition[part] != b.definition[part]]
        assert different
        if len(different) == 1:
            neighbors.update((a.label, b.label))
    assert set(neighbors) == set(LABELS)


def test_definitions_name_looks_that_exist():
    for label, part, what, value in FLAT:
        kind = SPECIES[LABELS.index(label)].kind
        allowed = {"shape": LOOKS[kind].get(part, ()), "color": PARTS[kind][part], "pattern": PATTERNS}[what]
        assert value in allowed
        assert what != "pattern" or part in PATTERNED[kind]


@pytest.mark.parametrize(
    "word", ["crested", "bareheaded", "red-breasted", "yellow-breasted", "fork-tailed", "fan-tailed"]
)
def test_names_say_what_is_so(word):
    truth = {
        "crested": ("crest", "shape", "pointed"),
        "bareheaded": ("crest", "shape", "none"),
        "red-breasted": ("breast", "color", "red"),
        "yellow-breasted": ("breast", "color", "yellow"),
        "fork-tailed": ("tail", "shape", "forked"),
        "fan-tailed": ("tail", "shape", "fan"),
    }[word]
    named = [label for label in LABELS if label.startswith(word)]
    assert named
    assert all((label, *truth) in FLAT for label in named)


# What a seed decides


def test_the_same_pixels_in_every_process():
    code = (
        "import hashlib; from nle_fast.world import Scene; h = hashlib.sha256()\n"
        "for s in range(8):\n"
        "    scene = Scene.random(s, 96).with_background(s + 5); h.update(scene.picture.tobytes())\n"
        "    [h.update(n.encode() + m.tobytes()) for n, m in scene.parts.items()]\n"
        "print(h.hexdigest())"
    )
    digest = hashlib.sha256()
    for seed in range(8):
        scene = Scene.random(seed, 96).with_background(seed + 5)
        digest.update(scene.picture.tobytes())
        for name, mask in scene.parts.items():
            digest.update(name.encode() + mask.tobytes())
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert out.stdout.strip() == digest.hexdigest()


def test_drawing_one_scene_does_not_disturb_another():
    first = Scene.random(5, 64).picture.copy()
    np.random.seed(1)  # noqa: NPY002 - the global state that must not matter
    Scene.random(6, 64).picture
    assert np.array_equal(Scene.random(5, 64).picture, first)
    assert not np.array_equal(Scene.random(6, 64).picture, first)


def test_labels_and_scenery_are_drawn_alike():
    seeds = range(4000)
    plans = [make_plan(seed, {}) for seed in seeds]
    counts = np.bincount([plan.label_index for plan in plans], minlength=len(LABELS))
    mean = len(plans) / len(LABELS)
    assert ((counts - mean) ** 2 / mean).sum() < limit(len(LABELS) - 1)
    backdrops = [make_backdrop(seed, plan.light) for seed, plan in zip(seeds, plans, strict=True)]
    for aspect in (
        lambda plan, back: [id(hour) for hour in HOURS].index(id(back.hour)),
        lambda plan, back: int(back.water),
        lambda plan, back: int(back.sun is not None),
        lambda plan, back: ("branch", "rock", "ground", "air").index(plan.pose.support),
        lambda plan, back: int(plan.pose.mirror),
        lambda plan, back: int(plan.light[0] > 0),
        lambda plan, back: int(4 * (plan.pose.scale - 0.9) / 0.2),
    ):
        values = [aspect(plan, back) for plan, back in zip(plans, backdrops, strict=True)]
        table = np.zeros((len(LABELS), max(values) + 1))
        np.add.at(table, ([plan.label_index for plan in plans], values), 1)
        statistic, freedom = chi_square(table)
        assert statistic < limit(freedom)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_without_its_subject_a_scene_does_not_tell_its_class(seed):
    empty = []
    for label in (0, 7, 12, 17, 21):
        scene = Scene.random(seed, 64, label=label)
        for part in (*PARTS[scene.kind], "drops"):
            if part in scene.parts:
                scene = scene.without(part)
        empty.append(scene.picture)
    assert all(np.array_equal(empty[0], other) for other in empty[1:])


def test_free_looks_do_not_depend_on_the_class():
    birds = [label for label, kind, _ in SPECIES if kind == "bird"]
    for seed in range(20):
        looks = [make_plan(seed, {}, LABELS.index(label)).looks for label in birds]
        for part in ("body", "head", "legs", "wing", "tail", "crest", "beak"):
            assert len({look[part].color for look in looks}) == 1


# The truth about the pixels


def test_masks_are_apart_and_cover_the_picture(scenes):
    for scene in scenes:
        total = sum(mask.astype(int) for mask in scene.parts.values())
        assert total.min() == total.max() == 1
        assert all(mask.dtype == bool and mask.shape == (128, 128) for mask in scene.parts.values())


def test_parts_have_the_looks_of_their_class(scenes):
    for scene in scenes:
        for part, looks in scene.definition.items():
            for what, value in looks.items():
                truth = {"shape": scene.shapes, "color": scene.colors, "pattern": scene.patterns}[what]
                assert truth[part] == value
            assert ("none" in looks.values()) == (part not in scene.parts)


def test_parts_that_matter_can_be_seen(scenes):
    for scene in scenes:
        for part, looks in scene.definition.items():
            if "none" not in looks.values():
                assert scene.parts[part].sum() >= 30


def test_colors_are_the_colors_of_the_pixels(scenes):
    right = total = 0
    for scene in scenes:
        assert scene.colors.keys() == scene.parts.keys()
        for part, color in scene.colors.items():
            if scene.parts[part].sum() >= 12:
                total += 1
                right += color_name(np.median(scene.picture[scene.parts[part]] / 255, axis=0)) == color
    assert right / total >= 0.95


def test_every_color_is_named_by_its_own_name():
    assert [color_name(np.array(rgb) / 255) for rgb in COLORS.values()] == list(COLORS)
    assert color_name(np.array((0.5, 0.5, 0.5))) == "gray"
    with pytest.raises(InputError, match="`rgb` must be three numbers"):
        color_name(np.array((10, 20, 30)))


# Interventions


def test_without_changes_the_part_and_nothing_else(scenes):
    for scene in scenes[::2]:
        for part in PARTS[scene.kind]:
            if part not in scene.parts:
                continue
            removed = scene.without(part)
            assert part not in removed.parts
            assert removed.label == scene.label
            difference = changed(scene, removed)
            assert difference[scene.parts[part]].mean() > 0.8
            assert not (difference & ~nearby(scene, part, scene.parts[part])).any()


def test_without_scenery(scenes):
    for scene in scenes[:20]:
        for part in ("sun", "clouds", "flowers", "perch", "leaves", "rocks", "reeds", "water", "meadow"):
            if part in scene.parts:
                removed = scene.without(part)
                assert part not in removed.parts
                subject = [p for p in PARTS[scene.kind] if p in scene.parts]
                assert all((removed.parts[p] & scene.parts[p]).sum() >= scene.parts[p].sum() - 1 for p in subject)


def test_with_part_changes_the_part_and_nothing_else(scenes):
    for scene in scenes[::2]:
        kind = scene.kind
        for part in PARTS[kind]:
            looks = [{"color": "purple" if scene.colors.get(part) != "purple" else "green"}]
            looks += [{"shape": shape} for shape in LOOKS[kind].get(part, ()) if shape != scene.shapes[part]]
            looks += [{"pattern": p} for p in PATTERNS if part in PATTERNED[kind] and p != scene.patterns.get(part)]
            for look in looks:
                other = scene.with_part(part, **look)
                before = scene.parts.get(part, np.zeros((128, 128), bool))
                after = other.parts.get(part, np.zeros((128, 128), bool))
                difference = changed(scene, other)
                assert not (difference & ~nearby(scene, part, before | after)).any()
                assert other.label == scene.label
                if after.any() and (before.any() or "shape" in look):
                    assert difference.any()
                    truth = {"color": other.colors, "shape": other.shapes, "pattern": other.patterns}
                    assert all(truth[what][part] == value for what, value in look.items())


def test_a_neighbor_is_one_look_away():
    hopper = Scene.random(11, label="crested reed hopper")
    bare = Scene.random(11, label="bareheaded reed hopper")
    assert np.array_equal(hopper.without("crest").picture, bare.picture)
    assert np.array_equal(bare.with_part("crest", shape="pointed").picture, hopper.picture)


def test_removed_parts_come_back(scenes):
    scene = scenes[0]
    part = next(p for p in PARTS[scene.kind] if p in scene.parts)
    back = scene.without(part).with_part(part)
    assert np.array_equal(back.picture, scene.picture)


def test_with_background_keeps_the_subject(scenes):
    for scene in scenes[::3]:
        other = scene.with_background(scene.seed + 1000)
        assert changed(scene, other).mean() > 0.2
        assert other.label == scene.label
        subject = [p for p in PARTS[scene.kind] if p in scene.parts]
        here = np.any([scene.parts[p] & other.parts[p] for p in subject], axis=0)
        assert here.sum() >= 0.99 * sum(scene.parts[p].sum() for p in subject)
        inside = ~grown(~here, 2)
        # what is left: seams between two parts, each antialiased against what lies behind
        assert (changed(scene, other) & inside).sum() <= 0.01 * inside.sum()


def test_sun_in_the_corner(scenes):
    for scene in scenes[:10]:
        sunny = scene.with_part("sun", place="top left")
        y, x = np.nonzero(sunny.parts["sun"])
        assert x.max() < 24
        assert y.max() < 24
        assert "sun" not in sunny.without("sun").parts
        assert "sun" in scene.with_part("sun").parts or (scene.with_part("sun").picture != scene.picture).any()


# Sizes, types, bad input


@pytest.mark.parametrize("size", [32, 100, 224, 1024])
def test_the_same_composition_at_every_size(size):
    scene, small = Scene.random(12, size), Scene.random(12, 128)
    assert scene.picture.shape == (size, size, 3)
    assert scene.picture.dtype == np.uint8
    for part, mask in small.parts.items():
        if part in PARTS[scene.kind] and mask.mean() > 0.02:
            assert abs(scene.parts[part].mean() - mask.mean()) < 0.012
            centers = [np.argwhere(m).mean(0) / len(m) for m in (mask, scene.parts[part])]
            assert np.abs(centers[0] - centers[1]).max() < max(0.02, 1 / size)


def test_a_scene_is_a_value():
    scene = Scene.random(4, 64)
    assert scene == Scene.random(4, 64)
    assert hash(scene) == hash(Scene.random(np.int64(4), 64))
    assert scene != scene.without(next(iter(PARTS[scene.kind])))
    assert np.array_equal(pickle.loads(pickle.dumps(scene)).picture, scene.picture)
    with pytest.raises(dataclasses.FrozenInstanceError):
        scene.seed = 5
    with pytest.raises(ValueError, match="read-only"):
        scene.picture[0, 0] = 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Scene.random(-1), "`seed` must be a whole number from 0"),
        (lambda: Scene.random(1.5), "`seed` must be a whole number"),
        (lambda: Scene.random(True), "`seed` must be a whole number"),
        (lambda: Scene.random(1, 31), "`size` must be a whole number from 32 to 1024, got 31"),
        (lambda: Scene.random(1, 1025), "`size` must be"),
        (lambda: Scene.random(1, label="dodo"), "`label` must be one of nle_fast.world.LABELS, got 'dodo'"),
        (lambda: Scene.random(1, label=24), "`label` must be a whole number from 0 to 23"),
        (lambda: Scene.random(1).without(["wing"]), "`part` must be a part that this scene shows"),
        (lambda: Scene.random(1, label=0).with_part(["wing"]), "`part` must be a part of a bird or the sun"),
        (lambda: Scene.random(1).without("sky"), "`part` must be a part that this scene shows, got 'sky'"),
        (lambda: Scene.random(1).without("trunk"), "`part` must be a part that this scene shows"),
        (lambda: Scene.random(1).with_background("two"), "`seed` must be a whole number"),
        (lambda: Scene.random(1, label=0).with_part("fins"), "`part` must be a part of a bird or the sun"),
        (lambda: Scene.random(1, label=0).with_part("beak", shape="flat"), "`shape` must be a shape that the beak can"),
        (lambda: Scene.random(1, label=0).with_part("wing", color="teal"), "`color` must be a color that the wing can"),
        (lambda: Scene.random(1, label=0).with_part("tail", pattern="dots"), "leave `pattern` out for the tail"),
        (lambda: Scene.random(1, label=0).with_part("sun", color="red"), "leave `color` out for the sun"),
        (lambda: Scene.random(1, label=0).with_part("tail", place="sky"), "leave `place` out for the tail"),
    ],
)
def test_bad_input_says_what_to_do(call, message):
    with pytest.raises(InputError) as error:
        call()
    assert message in str(error.value)


def test_the_world_needs_neither_torch_nor_onnx():
    code = "import sys, nle_fast.world; print({'torch', 'onnx', 'onnxruntime', 'PIL'} & set(sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert out.stdout.strip() == "set()"
