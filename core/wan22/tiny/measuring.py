"""What a clip shows, told from its frames alone: so that a model's answers can be counted right or wrong.

The ground is what most of the picture's rim is. What differs from it is a thing, followed from frame to frame; its
colour is its inner pixels', its shape how much of its hull and of its smallest circle it fills, its motion how centre,
area and angle change. Everything is a median over frames or a straight line through them, so that a bad frame or
noise does not decide.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING, Any

from artifexpro.core.lazy import numpy
from artifexpro.core.wan22.tiny.drawing import BETWEEN_SIZES, SHARED
from artifexpro.core.wan22.tiny.scenes import BACKGROUNDS, COLOURS, Rgb, Scene

if TYPE_CHECKING:
    from torch import Tensor

_APART = 0.2
"""Distance in RGB (0..1) from which on a pixel is no longer the ground's. Ground and things are at least 0.37 apart."""
_SPECK = 0.006
"""Share of the picture that a thing takes at least."""
_MOVES, _GROWS, _TURNS = 0.03, 0.18, 20.0
"""From here on, over the clip, a thing moves (picture heights), grows or shrinks (logarithm of its radius), turns
(degrees)."""
_FOLDS = {"square": 4, "triangle": 3, "star": 5}


@dataclass(frozen=True, slots=True)
class Seen:
    """One thing as it was seen. `radius` is in picture heights, of the circle of the same area."""

    colour: str
    shape: str
    motion: str
    size: str
    radius: float


