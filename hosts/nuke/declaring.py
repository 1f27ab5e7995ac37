"""From a parameter of the catalogue to the line that makes its knob, and back to the parameter's value."""

from __future__ import annotations

from typing import Any

from . import tcl

_CODES = {"int": 3, "choice": 4, "bool": 6, "float": 7}
_LARGEST = 2**31 - 1
"""Nuke's integer knobs have 32 bits; a larger number of the catalogue is a text."""
Parameter = dict[str, Any]


def kind_of(parameter: Parameter) -> int:
    """The number by which `addUserKnob` makes the knob."""
    if parameter["type"] == "string":
        if parameter["unit"] == "path":
            return 2
        return 43 if "prompt" in parameter["name"] else 1
    if parameter["type"] == "int" and (parameter["default"] is None or (parameter["maximum"] or 0) > _LARGEST):
        return 1
    return _CODES[parameter["type"]]


def line(parameter: Parameter) -> str:
    """The `addUserKnob` of a parameter, and its value where that is not what Nuke would begin with."""
    name, code = parameter["name"], kind_of(parameter)
    more: list[object] = ["l", name.replace("_", " "), "t", parameter["doc"]]
    if code == 4:
        more += ["M", tcl.listed(*parameter["choices"])[1:-1]]
    low, high = parameter["minimum"], parameter["maximum"]
    if code in (3, 7) and low is not None and high is not None:
        more += ["R", low, min(high, _LARGEST)]
    made = " addUserKnob " + tcl.listed(code, name, *more)
    default = parameter["default"]
    if code == 1 and default is not None:
        return f"{made}\n {name} {tcl.word(default)}"
    if default in (None, "", 0, False) and code != 4:
        return made
    value = {True: "true", False: "false"}.get(default, default) if code == 6 else default
    return f"{made}\n {name} {tcl.word(value)}"


def plain(parameter: Parameter, value: Any) -> Any:
    """A knob's value as the parameter has it. Raises `ValueError` for a text that is no number where one is needed."""
    kind = parameter["type"]
    if kind == "int":
        return None if value == "" else int(value)
    if kind == "bool":
        return bool(value)
    return float(value) if kind == "float" else str(value)


def same(parameter: Parameter, value: Any) -> bool:
    """Whether the value is the parameter's own: knobs hold single precision."""
    default = parameter["default"]
    if isinstance(value, dict):
        return False
    if parameter["type"] == "float" and default is not None:
        return abs(value - default) <= 1e-6 * max(1.0, abs(default))
    return bool(value == default)
