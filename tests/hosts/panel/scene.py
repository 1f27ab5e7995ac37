"""A panel that has everything to show at once, for looking at it and for measuring it.

Its daemon is a double with fixed answers, because what is judged here is the layout. It runs on the hosts' own Pythons,
so it needs nothing but the panel, the bridge and Qt.
"""

from __future__ import annotations

import math
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
TREE = Path(__file__).resolve().parents[3]

PROMPT = "a paper boat drifts down a rain gutter past wet leaves, low evening light, 35 mm"
MODELS = [
    {
        "name": "ti2v-5B",
        "about": "text and image to video at 720p and 24 frames a second on one consumer card",
        "tasks": ["ti2v", "t2v", "style"],
        "usable": True,
        "installed": True,
        "noise": False,
        "download_gb": 34.2,
    },
    {
        "name": "i2v-A14B",
        "about": "image to video with two experts of 14 billion parameters each",
        "tasks": ["i2v"],
        "usable": True,
        "installed": False,
        "noise": False,
        "download_gb": 126.0,
    },
    {
        "name": "s2v-14B",
        "about": "films of somebody who speaks or sings",
        "tasks": ["s2v", "edit"],
        "usable": True,
        "installed": False,
        "noise": False,
        "download_gb": 46.0,
    },
]
PLAN = {
    "fits": True,
    "reason": "fits the card",
    "seconds": 412.0,
    "peak_vram_gb": 22.5,
    "peak_ram_gb": 31.0,
    "model": "ti2v-5B",
    "task": "ti2v",
}
ESTIMATE = {
    "seconds": 254.0,
    "disk_bytes": 598_118_400,
    "basis": "time: the median of 6 earlier jobs of this kind on this machine; disk: the pictures uncompressed",
}
FAILURE = (
    "Attempted to generate 4 frames. Failed because a clip has 1, 5, 9 or another length in steps of 4. "
    "Try 5 frames, the nearest length."
)
ADDED = (
    ". The camera keeps a steady height and a constant distance, so that the framing stays composed. Focus rests on "
    "the boat and falls off softly towards the distance. Movement is fluid, with natural weight and inertia."
)
EXTENSION = {
    "original": PROMPT,
    "extended": PROMPT.replace("drifts", "drifts slowly") + ADDED,
    "difference": [
        ["kept", "a paper boat "],
        ["removed", "drifts"],
        ["added", "drifts slowly"],
        ["kept", PROMPT.split("drifts")[1]],
        ["added", ADDED],
    ],
    "method": "rules",
    "model": "",
    "release": "rules 1",
    "seed": 0,
    "contradictions": [],
    "remarks": [],
}
TITLES = (
    ("Fog rolls over the harbour at dawn, gulls rise from the pier", "nuke", "Production"),
    ("A paper boat drifts down a rain gutter past wet leaves", "panel", "Draft"),
    ("Macro of ink spreading in clear water, backlit", "blender", "Preview"),
    ("Night tram passes, sparks on the wire, wet street", "resolve", "Draft"),
    ("Close on hands folding a letter by candlelight", "panel", "Draft"),
    ("Dust in a sunbeam across an empty theatre", "nuke", "Cinema"),
    ("A lighthouse seen from the sea in heavy weather, long lens", "blender", "Preview"),
)


def paint(path: Path, number: int) -> str:
    """A still as a clip would have one: a sky, a sun and some hills, another hour for each number."""
    from qtpy.QtCore import QPointF
    from qtpy.QtGui import QColor, QImage, QLinearGradient, QPainter, QPolygonF

    image = QImage(320, 184, QImage.Format_RGB32)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.Antialiasing)
    hue = (200 + 47 * number) % 360
    sky = QLinearGradient(0, 0, 0, 184)
    sky.setColorAt(0, QColor.fromHsv(hue, 130, 90))
    sky.setColorAt(1, QColor.fromHsv((hue + 40) % 360, 90, 225))
    painter.fillRect(image.rect(), sky)
    painter.setPen(QColor(0, 0, 0, 0))
    painter.setBrush(QColor.fromHsv((hue + 60) % 360, 60, 250))
    painter.drawEllipse(QPointF(60 + 40 * number % 230, 74), 20, 20)
    for layer in range(3):
        painter.setBrush(QColor.fromHsv(hue, 110, 110 - 32 * layer))
        points = [QPointF(0, 184)]
        for x in range(0, 325, 5):
            wave = math.sin(x / (34.0 + 9 * layer) + number + 2 * layer)
            points.append(QPointF(x, 112 + 22 * layer + 13 * wave))
        painter.drawPolygon(QPolygonF([*points, QPointF(320, 184)]))
    painter.end()
    image.save(str(path))
    return str(path)


