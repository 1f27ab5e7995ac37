"""A node of ours as Nuke has it: a Group with the catalogue's knobs, and inside it the Read that gets the result.

It is written as script text, which Nuke reads: made by hand and opened from a file, it is the same node. What shows the
result is Nuke's own (Read, Reformat, Copy, Premult, Merge): a script opens and renders where nothing of ours is.
"""

from __future__ import annotations

import json
import uuid
from typing import Any

import nuke

from ..bridge.catalogue import controls
from . import knobtext, library, marks, tasks, telling
from .nktext import quoted
from .tasks import Task
from .telling import Refused
from .undoing import one_step

DRAFT_FRAMES = 41
"""Length of a new clip that no plate gives one to: that of the preset Draft."""
_ROTOS = ("Roto", "RotoPaint", "Bezier", "Rectangle")
_ABSENT = (
    "ArtifexPro is not installed in this Nuke, so nothing can be generated; what was made shows and renders. "
    "To install it: artifexpro host install nuke"
)
_CHANGED = f"""
if nuke.thisKnob().name() in ("{marks.VERSION}", "{marks.TASK}"):
    try:
        from artifexpro_nuke.nuke import buttons
    except ImportError:
        (nuke.message if nuke.GUI else nuke.tprint)("{_ABSENT}")
    else:
        buttons.changed(nuke.thisNode(), nuke.thisKnob())
"""


def create() -> Any | None:
    """A Wan node under what is selected: menu ArtifexPro > Wan. None where that was refused with a message."""
    try:
        return make("Wan", tasks.wan(library.nodes()))
    except Refused as refusal:
        telling.message(str(refusal))
        return None


def choose() -> Any | None:
    """Any other node type of the catalogue, asked for by name."""
    try:
        known = library.nodes()
        fitting = sorted(name for name, entry in known.items() if _fits(entry))
        chosen = nuke.choice("ArtifexPro", "Node", fitting)
        return None if chosen is None else make(fitting[chosen], [tasks.process(known[fitting[chosen]])])
    except Refused as refusal:
        telling.message(str(refusal))
        return None


def process(name: str) -> Any:
    """A node of one type of the catalogue. Raises `Refused`."""
    known = library.nodes()
    if name not in known:
        raise Refused(f"make a node {name}", "the catalogue has no such node", "one that artifexpro nodes lists")
    return make(name, [tasks.process(known[name])])


def _fits(entry: dict[str, Any]) -> bool:
    try:
        tasks.process(entry)
    except Refused:
        return False
    return True


def make(stem: str, told: list[Task]) -> Any:
    """Put a node into the open group, wired to what is selected there. Raises `Refused` where nothing can be made."""
    if not told:
        raise Refused(
            f"make a node {stem}", "the daemon's catalogue has none of its tasks", "an ArtifexPro of this release"
        )
    chosen = nuke.selectedNodes()
    mark = uuid.uuid4().hex
    plate = next((node for node in chosen if node.Class() not in _ROTOS), None)
    root = nuke.root()
    first = plate.firstFrame() if plate is not None else root.firstFrame()
    last = plate.lastFrame() if plate is not None else first + DRAFT_FRAMES - 1
    with one_step(f"ArtifexPro {stem}"), nuke.thisGroup():
        nuke.scriptReadText(group_text(stem, mark, told, first, last))
    node = marks.with_id(mark)
    if node is None:
        raise RuntimeError("Nuke did not make the node")
    roto = next((each for each in chosen if each.Class() in _ROTOS), None)
    for index, above in enumerate((plate, roto)):
        if above is not None:
            node.setInput(index, above)
    if nuke.GUI:
        node.showControlPanel()
    return node


def made() -> None:
    """A node of ours is there, new, opened or pasted. A pasted one is another: results go to the one that asked."""
    node = nuke.thisNode()
    mark = node[marks.ID].value()
    if sum(each[marks.ID].value() == mark for each in marks.all_of_ours()) > 1:
        node[marks.ID].setValue(uuid.uuid4().hex)


# ---------------------------------------------------------------------- the text


def group_text(stem: str, mark: str, told: list[Task], first: int, last: int) -> str:
    """The node as a script has it. `mark` is its id for ever."""
    inputs = _inputs(told)
    matted = any(feed.how == tasks.MATTE and task.name == "mask" for task in told for feed in task.feeds)
    lines = ["Group {", " inputs 0", f" name {stem}1"]
    lines.append(" addUserKnob {20 artifexpro l ArtifexPro}")
    if len(told) > 1:
        lines.append(_knob(4, marks.TASK, "l", "task", "t", _task_help(told), "M", knobtext.items(*_names(told))))
    for control in controls({"parameters": tasks.parameters(told)}):
        own = knobtext.shown(control, control.name, control.default, control.name.replace("_", " "))
        lines += [f" {line}" for line in own]
    lines += _range_knobs(first, last, matted)
    lines += _buttons()
    lines += _hidden(mark, told)
    lines += [f" knobChanged {quoted(_CHANGED)}", "}"]
    lines += [f" {line}" for line in _inside(inputs, matted)]
    lines.append("end_group")
    return "\n".join(lines) + "\n"


