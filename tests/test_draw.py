"""Outlines, badges and the drawn picture."""

from __future__ import annotations

import subprocess
import sys
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from draw_scenes import SPANS, TEXT, box_region, evidence_of, scene
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from nle_fast.draw import color_of, draw_explanation, draw_regions
from nle_fast.draw.badges import inner_points, place_badges
from nle_fast.draw.fonts import load_font, spell
from nle_fast.draw.lines import Crossings, dashes, trace
from nle_fast.draw.palette import rgb
from nle_fast.errors import InputError
from nle_fast.schema import Region, Span

# --- badges and lines


@settings(max_examples=60, deadline=None)
@given(
    st.integers(60, 500),
    st.integers(60, 500),
    st.lists(
        st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(0.002, 0.5), st.floats(0.002, 0.5)),
        min_size=1,
        max_size=25,
    ),
)
def test_badges_never_overlap_and_stay_on_the_canvas(
    width: int, height: int, boxes: list[tuple[float, float, float, float]]
) -> None:
    radius = 14.0
    wanted = []
    for rank, (x, y, w, h) in enumerate(boxes):
        left, top = x * width * 0.9, y * height * 0.9
        corners = ((left, top), (left + w * width, top), (left + w * width, top + h * height), (left, top + h * height))
        wanted.append((rank, inner_points(trace(corners, 1.0, (width, height), 3.0))))
    placed = place_badges(wanted, (width, height), radius)
    assert placed, "the first badge always finds room on a canvas of 60 pixels"
    assert [badge.rank for badge in placed] == sorted(badge.rank for badge in placed)
    for first, second in combinations(placed, 2):
        assert np.hypot(*np.subtract(first.center, second.center)) >= 2 * radius
    for badge in placed:
        assert radius <= badge.center[0] <= width - radius
        assert radius <= badge.center[1] <= height - radius
    room = (width // 46) * (height // 46)
    assert len(placed) >= min(len(boxes), room // 4)


def test_a_badge_stands_inside_a_bent_region_where_its_centroid_is_not() -> None:
    horseshoe = ((0, 0), (300, 0), (300, 40), (60, 40), (60, 260), (300, 260), (300, 300), (0, 300))
    best = inner_points(trace(horseshoe, 1.0, (400, 400), 0.0))[0]
    x, y = best
    assert x < 60 or y < 40 or y > 260
    assert 0 < x < 300
    assert 0 < y < 300


def test_inner_point_of_a_disc_is_its_middle() -> None:
    angle = np.linspace(0, 2 * np.pi, 100, endpoint=False)
    disc = [(200 + 80 * np.cos(a), 150 + 80 * np.sin(a)) for a in angle]
    best = inner_points(trace(disc, 1.0, (400, 400), 0.0))[0]
    assert np.hypot(*(best - (200, 150))) < 6


def test_badge_that_had_to_move_keeps_its_anchor() -> None:
    tiny = np.array([[50.0, 50.0]])
    first, second = place_badges([(0, tiny), (1, tiny)], (200, 200), 14.0)
    assert not first.moved
    assert second.moved
    assert second.anchor == (50.0, 50.0)


@given(st.floats(1, 20), st.integers(1, 6), st.integers(1, 6))
def test_smoothing_moves_an_outline_by_less_than_two_picture_pixels(scale: float, w: int, h: int) -> None:
    corners = ((2, 2), (2 + w, 2), (2 + w, 2 + h), (2, 2 + h))
    points = trace(corners, scale, (round(20 * scale), round(20 * scale)), 0.0) / scale
    across = np.maximum.reduce([2 - points[:, 0], points[:, 0] - 2 - w, 2 - points[:, 1], points[:, 1] - 2 - h])
    assert np.abs(across).max() < 1.0
    assert points.min(axis=0) == pytest.approx((2, 2), abs=1.0)
    assert points.max(axis=0) == pytest.approx((2 + w, 2 + h), abs=1.0)


def test_outline_along_the_border_is_kept_on_the_picture() -> None:
    points = trace(((0, 0), (100, 0), (100, 80), (0, 80)), 1.0, (100, 80), 4.0)
    assert points.min() == 4.0
    assert points.max(axis=0).tolist() == [96.0, 76.0]


def test_dashes_cover_their_part_of_the_line() -> None:
    points = trace(((0, 0), (300, 0), (300, 300), (0, 300)), 1.0, (400, 400), 0.0)
    pieces = dashes(points, 10.0, 10.0)
    length = sum(float(np.hypot(*np.diff(piece, axis=0).T).sum()) for piece in pieces)
    assert len(pieces) == 60
    assert length == pytest.approx(600, rel=0.2)


def test_equal_outlines_take_turns_and_crossings_do_not() -> None:
    points = trace(((50, 50), (250, 50), (250, 250), (50, 250)), 1.0, (300, 300), 0.0)
    lines = Crossings((300, 300), 3.0)
    assert lines.shared(points) == []
    second = sum(len(piece) for piece in lines.shared(points)) / len(points)
    third = sum(len(piece) for piece in lines.shared(points)) / len(points)
    assert 0.4 < second < 0.6
    assert 0.25 < third < 0.45
    across = trace(((150, 10), (160, 10), (160, 290), (150, 290)), 1.0, (300, 300), 0.0)
    assert lines.shared(across) == []


# --- the picture


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((32, 32), (480, 480)),
        ((224, 224), (480, 480)),
        ((500, 375), (640, 480)),
        ((900, 700), (900, 700)),
        ((4000, 3000), (1600, 1200)),
        ((1500, 60), (1600, 160)),
        ((40, 2000), (480, 1600)),
        ((1, 1), (480, 480)),
    ],
)
def test_sizes(size: tuple[int, int], expected: tuple[int, int]) -> None:
    picture = Image.new("RGB", size, (90, 120, 60))
    assert draw_regions(picture, scene(size)).size == expected
    drawn = draw_explanation(picture, scene(size), TEXT, SPANS)
    assert drawn.mode == "RGB"
    assert drawn.width == expected[0]
    assert drawn.height > expected[1] + 30


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I", "F"])
def test_every_mode_is_drawn_and_left_as_it_was(mode: str) -> None:
    picture = Image.linear_gradient("L").resize((64, 48)).convert(mode)
    before = picture.tobytes()
    assert draw_explanation(picture, scene((64, 48)), TEXT, SPANS).mode == "RGB"
    assert picture.tobytes() == before
    assert picture.mode == mode


