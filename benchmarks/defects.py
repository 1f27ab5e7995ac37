"""Clips that are good by the way they are drawn, and the defects that generators make, planted in them.

Everything is drawn from seeds: textures under a moving camera, shapes over flat colour and over texture, slow and fast,
straight and in curves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import cos, pi, sin
from typing import TYPE_CHECKING, Any

from artifexpro.core.lazy import cv2, numpy

if TYPE_CHECKING:
    from numpy.typing import NDArray

RATE = 24
_FINER = 4


@dataclass(frozen=True)
class Canvas:
    """What is drawn on: pixels, and how many frames. Movement is in pixels, whatever the size."""

    width: int = 256
    height: int = 144
    frames: int = 25


SMALL, WIDE = Canvas(), Canvas(1280, 720, 9)
Moment = Callable[[Canvas, float, float, float], Any]
"""The picture at a time in frames with the camera moved by pixels right and down: (H, W, 3) float32 sRGB in 0..1."""
Spoil = Callable[[Moment, Canvas], "Iterator[NDArray[Any]]"]


@lru_cache(maxsize=8)
def _texture(on: Canvas, seed: int) -> NDArray[Any]:
    """Noise of four sizes, larger than the picture so that a camera can move over it."""
    random = numpy.random.default_rng(seed)
    made = numpy.zeros((2 * on.height + 112, 2 * on.width + 128, 3), numpy.float32)
    for size, share in ((1.5, 0.15), (4, 0.3), (16, 0.6), (48, 1.0)):
        noise = cv2.GaussianBlur(random.standard_normal(made.shape).astype(numpy.float32), (0, 0), size)
        made += share * noise / noise.std()
    made -= made.min()
    result: NDArray[Any] = 0.1 + 0.8 * made / made.max()
    return result


def _seen(on: Canvas, seed: int, x: float, y: float, zoom: float = 1.0, turn: float = 0.0) -> NDArray[Any]:
    """What a camera sees of a texture, its upper left corner at (x, y)."""
    c, s = cos(turn) / zoom, sin(turn) / zoom
    middle = numpy.array([on.width / 2, on.height / 2])
    moved = middle + numpy.array([x, y]) - numpy.array([[c, -s], [s, c]]) @ middle
    matrix = numpy.array([[c, -s, moved[0]], [s, c, moved[1]]])
    how = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(_texture(on, seed), matrix, (on.width, on.height), flags=how).clip(0, 1)


def _with(picture: NDArray[Any], kind: str, x: float, y: float, size: float, color: tuple[float, ...]) -> NDArray[Any]:
    """A disc or a square over a picture, its centre at (x, y) and its edges smooth."""
    height, width = picture.shape[:2]
    mask = numpy.zeros((height * _FINER, width * _FINER), numpy.uint8)
    across, down, reach = (round(each * _FINER * 16) for each in (x + 0.5, y + 0.5, size))
    if kind == "disc":
        cv2.circle(mask, (across, down), reach, 255, -1, shift=4)
    else:
        cv2.rectangle(mask, (across - reach, down - reach), (across + reach, down + reach), 255, -1, shift=4)
    cover = cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA).astype(numpy.float32)[..., None] / 255
    result: NDArray[Any] = picture * (1 - cover) + numpy.array(color, numpy.float32) * cover
    return result


def _flat(on: Canvas, *color: float) -> NDArray[Any]:
    return numpy.full((on.height, on.width, 3), numpy.array(color, numpy.float32))


def _pan(on: Canvas, t: float, x: float, y: float) -> NDArray[Any]:
    return _seen(on, 1, 60 + 2.3 * t + x, 60 + 0.7 * t + y)


def _turn(on: Canvas, t: float, x: float, y: float) -> NDArray[Any]:
    return _seen(on, 2, 80 + x, 70 + y, 1 + 0.004 * t, 0.006 * t)


def _sway(on: Canvas, t: float, x: float, y: float) -> NDArray[Any]:
    angle = 2 * pi * t / 48
    return _seen(on, 3, 80 + 20 * sin(angle) + x, 70 + 8 * cos(angle) + y)


def _shapes(on: Canvas, t: float, x: float, y: float) -> NDArray[Any]:
    disc = _with(_flat(on, 0.05, 0.08, 0.2), "disc", 60 + 3 * t - x, 50 + 0.5 * t - y, 18, (0.9, 0.1, 0.1))
    return _with(disc, "square", 180 - 1.5 * t - x, 100 - y, 14, (0.1, 0.8, 0.2))


def _small_and_slow(on: Canvas, t: float, x: float, y: float) -> NDArray[Any]:
    return _with(_flat(on, 0, 0, 0), "disc", 100 + 0.6 * t - x, 70 - y, 8, (0.1, 0.2, 0.9))


def _over_texture(on: Canvas, t: float, x: float, y: float) -> NDArray[Any]:
    behind = _seen(on, 5, 80 - 1.1 * t + x, 80 + y, 1 + 0.004 * t)
    return _with(behind, "disc", 60 + 4 * t - x, 70 - y, 25, (0.9, 0.8, 0.1))


GOOD: Mapping[str, Moment] = {
    "a pan over texture": _pan,
    "a turn and zoom": _turn,
    "a camera that sways": _sway,
    "shapes over flat colour": _shapes,
    "a small shape, slow": _small_and_slow,
    "a shape over texture": _over_texture,
}


def good(moment: Moment, on: Canvas = SMALL) -> Iterator[NDArray[Any]]:
    """The clip as it is drawn."""
    for t in range(on.frames):
        yield moment(on, t, 0, 0)


def _jitter(pixels: float) -> Spoil:
    """The camera is up to so many pixels off in both directions, anew in each frame."""

    def clip(moment: Moment, on: Canvas = SMALL) -> Iterator[NDArray[Any]]:
        off = numpy.random.default_rng(3).uniform(-pixels, pixels, (on.frames, 2))
        for t in range(on.frames):
            yield moment(on, t, *off[t])

    return clip


def _flicker(moment: Moment, on: Canvas = SMALL) -> Iterator[NDArray[Any]]:
    """Each frame is 4 % brighter or darker than drawn."""
    signs = numpy.random.default_rng(4).choice([-1.0, 1.0], on.frames)
    for t in range(on.frames):
        yield (moment(on, t, 0, 0) * (1 + 0.04 * signs[t])).clip(0, 1)


def _drift(moment: Moment, on: Canvas = SMALL) -> Iterator[NDArray[Any]]:
    """Red gains and blue loses 12 % from the first to the last frame."""
    for t in range(on.frames):
        gain = 1 + numpy.array([0.12, 0, -0.12], numpy.float32) * t / (on.frames - 1)
        yield (moment(on, t, 0, 0) * gain).clip(0, 1)


def _freeze(moment: Moment, on: Canvas = SMALL) -> Iterator[NDArray[Any]]:
    """From three fifths on, the clip stands still."""
    for t in range(on.frames):
        yield moment(on, min(t, on.frames * 3 // 5), 0, 0)


def _stutter(moment: Moment, on: Canvas = SMALL) -> Iterator[NDArray[Any]]:
    """Every third frame is shown twice, and the one after is left out."""
    for t in range(on.frames):
        yield moment(on, t - 1 if t % 3 == 2 else t, 0, 0)


def _blur(moment: Moment, on: Canvas = SMALL) -> Iterator[NDArray[Any]]:
    """All of it is out of focus: a gaussian of 2 pixels."""
    for picture in good(moment, on):
        yield cv2.GaussianBlur(picture, (0, 0), 2.0)


def _noise(moment: Moment, on: Canvas = SMALL) -> Iterator[NDArray[Any]]:
    """Noise of 2 % on every frame."""
    random = numpy.random.default_rng(5)
    for picture in good(moment, on):
        yield (picture + 0.02 * random.standard_normal(picture.shape).astype(numpy.float32)).clip(0, 1)


DEFECTS: Mapping[str, Spoil] = {
    "jitter 1 px": _jitter(1),
    "jitter 2 px": _jitter(2),
    "flicker 4 %": _flicker,
    "colour drift": _drift,
    "freeze": _freeze,
    "stutter": _stutter,
    "blur": _blur,
    "noise 2 %": _noise,
}


def asked_for(moment: Moment, on: Canvas = SMALL) -> NDArray[Any]:
    """The picture that a clip was to begin with: its first frame before a generator's rounding, noise of 1 %."""
    first = moment(on, 0, 0, 0)
    noise = numpy.random.default_rng(6).standard_normal(first.shape).astype(numpy.float32)
    result: NDArray[Any] = (first + 0.01 * noise).clip(0, 1)
    return result


def _late(moment: Moment, on: Canvas = SMALL) -> Iterator[NDArray[Any]]:
    for t in range(on.frames):
        yield moment(on, t + 8, 0, 0)


def _another(moment: Moment, on: Canvas = SMALL) -> Iterator[NDArray[Any]]:
    moments = list(GOOD.values())
    yield from good(moments[(moments.index(moment) + 1) % len(moments)], on)


WRONG_FIRST: Mapping[str, Spoil] = {
    "first frame 8 frames late": _late,
    "first frame of another clip": _another,
}
"""Good clips that do not begin with the picture they were asked to begin with."""
