"""The pipeline, top to bottom: picture, classifier, scores, regions, concepts, meaning, text, explanation."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nle_fast import ops
from nle_fast.bundle import DEFAULT_BUNDLE, read_bundle
from nle_fast.certificate import Certificate, measure_certificate
from nle_fast.classifiers import Classifier, check_activations, look, num_channels, read_class_maps, zeroed_logits
from nle_fast.concepts import Concepts, words_of
from nle_fast.config import Config
from nle_fast.errors import InputError, NleWarning
from nle_fast.explanation import Explanation
from nle_fast.labels import Labels, Target
from nle_fast.meaning import build_meaning, gather_evidence, part_seen, read_prediction, read_runner_up
from nle_fast.opening import AskedFeatures, Network, open_network
from nle_fast.preprocess import Picture, Preprocess, check_several, load_picture, picture_list
from nle_fast.schema import EvidenceKind, Meaning, Prediction, Utterance
from nle_fast.timing import Laps
from nle_fast.verbalizers import Verbalizer, name_of, open_verbalizer, speak_all
from nle_fast.version import versions

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["Explainer"]


class Explainer:
    """Explains what one classifier sees; may be shared by threads.

    Args:
        model: A `torch.nn.Module`, the path of an `.onnx` file or of a bundle's folder, or any `Classifier`; left as it
            was.
        layer: Torch module name or ONNX tensor name; None: the last 4-D activation.
        labels: Class names in the order of the logits, or a text file with one per line; None: `"class 0"`, ….
        concepts: Words for the layer's neurons, or for the features, or a `.csv` or `.json` table; None: those of the
            features or of the bundle, else neurons keep their numbers.
        features: Learned directions of the layer that explanations name in place of its neurons, or a `.safetensors`
            file; None: the bundle's, if it says so; False: neurons.
        preprocess: The network's own preprocessing; None: the bundle's, else ImageNet's with 224 pixels.
        verbalizer: `"llama"` (embedded model), `"template"`, the path of a `.gguf` file, or a `Verbalizer`.
        device: `"cpu"`, `"cuda"`, …; None: where the module is, and the CPU for an ONNX file.
        config: What is scored and told.

    Raises:
        ModelError: The network cannot be read, or cannot be cut at the layer.
        ConceptsError: The table is broken or made for something else.
        FeaturesError: The features are broken or made for something else.
        InputError: The labels do not fit the network.
        ConfigError: The preprocessing does not fit the network, or features were to be scored by their maximum.
        VerbalizerError: The language model cannot be loaded.
    """

    def __init__(
        self,
        model: Network,
        *,
        layer: str | None = None,
        labels: Sequence[str] | str | os.PathLike[str] | None = None,
        concepts: Concepts | str | os.PathLike[str] | None = None,
        features: AskedFeatures = None,
        preprocess: Preprocess | None = None,
        verbalizer: str | os.PathLike[str] | Verbalizer = "llama",
        device: str | None = None,
        config: Config | None = None,
    ) -> None:
        self.config = Config() if config is None else config
        opened = open_network(
            model,
            layer=layer,
            labels=labels,
            concepts=concepts,
            features=features,
            preprocess=preprocess,
            device=device,
            config=self.config,
        )
        self.name, self.preprocess = opened.name, opened.preprocess
        self.classifier: Classifier = opened.classifier
        self.concepts, self.features, self._note = opened.concepts, opened.features, opened.note
        self.labels = Labels(opened.labels, self.classifier.num_classes)
        self.verbalizer = open_verbalizer(verbalizer)
        self._top_k = min(self.config.top_k, self.classifier.num_neurons)
        if self._top_k < self.config.top_k:
            message = f"`top_k` {self.config.top_k} is clipped to the {self._top_k} neurons of the layer."
            warnings.warn(message, NleWarning, stacklevel=2)

    @classmethod
    def load(cls, folder: str | os.PathLike[str], **options: Any) -> Explainer:
        """Open a bundle: model, labels, preprocess and concepts in one folder; `options` are the constructor's."""
        return cls(read_bundle(folder), **options)

    @classmethod
    def default(cls, **options: Any) -> Explainer:
        """The embedded network, which knows the drawn world of `nle_fast.world`; needs no other file and no network.

        `options` are the constructor's.

        Example:
            >>> from nle_fast.world import Scene
            >>> Explainer.default(verbalizer="template")(Scene.random(38).picture).prediction.label
            'barred marsh piper'
        """
        return cls.load(DEFAULT_BUNDLE, **options)

    def _fingerprint(self) -> str | None:
        """What tells this network and layer from another; None where the classifier has none."""
        network = self.classifier if self.features is None else self.classifier.classifier  # type: ignore[attr-defined]
        return getattr(network, "fingerprint", None)

    def __call__(
        self,
        picture: Picture,
        target: Target | None = None,
        versus: Target | None = None,
        *,
        certify: bool = False,
    ) -> Explanation:
        """Explain one picture.

        Args:
            picture: A path, bytes, a PIL image, or a uint8 array (H, W, 3).
            target: The class to explain, by label or index; None: the winner.
            versus: Another class: why `target` and not this.
            certify: Measure on this picture what masking the named neurons does, beside random ones; see `Certificate`.

        Raises:
            InputError: The picture cannot be read, or there is no such class.
            BackendError: The network failed on it.
        """
        return self.batch([picture], [target], [versus], certify=certify)[0]

    def batch(
        self,
        pictures: Iterable[Picture],
        targets: Sequence[Target | None] | None = None,
        versus: Sequence[Target | None] | None = None,
        *,
        certify: bool = False,
    ) -> list[Explanation]:
        """Explain several pictures in one forward, and write their texts together; arguments as for one, in lists."""
        pictures = picture_list(pictures)
        if not pictures:
            return []
        config, laps = self.config, Laps(len(pictures))
        opened = [load_picture(picture) for picture in pictures]
        sizes = [picture.size for picture in opened]
        windows = [self.preprocess.window(size) for size in sizes]
        images = self.preprocess(opened)
        laps.end("preprocess")
        wanted = self.labels.find_all(targets, "targets", len(opened))
        others = self.labels.find_all(versus, "versus", len(opened))
        asked = (self._top_k, config.score, "both" if config.against else "supporting")
        target, rival = (np.asarray(classes) if max(classes) >= 0 else None for classes in (wanted, others))
        reading = look(self.classifier, images, target, rival, *asked, laps, keep_activations=certify)
        top = reading.top
        places = ops.find_places(
            top.maps, sizes, windows, config.threshold, config.connectivity, config.min_area, config.position_rule
        )
        laps.end("regions")
        winners = [read_prediction(logits, self.labels) for logits in reading.logits]
        # What no feature explains, in the unit of the shares, which counts it where it is positive.
        rest = 0 * top.total if reading.rest is None else reading.rest / np.where(top.total > 0, top.total, 1)
        meanings = [
            self._mean(
                reading.logits[i],
                winners[i],
                reading.class_index[i],
                others[i],
                top,
                places[i],
                sizes[i],
                float(rest[i]),
                part_seen(windows[i], sizes[i]),
                i,
            )
            for i in range(len(opened))
        ]
        laps.end("meaning")
        said = speak_all(self.verbalizer, meanings)
        laps.end("verbalize")
        certificates: list[Certificate | None] = [None] * len(opened)
        if certify:
            maps = reading.class_maps
            for i, (winner, meaning, text) in enumerate(zip(winners, meanings, said, strict=True)):
                kept = None if maps is None else maps[i : i + 1]
                certificates[i] = measure_certificate(
                    self.classifier, reading.activations[i : i + 1], winner, meaning, text.spans, kept
                )
            laps.end("certify")
        timings = laps.timings()
        return [
            self._tell(opened[i], winners[i], meanings[i], said[i], certificates[i], dict(timings))
            for i in range(len(opened))
        ]

    def stream(self, frames: Iterable[Picture]) -> Iterator[Explanation]:
        """Explain frames one by one as they come; holds one frame at a time.

        Raises:
            InputError: `frames` is one picture, or nothing that has pictures.
        """
        check_several("frames", frames)
        return (self(frame) for frame in frames)

    def certificate_of(self, explanation: Explanation) -> Certificate:
        """What masking the named neurons does to the explanation's picture, which is read again.

        Raises:
            InputError: The explanation has no picture.
        """
        if explanation.picture is None:
            raise InputError("`explanation` must have its picture, got one read from JSON; explain the picture again.")
        images = self.preprocess([explanation.picture])
        versus = None if explanation.versus is None else np.array([explanation.versus.index])
        reading, maps = read_class_maps(self.classifier, images, np.array([explanation.target.index]), versus)
        facts = explanation.prediction, explanation.meaning, explanation.spans
        return measure_certificate(self.classifier, reading.activations, *facts, maps)

    def mask(self, picture: Picture, neurons: Iterable[int], target: Target | None = None) -> Prediction:
        """What the network would say if it could not see this: the prediction with these neurons zeroed.

        Args:
            picture: As for an explanation.
            neurons: Channels of the target layer.
            target: Whose label, probability and logit to read, by label or index; None: the new winner's.

        Raises:
            InputError: The picture cannot be read, or there is no such neuron or class.
        """
        count = self.classifier.num_neurons
        try:
            chosen = np.asarray(list(neurons))
        except (TypeError, ValueError):  # no list, or lists of several lengths
            chosen = np.asarray(repr(neurons))
        whole = chosen.ndim == 1 and (chosen.size == 0 or chosen.dtype.kind in "iu")
        if not whole or any(not 0 <= neuron < count for neuron in chosen):
            raise InputError(
                f"`neurons` must be whole numbers from 0 to {count - 1}, got {chosen.tolist()}; see `evidence`."
            )
        activations = self.classifier.activations(self.preprocess([load_picture(picture)]))
        check_activations(activations, 1, num_channels(self.classifier))
        logits = zeroed_logits(self.classifier, activations, chosen.tolist())
        return read_prediction(logits, self.labels, None if target is None else self.labels.find(target, "target"))

    def _mean(
        self,
        logits: NDArray[np.float32],
        winner: Prediction,
        target: int,
        other: int,
        top: ops.TopNeurons,
        places: Sequence[ops.Place],
        size: tuple[int, int],
        unexplained: float,
        seen: float | None,
        i: int,
    ) -> Meaning:
        """Picture i of a batch, from scores to what will be said."""
        explained = winner if target == winner.index else read_prediction(logits, self.labels, target)
        versus = None if other < 0 else read_prediction(logits, self.labels, other)
        kind: EvidenceKind = "neuron" if self.features is None else "feature"
        words, total = words_of(self.concepts, explained.index), float(top.total[i])
        evidence = gather_evidence(top.values[i], top.neurons[i], total, places, words, self._top_k, kind)
        by_neuron = dict(zip(top.neurons[i].tolist(), places, strict=True))
        return build_meaning(
            winner,
            explained,
            versus,
            evidence,
            self.classifier.layer,
            self.config,
            runner_up=read_runner_up(logits, self.labels),
            unexplained=unexplained,
            seen=seen,
            together=lambda some: ops.joint_places([by_neuron[item.neuron] for item in some], size),
        )

    def _tell(
        self,
        picture: Image.Image,
        winner: Prediction,
        meaning: Meaning,
        said: Utterance,
        certificate: Certificate | None,
        timings: dict[str, float],
    ) -> Explanation:
        """One picture, from words to the explanation."""
        return Explanation(
            text=said.text,
            spans=said.spans,
            prediction=winner,
            target=meaning.target,
            versus=meaning.versus,
            evidence=meaning.evidence,
            coverage=meaning.coverage,
            timings=timings,
            provenance={
                "versions": versions(),
                "network": self.name,
                "model": self._fingerprint(),
                "layer": self.classifier.layer,
                **self._through(),
                "config": asdict(self.config),
                "picture": {"size": list(picture.size), "window": list(self.preprocess.window(picture.size))},
                "verbalizer": {"asked": name_of(self.verbalizer), "used": said.verbalizer, "note": said.note},
            },
            meaning=meaning,
            picture=picture,
            certificate=certificate,
        ).made_by(self)

    def _through(self) -> dict[str, Any]:
        """What provenance says of features; nothing where there are none."""
        if self.features is None:
            return {"features": {"used": False, "note": self._note}} if self._note else {}
        return {"features": {"used": True, "count": len(self.features), "digest": self.features.digest}}