class FixedLine:
    """`session.Line` whose daemon knows everything and does nothing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._waiting: list = []
        self._events: list = []

    def post(self, op, body, done):
        self._waiting.append(lambda: self._answer(op, body, done))

    def poll(self):
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            each()
        events, self._events = self._events, []
        return events

    def picture(self, event):
        return None

    def close(self):
        pass

    def _answer(self, op, body, done):
        answers = {"models.list": {"models": MODELS}, "models.plan": PLAN, "job.estimate": ESTIMATE}
        if op == "job.list":
            done({"jobs": [self._view(number) for number in range(len(TITLES))]}, None)
        elif op == "job.submit":
            job = f"job{body['key'][:8]}"
            done({"job": job, "state": "queued", "duplicate": False, "estimate": ESTIMATE}, None)
            if body["work"]["kind"] == "prompt":
                result = {"artefacts": [], "notes": [], "recipe": {"prompt": EXTENSION}}
                self._events.append({"event": "finished", "job": job, "seq": 1, "body": {"result": result}})
        else:
            done(answers.get(op, {"problem": None}), None)

    def _view(self, number):
        title, host, preset = TITLES[number]
        still = paint(self._folder / f"{number}" / "poster.png", number)
        params = {"prompt": title, "model": "ti2v-5B", "preset": preset, "seed": 7 * number + 3}
        graph = {"nodes": {"clip": {"type": "TI2VGenerator", "params": params}}}
        return {
            "job": f"{number:016x}",
            "key": f"key-{number:08}",
            "title": title,
            "kind": "graph",
            "state": "finished" if number != 3 else "failed",
            "created": time.time() - (number * 47 + 2) * 613,
            "client": {"name": "", "version": "", "host": host},
            "result": {"artefacts": [{"role": "still", "path": still}], "notes": [], "recipe": {"graph": graph}},
        }


class Offering:
    """A host that offers a picture and has a place for every clip."""

    def __init__(self, title: str, picture: str) -> None:
        self.title = title
        self.folder = Path("/projects/shot010/artifexpro")
        self._picture = picture

    def place(self):
        return {"output": "/projects/shot010", "target": {"host": "test"}}

    def picture(self):
        return self._picture

    def deliver(self, job):
        return "In a Read node inside Wan1, frames 1001 to 1041."

    def reveal(self, job):
        pass


def jobs(panel, folder: Path) -> None:
    """One job of each kind in the queue."""
    from artifexpro.hosts.bridge import jobs as states
    from artifexpro.hosts.panel import wish

    book = panel.desk.session.book
    stills = [paint(folder / f"still{number}.png", number) for number in range(4)]
    made = [
        (states.DELIVERED, TITLES[0][0], "In a Read node inside Wan1, frames 1001 to 1041.", None, stills[0]),
        (states.FAILED, "Two foxes in deep snow", FAILURE, None, None),
        (states.FINISHED, "A kite over the dunes", "", None, stills[2]),
        (states.QUEUED, "Macro of ink spreading in clear water, backlit", "", None, None),
        (states.RUNNING, "A paper boat drifts down a rain gutter past wet leaves", "", 0.48, stills[1]),
    ]
    for number, (state, title, message, progress, still) in enumerate(made):
        document = wish.Wish(prompt=title, model="ti2v-5B").document()
        job = wish.job_for(document, title, panel.desk.host.place(), {"name": "scene"}, key=f"scene-{number}")
        job.state, job.message, job.progress, job.job = state, message, progress, f"scene{number}"
        job.stage = "denoise"
        if state in (states.DELIVERED, states.FINISHED):
            poster = str(Path(str(still)).parent / f"{number}" / "poster.png")
            job.notes = ["The prompt was extended by rules 1 (seed 0)."]
            job.result = {"artefacts": [{"role": "still", "path": poster}], "notes": []}
            Path(poster).parent.mkdir(parents=True, exist_ok=True)
            paint(Path(poster), number)
        if state == states.FINISHED:
            job.message = (
                "Attempted to put the clip into Wan1. Failed because the script shot010.nk is not open. "
                "Try opening it, then Put in Place."
            )
            panel.desk._refused.add(job.key)
        book.add(job)
        panel.tick()
        if state == states.RUNNING:
            from qtpy.QtGui import QImage

            panel.queue.row(job.key).show_preview(QImage(str(still)))


def build(folder: Path, look: str, host: str, width: int, height: int, *, page: str = "queue", extended: bool = False):
    """The panel with all of it, shown. `page` is "make", "queue" or "history"."""
    from qtpy.QtWidgets import QApplication, QStyleFactory

    from artifexpro.hosts.bridge.session import Session
    from artifexpro.hosts.panel import theme
    from artifexpro.hosts.panel.desk import Desk
    from artifexpro.hosts.panel.panel import Panel
    from artifexpro.hosts.panel.window import Window

    app = QApplication.instance() or QApplication(sys.argv[:1])
    app.setStyle(QStyleFactory.create("Fusion"))
    for number in range(len(TITLES)):
        (folder / f"{number}").mkdir(parents=True, exist_ok=True)
    plate = paint(folder / "plate_v012_shot010.png", 9)
    session = Session(lambda: lambda: FixedLine(folder))
    work, colors = Desk(Offering(host, plate), session, {"name": "scene"}), getattr(theme, look.upper())
    window = Window(work, colors) if host == "ArtifexPro" else Panel(work, colors)
    panel = getattr(window, "panel", window)
    panel.kept = window
    window.resize(width, height)
    window.show()
    spin(lambda: session.connected)
    panel.form.prompt.setPlainText(PROMPT)
    panel.form.seed.setValue(1204)
    panel.form.media["image"].choose(plate)
    jobs(panel, folder)
    panel._go({"make": panel.making, "queue": panel.queue, "history": panel.history}[page])
    if extended:
        panel.form.card.ask(0)
    spin(lambda: panel.desk.cost.time.startswith("about"))
    spin(lambda: page != "history" or panel.history.views.rowCount() > 0)
    spin(lambda: not extended or panel.desk.extension is not None)
    settle()
    return panel


def spin(true, seconds: float = 20.0) -> None:
    """Let Qt work until something is true."""
    from qtpy.QtWidgets import QApplication

    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it never happened"
        QApplication.processEvents()
        time.sleep(0.005)


def settle(seconds: float = 0.25) -> None:
    """Let pictures arrive and layouts come to rest."""
    until, rounds = time.monotonic() + seconds, iter(range(30))
    spin(lambda: next(rounds, None) is None and time.monotonic() > until)
