"""From any picture to the classifier's input, and back to pixels of the picture.

The classifier's own preprocessing is data (`Preprocess`), part of a model bundle. Its inverse is one rectangle: the
`window` of the original picture that the classifier saw, in which regions are found.
"""

from __future__ import annotations

import io
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from numbers import Integral, Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from nle_fast.errors import ConfigError, InputError

if TYPE_CHECKING:
    from PIL import Image

__all__ = [
    "IMAGENET_MEAN",
    "IMAGENET_STD",
    "MAX_PIXELS",
    "MAX_SIDE",
    "Picture",
    "Preprocess",
    "check_several",
    "load_picture",
    "picture_list",
]

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

#: Larger pictures are refused before they are decoded: a few kilobytes of PNG can unpack to gigabytes.
MAX_PIXELS = 100_000_000

#: Longest side of a classifier's input, and of what it is cropped from: a bundle that asks for more asks for gigabytes.
MAX_SIDE = 16_384

#: Formats that Pillow hands to another program, Ghostscript: a stranger's PostScript is a stranger's program.
PROGRAMS = ("EPS",)

#: What the engine takes as a picture: a path, an encoded file's bytes, a PIL image, or a uint8 array (H, W, 3).
Picture: TypeAlias = "str | os.PathLike[str] | bytes | Image.Image | NDArray[np.uint8]"

