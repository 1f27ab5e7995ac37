"""Transform nodes: where pixels lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from artifexpro.core.graph.node import FrameNode, Pixels, Socket, parameter
from artifexpro.core.graph.values import FrameRequest, ImageBuffer, SocketType, StreamInfo
from artifexpro.core.media.pixels import crop
from artifexpro.core.media.resample import Filter, about_centre, affine

_FARTHEST = 100_000


class Transform2D(FrameNode):
    """Moves, turns and scales a picture about its centre. Its size stays; what comes to lie outside is cut, and where
    nothing lies it is transparent."""

    category: ClassVar[str] = "transform"
    inputs: ClassVar[tuple[Socket, ...]] = (Socket("video", SocketType.VIDEO),)
    example: ClassVar[Mapping[str, Any]] = {"x": 120.0, "rotate": 5.0, "scale": 0.5}

    x: Pixels = parameter(0.0, "Move to the right.", minimum=-_FARTHEST, maximum=_FARTHEST, unit="px", animatable=True)
    y: Pixels = parameter(0.0, "Move up.", minimum=-_FARTHEST, maximum=_FARTHEST, unit="px", animatable=True)
    rotate: float = parameter(
        0.0, "Turn counter-clockwise.", minimum=-36_000, maximum=36_000, unit="degrees", animatable=True
    )
    scale: float = parameter(1.0, "Size: 2 is twice as wide and high.", minimum=0.001, maximum=1000, animatable=True)
    filter: Filter = parameter("bicubic", "How pixels between pixels are computed, from fast to sharp.")

    def identity(self) -> str | None:
        return "video" if (self.x, self.y, self.rotate % 360, self.scale) == (0, 0, 0, 1) else None

    def needs(self, request: FrameRequest, infos: Mapping[str, StreamInfo]) -> Mapping[str, tuple[FrameRequest, ...]]:
        return {"video": (replace(request, region=None),)}

    def render(self, request: FrameRequest, **inputs: ImageBuffer) -> ImageBuffer:
        video = inputs["video"]
        matrix = about_centre(video.size, self.x, self.y, self.rotate, self.scale)
        return video.with_pixels(crop(affine(video.pixels, matrix, self.filter), request.region))
