"""Nuke's text for animation curves, as Foundry's developer guide describes it ("Curve serialisation format").

A key is [K, L, S, R or C] [x frame] value [s left slope] [t right slope] [u left length] [v right length]; lengths are
in thirds of the way to the neighbour. How a curve goes on outside its keys is not written: it travels in the record.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from ..bridge.errors import BridgeError
from ..bridge.motion import CONSTANT, LINEAR, SMOOTH, Handle, Key, Motion

_LETTERS = {CONSTANT: "K", LINEAR: "L", SMOOTH: "S"}
_EASES = {"K": CONSTANT, "L": LINEAR, "S": SMOOTH, "R": SMOOTH}
_TOKEN = re.compile(r"([KLSRC])|([klIi])|([xstuv]?)([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)")


def number(value: float) -> str:
    """A number as Nuke writes it, exact."""
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(float(value))


def written(motion: Motion) -> str:
    """ "curve K x1001 0 ..." for a motion."""
    tokens = ["curve"]
    letter = ""
    for index, key in enumerate(motion):
        if _LETTERS[key.ease] != letter:
            letter = _LETTERS[key.ease]
            tokens.append(letter)
        tokens += [f"x{number(key.frame)}", number(key.value)]
        before = key.frame - motion[index - 1].frame if index else 0.0
        after = motion[index + 1].frame - key.frame if index + 1 < len(motion) else 0.0
        tokens += _tangents(key, before, after)
    return " ".join(tokens)


def _tangents(key: Key, before: float, after: float) -> list[str]:
    tokens = []
    if key.left is not None:
        tokens.append(f"s{number(_slope(key.left))}")
    if key.right is not None:
        tokens.append(f"{'t' if key.left is not None else 's'}{number(_slope(key.right))}")
    if key.left is not None and before:
        tokens.append(f"u{number(abs(key.left[0]) * 3 / before)}")
    if key.right is not None and after:
        tokens.append(f"v{number(abs(key.right[0]) * 3 / after)}")
    return tokens


def _slope(handle: Handle) -> float:
    return handle[1] / handle[0] if handle[0] else 0.0


@dataclass
class _Read:
    """A key as its text says it."""

    frame: float
    value: float
    letter: str
    s: float | None = None
    t: float | None = None
    u: float = 1.0
    v: float = 1.0


def read(text: str, knob: str, node: str) -> Motion:
    """The motion of "curve ...". Raises `BridgeError` for an expression and for a kind of curve that we cannot read."""
    name, _, rest = text.strip().partition(" ")
    if name != "curve":
        raise _refused(knob, node, f'it has the expression "{text.strip()}"', "baking the expression into keys")
    keys = _keys(rest, knob, node)
    if not keys:
        raise _refused(knob, node, "its animation has no keys", "setting a key, or a plain value")
    drawn = [Key(key.frame, key.value, _EASES[key.letter]) for key in keys]
    for index in range(len(keys) - 1):
        if drawn[index].ease == SMOOTH:
            way = keys[index + 1].frame - keys[index].frame
            out, into = keys[index], keys[index + 1]
            reach, back = out.v * way / 3, into.u * way / 3
            drawn[index] = replace(drawn[index], right=(reach, _right_slope(keys, index) * reach))
            drawn[index + 1] = replace(drawn[index + 1], left=(-back, -_left_slope(keys, index + 1) * back))
    return tuple(drawn)


def _keys(text: str, knob: str, node: str) -> list[_Read]:
    keys: list[_Read] = []
    letter, frame = "S", None
    for token in text.split():
        found = _TOKEN.fullmatch(token)
        if found is None:
            raise _refused(knob, node, f'it has the expression "curve {text}"', "baking it into keys")
        if found[1] == "C":
            raise _refused(knob, node, "its curve is a cubic one", "Smooth or Linear keys")
        if found[1]:
            letter = found[1]
        elif found[3] == "x":
            frame = float(found[4])
        elif found[3]:
            if keys:
                setattr(keys[-1], found[3], float(found[4]))
        elif found[4]:
            keys.append(_Read(_following(keys) if frame is None else frame, float(found[4]), letter))
            frame = None
    return keys


def _following(keys: list[_Read]) -> float:
    """The frame of a key that does not state it: as far on as the last two keys are apart."""
    if not keys:
        return 0.0
    return keys[-1].frame + (keys[-1].frame - keys[-2].frame if len(keys) > 1 else 1.0)


def _right_slope(keys: list[_Read], index: int) -> float:
    key = keys[index]
    if key.t is not None:
        return key.t
    return key.s if key.s is not None else _automatic(keys, index)


def _left_slope(keys: list[_Read], index: int) -> float:
    stated = keys[index].s
    return stated if stated is not None else _automatic(keys, index)


def _automatic(keys: list[_Read], index: int) -> float:
    """The slope of a key that states none: along its neighbours, but flat at the ends and, for Smooth, on peaks."""
    if index in (0, len(keys) - 1):
        return 0.0
    before, key, after = keys[index - 1 : index + 2]
    if key.letter == "S" and (key.value - before.value) * (after.value - key.value) <= 0:
        return 0.0
    return (after.value - before.value) / (after.frame - before.frame)


def _refused(knob: str, node: str, because: str, remedy: str) -> BridgeError:
    return BridgeError(f"read the knob {knob} of {node}", because, remedy, code="usage", node=node)
