"""Looking at one node of a graph while the graph is being edited.

A session keeps the plan and what was computed between looks, so that an edit costs what depends on it and no more.
Where a picture of the size asked for would come late, a smaller one comes first.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from artifexpro.core.errors import ArtifexError
from artifexpro.core.graph.compile import Plan, compile_graph
from artifexpro.core.graph.context import JobContext
from artifexpro.core.graph.counters import NodeStatistics
from artifexpro.core.graph.document import Document
from artifexpro.core.graph.engine import Engine
from artifexpro.core.graph.errors import NodeError
from artifexpro.core.graph.evaluate import Evaluator
from artifexpro.core.graph.kinds import SinkNode
from artifexpro.core.graph.registry import Registry
from artifexpro.core.graph.values import FrameRequest, Picture, Region, StreamInfo

BUDGET_SECONDS = 0.025
"""A first picture that is expected to take longer is made smaller: a change may have to wait for the picture before
it, and two of them are the 50 ms after which a drag feels late."""
HALVINGS = 3
PROBE = 32
"""After so many small pictures in a row a larger one is tried, in case it is affordable now."""
HICCUP_SECONDS = 0.5
"""Trying takes no longer than this, once, and no more than twice the budget when all it takes is warm."""
SMALLEST = 32
"""A first picture's shorter side in pixels is not made smaller than this."""


@dataclass(frozen=True, slots=True)
class Look:
    """What to show. `region` is in full-scale pixels; None is the whole picture."""

    frame: int
    scale: float
    region: Region | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """A picture of a look. `scale` and `region` are its own, the region in pixels at that scale; `final` means that it
    has the size that was asked for."""

    picture: Picture
    info: StreamInfo
    frame: int
    scale: float
    region: Region | None
    final: bool


class PreviewSession:
    """One viewer's graph. Every method may raise `ArtifexError`; the session can be used again afterwards.

    Generators never run for a viewer: a clip that was not generated yet is a refusal at its node.
    """

    def __init__(
        self, document: Document, node: str, registry: Registry, context: JobContext, engine: Engine | None = None
    ) -> None:
        self._document = document
        self._node = node
        self._registry = registry
        self._context = context
        self._runner = _Runner(context, engine or Engine())
        self._plan: Plan | None = None
        self._pace = _Pace()

    # ------------------------------------------------------------------ editing

    def replace(self, document: Document) -> None:
        """Go on with another document; what has the same keys in both is not computed again."""
        self._document = document
        self._plan = None

    def look_at(self, node: str) -> None:
        """Show another node from now on."""
        if node != self._node:
            self._node = node
            self._pace = _Pace()

    def edit(self, node: str, params: Mapping[str, Any]) -> None:
        """Set parameters of one node. Values that do not fit are told by the next look that needs them."""
        record = self._document.nodes.get(node)
        if record is None:
            raise NodeError(
                node, f"edit node {node}", f'the graph has no node "{node}"', "one of the graph's nodes", code="no-node"
            )
        self._document = self._document.with_params(node, **params)
        self._runner.focus(node)
        self._pace.edit(node)
        if self._plan is None or self._registry.get(record.type) is None:
            self._plan = None
            return
        try:
            self._plan = self._plan.with_params(node, **params)
        except ArtifexError:
            self._plan = None

    # ------------------------------------------------------------------ looking

    def info(self) -> StreamInfo:
        """Range, rate, size and space of what is looked at. Opens sources."""
        return self._runner.info(self._target())

    def first(self, look: Look) -> Seen:
        """The picture, or a smaller one first if the picture is expected to take longer than a drag allows."""
        target = self._target()
        info = self._runner.info(target)
        self._pace.turn_to(look)
        return self._see(target, info, look, self._pace.halvings(info))

    def full(self, look: Look) -> Seen:
        """The picture at the size asked for."""
        target = self._target()
        return self._see(target, self._runner.info(target), look, 0)

    def warm(self, look: Look) -> bool:
        """With nothing else to do after `look`: make ready what the first picture after an edit will take, if that one
        will be a smaller one. Returns whether there was anything to do."""
        target = self._target()
        info = self._runner.info(target)
        halvings = self._pace.to_warm(info)
        if halvings is None:
            return False
        self._see(target, info, look, halvings)
        return True

    def statistics(self) -> tuple[NodeStatistics, ...]:
        """By node that was asked for anything, what it cost since the session began."""
        return self._runner.statistics()

    def _see(self, target: int, info: StreamInfo, look: Look, halvings: int) -> Seen:
        """One picture. A file that is not the one it was is told once; the next look opens what is there now."""
        scale = look.scale / 2**halvings
        region = region_at(look.region, scale, info)
        began = perf_counter()
        try:
            picture = self._runner.frame(target, FrameRequest(look.frame, scale, region))
        except NodeError as error:
            if error.code == "changed":
                self._plan = None
            raise
        self._pace.learn(halvings, _size(region, scale, info), perf_counter() - began)
        return Seen(picture, info, look.frame, scale, region, final=halvings == 0)

    def _target(self) -> int:
        """The step that is shown; for a sink, what it would write. What is wrong elsewhere in the graph is no reason to
        show nothing."""
        if self._plan is None:
            self._plan = compile_graph(self._document, self._registry, self._context.models, strict=False)
        plan = self._plan
        at = plan.at(self._node)
        if isinstance(plan.steps[at].node, SinkNode):
            at = next(iter(plan.steps[at].inputs.values()))
        self._runner.show(plan)
        return at


