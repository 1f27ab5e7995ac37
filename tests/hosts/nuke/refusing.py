"""Acts that must be refused, and things that vanish: part of `inside.py`."""

from pathlib import Path

import nuke
from artist import generate, idle_until, jobs, masked, refused, seen, text_clip, wan
from nukestandin import state


def bad_input(settings):
    """Each thing that must be refused, with what it left behind."""
    told = {}
    told["unsaved"] = refused(wan())
    nuke.scriptClear()
    node = masked(settings)
    told["range"] = tried(node, range_last=990)
    told["handles"] = tried(node, handles=-1)
    told["short plate"] = tried(node, handles=40)
    told["roto in text"] = tried(node, task="text")
    told["strange setting"] = tried(node, task="mask", strength=0.3)
    told["seed in words"] = tried(node, seed="seven")
    told["moving steps"] = moving(node)
    told["moving choice"] = moving_choice(node)
    told["broken expression"] = broken(node)
    plate, roto = node.input(0), node.input(1)
    node.setInput(1, None)
    told["no roto"] = refused(node)
    node.setInput(1, plate_without_alpha())
    told["roto without alpha"] = refused(node)
    node.setInput(1, big_roto())
    told["roto of another size"] = refused(node)
    node.setInput(1, roto)
    nuke.root()["proxy"].setValue(True)
    told["proxy"] = refused(node)
    nuke.root()["proxy"].setValue(False)
    nuke.root()["fps"].setValue(0.0)
    told["no rate"] = refused(node)
    nuke.root()["fps"].setValue(24.0)
    plate["file"].setValue(settings["folder"] + "/gone/plate.%04d.exr")
    told["no frames"] = refused(node)
    plate["file"].setValue(settings["folder"] + "/plate/plate.%04d.exr")
    Path(settings["folder"], "plate", "plate.1003.exr").unlink()
    told["a frame is missing"] = refused(node)
    nuke.root()["colorManagement"].setValue("OCIO")
    nuke.root()["OCIO_config"].setValue("custom")
    nuke.root()["customOCIOConfigPath"].setValue(settings["folder"] + "/no-config.ocio")
    told["no config"] = refused(node)
    nuke.root()["customOCIOConfigPath"].setValue(settings["poor_config"])
    told["poor config"] = refused(node)
    left = sorted(str(path.relative_to(settings["folder"])) for path in Path(settings["folder"]).rglob("*part*"))
    return {"told": told, "left": left, "writes": [each.name() for each in nuke.allNodes("Write")]}


def tried(node, **knobs):
    before = {name: node[name].value() for name in knobs}
    for name, value in knobs.items():
        node[name].setValue(value)
    told = refused(node)
    for name, value in before.items():
        if name != "task":
            node[name].setValue(value)
    return told


def moving(node):
    node["steps"].setValueAt(2, 1001)
    node["steps"].setValueAt(6, 1005)
    told = refused(node)
    node["steps"].clearAnimated()
    node["steps"].setValue(2)
    return told


def moving_choice(node):
    node["preset"].setValueAt("Draft", 1001)
    node["preset"].setValueAt("Cinema", 1004)
    told = refused(node)
    node["preset"].fromScript("Draft")
    return told


def broken(node):
    node["guidance"].setExpression("Nowhere.mix * 2")
    told = refused(node)
    node["guidance"].clearAnimated()
    node["guidance"].setValue(0.0)
    return told


def plate_without_alpha():
    return nuke.nodes.Constant(channels="rgb", color=[1, 1, 1, 0])


def big_roto():
    nuke.addFormat("128 64 1 wide")
    return nuke.nodes.Constant(channels="rgba", color=[1, 1, 1, 1], format="wide")


def vanished(settings):
    """Files that go away: the result before it is in place, a version before it is chosen, the node itself."""
    node = text_clip(settings)
    first = generate(node)
    idle_until(lambda: first.result)
    told = {"first": jobs()[0]}
    second = generate(node)
    idle_until(lambda: not second.open)
    for path in Path(settings["folder"], "artifexpro", "Wan1", "v001").glob("*.exr"):
        path.unlink()
    node["version"].setValue("v001")
    told["chosen"] = {**seen(node), "dialog": state.state.said[-1]}
    node["version"].setValue("v002")
    first.state, first.job = "finished", "another"
    idle_until(lambda: not first.open)
    told["gone"] = jobs()[0]
    third = generate(node)
    nuke.delete(node)
    idle_until(lambda: not third.open)
    told["deleted"] = jobs()[-1]
    return told
