"""Glow: light that spreads around what is bright, as in a lens."""

from __future__ import annotations

from artifexpro.core.lazy import torch
from artifexpro.core.media.channels import joined, planes
from artifexpro.core.media.resample import gaussian


def glowing(pixels: torch.Tensor, threshold: float, size: float, intensity: float) -> torch.Tensor:
    """(1, 4, H, W) premultiplied scene-linear pixels plus `intensity` times what is brighter than `threshold`, spread
    by a gaussian of `size` pixels.

    Of a pixel counts what its brightest channel has above the threshold, in the pixel's own colour. Spreading keeps the
    sum of light but for what leaves the picture; outside it all is dark. Glow is light without coverage: alpha stays.
    """
    red, green, blue, alpha = planes(pixels)
    brightest = torch.maximum(torch.maximum(red, green), blue)
    share = _share(brightest, threshold)
    bright = joined([red * share, green * share, blue * share, torch.zeros_like(alpha)])
    spread = gaussian(bright, size, outside="dark") if size > 0 else bright
    return torch.add(pixels, spread, alpha=intensity).to(pixels.dtype)


def _share(brightest: torch.Tensor, threshold: float) -> torch.Tensor:
    """How much of a pixel's light lies above the threshold, from 0 to 1."""
    if threshold > 0:
        return 1 - threshold / brightest.clamp(min=threshold)
    return (brightest > 0).to(brightest.dtype)
