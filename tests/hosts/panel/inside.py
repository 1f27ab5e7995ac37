"""The whole round in the panel's own window, by real events, against a real daemon.

    python inside.py SETTINGS.json RESULT.json

runs on the hosts' Pythons with either Qt; what it saw goes to RESULT.json and is judged by `test_in_panel.py`.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
import time
import traceback
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from qtpy import API_NAME
from qtpy.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from qtpy.QtGui import QColor, QDragEnterEvent, QDropEvent, QImage
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QStyleFactory

from artifexpro.hosts.bridge import jobs as states
from artifexpro.hosts.bridge.home import Home
from artifexpro.hosts.panel import keeping
from artifexpro.hosts.panel.alone import Alone
from artifexpro.hosts.panel.desk import Desk
from artifexpro.hosts.panel.window import Window, session_for

PATIENCE = 240.0
WHO = {"name": "ArtifexPro panel", "version": "test", "host": "panel"}


def spin(true, what: str = "it"):
    """Let Qt work until something is true; its value."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        value = true()
        if value:
            return value
        QApplication.processEvents()
        time.sleep(0.005)
    raise AssertionError(f"{what} never happened")


class Round:
    """One window after the other over one folder, one daemon and one file of kept jobs."""

    def __init__(self, settings: dict) -> None:
        self.settings = settings
        self.home = Path(settings["home"])
        self.started: list = []
        self.open_window()

    def open_window(self) -> None:
        host = Alone(Path(self.settings["folder"]), lambda command: self.started.append(list(command)))
        kept = keeping.Keeping(keeping.usual_folder(Path(self.settings["kept"])), host.title)
        self.desk = Desk(host, session_for(WHO, self.home, start=False), WHO, kept)
        self.window = Window(self.desk)
        self.panel, self.form = self.window.panel, self.window.panel.form
        self.window.show()
        self.window.activateWindow()
        spin(lambda: self.desk.session.connected and self.form.model.count(), "a line")

    def type(self, field, text: str) -> None:
        field.setFocus()
        QTest.keyClick(field, Qt.Key_A, Qt.ControlModifier)
        QTest.keyClicks(field, text)

    def choose(self, field, data) -> None:
        """By the arrow keys, as with the keyboard alone."""
        field.setFocus()
        QTest.keyClick(field, Qt.Key_Home)
        for _ in range(field.count()):
            if field.currentData() == data:
                return
            QTest.keyClick(field, Qt.Key_Down)
        raise AssertionError(f"there is no {data}")

    def number(self, field, value: int) -> None:
        self.type(field, str(value))
        QTest.keyClick(field, Qt.Key_Tab)

    def click(self, widget) -> None:
        QTest.mouseClick(widget, Qt.LeftButton)

    def key(self, key, modifier=Qt.NoModifier) -> None:
        QTest.keyClick(QApplication.focusWidget() or self.window, key, modifier)

    def newest(self):
        return self.desk.jobs()[0]

    def row(self, job):
        return spin(lambda: self.panel.queue.row(job.key), "a row")

    def until(self, job, state: str):
        spin(lambda: job.state in (state, states.FAILED), f"{job.title} {state}")
        assert job.state == state, job.message
        return job


def clip_of(job) -> str:
    return next(each["path"] for each in job.result["artefacts"] if each["role"] == "clip")


