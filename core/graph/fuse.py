"""Runs of nodes that look at one pixel at a time, computed in one pass.

A picture is cut into strips of rows; on each strip the nodes run one after the other while it is in the processor's
cache, so that the picture itself travels from memory once instead of once a node. Strips are independent: several
threads share them. The result is the same as that of the nodes one by one, bit by bit where their libraries are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Protocol

from artifexpro.core.graph.counters import Counters
from artifexpro.core.graph.layout import Op
from artifexpro.core.graph.values import FrameRequest, Picture
from artifexpro.core.lazy import torch

STRIP_BYTES = 3 * 1024 * 1024
"""What a strip of one picture may take. Smaller ones cost more in calls than they save in memory: of 0.5 to 3 MiB, 3
was the quickest in the graphs of `bench pixels` on two cores. A preview of 480 x 270 is one strip."""

Call = Callable[..., Picture]


class Helped(Protocol):
    """Where a run gets help and tells its times."""

    counters: Counters

    def helpers(self) -> Executor | None:
        """Threads that may take a share now; None where all cores are busy with other pictures."""


@dataclass(slots=True)
class Run:
    """Point steps in order. Registers below `len(inputs)` are the run's inputs; the last step's is its result."""

    calls: tuple[Call, ...]
    ops: tuple[Op, ...]
    inputs: int
    around: Helped

    def __call__(self, request: FrameRequest, **inputs: Picture) -> Picture:
        began = perf_counter()
        pictures = [inputs[str(number)] for number in range(self.inputs)]
        rows, step = pictures[0].size[1], _strip_rows(pictures)
        first, times = self._strip(request, [_cut(picture, 0, step) for picture in pictures])
        if rows <= step:
            return self._tell(first, [times], began)
        given = first.pixels
        shape = (1, given.shape[1], rows, given.shape[3])
        whole = torch.empty(shape, dtype=given.dtype, device=given.device, memory_format=torch.channels_last)
        whole[:, :, :step] = given

        def compute(start: int) -> list[float]:
            strip, spent = self._strip(request, [_cut(picture, start, start + step) for picture in pictures])
            whole[:, :, start : start + step] = strip.pixels
            return spent

        starts = range(step, rows, step)
        workers = self.around.helpers()
        others = map(compute, starts) if workers is None else workers.map(compute, starts)
        return self._tell(first.with_pixels(whole), [times, *others], began)

    def _strip(self, request: FrameRequest, pictures: Sequence[Picture]) -> tuple[Picture, list[float]]:
        """The run's result on one strip, and the seconds of each step."""
        registers: list[Any] = [*pictures, *([None] * len(self.ops))]
        began = perf_counter()
        times = []
        for op, call in zip(self.ops, self.calls, strict=True):
            registers[op.out] = call(request, **{name: registers[source] for name, source in op.sources})
            ended = perf_counter()
            times.append(ended - began)
            began = ended
        return registers[self.ops[-1].out], times

    def _tell(self, result: Picture, times: Sequence[Sequence[float]], began: float) -> Picture:
        """Tell how the time since `began` divides among the steps."""
        by_step = [sum(each) for each in zip(*times, strict=True)]
        share = (perf_counter() - began) / (sum(by_step) or 1.0)
        self.around.counters.shared([op.step for op in self.ops], [spent * share for spent in by_step])
        return result


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
