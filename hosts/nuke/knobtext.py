"""Knobs as scripts have them: how one is added to a node, and the value it begins with."""

from __future__ import annotations

from ..bridge.catalogue import CHOICE, FILE, LINES, MOTION, NUMBER, TICK, WHOLE, Control, Shown
from . import animation
from .nktext import listed, quoted

_CODES = {NUMBER: 7, MOTION: 7, WHOLE: 3, TICK: 6, CHOICE: 4, FILE: 2, LINES: 43}
_TEXT = 1
_WIDEST_SLIDER = 10_000


def added(*words: object) -> str:
    """The line that adds a knob: its number, its name, what it takes. Each may be any text."""
    return f"addUserKnob {listed(map(str, words))}"


def items(*texts: str) -> str:
    """The items of a pulldown, as the word that follows M in `added`."""
    return listed(texts)[1:-1]


def shown(control: Control, handle: str, value: Shown, label: str | None = None) -> list[str]:
    """The lines of a control's knob. `handle` is its name in Nuke; `label` None is the control's own."""
    more: list[object] = ["l", control.label if label is None else label]
    if control.doc:
        more += ["t", control.doc]
    if control.kind == TICK:
        more.append("+STARTLINE")
    if control.kind == CHOICE:
        more += ["M", items(*control.choices)]
    low, high = control.minimum, control.maximum
    if control.kind == NUMBER and low is not None and high is not None and high - low <= _WIDEST_SLIDER:
        more += ["R", animation.number(low), animation.number(high)]
    return [added(_CODES.get(control.kind, _TEXT), handle, *more), f"{handle} {_value(value)}"]


def _value(value: Shown) -> str:
    if isinstance(value, tuple):
        return f"{{{{{animation.written(value)}}}}}"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return animation.number(value)
    return quoted(value)
