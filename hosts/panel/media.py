# mypy: ignore-errors
"""A field for one file: dropped on it, browsed for, pasted, or offered by the host."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QGuiApplication, QKeySequence
from qtpy.QtWidgets import QFileDialog, QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from ..bridge.errors import BridgeError
from . import controls, pictures
from .choices import ENDINGS

_WORDS = {"picture": "picture", "clip": "clip or picture", "mask": "black and white picture or clip", "sound": "sound"}
THUMB = (72, 41)


class MediaField(QWidget):
    """`medium` says which file; `offer` is the host's own picture, where it may have one, under `host`'s name."""

    changed = Signal()

    def __init__(self, medium, loader, host="", offer=None, parent=None):
        super().__init__(parent)
        self.medium = medium
        self.path = ""
        self._loader = loader
        self._offer = offer
        self._layout(host)
        loader.loaded.connect(self._picture_came)
        self._show()

    def _layout(self, host):
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        head = QHBoxLayout()
        head.setSpacing(14)
        self._caption = controls.label(self.medium.label, "caption", wrap=True)
        head.addWidget(self._caption, 1)
        name = self.medium.socket
        if self._offer is not None:
            self.from_host = controls.button(f"From {host}", "link", name=f"{name}-host")
            self.from_host.clicked.connect(self.take_from_host)
            head.addWidget(self.from_host)
        self.browse_button = controls.button("Browse…", "link", name=f"{name}-browse")
        self.browse_button.clicked.connect(self.browse)
        self.clear_button = controls.button("Remove", "link", name=f"{name}-clear")
        self.clear_button.clicked.connect(lambda: self.choose(""))
        head.addWidget(self.browse_button)
        head.addWidget(self.clear_button)
        column.addLayout(head)
        self.zone = _Zone(self)
        self.zone.setObjectName(f"{name}-drop")
        self.zone.setAccessibleName(self.medium.label)
        column.addWidget(self.zone)
        self.trouble = controls.label("", "error", wrap=True)
        column.addWidget(self.trouble)

    def choose(self, path):
        """Take a file, or none for an empty path; what is no file of this kind is refused in the field."""
        refusal = self._refusal(path) if path else ""
        if not refusal:
            self.path = path
            if path:
                self._loader.forget(path)
        self._show(refusal)
        self.changed.emit()

    def _refusal(self, path):
        endings = ENDINGS[self.medium.kind]
        name = Path(path).name
        if not ("%" in name or "#" in name) and not Path(path).is_file():
            return f"{name} is not there, or is no file. Choose another one."
        if Path(path).suffix.lower() not in endings:
            return f"{name} is no {_WORDS[self.medium.kind]}. Choose a file that ends in {', '.join(endings)}."
        return ""

    def browse(self):
        wanted = " ".join(f"*{ending}" for ending in ENDINGS[self.medium.kind])
        start = str(Path(self.path).parent) if self.path else ""
        path, _ = QFileDialog.getOpenFileName(self, self.medium.label, start, f"{self.medium.label} ({wanted})")
        if path:
            self.choose(path)

    def take_from_host(self):
        try:
            path = self._offer()
        except BridgeError as refusal:
            self._show(refusal.sentence())
            return
        if path is None:
            self._show("There is no picture to take at the moment: select or open one, then try again.")
        else:
            self.choose(path)

    def _show(self, refusal=""):
        self.trouble.setText(refusal)
        self.trouble.setVisible(bool(refusal))
        had_focus = self.clear_button.hasFocus()
        self.clear_button.setVisible(bool(self.path))
        if had_focus and not self.path:
            self.browse_button.setFocus()
        optional = "" if self.medium.needed else ", if you like"
        hint = self.medium.hint or f"Drop a {_WORDS[self.medium.kind]} here{optional}"
        self.zone.show_file(Path(self.path).name if self.path else hint, self.path)
        if self.path and self.medium.kind != "sound":
            self._picture_came(self.path)

    def _picture_came(self, path):
        if path == self.path:
            image = self._loader.get(path)
            if image is not None:
                self.zone.show_picture(image)


class _Zone(QFrame):
    """Where files are dropped. Enter or Space browses, Delete removes, Ctrl+V takes a copied file."""

    def __init__(self, field):
        super().__init__(field)
        self._field = field
        self.setProperty("kind", "drop")
        self.setProperty("filled", "false")
        self.setProperty("over", "false")
        self.setAcceptDrops(True)
        self.setFocusPolicy(Qt.StrongFocus)
        self.setCursor(Qt.PointingHandCursor)
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 7, 8, 7)
        row.setSpacing(10)
        self._picture = QLabel()
        self._picture.setProperty("kind", "picture")
        self._picture.setFixedSize(*THUMB)
        self._picture.hide()
        self._name = controls.Elided()
        self._name.setMinimumHeight(24)
        row.addWidget(self._picture)
        row.addWidget(self._name, 1)

    def show_file(self, words, path):
        self._name.say(words, path or words)
        controls.restyle(self, filled="true" if path else "false")
        controls.restyle(self._name, kind="" if path else "muted")
        self._picture.hide()

    def show_picture(self, image):
        self._picture.setPixmap(pictures.fitted(image, *THUMB, self.devicePixelRatioF()))
        self._picture.show()

    def mousePressEvent(self, _event):
        self._field.browse()

    def keyPressEvent(self, event):
        if event.key() in (Qt.Key_Return, Qt.Key_Enter, Qt.Key_Space) and not event.modifiers():
            self._field.browse()
        elif event.key() in (Qt.Key_Delete, Qt.Key_Backspace) and self._field.path:
            self._field.choose("")
        elif event.matches(QKeySequence.Paste):
            self._take(QGuiApplication.clipboard().mimeData())
        else:
            super().keyPressEvent(event)

    def dragEnterEvent(self, event):
        if _paths(event.mimeData()):
            controls.restyle(self, over="true")
            event.acceptProposedAction()

    def dragLeaveEvent(self, _event):
        controls.restyle(self, over="false")

    def dropEvent(self, event):
        controls.restyle(self, over="false")
        self._take(event.mimeData())
        event.acceptProposedAction()

    def _take(self, data):
        paths = _paths(data)
        if len(paths) == 1:
            self._field.choose(paths[0])
        elif paths:
            self._field._show(f"This field takes one file, and {len(paths)} were dropped. Drop one of them.")


def _paths(data):
    """Files on the clipboard or under the mouse: URLs, or a whole path as text."""
    if data.hasUrls():
        return [url.toLocalFile() for url in data.urls() if url.isLocalFile()]
    text = data.text().strip() if data.hasText() else ""
    return [text] if text and "\n" not in text and Path(text).is_absolute() else []
