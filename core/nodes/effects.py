"""Effect nodes: blur, glow, grain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from artifexpro.core.graph.kinds import FrameNode
from artifexpro.core.graph.node import Pixels, Socket, parameter
from artifexpro.core.graph.values import FrameRequest, ImageBuffer, Region, SocketType, StreamInfo
from artifexpro.core.media import glow, grain
from artifexpro.core.media.pixels import crop
from artifexpro.core.media.resample import gaussian, gaussian_reads

_VIDEO = (Socket("video", SocketType.VIDEO),)


class _Spreading(FrameNode):
    """What nodes share that spread light by a gaussian of `size` pixels: how much of the input a region takes."""

    category: ClassVar[str] = "effect"
    inputs: ClassVar[tuple[Socket, ...]] = _VIDEO

    size: Pixels

    def needs(self, request: FrameRequest, infos: Mapping[str, StreamInfo]) -> Mapping[str, tuple[FrameRequest, ...]]:
        if request.region is None or self.size == 0:
            return {"video": (request,)}
        read = gaussian_reads(request.region, self.size, infos["video"].size_at(request.scale))
        return {"video": (replace(request, region=read),)}

    def _inner(self, region: Region | None, read: tuple[int, int]) -> Region | None:
        """Where `region` lies in the wider one of size `read` that `needs` asked for."""
        if region is None or self.size == 0:
            return None
        outer = gaussian_reads(region, self.size, (region.x + read[0], region.y + read[1]))
        return Region(region.x - outer.x, region.y - outer.y, region.width, region.height)


class Blur(_Spreading):
    """A gaussian blur. Beyond the picture's edges its edge pixels go on, so a plate keeps its edges."""

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

    def render(self, request: FrameRequest, video: ImageBuffer) -> ImageBuffer:
        blurred = gaussian(video.pixels, self.size)
        return video.with_pixels(crop(blurred, self._inner(request.region, video.size)))


class Glow(_Spreading):
    """Light spreads around what is bright, as in a lens. It adds: nothing gets darker, and highlights stay as bright as
    they are. Coverage stays; glow over nothing is light that Merge adds."""

    example: ClassVar[Mapping[str, Any]] = {"threshold": 0.8, "size": 40.0, "intensity": 0.6}

    threshold: float = parameter(
        1.0,
        "What is brighter glows: that much of a pixel's brightest channel stays behind.",
        minimum=0,
        maximum=1000,
        animatable=True,
    )
    size: Pixels = parameter(
        30.0,
        "Standard deviation of the gaussian: how far light spreads.",
        minimum=0,
        maximum=500,
        unit="px",
        animatable=True,
    )
    intensity: float = parameter(0.5, "How much of the spread light is added.", minimum=0, maximum=100, animatable=True)

    def identity(self) -> str | None:
        return "video" if self.intensity == 0 else None

    def render(self, request: FrameRequest, video: ImageBuffer) -> ImageBuffer:
        lit = glow.glowing(video.pixels, self.threshold, self.size, self.intensity)
        return video.with_pixels(crop(lit, self._inner(request.region, video.size)))


class Grain(FrameNode):
    """Film grain on a scene-linear clip, another in each frame and the same again for the same seed.

    Its strength follows the square root of the light, so that shadows have less of it than lights, but relatively more.
    Where a clip is transparent there is none.
    """

    category: ClassVar[str] = "effect"
    inputs: ClassVar[tuple[Socket, ...]] = _VIDEO
    depends_on_time: ClassVar[bool] = True
    example: ClassVar[Mapping[str, Any]] = {"size": 1.5, "intensity": 0.05}

    size: Pixels = parameter(1.0, "Standard deviation of one grain.", minimum=0, maximum=50, unit="px", animatable=True)
    intensity: float = parameter(
        0.05, "Standard deviation of the grain at white.", minimum=0, maximum=10, animatable=True
    )
    color: float = parameter(
        0.3, "How much each channel has grain of its own; 0 is grey grain.", minimum=0, maximum=1, animatable=True
    )
    seed: int = parameter(0, "Another seed is another grain.", minimum=0, maximum=2**63 - 1)

    def identity(self) -> str | None:
        return "video" if self.intensity == 0 else None

    def render(self, request: FrameRequest, video: ImageBuffer) -> ImageBuffer:
        grained = grain.grained(
            video.pixels,
            request.region or Region(0, 0, *video.size),
            seed=self.seed,
            frame=request.frame,
            size=self.size,
            intensity=self.intensity * grain.weaker(self.size, request.scale),
            color=self.color,
        )
        return video.with_pixels(grained)
