"""Runs of nodes that look at one pixel at a time, computed in one pass.

A picture is cut into strips of rows; on each strip the nodes run one after the other while it is in the processor's
cache, so that the picture itself travels from memory once instead of once a node. Strips are independent: several
threads share them. The result is the same as that of the nodes one by one, bit by bit where their libraries are.

Nodes of a run that do nothing but mix channels, one after the other, are one such node: their weights are multiplied.
Nodes that act on colour without alpha share one division and one multiplication.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from artifexpro.core.graph.counters import Counters
from artifexpro.core.graph.division import Division
from artifexpro.core.graph.kinds import StraightNode
from artifexpro.core.graph.layout import Op
from artifexpro.core.graph.values import FrameRequest, Picture
from artifexpro.core.lazy import numpy, torch

if TYPE_CHECKING:
    from numpy.typing import NDArray

STRIP_BYTES = 3 * 1024 * 1024
"""What a strip of one picture may take. Smaller ones cost more in calls than they save in memory: of 0.5 to 3 MiB, 3
was the quickest in the graphs of `bench pixels` on two cores. A preview of 480 x 270 is one strip."""

Call = Callable[..., Picture]


class Helped(Protocol):
    """Where a run gets help and tells its times."""

    counters: Counters

    def helpers(self) -> Executor | None:
        """Threads that may take a share now; None where all cores are busy with other pictures."""


NodeAt = Callable[[int], Any]
"""A step's node with its parameters as they are at a frame."""


class Stage(NamedTuple):
    """What one or, where weights are multiplied, several steps of a run do to a strip.

    `node` is that of a step that takes one picture and may be more than a call: it mixes channels by `weights`, or is a
    `StraightNode`. `opens` and `closes` are the first and the last stage that share one division by alpha; `owns` says
    that the first one alone reads pixels that a mix made, and may write to them.
    """

    steps: tuple[int, ...]
    call: Call
    out: int
    sources: tuple[tuple[str, int], ...]
    node: Any = None
    weights: NDArray[Any] | None = None
    opens: bool = False
    closes: bool = False
    owns: bool = False
    is_straight: bool = False


@dataclass(slots=True)
class Run:
    """Point steps in order. Registers below `len(inputs)` are the run's inputs; the last step's is its result.

    `nodes` has the node of each step that may be joined with its neighbours, None for other steps.
    """

    calls: tuple[Call, ...]
    nodes: tuple[NodeAt | None, ...]
    ops: tuple[Op, ...]
    inputs: int
    around: Helped

    def __call__(self, request: FrameRequest, **inputs: Picture) -> Picture:
        began = perf_counter()
        pictures = [inputs[str(number)] for number in range(self.inputs)]
        stages = self._stages(request.frame)
        workers = self.around.helpers()
        rows = pictures[0].size[1]
        step = rows if workers is None and _is_one_pass(stages) else _strip_rows(pictures)
        first, times = self._strip(stages, request, [_cut(picture, 0, step) for picture in pictures])
        if rows <= step:
            return self._tell(stages, first, [times], began)
        given = first.pixels
        shape = (1, given.shape[1], rows, given.shape[3])
        whole = torch.empty(shape, dtype=given.dtype, device=given.device, memory_format=torch.channels_last)
        whole[:, :, :step] = given

        def compute(start: int) -> list[float]:
            strip, spent = self._strip(stages, request, [_cut(picture, start, start + step) for picture in pictures])
            whole[:, :, start : start + step] = strip.pixels
            return spent

        starts = range(step, rows, step)
        others = map(compute, starts) if workers is None else workers.map(compute, starts)
        return self._tell(stages, first.with_pixels(whole), [times, *others], began)

    def _stages(self, frame: int) -> list[Stage]:
        """What is done at `frame`: straight runs of steps that mix channels are one stage."""
        read = Counter(source for op in self.ops for _, source in op.sources)
        stages: list[Stage] = []
        for op, call, node_at in zip(self.ops, self.calls, self.nodes, strict=True):
            node = None if node_at is None else node_at(frame)
            stage = Stage((op.step,), call, op.out, op.sources, node, None if node is None else node.weights())
            mixes = stage.weights is not None and stages and stages[-1].weights is not None
            if mixes and _follows(stage, stages[-1], read):
                stage = _joined(stages.pop(), stage)
            stages.append(stage)
        return _shared_division(stages, read)

    def _strip(
        self, stages: Sequence[Stage], request: FrameRequest, pictures: Sequence[Picture]
    ) -> tuple[Picture, list[float]]:
        """The run's result on one strip, and the seconds of each stage."""
        registers: list[Any] = [*pictures, *([None] * len(self.ops))]
        began = perf_counter()
        times = []
        division: Any = None
        free = False
        for stage in stages:
            if not stage.is_straight:
                given = {name: registers[source] for name, source in stage.sources}
                made = stage.call(request, **given)
            else:
                ((_, source),) = stage.sources
                picture = registers[source]
                if stage.opens:
                    picture, division = Division.of(picture)
                    free = stage.owns or not division.opaque
                made = self._straight(stage, picture, opaque=division.opaque, free=free)
                free = free or made.pixels is not picture.pixels
                if stage.closes:
                    made = division.undone(made)
            registers[stage.out] = made
            ended = perf_counter()
            times.append(ended - began)
            began = ended
        return registers[self.ops[-1].out], times

    def _straight(self, stage: Stage, picture: Picture, *, opaque: bool, free: bool) -> Picture:
        made: Picture
        if stage.weights is not None:
            made = stage.node.mixed(picture, stage.weights)
        else:
            made = stage.node.straight(picture, opaque=opaque, free=free)
        return made

    def _tell(
        self, stages: Sequence[Stage], result: Picture, times: Sequence[Sequence[float]], began: float
    ) -> Picture:
        """Tell how the time since `began` divides among the steps; those of one stage have equal shares."""
        by_stage = [sum(each) for each in zip(*times, strict=True)]
        share = (perf_counter() - began) / (sum(by_stage) or 1.0)
        steps = [step for stage in stages for step in stage.steps]
        spent = [
            seconds * share / len(stage.steps)
            for stage, seconds in zip(stages, by_stage, strict=True)
            for _ in stage.steps
        ]
        self.around.counters.shared(steps, spent)
        return result


