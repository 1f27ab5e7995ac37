"""Files and streams for asking the built-in nodes questions."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
import torch

from artifexpro.core.graph.compile import Plan, compile_graph, preflight
from artifexpro.core.graph.context import QuietContext
from artifexpro.core.graph.document import Document
from artifexpro.core.graph.evaluate import Evaluator
from artifexpro.core.graph.values import FrameRequest, ImageBuffer, StreamInfo
from artifexpro.core.media.files import appearing
from artifexpro.core.media.movie import MovieWriter
from artifexpro.core.media.sequence import write_frame
from artifexpro.core.media.still import Header
from artifexpro.core.nodes import library

FRAMES = 6
RATE = Fraction(25)


@pytest.fixture(scope="session")
def footage(tmp_path_factory: pytest.TempPathFactory, soft_picture: Callable[..., torch.Tensor]) -> Path:
    """96 x 64: clip.mp4 (25 frames a second) and still.png, opaque; plate.1001.exr to plate.1006.exr with alpha."""
    folder = tmp_path_factory.mktemp("footage")
    with appearing(folder / "clip.mp4") as part, MovieWriter(part, "h264", RATE, (96, 64), 8) as movie:
        for frame in range(FRAMES):
            movie.add(soft_picture(96, 64, phase=frame))
    write_frame(folder / "still.png", soft_picture(96, 64), "png16", Header("srgb_tx"))
    for frame in range(1001, 1001 + FRAMES):
        picture = soft_picture(96, 64, phase=frame, alpha=True)
        write_frame(folder / f"plate.{frame}.exr", picture, "exr", Header("ACEScg", RATE, frame))
    return folder


class Graph:
    """A graph of built-in nodes given as {id: (type, params, {socket: source})}, ready to be pulled from."""

    def __init__(self, context: QuietContext, nodes: dict[str, tuple]) -> None:
        raw = {
            name: {"type": kind, "params": params, "inputs": {socket: [end] for socket, end in inputs.items()}}
            for name, (kind, params, inputs) in nodes.items()
        }
        self.document = Document.parse({"format": "artifexpro.graph", "version": 1, "nodes": raw})
        self.context = context
        self.plan: Plan = compile_graph(self.document, library(), context.models)
        preflight(self.plan)
        self.evaluator = Evaluator(self.plan, context)

    def frame(self, node: str, frame: int, scale: float = 1.0, **request: object) -> ImageBuffer:
        return self.evaluator.frame(self.plan.index[node], FrameRequest(frame, scale, **request))

    def info(self, node: str) -> StreamInfo:
        return self.evaluator.info(self.plan.index[node])

    def write(self, node: str, scale: float = 1.0) -> tuple:
        return self.evaluator.write(self.plan.index[node], scale)

    def key(self, node: str) -> bytes:
        return self.plan.steps[self.plan.index[node]].key


@pytest.fixture
def job(tmp_path: Path) -> QuietContext:
    recipe = {"artifexpro": "0.1.0", "graph": {"nodes": {}}}
    return QuietContext(tmp_path / "out", tmp_path / "store", tmp_path / "models", recipe=recipe)


@pytest.fixture
def graph(job: QuietContext) -> Callable[..., Graph]:
    return lambda **nodes: Graph(job, nodes)


@pytest.fixture
def plate(footage: Path) -> tuple:
    """A SequenceInput over the plates, for use in graphs."""
    return ("SequenceInput", {"path": str(footage / "plate.%04d.exr")}, {})
