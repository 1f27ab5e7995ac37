"""Graphs in Blender's node editor: a tree of its own, whose nodes are made from the daemon's catalogue."""
