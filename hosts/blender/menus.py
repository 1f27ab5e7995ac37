# mypy: ignore-errors
"""Entries in Blender's own menus: Add in the sequencer, and the context menu of a strip that was made here."""

import bpy

from . import panel
from .settings import made_here, scene_of


def _add(self, _context):
    self.layout.separator()
    self.layout.operator("artifexpro.generate", text="Generated Clip", icon="RENDER_ANIMATION")


def _context_menu(self, context):
    scene = scene_of(context)
    if scene is None or made_here(scene) is None:
        return
    self.layout.separator()
    panel.draw_strip_actions(self.layout)


def register():
    bpy.types.SEQUENCER_MT_add.append(_add)
    bpy.types.SEQUENCER_MT_context_menu.append(_context_menu)


def unregister():
    bpy.types.SEQUENCER_MT_context_menu.remove(_context_menu)
    bpy.types.SEQUENCER_MT_add.remove(_add)
