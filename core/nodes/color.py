"""Colour nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from artifexpro.core.graph.node import FrameNode, Socket, parameter
from artifexpro.core.graph.values import FrameRequest, ImageBuffer, SocketType, StreamInfo
from artifexpro.core.media import color


class ColorSpace(FrameNode):
    """Converts a clip to another colour space; from there on it is in that space.

    Nodes downstream compute on the numbers as they are, and Merge takes two clips of one space only. Alpha is divided
    out before and multiplied in after.
    """

    category: ClassVar[str] = "color"
    inputs: ClassVar[tuple[Socket, ...]] = (Socket("video", SocketType.VIDEO),)
    example: ClassVar[Mapping[str, Any]] = {"to": "ACEScct"}

    to: str = parameter("ACEScg", "The space to convert to, by any name the colour config knows.", unit="colour space")

    def describe(self, infos: Mapping[str, StreamInfo]) -> StreamInfo:
        color.canonical(self.to)
        return replace(infos["video"], space=self.to)

    def render(self, request: FrameRequest, **inputs: ImageBuffer) -> ImageBuffer:
        video = inputs["video"]
        return ImageBuffer(color.transform(video.pixels, video.space, self.to), self.to)
