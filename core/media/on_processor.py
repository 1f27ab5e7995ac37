"""Resampling by OpenCV, which reads and writes the tensors' own memory.

Pictures are (1, 4, H, W) float32 in channels-last memory, on the processor.
"""

from __future__ import annotations

import threading
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
    """The picture at twice the size under the binomial of five taps, until this thread doubles another one."""
    height, width = (2 * side for side in pixels.shape[2:])
    return from_rows(cv2.pyrUp(rows(pixels), dst=_scratch("doubled", height, width)))


def padded(pixels: Tensor, left: int, right: int, top: int, bottom: int, *, dark: bool) -> Tensor:
    """The picture in a border of zeros or of its edge pixels, until this thread pads another one."""
    height, width = pixels.shape[2] + top + bottom, pixels.shape[3] + left + right
    scratch = _scratch("padded", height, width)
    return from_rows(cv2.copyMakeBorder(rows(pixels), top, bottom, left, right, _border(dark), dst=scratch))


def cropped(pixels: Tensor, left: int, top: int, width: int, height: int) -> Tensor:
    """A part of the picture, in memory of its own."""
    return from_rows(numpy.ascontiguousarray(rows(pixels)[top : top + height, left : left + width]))


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


def _scratch(name: str, height: int, width: int) -> NDArray[Any]:
    """Memory of this thread for a picture that only the next step reads.

    A full HD picture with a margin is larger than what is kept of freed memory (`core.memory`): new pages for each one
    would cost as much as the blur between.
    """
    kept: NDArray[Any] | None = getattr(_own, name, None)
    if kept is None or kept.shape[:2] != (height, width):
        kept = numpy.empty((height, width, 4), numpy.float32)
        setattr(_own, name, kept)
    return kept


_own = threading.local()


def _border(dark: bool) -> int:
    return cv2.BORDER_CONSTANT if dark else cv2.BORDER_REPLICATE


_FLAGS = {
    "nearest": lambda: cv2.INTER_NEAREST,
    "bilinear": lambda: cv2.INTER_LINEAR,
    "bicubic": lambda: cv2.INTER_CUBIC,
    "lanczos": lambda: cv2.INTER_LANCZOS4,
}
