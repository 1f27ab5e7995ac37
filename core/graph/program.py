"""A block made ready to run at one scale: every step bound to its parameters, point steps fused, shapes known.

`Program.run` is the loop that every picture goes through; what it does for a step, besides the step's own work, is
most of what the engine costs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import Executor
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from artifexpro.core.errors import ArtifexError, Cancelled
from artifexpro.core.graph.checked import sampled
from artifexpro.core.graph.compile import Step
from artifexpro.core.graph.counters import Counters
from artifexpro.core.graph.curves import Curve
from artifexpro.core.graph.errors import NodeError
from artifexpro.core.graph.faces import Limits, Role, face
from artifexpro.core.graph.fuse import Call, NodeAt, Run, fused, runs
from artifexpro.core.graph.kinds import AffineNode, StraightNode
from artifexpro.core.graph.layout import Block, Op
from artifexpro.core.graph.values import ControlSignal, FrameRequest, ImageBuffer, MaskChannel, Picture, StreamInfo
from artifexpro.core.lazy import numpy

if TYPE_CHECKING:
    import torch

_PICTURES = (ImageBuffer, MaskChannel)
CHECK_SECONDS = 0.01
"""How often a running block looks whether anybody still wants it."""
PENDING = 32
"""Runs after which a block's times are added up."""


class Surroundings(Protocol):
    """What a block's program asks of the evaluator it belongs to."""

    counters: Counters

    def step(self, at: int) -> Step: ...

    def info(self, at: int) -> StreamInfo: ...

    def shape(self, at: int, scale: float) -> tuple[int, ...]: ...

    def value(self, at: int) -> Any: ...

    def reader(self, at: int) -> Call: ...

    def affine_run(self, at: int) -> Sequence[int]: ...

    def is_pointwise(self, at: int) -> bool: ...

    def helpers(self) -> Executor | None: ...


class Bound(NamedTuple):
    """One call: the step it ends with, the register it goes to, its inputs by register, and its picture's shape."""

    step: int
    call: Call
    out: int
    sources: tuple[tuple[str, int], ...]
    shape: tuple[int, ...]


class Program:
    """A block at one scale."""

    def __init__(self, block: Block, scale: float, around: Surroundings, fuse: bool) -> None:
        self.block = block
        self._around = around
        self._scale = scale
        self._is_point = around.is_pointwise if fuse else lambda at: False
        self._groups = runs(block.ops, self._is_point)
        self._bound = [self._bind(group) for group in self._groups]
        self._ends = tuple(bound.step for bound in self._bound)
        self._pending: list[list[float]] = []
        self.steps = frozenset(op.step for op in block.ops)

    def run(
        self, request: FrameRequest, entered: Iterable[Any], check: Callable[[], None], laps: list[float] | None = None
    ) -> tuple[Picture, float]:
        """The block's picture, and the seconds it took. `entered` has a picture, or a tuple of them, for each entry;
        `laps`, empty at first, tells others how far this is: see `reached`.

        Raises `NodeError` at the step that fails, `Cancelled` when `check` does.
        """
        registers: list[Any] = [None] * self.block.registers
        for entry, picture in zip(self.block.entries, entered, strict=True):
            registers[entry.out] = picture
        began = now = perf_counter()
        laps = [] if laps is None else laps
        laps.append(began)
        due = began + CHECK_SECONDS
        at = self.block.root
        good: Any = None
        good_shape: tuple[int, ...] = ()
        try:
            for at, call, out, sources, shape in self._bound:  # noqa: B007
                if len(sources) == 1:
                    name, source = sources[0]
                    picture = call(request, **{name: registers[source]})
                elif len(sources) == 2:
                    (name, source), (other, there) = sources
                    picture = call(request, **{name: registers[source], other: registers[there]})
                else:
                    picture = call(request, **{name: registers[source] for name, source in sources})
                registers[out] = picture
                pixels = picture.pixels
                if pixels is not good or shape is not good_shape:
                    _check_shape(pixels, shape, request)
                    good, good_shape = pixels, shape
                now = perf_counter()
                laps.append(now)
                if now > due:
                    check()
                    due = now + CHECK_SECONDS
        except (Cancelled, NodeError):
            raise
        except Exception as error:
            raise _failure(self._around.step(at), request, error) from error
        self._pending.append(laps)
        if len(self._pending) == PENDING:
            self.flush()
        return registers[self.block.result], now - began

    def reached(self, laps: Sequence[float]) -> list[int]:
        """The step that is computed now, or the steps of a run, of a `run` with these `laps`."""
        return [op.step for op in self._groups[min(max(len(laps) - 1, 0), len(self._groups) - 1)]]

    def flush(self) -> None:
        """Hand what was counted on to the evaluator's counters."""
        pending, self._pending = self._pending, []
        if pending:
            self._around.counters.ran(self._ends, list(map(sum, zip(*pending, strict=True))), len(pending))

    def rebind(self, steps: AbstractSet[int]) -> None:
        """Take the new parameters of `steps`, which are otherwise what they were."""
        for at, group in enumerate(self._groups):
            if not steps.isdisjoint([op.step for op in group]):
                self._bound[at] = self._bind(group)

    def _bind(self, group: Sequence[Op]) -> Bound:
        around = self._around
        last = group[-1]
        shape = around.shape(last.step, self._scale)
        if not self._is_point(last.step):
            return Bound(last.step, bind(last.step, self._scale, around), last.out, last.sources, shape)
        ops, sources = fused(group)
        calls = tuple(self._named(op) for op in ops)
        nodes = tuple(self._joinable(op) for op in ops)
        return Bound(last.step, Run(calls, nodes, ops, len(sources), around), last.out, sources, shape)

    def _joinable(self, op: Op) -> NodeAt | None:
        """The node, at a frame, of a step that may be joined with its neighbours in a run."""
        step = self._around.step(op.step)
        if len(op.sources) != 1 or not isinstance(step.node, StraightNode):
            return None
        return mover(step, self._scale, self._around.value)

    def _named(self, op: Op) -> Call:
        """A step of a run: its failure is its own, not that of the run's last step."""
        call = bind(op.step, self._scale, self._around)

        def named(request: FrameRequest, **inputs: Any) -> Picture:
            try:
                return call(request, **inputs)
            except (Cancelled, NodeError):
                raise
            except Exception as error:
                raise _failure(self._around.step(op.step), request, error) from error

        return named