Interpolation = Literal["nearest", "bilinear", "bicubic", "lanczos"]
Triple: TypeAlias = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Preprocess:
    """How a picture becomes the classifier's input: resize, centre crop, scale, normalise, order.

    `x = (pixel · scale − mean) / std` per channel, after the short side was resized to `resize` (the long side in
    proportion, rounded down) and the centre `size` × `size` cropped. Resize and crop are one step, same result.

    Args:
        size: Side of the square input in pixels, ≥ 1.
        resize: Length of the short side before the crop, ≥ `size`; None: `size` × 256 / 224, rounded.
        interpolation: `"nearest"`, `"bilinear"`, `"bicubic"` or `"lanczos"`, antialiased as Pillow does.
        mean: One number per channel (R, G, B), in units of the scaled pixel.
        std: One positive number per channel (R, G, B).
        scale: Factor on the 0…255 pixel values, > 0.
        channels: `"RGB"` or `"BGR"`: the order that the classifier expects.
        layout: `"NCHW"` or `"NHWC"`.

    Raises:
        ConfigError: An option is out of its range or of the wrong type.

    Example:
        >>> Preprocess(size=32, resize=32).window((64, 32))
        (16.0, 0.0, 48.0, 32.0)
    """

    size: int = 224
    resize: int | None = None
    interpolation: Interpolation = "bilinear"
    mean: Triple = IMAGENET_MEAN
    std: Triple = IMAGENET_STD
    scale: float = 1 / 255
    channels: Literal["RGB", "BGR"] = "RGB"
    layout: Literal["NCHW", "NHWC"] = "NCHW"

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", _whole("size", self.size, 1))
        if self.resize is not None:
            object.__setattr__(self, "resize", _whole("resize", self.resize, self.size))
        choices = (
            ("interpolation", get_args(Interpolation)),
            ("channels", ("RGB", "BGR")),
            ("layout", ("NCHW", "NHWC")),
        )
        for name, allowed in choices:
            if getattr(self, name) not in allowed:
                raise ConfigError(
                    f"`{name}` must be one of {', '.join(allowed)}, got {getattr(self, name)!r}; choose one of them."
                )
        object.__setattr__(self, "mean", _triple("mean", self.mean))
        object.__setattr__(self, "std", _triple("std", self.std))
        if min(self.std) <= 0:
            raise ConfigError(f"`std` must be positive, got {self.std!r}; a channel is divided by it.")
        if isinstance(self.scale, bool) or not isinstance(self.scale, Real) or not 0 < self.scale < math.inf:
            raise ConfigError(f"`scale` must be a positive number, got {self.scale!r}; use 1/255 for inputs in 0…1.")
        object.__setattr__(self, "scale", float(self.scale))

    def window(self, picture_size: tuple[int, int]) -> tuple[float, float, float, float]:
        """The rectangle of the original picture that the classifier sees.

        Args:
            picture_size: (width, height) in pixels, as PIL's `Image.size`.

        Returns:
            (left, top, right, bottom) in pixels of the picture, inside it, usually not whole numbers.
        """
        width, height = picture_size
        short = self.resize or round(self.size * 256 / 224)
        # Rounded as torchvision's Resize and CenterCrop do, so that the accuracy a network was measured with holds.
        resized = (short, short * height // width) if width <= height else (short * width // height, short)
        left, top = (round((side - self.size) / 2) for side in resized)
        across, down = width / resized[0], height / resized[1]
        return left * across, top * down, (left + self.size) * across, (top + self.size) * down

    def __call__(self, pictures: Sequence[Image.Image]) -> NDArray[np.float32]:
        """Turn upright RGB pictures into one batch of inputs.

        Args:
            pictures: As `load_picture` returns them, of any sizes.

        Returns:
            (N, 3, size, size) float32, or (N, size, size, 3) where `layout` is `"NHWC"`.
        """
        from PIL import Image

        resample = getattr(Image.Resampling, self.interpolation.upper())
        factor = np.asarray([self.scale / s for s in self.std], np.float32)[:, None, None]
        offset = np.asarray([-m / s for m, s in zip(self.mean, self.std, strict=True)], np.float32)[:, None, None]
        batch = np.empty((len(pictures), 3, self.size, self.size), np.float32)
        for image, picture in zip(batch, pictures, strict=True):
            window = self.window(picture.size)
            if picture.size == (self.size, self.size) == window[2:]:
                seen = picture
            else:
                seen = picture.resize((self.size, self.size), resample, box=window)
            np.multiply(np.asarray(seen).transpose(2, 0, 1), factor, out=image)
            image += offset
        if self.channels == "BGR":
            batch = batch[:, ::-1]
        if self.layout == "NHWC":
            batch = batch.transpose(0, 2, 3, 1)
        return np.ascontiguousarray(batch)

    def to_dict(self) -> dict[str, Any]:
        """The options as JSON-ready values; `from_dict` reads them back."""
        return asdict(self)

    @classmethod
    def from_dict(cls, options: Mapping[str, Any]) -> Preprocess:
        """Read options as `to_dict` writes them.

        Raises:
            ConfigError: An option is unknown or out of its range.
        """
        if not isinstance(options, Mapping):
            raise ConfigError(f"`preprocess` must be options by name, got {options!r}; give what `to_dict` gave.")
        known = {field.name for field in fields(cls)}
        unknown = sorted(set(options) - known)
        if unknown:
            raise ConfigError(
                f"`preprocess` must have options among {', '.join(sorted(known))}, got {unknown[0]!r}; remove it."
            )
        return cls(**options)


def load_picture(picture: Picture) -> Image.Image:
    """Open a picture as a person sees it: upright (EXIF), 8-bit RGB.

    Gray, palette, CMYK and 16-bit pictures are converted, transparency is laid on white, and an animation's first
    frame is taken.

    Args:
        picture: A path, an encoded file's bytes, a PIL image, or a uint8 array (H, W, 3), (H, W, 4) or (H, W).

    Returns:
        A new PIL image in mode RGB.

    Raises:
        InputError: It is no picture, is empty, truncated or larger than `MAX_PIXELS`, or has floating point values.
    """
    from PIL import Image

    if isinstance(picture, np.ndarray):
        return _from_array(picture)
    if isinstance(picture, Image.Image):
        # It may still be a file that is only read now.
        with _unreadable("a PIL image"):
            return _upright_rgb(picture, "a PIL image")
    if isinstance(picture, (bytes, bytearray, memoryview)):
        name, source = f"{len(picture)} bytes", io.BytesIO(picture)
    elif isinstance(picture, (str, os.PathLike)):
        path = Path(picture)
        name = f"'{path}'"
        if not os.path.isfile(path):  # unlike Path.is_file, False for a name that no file system takes
            what = "a folder" if os.path.isdir(path) else "no regular file" if os.path.exists(path) else "no such file"
            raise InputError(f"`picture` must be a picture file, got {name} ({what}); check the path.")
        source = path  # type: ignore[assignment]
    else:
        raise InputError(
            f"`picture` must be a path, bytes, a PIL image or a uint8 array (H, W, 3), "
            f"got {type(picture).__name__}; convert it first."
        )
    with _unreadable(name), Image.open(source) as opened:
        return _upright_rgb(opened, name)


def picture_list(pictures: Iterable[Picture]) -> list[Picture]:
    """Several pictures as a list.

    Raises:
        InputError: It is one picture, or nothing that has pictures.
    """
    check_several("pictures", pictures)
    return list(pictures)


def check_several(name: str, pictures: object) -> None:
    """Refuse one picture where several are asked for: an array would be taken apart row by row, a path by letters.

    Raises:
        InputError: It is one picture, or nothing that has pictures.
    """
    one = isinstance(pictures, (str, bytes, bytearray, os.PathLike)) or 0 < getattr(pictures, "ndim", 0) < 4
    if one or not isinstance(pictures, Iterable):
        raise InputError(f"`{name}` must be several pictures, got one {type(pictures).__name__}; put it in a list.")


@contextmanager
def _unreadable(name: str) -> Iterator[None]:
    """Whatever a decoder raises, as an `InputError` about this picture."""
    from PIL import Image, UnidentifiedImageError

    try:
        yield
    except InputError:
        raise
    except Image.DecompressionBombError as error:
        raise _too_large(name, "far too many pixels") from error
    # Pillow's decoders raise whatever their parsers trip over: OSError, SyntaxError, ValueError, struct.error, …
    except Exception as error:
        reason = (
            "it is of no known picture format"
            if isinstance(error, UnidentifiedImageError)
            else str(error) or repr(error)
        )
        raise InputError(
            f"`picture` must be a readable picture, got {name}: {reason}; open and save it again, or convert it to PNG."
        ) from error


def _from_array(array: NDArray[Any]) -> Image.Image:
    from PIL import Image

    shape_ok = array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (1, 3, 4))
    if array.dtype != np.uint8 or not shape_ok:
        if not shape_ok:
            remedy = "put one picture's colors last, as array.transpose(1, 2, 0) does"
        elif array.dtype.kind == "f":
            remedy = "convert it, for instance (array * 255).astype('uint8') for floats in 0…1"
        else:
            remedy = "convert it, for instance array.astype('uint8') for whole numbers in 0…255"
        raise InputError(
            f"`picture` must be a uint8 array (H, W, 3) with values 0…255, got {array.dtype} {array.shape}; {remedy}."
        )
    if array.size == 0:
        raise InputError(
            f"`picture` must have pixels, got an array of shape {array.shape}; pass a picture that is not empty."
        )
    array = array[:, :, 0] if array.ndim == 3 and array.shape[2] == 1 else array
    return _upright_rgb(Image.fromarray(np.ascontiguousarray(array)), "an array")


