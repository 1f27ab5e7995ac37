"""One node of a graph document in a host's own form: its name there, its controls, its wires, and its record.

The record is hidden data that travels with the host's node: what the document says about the node, and what was shown
of it. Reading back, a control that shows what it was given leaves the document as it was, to the last digit; one that
shows something else was changed by the artist, and that counts.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .catalogue import Control, Entry, Shown, controls
from .errors import BridgeError
from .motion import Key

SELF = ""
"""Stands for the group itself where a wire inside comes from one of its own inputs."""
Source = tuple[str, str]
"""The host's name of a node, or `SELF`, and the output or, of `SELF`, the input."""
Record = dict[str, Any]
PICTURES = ("VIDEO", "IMAGE", "MASK")


@dataclass
class Native:
    """A node as a host has it. `shown` is by parameter, `sources` by socket; `inside` are a group's own nodes, and
    `ends` the nodes that its outputs are."""

    name: str
    record: Record
    shown: dict[str, Shown] = field(default_factory=dict)
    sockets: list[str] = field(default_factory=list)
    sources: dict[str, Source] = field(default_factory=dict)
    place: tuple[int, int] = (0, 0)
    label: str = ""
    inside: list[Native] | None = None
    ends: dict[str, Source] = field(default_factory=dict)
    controls: tuple[Control, ...] = ()
    doc: str = ""

    @property
    def type(self) -> str:
        return str(self.record["type"])

    def handle(self, parameter: str) -> str:
        """What the host calls the control of a parameter."""
        return str(self.record["controls"][parameter]["handle"])

    @property
    def outputs(self) -> list[str]:
        return [str(name) for name in self.record["outputs"]]

    @property
    def passes(self) -> str | None:
        """The input whose picture the host's node shows while the daemon has not made its own."""
        return self.record.get("passes")


@dataclass(frozen=True)
class Words:
    """Which names a host keeps for itself: `handles` for its own controls, `names` that no node may have."""

    handles: Collection[str] = ()
    names: Collection[str] = ()


def plain(text: str) -> str:
    """`text` as a name that every host takes: letters, digits and "_", not beginning with a digit."""
    name = re.sub(r"[^A-Za-z0-9_]", "_", text)
    return name if name and not name[0].isdigit() else f"n{name}"


def free(wanted: str, taken: Collection[str]) -> str:
    """`wanted`, or the first of wanted_2, wanted_3 ... that is not taken."""
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted}_{number}"
    return name


def fresh(entry: Entry, words: Words) -> Native:
    """A catalogue entry as a node nobody has set anything on yet."""
    kind = plain(entry["name"].rpartition(":")[2])
    native = Native(kind, {"type": entry["name"], "version": entry["version"]}, doc=entry["doc"])
    furnish(native, entry, words)
    native.shown = {control.name: control.default for control in native.controls}
    return native


def furnish(native: Native, entry: Entry | None, words: Words) -> None:
    """Give a node the controls, sockets and outputs of its entry. None is a node that is not known here: it has no
    controls, and its outputs are those that are asked for."""
    sockets = entry["inputs"] if entry is not None else ()
    outputs = entry["outputs"] if entry is not None else []
    native.controls = controls(entry) if entry is not None else ()
    native.sockets = [socket["name"] for socket in sockets]
    native.record["outputs"] = [output["name"] for output in outputs] if entry is not None else None
    if outputs and outputs[0]["type"] in PICTURES:
        pictures = [socket["name"] for socket in sockets if socket["type"] in PICTURES]
        native.record["passes"] = pictures[0] if pictures else None
    taken = set(words.handles)
    native.record["controls"] = {}
    for control in native.controls:
        handle = free(plain(control.name), taken)
        taken.add(handle)
        native.record["controls"][control.name] = _remembered(control, handle)


def _remembered(control: Control, handle: str) -> Record:
    told: Record = {"handle": handle, "kind": control.kind, "default": _plain_default(control.default)}
    if control.choices:
        told["choices"] = list(control.choices)
    if control.moves:
        told["moves"] = True
    return told


def _plain_default(default: Shown) -> Any:
    """A default of a control as JSON; a curve's as its keys."""
    if not isinstance(default, tuple):
        return default
    return [[key.frame, key.value, key.ease, key.left, key.right] for key in default]


def remembered_controls(record: Record) -> list[Control]:
    """The controls that the record says were shown."""
    found = []
    for name, told in record.get("controls", {}).items():
        default = told["default"]
        if isinstance(default, list):
            default = tuple(Key(at, value, ease, _pair(a), _pair(b)) for at, value, ease, a, b in default)
        found.append(Control(name, told["kind"], default, tuple(told.get("choices", ())), told.get("moves", False)))
    return found


def _pair(handle: Any) -> tuple[float, float] | None:
    return None if handle is None else (handle[0], handle[1])


def show(native: Native, params: Mapping[str, Any]) -> None:
    """Set the controls to a document's parameters; those that cannot be shown are remembered as such."""
    hidden = []
    for control in native.controls:
        native.shown[control.name] = control.default
        if control.name in params:
            shown = control.shown(params[control.name])
            if shown is None:
                hidden.append(control.name)
            else:
                native.shown[control.name] = shown
    if hidden:
        native.record["hidden"] = hidden


def parameters(native: Native, title: str) -> dict[str, Any]:
    """The document's parameters from what the controls show now. Raises `BridgeError`."""
    record = native.record
    params = dict(record.get("params", {}))
    for control in remembered_controls(record):
        if control.name not in native.shown:
            continue
        now, was = native.shown[control.name], control.default
        if control.name in params and control.name not in record.get("hidden", ()):
            was = _was(control, params[control.name], native, title)
        if not control.unchanged(was, now):
            params[control.name] = control.value(now, params.get(control.name), title)
    return params


def _was(control: Control, value: Any, native: Native, title: str) -> Shown:
    shown = control.shown(value)
    if shown is None:
        raise damaged(title, f"{control.name} is remembered as something its control cannot show")
    return shown


def damaged(title: str, because: str) -> BridgeError:
    return BridgeError(
        f"read the node {title}",
        f"its hidden record was changed by hand or by another program: {because}",
        "an earlier copy of it, or making the node anew",
        code="usage",
        node=title,
    )


def checked(record: Any, title: str) -> Record:
    """A record as it was read from a host. Raises `BridgeError` where it is not one."""
    if not isinstance(record, dict) or not isinstance(record.get("type"), str):
        raise damaged(title, "it does not say of which type the node is")
    tables = ("params", "inputs", "ui", "controls", "from")
    if any(not isinstance(record.get(name, {}), dict) for name in tables):
        raise damaged(title, "one of its tables is not a table")
    if not isinstance(record.get("version", 1), int) or not isinstance(record.get("outputs", []), list):
        raise damaged(title, "its version or its outputs are not what they were")
    return {"version": 1, "outputs": ["out"], **record}


def renamed(natives: Iterable[Native]) -> dict[str, str]:
    """Ids by the host's names: what a node was called in the document, unless it was renamed or copied since."""
    ids: dict[str, str] = {}
    taken: set[str] = set()
    waiting = []
    for native in natives:
        own = native.record.get("id")
        if own is not None and native.record.get("name") == native.name and own not in taken:
            ids[native.name] = own
            taken.add(own)
        else:
            waiting.append(native.name)
    for name in waiting:
        ids[name] = free(name, taken)
        taken.add(ids[name])
    return ids
