"""How things move: smoothly, in jerks, fast, not at all; and whether they stay what they are on the way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from artifexpro.core.lazy import cv2, numpy
from artifexpro.core.media.metrics import scores
from artifexpro.core.media.metrics.flow import LEAST_SIDE, Flow, Pair, fetched, halfway
from artifexpro.core.media.metrics.looked import Looked
from artifexpro.core.media.metrics.scores import ONE_FRAME, TWO_FRAMES, Found, Mean, turned

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BLOCK = 16
_LEVEL = 1 / 255
_FASTEST = 0.05
_SPEED = 6 / 256
"""Of the shorter side, from one of VBench's frames to the next."""
_VBENCH_RATE = 8
TOO_SMALL = f"pictures of less than {LEAST_SIDE} pixels are too small for flow"


class Differences:
    """`temporal_flickering` and `frozen_frames`: what neighbouring frames differ by, whatever moves."""

    def __init__(self) -> None:
        self._difference, self._frozen = Mean(), Mean()

    def add(self, pair: Pair) -> None:
        number = pair.later.number
        between = cv2.absdiff(pair.earlier.rgb, pair.later.rgb)
        self._difference.add(sum(cv2.mean(between)[:3]) / 3, number)
        self._frozen.add(float(_most_changed(pair) < _LEVEL), number)

    def found(self) -> Mapping[str, Found | str]:
        return {
            scores.TEMPORAL_FLICKERING: turned(self._difference.found(ONE_FRAME)),
            scores.FROZEN_FRAMES: self._frozen.found(ONE_FRAME),
        }


def _most_changed(pair: Pair) -> float:
    """The mean absolute difference of the channel and block that change most: small things that move are seen too."""
    between = cv2.absdiff(pair.earlier.small, pair.later.small)
    height, width = between.shape[:2]
    blocks = max(1, width // _BLOCK), max(1, height // _BLOCK)
    return float(cv2.resize(between, blocks, interpolation=cv2.INTER_AREA).max())


class Smoothness:
    """`motion_smoothness`: every second frame beside the one that its neighbours let expect."""

    def __init__(self, flow: Flow) -> None:
        self._flow, self._error = flow, Mean()
        self._seen = 0
        self._kept: list[Looked] = []
        self._too_small = False

    def add(self, frame: Looked) -> None:
        self._seen += 1
        self._kept.append(frame)
        if len(self._kept) < 3:
            return
        before, middle, after = self._kept
        self._kept = [after]
        if min(frame.small.shape[:2]) < LEAST_SIDE:
            self._too_small = True
            return
        made = halfway(before, after, self._flow)
        self._error.add(sum(cv2.mean(cv2.absdiff(made, middle.small))[:3]) / 3, middle.number)

    def found(self) -> Mapping[str, Found | str]:
        otherwise = TOO_SMALL if self._too_small else ONE_FRAME if self._seen < 2 else TWO_FRAMES
        return {scores.MOTION_SMOOTHNESS: turned(self._error.found(otherwise))}


class Movement:
    """`warp_error`, `motion_jerk` and `dynamic_degree`, from the flow between neighbours.

    `rate` is in frames a second. VBench looks at a clip eight times a second; here the flow between neighbours is
    multiplied by how many of them lie in between.
    """

    def __init__(self, rate: float) -> None:
        step = max(1, round(rate / _VBENCH_RATE))
        self._fast = _SPEED * max(1.0, _VBENCH_RATE / rate) / step
        self._error, self._jerk, self._moves = Mean(), Mean(), Mean("lower")
        self._before: NDArray[Any] | None = None
        self._pairs = 0
        self._too_small = False

    def add(self, pair: Pair) -> None:
        self._pairs += 1
        flow, later = pair.flow, pair.later
        if flow is None:
            self._too_small = True
            return
        short = min(flow.shape[:2])
        if pair.seen.any():
            error = numpy.abs(pair.fetched - later.small)[pair.seen]
            self._error.add(float(error.mean()), later.number)
        speed = cv2.magnitude(flow[..., 0], flow[..., 1])
        fastest = max(1, int(speed.size * _FASTEST))
        top = numpy.partition(speed.ravel(), -fastest)[-fastest:]
        self._moves.add(float(top.mean() / short > self._fast), later.number)
        if self._before is not None:
            self._jerk.add(100 / short * _jerk(self._before, pair), later.number)
        self._before = flow

    def found(self) -> Mapping[str, Found | str]:
        few = TOO_SMALL if self._too_small else ONE_FRAME
        moves = self._moves.found(few)
        return {
            scores.WARP_ERROR: self._error.found(few),
            scores.MOTION_JERK: self._jerk.found(TWO_FRAMES if self._pairs and not self._too_small else few),
            scores.DYNAMIC_DEGREE: Found(moves.value) if isinstance(moves, Found) else moves,
        }


def _jerk(before: NDArray[Any], pair: Pair) -> float:
    """Mean change of flow along the movement in pixels, weighted by gradient: flow over flat parts means nothing."""
    flow, grey = pair.flow, pair.later.grey
    assert flow is not None
    change = flow - fetched(before, flow)
    edges = cv2.magnitude(cv2.Sobel(grey, -1, 1, 0), cv2.Sobel(grey, -1, 0, 1)) * pair.seen
    weight = float(edges.sum())
    if not weight:
        return 0.0
    return float((cv2.magnitude(change[..., 0], change[..., 1]) * edges).sum()) / weight
