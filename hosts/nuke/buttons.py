"""What the buttons of a node do. Each refuses with a sentence; none waits for the daemon."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from ..bridge.errors import BridgeError
from . import delivering, marks, pumping, tasks, telling
from .telling import Refused


def generate(node: Any) -> None:
    """Send what the node asks for."""
    try:
        pumping.ask(node)
    except BridgeError as refusal:
        telling.status(node, str(refusal))
        telling.message(str(refusal))


def cancel(node: Any) -> None:
    """Stop the jobs of this node."""
    mark = node[marks.ID].value()
    stopped = [job for job in pumping.session.book if job.open and job.place.get("node") == mark]
    for job in stopped:
        pumping.cancel(job)
    telling.status(
        node, f"Cancelling {', '.join(job.title for job in stopped)}." if stopped else "Nothing is on its way."
    )
    pumping.keep_pumping()


def reveal(node: Any) -> None:
    """Show the folder of the version in the system's file browser."""
    shown = node[marks.VERSION].value()
    entry = next((each for each in marks.versions(node) if marks.label(each) == shown), None)
    folder = None if entry is None else Path(entry["file"]).parent
    if folder is None or not folder.is_dir():
        because = "it has no version yet" if folder is None else f"{folder} is not there any more"
        telling.message(str(Refused(f"show the files of {node.name()}", because, "Generate")))
        return
    show_folder(folder)


def show_folder(folder: Path) -> None:
    openers = {"win32": ["explorer"], "darwin": ["open"]}
    subprocess.Popen([*openers.get(sys.platform, ["xdg-open"]), str(folder)])


def changed(node: Any, knob: Any) -> None:
    """A knob of one of our nodes was moved."""
    if knob.name() == marks.VERSION:
        if knob.value() == delivering.shown(node):
            return
        try:
            delivering.choose(node, knob.value())
        except BridgeError as refusal:
            node[marks.VERSION].setValue(delivering.shown(node) or node[marks.VERSION].values()[0])
            telling.status(node, str(refusal))
            telling.message(str(refusal))
    elif knob.name() == marks.TASK:
        own = {each["name"] for each in tasks.of(node).entry["parameters"]}
        every = {each["name"] for told in marks.kinds(node).values() for each in told["entry"]["parameters"]}
        for name in every:
            if node.knob(name) is not None:
                node[name].setEnabled(name in own)


def take_results() -> None:
    """Look for what the daemon has for this script: menu ArtifexPro > Take Results."""
    pumping.take_all()
    pumping.redial()


def connect() -> None:
    """Look for the daemon now: menu ArtifexPro > Connect."""
    pumping.redial()
