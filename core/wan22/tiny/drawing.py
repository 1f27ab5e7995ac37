"""Scenes as clips: flat things with soft edges over flat grounds, of any size and length, the same for the same seed.

Shapes of one size cover the same area, so that size can be told whatever the shape. Edges are the exact cover of each
pixel, counted on `FINER` x `FINER` points. A thing keeps inside the picture and two keep to their own halves, near the
middle unless anywhere is as good; how far it moves is a share of the way it has, over the whole clip, so that clips of
any length show the whole motion.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

from artifexpro.core.errors import ArtifexError
from artifexpro.core.lazy import numpy, torch
from artifexpro.core.wan22.tiny.scenes import BACKGROUNDS, COLOURS, Scene, Thing

if TYPE_CHECKING:
    from torch import Tensor

FINER = 4
SMALLEST = 32
"""Pixels of a side: less shows no shape."""
RADIUS = {"small": (0.105, 0.13), "large": (0.19, 0.22)}
"""Of the circle of the same area, in picture heights."""
BETWEEN_SIZES = 0.158
"""A lone thing of a smaller radius is small."""
SHARED = 0.8
"""Two things are this much smaller each."""
WAY = {"slowly": (0.32, 0.45), "fast": (0.8, 1.0)}
"""Share of the way there is that a thing moves."""
GROWTH = {"slowly": (1.45, 1.6), "fast": (1.9, 2.1)}
"""Larger radius over smaller one."""
TURN = {"slowly": (45.0, 65.0), "fast": (110.0, 150.0)}
"""Degrees, either way."""
NEAR = 0.2
"""Share of the places and angles there are that a thing is given where it is to be near the middle, and upright. No
caption says where things are: the less is left to chance, the more of a clip its caption decides."""
_TILT = 12.0
"""Degrees from upright, at most."""
_STAR = 0.45
"""Inner radius of a star over its outer one."""
_LATTICE, _DOT, _DOT_LIGHT = 0.25, 0.03, 0.07
"""Distance and radius of the background's dots in picture heights, and how much lighter they are."""


@dataclass(frozen=True, slots=True)
class _Path:
    """A thing in numbers: where its centre is at the beginning and at the end (pixels), its radius, its angle."""

    begin: tuple[float, float]
    end: tuple[float, float]
    radius: tuple[float, float]
    angle: tuple[float, float]


def clip(
    scene: Scene, seed: int, width: int = 192, height: int = 128, frames: int = 33, *, anywhere: bool = False
) -> Tensor:
    """The clip (frames, height, width, 3), float32 display-referred sRGB in 0..1, of `scene`. `seed` places its things,
    near the middle of the picture or of their halves, or `anywhere` in them.

    Raises `ArtifexError` (code "settings") for a size or length that shows nothing.
    """
    if min(width, height) < SMALLEST or frames < 1:
        raise ArtifexError(
            f"draw a clip of {frames} frames at {width}x{height}",
            f"its things are told apart from {SMALLEST} pixels and one frame up",
            "192x128 and 33 frames",
            code="settings",
        )
    chance = Random(seed)
    paths = [
        _path(thing, number, len(scene.things), chance, width, height, 1.0 if anywhere else NEAR)
        for number, thing in enumerate(scene.things)
    ]
    far, zoom = chance.uniform(0.15, 0.3) * height, chance.uniform(1.35, 1.6)
    ground = numpy.array(BACKGROUNDS[scene.background], numpy.float32)
    pictures = numpy.empty((frames, height, width, 3), numpy.float32)
    for frame in range(frames):
        time = frame / (frames - 1) if frames > 1 else 0.5
        view = _view(scene.camera, time, far, zoom, width, height)
        picture = pictures[frame]
        picture[:] = ground
        if scene.camera != "still":
            picture += _cover(_dots(width, height), view, width, height)[..., None] * _DOT_LIGHT
        for thing, path in zip(scene.things, paths, strict=True):
            cover = _cover([_outline(thing.shape, path, time)], view, width, height)[..., None]
            picture += cover * (numpy.array(COLOURS[thing.colour], numpy.float32) - picture)
    return torch.from_numpy(pictures)


