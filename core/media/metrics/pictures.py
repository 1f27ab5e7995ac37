"""Single frames: beside the picture that was given, and by themselves.

VBench's imaging quality is the network MUSIQ, trained on over-exposure, noise and blur; here each of these has a
classical measure of its own, at full size. BRISQUE was looked at for it: the package `brisque` 0.2.0 does not run with
the NumPy of this project and asks for SciPy, scikit-image, libsvm and requests.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import log10, pi, sqrt
from typing import TYPE_CHECKING, Any

from artifexpro.core.lazy import cv2, numpy
from artifexpro.core.media.metrics import scores
from artifexpro.core.media.metrics.looked import Looked
from artifexpro.core.media.metrics.scores import Found, Mean

if TYPE_CHECKING:
    from numpy.typing import NDArray

EQUAL = 100.0
"""Decibels that stand for no difference, and the most there are."""
NOTHING_GIVEN = "no picture was given to compare the first frame with"
_LEAST = 3
_WHITE = 254.5 / 255


def psnr(one: NDArray[Any], other: NDArray[Any]) -> float:
    """Peak signal to noise ratio in dB of pictures in 0..1 of one shape, at most 100."""
    error = float(numpy.square(one.astype(numpy.float64) - other).mean())
    return EQUAL if error <= 10 ** (-EQUAL / 10) else -10 * log10(error)


def ssim(one: NDArray[Any], other: NDArray[Any]) -> float:
    """Structural similarity of two (H, W) pictures in 0..1, -1 to 1; 1 is equal.

    Wang et al., 2004: a gaussian window of 11 x 11 with deviation 1.5, K1 = 0.01, K2 = 0.03; where the window lies
    over an edge, the picture is mirrored.
    """

    def mean(picture: NDArray[Any]) -> NDArray[Any]:
        return cv2.GaussianBlur(picture, (11, 11), 1.5, borderType=cv2.BORDER_REFLECT)

    a, b = one.astype(numpy.float64), other.astype(numpy.float64)
    c1, c2 = 0.01**2, 0.03**2
    mean_a, mean_b = mean(a), mean(b)
    spread_a, spread_b = mean(a * a) - mean_a**2, mean(b * b) - mean_b**2
    shared = mean(a * b) - mean_a * mean_b
    alike = (2 * mean_a * mean_b + c1) * (2 * shared + c2)
    return float((alike / ((mean_a**2 + mean_b**2 + c1) * (spread_a + spread_b + c2))).mean())


def first_frame(frame: Looked, given: Looked | None) -> Mapping[str, Found | str]:
    """`first_frame_psnr` and `first_frame_ssim` of a clip's first frame beside a picture of its size."""
    if given is None:
        return {scores.FIRST_FRAME_PSNR: NOTHING_GIVEN, scores.FIRST_FRAME_SSIM: NOTHING_GIVEN}
    return {
        scores.FIRST_FRAME_PSNR: Found(psnr(frame.rgb, given.rgb)),
        scores.FIRST_FRAME_SSIM: Found(ssim(frame.luma, given.luma)),
    }


class Imaging:
    """`sharpness`, `contrast`, `noise` and `overexposed`, means over frames."""

    def __init__(self) -> None:
        self._sharp, self._contrast = Mean("lower"), Mean("lower")
        self._noise, self._white = Mean(), Mean()
        self._too_small = False

    def add(self, frame: Looked) -> None:
        luma, number = frame.luma, frame.number
        self._contrast.add(255 * _deviation(luma), number)
        white = cv2.countNonZero(cv2.inRange(frame.rgb, (_WHITE,) * 3, (2.0,) * 3))  # type: ignore[call-overload]
        self._white.add(white / luma.size, number)
        if min(luma.shape) < _LEAST:
            self._too_small = True
            return
        self._sharp.add(255 * _deviation(cv2.Laplacian(luma, cv2.CV_32F, borderType=cv2.BORDER_REFLECT_101)), number)
        self._noise.add(255 * _noise(luma), number)

    def found(self) -> Mapping[str, Found | str]:
        tiny = f"pictures of less than {_LEAST} pixels have no detail"
        return {
            scores.SHARPNESS: self._sharp.found(tiny),
            scores.CONTRAST: self._contrast.found(tiny),
            scores.NOISE: self._noise.found(tiny),
            scores.OVEREXPOSED: self._white.found(tiny),
        }


def _deviation(values: NDArray[Any]) -> float:
    return float(cv2.meanStdDev(values)[1][0, 0])


def _noise(luma: NDArray[Any]) -> float:
    """Immerkaer's estimate: the mean response to a mask that planes and most edges do not answer."""
    mask = numpy.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], numpy.float32)
    response = cv2.filter2D(luma, cv2.CV_32F, mask)[1:-1, 1:-1]
    return sqrt(pi / 2) / 6 * float(cv2.norm(response, cv2.NORM_L1)) / response.size
