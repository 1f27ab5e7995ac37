"""A graph document as a host's own nodes, and back without loss: wires, curves, groups, versions, unknown nodes.

Hosts differ in how they write a node (see `nuke.gizmos`, `resolve.macros`); what a node shows, and what its record has
to remember so that nothing is lost, is decided here for all of them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .catalogue import GROUP_TYPE, Entry, by_name, group_entry
from .errors import BridgeError
from .graphs import FORMAT, FORMAT_VERSION, Document
from .motion import is_number
from .native import (
    SELF,
    Native,
    Record,
    Source,
    Words,
    checked,
    free,
    furnish,
    parameters,
    plain,
    renamed,
    show,
)

GROUPS_VERSION = 2
MOST_NODES = 20_000
COLUMN, ROW = 120, 90
"""Distance of nodes that the document gives no place to, in the units of the hosts' node views."""
FARTHEST = 10_000_000
"""A place farther out is not shown: hosts keep places with seven digits."""


class Unfolding:
    """Turns one document into natives. `groups` that no node uses are in `unused` afterwards."""

    def __init__(self, document: Document, catalogue: Iterable[Entry], words: Words) -> None:
        if document.get("format") != FORMAT or not isinstance(document.get("nodes"), dict):
            raise BridgeError(
                "show the graph as nodes", "it is no graph of ArtifexPro", "one that ArtifexPro saved", code="usage"
            )
        self._groups: dict[str, Any] = document.get("groups", {})
        self._known = by_name(catalogue)
        self._words = words
        self._taken = set(words.names)
        self._shown_groups: set[str] = set()
        self._count = 0
        self.natives = self._level(document["nodes"], {}, ())

    @property
    def unused(self) -> dict[str, Any]:
        return {key: group for key, group in self._groups.items() if key not in self._shown_groups}

    def _level(
        self, nodes: Mapping[str, Any], pinned: Mapping[tuple[str, str], str], path: Sequence[str]
    ) -> list[Native]:
        """Nodes of a document or a group, those that others take from first. `pinned` are the sockets that get what
        is connected to the group's inputs."""
        order = _in_order(nodes, pinned)
        names = {}
        for ident in order:
            names[ident] = free(plain(ident), self._taken)
            self._taken.add(names[ident])
        level: dict[str, Native] = {}
        for ident in order:
            native = self._native(ident, names, nodes[ident], path)
            if native.record["outputs"] is None:
                native.record["outputs"] = _wanted(ident, nodes)
            _connect(native, level, _sources(ident, nodes[ident], pinned), nodes[ident])
            _place(native, nodes[ident].get("ui", {}), level)
            level[ident] = native
        return list(level.values())

    def _native(self, ident: str, names: Mapping[str, str], node: Mapping[str, Any], path: Sequence[str]) -> Native:
        self._count += 1
        if self._count > MOST_NODES:
            raise BridgeError(
                "show the graph as nodes",
                f"it has more than {MOST_NODES:,} of them with its groups open",
                "artifexpro render, which takes graphs of any size",
                code="usage",
            )
        record: Record = {"type": node["type"], "version": node.get("version", 1), "id": ident, "name": names[ident]}
        record.update({title: node[title] for title in ("params", "inputs", "ui") if node.get(title)})
        native = Native(names[ident], record)
        group = self._group_of(node, path)
        entry = group_entry(group, self._groups, self._known) if group else self._entry(node)
        furnish(native, entry, self._words)
        native.doc = entry["doc"] if entry else "A node that is not known here. It keeps what it has."
        show(native, node.get("params", {}))
        if group:
            self._open(native, group, path)
        return native

    def _entry(self, node: Mapping[str, Any]) -> Entry | None:
        """The entry a node can be shown by: of its type and of the version that saved it."""
        entry = self._known.get(node["type"])
        return entry if entry is not None and entry["version"] == node.get("version", 1) else None

    def _group_of(self, node: Mapping[str, Any], path: Sequence[str]) -> Any:
        key = key_of(node)
        return self._groups.get(key) if key is not None and key not in path else None

    def _open(self, native: Native, group: Mapping[str, Any], path: Sequence[str]) -> None:
        key = f"{group['name']}@{group['version']}"
        self._shown_groups.add(key)
        pinned = {(pin[0], pin[1]): name for name, each in group.get("inputs", {}).items() for pin in each["to"]}
        native.inside = self._level(group.get("nodes", {}), pinned, (*path, key))
        names = {inner.record["id"]: inner.name for inner in native.inside}
        for name, output in group.get("outputs", {}).items():
            native.ends[name] = (names[output["from"][0]], _output(output["from"]))
        native.record["group"] = {title: value for title, value in group.items() if title != "nodes"}
        native.record["digest"] = digest(group)


