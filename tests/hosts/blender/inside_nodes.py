"""Acts of `inside.py` about the node editor; run in Blender's Python, where only bpy is installed."""

import json
import time
from importlib import import_module

import bpy
import inside


def ours(name):
    return import_module(f"{inside.PACKAGE}.blender.nodes.{name}")


def hear(_settings):
    """The first daemon that is ever heard tells which nodes there are."""
    before = [len(ours("kinds").registered), add_menu()]
    inside.modules()["pumping"].redial()
    inside.pump_until(lambda: ours("kinds").registered)
    return {"before": before, "menu": add_menu(), "kinds": kinds(), "kept": ours("library").nodes()}


def add_menu():
    lines, buttons = [], []
    ours("editor").draw_add(inside.Paper(lines, buttons))
    return {"lines": lines, "buttons": buttons, "menus": [menu.bl_label for menu in ours("editor")._menus]}


def kinds():
    """One node of each class, as the artist adds it."""
    found, told = ours("kinds"), {}
    tree = bpy.data.node_groups.new("all", found.TREE)
    for name in found.registered:
        node = tree.nodes.new(found.class_name(name))
        properties = node.bl_rna.properties
        told[name] = {
            "inputs": [[socket.identifier, found.kind_of(socket)] for socket in node.inputs],
            "outputs": [[socket.identifier, found.kind_of(socket)] for socket in node.outputs],
            "properties": {
                each.identifier: each.description for each in properties if each.identifier.startswith("ap_")
            },
            "width": node.bl_width_default,
        }
    fresh = ours("trees").document_of(tree)
    return {"nodes": told, "fresh": {name: node.get("params", {}) for name, node in fresh["nodes"].items()}}


def round_trips(settings):
    documents = json.loads(settings["documents"])
    trees = ours("trees")
    back = {}
    for name, document in documents.items():
        tree = trees.tree_of(document, name)
        tree.name = name
        back[name] = trees.document_of(tree)
    shot = bpy.data.node_groups["shot"]
    curve = ours("curves").found(shot, shot.nodes["soft"], "ap_size")
    eases = [point.interpolation for point in curve.keyframe_points]
    bpy.ops.wm.save_as_mainfile(filepath=settings["blend"] + ".graphs.blend")
    return {"back": back, "eases": eases, "sampled": [curve.evaluate(1000 + at / 2) for at in range(130)]}


def reopened(settings):
    """No daemon is asked: the nodes are known from the last time. Then the artist changes something."""
    bpy.ops.wm.open_mainfile(filepath=settings["blend"] + ".graphs.blend")
    trees = ours("trees")
    names = list(json.loads(settings["documents"]))
    back = {name: trees.document_of(bpy.data.node_groups[name]) for name in names}
    shot = bpy.data.node_groups["shot"]
    soft, movie = shot.nodes["soft"], shot.nodes["movie"]
    ours("curves").found(shot, soft, "ap_size").keyframe_points[1].co.y = 2.0
    movie.ap_path, movie.ap_crf, soft.label = "other.mov", 3, "softer"
    shot.nodes["mixed"].ap_mode = "multiply"
    changed = trees.document_of(shot)
    shot.nodes["mixed"].driver_add("ap_mix")
    refusals = [refusal(shot)]
    shot.nodes["mixed"].driver_remove("ap_mix")
    soft.mute = True
    refusals.append(refusal(shot))
    connected = inside.modules()["pumping"].session.connected
    return {"back": back, "changed": changed, "refusals": refusals, "connected": connected}


def refusal(tree):
    try:
        ours("trees").document_of(tree)
    except Exception as told:
        return told.sentence()
    return None


def build(tree, path):
    """Frames, softened more and more, into other ones: nodes and links as an artist makes them."""
    name = ours("kinds").class_name
    plate, soft, end = (tree.nodes.new(name(kind)) for kind in ("SequenceInput", "Blur", "FileOutput"))
    plate.ap_path, plate.ap_rate = path, "24"
    soft.ap_size = 1.5
    soft.keyframe_insert("ap_size", frame=1001)
    soft.ap_size = 4.0
    soft.keyframe_insert("ap_size", frame=1003)
    end.ap_path = "frame.%04d.exr"
    return plate, soft, end


def rendered(settings):
    found = ours("kinds")
    bpy.ops.wm.save_as_mainfile(filepath=settings["blend"] + ".made.blend")
    tree = bpy.data.node_groups.new("made", found.TREE)
    sinkless = inside.refused(bpy.ops.artifexpro.render_graph, tree="made")
    plate, soft, end = build(tree, settings["plate"])
    empty = inside.refused(bpy.ops.artifexpro.render_graph, tree="nothing")
    sound = tree.nodes.new(found.class_name("AudioInput"))
    tree.links.new(sound.outputs[0], soft.inputs["video"])
    tree.update()
    wrong = [len(tree.links), ours("editor").last_refusal()]
    tree.nodes.remove(sound)
    bend = tree.nodes.new("NodeReroute")
    tree.links.new(plate.outputs[0], bend.inputs[0])
    tree.links.new(bend.outputs[0], soft.inputs["video"])
    tree.links.new(soft.outputs[0], end.inputs["video"])
    tree.update()
    bpy.ops.artifexpro.render_graph(tree="made")
    job = inside.book()[-1]
    inside.pump_until(lambda: not job.open)
    return {
        "wrong": wrong,
        "empty": empty,
        "sinkless": sinkless,
        "links": len(tree.links),
        "document": ours("trees").document_of(tree),
        "state": job.state,
        "message": job.message,
        "written": [item["path"] for item in (job.result or {}).get("artefacts", ())],
        "panel": inside.panel_lines("ARTIFEXPRO_PT_jobs"),
    }


def opened(settings):
    """The graph of a strip, from its recipe."""
    strip = inside.block(1, 1, 20)
    strip["artifexpro_recipe"] = json.dumps({"graph": json.loads(settings["documents"])["prompts"]})
    inside.scene().sequence_editor.active_strip = strip
    done = bpy.ops.artifexpro.open_graph()
    tree = bpy.data.node_groups["block 1"]
    return {"done": list(done), "name": tree.name, "document": ours("trees").document_of(tree)}


def graph_round(settings):
    """All of it in one Blender, but for what needs the file opened by another."""
    began = time.monotonic()
    told = {act.__name__: act(settings) for act in (hear, opened, round_trips, rendered)}
    return {**told, "shape": ours("curves")._SHAPE, "seconds": time.monotonic() - began}
