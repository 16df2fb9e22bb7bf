"""find_regions on maps whose answer is known, on every way of passing arguments, and on every bad one."""

from __future__ import annotations

import math
import pickle
from dataclasses import FrozenInstanceError, asdict

import numpy as np
import pytest
import torch
from regions_cases import KINDS, random_map, raw_regions

from nle_fast import _core
from nle_fast.errors import InputError
from nle_fast.ops import find_regions
from nle_fast.ops.positions import region_names
from nle_fast.schema import POSITIONS, Region, Span


def test_everywhere_on_is_one_region_entire_image():
    ((region,),) = find_regions(np.full((1, 7, 7), 2.5), (30, 20))
    assert region.area == 1.0
    assert region.bbox == (0, 0, 30, 20)
    assert region.centroid == (15.0, 10.0)
    assert region.mean == region.peak == 2.5
    assert region.outline == ((0, 0), (30, 0), (30, 20), (0, 20))
    assert region.position == "entire image"


@pytest.mark.parametrize("value", [0.0, -1.0])
def test_without_positive_value_no_regions(value):
    assert find_regions(np.full((2, 4, 4), value), (10, 10)) == ((), ())


def test_no_maps():
    assert find_regions(np.zeros((0, 4, 4)), (10, 10)) == ()


def test_diagonal_touch_is_one_loop_or_two_regions():
    plane = np.eye(2, dtype=np.float32)
    (region,) = raw_regions(plane, (2, 2), 8)
    assert region.outline == ((0, 0), (1, 0), (1, 1), (2, 1), (2, 2), (1, 2), (1, 1), (0, 1))
    first, second = raw_regions(plane, (2, 2), 4)
    assert first.outline == ((0, 0), (1, 0), (1, 1), (0, 1))
    assert second.outline == ((1, 1), (2, 1), (2, 2), (1, 2))


def test_other_diagonal_is_one_loop():
    (region,) = raw_regions(np.eye(2, dtype=np.float32)[::-1], (2, 2), 8)
    assert region.outline == ((1, 0), (2, 0), (2, 1), (1, 1), (1, 2), (0, 2), (0, 1), (1, 1))


def test_hole_is_not_part_of_the_outline():
    plane = np.ones((3, 3), np.float32)
    plane[1, 1] = 0
    (region,) = raw_regions(plane, (3, 3), 4)
    assert region.area == 8 / 9
    assert region.outline == ((0, 0), (3, 0), (3, 3), (0, 3))


def test_largest_first_then_top_left_first():
    plane = np.zeros((5, 5), np.float32)
    plane[0, 4] = plane[2, 0] = plane[4, 2] = plane[4, 3] = 1
    (regions,) = find_regions(plane[None], (5, 5))
    assert [region.bbox for region in regions] == [(2, 4, 4, 5), (4, 0, 5, 1), (0, 2, 1, 3)]


def test_min_area_is_a_fraction_of_the_picture_and_inclusive():
    plane = np.zeros((5, 5), np.float32)
    plane[0, 0] = plane[4, 3:] = 1
    assert len(find_regions(plane[None], (5, 5), min_area=1 / 25)[0]) == 2
    assert len(find_regions(plane[None], (5, 5), min_area=0.05)[0]) == 1


def test_exactly_at_the_threshold_is_off():
    plane = np.array([[1.0, 2.0]], np.float32)
    ((region,),) = find_regions(plane[None], (2, 1), 0.5)
    assert region.bbox == (1, 0, 2, 1)


def test_tie_of_cells_is_named_after_the_centroid():
    plane = np.zeros((6, 6), np.float32)
    plane[2:4, 0:4] = 1  # two pixels by two in "left" and in "center": half on both, two names
    ((region,),) = find_regions(plane[None], (6, 6))
    assert region.cells[3] == region.cells[4]
    assert region.position == "center"


def test_window_outside_the_picture_sees_nothing():
    assert find_regions(np.ones((1, 3, 3)), (10, 10), window=(20, 20, 30, 30)) == ((),)


def test_window_edges_are_inside():
    ((region,),) = find_regions(np.ones((1, 3, 3)), (10, 10), window=(0.5, 1.5, 3.5, 4.4999))
    assert region.bbox == (0, 1, 4, 4)


def test_sizes_and_windows_per_map():
    rng = np.random.default_rng(3)
    planes = rng.random((4, 5, 6)).astype(np.float32)
    sizes = np.array([(30, 20), (30, 20), (17, 40), (5, 5)])
    windows = np.array([(0, 0, 30, 20), (3.5, 2, 20, 18), (0, 0, 17, 40), (-2, -2, 8, 8)], float)
    together = find_regions(planes, sizes, window=windows, threads=1)
    for index in range(4):
        alone = find_regions(planes[index : index + 1], tuple(sizes[index]), window=tuple(windows[index]))
        assert alone[0] == together[index]


@pytest.mark.parametrize("threads", [1, 4, 7, None])
def test_threads_give_equal_results(threads):
    rng = np.random.default_rng(9)
    planes = np.stack([random_map(rng, KINDS[i % len(KINDS)], 6, 5) for i in range(33)])
    assert find_regions(planes, (90, 70), threads=threads) == find_regions(planes, (90, 70), threads=1)


def test_large_work_takes_threads_and_is_the_same():
    planes = np.random.default_rng(2).random((12, 14, 14)).astype(np.float32)
    assert find_regions(planes, (2000, 1500)) == find_regions(planes, (2000, 1500), threads=1)