def _upright_rgb(image: Image.Image, name: str) -> Image.Image:
    from PIL import ExifTags, Image, ImageOps

    width, height = image.size
    if width * height > MAX_PIXELS:
        raise _too_large(name, f"{width} × {height}")
    if width == 0 or height == 0:
        raise InputError(
            f"`picture` must have pixels, got {name} of {width} × {height}; pass a picture that is not empty."
        )
    if getattr(image, "format", None) in PROGRAMS:
        raise InputError(
            f"`picture` must hold pixels, got {name} in {image.format}, which is a program; convert it to PNG first."
        )
    # `exif_transpose` copies also what is upright.
    if image.getexif().get(ExifTags.Base.Orientation, 1) != 1:
        image = ImageOps.exif_transpose(image)
    if image.mode == "RGB":
        image.load()
        return image
    if image.mode.startswith("I"):
        # 16 bits in a gray picture: Pillow's own conversion would clip at 255 instead of scaling.
        values = np.asarray(image)
        if values.min() < 0 or values.max() > 65535:
            raise InputError(
                f"`picture` must have 8 or 16 bits a channel, got {name} with values to {values.max()}; "
                "convert it to 8 bits."
            )
        return Image.fromarray((values // 257).astype(np.uint8)).convert("RGB")
    if image.mode == "F":
        raise InputError(
            f"`picture` must have 8 or 16 bits a channel, got {name} of floating point values; convert it to 8 bits."
        )
    if image.mode == "La":
        image = image.convert("LA")
    if "A" in image.getbands() or "a" in image.getbands() or "transparency" in image.info:
        image = image.convert("RGBA")
        ground = Image.new("RGB", image.size, "white")
        ground.paste(image, mask=image.getchannel("A"))
        return ground
    return image.convert("RGB")


def _too_large(name: str, size: str) -> InputError:
    return InputError(f"`picture` must have at most {MAX_PIXELS:,} pixels, got {name} of {size}; scale it down first.")


def _whole(name: str, value: object, low: int) -> int:
    whole = int(value) if isinstance(value, Integral) and not isinstance(value, bool) else None
    if whole is None or whole < low:
        raise ConfigError(f"`{name}` must be a whole number of at least {low}, got {value!r}; give a length in pixels.")
    if whole > MAX_SIDE:
        found = whole if whole < 1e9 else "over a billion"
        raise ConfigError(f"`{name}` must be at most {MAX_SIDE} pixels, got {found}; give a shorter length.")
    return whole


def _triple(name: str, value: object) -> Triple:
    try:
        numbers = tuple(float(number) for number in value)  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        numbers = ()
    if len(numbers) != 3 or not all(map(math.isfinite, numbers)):
        raise ConfigError(
            f"`{name}` must be three numbers (R, G, B), got {value!r}; repeat a single number three times."
        )
    return numbers