def _inputs(told: list[Task]) -> list[str]:
    if len(told) > 1:
        return list(tasks.WAN_INPUTS)
    return [feed.input for feed in told[0].feeds]


def _names(told: list[Task]) -> list[str]:
    return [task.name for task in told]


def _task_help(told: list[Task]) -> str:
    return " ".join(f"{task.name}: {task.entry['doc'].splitlines()[0]}" for task in told)


def _knob(*words: object) -> str:
    return f" {knobtext.added(*words)}"


def _range_knobs(first: int, last: int, matted: bool) -> list[str]:
    lines = [
        _knob(26, "artifexpro_range", "l", "range"),
        _knob(3, marks.FIRST, "l", "first", "t", "First frame of the shot, without its handle."),
        f" {marks.FIRST} {first}",
        _knob(3, marks.LAST, "l", "last", "t", "Last frame of the shot, without its handle.", "-STARTLINE"),
        f" {marks.LAST} {last}",
        _knob(3, marks.HANDLES, "l", "handles", "t", "Frames more at each end.", "-STARTLINE"),
    ]
    if matted:
        said = "mask: the result lies over the plate. Off, it is alone, its alpha that of the roto, multiplied in."
        lines += [_knob(6, marks.OVER, "l", "over plate", "t", said, "+STARTLINE"), f" {marks.OVER} true"]
    return lines


def _buttons() -> list[str]:
    lines = [_knob(26, "artifexpro_result", "l", "result")]
    for name in ("generate", "cancel"):
        lines.append(
            _knob(22, name, "l", name.title(), "T", _press(name), "+STARTLINE" if name == "generate" else "-STARTLINE")
        )
    lines.append(
        _knob(4, marks.VERSION, "l", "version", "t", "Which result is shown.", "M", knobtext.items(marks.NO_VERSION))
    )
    lines.append(_knob(22, "reveal", "l", "Reveal", "t", "Shows the folder of this version.", "T", _press("reveal")))
    return [*lines, _knob(1, marks.STATUS, "l", "status")]


def _press(name: str) -> str:
    """A button that works in a Nuke without the adapter too, saying so."""
    return (
        "try:\n    from artifexpro_nuke.nuke import buttons\nexcept ImportError:\n"
        f'    (nuke.message if nuke.GUI else nuke.tprint)("{_ABSENT}")\nelse:\n    buttons.{name}(nuke.thisNode())'
    )


def _hidden(mark: str, told: list[Task]) -> list[str]:
    kinds = json.dumps({task.name: task.as_data() for task in told}, ensure_ascii=True)
    lines = []
    for code, name, value in (
        (1, marks.ID, mark),
        (1, marks.KINDS, kinds),
        (1, marks.VERSIONS, "[]"),
        (3, marks.SHOWN, 0),
        (3, marks.MATTED, 0),
    ):
        lines += [_knob(code, name, "+INVISIBLE"), f" {name} {quoted(str(value))}"]
    return lines


def _inside(inputs: list[str], matted: bool) -> list[str]:
    """The nodes in the Group. A node takes its inputs from the stack, the topmost being its first."""
    lines = []
    for number, name in enumerate(inputs):
        lines += _node("Input", name, "inputs 0", f"number {number}", f"xpos {number * 110}")
    lines += _node("Read", marks.RESULT, "inputs 0", "xpos 330")
    first = f"${inputs[0]}"
    if not matted:
        lines += [f"push ${marks.RESULT}", f"push {first}"]
        lines += _node("Switch", "shown", "inputs 2", f"which {_expression(f'parent.{marks.SHOWN}')}", "ypos 200")
        return [*lines, *_node("Output", "Output1", "ypos 300")]
    lines.append(f"push ${marks.RESULT}")
    size = [f"box_{side} {_expression(f'{inputs[0]}.{side}')}" for side in ("width", "height")]
    lines += _node("Reformat", "fitted", 'type "to box"', *size, "box_fixed true", "resize distort", "ypos 60")
    lines += [f"push ${inputs[1]}", "push $fitted"]
    lines += _node("Copy", "alpha_of_roto", "inputs 2", "from0 rgba.alpha", "to0 rgba.alpha", "ypos 90")
    lines += _node("Premult", "matted", "ypos 120")
    lines += ["push $matted", f"push {first}"]
    lines += _node("Merge2", "over_plate", "inputs 2", "ypos 150")
    lines += ["push $over_plate", "push $matted", f"push ${marks.RESULT}", f"push {first}"]
    which = f"parent.{marks.SHOWN}*(1+parent.{marks.MATTED}*(1+parent.{marks.OVER}))"
    lines += _node("Switch", "shown", "inputs 4", f"which {_expression(which)}", "ypos 200")
    return [*lines, *_node("Output", "Output1", "ypos 300")]


def _node(kind: str, name: str, *knobs: str) -> list[str]:
    return [f"{kind} {{", *(f" {knob}" for knob in knobs), f" name {name}", "}", f"set {name} [stack 0]"]


def _expression(text: str) -> str:
    return "{{" + text + "}}"
