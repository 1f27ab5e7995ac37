"""Making and reading the engine's tensors: rows of pixels seen without a copy, alpha multiplied in and out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from artifexpro.core.graph.values import Region
from artifexpro.core.lazy import cv2, numpy, torch

if TYPE_CHECKING:
    from numpy.typing import NDArray


def rows(pixels: torch.Tensor) -> NDArray[Any]:
    """(1, 4, H, W) as an (H, W, 4) float32 array: the same memory if it is float32, channels-last and on the CPU."""
    return numpy.ascontiguousarray(pixels.numpy()[0].transpose(1, 2, 0), dtype=numpy.float32)


def from_rows(array: NDArray[Any]) -> torch.Tensor:
    """An (H, W, 4) array as a (1, 4, H, W) tensor over the same memory."""
    return torch.from_numpy(array.transpose(2, 0, 1)[None])


def from_any_rows(array: NDArray[Any]) -> torch.Tensor:
    """An (H, W, C) float32 array with 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGBA) channels as RGBA, opaque where it
    has no alpha. Alpha is taken as it is."""
    height, width, channels = array.shape
    if channels == 4:
        return from_rows(numpy.ascontiguousarray(array))
    out = numpy.ones((height, width, 4), numpy.float32)
    out[..., :3] = array[..., :3] if channels == 3 else array[..., :1]
    if channels == 2:
        out[..., 3] = array[..., 1]
    return from_rows(out)


def from_rgb(rgb: torch.Tensor) -> torch.Tensor:
    """An (H, W, 3) tensor as an opaque (1, 4, H, W) tensor, float32."""
    return from_any_rows(rgb.detach().to("cpu", torch.float32).numpy())


def blank(width: int, height: int) -> torch.Tensor:
    """A transparent picture: (1, 4, H, W) zeros, float32, channels-last."""
    return from_rows(numpy.zeros((height, width, 4), numpy.float32))


def on_card(pixels: torch.Tensor) -> bool:
    """Whether pixels lie on a graphics card, where torch computes on them and no other library can."""
    return pixels.is_cuda


def divisor(pixels: torch.Tensor) -> torch.Tensor:
    """What colour was multiplied by: (1, 1, H, W) alpha, and 1 where alpha is 0, so that light without coverage (glow,
    fire) survives being divided and multiplied again."""
    alpha = pixels[:, 3:4]
    return torch.where(alpha == 0, torch.ones_like(alpha), alpha)


def is_opaque(pixels: torch.Tensor) -> bool:
    """Whether alpha is 1 everywhere, but for what filters of single precision make of it."""
    if on_card(pixels):
        low, high = (float(bound) for bound in torch.aminmax(pixels[:, 3]))
    else:
        picture = rows(pixels)
        if abs(picture[0, 0, 3] - 1) > _ROUNDING:
            return False
        low, high, _, _ = cv2.minMaxLoc(cv2.extractChannel(picture, 3))
    return low >= 1 - _ROUNDING and high <= 1 + _ROUNDING


_ROUNDING = 2.0**-20


def premultiply(pixels: torch.Tensor) -> torch.Tensor:
    """Colour times alpha. Where alpha is 0, colour becomes 0."""
    return _scaled(pixels, pixels[:, 3:4])


def unpremultiply(pixels: torch.Tensor) -> torch.Tensor:
    """Colour divided by alpha. Where alpha is 0, colour stays as it is."""
    return _scaled(pixels, divisor(pixels).reciprocal())


def _scaled(pixels: torch.Tensor, factor: torch.Tensor) -> torch.Tensor:
    out = pixels.clone(memory_format=torch.preserve_format)
    out[:, :3] *= factor
    return out


def crop(pixels: torch.Tensor, region: Region | None) -> torch.Tensor:
    """The part of a whole picture that `region` names. Regions lie inside the picture; `within` sees to it."""
    if region is None:
        return pixels
    cut = pixels[:, :, region.y : region.y + region.height, region.x : region.x + region.width]
    return cut.contiguous(memory_format=torch.channels_last)


def within(region: Region, size: tuple[int, int]) -> Region:
    """`region` without what lies outside a picture of `size` (width, height)."""
    left, top = max(0, region.x), max(0, region.y)
    right, bottom = min(size[0], region.x + region.width), min(size[1], region.y + region.height)
    return Region(left, top, right - left, bottom - top)