def key_of(node: Mapping[str, Any]) -> str | None:
    """ "Name@version" of the group that a node is, or None."""
    kind = node["type"]
    return f"{kind[len(GROUP_TYPE) :]}@{node.get('version', 1)}" if kind.startswith(GROUP_TYPE) else None


def digest(group: Mapping[str, Any]) -> str:
    """What tells whether a group was changed."""
    text = json.dumps(group, sort_keys=True, ensure_ascii=True)
    return hashlib.blake2b(text.encode("ascii"), digest_size=8).hexdigest()


def _output(wire: Sequence[str]) -> str:
    return wire[1] if len(wire) > 1 else "out"


def _sources(ident: str, node: Mapping[str, Any], pinned: Mapping[tuple[str, str], str]) -> dict[str, Source]:
    """By socket, the id and output that a host draws a wire from: the group's own input goes before a wire inside."""
    drawn = {socket: (str(wire[0]), _output(wire)) for socket, wire in node.get("inputs", {}).items()}
    return {**drawn, **{socket: (SELF, name) for (owner, socket), name in pinned.items() if owner == ident}}


def _wanted(ident: str, nodes: Mapping[str, Any]) -> list[str]:
    """The outputs of a node that is not known here: those that others take from."""
    wires = (wire for node in nodes.values() for wire in node.get("inputs", {}).values())
    return sorted({_output(wire) for wire in wires if wire[0] == ident}) or ["out"]


def _connect(
    native: Native, level: Mapping[str, Native], sources: Mapping[str, Source], node: Mapping[str, Any]
) -> None:
    """Draw the wires that lead somewhere; the record says which they were where that is not all that the node has."""
    drawn = {
        socket: source
        for socket, source in sources.items()
        if source[0] == SELF or (source[0] in level and source[1] in level[source[0]].outputs)
    }
    native.sockets += [socket for socket in drawn if socket not in native.sockets]
    native.sources = {
        socket: (level[source].name if source != SELF else SELF, output) for socket, (source, output) in drawn.items()
    }
    plainly = {socket: (wire[0], _output(wire)) for socket, wire in node.get("inputs", {}).items()}
    if drawn != plainly:
        native.record["from"] = {socket: list(source) for socket, source in drawn.items()}


def _in_order(nodes: Mapping[str, Any], pinned: Mapping[tuple[str, str], str]) -> list[str]:
    """Ids, each after those it takes from. Raises `BridgeError` where nodes go round in a circle."""
    waits = {
        ident: {source for source, _ in _sources(ident, node, pinned).values() if source != SELF and source in nodes}
        for ident, node in nodes.items()
    }
    readers: dict[str, list[str]] = {ident: [] for ident in nodes}
    for ident, sources in waits.items():
        for source in sources:
            readers[source].append(ident)
    ready = [ident for ident, sources in waits.items() if not sources]
    for ident in ready:
        for reader in readers[ident]:
            waits[reader].discard(ident)
            if not waits[reader]:
                ready.append(reader)
    if len(ready) < len(nodes):
        circle = ", ".join(sorted(set(nodes) - set(ready))[:4])
        raise BridgeError(
            "show the graph as nodes",
            f"its wires go round in a circle at {circle}",
            "taking one of those wires away",
            code="usage",
        )
    return ready


