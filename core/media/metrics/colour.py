"""What happens to colour over time: brightness that flickers, colour that drifts away.

Frames are compared along their movement, so that a camera that turns to something darker is neither. Of each pair the
median difference is taken; their sum is how far the colour of most of the picture has gone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from artifexpro.core.lazy import cv2, numpy
from artifexpro.core.media.metrics import scores
from artifexpro.core.media.metrics.flow import Pair
from artifexpro.core.media.metrics.motion import TOO_SMALL
from artifexpro.core.media.metrics.scores import ONE_FRAME, TWO_FRAMES, Found, Mean

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SAME_THING = 10.0
"""Of L*, a* or b*: what differs by more from the median difference is something else."""
_WINDOW = 5
"""Frames whose mean is the colour of the beginning, and of now."""
_ENOUGH = 20_000
"""Pixels whose median is that of all."""
_BLACK = 1.0
"""L* below which a pixel says nothing: black stays black under any light."""


class ColourInTime:
    """`brightness_flicker` and `colour_drift`."""

    def __init__(self) -> None:
        self._gone = numpy.zeros(3)
        self._latest: deque[NDArray[Any]] = deque([self._gone], maxlen=_WINDOW)
        self._beginning: NDArray[Any] = self._gone
        self._flicker = Mean()
        self._drift = Found(0.0)
        self._pairs = 0
        self._too_small = False

    def add(self, pair: Pair) -> None:
        if pair.flow is None:
            self._too_small = True
            return
        self._pairs += 1
        number = pair.later.number
        self._gone = self._gone + _difference(pair)
        if self._pairs >= 2:
            before, middle = (each[0] for each in (self._latest[-2], self._latest[-1]))
            self._flicker.add(abs(float(middle - (before + self._gone[0]) / 2)), number - 1)
        self._latest.append(self._gone)
        now = numpy.mean(self._latest, axis=0)
        if self._pairs < _WINDOW:
            self._beginning = now
        far = float(numpy.linalg.norm(now - self._beginning))
        if far > self._drift.value:
            self._drift = Found(far, number)

    def found(self) -> Mapping[str, Found | str]:
        few = TOO_SMALL if self._too_small else ONE_FRAME
        enough = self._pairs >= _WINDOW
        short = f"it takes more than {_WINDOW} frames"
        return {
            scores.BRIGHTNESS_FLICKER: self._flicker.found(TWO_FRAMES if self._pairs else few),
            scores.COLOUR_DRIFT: self._drift if enough else short if self._pairs else few,
        }


def _difference(pair: Pair) -> NDArray[Any]:
    """(3,) median difference in CIE L*a*b* of what both frames show and is not black: what is covered and uncovered
    does not count, nor what less than half of the picture does. Nothing where they show different things, as at a
    cut."""
    fetched = cv2.cvtColor(pair.fetched, cv2.COLOR_RGB2Lab)
    counts = pair.seen & (pair.later.lab[..., 0] > _BLACK) & (fetched[..., 0] > _BLACK)
    change = (pair.later.lab - fetched)[counts]
    if not len(change):
        return numpy.zeros(3)
    usual: NDArray[Any] = numpy.median(change[:: 1 + len(change) // _ENOUGH], axis=0).astype(numpy.float64)
    alike = (numpy.abs(change - usual) < _SAME_THING).all(axis=1)
    return usual if alike.mean() >= 0.5 else numpy.zeros(3)
