"""Effect nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from artifexpro.core.graph.node import FrameNode, Pixels, Socket, parameter
from artifexpro.core.graph.values import FrameRequest, ImageBuffer, Region, SocketType, StreamInfo
from artifexpro.core.media.pixels import crop
from artifexpro.core.media.resample import gaussian, gaussian_reads


class Blur(FrameNode):
    """A gaussian blur. Beyond the picture's edges its edge pixels go on, so a plate keeps its edges."""

    category: ClassVar[str] = "effect"
    inputs: ClassVar[tuple[Socket, ...]] = (Socket("video", SocketType.VIDEO),)
    example: ClassVar[Mapping[str, Any]] = {"size": 12.0}

    size: Pixels = parameter(
        5.0,
        "Standard deviation of the gaussian: how far a point spreads.",
        minimum=0,
        maximum=500,
        unit="px",
        animatable=True,
    )

    def identity(self) -> str | None:
        return "video" if self.size == 0 else None

    def needs(self, request: FrameRequest, infos: Mapping[str, StreamInfo]) -> Mapping[str, tuple[FrameRequest, ...]]:
        if request.region is None:
            return {"video": (request,)}
        read = gaussian_reads(request.region, self.size, infos["video"].size_at(request.scale))
        return {"video": (replace(request, region=read),)}

    def render(self, request: FrameRequest, **inputs: ImageBuffer) -> ImageBuffer:
        video = inputs["video"]
        blurred = gaussian(video.pixels, self.size)
        return video.with_pixels(crop(blurred, self._inner(request.region, video.size)))

    def _inner(self, region: Region | None, read: tuple[int, int]) -> Region | None:
        """Where `region` lies in the wider one of size `read` that `needs` asked for."""
        if region is None:
            return None
        outer = gaussian_reads(region, self.size, (region.x + read[0], region.y + read[1]))
        return Region(region.x - outer.x, region.y - outer.y, region.width, region.height)