def _place(native: Native, ui: Mapping[str, Any], level: Mapping[str, Native]) -> None:
    """The document's place where hosts have room for it, else one below what the node takes from, beside the others."""
    label = ui.get("label")
    native.label = label if isinstance(label, str) else ""
    if all(is_number(ui.get(axis)) and abs(ui[axis]) <= FARTHEST for axis in ("x", "y")):
        native.place = (round(ui["x"]), round(ui["y"]))
        return
    heights = {other.name: other.place[1] for other in level.values()}
    below = max((heights[name] + ROW for name, _ in native.sources.values() if name != SELF), default=0)
    native.place = (COLUMN * sum(1 for height in heights.values() if height == below), below)
    native.record["place"] = list(native.place)


class Folding:
    """Turns natives back into one document: what the artist left alone is as it was."""

    def __init__(self, natives: Sequence[Native], unused: Mapping[str, Any]) -> None:
        self._groups: dict[str, Any] = dict(unused)
        self._versions: dict[str, int] = {}
        for native in _everywhere(natives):
            if native.inside is not None:
                self._seen(native.record["group"])
        for group in unused.values():
            self._seen(group)
        nodes = self._level(natives)[0]
        self.document: Document = {"format": FORMAT, "version": FORMAT_VERSION, "nodes": nodes}
        if self._groups:
            self.document.update(version=GROUPS_VERSION, groups=self._groups)

    def _seen(self, group: Mapping[str, Any]) -> None:
        name = group["name"]
        self._versions[name] = max(self._versions.get(name, 0), group["version"])

    def _level(self, natives: Sequence[Native]) -> tuple[dict[str, Any], dict[str, str]]:
        """Nodes by id, and ids by the host's names."""
        ids = renamed(natives)
        outputs = {native.name: native.outputs for native in natives}
        return {ids[native.name]: self._node(native, ids, outputs) for native in natives}, ids

    def _node(self, native: Native, ids: Mapping[str, str], outputs: Mapping[str, list[str]]) -> Record:
        record = native.record
        title = ids[native.name]
        node: Record = {"type": record["type"], "version": record["version"]}
        found = {
            "params": parameters(native, title),
            "inputs": _wires(native, ids, outputs),
            "ui": _ui(native),
        }
        node.update({name: table for name, table in found.items() if table})
        if native.inside is not None:
            self._close(native, node)
        return node

    def _close(self, native: Native, node: Record) -> None:
        """Put the group back together; one that was changed inside gets a version of its own."""
        assert native.inside is not None
        nodes, ids = self._level(native.inside)
        group = _header(native, ids, nodes)
        group["nodes"] = nodes
        for name in set(native.record["group"].get("parameters", {})) - set(group["parameters"]):
            node.get("params", {}).pop(name, None)
        if digest(group) != native.record["digest"]:
            group["version"] = self._next(group)
            node["version"] = group["version"]
        self._groups[f"{group['name']}@{group['version']}"] = group

    def _next(self, group: Mapping[str, Any]) -> int:
        """The version of an equal group that was changed before, else the next one free."""
        name = group["name"]
        for other in self._groups.values():
            if other["name"] == name and {**other, "version": 0} == {**group, "version": 0}:
                return int(other["version"])
        self._versions[name] += 1
        return self._versions[name]


def _everywhere(natives: Iterable[Native]) -> Iterable[Native]:
    waiting = list(natives)
    while waiting:
        native = waiting.pop()
        yield native
        waiting.extend(native.inside or ())


def _wires(native: Native, ids: Mapping[str, str], outputs: Mapping[str, list[str]]) -> Record:
    """The document's wires: those drawn as they were stay as they were, also where they lead to nothing."""
    wires: Record = dict(native.record.get("inputs", {}))
    was = native.record.get("from")
    if was is None:
        was = {socket: [wire[0], _output(wire)] for socket, wire in wires.items()}
    for socket in {*was, *native.sources}:
        now = _drawn(native.sources.get(socket), was.get(socket), ids, outputs)
        if now == was.get(socket):
            continue
        wires.pop(socket, None)
        if now is not None and now[0] != SELF:
            wires[socket] = now
    return wires


