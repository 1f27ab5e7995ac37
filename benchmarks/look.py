"""The graphs that pixels are measured with, and their media, made on the spot: nothing is downloaded, nothing is real.

`look12` is what a compositor does to a green-screen plate; `equal` has only nodes that Blender's compositor has too,
`chain` only filters that FFmpeg has in floating point. All three change from frame to frame, so that no frame is found
in a cache.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy

from artifexpro.core.graph.document import Document
from artifexpro.core.media.files import appearing, write_text
from artifexpro.core.media.movie import MovieWriter
from artifexpro.core.media.pixels import from_rows
from artifexpro.core.media.resample import about_centre
from artifexpro.core.media.sequence import write_frame
from artifexpro.core.media.still import Header

if TYPE_CHECKING:
    from numpy.typing import NDArray

Size = tuple[int, int]
HD: Size = (1920, 1080)
RATE = Fraction(24)
FIRST = 1001
FRAMES = 32
RESULT = "result"
"""Id of the last node of each graph."""
SIGMA = 5.0
"""The blur's standard deviation in the peers' graphs, in pixels at any size."""
LUT_POINTS = 33


def look12(folder: Path, size: Size = HD, frames: int = FRAMES) -> Document:
    """The look: decode, transform, key, blur, glow, three grades, LUT, merge over a still, grain, view.

    Its media are written into `folder` unless they are there. Frames `FIRST` to `FIRST` + `frames` - 1, the result at
    node `RESULT`.
    """
    plate = _made(folder / f"plate_{size[0]}x{size[1]}_{frames}.mp4", _plate, size, frames)
    behind = _made(folder / f"behind_{size[0]}x{size[1]}.exr", _background, size)
    wide = size[0] / HD[0]
    move = _curve((FIRST, -40.0 * wide), (FIRST + frames - 1, 40.0 * wide))
    return _document(
        plate=("MediaInput", {"path": str(plate), "first_frame": FIRST}, {}),
        behind=("MediaInput", {"path": str(behind)}, {}),
        move=("Transform2D", {"x": move, "rotate": 2.0, "scale": 1.05}, {"video": "plate"}),
        key=("ChromaKey", {"strength": 10.5, "black": 0.02, "white": 0.98}, {"video": "move"}),
        blur=("Blur", {"size": 2.0 * wide}, {"video": "key"}),
        glow=("Glow", {"threshold": 0.7, "size": 30.0 * wide, "intensity": 0.4}, {"video": "blur"}),
        primary=("CDL", {"slope_red": 1.08, "slope_blue": 0.94, "power_green": 1.04}, {"video": "glow"}),
        wheels=("ColorWheels", {"lift": 0.01, "gamma": 1.05, "gain_red": 1.03}, {"video": "primary"}),
        corrector=("ColorCorrector", {"exposure": 0.2, "contrast": 1.1, "saturation": 1.1}, {"video": "wheels"}),
        lut=("LUT", {"path": str(cube(folder)), "space": "ACEScct"}, {"video": "corrector"}),
        over=("Merge", {}, {"a": "lut", "b": "behind"}),
        grain=("Grain", {"size": 1.2 * wide, "intensity": 0.03}, {"video": "over"}),
        result=("View", {}, {"video": "grain"}),
    )


def equal(folder: Path, size: Size = HD) -> Document:
    """What Blender's compositor can compute too: exposure, which changes with the frame, blur, over, three ASC CDLs,
    hue and saturation. Frames without end; the foreground has soft coverage."""
    front, behind = stills(folder, size)
    return _document(
        front=("MediaInput", {"path": str(front)}, {}),
        behind=("MediaInput", {"path": str(behind)}, {}),
        exposure=("ColorCorrector", {"exposure": EXPOSURE}, {"video": "front"}),
        blur=("Blur", {"size": SIGMA}, {"video": "exposure"}),
        over=("Merge", {}, {"a": "blur", "b": "behind"}),
        **{
            name: ("CDL", {**_cdl(balance), "clamp": "black"}, {"video": source})
            for (name, balance), source in zip(BALANCES.items(), ("over", *BALANCES), strict=False)
        },
        result=("HueSaturation", {"hue": HUE, "saturation": SATURATION, "value": VALUE}, {"video": "balance3"}),
    )


def chain(folder: Path, size: Size = HD) -> Document:
    """What FFmpeg has in floating point: exposure, blur, three mixes of the channels, a 3D LUT, and a mix of the result
    with a still. All is opaque: FFmpeg's LUT knows no coverage."""
    front, behind, look = opaque(folder, size), stills(folder, size)[1], cube(folder)
    return _document(
        front=("MediaInput", {"path": str(front)}, {}),
        behind=("MediaInput", {"path": str(behind)}, {}),
        exposure=("ColorCorrector", {"exposure": EXPOSURE}, {"video": "front"}),
        blur=("Blur", {"size": SIGMA}, {"video": "exposure"}),
        **{
            name: ("ColorCorrector", {"saturation": mix[0], "hue": mix[1]}, {"video": source})
            for (name, mix), source in zip(MIXES.items(), ("blur", *MIXES), strict=False)
        },
        lut=("LUT", {"path": str(look)}, {"video": "mix3"}),
        result=("Merge", {"mix": MIX}, {"a": "lut", "b": "behind"}),
    )


