"""Knobs as parameters: a knob that moves is sampled on every frame of the job.

A parameter that may move becomes a curve with a key a frame, which is what Nuke itself would use. One that has a single
value for the whole clip is taken where the samples agree and refused where they do not.
"""

from __future__ import annotations

from typing import Any

from ..bridge.catalogue import NUMBER, OPTIONAL, TICK, WHOLE, Control, Shown, controls
from ..bridge.errors import BridgeError
from .telling import Refused


def params(node: Any, entry: dict[str, Any], frames: range, besides: frozenset[str]) -> dict[str, Any]:
    """What the node's knobs say for the parameters of a catalogue entry, those at their default left out."""
    found = {}
    for control in controls(entry):
        knob = node.knob(control.name)
        if knob is None or control.name in besides:
            continue
        samples = _samples(node, knob, control, frames)
        if len(samples) > 1:
            keys = [{"frame": frame, "value": sample} for frame, sample in zip(frames, samples)]
            found[control.name] = {"curve": {"keys": keys}}
        elif not control.unchanged(control.default, samples[0]):
            found[control.name] = _value(node, control, samples[0])
    return found


def _samples(node: Any, knob: Any, control: Control, frames: range) -> list[Shown]:
    """What the knob shows: on each frame where it moves, else once."""
    _check_expression(node, knob)
    if not (knob.isAnimated() or knob.hasExpression()):
        return [_typed(control, knob.value())]
    samples = [_typed(control, _at(knob, frame)) for frame in frames]
    if all(sample == samples[0] for sample in samples):
        return samples[:1]
    if not control.moves:
        raise Refused(
            f"generate with {node.name()}",
            f"{knob.name()} moves between frames {frames[0]} and {frames[-1]}, and a clip has one {knob.name()}",
            f"{knob.name()} without keys and expression, or one that stands still over these frames",
        )
    return samples


def _typed(control: Control, value: Any) -> Shown:
    """Nuke tells numbers of every kind as floats where they are asked for at a frame."""
    kind = {WHOLE: int, TICK: bool, NUMBER: float}.get(control.kind, str)
    made: Shown = kind(value)
    return made


def _value(node: Any, control: Control, shown: Shown) -> Any:
    try:
        return control.value(shown, None, node.name())
    except BridgeError:
        what = "a whole number" if control.whole else "a number" if control.kind == OPTIONAL else "one of its choices"
        raise Refused(
            f"generate with {node.name()}",
            f'{control.name} is "{shown}", which is not {what}',
            f"{control.default or 'nothing'}, as it was",
        ) from None


def _at(knob: Any, frame: int) -> Any:
    """A knob's value at a frame; of a pulldown Nuke tells the number of the item."""
    value = knob.getValueAt(frame)
    return knob.enumName(int(value)) if hasattr(knob, "enumName") else value


def _check_expression(node: Any, knob: Any) -> None:
    """Nuke goes on with 0 where an expression has lost what it speaks of; a job must not."""
    if knob.hasExpression() and node.hasError():
        raise Refused(
            f"generate with {node.name()}",
            f"the expression on {knob.name()} cannot be evaluated",
            "mending it, or a plain value",
        )