def digest(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def refused_at_once(go: Round) -> dict:
    """Generate with nothing written: a sentence, and the keyboard in the prompt."""
    go.panel.generate_button.setFocus()
    go.key(Qt.Key_Space)
    told = spin(lambda: go.panel.banner.isVisible() and go.panel.notice.text(), "a refusal")
    focused = QApplication.focusWidget() is go.form.prompt
    go.panel.dismiss.setFocus()
    go.key(Qt.Key_Space)
    spin(lambda: not go.panel.banner.isVisible(), "dismissing")
    return {"told": told, "focus": focused, "jobs": len(go.desk.jobs())}


def fields(go: Round) -> dict:
    """A small clip, by the keyboard alone; and what the cost says of a wrong length, then of a right one."""
    go.choose(go.form.task, "t2v")
    go.choose(go.form.model, go.settings["model"])
    go.type(go.form.prompt, "a red fox")
    go.choose(go.form.size, "own")
    go.number(go.form.width_field, 128)
    go.number(go.form.height_field, 96)
    go.number(go.form.steps, 2)
    go.number(go.form.seed, 7)
    go.number(go.form.frames, 4)
    refusal = spin(lambda: go.desk.cost.refusal, "a refusal of 4 frames")
    shown = go.panel.cost.said.text()
    go.number(go.form.frames, 5)
    spin(lambda: go.desk.cost.disk.startswith("up to"), "a cost")
    cost = {name: label.text() for name, label in go.panel.cost.figures.items()}
    return {"refusal": refusal, "shown": shown, "cost": cost, "basis": go.panel.cost.said.text()}


def tab_order(go: Round) -> dict:
    """Tab from the prompt on: every field is reached, and each shows that it has the keyboard."""
    go.form.prompt.setFocus()
    names = []
    for _ in range(40):
        go.key(Qt.Key_Tab)
        focused = QApplication.focusWidget()
        names.append(focused.objectName())
        if focused is go.panel.generate_button:
            break
    return {"order": names}


def extended(go: Round) -> dict:
    """The prompt extended by rules: original, extended and difference shown, then taken, undone, taken again."""
    go.form.extend_button.setFocus()
    go.key(Qt.Key_Space)
    made = spin(lambda: go.desk.extension, "an extension")
    card = go.form.card
    spin(card.text.toPlainText, "its text")
    difference = {"plain": card.text.toPlainText(), "html": card.text.toHtml()}
    card.view.setFocus()
    go.click(card.view.findChild(type(card.use), "view-original"))
    original = card.text.toPlainText()
    go.click(card.view.findChild(type(card.use), "view-extended"))
    whole = card.text.toPlainText()
    card.use.setFocus()
    go.key(Qt.Key_Space)
    taken = go.form.prompt.toPlainText()
    QTest.keyClick(go.form.prompt, Qt.Key_Z, Qt.ControlModifier)
    undone = go.form.prompt.toPlainText()
    QTest.keyClick(go.form.prompt, Qt.Key_Z, Qt.ControlModifier | Qt.ShiftModifier)
    return {
        "made": made["extended"],
        "difference": difference,
        "original": original,
        "extended": whole,
        "taken": taken,
        "undone": undone,
        "again": go.form.prompt.toPlainText(),
        "hidden": not card.isVisible(),
    }


def made(go: Round) -> dict:
    """Ctrl+Enter, then progress, a picture on its way, and the clip in its folder."""
    go.form.prompt.setFocus()
    go.key(Qt.Key_Return, Qt.ControlModifier)
    job = go.newest()
    row = go.row(job)
    seen = {"bar": False}

    def over() -> bool:
        seen["bar"] = seen["bar"] or (row.bar.isVisible() and row.bar.value() > 0)
        return not job.open

    spin(over, "the end")
    assert job.state == states.DELIVERED, job.message
    clip = clip_of(job)
    return {
        **seen,
        "clip": clip,
        "there": Path(clip).is_file(),
        "message": row.message.text().replace("\u200b", ""),
        "state": row.state.text(),
        "notes": notes_of(go, row),
        "recipe": job.result["recipe"]["nodes"]["clip"]["spec"]["extension"],
        "files": sorted(path.name for path in Path(clip).parent.iterdir()),
        "digest": digest(clip),
    }


def notes_of(go: Round, row) -> str:
    """The notes, shown by their button and hidden again."""
    before = row.notes.isVisible()
    go.click(row.buttons["notes"])
    said = row.notes.text() if row.notes.isVisible() and not before else ""
    go.click(row.buttons["notes"])
    return "" if row.notes.isVisible() else said


def again_and_vary(go: Round) -> dict:
    """Again gives the equal clip in a folder of its own; Vary Seed asks for another seed."""
    first = go.newest()
    row = go.row(first)
    spin(row.buttons["again"].isVisible, "Again")
    row.buttons["again"].setFocus()
    go.key(Qt.Key_Space)
    second = go.until(go.newest(), states.DELIVERED)
    go.click(go.row(first).buttons["vary"])
    third = go.newest()
    seed = third.request["work"]["document"]["nodes"]["clip"]["params"]["seed"]
    go.until(third, states.DELIVERED)
    go.click(go.row(first).buttons["reveal"])
    return {
        "keys": len({first.key, second.key, third.key}),
        "clips": len({clip_of(job) for job in (first, second, third)}),
        "equal": digest(clip_of(first)) == digest(clip_of(second)),
        "varied": digest(clip_of(first)) != digest(clip_of(third)),
        "seed": seed,
        "revealed": go.started,
    }


def dropped_and_cancelled(go: Round) -> dict:
    """Files dropped on the field: a picture is taken, a text refused; a long job is cancelled by its button."""
    go.choose(go.form.task, "ti2v")
    go.choose(go.form.model, go.settings["model"])
    field = go.form.media["image"]
    folder = Path(go.settings["folder"])
    picture, text = folder / "first.png", folder / "notes.txt"
    image = QImage(128, 96, QImage.Format_RGB32)
    image.fill(QColor(90, 140, 200))
    image.save(str(picture))
    text.write_text("no picture")
    drop(field.zone, [text])
    refused = field.trouble.text()
    drop(field.zone, [picture, text])
    two = field.trouble.text()
    drop(field.zone, [picture])
    spin(field.zone._picture.isVisible, "a small picture")
    path = field.path
    go.number(go.form.steps, 900)
    go.key(Qt.Key_Return, Qt.ControlModifier)
    job = go.until(go.newest(), states.RUNNING)
    document = job.request["work"]["document"]["nodes"]
    row = go.row(job)
    spin(lambda: row.picture.pixmap() is not None and not row.picture.pixmap().isNull(), "a picture on its way")
    progress = spin(lambda: row.state.text() if "·" in row.state.text() else "", "progress")
    go.click(row.buttons["cancel"])
    asked = spin(lambda: row.state.text() if job.cancel_asked and row.state.text() != progress else "", "an answer")
    go.until(job, states.CANCELLED)
    go.number(go.form.steps, 2)
    field.zone.setFocus()
    go.key(Qt.Key_Delete)
    return {
        "refused": refused,
        "two": two,
        "path": path,
        "source": document["image"]["params"]["path"],
        "progress": progress,
        "asked": asked,
        "state": row.state.text(),
        "emptied": field.path == "",
    }


def drop(zone, paths: list[Path]) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    where = QPoint(10, 10)
    buttons = (Qt.LeftButton, Qt.NoModifier)
    QApplication.sendEvent(zone, QDragEnterEvent(where, Qt.CopyAction, data, *buttons))
    QApplication.sendEvent(zone, QDropEvent(QPointF(where), Qt.CopyAction, data, *buttons))


def searched(go: Round) -> dict:
    """The history by the keyboard: search, choose, take over the settings."""
    go.key(Qt.Key_F, Qt.ControlModifier)
    view = go.panel.history
    in_search = QApplication.focusWidget() is view.search
    spin(lambda: view.views.rowCount() > 0, "a history")
    whole = view.views.rowCount()
    go.type(view.search, "fox 7")
    spin(lambda: view.views.rowCount() < whole, "fewer")
    found, count = view.views.rowCount(), view.count.text()
    go.type(view.search, "nothing like it")
    spin(lambda: view.views.rowCount() == 0, "none")
    nothing = view.count.text()
    go.type(view.search, "fox 7")
    spin(lambda: view.views.rowCount() == found, "the same")
    go.type(go.form.prompt, "something else")
    go.number(go.form.seed, 99)
    view.list.setFocus()
    go.key(Qt.Key_Down)
    view.buttons["recall"].setFocus()
    go.key(Qt.Key_Space)
    spin(lambda: go.form.seed.value() == 7, "settings")
    wanted = go.form.wish()
    spin(lambda: go.desk.extension, "the extension it was made with")
    shown = go.desk.extension["extended"]
    go.desk.forget_extension()
    return {
        "in_search": in_search,
        "whole": whole,
        "found": found,
        "count": count,
        "nothing": nothing,
        "wish": {"prompt": wanted.prompt, "size": wanted.size, "frames": wanted.frames, "task": wanted.task},
        "extension": shown,
    }


def frozen(go: Round) -> dict:
    """With the daemon standing still, the panel does not: questions are asked and Qt goes on."""
    pid = Home.find(go.home).discovery().pid
    os.kill(pid, signal.SIGSTOP)
    try:
        slowest, ticks = 0.0, 0
        go.type(go.form.prompt, "a bell")
        go.key(Qt.Key_Return, Qt.ControlModifier)
        job = go.newest()
        go.panel.tabs.setCurrentWidget(go.panel.history)
        go.form.extend_button.click()
        for _ in range(60):
            began = time.monotonic()
            QApplication.processEvents()
            go.panel.tick()
            slowest = max(slowest, time.monotonic() - began)
            ticks += 1
            time.sleep(0.01)
        state = job.state
    finally:
        os.kill(pid, signal.SIGCONT)
    go.desk.forget_extension()
    return {"ticks": ticks, "slowest": slowest, "state": state, "after": go.until(job, states.DELIVERED).state}


def closed_meanwhile(go: Round) -> dict:
    """The window is closed while a job runs; the next one offers the result, once."""
    go.number(go.form.seed, 12)
    go.key(Qt.Key_Return, Qt.ControlModifier)
    job = go.newest()
    spin(lambda: job.job, "acceptance")
    go.window.close()
    go.open_window()
    same = spin(lambda: go.desk.session.book.get(job.key), "the job again")
    go.until(same, states.DELIVERED)
    shown = go.row(same).state.text()
    count = len(go.desk.jobs())
    go.click(go.panel.queue.clear_button)
    return {"was": job.state, "shown": shown, "count": count, "left": len(go.desk.jobs())}


ACTS = (
    refused_at_once,
    fields,
    tab_order,
    extended,
    made,
    again_and_vary,
    dropped_and_cancelled,
    searched,
    frozen,
    closed_meanwhile,
)


def main(settings: dict) -> dict:
    app = QApplication(sys.argv[:1])
    app.setStyle(QStyleFactory.create("Fusion"))
    go = Round(settings)
    told: dict = {"qt": API_NAME, "python": sys.version.split()[0]}
    for act in ACTS:
        began = time.monotonic()
        try:
            told[act.__name__] = act(go)
        except Exception:
            told["crashed"] = f"{act.__name__}: {traceback.format_exc()}"
            go.window.grab().save(f"{settings['folder']}/crashed.png")
            break
        told[act.__name__]["seconds"] = round(time.monotonic() - began, 2)
    go.window.close()
    app.processEvents()
    return told


if __name__ == "__main__":
    result = main(json.loads(Path(sys.argv[1]).read_text()))
    Path(sys.argv[2]).write_text(json.dumps(result))
