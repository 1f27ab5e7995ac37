"""Arithmetic across the four channels of a picture: the few operations that colour formulas are made of.

On the processor they go through OpenCV, which takes a quarter of torch's time for what mixes channels that lie side by
side in memory. Pictures are (1, 4, H, W) in any floating-point type; results are new float32 tensors in channels-last
memory. What is not a number stays so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from artifexpro.core.lazy import cv2, numpy, torch
from artifexpro.core.media.pixels import from_rows, is_opaque, rows

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor


def planes(pixels: Tensor) -> tuple[Tensor, ...]:
    """Red, green, blue and alpha, each (H, W)."""
    if pixels.is_cuda:
        return tuple(pixels[0].float().unbind())
    return tuple(torch.from_numpy(plane) for plane in cv2.split(rows(pixels)))


def joined(channels: Sequence[Tensor]) -> Tensor:
    """One picture of four (H, W) planes."""
    if channels[0].is_cuda:
        return torch.stack(tuple(channels)).unsqueeze(0).contiguous(memory_format=torch.channels_last)
    return from_rows(cv2.merge([plane.numpy() for plane in channels]))


def coverage(pixels: Tensor) -> Tensor:
    """Alpha in all four channels."""
    if pixels.is_cuda:
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
    if pixels.is_cuda:
        alpha = pixels[:, 3:].float()
        divisor = (alpha + (alpha == 0)).expand(-1, 4, -1, -1)
    else:
        plane = cv2.extractChannel(rows(pixels), 3)
        plane += plane == 0
        divisor = _spread(plane)
    return pixels / divisor, divisor


def mixed(pixels: Tensor, matrix: NDArray[Any], *, opaque: bool = False) -> Tensor:
    """Each channel a weighted sum of the four, by a (3, 4) `matrix` of weights for red, green and blue. Alpha stays.

    The last column, the weights of alpha, is what is added where a picture has coverage: black stays black where there
    is none, and alpha need not be divided out. With `opaque`, which promises that alpha is 1, nothing that is not a
    number gets from one channel into another that has no weight for it.
    """
    if pixels.is_cuda:
        weights = torch.as_tensor(numpy.vstack([matrix, (0, 0, 0, 1)]), dtype=torch.float32, device=pixels.device)
        return (pixels.float().permute(0, 2, 3, 1) @ weights.T).permute(0, 3, 1, 2)
    picture = rows(pixels)
    affine = numpy.zeros((4, 5), numpy.float32)
    affine[:3, :4] = matrix
    affine[3, 3] = 1
    if opaque:
        affine[:3, 4], affine[:3, 3] = matrix[:, 3], 0
    out = cv2.transform(picture, affine)
    if numpy.count_nonzero(affine[:, :4]) > numpy.count_nonzero(affine.diagonal()):
        out[..., 3] = picture[..., 3]
    return from_rows(out)


def raised(pixels: Tensor, exponents: Sequence[float]) -> Tensor:
    """`pixels`, to which this writes, with red, green and blue raised to `exponents` > 0. Negative values stay as they
    are. Alpha must be 0 or 1."""
    if pixels.is_cuda:
        powers = torch.tensor((*exponents, 1.0), device=pixels.device).view(1, 4, 1, 1)
        return torch.where(pixels < 0, pixels, pixels.clamp_min(0).pow(powers))
    picture = rows(pixels)
    flat = picture.reshape(picture.shape[0], -1)
    below = None if flat.min() >= 0 else numpy.minimum(flat, 0)
    if below is not None:
        numpy.maximum(flat, 0, out=flat)
    cv2.log(flat, dst=flat)
    out = cv2.transform(picture, numpy.diag((*exponents, 1.0)).astype(numpy.float32))
    flat = out.reshape(flat.shape)
    cv2.exp(flat, dst=flat)
    if below is not None:
        flat += below
    return from_rows(out)


def _spread(plane: NDArray[Any]) -> Tensor:
    return from_rows(cv2.merge([plane, plane, plane, plane]))
