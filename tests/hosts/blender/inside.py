"""Runs inside Blender's Python, where only bpy is installed: does one act and writes what it saw as JSON.

    python inside.py ACT SETTINGS.json RESULT.json

It asserts nothing: the tests outside do.
"""

import json
import sys
import time
import traceback
from pathlib import Path

import bpy

PACKAGE = "bl_ext.user_default.artifexpro"
PATIENCE = 120.0


class Paper:
    """Stands in for a panel's layout: takes down the labels, refuses what Blender's own layout would refuse."""

    def __init__(self, lines, buttons):
        self.__dict__.update(lines=lines, buttons=buttons)

    def __getattr__(self, name):
        signature = bpy.types.UILayout.bl_rna.functions[name].parameters.keys()

        def call(*positional, **named):
            unknown = set(named) - set(signature)
            if unknown:
                raise TypeError(f"UILayout.{name} does not take {unknown}")
            if name == "label":
                self.lines.append(named["text"])
            if name == "progress":
                self.lines.append(named["text"])
            if name == "prop":
                data, field = positional
                getattr(data, field)
            if name == "operator":
                category, _, operator = positional[0].partition(".")
                getattr(getattr(bpy.ops, category), operator).get_rna_type()
                self.buttons.append(positional[0])
                return type("Properties", (), {})()
            return Paper(self.lines, self.buttons)

        return call

    def __setattr__(self, name, value):
        if name not in bpy.types.UILayout.bl_rna.properties:
            raise AttributeError(f"UILayout has no {name}")


def modules():
    from importlib import import_module

    return {name: import_module(f"{PACKAGE}.blender.{name}") for name in ("pumping", "panel", "strips", "previews")}


def panel_lines(name):
    lines, buttons = [], []
    cls = getattr(modules()["panel"], name)
    cls.draw(
        type("Panel", (), {"layout": Paper(lines, buttons), "_draw_job": cls.__dict__.get("_draw_job")}), bpy.context
    )
    return {"lines": lines, "buttons": buttons}


def scene():
    found = bpy.context.scene
    if hasattr(bpy.context.workspace, "sequencer_scene"):
        bpy.context.workspace.sequencer_scene = found
    if found.sequence_editor is None:
        found.sequence_editor_create()
    return found


def pump_until(done):
    """Pump as the timer would, until `done()`; returns the longest that one pump took, in seconds."""
    pumping = modules()["pumping"]
    longest, until = 0.0, time.monotonic() + PATIENCE
    while time.monotonic() < until:
        began = time.monotonic()
        pumping.pump()
        longest = max(longest, time.monotonic() - began)
        if done():
            return longest
        time.sleep(0.02)
    raise TimeoutError(f"after {PATIENCE} s: {jobs()}, {pumping.session.trouble}")


def book():
    return list(modules()["pumping"].session.book)


def jobs():
    kept = ("key", "title", "state", "job", "message", "notes", "cancel_asked")
    return [{**{name: getattr(job, name) for name in kept}, **job.place} for job in book()]


def all_strips():
    names = modules()["strips"]
    return [describe(strip, names) for strip in names.everywhere(scene().sequence_editor)]


def describe(strip, names):
    span = names.span_of(strip)
    told = {"name": strip.name, "type": strip.type, "channel": span.channel, "start": span.start, "end": span.end}
    if strip.type == "MOVIE":
        told["space"] = strip.colorspace_settings.name
        told["file"] = bpy.path.abspath(strip.filepath)
        told["raw_file"] = strip.filepath
    told["color_tag"] = strip.color_tag
    told["job"] = strip.get(names.JOB_PROPERTY)
    told["recipe"] = json.loads(strip[names.RECIPE_PROPERTY]) if names.RECIPE_PROPERTY in strip else None
    told["frames"] = strip.get(names.FRAMES_PROPERTY)
    return told


def refused(operator, **settings):
    """What the operator reports, where it refuses."""
    try:
        operator(**settings)
    except RuntimeError as report:
        return str(report)
    return None


