"""Film grain: noise of a given size, the same for the same seed and frame.

A tile of noise is made once for a seed and size; each frame lays it from another corner. So a
frame's grain costs what adding it costs, and any part of a frame is the same part of the whole.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from artifexpro.core.graph.values import Region
from artifexpro.core.lazy import cv2, numpy, torch
from artifexpro.core.media.channels import coverage, rooted
from artifexpro.core.media.pixels import from_rows, is_opaque

if TYPE_CHECKING:
    from numpy.typing import NDArray

TILE = 1024
"""Pixels on each side of the tile, after which grain repeats."""


def grained(
    pixels: torch.Tensor, region: Region, *, seed: int, frame: int, size: float, intensity: float, color: float
) -> torch.Tensor:
    """(1, 4, H, W) premultiplied scene-linear pixels, which are `region` of the picture, with grain.

    The grain's deviation is `intensity` times the square root of the light, as it is for counted photons and for
    silver grains (Poisson statistics): `intensity` at white, less in shadows. Alpha and negative light get none.
    `size` is the standard deviation of one grain in pixels; `color` from 0 (equal in all channels) to 1 (of their own).
    """
    light = pixels.float().clamp(min=0)
    if not is_opaque(pixels):
        light *= coverage(pixels)
    light = rooted(light)
    tile = _tile(seed, round(size, 3), round(color, 3))
    out = light
    for rows, columns, noise in _laid(tile, seed, frame, region):
        part = out[:, :, rows, columns]
        part *= noise.to(pixels.device)
    return torch.add(pixels, out, alpha=intensity).to(pixels.dtype)


@lru_cache(maxsize=64)
def weaker(size: float, scale: float) -> float:
    """By how much grain weakens where a picture is made smaller by `scale`; `size` in pixels of the small one.

    White noise under a kernel has the variance of the sum of the kernel's squares along each axis; making a picture
    smaller is one more kernel, a box.
    """
    grain = _kernel(size / scale)
    length = 1 / scale
    box = numpy.append(numpy.ones(int(length)), length % 1) / length
    return float((numpy.convolve(grain, box) ** 2).sum() / (grain**2).sum())


def _laid(tile: torch.Tensor, seed: int, frame: int, region: Region) -> Any:
    """(rows, columns, noise) that cover a region, in pixels of the region."""
    chance = numpy.random.default_rng((seed, frame % 2**32))
    left, top = (int(number) for number in chance.integers(0, TILE, 2))
    for y, height, from_y in _pieces(region.y + top, region.height):
        for x, width, from_x in _pieces(region.x + left, region.width):
            noise = tile[:, :, from_y : from_y + height, from_x : from_x + width]
            yield slice(y, y + height), slice(x, x + width), noise


def _pieces(start: int, length: int) -> Any:
    """(where in the region, how long, where in the tile) along one axis."""
    at = 0
    while at < length:
        inside = (start + at) % TILE
        count = min(TILE - inside, length - at)
        yield at, count, inside
        at += count


@lru_cache(maxsize=8)
def _tile(seed: int, size: float, color: float) -> torch.Tensor:
    """(1, 4, TILE, TILE): deviation 1 in red, green and blue, nothing in alpha; its edges meet."""
    noise = numpy.zeros((TILE, TILE, 4), numpy.float32)
    common, own = numpy.random.default_rng(seed).standard_normal((2, TILE, TILE, 3), numpy.float32)
    noise[..., :3] = math.sqrt(1 - color) * common[..., :1] + math.sqrt(color) * own
    kernel = _kernel(size)
    reach = len(kernel) // 2
    wide = cv2.copyMakeBorder(noise, reach, reach, reach, reach, cv2.BORDER_WRAP)
    soft = cv2.sepFilter2D(wide, -1, kernel, kernel)[reach : reach + TILE, reach : reach + TILE]
    return from_rows(numpy.ascontiguousarray(soft / soft[..., :3].std(), dtype=numpy.float32))


def _kernel(size: float) -> NDArray[Any]:
    """A gaussian of deviation `size` pixels, cut at four of them."""
    return cv2.getGaussianKernel(2 * math.ceil(4 * size) + 1, size)[:, 0] if size > 0 else numpy.ones(1)
