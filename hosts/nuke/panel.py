"""What Nuke gives to the panel: where a clip goes, the picture that is looked at, and a Read for what is finished.

Nothing here needs Qt but `widget`, which Nuke calls when the panel is opened.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nuke

from ..bridge.errors import BridgeError
from ..bridge.jobs import Job
from . import buttons, identity, plates, rates, spaces
from .delivering import frames_of
from .telling import Refused
from .undoing import one_step

TITLE = "ArtifexPro"
PANEL = "com.artifexpro.panel"
JOB, RECIPE = "artifexpro_job", "artifexpro_recipe"
WRITTEN = "ACEScg"
"""The space of the panel's EXR frames."""
AP1_TO_REC709 = (
    (1.7050509, -0.6217921, -0.0832588),
    (-0.1302564, 1.1408048, -0.0105483),
    (-0.0240034, -0.1289690, 1.1529724),
)
"""ACEScg to linear Rec.709 by Bradford, as OpenColorIO's built-in configs convert; a test compares."""
_GAP = 60


class NukeHost:
    """`panel.host.Host` over the open script. All of it is called in Nuke's main thread."""

    title = "Nuke"

    def place(self) -> dict[str, Any]:
        """Below the selected node, else in the middle of what is seen; the files beside the script."""
        script = nuke.root()["name"].value()
        if not script:
            raise Refused(
                "make a clip", "the script was never saved, and clips lie beside it", "saving the script first"
            )
        chosen = nuke.selectedNodes()
        x, y = (chosen[0].xpos(), chosen[0].ypos() + 2 * _GAP) if chosen else (0, 0)
        frame = int(nuke.frame())
        return {
            "output": str(Path(script).absolute().parent / "artifexpro" / "panel"),
            "frames": True,
            "target": {"host": "nuke", "document": script, "frame": frame},
            "script": script,
            "at": [x, y],
            "frame": frame,
            "rate": rates.text(rates.exact(float(nuke.root()["fps"].value()))),
        }

    def picture(self) -> str | None:
        """The picture the selected node shows at this frame, as an EXR; None where nothing is selected."""
        chosen = nuke.selectedNodes()
        script = nuke.root()["name"].value()
        if not chosen or not script:
            return None
        node, frame = chosen[0], int(nuke.frame())
        space = spaces.between(_colorspace_knob())
        folder = Path(script).absolute().parent / "artifexpro" / "plates"
        alpha = "rgba.alpha" in node.channels()
        return plates.rendered(node, range(frame, frame + 1), folder, space, alpha) % frame

    def deliver(self, job: Job) -> str:
        """A Read at the frozen place, beginning at the frame that was shown then. The second time it is found there."""
        open_now = nuke.root()["name"].value()
        if job.place["script"] != open_now:
            raise Refused(
                f"put {job.title} into the script",
                f"it was asked for in {job.place['script']}, and {open_now or 'another script'} is open",
                f"opening {job.place['script']}",
            )
        there = _with_job(job.job)
        if there is not None:
            return f"{there.name()} has it already."
        made = frames_of(job)
        with one_step(f"ArtifexPro {job.title}"), nuke.root():
            read = _read(job, made)
        remarks = " ".join(job.notes)
        return f"{read.name()} has frames {made['frames']['first']} to {made['frames']['last']}. {remarks}".strip()

    def reveal(self, job: Job) -> None:
        buttons.show_folder(Path(frames_of(job)["path"]).parent)


def _read(job: Job, made: dict[str, Any]) -> Any:
    first, last = made["frames"]["first"], made["frames"]["last"]
    read = nuke.nodes.Read(file=Path(made["path"]).as_posix(), first=first, last=last, origfirst=first, origlast=last)
    read["origset"].setValue(True)
    read["premultiplied"].setValue(True)
    read["frame_mode"].setValue("start at")
    read["frame"].setValue(str(job.place["frame"]))
    read["label"].setValue(job.title)
    read.setXYpos(*job.place["at"])
    _into_the_working_space(read)
    for name, value in ((JOB, job.job), (RECIPE, json.dumps((job.result or {}).get("recipe", {})))):
        knob = nuke.String_Knob(name, name)
        knob.setFlag(nuke.INVISIBLE)
        read.addKnob(knob)
        knob.setValue(value)
    return read


def _into_the_working_space(read: Any) -> None:
    """By the project's config; under Nuke's own management, which knows no ACES, by a matrix behind the Read."""
    space = spaces.between(read["colorspace"])
    if space.daemons == WRITTEN:
        read["colorspace"].setValue(space.nukes)
        return
    if space.nukes != spaces.NUKES_LINEAR:
        raise Refused(
            "put the clip into the script",
            f"it is in {WRITTEN}, which the project's OpenColorIO config {spaces.config_name()} does not have",
            "a config that has it, such as those that come with Nuke",
        )
    read["colorspace"].setValue(spaces.NUKES_LINEAR)
    matrix = nuke.nodes.ColorMatrix(inputs=[read])
    matrix["matrix"].setValue([value for row in AP1_TO_REC709 for value in row])
    matrix["label"].setValue("ACEScg to linear Rec.709")
    matrix.setXYpos(read.xpos(), read.ypos() + _GAP)


def _with_job(job: str) -> Any | None:
    reads = nuke.allNodes("Read", nuke.root(), recurseGroups=True)
    return next((read for read in reads if read.knob(JOB) is not None and read[JOB].value() == job), None)


def _colorspace_knob() -> Any:
    """The pulldown of any Read: what it offers is the project's."""
    there = nuke.allNodes("Read", nuke.root(), recurseGroups=True)
    if there:
        return there[0]["colorspace"]
    raise BridgeError(
        "take the picture that is seen", "the script has no Read, whose colour spaces are the project's", "a Read first"
    )


def widget() -> Any:
    """The panel as Nuke docks it."""
    from ..panel import desk, keeping, panel, window

    host = NukeHost()
    introduction = {**identity.introduction(), "name": "ArtifexPro panel in Nuke"}
    session = window.session_for(introduction, python=identity.installers_python())
    return panel.Panel(desk.Desk(host, session, introduction, keeping.Keeping(keeping.usual_folder(), host.title)))
