"""Full HD frames in 32 bit floats, beside Blender's compositor and FFmpeg's filters: `artifexpro bench pixels`.

Ours, Blender and FFmpeg take turns within each round, all on the same pictures in memory; a figure is the median of the
rounds. Before any of it is timed, one frame of ours is compared with the same frame of each peer: a peer whose pixels
differ computes something else, and is no peer.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy
import OpenImageIO

from artifexpro.benchmarks import blender, look
from artifexpro.benchmarks.common import Figure, figure, tell
from artifexpro.benchmarks.ffmpeg_graph import FilterGraph
from artifexpro.core.errors import ArtifexError
from artifexpro.core.graph.compile import compile_graph
from artifexpro.core.graph.context import QuietContext
from artifexpro.core.graph.document import Document
from artifexpro.core.graph.evaluate import Evaluator
from artifexpro.core.graph.values import FrameRequest
from artifexpro.core.media.pixels import rows
from artifexpro.core.memory import keep_freed, start_again
from artifexpro.core.nodes import library

if TYPE_CHECKING:
    from numpy.typing import NDArray

COMPARED = 101
"""Which frame of the graphs is compared, counted from 0: exposure has left 0 by then."""
TOLERANCE = 0.006
"""The most by which a pixel may differ from a peer's. Blender's gaussian ends at three standard deviations, FFmpeg's is
a recursive approximation; ours ends at four."""
TYPICAL = 0.0002
"""The most by which all pixels may differ on average."""
TIMES_BLENDER = 5


class Graph:
    """A graph of ours, pulled frame after frame as a render does, each frame once."""

    def __init__(self, document: Document, folder: Path) -> None:
        context = QuietContext(output=folder, store=folder / "store", models=folder / "models")
        self._evaluator = Evaluator(compile_graph(document, library(), context.models), context)
        self._result = self._evaluator.plan.index[look.RESULT]
        self._next = look.FIRST

    def pixels(self, frame: int) -> NDArray[Any]:
        """(H, W, 4) float32."""
        return rows(self._evaluator.frame(self._result, FrameRequest(frame)).pixels)

    def rate(self, frames: int) -> float:
        """Frames a second of the next `frames` frames; a clip begins again where it ends."""
        stream = self._evaluator.stream(self._result)
        if not stream.info.endless and self._next + frames - 1 > stream.info.last:
            self._next = stream.info.first
        began = perf_counter()
        made = sum(1 for _ in stream.frames(self._next, self._next + frames - 1))
        self._next += frames
        return made / (perf_counter() - began)

    def milliseconds(self) -> list[tuple[str, float]]:
        """By node that ran more than once, from the dearest on: milliseconds of a core for one frame."""
        told = [(each.node, 1000 * each.seconds / each.runs) for each in self._evaluator.statistics() if each.runs > 1]
        return sorted(told, key=lambda each: -each[1])


@dataclass
class Taken:
    """Frames a second of each round by way, what was compared, and what a node costs."""

    rates: dict[str, list[float]] = field(default_factory=dict)
    differences: dict[str, tuple[float, float]] = field(default_factory=dict)
    nodes: dict[str, list[tuple[str, float]]] = field(default_factory=dict)
    size: look.Size = look.HD
    blender: str = ""


def compare(name: str, ours: NDArray[Any], theirs: NDArray[Any]) -> tuple[float, float]:
    """The greatest and the mean difference of two pictures. Raises `RuntimeError` where they are not equal."""
    if ours.shape != theirs.shape:
        raise RuntimeError(f"{name} made a picture of {theirs.shape[1]} x {theirs.shape[0]} pixels: another graph")
    apart = numpy.abs(ours - theirs)
    greatest, mean = float(apart.max()), float(apart.mean())
    if not greatest <= TOLERANCE or not mean <= TYPICAL:
        raise RuntimeError(
            f"{name} computes another picture: it differs by up to {greatest:.4f} and by {mean:.5f} on average, where "
            f"{TOLERANCE:g} and {TYPICAL:g} are allowed; no figure can be made of that"
        )
    return greatest, mean


def measure(folder: Path, size: look.Size = look.HD, rounds: int = 7, frames: int = 8) -> Taken:
    """Compare, then time in turns. Raises `RuntimeError` where a peer is not there or not equal."""
    with blender.running(folder, size) as peer:
        taken = Taken(size=size, blender=peer.version)
        equal, chain = Graph(look.equal(folder, size), folder), Graph(look.chain(folder, size), folder)
        full = Graph(look.look12(folder, size), folder)
        compared = look.FIRST + COMPARED
        filters = FilterGraph(folder, size, compared, os.cpu_count() or 1)
        taken.differences["blender"] = compare("Blender", equal.pixels(compared), _saved(peer, compared, folder))
        taken.differences["ffmpeg"] = compare("FFmpeg", chain.pixels(compared), filters.pixels())
        counts = iter(range(look.FIRST, look.FIRST + 1_000_000))
        ways: dict[str, Callable[[], float]] = {
            "equal": lambda: equal.rate(frames),
            "blender": lambda: 1 / median(peer.render(next(counts)) for _ in range(max(1, frames // 2))),
            "blender_empty": lambda: 1 / median(peer.render_empty() for _ in range(max(1, frames // 2))),
            "chain": lambda: chain.rate(frames),
            "ffmpeg": lambda: _rate(filters, frames),
            "look12": lambda: full.rate(frames),
        }
        taken.rates = {name: [] for name in ways}
        for number in range(rounds + 1):
            for name, way in ways.items():
                rate = way()
                if number > 0:
                    taken.rates[name].append(rate)
        taken.nodes = {"equal": equal.milliseconds(), "chain": chain.milliseconds(), "look12": full.milliseconds()}
    return taken


def _saved(peer: blender.Blender, frame: int, folder: Path) -> NDArray[Any]:
    path = folder / "blender.exr"
    peer.save(frame, path)
    pixels = OpenImageIO.ImageBuf(str(path)).get_pixels(OpenImageIO.FLOAT)
    if pixels is None:
        raise RuntimeError("Blender wrote no picture")
    return pixels


def _rate(filters: FilterGraph, frames: int) -> float:
    began = perf_counter()
    for _ in range(frames):
        filters.render()
    return frames / (perf_counter() - began)


def figures(taken: Taken) -> list[Figure]:
    rates = taken.rates
    compositor = f"Blender {taken.blender} compositor"
    fixed = median(1 / rate for rate in rates["blender_empty"])
    computing = [1 / (1 / rate - fixed) for rate in rates["blender"] if 1 / rate > fixed]
    without = f", {median(computing):.2f} without it" if computing else ""
    by_blender = (
        f"one call of bpy.ops.render.render a frame, its pictures in memory, CPU, full precision; "
        f"{1000 * fixed:.0f} ms of a call are spent where there is nothing to compute{without}"
    )
    picture = f"{taken.size[0]} x {taken.size[1]} RGBA in 32 bit floats"
    return [
        figure(
            "pixels.equal_fps",
            rates["equal"],
            "frames/s",
            peer=compositor,
            peers=rates["blender"],
            target=f">= {TIMES_BLENDER} x Blender",
            note=f"{picture}; exposure, blur, over, 3 ASC CDL, hue and saturation, both with changing exposure; "
            f"{_apart(taken, 'blender')}; Blender: {by_blender}; {_dearest(taken, 'equal')}",
        ),
        figure(
            "pixels.ffmpeg_chain_fps",
            rates["chain"],
            "frames/s",
            peer="FFmpeg filters, gbrapf32le",
            peers=rates["ffmpeg"],
            target="> FFmpeg",
            note=f"{picture}; exposure, blur, 3 mixes of channels, 3D LUT, mix with a still; "
            f"{_apart(taken, 'ffmpeg')}; {_dearest(taken, 'chain')}",
        ),
        figure(
            "pixels.look12_fps",
            rates["look12"],
            "frames/s",
            peer=f"{compositor}, the smaller graph of pixels.equal_fps",
            peers=rates["blender"],
            note=f"H.264 of {picture}: decode, transform, key, blur, glow, 3 grades, LUT, merge, grain, view; "
            f"Blender has other nodes for half of it, so beside it stands its rate on a graph of 7; "
            f"{_dearest(taken, 'look12')}",
        ),
    ]


def _apart(taken: Taken, peer: str) -> str:
    greatest, mean = taken.differences[peer]
    return f"pixels differ by at most {greatest:.4f}, {mean:.6f} on average"


def _dearest(taken: Taken, graph: str) -> str:
    return "ms of a core by node: " + ", ".join(f"{name} {spent:.0f}" for name, spent in taken.nodes[graph])


def main(arguments: Sequence[str]) -> int:
    keep_freed()
    try:
        with tempfile.TemporaryDirectory(prefix="artifexpro-bench-") as folder:
            taken = measure(Path(folder))
    except (ArtifexError, RuntimeError) as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        return 1
    tell(figures(taken), as_json="--json" in arguments)
    return 0


if __name__ == "__main__":
    start_again()
    sys.exit(main(sys.argv[1:]))
