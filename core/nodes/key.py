"""Keying nodes: coverage made from a clip's own colours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from artifexpro.core.graph.kinds import PointNode
from artifexpro.core.graph.node import Preflight, Socket, parameter
from artifexpro.core.graph.values import ImageBuffer, SocketType
from artifexpro.core.media import key


class ChromaKey(PointNode):
    """Takes a green or blue screen out of a scene-linear clip; what is left is premultiplied.

    A colour-difference key: coverage is what is left of 1 after `strength` times the screen colour's lead over the
    other channels. Light is linear, so soft edges, hair and motion blur get the coverage they had.
    """

    category: ClassVar[str] = "effect"
    inputs: ClassVar[tuple[Socket, ...]] = (Socket("video", SocketType.VIDEO),)
    example: ClassVar[Mapping[str, Any]] = {"screen": "green", "strength": 4.5, "black": 0.1}

    screen: key.Screen = parameter("green", "Colour of the screen.")
    strength: float = parameter(
        4.0,
        "How much the screen's lead counts: 1 / (green less the larger of red and blue) keys it out, and no more.",
        minimum=0,
        maximum=1000,
        animatable=True,
    )
    black: float = parameter(0.0, "Coverage up to this becomes none.", minimum=0, maximum=1, animatable=True)
    white: float = parameter(1.0, "Coverage from this on becomes full.", minimum=0, maximum=1, animatable=True)
    despill: float = parameter(
        1.0, "How much of the screen's light on the foreground is taken off.", minimum=0, maximum=1, animatable=True
    )

    def preflight(self, context: Preflight) -> None:
        key.check_clips(self.black, self.white)

    def point(self, video: ImageBuffer) -> ImageBuffer:
        keyed = key.color_difference(video.pixels, self.screen, self.strength, self.black, self.white, self.despill)
        return video.with_pixels(keyed)
