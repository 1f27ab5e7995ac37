"""From a clone and a Python to a result: `python3 installers/bootstrap.py demo`, and `test` for developers.

Runs before anything is installed, so it needs nothing but the standard library. What a part of the set-up was made
from is remembered beside it, and a second run installs nothing that is already there.
"""

import sys

OLDEST = (3, 11)

if sys.version_info < OLDEST:
    sys.exit(
        "Attempted to set up ArtifexPro Studio with Python {}.{}. Failed because it needs Python {}.{} or newer. "
        "Try the same command with a newer Python, for example python3.11.".format(*sys.version_info[:2], *OLDEST)
    )

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import time
from collections import deque
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

BLENDER_PYTHON = (3, 11)
BLENDERS = ("5.0.1", "4.5.15")
# What Nuke 14 to 17 and Resolve's scripts run on, and how each environment is tried: Nuke 15 has Qt 5.
HOSTS = {
    (3, 9): "import zmq",
    (3, 10): "import zmq, PySide2.QtCore, qtpy",
    (3, 11): "import zmq",
    (3, 12): "import zmq",
    (3, 13): "import zmq",
}
# What Blender's module loads and a bare server may lack.
DEBIAN_LIBRARIES = "libegl1 libgl1 libsm6 libx11-6 libxext6 libxfixes3 libxi6 libxkbcommon0 libxrender1"

ROOT = Path(__file__).resolve().parents[1]
GIGABYTE = 1_000_000_000


class CannotSetUp(Exception):
    """Why the set-up stopped, as clauses of "Attempted to X. Failed because Y. Try Z."."""

    def __init__(self, attempted: str, because: str, remedy: str) -> None:
        super().__init__(f"Attempted to {attempted}. Failed because {because}. Try {remedy}.")


@dataclass(frozen=True)
class Part:
    """One thing to install: what it is made from (`files`), how (`steps`, arguments of pip) and how it is tried
    (`check`, a Python statement). `disk` is the room it takes, in bytes."""

    name: str
    environment: Path
    files: tuple[str, ...]
    steps: tuple[tuple[str, ...], ...]
    check: str
    disk: int
    base: Path = Path(sys.executable)
    version: tuple[int, int] = (sys.version_info[0], sys.version_info[1])

    @property
    def stamp(self) -> Path:
        return self.environment / f"artifexpro-{self.name}.stamp"

    @property
    def python(self) -> Path:
        return program(self.environment, "python")

    @property
    def log(self) -> Path:
        return self.environment / f"artifexpro-{self.name}.log"

    def digest(self) -> str:
        """Changes when the set-up must be made again: with the files, the Python, the place of the tree."""
        made_from = hashlib.sha256(f"{self.version} {ROOT} {self.steps}".encode())
        for name in self.files:
            made_from.update(name.encode() + b"\0" + (ROOT / name).read_bytes() + b"\0")
        return made_from.hexdigest()

    def is_there(self) -> bool:
        return self.python.exists() and self.stamp.exists() and self.stamp.read_text() == self.digest()


def program(environment: Path, name: str) -> Path:
    """Where a virtual environment keeps an executable."""
    return environment / "Scripts" / f"{name}.exe" if os.name == "nt" else environment / "bin" / name


def torch_pin() -> str:
    """The lock's line for torch. It goes in first and alone, so that nothing else chooses a build of it."""
    return next(line for line in (ROOT / "requirements.lock").read_text().splitlines() if line.startswith("torch=="))


def project() -> Part:
    constraints = ("-c", "requirements.lock", "-c", "requirements-cuda.lock")
    return Part(
        name="project",
        environment=ROOT / ".venv",
        files=("requirements.lock", "requirements-cuda.lock", "pyproject.toml", "setup.py"),
        steps=(
            (torch_pin(), *constraints),
            ("-r", "requirements.lock", *constraints),
            ("--no-deps", "--no-build-isolation", "-e", "."),
        ),
        check="import torch, diffusers, av, OpenImageIO, cv2, PyOpenColorIO, zmq, artifexpro.core",
        disk=3 * GIGABYTE,
    )


def window() -> Part:
    return Part(
        name="panel",
        environment=ROOT / ".venv",
        files=("requirements-panel.lock",),
        steps=(("-r", "requirements-panel.lock"),),
        check="import PySide6.QtWidgets, qtpy",
        disk=GIGABYTE // 4,
    )


def tools() -> Part:
    return Part(
        name="tools",
        environment=ROOT / ".venv",
        files=("requirements-dev.lock",),
        steps=(("-r", "requirements-dev.lock"),),
        check="import pytest, hypothesis, mypy",
        disk=GIGABYTE // 4,
    )


