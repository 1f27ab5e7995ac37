"""The DaVinci Resolve adapter will live here: takes on the timeline, LUTs on a clip's node, Fusion macros.

Nothing of it is there yet. The line it will use (bridge, daemon, engine) is the one the Blender adapter uses today.
"""
