"""Process nodes: which frames a clip shows, and when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from artifexpro.core.errors import ArtifexError
from artifexpro.core.graph.kinds import FrameNode
from artifexpro.core.graph.node import Socket, parameter
from artifexpro.core.graph.values import FrameRequest, ImageBuffer, SocketType, StreamInfo


class FrameHold(FrameNode):
    """One frame of a clip as a picture: the first picture of a generated clip, a reference, a still to paint on."""

    category: ClassVar[str] = "process"
    inputs: ClassVar[tuple[Socket, ...]] = (Socket("video", SocketType.VIDEO),)
    outputs: ClassVar[tuple[Socket, ...]] = (Socket("out", SocketType.IMAGE),)
    example: ClassVar[Mapping[str, Any]] = {"frame": 1013}

    frame: int = parameter(1001, "Number of the frame to hold.", minimum=-1_000_000, maximum=100_000_000, unit="frames")

    def describe(self, infos: Mapping[str, StreamInfo]) -> StreamInfo:
        info = infos["video"]
        if self.frame not in info:
            raise ArtifexError(
                f"hold frame {self.frame}",
                f"the clip has frames {info.first} to {info.last}",
                "a frame in that range",
                code="range",
            )
        return replace(info, first=self.frame, last=self.frame, still=True)

    def needs(self, request: FrameRequest, infos: Mapping[str, StreamInfo]) -> Mapping[str, tuple[FrameRequest, ...]]:
        return {"video": (request.at(self.frame),)}

    def render(self, request: FrameRequest, **inputs: ImageBuffer) -> ImageBuffer:
        return inputs["video"]
