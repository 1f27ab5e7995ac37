"""Scenes in free English: many ways to say the same, and shorter ones that leave size, speed or ground to chance.

What a caption leaves out is whatever the clip happens to show, so that the model answers short prompts too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from random import Random
from types import MappingProxyType

from artifexpro.core.wan22.tiny.scenes import CAMERAS, COLOURS, Scene, Thing

_SHAPES: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        "circle": ("circle", "circle", "disc", "round shape"),
        "square": ("square", "square", "box"),
        "triangle": ("triangle", "triangle", "three-sided shape"),
        "star": ("star", "star", "five-pointed star"),
    }
)
_SIZES: Mapping[str, Sequence[str]] = MappingProxyType(
    {"small": ("small", "small", "little", "tiny"), "large": ("large", "large", "big", "huge")}
)
_SPEEDS: Mapping[str, Sequence[str]] = MappingProxyType(
    {"slowly": ("slowly", "slowly", "gently"), "fast": ("fast", "quickly", "rapidly")}
)
_DOING: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        "left": ("moving left", "moving to the left", "drifting left", "gliding to the left", "going leftwards"),
        "right": ("moving right", "moving to the right", "drifting right", "gliding to the right", "going rightwards"),
        "up": ("moving up", "moving upwards", "rising", "floating up", "going up"),
        "down": ("moving down", "moving downwards", "falling", "sinking down", "going down"),
        "still": ("standing still", "not moving", "staying where it is", "at rest", "resting"),
        "growing": ("growing", "getting bigger", "getting larger", "expanding"),
        "shrinking": ("shrinking", "getting smaller", "becoming smaller", "contracting"),
        "turning": ("turning", "rotating", "spinning", "turning around itself"),
    }
)
_DOES: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        "left": ("moves left", "moves to the left", "drifts left", "glides leftwards", "travels to the left"),
        "right": ("moves right", "moves to the right", "drifts right", "glides rightwards", "travels to the right"),
        "up": ("moves up", "moves upwards", "rises", "floats up"),
        "down": ("moves down", "moves downwards", "falls", "sinks"),
        "still": ("stands still", "does not move", "stays where it is", "rests"),
        "growing": ("grows", "gets bigger", "gets larger", "expands"),
        "shrinking": ("shrinks", "gets smaller", "becomes smaller", "contracts"),
        "turning": ("turns", "rotates", "spins"),
    }
)
_GROUNDS: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        "black": ("black",),
        "grey": ("grey", "grey", "gray"),
        "dark blue": ("dark blue", "dark blue", "navy blue"),
        "dark green": ("dark green", "dark green", "deep green"),
    }
)
_OVER = ("over", "over", "on", "against", "in front of")
_JOINED = (", ", " and ", ", and ", " next to ", "; ")


def plain(scene: Scene) -> str:
    """The caption as one would say it first: "a small red circle moving left slowly over a black background"."""
    things = ", ".join(
        f"a {thing.size} {thing.colour} {thing.shape} {_DOING[thing.motion][0]} {thing.speed}".rstrip()
        for thing in scene.things
    )
    ground = "over a " + ("dotted " if scene.camera != "still" else "") + scene.background + " background"
    return f"{things} {ground}" + ("" if scene.camera == "still" else f", the camera {scene.camera}")


def caption(scene: Scene, chance: Random) -> str:
    """One of the many ways to say what `scene` shows. Colour, shape and motion of each thing are always said; size,
    speed and ground mostly."""
    doing = chance.random() < 0.7
    ground_said = chance.random() < 0.92
    things = chance.choice(_JOINED).join(_thing(thing, chance, doing) for thing in scene.things)
    words = things
    if ground_said:
        ground = f"a {_dotted(scene, chance)}{chance.choice(_GROUNDS[scene.background])} background"
        words = _placed(things, ground, chance)
    if scene.camera != "still":
        words += chance.choice((f", the camera {scene.camera}", f", while the camera {scene.camera}"))
    if chance.random() < 0.3:
        words = words[0].upper() + words[1:]
    return words + ("." if chance.random() < 0.3 else "")


def _placed(things: str, ground: str, chance: Random) -> str:
    way = chance.random()
    if way < 0.7:
        return f"{things} {chance.choice(_OVER)} {ground}"
    if way < 0.85:
        return f"{chance.choice(_OVER[:-1])} {ground}, {things}"
    return f"{things}, {ground.removeprefix('a ')}"


def _thing(thing: Thing, chance: Random, doing: bool) -> str:
    said = [chance.choice(("a", "a", "one", "the"))]
    if chance.random() < 0.75:
        said.append(chance.choice(_SIZES[thing.size]))
    said += [thing.colour, chance.choice(_SHAPES[thing.shape])]
    motion = chance.choice((_DOING if doing else _DOES)[thing.motion])
    if not thing.speed or chance.random() > 0.65:
        return " ".join([*said, motion])
    speed = chance.choice(_SPEEDS[thing.speed])
    together = [speed, motion] if speed != "fast" and chance.random() < 0.4 else [motion, speed]
    return " ".join([*said, *together])


def _dotted(scene: Scene, chance: Random) -> str:
    return "dotted " if scene.camera != "still" and chance.random() < 0.8 else ""


def unknown(prompt: str) -> tuple[str, ...]:
    """The words of `prompt`, in small letters and in order, that stand in no caption."""
    return tuple(word for word in re.findall(r"\w+", prompt.lower()) if word not in _vocabulary())


@cache
def _vocabulary() -> frozenset[str]:
    tables = (_SHAPES, _SIZES, _SPEEDS, _DOING, _DOES, _GROUNDS)
    said = [word for table in tables for words in table.values() for word in words]
    said += [*COLOURS, *CAMERAS, *_OVER, *_JOINED, "a one the while camera dotted background"]
    return frozenset(word for words in said for word in re.findall(r"\w+", words))
