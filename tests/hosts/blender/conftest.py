"""Real Blenders to test in: each release as a Python module in a virtual environment of its own.

`installers/bootstrap.py test` makes them in .venv-blender/; where it did not, they are made here on first use and
kept, under ARTIFEXPRO_BPY_CACHE or the user's cache folder. They hold bpy and what it depends on and nothing else: what
the extension needs, it must bring.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs
import pytest

from artifexpro.installers import blender as installer

TREE = Path(__file__).resolve().parents[3]
RELEASES = {"5.0.1": "3.11", "4.5.15": "3.11", "5.2.3": "3.13"}
"""Blender releases and the Python each is built for."""
PARAMETERS = [
    pytest.param(version, marks=[pytest.mark.blender, *([pytest.mark.nightly] if python != "3.11" else [])])
    for version, python in RELEASES.items()
]
"""`bootstrap.py test` installs those for Python 3.11; the newer one is downloaded by the nightly run."""


@dataclass(frozen=True)
class Blender:
    """One release, ready to run: `python` imports bpy."""

    version: str
    python: Path


def _cache() -> Path:
    stated = os.environ.get("ARTIFEXPRO_BPY_CACHE")
    return Path(stated) if stated else Path(platformdirs.user_cache_dir("artifexpro", appauthor=False)) / "bpy"


def _python(release: str) -> Path | None:
    """A Python of that release on this machine that really starts."""
    known = Path.home().glob(f".pyenv/versions/{release}.*/bin/python{release}")
    for path in (shutil.which(f"python{release}"), shutil.which("python3"), *sorted(known)):
        if path is None:
            continue
        asked = [path, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
        if subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip() == release:
            return Path(path)
    return None


def _environment(version: str) -> Path:
    inside = "Scripts/python.exe" if os.name == "nt" else "bin/python"
    prepared = Path(os.environ.get("ARTIFEXPRO_BLENDERS", TREE / ".venv-blender")) / version / inside
    if prepared.exists():
        return prepared
    folder = _cache() / f"bpy-{version}"
    python = folder / inside
    if python.exists() and _imports(python):
        return python
    maker = _python(RELEASES[version])
    if maker is None:
        pytest.skip(f"Blender {version} needs Python {RELEASES[version]}, which is not on this machine")
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run([str(maker), "-m", "venv", str(folder)], check=True)
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", f"bpy=={version}"]
    subprocess.run(install, check=True)
    return python


def _imports(python: Path) -> bool:
    return subprocess.run([str(python), "-c", "import bpy"], capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="session", params=PARAMETERS)
def blender(request: pytest.FixtureRequest) -> Blender:
    return Blender(request.param, _environment(request.param))


@pytest.fixture(scope="session")
def extension(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The extension's zip with this system's wheels."""
    return installer.build_extension(tmp_path_factory.mktemp("extension"), everywhere=False)


@dataclass(frozen=True)
class Stage:
    """One Blender with the extension installed, its own user folder, and a daemon to talk to."""

    blender: Blender
    folder: Path
    environment: dict[str, str]
    settings: dict[str, str]

    def act(self, name: str, **more: str) -> dict[str, Any]:
        """Run one act of `inside.py` in a process of its own; its result, with `said` what Blender printed."""
        wanted, result = self.folder / "settings.json", self.folder / f"{name}.json"
        wanted.write_text(json.dumps({**self.settings, **more}))
        script = Path(__file__).with_name("inside.py")
        done = subprocess.run(
            [str(self.blender.python), str(script), name, str(wanted), str(result)],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        said = done.stdout + done.stderr
        assert done.returncode == 0 and result.exists(), f"Blender ended with status {done.returncode}:\n{said}"
        told: dict[str, Any] = json.loads(result.read_text())
        assert "crashed" not in told, told["crashed"] + said
        return {**told, "said": said}


def _stage(blender: Blender, extension: Path, folder: Path, home: Path) -> Stage:
    hidden = {"PYTHONPATH", "VIRTUAL_ENV"}
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    environment |= {"BLENDER_USER_RESOURCES": str(folder / "user"), "ARTIFEXPRO_HOME": str(home)}
    (folder / "empty").mkdir(parents=True)
    settings = {
        "zip": str(extension),
        "empty_home": str(folder / "empty"),
        "blend": str(folder / "edit.blend"),
        "undo_blend": str(folder / "undo.blend"),
        "png": str(folder / "frame.png"),
    }
    return Stage(blender, folder, environment, settings)


@pytest.fixture(scope="module")
def stage(blender: Blender, extension: Path, daemon_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """`blender` with the extension in it, as an artist installs it; `install` has what it said."""
    stage = _stage(blender, extension, tmp_path_factory.mktemp(f"blender-{blender.version}-"), daemon_home)
    stage.settings["installed"] = json.dumps(stage.act("install"))
    return stage
