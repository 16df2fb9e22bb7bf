"""Colors and phrases, and the text in HTML and in a terminal."""

from __future__ import annotations

import base64
import io
import re
from html.parser import HTMLParser
from itertools import combinations

import numpy as np
import pytest
from draw_scenes import SPANS, TEXT, evidence_of, scene
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from nle_fast.draw import PALETTE, color_of, explanation_html, rich_text
from nle_fast.draw.palette import rgb, terminal_color_of
from nle_fast.draw.phrases import phrases, printable
from nle_fast.schema import Evidence, Prediction, Span

# Light seen by eyes without one kind of cone, in linear RGB (Machado, Oliveira, Fernandes 2009, severity 1).
EYES = {
    "normal": np.eye(3),
    "deuteranope": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "protanope": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
}


def light(color: str) -> np.ndarray:
    value = np.array(rgb(color)) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def contrast(first: str, second: str) -> float:
    """WCAG 2.2 contrast ratio."""
    low, high = sorted(float(light(color) @ [0.2126, 0.7152, 0.0722]) for color in (first, second))
    return (high + 0.05) / (low + 0.05)


def oklab(linear: np.ndarray) -> np.ndarray:
    """Oklab × 100 (Ottosson 2020)."""
    to_lms = [[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
              [0.0883024619, 0.2817188376, 0.6299787005]]  # fmt: skip
    to_lab = [[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099],
              [0.0259040371, 0.7827717662, -0.8086757660]]  # fmt: skip
    return 100 * (np.array(to_lab) @ np.cbrt(np.clip(np.array(to_lms) @ linear, 0, 1)))


# --- colors


@pytest.mark.parametrize("color", PALETTE)
def test_every_color_reads_as_text_on_white_and_carries_white_digits(color: str) -> None:
    assert contrast(color, "#FFFFFF") >= 4.5
    assert contrast(color, "#000000") >= 2.7


@pytest.mark.parametrize("rank", range(len(PALETTE)))
def test_terminal_colors_read_on_black_and_on_white(rank: int) -> None:
    color = terminal_color_of(rank)
    assert contrast(color, "#000000") >= 4.45
    assert contrast(color, "#FFFFFF") >= 4.4


@pytest.mark.parametrize("eye", EYES)
def test_colors_stay_apart(eye: str) -> None:
    seen = [oklab(EYES[eye] @ light(color)) for color in PALETTE]
    distances = {pair: float(np.linalg.norm(seen[pair[0]] - seen[pair[1]])) for pair in combinations(range(8), 2)}
    # A step of 2 in Oklab × 100 is about what can just be told apart side by side; those of one default
    # explanation (five) keep further apart than all eight.
    assert min(distances.values()) > 7
    assert min(distance for pair, distance in distances.items() if max(pair) < 5) > 9


def test_colors_come_again_after_the_last() -> None:
    assert len(set(PALETTE)) == len(PALETTE) >= 8
    assert [color_of(rank) for rank in range(16)] == [*PALETTE, *PALETTE]


# --- phrases


def test_phrases_follow_spans_and_numbers_follow_concepts() -> None:
    found = phrases(TEXT, SPANS)
    assert [(p.text, p.rank, p.numbers) for p in found if p.rank is not None] == [
        ("stripes", 0, (0,)),
        ("the center", 0, ()),
        ("a mane", 1, (1,)),
        ("the top", 1, ()),
        ("water", 2, (2,)),
    ]


def test_words_of_several_pieces() -> None:
    text = "Stripes at the top."
    spans = [
        Span(0, 7, "evidence.0.concept"),
        Span(0, 7, "evidence.1.concept"),
        Span(11, 18, "evidence.0.positions"),
        Span(11, 18, "evidence.1.positions"),
    ]
    found = phrases(text, spans)
    assert [(p.text, p.rank, p.numbers) for p in found] == [
        ("Stripes", 0, (0, 1)),
        (" at ", None, ()),
        ("the top", None, ()),
        (".", None, ()),
    ]


@given(
    st.text(max_size=60),
    st.lists(
        st.tuples(
            st.integers(0, 70),
            st.integers(0, 70),
            st.integers(0, 9),
            st.sampled_from(["concept", "share", "positions"]),
        ),
        max_size=8,
    ),
)
def test_phrases_join_to_the_text_and_number_each_piece_once(text: str, raw: list[tuple[int, int, int, str]]) -> None:
    spans = [Span(start, end, f"evidence.{rank}.{kind}") for start, end, rank, kind in raw]
    found = phrases(text, spans)
    assert "".join(phrase.text for phrase in found) == printable(text)
    assert len(printable(text)) == len(text)
    numbers = [rank for phrase in found for rank in phrase.numbers]
    assert len(numbers) == len(set(numbers))
    assert set(numbers) == {span_rank for start, end, span_rank, _ in raw if start < min(end, len(text))}


def test_printable_disarms_what_steers_terminals() -> None:
    assert printable("\x1b[31mred\u202e\ud800\tx\n") == "\ufffd[31mred\ufffd\ufffd\ufffdx\n"


# --- HTML


class Page(HTMLParser):
    """Collects tags, texts and styles; fails on tags that do not close."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.styled: list[tuple[str, str]] = []
        self.text = ""
        self._styles: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag != "img":
            self.open.append(tag)
            self._styles.append(dict(attrs).get("style") or "")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        self._styles.pop()

    def handle_data(self, data: str) -> None:
        self.text += data
        self.styled.append((data, self._styles[-1]))


TARGET = Prediction(1, "zebra", 0.97, 9.0)


def test_html_marks_phrases_in_the_colors_of_the_picture() -> None:
    page = Page(explanation_html(Image.new("RGB", (64, 48)), scene((64, 48)), TEXT, SPANS, target=TARGET))
    for words, rank in (("stripes", 0), ("the center", 0), ("a mane", 1), ("water", 2)):
        assert any(data == words and f"color:{color_of(rank)}" in style for data, style in page.styled)
    assert any(data == "water" and "dashed" in style for data, style in page.styled)
    for part in ("zebra", "97.0%", "−30%", "speaks against", "center"):
        assert part in page.text


def test_html_escapes_every_label() -> None:
    bad = "<script>alert('1')</script>\"><img src=x onerror=y>&amp;\x1b\u202e"
    text = f"A {bad}: {bad}."
    spans = [Span(2, 2 + len(bad), "class"), Span(4 + len(bad), 4 + 2 * len(bad), "evidence.0.concept")]
    item = Evidence(3, bad, None, 1.0, 1.0, True, (bad,), ())
    other = Prediction(2, bad, 0.1, 1.0)
    page = Page(
        explanation_html(
            Image.new("L", (32, 32)), [item], text, spans, target=Prediction(1, bad, 0.9, 2.0), versus=other
        )
    )
    assert page.tags.count("img") == 1
    assert "script" not in page.tags
    assert page.text.count(printable(bad)) == 6
    assert "\x1b" not in page.text


def test_html_is_self_contained_and_small() -> None:
    noise = Image.effect_noise((4000, 3000), 80)
    html = explanation_html(noise, scene((4000, 3000)), TEXT, SPANS, target=TARGET)
    assert len(html) < 1_500_000
    assert not re.search(r"https?:|url\(|<script|<link|@import", html)
    data = re.search(r'src="data:image/jpeg;base64,([^"]+)"', html)
    assert data
    assert max(Image.open(io.BytesIO(base64.b64decode(data[1]))).size) == 960


def test_html_without_picture_or_evidence() -> None:
    page = Page(explanation_html(None, (), "A zebra.", (), target=TARGET))
    assert "img" not in page.tags
    assert "table" not in page.tags


# --- terminal


def test_rich_text_is_colored_numbered_and_literal() -> None:
    text = "A [red]zebra[/red]: \x1b[31mwater."
    spans = [Span(20, 30, "evidence.0.concept")]
    shown = rich_text(text, spans, [evidence_of(supports=False)])
    assert shown.plain == "A [red]zebra[/red]: \ufffd[31mwater[1]."
    styles = {shown.plain[span.start : span.end]: span.style for span in shown.spans}
    assert styles["\ufffd[31mwater"].color.name.upper() == terminal_color_of(0)
    assert styles["\ufffd[31mwater"].underline
    assert rich_text(TEXT, SPANS, numbers=False).plain == TEXT
