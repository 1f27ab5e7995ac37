# mypy: ignore-errors
"""The node editor's part: the kind of tree, the Add menu by category, the buttons in the header."""

import bpy

from .. import pumping
from . import fitting, kinds, library

_WORDS = {"refused": ""}
_menus = []


class ArtifexProTree(bpy.types.NodeTree):
    """A graph that the daemon renders"""

    bl_idname = kinds.TREE
    bl_label = "ArtifexPro"
    bl_icon = "NODETREE"

    def update(self):
        """Take out wires that the engine would refuse, as soon as they are drawn."""
        for link in [link for link in self.links if _refusal(link)]:
            _WORDS["refused"] = _refusal(link)
            self.links.remove(link)


def last_refusal():
    """The sentence on the last wire that was refused, or nothing."""
    return _WORDS["refused"]


def _refusal(link):
    given, wanted = _kind(link.from_socket), kinds.kind_of(link.to_socket)
    if link.to_node.bl_idname == "NodeReroute" or fitting.fits(given, wanted):
        return ""
    return (
        f"Attempted to connect {link.from_node.name} to {link.to_socket.name} of {link.to_node.name}. "
        f"Failed because {given} does not become {wanted} by itself. Try a node that makes {wanted} in between."
    )


def _kind(socket):
    """The type that comes out of a socket, through reroutes."""
    for _ in range(len(socket.id_data.nodes) + 1):
        if socket.node.bl_idname != "NodeReroute":
            return kinds.kind_of(socket)
        links = socket.node.inputs[0].links
        if not links:
            break
        socket = links[0].from_socket
    return fitting.ANY


def is_ours(context):
    return getattr(context.space_data, "tree_type", "") == kinds.TREE


def _draw_add(self, context):
    if is_ours(context):
        draw_add(self.layout)


def draw_add(layout):
    """The Add menu's entries: a menu for each category, or why there is none."""
    if not _menus:
        layout.label(text="The nodes are not known here yet: connect to the daemon once")
        layout.operator("artifexpro.connect", icon="LINKED")
    for menu in _menus:
        layout.menu(menu.bl_idname)


def _draw_header(self, context):
    if not is_ours(context):
        return
    self.layout.operator("artifexpro.render_graph", icon="RENDER_ANIMATION")
    if last_refusal():
        self.layout.label(text=last_refusal(), icon="ERROR")


def _menu(category, entries):
    def draw(self, _context):
        for entry in entries:
            add = self.layout.operator("node.add_node", text=entry["name"])
            add.type, add.use_transform = kinds.class_name(entry["name"]), True

    name = f"ARTIFEXPRO_MT_add_{category}"
    return type(name, (bpy.types.Menu,), {"bl_idname": name, "bl_label": category.capitalize(), "draw": draw})


def publish(entries):
    """Offer these nodes."""
    if not kinds.publish(entries):
        return
    _drop_menus()
    for category in sorted({entry["category"] for entry in entries}):
        menu = _menu(category, [entry for entry in entries if entry["category"] == category])
        bpy.utils.register_class(menu)
        _menus.append(menu)


def _drop_menus():
    while _menus:
        bpy.utils.unregister_class(_menus.pop())


def _heard(reply):
    library.keep(reply["nodes"])
    publish(reply["nodes"])


def ask_for_nodes():
    """Once on each line: the catalogue as this daemon has it."""
    if pumping.session.connected:
        pumping.session.ask_once("catalogue.nodes", {}, _heard)


CLASSES = (*kinds.SOCKETS, ArtifexProTree, kinds.ArtifexProUnknownNode)


def register():
    publish(library.nodes())
    pumping.when_pumped.append(ask_for_nodes)
    bpy.types.NODE_MT_add.append(_draw_add)
    bpy.types.NODE_HT_header.append(_draw_header)


def unregister():
    bpy.types.NODE_HT_header.remove(_draw_header)
    bpy.types.NODE_MT_add.remove(_draw_add)
    pumping.when_pumped.remove(ask_for_nodes)
    _drop_menus()
    kinds.publish([])
