"""Words for places: on areas of sixteenths, on the rule that chooses, and on what is said of a map."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from regions_cases import random_case, random_window, raw_regions, shoelace
from skimage.draw import polygon2mask

from nle_fast import _core
from nle_fast.ops import find_places, joint_places, reference
from nle_fast.schema import PLACES

#: Left, top, right and bottom of each zone, in quarters of the picture.
ZONES = {
    "left half": (0, 0, 2, 4),
    "right half": (2, 0, 4, 4),
    "upper half": (0, 0, 4, 2),
    "lower half": (0, 2, 4, 4),
    "middle": (1, 1, 3, 3),
    "upper left quarter": (0, 0, 2, 2),
    "upper right quarter": (2, 0, 4, 2),
    "lower left quarter": (0, 2, 2, 4),
    "lower right quarter": (2, 2, 4, 4),
}  # fmt: skip
CHOICES = [(zone,) for zone in ZONES] + list(combinations(ZONES, 2))


def within(low: int, high: int, size: int) -> np.ndarray:
    """Halves of each pixel that are between two quarters of an axis: by its center, one half of one on the border."""
    center = (np.arange(size) + 0.5) * 4  # exact, as are quarters of the size times four
    return np.where((low * size < center) & (center < high * size), 2, 0) + np.isin(center, (low * size, high * size))


def held(zones: tuple[str, ...], on: np.ndarray) -> int:
    """Quarters of pixels that are on in any of one or two zones."""

    def area(left: int, top: int, right: int, bottom: int) -> int:
        if left >= right or top >= bottom:
            return 0
        return int(within(top, bottom, on.shape[0]) @ on.astype(int) @ within(left, right, on.shape[1]))

    boxes = np.array([ZONES[zone] for zone in zones])
    shared = *boxes[:, :2].max(0), *boxes[:, 2:].min(0)
    return sum(area(*box) for box in boxes) - (area(*shared) if len(boxes) == 2 else 0)


def size_of(zones: tuple[str, ...]) -> int:
    """Sixteenths of the picture in any of the zones."""
    return len(
        {
            (x, y)
            for left, top, right, bottom in map(ZONES.get, zones)
            for x in range(left, right)
            for y in range(top, bottom)
        }
    )


def is_true(zones: tuple[str, ...], on: np.ndarray) -> bool:
    total = 4 * int(on.sum())
    return (
        held(zones, on) >= Fraction(70, 100) * total
        and all(held((zone,), on) >= Fraction(20, 100) * total for zone in zones)
        and size_of(zones) <= Fraction(75, 100) * 16
    )


def check_words(words: tuple[str, ...], on: np.ndarray) -> None:
    """All that the rule says, from the pixels."""
    share = Fraction(int(on.sum()), on.size)
    assert set(words) <= set(PLACES)
    assert len(set(words)) == len(words) <= 2
    assert (words == ()) == (share == 0)
    assert (words == ("entire picture",)) == (share >= Fraction(85, 100))
    assert (words == ("most of the picture",)) == (Fraction(60, 100) <= share < Fraction(85, 100))
    if not 0 < share < Fraction(60, 100):
        return
    ranks = [(size_of(zones), len(zones), CHOICES.index(zones)) for zones in CHOICES if is_true(zones, on)]
    assert words == (CHOICES[min(ranks)[2]] if ranks else ("spread over the picture",))


def pixels_on(plane, size, threshold=0.5, window=None) -> np.ndarray:
    values, visible = reference.upsample(plane, size, window)
    return visible & (values > threshold * float(plane.max())) & (plane.max() > 0)


def words_of(plane, size, threshold=0.5, window=None) -> tuple[str, ...]:
    (((_, _, words, _),),) = find_places(plane[None, None], [size], [window or (0.0, 0.0, *size)], threshold)
    return words


def fast(on: np.ndarray) -> tuple[str, ...]:
    areas = reference.sixteenths(on).ravel().tolist()
    return _core.places_by_zone(areas, on.shape[1], on.shape[0], PLACES)


def test_words_equal_the_definition():
    rng = np.random.default_rng(3)
    said = set()
    for number in range(1200):
        plane, size = random_case(rng, number)
        window = random_window(rng, size) if number % 2 else None
        threshold = float(rng.uniform(0.01, 0.99))
        words = words_of(plane, size, threshold, window)
        on = pixels_on(plane, size, threshold, window)
        assert words == reference.places_by_zone(reference.sixteenths(on), size), (number, plane, size, window)
        said |= set(words)
    # Of two halves that leave out one quarter, some pair always holds three quarters of what is on, and says so.
    assert said == set(PLACES) - {"spread over the picture"}


def test_words_equal_what_another_library_fills():
    rng = np.random.default_rng(6)
    compared = 0
    for number in range(400):
        plane, size = random_case(rng, number)
        regions = raw_regions(plane, size, connectivity=4)
        # Outlines do not show holes, of which the rule knows.
        if any(round(region.area * size[0] * size[1]) != shoelace(region.outline) for region in regions):
            continue
        filled = np.zeros(size[::-1], bool)
        for region in regions:
            corners = np.array(region.outline)[:, ::-1] - 0.5  # scikit-image's pixels have whole centers
            filled |= polygon2mask(size[::-1], corners)
        check_words(words_of(plane, size), filled)
        compared += 1
    assert compared > 250


@settings(max_examples=200, deadline=None)
@given(
    plane=hnp.arrays(
        np.float32, hnp.array_shapes(min_dims=2, max_dims=2, max_side=7), elements=st.sampled_from([0, 0, 0.25, 0.5, 1])
    ),
    width=st.integers(1, 40),
    height=st.integers(1, 40),
    threshold=st.sampled_from([0.1, 0.3, 0.5, 0.7, 0.9]),
)
def test_the_rule_holds_for_any_regions(plane, width, height, threshold):
    on = pixels_on(plane, (width, height), threshold)
    check_words(words_of(plane, (width, height), threshold), on)


@settings(max_examples=200, deadline=None)
@given(on=hnp.arrays(bool, st.tuples(st.integers(1, 24), st.integers(1, 24)), fill=st.booleans()))
def test_the_rule_holds_for_any_pixels(on):
    words = fast(on)
    check_words(words, on)
    assert words == reference.places_by_zone(reference.sixteenths(on), on.shape[::-1])


@settings(max_examples=100, deadline=None)
@given(on=hnp.arrays(bool, st.tuples(st.integers(1, 30), st.integers(1, 30))))
def test_sixteenths_of_a_mirrored_picture_are_mirrored(on):
    areas = reference.sixteenths(on)
    assert areas.sum() == 4 * on.sum()
    assert np.array_equal(reference.sixteenths(on[:, ::-1]), areas[:, ::-1])
    assert np.array_equal(reference.sixteenths(on[::-1]), areas[::-1])


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ([], ()),
        ([0, 1, 4, 5], ("upper left quarter",)),
        ([5], ("middle",)),
        ([0], ("upper left quarter",)),
        ([10, 11, 14, 15], ("lower right quarter",)),
        ([5, 6, 9, 10], ("middle",)),
        ([0, 4, 8, 12], ("left half",)),
        ([2, 3, 6, 7, 10, 11, 14, 15], ("right half",)),
        ([12, 13, 14, 15], ("lower half",)),
        ([0, 15], ("upper left quarter", "lower right quarter")),
        ([2, 3, 5, 6, 9, 10], ("middle", "upper right quarter")),
        ([0, 3, 12, 15], ("left half", "upper half")),
        ([0, 1, 2, 3, 8, 9, 10, 11, 12, 13], ("most of the picture",)),
        (list(range(14)), ("entire picture",)),
    ],
)
def test_examples(cells, words):
    on = np.isin(np.arange(16).reshape(4, 4), cells)
    assert fast(on) == words
    assert fast(np.kron(on, np.ones((5, 3), bool))) == words
    assert fast(np.kron(on, np.ones((16384, 2), bool))) == words


def test_seventy_percent_and_twenty_count_from_there_on():
    on = np.zeros((4, 40), bool)
    on[0, :7] = True  # upper left: 7 of 10
    on[3, 30:33] = True
    assert fast(on) == ("upper left quarter",)
    on[0, 6], on[3, 33] = False, True  # 6 of 10: both are needed
    assert fast(on) == ("upper left quarter", "lower right quarter")


def test_zones_are_of_the_whole_picture_not_of_the_window():
    assert words_of(np.ones((7, 7), np.float32), (100, 100), window=(0.0, 0.0, 50.0, 100.0)) == ("left half",)
    assert words_of(np.ones((7, 7), np.float32), (100, 100), window=(0.0, 0.0, 70.0, 100.0)) == ("most of the picture",)


def test_the_middle_of_a_picture_of_odd_size():
    on = np.zeros((9, 9), bool)
    on[:, 4] = True  # half of it in either half
    assert reference.sixteenths(on).sum(0).tolist() == [0, 18, 18, 0]


def test_small_regions_that_are_left_out_are_nowhere():
    plane = np.zeros((8, 8), np.float32)
    plane[:3, :3] = 1
    plane[6, 6] = 1
    for least, words in ((0.0, ("upper left quarter",)), (0.05, ("upper left quarter",)), (0.5, ())):
        (((regions, _, got, _),),) = find_places(plane[None, None], [(80, 80)], [(0, 0, 80, 80)], min_area=least)
        assert got == words
        on = np.zeros((80, 80), bool)
        for region in regions:
            left, top, right, bottom = region.bbox
            on[top:bottom, left:right] = pixels_on(plane, (80, 80))[top:bottom, left:right]
        check_words(got, on)
    two = np.zeros((8, 8), np.float32)
    two[:2, :2] = two[5:, 6:] = 1
    (((_, _, both, _),),) = find_places(two[None, None], [(80, 80)], [(0, 0, 80, 80)])
    (((_, _, one, _),),) = find_places(two[None, None], [(80, 80)], [(0, 0, 80, 80)], min_area=0.075)
    assert both == ("upper left quarter", "lower right quarter")
    assert one == ("lower right quarter",)


def test_the_published_rule_chooses_no_words():
    maps = np.ones((1, 2, 7, 7), np.float32)
    for _, positions, words, _ in find_places(maps, [(40, 40)], [(0, 0, 40, 40)], rule="any")[0]:
        assert (positions, words) == (("entire image",), ())


def test_the_largest_picture():
    ((((region,), _, words, _),),) = find_places(
        np.ones((1, 1, 1, 1), np.float32), [(65536, 65536)], [(0, 0, 65536, 65536)]
    )
    assert (region.area, words) == (1.0, ("entire picture",))


def test_words_of_another_count_are_refused():
    with pytest.raises(ValueError, match="place_words"):
        _core.places_by_zone([0] * 16, 4, 4, ("left half",))


def test_several_maps_together_lie_where_their_pixels_do():
    size, window = (80, 80), (0.0, 0.0, 80.0, 80.0)
    maps = np.zeros((1, 3, 80, 80), np.float32)
    maps[0, 0, :40, :40] = 1
    maps[0, 1, :40, 40:] = 1
    maps[0, 2] = 1
    upper_left, upper_right, whole = find_places(maps, [size], [window])[0]
    assert joint_places([upper_left], size) == upper_left[2] == ("upper left quarter",)
    assert joint_places([upper_left, upper_right], size) == ("upper half",)
    assert joint_places([upper_left, upper_left], size) == ("upper left quarter",)
    assert joint_places([whole, whole], size) == ("entire picture",)
    # On average they cover less than most of the picture, and two thirds of them lie in its upper half.
    assert joint_places([upper_left, upper_right, whole], size) == ("upper half", "middle")
    assert joint_places([], size) == joint_places([((), (), (), ())], size) == ()
