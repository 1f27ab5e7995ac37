# mypy: ignore-errors
"""The heartbeat: what the daemon said becomes strips, progress and sentences.

`pump()` does everything and never waits. In Blender a timer calls it; Blender without a window never ticks timers, so
there scripts and tests call it themselves.
"""

from functools import partial
from pathlib import Path

import bpy

from ..bridge import line
from ..bridge.jobs import DELIVERED, FAILED
from ..bridge.session import Session
from . import asking, delivering, identity, previews
from .preferences import preferences

JOBS_PROPERTY = "artifexpro_jobs"
BUSY_SECONDS = 0.2
IDLE_SECONDS = 2.0


def _dialler():
    """How to reach the daemon, from the preferences as they are now: the thread that dials must not ask Blender."""
    stated = preferences()
    home = bpy.path.abspath(stated.home) if stated.home else None
    return partial(
        line.dial,
        home=home,
        endpoint=stated.endpoint or None,
        start=stated.start_daemon,
        introduction=identity.introduction(),
        python=identity.installers_python(),
    )


session = Session(_dialler)
when_pumped = []
"""Called in each pump, after what the daemon said was heard."""


def ask(scene, document, title, wanted):
    """Book a job for `document` and start pumping. Raises `asking.Refused`."""
    job = asking.ask(
        session.book,
        scene,
        document,
        title=title,
        wanted=wanted,
        client=identity.introduction(),
        blend=bpy.data.filepath,
    )
    write_down()
    keep_pumping()
    return job


def ask_files(scene, document, title):
    """Book a job whose result stays in its files, and start pumping."""
    job = asking.ask_files(
        session.book, scene, document, title=title, client=identity.introduction(), blend=bpy.data.filepath
    )
    write_down()
    keep_pumping()
    return job


def pump():
    """Do what is due. Returns the number of clips that arrived."""
    arrived = sum(_deliver(job) for job in session.pump())
    for due in when_pumped:
        due()
    for key, width, height, pixels in session.take_previews():
        previews.show(key, width, height, pixels)
    write_down()
    _redraw()
    return arrived


def redial():
    """Hang up and look for the daemon again, with the preferences as they are now."""
    session.hang_up()
    session.dial_now()
    keep_pumping()


def write_down():
    """Write the jobs of each scene where something changed into the scene, so that saving the file keeps them."""
    changed = session.book.take_changed()
    for scene in bpy.data.scenes:
        if scene.session_uid in changed:
            scene[JOBS_PROPERTY] = session.book.as_text(scene.session_uid)


def _deliver(job):
    if asking.FILES in job.place:
        written = [item["path"] for item in (job.result or {}).get("artefacts", ())]
        session.book.close(job, DELIVERED, " ".join((f"Written: {', '.join(written)}.", *job.notes)))
        return 0
    scene = next((scene for scene in bpy.data.scenes if scene.session_uid == job.keeper), None)
    try:
        if scene is None:
            raise delivering.Undeliverable(f"Its scene was deleted. The clip is {delivering.clip_of(job)['path']}.")
        promised = asking.promised(session.book, job.keeper, besides=job)
        arrival = delivering.deliver(scene, job, promised, _as_blender_writes)
    except delivering.Undeliverable as problem:
        session.book.close(job, FAILED, str(problem))
        return 0
    if not arrival.fresh:
        session.book.close(job, DELIVERED, job.message or "It was on the timeline already.")
        return 0
    words = f"On channel {arrival.span.channel} at frame {arrival.span.start}."
    session.book.close(job, DELIVERED, " ".join((words, *arrival.remarks, *job.notes)))
    if bpy.ops.ed.undo_push.poll():
        bpy.ops.ed.undo_push(message="ArtifexPro Clip")
    return 1


def _as_blender_writes(path):
    """A file's path as a strip should name it: relative where the artist prefers that and it lies beside her file."""
    blend = bpy.data.filepath
    if blend and bpy.context.preferences.filepaths.use_relative_paths and Path(path).is_relative_to(Path(blend).parent):
        return bpy.path.relpath(path)
    return path


def _redraw():
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "SEQUENCE_EDITOR":
                area.tag_redraw()


def keep_pumping():
    """Have the timer tick soon; it was perhaps waiting out an idle spell."""
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)
    bpy.app.timers.register(_tick, first_interval=0.0, persistent=True)


def _tick():
    pump()
    return BUSY_SECONDS if session.busy else IDLE_SECONDS


@bpy.app.handlers.persistent
def _file_opened(*_):
    """The jobs in memory belong to the file that was open; the new one brings its own."""
    session.book.forget_all()
    session.ask_again()
    previews.clear()
    for scene in bpy.data.scenes:
        if JOBS_PROPERTY in scene:
            session.book.adopt(scene[JOBS_PROPERTY], scene.session_uid)
    keep_pumping()


@bpy.app.handlers.persistent
def _before_saving(*_):
    """Undo may have brought an older copy back into a scene: what is saved is what is so now."""
    for scene in bpy.data.scenes:
        if JOBS_PROPERTY in scene or session.book.of_keeper(scene.session_uid):
            scene[JOBS_PROPERTY] = session.book.as_text(scene.session_uid)


def register():
    bpy.app.handlers.load_post.append(_file_opened)
    bpy.app.handlers.save_pre.append(_before_saving)
    bpy.app.timers.register(_tick, first_interval=1.0, persistent=True)


def unregister():
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)
    bpy.app.handlers.save_pre.remove(_before_saving)
    bpy.app.handlers.load_post.remove(_file_opened)
    session.hang_up(wait=True)
    session.book.forget_all()