def blender(version: str, base: Path) -> Part:
    lock = f"requirements-blender-{version}.lock"
    return Part(
        name=f"blender-{version}",
        environment=ROOT / ".venv-blender" / version,
        files=(lock,),
        steps=(("-r", lock),),
        check="import bpy",
        disk=GIGABYTE * 3 // 2,
        base=base,
        version=BLENDER_PYTHON,
    )


def host(version: tuple[int, int], base: Path) -> Part:
    named = "{}.{}".format(*version)
    lock = f"requirements-hosts-{named}.lock"
    return Part(
        name=f"hosts-{named}",
        environment=ROOT / ".venv-hosts" / named,
        files=(lock,),
        steps=(("-r", lock),),
        check=HOSTS[version],
        disk=GIGABYTE // 2 if "PySide2" in HOSTS[version] else GIGABYTE // 20,
        base=base,
        version=version,
    )


def python_of(version: tuple[int, int]) -> Path | None:
    """A Python of that version, if this machine has one that can make environments."""
    if sys.version_info[:2] == version:
        return Path(sys.executable)
    name = "python{}.{}".format(*version)
    for found in (shutil.which(name), *Path.home().glob(".pyenv/versions/{}.{}.*/bin/python".format(*version))):
        if found is not None and answers(
            Path(found), f"import sys, venv, ensurepip; assert sys.version_info[:2] == {version}"
        ):
            return Path(found)
    return None


