"""find_regions against its definition, against torch + SciPy, and by what must hold for any map."""

from __future__ import annotations

import math
import pickle
from dataclasses import FrozenInstanceError, asdict, replace

import numpy as np
import pytest
import scipy.ndimage
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nle_fast import _core
from nle_fast.errors import InputError
from nle_fast.ops import find_regions, reference
from nle_fast.ops.positions import region_names
from nle_fast.schema import POSITIONS, Region, Span

CROSS = scipy.ndimage.generate_binary_structure(2, 1)
SQUARE = scipy.ndimage.generate_binary_structure(2, 2)
KINDS = ("noise", "blobs", "levels", "constant", "peak", "checkerboard", "signed", "rings")


def random_map(rng: np.random.Generator, kind: str, height: int, width: int) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    if kind == "noise":
        plane = rng.random((height, width))
    elif kind == "blobs":
        plane = np.zeros((height, width))
        for _ in range(rng.integers(1, 4)):
            center_y, center_x, spread = rng.uniform(0, height), rng.uniform(0, width), rng.uniform(0.5, 3)
            plane += np.exp(-((y - center_y) ** 2 + (x - center_x) ** 2) / (2 * spread**2))
    elif kind == "levels":  # many values equal to each other and to the threshold
        plane = rng.integers(0, 5, (height, width)) / 4
    elif kind == "constant":
        plane = np.full((height, width), rng.choice([0.25, 1e-30, 3e30, -1.0, 0.0]))
    elif kind == "peak":
        plane = np.zeros((height, width))
        plane[rng.integers(height), rng.integers(width)] = rng.uniform(1e-6, 1e6)
    elif kind == "checkerboard":
        plane = ((x + y + rng.integers(2)) % 2).astype(float)
    elif kind == "signed":
        plane = rng.normal(size=(height, width)) - rng.uniform(0, 2)
    else:
        radius = np.hypot(y - height / 2, x - width / 2)
        plane = np.cos(radius * rng.uniform(0.5, 3))
    return plane.astype(np.float32)


def random_case(rng: np.random.Generator, number: int) -> tuple[np.ndarray, tuple[int, int]]:
    height, width = rng.integers(1, 12, 2)
    plane = random_map(rng, KINDS[number % len(KINDS)], int(height), int(width))
    return plane, (int(rng.integers(1, 48)), int(rng.integers(1, 48)))


def random_window(rng: np.random.Generator, size: tuple[int, int]) -> tuple[float, float, float, float]:
    width, height = size
    left, right = np.sort(rng.uniform(-0.3 * width, 1.3 * width, 2))
    top, bottom = np.sort(rng.uniform(-0.3 * height, 1.3 * height, 2))
    return float(left), float(top), float(right) + 0.01, float(bottom) + 0.01


def raw_regions(plane, size, connectivity=8, simplify=0.0, threshold=0.5, window=None):
    """By default with every corner of the outlines."""
    sizes = np.array([size], dtype=np.int64)
    windows = np.array([window or (0, 0, *size)], dtype=np.float64)
    planes = np.ascontiguousarray(plane[None], dtype=np.float32)
    (regions,) = _core.find_regions(
        planes, sizes, windows, threshold, connectivity, 0.0, simplify, 1, Region, region_names(), POSITIONS
    )
    return regions


def labels_of(plane, size, connectivity, threshold=0.5, window=None):
    values, visible = reference.upsample(plane, size, window)
    on = visible & (values > threshold * float(plane.max())) & (plane.max() > 0)
    return scipy.ndimage.label(on, CROSS if connectivity == 4 else SQUARE)


def shoelace(outline) -> float:
    x, y = np.array(outline).T
    return float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum() / 2)


def fill(outline, size) -> np.ndarray:
    """Pixels whose center is inside a polygon of pixel corners, by the even-odd rule."""
    width, height = size
    inside = np.zeros((height, width), dtype=bool)
    for (x0, y0), (x1, y1) in zip(outline, outline[1:] + outline[:1], strict=True):
        if x0 == x1:
            rows = slice(int(min(y0, y1)), int(max(y0, y1)))
            inside[rows, int(x0) :] ^= True
    return inside


def assert_equal(got: Region, want: Region) -> None:
    """The same pixels; sums in another order."""
    assert (got.area, got.bbox, got.cells, got.position) == (want.area, want.bbox, want.cells, want.position)
    assert got.peak == want.peak
    assert got.mean == pytest.approx(want.mean, rel=1e-5)
    assert got.centroid == pytest.approx(want.centroid, abs=1e-9)


