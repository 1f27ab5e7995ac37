"""Says of every widget that is shown whether its text is whole, and of all siblings whether they overlap.

    python tests/hosts/panel/measure.py

prints {"faults": what is wrong, "missed": faults made on purpose that it would not find}. It runs on the hosts' Pythons
too.
"""

from __future__ import annotations

import json
import sys
import tempfile
from itertools import combinations
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import scene

FIELD_PADDING = 16
ARROW = 26


def complaints(panel) -> list[str]:
    """A sentence for each widget under `panel` that is cut, sticks out of its parent, or lies on a sibling."""
    from qtpy.QtWidgets import QWidget

    shown = [each for each in panel.findChildren(QWidget) if each.isVisible() and not _inner(each)]
    said = []
    for each in shown:
        said += [f"{_name(each)}: {fault}" for fault in (*_cut(each), *_outside(each))]
    families: dict[int, list] = {}
    for each in shown:
        families.setdefault(id(each.parentWidget()), []).append(each)
    for family in families.values():
        for one, other in combinations(family, 2):
            if one.geometry().intersects(other.geometry()):
                said.append(f"{_name(one)} lies on {_name(other)}")
    return said


def _inner(widget) -> bool:
    """Parts of Qt's own widgets: their place is Qt's matter."""
    from qtpy.QtWidgets import QAbstractScrollArea, QComboBox, QScrollBar, QSpinBox, QSplitterHandle

    if isinstance(widget, (QScrollBar, QSplitterHandle)) or widget.windowType() != widget.windowType().Widget:
        return True
    parent = widget.parentWidget()
    while parent is not None:
        if isinstance(parent, (QComboBox, QSpinBox)):
            return True
        if isinstance(parent, QAbstractScrollArea) and not hasattr(parent, "widget"):
            return True
        parent = parent.parentWidget()
    return False


def _cut(widget) -> list[str]:
    from qtpy.QtCore import QRect, Qt
    from qtpy.QtWidgets import QCheckBox, QComboBox, QLabel, QLineEdit, QPlainTextEdit, QPushButton, QSpinBox, QTabBar

    metrics = widget.fontMetrics()

    def room(text: str, has: int) -> list[str]:
        needs = metrics.horizontalAdvance(text)
        return [f"“{text}” needs {needs} pixels and has {has}"] if needs > has else []

    if isinstance(widget, QLabel):
        return _cut_label(widget, room)
    if isinstance(widget, (QPushButton, QCheckBox)):
        wanted = widget.minimumSizeHint() if isinstance(widget, QCheckBox) else widget.sizeHint()
        fits = wanted.width() <= widget.width() and wanted.height() <= widget.height()
        link = widget.property("kind") == "link"
        segment = widget.property("kind") == "segment"
        return (
            room(widget.text(), widget.width() - (0 if link else 10))
            if fits or segment
            else [f"“{widget.text()}” is cut"]
        )
    if isinstance(widget, QComboBox):
        return room(widget.currentText(), widget.width() - FIELD_PADDING - ARROW + 8)
    if isinstance(widget, QSpinBox):
        inside = widget.lineEdit().geometry()
        return room(widget.text(), inside.width() - FIELD_PADDING + 2) if inside.left() >= 0 else ["its number is cut"]
    if isinstance(widget, QLineEdit):
        return room(widget.text() or widget.placeholderText(), widget.width() - FIELD_PADDING)
    if isinstance(widget, QPlainTextEdit) and not widget.toPlainText():
        view = widget.viewport()
        needed = metrics.boundingRect(
            QRect(0, 0, view.width() - 8, 9999), int(Qt.TextWordWrap), widget.placeholderText()
        )
        return [] if needed.height() <= view.height() else ["its hint is cut"]
    if isinstance(widget, QTabBar):
        said = []
        for at in range(widget.count()):
            said += room(widget.tabText(at), widget.tabRect(at).width() - 8)
        return said if widget.tabRect(widget.count() - 1).right() <= widget.width() else ["its tabs do not fit"]
    return []


