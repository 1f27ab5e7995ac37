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
import refusing
from artist import (
    OCIO,
    book,
    generate,
    idle_until,
    jobs,
    masked,
    ours,
    pixel,
    seen,
    select,
    shot,
    start,
    text_clip,
)
from nukestandin import progress, state, tcl, threads


def the_round(settings):
    """The main job: a Wan under a plate and a roto, set, generated, saved, changed, generated again, one cancelled."""
    began = time.monotonic()
    took = {}
    node = masked(settings, over_plate=False)
    plate = node.input(0)
    before = len(state.state.rendered)
    first = generate(node)
    bars = []
    idle_until(lambda: bars.extend(progress.shown()) or not first.open)
    took["first"] = time.monotonic() - began
    rendered = len(state.state.rendered) - before
    patch = {"inside": pixel(node, 40, 30, 1003), "outside": pixel(node, 4, 4, 1003)}
    node["over_plate"].setValue(True)
    places = {"inside": (40, 30), "outside": (4, 4), "lamp": (12, 12), "half": (4, 60)}
    over = {name: pixel(node, *place) for name, place in places.items()}
    plain = {name: pixel(plate, *place) for name, place in places.items()}
    one = seen(node)
    nuke.scriptSave()

    before = len(state.state.rendered)
    node["seed"].setValue("7")
    second = generate(node)
    node.setName("Renamed")
    idle_until(lambda: not second.open)
    took["second"] = time.monotonic() - began
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
    took["cancelled"] = time.monotonic() - began

    for job in (first, second):
        job.state = "finished"
    idle_until(lambda: not (first.open or second.open))
    twice = seen(node)["versions"]
    undone = undo_delivery(node)
    nuke.scriptSave()
    return {
        "took": took,
        "one": one,
        "two": two,
        "back": back,
        "patch": patch,
        "over": over,
        "plain": plain,
        "jobs": jobs(),
        "rendered": [rendered, again],
        "bars": bars[:200],
        "bars_after": progress.shown(),
        "delivered_twice": twice,
        "undone": undone,
        "nodes": [each.name() for each in nuke.allNodes()],
        "target": first.request["target"],
        "prompt": [node["prompt"].value(), first.request["work"]["document"]["nodes"]["result"]["params"]["prompt"]],
        "script": nuke.scriptName(),
    }


def undo_delivery(node):
    """Undo takes the last delivery back as one step, and pumping does not bring it again."""
    undo = nuke.Undo()
    for _ in range(undo.undoSize()):
        name = undo.undoDescribe(0)
        undo.undo()
        if name.startswith("ArtifexPro"):
            break
    threads.idle(0.6)
    return [name, [each["version"] for each in ours("marks").versions(node)], seen(node)["file"]]


def reopen(settings):
    """Open a script where nothing of ours is: no plug-in, no daemon. It renders; its buttons say what is missing."""
    nuke.scriptOpen(settings["script"])
    node = next(each for each in nuke.allNodes("Group"))
    pattern = settings["folder"] + "/final.%04d.exr"
    out = nuke.nodes.Write(file=pattern, file_type="exr", channels="rgba", create_directories=True, inputs=[node])
    nuke.execute(out, 1001, 1005)
    node["generate"].execute()
    return {
        "pixel": pixel(node, 12, 12, 1003),
        "error": node.treeHasError(),
        "ours": [name for name in sys.modules if "artifexpro" in name or name == "zmq"],
        "made": sorted(path.name for path in Path(settings["folder"]).glob("final.*")),
        "dialogs": list(state.state.said),
    }


def processed(settings):
    """Nodes of the catalogue under the plate: one that changes nothing, one that doubles, one with a moving knob."""
    plate, _roto = shot(settings)
    told = {}
    for name, knobs in (("Flip", {"horizontal": False, "vertical": False}), ("ColorCorrector", {"exposure": 1.0})):
        select(plate)
        node = ours("making").process(name)
        for knob, value in {**knobs, "range_first": 1001, "range_last": 1002, "handles": 1}.items():
            node[knob].setValue(value)
        job = generate(node)
        idle_until(lambda job=job: not job.open)
        places = {"grey": (40, 30), "lamp": (12, 12), "half": (4, 60)}
        told[name] = {
            "job": jobs()[-1],
            "seen": seen(node),
            "here": {key: pixel(node, *place, frame=1001) for key, place in places.items()},
            "plate": {key: pixel(plate, *place, frame=1001) for key, place in places.items()},
        }
    select(plate)
    moving = ours("making").process("ColorCorrector")
    moving["exposure"].setValueAt(0.0, 1001)
    moving["exposure"].setValueAt(2.0, 1005)
    moving["range_first"].setValue(1001)
    moving["range_last"].setValue(1005)
    job = generate(moving)
    idle_until(lambda: not job.open)
    told["moving"] = {
        "job": jobs()[-1],
        "params": job.request["work"]["document"]["nodes"]["result"]["params"],
        "reds": [pixel(moving, 40, 30, frame)[0] for frame in range(1001, 1006)],
    }
    return told


