"""Pictures at another size, moved, or softened: on the processor by OpenCV, on a card by torch."""

from __future__ import annotations

import math
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal

from artifexpro.core.graph.values import Region
from artifexpro.core.lazy import numpy, torch
from artifexpro.core.media import card, on_processor
from artifexpro.core.media.pixels import on_card, within

if TYPE_CHECKING:
    from numpy.typing import NDArray

Filter = Literal["nearest", "bilinear", "bicubic", "lanczos"]
Outside = Literal["edge", "dark"]


def resize(pixels: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """(1, 4, H, W) at `size` (width, height): the mean of the area each new pixel covers when it shrinks, bicubic when
    it grows. The same tensor if it has that size."""
    height, width = pixels.shape[2:]
    if size == (width, height):
        return pixels
    way, picture = _way(pixels), pixels.float()
    shrunk = (min(width, size[0]), min(height, size[1]))
    if shrunk != (width, height):
        picture = way.shrunk(picture, shrunk)
    if size != shrunk:
        picture = way.grown(picture, size, "bicubic")
    return picture.to(pixels.dtype)


def gaussian(pixels: torch.Tensor, sigma: float, outside: Outside = "edge") -> torch.Tensor:
    """(1, 4, H, W) convolved with a gaussian of standard deviation `sigma` > 0 pixels, cut at four of them. Outside the
    picture its edge pixels go on, or all is "dark".

    A wide one is computed on a smaller picture (P. J. Burt and E. H. Adelson, "The Laplacian Pyramid as a Compact
    Image Code", 1983): halving and doubling by the binomial of five taps adds a variance of 1 each at the larger size,
    and the gaussian between them has as much less. That differs from the convolution by less than a thousandth of the
    result's contrast.
    """
    way, picture, dark = _way(pixels), pixels.float(), outside == "dark"
    levels = _levels(sigma)
    height, width = picture.shape[2:]
    margin = _MARGIN * 2**levels if levels else 0
    if levels:
        below, right = margin + -height % 2**levels, margin + -width % 2**levels
        picture = way.padded_and_halved(picture, margin, right, margin, below, dark=dark)
    for _ in range(levels - 1):
        picture = way.halved(picture)
    spread = _spread(sigma, levels)
    picture = way.blurred(picture, spread, 2 * math.ceil(4 * spread) + 1, dark=dark)
    for _ in range(levels - 1):
        picture = way.doubled(picture)
    if levels:
        picture = way.doubled_and_cropped(picture, margin, margin, width, height)
    return picture.to(pixels.dtype)


def gaussian_reads(region: Region, sigma: float, size: tuple[int, int]) -> Region:
    """The part of a picture of `size` that `gaussian` must be given for the pixels of `region` to be those of the whole
    picture's blur."""
    levels = _levels(sigma)
    block, reach = 2**levels, math.ceil(4 * _spread(sigma, levels))
    wide = region.grown(block * (reach + (2 * _MARGIN if levels else 0)))
    left, top = wide.x // block * block, wide.y // block * block
    right, bottom = -(-(wide.x + wide.width) // block) * block, -(-(wide.y + wide.height) // block) * block
    return within(Region(left, top, right - left, bottom - top), size)


_LEAST_SPREAD = 2.35
"""The least deviation, in pixels of the smallest picture, that is sampled well enough there."""
_MARGIN = 3
"""Pixels of the smallest picture on each side after which all is made of the border alone."""


def _levels(sigma: float) -> int:
    """How often a picture is halved before it is blurred."""
    levels = 0
    while _spread(sigma, levels + 1) >= _LEAST_SPREAD:
        levels += 1
    return levels


def _spread(sigma: float, levels: int) -> float:
    """The deviation of the gaussian between `levels` halvings and doublings, which add 2 (4^levels - 1) / 3."""
    return math.sqrt(max(0.0, sigma**2 - 2 * (4**levels - 1) / 3)) / 2**levels


def about_centre(size: tuple[int, int], x: float, y: float, degrees: float, scale: float) -> NDArray[Any]:
    """The 3 x 3 matrix that scales and turns a picture of `size` about its centre, then moves it.

    In pixel coordinates with (0, 0) the centre of the upper left pixel. `x` moves right and `y` up, in pixels;
    `degrees` turn counter-clockwise as seen.
    """
    turn = numpy.radians(degrees)
    cosine, sine = scale * numpy.cos(turn), scale * numpy.sin(turn)
    centre = (size[0] - 1) / 2, (size[1] - 1) / 2
    linear = numpy.array([[cosine, sine], [-sine, cosine]])
    matrix = numpy.eye(3)
    matrix[:2, :2] = linear
    matrix[:2, 2] = numpy.array(centre) - linear @ numpy.array(centre) + numpy.array([x, -y])
    return matrix


def mirror(size: tuple[int, int], horizontal: bool, vertical: bool) -> NDArray[Any]:
    """The 3 x 3 matrix that mirrors a picture of `size`, in pixel coordinates as in `about_centre`."""
    matrix = numpy.eye(3)
    for axis, turned in enumerate((horizontal, vertical)):
        if turned:
            matrix[axis, axis], matrix[axis, 2] = -1, size[axis] - 1
    return matrix


def affine(pixels: torch.Tensor, matrix: NDArray[Any], filter: Filter) -> torch.Tensor:
    """(1, 4, H, W) with its pixels moved by the 3 x 3 affine `matrix` (old to new pixel coordinates), same size,
    transparent where nothing comes to lie.

    Pixels that are only mirrored, or moved by whole pixels, keep their values. Where the matrix shrinks, the picture is
    averaged down to about the new size first (not for "nearest"), so that detail does not turn into moire.
    """
    if _keeps_pixels(matrix):
        return _shifted(pixels, matrix)
    way, picture = _way(pixels), pixels.float()
    height, width = picture.shape[2:]
    shrinking = float(numpy.sqrt(abs(numpy.linalg.det(matrix[:2, :2]))))
    if filter != "nearest" and shrinking < 1:
        small = max(1, round(width * shrinking)), max(1, round(height * shrinking))
        picture = way.shrunk(picture, small)
        matrix = matrix @ _enlarging(width / small[0], height / small[1])
    return way.warped(picture, matrix, (width, height), filter).to(pixels.dtype)


def _way(pixels: torch.Tensor) -> ModuleType:
    return card if on_card(pixels) else on_processor


def _keeps_pixels(matrix: NDArray[Any]) -> bool:
    """Whether pixels come to lie on pixels: moved by whole ones or mirrored."""
    linear, moved = matrix[:2, :2], matrix[:2, 2]
    return bool(numpy.array_equal(abs(linear), numpy.eye(2)) and (moved == moved.round()).all())


def _shifted(pixels: torch.Tensor, matrix: NDArray[Any]) -> torch.Tensor:
    out = torch.zeros_like(pixels, memory_format=torch.channels_last)
    taken, filled = [slice(None)] * 2, [slice(None)] * 2
    turned = []
    for dimension, axis in ((2, 1), (3, 0)):
        length, moved = pixels.shape[dimension], int(matrix[axis, 2])
        if matrix[axis, axis] < 0:
            turned.append(dimension)
            moved -= length - 1
        taken.append(slice(max(0, -moved), max(0, length - moved)))
        filled.append(slice(max(0, moved), max(0, length + moved)))
    out[tuple(filled)] = (pixels.flip(turned) if turned else pixels)[tuple(taken)]
    return out


def _enlarging(x: float, y: float) -> NDArray[Any]:
    """Pixel coordinates of a shrunk picture in the large one: areas correspond, so centres shift by half a pixel."""
    return numpy.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2], [0, 0, 1]])
