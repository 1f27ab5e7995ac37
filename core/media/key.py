"""Keying: coverage from how much a pixel has of a screen's colour."""

from __future__ import annotations

from typing import Literal

from artifexpro.core.errors import ArtifexError
from artifexpro.core.lazy import torch
from artifexpro.core.media.channels import dividing, joined, planes

Screen = Literal["green", "blue"]


def check_clips(black: float, white: float) -> None:
    """Refuse a white clip that is not above the black one."""
    if white <= black:
        raise ArtifexError(
            "key the screen",
            f"the matte's white clip {white:g} is not above its black clip {black:g}",
            "a higher white clip",
        )


def color_difference(
    pixels: torch.Tensor, screen: Screen, strength: float, black: float, white: float, despill: float
) -> torch.Tensor:
    """(1, 4, H, W) premultiplied scene-linear pixels without the screen.

    The colour-difference matte of P. Vlahos, US patent 3,595,987 (1971): the screen's channel less the larger of the
    two others, which is 0 for what is no part of the screen. `strength` times that is taken from full coverage, and
    what comes out is stretched from `black`..`white` to 0..1. Light is linear, so a soft edge gives the share of the
    screen in it. Of the light by which the screen's channel leads (spill), `despill` is taken away.
    """
    check_clips(black, white)
    red, green, blue, alpha = planes(pixels)
    keyed, other = (green, blue) if screen == "green" else (blue, green)
    spill = (keyed - torch.maximum(red, other)).clamp_(min=0)
    stretch = 1 / (white - black)
    full = torch.full((), (1 - black) * stretch, device=pixels.device)
    coverage = torch.addcdiv(full, spill, dividing(alpha), value=-strength * stretch).clamp_(0, 1)
    keyed = torch.sub(keyed, spill, alpha=despill)
    colors = (red, keyed, blue) if screen == "green" else (red, green, keyed)
    return joined([channel * coverage for channel in (*colors, alpha)]).to(pixels.dtype)
