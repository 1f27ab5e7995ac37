"""The panel in a pane of Nuke, with the Qt that Nuke has and no screen: what `inside.py` does of it."""

import json
import os
import time
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = "offscreen"

import nuke
from artist import select, shot
from nukestandin import state
from qtpy import API_NAME
from qtpy.QtCore import QCoreApplication, QEvent, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QVBoxLayout, QWidget

PATIENCE = 240.0


class Pane(QWidget):
    """As nukescripts puts a widget into a pane: it evaluates the text that was registered, and calls what that is."""

    def __init__(self):
        super().__init__()
        self.name, text = state.state.panels["com.artifexpro.panel"]
        self.inner = eval(text)()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.inner)
        self.resize(420, 760)
        self.show()

    def gone(self):
        """A pane is deleted with what is in it; nothing is closed before."""
        self.deleteLater()
        QCoreApplication.sendPostedEvents(None, QEvent.DeferredDelete)


def spin(true):
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if true():
            return
        QApplication.processEvents()
        time.sleep(0.005)
    raise AssertionError("it never happened")


def docked(settings):
    """Opened, a clip asked for by the mouse, taken away with its pane, opened again."""
    app = QApplication.instance() or QApplication([])
    plate, _roto = shot(settings)
    nuke.frame(1003)
    select(plate)
    pane = Pane()
    panel = pane.inner
    spin(lambda: panel.desk.session.connected and panel.form.model.count())
    from artifexpro_nuke.panel.wish import Wish

    panel.form.fill(Wish(prompt="rain", task="t2v", model=settings["model"], size=(128, 96), frames=5, seed=1, steps=2))
    QTest.mouseClick(panel.generate_button, Qt.LeftButton)
    asked = panel.desk.jobs()
    spin(lambda: panel.desk.notice or not panel.desk.jobs()[0].open)
    (job,) = panel.desk.jobs()
    reads = [read for read in nuke.allNodes("Read") if read.knob("artifexpro_job") is not None]
    told = {
        "qt": API_NAME,
        "name": pane.name,
        "asked": len(asked),
        "job": {"state": job.state, "message": job.message, "place": job.place},
        "notice": panel.desk.notice,
        "beside": panel.split.indexOf(panel.making) >= 0,
        "offers": panel.desk.host.title,
        "read": {"at": [reads[0].xpos(), reads[0].ypos()], "file": reads[0]["file"].value(), "count": len(reads)},
    }
    kept = Path(os.environ["ARTIFEXPRO_HOME"], "panel", "nuke-1.json")
    told["kept"] = [each["key"] for each in json.loads(kept.read_text(encoding="utf-8"))]
    pane.gone()
    again = Pane()
    told["again"] = [[each.key, each.state] for each in again.inner.desk.jobs()]
    told["key"] = job.key
    told["files"] = sorted(path.name for path in kept.parent.glob("nuke-*.json"))
    again.gone()
    app.quit()
    return told