@dataclass(frozen=True, slots=True)
class Sight:
    """A clip as it was seen, its things from left to right."""

    background: str
    things: tuple[Seen, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """Which parts of a clip are as its scene says. Without the right number of things none of theirs is right."""

    background: bool
    number: bool
    colour: bool
    shape: bool
    motion: bool
    size: bool

    @property
    def everything(self) -> bool:
        """Colour, motion and shape of every thing, and the ground."""
        return self.background and self.number and self.colour and self.shape and self.motion


@dataclass(frozen=True, slots=True)
class _Blob:
    """A thing in one frame: pixels, centre, filled shares, angles of three, four and five folds."""

    area: float
    centre: Any
    hull: float
    circle: float
    colour: Any
    folds: Mapping[int, complex]


def sight(frames: Tensor) -> Sight:
    """What a clip (T, H, W, 3), display-referred sRGB in 0..1, shows. A clip of one frame has no motion."""
    import cv2

    pictures = [cv2.GaussianBlur(picture, (0, 0), _softness(frames)) for picture in numpy.asarray(frames.cpu().float())]
    ground = _ground(pictures)
    found = [_blobs(picture, ground) for picture in pictures]
    count = round(float(numpy.median([len(blobs) for blobs in found])))
    tracks = _tracks([blobs[:count] for blobs in found if len(blobs) >= count], count)
    height = frames.shape[1]
    bound = BETWEEN_SIZES * (SHARED if count > 1 else 1.0) * min(1.0, frames.shape[2] / height / 1.5)
    things = [_seen(track, height, bound) for track in tracks]
    ordered = sorted(zip(tracks, things, strict=True), key=lambda pair: float(pair[0][len(pair[0]) // 2].centre[0]))
    return Sight(_nearest(ground, BACKGROUNDS), tuple(thing for _, thing in ordered))


def score(seen: Sight, scene: Scene) -> Score:
    """How far what was `seen` is what `scene` asks for. Things may stand in either order: the one that is more right
    counts."""
    number = len(seen.things) == len(scene.things)
    parts = ("colour", "shape", "motion", "size")
    best = dict.fromkeys(parts, False)
    for order in permutations(seen.things) if number else ():
        pairs = list(zip(order, scene.things, strict=True))
        right = {part: all(getattr(one, part) == getattr(other, part) for one, other in pairs) for part in parts}
        best = max(best, right, key=lambda each: sum(each.values()))
    return Score(seen.background == scene.background, number, **best)


def _softness(frames: Tensor) -> float:
    """Deviation in pixels of the blur that takes noise off before anything is measured."""
    return max(0.6, frames.shape[1] / 128)


def _ground(pictures: list[Any]) -> Any:
    """The colour of most of the rim, as the mean around its median."""
    rim = max(2, pictures[0].shape[0] // 24)
    edges = [
        edge.reshape(-1, 3)
        for picture in pictures
        for edge in (picture[:rim], picture[-rim:], picture[:, :rim], picture[:, -rim:])
    ]
    pixels = numpy.concatenate(edges)
    middle = numpy.median(pixels, axis=0)
    near = pixels[numpy.linalg.norm(pixels - middle, axis=1) < _APART / 2]
    return near.mean(axis=0) if len(near) else middle


def _nearest(colour: Any, names: Mapping[str, Rgb]) -> str:
    return min(names, key=lambda name: float(numpy.linalg.norm(colour - numpy.array(names[name]))))


def _blobs(picture: Any, ground: Any) -> list[_Blob]:
    """Things in one frame, largest first."""
    import cv2

    away = (numpy.linalg.norm(picture - ground, axis=2) > _APART).astype(numpy.uint8)
    number, labels, about, centres = cv2.connectedComponentsWithStats(away, connectivity=8)
    least = _SPECK * away.size
    large = sorted((label for label in range(1, number) if about[label][4] >= least), key=lambda at: -about[at][4])
    return [_blob(picture, labels == label, centres[label]) for label in large]


def _blob(picture: Any, inside: Any, centre: Any) -> _Blob:
    import cv2

    mask = inside.astype(numpy.uint8)
    area = float(mask.sum())
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outline = max(outlines, key=len)
    around = max(cv2.contourArea(cv2.convexHull(outline)) + len(outline) / 2, 1.0)
    reach = cv2.minEnclosingCircle(outline)[1] + 0.5
    core = cv2.erode(mask, numpy.ones((3, 3), numpy.uint8), iterations=max(1, round((area / 3.14) ** 0.5 / 4)))
    rows, columns = numpy.nonzero(mask)
    across = (columns - centre[0]) + 1j * (rows - centre[1])
    radii = numpy.abs(across)
    angles = across / numpy.maximum(radii, 1e-6)
    folds = {fold: complex((radii**3 * angles**fold).sum() / max(1e-6, float((radii**3).sum()))) for fold in (3, 4, 5)}
    pixels = picture[core.astype(bool)] if core.any() else picture[inside]
    return _Blob(area, numpy.array(centre), area / around, area / (numpy.pi * reach**2), numpy.median(pixels, 0), folds)


def _tracks(found: list[list[_Blob]], count: int) -> list[list[_Blob]]:
    """One list of blobs a thing, each followed to the nearest one of like colour in the next frame."""
    tracks: list[list[_Blob]] = []
    for blobs in found:
        if not tracks:
            tracks = [[blob] for blob in blobs]
            continue
        best = min(
            permutations(blobs, count),
            key=lambda order: sum(_unlike(track[-1], blob) for track, blob in zip(tracks, order, strict=True)),
        )
        for track, blob in zip(tracks, best, strict=True):
            track.append(blob)
    return tracks


def _unlike(one: _Blob, other: _Blob) -> float:
    away = float(numpy.linalg.norm(one.centre - other.centre)) / max(1.0, one.area**0.5)
    return away + 2 * float(numpy.linalg.norm(one.colour - other.colour))


def _seen(track: list[_Blob], height: int, bound: float) -> Seen:
    colour = _nearest(numpy.median([blob.colour for blob in track], axis=0), COLOURS)
    shape = _shape(track)
    radius = float(numpy.median([(blob.area / numpy.pi) ** 0.5 for blob in track])) / height
    return Seen(colour, shape, _motion(track, shape, height), "small" if radius < bound else "large", radius)


def _shape(track: list[_Blob]) -> str:
    """Of its hull a star fills 0.55, others all; of its smallest circle a disc fills all, a square 0.64, a triangle
    0.41. Blur rounds corners off, so bounds lie towards the rounder side."""
    if float(numpy.median([blob.hull for blob in track])) < 0.81:
        return "star"
    filled = float(numpy.median([blob.circle for blob in track]))
    return "circle" if filled > 0.83 else "square" if filled > 0.56 else "triangle"


def _motion(track: list[_Blob], shape: str, height: int) -> str:
    if len(track) < 2:
        return "still"
    right, down = (_change([blob.centre[axis] / height for blob in track]) for axis in (0, 1))
    grown = _change([0.5 * float(numpy.log(blob.area)) for blob in track])
    if abs(grown) > _GROWS:
        return "growing" if grown > 0 else "shrinking"
    if max(abs(right), abs(down)) > _MOVES:
        if abs(right) > abs(down):
            return "right" if right > 0 else "left"
        return "down" if down > 0 else "up"
    if shape in _FOLDS:
        fold = _FOLDS[shape]
        phases = numpy.unwrap([float(numpy.angle(blob.folds[fold])) for blob in track])
        if abs(float(numpy.degrees(_change(list(phases))))) / fold > _TURNS:
            return "turning"
    return "still"


def _change(values: list[Any]) -> float:
    """From the first to the last value, along the straight line through all of them."""
    times = numpy.linspace(-0.5, 0.5, len(values))
    return float((times * numpy.array(values)).sum() / (times**2).sum())