def _is_one_pass(stages: Sequence[Stage]) -> bool:
    """Whether a picture is read and written once: nothing is gained by doing so in strips then."""
    return len(stages) == 1 and stages[0].weights is not None


def _follows(stage: Stage, before: Stage, read: Mapping[int, int]) -> bool:
    """Whether both may be joined and `stage` alone reads what the stage before it makes."""
    if stage.node is None or before.node is None:
        return False
    ((_, source),) = stage.sources
    return source == before.out and read[source] == 1


def _joined(before: Stage, stage: Stage) -> Stage:
    """Two stages that mix channels as one, which the later one's node computes."""
    assert before.weights is not None and stage.weights is not None
    weights = stage.weights @ numpy.vstack([before.weights, (0.0, 0.0, 0.0, 1.0)])
    node = stage.node

    def call(request: FrameRequest, **inputs: Picture) -> Picture:
        (picture,) = inputs.values()
        mixed: Picture = node.mixed(picture, weights)
        return mixed

    return Stage((*before.steps, *stage.steps), call, stage.out, before.sources, node, weights)


def _shared_division(stages: list[Stage], read: Mapping[int, int]) -> list[Stage]:
    """`stages` with those marked that share a division by alpha: from one that needs it on, all that follow straight
    on, of which those that mix channels do so with or without alpha in them."""
    marked: list[Stage] = []
    place = 0
    while place < len(stages):
        end = place + 1
        if isinstance(stages[place].node, StraightNode) and stages[place].weights is None:
            while end < len(stages) and _follows(stages[end], stages[end - 1], read):
                end += 1
            marked += [stage._replace(is_straight=True) for stage in stages[place:end]]
            owns = (
                place > 0 and stages[place - 1].weights is not None and _follows(stages[place], stages[place - 1], read)
            )
            marked[place] = marked[place]._replace(opens=True, owns=owns)
            marked[end - 1] = marked[end - 1]._replace(closes=True)
        else:
            marked.append(stages[place])
        place = end
    return marked


def runs(ops: Sequence[Op], is_point: Callable[[int], bool]) -> list[list[Op]]:
    """`ops` of a block cut into runs, most of one op: two and more are point steps whose results, but for the last, are
    read inside the run alone."""
    last_reader = _last_readers(ops)
    found: list[list[Op]] = []
    place = 0
    while place < len(ops):
        end = place
        if is_point(ops[place].step):
            furthest = place
            for candidate in range(place, len(ops)):
                if not is_point(ops[candidate].step):
                    break
                if furthest <= candidate:
                    end = candidate
                furthest = max(furthest, last_reader[candidate])
        found.append(list(ops[place : end + 1]))
        place = end + 1
    return found


def fused(run: Sequence[Op]) -> tuple[tuple[Op, ...], tuple[tuple[str, int], ...]]:
    """A run with registers of its own, and which of the block's registers its inputs are: numbered names, as `Run`
    takes them."""
    inputs: dict[int, int] = {}
    made: dict[int, int] = {}
    wired: list[tuple[int, int, list[tuple[str, int, bool]]]] = []
    for place, op in enumerate(run):
        ends = []
        for name, source in op.sources:
            if source in made:
                ends.append((name, made[source], True))
            else:
                ends.append((name, inputs.setdefault(source, len(inputs)), False))
        made[op.out] = place
        wired.append((op.step, place, ends))
    count = len(inputs)
    ops = tuple(
        Op(step, count + place, tuple((name, count + at if inside else at) for name, at, inside in ends))
        for step, place, ends in wired
    )
    return ops, tuple((str(number), source) for source, number in inputs.items())


def _last_readers(ops: Sequence[Op]) -> list[int]:
    """For each op, the place of the last op that reads its result; beyond the end for what no op of the block reads."""
    writer: dict[int, int] = {}
    last = [len(ops)] * len(ops)
    for place, op in enumerate(ops):
        for _, source in op.sources:
            if source in writer:
                last[writer[source]] = place
        writer[op.out] = place
    return last


def _strip_rows(pictures: Sequence[Picture]) -> int:
    row = max(picture.nbytes // max(1, picture.size[1]) for picture in pictures)
    return max(1, STRIP_BYTES // max(1, row))


def _cut(picture: Picture, start: int, end: int) -> Picture:
    return picture.with_pixels(picture.pixels[:, :, start:end])