@pytest.mark.parametrize("dtype", [np.float16, np.float64, np.int32, bool])
def test_other_dtypes_and_layouts(dtype):
    planes = (np.random.default_rng(1).random((3, 6, 4)) * 3).astype(dtype)
    want = find_regions(np.ascontiguousarray(planes, dtype=np.float32), (40, 30))
    assert find_regions(planes, (40, 30)) == want
    assert find_regions(np.asfortranarray(planes), (40, 30)) == want
    assert find_regions(planes.tolist(), [40, 30]) == want


def test_regions_are_ordinary_frozen_objects():
    ((region,),) = find_regions(np.eye(3)[None], (9, 9))
    again = Region(**asdict(region))
    assert again == region
    assert hash(again) == hash(region)
    assert pickle.loads(pickle.dumps(region)) == region
    assert [type(v) for v in (region.area, region.bbox[0], region.centroid[0], region.mean)] == [
        float,
        int,
        float,
        float,
    ]
    with pytest.raises(FrozenInstanceError):
        region.area = 1.0


def test_another_region_type_is_refused():
    with pytest.raises(ValueError, match="fields of Region"):
        _core.find_regions(
            np.ones((1, 1, 1), np.float32), np.ones((1, 2), np.int64), np.array([[0.0, 0, 1, 1]]),
            0.5, 8, 0.0, 1.0, 1, Span, region_names(), POSITIONS,
        )  # fmt: skip


def test_torch_tensor():
    planes = torch.rand(2, 5, 5, generator=torch.Generator().manual_seed(0))
    assert find_regions(planes, (30, 30)) == find_regions(planes.numpy(), (30, 30))


MAP = np.ones((1, 2, 2), np.float32)


@pytest.mark.parametrize(
    ("argument", "call"),
    [
        ("maps", lambda: find_regions(np.ones((2, 2)), (4, 4))),
        ("maps", lambda: find_regions(np.ones((1, 0, 2)), (4, 4))),
        ("maps", lambda: find_regions(np.ones((1, 2, 0)), (4, 4))),
        ("maps", lambda: find_regions([[["a"]]], (4, 4))),
        ("maps", lambda: find_regions([[[1.0], [1.0, 2.0]]], (4, 4))),
        ("maps", lambda: find_regions(MAP * 1j, (4, 4))),
        ("maps", lambda: find_regions(MAP * np.nan, (4, 4))),
        ("maps", lambda: find_regions(MAP * np.inf, (4, 4))),
        ("maps", lambda: find_regions(MAP.astype(np.float64) * 1e39, (4, 4))),
        ("picture_size", lambda: find_regions(MAP, (0, 4))),
        ("picture_size", lambda: find_regions(MAP, (4, -1))),
        ("picture_size", lambda: find_regions(MAP, (4, 65537))),
        ("picture_size", lambda: find_regions(MAP, (4.0, 4.0))),
        ("picture_size", lambda: find_regions(MAP, (4, 4, 3))),
        ("picture_size", lambda: find_regions(MAP, 4)),
        ("picture_size", lambda: find_regions(MAP, None)),
        ("picture_size", lambda: find_regions(MAP, [(4, 4), (4, 4)])),
        ("picture_size", lambda: find_regions(MAP, ((4, 4), (4,)))),
        ("threshold", lambda: find_regions(MAP, (4, 4), 0.0)),
        ("threshold", lambda: find_regions(MAP, (4, 4), 1.0)),
        ("threshold", lambda: find_regions(MAP, (4, 4), math.nan)),
        ("threshold", lambda: find_regions(MAP, (4, 4), "half")),
        ("connectivity", lambda: find_regions(MAP, (4, 4), connectivity=6)),
        ("connectivity", lambda: find_regions(MAP, (4, 4), connectivity=True)),
        ("connectivity", lambda: find_regions(MAP, (4, 4), connectivity=None)),
        ("connectivity", lambda: find_regions(MAP, (4, 4), connectivity=np.array([4, 8]))),
        ("min_area", lambda: find_regions(MAP, (4, 4), min_area=-0.1)),
        ("min_area", lambda: find_regions(MAP, (4, 4), min_area=1.0)),
        ("window", lambda: find_regions(MAP, (4, 4), window=(0, 0, 0, 4))),
        ("window", lambda: find_regions(MAP, (4, 4), window=(0, 4, 4, 0))),
        ("window", lambda: find_regions(MAP, (4, 4), window=(0, 0, math.inf, 4))),
        ("window", lambda: find_regions(MAP, (4, 4), window=(0, 0, math.nan, 4))),
        ("window", lambda: find_regions(MAP, (4, 4), window=(0, 0, 4))),
        ("window", lambda: find_regions(MAP, (4, 4), window="all")),
        ("threads", lambda: find_regions(MAP, (4, 4), threads=0)),
        ("threads", lambda: find_regions(MAP, (4, 4), threads=1.5)),
    ],
)
def test_bad_input_names_argument_value_and_remedy(argument, call):
    with pytest.raises(InputError, match=f"^`{argument}` must .*, got .*; .*") as caught:
        call()
    assert str(caught.value).endswith(".")


def test_nan_names_the_map():
    planes = np.ones((3, 2, 2), np.float32)
    planes[1, 0, 1] = np.nan
    with pytest.raises(InputError, match="in map 1"):
        find_regions(planes, (4, 4))
