"""Knobs as parameters: a knob that moves is sampled on every frame of the job.

A parameter that may move becomes a curve with a key a frame, which is what Nuke itself would use. One that has a single
value for the whole clip is taken where the samples agree and refused where they do not.
"""

from __future__ import annotations

from typing import Any

from . import declaring
from .telling import Refused


def params(node: Any, entry: dict[str, Any], frames: range, besides: frozenset[str]) -> dict[str, Any]:
    """What the node's knobs say for the parameters of a catalogue entry, those at their default left out."""
    found = {}
    for parameter in entry["parameters"]:
        knob = node.knob(parameter["name"])
        if knob is None or parameter["name"] in besides:
            continue
        value = _value(node, knob, parameter, frames)
        if not declaring.same(parameter, value):
            found[parameter["name"]] = value
    return found


def _value(node: Any, knob: Any, parameter: dict[str, Any], frames: range) -> Any:
    _check_expression(node, knob)
    if not (knob.isAnimated() or knob.hasExpression()):
        return _plain(node, knob, parameter)
    samples = [declaring.plain(parameter, _at(knob, frame)) for frame in frames]
    if all(sample == samples[0] for sample in samples):
        return samples[0]
    if not parameter["animatable"]:
        raise Refused(
            f"generate with {node.name()}",
            f"{knob.name()} moves between frames {frames[0]} and {frames[-1]}, and a clip has one {knob.name()}",
            f"{knob.name()} without keys and expression, or one that stands still over these frames",
        )
    keys = [{"frame": frame, "value": sample} for frame, sample in zip(frames, samples)]
    return {"curve": {"keys": keys}}


def _at(knob: Any, frame: int) -> Any:
    """A knob's value at a frame; of a pulldown Nuke tells the number of the item."""
    value = knob.getValueAt(frame)
    return knob.enumName(int(value)) if hasattr(knob, "enumName") else value


def _plain(node: Any, knob: Any, parameter: dict[str, Any]) -> Any:
    try:
        return declaring.plain(parameter, knob.value())
    except ValueError:
        raise Refused(
            f"generate with {node.name()}",
            f'{knob.name()} is "{knob.value()}", which is not a whole number',
            f"{parameter['default']}, as it was",
        ) from None


def _check_expression(node: Any, knob: Any) -> None:
    """Nuke goes on with 0 where an expression has lost what it speaks of; a job must not."""
    if knob.hasExpression() and node.hasError():
        raise Refused(
            f"generate with {node.name()}",
            f"the expression on {knob.name()} cannot be evaluated",
            "mending it, or a plain value",
        )