def _path(thing: Thing, number: int, count: int, chance: Random, width: int, height: int, loose: float) -> _Path:
    def placed(low: float, high: float) -> float:
        middle = (low + high) / 2
        return middle + loose * (chance.uniform(low, high) - middle)

    radius = chance.uniform(*RADIUS[thing.size]) * min(height, width / 1.5) * (SHARED if count == 2 else 1.0)
    smaller, larger = radius, radius
    angle = placed(-_TILT, _TILT)
    turned = angle
    if thing.motion in ("growing", "shrinking"):
        root = math.sqrt(chance.uniform(*GROWTH[thing.speed]))
        smaller, larger = radius / root, radius * root
        if thing.motion == "shrinking":
            smaller, larger = larger, smaller
    if thing.motion == "turning":
        turned = angle + chance.choice((-1, 1)) * chance.uniform(*TURN[thing.speed])
    reach = max(smaller, larger) * _reach(thing.shape)
    columns = _room(number * width / count, (number + 1) * width / count, reach)
    rows = _room(0, height, reach)
    begin = [placed(*columns), placed(*rows)]
    end = list(begin)
    if thing.motion in ("left", "right", "up", "down"):
        axis = 0 if thing.motion in ("left", "right") else 1
        low, high = (columns, rows)[axis]
        way = (high - low) * chance.uniform(*WAY[thing.speed])
        first = placed(low, high - way)
        begin[axis], end[axis] = first, first + way
        if thing.motion in ("left", "up"):
            begin[axis], end[axis] = end[axis], begin[axis]
    return _Path((begin[0], begin[1]), (end[0], end[1]), (smaller, larger), (angle, turned))


def _room(low: float, high: float, reach: float) -> tuple[float, float]:
    """Where a centre may be between `low` and `high` so that a thing reaching that far stays inside: where it nearly
    fills the side, a tenth of the side all the same."""
    slack = max(high - low - 2 * reach, 0.1 * (high - low))
    middle = (low + high) / 2
    return middle - slack / 2, middle + slack / 2


def _reach(shape: str) -> float:
    """Distance of the furthest corner for the area of a circle of radius 1."""
    area = {
        "circle": math.pi,
        "square": 2.0,
        "triangle": 3 * math.sin(math.tau / 3) / 2,
        "star": 5 * _STAR * math.sin(math.tau / 10),
    }[shape]
    return math.sqrt(math.pi / area)


def _outline(shape: str, path: _Path, time: float) -> Any:
    """Corners (n, 2) in pixels at `time` from 0 to 1."""
    begin, end = numpy.array(path.begin), numpy.array(path.end)
    radius = path.radius[0] * (path.radius[1] / path.radius[0]) ** time
    angle = math.radians(path.angle[0] + (path.angle[1] - path.angle[0]) * time)
    corners = {"circle": 72, "square": 4, "triangle": 3, "star": 10}[shape]
    upright = -math.pi / 2 + (math.pi / 4 if shape == "square" else 0.0)
    angles = numpy.arange(corners) * (math.tau / corners) + angle + upright
    away = numpy.full(corners, radius * _reach(shape))
    if shape == "star":
        away[1::2] *= _STAR
    around = numpy.stack([numpy.cos(angles), numpy.sin(angles)], axis=1) * away[:, None]
    return begin + (end - begin) * time + around


def _view(camera: str, time: float, far: float, zoom: float, width: int, height: int) -> tuple[float, float, float]:
    """(scale, shift right, shift down) of everything seen: what a camera that pans left sees moves right."""
    scale, right = 1.0, 0.0
    if camera.startswith("pans"):
        right = far * (time - 0.5) * (1 if camera.endswith("left") else -1)
    elif camera.startswith("zooms"):
        scale = zoom ** ((time - 0.5) * (1 if camera.endswith("in") else -1))
    return scale, right + (1 - scale) * width / 2, (1 - scale) * height / 2


def _dots(width: int, height: int) -> list[Any]:
    step, side = _LATTICE * height, _DOT * height
    around = numpy.array([(-side, 0), (0, -side), (side, 0), (0, side)])
    rows = numpy.arange(-step, height + 1.5 * step, step)
    columns = numpy.arange(-2 * step, width + 2.5 * step, step)
    return [numpy.array((column, row)) + around for row in rows for column in columns]


def _cover(outlines: list[Any], view: tuple[float, float, float], width: int, height: int) -> Any:
    """(height, width) float32: how much of each pixel the outlines cover, 0..1."""
    import cv2

    scale, right, down = view
    canvas = numpy.zeros((height * FINER, width * FINER), numpy.uint8)
    moved = [((outline * scale + (right, down)) * FINER - 0.5) * 16 for outline in outlines]
    cv2.fillPoly(canvas, [numpy.rint(corners).astype(numpy.int32) for corners in moved], 255, shift=4)
    return cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA).astype(numpy.float32) / 255
