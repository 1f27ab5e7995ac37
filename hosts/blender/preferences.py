# mypy: ignore-errors
"""The add-on's preferences: which daemon to talk to. Empty fields mean the one on this machine."""

import bpy

from .identity import ROOT_PACKAGE


class ArtifexPreferences(bpy.types.AddonPreferences):
    """Where the daemon lives."""

    bl_idname = ROOT_PACKAGE

    home: bpy.props.StringProperty(
        name="Home Folder",
        description="The daemon's folder. Empty: ARTIFEXPRO_HOME where that is set, else the usual place",
        subtype="DIR_PATH",
    )
    endpoint: bpy.props.StringProperty(
        name="Endpoint",
        description="Address of the daemon, such as tcp://127.0.0.1:5570. Empty: as its home folder says",
    )
    start_daemon: bpy.props.BoolProperty(
        name="Start the Daemon When Needed",
        description="Start it on the first Generate if it is not running",
        default=True,
    )

    def draw(self, _context):
        for name in ("home", "endpoint", "start_daemon"):
            self.layout.prop(self, name)


def preferences():
    """This add-on's preferences."""
    return bpy.context.preferences.addons[ROOT_PACKAGE].preferences
