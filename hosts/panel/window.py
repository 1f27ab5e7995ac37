# mypy: ignore-errors
"""The panel in a window of its own, and what it needs to run: `artifexpro panel`."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QApplication, QFileDialog, QHBoxLayout, QStyleFactory, QVBoxLayout, QWidget

from ..bridge.line import dial
from ..bridge.session import Session
from . import controls, keeping, theme
from .alone import Alone, usual_folder
from .desk import Desk
from .panel import Panel

USUAL_SIZE = (1040, 900)


def session_for(introduction, home=None, endpoint=None, start=True, python=None):
    """A session that dials the daemon of `home`, or the usual one. `python` has the daemon and may start it."""
    return Session(lambda: partial(dial, home, endpoint, start, introduction=introduction, python=python))


class Window(QWidget):
    """The panel over a folder that can be changed at its foot."""

    def __init__(self, work, look=None):
        super().__init__()
        self.setWindowTitle("ArtifexPro")
        self.panel = Panel(work, look)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.panel, 1)
        foot = QWidget()
        foot.setObjectName(theme.ROOT)
        foot.setAttribute(Qt.WA_StyledBackground, True)
        foot.setStyleSheet(
            f"{self.panel.styleSheet()} #{theme.ROOT} {{ border-top: 1px solid {self.panel.look.edge}; }}"
        )
        row = QHBoxLayout(foot)
        row.setContentsMargins(14, 6, 14, 7)
        row.setSpacing(6)
        row.addWidget(controls.label("Clips go to", "muted"))
        self.folder = controls.Elided(str(work.host.folder), "")
        row.addWidget(self.folder, 1)
        self.change = controls.button("Change…", "link", name="folder")
        self.change.clicked.connect(self.choose_folder)
        row.addWidget(self.change)
        column.addWidget(foot)
        self.resize(*USUAL_SIZE)

    def choose_folder(self):
        host = self.panel.desk.host
        chosen = QFileDialog.getExistingDirectory(self, "Clips go to", str(host.folder))
        if chosen:
            host.folder = Path(chosen)
            self.folder.say(chosen)

    def closeEvent(self, event):
        self.panel.shut()
        super().closeEvent(event)


def run(folder: Path | None, version: str) -> int:
    """Open the window and stay until it is closed; the program's exit status."""
    app = _application()
    introduction = {"name": "ArtifexPro panel", "version": version, "host": "panel"}
    host = Alone(folder or usual_folder())
    work = Desk(host, session_for(introduction), introduction, keeping.Keeping(keeping.usual_folder(), host.title))
    return _stay(app, Window(work))


def run_beside(work, each_second) -> int:
    """The panel beside a program that has no Qt, until it is closed. `each_second` is called so often."""
    app = _application()
    beside = Panel(work)
    beside.setWindowTitle(f"ArtifexPro in {work.host.title}")
    beside.resize(*USUAL_SIZE)
    beating = QTimer(beside)
    beating.timeout.connect(each_second)
    beating.start(1000)
    return _stay(app, beside)


def _application():
    app = QApplication.instance() or QApplication(sys.argv[:1])
    app.setApplicationName("ArtifexPro")
    app.setStyle(QStyleFactory.create("Fusion"))
    return app


def _stay(app, widget) -> int:
    widget.show()
    return int(app.exec_() if hasattr(app, "exec_") else app.exec())
