"""Features of one layer, learned from a user's pictures: read once, start at the head's tree, learn, measure."""

from __future__ import annotations

import dataclasses
import os
import platform
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nle_fast.classifiers import Classifier
from nle_fast.classifiers.base import as_numpy
from nle_fast.classifiers.features import Features
from nle_fast.config import Config
from nle_fast.dissect.asked import check_kinds, check_progress
from nle_fast.dissect.labelled import LabelledPictures
from nle_fast.dissect.probe import content_digest, picture_digest
from nle_fast.dissect.responses import Progress, digest_of
from nle_fast.errors import ConfigError, InputError, ModelError
from nle_fast.features.heads import class_rows, open_head
from nle_fast.features.measure import Dictionary, Measured, measure
from nle_fast.features.options import LearnOptions
from nle_fast.features.pictures import picture_files, split, that_fit, without_copies
from nle_fast.features.running import Learned
from nle_fast.features.seen import Seen, read_seen
from nle_fast.features.sight import Moments, Sight, moments, sight_of
from nle_fast.features.starts import FEW_CLASSES, Start, start_of
from nle_fast.features.store import Store, read_store
from nle_fast.features.train import train
from nle_fast.features.tree import centred
from nle_fast.features.words import VoteWords, compare_readings
from nle_fast.labels import Labels
from nle_fast.opening import open_network
from nle_fast.preprocess import Preprocess
from nle_fast.version import versions

__all__ = ["RECORD_SCHEMA", "Workshop", "learn", "nodes_of"]

Floats = NDArray[np.float32]
Folder = str | os.PathLike[str]

PLAIN = LearnOptions()

RECORD_SCHEMA = "nle-fast-features-record/1"

#: Positions that clusters and controls are made from, and pictures that mean gradients are taken at.
SAMPLE, GRADIENT_PICTURES = 20_000, 64

#: Pictures that the record remembers to have been learned from, so that they judge no word later.
DIGESTS = 100_000


def learn(
    model: Any,
    pictures: Any,
    *,
    size: int | None = None,
    active: int = 24,
    layer: str | None = None,
    preprocess: Preprocess | None = None,
    seed: int = 0,
    options: LearnOptions | None = None,
    labels: Sequence[str] | Folder | None = None,
    hierarchy: Folder | None = None,
    labelled: LabelledPictures | Folder | None = None,
    controls: bool = False,
    cache: Folder | None = None,
    device: str | None = None,
    progress: Progress | None = None,
) -> Features:
    """Learn directions of a layer by which explanations say more than by its channels.

    The network looks once at several crops of each picture. Learning starts at the head's own tree of classes (heads of
    fewer than 20 classes: at clusters of the activations) and minimises what is lost of the activations and of what the
    head makes of them; see `train`. A fifth of the pictures takes no part and measures the result.

    Args:
        model: As for `Explainer`: a bundle's folder, an .onnx file, a torch module or a `Classifier`.
        pictures: A folder, several folders, or picture files: eight at least, a few hundred for something to say.
        size: Features; None: see `LearnOptions`.
        active: Codes above zero per position, at most.
        layer: Which layer; None: the bundle's, else the last one.
        preprocess: None: the bundle's, else ImageNet's with 224 pixels.
        seed: Deals pictures and crops.
        options: Everything else; its `size`, `active` and `seed` give way to those above where these are not the
            defaults.
        labels: Names of the network's classes, for words by votes; None: the bundle's, else features have no words.
        hierarchy: Groups of the classes, as of `dissect`; None: WordNet's for ImageNet's labels.
        labelled: Classes of the pictures, as of `dissect`: those held out judge the words. None: words are unjudged,
            and only those are given that the network's own answers on the pictures held out bear out.
        controls: Also measure what a sceptic asks for, see `doubts.doubts`: every control, and what recurs between the
            halves of the pictures. About five times as long.
        cache: Folder in which a stopped run is resumed, with the same result as without the stop; None: a temporary
            one, removed at the end.
        device: Where the network runs. Learning itself is on a GPU where torch has one.
        progress: Called with (stage, done, total); stages are "read", "look", "learn", "measure".

    Returns:
        Features with `words`, where class names are known, and a `record`: settings, pictures, figures on held-out
        pictures for the features and for the layer's channels, both readings and the better one, dead features,
        minutes, machine, versions.

    Raises:
        InputError: A picture cannot be read; the message names it. There are fewer than eight, or `labelled` tells the
            class of none of them.
        ConfigError: An option is out of its range, there are more features asked for than the tree has nodes, or
            `labelled` or `hierarchy` without class names.
        ModelError: The network cannot be read, has no such layer, fewer than two classes, weights that are not finite,
            or a layer that is the same everywhere.
        MissingExtraError: SciPy is not installed.

    Source: this project; top-k sparse codes as in Makhzani & Frey (2014) and Gao et al. (2024).
    """
    path = (str, os.PathLike)
    check_kinds(
        options=(options, "LearnOptions", (LearnOptions,)),
        hierarchy=(hierarchy, "the path of a .json", path),
        labelled=(labelled, "LabelledPictures, a folder or a .csv", (LabelledPictures, *path)),
        cache=(cache, "a folder", path),
    )
    check_progress(progress)
    asked = PLAIN if options is None else options
    asked = dataclasses.replace(
        asked,
        size=asked.size if size is None else size,
        active=asked.active if active == PLAIN.active else active,
        seed=asked.seed if seed == PLAIN.seed else seed,
    )
    paths = picture_files(pictures)
    opened = open_network(
        model, layer=layer, labels=labels, features=False, preprocess=preprocess, device=device, config=Config()
    )
    classifier, preprocess, name = opened.classifier, opened.preprocess, opened.name
    if classifier.num_classes < 2:
        raise ModelError(
            f"`model` must have two classes or more, got {classifier.num_classes}; what features say is what tells "
            "classes apart."
        )
    labelled = LabelledPictures(labelled) if isinstance(labelled, (str, os.PathLike)) else labelled
    if opened.labels is None and (labelled is not None or hierarchy is not None):
        raise ConfigError(
            "`labels` must name the network's classes where `labelled` or `hierarchy` is given, got none; pass them."
        )
    words = (
        None if opened.labels is None else VoteWords(Labels(opened.labels, classifier.num_classes), hierarchy, labelled)
    )
    if words is not None and labelled is not None and (words.classes_of(paths) < 0).all():
        raise InputError(
            "`labelled` must tell the network's class of some of `pictures`, got none of them; call the classes as "
            "`labels` does, and pass pictures of theirs among `pictures`."
        )
    began = time.perf_counter()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()) if cache is None else cache)
        learns, judges = split(paths, asked.held_out, asked.seed)
        learns, views = that_fit(learns, classifier, preprocess, asked)
        contents = [content_digest(path) for path in learns]
        judges = without_copies(judges, set(contents))
        store = read_store(classifier, preprocess, learns, folder, views=views, seed=asked.seed, progress=progress)
        shop = Workshop(classifier, store, asked, folder)
        learned, start = shop.learned(progress=progress)
        features = shop.features(learned)
        held: dict[str, Measured] = {}
        doubted: dict[str, Any] = {}
        if judges:
            seen = read_store(classifier, preprocess, judges, folder, views=1, progress=progress)
            held = measured_on(seen, features, shop, progress)
        if judges and controls:
            from nle_fast.features.doubts import doubts  # which makes its controls in this module's workshop

            doubted = doubts(shop, start, seen, learns, preprocess, folder, progress=progress)
        counts = len(paths), len(learns), len(judges)
        record = _record(name, classifier, asked, counts, views, shop, start, learned, held)
    record |= doubted
    record["pictures"]["of_known_class"] = 0 if words is None else int((words.classes_of(judges) >= 0).sum())
    record["learned_from"] = [*map(picture_digest, learns[:DIGESTS]), *contents[:DIGESTS]]
    record["readings"], concepts = compare_readings(held, words, classifier, features, shop.rows, judges)
    record["minutes"] = round((time.perf_counter() - began) / 60, 2)
    table = None if concepts is None else concepts.to_dict()
    return dataclasses.replace(features, record=record, words=table)


