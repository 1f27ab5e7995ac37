"""Graphs of 10,000 nodes that do next to nothing: what is left is the engine's own work."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, ClassVar

from artifexpro.core.graph.document import FORMAT, FORMAT_VERSION
from artifexpro.core.graph.kinds import FrameNode, SourceNode
from artifexpro.core.graph.node import Socket, parameter
from artifexpro.core.graph.registry import Registry
from artifexpro.core.graph.values import FrameRequest, ImageBuffer, SocketType, StreamInfo
from artifexpro.core.media.pixels import blank

NODES = 10_000
LAYERS = 10
FRAMES = 1_000_000


class Plate(SourceNode):
    """A tiny picture, the same on a million frames."""

    category: ClassVar[str] = "benchmark"

    def describe(self) -> StreamInfo:
        return StreamInfo(1, FRAMES, Fraction(24), 16, 9)

    def read(self, request: FrameRequest) -> ImageBuffer:
        return ImageBuffer(blank(*self.describe().size_at(request.scale)))


class Through(FrameNode):
    """Hands its picture on; its amount only changes its key."""

    category: ClassVar[str] = "benchmark"
    inputs: ClassVar[tuple[Socket, ...]] = (Socket("video", SocketType.VIDEO),)
    amount: float = parameter(0.0, "Nothing but a number.", minimum=-1e6, maximum=1e6)

    def render(self, request: FrameRequest, video: ImageBuffer) -> ImageBuffer:
        return video


class Either(FrameNode):
    """Hands the first of two pictures on."""

    category: ClassVar[str] = "benchmark"
    inputs: ClassVar[tuple[Socket, ...]] = (Socket("a", SocketType.VIDEO), Socket("b", SocketType.VIDEO))
    amount: float = parameter(0.0, "Nothing but a number.", minimum=-1e6, maximum=1e6)

    def render(self, request: FrameRequest, a: ImageBuffer, b: ImageBuffer) -> ImageBuffer:
        return a


class Brighter(FrameNode):
    """Adds a little light: a new picture for every frame."""

    category: ClassVar[str] = "benchmark"
    inputs: ClassVar[tuple[Socket, ...]] = (Socket("video", SocketType.VIDEO),)

    def render(self, request: FrameRequest, video: ImageBuffer) -> ImageBuffer:
        return video.with_pixels(video.pixels + 0.01)


REGISTRY = Registry((Plate, Through, Either, Brighter))


def _through(source: str, amount: float) -> dict[str, Any]:
    return {"type": "Through", "version": 1, "params": {"amount": amount}, "inputs": {"video": [source, "out"]}}


def _either(a: str, b: str, amount: float) -> dict[str, Any]:
    inputs = {"a": [a, "out"], "b": [b, "out"]}
    return {"type": "Either", "version": 1, "params": {"amount": amount}, "inputs": inputs}


def _document(nodes: Mapping[str, Any]) -> dict[str, Any]:
    return {"format": FORMAT, "version": FORMAT_VERSION, "nodes": nodes}


def chain(count: int = NODES) -> tuple[dict[str, Any], str]:
    """One line of `count` nodes; returns the document and its last node."""
    nodes: dict[str, Any] = {"n0": {"type": "Plate", "version": 1}}
    for at in range(1, count):
        nodes[f"n{at}"] = _through(f"n{at - 1}", at)
    return _document(nodes), f"n{count - 1}"


def wide(count: int = NODES) -> tuple[dict[str, Any], str]:
    """Hundreds of lines of ten nodes, gathered two by two: a tree at the end of many branches."""
    nodes: dict[str, Any] = {"plate": {"type": "Plate", "version": 1}}
    ends = []
    lines = count // 11
    for line in range(lines):
        before = "plate"
        for place in range(10):
            name = f"n{line}_{place}"
            nodes[name] = _through(before, line * 10 + place)
            before = name
        ends.append(before)
    return _document(nodes), _closed(nodes, ends, count)


def layered(count: int = NODES) -> tuple[dict[str, Any], str]:
    """Layers of equal width, each node reading two of the layer before, and a tree that gathers the last layer."""
    nodes: dict[str, Any] = {"plate": {"type": "Plate", "version": 1}}
    width = count // (LAYERS + 1)
    before = ["plate"]
    for layer in range(LAYERS):
        here = [f"l{layer}_{at}" for at in range(width)]
        for at, name in enumerate(here):
            nodes[name] = _either(before[at % len(before)], before[(at + 1) % len(before)], len(nodes))
        before = here
    return _document(nodes), _closed(nodes, before, count)


def clip(count: int = 20) -> tuple[dict[str, Any], str]:
    """A line of `count` nodes each of which makes a new picture."""
    nodes: dict[str, Any] = {"n0": {"type": "Plate", "version": 1}}
    for at in range(1, count + 1):
        nodes[f"n{at}"] = {"type": "Brighter", "version": 1, "inputs": {"video": [f"n{at - 1}", "out"]}}
    return _document(nodes), f"n{count}"


def _closed(nodes: dict[str, Any], ends: list[str], count: int) -> str:
    """Gather `ends` two by two into one, and go on in a line until there are `count` nodes; returns the last one."""
    while len(ends) > 1:
        gathered = []
        for a, b in zip(ends[::2], ends[1::2], strict=False):
            name = f"g{len(nodes)}"
            nodes[name] = _either(a, b, len(nodes))
            gathered.append(name)
        ends = gathered + ends[len(gathered) * 2 :]
    (last,) = ends
    for at in range(count - len(nodes)):
        nodes[f"t{at}"] = _through(last, at)
        last = f"t{at}"
    return last
