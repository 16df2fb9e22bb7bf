"""A world of pictures whose truth is known: which part is where, what it looks like, and what makes the class.

    from nle_fast.world import LABELS, Scene

    scene = Scene.random(7)
    scene.picture                                # (128, 128, 3) uint8
    scene.label, scene.parts["wing"], scene.colors["wing"]
    scene.without("crest").picture               # the same scene, what was behind the crest drawn instead

Everything is drawn by this package from a seed; no picture is stored.
Source: this project, in the spirit of FunnyBirds (Hesse et al., ICCV 2023), whose protocols of interventions it serves.
"""

from __future__ import annotations

from nle_fast.world.catalog import COLORS, KINDS, LABELS, LOOKS, PATTERNS, SPECIES, Look, Species
from nle_fast.world.colors import color_name
from nle_fast.world.scene import Scene

__all__ = ["COLORS", "KINDS", "LABELS", "LOOKS", "PATTERNS", "SPECIES", "Look", "Scene", "Species", "color_name"]