def block(channel, start, end):
    """A strip that is in the way."""
    strips = modules()["strips"].top_level(scene().sequence_editor)
    settings = {"name": f"block {channel}", "type": "COLOR", "channel": channel, "frame_start": start}
    length = "length" if "length" in bpy.types.StripsTopLevel.bl_rna.functions["new_effect"].parameters else "frame_end"
    return strips.new_effect(**settings, **{length: end - start if length == "length" else end})


def prompt(text, *, seed=1, frames=5, frame=20, **more):
    """Fill the panel: a clip of 64 x 64 pixels in two steps, by the model a panel begins with."""
    here = scene()
    here.frame_current = frame
    here.artifexpro.property_unset("model")
    fields = {"prompt": text, "seed": seed, "frames": frames, "steps": 2, "own_size": True, "width": 64, "height": 64}
    for name, value in {**fields, "from_strip": False, "with_frames": True, **more}.items():
        setattr(here.artifexpro, name, value)


def generate(text, **fields):
    prompt(text, **fields)
    bpy.ops.artifexpro.generate()
    return book()[-1]


def select(job):
    names = modules()["strips"]
    scene().sequence_editor.active_strip = names.with_job(scene().sequence_editor, job)


def render(path, job, frame):
    """One frame of the sequencer as PNG, without a look, all strips but this job's muted."""
    here = scene()
    names = modules()["strips"]
    for strip in names.everywhere(here.sequence_editor):
        strip.mute = strip.get(names.JOB_PROPERTY) != job
    here.view_settings.view_transform = "Standard"
    here.render.use_sequencer = True
    if hasattr(here.render.image_settings, "media_type"):
        here.render.image_settings.media_type = "IMAGE"
    here.render.image_settings.file_format = "PNG"
    here.render.filepath = path
    here.frame_set(frame)
    bpy.ops.render.render(write_still=True)
    return path


# ---------------------------------------------------------------------- acts


def validate(settings):
    import bl_pkg.bl_extension_cli as official

    return {"status": official.cli_extension_handler(["validate", settings["zip"]])}


def install(settings):
    done = bpy.ops.extensions.package_install_files(
        filepath=settings["zip"], repo="user_default", enable_on_install=True
    )
    bpy.ops.wm.save_userpref()
    import zmq

    return {
        "done": list(done),
        "zmq": zmq.__file__,
        "torch": "torch" in sys.modules,
        "tick": bpy.app.timers.is_registered(modules()["pumping"]._tick),
        "connected": modules()["pumping"].session.connected or modules()["pumping"].session.connecting,
        "sources": str(Path(sys.modules[PACKAGE].__file__).parent),
    }


def enable(settings):
    """What an artist does after `artifexpro host install blender`; `keep` leaves it enabled for the next start."""
    import addon_utils

    addon_utils.enable(PACKAGE, default_set=True)
    import zmq

    enabled = hasattr(bpy.types.Scene, "artifexpro")
    if "keep" in settings:
        bpy.ops.wm.save_userpref()
        return {}
    addon_utils.disable(PACKAGE)
    return {"zmq": zmq.__file__, "enabled": enabled, "left": hasattr(bpy.types.Scene, "artifexpro")}


def refusals(_settings):
    prompt("   ")
    empty = refused(bpy.ops.artifexpro.generate)
    prompt("a cat", from_strip=True)
    unselected = refused(bpy.ops.artifexpro.generate)
    strip = block(1, 20, 40)
    scene().sequence_editor.active_strip = strip
    wrong_kind = refused(bpy.ops.artifexpro.generate)
    again = refused(bpy.ops.artifexpro.again)
    return {"empty": empty, "unselected": unselected, "wrong_kind": wrong_kind, "again": again, "jobs": jobs()}


def no_daemon(settings):
    stated = bpy.context.preferences.addons[PACKAGE].preferences
    stated.home, stated.start_daemon = settings["empty_home"], False
    job = generate("a cat in the rain")
    longest = pump_until(lambda: modules()["pumping"].session.trouble)
    told = panel_lines("ARTIFEXPRO_PT_jobs")
    waiting = jobs()
    bpy.ops.artifexpro.cancel(key=job.key)
    return {"panel": told, "waiting": waiting, "after_cancel": jobs(), "longest_pump": longest}