def _cut_label(widget, room) -> list[str]:
    text = widget.text()
    if not text:
        return []
    if type(widget).__name__ == "Elided":
        return [] if widget.toolTip() else [f"“{text}” may be shortened and has no tool tip"]
    if not widget.wordWrap():
        return room(text, widget.width())
    if widget.heightForWidth(widget.width()) > widget.height() + 1:
        return [f"“{text}” needs {widget.heightForWidth(widget.width())} pixels of height and has {widget.height()}"]
    words = text.replace("\u200b", " ").split()
    return room(max(words, key=len), widget.width())


def _outside(widget) -> list[str]:
    from qtpy.QtCore import QRect
    from qtpy.QtWidgets import QScrollArea

    parent = widget.parentWidget()
    whole = QRect(0, 0, parent.width(), parent.height())
    if isinstance(parent.parentWidget(), QScrollArea) and parent.parentWidget().viewport() is parent:
        place = widget.geometry()
        return [] if place.left() >= 0 and place.right() <= whole.right() else ["it is wider than what it scrolls in"]
    return [] if whole.contains(widget.geometry()) else ["it sticks out of its parent"]


def _name(widget) -> str:
    text = getattr(widget, "text", lambda: "")
    said = str(text())[:30] if callable(text) else ""
    return f"{type(widget).__name__} {widget.objectName() or said or ''}".strip()


def all_faults(folder: Path) -> list[str]:
    """What is wrong with any view of the panel: wide, in a dock, as narrow as it gets; in two sizes of font."""
    from qtpy.QtWidgets import QApplication

    from artifexpro.hosts.panel.choices import TASKS

    app = QApplication.instance() or QApplication(sys.argv[:1])
    usual, said = app.font(), []
    for points in (9, 13):
        font = app.font()
        font.setPointSize(points)
        app.setFont(font)
        panel = scene.build(folder / str(points), "dark", "Resolve", 1060, 900, extended=True)

        def look(what: str, panel=panel, points=points) -> None:
            scene.settle(0.05)
            said.extend(f"{points} pt, {panel.width()} wide, {what}: {each}" for each in complaints(panel))

        look("queue beside the form")
        panel._go(panel.history)
        look("history beside the form")
        panel.desk.tell(scene.FAILURE)
        for width in (420, 1):
            panel.resize(width, 640)
            for page in (panel.making, panel.queue, panel.history):
                panel._go(page)
                look(panel.tabs.tabText(panel.tabs.currentIndex()))
        panel._go(panel.making)
        panel.form.size.setCurrentIndex(panel.form.size.count() - 1)
        panel.form.card.keep.click()
        for task in TASKS:
            panel.form.task.setCurrentIndex(panel.form.task.findData(task))
            look(task)
        panel.close()
        panel.deleteLater()
        scene.settle(0.02)
    app.setFont(usual)
    return said


def missed_faults(folder: Path) -> list[str]:
    """Which of some faults made on purpose nobody complained of: empty, or the measuring is worth nothing."""
    panel = scene.build(folder, "dark", "Nuke", 420, 900, page="make")
    form, missed = panel.form, []

    def fault(name: str, of: str) -> None:
        if not any(of in each for each in complaints(panel)):
            missed.append(name)

    if complaints(panel):
        missed.append("it complains where nothing is wrong")
    form.extend_button.setFixedWidth(20)
    fault("a button too narrow", "extend")
    form.model.setFixedWidth(40)
    fault("a list too narrow", "model")
    form.model_about.setFixedHeight(5)
    fault("a text too low", "of height")
    form.preset.setFixedWidth(90)
    scene.settle(0.05)
    fault("words of a choice cut", "preset")
    form.frames.move(form.size.pos())
    fault("a field on another", "lies on")
    panel.cost.move(-30, panel.cost.y())
    fault("a card outside", "sticks out")
    panel.close()
    return missed


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        found = {"faults": all_faults(Path(made)), "missed": missed_faults(Path(made) / "missed")}
        print(json.dumps(found, indent=1, ensure_ascii=False))
