"""Resampling by OpenCV, which reads and writes the tensors' own memory.

Pictures are (1, 4, H, W) float32 in channels-last memory, on the processor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from artifexpro.core.lazy import cv2, numpy
from artifexpro.core.media.pixels import from_rows, rows

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor


def shrunk(pixels: Tensor, size: tuple[int, int]) -> Tensor:
    """The picture at `size` (width, height), no larger: the mean of the area that each new pixel covers."""
    return from_rows(cv2.resize(rows(pixels), size, interpolation=cv2.INTER_AREA))


def grown(pixels: Tensor, size: tuple[int, int], how: Literal["bilinear", "bicubic"]) -> Tensor:
    """The picture at `size` (width, height), no smaller."""
    by = cv2.INTER_LINEAR if how == "bilinear" else cv2.INTER_CUBIC
    return from_rows(cv2.resize(rows(pixels), size, interpolation=by))


def halved(pixels: Tensor) -> Tensor:
    """Every second pixel of the picture under the binomial of five taps."""
    return from_rows(cv2.pyrDown(rows(pixels), borderType=cv2.BORDER_REPLICATE))


def doubled(pixels: Tensor) -> Tensor:
    """The picture at twice the size under the binomial of five taps."""
    return from_rows(cv2.pyrUp(rows(pixels)))


def padded_and_halved(pixels: Tensor, left: int, right: int, top: int, bottom: int, *, dark: bool) -> Tensor:
    """`halved` of the picture in such a border, whose sides are even, band by band: the large padded picture never
    travels to memory and back."""
    source = rows(pixels)
    height, width = source.shape[:2]
    whole, high, wide = top + height + bottom, (top + height + bottom) // 2, (left + width + right) // 2
    out = numpy.empty((high, wide, 4), numpy.float32)
    band_rows = _band(wide)
    for first in range(0, high, band_rows):
        last = min(first + band_rows, high)
        start, stop = max(0, 2 * first - 2), min(whole, 2 * last + 2)
        inside = slice(min(max(0, start - top), height - 1), max(1, min(height, stop - top)))
        above, below = max(0, top - start), max(0, stop - top - height)
        above, below = min(above, stop - start - (0 if dark else 1)), min(below, stop - start - (0 if dark else 1))
        if dark and above + below == stop - start:
            out[first:last] = 0
            continue
        band = cv2.copyMakeBorder(source[inside], above, below, left, right, _border(dark))
        skipped = (2 * first - start) // 2
        out[first:last] = cv2.pyrDown(band, borderType=cv2.BORDER_REPLICATE)[skipped : skipped + last - first]
    return from_rows(out)


def doubled_and_cropped(pixels: Tensor, left: int, top: int, width: int, height: int) -> Tensor:
    """A part of the picture at twice the size, band by band; it lies at least two pixels inside."""
    source = rows(pixels)
    out = numpy.empty((height, width, 4), numpy.float32)
    band_rows = 2 * _band(source.shape[1])
    for first in range(0, height, band_rows):
        last = min(first + band_rows, height)
        begin = max(0, (first + top) // 2 - 1)
        band = cv2.pyrUp(source[begin : (last + top + 1) // 2 + 1])
        skipped = first + top - 2 * begin
        out[first:last] = band[skipped : skipped + last - first, left : left + width]
    return from_rows(out)


_BAND_BYTES = 48 * 1024 * 16
"""Of the smaller picture that are made at a time: 48 rows of a full HD one, which a core's cache holds with the rows
of the larger one. A preview is one band."""


def _band(width: int) -> int:
    """Rows of a band of the smaller picture, which is so wide."""
    return max(1, _BAND_BYTES // (16 * width))


def blurred(pixels: Tensor, sigma: float, taps: int, *, dark: bool) -> Tensor:
    """The picture under a gaussian of `taps` taps."""
    return from_rows(cv2.GaussianBlur(rows(pixels), (taps, taps), sigma, borderType=_border(dark)))


def warped(pixels: Tensor, matrix: NDArray[Any], size: tuple[int, int], filter: str) -> Tensor:
    """The pixels moved by the 3 x 3 affine `matrix` into a picture of `size`, transparent where nothing lies."""
    return from_rows(
        cv2.warpAffine(
            rows(pixels),
            matrix[:2],
            size,
            flags=_FLAGS[filter](),
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=(0, 0, 0, 0),
        )
    )


def _border(dark: bool) -> int:
    return cv2.BORDER_CONSTANT if dark else cv2.BORDER_REPLICATE


_FLAGS = {
    "nearest": lambda: cv2.INTER_NEAREST,
    "bilinear": lambda: cv2.INTER_LINEAR,
    "bicubic": lambda: cv2.INTER_CUBIC,
    "lanczos": lambda: cv2.INTER_LANCZOS4,
}
