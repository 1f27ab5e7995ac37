"""Curves as Fusion keeps them: a BezierSpline with keys by frame.

Handles stand at absolute frames and values. A straight way has `Linear` on its first key; a value is held until a key
with `StepIn`. How a curve goes on outside its keys is not written: it travels in the record.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..bridge.errors import BridgeError
from ..bridge.motion import CONSTANT, LINEAR, SMOOTH, Handle, Key, Motion, is_number
from .settingtext import Table, made

KIND = "BezierSpline"


def written(motion: Motion) -> Table:
    frames = Table()
    for index, key in enumerate(motion):
        before = motion[index - 1] if index else None
        after = motion[index + 1] if index + 1 < len(motion) else None
        frames.items.append((key.frame, _key(key, before, after)))
    return made(KIND, SplineColor=made(Red=225, Green=255, Blue=0), NameSet=True, KeyFrames=frames)


def _key(key: Key, before: Key | None, after: Key | None) -> Table:
    told = made("", key.value)
    if before is not None and before.ease != CONSTANT:
        told.items.append(("LH", _at(key, key.left or _third(key, before))))
    if after is not None and key.ease != CONSTANT:
        told.items.append(("RH", _at(key, key.right or _third(key, after))))
    flags = Table()
    if after is not None and key.ease == LINEAR:
        flags.items.append(("Linear", True))
    if before is not None and before.ease == CONSTANT:
        flags.items.append(("StepIn", True))
    if flags.items:
        told.items.append(("Flags", flags))
    return told


def _at(key: Key, handle: Handle) -> Table:
    return made("", key.frame + handle[0], key.value + handle[1])


def _third(key: Key, other: Key) -> Handle:
    """The handle of a straight way."""
    return (other.frame - key.frame) / 3, (other.value - key.value) / 3


def read(spline: Table, control: str, node: str) -> Motion:
    """The motion of a spline. Raises `BridgeError` where it has no keys that can be read."""
    found = sorted(_by_frame(spline.table("KeyFrames")), key=lambda item: item[0])
    if not found or not all(is_number(_value(key)) for _, key in found):
        raise BridgeError(
            f"read {control} of {node}",
            "its spline has no keys with numbers",
            "setting its keys again",
            code="usage",
            node=node,
        )
    keys = [Key(frame, float(_value(key))) for frame, key in found]
    for index in range(len(keys) - 1):
        out, into = found[index][1], found[index + 1][1]
        if into.table("Flags").get("StepIn"):
            keys[index] = replace(keys[index], ease=CONSTANT)
        elif not out.table("Flags").get("Linear"):
            keys[index] = replace(keys[index], ease=SMOOTH, right=_handle(out, "RH", keys, index, index + 1))
            keys[index + 1] = replace(keys[index + 1], left=_handle(into, "LH", keys, index + 1, index))
    return tuple(keys)


def _by_frame(frames: Table) -> Iterator[tuple[float, Table]]:
    """Keys by frame; to Lua an item without a key is one at 1, 2, 3 ..."""
    at = 0
    for frame, key in frames.items:
        at += frame is None
        if isinstance(key, Table) and (frame is None or is_number(frame)):
            yield float(at if frame is None else frame), key


def _value(key: Table) -> float:
    return key.listed()[0] if key.listed() else key.get(1)


def _handle(told: Table, side: str, keys: list[Key], index: int, other: int) -> Handle:
    """A handle as an offset; Fusion fills in a third of the straight way where none is given."""
    at = told.table(side)
    place = at.listed() or [at.get(1), at.get(2)]
    if len(place) == 2 and all(map(is_number, place)):
        return place[0] - keys[index].frame, place[1] - keys[index].value
    return _third(keys[index], keys[other])
