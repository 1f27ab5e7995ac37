"""A number that changes with time by keys: what an artist draws in a host's curve editor.

In documents a curve is {"curve": {"keys": [{"frame": 1001, "value": 2.0, "ease": "bezier", "left": [-8, 0.0], "right":
[8, 0.0]}, ...], "before": "hold", "after": "hold"}}. `ease` says how the value leaves its key; what follows Blender's
F-curves, except that times are compared exactly, is tested against Blender itself.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, Literal, Protocol

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    model_serializer,
    model_validator,
)
from pydantic_core import PydanticCustomError

from artifexpro.core.errors import ArtifexError
from artifexpro.core.graph.easing import AMPLITUDE, BACK, DIRECTIONS, KINDS, PERIOD, Eased

EASES = frozenset({"constant", "linear", "bezier", *(f"{kind}_{way}" for kind in KINDS for way in DIRECTIONS)})
"""How a value goes on from a key: "constant" stays until the next, "linear" is a straight line, "bezier" goes by
handles, the others are easings such as "sine_in_out"."""
FARTHEST = 1e9
LARGEST = 1e30
NEAREST = 1e-6
"""Limits of frames and values, and the least distance of two keys in frames: within them nothing overflows."""
Extrapolation = Literal["hold", "linear", "cycle"]


class Key(BaseModel):
    """A value at a frame, which need not be whole.

    `left` and `right` are handles as offsets (frames, value) from the key, frames being at most 0 for `left` and at
    least 0 for `right`; one that is not given is flat and reaches a third of the way to the neighbour. `back` is the
    overshoot of "back"; `amplitude`, in the units of the value, and `period`, in frames, are those of "elastic".
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    frame: float = Field(ge=-FARTHEST, le=FARTHEST)
    value: float = Field(ge=-LARGEST, le=LARGEST)
    ease: str = "linear"
    left: tuple[float, float] | None = None
    right: tuple[float, float] | None = None
    back: float = Field(default=BACK, ge=0, le=1000)
    amplitude: float = Field(default=AMPLITUDE, ge=0, le=LARGEST)
    period: float = Field(default=PERIOD, ge=0.01, le=FARTHEST)

    @model_validator(mode="before")
    @classmethod
    def _from_json(cls, data: Any) -> Any:
        """JSON has lists where a handle is a pair."""
        if not isinstance(data, Mapping):
            return data
        handles = {side: tuple(data[side]) for side in ("left", "right") if isinstance(data.get(side), list)}
        return {**data, **handles}

    @model_validator(mode="after")
    def _check(self) -> Key:
        if self.ease not in EASES:
            raise _refused(f'no ease is called "{self.ease}"', f"one of {', '.join(sorted(EASES))}")
        for side, handle, sign in (("left", self.left, -1), ("right", self.right, 1)):
            if handle is None:
                continue
            if handle[0] * sign < 0:
                because = f"the {side} handle at frame {self.frame:g} is on the other side of its key"
                raise _refused(because, f"frames {'of at most' if sign < 0 else 'from'} 0 for it")
            if abs(handle[0]) > FARTHEST or abs(handle[1]) > LARGEST:
                raise _refused(f"the {side} handle at frame {self.frame:g} is too long", "a shorter handle")
        return self


