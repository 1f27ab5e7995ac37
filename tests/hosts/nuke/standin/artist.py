"""What an artist does in the stand-in: start it, set up a shot, press buttons, wait, look at pixels."""

import importlib
import sys
import time
from pathlib import Path

import nuke
from nukestandin import threads
from nukestandin.state import state

PATIENCE = 300.0
SHOT = {"range_first": 1001, "range_last": 1005, "handles": 2, "width": 64, "height": 64, "steps": 2}
OCIO = {"colorManagement": "OCIO", "OCIO_config": "fn-nuke_cg-config-v1.0.0_aces-v1.3_ocio-v2.1"}


def start(plugin):
    """As Nuke starts: init.py, then menu.py where there is a window. Returns the modules that came in by it."""
    if not plugin:
        return []
    before = set(sys.modules)
    nuke.pluginAddPath(plugin)
    for name in ("init.py", *(["menu.py"] if nuke.GUI else [])):
        path = Path(plugin) / name
        exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), {"__name__": name, "__file__": str(path)})
    return sorted(set(sys.modules) - before)


def ours(name):
    return importlib.import_module(f"artifexpro_nuke.nuke.{name}")


def idle_until(true, seconds=PATIENCE):
    """Let Nuke's main thread be free until something is so. Returns the longest single beat."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"jobs: {jobs()}, trouble: {ours('pumping').session.trouble}")
        threads.idle(0.02)


def book():
    return ours("pumping").session.book


def jobs():
    return [{"title": job.title, "state": job.state, "message": job.message, "job": job.job} for job in book()]


def shot(settings, width=64, height=64, first=1001, last=1009):
    """A saved script: a plate on disk, brighter than white in places, half covered at its top left; and a roto."""
    nuke.addFormat(f"{width} {height} 1 shot")
    root = nuke.root()
    root["format"].setValue("shot")
    root["first_frame"].setValue(first)
    root["last_frame"].setValue(last)
    root["fps"].setValue(settings.get("fps", 24.0))
    for name, value in settings.get("root", {}).items():
        root[name].setValue(value)
    grey = nuke.nodes.Constant(channels="rgba", color=[0.18, 0.25, 0.5, 1.0])
    lamp = nuke.nodes.Rectangle(area=[8, 8, 24, 24, 0][:4], inputs=[grey])
    lamp["opacity"].setValue(11.7)
    half = nuke.nodes.Rectangle(area=[0, 48, 16, 64], opacity=0.5, inputs=[lamp])
    plate = read_of(half, settings, first - 2, last + 2)
    roto = nuke.nodes.Rectangle(area=[32, 16, 56, 48])
    roto.setName("Roto1")
    nuke.scriptSaveAs(str(Path(settings["folder"]) / "shot.nk"), 1)
    return plate, roto


def read_of(node, settings, first, last, name="plate"):
    """The node rendered to 32 bit EXR in the working space, and a Read of that."""
    pattern = f"{settings['folder']}/{name}/{name}.%04d.exr"
    write = nuke.nodes.Write(file=pattern, file_type="exr", datatype="32 bit float", channels="rgba", inputs=[node])
    write["create_directories"].setValue(True)
    write["raw"].setValue(True)
    nuke.execute(write, first, last)
    nuke.delete(write)
    read = nuke.nodes.Read(file=pattern, first=first, last=last, raw=True)
    read.setName("Plate1")
    return read


def select(*chosen):
    for node in nuke.allNodes():
        node.setSelected(node in chosen)


def wan(*above, **knobs):
    """A Wan node under what is given, made by the menu."""
    select(*above)
    nuke.menu("Nodes").findItem("ArtifexPro/Wan").invoke()
    node = list(ours("marks").all_of_ours())[-1]
    for name, value in knobs.items():
        node[name].setValue(value)
    return node


def masked(settings, **knobs):
    plate, roto = shot(settings)
    return wan(plate, roto, task="mask", prompt='a "red" {kite} [in] the $wind, 雨\nover \\ water', **{**SHOT, **knobs})


def text_clip(settings, **knobs):
    shot(settings)
    small = {"range_first": 1, "range_last": 5, "width": 64, "height": 64, "steps": 2}
    return wan(task="text", prompt="rain", model=settings["model"], **{**small, **knobs})


def generate(node):
    """Press the button; the job it made."""
    before = {job.key for job in book()}
    node["generate"].execute()
    made = [job for job in book() if job.key not in before]
    if not made:
        raise RuntimeError(f"refused: {node['status'].value()}")
    return made[0]


def refused(node):
    """Press the button where it must refuse; the sentence, and what a refusal must leave alone."""
    jobs_before, nodes_before = len(book()), len(nuke.allNodes())
    node["generate"].execute()
    return {
        "sentence": node["status"].value(),
        "dialog": state.said[-1] if state.said else "",
        "jobs": len(book()) - jobs_before,
        "nodes": len(nuke.allNodes()) - nodes_before,
    }


def seen(node):
    """The node as the artist sees it."""
    marks = ours("marks")
    read = node.node(marks.RESULT)
    return {
        "name": node.name(),
        "status": node["status"].value(),
        "version": node["version"].value(),
        "versions": node["version"].values(),
        "file": read["file"].value(),
        "first": read["first"].value(),
        "last": read["last"].value(),
        "colorspace": read["colorspace"].value(),
        "premultiplied": read["premultiplied"].value(),
        "raw": read["raw"].value(),
        "metadata": read.metadata() if read["file"].value() else {},
        "width": node.width(),
        "channels": node.channels(),
    }


def pixel(node, x, y, frame=None):
    if frame is not None:
        nuke.frame(frame)
    return [nuke.sample(node, f"rgba.{name}", x, y) for name in ("red", "green", "blue", "alpha")]
