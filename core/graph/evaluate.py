"""Pulling pictures through a plan.

A request is resolved backwards, from the picture asked for to the sources, block by block and without recursion; what
it takes goes to the lanes as pieces of work that are named by key, frame, scale and region, so that equal requests of
different plans are one. Between blocks, pictures that will be asked for again go to the cache.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

from artifexpro.core.errors import Cancelled
from artifexpro.core.graph.compile import Plan, Step
from artifexpro.core.graph.context import JobContext
from artifexpro.core.graph.counters import Counters, NodeStatistics
from artifexpro.core.graph.described import Descriptions
from artifexpro.core.graph.engine import Engine
from artifexpro.core.graph.errors import NodeError
from artifexpro.core.graph.faces import face
from artifexpro.core.graph.finite import Searching, blame, is_finite
from artifexpro.core.graph.fuse import Call
from artifexpro.core.graph.garbage import no_collecting
from artifexpro.core.graph.kinds import (
    AffineNode,
    GeneratorNode,
    PointNode,
    SinkNode,
    SourceNode,
)
from artifexpro.core.graph.lanes import Priority, Pull, Work
from artifexpro.core.graph.layout import Layout, affine_run, asks_otherwise, lay_out, source_of
from artifexpro.core.graph.program import Program, mover
from artifexpro.core.graph.results import Results
from artifexpro.core.graph.values import (
    CHANNELS,
    FrameRequest,
    MaskStream,
    Picture,
    SocketType,
    StreamInfo,
    VideoStream,
)
from artifexpro.core.protocol import Artefact

CHECK_SECONDS = 0.01
"""How often who waits for a picture looks whether it is wanted still."""


class Task(NamedTuple):
    """One picture: which step, which request."""

    step: int
    request: FrameRequest


class Evaluator:
    """Computes what is asked of one plan, for one job or one viewer.

    `fuse` False computes every node by itself, as an oracle does. With `may_generate` False, clips that were not
    generated before are an error: a viewer never starts minutes of work.
    """

    def __init__(
        self,
        plan: Plan,
        context: JobContext,
        engine: Engine | None = None,
        *,
        fuse: bool = True,
        may_generate: bool = True,
    ) -> None:
        self.context = context
        self.engine = engine or Engine()
        self._fuse = fuse
        self._may_generate = may_generate
        self._focused: str | None = None
        self._searches = False
        self._noted = False
        self._begin(plan)

    def _begin(self, plan: Plan) -> None:
        self.plan = plan
        self._kept = self._inputs_of(self._focused)
        self._described = Descriptions(plan, self.value)
        self.counters = Counters(len(plan.steps))
        self._results = Results(plan, self.context, self.engine.vram, self.stream, self._may_generate)
        self._layouts: dict[int, Layout] = {}
        self._programs: dict[tuple[int, int, float], Program] = {}
        self._movers: dict[tuple[int, float], Callable[[int], Any]] = {}
        self._shapes: dict[tuple[int, float, SocketType], tuple[int, ...]] = {}

    def replan(self, plan: Plan) -> None:
        """Go over to the plan after an edit. What the edit did not change stays known, kept and ready to run.

        Raises `NodeError` where a node does not fit its inputs any more.
        """
        old = self.plan.steps
        if plan.index is not self.plan.index or plan.readers is not self.plan.readers:
            self._begin(plan)
            return
        changed = [at for at, (before, step) in enumerate(zip(old, plan.steps, strict=True)) if before is not step]
        edited = [at for at in changed if plan.steps[at].node is not old[at].node]
        moved = any(plan.steps[at].same_as != old[at].same_as for at in edited)
        self.plan = plan
        self._results.replan(plan, changed)
        self._shapes.clear()
        self._movers.clear()
        if self._described.replan(plan, changed) or moved:
            self._layouts.clear()
            self._drop_programs()
        if len(edited) == 1:
            self.focus(plan.steps[edited[0]].name)
        stale = set(edited)
        if any(not face(type(plan.steps[at].node)).gives_pictures for at in changed):
            stale.update(changed)
        for program in self._programs.values():
            if not stale.isdisjoint(program.steps):
                program.rebind(stale)

    def _flush(self) -> None:
        for program in list(self._programs.values()):
            program.flush()

    def _drop_programs(self) -> None:
        self._flush()
        self._programs.clear()

    def focus(self, node: str | None) -> None:
        """Keep the pictures that `node` gets: it is being edited, and only it and what follows shall run again."""
        self._focused = node
        if (kept := self._inputs_of(node)) != self._kept:
            self._kept = kept
            self._layouts.clear()

    def _inputs_of(self, node: str | None) -> frozenset[int]:
        at = self.plan.index.get(node) if node is not None else None
        if at is None:
            return frozenset()
        return frozenset(source_of(self.plan, source) for source in self.plan.steps[at].inputs.values())

    def info(self, at: int) -> StreamInfo:
        """Range, rate, size and space of a step's pictures. Opens sources; raises `NodeError`."""
        return self._described.info(at)

    def value(self, at: int) -> Any:
        """The sound, data or control that a step gives. Raises `NodeError`."""
        return self._results.value(at)

    def prepare(self, at: int) -> None:
        """Make, or find on disk, the clips and analyses that `at` depends on."""
        self._results.prepare(at)

    def frame(self, at: int, request: FrameRequest, *, viewer: bool = False) -> Picture:
        """One picture of a step. Raises `NodeError` at the node that failed, `Cancelled` when the job was cancelled.

        A `viewer` comes before renders, and what it takes is kept as long as there is room: it will be asked again.
        """
        self._check_range(at, request)
        self.prepare(at)
        priority = Priority.VIEWER if viewer else Priority.RENDER
        return self._finish(self._start(at, request, priority), at, request)

    def stream(self, at: int, scale: float = 1.0) -> VideoStream | MaskStream:
        """A step's pictures as a lazy stream, as sinks, generators and analyses get them."""
        info = self.info(at)
        kind = MaskStream if face(type(self.plan.steps[at].node)).output is SocketType.MASK else VideoStream
        return kind(info, partial(self.frame, at), scale, partial(self._ahead, at))  # type: ignore[arg-type]

    def write(self, at: int, scale: float = 1.0) -> tuple[Artefact, ...]:
        """Run a sink. Raises `NodeError`; `Cancelled` between frames."""
        step = self.plan.steps[at]
        if not isinstance(step.node, SinkNode):
            raise TypeError(f"{step.name} is no sink")
        inputs = {name: self._results.input(source, scale) for name, source in step.inputs.items()}
        for stream in inputs.values():
            if isinstance(stream, VideoStream | MaskStream):
                self._check_written(step, stream.info)
        for source in step.inputs.values():
            self.prepare(source)
        try:
            made = step.node.write(self.context, **inputs)
        except (Cancelled, NodeError):
            raise
        except Exception as error:
            raise NodeError.at(step.document_node, error, f"write the result of node {step.name}") from error
        return tuple(artefact.model_copy(update={"node": step.document_node}) for artefact in made)

    def statistics(self) -> tuple[NodeStatistics, ...]:
        """By step that was asked for anything, what it cost since this evaluator was made."""
        self._flush()
        return self.counters.told(step.name for step in self.plan.steps)

    @property
    def runs(self) -> list[int]:
        """How often each step's node ran."""
        self._flush()
        return self.counters.runs

    def step(self, at: int) -> Step:
        return self.plan.steps[at]

    def shape(self, at: int, scale: float) -> tuple[int, ...]:
        """(1, channels, height, width) of a step's whole picture at `scale`."""
        output = face(type(self.plan.steps[at].node)).output
        assert output is not None
        info = self.info(at)
        name = (id(info), scale, output)
        if name not in self._shapes:
            width, height = info.size_at(scale)
            self._shapes[name] = (1, CHANNELS[output], height, width)
        return self._shapes[name]

    def reader(self, at: int) -> Call:
        """The call that reads a picture of a source or of a generated clip."""
        node = self.plan.steps[at].node
        if isinstance(node, SourceNode):
            return node.read
        assert isinstance(node, GeneratorNode)
        return partial(node.read, self._results.clip(at))

    def affine_run(self, at: int) -> Sequence[int]:
        return affine_run(self.plan, at) if self._fuse else [at]

    def is_pointwise(self, at: int) -> bool:
        return isinstance(self.plan.steps[at].node, PointNode) and not asks_otherwise(
            self.plan, at, self._described.infos
        )

    def helpers(self) -> Executor | None:
        return self.engine.helpers()

    def _check_range(self, at: int, request: FrameRequest) -> None:
        info = self.info(at)
        if request.frame not in info:
            step = self.plan.steps[at]
            raise NodeError(
                step.document_node,
                f"show frame {request.frame} of node {step.name}",
                f"it has frames {info.first} to {info.last}",
                "a frame in that range",
                frame=request.frame,
                code="range",
            )

    def _check_written(self, step: Step, info: StreamInfo) -> None:
        wanted = self.context.frames
        if wanted is None and info.endless:
            raise NodeError(
                step.document_node,
                f"write all frames of node {step.name}",
                "it shows a still that something moves, which has no end",
                "saying which frames to write",
                code="range",
            )
        if wanted is None or (wanted.first in info and wanted.last in info):
            return
        raise NodeError(
            step.document_node,
            f"write frames {wanted.first} to {wanted.last} at node {step.name}",
            f"its clip has frames {info.first} to {info.last}",
            "a range inside the clip, or fewer handles",
            code="range",
        )

    def _ahead(self, at: int, requests: Iterable[FrameRequest]) -> Iterator[Picture]:
        """The pictures of `requests`, in order, with the next ones begun before they are asked for."""
        self.prepare(at)
        begun: deque[tuple[Pull, FrameRequest]] = deque()
        try:
            for request in requests:
                self._check_range(at, request)
                priority = Priority.AHEAD if begun else Priority.RENDER
                begun.append((self._start(at, request, priority), request))
                if len(begun) > self.engine.cores + 1:
                    yield self._finish(begun[0][0], at, begun.popleft()[1])
            while begun:
                yield self._finish(begun[0][0], at, begun.popleft()[1])
        finally:
            for pull, _ in begun:
                self.engine.lanes.drop(pull)

    def _finish(self, pull: Pull, at: int, request: FrameRequest) -> Picture:
        picture: Picture = self.engine.lanes.wait(pull, self.context.check, self._tell_slow, CHECK_SECONDS)
        if not self._searches and not is_finite(picture):
            raise self._culprit(at, request, picture)
        return picture

    def _culprit(self, at: int, request: FrameRequest, picture: Picture) -> NodeError:
        """The error of the first step, inputs first, whose picture is not finite: everything that this picture takes is
        computed once more, step by step."""
        search = Evaluator(self.plan, self.context, self.engine, fuse=False, may_generate=self._may_generate)
        search._searches = True
        try:
            search.frame(at, replace(request, region=None))
        except NodeError as error:
            return error
        step = self.plan.steps[at]
        return blame(step.document_node, step.name, request.frame, picture, reads=bool(step.inputs))

    def _tell_slow(self, work: Work, seconds: float) -> None:
        sentence = f"{work.doing()} for {seconds:.0f} s"
        self.context.progress(sentence, 0, 1)
        if not self._noted:
            self._noted = True
            self.context.note(f"{sentence[0].upper()}{sentence[1:]}.")

    def _doing(self, program: Program, laps: Sequence[float], frame: int) -> str:
        """Which nodes a block is at, in words."""
        nodes = [self.plan.steps[at].name for at in program.reached(laps)]
        said = f"node {nodes[0]} has" if len(nodes) == 1 else f"one of the nodes {', '.join(nodes[:8])} has"
        return f"{said} been working on frame {frame}"

    def _start(self, at: int, request: FrameRequest, priority: Priority) -> Pull:
        """Send off all that one picture takes."""
        viewed = priority is Priority.VIEWER
        target = self._task(source_of(self.plan, at), request)
        layout = self._layout(target.step)
        lanes = self.engine.lanes
        with lanes.lock, no_collecting():
            pull = lanes.pull(priority)
            works: dict[Task, Work] = {}
            kept: set[Task] = set()
            wanted: dict[Task, tuple[tuple[Task, ...], ...]] = {}
            waiting = [(target, False)]
            while waiting:
                task, resolved = waiting.pop()
                if resolved:
                    works[task] = self._work(layout, task, wanted[task], works, viewed or task in kept)
                    continue
                if task in works or task in wanted:
                    continue
                found = self._found(task)
                if found is not None:
                    works[task] = found
                    continue
                wanted[task] = needs = self._wanted(layout, task)
                waiting.append((task, True))
                for tasks in needs:
                    waiting.extend((needed, False) for needed in tasks)
                    if len(tasks) > 1:
                        kept.update(tasks)
            lanes.start(pull, works.values(), works[target])
        return pull

    def _found(self, task: Task) -> Work | None:
        """A picture that is in the cache already, or on its way for somebody else."""
        name = self._name(task)
        picture = self.engine.cache.get(name)
        if picture is None:
            return self.engine.lanes.flying(name)
        self.counters.found(task.step)
        return Work.of(name, picture)

    def _work(
        self, layout: Layout, task: Task, wanted: tuple[tuple[Task, ...], ...], works: Mapping[Task, Work], viewed: bool
    ) -> Work:
        at, request = task
        step = self.plan.steps[at]
        program = self._program(layout, at, request.scale)
        groups = tuple(len(tasks) for tasks in wanted)
        keep = viewed or len(self.plan.readers[at]) > 1 or self.info(at).still
        name = self._name(task)
        laps: list[float] = []

        def run(results: Sequence[Any], check: Callable[[], None]) -> Picture:
            picture, seconds = program.run(request, _grouped(results, groups), check, laps)
            self.counters.made(at, picture.nbytes)
            if keep:
                self.engine.cache.put(name, picture, seconds)
            return picture

        sources = [works[needed] for tasks in wanted for needed in tasks]
        alone = id(step.node) if isinstance(step.node, SourceNode) else None
        doing = partial(self._doing, program, laps, request.frame)
        return Work(name, run, sources, program.block.lane, alone, doing)

    def _task(self, at: int, request: FrameRequest) -> Task:
        """The picture that answers a request: a still has one for all frames."""
        info = self.info(at)
        return Task(at, request.at(info.first) if info.still else request)

    def _name(self, task: Task) -> tuple[bytes | tuple[bytes, str], FrameRequest]:
        key = self.plan.steps[task.step].key
        return (key, "searched") if self._searches else key, task.request

    def _layout(self, target: int) -> Layout:
        if target not in self._layouts:
            self.info(target)
            with no_collecting():
                self._layouts[target] = lay_out(self.plan, target, self._described.infos, self._kept, self.affine_run)
        return self._layouts[target]

    def _program(self, layout: Layout, root: int, scale: float) -> Program:
        name = (layout.target, root, scale)
        block = layout.blocks[root]
        known = self._programs.get(name)
        if known is not None and known.block is block:
            return known
        if known is not None and known.block == block:
            known.block = block
            return known
        if known is not None:
            known.flush()
        kind = Searching if self._searches else Program
        self._programs[name] = program = kind(block, scale, self, self._fuse)
        return program

    def _wanted(self, layout: Layout, task: Task) -> tuple[tuple[Task, ...], ...]:
        """For each entry of a task's block, the pictures it takes."""
        block = layout.blocks[task.step]
        request = task.request
        if not block.readers:
            return tuple((self._task(entry.source, request),) for entry in block.entries)
        needs = {at: self._needs(at, request) for at in block.readers}
        return tuple(
            (self._task(entry.source, request),)
            if entry.reader is None
            else tuple(
                self._task(entry.source, _inside(one, self.info(entry.source)))
                for one in needs[entry.reader][entry.socket]
            )
            for entry in block.entries
        )

    def _needs(self, at: int, request: FrameRequest) -> Mapping[str, tuple[FrameRequest, ...]]:
        """What a step that maps requests asks of its inputs."""
        first = self.affine_run(at)[0] if isinstance(self.plan.steps[at].node, AffineNode) else at
        step = self.plan.steps[first]
        about = face(type(step.node))
        infos = {name: self.info(source) for name, source in step.inputs.items() if name in about.pictures}
        try:
            scaled = self._movers.get((first, request.scale))
            if scaled is None:
                scaled = self._movers[first, request.scale] = mover(step, request.scale, self.value)
            wanted: Mapping[str, tuple[FrameRequest, ...]] = scaled(request.frame).needs(request, infos)
        except Exception as error:
            raise NodeError.at(step.document_node, error, f"plan node {step.name}", frame=request.frame) from error
        return wanted


def _grouped(results: Sequence[Any], groups: Sequence[int]) -> Iterator[Any]:
    """Results by entry: the picture, or a tuple of several."""
    start = 0
    for count in groups:
        yield results[start] if count == 1 else tuple(results[start : start + count])
        start += count


def _inside(request: FrameRequest, info: StreamInfo) -> FrameRequest:
    """The request at the nearest frame the input has: at a clip's ends, windows in time repeat the end frame."""
    if request.frame in info:
        return request
    return request.at(min(max(request.frame, info.first), info.last))