def deliver(settings):
    """The main job: several clips, one in the way of another, one cancelled, one from a strip, one again."""
    bpy.ops.wm.save_as_mainfile(filepath=settings["blend"])
    size = scene().render
    size.resolution_x, size.resolution_y, size.resolution_percentage = 64, 64, 100
    block(1, 1, 100)
    plain = generate("a red kite over the sea", frame=20, model="smoke")
    panel_while_waiting = panel_lines("ARTIFEXPRO_PT_jobs")
    second = generate("a red kite over the sea", frame=20, seed=2)
    scene().frame_current = 60
    frozen = jobs()
    block(second.place["channel"], 22, 23)
    longest = pump_until(lambda: plain.state == second.state == "delivered")
    first_two = jobs()

    select(plain.job)
    from_strip = generate("the kite turns", frame=22, from_strip=True)
    pump_until(lambda: not from_strip.open)
    select(plain.job)
    bpy.ops.artifexpro.again(vary=True)
    varied = book()[-1]
    pump_until(lambda: not varied.open)
    select(plain.job)
    scene().artifexpro.prompt = "something else"
    bpy.ops.artifexpro.recall()
    recalled = scene().artifexpro.prompt

    cancelled = generate("a very long clip", frames=41, frame=200, steps=500)
    shown = modules()["previews"]._Shown.icons
    pump_until(lambda: cancelled.state == "running" and cancelled.progress and cancelled.key in shown)
    preview = {"size": list(shown[cancelled.key].image_size), "pixels": list(shown[cancelled.key].image_pixels_float)}
    panel_while_running = panel_lines("ARTIFEXPRO_PT_jobs")
    bpy.ops.artifexpro.cancel(key=cancelled.key)
    pump_until(lambda: not cancelled.open)

    before = len(all_strips())
    pumping = modules()["pumping"]
    for job in (plain, second):
        job.state = "finished"
    pumping.pump()
    again = len(all_strips()) - before

    refused_by_daemon = generate("a cat", frames=6, frame=300)
    pump_until(lambda: not refused_by_daemon.open)
    names = {"plain": plain, "second": second, "from_strip": from_strip, "varied": varied, "cancelled": cancelled}
    keys = {name: job.key for name, job in {**names, "refused": refused_by_daemon}.items()}
    rendered = render(settings["png"], plain.job, plain.place["start"] + 2)
    return {
        "keys": keys,
        "frozen": frozen,
        "first_two": first_two,
        "jobs": jobs(),
        "strips": all_strips(),
        "added_by_second_delivery": again,
        "longest_pump": longest,
        "recalled": recalled,
        "panel_while_waiting": panel_while_waiting,
        "panel_while_running": panel_while_running,
        "preview": preview,
        "panels": {name: panel_lines(name) for name in ("ARTIFEXPRO_PT_generate", "ARTIFEXPRO_PT_strip")},
        "rendered": rendered,
        "models": pumping.session.models,
    }


def leave(settings):
    """Send one more, save once it is in the daemon's hands, and go without waiting."""
    bpy.ops.wm.open_mainfile(filepath=settings["blend"])
    strips = all_strips()
    last = generate("the last one before lunch", frame=400)
    pump_until(lambda: last.job)
    bpy.ops.wm.save_mainfile()
    return {"job": last.job, "strips_before": strips, "jobs": jobs()}


def come_back(settings):
    """Open the file in another Blender, take what arrived meanwhile, save; open again, and again nothing is new."""
    bpy.ops.wm.open_mainfile(filepath=settings["blend"])
    opened = jobs()
    pump_until(lambda: all(not job.open for job in book()))
    first = all_strips()
    stale = bpy.context.scene["artifexpro_jobs"]
    bpy.ops.wm.save_mainfile()
    bpy.ops.wm.open_mainfile(filepath=settings["blend"])
    for _ in range(20):
        modules()["pumping"].pump()
    return {"opened": opened, "first": first, "second": all_strips(), "jobs": jobs(), "stale": stale}


