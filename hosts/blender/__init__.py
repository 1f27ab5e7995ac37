"""The Blender adapter: a tab in the sequencer's sidebar that sends clips to the daemon and puts them on the timeline.

Only Blender imports `registration` (it needs bpy); the plain modules beside it are imported by tests as well.
"""

from __future__ import annotations


def register() -> None:
    """Called by Blender when the extension is enabled."""
    from . import registration

    registration.register()


def unregister() -> None:
    """Called by Blender when the extension is disabled or Blender ends."""
    from . import registration

    registration.unregister()
