"""The panel without a host: clips stay in a folder that the artist chose."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ..bridge.errors import BridgeError
from ..bridge.jobs import Job
from . import results

Start = Callable[[Sequence[str]], object]


def _start(command: Sequence[str]) -> object:
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Alone:
    """`host.Host` over a folder. `start` runs the program that shows files; tests look at what it is given."""

    title = "ArtifexPro"

    def __init__(self, folder: Path, start: Start = _start) -> None:
        self.folder = folder.absolute()
        self._start = start

    def place(self) -> dict[str, Any]:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BridgeError(
                f"make clips in {self.folder}",
                f"that folder cannot be made ({error.strerror})",
                "another folder, chosen at the bottom of the panel",
                code="file",
            ) from error
        return {"output": str(self.folder), "target": {"host": "panel"}}

    def picture(self) -> str | None:
        return None

    def deliver(self, job: Job) -> str:
        """The files are where they shall be; this only says so. Raises `BridgeError` where they are not."""
        return f"In {results.main_file(job).parent}"

    def reveal(self, job: Job) -> None:
        path = results.main_file(job)
        command = showing(sys.platform, path)
        try:
            self._start(command)
        except OSError as error:
            raise BridgeError(
                f"show {path}",
                f"{command[0]} cannot be run ({error.strerror})",
                f"opening {path.parent} yourself",
                code="file",
            ) from error


def showing(system: str, path: Path) -> list[str]:
    """The command that shows a file in the file manager; `system` is a `sys.platform`."""
    if system == "darwin":
        return ["open", "-R", str(path)]
    if system == "win32":
        return ["explorer", f"/select,{path}"]
    return ["xdg-open", str(path if path.is_dir() else path.parent)]


def usual_folder() -> Path:
    """Where clips go until another folder is chosen."""
    movies = Path.home() / ("Movies" if sys.platform == "darwin" else "Videos")
    return Path(os.environ.get("ARTIFEXPRO_CLIPS") or movies / "ArtifexPro")
