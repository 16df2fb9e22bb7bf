"""The dissection of one layer, top to bottom: pictures, one pass of the network, each source's words, the choice."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nle_fast.classifiers import FeatureClassifier
from nle_fast.concepts import Concepts
from nle_fast.config import Config
from nle_fast.dissect.asked import check_kinds, check_progress, picture_paths
from nle_fast.dissect.borrowed import Witness
from nle_fast.dissect.choose import Champion, Chosen, champions, choose
from nle_fast.dissect.encoder import DualEncoder
from nle_fast.dissect.exemplars import exemplars_of
from nle_fast.dissect.further import further_words
from nle_fast.dissect.groups import groups_of
from nle_fast.dissect.labelled import LabelledPictures
from nle_fast.dissect.masks import MaskFolder
from nle_fast.dissect.offers import add_offers
from nle_fast.dissect.options import DissectOptions
from nle_fast.dissect.overlap import name_from_masks, thresholds_of
from nle_fast.dissect.probe import JUDGE, PARTS, Probe, ProbeSet, content_digest, picture_digest
from nle_fast.dissect.ranking import name_from_labels
from nle_fast.dissect.record import RECORD_SCHEMA, neuron_record, write_json
from nle_fast.dissect.responses import Progress, Responses, read_responses
from nle_fast.dissect.similarity import name_from_encoder
from nle_fast.dissect.summary import summaries
from nle_fast.dissect.table import Answers, SourceTable
from nle_fast.errors import ConceptsError, ConfigError
from nle_fast.labels import Labels
from nle_fast.opening import AskedFeatures, open_network
from nle_fast.preprocess import Preprocess
from nle_fast.version import versions

__all__ = ["Dissection", "dissect"]

Folder = str | os.PathLike[str]


@dataclass(frozen=True)
class Dissection:
    """Words for the neurons of one layer.

    Attributes:
        concepts: The table, with each name's held-out simulation correlation as its quality.
        record: Everything that was measured; see `nle_fast.dissect.record`.
    """

    concepts: Concepts
    record: dict[str, Any]

    def save(self, folder: Folder) -> Path:
        """Write `concepts.json` and `dissection.json` into a folder, each whole or not at all.

        Raises:
            ConceptsError: The folder cannot be written.
        """
        folder = Path(folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConceptsError(
                f"`folder` must be writable, got '{folder}' ({error.strerror}); choose another."
            ) from error
        write_json(self.record, folder / "dissection.json")
        self.concepts.save(folder / "concepts.json")
        return folder


def dissect(
    model: Any,
    *,
    layer: str | None = None,
    features: AskedFeatures = False,
    preprocess: Preprocess | None = None,
    masks: MaskFolder | Folder | None = None,
    labelled: LabelledPictures | Folder | None = None,
    hypernyms: Folder | None = None,
    encoder: DualEncoder | Folder | None = None,
    votes: bool = False,
    hierarchy: Folder | None = None,
    labels: Sequence[str] | Folder | None = None,
    witness: Witness | Folder | None = None,
    pictures: Sequence[Folder] = (),
    cache: Folder | None = None,
    options: DissectOptions | None = None,
    device: str | None = None,
    progress: Progress | None = None,
) -> Dissection:
    """Name the neurons of one layer of a classifier, from data of the user, with a measured quality.

    The pictures of all sources are shown to the network once, and split once, for all sources alike. On one third the
    sources propose words, on another one of them is picked for each neuron, and the last, which took no part, judges:
    the simulation correlation is that of the neuron's response and the presence of the named concept, where that is
    known and, with the unknown as absent, on all pictures; the lower one counts. See `choose.choose` for what a name
    must pass.

    Args:
        model: As for `Explainer`: a bundle's folder, an .onnx file, a torch module or a `Classifier`.
        layer: Which layer; None: the bundle's, else the last one.
        features: Learned directions of the layer that are named in place of its neurons, or a `.safetensors` file;
            None: the bundle's; False: neurons. Pictures that they were learned from do not judge.
        preprocess: None: the bundle's, else ImageNet's with 224 pixels.
        masks: A folder with an `index.json`; see `nle_fast.dissect.masks`.
        labelled: A folder of classes or a CSV; see `nle_fast.dissect.labelled`.
        hypernyms: More general words for `labelled`.
        encoder: A dual encoder's folder, whose words are held against the pictures of the other sources and `pictures`.
        votes: Also name neurons by the classes that they speak for in the head; needs no pictures where the head is
            pooling + linear, and judges the names on `labelled` pictures of the network's own classes.
        hierarchy: Groups of the network's classes, JSON as for `hypernyms`; None: WordNet's for ImageNet's labels.
        labels: Names of the network's classes, for votes; None: the bundle's.
        witness: Another network, whose words are borrowed; see `nle_fast.dissect.borrowed.Witness`.
        pictures: Further picture files.
        cache: Folder in which a stopped run is resumed; None: a temporary one, removed at the end.
        options: What is measured and asked for.
        device: Where the network runs.
        progress: Called with (stage, done, total); stages are "read", "encode", "masks", "name".

    Raises:
        ConfigError: No source, or an encoder or a witness without pictures; a witness that is the network itself; votes
            without class names, or, where the head is not pooling + linear, without pictures; an option is out of its
            range, or an argument of another kind.
        InputError: A source is broken; the message names the file.
        ModelError: The network cannot be read or has no such layer.

    Source: this project; the sources' methods are cited where they stand.
    """
    path = (str, os.PathLike)
    check_kinds(
        masks=(masks, "a MaskFolder or a folder", (MaskFolder, *path)),
        labelled=(labelled, "LabelledPictures, a folder or a .csv", (LabelledPictures, *path)),
        hypernyms=(hypernyms, "the path of a .json", path),
        encoder=(encoder, "a DualEncoder or a folder", (DualEncoder, *path)),
        hierarchy=(hierarchy, "the path of a .json", path),
        cache=(cache, "a folder", path),
        options=(options, "DissectOptions", (DissectOptions,)),
    )
    check_progress(progress)
    further_pictures = picture_paths(pictures)
    options = DissectOptions() if options is None else options
    opened = open_network(
        model, layer=layer, labels=labels, features=features, preprocess=preprocess, device=device, config=Config()
    )
    classifier, preprocess, name = opened.classifier, opened.preprocess, opened.name
    groups = None
    if votes:
        if opened.labels is None:
            raise ConfigError("`labels` must name the classes for words by votes, got none; pass a list or a file.")
        named = Labels(opened.labels, int(classifier.num_classes))
        groups = groups_of(named.names, hierarchy)
    else:
        named = Labels(None, int(classifier.num_classes))
    witness = witness if isinstance(witness, Witness | None) else Witness(witness, device=device)
    network = classifier.classifier if isinstance(classifier, FeatureClassifier) else classifier
    own = getattr(network, "fingerprint", None)
    if witness is not None and own is not None and own == getattr(witness.classifier, "fingerprint", None):
        raise ConfigError("`witness` must be another network, got the one whose neurons are named; pass another.")
    masks = MaskFolder(masks) if isinstance(masks, (str, os.PathLike)) else masks
    if isinstance(labelled, (str, os.PathLike)):
        labelled = LabelledPictures(labelled, hypernyms)
    encoder = DualEncoder(encoder, device) if isinstance(encoder, (str, os.PathLike)) else encoder
    probes = ProbeSet.of(
        [
            *([] if masks is None else [(masks.name, masks.probes)]),
            *([] if labelled is None else [(labelled.name, labelled.probes)]),
            ("pictures", [Probe(picture, "") for picture in further_pictures]),
        ],
        options.seed,
    )
    learned = np.zeros(len(probes), bool)
    if opened.features is not None:
        listed = opened.features.record.get("learned_from")
        known = {one for one in listed if isinstance(one, str)} if isinstance(listed, list) else set()
        learned = np.array([bool(known & {picture_digest(p), content_digest(p)}) for p in probes.paths], bool)
        probes = probes.without_judging(learned)
    nothing = masks is None and labelled is None and encoder is None and witness is None
    if not votes and (not len(probes) or nothing):
        raise ConfigError(
            "`masks`, `labelled`, `encoder` or `witness` (with `pictures`), or `votes` must be given, got no pictures "
            "that words come from; pass a folder of one of these kinds."
        )
    if votes and not len(probes) and (encoder is not None or witness is not None):
        raise ConfigError("`pictures` must be given for an encoder or a witness, got none; pass some.")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()) if cache is None else cache)
        responses: Responses | None = None
        windows: list[tuple[float, float, float, float]] = []
        tables: list[SourceTable] = []
        sources: list[list[Champion | None]] = []
        nobody = choose([[None] * int(classifier.num_neurons)], options)
        if len(probes):
            responses = read_responses(
                classifier, preprocess, probes.paths, folder, batch=options.batch, answers=votes, progress=progress
            )
            windows = [preprocess.window((int(width), int(height))) for width, height in responses.sizes]
            answers = Answers.of(probes, responses, options.response)
            if masks is not None:
                tables.append(name_from_masks(masks, answers, responses, windows, options, progress))
            if labelled is not None:
                tables.append(name_from_labels(labelled, answers, options))
            if encoder is not None:
                similar = encoder.similarities(probes.paths, folder, batch=options.batch, progress=progress)
                tables.append(name_from_encoder(encoder.words, similar, answers, options))
            sources = [champions(table, answers, options) for table in tables]
            chosen = choose(sources, options) if sources else nobody
            neurons = _neurons(chosen, tables, responses, answers, windows, options, progress)
        else:
            chosen = nobody
            nothing_shown: dict[str, Any] = {"threshold": 0.0, "exemplars": []}
            neurons = [neuron_record(at, one, ()) | nothing_shown for at, one in enumerate(chosen)]
        alone = {table.name: choose([source], options) for table, source in zip(tables, sources, strict=True)}
        summary = summaries(chosen, alone, options.min_quality)
        further = further_words(
            classifier, preprocess, named, groups, witness, labelled, probes, responses, windows, options,
            learned=learned, progress=progress,
        )  # fmt: skip
        summary = add_offers(neurons, summary, further.offers, options.min_quality)
        readings: dict[str, float | None] | None = None
        if isinstance(classifier, FeatureClassifier) and groups is not None and responses is not None:
            # The layer's own neurons on the same pictures, by the same rule: features are worth it where they say more.
            own = read_responses(
                classifier.classifier, preprocess, probes.paths, folder, batch=options.batch, answers=True,
                progress=progress,
            )  # fmt: skip
            plain = further_words(
                classifier.classifier, preprocess, named, groups, None, labelled, probes, own, windows, options,
                learned=learned, progress=progress,
            )  # fmt: skip
            readings = {"features": further.told_with_words, "neurons": plain.told_with_words}
    fingerprint = getattr(classifier, "fingerprint", None)
    record = {
        "schema": RECORD_SCHEMA,
        "network": name,
        "model": fingerprint,
        "layer": classifier.layer,
        "num_neurons": len(neurons),
        "versions": versions(),
        "options": options.to_dict(),
        "response": options.response,
        "parts": dict(zip(PARTS, (int(part.sum()) for part in probes.masks()), strict=True)),
        "sources": [
            {"name": t.name, "pictures": int((~np.isnan(t.presence)).any(1).sum()), "words": len(t.words)}
            for t in tables
        ]
        + further.sources,
        "pictures": [
            {
                "path": str(path),
                "size": responses.sizes[n].tolist() if responses is not None else [0, 0],
                "window": [round(edge, 2) for edge in windows[n]],
                "part": PARTS[probes.part[n]],
                "source": probes.sources[n],
            }
            for n, path in enumerate(probes.paths)
        ],
        "summary": summary,
        "readings": readings,
        "neurons": neurons,
    }
    concepts = Concepts(
        tuple(entry["name"] for entry in neurons),
        tuple(entry["quality"] for entry in neurons),
        classifier.layer,
        fingerprint,
        options.min_quality,
        tuple(entry["source"] for entry in neurons) if further.offers else None,
        tuple(entry["classes"] for entry in neurons) if further.offers else None,
    )
    return Dissection(concepts, record)


def _neurons(
    chosen: Sequence[Chosen],
    tables: Sequence[SourceTable],
    responses: Responses,
    answers: Answers,
    windows: Sequence[tuple[float, float, float, float]],
    options: DissectOptions,
    progress: Progress | None,
) -> list[dict[str, Any]]:
    """The entries of all neurons: the name's own quantile cuts the outlines, else the largest share."""
    shares = np.asarray(options.quantiles)
    thresholds = thresholds_of(responses, answers, options)
    judges = answers.probes.part == JUDGE
    found = []
    for neuron, one in enumerate(chosen):
        entry = neuron_record(neuron, one, tables)
        share = entry["words"][0]["quantile"] if entry["words"] else None
        at = int(shares.argmax()) if share is None else int(np.abs(shares - share).argmin())
        bar = float(thresholds[at, neuron])
        entry["threshold"] = round(bar * responses.scale, 6)
        entry["exemplars"] = exemplars_of(neuron, bar * responses.scale, responses, answers.response, judges, windows)
        found.append(entry)
        if progress is not None and (neuron + 1) % 32 == 0:
            progress("name", neuron + 1, len(chosen))
    return found
