"""Pictures at another size, moved, or softened. OpenCV reads and writes the tensors' own memory."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

from artifexpro.core.graph.values import Region
from artifexpro.core.lazy import cv2, numpy, torch
from artifexpro.core.media.pixels import from_rows, rows, within

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
    picture = rows(pixels)
    shrunk = (min(width, size[0]), min(height, size[1]))
    if shrunk != (width, height):
        picture = cv2.resize(picture, shrunk, interpolation=cv2.INTER_AREA)
    if size != shrunk:
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC)
    return from_rows(picture).to(pixels.dtype)


def gaussian(pixels: torch.Tensor, sigma: float, outside: Outside = "edge") -> torch.Tensor:
    """(1, 4, H, W) convolved with a gaussian of standard deviation `sigma` > 0 pixels, cut at four of them. Outside the
    picture its edge pixels go on, or all is "dark".

    A wide one is computed on a picture made n = `_coarseness` times smaller, with as much less variance as making it
    smaller (a box: (n^2 - 1) / 12) and larger (a tent: n^2 / 6 + 1 / 12) adds: n^2 / 4 together. One coarse pixel more
    on each side is made of the edge pixels alone, so that they, not coarse ones, go on outside.
    """
    coarse = _coarseness(sigma)
    picture = rows(pixels)
    height, width = picture.shape[:2]
    border = cv2.BORDER_REPLICATE if outside == "edge" else cv2.BORDER_CONSTANT
    if coarse > 1:
        below, right = coarse + -height % coarse, coarse + -width % coarse
        picture = cv2.copyMakeBorder(picture, coarse, below, coarse, right, border)
        small = picture.shape[1] // coarse, picture.shape[0] // coarse
        picture = cv2.resize(picture, small, interpolation=cv2.INTER_AREA)
    spread = _coarse_sigma(sigma)
    taps = 2 * math.ceil(4 * spread) + 1
    picture = cv2.GaussianBlur(picture, (taps, taps), spread, borderType=border)
    if coarse > 1:
        whole = picture.shape[1] * coarse, picture.shape[0] * coarse
        picture = cv2.resize(picture, whole, interpolation=cv2.INTER_LINEAR)
        picture = picture[coarse : coarse + height, coarse : coarse + width]
    return from_rows(numpy.ascontiguousarray(picture)).to(pixels.dtype)


def gaussian_reads(region: Region, sigma: float, size: tuple[int, int]) -> Region:
    """The part of a picture of `size` that `gaussian` must be given for the pixels of `region` to be those of the whole
    picture's blur."""
    coarse = _coarseness(sigma)
    wide = region.grown(coarse * (math.ceil(4 * _coarse_sigma(sigma)) + 2))
    left, top = wide.x // coarse * coarse, wide.y // coarse * coarse
    right, bottom = -(-(wide.x + wide.width) // coarse) * coarse, -(-(wide.y + wide.height) // coarse) * coarse
    return within(Region(left, top, right - left, bottom - top), size)


def _coarseness(sigma: float) -> int:
    """By how much a picture is made smaller before it is blurred: a power of two that leaves sigma 8 to 16 pixels."""
    return 1 if sigma < 16 else 2 ** int(math.log2(sigma / 8))


def _coarse_sigma(sigma: float) -> float:
    coarse = _coarseness(sigma)
    added = 0.0 if coarse == 1 else coarse**2 / 4
    return math.sqrt(sigma**2 - added) / coarse


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
    picture = rows(pixels)
    if _keeps_pixels(matrix):
        return from_rows(_shifted(picture, matrix)).to(pixels.dtype)
    height, width = picture.shape[:2]
    shrinking = float(numpy.sqrt(abs(numpy.linalg.det(matrix[:2, :2]))))
    if filter != "nearest" and shrinking < 1:
        small = max(1, round(width * shrinking)), max(1, round(height * shrinking))
        picture = cv2.resize(picture, small, interpolation=cv2.INTER_AREA)
        matrix = matrix @ _enlarging(width / small[0], height / small[1])
    moved = cv2.warpAffine(
        picture,
        matrix[:2],
        (width, height),
        flags=_FLAGS[filter](),
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(0, 0, 0, 0),
    )
    return from_rows(moved).to(pixels.dtype)


def _keeps_pixels(matrix: NDArray[Any]) -> bool:
    """Whether pixels come to lie on pixels: moved by whole ones or mirrored."""
    linear, moved = matrix[:2, :2], matrix[:2, 2]
    return bool(numpy.array_equal(abs(linear), numpy.eye(2)) and (moved == moved.round()).all())


def _shifted(picture: NDArray[Any], matrix: NDArray[Any]) -> NDArray[Any]:
    out = numpy.zeros_like(picture)
    taken, filled = [], []
    for axis, length in ((1, picture.shape[0]), (0, picture.shape[1])):
        sign, moved = int(matrix[axis, axis]), int(matrix[axis, 2])
        if sign < 0:
            picture, moved = numpy.flip(picture, 1 - axis), moved - length + 1
        taken.append(slice(max(0, -moved), max(0, length - moved)))
        filled.append(slice(max(0, moved), max(0, length + moved)))
    out[tuple(filled)] = picture[tuple(taken)]
    return out


def _enlarging(x: float, y: float) -> NDArray[Any]:
    """Pixel coordinates of a shrunk picture in the large one: areas correspond, so centres shift by half a pixel."""
    return numpy.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2], [0, 0, 1]])


_FLAGS = {
    "nearest": lambda: cv2.INTER_NEAREST,
    "bilinear": lambda: cv2.INTER_LINEAR,
    "bicubic": lambda: cv2.INTER_CUBIC,
    "lanczos": lambda: cv2.INTER_LANCZOS4,
}
