"""Inputs leave as scene-linear EXR: rendered by Nuke when a job needs them, and only what changed since the last one.

A folder's name is made of all that stands above the input: every knob of every node, files with their dates, the
project's colour. What is there under that name is what would be rendered, so it is not rendered again.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import nuke

from . import spaces
from .spaces import Space
from .telling import Refused
from .undoing import no_step

PATTERN = "plate.%04d.exr"
_LOOKS = frozenset(
    {"name", "xpos", "ypos", "selected", "tile_color", "note_font", "label", "help", "hide_input", "bookmark"}
)
_PROJECT = ("format", "proxy", "colorManagement", "OCIO_config", "customOCIOConfigPath", "workingSpaceLUT", "fps")
_NUMBER = re.compile(r"%0?\d*d|#+")


def rendered(node: Any, frames: range, folder: Path, space: Space, alpha: bool) -> str:
    """The pattern of EXR frames of what `node` shows on `frames`, below `folder`. `alpha`: with its alpha channel.

    Raises `Refused` with what Nuke said.
    """
    place = folder / _key(node, frames, space, alpha)
    missing = [frame for frame in frames if not (place / (PATTERN % frame)).is_file()]
    if missing:
        _render(node, _runs(missing), place, space, alpha)
    return str(place / PATTERN)


def _render(node: Any, runs: Iterable[tuple[int, int]], place: Path, space: Space, alpha: bool) -> None:
    """By a Write that is there no longer than it takes, and of which undo knows nothing."""
    place.mkdir(parents=True, exist_ok=True)
    part = place / "part"
    was_modified = nuke.modified()
    try:
        with no_step(), node.parent() or nuke.root():
            write = nuke.nodes.Write(
                file=(part / PATTERN).as_posix(),
                file_type="exr",
                datatype="16 bit half",
                compression="Zip (16 scanlines)",
                channels="rgba" if alpha else "rgb",
                create_directories=True,
                colorspace=space.nukes,
            )
            try:
                write.setInput(0, node)
                for first, last in runs:
                    nuke.execute(write, first, last, 1)
            finally:
                nuke.delete(write)
    except RuntimeError as trouble:
        raise Refused(
            f"render what {node.name()} shows",
            f"Nuke said: {str(trouble).rstrip('.')}",
            "mending that, and then once more",
        ) from trouble
    finally:
        nuke.modified(was_modified)
    for file in sorted(part.iterdir()):
        file.replace(place / file.name)
    part.rmdir()


def _runs(frames: list[int]) -> Iterator[tuple[int, int]]:
    """Frames that follow one another, as (first, last)."""
    first = before = frames[0]
    for frame in frames[1:]:
        if frame != before + 1:
            yield first, before
            first = frame
        before = frame
    yield first, before


# ---------------------------------------------------------------------- whether something changed


def _key(node: Any, frames: range, space: Space, alpha: bool) -> str:
    root = nuke.root()
    project: dict[str, Any] = {name: root[name].toScript() for name in _PROJECT if root.knob(name) is not None}
    if "customOCIOConfigPath" in project:
        project["config"] = _stamp(spaces.config_name())
    said = {"project": project, "space": space.nukes, "alpha": alpha, "above": _above(node, frames)}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode("utf-8")).hexdigest()[:20]


def _above(node: Any, frames: range) -> list[Any]:
    """All that the node depends on, itself among it, each once; nodes are told apart by numbers, not by names."""
    numbers, waiting, said = {node: 0}, [node], []
    for each in waiting:
        above = [each.input(index) for index in range(each.inputs())]
        if each.Class() == "Input" and each.parent() is not None:
            above = [each.parent().input(int(each["number"].value()))]
        inside = list(each.nodes()) if hasattr(each, "nodes") else []
        for one in (*above, *inside):
            if one is not None and one not in numbers:
                numbers[one] = len(numbers)
                waiting.append(one)
        wires = [None if one is None else numbers[one] for one in above]
        said.append([each.Class(), _knobs(each, frames), wires, [numbers[one] for one in inside]])
    return said


def _knobs(node: Any, frames: range) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for name, knob in node.knobs().items():
        if name in _LOOKS or name.startswith("artifexpro_"):
            continue
        told[name] = knob.toScript()
        if knob.hasExpression():
            told[f"{name} sampled"] = [knob.getValueAt(frame) for frame in frames]
        if knob.Class() == "File_Knob" and knob.value():
            told[f"{name} on disk"] = _stamp(knob.evaluate() or "")
    return told


def _stamp(pattern: str) -> list[Any]:
    """Names, sizes and dates of the files a pattern stands for."""
    path = Path(pattern)
    if not _NUMBER.search(path.name):
        files = [path]
    else:
        name = re.compile(r"\d+".join(re.escape(part) for part in _NUMBER.split(path.name)))
        there = sorted(path.parent.iterdir()) if path.parent.is_dir() else []
        files = [each for each in there if name.fullmatch(each.name)]
    stamps = [(each.name, each.stat()) for each in files if each.is_file()]
    return [str(path.parent), [[name, stat.st_size, stat.st_mtime_ns] for name, stat in stamps]]
