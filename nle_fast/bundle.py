"""A bundle: one folder with all that an explanation of one network needs.

bundle.json             {"schema": "nle-fast-bundle/2", "name", "model", "layer", "labels", "preprocess", "concepts",
                        "features", "reading"}
model.onnx              the network
labels.txt              one class name per line
concepts.json           optional: words for the neurons of the layer
features.safetensors    optional: learned directions of the layer, with their words
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nle_fast.classifiers import Features
from nle_fast.concepts import Concepts
from nle_fast.errors import ConfigError, ModelError
from nle_fast.preprocess import Preprocess

__all__ = ["BUNDLE_SCHEMA", "DEFAULT_BUNDLE", "Bundle", "read_bundle", "write_bundle"]

#: What is written; `nle-fast-bundle/1` is read as well.
BUNDLE_SCHEMA = "nle-fast-bundle/2"

#: The embedded bundle; `training/classifier` makes it.
DEFAULT_BUNDLE = Path(__file__).parent / "default"

_MANIFEST = "bundle.json"
_READ = ("nle-fast-bundle/1", BUNDLE_SCHEMA)
#: What explanations of a bundle's network may name.
READINGS = ("features", "neurons")


@dataclass(frozen=True, slots=True)
class Bundle:
    """What a bundle's folder says.

    Attributes:
        name: What people call the network.
        model: Path of the ONNX file.
        layer: Name of the target layer; None: the classifier's default.
        labels: Path of the class names, or None.
        preprocess: The network's own preprocessing.
        concepts: Words for the layer's neurons, or None.
        features: Learned directions of the layer, or None.
        reading: What explanations name: `"features"`, or the layer's own `"neurons"`.
    """

    name: str
    model: Path
    layer: str | None
    labels: Path | None
    preprocess: Preprocess
    concepts: Concepts | None
    features: Features | None = None
    reading: str = "neurons"


def read_bundle(folder: str | os.PathLike[str]) -> Bundle:
    """Open a bundle.

    Args:
        folder: As `write_bundle` makes it.

    Raises:
        ModelError: The folder or a file in it is missing, is no bundle, or lies outside the folder.
        ConfigError: An option of the preprocessing is out of its range.
        ConceptsError: The concept table is broken.
        FeaturesError: The features are broken.
    """
    if not isinstance(folder, (str, os.PathLike)):
        raise ModelError(f"`bundle` must be a folder's path, got {folder!r}; make a bundle with write_bundle.")
    folder = Path(folder)
    manifest = folder / _MANIFEST
    if not os.path.isfile(manifest):
        raise ModelError(
            f"`bundle` must be a folder with {_MANIFEST}, got '{folder}' without it; make one with write_bundle."
        )
    try:
        document = json.loads(manifest.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"`bundle` must have a readable {_MANIFEST}, got '{manifest}' ({error}); mend it.") from error
    version = document.get("schema") if isinstance(document, dict) else None
    if version not in _READ:
        later = isinstance(version, str) and re.fullmatch(r"nle-fast-bundle/\d{1,9}", version) is not None
        raise ModelError(
            f'`bundle` must carry "schema": "{BUNDLE_SCHEMA}" or an earlier one, got {version!r:.60} in '
            f"'{manifest}'; {'open it with a newer nle_fast' if later else 'make one with write_bundle'}."
        )
    model = _member(folder, document, "model")
    if model is None:
        raise ModelError(f"`bundle` must name its model, got '{manifest}' without \"model\"; add it.")
    options = document.get("preprocess", {})
    if not isinstance(options, dict):
        raise ModelError(f"`bundle` must give preprocess as an object, got {options!r} in '{manifest}'; mend it.")
    layer = document.get("layer")
    if not isinstance(layer, str | None):
        raise ModelError(f"`bundle` must give layer as text or null, got {layer!r} in '{manifest}'; mend it.")
    concepts, features = (_member(folder, document, key) for key in ("concepts", "features"))
    reading = document.get("reading", "neurons" if features is None else "features")
    if reading not in READINGS or (reading == "features" and features is None):
        raise ModelError(
            f"`bundle` must give reading as one of {', '.join(READINGS)}, features only where it has some, got "
            f"{reading!r} in '{manifest}'; mend it."
        )
    return Bundle(
        name=str(document.get("name", folder.name)),
        model=model,
        layer=layer,
        labels=_member(folder, document, "labels"),
        preprocess=Preprocess.from_dict(options),
        concepts=None if concepts is None else Concepts.load(concepts),
        features=None if features is None else Features.load(features),
        reading=reading,
    )


def write_bundle(
    folder: str | os.PathLike[str],
    model: str | os.PathLike[str],
    *,
    labels: Sequence[str] | str | os.PathLike[str] | None = None,
    preprocess: Preprocess | None = None,
    concepts: Concepts | None = None,
    features: Features | None = None,
    reading: str | None = None,
    layer: str | None = None,
    name: str | None = None,
) -> Path:
    """Put a network and what belongs to it into one new folder, whole or not at all.

    Args:
        folder: Must not exist yet.
        model: An ONNX file; weights kept beside it (`<model>.data`) come along.
        labels: Class names, or a text file with one per line.
        preprocess: None: ImageNet's, 224 pixels.
        concepts: Words for the neurons of `layer`.
        features: Learned directions of `layer`, with their words.
        reading: What explanations name: `"features"` or `"neurons"`; None: what won when the features were learned.
        layer: Target layer; None: the classifier's default.
        name: What people call the network; None: the folder's name.

    Returns:
        The folder.

    Raises:
        ModelError: The folder exists, the model does not, or a file cannot be written.
        ConfigError: `reading` is unknown, or there are no features to read.
    """
    for argument, value in (("folder", folder), ("model", model)):
        if not isinstance(value, (str, os.PathLike)):
            raise ModelError(f"`{argument}` must be a path, got {type(value).__name__}; pack_bundle exports modules.")
    folder, model = Path(folder), Path(model)
    if folder.exists():
        raise ModelError(f"`folder` must not exist yet, got '{folder}'; choose another or remove it first.")
    if not model.is_file():
        raise ModelError(f"`model` must be an ONNX file, got '{model}' (no such file); check the path.")
    reading = reading or ("neurons" if features is None else features.better_reading)
    if reading not in READINGS or (reading == "features" and features is None):
        raise ConfigError(
            f"`reading` must be 'neurons', or 'features' where there are some, got {reading!r}; pass features or leave "
            "it out."
        )
    document: dict[str, Any] = {
        "schema": BUNDLE_SCHEMA,
        "name": name or folder.name,
        "model": model.name,
        "layer": layer,
        "labels": None if labels is None else "labels.txt",
        "preprocess": (preprocess or Preprocess()).to_dict(),
        "concepts": None if concepts is None else "concepts.json",
    }
    if features is not None:
        document |= {"features": "features.safetensors", "reading": reading}
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    except OSError as error:
        raise ModelError(f"`folder` must be writable, got '{folder}' ({error.strerror}); choose another.") from error
    try:
        shutil.copyfile(model, draft / model.name)
        for weights in model.parent.glob(f"{model.name}.data"):
            shutil.copyfile(weights, draft / weights.name)
        if isinstance(labels, (str, os.PathLike)):
            shutil.copyfile(labels, draft / "labels.txt")
        elif labels is not None:
            (draft / "labels.txt").write_text("".join(f"{label}\n" for label in labels), encoding="utf-8")
        if concepts is not None:
            concepts.save(draft / "concepts.json")
        if features is not None:
            features.save(draft / "features.safetensors")
        manifest = json.dumps(document, ensure_ascii=False, indent=2) + "\n"
        (draft / _MANIFEST).write_text(manifest, encoding="utf-8")
        draft.chmod(0o755)
        draft.rename(folder)
    except OSError as error:
        raise ModelError(f"`folder` must be writable, got '{folder}' ({error}); choose another.") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return folder


def _member(folder: Path, document: dict[str, Any], key: str) -> Path | None:
    """A file of the bundle. A manifest from a stranger must not reach files outside its folder."""
    name = document.get(key)
    if name is None:
        return None
    path = folder / str(name)
    try:
        inside = isinstance(name, str) and path.resolve().is_relative_to(folder.resolve())
    except (OSError, ValueError, RuntimeError):  # a name that no file system takes, or links in a circle
        inside = False
    if not inside:
        raise ModelError(f"`bundle` must name files inside its folder, got {key} {name!r}; move the file into it.")
    if not os.path.isfile(path):
        raise ModelError(f"`bundle` must hold its {key}, got '{path}' (no such file); add it or mend {_MANIFEST}.")
    return path