class _Pace:
    """What a pixel costs, by how often its picture was halved.

    The first picture of a size at a frame is cold: it decodes. The first one after another node is edited computes
    again what leads to that node. Then the size is settled, until another frame is turned to or another node edited.
    """

    def __init__(self) -> None:
        self._cold: dict[int, float] = {}
        self._warm: dict[int, float] = {}
        self._decoded: set[int] = set()
        self._settled: set[int] = set()
        self._look: Look | None = None
        self._edited: str | None = None
        self._touched = False
        self._small = 0

    def turn_to(self, look: Look) -> None:
        if look != self._look:
            self._decoded.clear()
            self._settled.clear()
            self._touched = True
        self._look = look

    def edit(self, node: str) -> None:
        if node != self._edited:
            self._settled.clear()
            self._warm.clear()
        self._edited = node
        self._touched = True

    def halvings(self, info: StreamInfo) -> int:
        """How often to halve the first picture to keep to the budget; where nothing keeps to it, what is fastest."""
        if not self._touched:
            return 0
        self._touched = False
        wanted = self._wanted(info)
        self._small = self._small + 1 if wanted else 0
        if self._small <= PROBE:
            return wanted
        larger = wanted - 1
        is_settled = larger in self._settled
        self._small = 0 if is_settled else PROBE
        bearable = 2 * BUDGET_SECONDS if is_settled else HICCUP_SECONDS
        return larger if self._expected(larger, info) < bearable else wanted

    def to_warm(self, info: StreamInfo) -> int | None:
        """What the next edit will want first and find cold; None if it is settled."""
        decoded, self._decoded = self._decoded, set(range(HALVINGS + 1))
        wanted = self._wanted(info) if self._warm else 1
        self._decoded = decoded
        return None if wanted in self._settled or wanted > self._most(info) else wanted

    def learn(self, halvings: int, size: tuple[int, int], seconds: float) -> None:
        each = seconds / (size[0] * size[1])
        if halvings in self._settled:
            self._warm[halvings] = min(each, (self._warm.get(halvings, each) + each) / 2)
        elif halvings not in self._decoded:
            self._cold[halvings] = min(each, (self._cold.get(halvings, each) + each) / 2)
        self._decoded.add(halvings)
        self._settled.add(halvings)

    def _wanted(self, info: StreamInfo) -> int:
        most = self._most(info)
        if self._decoded and not self._warm:
            return min(most, max(self._decoded))
        expected = {halvings: self._expected(halvings, info) for halvings in range(most + 1)}
        if len(expected) > 1 and math.isinf(expected[0]):
            return 1
        affordable = (halvings for halvings, seconds in expected.items() if seconds <= BUDGET_SECONDS)
        fastest = min(self._decoded & expected.keys() or expected, key=lambda halvings: expected[halvings])
        return next(affordable, fastest)

    def _most(self, info: StreamInfo) -> int:
        """How often the picture can be halved and still be worth a look."""
        most = 0
        while most < HALVINGS and min(self._size(most + 1, info)) >= SMALLEST:
            most += 1
        return most

    def _expected(self, halvings: int, info: StreamInfo) -> float:
        """Seconds; a pixel of a size that was never measured costs what it costs at the size nearest to it."""
        table = self._warm if halvings in self._decoded and self._warm else self._cold
        if not table:
            return math.inf
        width, height = self._size(halvings, info)
        return width * height * table[min(table, key=lambda known: abs(known - halvings))]

    def _size(self, halvings: int, info: StreamInfo) -> tuple[int, int]:
        assert self._look is not None
        scale = self._look.scale / 2**halvings
        return _size(region_at(self._look.region, scale, info), scale, info)