def _drawn(
    source: Source | None, was: Sequence[str] | None, ids: Mapping[str, str], outputs: Mapping[str, list[str]]
) -> list[str] | None:
    """A wire as the host draws it, in the document's words. Hosts with one output a node do not say which it is."""
    if source is None:
        return None
    name, output = source
    if name == SELF:
        return [SELF, output]
    ident = ids[name]
    if output:
        return [ident, output]
    if was is not None and was[0] == ident:
        return list(was)
    return [ident, outputs[name][0] if outputs[name] else "out"]


def _ui(native: Native) -> Record:
    ui: Record = dict(native.record.get("ui", {}))
    placed = native.record.get("place")
    was = placed if placed is not None else [round(ui.get("x", 0)), round(ui.get("y", 0))]
    if list(native.place) != list(was):
        ui["x"], ui["y"] = native.place
    stated = ui.get("label")
    if native.label != (stated if isinstance(stated, str) else ""):
        ui["label"] = native.label
    return ui


def _header(native: Native, ids: Mapping[str, str], nodes: Mapping[str, Any]) -> Record:
    """A group's sockets and parameters, leading to its nodes by the names that they have now."""
    assert native.inside is not None
    group: Record = dict(native.record["group"])
    now = {inner.record.get("id"): ids[inner.name] for inner in native.inside}
    reach: dict[str, list[list[str]]] = {}
    for inner in native.inside:
        for socket, (name, output) in inner.sources.items():
            if name == SELF:
                reach.setdefault(output, []).append([ids[inner.name], socket])
    stated = group.get("inputs", {})
    group["inputs"] = {
        name: {**stated.get(name, {"type": "VIDEO", "optional": True}), "to": _pins(stated.get(name), reach[name], now)}
        for name in (*stated, *(name for name in reach if name not in stated))
        if name in reach
    }
    group["outputs"] = {
        name: {**stated_output, "from": _end(native, name, stated_output, ids, now)}
        for name, stated_output in group.get("outputs", {}).items()
        if (native.ends[name][0] in ids if name in native.ends else stated_output["from"][0] in now)
    }
    parameters_now = {}
    for name, parameter in group.get("parameters", {}).items():
        to = [[now[pin[0]], *pin[1:]] for pin in parameter["to"] if now.get(pin[0]) in nodes]
        if to:
            parameters_now[name] = {**parameter, "to": to}
    group["parameters"] = parameters_now
    return {title: value for title, value in group.items() if title in native.record["group"] or value}


def _pins(stated: Mapping[str, Any] | None, found: list[list[str]], now: Mapping[Any, str]) -> list[list[str]]:
    """Where an input leads, in the document's order where nothing else changed."""
    before = [[now.get(pin[0], ""), pin[1]] for pin in stated["to"]] if stated is not None else []
    return before if sorted(before) == sorted(found) else found


def _end(
    native: Native, name: str, stated: Mapping[str, Any], ids: Mapping[str, str], now: Mapping[Any, str]
) -> list[str]:
    was = [now.get(stated["from"][0], ""), *stated["from"][1:]]
    if name not in native.ends:
        return was
    source, output = native.ends[name]
    found = [ids[source], output or _output(stated["from"])]
    return was if found == [was[0], _output(was)] else found


def natives(document: Document, catalogue: Iterable[Entry], words: Words) -> tuple[list[Native], dict[str, Any]]:
    """The nodes of a document as a host shows them, and the groups that none of them uses. Raises `BridgeError`."""
    try:
        unfolding = Unfolding(document, catalogue, words)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as odd:
        raise BridgeError(
            "show the graph as nodes",
            f"it is not whole: {type(odd).__name__} at {odd}",
            "a graph that ArtifexPro saved, or an earlier copy of this one",
            code="usage",
        ) from odd
    return unfolding.natives, unfolding.unused


def document(found: Sequence[Native], unused: Mapping[str, Any]) -> Document:
    """The document of nodes that were read from a host. Raises `BridgeError`."""
    for native in _everywhere(found):
        native.record = checked(native.record, native.name)
    return Folding(found, unused).document
