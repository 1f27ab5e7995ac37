"""Starting the daemon when a host needs one and none runs."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from .errors import BridgeError
from .home import Discovery, Home
from .wire import somebody_listens

_POLL_SECONDS = 0.05
_REFUSAL = re.compile(r"Attempted to (.+)\. Failed because (.+)\. Try (.+)\.")


def start(home: Home, timeout: float = 20.0, python: str | None = None) -> Discovery:
    """Start a daemon on `home`, detached from this program, and wait until it listens.

    `python` is used where no daemon ran here before that said which Python it lives in. One that another host starts
    at the same moment is as good. Raises `BridgeError` (code "no-start") with what the daemon said.
    """
    before = home.discovery()
    python = find_python(before) or python
    if python is None:
        raise BridgeError(
            "start the ArtifexPro daemon",
            "no Python with ArtifexPro in it is known here",
            "artifexpro daemon in a terminal where ArtifexPro is installed; from then on hosts start it by themselves",
            code="no-start",
        )
    log = _log_file(home)
    child = _spawn([python, "-m", "artifexpro.daemon", "--home", str(home.root)], log)
    until = time.monotonic() + timeout
    while time.monotonic() < until:
        ended = child.poll()
        now = home.discovery()
        fresh = now is not None and now.serving and (before is None or now != before or ended is not None)
        if now is not None and fresh and somebody_listens(now.endpoint):
            return now
        if ended is not None and not _another_serves(log):
            raise _stopped_at_once(log)
        time.sleep(_POLL_SECONDS)
    raise BridgeError(
        "start the ArtifexPro daemon",
        f"it was not ready within {timeout:.0f} seconds",
        f"once more; what it said is in {log}",
        code="no-start",
    )


def find_python(published: Discovery | None) -> str | None:
    """A Python that has the daemon: this one, else the one the last daemon ran on."""
    if _has_daemon() and Path(sys.executable).stem.lower().startswith("python"):
        return sys.executable
    if published is not None and os.access(published.python, os.X_OK):
        return published.python
    return None


def _has_daemon() -> bool:
    try:
        return importlib.util.find_spec("artifexpro.daemon") is not None
    except ImportError:
        return False


def _log_file(home: Home) -> Path:
    try:
        (home.root / "log").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BridgeError(
            "start the ArtifexPro daemon",
            f"its folder {home.root} cannot be made ({error.strerror})",
            "another folder in ARTIFEXPRO_HOME",
            code="no-start",
        ) from error
    return home.root / "log" / "start.log"


def _spawn(command: list[str], log: Path) -> subprocess.Popen[bytes]:
    """A process that outlives this one and shares neither its terminal nor its Python settings."""
    settings: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        settings = {"creationflags": subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP}
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONHOME", "PYTHONPATH")}
    if Path(command[0]) == Path(sys.executable) and "PYTHONPATH" in os.environ:
        environment["PYTHONPATH"] = os.environ["PYTHONPATH"]
    try:
        with open(log, "wb") as said:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                cwd=str(Path(log).parent),
                env=environment,
                **settings,
            )
    except OSError as error:
        raise BridgeError(
            "start the ArtifexPro daemon",
            f"{command[0]} cannot be run ({error.strerror})",
            "artifexpro daemon in a terminal",
            code="no-start",
        ) from error


def _another_serves(log: Path) -> bool:
    """Whether the daemon ended because one serves that home already; the lock is certain, its words are not."""
    return "one is already serving there" in log.read_text(encoding="utf-8", errors="replace")


def _stopped_at_once(log: Path) -> BridgeError:
    """The daemon's own refusal where its last line is one, else that line as it is."""
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    last = next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")
    refusal = _REFUSAL.fullmatch(last)
    if refusal:
        return BridgeError(refusal[1], refusal[2], refusal[3], code="no-start")
    because = f"it stopped at once: {last.rstrip('.')}"
    remedy = f"reading {log}, where everything it said is"
    return BridgeError("start the ArtifexPro daemon", because, remedy, code="no-start")
