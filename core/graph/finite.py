"""Pixels that are no numbers: found where a picture leaves the engine, blamed on the node that made them."""

from __future__ import annotations

from collections.abc import Sequence

from artifexpro.core.graph.errors import NodeError
from artifexpro.core.graph.fuse import Call
from artifexpro.core.graph.layout import Block, Op
from artifexpro.core.graph.program import Bound, Program, Surroundings
from artifexpro.core.graph.values import FrameRequest, Picture
from artifexpro.core.lazy import torch


def is_finite(picture: Picture) -> bool:
    """Whether its pixels are float32 or float16 numbers, none of them NaN or infinite. One sum tells, unless honest
    numbers overflow it."""
    pixels = picture.pixels
    if pixels.dtype is not torch.float32 and pixels.dtype is not torch.float16:
        return False
    return bool(torch.isfinite(pixels.sum(dtype=torch.float32))) or bool(torch.isfinite(pixels).all())


def blame(at: str, name: str, frame: int, picture: Picture, *, reads: bool) -> NodeError:
    """The error of the first node whose picture has such pixels; `reads` where it has inputs of its own."""
    attempted = f"show frame {frame} of node {name}"
    if not picture.pixels.is_floating_point() or picture.pixels.dtype.itemsize > 4:
        because = f"its pixels are {str(picture.pixels.dtype).rpartition('.')[2]} where float32 or float16 was promised"
        remedy = "reporting this: the node does not keep to its own description"
        return NodeError(at, attempted, because, remedy, frame=frame)
    bad = (~torch.isfinite(picture.pixels)).any(dim=1)
    y, x = (int(each) for each in bad[0].nonzero()[0])
    count = int(bad.sum())
    said = (
        "1 of its pixels is infinite or not a number, at"
        if count == 1
        else (f"{count} of its pixels are infinite or not numbers, the first at")
    )
    where = "before or after it" if reads else "after it"
    because, remedy = f"{said} {x}, {y} from the upper left", f"a Repair node {where}"
    return NodeError(at, attempted, because, remedy, frame=frame, code="pixels")


class Searching(Program):
    """A block that stops at the first of its steps whose picture has such pixels. Raises that step's `NodeError`."""

    def __init__(self, block: Block, scale: float, around: Surroundings, fuse: bool) -> None:
        self._steps = around
        super().__init__(block, scale, around, fuse)

    def _bind(self, group: Sequence[Op]) -> Bound:
        bound = super()._bind(group)
        return bound._replace(call=self._looking(bound.step, bound.call))

    def _looking(self, at: int, call: Call) -> Call:
        def looking(request: FrameRequest, **inputs: Picture) -> Picture:
            picture = call(request, **inputs)
            if not is_finite(picture):
                step = self._steps.step(at)
                raise blame(step.document_node, step.name, request.frame, picture, reads=bool(step.inputs))
            return picture

        return looking
