"""What the embedded model knows: the words of its little world, scenes made of them, and those kept from training.

A scene is what a clip shows, in words and numbers; `drawing` makes it pictures and `captions` English. Scenes with a
held-out combination of colour, shape and motion are never trained on: a model that draws them has understood the words
one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from random import Random
from types import MappingProxyType

Rgb = tuple[float, float, float]

COLOURS: Mapping[str, Rgb] = MappingProxyType(
    {
        "red": (0.86, 0.12, 0.12),
        "orange": (0.96, 0.52, 0.08),
        "yellow": (0.96, 0.90, 0.18),
        "green": (0.16, 0.72, 0.26),
        "cyan": (0.20, 0.85, 0.88),
        "blue": (0.18, 0.34, 0.92),
        "purple": (0.60, 0.22, 0.80),
        "white": (0.96, 0.96, 0.96),
    }
)
"""Display-referred sRGB, 0..1."""
BACKGROUNDS: Mapping[str, Rgb] = MappingProxyType(
    {
        "black": (0.03, 0.03, 0.03),
        "grey": (0.46, 0.46, 0.46),
        "dark blue": (0.05, 0.09, 0.32),
        "dark green": (0.04, 0.24, 0.11),
    }
)
SHAPES = ("circle", "square", "triangle", "star")
MOTIONS = ("left", "right", "up", "down", "still", "growing", "shrinking", "turning")
SIZES = ("small", "large")
SPEEDS = ("slowly", "fast")
CAMERAS = ("still", "pans left", "pans right", "zooms in", "zooms out")
LARGEST_SEED = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Thing:
    """One object. `speed` is "" for one that stands still."""

    colour: str
    shape: str
    motion: str
    size: str
    speed: str

    @property
    def held_out(self) -> bool:
        """Whether its combination of colour, shape and motion is kept from training: one in eight is."""
        return _held_out(self.colour, self.shape, self.motion)


@dataclass(frozen=True, slots=True)
class Scene:
    """One clip's content: one thing, or two of which the first is on the left. Things stand still where the camera
    moves, and the background is dotted then, so that one sees it move."""

    background: str
    things: tuple[Thing, ...]
    camera: str = "still"

    @property
    def held_out(self) -> bool:
        return any(thing.held_out for thing in self.things)


def _held_out(colour: str, shape: str, motion: str) -> bool:
    place = (*COLOURS,).index(colour) + 3 * SHAPES.index(shape) + 5 * MOTIONS.index(motion)
    return place % 8 == 0 and possible(shape, motion)


def possible(shape: str, motion: str) -> bool:
    """A circle that turns is a circle that stands still."""
    return (shape, motion) != ("circle", "turning")


def combinations(held_out: bool) -> Iterator[tuple[str, str, str]]:
    """(colour, shape, motion) of every thing that is trained on, or of every one that is not."""
    for colour, shape, motion in product(COLOURS, SHAPES, MOTIONS):
        if possible(shape, motion) and _held_out(colour, shape, motion) == held_out:
            yield colour, shape, motion


_TRAINED, _KEPT = tuple(combinations(False)), tuple(combinations(True))


def scene(chance: Random, *, held_out: bool = False, things: int = 0, camera: bool | None = None) -> Scene:
    """A scene by `chance`: of `things` objects (0 lets chance decide for one or two), with or without a moving camera
    (None lets chance decide). With `held_out` every object's combination is one kept from training; without, none is.
    """
    count = things or (1 if chance.random() < 0.55 else 2)
    moving = chance.random() < 0.12 if camera is None else camera
    found: list[Thing] = []
    while len(found) < count:
        thing = _thing(chance, _KEPT if held_out else _TRAINED)
        if moving and thing.motion != "still":
            continue
        if not found or thing.colour != found[0].colour:
            found.append(thing)
    view = chance.choice(CAMERAS[1:]) if moving else CAMERAS[0]
    return Scene(chance.choice((*BACKGROUNDS,)), tuple(found), view)


def _thing(chance: Random, among: tuple[tuple[str, str, str], ...]) -> Thing:
    colour, shape, motion = chance.choice(among)
    speed = "" if motion == "still" else chance.choice(SPEEDS)
    return Thing(colour, shape, motion, chance.choice(SIZES), speed)
