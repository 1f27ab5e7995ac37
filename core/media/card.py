"""Resampling in torch, for pixels on a graphics card: the functions of `on_processor` again, with their formulas.

Pictures are (1, C, H, W) float32.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from artifexpro.core.lazy import cv2, numpy, torch

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

_TAPS = {"nearest": 1, "bilinear": 2, "bicubic": 4, "lanczos": 8}


def shrunk(pixels: Tensor, size: tuple[int, int]) -> Tensor:
    """The picture at `size` (width, height), no larger: the mean of the area that each new pixel covers."""
    across, down = (
        torch.as_tensor(_areas(old, new), device=pixels.device)
        for old, new in zip((pixels.shape[3], pixels.shape[2]), size, strict=True)
    )
    return _last(torch.einsum("yh,nchw,xw->ncyx", down, pixels, across))


def grown(pixels: Tensor, size: tuple[int, int], how: Literal["bilinear", "bicubic"]) -> Tensor:
    """The picture at `size` (width, height), no smaller."""
    return _last(torch.nn.functional.interpolate(pixels, (size[1], size[0]), mode=how, align_corners=False))


def halved(pixels: Tensor) -> Tensor:
    """Every second pixel of the picture under the binomial of five taps."""
    wide = padded(pixels, 2, 2, 2, 2, dark=False)
    return _last(torch.nn.functional.conv2d(wide, _binomial(pixels), stride=2, groups=pixels.shape[1]))


def doubled(pixels: Tensor) -> Tensor:
    """The picture at twice the size under the binomial of five taps; at its edges all is dark outside."""
    kernel = 4 * _binomial(pixels)
    return _last(
        torch.nn.functional.conv_transpose2d(
            pixels, kernel, stride=2, padding=2, output_padding=1, groups=pixels.shape[1]
        )
    )


def _binomial(pixels: Tensor) -> Tensor:
    """(C, 1, 5, 5): the outer product of 1, 4, 6, 4, 1, of sum 1."""
    line = torch.tensor((1.0, 4.0, 6.0, 4.0, 1.0), device=pixels.device) / 16
    return torch.outer(line, line).expand(pixels.shape[1], 1, 5, 5)


def padded(pixels: Tensor, left: int, right: int, top: int, bottom: int, *, dark: bool) -> Tensor:
    """The picture in a border of zeros or of its edge pixels."""
    return torch.nn.functional.pad(pixels, (left, right, top, bottom), mode="constant" if dark else "replicate")


def padded_and_halved(pixels: Tensor, left: int, right: int, top: int, bottom: int, *, dark: bool) -> Tensor:
    """`halved` of the picture in such a border."""
    return halved(padded(pixels, left, right, top, bottom, dark=dark))


def doubled_and_cropped(pixels: Tensor, left: int, top: int, width: int, height: int) -> Tensor:
    """A part of the picture at twice the size."""
    return cropped(doubled(pixels), left, top, width, height)


def cropped(pixels: Tensor, left: int, top: int, width: int, height: int) -> Tensor:
    """A part of the picture, in memory of its own."""
    return _last(pixels[:, :, top : top + height, left : left + width])


def blurred(pixels: Tensor, sigma: float, taps: int, *, dark: bool) -> Tensor:
    """The picture under a gaussian of `taps` taps."""
    kernel = torch.as_tensor(cv2.getGaussianKernel(taps, sigma), dtype=torch.float32, device=pixels.device)
    kernel = kernel.reshape(1, 1, 1, taps).expand(pixels.shape[1], 1, 1, taps)
    reach = taps // 2
    wide = padded(pixels, reach, reach, reach, reach, dark=dark)
    convolved = torch.nn.functional.conv2d(wide, kernel, groups=pixels.shape[1])
    return _last(torch.nn.functional.conv2d(convolved, kernel.transpose(2, 3), groups=pixels.shape[1]))


def warped(pixels: Tensor, matrix: NDArray[Any], size: tuple[int, int], filter: str) -> Tensor:
    """The pixels moved by the 3 x 3 affine `matrix` into a picture of `size`, transparent where nothing lies."""
    height, width = pixels.shape[2:]
    inverse = torch.as_tensor(numpy.linalg.inv(matrix), device=pixels.device)
    new_y, new_x = torch.meshgrid(
        torch.arange(size[1], device=pixels.device, dtype=torch.float64),
        torch.arange(size[0], device=pixels.device, dtype=torch.float64),
        indexing="ij",
    )
    old_x, old_y = (inverse[axis, 0] * new_x + inverse[axis, 1] * new_y + inverse[axis, 2] for axis in (0, 1))
    taps = _TAPS[filter]
    across, down = list(_weighed(old_x, taps)), list(_weighed(old_y, taps))
    flat = pixels.flatten(2)
    out = torch.zeros(1, pixels.shape[1], size[1], size[0], device=pixels.device)
    for y, weight_y in down:
        for x, weight_x in across:
            inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
            place = (y.clamp(0, height - 1) * width + x.clamp(0, width - 1)).flatten()
            weight = torch.where(inside, weight_x * weight_y, 0).float()
            out += torch.where(weight == 0, 0, flat[:, :, place].view(out.shape) * weight)
    return _last(out)


def _weighed(places: Tensor, taps: int) -> Any:
    """For places along one axis, the pixels that `taps` taps take and the weight of each: linear, Keys' cubic with
    a = -0.75, or Lanczos' windowed sinc, as OpenCV has them."""
    if taps == 1:
        yield places.round().long(), torch.ones_like(places)
        return
    first = places.floor()
    distances = [places - first - (tap - taps // 2 + 1) for tap in range(taps)]
    weights = [_WEIGHTS[taps](distance) for distance in distances]
    total = sum(weights)
    for tap, weight in enumerate(weights):
        yield first.long() + tap - taps // 2 + 1, weight / total


def _linear(distance: Tensor) -> Tensor:
    return 1 - distance.abs()


def _cubic(distance: Tensor) -> Tensor:
    far = distance.abs()
    near = (1.25 * far - 2.25) * far * far + 1
    return torch.where(far <= 1, near, ((-0.75 * far + 3.75) * far - 6) * far + 3)


def _lanczos(distance: Tensor) -> Tensor:
    return torch.sinc(distance) * torch.sinc(distance / 4)


_WEIGHTS = {2: _linear, 4: _cubic, 8: _lanczos}


def _areas(old: int, new: int) -> NDArray[Any]:
    """(new, old): how much of each old pixel lies in each new one, in shares of the new one."""
    edges = numpy.arange(new + 1) * (old / new)
    pixels = numpy.arange(old)
    upper = numpy.minimum(edges[1:, None], pixels + 1)
    lower = numpy.maximum(edges[:-1, None], pixels)
    return (numpy.maximum(upper - lower, 0) * (new / old)).astype(numpy.float32)


def _last(pixels: Tensor) -> Tensor:
    return pixels.contiguous(memory_format=torch.channels_last)