@pytest.mark.parametrize("ground", [0, 60, 128, 200, 255, "noise"])
def test_outlines_are_where_the_regions_are_and_stand_out(ground: int | str) -> None:
    size = (640, 480)
    if ground == "noise":
        pixels = np.random.default_rng(3).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    else:
        pixels = np.full((480, 640, 3), ground, np.uint8)
    picture = Image.fromarray(pixels)
    region = box_region(200, 120, 440, 360, size)
    drawn = np.asarray(draw_regions(picture, [evidence_of(region)]), np.int64)
    wanted = np.array(rgb(color_of(0)))
    for x, y in [(200, 240), (440, 240), (320, 120), (320, 360), (200, 200), (400, 120)]:
        around = drawn[y - 4 : y + 5, x - 4 : x + 5].reshape(-1, 3)
        assert np.abs(around - wanted).sum(axis=1).min() < 12, "the line has its color"
        assert around.min(axis=1).max() > 245, "and a white halo beside it"
    changed = np.abs(drawn - pixels).sum(axis=2) > 0
    assert not changed[:110].any()
    assert not changed[:, :190].any()
    assert not changed[130:200, 215:300].any(), "the inside stays the photo"


def test_three_equal_outlines_are_all_seen() -> None:
    region = box_region(100, 80, 540, 400, (640, 480))
    drawn = np.asarray(draw_regions(Image.new("RGB", (640, 480)), [evidence_of(region)] * 3), np.int64)
    line = drawn[78:83, 110:530]
    seen = [(np.abs(line - rgb(color_of(rank))).sum(axis=2) < 20).any(axis=0).mean() for rank in range(3)]
    assert min(seen) > 0.2


