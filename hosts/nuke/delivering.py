"""A finished job becomes a version of its node, once: the Read inside shows it, the node remembers it.

The job's name is written with the version: whoever delivers again finds it there, in this session or the next.
"""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import nuke

from ..bridge.jobs import Job
from . import marks, spaces, telling
from .telling import Refused
from .undoing import one_step


def deliver(job: Job, show: bool = True) -> str:
    """Make the result of finished `job` a version of its node; `show` it, else it waits to be chosen.

    Returns a sentence. Raises `Refused` and leaves the node as it was.
    """
    frames = frames_of(job)
    node = marks.with_id(job.place["node"])
    if node is None:
        raise _refused(job, f"the node {job.place['name']} was deleted", f"the frames, which are {frames['path']}")
    if any(each["job"] == job.job for each in marks.versions(node)):
        return "It was there already."
    remarks = [*job.notes, *_remarks(job, frames)]
    entry = {
        "version": job.place["version"],
        "job": job.job,
        "file": Path(frames["path"]).as_posix(),
        "first": frames["frames"]["first"],
        "last": frames["frames"]["last"],
        "space": job.place["space"],
        "matted": job.place["matted"],
        "task": job.place["task"],
        "handles": job.place["handles"],
        "recipe": (job.result or {}).get("recipe", {}),
    }
    with one_step(f"ArtifexPro {job.title}"):
        _remember(node, entry)
        if show:
            shows(node, entry)
    words = f"{marks.label(entry)} has frames {entry['first']} to {entry['last']}."
    sentence = " ".join((words, *remarks))
    telling.status(node, sentence)
    return sentence


def frames_of(job: Job) -> dict[str, Any]:
    """The EXR frames among a finished job's artefacts. Raises `Refused` where they are not all on disk."""
    artefacts = (job.result or {}).get("artefacts", ())
    made: dict[str, Any] | None = next((each for each in artefacts if each["role"] == "frames"), None)
    if made is None:
        raise _refused(job, "it finished without frames", "Generate once more")
    for frame in range(made["frames"]["first"], made["frames"]["last"] + 1):
        path = Path(made["path"] % frame)
        if not path.is_file() or path.stat().st_size == 0:
            raise _refused(job, f"{path} is not there any more", "Generate once more")
    return made


def choose(node: Any, name: str) -> None:
    """Show the version of that name. Raises `Refused` where its frames are gone."""
    entry = next((each for each in marks.versions(node) if marks.label(each) == name), None)
    if entry is None:
        if name == marks.NO_VERSION:
            return
        raise Refused(f"show {name} of {node.name()}", "it was taken back by Undo", "another version")
    gone = [frame for frame in (entry["first"], entry["last"]) if not Path(entry["file"] % frame).is_file()]
    if gone:
        raise Refused(
            f"show {name} of {node.name()}",
            f"{entry['file'] % gone[0]} is not there any more",
            "another version, or Generate once more",
        )
    shows(node, entry)
    telling.status(node, f"{name} has frames {entry['first']} to {entry['last']}.")


def shown(node: Any) -> str:
    """The name of the version that the Read shows now; empty before there is one."""
    file = node.node(marks.RESULT)["file"].value()
    return next((marks.label(each) for each in marks.versions(node) if each["file"] == file), "")


def shows(node: Any, entry: dict[str, Any]) -> None:
    """Point the Read inside the Group at a version."""
    read = node.node(marks.RESULT)
    known = nuke.getColorspaceList(read["colorspace"])
    space = entry["space"]["nukes"]
    if space not in known:
        space = spaces.between(read["colorspace"]).nukes
        if spaces.between(read["colorspace"]).daemons != entry["space"]["daemons"]:
            raise Refused(
                f"show {marks.label(entry)} of {node.name()}",
                f"its frames are in {entry['space']['daemons']}, which the project's config does not have",
                "Generate once more under this config",
            )
    read["file"].setValue(entry["file"])
    for name, value in (("first", entry["first"]), ("last", entry["last"])):
        read[name].setValue(value)
        read[f"orig{name}"].setValue(value)
    read["origset"].setValue(True)
    read["raw"].setValue(False)
    read["colorspace"].setValue(space)
    read["premultiplied"].setValue(True)
    node[marks.MATTED].setValue(int(entry["matted"]))
    node[marks.SHOWN].setValue(1)
    node[marks.VERSION].setValue(marks.label(entry))


def _remember(node: Any, entry: dict[str, Any]) -> None:
    known = sorted([*marks.versions(node), entry], key=lambda each: each["version"])
    node[marks.VERSIONS].setValue(json.dumps(known))
    shown = node[marks.VERSION].value()
    node[marks.VERSION].setValues([marks.label(each) for each in known])
    if shown in node[marks.VERSION].values():
        node[marks.VERSION].setValue(shown)


def _remarks(job: Job, frames: dict[str, Any]) -> list[str]:
    rate = frames.get("rate")
    if not rate:
        return []
    made, shown = Fraction(rate["num"], rate["den"]), Fraction(job.place["rate"])
    if made == shown:
        return []
    return [f"It was made for {float(made):g} frames a second and plays at the script's {float(shown):g}."]


def _refused(job: Job, because: str, remedy: str) -> Refused:
    return Refused(f"put {job.title} into the script", because, remedy)
