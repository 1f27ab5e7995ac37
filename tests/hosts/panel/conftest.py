"""What the panel's tests share: programs of either Qt, a host and a daemon that answer as a test wants."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from artifexpro.hosts.bridge.errors import BridgeError
from artifexpro.hosts.bridge.jobs import Job
from artifexpro.hosts.bridge.session import Session, Trouble
from artifexpro.hosts.panel.desk import Desk
from artifexpro.hosts.panel.keeping import Keeping
from tests.hosts.pythons import TREE, pythons

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
HERE = Path(__file__).parent
PYSIDE6, PYSIDE2 = "PySide6", "PySide2"


@dataclass(frozen=True)
class Program:
    """A Python with one of the Qts, and the panel and the bridge as an installer copies them."""

    qt: str
    python: Path
    path: Path

    def run(self, script: str, *arguments: str, percent: int = 100) -> str:
        """What `script` of this folder prints. Fails the test where it ends badly."""
        environment = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "QT_API")}
        environment |= {
            "PYTHONPATH": str(self.path),
            "QT_QPA_PLATFORM": "offscreen",
            "QT_SCALE_FACTOR": str(percent / 100),
        }
        done = subprocess.run(
            [str(self.python), str(HERE / script), *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=580,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def qt(request: pytest.FixtureRequest, tmp_path: Path) -> Program:
    """A program of the Qt that the test names."""
    if request.param == PYSIDE6:
        return Program(PYSIDE6, Path(sys.executable), tmp_path)
    python = pythons().get("3.10")
    if python is None:
        pytest.skip("no .venv-hosts/3.10: bootstrap.py makes it where there is such a Python")
    package = tmp_path / "inside"
    for part in ("bridge", "panel"):
        unwanted = shutil.ignore_patterns("__pycache__")
        shutil.copytree(TREE / "hosts" / part, package / "artifexpro" / "hosts" / part, ignore=unwanted)
    return Program(PYSIDE2, python, package)


class FakeHost:
    """A host with one place. `refusing` is what `deliver` raises."""

    title = "Nuke"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.delivered: list[str] = []
        self.refusing: BridgeError | None = None
        self.wants_frames = False

    def place(self) -> dict[str, Any]:
        return {"output": str(self.folder), "node": "Wan1", "frames": self.wants_frames, "target": {"host": "nuke"}}

    def picture(self) -> str | None:
        return None

    def deliver(self, job: Job) -> str:
        if self.refusing is not None:
            raise self.refusing
        self.delivered.append(job.key)
        return f"In {job.place['node']}."

    def reveal(self, job: Job) -> None:
        self.delivered.append(f"reveal {job.key}")


class FakeLine:
    """`session.Line` whose answers wait until a test gives them: `asked` has (op, body, done)."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any], Callable[..., None]]] = []
        self.ready: list[Callable[[], None]] = []
        self.events: list[dict[str, Any]] = []

    def post(self, op: str, body: dict[str, Any], done: Callable[..., None]) -> None:
        self.asked.append((op, body, done))

    def poll(self) -> list[dict[str, Any]]:
        ready, self.ready = self.ready, []
        for each in ready:
            each()
        events, self.events = self.events, []
        return events

    def picture(self, event: dict[str, Any]) -> None:
        return None

    def close(self) -> None:
        pass

    def bodies(self, op: str) -> list[dict[str, Any]]:
        return [body for asked, body, _ in self.asked if asked == op]

    def answer(self, op: str, reply: dict[str, Any] | None = None, trouble: str = "", passing: bool = False) -> None:
        """Answer the oldest question of this kind that waits, at the next poll."""
        at = next(number for number, each in enumerate(self.asked) if each[0] == op)
        _, _, done = self.asked.pop(at)
        why = Trouble(trouble, passing=passing) if trouble else None
        self.ready.append(lambda: done(reply, why))


@dataclass
class Bench:
    """A desk between a host and a daemon that a test plays."""

    desk: Desk
    host: FakeHost
    line: FakeLine

    def pump(self, times: int = 2) -> set[str]:
        for _ in range(times):
            self.desk.pump()
        return self.desk.take_news()

    def accepted(self) -> Job:
        """The newest job, as the daemon has accepted it."""
        job = self.desk.jobs()[0]
        self.pump()
        self.line.answer("job.submit", {"job": f"j{job.key[:6]}", "state": "queued", "duplicate": False})
        self.pump()
        return job

    def finished(self, job: Job, **result: Any) -> None:
        told = {"artefacts": [], "notes": [], **result}
        self.line.events.append({"event": "finished", "job": job.job, "seq": 1, "body": {"result": told}})
        self.pump()


@pytest.fixture
def make_bench(tmp_path: Path) -> Callable[..., Bench]:
    def make(keeping: Keeping | None = None) -> Bench:
        line, host = FakeLine(), FakeHost(tmp_path / "clips")
        desk = Desk(host, Session(lambda: lambda: line), {"name": "test"}, keeping)
        desk.session.dial_now()
        while not desk.session.connected:
            desk.pump()
        return Bench(desk, host, line)

    return make


@pytest.fixture
def bench(make_bench: Callable[..., Bench]) -> Bench:
    return make_bench()


def told(text: str) -> Any:
    return json.loads(text)
