"""What the panel offers: tasks with the media each takes, presets, profiles, sizes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Medium:
    """A file a task takes: the graph's socket, what the artist calls it, what kind of file it is."""

    socket: str
    label: str
    kind: str
    needed: bool = False
    hint: str = ""


@dataclass(frozen=True)
class Task:
    """What a clip is made from. `generator` is the graph's node."""

    name: str
    label: str
    generator: str
    media: tuple[Medium, ...] = ()


PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".exr", ".webp", ".bmp", ".dpx")
CLIPS = (".mp4", ".mov", ".mkv", ".mxf", ".webm", ".avi")
SOUNDS = (".wav", ".mp3", ".flac", ".aac", ".m4a", ".ogg", ".aif", ".aiff")
ENDINGS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"picture": PICTURES, "clip": (*CLIPS, *PICTURES), "mask": (*PICTURES, *CLIPS), "sound": (*SOUNDS, *CLIPS)}
)

_TASKS = (
    Task("ti2v", "Words, and a picture if you like", "TI2VGenerator", (Medium("image", "First picture", "picture"),)),
    Task("t2v", "Words alone", "T2VGenerator"),
    Task(
        "i2v",
        "A picture that begins to move",
        "I2VGenerator",
        (Medium("image", "First picture", "picture", needed=True), Medium("last_image", "Last picture", "picture")),
    ),
    Task("style", "A clip in another style", "StyleTransfer", (Medium("video", "Clip", "clip", needed=True),)),
    Task(
        "edit",
        "A part of a clip, made new",
        "MaskedEdit",
        (
            Medium("video", "Clip", "clip", needed=True),
            Medium("mask", "Mask", "mask", needed=True, hint="Drop a mask here: white where it is made new"),
            Medium("reference", "What it shall be like", "picture"),
        ),
    ),
    Task(
        "s2v",
        "Somebody who speaks or sings",
        "S2VGenerator",
        (
            Medium("audio", "Voice", "sound", needed=True),
            Medium("reference_image", "Who speaks", "picture", needed=True),
        ),
    ),
)
TASKS: Mapping[str, Task] = MappingProxyType({task.name: task for task in _TASKS})


@dataclass(frozen=True)
class Preset:
    """`frames` is what the panel states as length when the preset is chosen."""

    name: str
    frames: int
    about: str


PRESETS = (
    Preset("Draft", 41, "480p, 25 steps: to see whether the idea holds"),
    Preset("Preview", 81, "720p, 36 steps: to judge motion"),
    Preset("Production", 121, "720p, 60 steps"),
    Preset("Cinema", 241, "80 steps, delivered at 1080p"),
)
PROFILES = (
    ("", "Plain", "Computed plainly; only what does not fit is made to"),
    ("Speed", "Speed", "The fastest way this machine has"),
    ("Memory", "Memory", "Takes as little of the card as can be"),
    ("Quality", "Quality", "Takes longer and is steadier"),
)
SIZES = ((832, 480), (480, 832), (1280, 704), (704, 1280))
LARGEST_SEED = 2**31 - 1
"""Qt's number fields have 32 bits."""
