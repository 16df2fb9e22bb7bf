"""Is an explanation faithful? Measured by masking, by pixels, and by interventions, beside controls.

`measure_masking` masks what is named and controls of equal count; the certificate of a single explanation is
`explainer(picture, certify=True)`.
"""

from __future__ import annotations

from nle_fast.faithfulness.masking import MaskingOptions, measure_masking
from nle_fast.faithfulness.plausible import fit_words, read_hypernyms
from nle_fast.faithfulness.statistics import Interval, difference_interval, mean_interval, ratio_interval

__all__ = [
    "Interval",
    "MaskingOptions",
    "difference_interval",
    "fit_words",
    "mean_interval",
    "measure_masking",
    "ratio_interval",
    "read_hypernyms",
]
