"""Whether a clip stays the same scene: how alike each frame is to the one before and to the first.

VBench's formula over features: half the cosine to the frame before and half that to the first, none below 0, mean over
frames from the second on. With VBench's networks it is VBench's score; without, features of our own stand in for them
under a name of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from artifexpro.core.lazy import cv2, numpy
from artifexpro.core.media.metrics.looked import Looked
from artifexpro.core.media.metrics.scores import ONE_FRAME, Found, Mean

if TYPE_CHECKING:
    from numpy.typing import NDArray

Feature = Callable[[Looked], "Sequence[NDArray[Any]]"]
"""What a frame is to the formula: one vector, or several whose cosines are averaged."""
_STRUCTURE = 16
_COLOURS = 8
_FLAT = 1e-4


class Consistency:
    """The score `name`, over the features that `feature` finds."""

    def __init__(self, name: str, feature: Feature) -> None:
        self._name, self._feature = name, feature
        self._mean = Mean("lower")
        self._first: Sequence[NDArray[Any]] = ()
        self._before: Sequence[NDArray[Any]] = ()

    def add(self, frame: Looked) -> None:
        now = self._feature(frame)
        if not self._first:
            self._first = now
        else:
            self._mean.add((_alike(now, self._before) + _alike(now, self._first)) / 2, frame.number)
        self._before = now

    def found(self) -> Mapping[str, Found | str]:
        return {self._name: self._mean.found(ONE_FRAME)}


def structure_and_colour(frame: Looked) -> Sequence[NDArray[Any]]:
    """Luma at 16 x 16 less its mean, and the square roots of the shares of 8 x 8 x 8 colours."""
    small = cv2.resize(frame.grey, (_STRUCTURE, _STRUCTURE), interpolation=cv2.INTER_AREA)
    bins, ranges = [_COLOURS] * 3, [0.0, 1.0001] * 3
    shares = cv2.calcHist([frame.small], [0, 1, 2], None, bins, ranges) / frame.grey.size
    return (small - small.mean()).ravel(), numpy.sqrt(shares).ravel()


def _alike(some: Sequence[NDArray[Any]], others: Sequence[NDArray[Any]]) -> float:
    return sum(_cosine(one, other) for one, other in zip(some, others, strict=True)) / len(some)


def _cosine(one: NDArray[Any], other: NDArray[Any]) -> float:
    """The cosine of two vectors, none below 0. Two flat ones are the same, a flat one and another have nothing in
    common."""
    lengths = float(numpy.linalg.norm(one)), float(numpy.linalg.norm(other))
    if min(lengths) < _FLAT:
        return float(max(lengths) < _FLAT)
    return min(1.0, max(0.0, float(one @ other) / (lengths[0] * lengths[1])))
