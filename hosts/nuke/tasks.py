"""What a node can be asked for: which node type of the catalogue does it, and what feeds its sockets."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from . import marks
from .telling import Refused

CLIP, FIRST, LAST, MATTE = "clip", "first", "last", "matte"
_HOW = {"VIDEO": CLIP, "IMAGE": FIRST, "MASK": MATTE}
WAN_INPUTS = ("plate", "roto", "reference")
DECIDED_BY_RANGE = frozenset({"frames", "first_frame"})


@dataclass(frozen=True)
class Feed:
    """A socket of the catalogue's node and the Group's input it gets its pictures from.

    `how`: "clip" all frames, "first" or "last" one picture, "matte" the alpha of all frames.
    """

    socket: str
    input: str
    how: str
    optional: bool = False


@dataclass(frozen=True)
class Task:
    """One of the things a node can do. `entry` is the catalogue's, as it was when the node was made."""

    name: str
    entry: dict[str, Any]
    feeds: tuple[Feed, ...] = ()

    def as_data(self) -> dict[str, Any]:
        """Without the help texts, which the knobs have."""
        plain = [{name: value for name, value in each.items() if name != "doc"} for each in self.entry["parameters"]]
        slim = {"name": self.entry["name"], "version": self.entry["version"], "parameters": plain}
        return {"entry": slim, "feeds": [asdict(feed) for feed in self.feeds]}


_WAN = {
    "text": ("T2VGenerator", ()),
    "picture": ("TI2VGenerator", (Feed("image", "plate", FIRST),)),
    "between": ("I2VGenerator", (Feed("image", "plate", FIRST), Feed("last_image", "plate", LAST))),
    "style": ("StyleTransfer", (Feed("video", "plate", CLIP),)),
    "mask": (
        "MaskedEdit",
        (
            Feed("video", "plate", CLIP),
            Feed("mask", "roto", MATTE),
            Feed("reference", "reference", FIRST, optional=True),
        ),
    ),
}


def wan(catalogue: dict[str, dict[str, Any]]) -> list[Task]:
    """What a Wan node can do with this catalogue."""
    return [Task(name, catalogue[kind], feeds) for name, (kind, feeds) in _WAN.items() if kind in catalogue]


def process(entry: dict[str, Any]) -> Task:
    """Any node type that makes pictures from pictures. Raises `Refused` for one that takes or gives something else."""
    if entry["category"] == "generator":
        raise Refused(f"make a node {entry['name']}", "it generates, which a Wan node does", "ArtifexPro > Wan")
    sockets = entry["inputs"]
    foreign = [each["type"] for each in sockets if each["type"] not in _HOW]
    gives = [each["type"] for each in entry["outputs"]]
    if foreign or not sockets or gives != ["VIDEO"]:
        said = ", ".join(foreign or gives or ["nothing"])
        raise Refused(
            f"make a node {entry['name']}",
            f"it does not make pictures from pictures, which is all that can lie between Nuke's nodes ({said})",
            "a node that takes and gives pictures",
        )
    feeds = tuple(Feed(each["name"], each["name"], _HOW[each["type"]], each["optional"]) for each in sockets)
    return Task(entry["name"], entry, feeds)


def of(node: Any) -> Task:
    """What the node is set to do now."""
    told = marks.kinds(node)
    chosen = node[marks.TASK].value() if node.knob(marks.TASK) is not None else next(iter(told))
    said = told[chosen]
    return Task(chosen, said["entry"], tuple(Feed(**feed) for feed in said["feeds"]))


def check_settings(node: Any, task: Task, params: dict[str, Any]) -> None:
    """Refuse a knob that is set and that this task has no part in: it would do nothing without a word."""
    own = {each["name"] for each in task.entry["parameters"]}
    for name, value in params.items():
        if name not in own:
            raise Refused(
                f"generate with {node.name()}",
                f"{name} is set to {value}, and the task {task.name} has no such setting",
                f"{name} as it was, or another task",
            )


def _of_several(parameter: dict[str, Any]) -> dict[str, Any]:
    """Tasks begin with models of their own: a node that has several leaves the choice open."""
    if parameter["name"] != "model":
        return parameter
    return {**parameter, "default": "", "doc": f"{parameter['doc']} Empty is the one the task begins with."}


def parameters(told: list[Task]) -> list[dict[str, Any]]:
    """The parameters of all tasks, each once; what the range decides is not among them."""
    found: dict[str, dict[str, Any]] = {}
    for task in told:
        for each in task.entry["parameters"]:
            if len(told) == 1:
                found[each["name"]] = each
            elif each["name"] not in DECIDED_BY_RANGE:
                found.setdefault(each["name"], _of_several(each))
    return list(found.values())
