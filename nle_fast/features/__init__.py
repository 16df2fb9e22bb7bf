"""Features of a layer, learned from pictures: directions by which explanations say more than by channels.

from nle_fast.features import learn

features = learn("bundle/", "photos/", cache="cache/")
features.save("features.safetensors")          # for Explainer(…, features="features.safetensors")
features.record["held_out"]                    # what they explain, beside the layer's channels
"""

from __future__ import annotations

from nle_fast.features.learning import learn
from nle_fast.features.options import LearnOptions

__all__ = ["LearnOptions", "learn"]