class Curve(BaseModel):
    """Keys in order of time, and what holds outside them: "hold" the end's value, go on "linear", or "cycle".

    "linear" goes on as the end does: held where its ease is "constant", in the line to its neighbour where it is
    "linear", else in the direction of the outer handle.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    keys: tuple[Key, ...]
    before: Extrapolation = "hold"
    after: Extrapolation = "hold"

    @classmethod
    def parse(cls, data: Any) -> Curve:
        """Read {"curve": {...}}. Raises `ArtifexError` that says which key is wrong."""
        try:
            return cls.model_validate(data, strict=True)
        except ValidationError as error:
            refusal = error.errors()[0]
            raise ArtifexError("read a curve", refusal["msg"], refusal["ctx"]["remedy"]) from None

    def to_json(self) -> dict[str, Any]:
        """{"curve": {...}} without what is at its default; `parse` gives an equal curve back."""
        written = {name: value for name in ("before", "after") if (value := getattr(self, name)) != "hold"}
        return {"curve": {"keys": [key.model_dump(mode="json", exclude_defaults=True) for key in self.keys], **written}}

    @property
    def is_constant(self) -> bool:
        """Whether it has one value at all times."""
        low, high = self.bounds()
        return low == high

    def at(self, frame: float) -> float:
        """The value at a frame, whole or not."""
        return self._path.at(frame)

    def bounds(self) -> tuple[float, float]:
        """The least and the greatest value at any time, infinite where a line goes on for ever."""
        return self._path.bounds()

    def shifted(self, by: float) -> Curve:
        """The curve `by` frames later. Raises `ArtifexError` where keys would leave the range of frames."""
        keys = [{**key.model_dump(), "frame": key.frame + by} for key in self.keys]
        return Curve.parse({"keys": keys, "before": self.before, "after": self.after})

    @cached_property
    def _path(self) -> _Path:
        return _Path.through(self)

    @model_validator(mode="after")
    def _join(self) -> Curve:
        if not self.keys:
            raise _refused("it has no keys", "at least one")
        ordered = sorted(self.keys, key=lambda key: key.frame)
        for one, other in pairwise(ordered):
            if other.frame - one.frame < NEAREST:
                raise _refused(f"two keys stand on frame {one.frame:g}", "one key a frame")
        object.__setattr__(self, "keys", tuple(ordered))
        return self

    @model_validator(mode="wrap")
    @classmethod
    def _from_json(cls, data: Any, read: ModelWrapValidatorHandler[Curve]) -> Curve:
        """Inside documents, and in nodes whose parameter is a curve, it stands in {"curve": ...}; a refusal says in
        words which key is wrong, also where the curve is a parameter."""
        if isinstance(data, Mapping):
            data = data["curve"] if set(data) == {"curve"} else data
            if isinstance(data, Mapping) and isinstance(data.get("keys"), list):
                data = {**data, "keys": tuple(data["keys"])}
        try:
            return read(data)
        except ValidationError as error:
            raise _refused(*_told(error)) from None

    @model_serializer
    def _serialise(self) -> dict[str, Any]:
        return self.to_json()


class _Part(Protocol):
    """The curve from one key to the next."""

    def at(self, frame: float) -> float: ...

    def bounds(self) -> tuple[float, float]: ...


@dataclass(frozen=True, slots=True)
class _Path:
    """A curve ready to be sampled: the keys' frames, the parts between them, and how it goes on outside."""

    frames: tuple[float, ...]
    parts: tuple[_Part, ...]
    values: tuple[float, float]
    outside: tuple[Extrapolation, Extrapolation]
    slopes: tuple[float, float]

    @classmethod
    def through(cls, curve: Curve) -> _Path:
        keys = curve.keys
        slopes = (
            _slope(keys[0], keys[:2], keys[0].left) if curve.before == "linear" else 0.0,
            _slope(keys[-1], keys[-2:], keys[-1].right) if curve.after == "linear" else 0.0,
        )
        parts = tuple(_part(one, other) for one, other in pairwise(keys))
        ends = (keys[0].value, keys[-1].value)
        return cls(tuple(key.frame for key in keys), parts, ends, (curve.before, curve.after), slopes)

    def at(self, frame: float) -> float:
        frames = self.frames
        if frame >= frames[-1]:
            return self._outside(1, frame - frames[-1])
        if frame < frames[0]:
            return self._outside(0, frame - frames[0])
        return self.parts[bisect_right(frames, frame) - 1].at(frame)

    def bounds(self) -> tuple[float, float]:
        ends = [part.bounds() for part in self.parts]
        low = min([*self.values, *(low for low, _ in ends)])
        high = max([*self.values, *(high for _, high in ends)])
        falls, rises = self.slopes[0] > 0 or self.slopes[1] < 0, self.slopes[0] < 0 or self.slopes[1] > 0
        return -math.inf if falls else low, math.inf if rises else high

    def _outside(self, side: int, away: float) -> float:
        """The value `away` frames from the first (side 0) or the last key (1)."""
        span = self.frames[-1] - self.frames[0]
        if self.outside[side] == "cycle" and span and (into := math.fmod(away, span)):
            return self.at(self.frames[side - 1] + into)
        return self.values[side] + self.slopes[side] * away


@dataclass(frozen=True, slots=True)
class _Held:
    value: float

    def at(self, frame: float) -> float:
        return self.value

    def bounds(self) -> tuple[float, float]:
        return self.value, self.value


@dataclass(frozen=True, slots=True)
class _Straight:
    start: float
    value: float
    slope: float
    end_value: float

    def at(self, frame: float) -> float:
        return self.value + self.slope * (frame - self.start)

    def bounds(self) -> tuple[float, float]:
        return min(self.value, self.end_value), max(self.value, self.end_value)