def bind(at: int, scale: float, around: Surroundings) -> Call:
    """The call that computes a step from its pictures, with its other inputs and parameters in it."""
    step = around.step(at)
    about = face(type(step.node))
    if about.role is Role.SOURCE or about.role is Role.GENERATOR:
        return around.reader(at)
    if about.role is Role.AFFINE:
        return _affine(around, at, scale)
    values = {name: around.value(step.inputs[name]) for name in about.values if name in step.inputs}
    moved = mover(step, scale, around.value)
    if not step.moving:
        render: Call = moved(0).render
        return partial(render, **values) if values else render

    def render_moving(request: FrameRequest, **inputs: Any) -> Picture:
        picture: Picture = moved(request.frame).render(request, **inputs, **values)
        return picture

    return render_moving


def mover(step: Step, scale: float, value: Callable[[int], Any]) -> Callable[[int], Any]:
    """Gives the step's node as it is at a frame, with its distances at `scale`."""
    node = step.node
    if not step.moving:
        scaled = node.at_scale(scale)
        return lambda frame: scaled
    limits = face(type(node)).moving
    moving: list[tuple[str, Callable[[float], float], Limits]] = []
    for name, source in step.moving.items():
        signal = source if isinstance(source, Curve) else value(source)
        assert isinstance(signal, Curve | ControlSignal)
        moving.append((name, signal.at, limits[name]))
    return lambda frame: sampled(node, ((name, at(frame), limit) for name, at, limit in moving)).at_scale(scale)


def _affine(around: Surroundings, at: int, scale: float) -> Call:
    """One resampling by the product of the maps of a straight run of affine steps, the last of which says how."""
    moved = [mover(around.step(index), scale, around.value) for index in around.affine_run(at)]
    info = around.info(at)

    def resample(request: FrameRequest, **inputs: Picture) -> Picture:
        (picture,) = inputs.values()
        matrix = numpy.eye(3)
        run: list[AffineNode] = [at_frame(request.frame) for at_frame in moved]
        for node in run:
            matrix = node.matrix(request, info) @ matrix
        deciding = next((node for node in reversed(run) if node.decides), run[-1])
        return deciding.resample(request, picture, matrix)

    return resample


def _failure(step: Step, request: FrameRequest, error: Exception) -> NodeError:
    attempted = f"compute frame {request.frame} of node {step.name}"
    if isinstance(error, AttributeError) and error.name == "pixels" and not isinstance(error.obj, _PICTURES):
        error = ArtifexError(attempted, "the node gave back something that is no picture", "reporting this defect")
    return NodeError.at(step.document_node, error, attempted, frame=request.frame)


def _check_shape(pixels: torch.Tensor, shape: tuple[int, ...], request: FrameRequest) -> None:
    """Refuse a picture of another shape than the whole one, or the part of it that was asked for, would have."""
    if request.region is not None:
        shape = (1, shape[1], request.region.height, request.region.width)
    if pixels.shape != shape:
        promised = " x ".join(str(part) for part in shape)
        raise ArtifexError(
            f"take the picture of frame {request.frame}",
            f"it has shape {tuple(pixels.shape)} where {promised} (one picture, channels, height, width) was promised",
            "reporting this: the node does not keep to its own description",
        )
