"""Control nodes: numbers that change with the frame, to move parameters by."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from functools import lru_cache
from math import ceil, exp
from typing import Any, ClassVar, Literal

from artifexpro.core.errors import ArtifexError
from artifexpro.core.graph import controls
from artifexpro.core.graph.curves import Curve, Key
from artifexpro.core.graph.kinds import ValueNode
from artifexpro.core.graph.node import Preflight, Socket, parameter
from artifexpro.core.graph.values import AudioStream, ControlSignal, DataPayload, SocketType

CONTROL = (Socket("out", SocketType.CONTROL),)
DATA = (Socket("out", SocketType.DATA),)
_MOST = 1e9
_REACH = 8
"""Times the attack or release after which what was loud no longer counts: it is down to exp(-8), 0.03 %."""


class Number(ValueNode):
    """One number, for all that shall have the same."""

    category: ClassVar[str] = "control"
    outputs: ClassVar[tuple[Socket, ...]] = DATA
    example: ClassVar[Mapping[str, Any]] = {"value": 0.5}

    value: float = parameter(0.0, "The number.", minimum=-_MOST, maximum=_MOST)

    def evaluate(self) -> DataPayload:
        return DataPayload(controls.NUMBER, {"value": self.value})


class ControlCurve(ValueNode):
    """A number drawn by keys, for several parameters that shall move together."""

    category: ClassVar[str] = "control"
    outputs: ClassVar[tuple[Socket, ...]] = CONTROL
    example: ClassVar[Mapping[str, Any]] = {
        "curve": {"curve": {"keys": [{"frame": 1001, "value": 0, "ease": "sine_in_out"}, {"frame": 1024, "value": 1}]}}
    }

    curve: Curve = parameter(Curve(keys=(Key(frame=1001, value=0),)), "The keys, and what holds outside them.")

    def evaluate(self) -> ControlSignal:
        return controls.drawn(self.curve)


class Envelope(ValueNode):
    """How loud a sound is at each frame, with the rise and fall of a meter.

    Loudness is the root mean square of a frame's samples over all channels: 0 in silence, 0.707 for a full-scale sine.
    It rises with the time constant `attack` and falls with `release`: after so many frames 63 % of a step is done. What
    was more than eight times the longer of the two ago no longer counts.
    """

    category: ClassVar[str] = "control"
    inputs: ClassVar[tuple[Socket, ...]] = (Socket("audio", SocketType.AUDIO),)
    outputs: ClassVar[tuple[Socket, ...]] = CONTROL
    example: ClassVar[Mapping[str, Any]] = {"attack": 1.0, "release": 8.0, "gain": 2.0}

    attack: float = parameter(0.0, "Time constant of a rise; 0 follows at once.", minimum=0, maximum=100, unit="frames")
    release: float = parameter(
        0.0, "Time constant of a fall; 0 follows at once.", minimum=0, maximum=100, unit="frames"
    )
    gain: float = parameter(1.0, "What loudness is multiplied by.", minimum=0, maximum=1000)

    def evaluate(self, audio: AudioStream) -> ControlSignal:
        level = controls.loudness(audio).at
        up, down = _stays(self.attack), _stays(self.release)
        back = ceil(_REACH * max(self.attack, self.release))

        @lru_cache(maxsize=4096)
        def at(frame: float) -> float:
            now = level(frame - back)
            for earlier in range(back - 1, -1, -1):
                heard = level(frame - earlier)
                stays = up if heard > now else down
                now = heard + (now - heard) * stays
            return now * self.gain

        return ControlSignal(at)


def _stays(constant: float) -> float:
    """The part of a step that is still to do after one frame."""
    return exp(-1 / constant) if constant else 0.0


_OPERATIONS: Mapping[str, Callable[[float, float], float]] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "minimum": min,
    "maximum": max,
}


class ControlMath(ValueNode):
    """Two controls, or a control and a number, made into one."""

    category: ClassVar[str] = "control"
    inputs: ClassVar[tuple[Socket, ...]] = (
        Socket("a", SocketType.CONTROL),
        Socket("b", SocketType.CONTROL, optional=True),
    )
    outputs: ClassVar[tuple[Socket, ...]] = CONTROL
    example: ClassVar[Mapping[str, Any]] = {"operation": "multiply", "number": 0.5}

    operation: Literal["add", "subtract", "multiply", "minimum", "maximum"] = parameter(
        "add", "What is done: a + b, a - b, a times b, the smaller, the larger."
    )
    number: float = parameter(0.0, "Stands for b where nothing is connected there.", minimum=-_MOST, maximum=_MOST)

    def preflight(self, context: Preflight) -> None:
        if "b" in context.wired and self.number != 0:
            raise ArtifexError(
                f"use {self.number:g} as b of a ControlMath",
                "another control is connected there",
                "setting number to 0, or removing the wire",
            )

    def evaluate(self, a: ControlSignal, b: ControlSignal | None = None) -> ControlSignal:
        return controls.combined(_OPERATIONS[self.operation], a, controls.constant(self.number) if b is None else b)


class ControlRange(ValueNode):
    """A control brought from one range to another: loudness 0 to 0.5 to a blur of 0 to 40 pixels.

    `from_low` becomes `to_low` and `from_high` becomes `to_high`, in a straight line.
    """

    category: ClassVar[str] = "control"
    inputs: ClassVar[tuple[Socket, ...]] = (Socket("control", SocketType.CONTROL),)
    outputs: ClassVar[tuple[Socket, ...]] = CONTROL
    example: ClassVar[Mapping[str, Any]] = {"from_high": 0.5, "to_high": 40.0}

    from_low: float = parameter(0.0, "Becomes the low end.", minimum=-_MOST, maximum=_MOST)
    from_high: float = parameter(1.0, "Becomes the high end.", minimum=-_MOST, maximum=_MOST)
    to_low: float = parameter(0.0, "The low end.", minimum=-_MOST, maximum=_MOST)
    to_high: float = parameter(
        1.0, "The high end; below the low end the control is turned over.", minimum=-_MOST, maximum=_MOST
    )
    clamp: bool = parameter(True, "Whether what is outside the first range stays at the ends of the second.")

    def preflight(self, context: Preflight) -> None:
        if self.from_low == self.from_high:
            raise ArtifexError(
                f"bring a control from {self.from_low:g}..{self.from_high:g} to another range",
                "a range of one number has no ends",
                "another from_low or from_high",
            )

    def evaluate(self, control: ControlSignal) -> ControlSignal:
        return controls.combined(self._moved, control)

    def _moved(self, value: float) -> float:
        way = (value - self.from_low) / (self.from_high - self.from_low)
        if self.clamp:
            way = min(max(way, 0.0), 1.0)
        return self.to_low + (self.to_high - self.to_low) * way


class ControlClamp(ValueNode):
    """A control that stays between two numbers, so that it fits a parameter's range."""

    category: ClassVar[str] = "control"
    inputs: ClassVar[tuple[Socket, ...]] = (Socket("control", SocketType.CONTROL),)
    outputs: ClassVar[tuple[Socket, ...]] = CONTROL
    example: ClassVar[Mapping[str, Any]] = {"low": -1.0, "high": 2.0}

    low: float = parameter(0.0, "What is below becomes this.", minimum=-_MOST, maximum=_MOST)
    high: float = parameter(1.0, "What is above becomes this.", minimum=-_MOST, maximum=_MOST)

    def preflight(self, context: Preflight) -> None:
        if self.low > self.high:
            raise ArtifexError(
                f"keep a control between {self.low:g} and {self.high:g}", "low is above high", "a low up to high"
            )

    def evaluate(self, control: ControlSignal) -> ControlSignal:
        return controls.combined(lambda value: min(max(value, self.low), self.high), control)


