"""Which of Nuke's inputs a job needs, whether they can be had, and the catalogue's nodes that read them."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import nuke

from ..bridge import graphs
from . import plates, rates, tasks
from .spaces import Space
from .tasks import Feed, Task
from .telling import Refused


def connected(node: Any, task: Task) -> dict[str, Any]:
    """The node above by the Group's input, for those that the task takes.

    Raises `Refused` for one that is missing, and for one that is connected and that the task takes no notice of.
    """
    names = {int(each["number"].value()): each.name() for each in node.nodes() if each.Class() == "Input"}
    there = {name: node.input(number) for number, name in names.items() if node.input(number) is not None}
    taken = {feed.input for feed in task.feeds}
    for feed in task.feeds:
        if feed.input not in there and not feed.optional:
            raise _refused(
                node, f"the task {task.name} needs a {feed.input}", f"connecting one to its input {feed.input}"
            )
    idle = next((name for name in there if name not in taken), None)
    if idle is not None:
        raise _refused(
            node,
            f"a {idle} is connected, and the task {task.name} takes none",
            f"another task, or nothing on the input {idle}",
        )
    return there


def check(node: Any, there: dict[str, Any], task: Task, frames: range) -> None:
    """Refuse what Nuke would render as black, or hold still, without a word. Raises `Refused`."""
    root = nuke.root()
    if there and root.knob("proxy") is not None and root["proxy"].value():
        raise _refused(node, "Nuke is in proxy mode, and plates leave at full size", "turning proxy mode off")
    for feed in task.feeds:
        above = there.get(feed.input)
        if above is None:
            continue
        if above.treeHasError():
            raise _refused(node, f"{above.name()} on the input {feed.input} is in error", "mending that node")
        needed = _frames_of(feed, frames)
        if _from_files(above) and not above.firstFrame() <= needed[0] <= needed[-1] <= above.lastFrame():
            raise _refused(
                node,
                f"{above.name()} has frames {above.firstFrame()} to {above.lastFrame()}, and "
                f"{needed[0]} to {needed[-1]} are needed, handles counted",
                "a range inside of them, or fewer handles",
            )
        if feed.how == tasks.MATTE and "rgba.alpha" not in above.channels():
            raise _refused(
                node, f"{above.name()} on the input {feed.input} has no alpha", "a Roto, or a Shuffle into alpha"
            )
    _check_sizes(node, there, task)


def _check_sizes(node: Any, there: dict[str, Any], task: Task) -> None:
    sizes = {
        feed.input: (there[feed.input].width(), there[feed.input].height())
        for feed in task.feeds
        if feed.input in there
    }
    for feed in task.feeds:
        if feed.how != tasks.MATTE or feed.input not in sizes:
            continue
        clip = next((each.input for each in task.feeds if each.how == tasks.CLIP), None)
        if clip is not None and sizes[clip] != sizes[feed.input]:
            small, large = ("{} x {}".format(*sizes[name]) for name in (feed.input, clip))
            raise _refused(
                node,
                f"the {feed.input} is {small} pixels and the {clip} {large}",
                "a Reformat, so that they have one size",
            )


def sources(
    node: Any, there: dict[str, Any], task: Task, frames: range, folder: Path, space: Space, rate: Fraction
) -> tuple[dict[str, Any], dict[str, str]]:
    """Render what is needed. Returns the document's nodes that read it, and by socket the node that feeds it."""
    made: dict[str, Any] = {}
    wires: dict[str, str] = {}
    for feed in task.feeds:
        above = there.get(feed.input)
        if above is None:
            continue
        needed = _frames_of(feed, frames)
        alpha = "rgba.alpha" in above.channels()
        pattern = plates.rendered(above, needed, folder, space, alpha)
        params = {
            "path": pattern,
            "first": needed[0],
            "last": needed[-1],
            "rate": rates.text(rate),
            "space": space.daemons,
        }
        made[feed.socket] = graphs.node("SequenceInput", params)
        wires[feed.socket] = feed.socket
        if feed.how == tasks.MATTE:
            made[f"{feed.socket}_matte"] = graphs.node("MatteFrom", {"channel": "alpha"}, video=feed.socket)
            wires[feed.socket] = f"{feed.socket}_matte"
        elif feed.how in (tasks.FIRST, tasks.LAST):
            made[f"{feed.socket}_picture"] = graphs.node("FrameHold", {"frame": needed[0]}, video=feed.socket)
            wires[feed.socket] = f"{feed.socket}_picture"
    return made, wires


def _frames_of(feed: Feed, frames: range) -> range:
    if feed.how == tasks.FIRST:
        return frames[:1]
    return frames[-1:] if feed.how == tasks.LAST else frames


def _from_files(node: Any) -> bool:
    """Whether a Read decides on which frames there are; what has no files goes on for ever."""
    waiting, seen = [node], set()
    while waiting:
        each = waiting.pop()
        if each.Class() == "Read":
            return True
        seen.add(each)
        waiting.extend(one for one in (each.input(index) for index in range(each.inputs())) if one and one not in seen)
    return False


def _refused(node: Any, because: str, remedy: str) -> Refused:
    return Refused(f"generate with {node.name()}", because, remedy)
