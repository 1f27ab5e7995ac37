"""The panel beside Resolve with an artist in front of it: what the script in Resolve starts, in place of Python.

    python driving.py SETTINGS.json -m artifexpro.hosts.resolve.beside ...

fills the form, presses Generate by the mouse, waits for the state that is asked for, closes the window. What it saw is
in the file that the settings name.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from qtpy.QtCore import Qt, QTimer
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from artifexpro.hosts.panel.wish import Wish
from artifexpro.hosts.resolve import beside, companion

PATIENCE = 200.0
READING = 1.0
"""Seconds in which nobody presses anything yet."""


class Artist:
    """One thing after the other, at each tick of Qt."""

    def __init__(self, panel: Any, settings: dict[str, Any]) -> None:
        self.panel = panel
        self.settings = settings
        self.seen: dict[str, Any] = {"title": panel.windowTitle(), "from": panel.desk.host.title}
        self._until = time.monotonic() + PATIENCE
        self._asks_at = time.monotonic() + READING
        self._asked = False
        self._timer = QTimer(panel)
        self._timer.timeout.connect(self._look)
        self._timer.start(20)

    def _look(self) -> None:
        if not self._asked:
            waiting = self.settings["daemon"] and not self.panel.form.model.count()
            if waiting or time.monotonic() < self._asks_at:
                return self._patient()
            self.panel.form.fill(Wish(**self.settings["wish"]))
            QTest.mouseClick(self.panel.generate_button, Qt.LeftButton)
            self._asked = True
        jobs = self.panel.desk.jobs()
        if self.panel.desk.notice or (jobs and jobs[0].state in (self.settings["state"], "failed")):
            self._close(jobs)
            return None
        return self._patient()

    def _patient(self) -> None:
        if time.monotonic() > self._until:
            self._close(self.panel.desk.jobs())

    def _close(self, jobs: list[Any]) -> None:
        job = jobs[0] if jobs else None
        told = {} if job is None else {"state": job.state, "message": job.message, "place": job.place}
        self.seen.update(told, jobs=len(jobs), notice=self.panel.desk.notice)
        Path(self.settings["seen"]).write_text(json.dumps(self.seen), encoding="utf-8")
        self._timer.stop()
        self.panel.close()


def main() -> int:
    settings = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    assert sys.argv[2:4] == ["-m", "artifexpro.hosts.resolve.beside"]
    from artifexpro.hosts.panel import window

    stay = window._stay

    def watched(app: QApplication, panel: Any) -> int:
        panel.show()
        panel.artist = Artist(panel, settings)
        return stay(app, panel)

    window._stay = watched
    beside.session_for = lambda home: companion.session_for(home, start=False)
    return beside.main([*sys.argv[4:], "--luts", settings["luts"]])


if __name__ == "__main__":
    sys.exit(main())
