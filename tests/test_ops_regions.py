"""find_regions against its definition, against torch + SciPy, and by what must hold for any map."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import scipy.ndimage
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from regions_cases import (
    CROSS,
    KINDS,
    SQUARE,
    fill,
    labels_of,
    random_case,
    random_map,
    random_window,
    raw_regions,
    shoelace,
)

from nle_fast.ops import find_regions, reference
from nle_fast.schema import POSITIONS, Region


def assert_equal(got: Region, want: Region) -> None:
    """The same pixels; sums in another order."""
    assert (got.area, got.bbox, got.cells, got.position) == (want.area, want.bbox, want.cells, want.position)
    assert got.peak == want.peak
    assert got.mean == pytest.approx(want.mean, rel=1e-5)
    assert got.centroid == pytest.approx(want.centroid, abs=1e-9)


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
