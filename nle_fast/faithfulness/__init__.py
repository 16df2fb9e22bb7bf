"""Is an explanation faithful? Measured by masking, by pixels, and by interventions, beside controls.

`evaluate` measures all of it for one network, `report_html` writes it for people; the certificate of a single
explanation is `explainer(picture, certify=True)`. docs/faithfulness.md says what is measured and what is not.
"""

from __future__ import annotations

from nle_fast.faithfulness.evaluate import EvaluateOptions, evaluate
from nle_fast.faithfulness.interventions import measure_interventions
from nle_fast.faithfulness.masking import MaskingOptions, measure_masking
from nle_fast.faithfulness.pixels import PixelOptions, measure_pixels
from nle_fast.faithfulness.plausible import fit_words, read_hypernyms
from nle_fast.faithfulness.pointing import measure_pointing
from nle_fast.faithfulness.report import report_html
from nle_fast.faithfulness.statistics import Interval, difference_interval, mean_interval, ratio_interval
from nle_fast.faithfulness.without import Without, look_without, neurons_seeing

__all__ = [
    "EvaluateOptions",
    "Interval",
    "MaskingOptions",
    "PixelOptions",
    "Without",
    "difference_interval",
    "evaluate",
    "fit_words",
    "look_without",
    "mean_interval",
    "measure_interventions",
    "measure_masking",
    "measure_pixels",
    "measure_pointing",
    "neurons_seeing",
    "ratio_interval",
    "read_hypernyms",
    "report_html",
]
