from __future__ import annotations

import base64
import hashlib
import io
import json
import re
from html.parser import HTMLParser

import pytest
from dissect_records import candidate, neuron, record_of
from PIL import Image

from nle_fast.dissect.report import report_html, write_report
from nle_fast.dissect.report_pictures import LADDER, make_thumbnails
from nle_fast.errors import ConceptsError, InputError

HOSTILE = "</script></style><img src=//evil.example onerror=alert(1)>\"'&\u202e\x1b\ud800"


class Page(HTMLParser):
    """What a browser would make of a page: its tags with attributes, its text, the contents of script and style."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.texts: dict[str, list[str]] = {}
        self._open = [""]
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag in ("script", "style", "title"):
            self._open.append(tag)

    def handle_endtag(self, tag):
        if tag == self._open[-1]:
            self._open.pop()

    def handle_data(self, data):
        self.texts.setdefault(self._open[-1], []).append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def text(self):
        return " ".join("".join(self.texts[""]).split())


def test_a_row_says_words_quality_and_shows_pictures(tmp_path):
    page = Page(report_html(record_of(tmp_path)))
    rows = page.all("article")
    assert [row["id"] for row in rows] == ["n0", "n1", "n2"]
    assert [row["data-name"] for row in rows] == ["dog face or wheel", "stripes", ""]
    assert [row["data-s"] for row in rows] == ["masks", "masks", "refused: quality"]
    assert [row["data-q"] for row in rows] == ["0.61", "0.39", ""]
    for said in (
        "dog face or wheel",
        "0.61",
        "masks · AUC 0.90 · IoU 0.20 · on 12 pictures",
        "no concept",
        "1 candidate",
    ):
        assert said in page.text
    assert len([one for one in page.all("svg") if one.get("class", "").startswith("p ")]) == 9 + 1
    assert json.loads(rows[1]["data-c"]) == [["stripes", "masks", 0.39, 0.39, 0.39, 12, 0.9, 0.2, 0.98, 0.0003]]


def test_a_photo_is_embedded_once_and_is_what_the_network_saw(tmp_path):
    record = record_of(tmp_path)
    html = report_html(record)
    photos = re.findall(r"\.p(\d+)\{background-image:url\(data:image/jpeg;base64,([^)]+)\)\}", html)
    assert [int(at) for at, _ in photos] == [0, 1, 2, 3]
    for at, data in photos:
        photo = Image.open(io.BytesIO(base64.b64decode(data)))
        assert photo.size == (64, 64), "not larger than the original"
        original = Image.open(record["pictures"][int(at)]["path"]).crop((16, 0, 80, 64))
        assert photo.resize((1, 1), Image.Resampling.BOX).getpixel((0, 0)) == pytest.approx(
            original.resize((1, 1), Image.Resampling.BOX).getpixel((0, 0)), abs=8
        )


def test_outlines_are_in_hundredths_of_the_window(tmp_path):
    paths = [
        path for path in Page(report_html(record_of(tmp_path))).all("path") if "o" in path.get("class", "").split()
    ]
    assert paths[0]["d"] == "M-9-9H109V109H-9ZM0 0L50 0L50 50L0 50Z"
    assert [("below" in path["class"]) for path in paths] == [False] * 9 + [True], "dashed below the threshold"


def test_strangers_strings_stay_strings(tmp_path):
    record = record_of(tmp_path)
    record |= {"network": HOSTILE, "layer": HOSTILE, "model": HOSTILE, "versions": {HOSTILE: HOSTILE}}
    record["options"][HOSTILE] = HOSTILE
    record["sources"][0]["name"] = HOSTILE
    record["summary"]["by_source"] = {HOSTILE: record["summary"]["by_source"]["masks"]}
    record["neurons"] += [neuron(3, (HOSTILE,)), neuron(4, refused=HOSTILE)]
    record["neurons"][3]["words"][0]["source"] = HOSTILE
    record["neurons"][4]["candidates"] = [candidate(HOSTILE, HOSTILE)]
    html = report_html(record)
    page = Page(html)
    assert not page.all("img")
    assert len(page.all("script")) == 1
    assert len(page.all("style")) == 2
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert not set("\u202e\x1b\ud800") & set(html)
    assert "onerror" in page.text, "it is shown as text"


def test_nothing_is_loaded_and_only_its_own_script_runs(tmp_path):
    page = Page(report_html(record_of(tmp_path)))
    (script,) = page.texts["script"]
    (policy,) = [meta["content"] for meta in page.all("meta") if "http-equiv" in meta]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy.startswith("default-src 'none';")
    assert f"script-src 'sha256-{digest}'" in policy
    links = [attributes[name] for _, attributes in page.tags for name in ("src", "href") if name in attributes]
    assert links
    assert all(link.startswith("#") for link in links)
    assert re.findall(r"url\((?!data:)", "".join(page.texts["style"])) == []


def test_photos_keep_to_the_bound(tmp_path):
    record = record_of(tmp_path, count=9, noise=True)
    roomy = make_thumbnails(record)
    assert (roomy.rung, len(roomy.data)) == (LADDER[0], 9)
    assert make_thumbnails(record, max_bytes=roomy.size).size <= roomy.size
    tight = make_thumbnails(record, max_bytes=roomy.size * 2 // 5)
    assert tight.size <= roomy.size * 2 // 5
    assert tight.rung.shown < 9
    assert len(tight.data) == tight.rung.shown, "pictures that no row shows are left out"
    page = Page(report_html(record, max_bytes=roomy.size * 2 // 5))
    assert len([one for one in page.all("svg") if one.get("class", "").startswith("p ")]) == tight.rung.shown + 1
    assert f"up to {tight.rung.shown} per neuron" in page.text
    with pytest.raises(InputError, match="`record` must show photos"):
        make_thumbnails(record, max_bytes=100)


def test_a_missing_or_another_photo_leaves_nothing(tmp_path):
    record = record_of(tmp_path)
    photo = tmp_path / "photo1.png"
    (tmp_path / "out").mkdir()
    Image.new("RGB", (64, 64)).save(photo)
    with pytest.raises(InputError, match=r"photo1\.png.*64 × 64.*dissect again"):
        write_report(record, tmp_path / "out" / "report.html")
    photo.unlink()
    with pytest.raises(InputError, match=r"photo1\.png"):
        write_report(record, tmp_path / "out" / "report.html")
    assert not list((tmp_path / "out").iterdir())


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="`path`"):
        write_report(record_of(tmp_path), tmp_path / "nowhere" / "report.html")


@pytest.mark.parametrize(
    "change",
    [
        {"neurons": 3},
        {"neurons": [{}]},
        {"summary": None},
        {"pictures": []},
        {"options": {}},
        {"sources": [{}]},
    ],
)
def test_a_broken_record_is_named(tmp_path, change):
    with pytest.raises(ConceptsError, match="`record`"):
        write_report(record_of(tmp_path) | change, tmp_path / "report.html")
    assert not (tmp_path / "report.html").exists()


def test_progress_and_an_earlier_report(tmp_path):
    steps = []
    path = write_report(record_of(tmp_path), tmp_path / "report.html", progress=lambda *step: steps.append(step))
    assert steps == [("report", done, 4) for done in range(1, 5)]
    assert write_report(record_of(tmp_path), path).stat().st_size == path.stat().st_size
