"""The daemon's home: where everything it keeps lies, and the lock that makes it the only one there.

`daemon.json` is how clients find the daemon. It is never removed: the Python that can start the daemon and the
port that clients remember stay known while nobody is serving.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import platformdirs

from artifexpro.core.errors import ArtifexError
from artifexpro.core.protocol import PROTOCOL_VERSION
from artifexpro.core.version import VERSION


def default_home() -> Path:
    """The folder named by ARTIFEXPRO_HOME, else this user's data folder."""
    named = os.environ.get("ARTIFEXPRO_HOME")
    return Path(named) if named else Path(platformdirs.user_data_dir("artifexpro", appauthor=False))


@dataclass(frozen=True)
class Home:
    """Paths below one root. Nothing is made before `prepare`."""

    root: Path

    @property
    def keys(self) -> Path:
        return self.root / "keys"

    @property
    def clients(self) -> Path:
        return self.keys / "clients"

    @property
    def queue(self) -> Path:
        return self.root / "queue.sqlite"

    @property
    def ballast(self) -> Path:
        return self.root / "ballast"

    @property
    def discovery(self) -> Path:
        return self.root / "daemon.json"

    @property
    def lock(self) -> Path:
        return self.root / "daemon.lock"

    @property
    def jobs(self) -> Path:
        return self.root / "jobs"

    @property
    def store(self) -> Path:
        return self.root / "store"

    @property
    def models(self) -> Path:
        return self.root / "models"

    @property
    def log(self) -> Path:
        return self.root / "log"

    def prepare(self) -> None:
        """Make the folders. Raises `ArtifexError` where the disk refuses."""
        try:
            for folder in (self.root, self.jobs, self.store, self.models, self.log):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ArtifexError(
                f"use {self.root} as the daemon's home",
                f"its folders cannot be made there ({error.strerror})",
                "another folder with --home, or the rights and free space of this one",
                code="home",
            ) from error

    def publish(self, endpoint: str, public_key: str, *, serving: bool) -> None:
        """Write `daemon.json` whole or not at all."""
        record = {
            "endpoint": endpoint,
            "public_key": public_key,
            "pid": os.getpid(),
            "version": VERSION,
            "protocol": PROTOCOL_VERSION,
            "python": sys.executable,
            "serving": serving,
        }
        beside = self.discovery.with_suffix(".json.part")
        beside.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
        beside.replace(self.discovery)

    def published(self) -> dict[str, Any]:
        """What the last daemon here wrote; empty if there was none or its record is unreadable."""
        try:
            record = json.loads(self.discovery.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return record if isinstance(record, dict) else {}


class HomeLock:
    """One daemon a home. The operating system drops the lock when its process ends, however it ends."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._file: IO[bytes] | None = None

    def acquire(self) -> None:
        """Raises `ArtifexError` (code "second-daemon") while another daemon serves this home."""
        file = self._home.lock.open("ab")
        try:
            _lock(file)
        except OSError as error:
            file.close()
            record = self._home.published()
            raise ArtifexError(
                f"start a daemon in {self._home.root}",
                f"one is already serving there (process {record.get('pid')}, {record.get('endpoint')})",
                "that daemon, or another folder with --home",
                code="second-daemon",
            ) from error
        self._file = file

    def release(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[bytes]) -> None:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