class Workshop:
    """All that learning on one store of activations needs, made once, for the features and for their controls.

    Args:
        classifier: The network, cut at the layer.
        store: Activations of crops.
        options: How to learn.
        folder: For coordinates and marks.

    Attributes:
        moments: μ and Σ of the layer.
        rows: (classes, C), what each class's logit gains per channel.
        rows_from: "weight", "convolution" or "gradients".
        sight: The coordinates.
    """

    def __init__(self, classifier: Classifier, store: Store, options: LearnOptions, folder: Path) -> None:
        self.classifier, self.store, self.options, self._folder = classifier, store, options, folder
        self.moments: Moments = moments(_blocks(store), store.maps.shape[2])
        few = np.linspace(0, len(store) // store.views - 1, GRADIENT_PICTURES).round().astype(np.int64)
        self.rows, self.rows_from = class_rows(classifier, self.maps_of(store.centres(np.unique(few))))
        if not np.isfinite(self.rows).all() or not np.trace(self.moments.covariance) > 0:
            raise ModelError(
                "`model` must have a layer that is not the same everywhere, and a head of finite weights, got others "
                f"at '{classifier.layer}'; check its weights, or take another layer or other pictures."
            )
        self.sight: Sight = sight_of(self.rows, self.moments)

    def maps_of(self, rows: Floats) -> Floats:
        """(N, positions, C) → (N, C, H, W)."""
        return np.ascontiguousarray(rows.swapaxes(1, 2).reshape(len(rows), -1, *self.store.shape))

    def sample(self, count: int = SAMPLE) -> Floats:
        """(about `count`, C) activations at positions, evenly from all crops, without chance."""
        crops, positions = self.store.maps.shape[:2]
        crop, position = np.divmod(np.arange(0, crops * positions, max(1, crops * positions // count)), positions)
        return self.store.maps[crop, position].astype(np.float32) * np.float32(2.0**self.store.exponent)

    def start(self) -> Start:
        """Where learning starts."""
        sample = self.sample() if len(self.rows) < FEW_CLASSES else None
        return start_of(self.rows, self.moments, sample, self.options.size)

    def learned(
        self, start: Start | None = None, options: LearnOptions | None = None, progress: Progress | None = None
    ) -> tuple[Learned, Start]:
        """Learn from a start; None: `start()`. Goes on from a mark in the folder."""
        import torch

        start, options = self.start() if start is None else start, self.options if options is None else options
        if options.again is None:
            options = dataclasses.replace(options, again="worst" if start.nodes is None else "start")
        device = "cuda" if torch.cuda.is_available() else "cpu"
        mean = np.broadcast_to(self.moments.mean[None, :, None, None], (1, len(self.moments.mean), *self.store.shape))
        answer = as_numpy(self.classifier.logits(np.ascontiguousarray(mean))).astype(np.float64)
        what = {
            # Another head over the same layer is another network, and so is one whose weights have changed.
            "network": [getattr(self.classifier, "fingerprint", None), self.rows_from, digest_of(answer.tolist())],
            "rows": digest_of(self.rows.astype(np.float64).sum(0).tolist()),
            "options": options.to_dict(),
            "start": digest_of(start.atoms.astype(np.float64).sum(0).tolist()),
            "crops": [len(self.store), *self.store.shape],
            "mean": digest_of(self.moments.mean.astype(np.float64).tolist()),
        }
        seen: Seen = read_seen(self.store, self.sight, self._folder, progress=progress)
        head = open_head(self.classifier, self.rows, self.sight, self.store.shape, device)
        mark = self._folder / f"mark-{digest_of(what)}.pt"
        found = train(
            start.atoms, seen.rows, len(seen), head, self.sight, options, device=device, mark=mark, progress=progress
        )
        return found, start

    def features(self, learned: Learned) -> Features:
        """What was learned, as `Features` of this layer."""
        own = getattr(self.classifier, "fingerprint", None)
        return Features(
            self.classifier.layer,
            learned.decoder,
            learned.encoder,
            learned.bias,
            self.moments.mean,
            min(self.options.active, len(learned.decoder)),
            own,
        )

    def votes(self, decoder: Floats) -> Floats:
        """(classes, K): what each class's logit gains per feature, above the mean class."""
        found: Floats = centred(self.rows) @ decoder.T
        return found


def measured_on(held: Store, features: Features, shop: Workshop, progress: Progress | None) -> dict[str, Measured]:
    """Figures of features and channels on pictures that took no part."""
    channels = Dictionary.channels(features.mean)
    own, plain = shop.votes(features.decoder), centred(shop.rows)
    return {
        "features": measure(Dictionary.of(features), shop.classifier, told(held, "measure", progress), votes=own),
        "channels": measure(channels, shop.classifier, told(held, "measure", progress), votes=plain),
    }


def told(held: Store, stage: str, progress: Progress | None) -> Iterator[Floats]:
    """The batches of a store, whose end `progress` is told of."""
    done = 0
    for maps in held.batches():
        yield maps
        done += len(maps)
        if progress is not None:
            progress(stage, done, len(held))


def nodes_of(start: Start, learned: Learned) -> list[list[int] | None] | None:
    """The classes of each feature's node, None for one that was begun again elsewhere; None where there is no tree."""
    if start.nodes is None:
        return None
    pairs = zip(learned.kept, learned.moved, strict=True)
    return [None if moved else start.nodes[node].tolist() for node, moved in pairs]


def _blocks(store: Store, block: int = 64) -> Iterator[Floats]:
    """Rows (n, C) of all crops; of many, of 8,192 of them."""
    chosen = np.unique(np.linspace(0, len(store) - 1, min(len(store), 8192)).round().astype(np.int64))
    for at in range(0, len(chosen), block):
        rows = store.rows(chosen[at : at + block])
        yield rows.reshape(-1, rows.shape[2])


def _record(
    name: str,
    classifier: Classifier,
    options: LearnOptions,
    counts: tuple[int, int, int],
    views: int,
    shop: Workshop,
    start: Start,
    learned: Learned,
    held: dict[str, Measured],
) -> dict[str, Any]:
    rounded = {what: found.rounded for what, found in held.items()}
    return {
        "schema": RECORD_SCHEMA,
        "network": name,
        "layer": classifier.layer,
        "options": options.to_dict(),
        "size": len(learned.decoder),
        "pictures": {"given": counts[0], "learned_from": counts[1], "held_out": counts[2], "views": views},
        "start": {"how": start.how, "rows_from": shop.rows_from, "recurrence": start.recurrence},
        "nodes": nodes_of(start, learned),
        "coordinates": {"kept": round(shop.sight.kept, 4), "number": len(shop.sight.plain)},
        "held_out": rounded,
        "restarted": learned.restarted,
        "dead": learned.dead,
        "losses": [round(loss, 4) for loss in learned.losses],
        "learning_minutes": round(learned.seconds / 60, 2),
        "precision": learned.precision,
        "machine": {"processor": platform.processor() or platform.machine(), "cores": os.cpu_count()},
        "versions": versions(),
    }
