"""Graph documents as Nuke scripts, and back: every node of the catalogue is a Group with knobs.

A Group and not a gizmo, so that a script opens anywhere without our plug-ins. Inside, it hands on its first picture;
the daemon computes what the node makes. What Nuke has no knob for is in the hidden knob `artifexpro`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from ..bridge.catalogue import CHOICE, MOTION, NUMBER, TICK, WHOLE, Entry, Shown
from ..bridge.errors import BridgeError
from ..bridge.graphs import Document
from ..bridge.native import SELF, Native, Words, free, fresh, plain
from ..bridge.nativegraph import document as folded
from ..bridge.nativegraph import natives
from . import knobtext, reading
from .nktext import quoted
from .reading import CARRIER, GROUPS_KNOB, RECORD_KNOB, Block

TAB = "artifexpro_tab"
_NUKES_OWN = """
    name label help inputs disable selected hide_input cached bookmark postage_stamp note_font note_font_size
    note_font_color tile_color gl_color xpos ypos icon indicators dope_sheet knobChanged onCreate onDestroy updateUI
    autolabel panel lifetimeStart lifetimeEnd useLifetime lock_connections mapsize window panelDropped showpanel
"""
WORDS = Words(
    handles=frozenset({TAB, RECORD_KNOB, GROUPS_KNOB}.union(_NUKES_OWN.split())),
    names=frozenset({"root", "preferences", "Output1", CARRIER}),
)


def gizmo(node: Entry) -> str:
    """The Group of one catalogue entry, as text to paste: Nuke connects it to what is selected."""
    writer = _Writer()
    writer.group(fresh(node, WORDS))
    return "\n".join(writer.lines) + "\n"


def script(document: Document, catalogue: Iterable[Entry]) -> str:
    """A graph document as the text of a script. Raises `BridgeError`."""
    return _text(*natives(document, catalogue, WORDS))


def document(script_text: str) -> Document:
    """The graph document of the nodes of ours in a script; other nodes are left out. Raises `BridgeError` where one of
    ours takes from a node that is not, where a knob cannot be read, and where the text is not whole."""
    blocks = reading.blocks(script_text)
    unused: dict[str, Any] = {}
    for block in blocks:
        if GROUPS_KNOB in block.knobs:
            unused.update(reading.record(block, GROUPS_KNOB))
    return folded(_natives(blocks, inside=False), unused)


# ---------------------------------------------------------------------------- writing


def _text(found: Sequence[Native], unused: dict[str, Any]) -> str:
    writer = _Writer()
    writer.level(found, {})
    if unused:
        writer.block("NoOp", [("inputs", "0"), ("name", CARRIER)], _hidden(GROUPS_KNOB, unused))
    return "\n".join(writer.lines) + "\n"


class _Writer:
    """Blocks one after another, joined by Nuke's stack of nodes."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._depth = 0
        self._stacked = 0

    def level(self, found: Sequence[Native], inputs: dict[str, str]) -> dict[str, str]:
        """Write nodes; `inputs` are the group's own, by name, as they are stacked. Returns what is stacked by name."""
        stacked: dict[str, str] = {}
        for native in found:
            for socket in reversed(native.sockets):
                name, output = native.sources.get(socket, ("", ""))
                self._push(stacked[name] if name != SELF else inputs.get(output))
            self.group(native)
            stacked[native.name] = self._keep()
        return stacked

    def block(self, kind: str, knobs: Sequence[tuple[str, str]], more: Sequence[str] = ()) -> None:
        self._line(f"{kind} {{")
        for knob, value in knobs:
            self._line(f" {knob} {value}")
        for line in more:
            self._line(f" {line}")
        self._line("}")

    def group(self, native: Native) -> None:
        arrows = _arrows(native)
        knobs = [("inputs", str(len(native.sockets))), ("name", native.name), ("help", quoted(native.doc))]
        if native.label:
            knobs.append(("label", quoted(native.label)))
        knobs += [("xpos", str(native.place[0])), ("ypos", str(native.place[1]))]
        self.block("Group", knobs, [*_knobs(native), *_hidden(RECORD_KNOB, native.record)])
        self._depth += 1
        self._inside(native, arrows)
        self._depth -= 1
        self._line("end_group")

    def _inside(self, native: Native, arrows: dict[str, str]) -> None:
        inputs = {}
        for index, socket in enumerate(native.sockets):
            number = [("number", str(index))] if index else []
            place = [("xpos", str(index * 120)), ("ypos", "-120")]
            self.block("Input", [("inputs", "0"), ("name", arrows[socket]), *place, *number])
            inputs[socket] = self._keep()
        made = self.level(native.inside, inputs) if native.inside is not None else {}
        if not native.outputs:
            return
        end = native.ends.get(native.outputs[0])
        shown = made[end[0]] if end is not None else inputs.get(native.passes or "")
        if shown is not None:
            self._push(shown)
        self.block("Output", [("inputs", "0" if shown is None else "1"), ("name", "Output1"), ("ypos", "240")])

    def _push(self, stacked: str | None) -> None:
        self._line("push 0" if stacked is None else f"push ${stacked}", flat=True)

    def _keep(self) -> str:
        self._stacked += 1
        name = f"N{self._stacked:x}"
        self._line(f"set {name} [stack 0]", flat=True)
        return name

    def _line(self, text: str, flat: bool = False) -> None:
        self.lines.append(text if flat else " " * self._depth + text)


