"""Curves as the hosts' editors draw them: keys with straight, held or smooth ways between them.

A document's curve can say more: easings by name, and how it goes on outside its keys. What a host cannot draw is drawn
as a smooth way with flat handles, and `edited` keeps it on every key that the artist left alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

CONSTANT = "constant"
LINEAR = "linear"
SMOOTH = "smooth"
NEAREST = 1e-6
"""Two keys of a curve are at least so many frames apart."""
Handle = tuple[float, float]
"""Frames and value from its key."""


@dataclass(frozen=True)
class Key:
    """A value at a frame. `ease` is the way to the next key; a handle is given where the way on its side is smooth."""

    frame: float
    value: float
    ease: str = LINEAR
    left: Handle | None = None
    right: Handle | None = None

    def near(self, other: Key, *, last: bool = False) -> bool:
        """Whether a host's rounding may have made one of the other. Nothing follows the `last` key."""
        return (
            abs(self.frame - other.frame) < 1e-4
            and close(self.value, other.value)
            and (last or self.ease == other.ease)
            and _alike(self.left, other.left)
            and (last or _alike(self.right, other.right))
        )


Motion = tuple[Key, ...]


def close(one: float, other: float) -> bool:
    """Whether two numbers are one that a host has rounded: some keep them in single precision."""
    return math.isclose(one, other, rel_tol=1e-6, abs_tol=1e-9)


def _alike(one: Handle | None, other: Handle | None) -> bool:
    if one is None or other is None:
        return one is other
    return all(math.isclose(a, b, rel_tol=1e-4, abs_tol=1e-4) for a, b in zip(one, other))


def same(one: Motion, other: Motion) -> bool:
    """Whether both draw the same curve."""
    count = len(one)
    pairs = enumerate(zip(one, other), 1)
    return count == len(other) and all(key.near(twin, last=number == count) for number, (key, twin) in pairs)


def drawn(value: Any) -> Motion | None:
    """A document's {"curve": ...} as a host draws it; None where it is not one."""
    if not is_curve(value):
        return None
    keys = sorted(value["curve"]["keys"], key=lambda key: float(key["frame"]))
    apart = [late["frame"] - early["frame"] for early, late in zip(keys, keys[1:])]
    if any(way < NEAREST for way in apart):
        return None
    eases = [_ease(key) for key in keys]
    return tuple(
        Key(
            float(key["frame"]),
            float(key["value"]),
            eases[number],
            _handle(key, "left", -apart[number - 1]) if number and eases[number - 1] == SMOOTH else None,
            _handle(key, "right", apart[number]) if number < len(apart) and eases[number] == SMOOTH else None,
        )
        for number, key in enumerate(keys)
    )


def is_curve(value: Any) -> bool:
    """Whether this is a curve with at least one key, each with a frame and a value."""
    inside = value.get("curve") if isinstance(value, Mapping) and set(value) == {"curve"} else None
    keys = inside.get("keys") if isinstance(inside, Mapping) else None
    return isinstance(keys, Sequence) and len(keys) > 0 and all(_is_key(key) for key in keys)


def _is_key(key: Any) -> bool:
    if not isinstance(key, Mapping) or not all(is_number(key.get(name)) for name in ("frame", "value")):
        return False
    handles = (key.get(side) for side in ("left", "right") if key.get(side) is not None)
    return isinstance(key.get("ease", LINEAR), str) and all(
        isinstance(handle, (list, tuple)) and len(handle) == 2 and all(map(is_number, handle)) for handle in handles
    )


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _ease(key: Mapping[str, Any]) -> str:
    named = key.get("ease", LINEAR)
    return named if named in (CONSTANT, LINEAR) else SMOOTH


def _handle(key: Mapping[str, Any], side: str, way: float) -> Handle:
    """A handle where the curve goes by handles, else a flat one; at most as long as the way to the neighbour. One that
    stands upright is drawn without length."""
    stated = key.get(side)
    if stated is None or key.get("ease", LINEAR) not in ("bezier", CONSTANT, LINEAR):
        return way / 3, 0.0
    reach, longest = abs(stated[0]), abs(way)
    if reach < NEAREST:
        return 0.0, 0.0
    if reach <= longest:
        return float(stated[0]), float(stated[1])
    return way, stated[1] * longest / reach


def edited(before: Any, now: Motion) -> dict[str, Any]:
    """The document's curve after an artist changed what is drawn from `before` (a number, a curve, anything) to `now`.

    Keys that look as they did stay as they were, with their easing; so does what holds outside the keys.
    """
    was = drawn(before)
    if was is None:
        return {"curve": {"keys": [_key(key) for key in now]}}
    known = sorted(before["curve"]["keys"], key=lambda key: float(key["frame"]))
    kept = dict(before["curve"])
    kept["keys"] = [_kept(key, number == len(now), was, known) for number, key in enumerate(now, 1)]
    return {"curve": kept}


def _kept(key: Key, last: bool, was: Motion, known: Sequence[Any]) -> Any:
    for twin, record in zip(was, known):
        if twin.near(key, last=last):
            return record
    return _key(key)


def _key(key: Key) -> dict[str, Any]:
    told: dict[str, Any] = {"frame": key.frame, "value": key.value}
    if key.ease != LINEAR:
        told["ease"] = "bezier" if key.ease == SMOOTH else key.ease
    for side, handle in (("left", key.left), ("right", key.right)):
        if handle is not None:
            told[side] = list(handle)
    return told
