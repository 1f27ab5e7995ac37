# mypy: ignore-errors
"""The history: a list with search, and what can be done with the clip that is chosen."""

from __future__ import annotations

import time

from qtpy.QtCore import QAbstractListModel, QRect, QSize, Qt, Signal
from qtpy.QtGui import QColor, QFont, QFontMetrics, QPainter
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QLineEdit,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QVBoxLayout,
    QWidget,
)

from . import controls, history, pictures, results, wish

THUMB = (96, 55)
PAD = 10
LINES = 2
"""So many lines a title, and what is said below it, may take; in a narrow panel they need them."""


class Views(QAbstractListModel):
    """The daemon's jobs for a list."""

    def __init__(self, loader, parent=None):
        super().__init__(parent)
        self._views = []
        self._loader = loader
        loader.loaded.connect(self._loaded)

    def set_views(self, views):
        if [view["job"] for view in views] == [view["job"] for view in self._views]:
            self._views = views
            if views:
                self.dataChanged.emit(self.index(0), self.index(len(views) - 1))
            return
        self.beginResetModel()
        self._views = views
        self.endResetModel()

    def view(self, index):
        return self._views[index.row()] if index.isValid() and index.row() < len(self._views) else None

    def row_of(self, job):
        return next((row for row, view in enumerate(self._views) if view["job"] == job), -1)

    def rowCount(self, _parent=None):
        return len(self._views)

    def data(self, index, role=Qt.DisplayRole):
        view = self.view(index)
        if view is None:
            return None
        if role in (Qt.DisplayRole, Qt.AccessibleTextRole):
            return wish.title_of(view["title"] or view["job"])
        if role == Qt.ToolTipRole:
            return view["title"]
        if role == Qt.UserRole:
            return history.about(view, time.time())
        if role == Qt.DecorationRole:
            path = results.poster(view.get("result"))
            return None if path is None else self._loader.get(path)
        return None

    def _loaded(self, path):
        for row, view in enumerate(self._views):
            if results.poster(view.get("result")) == path:
                self.dataChanged.emit(self.index(row), self.index(row))