def _arrows(native: Native) -> dict[str, str]:
    """The names of the Input nodes inside, by socket; where they differ the record says which is which."""
    taken = {inner.name for inner in native.inside or ()} | {"Output1"}
    arrows: dict[str, str] = {}
    for socket in native.sockets:
        arrows[socket] = free(plain(socket), taken)
        taken.add(arrows[socket])
    differing = {name: socket for socket, name in arrows.items() if name != socket}
    if differing:
        native.record["arrows"] = differing
    return arrows


def _knobs(native: Native) -> list[str]:
    title = native.type.rpartition(":")[2]
    lines = [f"addUserKnob {{20 {TAB} l {quoted(title)}}}"]
    for control in native.controls:
        handle = native.handle(control.name)
        lines += knobtext.shown(control, handle, native.shown[control.name])
    return lines


def _hidden(knob: str, data: Any) -> list[str]:
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return [f"addUserKnob {{1 {knob} l ArtifexPro +INVISIBLE}}", f"{knob} {quoted(text)}"]


# ---------------------------------------------------------------------------- reading


def _natives(blocks: Sequence[Block], *, inside: bool) -> list[Native]:
    found = []
    for block in blocks:
        if block.is_ours:
            found.append(_native(block, inside))
        elif any(inner.is_ours for inner in block.everything_inside()):
            raise BridgeError(
                "read the script as a graph",
                f"nodes of ArtifexPro are inside the Group {block.name}, which is not of ArtifexPro",
                f"expanding {block.name} into the script",
                code="usage",
            )
    return found


def _native(block: Block, inside: bool) -> Native:
    record = reading.record(block, RECORD_KNOB)
    arrows = record.get("arrows", {})
    sockets = [arrows.get(name, name) for name in block.arrows()]
    native = Native(block.name, record, sockets=sockets, label=block.knobs.get("label", ""), place=block.place())
    native.shown = {name: _shown(block, told) for name, told in record.get("controls", {}).items()}
    for socket, source in zip(sockets, block.inputs):
        found = _source(source, block, inside)
        if found is not None:
            native.sources[socket] = found
    if "group" in record:
        _read_inside(native, block, arrows)
    return native


def _read_inside(native: Native, block: Block, arrows: dict[str, str]) -> None:
    native.inside = _natives(block.inside, inside=True)
    for inner in native.inside:
        inner.sources = {
            socket: (name, arrows.get(output, output) if name == SELF else output)
            for socket, (name, output) in inner.sources.items()
        }
    outputs = list(native.record["group"].get("outputs", {}))
    end = next((inner for inner in block.inside if inner.kind == "Output"), None)
    if end is not None and end.inputs and outputs:
        source = _source(end.inputs[0], end, inside=True)
        if source is not None and source[0] != SELF:
            native.ends[outputs[0]] = source


def _source(source: Block | None, reader: Block, inside: bool) -> tuple[str, str] | None:
    """What a node of ours takes from, through dots. Raises `BridgeError` where that is another program's node."""
    while source is not None and source.kind in ("Dot", "NoOp"):
        source = source.inputs[0] if source.inputs else None
    if source is None:
        return None
    if source.kind == "Input" and inside:
        return SELF, source.name
    if source.is_ours:
        return source.name, ""
    raise BridgeError(
        f"read the node {reader.name}",
        f"it is connected to {source.name or source.kind}, which is a node of Nuke's and not in the graph",
        f"rendering {source.name or source.kind} to files and reading them with a SequenceInput node",
        code="usage",
        node=reader.name,
    )


def _shown(block: Block, told: dict[str, Any]) -> Shown:
    """What a knob says; Nuke does not write one that is at zero, empty, off or at its first choice."""
    kind, knob = told["kind"], told["handle"]
    text = block.knobs.get(knob)
    if kind in (NUMBER, MOTION, WHOLE):
        return reading.number(text or "0", knob, block.name, whole=kind == WHOLE)
    if kind == TICK:
        return (text or "false").lower() in ("true", "1")
    if kind == CHOICE:
        return text if text is not None else str(told["choices"][0])
    return text or ""
