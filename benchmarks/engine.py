"""What the node engine costs: `artifexpro bench engine`.

Graphs of 10,000 nodes that do next to nothing, in three shapes, from their text to a picture and through edits; a clip
of 100,000 frames; the 12-node look at preview size; a slider dragged in a host; a timeline of 10,000 clips.

The peers are floors taken in the same run: reading the same text as JSON, ordering the same graph with the standard
library, calling the same functions in a bare loop.
"""

from __future__ import annotations

import gc
import graphlib
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from time import perf_counter
from typing import Any

import psutil  # type: ignore[import-untyped]

from artifexpro.benchmarks import graphs, look, preview, timeline
from artifexpro.benchmarks.common import Figure, figure, tell
from artifexpro.core.graph.checked import check_nodes
from artifexpro.core.graph.compile import Plan, compile_graph, compile_nodes
from artifexpro.core.graph.context import QuietContext
from artifexpro.core.graph.document import Document
from artifexpro.core.graph.evaluate import Evaluator
from artifexpro.core.graph.values import FrameRequest, ImageBuffer
from artifexpro.core.memory import keep_freed, start_again
from artifexpro.core.nodes import library

SHAPES: dict[str, Callable[[int], tuple[dict[str, Any], str]]] = {
    "wide": graphs.wide,
    "layered": graphs.layered,
    "chain": graphs.chain,
}
ROUNDS = 5
CALLS = 20
LONG_CLIP = 100_000
SETTLED = 200
MEBIBYTE = 1024**2


@dataclass
class Taken:
    """Milliseconds by name, ours and the floor's."""

    ours: dict[str, list[float]] = field(default_factory=dict)
    floor: dict[str, list[float]] = field(default_factory=dict)

    def time(self, name: str, action: Callable[[], Any], floor: bool = False) -> Any:
        began = perf_counter()
        result = action()
        (self.floor if floor else self.ours).setdefault(name, []).append((perf_counter() - began) * 1e3)
        return result


@contextmanager
def evaluator(plan: Plan, folder: Path) -> Iterator[Evaluator]:
    graph = Evaluator(plan, QuietContext(folder, folder / "store", folder / "models"))
    try:
        yield graph
    finally:
        graph.engine.close()


