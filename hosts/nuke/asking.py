"""From a node to a job: checked, its inputs rendered, its place frozen, all in one request.

The place is the node's id and the number of the version: renaming, moving or copying the node changes nothing.
"""

from __future__ import annotations

import re
import uuid
from pathlib import Path
from typing import Any

import nuke

from ..bridge import graphs
from ..bridge.jobs import Job, JobBook
from . import feeding, identity, marks, rates, sampling, spaces, tasks
from .tasks import Task
from .telling import Refused

HOST = "nuke"
_RESULT = "result"
_NOT_A_NAME = re.compile(r"[^A-Za-z0-9_-]+")


def ask(book: JobBook, node: Any) -> Job:
    """Put the job that the node asks for into the book. Raises `Refused` and leaves everything as it was."""
    task = tasks.of(node)
    frames = range_of(node)
    rate = rates.exact(float(nuke.root()["fps"].value()))
    if rate <= 0:
        raise _refused(node, "the script has no frame rate", "frames per second in Project Settings")
    params = _params(node, task, frames)
    there = feeding.connected(node, task)
    feeding.check(node, there, task, frames)
    space = spaces.between(node.node(marks.RESULT)["colorspace"])
    script = _script(node)
    folder = script.parent / "artifexpro"
    made, wires = feeding.sources(node, there, task, frames, folder / "plates", space, rate)
    number = next_version(book, node)
    name = f"{_file_name(node)}_v{number:03d}"
    made[_RESULT] = graphs.node(task.entry["name"], params, **wires)
    made["frames"] = graphs.node("FileOutput", {"path": f"{name}.%04d.exr", "space": space.daemons}, video=_RESULT)
    place = {
        "node": node[marks.ID].value(),
        "name": node.name(),
        "version": number,
        "task": task.name,
        "matted": task.name == "mask",
        "space": {"daemons": space.daemons, "nukes": space.nukes},
        "handles": int(node[marks.HANDLES].value()),
        "rate": rates.text(rate),
    }
    request = graphs.job_request(
        graphs.render_work(graphs.document(made)),
        title=f"{node.name()} v{number:03d}",
        key=uuid.uuid4().hex,
        output=str(folder / _file_name(node) / f"v{number:03d}"),
        target={
            "host": HOST,
            "document": str(script),
            "frame": frames[0],
            "handles": place["handles"],
            "extra": {"node": node.fullName(), "version": number},
        },
        client=identity.introduction(),
    )
    job = Job(request["key"], request["title"], request, place)
    book.add(job)
    return job


def range_of(node: Any) -> range:
    """The frames to make, handles counted. Raises `Refused`."""
    first, last = int(node[marks.FIRST].value()), int(node[marks.LAST].value())
    handles = int(node[marks.HANDLES].value())
    if last < first:
        raise _refused(node, f"its last frame {last} comes before its first, {first}", "a range the right way round")
    if handles < 0:
        raise _refused(node, f"it has {handles} handles", "0 or more")
    return range(first - handles, last + handles + 1)


def next_version(book: JobBook, node: Any) -> int:
    """One more than all that were delivered or asked for."""
    mark = node[marks.ID].value()
    asked = [job.place["version"] for job in book if job.place.get("node") == mark]
    return max([0, *asked, *(each["version"] for each in marks.versions(node))]) + 1


def _params(node: Any, task: Task, frames: range) -> dict[str, Any]:
    """What the knobs say for the task's node type; the range decides on length and numbers of what has no clip."""
    whole = {each["name"]: each for told in marks.kinds(node).values() for each in told["entry"]["parameters"]}
    own = {each["name"] for each in task.entry["parameters"]}
    clip = any(feed.how == tasks.CLIP for feed in task.feeds)
    several = len(marks.kinds(node)) > 1
    foreign = [each for name, each in whole.items() if name not in own]
    asides = {**task.entry, "parameters": foreign}
    decided = frozenset(tasks.DECIDED_BY_RANGE) if several else frozenset()
    tasks.check_settings(node, task, sampling.params(node, asides, frames, decided))
    entry = task.entry
    if several:
        empty = [{**each, "default": ""} if each["name"] == "model" else each for each in entry["parameters"]]
        entry = {**entry, "parameters": empty}
    params = sampling.params(node, entry, frames, decided)
    if several and not clip:
        params.update(first_frame=frames[0], frames=len(frames))
    return params


def _script(node: Any) -> Path:
    name = nuke.root()["name"].value()
    if not name:
        raise _refused(
            node, "the script was never saved, and plates and results lie beside it", "saving the script first"
        )
    return Path(name).absolute()


def _file_name(node: Any) -> str:
    return _NOT_A_NAME.sub("_", node.name()) or "node"


def _refused(node: Any, because: str, remedy: str) -> Refused:
    return Refused(f"generate with {node.name()}", because, remedy)
