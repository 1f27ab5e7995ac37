# mypy: ignore-errors
"""Rendering a tree as a job, and opening the graph that a strip was made by."""

import json

import bpy

from ...bridge.errors import BridgeError
from .. import asking, pumping, strips
from ..settings import made_here, scene_of
from . import editor, kinds, trees


class ARTIFEXPRO_OT_render_graph(bpy.types.Operator):
    """Have the daemon render what the graph's output nodes write"""

    bl_idname = "artifexpro.render_graph"
    bl_label = "Render Graph"
    bl_options = {"REGISTER"}

    tree: bpy.props.StringProperty(name="Graph", description="Empty: the one in this editor", options={"SKIP_SAVE"})

    def execute(self, context):
        tree = bpy.data.node_groups.get(self.tree) if self.tree else getattr(context.space_data, "edit_tree", None)
        if tree is None or tree.bl_idname != kinds.TREE:
            self.report({"ERROR"}, "No graph of ArtifexPro is open. Open one in the node editor.")
            return {"CANCELLED"}
        try:
            document = trees.document_of(tree)
            if not any(kinds.RECORD in node and not node.outputs for node in tree.nodes):
                raise asking.Refused("The graph writes nothing. Add a node of the category Output, and connect it.")
            pumping.ask_files(scene_of(context) or context.scene, document, tree.name)
        except (BridgeError, asking.Refused) as refusal:
            self.report({"ERROR"}, refusal.sentence() if isinstance(refusal, BridgeError) else str(refusal))
            return {"CANCELLED"}
        self.report({"INFO"}, "The graph is rendered by the daemon. Its files are told in the sequencer's sidebar.")
        return {"FINISHED"}


class ARTIFEXPRO_OT_open_graph(bpy.types.Operator):
    """Show the graph that the selected strip was made by in the node editor"""

    bl_idname = "artifexpro.open_graph"
    bl_label = "Open Its Graph"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context):
        if scene_of(context) is None or made_here(scene_of(context)) is None:
            cls.poll_message_set("Select a strip that ArtifexPro made")
            return False
        return True

    def execute(self, context):
        strip = made_here(scene_of(context))
        try:
            tree = trees.tree_of(json.loads(strip[strips.RECIPE_PROPERTY]).get("graph") or {}, strip.name)
        except BridgeError as refusal:
            self.report({"ERROR"}, refusal.sentence())
            return {"CANCELLED"}
        editors = [area for area in context.screen.areas if area.type == "NODE_EDITOR"] if context.screen else []
        for area in editors[:1]:
            area.ui_type = kinds.TREE
            area.spaces.active.node_tree = tree
        if not editors:
            self.report({"INFO"}, f"The graph is {tree.name}: choose it in a node editor of the kind ArtifexPro.")
        return {"FINISHED"}


CLASSES = (*editor.CLASSES, ARTIFEXPRO_OT_render_graph, ARTIFEXPRO_OT_open_graph)
