"""Arithmetic across the four channels of a picture: the few operations that colour formulas are made of.

On the processor they go through OpenCV, which takes a quarter of torch's time for what mixes channels that lie side by
side in memory. Pictures are (1, 4, H, W) in any floating-point type; results are new float32 tensors in channels-last
memory. What is not a number stays so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from artifexpro.core.lazy import cv2, numpy, torch
from artifexpro.core.media.pixels import from_rows, is_opaque, on_card, rows

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

_LEAST = 2.0**-125
"""Light that counts as none: near the least that a float32 holds at full precision."""
_INVISIBLE, _ROUNDED = 1e-12, 1.001
"""Light that may become none by being raised, and what rounding makes of the least at most."""


def planes(pixels: Tensor, count: int = 4) -> tuple[Tensor, ...]:
    """The first `count` of red, green, blue and alpha, each (H, W)."""
    if on_card(pixels):
        return tuple(pixels[0, :count].float().unbind())
    picture = rows(pixels)
    return tuple(torch.from_numpy(cv2.extractChannel(picture, channel)) for channel in range(count))


def joined(channels: Sequence[Tensor]) -> Tensor:
    """One picture of four (H, W) planes."""
    if on_card(channels[0]):
        return torch.stack(tuple(channels)).unsqueeze(0).contiguous(memory_format=torch.channels_last)
    return from_rows(cv2.merge([plane.numpy() for plane in channels]))


def coverage(pixels: Tensor) -> Tensor:
    """Alpha in all four channels."""
    if on_card(pixels):
        return pixels[:, 3:].float().expand(-1, 4, -1, -1)
    return _spread(cv2.extractChannel(rows(pixels), 3))


def apart(pixels: Tensor) -> tuple[Tensor, Tensor | None]:
    """Colour with alpha divided out, and what it was divided by in all four channels: None for an opaque picture, which
    is handed back as it came.

    Alpha of the first is 1, and 0 where there was no coverage; light there (glow, fire) is divided by 1. The first
    times the second is the picture again.
    """
    if is_opaque(pixels):
        return pixels.float(), None
    if on_card(pixels):
        divisor = dividing(pixels[:, 3:].float()).expand(-1, 4, -1, -1)
    else:
        divisor = _spread(dividing(torch.from_numpy(cv2.extractChannel(rows(pixels), 3))).numpy())
    return pixels / divisor, divisor


def dividing(alpha: Tensor) -> Tensor:
    """`alpha` with 1 where it is 0: what colour is divided by, so that light without coverage stays."""
    if on_card(alpha):
        return alpha + (alpha == 0)
    plane = alpha.numpy()
    return torch.from_numpy(plane + (plane == 0))


class Mix:
    """Red, green and blue each a weighted sum of the four channels, by a (3, 4) matrix. Alpha stays.

    The last column, the weights of alpha, is what is added where a picture has coverage: black stays black where there
    is none, and alpha need not be divided out.
    """

    def __init__(self, weights: NDArray[Any]) -> None:
        self.weights = weights
        self._covered = numpy.vstack([numpy.column_stack([weights, (0, 0, 0)]), (0, 0, 0, 1, 0)])
        self._opaque = self._covered[:, [0, 1, 2, 4, 3]]
        self._opaque[3] = self._covered[3]
        self._diagonal = numpy.array_equal(weights[:, :3], numpy.diag(weights.diagonal()))
        self._adds = bool(weights[:, 3].any())

    def __call__(self, pixels: Tensor, *, opaque: bool = False) -> Tensor:
        """The mixed picture. With `opaque`, which promises that alpha is 1, what is no number gets from no channel into
        another that has no weight for it."""
        if on_card(pixels):
            return self._summed(pixels)
        matrix = self._opaque if opaque else self._covered
        picture = rows(pixels)
        out = cv2.transform(picture, matrix)
        if not self._diagonal or (self._adds and not opaque):
            out[..., 3] = picture[..., 3]
        return from_rows(out)

    def then(self, other: Mix) -> Mix:
        """This mix and `other` after it, as one."""
        return Mix(other.weights @ numpy.vstack([self.weights, (0.0, 0.0, 0.0, 1.0)]))

    def _summed(self, pixels: Tensor) -> Tensor:
        given = planes(pixels)
        sums = [sum(plane * weight for plane, weight in zip(given, row, strict=True) if weight) for row in self.weights]
        return joined([torch.zeros_like(given[3]) + total for total in sums] + [given[3]])


def rooted(pixels: Tensor) -> Tensor:
    """The square root of every channel; `pixels` may not be negative. On the processor by numpy, which takes a tenth of
    torch's time where much is 0."""
    return pixels.sqrt() if on_card(pixels) else from_rows(numpy.sqrt(rows(pixels)))


def raised(pixels: Tensor, exponents: tuple[float, float, float]) -> Tensor:
    """`pixels`, to which this writes, with red, green and blue raised to `exponents` > 0. Negative values stay as they
    are. Alpha must be 0 or 1.

    OpenCV's logarithm and exponential are quick where neither has to do with 0 or infinity, and tens of times slower
    where they have; so those are kept away from them.
    """
    if on_card(pixels):
        powers = torch.tensor((*exponents, 1.0), device=pixels.device).view(1, 4, 1, 1)
        return torch.where(pixels < 0, pixels, pixels.clamp_min(0).pow(powers))
    picture = rows(pixels)
    raising = [channel for channel, exponent in enumerate(exponents) if exponent != 1]
    if len(raising) == len(exponents):
        return from_rows(_raised(picture, exponents))
    for channel in raising:
        plane = _raised(cv2.extractChannel(picture, channel), (exponents[channel],))
        cv2.insertChannel(plane, picture, channel)
    return from_rows(picture)


def _raised(values: NDArray[Any], exponents: tuple[float, ...]) -> NDArray[Any]:
    """`values` (H, W) of one channel, or (H, W, 4), to which this writes, raised to `exponents`."""
    given, flat = torch.from_numpy(values), _flat(values)
    least = values.min()
    is_lit = least > _LEAST
    below = None if least >= 0 else given.clamp(max=0)
    faintest = _LEAST ** min(1.0, *exponents)
    lit = None if is_lit or faintest <= _INVISIBLE else given > _LEAST
    if not is_lit:
        given.clamp_(min=_LEAST)
    cv2.log(flat, dst=flat)
    flat *= _along(exponents, values.shape[1])
    if not is_lit or max(exponents) * math.log(least) < math.log(_LEAST):
        given.clamp_(min=math.log(_LEAST))
    cv2.exp(flat, dst=flat)
    if is_lit:
        return values
    if lit is None:
        cv2.threshold(flat, _ROUNDED * faintest, 0, cv2.THRESH_TOZERO, dst=flat)
    else:
        values *= lit.numpy()
    return values if below is None else values + below.numpy()


@lru_cache(maxsize=256)
def _along(exponents: tuple[float, ...], width: int) -> NDArray[Any]:
    """`exponents` of one channel, or of three and 1 for alpha, for each pixel of a row."""
    each = (*exponents, 1.0) if len(exponents) > 1 else exponents
    return numpy.tile(numpy.asarray(each, numpy.float32), width)


def _flat(picture: NDArray[Any]) -> NDArray[Any]:
    return picture.reshape(picture.shape[0], -1)


def _spread(plane: NDArray[Any]) -> Tensor:
    return from_rows(cv2.merge([plane, plane, plane, plane]))
