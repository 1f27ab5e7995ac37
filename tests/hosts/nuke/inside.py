"""Runs inside the stand-in, on a Python that has pyzmq and nothing of the project: does one act, writes what it saw.

    python inside.py ACT SETTINGS.json RESULT.json

It asserts nothing: the tests outside do.
"""

import json
import sys
import time
import traceback
from pathlib import Path

import nuke
from artist import book, generate, idle_until, jobs, ours, pixel, seen, select, shot, start, wan
from nukestandin import progress, scripts, state, threads


SHOT = {"range_first": 1001, "range_last": 1009, "handles": 2, "width": 64, "height": 64}


def the_round(settings):
    """The main job: a Wan under a plate and a roto, set, generated, saved, changed, generated again, one cancelled."""
    plate, roto = shot(settings)
    node = wan(plate, roto, task="mask", prompt='a "red" {kite} [in] the wind, 雨', steps=2, model="smoke-vace", **SHOT)
    node["over_plate"].setValue(False)
    before = len(state.state.rendered)
    first = generate(node)
    bars = []
    idle_until(lambda: bars.extend(progress.shown()) or not first.open)
    rendered = len(state.state.rendered) - before
    patch = {"inside": pixel(node, 40, 30, 1003), "outside": pixel(node, 4, 4, 1003)}
    node["over_plate"].setValue(True)
    over = {"inside": pixel(node, 40, 30), "outside": pixel(node, 4, 4), "lamp": pixel(node, 12, 12)}
    plain = {"inside": pixel(plate, 40, 30), "outside": pixel(plate, 4, 4), "lamp": pixel(plate, 12, 12)}
    one = seen(node)
    nuke.scriptSave()

    before = len(state.state.rendered)
    node["seed"].setValue(7)
    second = generate(node)
    idle_until(lambda: not second.open)
    again = len(state.state.rendered) - before
    two = seen(node)
    node["version"].setValue("v001")
    back = seen(node)
    node["version"].setValue("v002")

    node["steps"].setValue(400)
    third = generate(node)
    idle_until(lambda: third.state == "running" and third.progress)
    node["cancel"].execute()
    idle_until(lambda: not third.open)
    node["steps"].setValue(2)

    for job in (first, second):
        job.state = "finished"
    idle_until(lambda: not (first.open or second.open))
    nuke.scriptSave()
    return {
        "one": one,
        "two": two,
        "back": back,
        "patch": patch,
        "over": over,
        "plain": plain,
        "jobs": jobs(),
        "rendered": [rendered, again],
        "bars": bars,
        "delivered_twice": seen(node)["versions"],
        "nodes": [each.name() for each in nuke.allNodes()],
        "target": first.request["target"],
        "script": nuke.scriptName(),
    }


def reopen(settings):
    """Open the script of the round where nothing of ours is: no plug-in, no daemon, no window."""
    nuke.scriptOpen(settings["script"])
    node = nuke.toNode("Wan1")
    out = nuke.nodes.Write(
        file=settings["folder"] + "/final.%04d.exr", file_type="exr", channels="rgba", create_directories=True, inputs=[node]
    )
    nuke.execute(out, 1001, 1009)
    node["generate"].execute()
    return {"pixel": pixel(node, 12, 12, 1003), "error": node.treeHasError(), "artifexpro": "artifexpro_nuke" in sys.modules}


def main():
    act, settings, result = sys.argv[1:4]
    try:
        told_settings = json.loads(Path(settings).read_text())
        modules = start(told_settings["plugin"])
        told = globals()[act]({**told_settings, "modules": modules})
        told.setdefault("dialogs", list(state.state.said))
    except BaseException:
        told = {"crashed": traceback.format_exc()}
    Path(result).write_text(json.dumps(told))
    sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
