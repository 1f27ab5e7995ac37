# mypy: ignore-errors
"""Classes, menus, handlers and the timer: on and off in one place, off in the reverse order."""

import bpy

from . import menus, operators, panel, preferences, previews, pumping, settings
from .nodes import editor
from .nodes import operators as graph_operators

_CLASSES = (
    settings.ArtifexSettings,
    preferences.ArtifexPreferences,
    *operators.CLASSES,
    *panel.CLASSES,
    *graph_operators.CLASSES,
)


def register():
    for cls in _CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.Scene.artifexpro = bpy.props.PointerProperty(type=settings.ArtifexSettings)
    menus.register()
    previews.register()
    pumping.register()
    editor.register()


def unregister():
    editor.unregister()
    pumping.unregister()
    previews.unregister()
    menus.unregister()
    del bpy.types.Scene.artifexpro
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