def _curve(*keys: tuple[int, float]) -> dict[str, Any]:
    return {"curve": {"keys": [{"frame": frame, "value": value} for frame, value in keys]}}


EXPOSURE = _curve((FIRST, 0.0), (FIRST + 1000, 1.0))
"""A stop in a thousand frames: every frame differs, and none by much."""
BALANCES: Mapping[str, Mapping[str, tuple[float, float, float]]] = {
    "balance1": {"slope": (1.1, 1.0, 0.9), "offset": (0.01, 0.0, 0.02), "power": (1.1, 1.0, 0.95)},
    "balance2": {"slope": (0.95, 1.05, 1.0), "offset": (0.0, 0.01, 0.0), "power": (0.9, 1.05, 1.1)},
    "balance3": {"slope": (1.0, 0.97, 1.08), "offset": (0.0, 0.005, 0.01), "power": (1.05, 0.95, 1.0)},
}
"""Of each channel: (x slope + offset) to the power."""
HUE, SATURATION, VALUE = 12.0, 0.9, 1.1
"""Degrees, and two factors."""
MIXES: Mapping[str, tuple[float, float]] = {"mix1": (1.2, 0.0), "mix2": (0.9, 10.0), "mix3": (1.05, -6.0)}
"""Saturation and turn of hue in degrees: each is one 3 x 3 matrix."""
MIX = 0.75


def exposure_at(frame: int) -> float:
    """Stops of `EXPOSURE` at a frame."""
    return (frame - FIRST) / 1000


def _cdl(balance: Mapping[str, tuple[float, float, float]]) -> dict[str, float]:
    channels = ("red", "green", "blue")
    return {
        f"{part}_{name}": value for part, all3 in balance.items() for name, value in zip(channels, all3, strict=True)
    }


def _document(**nodes: tuple[str, dict[str, Any], dict[str, str]]) -> Document:
    raw = {
        name: {"type": kind, "params": params, "inputs": {socket: [end] for socket, end in inputs.items()}}
        for name, (kind, params, inputs) in nodes.items()
    }
    return Document.parse({"format": "artifexpro.graph", "version": 1, "nodes": raw})


def _made(path: Path, make: Any, *about: Any) -> Path:
    if not path.exists():
        make(path, *about)
    return path


def stills(folder: Path, size: Size) -> tuple[Path, Path]:
    """The foreground with soft coverage and the background of `equal`, as EXR in half floats."""
    return (
        _made(folder / f"front_{size[0]}x{size[1]}.exr", _foreground, size),
        _made(folder / f"behind_{size[0]}x{size[1]}.exr", _background, size),
    )


def opaque(folder: Path, size: Size) -> Path:
    """The foreground of `chain`."""
    return _made(folder / f"opaque_{size[0]}x{size[1]}.exr", _opaque_foreground, size)


def cube(folder: Path) -> Path:
    """The 3D LUT of the graphs."""
    return _made(folder / "look.cube", _cube)


def _grid(size: Size) -> tuple[NDArray[Any], NDArray[Any]]:
    """x and y of each pixel, in heights of the picture, (0, 0) in its middle."""
    width, height = size
    y, x = numpy.mgrid[0:height, 0:width].astype(numpy.float32)
    return (x - (width - 1) / 2) / height, (y - (height - 1) / 2) / height


def _still(path: Path, rgba: NDArray[Any]) -> None:
    write_frame(path, from_rows(numpy.ascontiguousarray(rgba, numpy.float32)), "exr", Header())


