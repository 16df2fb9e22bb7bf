"""The names of places: merging, the area-weighted rule, and the published rule with its golden maps."""

from __future__ import annotations

import json
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from regions_cases import random_case, random_window

from nle_fast import _core
from nle_fast.errors import InputError
from nle_fast.ops import find_places, find_regions, positions_by_any, positions_by_area, reference
from nle_fast.ops.positions import GROUPS, merge_positions, region_names
from nle_fast.schema import POSITIONS

MIRROR = [2, 1, 0, 5, 4, 3, 8, 7, 6]


def mask_of(*cells: int) -> int:
    return sum(1 << cell for cell in cells)


def mirrored_name(name: str) -> str:
    return name.replace("left", "\0").replace("right", "left").replace("\0", "right")


def covered(name: str) -> set[int]:
    if name == "entire image":
        return set(range(9))
    return set(GROUPS[name]) if name in GROUPS else {POSITIONS.index(name)}


@pytest.mark.parametrize("mask", range(512))
def test_merging_every_set_of_cells(mask):
    names = merge_positions(mask)
    cells = {cell for cell in range(9) if mask >> cell & 1}
    assert len(set(names)) == len(names)
    if len(cells) >= 7:
        assert names == ("entire image",)
        return
    assert set().union(*map(covered, names)) == cells  # says all of it and nothing else
    for name, other in combinations(names, 2):
        assert not covered(name) < covered(other) or "center cross" in (name, other)
    assert {mirrored_name(name) for name in names} == set(merge_positions(mask_of(*(MIRROR[c] for c in cells))))
    assert merge_positions(mask) is names


@pytest.mark.parametrize(
    ("cells", "names"),
    [
        ((), ()),
        ((4,), ("center",)),
        ((0, 2), ("top-left corner", "top-right corner")),
        ((0, 1, 2), ("entire top",)),
        ((6, 7, 8, 4), ("center", "entire bottom")),
        ((0, 1, 2, 3, 4, 5), ("upper half",)),
        ((1, 2, 4, 5, 7, 8), ("right half",)),
        ((1, 3, 4, 5, 7), ("center cross",)),
        ((0, 1, 2, 3, 6), ("entire top", "entire left")),
        ((0, 1, 2, 6, 7, 8), ("entire top", "entire bottom")),
        ((1, 3, 4, 5, 7, 8), ("center cross", "bottom-right corner")),
        ((0, 1, 2, 3, 5, 6, 7, 8), ("entire image",)),
    ],
)
def test_merging_examples_in_reading_order(cells, names):
    assert merge_positions(mask_of(*cells)) == names


def test_one_name_for_a_region_or_none():
    assert len(region_names()) == 512
    assert region_names()[mask_of(0, 1, 2)] == "entire top"
    assert region_names()[mask_of(0, 1)] is None
    assert region_names()[0] is None


def places(on, size=(90, 90), window=None):
    return _core.places_by_area(list(on), *size, list(map(float, window or (0, 0, *size))))


windows = st.one_of(
    st.none(),
    st.tuples(st.integers(-20, 30), st.integers(-20, 30), st.integers(31, 80), st.integers(31, 80)),
)


@settings(max_examples=400, deadline=None)
@given(data=st.data(), width=st.integers(1, 60), height=st.integers(1, 60), window=windows)
def test_area_rule_equals_the_definition_and_mirrors(data, width, height, window):
    _, visible = reference.upsample(np.zeros((1, 1), np.float32), (width, height), window)
    cell = (
        3 * (3 * (2 * np.arange(height) + 1) // (2 * height))[:, None]
        + 3 * (2 * np.arange(width) + 1) // (2 * width)
    )  # fmt: skip
    seen = np.bincount(cell[visible], minlength=9)
    on = [data.draw(st.one_of(st.sampled_from([0, int(most)]), st.integers(0, int(most)))) for most in seen]
    mask = places(on, (width, height), window)
    assert mask == reference.places_by_area(on, (width, height), window)
    other = None if window is None else (width - window[2], window[1], width - window[0], window[3])
    back = places([on[MIRROR[c]] for c in range(9)], (width, height), other)
    assert back == mask_of(*(MIRROR[c] for c in range(9) if mask >> c & 1))
    assert (mask == 0) == (sum(on) == 0)
    if sum(on) == seen.sum() > 0:
        assert mask == 0x1FF


def test_small_spill_over_a_cut_is_not_a_place():
    on = [0] * 9
    on[4], on[5] = 300, 20
    assert places(on) == mask_of(4)


def test_at_least_half_of_the_fullest_cell_is_named():
    on = [0] * 9
    on[3], on[4], on[5] = 50, 25, 24
    assert places(on) == mask_of(3, 4)


def test_equal_cells_stand_or_fall_together():
    on = [0] * 9
    on[3] = on[5] = 30
    on[4] = 60
    assert places(on) == mask_of(3, 4, 5)
    on[3] = on[5] = 29
    assert places(on) == mask_of(4)


def test_fill_is_of_what_the_window_shows():
    window = (15, 0, 90, 90)  # shows the right half of the left column
    on = [450, 900, 900, 240, 0, 0, 0, 0, 0]
    assert places(on, window=window) == mask_of(0, 1, 2, 3)
    assert places(on) == mask_of(0, 1, 2)


def test_a_sliver_is_not_a_place_by_fill():
    window = (28, 0, 90, 90)  # shows 2 of the 30 columns of the left cells
    on = [60, 900, 900, 60, 900, 100, 0, 0, 0]
    assert places(on, window=window) == mask_of(1, 2, 4)


def test_everywhere_on_behind_a_crop_is_the_entire_image():
    size, window = (300, 100), (100.0, 0.0, 200.0, 100.0)
    ((region,),) = find_regions(np.ones((1, 7, 7)), size, window=window)
    assert region.area == pytest.approx(1 / 3)
    assert region.position == "entire image"
    assert positions_by_area([region], size, window) == ("entire image",)


def test_regions_of_one_map_are_taken_together():
    plane = np.zeros((6, 6))
    plane[:2] = 1
    plane[4:, 4:] = 1
    (regions,) = find_regions(plane[None], (60, 60))
    assert [region.position for region in regions] == ["entire top", "bottom-right corner"]
    assert positions_by_area(regions, (60, 60)) == ("entire top", "bottom-right corner")


def test_without_regions_nowhere():
    assert positions_by_area((), (10, 10)) == ()


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), width=st.integers(3, 90), height=st.integers(3, 90))
def test_mirroring_a_map_swaps_left_and_right(seed, width, height):
    plane = np.random.default_rng(seed).random((1, 5, 7)).astype(np.float32) ** 3
    names = positions_by_area(find_regions(plane, (width, height), 0.5071)[0], (width, height))
    back = positions_by_area(find_regions(plane[..., ::-1], (width, height), 0.5071)[0], (width, height))
    assert {mirrored_name(name) for name in names} == set(back)


