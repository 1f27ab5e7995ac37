"""Transform nodes: where pixels lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar

from artifexpro.core.graph.kinds import AffineNode
from artifexpro.core.graph.node import Pixels, Socket, parameter
from artifexpro.core.graph.values import FrameRequest, ImageBuffer, Picture, SocketType, StreamInfo
from artifexpro.core.media.pixels import crop
from artifexpro.core.media.resample import Filter, about_centre, affine, mirror

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FARTHEST = 100_000


class _Moving(AffineNode):
    """What nodes share that move the pixels of one clip: any of them may come to lie anywhere, so all are asked for."""

    category: ClassVar[str] = "transform"
    inputs: ClassVar[tuple[Socket, ...]] = (Socket("video", SocketType.VIDEO),)

    def needs(self, request: FrameRequest, infos: Mapping[str, StreamInfo]) -> Mapping[str, tuple[FrameRequest, ...]]:
        return {"video": (replace(request, region=None),)}

    def render(self, request: FrameRequest, video: ImageBuffer) -> Picture:
        as_it_is = StreamInfo(request.frame, request.frame, Fraction(1), *video.size)
        return self.resample(request, video, self.matrix(replace(request, scale=1.0), as_it_is))


class Transform2D(_Moving):
    """Moves, turns and scales a picture about its centre. Its size stays; what comes to lie outside is cut, and where
    nothing lies it is transparent."""

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

    def matrix(self, request: FrameRequest, info: StreamInfo) -> NDArray[Any]:
        return about_centre(info.size_at(request.scale), self.x, self.y, self.rotate, self.scale)

    def resample(self, request: FrameRequest, picture: Picture, matrix: NDArray[Any]) -> Picture:
        return picture.with_pixels(crop(affine(picture.pixels, matrix, self.filter), request.region))


class Flip(_Moving):
    """Mirrors a picture. By itself it keeps every pixel as it is."""

    decides: ClassVar[bool] = False

    example: ClassVar[Mapping[str, Any]] = {"horizontal": True}

    horizontal: bool = parameter(False, "Left becomes right.")
    vertical: bool = parameter(False, "Top becomes bottom.")

    def identity(self) -> str | None:
        return None if self.horizontal or self.vertical else "video"

    def matrix(self, request: FrameRequest, info: StreamInfo) -> NDArray[Any]:
        return mirror(info.size_at(request.scale), self.horizontal, self.vertical)

    def resample(self, request: FrameRequest, picture: Picture, matrix: NDArray[Any]) -> Picture:
        return picture.with_pixels(crop(affine(picture.pixels, matrix, "bicubic"), request.region))
