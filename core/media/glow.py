"""Glow: light that spreads around what is bright, as in a lens.

Most pictures have a few lights. Only as much of the picture as their light reaches is blurred.
"""

from __future__ import annotations

from artifexpro.core.graph.values import Region
from artifexpro.core.lazy import cv2, torch
from artifexpro.core.media.channels import joined, planes
from artifexpro.core.media.pixels import on_card
from artifexpro.core.media.resample import gaussian, gaussian_reads


def glowing(pixels: torch.Tensor, threshold: float, size: float, intensity: float) -> torch.Tensor:
    """(1, 4, H, W) premultiplied scene-linear pixels plus `intensity` times what is brighter than `threshold`, spread
    by a gaussian of `size` pixels.

    Of a pixel counts what its brightest channel has above the threshold, in the pixel's own colour. Spreading keeps the
    sum of light but for what leaves the picture; outside it all is dark. Glow is light without coverage: alpha stays.
    """
    red, green, blue = planes(pixels, 3)
    brightest = torch.maximum(torch.maximum(red, green), blue)
    lights = _around(brightest, threshold)
    if lights is None:
        return pixels
    reached = lights if size == 0 else gaussian_reads(lights, size, (pixels.shape[3], pixels.shape[2]))
    rows = slice(reached.y, reached.y + reached.height)
    columns = slice(reached.x, reached.x + reached.width)
    share = _share(brightest[rows, columns], threshold)
    bright = joined([plane[rows, columns] * share for plane in (red, green, blue)] + [torch.zeros_like(share)])
    spread = gaussian(bright, size, outside="dark") if size > 0 else bright
    out = pixels.clone()
    out[:, :, rows, columns].add_(spread, alpha=intensity)
    return out


def _around(brightest: torch.Tensor, threshold: float) -> Region | None:
    """The least part of the picture that has all that is brighter than `threshold`; None where nothing is."""
    if on_card(brightest):
        places = (brightest > threshold).nonzero()
        if not len(places):
            return None
        (top, left), (bottom, right) = (bound.tolist() for bound in (places.amin(dim=0), places.amax(dim=0)))
        return Region(left, top, right - left + 1, bottom - top + 1)
    lit = cv2.compare(brightest.numpy(), threshold, cv2.CMP_GT)  # type: ignore[call-overload]
    x, y, width, height = cv2.boundingRect(lit)
    return Region(x, y, width, height) if width else None


def _share(brightest: torch.Tensor, threshold: float) -> torch.Tensor:
    """How much of a pixel's light lies above the threshold, from 0 to 1."""
    if threshold > 0:
        return 1 - threshold / brightest.clamp(min=threshold)
    return (brightest > 0).to(brightest.dtype)
