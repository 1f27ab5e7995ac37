"""Pixels that are no numbers: found where a picture leaves the engine, blamed on the node that made them."""

from __future__ import annotations

from collections.abc import Iterable

from artifexpro.core.graph.errors import NodeError
from artifexpro.core.graph.values import Picture
from artifexpro.core.lazy import torch


def is_finite(picture: Picture) -> bool:
    """Whether no pixel is NaN or infinite. One sum tells, unless honest numbers overflow it."""
    pixels = picture.pixels
    return bool(torch.isfinite(pixels.sum(dtype=torch.float32))) or bool(torch.isfinite(pixels).all())


def blame(at: str, name: str, frame: int, picture: Picture, inputs: Iterable[str]) -> NodeError:
    """The error of the first node whose picture has such pixels."""
    bad = ~torch.isfinite(picture.pixels)
    count = int(bad.any(dim=1).sum())
    y, x = (int(each) for each in bad.any(dim=1)[0].nonzero()[0])
    because = f"{count} of its pixels are infinite or not numbers, the first at {x}, {y} from the upper left"
    made = "after it" if not list(inputs) else "before or after it"
    return NodeError(
        at, f"show frame {frame} of node {name}", because, f"a Repair node {made}", frame=frame, code="pixels"
    )
