"""Single widgets, with the Qt of this environment."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from qtpy.QtCore import QEvent, Qt
from qtpy.QtGui import QColor, QImage
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from artifexpro.hosts.bridge.errors import BridgeError
from artifexpro.hosts.bridge.session import Session
from artifexpro.hosts.panel import controls, keeping, pictures, theme
from artifexpro.hosts.panel.choices import TASKS
from artifexpro.hosts.panel.desk import Desk
from artifexpro.hosts.panel.form import Form
from artifexpro.hosts.panel.historyview import wrapped
from artifexpro.hosts.panel.media import MediaField
from artifexpro.hosts.panel.panel import Panel
from tests.hosts.panel.conftest import FakeHost, FakeLine


@pytest.fixture(scope="module", autouse=True)
def app() -> QApplication:
    return QApplication.instance() or QApplication(sys.argv[:1])


@pytest.fixture
def loader():
    made = pictures.Loader()
    yield made
    made.wait()


def image_at(path: Path) -> str:
    image = QImage(64, 36, QImage.Format_RGB32)
    image.fill(QColor(10, 200, 30))
    assert image.save(str(path))
    return str(path)


def until(true) -> None:
    for _ in range(2000):
        if true():
            return
        QApplication.processEvents()
        QTest.qWait(2)
    raise AssertionError("it never happened")


def field(loader, offer=None) -> MediaField:
    return MediaField(TASKS["i2v"].media[0], loader, "Nuke", offer)


def test_the_hosts_picture_is_taken_or_its_absence_told(loader, tmp_path):
    offered: list[str | None] = [None]
    made = field(loader, lambda: offered[0])
    QTest.mouseClick(made.from_host, Qt.LeftButton)
    assert made.path == "" and "There is no picture to take" in made.trouble.text()
    offered[0] = image_at(tmp_path / "plate.png")
    QTest.mouseClick(made.from_host, Qt.LeftButton)
    assert made.path == offered[0] and made.trouble.text() == ""
    until(lambda: not made.zone._picture.pixmap().isNull())


def test_a_host_that_cannot_give_its_picture_says_why(loader):
    def refuse():
        raise BridgeError("take the picture", "the script has no Read", "a Read first")

    made = field(loader, refuse)
    QTest.mouseClick(made.from_host, Qt.LeftButton)
    assert (
        made.trouble.text() == "Attempted to take the picture. Failed because the script has no Read. Try a Read first."
    )


@pytest.mark.parametrize(
    ("name", "said"), [("gone.png", "gone.png is not there"), ("voice.wav", "voice.wav is no picture")]
)
def test_a_wrong_file_leaves_the_field_as_it_was(loader, tmp_path, name, said):
    (tmp_path / "voice.wav").write_bytes(b"")
    good = image_at(tmp_path / "first.png")
    made = field(loader)
    made.choose(good)
    made.choose(str(tmp_path / name))
    assert made.path == good and made.trouble.text().startswith(said)


def test_a_copied_file_is_pasted_by_the_keyboard_and_frames_by_their_pattern(loader, tmp_path):
    made = field(loader)
    QApplication.clipboard().setText(image_at(tmp_path / "first.png"))
    QTest.keyClick(made.zone, Qt.Key_V, Qt.ControlModifier)
    assert made.path == str(tmp_path / "first.png")
    made.choose("/plates/sh010.%04d.exr")
    assert made.path == "/plates/sh010.%04d.exr"


def test_a_picture_that_changed_on_disk_is_read_again(loader, tmp_path):
    path = image_at(tmp_path / "first.png")
    assert loader.get(path) is None
    until(lambda: loader.get(path))
    loader.forget(path)
    assert loader.get(path) is None


def test_a_file_that_is_no_picture_has_none_and_nothing_breaks(loader, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"no picture")
    heard = []
    loader.loaded.connect(heard.append)
    loader.get(str(tmp_path / "broken.png"))
    loader.wait()
    QApplication.processEvents()
    assert heard == [] and loader.get(str(tmp_path / "broken.png")) is None


def test_pictures_on_their_way_are_the_right_way_up():
    red, blue = (1.0, 0.0, 0.0, 1.0), (0.0, 0.0, 1.0, 1.0)
    image = pictures.from_floats(2, 2, [*red, *red, *blue, *blue])
    assert image.pixelColor(0, 0) == QColor(0, 0, 255) and image.pixelColor(1, 1) == QColor(255, 0, 0)


MODELS = [
    {"name": "noise", "about": "noise", "tasks": ["ti2v", "t2v"], "installed": True, "noise": True, "download_gb": 0.0},
    {"name": "large", "about": "large", "tasks": ["ti2v"], "installed": False, "noise": False, "download_gb": 34.2},
    {
        "name": "small",
        "about": "small",
        "tasks": ["ti2v", "t2v"],
        "installed": True,
        "noise": False,
        "download_gb": 1.0,
    },
    {"name": "still", "about": "still", "tasks": ["i2v"], "installed": False, "noise": False, "download_gb": 126.0},
]


def offered(form: Form) -> list[str]:
    return [form.model.itemText(at) for at in range(form.model.count())]


def test_models_are_those_of_the_task_what_is_here_first(loader):
    form = Form(theme.DARK, loader)
    form.offer_models(MODELS)
    assert offered(form) == ["small", "noise", "large (34 GB to get)"]
    form.model.setCurrentIndex(form.model.findData("noise"))
    form.task.setCurrentIndex(form.task.findData("t2v"))
    assert offered(form) == ["small", "noise"] and form.wish().model == "noise"
    form.task.setCurrentIndex(form.task.findData("i2v"))
    assert offered(form) == ["still (126 GB to get)"] and form.wish().model == "still"


def test_a_preset_states_its_length_and_a_chosen_file_stays_with_another_task(loader, tmp_path):
    form = Form(theme.LIGHT, loader)
    picture = image_at(tmp_path / "first.png")
    form.media["image"].choose(picture)
    QTest.mouseClick(form.preset.findChild(type(form.extend_button), "preset-Production"), Qt.LeftButton)
    assert (form.wish().preset, form.wish().frames) == ("Production", 121)
    form.task.setCurrentIndex(form.task.findData("i2v"))
    assert form.wish().media == {"image": picture}
    form.task.setCurrentIndex(form.task.findData("t2v"))
    assert form.wish().media == {}


def test_a_new_seed_each_time_only_where_it_is_ticked(loader):
    form = Form(theme.LIGHT, loader)
    form.seed.setValue(7)
    form.vary_if_wished()
    assert form.wish().seed == 7
    form.new_seed.setChecked(True)
    form.vary_if_wished()
    assert form.wish().seed != 7


def test_the_wheel_scrolls_the_panel_and_changes_no_value():
    number = controls.Number("frames", 1, 100)
    number.setValue(41)
    number.setFocus()
    event = QEvent(QEvent.Wheel)
    number.wheelEvent(event)
    assert number.value() == 41 and not event.isAccepted()


def test_a_long_title_is_broken_between_words_and_shortened_only_at_its_end():
    metrics = controls.label("x").fontMetrics()
    width = metrics.horizontalAdvance("a paper boat drifts")
    lines = wrapped("a paper boat drifts down a rain gutter past wet leaves", metrics, width)
    assert lines[0] == "a paper boat drifts" and len(lines) == 2 and lines[1].endswith("…")
    assert wrapped("a paper boat", metrics, width) == ["a paper boat"]


def test_a_panel_that_the_host_deletes_lets_go_of_its_file_of_jobs(tmp_path):
    line = FakeLine()
    work = Desk(FakeHost(tmp_path), Session(lambda: lambda: line), {"name": "test"}, keeping.Keeping(tmp_path, "Nuke"))
    panel = Panel(work)
    panel.show()
    until(lambda: work.session.connected)
    panel.deleteLater()
    del panel
    QApplication.sendPostedEvents(None, QEvent.DeferredDelete)
    gc.collect()
    again = keeping.Keeping(tmp_path, "Nuke")
    assert again.path.name == "nuke-1.json" and not work.session.connected
    again.close()
