"""Pictures made of nothing but their parameters."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, ClassVar

from artifexpro.core.graph.kinds import SourceNode
from artifexpro.core.graph.node import parameter
from artifexpro.core.graph.values import FrameRequest, ImageBuffer, StreamInfo
from artifexpro.core.lazy import torch

STILL_RATE = Fraction(24)
"""A picture has no rate; this one is never used where anything moves."""


def _light(channel: str) -> Any:
    return parameter(0.0, f"{channel}, scene-linear.", minimum=-100, maximum=100_000, animatable=True)


class Solid(SourceNode):
    """A picture of one colour, scene-linear in ACEScg. Colour is multiplied by alpha."""

    category: ClassVar[str] = "input"
    example: ClassVar[Mapping[str, Any]] = {"red": 0.18, "green": 0.18, "blue": 0.18}

    red: float = _light("Red")
    green: float = _light("Green")
    blue: float = _light("Blue")
    alpha: float = parameter(1.0, "Coverage.", minimum=0, maximum=1, animatable=True)
    width: int = parameter(1920, "Width of the picture.", minimum=1, maximum=32768, unit="px")
    height: int = parameter(1080, "Height of the picture.", minimum=1, maximum=32768, unit="px")

    def describe(self) -> StreamInfo:
        return StreamInfo(1, 1, STILL_RATE, self.width, self.height, still=True)

    def read(self, request: FrameRequest) -> ImageBuffer:
        region = request.region
        width, height = (region.width, region.height) if region else self.describe().size_at(request.scale)
        color = torch.tensor((self.red, self.green, self.blue, 1.0)).mul_(self.alpha).view(1, 4, 1, 1)
        return ImageBuffer(color.expand(1, 4, height, width).contiguous(memory_format=torch.channels_last))
