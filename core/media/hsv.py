"""Hue, saturation and value: the hexagonal model of A. R. Smith, "Color Gamut Transform Pairs", SIGGRAPH 1978."""

from __future__ import annotations

from artifexpro.core.lazy import torch
from artifexpro.core.media.channels import joined, planes


def adjust(pixels: torch.Tensor, hue: float, saturation: float, value: float) -> torch.Tensor:
    """(1, 4, H, W) premultiplied pixels with hue turned by `hue` degrees, saturation times `saturation` (at most 1) and
    value times `value`.

    Value is the largest channel and has no ceiling. What comes out negative becomes 0. Hue and saturation are ratios of
    channels, so alpha need not be divided out.
    """
    red, green, blue, alpha = planes(pixels)
    brightest = torch.maximum(torch.maximum(red, green), blue)
    chroma = brightest - torch.minimum(torch.minimum(red, green), blue)
    # What lies between the brightest channel and each other one is saturated by this much of its chroma.
    ratio = (chroma / brightest * saturation).clamp_(0, 1) * brightest * value
    brightest_out = brightest * value
    grey = chroma == 0
    if hue % 360 == 0:
        ratio /= chroma
        shares = [brightest - red, brightest - green, brightest - blue]
    else:
        sixths = _sixths(red, green, blue, brightest, chroma)
        sixths += hue % 360 / 60
        sixths -= 6 * (sixths >= 6)
        sixths.masked_fill_(grey, 0)
        shares = [_away(sixths, centre, sign) for centre, sign in ((3, -1), (2, 1), (4, 1))]
    ratio.masked_fill_(grey, 0)
    out = [torch.addcmul(brightest_out, share, ratio, value=-1).clamp_(min=0) for share in shares]
    return joined([*out, alpha]).to(pixels.dtype)


def _sixths(
    red: torch.Tensor, green: torch.Tensor, blue: torch.Tensor, brightest: torch.Tensor, chroma: torch.Tensor
) -> torch.Tensor:
    """Hue from 0 to 6: 0 red, 1 yellow, 2 green, 3 cyan, 4 blue, 5 magenta."""
    by_red = (green - blue) / chroma
    by_red += 6 * (by_red < 0)
    by_green = (blue - red) / chroma + 2
    by_blue = (red - green) / chroma + 4
    return torch.where(brightest == red, by_red, torch.where(brightest == green, by_green, by_blue))


def _away(sixths: torch.Tensor, centre: int, sign: int) -> torch.Tensor:
    """How far a channel lies from the brightest one, from 0 to 1: a trapezium over hue about `centre`."""
    distance = (sixths - centre).abs_()
    return (2 - distance if sign < 0 else distance - 1).clamp_(0, 1)