# --- the definition ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("connectivity", [4, 8])
@pytest.mark.parametrize("windowed", [False, True])
def test_equals_the_definition(connectivity, windowed):
    rng = np.random.default_rng(connectivity + windowed)
    for number in range(400):
        plane, size = random_case(rng, number)
        window = random_window(rng, size) if windowed else None
        threshold = 0.5 if number % 3 else float(rng.uniform(0.01, 0.99))
        (got,) = find_regions(plane[None], size, threshold, connectivity, window=window)
        want = reference.find_regions(plane, size, threshold, connectivity, window=window)
        assert len(got) == len(want), (number, plane, size, window)
        for one, other in zip(got, want, strict=True):
            assert_equal(one, other)


def test_same_pixels_as_the_definition():
    rng = np.random.default_rng(11)
    for number in range(600):
        plane, size = random_case(rng, number)
        window = random_window(rng, size) if number % 2 else None
        connectivity = 4 if number % 4 < 2 else 8
        labels, count = labels_of(plane, size, connectivity, window=window)
        found = raw_regions(plane, size, connectivity, window=window)
        assert len(found) == count
        background = SQUARE if connectivity == 4 else CROSS
        filled = [scipy.ndimage.binary_fill_holes(labels == n + 1, background) for n in range(count)]
        outlines = [fill(region.outline, size) for region in found]
        for region, outline in zip(found, outlines, strict=True):
            # The outline is the outer boundary: region plus holes, pixel by pixel and by its area.
            assert any(np.array_equal(outline, one) for one in filled)
            assert shoelace(region.outline) == outline.sum()


def test_2000_random_maps_equal_torch_and_scipy():
    rng = np.random.default_rng(7)
    threshold = 0.4871  # no random map reaches it exactly, so that float32 rounding in torch cannot matter
    for number in range(2000):
        plane, size = random_case(rng, number)
        connectivity = 4 if number % 16 < 8 else 8
        (got,) = find_regions(plane[None], size, threshold, connectivity)
        upsampled = torch.nn.functional.interpolate(
            torch.from_numpy(plane[None, None].astype(np.float64)), size[::-1], mode="bilinear", align_corners=False
        )[0, 0].numpy()
        on = upsampled > threshold * float(plane.max()) if plane.max() > 0 else np.zeros(upsampled.shape, bool)
        labels, count = scipy.ndimage.label(on, CROSS if connectivity == 4 else SQUARE)
        assert len(got) == count, (number, plane, size)
        want = []
        for index, box in enumerate(scipy.ndimage.find_objects(labels), 1):
            y, x = np.nonzero(labels == index)
            values = upsampled[y, x]
            area = len(x) / (size[0] * size[1])
            bbox = (box[1].start, box[0].start, box[1].stop, box[0].stop)
            want.append((area, bbox, x.mean() + 0.5, y.mean() + 0.5, values.mean(), values.max()))
        key = lambda item: (-item[0], item[1][1], item[1][0], item[2])  # noqa: E731
        have = sorted(((r.area, r.bbox, *r.centroid, r.mean, r.peak) for r in got), key=key)
        for one, other in zip(have, sorted(want, key=key), strict=True):
            assert one[:2] == other[:2]
            assert one[2:4] == pytest.approx(other[2:4], abs=1e-6)
            assert one[4:] == pytest.approx(other[4:], rel=1e-5)


@pytest.mark.parametrize("size", [(224, 224), (640, 480), (1, 300), (300, 1), (3, 2)])
def test_large_and_thin_pictures(size):
    rng = np.random.default_rng(5)
    planes = np.stack([random_map(rng, kind, 7, 7) for kind in KINDS])
    for plane, got in zip(planes, find_regions(planes, size), strict=True):
        labels, count = labels_of(plane, size, 8)
        assert len(got) == count
        areas = sorted(np.bincount(labels.ravel(), minlength=count + 1)[1:] / labels.size, reverse=True)
        assert [region.area for region in got] == areas


# --- shapes with known answers ----------------------------------------------------------------------------------------


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


# --- outlines ---------------------------------------------------------------------------------------------------------


