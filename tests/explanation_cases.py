"""Explanations made by hand, for tests that need no network."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from PIL import Image

from nle_fast.config import Config
from nle_fast.explanation import Explanation
from nle_fast.schema import Evidence, Meaning, Prediction, Region, Span

__all__ = ["build", "example", "photo"]


def build(meaning: Meaning, text: str, marks: tuple[Span, ...], **others: Any) -> Explanation:
    given = {"prediction": meaning.target, "timings": {}, "provenance": {}, **others}
    return Explanation(
        text=text,
        spans=marks,
        target=meaning.target,
        versus=meaning.versus,
        evidence=meaning.evidence,
        coverage=meaning.coverage,
        meaning=meaning,
        **given,
    )


def example(picture: Image.Image | None = None, **others: Any) -> Explanation:
    """A zebra with two pieces of evidence, its provenance as the explainer writes it."""
    outline = ((8.0, 8.0), (40.0, 8.0), (40.0, 40.0), (8.0, 40.0))
    region = Region(0.25, (8, 8, 40, 40), (24.0, 24.0), 0.6, 1.0, outline, "center", (0.0,) * 4 + (0.25,) + (0.0,) * 4)
    stripes = Evidence(17, "stripes", 0.4, 2.5, 0.5, True, ("center",), (region,))
    water = Evidence(3, None, None, -1.0, -0.2, False, (), ())
    zebra, horse = Prediction(340, "zebra", 0.97, 12.5), Prediction(339, "horse", 0.02, 8.0)
    meaning = Meaning(zebra, horse, (stripes, water), 0.5, "layer4", "plain")
    text = "A zebra, not a horse: stripes in the center, but neuron 3 speaks against it."
    marks = (
        Span(2, 7, "class"),
        Span(15, 20, "versus"),
        Span(22, 29, "evidence.0.concept"),
        Span(33, 43, "evidence.0.positions"),
        Span(49, 57, "evidence.1.concept"),
    )
    given = {
        "timings": {"classify": 3.25, "verbalize": np.float64(0.5)},
        "provenance": {
            "versions": {"nle_fast": "0.1.0"},
            "model": "ab12",
            "layer": "layer4",
            "config": dataclasses.asdict(Config()),
            "picture": {"size": [48, 48], "window": [0.0, 0.0, 48.0, 48.0]},
            "verbalizer": {"asked": "llama", "used": "template", "note": "no embedded model yet"},
        },
        "picture": picture,
        **others,
    }
    return build(meaning, text, marks, **given)


def photo() -> Image.Image:
    return Image.effect_noise((48, 48), 60).convert("RGB")
