"""What travels along wires.

Moving things are lazy: a `VideoStream` knows its range, rate and size, and computes a frame when asked, at the
scale asked for. Pixels are torch tensors of shape (1, 4, H, W) in channels-last memory, float32 or float16, RGBA,
premultiplied, in the space that `ImageBuffer.space` names (scene-linear unless a ColorSpace node says otherwise). A
matte is (1, 1, H, W): coverage. Sound is lazy too: samples on demand. Data is a small table, a control a number that
changes with the frame.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

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
    full-scale size in pixels, colour space.

    A `still` is one picture for all frames. `endless` is a still that something moves: it has any frame that is asked
    for, each of them different, and no range of its own.
    """

    first: int
    last: int
    rate: Fraction
    width: int
    height: int
    space: str = WORKING_SPACE
    still: bool = False
    endless: bool = False

    def __len__(self) -> int:
        return self.last - self.first + 1

    def __contains__(self, frame: int) -> bool:
        return self.still or self.endless or self.first <= frame <= self.last

    def size_at(self, scale: float) -> tuple[int, int]:
        """(width, height) in pixels at `scale`, at least 1 x 1."""
        return max(1, round(self.width * scale)), max(1, round(self.height * scale))


@dataclass(frozen=True, slots=True, eq=False)
class _Raster:
    """A tensor of one picture. Never changed in place by whoever receives it: others may hold the same tensor."""

    pixels: torch.Tensor

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return int(self.pixels.shape[3]), int(self.pixels.shape[2])

    @property
    def nbytes(self) -> int:
        return self.pixels.numel() * self.pixels.element_size()

    def with_pixels(self, pixels: torch.Tensor) -> Self:
        return replace(self, pixels=pixels)


@dataclass(frozen=True, slots=True, eq=False)
class ImageBuffer(_Raster):
    """One picture: RGBA, (1, 4, H, W)."""

    space: str = WORKING_SPACE


class MaskChannel(_Raster):
    """A matte: coverage from 0 to 1, (1, 1, H, W)."""

    __slots__ = ()


Picture = ImageBuffer | MaskChannel
CHANNELS: Mapping[SocketType, int] = {SocketType.VIDEO: 4, SocketType.IMAGE: 4, SocketType.MASK: 1}
"""Channels of a picture on each kind of wire that carries pictures."""


P = TypeVar("P", ImageBuffer, MaskChannel)


@dataclass(frozen=True, slots=True, eq=False)
class PictureStream(Generic[P]):
    """Frames on demand. `pull` computes one; nothing is kept here, so any length costs the same memory."""

    info: StreamInfo
    pull: Callable[[FrameRequest], P]
    scale: float = 1.0
    ahead: Callable[[Iterable[FrameRequest]], Iterator[P]] | None = None
    """Computes several in order, the next while the last is looked at."""

    def frame(self, frame: int) -> P:
        """The picture at `frame`, at the stream's scale."""
        return self.pull(FrameRequest(frame, self.scale))

    def frames(self, first: int | None = None, last: int | None = None) -> Iterator[tuple[int, P]]:
        """(number, picture) from `first` to `last`, both included; by default all the stream has."""
        start = self.info.first if first is None else first
        end = self.info.last if last is None else last
        numbers = range(start, end + 1)
        requests = (FrameRequest(number, self.scale) for number in numbers)
        yield from zip(numbers, self.ahead(requests) if self.ahead else map(self.pull, requests), strict=True)


class VideoStream(PictureStream[ImageBuffer]):
    """A clip, or a still for all frames."""


class MaskStream(PictureStream[MaskChannel]):
    """A matte that may move."""


@dataclass(frozen=True, slots=True)
class AudioInfo:
    """Samples a second, channels, and how many samples there are. Sample 0 sounds at the start of frame
    `first_frame` of a clip with `frame_rate` frames a second."""

    rate: int
    channels: int
    length: int
    first_frame: int
    frame_rate: Fraction


@dataclass(frozen=True, slots=True, eq=False)
class AudioStream:
    """Sound on demand. `pull(start, count)` gives (channels, count) float32 samples, full scale at 1.0; what lies
    outside the sound is silence."""

    info: AudioInfo
    pull: Callable[[int, int], torch.Tensor]

    def of_frame(self, frame: int) -> torch.Tensor:
        """The samples that sound while picture `frame` is shown: (channels, count). Neighbouring frames have no sample
        in common and none between them."""
        info = self.info
        start = round((frame - info.first_frame) * info.rate / info.frame_rate)
        end = round((frame + 1 - info.first_frame) * info.rate / info.frame_rate)
        return self.pull(start, end - start)


@dataclass(frozen=True, slots=True)
class DataPayload:
    """What an analysis found: JSON values by name. `kind` says what they mean, such as "scenes" or "number"."""

    kind: str
    content: Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class ControlSignal:
    """A number that changes with the frame. `is_constant` promises that it does not."""

    at: Callable[[float], float]
    is_constant: bool = False


Value = VideoStream | MaskStream | AudioStream | DataPayload | ControlSignal
"""What a node is given for a wire, other than the pictures of single frames."""