def graph_round(taken: Taken, shape: str, folder: Path, count: int = graphs.NODES) -> None:
    """One graph from its text to pictures and edits."""
    raw, last = SHAPES[shape](count)
    text = json.dumps(raw)
    order = {name: [wire[0] for wire in node.get("inputs", {}).values()] for name, node in raw["nodes"].items()}
    gc.collect()
    taken.time("load", lambda: json.loads(text), floor=True)
    taken.time("compile", lambda: _ordered_and_hashed(order), floor=True)
    began = perf_counter()
    checked = taken.time("load", lambda: check_nodes(Document.loads(text), graphs.REGISTRY))
    plan = taken.time("compile", lambda: compile_nodes(checked, folder))
    with evaluator(plan, folder) as graph:
        at = plan.at(last)
        graph.frame(at, FrameRequest(1), viewer=True)
        taken.ours.setdefault("open", []).append((perf_counter() - began) * 1e3)
        _frames(taken, graph, at)
        _edits(taken, graph, at, last, "leaf_changed")
        _edits(taken, graph, at, plan.steps[len(plan.steps) // 2].name, "slider")


def _ordered_and_hashed(order: dict[str, list[str]]) -> None:
    keys: dict[str, bytes] = {}
    for name in graphlib.TopologicalSorter(order).static_order():
        keys[name] = blake2b(name.encode() + b"".join(keys[source] for source in order[name]), digest_size=16).digest()


def _frames(taken: Taken, graph: Evaluator, at: int) -> None:
    steps = graph.plan.steps
    calls = [(step.node.render, tuple(step.inputs)) for step in steps if hasattr(step.node, "render")]
    picture = graph.frame(0, FrameRequest(1))
    assert isinstance(picture, ImageBuffer)

    def loop(request: FrameRequest) -> None:
        for call, names in calls:
            call(request, **dict.fromkeys(names, picture))

    for frame in range(2, 2 + CALLS):
        request = FrameRequest(frame)
        taken.time("frame", lambda request=request: graph.frame(at, request))  # type: ignore[misc]
        taken.time("frame", lambda request=request: loop(request), floor=True)  # type: ignore[misc]
        taken.time("unchanged", lambda: graph.frame(at, FrameRequest(1), viewer=True))
        taken.time("unchanged", lambda: dict.fromkeys(calls[0][1], picture), floor=True)


def _edits(taken: Taken, graph: Evaluator, at: int, node: str, name: str) -> None:
    """Drag a parameter of `node`; the first change, after which its inputs are kept, has a name of its own."""
    for number in range(1, CALLS + 2):

        def change(amount: float = -float(number)) -> None:
            graph.replan(graph.plan.with_params(node, amount=amount))
            graph.frame(at, FrameRequest(1), viewer=True)

        taken.time(name if number > 1 else f"{name}_first", change)


def graph_figures(shape: str, taken: Taken, slider: bool) -> list[Figure]:
    """The figures of one shape."""

    def row(name: str, target: str, peer: str, floor: str, note: str = "", ours: str = "") -> Figure:
        values, peers = taken.ours[ours or name], taken.floor[floor]
        return figure(f"engine.{shape}.{name}_ms", values, "ms", peer=peer, peers=peers, target=target, note=note)

    loop = "the nodes' functions in a bare loop"
    rows = [
        row("load", "<= 500 ms", "json.loads of the same text", "load", "text to checked nodes"),
        row("compile", "<= 60 ms", "graphlib order and a hash a node", "compile", "checked nodes to a plan"),
        row("frame", "<= 10 ms", loop, "frame", "one frame of all nodes, as a render asks"),
        row("unchanged", "<= 1 ms", "a dictionary made", "unchanged", "the same frame again"),
        row("leaf_changed", "<= 2 ms", loop, "frame", "the last node changed, to its picture"),
        row("leaf_changed_first", "", loop, "frame", "the first change of a node: from now on its inputs are kept"),
        row("open", "", loop, "frame", "text to the first picture, all of the above and more"),
    ]
    if slider:
        note = "a change in the middle of the chain, to the picture at its end"
        values, peers = taken.ours["slider"], taken.floor["frame"]
        name = "engine.slider_mid_chain_ms"
        rows.append(figure(name, values, "ms", peer=loop, peers=peers, target="<= 30 ms", note=note))
    return rows


def overhead(taken: Taken, count: int) -> Figure:
    """Microseconds a node and frame in the chain, the nodes' own calls included."""
    ours, floor = ([each * 1e3 / count for each in times["frame"]] for times in (taken.ours, taken.floor))
    note = "one frame of the chain divided by its nodes; their own calls are in it, as in the peer"
    peer = "the nodes' functions in a bare loop"
    return figure("engine.overhead_us", ours, "us", peer=peer, peers=floor, target="<= 1 us", note=note)


def memory(folder: Path, frames: int = LONG_CLIP) -> Figure:
    """How much the process grows over a long clip through 20 nodes that each make a picture."""
    raw, last = graphs.clip()
    plan = compile_graph(Document.parse(raw), graphs.REGISTRY, folder)
    process = psutil.Process()
    sizes = []
    with evaluator(plan, folder) as graph:
        at = plan.at(last)
        for number, _ in graph.stream(at).frames(1, frames):
            if number in (SETTLED, frames):
                gc.collect()
                sizes.append(process.memory_info().rss / MEBIBYTE)
    note = f"{frames:,} frames, grown since frame {SETTLED} from {sizes[0]:.0f} MB"
    peer = "the process at that frame"
    grown = [sizes[1] - sizes[0]]
    return figure(
        "engine.memory_growth_mb", grown, "MB", peer=peer, peers=sizes[:1], target="0 within measuring", note=note
    )


def look_rate(folder: Path, rounds: int = ROUNDS) -> Figure:
    """Frames a second of the 12-node look at 480 x 270 from a full HD plate."""
    plan = compile_graph(look.look12(folder), library(), folder)
    rates: list[float] = []
    floors: list[float] = []
    for _ in range(rounds):
        with evaluator(plan, folder) as graph:
            for node, rate in ((look.RESULT, rates), ("plate", floors)):
                stream = graph.stream(plan.at(node), 0.25)
                first, last = look.FIRST, look.FIRST + look.FRAMES - 1
                for _ in stream.frames(first, first + 3):
                    pass
                began = perf_counter()
                shown = sum(1 for _ in stream.frames(first, last))
                rate.append(shown / (perf_counter() - began))
    note = "full HD H.264 to 480 x 270 through twelve nodes, no frame kept from before"
    peer = "decoding that plate to that size alone"
    return figure("preview.look12_fps", rates, "1/s", peer=peer, peers=floors, target=">= 60 1/s", note=note)


def main(arguments: Sequence[str]) -> int:
    keep_freed()
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for shape in SHAPES:
            taken = Taken()
            for _ in range(ROUNDS):
                graph_round(taken, shape, folder)
            figures += graph_figures(shape, taken, slider=shape == "chain")
            if shape == "chain":
                figures.append(overhead(taken, graphs.NODES))
        figures.append(memory(folder))
        figures.append(look_rate(folder))
    figures += preview.figures()
    figures += timeline.run()
    tell(figures, as_json="--json" in arguments)
    return 0


if __name__ == "__main__":
    start_again()
    sys.exit(main(sys.argv[1:]))
