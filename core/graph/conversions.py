"""The one table of automatic conversions between wires.

Where a wire's ends differ, the compiler inserts one of these nodes; it is a plan step like any other, with a key,
errors and cached frames of its own. What is not in the table is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from artifexpro.core.graph.node import FrameNode, Socket
from artifexpro.core.graph.values import FrameRequest, ImageBuffer, SocketType, StreamInfo
from artifexpro.core.lazy import torch


class Conversion(FrameNode):
    """Base of the conversions: one input called "value"."""

    category: ClassVar[str] = "conversion"


def _from(kind: SocketType) -> tuple[Socket, ...]:
    return (Socket("value", kind),)


def _to(kind: SocketType) -> tuple[Socket, ...]:
    return (Socket("out", kind),)


class StillAsVideo(Conversion):
    """A picture shown on every frame. Keeps all pixels; it has no range of its own."""

    inputs: ClassVar[tuple[Socket, ...]] = _from(SocketType.IMAGE)
    outputs: ClassVar[tuple[Socket, ...]] = _to(SocketType.VIDEO)

    def render(self, request: FrameRequest, **inputs: ImageBuffer) -> ImageBuffer:
        return inputs["value"]


class FirstFrameOfVideo(Conversion):
    """The first frame of a clip as a picture. Keeps its pixels, loses all other frames."""

    inputs: ClassVar[tuple[Socket, ...]] = _from(SocketType.VIDEO)
    outputs: ClassVar[tuple[Socket, ...]] = _to(SocketType.IMAGE)

    def needs(self, request: FrameRequest, infos: Mapping[str, StreamInfo]) -> Mapping[str, tuple[FrameRequest, ...]]:
        return {"value": (request.at(infos["value"].first),)}

    def describe(self, infos: Mapping[str, StreamInfo]) -> StreamInfo:
        return replace(infos["value"], last=infos["value"].first, still=True)

    def render(self, request: FrameRequest, **inputs: ImageBuffer) -> ImageBuffer:
        return inputs["value"]


class MatteAsPicture(Conversion):
    """A matte as an opaque grey picture. Keeps coverage in red, green and blue; alpha becomes 1."""

    inputs: ClassVar[tuple[Socket, ...]] = _from(SocketType.MASK)
    outputs: ClassVar[tuple[Socket, ...]] = _to(SocketType.IMAGE)

    def render(self, request: FrameRequest, **inputs: ImageBuffer) -> ImageBuffer:
        coverage = inputs["value"].pixels[:, 3:4]
        return inputs["value"].with_pixels(_rgba(coverage, coverage, coverage, torch.ones_like(coverage)))


class MatteAsVideo(MatteAsPicture):
    """A moving matte as an opaque grey clip. Keeps coverage in red, green and blue; alpha becomes 1."""

    outputs: ClassVar[tuple[Socket, ...]] = _to(SocketType.VIDEO)


class AlphaAsMatte(Conversion):
    """A picture's alpha as a matte: an opaque picture is a full matte. Loses colour."""

    inputs: ClassVar[tuple[Socket, ...]] = _from(SocketType.IMAGE)
    outputs: ClassVar[tuple[Socket, ...]] = _to(SocketType.MASK)

    def render(self, request: FrameRequest, **inputs: ImageBuffer) -> ImageBuffer:
        coverage = inputs["value"].pixels[:, 3:4]
        return inputs["value"].with_pixels(_rgba(coverage, coverage, coverage, coverage))


class VideoAlphaAsMatte(AlphaAsMatte):
    """A clip's alpha as a moving matte: an opaque frame is a full matte. Loses colour."""

    inputs: ClassVar[tuple[Socket, ...]] = _from(SocketType.VIDEO)


def _rgba(*channels: torch.Tensor) -> torch.Tensor:
    return torch.cat(channels, dim=1).contiguous(memory_format=torch.channels_last)


CONVERSIONS: Mapping[tuple[SocketType, SocketType], type[Conversion]] = {
    (conversion.inputs[0].type, conversion.outputs[0].type): conversion
    for conversion in (
        StillAsVideo,
        FirstFrameOfVideo,
        MatteAsPicture,
        MatteAsVideo,
        AlphaAsMatte,
        VideoAlphaAsMatte,
    )
}
