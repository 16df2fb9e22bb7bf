"""The whole evaluation of one network, in numbers: masking, pixels, pointing, interventions, each beside controls."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np

from nle_fast.errors import ConfigError, InputError
from nle_fast.explainer import Explainer
from nle_fast.faithfulness.checks import several_pictures, whole_number
from nle_fast.faithfulness.interventions import measure_interventions
from nle_fast.faithfulness.masking import MaskingOptions, Progress, measure_masking
from nle_fast.faithfulness.pixels import PixelOptions, measure_pixels
from nle_fast.faithfulness.pointing import measure_pointing, world_cases
from nle_fast.files import write_whole
from nle_fast.preprocess import Picture
from nle_fast.version import versions
from nle_fast.world import LABELS, Scene

__all__ = ["RECORD", "EvaluateOptions", "evaluate", "find_pictures", "numbers_beside", "write_record"]

#: Name and version of the JSON form.
RECORD = "nle-fast-faithfulness/1"
#: Seeds between the scenes that stand in for pictures and those of the interventions.
APART = 1_000_000
SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".ppm", ".gif", ".tif", ".tiff"}


@dataclass(frozen=True, slots=True)
class EvaluateOptions:
    """How much is measured.

    Args:
        masking: See `MaskingOptions`.
        pixels: See `PixelOptions`.
        pixel_pictures: Pictures for the pixel curves, which cost many forwards each; 0: none.
        scenes: Scenes of the drawn world for interventions and pointing, where the network knows that world; 0: none.
        first_seed: Of the scenes that are drawn; seeds that training has not used.
        limit: Scenes that stand in for pictures where none are given, at least 1.

    Raises:
        ConfigError: A number is below 0, `limit` below 1, or `first_seed` below a million.
    """

    masking: MaskingOptions = field(default_factory=MaskingOptions)
    pixels: PixelOptions = field(default_factory=PixelOptions)
    pixel_pictures: int = 40
    scenes: int = 500
    first_seed: int = 8_000_000
    limit: int = 200

    def __post_init__(self) -> None:
        for name, kind in (("masking", MaskingOptions), ("pixels", PixelOptions)):
            if not isinstance(getattr(self, name), kind):
                raise ConfigError(f"`{name}` must be {kind.__name__}, got {getattr(self, name)!r}; make some.")
        for name in ("pixel_pictures", "scenes"):
            object.__setattr__(self, name, whole_number(name, getattr(self, name), 0, "0 leaves it out"))
        # Pictures are drawn from a million seeds further down, so that no scene serves two purposes.
        object.__setattr__(self, "first_seed", whole_number("first_seed", self.first_seed, APART, "give a larger one"))
        object.__setattr__(self, "limit", whole_number("limit", self.limit, 1, "200 is the default"))


def evaluate(
    explainer: Explainer,
    pictures: Iterable[Picture] | None = None,
    options: EvaluateOptions | None = None,
    *,
    model: Any = None,
    hypernyms: Sequence[Sequence[str]] | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Measure how faithful the explanations of one network are.

    Args:
        explainer: The network with its words.
        pictures: What it is measured on; None: scenes of the drawn world, for a network that knows them.
        options: None: the defaults.
        model: The same network, for gradients at the picture; without it there are no interventions.
        hypernyms: More general words of each class, for the plausible control.
        progress: Told (stage, done, total).

    Returns:
        A record for JSON: "schema", "network", "settings", "masking", and where they were measured "pixels", "pointing"
        and "interventions"; see the functions of these names.

    Raises:
        InputError: No picture, a single one, or pictures are needed because the network does not know the world.
    """
    options = options or EvaluateOptions()
    knows_world = tuple(explainer.labels.names) == LABELS
    if pictures is None:
        if not knows_world:
            raise InputError("`pictures` must be given for this network, got None; pass a folder of pictures as data.")
        first = options.first_seed - APART
        drawn = range(first, first + options.limit)
        pictures = [np.asarray(Scene.random(seed).picture) for seed in drawn]
        source: dict[str, Any] = {"world": {"first_seed": drawn.start, "scenes": len(drawn)}}
    else:
        pictures = several_pictures(pictures)
        source = {"files": [os.fspath(p) if isinstance(p, (str, os.PathLike)) else "in memory" for p in pictures]}
    classifier = explainer.classifier
    record: dict[str, Any] = {
        "schema": RECORD,
        "network": explainer.name,
        "model": getattr(classifier, "fingerprint", None),
        "layer": classifier.layer,
        "neurons": classifier.num_neurons,
        "classes": classifier.num_classes,
        "head": "pooling and a linear map" if getattr(classifier, "closed_form", False) else "nonlinear",
        "concepts": None if explainer.concepts is None else sum(c.trusted for c in explainer.concepts),
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "versions": versions(),
        "data": source,
        "masking": measure_masking(explainer, pictures, options.masking, hypernyms=hypernyms, progress=progress),
    }
    if options.pixel_pictures:
        step = max(1, len(pictures) // options.pixel_pictures)
        chosen = pictures[::step][: options.pixel_pictures]
        record["pixels"] = measure_pixels(explainer, chosen, options.pixels, progress=progress)
    if options.scenes and knows_world and explainer.concepts is not None:
        cases = world_cases(options.scenes, explainer.preprocess.size, options.first_seed + 500_000)
        record["pointing"] = measure_pointing(explainer, cases, options.scenes, progress=progress)
        if model is not None:
            record["interventions"] = measure_interventions(
                explainer, model, options.scenes, options.first_seed, progress=progress
            )
    return record


def find_pictures(folder: str | os.PathLike[str], limit: int | None = None) -> list[Path]:
    """Picture files of a folder and its subfolders, sorted; of more than `limit` evenly spread ones.

    Raises:
        InputError: There is no such folder, or no picture in it.
    """
    root = Path(folder)
    if not root.is_dir():
        raise InputError(f"`data` must be a folder of pictures, got '{folder}' (no such folder); check the path.")
    found = sorted(path for path in root.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    if not found:
        raise InputError(f"`data` must hold pictures, got '{folder}' without any; give another folder.")
    if limit is None or len(found) <= limit:
        return found
    return [found[i * len(found) // limit] for i in range(limit)]


def numbers_beside(report: Path) -> Path:
    """Where the numbers of a page go: beside it, as .json. Asked before the measuring, which takes minutes.

    Raises:
        ConfigError: The page has no name, or the numbers' own.
        InputError: There is a folder of this name, or no folder can be made for it.
    """
    if not report.name or report.suffix.lower() == ".json":
        raise ConfigError(
            f"`report` must be the name of a page, got '{report}'; give out.html, the numbers go beside it as out.json."
        )
    numbers = report.with_suffix(".json")
    above = next(folder for folder in report.absolute().parents if folder.exists())
    reasons = [f"{path} is a folder" for path in (report, numbers) if path.is_dir()]
    if not above.is_dir() or not os.access(above, os.W_OK):
        reasons.append(f"{above} is no folder that can be written to")
    if reasons:
        raise InputError(f"`report` must be writable, got '{report}' ({reasons[0]}); choose another place.")
    return numbers


def write_record(record: dict[str, Any], path: str | os.PathLike[str]) -> None:
    """Write a record as JSON; the file appears whole or not at all.

    Raises:
        InputError: The path cannot be written.
    """
    write_page(Path(path), json.dumps(record, allow_nan=False, ensure_ascii=False) + "\n")


def write_page(path: Path, text: str) -> None:
    """A text file that appears whole or not at all, and its folder with it.

    Raises:
        InputError: The path cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, text)
    except (OSError, UnicodeEncodeError) as error:
        raise InputError(f"`report` must be writable, got '{path}' ({error}); choose another place.") from error
