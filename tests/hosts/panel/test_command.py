"""`artifexpro panel`, and the panel's modules on the Pythons of the hosts."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.hosts.pythons import TREE

MAIN = "from artifexpro.hosts.terminal.main import main; sys.exit(main(['panel', '--out', sys.argv[1]]))"


def started(home: Path, before: str = "", **environment: str) -> subprocess.Popen[str]:
    """The command, after `before` was run in its Python, in an environment without a screen."""
    kept = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    kept.pop("QT_QPA_PLATFORM", None)
    return subprocess.Popen(
        [sys.executable, "-c", f"import sys; {before}\n{MAIN}", str(home / "clips")],
        env={**kept, "ARTIFEXPRO_HOME": str(home), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(
    ("before", "said"),
    [
        ("sys.modules['qtpy'] = None", "Qt for Python is not there"),
        ("import qtpy.QtWidgets; qtpy.PYSIDE_VERSION = '6.12.0'; sys.version_info = (3, 11)", "ends this Python"),
        ("", "this session has no screen"),
    ],
)
def test_what_is_missing_is_said_in_a_sentence(tmp_path, before, said):
    process = started(tmp_path, before)
    _, complaint = process.communicate(timeout=120)
    assert process.returncode == 1
    assert complaint.startswith("Attempted to open the panel. Failed because") and said in complaint
    assert complaint.count("\n") == 1


def test_a_home_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    process = started(tmp_path / "file", QT_QPA_PLATFORM="offscreen")
    _, complaint = process.communicate(timeout=120)
    assert process.returncode == 1 and "it cannot keep its jobs" in complaint


def test_the_window_opens_and_stays(daemon_home):
    process = started(daemon_home, QT_QPA_PLATFORM="offscreen")
    try:
        kept = daemon_home / "panel" / "artifexpro-1.lock"
        until = time.monotonic() + 120
        while not kept.exists() and time.monotonic() < until and process.poll() is None:
            time.sleep(0.05)
        assert kept.exists() and process.poll() is None
    finally:
        process.terminate()
        process.communicate(timeout=60)


def test_every_module_is_python_3_9():
    modules = sorted((TREE / "hosts" / "panel").glob("*.py"))
    assert len(modules) > 15
    for module in modules:
        ast.parse(module.read_text(encoding="utf-8"), str(module), feature_version=(3, 9))


WORK = """
import sys, pathlib
from artifexpro.hosts.bridge.session import Session
from artifexpro.hosts.panel.alone import Alone
from artifexpro.hosts.panel.desk import Desk
from artifexpro.hosts.panel.keeping import Keeping
from artifexpro.hosts.panel.wish import Wish, wish_of
folder = pathlib.Path(sys.argv[1])
wanted = Wish(prompt="a red fox", task="t2v")
for start in (1, 2):
    kept = Keeping(folder / "kept", "Nuke")
    desk = Desk(Alone(folder / "clips"), Session(lambda: None), {"name": "test"}, kept)
    if start == 1:
        desk.generate(wanted)
    job = desk.jobs()[0]
    assert wish_of(desk.document_of(job), job.title) == wanted
    desk.close()
print(len(desk.jobs()), "qtpy" in sys.modules)
"""


def test_all_but_the_widgets_runs_on_each_hosts_python(host_python, tmp_path):
    (tmp_path / "artifexpro").mkdir()
    (tmp_path / "artifexpro" / "hosts").symlink_to(TREE / "hosts")
    done = subprocess.run(
        [str(host_python), "-c", WORK, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == ["1", "False"], done.stderr
