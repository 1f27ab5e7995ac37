"""Nodes for asking a viewing process questions; `Trap` misbehaves as it is told."""

from __future__ import annotations

import os
import signal
import time
from fractions import Fraction
from pathlib import Path
from typing import ClassVar

import torch

from artifexpro.core.graph.kinds import FrameNode, SourceNode
from artifexpro.core.graph.node import Socket, parameter
from artifexpro.core.graph.values import FrameRequest, ImageBuffer, Region, SocketType, StreamInfo

VIDEO = (Socket("video", SocketType.VIDEO),)


class Card(SourceNode):
    """Red is `level`, green the frame's number / 100, blue the column's place in the whole picture, 0 to 1."""

    category: ClassVar[str] = "input"
    level: float = parameter(0.0, "Red.")
    width: int = parameter(256, "Pixels.", minimum=1)
    height: int = parameter(128, "Pixels.", minimum=1)

    def describe(self) -> StreamInfo:
        return StreamInfo(1, 20, Fraction(25), self.width, self.height)

    def read(self, request: FrameRequest) -> ImageBuffer:
        width, height = self.describe().size_at(request.scale)
        part = request.region or Region(0, 0, width, height)
        pixels = torch.ones(1, 4, part.height, part.width).contiguous(memory_format=torch.channels_last)
        pixels[:, 0] = self.level
        pixels[:, 1] = request.frame / 100
        pixels[:, 2] = (torch.arange(part.x, part.x + part.width) + 0.5) / width
        return ImageBuffer(pixels)


class Lift(FrameNode):
    """Adds to red."""

    category: ClassVar[str] = "color"
    inputs: ClassVar[tuple[Socket, ...]] = VIDEO
    by: float = parameter(0.0, "How much.", minimum=-10, maximum=10)

    def render(self, request: FrameRequest, video: ImageBuffer) -> ImageBuffer:
        pixels = video.pixels.clone(memory_format=torch.preserve_format)
        pixels[:, 0] += self.by
        return video.with_pixels(pixels)


class Trap(FrameNode):
    """Dies or takes its time, the whole of it in one piece: always, or where `once` names a file, until it is there."""

    category: ClassVar[str] = "process"
    inputs: ClassVar[tuple[Socket, ...]] = VIDEO
    die: bool = parameter(False, "Whether the process is killed.")
    seconds: float = parameter(0.0, "How long it takes.")
    once: str = parameter("", "A file that is made when the trap closes.")
    full_only: bool = parameter(False, "Whether small pictures are spared.")

    def render(self, request: FrameRequest, video: ImageBuffer) -> ImageBuffer:
        if self._closes(request):
            time.sleep(self.seconds)
            if self.die:
                os.kill(os.getpid(), signal.SIGKILL)
        return video

    def _closes(self, request: FrameRequest) -> bool:
        if self.full_only and request.scale < 1:
            return False
        if not self.once:
            return True
        if Path(self.once).exists():
            return False
        Path(self.once).touch()
        return True


NODES = (Card, Lift, Trap)
