"""Hue, saturation and value: the hexagonal model of A. R. Smith, "Color Gamut Transform Pairs", SIGGRAPH 1978."""

from __future__ import annotations

from artifexpro.core.lazy import cv2, numpy, torch
from artifexpro.core.media.channels import joined, planes
from artifexpro.core.media.pixels import from_rows, on_card, rows

_BRIGHT = 2.0**20
"""OpenCV takes 1e-7 as no chroma; dark colours are lifted well above that."""


def adjust(pixels: torch.Tensor, hue: float, saturation: float, value: float) -> torch.Tensor:
    """(1, 4, H, W) premultiplied pixels with hue turned by `hue` degrees, saturation times `saturation` (at most 1) and
    value times `value`.

    Value is the largest channel and has no ceiling. What comes out negative becomes 0. Hue and saturation are ratios of
    channels, so alpha need not be divided out.
    """
    way = by_planes if on_card(pixels) else by_opencv
    return way(pixels, hue % 360, saturation, value).to(pixels.dtype)


def by_opencv(pixels: torch.Tensor, hue: float, saturation: float, value: float) -> torch.Tensor:
    """`adjust` on the processor, by OpenCV's conversions."""
    picture = rows(pixels)
    lifted = picture * numpy.float32(_BRIGHT)
    adjusting = numpy.array([[1, 0, 0, hue], [0, saturation, 0, 0], [0, 0, value / _BRIGHT, 0]])
    hsv = cv2.transform(cv2.cvtColor(lifted, cv2.COLOR_RGB2HSV), adjusting)
    numpy.minimum(hsv[..., 1], 1, out=hsv[..., 1])
    cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB, dst=lifted, dstCn=4)
    out = from_rows(lifted).clamp_(min=0)
    out[:, 3] = pixels[:, 3]
    return out


def by_planes(pixels: torch.Tensor, hue: float, saturation: float, value: float) -> torch.Tensor:
    """`adjust` on any device: of what lies between the brightest channel and each other one, so much is left."""
    red, green, blue, alpha = planes(pixels)
    brightest = torch.maximum(torch.maximum(red, green), blue)
    chroma = brightest - torch.minimum(torch.minimum(red, green), blue)
    grey = chroma == 0
    depth = (chroma / brightest * saturation).clamp_(0, 1).masked_fill_(grey, 0) * brightest * value
    sixths = _sixths(red, green, blue, brightest, chroma) + hue / 60
    sixths = torch.where(sixths >= 6, sixths - 6, sixths).masked_fill_(grey, 0)
    away = [_away(sixths, centre, sign) for centre, sign in ((3, -1), (2, 1), (4, 1))]
    return joined([*((brightest * value - share * depth).clamp_(min=0) for share in away), alpha])


def _sixths(
    red: torch.Tensor, green: torch.Tensor, blue: torch.Tensor, brightest: torch.Tensor, chroma: torch.Tensor
) -> torch.Tensor:
    """Hue from 0 to 6: 0 red, 1 yellow, 2 green, 3 cyan, 4 blue, 5 magenta."""
    by_red = (green - blue) / chroma
    by_red = torch.where(by_red < 0, by_red + 6, by_red)
    by_green = (blue - red) / chroma + 2
    by_blue = (red - green) / chroma + 4
    return torch.where(brightest == red, by_red, torch.where(brightest == green, by_green, by_blue))


def _away(sixths: torch.Tensor, centre: int, sign: int) -> torch.Tensor:
    """How far a channel lies from the brightest one, from 0 to 1: a trapezium over hue about `centre`."""
    distance = (sixths - centre).abs_()
    return (2 - distance if sign < 0 else distance - 1).clamp_(0, 1)
