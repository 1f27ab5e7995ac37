"""Easings by name: how a value gets from one key to the next, as hosts offer it.

The shapes are Robert Penner's easing equations ("Motion, Tweening and Easing", in Programming Macromedia Flash MX,
2002) with the two changes that Blender makes, so that curves taken from there look the same: the exponential is
stretched to begin at 0 exactly, and an elastic swing smaller than the way to go fades over to it within the quarter
period nearest to the key.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

BACK = 1.70158
"""Penner's overshoot: a tenth of the way."""
AMPLITUDE = 0.8
PERIOD = 4.1
_BACK_BOTH = 1.525
_GOLDEN = (math.sqrt(5) - 1) / 2


def _bounce(t: float) -> float:
    """Penner's bounce, from the ball's last landing at t = 0 back to its fall."""
    t = 1 - t
    if t < 1 / 2.75:
        return 1 - 7.5625 * t * t
    if t < 2 / 2.75:
        return 1 - (7.5625 * (t - 1.5 / 2.75) ** 2 + 0.75)
    if t < 2.5 / 2.75:
        return 1 - (7.5625 * (t - 2.25 / 2.75) ** 2 + 0.9375)
    return 1 - (7.5625 * (t - 2.625 / 2.75) ** 2 + 0.984375)


SHAPES: Mapping[str, Callable[[float], float]] = {
    "sine": lambda t: 1 - math.cos(t * math.pi / 2),
    "quad": lambda t: t * t,
    "cubic": lambda t: t**3,
    "quart": lambda t: t**4,
    "quint": lambda t: t**5,
    "expo": lambda t: (2 ** (10 * (t - 1)) - 2**-10) / (1 - 2**-10),
    "circ": lambda t: 1 - math.sqrt(1 - t * t),
    "bounce": _bounce,
}
"""The way covered (0 to 1) at time t (0 to 1) where a move starts slowly ("in")."""
KINDS = (*SHAPES, "back", "elastic")
DIRECTIONS = ("in", "out", "in_out")
"""Where it is slow: at the start, at the end, at both."""


@dataclass(frozen=True, slots=True)
class Eased:
    """The way from `begin` by `change` in `duration` frames after `start`.

    `back` is how far "back" overshoots. `amplitude`, in the units of the value, and `period`, in frames, are those of
    "elastic".
    """

    kind: str
    direction: str
    start: float
    duration: float
    begin: float
    change: float
    back: float
    amplitude: float
    period: float

    def at(self, frame: float) -> float:
        t = (frame - self.start) / self.duration
        if self.direction == "in":
            way = self._slow_start(t)
        elif self.direction == "out":
            way = self.change - self._slow_start(1 - t)
        elif t < 0.5:
            way = self._slow_start(2 * t) / 2
        else:
            way = self.change - self._slow_start(2 - 2 * t) / 2
        return self.begin + way

    def bounds(self) -> tuple[float, float]:
        """Least and greatest value between the two keys; for "elastic" found by search, within 1e-9 of the swing."""
        low, high = self._ways()
        if self.direction == "out":
            low, high = self.change - high, self.change - low
        elif self.direction == "in_out":
            low, high = min(low / 2, self.change - high / 2), max(high / 2, self.change - low / 2)
        return self.begin + low, self.begin + high

    def _slow_start(self, t: float) -> float:
        if self.kind == "elastic":
            return self._elastic(t)
        if self.kind == "back":
            overshoot = self._overshoot()
            return self.change * t * t * ((overshoot + 1) * t - overshoot)
        return self.change * SHAPES[self.kind](t)

    def _overshoot(self) -> float:
        return self.back * _BACK_BOTH if self.direction == "in_out" else self.back

    def _elastic(self, t: float) -> float:
        if t in (0, 1):
            return self.change * t
        away = (t - 1) * self.duration
        swing, lag, fade = self.amplitude, 0.0, 1.0
        if swing < abs(self.change):
            lag = self.period / 4
            fade = swing / abs(self.change)
            if -away < lag:
                fade = 1 + (fade - 1) * -away / lag
            swing = self.change
        elif swing:
            lag = self.period / math.tau * math.asin(self.change / swing)
        return -fade * swing * 2 ** (10 * (t - 1)) * math.sin((away - lag) * math.tau / self.period)

    def _ways(self) -> tuple[float, float]:
        ends = [0.0, self.change]
        if self.kind == "back":
            overshoot = self._overshoot()
            ends.append(self._slow_start(2 * overshoot / (3 * (overshoot + 1))))
        elif self.kind == "elastic":
            ends += [self._turn(1), self._turn(-1)]
        return min(ends), max(ends)

    def _turn(self, sign: int) -> float:
        """The greatest (`sign` 1) or least (-1) value of the swing. It dies away from the key, so it is largest within
        two periods of it."""
        first = max(0.0, 1 - 2 * self.period / self.duration)
        step = (1 - first) / 256
        best = max(range(257), key=lambda at: sign * self._elastic(first + at * step))
        low, high = max(first, first + (best - 1) * step), min(1.0, first + (best + 1) * step)
        while high - low > 1e-9 * step:
            one, other = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
            if sign * self._elastic(one) < sign * self._elastic(other):
                low = one
            else:
                high = other
        return self._elastic((low + high) / 2)