@pytest.mark.parametrize(
    ("argument", "call"),
    [
        ("picture_size", lambda: positions_by_area((), (0, 3))),
        ("picture_size", lambda: positions_by_area((), [(3, 3), (3, 3)])),
        ("window", lambda: positions_by_area((), (3, 3), (2, 0, 1, 3))),
        ("maps", lambda: positions_by_any(np.ones((3, 3)))),
        ("maps", lambda: positions_by_any(np.full((1, 3, 3), np.nan))),
        ("threshold", lambda: positions_by_any(np.ones((1, 3, 3)), 0)),
        ("published_rounding", lambda: positions_by_any(np.ones((1, 3, 3)), published_rounding="no")),
    ],
)
def test_bad_input_names_argument_value_and_remedy(argument, call):
    with pytest.raises(InputError, match=f"^`{argument}` must .*, got .*; .*\\.$"):
        call()


def test_published_cuts_give_the_last_band_the_rest():
    plane = np.zeros((1, 5, 5), np.float32)
    plane[0, 2, 1] = 1  # row 2 of 5 is in the last band, column 1 in the middle one
    assert positions_by_any(plane) == (("bottom",),)


def test_published_zero_constant_and_negative_maps():
    planes = np.stack([np.full((7, 7), value, np.float32) for value in (0.0, 3.7, -1.0)])
    assert positions_by_any(planes) == ((), ("entire image",), ())
    assert positions_by_any(np.ones((1, 1, 2))) == (("entire image",),)
    assert positions_by_any(np.zeros((0, 7, 7))) == ()


def test_published_rounding_loses_maps_whose_reciprocal_falls_short():
    peak = next(
        p for p in (np.float32(n) for n in range(1, 99)) if np.float32(p * (np.float32(1) / p)) != 1
    )  # fmt: skip
    plane = np.zeros((1, 3, 3), np.float32)
    plane[0, 1, 1] = peak
    assert positions_by_any(plane) == ((),)
    assert positions_by_any(plane, published_rounding=False) == (("center",),)


@pytest.mark.shared
def test_golden_positions(shared):
    golden = json.loads((shared.parent / "golden" / "positions.json").read_text())
    assert len(golden) == 250
    wrong = [
        (number, got, item["positions"])
        for number, item in enumerate(golden)
        for got in positions_by_any([item["map"]])
        if set(got) != set(item["positions"])
    ]
    assert wrong == []
    # What the published rounding loses: 38 maps that are on, and no other place changes.
    for item in golden:
        (clear,) = positions_by_any([item["map"]], published_rounding=False)
        assert set(item["positions"]) in (set(clear), set())
    lost = [item for item in golden if np.max(item["map"]) > 0 and not item["positions"]]
    assert len(lost) == 38


def test_a_map_that_is_on_at_a_third_is_not_the_entire_image():
    # Seven cells hold half as much as the fullest one, but a third of the picture is on: only the fuller are named.
    on = (400, 380, 120, 390, 350, 230, 210, 300, 115)
    assert places(on) == mask_of(0, 1, 3, 4, 7)
    assert places(on) == reference.places_by_area(list(on), (90, 90))
    even = (300,) * 9
    assert places(even) == mask_of(*range(9)), "spread evenly it is everywhere"


def test_places_are_regions_and_their_names():
    rng = np.random.default_rng(5)
    for number in range(60):
        plane, size = random_case(rng, number)
        maps = np.stack([plane, plane[::-1], np.zeros_like(plane)])
        sizes, windows = [size, (40, 31)], [random_window(rng, size), (0.0, 0.0, 40.0, 31.0)]
        both = find_places(np.stack([maps, maps]), sizes, windows, min_area=0.02)
        alone = find_places(maps[None], sizes[:1], windows[:1], min_area=0.02)
        assert alone == both[:1]
        for found, picture, window in zip(both, sizes, windows, strict=True):
            regions = find_regions(maps, picture, min_area=0.02, window=window)
            assert [place[:2] for place in found] == [(one, positions_by_area(one, picture, window)) for one in regions]
