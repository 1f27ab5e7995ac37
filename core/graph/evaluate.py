"""Pulling frames through a plan.

A request is resolved in two passes without recursion. The first walks from the frame asked for back to the sources
and counts who needs what; the second computes in that order and lets each picture go after its last reader, so a
straight line of any length holds two pictures. Stills and pictures with several readers go to the cache.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from artifexpro.core.errors import ArtifexError, Cancelled
from artifexpro.core.graph.cache import FrameCache
from artifexpro.core.graph.compile import Plan, Step
from artifexpro.core.graph.context import JobContext
from artifexpro.core.graph.errors import NodeError
from artifexpro.core.graph.node import FrameNode, GeneratorNode, Node, SinkNode, SourceNode
from artifexpro.core.graph.store import ResultStore
from artifexpro.core.graph.values import FrameRequest, ImageBuffer, StreamInfo, VideoStream
from artifexpro.core.protocol import Artefact


class Task(NamedTuple):
    """One picture: which step, which request."""

    step: int
    request: FrameRequest


@dataclass(slots=True)
class _Demand:
    needs: Mapping[str, tuple[Task, ...]]
    readers: int = 0


class Evaluator:
    """Computes what is asked of one plan, for one job.

    `runs` counts how often each step's node function ran, for statistics and for tests that ask "was it cached?".
    """

    def __init__(self, plan: Plan, context: JobContext, cache: FrameCache | None = None) -> None:
        self.plan = plan
        self.context = context
        self.cache = FrameCache() if cache is None else cache
        self.store = ResultStore(context.store)
        self.runs = [0] * len(plan.steps)
        self._infos: dict[int, StreamInfo] = {}
        self._clips: dict[int, Path] = {}
        self._prepared: set[int] = set()
        self._scaled: dict[tuple[int, float], Node] = {}

    def info(self, at: int) -> StreamInfo:
        """Range, rate, size and space of a step's output. Opens sources; raises `NodeError`."""
        if at not in self._infos:
            for index in self.plan.upstream(at):
                if index not in self._infos:
                    self._infos[index] = self._describe(self.plan.steps[index])
        return self._infos[at]

    def frame(self, at: int, request: FrameRequest) -> ImageBuffer:
        """One picture of a step's output. Raises `NodeError` at the node that failed, `Cancelled` between nodes."""
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
        self.prepare(at)
        return self._pull(self._task(at, request))

    def stream(self, at: int, scale: float = 1.0) -> VideoStream:
        """A step's output as a lazy stream, as sinks and generators get it."""
        info = self.info(at)
        return VideoStream(info, lambda request: self.frame(at, request), scale)

    def prepare(self, at: int) -> None:
        """Make, or find on disk, the clips of all generators that `at` depends on."""
        if at in self._prepared:
            return
        for index in self.plan.upstream(at):
            step = self.plan.steps[index]
            if isinstance(step.node, GeneratorNode) and index not in self._clips:
                self._clips[index] = self._generate(step, step.node)
        self._prepared.add(at)

    def write(self, at: int, scale: float = 1.0) -> tuple[Artefact, ...]:
        """Run a sink. Raises `NodeError`; `Cancelled` between frames."""
        step = self.plan.steps[at]
        if not isinstance(step.node, SinkNode):
            raise TypeError(f"{step.name} is no sink")
        streams = {name: self.stream(source, scale) for name, source in step.inputs.items()}
        for stream in streams.values():
            self._check_range(step, stream.info)
        for source in step.inputs.values():
            self.prepare(source)
        try:
            made = step.node.write(self.context, **streams)
        except (Cancelled, NodeError):
            raise
        except Exception as error:
            raise NodeError.at(step.document_node, error, f"write the result of node {step.name}") from error
        return tuple(artefact.model_copy(update={"node": step.document_node}) for artefact in made)

    def _check_range(self, step: Step, info: StreamInfo) -> None:
        wanted = self.context.frames
        if wanted is None or info.still or (wanted.first in info and wanted.last in info):
            return
        raise NodeError(
            step.document_node,
            f"write frames {wanted.first} to {wanted.last} at node {step.name}",
            f"its clip has frames {info.first} to {info.last}",
            "a range inside the clip, or fewer handles",
            code="range",
        )

    def _describe(self, step: Step) -> StreamInfo:
        infos = {name: self._infos[source] for name, source in step.inputs.items()}
        try:
            if step.same_as is not None:
                return self._infos[step.same_as]
            if isinstance(step.node, SourceNode):
                return step.node.describe()
            if isinstance(step.node, GeneratorNode):
                return step.node.describe(infos)
            if isinstance(step.node, FrameNode):
                info = step.node.describe(infos)
                still = not step.node.depends_on_time and all(info.still for info in infos.values())
                return replace(info, still=info.still or still)
        except Exception as error:
            raise NodeError.at(step.document_node, error, f"open node {step.name}") from error
        raise TypeError(f"{step.node.type_name()} is none of the kinds of nodes that give frames")

    def _generate(self, step: Step, node: GeneratorNode) -> Path:
        inputs = {name: self.stream(source) for name, source in step.inputs.items()}
        found = self.store.find(step.key)
        try:
            halfway = self.store.halfway(step.key)
            folder = found or self.store.ensure(
                step.key, lambda folder: node.generate(self.context, folder, halfway, **inputs)
            )
            if found:
                node.remember(self.context, folder)
        except (Cancelled, NodeError):
            raise
        except Exception as error:
            raise NodeError.at(step.document_node, error, f"generate the clip of node {step.name}") from error
        return folder

    def _task(self, at: int, request: FrameRequest) -> Task:
        """The picture that answers a request: identity steps are passed through, stills have one for all frames."""
        while (same := self.plan.steps[at].same_as) is not None:
            at = same
        info = self._infos[at]
        return Task(at, request.at(info.first) if info.still else request)

    def _pull(self, target: Task) -> ImageBuffer:
        have: dict[Task, ImageBuffer] = {}
        demands, order = self._demands(target, have)
        for task in order:
            self.context.check()
            demand = demands[task]
            picture = self._run(task, demand.needs, have)
            for source in {needed for wanted in demand.needs.values() for needed in wanted}:
                if source in demands:
                    demands[source].readers -= 1
                    if demands[source].readers == 0:
                        del have[source]
            have[task] = picture
            if demand.readers > 1 or self._infos[task.step].still:
                self.cache.put(self._cache_name(task), picture)
        return have[target]

    def _demands(self, target: Task, have: dict[Task, ImageBuffer]) -> tuple[dict[Task, _Demand], list[Task]]:
        """Everything to compute for `target`, inputs first, with how many readers each has; puts into `have` what the
        cache holds already."""
        demands: dict[Task, _Demand] = {}
        order: list[Task] = []
        waiting: list[tuple[Task, bool]] = [(target, False)]
        while waiting:
            task, resolved = waiting.pop()
            if resolved:
                order.append(task)
                continue
            if task in demands or task in have:
                continue
            kept = self.cache.get(self._cache_name(task)) if self._may_be_kept(task) else None
            if kept is not None:
                have[task] = kept
                continue
            needs = self._needs(task)
            demands[task] = _Demand(needs)
            waiting.append((task, True))
            waiting.extend((needed, False) for wanted in needs.values() for needed in wanted)
        for demand in demands.values():
            for source in {needed for wanted in demand.needs.values() for needed in wanted}:
                if source in demands:
                    demands[source].readers += 1
        return demands, order

    def _may_be_kept(self, task: Task) -> bool:
        return len(self.plan.readers[task.step]) > 1 or self._infos[task.step].still

    def _cache_name(self, task: Task) -> tuple[bytes, FrameRequest]:
        return self.plan.steps[task.step].key, task.request

    def _needs(self, task: Task) -> Mapping[str, tuple[Task, ...]]:
        step = self.plan.steps[task.step]
        if not isinstance(step.node, FrameNode):
            return {}
        infos = {name: self._infos[source] for name, source in step.inputs.items()}
        try:
            node = self._at_scale(task.step, step.node, task.request.scale)
            wanted = node.needs(task.request, infos)
        except Exception as error:
            raise NodeError.at(step.document_node, error, f"plan node {step.name}", frame=task.request.frame) from error
        return {
            name: tuple(self._task(step.inputs[name], _inside(request, infos[name])) for request in requests)
            for name, requests in wanted.items()
        }

    def _at_scale(self, at: int, node: FrameNode, scale: float) -> FrameNode:
        scaled = self._scaled.setdefault((at, scale), node.at_scale(scale))
        assert isinstance(scaled, FrameNode)
        return scaled

    def _run(self, task: Task, needs: Mapping[str, tuple[Task, ...]], have: Mapping[Task, ImageBuffer]) -> ImageBuffer:
        step = self.plan.steps[task.step]
        self.runs[task.step] += 1
        try:
            picture = self._picture(task, step, needs, have)
            _check_shape(picture, self._infos[task.step], task.request)
        except (Cancelled, NodeError):
            raise
        except Exception as error:
            attempted = f"compute frame {task.request.frame} of node {step.name}"
            raise NodeError.at(step.document_node, error, attempted, frame=task.request.frame) from error
        return picture

    def _picture(
        self, task: Task, step: Step, needs: Mapping[str, tuple[Task, ...]], have: Mapping[Task, ImageBuffer]
    ) -> ImageBuffer:
        if isinstance(step.node, SourceNode):
            return step.node.read(task.request)
        if isinstance(step.node, GeneratorNode):
            return step.node.read(self._clips[task.step], task.request)
        assert isinstance(step.node, FrameNode)
        inputs = {
            name: have[wanted[0]] if len(wanted) == 1 else tuple(have[one] for one in wanted)
            for name, wanted in needs.items()
        }
        return self._at_scale(task.step, step.node, task.request.scale).render(task.request, **inputs)  # type: ignore[arg-type]


def _inside(request: FrameRequest, info: StreamInfo) -> FrameRequest:
    """The request at the nearest frame the input has: at a clip's ends, windows in time repeat the end frame."""
    if request.frame in info:
        return request
    return request.at(min(max(request.frame, info.first), info.last))


def _check_shape(picture: ImageBuffer, info: StreamInfo, request: FrameRequest) -> None:
    if request.region is not None:
        expected = (request.region.width, request.region.height)
    else:
        expected = info.size_at(request.scale)
    shape = tuple(picture.pixels.shape)
    if shape != (1, 4, expected[1], expected[0]):
        raise ArtifexError(
            f"take the picture of frame {request.frame}",
            f"it has shape {shape} where 1 x 4 x {expected[1]} x {expected[0]} (RGBA, height, width) was promised",
            "reporting this: the node does not keep to its own description",
        )
