"""Controls from numbers, curves, tables and sound, and back to data.

A control is only a function of the frame; these are the ways to get one, shared by automatic conversions and nodes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from artifexpro.core.errors import ArtifexError
from artifexpro.core.graph.curves import Curve
from artifexpro.core.graph.values import AudioStream, ControlSignal, DataPayload

if TYPE_CHECKING:
    import torch

NUMBER, CURVE, FRAMES = "number", "curve", "frames"
"""Kinds of data that are a control as well: {"value": 0.5}, {"curve": {...}} and {"first": 1001, "values": [...]}."""
_REMEMBERED = 4096


@dataclass(frozen=True, slots=True, eq=False)
class CurveSignal(ControlSignal):
    """A control that is a curve and can be data again."""

    curve: Curve | None = None


def constant(value: float) -> ControlSignal:
    """One number on all frames."""
    return ControlSignal(lambda frame: value, is_constant=True)


def drawn(curve: Curve) -> ControlSignal:
    """What a curve says at each frame."""
    return CurveSignal(curve.at, curve.is_constant, curve)


def listed(first: int, values: Sequence[float]) -> ControlSignal:
    """One number a frame from frame `first`, straight between frames; outside, the first and last one hold."""
    end = len(values) - 1

    def at(frame: float) -> float:
        place = min(max(frame - first, 0), end)
        below = int(place)
        if below == place:
            return values[below]
        return values[below] + (values[below + 1] - values[below]) * (place - below)

    return ControlSignal(at, is_constant=min(values) == max(values))


def combined(function: Any, *signals: ControlSignal) -> ControlSignal:
    """`function` of what several controls say at a frame."""
    return ControlSignal(
        lambda frame: function(*(signal.at(frame) for signal in signals)),
        is_constant=all(signal.is_constant for signal in signals),
    )


def from_data(data: DataPayload) -> ControlSignal:
    """Data of kind "number", "curve" or "frames" as a control. Raises `ArtifexError` for any other."""
    try:
        if data.kind == NUMBER:
            return constant(_number(data.content["value"]))
        if data.kind == CURVE:
            return drawn(Curve.parse({CURVE: data.content[CURVE]}))
        if data.kind == FRAMES:
            return listed(int(_number(data.content["first"])), [_number(value) for value in data.content["values"]])
    except (KeyError, TypeError, ValueError):
        raise _unfit(data, "it lacks the numbers that this kind of data has") from None
    raise _unfit(data, "this kind of data is not one number a frame")


def to_data(signal: ControlSignal) -> DataPayload:
    """A constant as a "number", a drawn curve as a "curve". Raises `ArtifexError` for a control that is computed from
    frame to frame: it has no end, so a table of it needs a range."""
    if signal.is_constant:
        return DataPayload(NUMBER, {"value": signal.at(0)})
    if isinstance(signal, CurveSignal) and signal.curve is not None:
        return DataPayload(CURVE, signal.curve.to_json())
    raise ArtifexError(
        "take a control as data",
        "it is computed from frame to frame and goes on for ever",
        "the node ControlTable, which says for which frames",
    )


def table(signal: ControlSignal, first: int, last: int) -> DataPayload:
    """What a control says from frame `first` to `last`, both included, as data of kind "frames"."""
    return DataPayload(FRAMES, {"first": first, "values": [signal.at(frame) for frame in range(first, last + 1)]})


def loudness(sound: AudioStream) -> ControlSignal:
    """The root mean square of the samples that sound during a frame, over all channels; 1.0 is a full-scale square
    wave, a full-scale sine has 0.707, silence 0."""

    @lru_cache(maxsize=_REMEMBERED)
    def at(frame: float) -> float:
        samples = during(sound, frame)
        return math.sqrt(float(samples.square().mean())) if samples.numel() else 0.0

    return ControlSignal(at)


def during(sound: AudioStream, frame: float) -> torch.Tensor:
    """The samples from `frame`, which need not be whole, for the length of one frame: (channels, count)."""
    info = sound.info
    start, end = (round((at - info.first_frame) * info.rate / info.frame_rate) for at in (frame, frame + 1))
    return sound.pull(start, end - start)


def column(data: DataPayload, name: str) -> ControlSignal:
    """One list of an analysis, which has one number a frame from its "first" frame on, as a control. Raises
    `ArtifexError` that says which lists there are."""
    lists = columns(data.content)
    if name not in lists:
        there = ", ".join(lists) or "none"
        raise ArtifexError(f'take "{name}" from data of kind "{data.kind}"', f"its lists are: {there}", "one of these")
    return listed(int(data.content["first"]), lists[name])


def columns(content: Mapping[str, Any]) -> dict[str, Sequence[float]]:
    """Lists with one number a frame, by name; none where the data does not say its first frame."""
    if not isinstance(content.get("first"), int):
        return {}
    return {
        name: values
        for name, values in content.items()
        if isinstance(values, list) and values and all(isinstance(value, (int, float)) for value in values)
    }


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise TypeError
    return float(value)


def _unfit(data: DataPayload, because: str) -> ArtifexError:
    return ArtifexError(
        f'take data of kind "{data.kind}" as a control',
        because,
        "the node DataControl, which takes one list of an analysis, or data of kind number, curve or frames",
    )
