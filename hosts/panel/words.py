# mypy: ignore-errors
"""The prompt, what a writer makes of it, and the difference shown before it is used."""

from __future__ import annotations

from html import escape

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QTextCursor
from qtpy.QtWidgets import QFrame, QHBoxLayout, QPlainTextEdit, QTextBrowser, QVBoxLayout

from . import controls

METHODS = (
    ("rules", "By rules", "At once: light, lens, camera and movement by the rules of film"),
    ("qwen", "Language model", "Writes freely; takes longer, and its weights must be here"),
)
VIEWS = (
    ("difference", "Difference", "What was added and what was taken away"),
    ("extended", "Extended", "As the model would read it"),
    ("original", "Original", "As you wrote it"),
)


MOST_LINES = 12


class Words(QPlainTextEdit):
    """Text of a few lines; Tab goes to the next field."""

    def __init__(self, name, lines, hint, parent=None):
        super().__init__(parent)
        self.setObjectName(name)
        self.setAccessibleName(name.capitalize())
        self.setPlaceholderText(hint)
        self.setTabChangesFocus(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        self.setFixedHeight(lines * self.fontMetrics().lineSpacing() + 20)

    def put(self, text):
        """Replace the text so that Ctrl+Z brings the old one back."""
        cursor = self.textCursor()
        cursor.select(QTextCursor.Document)
        cursor.insertText(text)


class ExtensionCard(QFrame):
    """Original, extended, and the difference. `asked` has the method and the seed; `used` means: take it."""

    asked = Signal(str, int)
    used = Signal()
    closed = Signal()

    def __init__(self, look, parent=None):
        super().__init__(parent)
        self.setProperty("kind", "card")
        self._look = look
        self._made = None
        self.seed = 0
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 8, 10, 10)
        column.setSpacing(8)
        column.addWidget(controls.label("Extend the prompt", "caption"))
        self.method = controls.Segments("method", METHODS)
        self.method.chosen.connect(lambda _method: self.ask(0))
        column.addWidget(self.method)
        self.view = controls.Segments("view", VIEWS)
        self.view.chosen.connect(lambda _view: self._show_text())
        column.addWidget(self.view)
        self.text = QTextBrowser()
        self.text.setObjectName("extension")
        self.text.setAccessibleName("Extended prompt")
        self.text.setTabChangesFocus(True)
        column.addWidget(self.text)
        self.said = controls.label("", "muted", wrap=True)
        column.addWidget(self.said)
        row = QHBoxLayout()
        row.setSpacing(6)
        self.use = controls.button("Use This", name="use-extension")
        self.use.clicked.connect(self.used)
        self.other = controls.button("Other Words", name="other-words", tip="Extends once more, in other words")
        self.other.clicked.connect(lambda: self.ask(self.seed + 1))
        self.keep = controls.button("Keep Mine", name="keep-mine")
        self.keep.clicked.connect(self.closed)
        for each in (self.use, self.other, self.keep):
            row.addWidget(each)
        row.addStretch(1)
        column.addLayout(row)

    def reached(self):
        """What the keyboard goes through, in order."""
        return [*self.method.buttons(), *self.view.buttons(), self.text, self.use, self.other, self.keep]

    def ask(self, seed, method=None):
        if method is not None:
            self.method.choose(method)
        self.seed = seed
        self.asked.emit(self.method.value(), seed)

    def show_state(self, made, working, trouble):
        """`made` is the daemon's answer or None, `working` whether one is awaited, `trouble` why there is none."""
        self._made = made
        self.use.setEnabled(made is not None)
        self.other.setEnabled(not working)
        self.view.setEnabled(made is not None)
        controls.restyle(self.said, kind="error" if trouble else "muted")
        if trouble:
            said = trouble
        elif made is not None:
            by = made["model"] or made["release"]
            said = " ".join([f"By {by}, seed {made['seed']}.", *made["contradictions"], *made["remarks"]])
        else:
            said = "Writing …" if working else ""
        self.said.setText(said)
        self.said.setVisible(bool(said))
        self.text.setVisible(not trouble)
        self._show_text()

    def resizeEvent(self, event):
        super().resizeEvent(event)
        self._fit_text()

    def _fit_text(self):
        """As high as the text, up to `MOST_LINES`; longer ones scroll."""
        line = self.text.fontMetrics().lineSpacing()
        wanted = self.text.document().size().height() + 14
        self.text.setFixedHeight(round(min(max(wanted, 3 * line), MOST_LINES * line)))

    def _show_text(self):
        if self._made is None:
            self.text.setPlainText("")
        elif self.view.value() == "difference":
            self.text.setHtml("".join(self._marked(kind, text) for kind, text in self._made["difference"]))
        else:
            self.text.setPlainText(self._made[self.view.value()])
        self._fit_text()

    def _marked(self, kind, text):
        said = escape(text).replace("\n", "<br>")
        if kind == "added":
            return f'<span style="background:{self._look.added}; text-decoration:underline">{said}</span>'
        if kind == "removed":
            return f'<span style="background:{self._look.removed}; text-decoration:line-through">{said}</span>'
        return said
