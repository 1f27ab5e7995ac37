"""What `generate` takes for each task: its node, its files by option, and what goes into which socket."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from artifexpro.hosts.terminal.output import WrongUse


@dataclass(frozen=True)
class Task:
    """`sockets` has the node's input for each option that names a file; `needs` those it cannot do without."""

    generator: str
    sockets: Mapping[str, str]
    needs: tuple[str, ...] = ()
    style: bool = False


TASKS: Mapping[str, Task] = {
    "t2v": Task("T2VGenerator", {}, style=True),
    "ti2v": Task("TI2VGenerator", {"image": "image"}),
    "i2v": Task(
        "I2VGenerator", {"image": "image", "last-image": "last_image", "video": "motion_guide"}, needs=("image",)
    ),
    "style": Task("StyleTransfer", {"video": "video"}, needs=("video",), style=True),
    "edit": Task("MaskedEdit", {"video": "video", "mask": "mask", "image": "reference"}, needs=("video", "mask")),
    "s2v": Task(
        "S2VGenerator",
        {"audio": "audio", "image": "reference_image", "video": "pose_video"},
        needs=("audio", "image"),
    ),
}


def likely(given: Sequence[str], able: Sequence[str] | None) -> str:
    """The task that files given by these options ask for, among those a model is `able` to do (None: not stated)."""
    wanted = "ti2v"
    if "audio" in given:
        wanted = "s2v"
    elif "mask" in given:
        wanted = "edit"
    elif "last-image" in given:
        wanted = "i2v"
    elif "video" in given:
        wanted = "i2v" if "image" in given else "style"
    if able is None or wanted in able:
        return wanted
    return next((task for task in able if task in TASKS and set(given) <= set(TASKS[task].sockets)), wanted)


def media(name: str, files: Mapping[str, Path]) -> dict[str, str]:
    """Absolute paths by socket of the task called `name`. Raises `WrongUse` where it has no use for one, lacks one, or
    one is not there."""
    task = TASKS[name]
    for option, path in files.items():
        if option not in task.sockets:
            takes = " and ".join(f"--{each}" for each in task.sockets) or "no file"
            raise WrongUse(f"The task {name} takes no --{option}: it takes {takes}.")
        if not ("%" in path.name or "#" in path.name) and not path.is_file():
            raise WrongUse(f"--{option} {path}: there is no such file.")
    for option in task.needs:
        if option not in files:
            raise WrongUse(f"The task {name} needs --{option} FILE.")
    return {task.sockets[option]: str(path.absolute()) for option, path in files.items()}


def settings(
    name: str,
    style: str | None,
    strength: float | None,
    files: Mapping[str, Path],
    style_strength: float | None = None,
) -> dict[str, Any]:
    """The parameters only some tasks have. Raises `WrongUse` where this one has none of that name."""
    stated: dict[str, Any] = {}
    if style is not None:
        if not TASKS[name].style:
            raise WrongUse(f"The task {name} takes no --style: t2v and style do.")
        stated["style_preset"] = style
    if style_strength is not None:
        if style is None:
            raise WrongUse("--style-strength says how much of a look is used: --style NAME says which.")
        stated["style_strength"] = style_strength
    if strength is not None:
        if name == "style":
            stated["strength"] = strength
        elif name == "i2v" and "video" in files:
            stated["motion"] = round(1 - strength, 6)
        else:
            raise WrongUse(f"The task {name} takes no --strength: style does, and i2v with a --video to follow.")
    return stated