def every_node(settings):
    """Make each node type of the catalogue that can lie between Nuke's nodes; save, open, and read the knobs again."""
    shot(settings)
    entries = json.loads(Path(settings["plugin"], "artifexpro_nuke", "catalogue.json").read_text())
    made, refused_ones = {}, {}
    for entry in entries:
        select()
        try:
            node = ours("making").process(entry["name"])
        except ours("telling").Refused as refusal:
            refused_ones[entry["name"]] = str(refusal)
            continue
        made[node.name()] = {
            each["name"]: [each["default"], node[each["name"]].value()] for each in entry["parameters"]
        }
    nuke.scriptSave()
    text = Path(nuke.scriptName()).read_text(encoding="utf-8")
    nuke.scriptClear()
    nuke.scriptOpen(settings["folder"] + "/shot.nk")
    again = {name: {knob: nuke.toNode(name)[knob].value() for knob in knobs} for name, knobs in made.items()}
    return {"made": made, "refused": refused_ones, "again": again, "complete": tcl.complete(text)}


def graded(settings):
    """One colour management after another: what the Read is told, and how a pass-through compares with its plate."""
    told = {}
    for name, root in settings["managements"].items():
        nuke.scriptClear()
        folder = Path(settings["folder"], name)
        folder.mkdir()
        plate, _roto = shot({**settings, "folder": str(folder), "root": root})
        select(plate)
        node = ours("making").process("Flip")
        for knob, value in {"horizontal": False, "vertical": False, "range_first": 1001, "range_last": 1001}.items():
            node[knob].setValue(value)
        job = generate(node)
        idle_until(lambda job=job: not job.open)
        places = {"grey": (40, 30), "lamp": (12, 12), "half": (4, 60)}
        told[name] = {
            "job": jobs()[-1],
            "seen": seen(node),
            "document": job.request["work"]["document"]["nodes"],
            "here": {key: pixel(node, *place, frame=1001) for key, place in places.items()},
            "plate": {key: pixel(plate, *place, frame=1001) for key, place in places.items()},
        }
    return told


def leave(settings):
    """Send one that takes a while, save once it is in the daemon's hands, and close without waiting."""
    node = text_clip(settings)
    node["steps"].setValue(100)
    job = generate(node)
    idle_until(lambda: job.job)
    nuke.scriptSave()
    return {"job": job.job, "script": nuke.scriptName(), "versions": seen(node)["versions"]}


def come_back(settings):
    """Open the script in another Nuke; the artist answers what she is asked."""
    state.state.answers.append(settings["answer"])
    nuke.scriptOpen(settings["script"])
    node = nuke.toNode("Wan1")
    opened = jobs()
    idle_until(lambda: all(not job.open for job in book()))
    after = seen(node)
    if settings["answer"] is False:
        node["version"].setValue("v001")
        chosen = seen(node)
    else:
        chosen = after
    if settings.get("save"):
        nuke.scriptSave()
    return {"opened": opened, "after": after, "chosen": chosen, "jobs": jobs(), "dialogs": list(state.state.said)}


def in_terminal(settings):
    """`nuke -t`: no menus, no dialogs, no threads; a script generates and waits."""
    import threading

    shot(settings)
    ours("making").make("Wan", ours("tasks").wan(ours("library").nodes()))
    node = nuke.toNode("Wan1")
    for name, value in {
        "range_first": 1,
        "range_last": 5,
        "width": 64,
        "height": 64,
        "steps": 2,
        "prompt": "rain",
        "model": settings["model"],
    }.items():
        node[name].setValue(value)
    node["task"].setValue("style")
    node["generate"].execute()
    refusal = node["status"].value()
    node["task"].setValue("text")
    sentence = ours("terminal").generate(node, 100)
    threads_now = [each.name for each in threading.enumerate() if each.name == "artifexpro-tick"]
    node["range_last"].setValue(6)
    try:
        ours("terminal").generate(node, 100)
        failure = ""
    except RuntimeError as trouble:
        failure = str(trouble)
    return {
        "refusal": refusal,
        "sentence": sentence,
        "threads": threads_now,
        "seen": seen(node),
        "failure": failure,
        "modules": settings["modules"],
    }


def started(settings):
    """What starting costs: seconds for init.py and menu.py, and what they loaded."""
    return {"modules": settings["modules"], "seconds": settings["seconds"]}


