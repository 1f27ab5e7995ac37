"""Looks by name: words that are added to a prompt. They say how a picture is made, not what is in it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from artifexpro.core.errors import ArtifexError

STYLES: Mapping[str, str] = MappingProxyType(
    {
        "none": "",
        "anime": "hand-drawn anime, clean ink lines, flat cel shading, painted backgrounds",
        "watercolour": "watercolour painting, soft washes that run into each other, visible paper grain",
        "oil painting": "oil painting on canvas, thick brush strokes, rich glazes",
        "pencil": "graphite pencil drawing on white paper, fine hatching, no colour",
        "clay": "stop-motion clay animation, matte plasticine with fingerprints, miniature set",
        "paper": "cut-out paper animation, layered coloured card, soft drop shadows",
        "comic": "printed comic, bold outlines, halftone dots, few flat colours",
        "film noir": "black and white film noir, hard key light, deep shadows, fine grain",
        "super 8": "Super 8 home movie, heavy grain, faded warm colours, soft focus",
        "neon": "night lit by neon, saturated magenta and cyan, glossy reflections",
    }
)


def words(name: str) -> str:
    """What the style adds to a prompt. Raises `ArtifexError` (code "settings")."""
    if name not in STYLES:
        raise ArtifexError(
            f"use the style {name!r}", "no style has that name", f"one of {', '.join(STYLES)}", code="settings"
        )
    return STYLES[name]
