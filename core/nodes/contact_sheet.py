"""A clip at a glance: frames of it side by side in one picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from artifexpro.core.graph.kinds import FrameNode
from artifexpro.core.graph.node import Socket, parameter
from artifexpro.core.graph.values import FrameRequest, ImageBuffer, SocketType, StreamInfo
from artifexpro.core.media.pixels import blank, crop
from artifexpro.core.media.resample import resize


class ContactSheet(FrameNode):
    """Frames spread evenly over a clip, first and last included, in rows from the upper left.

    Frames are as large as fits `width`, and never larger than they are. A clip shorter than `count` shows every frame
    once.
    """

    category: ClassVar[str] = "output"
    inputs: ClassVar[tuple[Socket, ...]] = (Socket("video", SocketType.VIDEO),)
    outputs: ClassVar[tuple[Socket, ...]] = (Socket("out", SocketType.IMAGE),)
    example: ClassVar[Mapping[str, Any]] = {"columns": 3, "count": 9}

    columns: int = parameter(4, "Frames side by side.", minimum=1, maximum=64)
    count: int = parameter(12, "Frames in all.", minimum=1, maximum=1024)
    width: int = parameter(1920, "How wide the sheet may be.", minimum=1, maximum=32768, unit="px")

    def describe(self, infos: Mapping[str, StreamInfo]) -> StreamInfo:
        info = infos["video"]
        width, height = info.size_at(self._scale(info))
        rows = -(-len(self._shown(info)) // self.columns)
        return replace(info, last=info.first, width=width * self.columns, height=height * rows, still=True)

    def needs(self, request: FrameRequest, infos: Mapping[str, StreamInfo]) -> Mapping[str, tuple[FrameRequest, ...]]:
        info = infos["video"]
        small = replace(request, scale=self._scale(info), region=None)
        return {"video": tuple(small.at(frame) for frame in self._shown(info))}

    def render(self, request: FrameRequest, **inputs: ImageBuffer | tuple[ImageBuffer, ...]) -> ImageBuffer:
        given = inputs["video"]
        frames = (given,) if isinstance(given, ImageBuffer) else given
        width, height = frames[0].size
        sheet = blank(width * self.columns, height * -(-len(frames) // self.columns))
        for number, frame in enumerate(frames):
            top, left = height * (number // self.columns), width * (number % self.columns)
            sheet[:, :, top : top + height, left : left + width] = frame.pixels
        size = round(sheet.shape[3] * request.scale), round(sheet.shape[2] * request.scale)
        return frames[0].with_pixels(crop(resize(sheet, (max(1, size[0]), max(1, size[1]))), request.region))

    def _scale(self, info: StreamInfo) -> float:
        return min(1.0, self.width / (self.columns * info.width))

    def _shown(self, info: StreamInfo) -> tuple[int, ...]:
        """Numbers of the frames in the sheet."""
        count = min(self.count, len(info))
        if count == 1:
            return (info.first,)
        return tuple(info.first + at * (len(info) - 1) // (count - 1) for at in range(count))
