"""Clips an artist hands in, frame by frame: no task holds more of one than the chunk it works on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from artifexpro.core.errors import ArtifexError
from artifexpro.core.lazy import torch
from artifexpro.core.wan22 import encode
from artifexpro.core.wan22.picture import check_picture, fitted

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class Footage:
    """`frames` pictures of `width` x `height`. `frame(index)`, from 0, gives (H, W, `channels`) in 0..1.

    Three channels are display-referred sRGB, one is a mask (1 is covered). One frame stands for all.
    """

    frames: int
    width: int
    height: int
    frame: Callable[[int], Tensor]
    channels: int = 3

    @classmethod
    def of(cls, frames: Tensor) -> Footage:
        """A clip in memory, (T, H, W, C)."""
        count, height, width, channels = frames.shape
        return cls(count, width, height, lambda index: frames[index], channels)

    def picture(self, index: int, width: int, height: int) -> Tensor:
        """Frame `index` fitted to width x height: (1, channels, height, width) in 0..1.

        Raises `ArtifexError` (code "image") where it is no picture of this clip's size.
        """
        image = self.frame(0 if self.frames == 1 else index)
        attempted = f"read frame {index + 1} of the {'mask' if self.channels == 1 else 'clip'}"
        check_picture(image, attempted, self.channels)
        rows, columns = image.shape[:2]
        if (columns, rows) != (self.width, self.height):
            raise ArtifexError(
                attempted,
                f"it is {columns} x {rows} pixels and the others are {self.width} x {self.height}",
                "frames of one size",
                code="image",
            )
        return fitted(image, width, height)

    def chunks(self, frames: int, width: int, height: int) -> Iterator[Tensor]:
        """The first `frames` frames fitted to width x height, as `encode.spans` has them: (1, C, n, H, W), 0..1."""
        for span in encode.spans(frames):
            yield torch.stack([self.picture(index, width, height) for index in span], dim=2)
