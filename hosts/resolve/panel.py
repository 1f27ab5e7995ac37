"""Resolve as the panel's host: a window beside it, the same for both ways in."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

from ..bridge.errors import BridgeError
from ..bridge.jobs import Job
from . import delivering
from .asking import HOST
from .edit import Edit, edit_of
from .hands import Hands
from .placing import Span, free_place


class InResolve:
    """What `hosts.panel.host.Host` asks for. `home` is a folder of ours for stills; `luts` Resolve's master folder."""

    title = "Resolve"

    def __init__(self, hands: Hands, home: Path, luts: Path) -> None:
        self._hands = hands
        self._home = home
        self._luts = luts

    def place(self) -> dict[str, Any]:
        """The playhead, on the lowest track that is free there now. The length is not known yet: a clip that is longer
        than what is free comes to the next track above."""
        edit = edit_of(self._hands.do("look"))
        span = free_place(Span(1, edit.playhead, edit.playhead + 1), edit.taken, edit.closed, edit.tracks)
        target = {"host": HOST, "document": edit.timeline_name, "channel": span.track, "frame": span.start}
        return {
            **edit.names,
            "kind": "clip",
            "rate": str(edit.rate),
            "drop": edit.drop,
            "timeline_start": edit.start,
            "track": span.track,
            "record": span.start,
            "length": span.length,
            "first": 0,
            "pictures": None,
            "chosen": False,
            "gap": False,
            "target": target,
        }

    def picture(self) -> str | None:
        """The picture under the playhead; None where no clip is there."""
        edit: Edit = edit_of(self._hands.do("look"))
        if edit.current is None:
            return None
        folder = self._home / "stills"
        folder.mkdir(parents=True, exist_ok=True)
        path = str(folder / f"{uuid.uuid4().hex[:12]}.png")
        self._hands.do("still", path=path, **edit.names)
        return path

    def deliver(self, job: Job) -> str:
        """Onto the timeline, once; a sentence. Raises `BridgeError`: the result then waits."""
        return delivering.deliver(self._hands, job, [], self._luts)

    def reveal(self, job: Job) -> None:
        """The playhead to the clip. Raises `BridgeError` where it is not on the open timeline."""
        names = {name: job.place[name] for name in ("project", "project_name", "timeline", "timeline_name")}
        there = self._hands.do("find", mark=delivering.mark_of(job.job), **names) if job.job else {}
        if not there:
            raise BridgeError(
                f"show {job.title}", "it is not on the timeline", "Again, which makes it once more", code="no-item"
            )
        edit = edit_of(self._hands.do("look"))
        self._hands.do("seek", timecode=edit.timecode(there["start"]), **names)
