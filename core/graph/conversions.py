"""The one table of automatic conversions between wires.

Where a wire's ends differ, the compiler inserts one of these nodes; it is a plan step like any other, with errors and
cached frames of its own. What is not in the table is refused: nothing becomes sound by itself, pictures become data
only through an analysis that says what it looks for, and two conversions are never put in a row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from artifexpro.core.graph import controls
from artifexpro.core.graph.kinds import FrameNode, PointNode, ValueNode
from artifexpro.core.graph.node import Socket
from artifexpro.core.graph.values import (
    WORKING_SPACE,
    AudioStream,
    ControlSignal,
    DataPayload,
    FrameRequest,
    ImageBuffer,
    MaskChannel,
    Picture,
    SocketType,
    StreamInfo,
)
from artifexpro.core.lazy import torch

CATEGORY = "conversion"


def _from(kind: SocketType) -> tuple[Socket, ...]:
    return (Socket("value", kind),)


def _to(kind: SocketType) -> tuple[Socket, ...]:
    return (Socket("out", kind),)


class StillAsVideo(PointNode):
    """A picture shown on every frame. Keeps all pixels; it has no range of its own. Back again it is the same
    picture."""

    category: ClassVar[str] = CATEGORY
    inputs: ClassVar[tuple[Socket, ...]] = _from(SocketType.IMAGE)
    outputs: ClassVar[tuple[Socket, ...]] = _to(SocketType.VIDEO)

    def identity(self) -> str | None:
        return "value"

    def point(self, value: ImageBuffer) -> ImageBuffer:
        return value


class _FirstFrame(FrameNode):
    """What stands still from the first frame of what moves."""

    category: ClassVar[str] = CATEGORY

    def needs(self, request: FrameRequest, infos: Mapping[str, StreamInfo]) -> Mapping[str, tuple[FrameRequest, ...]]:
        return {"value": (request.at(infos["value"].first),)}

    def describe(self, infos: Mapping[str, StreamInfo]) -> StreamInfo:
        return replace(infos["value"], last=infos["value"].first, still=True, endless=False)


class FirstFrameOfVideo(_FirstFrame):
    """The first frame of a clip as a picture. Keeps its pixels, loses all other frames: back again it is that frame
    for ever."""

    inputs: ClassVar[tuple[Socket, ...]] = _from(SocketType.VIDEO)
    outputs: ClassVar[tuple[Socket, ...]] = _to(SocketType.IMAGE)

    def render(self, request: FrameRequest, value: Picture) -> Picture:
        return value


class FirstFrameOfMatte(_FirstFrame):
    """The first frame of a matte as an opaque grey picture, coverage being light in the working space. Keeps that
    frame's coverage in red, green and blue, loses all other frames; alpha becomes 1, so back again it is a full
    matte."""

    inputs: ClassVar[tuple[Socket, ...]] = _from(SocketType.MASK)
    outputs: ClassVar[tuple[Socket, ...]] = _to(SocketType.IMAGE)

    def describe(self, infos: Mapping[str, StreamInfo]) -> StreamInfo:
        return replace(super().describe(infos), space=WORKING_SPACE)

    def render(self, request: FrameRequest, value: MaskChannel) -> ImageBuffer:
        return _grey(value)


class MatteAsVideo(PointNode):
    """A matte as an opaque grey clip, coverage being light in the working space. Keeps coverage in red, green and blue
    on all frames; alpha becomes 1, so back again it is a full matte (MatteFrom takes the grey back)."""

    category: ClassVar[str] = CATEGORY
    inputs: ClassVar[tuple[Socket, ...]] = _from(SocketType.MASK)
    outputs: ClassVar[tuple[Socket, ...]] = _to(SocketType.VIDEO)

    def describe(self, infos: Mapping[str, StreamInfo]) -> StreamInfo:
        return replace(infos["value"], space=WORKING_SPACE)

    def point(self, value: MaskChannel) -> ImageBuffer:
        return _grey(value)


class AlphaAsMatte(PointNode):
    """A picture's alpha as a matte: an opaque picture is a full matte. Keeps coverage, loses colour: back again it is
    an opaque grey picture of the coverage."""

    category: ClassVar[str] = CATEGORY
    inputs: ClassVar[tuple[Socket, ...]] = _from(SocketType.IMAGE)
    outputs: ClassVar[tuple[Socket, ...]] = _to(SocketType.MASK)

    def describe(self, infos: Mapping[str, StreamInfo]) -> StreamInfo:
        return replace(infos["value"], space=WORKING_SPACE)

    def point(self, value: ImageBuffer) -> MaskChannel:
        return MaskChannel(value.pixels[:, 3:4].contiguous(memory_format=torch.channels_last))


class VideoAlphaAsMatte(AlphaAsMatte):
    """A clip's alpha as a moving matte: an opaque frame is a full matte. Keeps coverage on all frames, loses colour."""

    inputs: ClassVar[tuple[Socket, ...]] = _from(SocketType.VIDEO)


class LoudnessOfSound(ValueNode):
    """How loud it is during each frame: the root mean square of the frame's samples over all channels, 0 in silence,
    0.707 for a full-scale sine. Loses everything else of the sound; there is no way back."""

    category: ClassVar[str] = CATEGORY
    inputs: ClassVar[tuple[Socket, ...]] = _from(SocketType.AUDIO)
    outputs: ClassVar[tuple[Socket, ...]] = _to(SocketType.CONTROL)

    def evaluate(self, value: AudioStream) -> ControlSignal:
        return controls.loudness(value)


class ControlAsData(ValueNode):
    """A control that never changes as data of kind "number", a drawn one as a "curve": both keep everything and come
    back equal. One that is computed from frame to frame is refused, as a table of it needs a range."""

    category: ClassVar[str] = CATEGORY
    inputs: ClassVar[tuple[Socket, ...]] = _from(SocketType.CONTROL)
    outputs: ClassVar[tuple[Socket, ...]] = _to(SocketType.DATA)

    def evaluate(self, value: ControlSignal) -> DataPayload:
        return controls.to_data(value)


class DataAsControl(ValueNode):
    """Data of kind "number", "curve" or "frames" (one number a frame) as a control. Keeps the value at each frame of
    the data; a table's frames are joined by straight lines and its ends held, so that back again a table is refused,
    while a number and a curve come back equal. Any other kind is refused."""

    category: ClassVar[str] = CATEGORY
    inputs: ClassVar[tuple[Socket, ...]] = _from(SocketType.DATA)
    outputs: ClassVar[tuple[Socket, ...]] = _to(SocketType.CONTROL)

    def evaluate(self, value: DataPayload) -> ControlSignal:
        return controls.from_data(value)


def _grey(matte: MaskChannel) -> ImageBuffer:
    coverage = matte.pixels
    _, _, height, width = coverage.shape
    grey = torch.empty(
        (1, 4, height, width), dtype=coverage.dtype, device=coverage.device, memory_format=torch.channels_last
    )
    grey[:, :3] = coverage
    grey[:, 3:] = 1
    return ImageBuffer(grey)


CONVERSIONS: Mapping[tuple[SocketType, SocketType], type[FrameNode] | type[ValueNode]] = {
    (conversion.inputs[0].type, conversion.outputs[0].type): conversion
    for conversion in (
        StillAsVideo,
        FirstFrameOfVideo,
        FirstFrameOfMatte,
        MatteAsVideo,
        AlphaAsMatte,
        VideoAlphaAsMatte,
        LoudnessOfSound,
        ControlAsData,
        DataAsControl,
    )
}
