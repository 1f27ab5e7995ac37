"""The heartbeat: what the daemon said becomes versions, progress and sentences.

`pump()` does everything, never waits and never runs inside itself. A thread asks Nuke's main thread to call it; where
there is no window there is no such thread, and whoever waits for a result calls it (see `terminal`).
"""

from __future__ import annotations

import os
import threading
from functools import partial
from typing import Any

import nuke

from ..bridge import line
from ..bridge.errors import BridgeError
from ..bridge.jobs import DELIVERED, FAILED, RUNNING, Job
from ..bridge.session import Session
from . import asking, delivering, identity, library, marks, progress, telling
from .undoing import no_step

BUSY_SECONDS = 0.2
IDLE_SECONDS = 2.0


def _dialler() -> Any:
    return partial(
        line.dial,
        home=None,
        endpoint=os.environ.get("ARTIFEXPRO_ENDPOINT") or None,
        start=os.environ.get("ARTIFEXPRO_START_DAEMON", "1") != "0",
        introduction=identity.introduction(),
        python=identity.installers_python(),
    )


session = Session(_dialler)
board = progress.Board()


class _Heart:
    """What is going on at this moment: one at a time, whatever Nuke calls while it works."""

    def __init__(self) -> None:
        self.beating = False
        self.waiting = False
        self.knows_nodes = False
        self.away: set[str] = set()
        self.thread: threading.Thread | None = None
        self.nudge = threading.Event()


_heart = _Heart()


def ask(node: Any) -> Job:
    """Book what the node asks for and start pumping. Raises `Refused`."""
    job = asking.ask(session.book, node)
    write_down()
    telling.status(node, f"{job.title} is on its way.")
    keep_pumping()
    return job


def pump() -> int:
    """Do what is due. Returns the number of results that arrived; 0 at once where it is being done already."""
    if _heart.beating or nuke.executing():
        return 0
    _heart.beating = True
    try:
        for key in board.cancelled():
            cancel(session.book.get(key))
        finished = session.pump()
        _learn_nodes()
        here = [job for job in finished if job.key not in _heart.away]
        arrived = sum(_deliver(job) for job in here)
        _offer([job for job in finished if job.key in _heart.away])
        _tell()
        write_down()
    finally:
        _heart.beating = False
    return arrived


def cancel(job: Job | None) -> None:
    if job is not None and job.open and not job.cancel_asked:
        session.cancel(job)


def redial() -> None:
    """Hang up and look for the daemon again, with the environment as it is now."""
    session.hang_up()
    _heart.knows_nodes = False
    session.dial_now()
    keep_pumping()


def _deliver(job: Job, show: bool = True) -> int:
    try:
        sentence = delivering.deliver(job, show)
    except BridgeError as problem:
        session.book.close(job, FAILED, str(problem))
        _say(job, str(problem))
        return 0
    session.book.close(job, DELIVERED, sentence)
    return 1


def _offer(jobs: list[Job]) -> None:
    """What finished while the script was closed: in place if the artist says so, else to be chosen as a version."""
    if not jobs:
        return
    names = ", ".join(job.title for job in jobs)
    show = nuke.GUI and nuke.ask(f"Finished while this script was closed: {names}. Show it now?")
    for job in jobs:
        _heart.away.discard(job.key)
        _deliver(job, show)


def _tell() -> None:
    """Progress to the bars and troubles to the nodes. A job that is seen running is not finished behind one's back."""
    lines = {}
    for job in session.book:
        if job.state == RUNNING:
            lines[job.key] = progress.Line(job.title, job.stage or "working", job.progress or 0.0)
            if job.progress is not None:
                _heart.away.discard(job.key)
        if not job.open and job.message and job.state != DELIVERED:
            _say(job, job.message)
        elif job.open and session.trouble:
            _say(job, session.trouble)
    board.show(lines)


_said: dict[str, str] = {}


def _say(job: Job, sentence: str) -> None:
    """On the node, once for each sentence: setting a knob makes Nuke ask whether to save."""
    if _said.get(job.key) == sentence:
        return
    _said[job.key] = sentence
    node = marks.with_id(job.place.get("node", ""))
    if node is not None:
        telling.status(node, sentence)


def _learn_nodes() -> None:
    """Once on each line: the catalogue as this daemon has it."""
    if session.connected and not _heart.knows_nodes:
        _heart.knows_nodes = True
        session.ask("catalogue.nodes", {}, lambda reply: library.keep(reply["nodes"]))


# ---------------------------------------------------------------------- the script


def write_down() -> None:
    """Write the jobs into the script where something changed, so that saving it keeps them."""
    if session.book.take_changed():
        _write()


def _write() -> None:
    root = nuke.root()
    with no_step():
        if root.knob(marks.JOBS) is None:
            knob = nuke.String_Knob(marks.JOBS, marks.JOBS)
            knob.setFlag(nuke.INVISIBLE)
            root.addKnob(knob)
        root[marks.JOBS].setValue(session.book.as_text())


def script_opened() -> None:
    """The jobs in memory belong to the script that was open; this one brings its own."""
    session.book.forget_all()
    session.ask_again()
    session.book.adopt(nuke.root()[marks.JOBS].value() or "[]")
    _heart.away = {job.key for job in session.book if job.open}
    if _heart.away and nuke.GUI:
        keep_pumping()


def take_all() -> None:
    """The artist asked for what is finished: nothing is offered any more, all is put in place."""
    _heart.away.clear()
    keep_pumping()


def script_closed() -> None:
    session.book.forget_all()
    session.ask_again()
    board.show({})
    _heart.away.clear()


def before_saving() -> None:
    """Undo may have brought an older copy back: what is saved is what is so now."""
    if session.book:
        _write()


# ---------------------------------------------------------------------- the thread that ticks


def keep_pumping() -> None:
    """Have `pump` called soon, and then again and again. Without a window nothing ticks."""
    if not nuke.GUI:
        return
    _heart.nudge.set()
    if _heart.thread is None or not _heart.thread.is_alive():
        _heart.thread = threading.Thread(target=_tick, name="artifexpro-tick", daemon=True)
        _heart.thread.start()


def _tick() -> None:
    """Not in the main thread: it asks for one beat at a time there, and draws the bars."""
    while True:
        if not _heart.waiting:
            _heart.waiting = True
            nuke.executeInMainThread(_beat)
        board.draw()
        _heart.nudge.wait(BUSY_SECONDS if session.busy else IDLE_SECONDS)
        _heart.nudge.clear()


def _beat() -> None:
    try:
        pump()
    finally:
        _heart.waiting = False