def _size(region: Region | None, scale: float, info: StreamInfo) -> tuple[int, int]:
    return info.size_at(scale) if region is None else (region.width, region.height)


class _Runner:
    """A plan being run, from one edit to the next."""

    def __init__(self, context: JobContext, engine: Engine) -> None:
        self._context = context
        self._engine = engine
        self._evaluator: Evaluator | None = None
        self._focus: str | None = None
        self._past: dict[str, NodeStatistics] = {}

    def show(self, plan: Plan) -> None:
        """Go over to `plan`. Raises `NodeError` where a node does not fit its inputs."""
        evaluator, self._evaluator = self._evaluator, None
        if evaluator is None:
            evaluator = Evaluator(plan, self._context, self._engine, may_generate=False)
        elif evaluator.plan is not plan:
            told, counters = evaluator.statistics(), evaluator.counters
            try:
                evaluator.replan(plan)
            except ArtifexError:
                self._remember(told)
                raise
            if evaluator.counters is not counters:
                self._remember(told)
        evaluator.focus(self._focus)
        self._evaluator = evaluator

    def focus(self, node: str) -> None:
        """Keep what `node` is fed with: it is being edited."""
        self._focus = node

    def info(self, at: int) -> StreamInfo:
        return self._shown.info(at)

    def frame(self, at: int, request: FrameRequest) -> Picture:
        return self._shown.frame(at, request, viewer=True)

    def statistics(self) -> tuple[NodeStatistics, ...]:
        total = dict(self._past)
        for now in self._evaluator.statistics() if self._evaluator is not None else ():
            total[now.node] = _sum(total.get(now.node), now)
        return tuple(total.values())

    @property
    def _shown(self) -> Evaluator:
        assert self._evaluator is not None, "show() comes first"
        return self._evaluator

    def _remember(self, told: Iterable[NodeStatistics]) -> None:
        """What was counted under a plan that is gone."""
        for each in told:
            self._past[each.node] = _sum(self._past.get(each.node), each)


def _sum(past: NodeStatistics | None, now: NodeStatistics) -> NodeStatistics:
    if past is None:
        return now
    return NodeStatistics(now.node, past.runs + now.runs, past.seconds + now.seconds, past.hits + now.hits, now.bytes)


def region_at(region: Region | None, scale: float, info: StreamInfo) -> Region | None:
    """A region in full-scale pixels as whole pixels at `scale`: all that it touches, cut at the picture's edge.

    None where that is the whole picture. Raises `ArtifexError` (code "region") where it lies outside.
    """
    if region is None:
        return None
    width, height = info.size_at(scale)
    left, top = max(0, math.floor(region.x * scale)), max(0, math.floor(region.y * scale))
    right = min(width, math.ceil((region.x + region.width) * scale))
    bottom = min(height, math.ceil((region.y + region.height) * scale))
    if right <= left or bottom <= top:
        raise ArtifexError(
            f"show the region of {region.width} x {region.height} pixels at {region.x}, {region.y}",
            f"it lies outside the picture, which has {info.width} x {info.height}",
            "a region inside the picture",
            code="region",
        )
    if (left, top, right, bottom) == (0, 0, width, height):
        return None
    return Region(left, top, right - left, bottom - top)
