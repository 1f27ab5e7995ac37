"""Where pixels go, by OpenCV's DIS flow: what stands in for the networks AMT and RAFT."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from artifexpro.core.lazy import cv2, numpy
from artifexpro.core.media.metrics.looked import Looked

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST_SIDE = 32
"""Pixels of the shorter side below which there is no flow to speak of: its patches are 8 wide on a pyramid."""


class Flow:
    """Flow between pictures of one size. Holds scratch memory: not for two threads at once."""

    def __init__(self) -> None:
        self._dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)

    def between(self, one: Looked, other: Looked) -> NDArray[Any]:
        """(h, w, 2) float32: to each pixel of `one` where it lies in `other`, in pixels right and down."""
        return self._dis.calc(one.grey8, other.grey8, None)  # type: ignore[call-overload,no-any-return]


def fetched(picture: NDArray[Any], flow: NDArray[Any]) -> NDArray[Any]:
    """(h, w, ...): at each pixel what `picture` has where `flow` points, bilinear, its edge repeated outside."""
    grid = _grid(*flow.shape[:2])
    return cv2.remap(picture, grid + flow, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload,no-any-return]


def inside(flow: NDArray[Any]) -> NDArray[Any]:
    """(h, w) bool: where `flow` points into the picture."""
    height, width = flow.shape[:2]
    place = _grid(height, width) + flow
    good: NDArray[Any] = (place >= 0).all(2) & (place[..., 0] <= width - 1) & (place[..., 1] <= height - 1)
    return good


def _grid(height: int, width: int) -> NDArray[Any]:
    columns, rows = numpy.meshgrid(numpy.arange(width), numpy.arange(height))
    return numpy.stack([columns, rows], axis=-1).astype(numpy.float32)


@dataclass(frozen=True, eq=False)
class Pair:
    """Two neighbouring frames and, where they are large enough for it, the flow from the later to the earlier."""

    earlier: Looked
    later: Looked
    flow: NDArray[Any] | None

    @cached_property
    def fetched(self) -> NDArray[Any]:
        """The earlier frame moved onto the later, (h, w, 3)."""
        assert self.flow is not None
        return fetched(self.earlier.small, self.flow)

    @cached_property
    def seen(self) -> NDArray[Any]:
        """(h, w) bool: what of the later frame was in the earlier picture, as far as its edges tell."""
        assert self.flow is not None
        return inside(self.flow)


def halfway(earlier: Looked, later: Looked, flow: Flow) -> NDArray[Any]:
    """The frame between two, (h, w, 3): both moved half the way and averaged.

    Flow from the middle is approximated by that of both ends, as in Super SloMo (Jiang et al., 2018, equation 4) at
    t = 1/2.
    """
    onward, back = flow.between(earlier, later), flow.between(later, earlier)
    to_later = (onward - back) / 4
    made: NDArray[Any] = (fetched(earlier.small, -to_later) + fetched(later.small, to_later)) / 2
    return made
