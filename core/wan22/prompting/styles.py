"""Looks by name: words that are added to a prompt. They say how a picture is made, not what is in it.

A look has five phrases, the one that names it first. Strength is how many of them are added, which the artist can read;
scaling embeddings instead would be undone in part by the networks, which normalise the keys they attend by.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

from artifexpro.core.errors import ArtifexError

STYLES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "none": (),
        "anime": (
            "hand-drawn anime", "clean ink lines", "flat cel shading", "painted backgrounds",
            "crisp coloured highlights",
        ),
        "watercolour": (
            "watercolour painting", "soft washes that run into each other", "visible paper grain",
            "pigment gathered at the edges", "white paper left bare",
        ),
        "oil painting": (
            "oil painting on canvas", "thick brush strokes", "rich glazes", "visible weave of the canvas",
            "deep warm tones",
        ),
        "pencil": (
            "graphite pencil drawing on white paper", "fine hatching", "no colour", "smudged soft shading",
            "construction lines left visible",
        ),
        "clay": (
            "stop-motion clay animation", "matte plasticine with fingerprints", "miniature set",
            "simple rounded shapes", "movement in small visible steps",
        ),
        "paper": (
            "cut-out paper animation", "layered coloured card", "soft drop shadows", "visible paper fibres",
            "hard cut edges",
        ),
        "comic": ("printed comic", "bold outlines", "halftone dots", "few flat colours", "solid black shadows"),
        "film noir": (
            "black and white film noir", "hard key light", "deep shadows", "fine grain", "high contrast",
        ),
        "super 8": (
            "Super 8 home movie", "heavy grain", "faded warm colours", "soft focus", "light leaks at the edges",
        ),
        "neon": (
            "night lit by neon", "saturated magenta and cyan", "glossy reflections", "dark surroundings",
            "glow around the lights",
        ),
    }
)  # fmt: skip


def words(name: str, strength: float = 1.0) -> str:
    """What the style adds to a prompt at a strength of 0 (nothing) to 1 (all its phrases).

    Raises `ArtifexError` (code "settings").
    """
    count = taken(name, strength)
    return ", ".join(STYLES[name][:count])


def taken(name: str, strength: float) -> int:
    """How many of the style's phrases a strength takes: its share of them, rounded up. Raises `ArtifexError` (code
    "settings") for a style or a strength that there is not."""
    if name not in STYLES:
        raise ArtifexError(
            f"use the style {name!r}", "no style has that name", f"one of {', '.join(STYLES)}", code="settings"
        )
    if not 0 <= strength <= 1:
        raise ArtifexError(
            f"use a style at strength {strength:g}",
            "strength is 0 (nothing of it) to 1 (all of it)",
            "0.6 for three of its five phrases",
            code="settings",
        )
    return math.ceil(round(strength * len(STYLES[name]), 6))


def said(name: str, strength: float) -> str:
    """A sentence on how much of the style is used; empty where that is all of it, or there is none."""
    if name == "none" or strength == 1:
        return ""
    return f"Style {name} at {strength:g}: {taken(name, strength)} of its {len(STYLES[name])} phrases."