class ControlTable(ValueNode):
    """What a control says on each frame of a range, as data of kind "frames"."""

    category: ClassVar[str] = "control"
    inputs: ClassVar[tuple[Socket, ...]] = (Socket("control", SocketType.CONTROL),)
    outputs: ClassVar[tuple[Socket, ...]] = DATA
    example: ClassVar[Mapping[str, Any]] = {"first": 1001, "last": 1024}

    first: int = parameter(1001, "First frame.", minimum=-1_000_000, maximum=100_000_000, unit="frames")
    last: int = parameter(1001, "Last frame.", minimum=-1_000_000, maximum=100_000_000, unit="frames")

    def preflight(self, context: Preflight) -> None:
        if not 0 <= self.last - self.first < 1_000_000:
            raise ArtifexError(
                f"list a control from frame {self.first} to {self.last}",
                "that is before the first" if self.last < self.first else "that is more than a million frames",
                "a last frame from the first one on",
            )

    def evaluate(self, control: ControlSignal) -> DataPayload:
        return controls.table(control, self.first, self.last)


class DataControl(ValueNode):
    """One list of an analysis, such as the luminance of each frame, as a control. Straight between frames; before the
    first and after the last its ends hold."""

    category: ClassVar[str] = "control"
    inputs: ClassVar[tuple[Socket, ...]] = (Socket("data", SocketType.DATA),)
    outputs: ClassVar[tuple[Socket, ...]] = CONTROL
    example: ClassVar[Mapping[str, Any]] = {"column": "maximum"}

    column: str = parameter("mean", "Name of the list in the data.")

    def evaluate(self, data: DataPayload) -> ControlSignal:
        return controls.column(data, self.column)
