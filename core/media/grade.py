"""Grades: mix the channels, raise them to a power, mix them again.

ASC CDL, colour wheels and an exposure, contrast and saturation corrector are all of that form, so they are three sets
of numbers for one computation. Colour is scene-linear: nothing clips above 1, and a power leaves negative values as
they are, unless a grade says that it clamps. Alpha is divided out where a power acts and multiplied in again. What a
grade adds (an offset, a lift) it adds where the picture has coverage.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from artifexpro.core.lazy import numpy, torch
from artifexpro.core.media.channels import Mix, apart, raised

if TYPE_CHECKING:
    from numpy.typing import NDArray

Clamp = Literal["none", "black", "black and white"]
RGB = tuple[float, float, float]

REC709_LUMA: RGB = (0.2126, 0.7152, 0.0722)
"""Weights of ITU-R BT.709, which ASC CDL 1.2 uses in any space."""
AP1_LUMINANCE: RGB = (0.2722287168, 0.6740817658, 0.0536895174)
"""Luminance of ACEScg's primaries: Academy S-2014-004."""


@dataclass(frozen=True, slots=True, eq=False)
class Grade:
    """Channels are mixed as `before` says, raised to `power` and mixed as `after` says; after each mix they are
    clamped."""

    before: Mix
    power: RGB = (1.0, 1.0, 1.0)
    after: Mix | None = None
    clamp: Clamp = "none"

    @property
    def mix(self) -> Mix | None:
        """The one mix that this grade is, if it raises to no power and clamps nothing."""
        if self.power != (1.0, 1.0, 1.0) or self.clamp != "none":
            return None
        return self.before if self.after is None else self.before.then(self.after)


def graded(pixels: torch.Tensor, grade: Grade) -> torch.Tensor:
    """(1, 4, H, W) premultiplied pixels under `grade`."""
    if (mix := grade.mix) is not None:
        return mix(pixels).to(pixels.dtype)
    colour, divisor = apart(pixels)
    out = straight(colour, grade, opaque=divisor is None)
    if divisor is not None:
        out *= divisor
    return out.to(pixels.dtype)


def straight(pixels: torch.Tensor, grade: Grade, *, opaque: bool) -> torch.Tensor:
    """(1, 4, H, W) float32 pixels with alpha divided out, or `opaque` ones, under `grade`: a new tensor."""
    out = grade.before(pixels, opaque=opaque)
    _clamp(out, grade.clamp)
    if grade.power != (1.0, 1.0, 1.0):
        out = raised(out, grade.power)
    if grade.after is not None:
        out = grade.after(out, opaque=opaque)
        _clamp(out, grade.clamp)
    return out


def _clamp(pixels: torch.Tensor, clamp: Clamp) -> None:
    if clamp != "none":
        pixels.clamp_(min=0, max=1 if clamp == "black and white" else None)


@lru_cache(maxsize=256)
def cdl(slope: RGB, offset: RGB, power: RGB, saturation: float, clamp: Clamp) -> Grade:
    """ASC Color Decision List, release 1.2 (American Society of Cinematographers, 2009): (slope x + offset) to the
    power, then saturation about Rec.709 luma. The release clamps to 0..1 before the power and at the end: `clamp`
    "black and white"."""
    before = numpy.column_stack([numpy.diag(slope), offset])
    after = None if saturation == 1 else Mix(_chroma(saturation, 0.0, REC709_LUMA))
    return Grade(Mix(before), power, after, clamp)


@lru_cache(maxsize=256)
def wheels(lift: RGB, gamma: RGB, gain: RGB, offset: RGB) -> Grade:
    """Lift, gamma, gain: (gain (x + lift (1 - x))) to the power 1 / gamma, plus offset. Lift moves black and holds
    white, gain moves white and holds black, gamma moves what is between."""
    rows = [(g * (1 - low), g * low) for g, low in zip(gain, lift, strict=True)]
    before = numpy.column_stack([numpy.diag([slope for slope, _ in rows]), [added for _, added in rows]])
    after = Mix(numpy.column_stack([numpy.eye(3), offset])) if any(offset) else None
    red, green, blue = (1 / value for value in gamma)
    return Grade(Mix(before), (red, green, blue), after)


@lru_cache(maxsize=256)
def corrector(exposure: float, contrast: float, pivot: float, saturation: float, hue: float) -> Grade:
    """Exposure in stops, then contrast: pivot (x / pivot) to the power `contrast`, which keeps `pivot`, then saturation
    and a turn of hue by degrees, which keep luminance and grey."""
    gain = 2.0**exposure / pivot if contrast != 1 else 2.0**exposure
    before = numpy.column_stack([numpy.eye(3) * gain, numpy.zeros(3)])
    power = (contrast, contrast, contrast)
    if contrast == 1 and (saturation, hue) == (1, 0):
        return Grade(Mix(before), power)
    after = _chroma(saturation, hue, AP1_LUMINANCE)
    if contrast == 1:
        after[:, :3] *= gain
        return Grade(Mix(after), power)
    after[:, :3] *= pivot
    return Grade(Mix(before), power, Mix(after))


def _chroma(saturation: float, hue: float, luminance: Sequence[float]) -> NDArray[Any]:
    """(3, 4): grey of equal luminance, plus what a colour differs from it, turned about the grey axis by `hue` degrees
    (Rodrigues' formula) and taken `saturation` times."""
    grey = numpy.ones((3, 1)) @ numpy.array([luminance]) / sum(luminance)
    turn, third = math.radians(hue), math.sqrt(1 / 3)
    cross = third * numpy.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]])
    rotation = numpy.eye(3) + math.sin(turn) * cross + (1 - math.cos(turn)) * cross @ cross
    chroma = saturation * (numpy.eye(3) - grey) @ rotation
    return numpy.column_stack([grey + chroma, numpy.zeros(3)])
