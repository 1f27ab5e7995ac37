"""Process node: pixels that are no numbers, as renderers and broken files have them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from artifexpro.core.graph.kinds import PointNode
from artifexpro.core.graph.node import Socket, parameter
from artifexpro.core.graph.values import ImageBuffer, SocketType
from artifexpro.core.lazy import torch

if TYPE_CHECKING:
    from torch import Tensor

_LARGEST_HALF = 65504.0


class Repair(PointNode):
    """Replaces pixels that are infinite, not numbers, or brighter than any light in the shot: sparks of a renderer,
    holes of a damaged file.

    "clamp" brings each channel back into range, and what is not a number to 0. "black" makes the whole pixel black and
    keeps its coverage. Coverage that is not a number becomes none. All other pixels stay as they are.
    """

    category: ClassVar[str] = "process"
    inputs: ClassVar[tuple[Socket, ...]] = (Socket("video", SocketType.VIDEO),)
    example: ClassVar[Mapping[str, Any]] = {"how": "black", "largest": 100.0}

    how: Literal["clamp", "black"] = parameter("clamp", "What takes the place of such a pixel.")
    largest: float = parameter(
        _LARGEST_HALF,
        "What is further from 0 than this is replaced; 65504 is the most that EXR frames of half precision hold.",
        minimum=0,
        maximum=_LARGEST_HALF,
        animatable=True,
    )

    def point(self, video: ImageBuffer) -> ImageBuffer:
        pixels = video.pixels
        light, coverage = pixels[:, :3], pixels[:, 3:]
        good = torch.isfinite(pixels)
        good[:, :3] &= light.abs() <= self.largest
        if bool(good.all()):
            return video
        repaired = torch.empty_like(pixels)
        repaired[:, 3:] = torch.nan_to_num(coverage, nan=0.0, posinf=1.0, neginf=0.0)
        repaired[:, :3] = self._black(light, good) if self.how == "black" else self._clamped(light)
        return video.with_pixels(repaired)

    def _black(self, light: Tensor, good: Tensor) -> Tensor:
        return torch.where(good.all(dim=1, keepdim=True), light, 0.0)

    def _clamped(self, light: Tensor) -> Tensor:
        return light.nan_to_num(nan=0.0).clamp_(-self.largest, self.largest)
