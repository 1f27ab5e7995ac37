"""The Nuke adapter will live here: Wan nodes under a plate, scene-linear EXR with handles back in the script.

Nothing of it is there yet. The line it will use (bridge, daemon, engine) is the one the Blender adapter uses today.
"""