def test_opposing_evidence_is_dashed_and_its_number_hollow() -> None:
    size = (640, 480)
    region = box_region(200, 120, 440, 360, size)
    gray = Image.new("RGB", size, (128, 128, 128))
    wanted = np.array(rgb(color_of(0)))

    def colored(supports: bool) -> np.ndarray:
        drawn = np.asarray(draw_regions(gray, [evidence_of(region, supports=supports)]), np.int64)
        return np.abs(drawn - wanted).sum(axis=2) < 40

    solid, dashed = colored(True), colored(False)
    line = (slice(116, 125), slice(210, 430))
    assert solid[line].any(axis=0).all()
    assert 0.4 < dashed[line].any(axis=0).mean() < 0.8
    disc = (slice(225, 256), slice(305, 336))
    assert dashed[disc].sum() < 0.6 * solid[disc].sum()


def test_caption_shows_phrases_and_numbers_in_their_colors() -> None:
    picture = Image.new("RGB", (640, 480))
    panel = np.asarray(draw_explanation(picture, scene(picture.size), TEXT, SPANS).crop((0, 480, 640, 600)), np.int64)
    for rank in range(3):
        assert (np.abs(panel - rgb(color_of(rank))).sum(axis=2) < 20).sum() > 100
    assert (np.abs(panel - rgb(color_of(3))).sum(axis=2) < 20).sum() == 0


def test_without_text_there_is_no_panel_and_without_evidence_no_mark() -> None:
    picture = Image.effect_noise((640, 480), 40).convert("RGB")
    assert draw_explanation(picture, (), "  ", ()).tobytes() == picture.tobytes()


def test_a_region_without_outline_gets_its_box() -> None:
    region = box_region(100, 100, 300, 300, (640, 480))
    bare = Region(region.area, region.bbox, region.centroid, 1.0, 1.0, (), "center", region.cells)
    picture = Image.new("RGB", (640, 480))
    assert draw_regions(picture, [evidence_of(bare)]) == draw_regions(picture, [evidence_of(region)])


def test_thirty_pieces_on_one_pixel() -> None:
    everything = tuple(evidence_of(box_region(5, 5, 6, 6, (32, 32))) for _ in range(30))
    assert draw_regions(Image.new("L", (32, 32)), everything).size == (480, 480)


@pytest.mark.parametrize(
    "label",
    ["Épagneul — naïf", "狗 собака كلب 🐕", "\x00\x1b[2J", "\ud800", "e\u0301", "x" * 500, "\n\n", "﷽", "\u200d"],
)
def test_any_label_is_drawn(label: str) -> None:
    text = f"A {label}."
    spans = [Span(2, 2 + len(label), "evidence.0.concept")]
    drawn = draw_explanation(Image.new("RGB", (32, 32)), [evidence_of(concept=label)], text, spans)
    assert drawn.width == 480


def test_letters_that_the_font_lacks_lose_their_accents() -> None:
    assert spell("Épagneul – naïf, Bär, ß", load_font(20)) == "Epagneul - naif, Bar, ss"
    assert spell("é"[:1] + "plain 97%", load_font(20)).endswith("plain 97%")


@pytest.mark.parametrize("picture", [None, "photo.jpg", np.zeros((4, 4, 3), np.uint8)])
def test_what_is_no_picture_is_refused(picture: object) -> None:
    with pytest.raises(InputError, match="`picture` must be"):
        draw_regions(picture, ())  # type: ignore[arg-type]


def test_bad_options_are_refused(tmp_path: Path) -> None:
    picture = Image.new("RGB", (32, 32))
    with pytest.raises(InputError, match="`longest` must be"):
        draw_regions(picture, (), longest=100)
    broken = tmp_path / "font.ttf"
    broken.write_bytes(b"no font")
    for font in (broken, tmp_path / "none.ttf"):
        with pytest.raises(InputError, match="`font` must be"):
            draw_explanation(picture, (), "text", (), font=font)


def test_importing_draw_loads_no_pillow() -> None:
    heavy = ("PIL", "rich", "torch", "jsonschema")
    code = f"import sys, nle_fast.explanation; print([name for name in {heavy} if name in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
