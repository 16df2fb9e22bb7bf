"""Words for the neurons of any CNN, from the user's own data, with a measured quality.

    from nle_fast.dissect import dissect

    dissection = dissect("bundle/", masks="concept_masks/", labelled="photos.csv", cache="cache/")
    dissection.save("words/")                  # concepts.json for explanations, dissection.json for people

Sources may be brought together: masks (Network Dissection), labelled pictures (INVERT), a dual encoder (CLIP-Dissect),
votes (the classes that a neuron speaks for in the head), and the words of another network that looks beside.
"""

from __future__ import annotations

from nle_fast.dissect.borrowed import Witness
from nle_fast.dissect.encoder import DualEncoder
from nle_fast.dissect.groups import Groups, groups_of
from nle_fast.dissect.labelled import LabelledPictures
from nle_fast.dissect.masks import MaskFolder
from nle_fast.dissect.options import DissectOptions
from nle_fast.dissect.record import read_dissection
from nle_fast.dissect.run import Dissection, dissect

__all__ = [
    "DissectOptions",
    "Dissection",
    "DualEncoder",
    "Groups",
    "LabelledPictures",
    "MaskFolder",
    "Witness",
    "dissect",
    "groups_of",
    "read_dissection",
]
