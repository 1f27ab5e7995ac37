# mypy: ignore-errors
"""The clips on their way: a row each, with progress, the picture so far, and what can be done with it."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QVBoxLayout, QWidget

from ..bridge.jobs import CANCELLED, DELIVERED, FAILED, FINISHED, QUEUED, RUNNING, WAITING
from . import controls, pictures, results

STATES = {
    WAITING: "Waiting for the daemon",
    QUEUED: "In the queue",
    RUNNING: "Running",
    FINISHED: "Arriving",
    DELIVERED: "Done",
    FAILED: "Failed",
    CANCELLED: "Cancelled",
}
_KINDS = {FAILED: "error", DELIVERED: "good"}
THUMB = (104, 59)


class Row(QFrame):
    """One job. `act` has the job's key and what is asked: cancel, deliver, dismiss, reveal, again, vary."""

    act = Signal(str, str)

    def __init__(self, job, loader, parent=None):
        super().__init__(parent)
        self.setProperty("kind", "card")
        self.key = job.key
        self._loader = loader
        self._poster = ""
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 10, 10, 7)
        row.setSpacing(12)
        self.picture = QLabel()
        self.picture.setProperty("kind", "picture")
        self.picture.setFixedSize(*THUMB)
        row.addWidget(self.picture, 0, Qt.AlignTop)
        column = QVBoxLayout()
        column.setSpacing(4)
        self.title = controls.label(job.title, "caption", wrap=True)
        self.state = controls.label("", "muted", wrap=True)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setRange(0, 1000)
        self.message = controls.label("", "", wrap=True)
        column.addWidget(self.title)
        column.addWidget(self.state)
        column.addWidget(self.bar)
        column.addWidget(self.message)
        column.addLayout(self._buttons())
        self.notes = controls.label("", "muted", wrap=True)
        self.notes.hide()
        column.addWidget(self.notes)
        column.addStretch(1)
        row.addLayout(column, 1)
        loader.loaded.connect(self._loaded)

    def _buttons(self):
        self.buttons = {}
        line = QHBoxLayout()
        line.setSpacing(14)
        line.setContentsMargins(0, 2, 0, 0)
        for name, word, tip in (
            ("cancel", "Cancel", "Stops it before its next step"),
            ("deliver", "Put in Place", "Tries once more to put the finished clip where it belongs"),
            ("dismiss", "Dismiss", "Waits no longer for its place; its files stay where they are"),
            ("reveal", "Reveal", "Shows the clip's files"),
            ("again", "Again", "Makes the same clip once more"),
            ("vary", "Vary Seed", "The same with another seed"),
            ("notes", "Notes", "What was said while the clip was made"),
        ):
            each = controls.button(word, "link", name=f"{name}-{self.key}", tip=tip)
            if name == "notes":
                each.clicked.connect(lambda: self.notes.setVisible(not self.notes.isVisible()))
            else:
                each.clicked.connect(lambda _checked=False, name=name: self.act.emit(self.key, name))
            self.buttons[name] = each
            line.addWidget(each)
        line.addStretch(1)
        return line

    def show_job(self, job, waits):
        """`waits`: the host refused to take the finished clip."""
        self.state.setText(_state(job, waits))
        controls.restyle(self.state, kind="warning" if waits else _KINDS.get(job.state, "muted"))
        self.bar.setVisible(job.state == RUNNING)
        self.bar.setValue(round(1000 * (job.progress or 0.0)))
        self.message.setText(_breakable(job.message))
        self.message.setVisible(bool(job.message))
        self.notes.setText(_breakable("\n".join(job.notes)))
        controls.restyle(self.message, kind="error" if job.state == FAILED else "muted")
        over = not job.open
        shown = {
            "cancel": job.open and job.state != FINISHED and not job.cancel_asked,
            "deliver": waits,
            "dismiss": waits,
            "reveal": job.result is not None,
            "again": over,
            "vary": over,
            "notes": bool(job.notes),
        }
        focused = any(each.hasFocus() for each in self.buttons.values())
        for name, each in self.buttons.items():
            each.setVisible(shown[name])
        if focused and not any(each.hasFocus() for each in self.buttons.values()):
            next((each for name, each in self.buttons.items() if shown[name]), self).setFocus()
        self._poster = results.poster(job.result) or ""
        if self._poster:
            self._loaded(self._poster)

    def show_preview(self, image):
        self.picture.setPixmap(pictures.fitted(image, *THUMB, self.devicePixelRatioF()))

    def _loaded(self, path):
        if path == self._poster:
            image = self._loader.get(path)
            if image is not None:
                self.show_preview(image)


class QueueView(QWidget):
    """All rows, the newest first. Rows stay the same widgets, so that the keyboard stays where it was."""

    act = Signal(str, str)
    clear = Signal()

    def __init__(self, loader, parent=None):
        super().__init__(parent)
        self._loader = loader
        self._rows = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 12, 10, 12)
        column.setSpacing(8)
        inside = QWidget()
        self._column = QVBoxLayout(inside)
        self._column.setContentsMargins(0, 0, 4, 0)
        self._column.setSpacing(8)
        self._empty = controls.label("Nothing here yet. Write a prompt and press Generate.", "muted", wrap=True)
        self._empty.setAlignment(Qt.AlignHCenter | Qt.AlignTop)
        self._column.addWidget(self._empty)
        self._column.addStretch(1)
        self.scroll = controls.Column(inside)
        self.scroll.setVerticalScrollBarPolicy(Qt.ScrollBarAsNeeded)
        column.addWidget(self.scroll, 1)
        self.clear_button = controls.button("Clear What Is Done", "link", name="clear", tip="The history keeps it")
        self.clear_button.clicked.connect(self.clear)
        below = QHBoxLayout()
        below.setContentsMargins(0, 0, 4, 0)
        below.addStretch(1)
        below.addWidget(self.clear_button)
        column.addLayout(below)

    def row(self, key):
        return self._rows.get(key)

    def show_jobs(self, jobs, waits):
        """`jobs` newest first; `waits(job)` says whether the host refused its clip."""
        keys = {job.key for job in jobs}
        for key in [key for key in self._rows if key not in keys]:
            gone = self._rows.pop(key)
            self._column.removeWidget(gone)
            gone.hide()
            gone.deleteLater()
        for job in reversed(jobs):
            if job.key not in self._rows:
                row = self._rows[job.key] = Row(job, self._loader)
                row.act.connect(self.act)
                self._column.insertWidget(0, row)
            self._rows[job.key].show_job(job, waits(job))
        self._empty.setVisible(not jobs)
        self.clear_button.setVisible(any(not job.open for job in jobs))


def _state(job, waits):
    if waits:
        return "Finished, and waits for its place"
    if job.open and job.cancel_asked:
        return "Stops before its next step"
    if job.state == RUNNING and job.progress is not None:
        return f"{job.stage.capitalize()} · {job.progress:.0%}"
    return STATES[job.state]


def _breakable(text):
    """Paths may break after a slash: a label breaks only between words."""
    return text.replace("/", "/\u200b").replace("\\", "\\\u200b")