def _background(path: Path, size: Size) -> None:
    """A room: a wall that darkens upwards, a lit window, a floor with boards."""
    x, y = _grid(size)
    wall = 0.12 - 0.08 * y + 0.02 * numpy.sin(40 * x) * (y < 0.2)
    boards = 0.06 + 0.02 * (numpy.sin(30 * x / (0.3 + numpy.abs(y))) > 0)
    light = numpy.where(y < 0.2, wall, boards)
    window = numpy.clip(60 * (0.18 - numpy.maximum(numpy.abs(x + 0.5), numpy.abs(y + 0.15))), 0, 1)
    rgb = light[..., None] * numpy.array([1.0, 0.85, 0.7]) + window[..., None] * numpy.array([0.9, 1.1, 1.4])
    _still(path, numpy.dstack([rgb, numpy.ones_like(x)]))


def _subject(size: Size) -> NDArray[Any]:
    """(H, W, 4), coverage not multiplied in: somebody in front. Head and shoulders with a pattern, rays as thin as hair
    and a highlight."""
    x, y = _grid(size)
    radius, angle = numpy.hypot(x, y + 0.1), numpy.arctan2(y + 0.1, x)
    soft = 3 / size[1]
    head = numpy.clip((0.22 - radius) / soft, 0, 1)
    rays = numpy.clip((0.30 - radius) * 40, 0, 1) * numpy.clip(numpy.sin(70 * angle) * 4 - 3, 0, 1) * (y < -0.05)
    body = numpy.clip((0.34 - numpy.hypot(x * 0.9, y - 0.5)) / soft, 0, 1)
    cloth = 0.25 + 0.12 * numpy.sin(90 * x + 4 * numpy.sin(20 * y)) * numpy.sin(70 * y)
    skin = 0.45 + 0.1 * numpy.cos(8 * x)
    shine = 1.5 * numpy.exp(-(((x + 0.07) / 0.03) ** 2) - ((y + 0.18) / 0.03) ** 2)
    colors = ((0.9, 1.0, 0.12), (0.35, 0.72, 0.08), (0.4, 0.58, 0.05))
    channels = [
        numpy.where(head > 0, of_skin * skin + shine, numpy.where(body > 0, of_cloth * cloth, of_hair))
        for of_cloth, of_skin, of_hair in colors
    ]
    return numpy.dstack([*channels, numpy.maximum(numpy.maximum(head, rays), body)]).astype(numpy.float32)


def _foreground(path: Path, size: Size) -> None:
    subject = _subject(size)
    subject[..., :3] *= subject[..., 3:]
    _still(path, subject)


def _opaque_foreground(path: Path, size: Size) -> None:
    """The foreground on grey, dark enough that a table from 0 to 1 holds all of it."""
    subject = _subject(size)
    coverage = subject[..., 3:]
    subject[..., :3] = 0.4 * numpy.minimum(subject[..., :3], 1) * coverage + 0.18 * (1 - coverage)
    subject[..., 3] = 1
    _still(path, subject)


def _plate(path: Path, size: Size, frames: int) -> None:
    """The subject before a green screen that is not lit quite evenly, swaying, as a camera codes it."""
    x, y = _grid(size)
    light = 0.9 - 0.15 * numpy.hypot(x, y)
    screen = numpy.dstack([light * 0.14, light * 0.62, light * 0.16, numpy.ones_like(x)]).astype(numpy.float32)
    subject = _subject(size)
    subject[..., :3] = numpy.clip(subject[..., :3], 0, 1) ** numpy.float32(1 / 2.2)
    with appearing(path) as part, MovieWriter(part, "h264", RATE, size) as movie:
        for frame in range(frames):
            sway = 0.1 * size[1] * math.sin(2 * math.pi * frame / frames)
            turned = about_centre(size, sway, 0.0, sway / size[1] * 30, 1.0)
            moved = cv2.warpAffine(subject, turned[:2], size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            coverage = moved[..., 3:].copy()
            moved[..., 3] = 1
            movie.add(from_rows(screen + (moved - screen) * coverage))


def _cube(path: Path) -> None:
    """A look as colorists hand them over: more contrast, shadows towards teal, lights towards orange."""
    steps = numpy.linspace(0, 1, LUT_POINTS)
    blue, green, red = (axis.ravel() for axis in numpy.meshgrid(steps, steps, steps, indexing="ij"))
    luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    points = []
    for channel, warm in ((red, 0.03), (green, 0.0), (blue, -0.03)):
        curved = channel + 0.08 * numpy.sin(2 * numpy.pi * (channel - 0.5)) / numpy.pi
        points.append(numpy.clip(curved + warm * (2 * luma - 1), 0, 1))
    lines = "\n".join(f"{r:.6f} {g:.6f} {b:.6f}" for r, g, b in zip(*points, strict=True))
    write_text(path, f"LUT_3D_SIZE {LUT_POINTS}\n{lines}\n")