@dataclass(frozen=True, slots=True)
class _Bezier:
    """Two cubics in t: time as a part of the way from key to key, t (a + t (b + t c)), and the value. Handles reach at
    most to the other key, so time never runs backwards and each frame has one t."""

    start: float
    duration: float
    time: tuple[float, float, float]
    value: float
    values: tuple[float, float, float]
    end_value: float

    @classmethod
    def between(cls, one: Key, other: Key) -> _Bezier:
        duration = other.frame - one.frame
        out = _shortened(one.right or (duration / 3, 0.0), duration)
        into = _shortened(other.left or (-duration / 3, 0.0), duration)
        times = _cubic(out[0] / duration, 1 + into[0] / duration, 1.0)
        change = other.value - one.value
        return cls(one.frame, duration, times, one.value, _cubic(out[1], change + into[1], change), other.value)

    def at(self, frame: float) -> float:
        a, b, c = self.values
        t = self._t((frame - self.start) / self.duration)
        return self.value + t * (a + t * (b + t * c))

    def bounds(self) -> tuple[float, float]:
        a, b, c = self.values
        turns = [t for t in _roots(3 * c, 2 * b, a) if 0 < t < 1]
        values = [self.value, self.end_value, *(self.value + t * (a + t * (b + t * c)) for t in turns)]
        return min(values), max(values)

    def _t(self, way: float) -> float:
        """Newton's steps, halving the bracket instead where one would leave it or time stands still."""
        a, b, c = self.time
        low, high = 0.0, 1.0
        t = way
        for _ in range(100):
            off = t * (a + t * (b + t * c)) - way
            if off > 0:
                high = t
            else:
                low = t
            speed = a + t * (2 * b + t * 3 * c)
            following = t - off / speed if speed > 1e-12 else -1.0
            if not low <= following <= high:
                following = (low + high) / 2
            if abs(following - t) < 1e-13:
                return following
            t = following
        return t


def _part(one: Key, other: Key) -> _Part:
    duration, change = other.frame - one.frame, other.value - one.value
    if one.ease == "constant":
        return _Held(one.value)
    if one.ease == "linear":
        return _Straight(one.frame, one.value, change / duration, other.value)
    if one.ease == "bezier":
        return _Bezier.between(one, other)
    kind, _, direction = one.ease.partition("_")
    return Eased(kind, direction, one.frame, duration, one.value, change, one.back, one.amplitude, one.period)


def _slope(key: Key, line: tuple[Key, ...], handle: tuple[float, float] | None) -> float:
    """Value a frame by which the line outside an end key goes on: that of `line`, the keys at that end, or of its outer
    handle."""
    if key.ease == "linear":
        return (line[1].value - line[0].value) / (line[1].frame - line[0].frame) if len(line) == 2 else 0.0
    if key.ease == "constant" or handle is None or abs(handle[0]) < NEAREST:
        return 0.0
    return handle[1] / handle[0]


def _shortened(handle: tuple[float, float], longest: float) -> tuple[float, float]:
    """A handle that reaches beyond the neighbour keeps its direction and ends at the neighbour's frame."""
    reach = abs(handle[0])
    return handle if reach <= longest else (math.copysign(longest, handle[0]), handle[1] * longest / reach)


def _cubic(p1: float, p2: float, p3: float) -> tuple[float, float, float]:
    """Coefficients of t, t^2 and t^3 of the Bezier polynomial through 0, with control points p1 and p2, to p3."""
    return 3 * p1, 3 * p2 - 6 * p1, p3 - 3 * p2 + 3 * p1


def _roots(a: float, b: float, c: float) -> tuple[float, ...]:
    """Real roots of a t^2 + b t + c, without loss where a is small."""
    if a == 0:
        return (-c / b,) if b else ()
    inside = b * b - 4 * a * c
    if inside < 0:
        return ()
    half = -(b + math.copysign(math.sqrt(inside), b)) / 2
    return (half / a, c / half) if half else (0.0,)


def _refused(because: str, remedy: str) -> PydanticCustomError:
    return PydanticCustomError("curve", "{because}", {"because": because, "remedy": remedy})


_SAID = {
    "missing": "is missing",
    "extra_forbidden": "is no setting here",
    "float_type": "is not a number",
    "finite_number": "is not a finite number",
    "greater_than_equal": "is too small",
    "less_than_equal": "is too large",
    "literal_error": "is none of hold, linear and cycle",
}


def _told(error: ValidationError) -> tuple[str, str]:
    """Why a curve was refused, and the remedy."""
    first = error.errors()[0]
    if first["type"] == "curve":
        return first["msg"], first["ctx"]["remedy"]
    place = [str(part) for part in first["loc"]]
    owner = f"key {int(place[1]) + 1}" if len(place) > 1 else "the curve"
    name = place[2] if len(place) > 2 else place[0] if len(place) == 1 else ""
    said = "is not a pair of numbers" if len(place) > 3 else _SAID.get(first["type"], "is not of the right shape")
    return f"in {owner}, {name} {said}" if name else f"{owner} {said}", 'keys such as {"frame": 1001, "value": 2.0}'