def segment_distance(point: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    along = end - start
    t = np.clip(((point - start) * along).sum(-1) / (along**2).sum(-1), 0, 1)
    return np.hypot(*(point - start - t[..., None] * along).T).T


@pytest.mark.parametrize(("size", "tolerance"), [((224, 224), 1.0), ((1024, 700), 2.0)])
def test_simplified_outline_stays_close_and_short(size, tolerance):
    rng = np.random.default_rng(4)
    corners = simplified = 0
    for number in range(24):
        plane = random_map(rng, ("blobs", "noise", "rings")[number % 3], 7, 7)
        for exact, short in zip(raw_regions(plane, size), raw_regions(plane, size, simplify=1.0), strict=True):
            assert replace(exact, outline=()) == replace(short, outline=())
            corners, simplified = corners + len(exact.outline), simplified + len(short.outline)
            assert set(short.outline) <= set(exact.outline)
            points, polygon = np.array(exact.outline), np.array(short.outline)
            distance = segment_distance(points[:, None], polygon[None], np.roll(polygon, -1, 0)[None]).min(1)
            assert distance.max() <= tolerance + 1e-4
            assert abs(shoelace(short.outline) - shoelace(exact.outline)) <= 0.1 * shoelace(exact.outline)
    assert simplified < corners / 4


@pytest.mark.parametrize("cells", [[(2, 2)], [(2, 2), (2, 3)], [(1, 1), (2, 2), (3, 3)]])
def test_dots_and_lines_keep_their_area(cells):
    plane = np.zeros((5, 5), np.float32)
    for cell in cells:
        plane[cell] = 1
    ((region,),) = find_regions(plane[None], (5, 5))
    assert shoelace(region.outline) == len(cells)


# --- what must hold for any map ---------------------------------------------------------------------------------------

planes = hnp.arrays(
    np.float32,
    st.tuples(st.integers(1, 7), st.integers(1, 7)),
    elements=st.one_of(st.sampled_from([0.0, 0.5, 1.0]), st.floats(-8, 8, width=32)),
)
sides = st.integers(1, 33)


@settings(max_examples=150, deadline=None)
@given(plane=planes, width=sides, height=sides, connectivity=st.sampled_from([4, 8]), threshold=st.floats(0.01, 0.99))
def test_properties(plane, width, height, connectivity, threshold):
    (regions,) = find_regions(plane[None], (width, height), threshold, connectivity)
    labels, count = labels_of(plane, (width, height), connectivity, threshold)
    assert len(regions) == count
    assert sum(region.area for region in regions) == pytest.approx((labels > 0).mean())
    outlines = []
    for region in regions:
        left, top, right, bottom = region.bbox
        assert 0 <= left < right <= width
        assert 0 <= top < bottom <= height
        assert sum(region.cells) == pytest.approx(region.area)
        assert all(left <= x <= right and top <= y <= bottom for x, y in region.outline)
        assert left < region.centroid[0] < right
        assert top < region.centroid[1] < bottom
        assert threshold * float(plane.max()) < region.mean <= region.peak * (1 + 1e-9)
        assert region.peak <= float(plane.max()) * (1 + 1e-9)
        assert shoelace(region.outline) > 0
        assert region.position in POSITIONS or region.position.split()[0] in {
            "entire", "upper", "lower", "left", "right", "center",
        }  # fmt: skip
    for found in raw_regions(plane, (width, height), connectivity, threshold=threshold):
        x, y = zip(*found.outline, strict=True)
        assert (min(x), min(y), max(x), max(y)) == found.bbox
        outlines.append(fill(found.outline, (width, height)))
    # Boundaries of two regions never cross: one lies in a hole of the other, or they are apart.
    for i, one in enumerate(outlines):
        for other in outlines[i + 1 :]:
            both = (one & other).sum()
            assert both in (0, one.sum(), other.sum())


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 10**6), width=sides, height=sides)
def test_mirroring_swaps_left_and_right(seed, width, height):
    rng = np.random.default_rng(seed)
    plane = random_map(rng, ("noise", "blobs")[seed % 2], 5, 6)
    if math.isclose(np.ptp(plane), 0, abs_tol=1e-6):
        return
    (regions,) = find_regions(plane[None], (width, height), 0.5071)
    (mirrored,) = find_regions(plane[None, :, ::-1], (width, height), 0.5071)

    def swapped(name: str) -> str:
        return name.replace("left", "?").replace("right", "left").replace("?", "right")

    def key(item: Region) -> tuple:
        return (-item.area, item.bbox[1], item.bbox[0], item.position)

    want = [
        replace(r, position=swapped(r.position), bbox=(width - r.bbox[2], r.bbox[1], width - r.bbox[0], r.bbox[3]))
        for r in regions
    ]
    got = [(r.area, r.bbox, r.position) for r in sorted(mirrored, key=key)]
    assert got == [(r.area, r.bbox, r.position) for r in sorted(want, key=key)]


# --- errors -----------------------------------------------------------------------------------------------------------

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
