"""Nukes to test in: the stand-in on each Python that Nuke has, with the adapter installed as an artist has it.

Each act is a process of its own on a Python with pyzmq and nothing of the project; the daemon is a real one, on a real
socket. Pixels are computed by a process on this Python (see standin/engine.py).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.metadata import distribution
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
TREE = HERE.parents[2]
STANDIN = HERE / "standin"


def _beside(name: str) -> Any:
    found = spec_from_file_location(f"hosts_{name}", HERE.parent / f"{name}.py")
    assert found is not None and found.loader is not None
    module = module_from_spec(found)
    found.loader.exec_module(module)
    return module


PYTHONS = _beside("pythons")
MODEL: str = _beside("model").MODEL


def types_nuke() -> Path:
    """The folder of types-nuke, the stand-in's list of names."""
    return Path(str(distribution("types-nuke").locate_file("nuke-stubs")))


@dataclass
class Nuke:
    """One Nuke: a Python, the plug-in folder, the daemon's home. `act` runs an act of `inside.py` in it."""

    version: str
    python: Path
    plugin: Path
    folder: Path
    home: Path
    settings: dict[str, Any] = field(default_factory=dict)

    def environment(self, terminal: bool = False) -> dict[str, str]:
        hidden = {"VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "QT_API"}
        kept = {name: value for name, value in os.environ.items() if name not in hidden}
        return {
            **kept,
            "PYTHONPATH": str(STANDIN),
            "STANDIN_TYPES_NUKE": str(types_nuke()),
            "STANDIN_ENGINE_PYTHON": sys.executable,
            "STANDIN_NUKE": "terminal" if terminal else "gui",
            "ARTIFEXPRO_HOME": str(self.home),
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def act(self, name: str, *, terminal: bool = False, installed: bool = True, **more: Any) -> dict[str, Any]:
        wanted, result = self.folder / f"{name}.settings.json", self.folder / f"{name}.json"
        told = {"folder": str(self.folder), "plugin": str(self.plugin) if installed else "", "model": MODEL}
        wanted.write_text(json.dumps({**told, **self.settings, **more}))
        done = subprocess.run(
            [str(self.python), str(HERE / "inside.py"), name, str(wanted), str(result)],
            env=self.environment(terminal),
            capture_output=True,
            text=True,
            timeout=500,
            check=False,
        )
        said = done.stdout + done.stderr
        assert done.returncode == 0 and result.exists(), f"Nuke ended with status {done.returncode}:\n{said}"
        answer: dict[str, Any] = json.loads(result.read_text())
        assert "crashed" not in answer, answer["crashed"] + said
        return {**answer, "said": said}


@pytest.fixture(scope="session")
def catalogue() -> list[dict[str, Any]]:
    """As `artifexpro nodes --json` has it."""
    from artifexpro.core.nodes import catalogue, library

    return [dict(entry) for entry in catalogue.catalogue(library())]


@pytest.fixture(scope="session")
def plugin(tmp_path_factory: pytest.TempPathFactory, catalogue: list[dict[str, Any]]) -> Path:
    """The adapter's folder as it lies in Nuke's plug-in path."""
    folder = tmp_path_factory.mktemp("plugin") / "ArtifexPro"
    package = folder / "artifexpro_nuke"
    for part in ("bridge", "nuke", "panel"):
        shutil.copytree(TREE / "hosts" / part, package / part, ignore=shutil.ignore_patterns("__pycache__"))
    (package / "__init__.py").write_text("")
    for name in ("init.py", "menu.py"):
        (package / "nuke" / name).replace(folder / name)
    (package / "catalogue.json").write_text(json.dumps(catalogue))
    (package / "release.txt").write_text("0.0.test")
    return folder


def python_of(version: str) -> Path:
    found: Path | None = PYTHONS.pythons().get(version)
    if found is None:
        pytest.skip(f"no .venv-hosts/{version}: bootstrap.py makes it where there is such a Python")
    return found


@pytest.fixture(
    scope="module",
    params=[pytest.param(each, marks=[] if each == "3.9" else pytest.mark.nightly) for each in PYTHONS.NUKE],
)
def each_nuke(
    request: pytest.FixtureRequest, plugin: Path, daemon_home: Path, tmp_path_factory: pytest.TempPathFactory
) -> Nuke:
    """A Nuke on each of its Pythons: the oldest with every change, all of them at night. Most other tests run on the
    newest."""
    folder = tmp_path_factory.mktemp(f"nuke-{request.param}-")
    return Nuke(request.param, python_of(request.param), plugin, folder, daemon_home)


@pytest.fixture(scope="session")
def newest(plugin: Path, daemon_home: Path) -> Callable[..., Nuke]:
    """Makes a Nuke in a folder, on the newest of its Pythons that is here."""
    version = next((each for each in reversed(PYTHONS.NUKE) if each in PYTHONS.pythons()), PYTHONS.NUKE[-1])

    def make(folder: Path, home: Path = daemon_home) -> Nuke:
        return Nuke(version, python_of(version), plugin, folder, home)

    return make


@pytest.fixture
def nuke(newest: Callable[..., Nuke], tmp_path: Path) -> Nuke:
    return newest(tmp_path)


@pytest.fixture
def other_daemon(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """The home of a daemon that answers, and is not one to talk to: "key", "older", "newer"."""
    double = _beside("bridge/conftest").Double
    running = []

    def make(what: str) -> Path:
        home = tmp_path / "other"
        home.mkdir()
        said = double(home)
        running.append(said)
        if what == "key":
            (home / "keys" / "clients" / "local.key").unlink()
            said.start()
        else:
            said.says = {"v": 0 if what == "older" else 2}
            said.start().publish(version="0.1.0" if what == "older" else "9.9.9", protocol=said.says["v"])
        return home

    yield make
    for each in running:
        each.stop()
