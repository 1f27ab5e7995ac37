"""Small nodes for asking the engine questions: did it run, was it cached, which key changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import ClassVar

import pytest
import torch

from artifexpro.core.errors import ArtifexError
from artifexpro.core.graph.compile import Plan, compile_graph
from artifexpro.core.graph.context import JobContext, QuietContext
from artifexpro.core.graph.document import Document
from artifexpro.core.graph.evaluate import Evaluator
from artifexpro.core.graph.kinds import FrameNode, GeneratorNode, SinkNode, SourceNode
from artifexpro.core.graph.node import Node, Pixels, Preflight, Socket, parameter
from artifexpro.core.graph.registry import Registry
from artifexpro.core.graph.values import FrameRequest, ImageBuffer, SocketType, StreamInfo, VideoStream
from artifexpro.core.protocol import Artefact

PLATE = (Socket("plate", SocketType.VIDEO),)


def picture(value: float, width: int, height: int) -> ImageBuffer:
    pixels = torch.full((1, 4, height, width), float(value)).contiguous(memory_format=torch.channels_last)
    return ImageBuffer(pixels)


class Ramp(SourceNode):
    """A plate whose every pixel is its frame number."""

    category: ClassVar[str] = "input"
    length: int = parameter(10, "Frames.", minimum=1)
    still: bool = parameter(False, "One picture for all frames.")
    stamp: str = parameter("", "Stands for a file's identity.")

    def fingerprint(self, context: Preflight) -> str:
        return self.stamp

    def describe(self) -> StreamInfo:
        return StreamInfo(1, self.length, Fraction(24), 8, 4, still=self.still)

    def read(self, request: FrameRequest) -> ImageBuffer:
        return picture(request.frame, *self.describe().size_at(request.scale))


class Add(FrameNode):
    """Adds a number; adding nothing is identity."""

    category: ClassVar[str] = "color"
    inputs: ClassVar[tuple[Socket, ...]] = PLATE
    amount: float = parameter(1.0, "What is added.", minimum=-100, maximum=100)

    def identity(self) -> str | None:
        return "plate" if self.amount == 0 else None

    def render(self, request: FrameRequest, **inputs: ImageBuffer) -> ImageBuffer:
        return inputs["plate"].with_pixels(inputs["plate"].pixels + self.amount)


class Sum(FrameNode):
    """Adds two plates."""

    category: ClassVar[str] = "composite"
    inputs: ClassVar[tuple[Socket, ...]] = (
        Socket("a", SocketType.VIDEO),
        Socket("b", SocketType.VIDEO, optional=True),
    )

    def render(self, request: FrameRequest, **inputs: ImageBuffer) -> ImageBuffer:
        total = sum(buffer.pixels for buffer in inputs.values())
        assert isinstance(total, torch.Tensor)
        return inputs["a"].with_pixels(total)


class Shift(FrameNode):
    """Tells the distance it got, in pixels of the request."""

    category: ClassVar[str] = "transform"
    inputs: ClassVar[tuple[Socket, ...]] = PLATE
    distance: Pixels = parameter(8.0, "How far.", unit="px")

    def render(self, request: FrameRequest, **inputs: ImageBuffer) -> ImageBuffer:
        return inputs["plate"].with_pixels(torch.full_like(inputs["plate"].pixels, self.distance))


class Average(FrameNode):
    """Mean of the frame before, this one and the one after."""

    category: ClassVar[str] = "process"
    inputs: ClassVar[tuple[Socket, ...]] = PLATE

    def needs(self, request: FrameRequest, infos: Mapping[str, StreamInfo]) -> Mapping[str, tuple[FrameRequest, ...]]:
        return {"plate": tuple(request.at(request.frame + step) for step in (-1, 0, 1))}

    def render(self, request: FrameRequest, **inputs: ImageBuffer) -> ImageBuffer:
        frames = inputs["plate"]
        assert isinstance(frames, tuple)
        return frames[0].with_pixels(torch.stack([frame.pixels for frame in frames]).mean(dim=0))


class Broken(FrameNode):
    """Fails in the way asked for."""

    category: ClassVar[str] = "process"
    inputs: ClassVar[tuple[Socket, ...]] = PLATE
    how: str = parameter("raise", "raise, artifex or shape.")

    def render(self, request: FrameRequest, **inputs: ImageBuffer) -> ImageBuffer:
        if self.how == "raise":
            raise ZeroDivisionError("division by zero")
        if self.how == "artifex":
            raise ArtifexError("track the shot", "nothing moves in it", "a shot that moves")
        return inputs["plate"].with_pixels(inputs["plate"].pixels[:, :3])


class Needle(FrameNode):
    """Takes a single picture."""

    category: ClassVar[str] = "process"
    inputs: ClassVar[tuple[Socket, ...]] = (Socket("still", SocketType.IMAGE),)
    outputs: ClassVar[tuple[Socket, ...]] = (Socket("out", SocketType.IMAGE),)

    def render(self, request: FrameRequest, **inputs: ImageBuffer) -> ImageBuffer:
        return inputs["still"]


class Matte(FrameNode):
    """Takes a matte."""

    category: ClassVar[str] = "composite"
    inputs: ClassVar[tuple[Socket, ...]] = (Socket("matte", SocketType.MASK),)
    outputs: ClassVar[tuple[Socket, ...]] = (Socket("out", SocketType.MASK),)

    def render(self, request: FrameRequest, **inputs: ImageBuffer) -> ImageBuffer:
        return inputs["matte"]


class Sound(SourceNode):
    """Has only sound."""

    category: ClassVar[str] = "audio"
    outputs: ClassVar[tuple[Socket, ...]] = (Socket("out", SocketType.AUDIO),)


class Dream(GeneratorNode):
    """A clip made once: a text file with a number."""

    category: ClassVar[str] = "generator"
    inputs: ClassVar[tuple[Socket, ...]] = (Socket("image", SocketType.IMAGE, optional=True),)
    seed: int = parameter(0, "Seed.", minimum=0)
    fail: bool = parameter(False, "Fail after half the work.")

    made: ClassVar[list[int]] = []

    def describe(self, infos: Mapping[str, StreamInfo]) -> StreamInfo:
        return StreamInfo(1001, 1005, Fraction(24), 8, 4)

    def generate(self, context: JobContext, folder: Path, halfway: Path, **inputs: VideoStream) -> None:
        self.made.append(self.seed)
        first = float(inputs["image"].frame(inputs["image"].info.first).pixels.mean()) if "image" in inputs else 0.0
        (folder / "value.txt").write_text(str(self.seed + first))
        if self.fail:
            raise RuntimeError("the model fell asleep")

    def read(self, folder: Path, request: FrameRequest) -> ImageBuffer:
        return picture(float((folder / "value.txt").read_text()) + request.frame, 8, 4)


class Keep(SinkNode):
    """Writes the mean of each frame to a text file."""

    category: ClassVar[str] = "output"
    inputs: ClassVar[tuple[Socket, ...]] = (Socket("video", SocketType.VIDEO),)
    path: str = parameter("means.txt", "Where.")

    def write(self, context: JobContext, **inputs: VideoStream) -> tuple[Artefact, ...]:
        wanted = context.frames
        frames = inputs["video"].frames(wanted.first, wanted.last) if wanted else inputs["video"].frames()
        means = [float(frame.pixels.mean()) for _, frame in frames]
        (context.output / self.path).write_text(str(means))
        return (Artefact(path=self.path, role="report"),)


NODES = (Ramp, Add, Sum, Shift, Average, Broken, Needle, Matte, Sound, Dream, Keep)


@pytest.fixture(scope="session")
def registry() -> Registry:
    return Registry(NODES)


@pytest.fixture
def context(tmp_path: Path) -> QuietContext:
    return QuietContext(output=tmp_path, store=tmp_path / "store", models=tmp_path / "models")


class Bench:
    """Compiles graphs given as {id: (type, params, {socket: source})} and pulls frames from them."""

    def __init__(self, registry: Registry, context: QuietContext) -> None:
        self.registry = registry
        self.context = context

    def know(self, *nodes: type[Node]) -> None:
        """Let graphs use a test's own nodes."""
        self.registry = Registry((*self.registry, *nodes))

    def document(self, **nodes: tuple) -> Document:
        raw = {
            name: {"type": kind, "params": params, "inputs": {socket: [end] for socket, end in inputs.items()}}
            for name, (kind, params, inputs) in nodes.items()
        }
        return Document.parse({"format": "artifexpro.graph", "version": 1, "nodes": raw})

    def plan(self, **nodes: tuple) -> Plan:
        return compile_graph(self.document(**nodes), self.registry, self.context.models)

    def evaluator(self, **nodes: tuple) -> Evaluator:
        return Evaluator(self.plan(**nodes), self.context)

    def value(self, evaluator: Evaluator, name: str, frame: int, scale: float = 1.0) -> float:
        return float(evaluator.frame(evaluator.plan.index[name], FrameRequest(frame, scale)).pixels.mean())


@pytest.fixture
def bench(registry: Registry, context: QuietContext) -> Bench:
    Dream.made.clear()
    return Bench(registry, context)


@pytest.fixture(scope="session")
def soft_picture() -> Callable[..., torch.Tensor]:
    """Makes a smooth picture whose colours any display shows: (1, 4, H, W), premultiplied. `phase` moves it, as the
    frames of a clip do."""

    def make(width: int = 64, height: int = 48, *, phase: float = 0.0, alpha: bool = False) -> torch.Tensor:
        x = torch.linspace(0, 1, width).expand(height, width)
        y = torch.linspace(0, 1, height).unsqueeze(1).expand(height, width)
        red = 0.4 + 0.2 * torch.sin(4 * x + 3 * y + phase)
        green = 0.45 + 0.2 * torch.sin(3 * x - 4 * y + 2 * phase)
        blue = 0.5 + 0.2 * torch.cos(5 * x * y - phase)
        coverage = 0.25 + 0.75 * x * y if alpha else torch.ones_like(red)
        picture = torch.stack([red, green, blue, torch.ones_like(red)]) * coverage
        return picture.unsqueeze(0).contiguous(memory_format=torch.channels_last)

    return make
