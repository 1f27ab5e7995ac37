"""Alpha divided out of a picture's colour for a while: curves act on colour, not on colour times coverage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from artifexpro.core.graph.values import ImageBuffer
from artifexpro.core.media.channels import apart

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Division:
    """What undoes a division: the divisor in all four channels, None for an opaque picture, and the pixels' type."""

    divisor: torch.Tensor | None
    kind: torch.dtype

    @classmethod
    def of(cls, picture: ImageBuffer) -> tuple[ImageBuffer, Division]:
        """`picture` with alpha divided out, in float32: alpha is 1 then, and 0 where there was no coverage. An opaque
        one may come back as it is."""
        straight, divisor = apart(picture.pixels)
        return picture.with_pixels(straight), cls(divisor, picture.pixels.dtype)

    @property
    def opaque(self) -> bool:
        """Whether alpha was 1 everywhere."""
        return self.divisor is None

    def undone(self, picture: ImageBuffer) -> ImageBuffer:
        """`picture`, to which this writes unless it is opaque, with alpha multiplied in."""
        pixels = picture.pixels if self.divisor is None else picture.pixels.mul_(self.divisor)
        return picture.with_pixels(pixels.to(self.kind))
