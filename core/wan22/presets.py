"""The four presets, as data. Guidance pairs are (low noise, high noise)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from artifexpro.core.errors import ArtifexError
from artifexpro.core.wan22.catalogue import ModelSpec


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


AFTER = ("denoise", "sharpen", "color_grade")
"""What may be done to decoded frames: see `after`."""
_DELIVERED = {"1080p": (1920, 1080)}
_PRESETS = (
    Preset("Draft", "480p", "480p", 25, (2.5, 3.0), 41, 3.0, "float16"),
    Preset("Preview", "720p", "720p", 36, (3.0, 3.5), 81, 4.0, "bfloat16"),
    Preset("Production", "720p", "720p", 60, (3.5, 4.5), 121, 5.0, "bfloat16"),
    Preset("Cinema", "720p", "1080p", 80, (4.0, 5.0), 241, 5.0, "bfloat16", AFTER),
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


def delivered_size(model: ModelSpec, chosen: Preset, size: tuple[int, int]) -> tuple[int, int]:
    """(width, height) that a clip generated at `size` is delivered in; (0, 0) where that is the same size.

    The preset's own size becomes the standard one; any other keeps its shape, its shorter side made as long as the
    standard's. Random models and the embedded one deliver half as
    much again, to be quick.
    """
    if chosen.delivered not in _DELIVERED:
        return 0, 0
    wide, high = _DELIVERED[chosen.delivered]
    if model.random or model.embedded:
        return size[0] * 3 // 2, size[1] * 3 // 2
    if size == model.sizes[chosen.resolution]:
        return wide, high
    scale = high / min(size)
    return 2 * round(size[0] * scale / 2), 2 * round(size[1] * scale / 2)
