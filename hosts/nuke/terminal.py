"""For scripts run by `nuke -t`: generate and wait. No dialog, no thread; what fails is raised."""

from __future__ import annotations

import time
from typing import Any

import nuke

from . import marks, pumping
from .telling import Refused

PUMP_SECONDS = 0.1
"""Between two looks at the daemon."""


def generate(node: Any, timeout: float | None = None) -> str:
    """Make what the node asks for and put it in place; prints its progress. Returns the sentence of its arrival.

    Raises `Refused` with the daemon's own sentence where it fails, and where `timeout` seconds are over (the job goes
    on and can be taken later).
    """
    job = pumping.ask(node)
    return wait(job, timeout)


def take(timeout: float | None = None) -> list[str]:
    """Wait for all jobs that the open script was saved with, and put their results in place."""
    if nuke.root().knob(marks.JOBS) is None:
        return []
    pumping.script_opened()
    pumping.take_all()
    return [wait(job, timeout) for job in pumping.session.book if job.open]


def wait(job: Any, timeout: float | None = None) -> str:
    until = None if timeout is None else time.monotonic() + timeout
    told = ""
    while job.open:
        pumping.pump()
        line = f"{job.title}: {job.state} {job.stage} {int(100 * (job.progress or 0))} %".replace("  ", " ")
        if line != told:
            nuke.tprint(line)
            told = line
        if until is not None and time.monotonic() > until:
            trouble = pumping.session.trouble
            raise Refused(
                f"wait for {job.title}", trouble or f"it is not done after {timeout:g} seconds", "terminal.take() later"
            )
        time.sleep(PUMP_SECONDS)
    if job.state != "delivered":
        raise RuntimeError(job.message)
    return str(job.message)
