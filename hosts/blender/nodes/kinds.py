# mypy: ignore-errors
"""A class of Blender's for each entry of the catalogue, with a property for each parameter; none is written by hand."""

import json

import bpy

from ...bridge import catalogue, native
from . import curves, fitting

TREE = "ArtifexProTree"
PLACEHOLDER = "ArtifexProUnknownNode"
RECORD = "artifexpro"
_LARGEST = 2**31 - 1
registered = {}
"""By node type: the entry and the class made of it."""


def socket_kind(kind):
    return f"ArtifexProSocket{kind if kind in fitting.COLOURS else fitting.ANY}"


def kind_of(socket):
    """The engine's type of a socket."""
    return socket.bl_idname[len("ArtifexProSocket") :]


def handle(parameter):
    """What Blender calls a parameter's property: with a prefix, so that no name of a node's own is hidden."""
    return f"ap_{native.plain(parameter)}"


def class_name(node_type):
    return f"ArtifexProNode{native.plain(node_type)}"


class _Socket:
    def draw(self, _context, layout, node, text):
        parameter = handle(self.identifier)
        if not self.is_output and not self.is_linked and parameter in node.bl_rna.properties:
            layout.prop(node, parameter)
        else:
            layout.label(text=text)


def _socket_class(kind):
    colour = fitting.COLOURS[kind]
    body = {
        "bl_idname": socket_kind(kind),
        "bl_label": kind.capitalize(),
        "draw_color_simple": classmethod(lambda _cls: colour),
    }
    return type(body["bl_idname"], (_Socket, bpy.types.NodeSocket), body)


SOCKETS = tuple(_socket_class(kind) for kind in fitting.COLOURS)


class _Node:
    @classmethod
    def poll(cls, tree):
        return tree.bl_idname == TREE


class ArtifexProUnknownNode(_Node, bpy.types.Node):
    """A node that is not known here, or a group: it keeps what it has"""

    bl_idname = PLACEHOLDER
    bl_label = "Unknown Node"
    bl_icon = "QUESTION"

    def draw_buttons(self, _context, layout):
        record = json.loads(self.get(RECORD, "{}"))
        layout.label(text=f"{record.get('type', 'no type')} version {record.get('version', 1)}")
        for name, value in record.get("params", {}).items():
            layout.label(text=f"{name}: {value if not isinstance(value, dict) else 'moves'}"[:60])


def _init(node, _context):
    """What a node is when the artist adds it: its sockets, and every property set to what it is now by default."""
    entry = registered[node.node_type][0]
    told = native.fresh(entry, native.Words())
    furnish_sockets(node, entry)
    for control in told.controls:
        if control.kind != catalogue.MOTION:
            setattr(node, handle(control.name), control.default)
    told.record["seen"] = seen(node, told.record)
    node[RECORD] = json.dumps(told.record)


def furnish_sockets(node, entry):
    """Sockets of an entry: its inputs, one for each parameter that a CONTROL may move, its outputs."""
    for socket in entry["inputs"]:
        node.inputs.new(socket_kind(socket["type"]), socket["name"], identifier=socket["name"])
    for parameter in entry["parameters"]:
        if parameter["animatable"]:
            node.inputs.new(socket_kind(fitting.CONTROL), parameter["name"], identifier=parameter["name"])
    for socket in entry["outputs"]:
        node.outputs.new(socket_kind(socket["type"]), socket["name"], identifier=socket["name"])


def seen(node, record):
    """By parameter, what Blender shows now: compared with later, it tells what the artist changed."""
    tree = node.id_data
    shown = {}
    for name in record.get("controls", {}):
        parameter = handle(name)
        if parameter in node.bl_rna.properties:
            curve = curves.found(tree, node, parameter)
            shown[name] = curves.read(curve) if curve is not None else getattr(node, parameter)
    return shown


def _draw_buttons(node, _context, layout):
    for parameter in registered[node.node_type][0]["parameters"]:
        if not parameter["animatable"] and handle(parameter["name"]) in node.bl_rna.properties:
            layout.prop(node, handle(parameter["name"]))


def _property(control):
    about = {"name": control.label, "description": control.doc}
    low, high = control.minimum, control.maximum
    kind = control.kind
    if kind in (catalogue.NUMBER, catalogue.WHOLE):
        about["default"] = control.default
        about.update({side: value for side, value in (("min", low), ("max", high)) if value is not None})
        if kind == catalogue.NUMBER:
            return bpy.props.FloatProperty(**about)
        for side in about.keys() & {"min", "max"}:
            about[side] = max(-_LARGEST, min(_LARGEST, int(about[side])))
        return bpy.props.IntProperty(**about)
    if kind == catalogue.MOTION:
        return bpy.props.FloatProperty(**about)
    if kind == catalogue.TICK:
        return bpy.props.BoolProperty(**about, default=control.default)
    if kind == catalogue.CHOICE:
        items = [(choice, choice.replace("_", " "), "") for choice in control.choices]
        return bpy.props.EnumProperty(**about, items=items, default=control.default)
    file = {"subtype": "FILE_PATH"} if kind == catalogue.FILE else {}
    return bpy.props.StringProperty(**about, default=control.default, **file)


def node_class(entry):
    """The class of one catalogue entry."""
    name = class_name(entry["name"])
    body = {
        "__doc__": entry["doc"],
        "__annotations__": {handle(each.name): _property(each) for each in catalogue.controls(entry)},
        "bl_idname": name,
        "bl_label": entry["name"],
        "bl_description": entry["doc"],
        "bl_width_default": 200.0,
        "node_type": entry["name"],
        "init": _init,
        "draw_buttons": _draw_buttons,
    }
    return type(name, (_Node, bpy.types.Node), body)


def publish(entries):
    """Have a class for each entry; one whose entry is as it was stays. Returns whether anything changed."""
    wanted = {entry["name"]: entry for entry in entries}
    changed = [name for name, (entry, _) in registered.items() if wanted.get(name) != entry]
    for name in changed:
        bpy.utils.unregister_class(registered.pop(name)[1])
    fresh = [entry for name, entry in wanted.items() if name not in registered]
    for entry in fresh:
        cls = node_class(entry)
        bpy.utils.register_class(cls)
        registered[entry["name"]] = (entry, cls)
    return bool(changed or fresh)


def entries():
    """The catalogue as it has classes now."""
    return [entry for entry, _ in registered.values()]
