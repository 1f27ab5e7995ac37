# mypy: ignore-errors
"""Small widgets the rest is built of, drawn alike by every Qt and in every host."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QPointF, QSize, Qt, Signal
from qtpy.QtGui import QFontMetrics, QPainter, QPen, QPolygonF
from qtpy.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QSpinBox,
    QStyle,
    QStyleOptionButton,
)


def label(text="", kind="", *, wrap=False, parent=None):
    """A text of one kind of the style sheet: "title", "caption", "muted", "error" and so on."""
    made = QLabel(text, parent)
    made.setTextFormat(Qt.PlainText)
    made.setProperty("kind", kind)
    made.setWordWrap(wrap)
    if wrap:
        made.setSizePolicy(QSizePolicy.Preferred, QSizePolicy.Minimum)
    return made


def button(text, kind="", *, name="", tip="", parent=None):
    made = QPushButton(text, parent)
    made.setProperty("kind", kind)
    made.setObjectName(name)
    made.setToolTip(tip)
    made.setAutoDefault(False)
    if kind != "primary":
        made.setSizePolicy(QSizePolicy.Fixed, QSizePolicy.Fixed)
    return made


def restyle(widget, **properties):
    """Set properties the style sheet looks at, and have it look again."""
    changed = {name: value for name, value in properties.items() if widget.property(name) != value}
    for name, value in changed.items():
        widget.setProperty(name, value)
    if changed:
        widget.style().unpolish(widget)
        widget.style().polish(widget)


def field_height(widget):
    """The height of every field of one line, so that rows of them are even."""
    return widget.fontMetrics().height() + 15


class Column(QScrollArea):
    """Scrolls up and down only: it is never narrower than what is in it, whatever the host's font."""

    def __init__(self, inside, parent=None):
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarAlwaysOn)
        self.setWidget(inside)

    def eventFilter(self, watched, event):
        if watched is self.widget() and event.type() == QEvent.LayoutRequest:
            self.updateGeometry()
        return super().eventFilter(watched, event)

    def minimumSizeHint(self):
        wide = self.widget().minimumSizeHint().width() + self.verticalScrollBar().sizeHint().width()
        return QSize(wide, super().minimumSizeHint().height())


class Elided(QLabel):
    """One line that gives way in the middle; the whole text is its tool tip."""

    def __init__(self, text="", kind="muted", parent=None):
        super().__init__(parent)
        self.setProperty("kind", kind)
        self.setSizePolicy(QSizePolicy.Ignored, QSizePolicy.Fixed)
        self.say(text)

    def say(self, text, tip=None):
        self.setText(text)
        self.setToolTip(text if tip is None else tip)

    def minimumSizeHint(self):
        return QSize(40, super().minimumSizeHint().height())

    def paintEvent(self, _event):
        painter = QPainter(self)
        shown = self.fontMetrics().elidedText(self.text(), Qt.ElideMiddle, self.width())
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(self.rect(), int(Qt.AlignLeft | Qt.AlignVCenter), shown)


class Choice(QComboBox):
    """A list to choose from, with an arrow of its own: style sheets have none to give. The wheel scrolls the panel."""

    def __init__(self, name="", parent=None):
        super().__init__(parent)
        self.setObjectName(name)
        self.setFocusPolicy(Qt.StrongFocus)
        self.setSizePolicy(QSizePolicy.Expanding, QSizePolicy.Fixed)
        self.setSizeAdjustPolicy(QComboBox.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(8)
        self.setFixedHeight(field_height(self))

    def wheelEvent(self, event):
        event.ignore()

    def paintEvent(self, event):
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.Antialiasing)
        painter.setPen(QPen(self.palette().color(self.foregroundRole()), 1.5))
        x, y = self.width() - 16.0, self.height() / 2.0
        painter.drawPolyline(QPolygonF([QPointF(x - 4, y - 2), QPointF(x, y + 2), QPointF(x + 4, y - 2)]))


class Number(QSpinBox):
    """A number to type; the arrow keys step it. The wheel scrolls the panel."""

    def __init__(self, name, lowest, highest, step=1, parent=None):
        super().__init__(parent)
        self.setObjectName(name)
        self.setRange(lowest, highest)
        self.setSingleStep(step)
        self.setFocusPolicy(Qt.StrongFocus)
        self.setSizePolicy(QSizePolicy.Expanding, QSizePolicy.Fixed)
        self.setFixedHeight(field_height(self))
        self.lineEdit().setTextMargins(7, 0, 7, 0)

    def wheelEvent(self, event):
        event.ignore()


class Tick(QCheckBox):
    """A check box whose mark is drawn, not a picture file."""

    def __init__(self, text, name="", parent=None):
        super().__init__(text, parent)
        self.setObjectName(name)

    def paintEvent(self, event):
        super().paintEvent(event)
        if not self.isChecked():
            return
        option = QStyleOptionButton()
        self.initStyleOption(option)
        box = self.style().subElementRect(QStyle.SE_CheckBoxIndicator, option, self)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.Antialiasing)
        painter.setPen(QPen(self.palette().base().color(), 2))
        x, y = box.center().x() + 0.5, box.center().y() + 0.5
        painter.drawPolyline(QPolygonF([QPointF(x - 4, y), QPointF(x - 1, y + 3), QPointF(x + 4.5, y - 3.5)]))


class Segments(QFrame):
    """A few words of which one is chosen; Tab goes to it, the arrow keys choose."""

    chosen = Signal(str)

    def __init__(self, name, choices, parent=None):
        """`choices` are (value, word, tool tip)."""
        super().__init__(parent)
        self.setObjectName(name)
        self.setProperty("kind", "segments")
        self._group = QButtonGroup(self)
        self._group.setExclusive(True)
        self._buttons = {}
        row = QHBoxLayout(self)
        row.setContentsMargins(2, 2, 2, 2)
        row.setSpacing(2)
        for value, word, tip in choices:
            each = button(word, "segment", name=f"{name}-{value or 'none'}", tip=tip)
            each.setCheckable(True)
            each.setSizePolicy(QSizePolicy.Expanding, QSizePolicy.Fixed)
            bold = each.font()
            bold.setBold(True)
            each.setMinimumWidth(QFontMetrics(bold).horizontalAdvance(word) + 14)
            each.clicked.connect(lambda _checked=False, value=value: self.chosen.emit(value))
            self._group.addButton(each)
            self._buttons[value] = each
            row.addWidget(each)
        next(iter(self._buttons.values())).setChecked(True)

    def value(self):
        return next(value for value, each in self._buttons.items() if each.isChecked())

    def buttons(self):
        return list(self._buttons.values())

    def choose(self, value):
        """Choose without telling anybody. KeyError where there is no such choice."""
        self._buttons[value].setChecked(True)
