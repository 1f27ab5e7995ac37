"""Blender's compositor as a peer: a process of Blender's own that computes one graph when it is told to.

Run by a Python that has bpy and nothing else: `python blender_compositor.py`. One JSON document a line on standard
input is answered by one on standard output; what Blender itself prints goes to standard error.

    {"do": "build", "scene": name, "images": {name: path}, "graph": [[name, type, {input: value}, {input: source}]],
     "result": name, "size": [w, h]}
    {"do": "render", "scene": name, "set": {node: {input: value}}}   -> {"seconds": ...} of the one call that renders
    {"do": "save", "path": ..., "scene": ..., "set": ...}   the same, and the result as an EXR of 32 bit floats
"""

from __future__ import annotations

import json
import os
import sys
from time import perf_counter
from typing import Any

import bpy

SCENES: dict[str, dict[str, Any]] = {}
"""The nodes of each graph that was built, by name."""


def build(asked: dict[str, Any]) -> dict[str, Any]:
    """A scene of nothing but the compositor, on the processor in full precision, without any view transform."""
    scene = bpy.data.scenes.new(asked["scene"])
    render = scene.render
    render.resolution_x, render.resolution_y = asked["size"]
    render.resolution_percentage = 100
    render.use_compositing, render.use_sequencer = True, False
    render.compositor_device, render.compositor_precision = "CPU", "FULL"
    picture = render.image_settings
    picture.file_format, picture.color_depth, picture.color_mode, picture.exr_codec = "OPEN_EXR", "32", "RGBA", "ZIP"
    scene.view_settings.view_transform = "Raw"
    tree = bpy.data.node_groups.new(asked["scene"], "CompositorNodeTree")
    tree.interface.new_socket("Image", in_out="OUTPUT", socket_type="NodeSocketColor")
    scene.compositing_node_group = tree
    nodes = SCENES[asked["scene"]] = {}
    for name, path in asked["images"].items():
        node = nodes[name] = tree.nodes.new("CompositorNodeImage")
        node.image = bpy.data.images.load(path, check_existing=True)
        node.image.colorspace_settings.name = "Non-Color"
        node.image.alpha_mode = "PREMUL"
    for name, kind, values, sources in asked["graph"]:
        node = nodes[name] = tree.nodes.new(kind)
        put(node, values)
        for socket, source in sources.items():
            tree.links.new(nodes[source].outputs["Image"], input_of(node, socket))
    tree.links.new(nodes[asked["result"]].outputs["Image"], tree.nodes.new("NodeGroupOutput").inputs["Image"])
    return {"blender": bpy.app.version_string, "threads": render.threads}


def input_of(node: Any, name: str) -> Any:
    """An input by its identifier or else its name: several inputs have one name."""
    return next((socket for socket in node.inputs if socket.identifier == name), None) or node.inputs[name]


def put(node: Any, values: dict[str, Any]) -> None:
    for name, value in values.items():
        input_of(node, name).default_value = value


def render(asked: dict[str, Any]) -> dict[str, Any]:
    for name, values in asked.get("set", {}).items():
        put(SCENES[asked["scene"]][name], values)
    began = perf_counter()
    bpy.ops.render.render(scene=asked["scene"])
    return {"seconds": perf_counter() - began}


def save(asked: dict[str, Any]) -> dict[str, Any]:
    told = render(asked)
    bpy.data.images["Render Result"].save_render(asked["path"], scene=bpy.data.scenes[asked["scene"]])
    return told


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    for line in sys.stdin:
        asked = json.loads(line)
        told = {"build": build, "render": render, "save": save}[asked["do"]](asked)
        print(json.dumps(told), file=answers, flush=True)


if __name__ == "__main__":
    main()