def come_back_to_a_copy(settings):
    """A file whose list still says "running" for a clip whose strip is there: Blender stopped between the two."""
    bpy.ops.wm.open_mainfile(filepath=settings["blend"])
    delivered = [job for job in book() if job.state == "delivered"]
    for job in delivered:
        job.state, job.result = "running", None
    before = len(all_strips())
    pump_until(lambda: all(not job.open for job in delivered))
    return {"asked_again": len(delivered), "added": len(all_strips()) - before, "jobs": jobs()}


def undo(settings):
    """The artist takes the clip back with Undo, saves, and opens the file again."""
    bpy.ops.wm.save_as_mainfile(filepath=settings["undo_blend"])
    bpy.ops.ed.undo_push(message="Before")
    job = generate("not that one")
    pump_until(lambda: not job.open)
    arrived = len(all_strips())
    bpy.ops.ed.undo()
    pumping = modules()["pumping"]
    for _ in range(20):
        pumping.pump()
    undone = len(all_strips())
    bpy.ops.wm.save_mainfile()
    bpy.ops.wm.open_mainfile(filepath=settings["undo_blend"])
    for _ in range(20):
        pumping.pump()
    return {"arrived": arrived, "undone": undone, "reopened": len(all_strips()), "jobs": jobs()}


def daemon_dies(_settings):
    """Generate with no daemon running, kill the one that was started for it, and go on pumping."""
    import os
    import signal

    record = Path(os.environ["ARTIFEXPRO_HOME"], "daemon.json")
    job = generate("the show goes on", frames=5)
    pump_until(lambda: job.job)
    first = json.loads(record.read_text())["pid"]
    os.kill(first, signal.SIGKILL)
    longest = pump_until(lambda: not job.open)
    second = json.loads(record.read_text())["pid"]
    bpy.ops.wm.read_homefile()
    os.kill(second, signal.SIGTERM)
    return {"pids": [first, second], "state": job.state, "message": job.message, "longest_pump": longest}


def graph(settings):
    """What Generate sends, as the graph document another host may open. No daemon is asked."""
    stated = bpy.context.preferences.addons[PACKAGE].preferences
    stated.home, stated.start_daemon = settings["empty_home"], False
    job = generate("a red kite over the sea", seed=3, frames=5)
    return job.request["work"]["document"]


def frame_of_strip(settings):
    """The picture under the playhead of the generated clip, as source.py reads it off the strip."""
    from importlib import import_module

    source = import_module(f"{PACKAGE}.blender.source")
    bpy.ops.wm.open_mainfile(filepath=settings["blend"])
    strip = next(strip for strip in scene().sequence_editor.strips_all if strip.type == "MOVIE")
    span = modules()["strips"].span_of(strip)
    told = {}

    def look(name, frame):
        try:
            told[name] = source.picture_under(strip, frame, bpy.path.abspath).index
        except source.NoPicture as sentence:
            told[name] = str(sentence)

    look("first", span.start)
    look("last", span.end - 1)
    look("after", span.end)
    strip.frame_offset_start = 2
    look("trimmed", span.start + 2)
    strip.use_reverse_frames = True
    look("reversed", span.end - 1)
    return told


def spaces(settings):
    """What a strip's colour space becomes for each space a daemon may name, whatever it was before."""
    from importlib import import_module

    delivering = import_module(f"{PACKAGE}.blender.delivering")
    bpy.ops.wm.open_mainfile(filepath=settings["blend"])
    strip = next(strip for strip in scene().sequence_editor.strips_all if strip.type == "MOVIE")
    told = {}
    for space in ("srgb_tx", "ACEScg", "lin_of_nowhere"):
        strip.colorspace_settings.name = "Non-Color"
        remarks = delivering._set_space(strip, space)
        told[space] = [strip.colorspace_settings.name, remarks]
    return told


def main():
    act, settings, result = sys.argv[1:4]
    try:
        if act not in (validate.__name__, install.__name__, enable.__name__):
            bpy.ops.wm.read_userpref()
        if act in ("graph_round", "reopened"):
            sys.modules["inside"] = sys.modules["__main__"]
            import inside_nodes

            globals()[act] = getattr(inside_nodes, act)
        told = globals()[act](json.loads(Path(settings).read_text()))
    except BaseException:
        told = {"crashed": traceback.format_exc()}
    Path(result).write_text(json.dumps(told))
    sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
