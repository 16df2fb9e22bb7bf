from __future__ import annotations

import io
import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from nle_fast import preprocess as module
from nle_fast.errors import ConfigError, InputError
from nle_fast.preprocess import Preprocess, load_picture


def noise(width, height, seed=0):
    # Smooth noise: on white noise two ways of resampling differ by more than rounding.
    coarse = np.random.default_rng(seed).integers(0, 256, (height // 8 + 2, width // 8 + 2, 3), np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


def resize_then_crop(picture, resize, size, resample):
    """The two plain steps that `Preprocess` joins, as torchvision's Resize and CenterCrop do them."""
    width, height = picture.size
    if width <= height:
        width, height = resize, int(resize * height / width)
    else:
        width, height = int(resize * width / height), resize
    resized = picture.resize((width, height), resample)
    left, top = round((width - size) / 2.0), round((height - size) / 2.0)
    return resized.crop((left, top, left + size, top + size))


@pytest.mark.parametrize("shape", [(500, 375), (375, 500), (224, 224), (256, 256), (100, 301), (1001, 333)])
def test_one_step_equals_resize_then_crop(shape):
    picture = noise(*shape)
    expected = np.asarray(resize_then_crop(picture, 256, 224, Image.Resampling.BILINEAR), np.float32)
    got = Preprocess(mean=(0, 0, 0), std=(1, 1, 1), scale=1)([picture])[0].transpose(1, 2, 0)
    assert np.abs(got - expected).max() <= 1.0  # two roundings to 8 bits against one
    assert np.abs(got - expected).mean() < 0.3


def test_normalises_like_the_formula():
    picture = noise(64, 64)
    pre = Preprocess(size=64, resize=64, mean=(0.1, 0.2, 0.3), std=(0.5, 0.6, 0.7))
    pixels = np.asarray(picture, np.float64)
    expected = ((pixels / 255 - (0.1, 0.2, 0.3)) / (0.5, 0.6, 0.7)).transpose(2, 0, 1)
    got = pre([picture])
    assert got.dtype == np.float32
    assert got.flags.c_contiguous
    np.testing.assert_allclose(got[0], expected, atol=1e-6)


def test_channels_and_layout():
    picture = noise(40, 40)
    options = {"size": 32, "resize": 32, "mean": (0, 0, 0), "std": (1, 1, 1)}
    rgb = Preprocess(**options)([picture])
    np.testing.assert_array_equal(Preprocess(**options, channels="BGR")([picture]), rgb[:, ::-1])
    np.testing.assert_array_equal(Preprocess(**options, layout="NHWC")([picture]), rgb.transpose(0, 2, 3, 1))


@given(st.integers(1, 3000), st.integers(1, 3000), st.integers(1, 300))
def test_window_lies_in_the_picture(width, height, size):
    left, top, right, bottom = Preprocess(size=size).window((width, height))
    assert -1e-6 * width <= left < right <= width * (1 + 1e-6)
    assert -1e-6 * height <= top < bottom <= height * (1 + 1e-6)


def test_window_is_the_inverse_of_resize_and_crop():
    # 500 × 375: the short side goes from 375 to 256, so 224 input pixels are 328.1 picture pixels.
    left, top, right, bottom = Preprocess().window((500, 375))
    assert bottom - top == pytest.approx(224 * 375 / 256)
    assert (top + bottom) / 2 == pytest.approx(375 / 2)
    assert (left + right) / 2 == pytest.approx(250, abs=1)


def test_dict_round_trip():
    pre = Preprocess(size=32, resize=40, interpolation="bicubic", channels="BGR")
    assert Preprocess.from_dict(pre.to_dict()) == pre
    with pytest.raises(ConfigError, match="crop"):
        Preprocess.from_dict({"crop": 3})


@pytest.mark.parametrize(
    "option",
    [
        {"size": 0},
        {"size": 22.5},
        {"resize": 100},
        {"interpolation": "best"},
        {"mean": 0.5},
        {"mean": (1, 2)},
        {"std": (1, 1, 0)},
        {"scale": 0},
        {"scale": float("inf")},
        {"channels": "GBR"},
        {"layout": "CHWN"},
    ],
)
def test_bad_option(option):
    with pytest.raises(ConfigError, match=next(iter(option))):
        Preprocess(**option)


def test_numbers_of_numpy_are_plain_numbers():
    assert Preprocess(scale=np.float32(0.5)).to_dict()["scale"] == 0.5
    assert type(Preprocess(scale=np.float32(0.5)).scale) is float


@pytest.mark.parametrize("options", [None, 5, [("size", 32)]])
def test_what_is_no_dict_has_no_options(options):
    with pytest.raises(ConfigError, match="`preprocess` must be options by name"):
        Preprocess.from_dict(options)


def as_png(image, **options):
    buffer = io.BytesIO()
    image.save(buffer, "PNG", **options)
    return buffer.getvalue()


def test_path_bytes_image_and_array_agree(tmp_path):
    image = noise(50, 40)
    path = tmp_path / "picture.png"
    image.save(path)
    for source in (path, str(path), path.read_bytes(), image, np.asarray(image)):
        opened = load_picture(source)
        assert opened.mode == "RGB"
        np.testing.assert_array_equal(np.asarray(opened), np.asarray(image))


def test_exif_orientation_is_applied():
    image = noise(50, 40)
    exif = Image.Exif()
    exif[0x0112] = 6  # turn right to see it upright
    buffer = io.BytesIO()
    image.save(buffer, "PNG", exif=exif)
    opened = load_picture(buffer.getvalue())
    np.testing.assert_array_equal(np.asarray(opened), np.rot90(np.asarray(image), -1))


def test_gray_and_bilevel():
    gray = noise(20, 10).convert("L")
    np.testing.assert_array_equal(np.asarray(load_picture(as_png(gray)))[..., 1], np.asarray(gray))
    np.testing.assert_array_equal(np.asarray(load_picture(np.asarray(gray)))[..., 2], np.asarray(gray))
    assert np.asarray(load_picture(as_png(gray.convert("1")))).max() == 255


def test_sixteen_bits_are_scaled_not_clipped():
    values = np.linspace(0, 65535, 256, dtype=np.uint16).reshape(16, 16)
    opened = np.asarray(load_picture(as_png(Image.fromarray(values))))
    np.testing.assert_array_equal(opened[..., 0], (values // 257).astype(np.uint8))


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_lies_on_white(mode):
    image = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    image.paste((200, 0, 0, 255), (0, 0, 4, 8))
    opened = np.asarray(load_picture(image.convert(mode)))
    assert (opened[:, 5] == 255).all()
    assert (opened[:, 1, 1] < 100).all()


def test_palette_with_a_transparent_color():
    image = Image.new("P", (4, 4), 0)
    image.putpalette([10, 20, 30, 200, 100, 50])
    image.putpixel((0, 0), 1)
    opened = np.asarray(load_picture(as_png(image, transparency=0)))
    assert opened[0, 0].tolist() == [200, 100, 50]
    assert opened[2, 2].tolist() == [255, 255, 255]


def test_cmyk_and_animation():
    buffer = io.BytesIO()
    noise(16, 16).convert("CMYK").save(buffer, "JPEG")
    assert load_picture(buffer.getvalue()).mode == "RGB"
    frames = [Image.new("RGB", (8, 8), color) for color in ("red", "blue")]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    assert load_picture(buffer.getvalue()).getpixel((0, 0)) == (255, 0, 0)


@pytest.mark.skipif(not os.path.exists("/dev/null"), reason="needs a device file")
def test_a_device_is_there_but_is_no_picture_file():
    with pytest.raises(InputError, match="no regular file"):
        load_picture("/dev/null")


@pytest.mark.parametrize(
    ("array", "remedy"),
    [
        (np.zeros((3, 8, 8), np.uint8), "colors last"),
        (np.zeros((1, 8, 8, 3), np.uint8), "colors last"),
        (np.full((8, 8, 3), np.nan), "floats"),
        (np.zeros((8, 8, 3), np.int64), "whole numbers"),
    ],
)
def test_the_remedy_fits_the_array(array, remedy):
    with pytest.raises(InputError, match=rf"`picture` must .*{remedy}"):
        load_picture(array)


def test_bad_pictures(tmp_path, monkeypatch):
    broken = tmp_path / "broken.png"
    broken.write_bytes(as_png(noise(200, 200))[:2000])
    text = tmp_path / "notes.txt"
    text.write_text("not a picture")
    bad = [
        tmp_path / "missing.jpg",
        tmp_path,
        broken,
        text,
        b"",
        b"\x89PNG\r\n\x1a\n",
        3,
        None,
        np.zeros((4, 4, 3), np.float32),
        np.zeros((4, 4, 5), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
        np.zeros((3, 4, 4, 3), np.uint8),
        Image.new("F", (4, 4)),
    ]
    for picture in bad:
        with pytest.raises(InputError, match="`picture` must"):
            load_picture(picture)
    monkeypatch.setattr(module, "MAX_PIXELS", 99)
    with pytest.raises(InputError, match="at most 99 pixels"):
        load_picture(as_png(noise(10, 10)))


def test_the_given_image_is_left_as_it_was():
    image = Image.new("RGBA", (4, 4), (1, 2, 3, 4))
    before = image.tobytes()
    load_picture(image)
    assert image.mode == "RGBA"
    assert image.tobytes() == before
