"""Pictures as viewers take them: tightly packed RGBA rows, either made to be looked at or scene-linear."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from artifexpro.core.graph.values import ImageBuffer, MaskChannel, Picture
from artifexpro.core.lazy import numpy, torch
from artifexpro.core.media import color
from artifexpro.core.media.pixels import rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

View = Literal["srgb", "linear"]
RAW = "raw"
"""What a matte's numbers are in: coverage, which is no colour."""


@dataclass(frozen=True, slots=True)
class Shown:
    """(H, W, 4) RGBA, premultiplied, rows top to bottom: uint8 display-referred or float16 in `space`."""

    pixels: NDArray[Any]
    dtype: Literal["uint8", "float16"]
    space: str

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return int(self.pixels.shape[1]), int(self.pixels.shape[0])


def show(picture: Picture, view: View) -> Shown:
    """The picture for a viewer.

    "srgb" converts to the space that displays expect and clips to 0..1; what is no number is black. "linear" keeps the
    numbers and the space, at half precision. A matte is opaque grey, its coverage untouched by colour conversion.
    """
    colored = _grey(picture) if isinstance(picture, MaskChannel) else picture
    if view == "linear":
        half = colored.pixels[0].permute(1, 2, 0).to("cpu", torch.float16).contiguous()
        return Shown(half.numpy(), "float16", colored.space)
    pixels = colored.pixels.to("cpu")
    if colored.space != RAW:
        pixels = color.transform(pixels, colored.space, color.DISPLAY)
    return Shown(_bytes(rows(pixels)), "uint8", color.DISPLAY)


def _grey(matte: MaskChannel) -> ImageBuffer:
    coverage = matte.pixels
    return ImageBuffer(torch.cat([coverage.expand(-1, 3, -1, -1), torch.ones_like(coverage)], dim=1), RAW)


def _bytes(values: NDArray[Any]) -> NDArray[Any]:
    """0..1 as 0..255, rounded half up. `fmax` takes the number where the other is none."""
    clipped = numpy.fmax(values, 0.0)
    numpy.fmin(clipped, 1.0, out=clipped)
    clipped *= 255.0
    clipped += 0.5
    return clipped.astype(numpy.uint8)
