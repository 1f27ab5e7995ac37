# mypy: ignore-errors
"""A graph document as a tree of nodes, and back without loss.

Each node carries a record: what the document says of it, and what Blender showed of that. What still shows as it did
stays as the document says it; what shows something else was changed by the artist, and that counts.
"""

import json

import bpy

from ...bridge import native
from ...bridge.catalogue import by_name, group_entry
from ...bridge.errors import BridgeError
from ...bridge.nativegraph import document as folded
from ...bridge.nativegraph import natives
from . import curves, kinds

GROUPS = "artifexpro_groups"
_SPREAD = 2.6
"""Nodes of Blender are so much larger than the distances of places that no document gives."""


def tree_of(document, name):
    """A new tree that shows `document`; kept on saving although nobody uses it. Raises `BridgeError`."""
    known = by_name(kinds.entries())
    groups = document.get("groups", {})
    entries = {**known, **_group_entries(groups, known)}
    plain = {title: value for title, value in document.items() if title != "groups"}
    found, _ = natives(plain, entries.values(), native.Words())
    tree = bpy.data.node_groups.new(name, kinds.TREE)
    tree.use_fake_user = True
    tree[GROUPS] = json.dumps(groups)
    made = {told.name: _node(tree, told, entries) for told in found}
    for told in found:
        for socket, (source, output) in told.sources.items():
            _link(tree, made[source], output, made[told.name], socket)
    return tree


def document_of(tree):
    """The graph document of a tree. Raises `BridgeError` where something in it cannot be one."""
    ours = [node for node in tree.nodes if node.bl_idname not in ("NodeReroute", "NodeFrame")]
    sources = {node.name: {} for node in ours}
    for link in tree.links:
        if link.to_node.name in sources and not link.is_muted:
            socket = _origin(link.from_socket)
            if socket is not None:
                sources[link.to_node.name][link.to_socket.identifier] = (socket.node.name, socket.identifier)
    return folded([_native(node, sources[node.name]) for node in ours], json.loads(tree.get(GROUPS, "{}")))


# ---------------------------------------------------------------------------- showing


def _group_entries(groups, known):
    entries = (group_entry(group, groups, known) for group in groups.values())
    return {entry["name"]: entry for entry in entries}


def _node(tree, told, entries):
    record = told.record
    entry = entries.get(told.type)
    entry = entry if entry is not None and entry["version"] == record["version"] else None
    known = told.type in kinds.registered and entry is not None
    node = tree.nodes.new(kinds.class_name(told.type) if known else kinds.PLACEHOLDER)
    node.name = told.name
    if not known:
        record["controls"] = {}
        _sockets_of_unknown(node, told, entry)
    node.label = told.label
    _place(node, told)
    for control in told.controls if known else ():
        _show(tree, node, control, record)
    record["name"] = node.name
    record["at"] = {"place": list(told.place), "shown": _location(node), "label": told.label, "labelled": node.label}
    record["seen"] = kinds.seen(node, record)
    node[kinds.RECORD] = json.dumps(record)
    return node


def _sockets_of_unknown(node, told, entry):
    if entry is not None:
        kinds.furnish_sockets(node, entry)
    there = {socket.identifier for socket in node.inputs}
    for socket in told.sockets:
        if socket not in there:
            node.inputs.new(kinds.socket_kind("ANY"), socket, identifier=socket)
    for output in told.outputs if entry is None else ():
        node.outputs.new(kinds.socket_kind("ANY"), output, identifier=output)


def _show(tree, node, control, record):
    """Set a property to the document's value where it can show that."""
    params = record.get("params", {})
    if control.name not in params:
        return
    value, handle = params[control.name], kinds.handle(control.name)
    if control.moves and curves.draw(tree, node, handle, value):
        return
    shown = control.shown(value)
    if shown is not None and not isinstance(shown, tuple):
        setattr(node, handle, shown)


def _place(node, told):
    x, y = told.place
    node.location = (y * _SPREAD, -x * _SPREAD) if "place" in told.record else (x, -y)


def _location(node):
    x, y = getattr(node, "location_absolute", node.location)
    return [round(x), round(-y)]


def _link(tree, source, output, target, socket):
    given = next((each for each in source.outputs if each.identifier == output), None)
    wanted = next((each for each in target.inputs if each.identifier == socket), None)
    if wanted is None:
        wanted = target.inputs.new(kinds.socket_kind("ANY"), socket, identifier=socket)
    tree.links.new(given, wanted)


# ---------------------------------------------------------------------------- reading


def _origin(socket):
    """The output that a wire comes from, through reroutes; None where nothing leads into them."""
    for _ in range(len(socket.id_data.nodes) + 1):
        if socket.node.bl_idname != "NodeReroute":
            return socket
        links = socket.node.inputs[0].links
        if not links or links[0].is_muted:
            return None
        socket = links[0].from_socket
    return None


def _native(node, sources):
    try:
        record = native.checked(json.loads(node.get(kinds.RECORD, "null")), node.name)
    except ValueError:
        raise native.damaged(node.name, "it is no JSON") from None
    if node.mute:
        raise _refused(node, "it is muted, and the engine mutes no nodes", "unmuting it, or taking it out")
    told = native.Native(node.name, record, sources=sources)
    at = record.get("at", {})
    here = _location(node)
    told.place = tuple(at["place"]) if here == at.get("shown") else tuple(here)
    told.label = at["label"] if node.label == at.get("labelled") else node.label
    record["params"] = _params(node, record)
    return told


def _params(node, record):
    tree = node.id_data
    seen, now = record.get("seen", {}), kinds.seen(node, record)
    params = dict(record.get("params", {}))
    for control in native.remembered_controls(record):
        name = control.name
        if name not in now:
            continue
        if curves.driven(tree, node, kinds.handle(name)):
            raise _refused(node, f"{control.label} is moved by a driver", "baking it into keyframes")
        if now[name] == seen.get(name):
            continue
        if isinstance(now[name], dict):
            params[name] = curves.edited(params.get(name), seen.get(name), now[name])
        else:
            value = _absolute(now[name]) if control.kind == "file" else now[name]
            params[name] = control.value(value, params.get(name), node.name)
    return params


def _absolute(path):
    return bpy.path.abspath(path) if path.startswith("//") else path


def _refused(node, because, remedy):
    return BridgeError(f"read the node {node.name} into the graph", because, remedy, code="usage", node=node.name)