class Drawing(QStyledItemDelegate):
    """A row: the poster, the title, one line on it."""

    def __init__(self, look, parent=None):
        super().__init__(parent)
        self._look = look

    def sizeHint(self, option, _index):
        return QSize(200, max(THUMB[1], 2 * LINES * option.fontMetrics.lineSpacing() + 4) + 2 * PAD - 4)

    def paint(self, painter, option, index):
        look, room = self._look, option.rect.adjusted(PAD, PAD - 2, -PAD, -PAD + 2)
        chosen = bool(option.state & QStyle.State_Selected)
        painter.save()
        painter.setRenderHint(QPainter.Antialiasing)
        if chosen:
            painter.setPen(QColor(look.accent) if option.state & QStyle.State_HasFocus else QColor(look.edge))
            painter.setBrush(QColor(look.raised))
            painter.drawRoundedRect(option.rect.adjusted(3, 2, -3, -2), 5, 5)
        thumb = QRect(room.left(), room.center().y() - THUMB[1] // 2, *THUMB)
        image = index.data(Qt.DecorationRole)
        if image is None:
            painter.setPen(Qt.NoPen)
            painter.setBrush(QColor(look.edge if chosen else look.raised))
            painter.drawRoundedRect(thumb, 4, 4)
        else:
            ratio = painter.device().devicePixelRatioF()
            painter.drawPixmap(thumb.topLeft(), pictures.fitted(image, *THUMB, ratio))
        self._text(painter, option.font, room.adjusted(THUMB[0] + 12, 0, 0, 0), index)
        painter.restore()

    def _text(self, painter, font, room, index):
        """The title and the line below it, in as many lines as they need, in the middle of the row's height."""
        bold, plain = QFont(font), QFont(font)
        bold.setBold(True)
        lines = [(bold, self._look.text, line) for line in wrapped(index.data(), QFontMetrics(bold), room.width())]
        about = wrapped(index.data(Qt.UserRole), QFontMetrics(plain), room.width())
        lines += [(plain, self._look.muted, line) for line in about]
        height = QFontMetrics(plain).lineSpacing()
        top = room.center().y() - (height * len(lines) + 3) // 2
        for number, (used, color, line) in enumerate(lines):
            painter.setFont(used)
            painter.setPen(QColor(color))
            below = 3 if used is plain else 0
            place = QRect(room.left(), top + number * height + below, room.width(), height)
            painter.drawText(place, int(Qt.AlignLeft | Qt.AlignVCenter), line)


def wrapped(text, metrics, width):
    """`text` in at most `LINES` lines of `width` pixels, broken between words; what is too long ends in an ellipsis."""
    lines, words = [], text.split(" ")
    while words and len(lines) < LINES - 1:
        count = 1
        while count < len(words) and metrics.horizontalAdvance(" ".join(words[: count + 1])) <= width:
            count += 1
        lines.append(" ".join(words[:count]))
        words = words[count:]
    lines += [" ".join(words)] if words else []
    fits = [metrics.horizontalAdvance(line) <= width for line in lines]
    return [line if whole else metrics.elidedText(line, Qt.ElideRight, width) for line, whole in zip(lines, fits)]


class HistoryView(QWidget):
    """`act` has a job of the history and what is asked: again, vary, recall, reveal. `looked_for` has the words."""

    act = Signal(object, str)
    looked_for = Signal(str)

    def __init__(self, look, loader, parent=None):
        super().__init__(parent)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 12, 14, 12)
        column.setSpacing(8)
        self.search = QLineEdit()
        self.search.setObjectName("search")
        self.search.setAccessibleName("Search the history")
        self.search.setPlaceholderText("Search: words, model, host, state")
        self.search.setFixedHeight(controls.field_height(self.search))
        self.search.textChanged.connect(self.looked_for)
        column.addWidget(self.search)
        self.list = QListView()
        self.list.setObjectName("history")
        self.list.setAccessibleName("History")
        self.list.setUniformItemSizes(True)
        self.list.setSelectionMode(QAbstractItemView.SingleSelection)
        self.list.setVerticalScrollMode(QAbstractItemView.ScrollPerPixel)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        self.list.setItemDelegate(Drawing(look, self.list))
        self.views = Views(loader, self)
        self.list.setModel(self.views)
        self.list.selectionModel().currentChanged.connect(lambda *_: self._show_actions())
        self.list.activated.connect(lambda _index: self._act("recall"))
        column.addWidget(self.list, 1)
        self.count = controls.label("", "muted", wrap=True)
        column.addWidget(self.count)
        column.addLayout(self._actions())
        self._show_actions()

    def _actions(self):
        self.buttons = {}
        row = QHBoxLayout()
        row.setSpacing(6)
        for name, word, tip in (
            ("again", "Again", "Makes the same clip once more"),
            ("vary", "Vary Seed", "The same with another seed"),
            ("recall", "Use Settings", "Puts its prompt and settings into the panel"),
            ("reveal", "Reveal", "Shows its files"),
        ):
            each = controls.button(word, name=f"history-{name}", tip=tip)
            each.clicked.connect(lambda _checked=False, name=name: self._act(name))
            self.buttons[name] = each
            row.addWidget(each)
        row.addStretch(1)
        return row

    def show_views(self, views, total, most, words):
        """`views` of `total` jobs match `words`; `most` are asked for at most."""
        chosen = self.chosen()
        self.views.set_views(views)
        at = self.views.row_of(chosen["job"]) if chosen else 0
        if views and not self.list.currentIndex().isValid():
            self.list.setCurrentIndex(self.views.index(max(0, at)))
        self.count.setText(_counted(len(views), total, most, words))
        self._show_actions()

    def chosen(self):
        """The job of the history that is selected, or None."""
        return self.views.view(self.list.currentIndex())

    def _act(self, name):
        view = self.chosen()
        if view is not None and self.buttons[name].isEnabled():
            self.act.emit(view, name)

    def _show_actions(self):
        view = self.chosen()
        for name, each in self.buttons.items():
            each.setEnabled(view is not None and (name != "reveal" or view.get("result") is not None))


def _counted(found, total, most, words):
    if not total:
        return "Nothing was made yet."
    if words.strip():
        of = f" among the newest {most}" if total >= most else ""
        return f"{found} of {total} clips{of} have these words." if found else f"No clip{of} has these words."
    return f"The newest {most} clips." if total >= most else f"{total} clip{'s' if total != 1 else ''}."
