"""The four presets, as data. Guidance pairs are (low noise, high noise)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from artifexpro.core.errors import ArtifexError


@dataclass(frozen=True, slots=True)
class Preset:
    """What one word stands for. `resolution` is the size generated, `delivered` the size asked for after `after`."""

    name: str
    resolution: str
    delivered: str
    steps: int
    guidance: tuple[float, float]
    frames: int
    shift: float
    dtype: str
    after: tuple[str, ...] = ()


_PRESETS = (
    Preset("Draft", "480p", "480p", 25, (2.5, 3.0), 41, 3.0, "float16"),
    Preset("Preview", "720p", "720p", 36, (3.0, 3.5), 81, 4.0, "bfloat16"),
    Preset("Production", "720p", "720p", 60, (3.5, 4.5), 121, 5.0, "bfloat16"),
    Preset("Cinema", "720p", "1080p", 80, (4.0, 5.0), 241, 5.0, "bfloat16", ("denoise", "sharpen", "color_grade")),
)
PRESETS: Mapping[str, Preset] = MappingProxyType({preset.name: preset for preset in _PRESETS})


def preset(name: str) -> Preset:
    """The preset called `name`. Raises `ArtifexError` (code "settings")."""
    found = PRESETS.get(name)
    if found is None:
        raise ArtifexError(
            f"use the preset {name!r}", "no preset has that name", f"one of {', '.join(PRESETS)}", code="settings"
        )
    return found
