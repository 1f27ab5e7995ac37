"""What travels along wires.

Moving things are lazy: a `VideoStream` knows its range, rate and size, and computes a frame when asked, at the
scale asked for. Pixels are torch tensors of shape (1, 4, H, W) in channels-last memory, float32 or float16, RGBA,
premultiplied, in the space that `ImageBuffer.space` names (scene-linear unless a ColorSpace node says otherwise).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

WORKING_SPACE = "ACEScg"


class SocketType(StrEnum):
    """The six kinds of wire."""

    VIDEO = "VIDEO"
    AUDIO = "AUDIO"
    IMAGE = "IMAGE"
    MASK = "MASK"
    DATA = "DATA"
    CONTROL = "CONTROL"


@dataclass(frozen=True, slots=True)
class Region:
    """A rectangle in pixels at the scale of its request; x to the right, y down."""

    x: int
    y: int
    width: int
    height: int

    def grown(self, by: int) -> Region:
        return Region(self.x - by, self.y - by, self.width + 2 * by, self.height + 2 * by)


@dataclass(frozen=True, slots=True)
class FrameRequest:
    """Which frame, how large, which part of it. `region` None is the whole picture."""

    frame: int
    scale: float = 1.0
    region: Region | None = None

    def at(self, frame: int) -> FrameRequest:
        return replace(self, frame=frame)


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """What is known of a picture stream before any pixel: frames `first` to `last` (both included), exact rate,
    full-scale size in pixels, colour space. A `still` is one picture for all frames."""

    first: int
    last: int
    rate: Fraction
    width: int
    height: int
    space: str = WORKING_SPACE
    still: bool = False

    def __len__(self) -> int:
        return self.last - self.first + 1

    def __contains__(self, frame: int) -> bool:
        return self.still or self.first <= frame <= self.last

    def size_at(self, scale: float) -> tuple[int, int]:
        """(width, height) in pixels at `scale`, at least 1 x 1."""
        return max(1, round(self.width * scale)), max(1, round(self.height * scale))


@dataclass(frozen=True, slots=True, eq=False)
class ImageBuffer:
    """One picture. Never changed in place by whoever receives it: others may hold the same tensor."""

    pixels: torch.Tensor
    space: str = WORKING_SPACE

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return int(self.pixels.shape[3]), int(self.pixels.shape[2])

    @property
    def nbytes(self) -> int:
        return self.pixels.numel() * self.pixels.element_size()

    def with_pixels(self, pixels: torch.Tensor) -> ImageBuffer:
        return replace(self, pixels=pixels)


@dataclass(frozen=True, slots=True, eq=False)
class VideoStream:
    """Frames on demand. `pull` computes one; nothing is kept here, so any length costs the same memory."""

    info: StreamInfo
    pull: Callable[[FrameRequest], ImageBuffer]
    scale: float = 1.0

    def frame(self, frame: int) -> ImageBuffer:
        """The picture at `frame`, at the stream's scale."""
        return self.pull(FrameRequest(frame, self.scale))

    def frames(self, first: int | None = None, last: int | None = None) -> Iterator[tuple[int, ImageBuffer]]:
        """(number, picture) from `first` to `last`, both included; by default all the stream has."""
        start = self.info.first if first is None else first
        end = self.info.last if last is None else last
        for number in range(start, end + 1):
            yield number, self.frame(number)