def answers(python: Path, statement: str) -> bool:
    done = subprocess.run([python, "-I", "-c", statement], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return done.returncode == 0


def set_up(part: Part) -> bool:
    """Install `part` unless it is there already. Returns whether anything was installed. Raises `CannotSetUp`."""
    if part.is_there():
        return False
    began = time.monotonic()
    print(f"Setting up {part.name} in {part.environment.relative_to(ROOT)} ...", flush=True)
    check_room(part)
    make_environment(part)
    part.stamp.unlink(missing_ok=True)
    part.log.write_text("")
    for step in part.steps:
        install(part, step)
    try_out(part)
    part.stamp.write_text(part.digest())
    print(f"  {part.name} is ready after {time.monotonic() - began:.0f} s", flush=True)
    return True


def check_room(part: Part) -> None:
    free = shutil.disk_usage(ROOT).free
    if free < part.disk:
        raise CannotSetUp(
            f"install {part.name}",
            f"it takes about {part.disk / GIGABYTE:.1f} GB and {free / GIGABYTE:.1f} GB are free on the disk of {ROOT}",
            "again after making room there, or from a clone on another disk",
        )


def make_environment(part: Part) -> None:
    """A virtual environment of the wanted Python; one that another Python left behind is made anew."""
    wanted = f"import sys, pip; assert sys.version_info[:2] == {part.version} and sys.prefix != sys.base_prefix"
    if part.python.exists() and answers(part.python, wanted):
        return
    if part.base == Path(sys.executable) and not (find_spec("venv") and find_spec("ensurepip")):
        raise CannotSetUp(
            f"make a virtual environment for {part.name}",
            f"the Python at {part.base} comes without the modules venv and ensurepip",
            "installing them (on Debian and Ubuntu: apt install python{}.{}-venv)".format(*part.version),
        )
    made = subprocess.run(
        [part.base, "-m", "venv", "--clear", part.environment],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        raise CannotSetUp(
            f"make a virtual environment at {part.environment}",
            reason(made.stdout + made.stderr),
            "again once that is put right",
        )


def install(part: Part, arguments: tuple[str, ...]) -> None:
    """Run pip; what it says goes to the part's log, and one line a package to the terminal."""
    command = [str(part.python), "-I", "-m", "pip", "install", "--disable-pip-version-check", "--no-input", *arguments]
    said: deque[str] = deque(maxlen=60)
    with part.log.open("a", encoding="utf-8") as log:
        pip = subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
        assert pip.stdout is not None
        for line in pip.stdout:
            log.write(line)
            said.append(line)
            if line.startswith("Collecting "):
                print(f"  {line.split()[1]}", flush=True)
        status = pip.wait()
    if status:
        output = "".join(said)
        raise CannotSetUp(f"install {part.name}", reason(output), remedy(output, part.log))


def reason(output: str) -> str:
    """What went wrong, from the words of pip or venv."""
    if is_disk(output):
        return f"the disk of {ROOT} is full"
    if is_network(output):
        return "the package registry could not be reached"
    missing = re.search(r"No matching distribution found for (\S+)", output)
    if missing:
        return f"the package registry has no {missing[1]} for this Python and system"
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith("error")]
    return (errors or lines or ["it stopped without a word"])[-1].rstrip(".")


def remedy(output: str, log: Path) -> str:
    if is_disk(output):
        return "again after making room; what was fetched is not fetched again"
    if is_network(output):
        return "again when the network is there; a proxy is set by the variable HTTPS_PROXY"
    return f"reading {log}, which has every word of the installer"


def is_disk(output: str) -> bool:
    return "No space left on device" in output or "[Errno 28]" in output


def is_network(output: str) -> bool:
    signs = (
        "NewConnectionError|NameResolutionError|Failed to establish a new connection|ConnectTimeoutError|ReadTimeout"
    )
    return (
        re.search(f"{signs}|Network is unreachable|Temporary failure in name|ProxyError|SSLError", output) is not None
    )


def try_out(part: Part) -> None:
    """An installation counts once its libraries load: some need libraries of the system."""
    done = subprocess.run(
        [part.python, "-I", "-c", part.check], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode == 0:
        return
    lacking = re.search(r"(lib[\w.+-]+): cannot open shared object file", done.stderr)
    if lacking:
        raise CannotSetUp(
            f"load what was installed for {part.name}",
            f"the system has no {lacking[1]}",
            f"installing it (on Debian and Ubuntu: apt install {DEBIAN_LIBRARIES})",
        )
    raise CannotSetUp(
        f"load what was installed for {part.name}",
        reason(done.stderr),
        f"again after deleting {part.environment.relative_to(ROOT)}",
    )


def demo(arguments: list[str]) -> int:
    """The main job, end to end."""
    set_up(project())
    return subprocess.run([program(project().environment, "artifexpro"), "demo", *arguments], check=False).returncode


def panel(arguments: list[str]) -> int:
    """The panel in a window of its own."""
    set_up(project())
    set_up(window())
    return subprocess.run([program(project().environment, "artifexpro"), "panel", *arguments], check=False).returncode


def test(arguments: list[str]) -> int:
    """Style, types and every test but the nightly ones. Arguments go to pytest."""
    python = set_up_tests()
    steps = {
        "style": ("ruff", "check", "--quiet"),
        "layout": ("ruff", "format", "--check", "--quiet"),
        "types": ("mypy", "--no-error-summary"),
    }
    failed = [name for name, step in steps.items() if run_module(python, name, *step)]
    status = pytest(python, *arguments)
    if failed:
        print(f"Not in order: {', '.join(failed)} (see above).")
    return status or bool(failed)


def nightly(arguments: list[str]) -> int:
    """The tests that are too slow for every change."""
    return pytest(set_up_tests(), "-m", "nightly", *arguments)


def set_up_tests() -> Path:
    set_up(project())
    set_up(tools())
    base = python_of(BLENDER_PYTHON)
    if base is None:
        print("No Python 3.11 here, which Blender's module needs: the tests that drive Blender are skipped.")
    else:
        for version in BLENDERS:
            set_up(blender(version, base))
    for wanted in HOSTS:
        own = python_of(wanted)
        if own is None:
            print("No Python {}.{} here: the tests of adapters on that one are skipped.".format(*wanted))
        else:
            set_up(host(wanted, own))
    return project().python


def run_module(python: Path, name: str, *command: str) -> int:
    print(f"Checking {name} ...", flush=True)
    return subprocess.run([python, "-m", *command], cwd=ROOT, check=False).returncode


def pytest(python: Path, *arguments: str) -> int:
    no_tests = 5
    status = subprocess.run([python, "-m", "pytest", *arguments], cwd=ROOT, check=False).returncode
    if status == no_tests:
        print("Attempted to run the tests. Failed because none was chosen. Try fewer or other arguments.")
        return 1
    return status


def main() -> int:
    commands = {"demo": demo, "panel": panel, "test": test, "nightly": nightly}
    parser = argparse.ArgumentParser(description="Set ArtifexPro Studio up in .venv, once, and run it.")
    parser.add_argument(
        "command",
        choices=commands,
        help="demo: the main job; panel: the panel's window; test: all checks; nightly: slow tests",
    )
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="handed on to the demo, the panel or pytest")
    chosen = parser.parse_args()
    try:
        return commands[chosen.command](chosen.arguments)
    except CannotSetUp as refusal:
        print(refusal, file=sys.stderr)
        return 1
    except OSError as refusal:
        print(
            f"Attempted to set up {ROOT}. Failed because {refusal}. Try again once that is put right.", file=sys.stderr
        )
        return 1
    except KeyboardInterrupt:
        print("Stopped. The next run goes on from here.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