def no_daemon(settings):
    """Generate where no daemon is and none may be started: the job waits and says why; cancelled, it was never sent."""
    node = text_clip(settings)
    job = generate(node)
    longest = [0.0]

    def told():
        began = time.monotonic()
        threads.idle(0)
        longest[0] = max(longest[0], time.monotonic() - began)
        return "daemon" in node["status"].value()

    idle_until(told)
    sentence, waiting = node["status"].value(), job.state
    nuke.scriptSave()
    node["cancel"].execute()
    idle_until(lambda: not job.open)
    return {"sentence": sentence, "waiting": waiting, "jobs": jobs(), "longest": longest[0]}


def pasted(settings):
    """A copy of a node is a node of its own: the result goes to the one that asked."""
    node = text_clip(settings)
    job = generate(node)
    select(node)
    nuke.nodeCopy(settings["folder"] + "/copied.nk")
    copy = nuke.nodePaste(settings["folder"] + "/copied.nk")
    idle_until(lambda: not job.open)
    return {
        "names": [node.name(), copy.name()],
        "versions": [seen(node)["versions"], seen(copy)["versions"]],
        "ids": [node["artifexpro_id"].value(), copy["artifexpro_id"].value()],
    }


def in_a_render(settings):
    """Nothing re-enters: while Nuke renders, and while a beat goes on, another beat does nothing."""
    pumping = ours("pumping")
    node = text_clip(settings)
    job = generate(node)
    inner = []
    deliver, session_pump = ours("delivering").deliver, pumping.session.pump

    def nested():
        inner.append(pumping.pump())
        return session_pump()

    pumping.session.pump = nested
    idle_until(lambda: not job.open)
    pumping.session.pump = session_pump
    state.state.executing = True
    during = pumping.pump()
    state.state.executing = False
    return {
        "inner": sorted(set(inner)),
        "during": during,
        "jobs": jobs(),
        "same": deliver is ours("delivering").deliver,
    }


def panel_host(settings):
    """What the panel asks of Nuke, without Qt: place, picture, delivering twice, another script, both managements."""
    from artifexpro_nuke.bridge import graphs, jobs

    panel = ours("panel")
    session = ours("pumping").session
    told = {"registered": state.state.panels}
    try:
        panel.NukeHost().place()
    except ours("telling").Refused as refusal:
        told["unsaved"] = str(refusal)
    for name, root in (("nukes", {}), ("aces", {**OCIO, "workingSpaceLUT": "ACEScg"})):
        nuke.scriptClear()
        folder = Path(settings["folder"], name)
        folder.mkdir()
        plate, _roto = shot({**settings, "folder": str(folder), "root": root})
        nuke.frame(1003)
        select(plate)
        host = panel.NukeHost()
        place = host.place()
        picture = host.picture()
        select()
        params = {"prompt": "rain", "model": settings["model"], "width": 64, "height": 64, "frames": 5, "steps": 2}
        document = graphs.clip_graph("TI2VGenerator", params, graphs.Outputs(None, "f.%04d.exr"), image=picture)
        request = graphs.job_request(graphs.render_work(document), title="rain", output=place["output"] + "/1")
        job = jobs.Job(request["key"], "rain", request, place, keeper="panel")
        session.book.add(job)
        while not job.result:
            session.pump()
            time.sleep(0.02)
        sentence = host.deliver(job)
        again = host.deliver(job)
        read = next(each for each in nuke.allNodes("Read") if each.knob("artifexpro_job"))
        shown = nuke.allNodes("ColorMatrix")[0] if nuke.allNodes("ColorMatrix") else read
        told[name] = {
            "place": place,
            "picture": picture,
            "sentences": [sentence, again],
            "reads": len(nuke.allNodes("Read")),
            "colorspace": read["colorspace"].value(),
            "at": [read.xpos(), read.ypos()],
            "pixel": pixel(shown, 20, 20, 1003),
            "file": read["file"].value(),
        }
        nuke.scriptSave()
        nuke.scriptClear()
        try:
            host.deliver(job)
        except ours("telling").Refused as refusal:
            told[name]["elsewhere"] = str(refusal)
        session.book.forget_all()
    return told


def docked(settings):
    """The panel in its pane: the one act that needs Qt."""
    import docking

    return docking.docked(settings)


def main():
    act, settings, result = sys.argv[1:4]
    try:
        told_settings = json.loads(Path(settings).read_text())
        began = time.perf_counter()
        modules = start(told_settings["plugin"])
        told_settings |= {"modules": modules, "seconds": time.perf_counter() - began}
        told = {**vars(refusing), **globals()}[act](told_settings)
        told.setdefault("dialogs", list(state.state.said))
    except BaseException:
        told = {"crashed": traceback.format_exc()}
    Path(result).write_text(json.dumps(told))
    sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
