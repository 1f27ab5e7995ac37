"""One worker process and the lines it and the daemon write to each other.

A thread reads and a thread writes, so a worker that stopped reading can never block the daemon's loop.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

from artifexpro.core.memory import environment

Said = dict[str, Any]
LOG_BYTES = 10_000_000


class WorkerProcess:
    """A running child. `heard` gets each of its messages, then once None when it closed its end; from a thread."""

    def __init__(self, command: Sequence[str], log: Path, heard: Callable[[Said | None], None]) -> None:
        with _open_log(log) as errors:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=environment(os.environ),
                start_new_session=True,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        self.pid = self._process.pid
        self._heard = heard
        self._to_say: queue.SimpleQueue[Said | None] = queue.SimpleQueue()
        threading.Thread(target=self._read, name=f"worker {self.pid} reader", daemon=True).start()
        threading.Thread(target=self._write, name=f"worker {self.pid} writer", daemon=True).start()

    def say(self, message: Said) -> None:
        self._to_say.put(message)

    def kill(self) -> None:
        self._process.kill()

    def end(self, patience: float) -> None:
        """Ask it to quit, wait `patience` seconds, then make it."""
        self.say({"op": "quit"})
        self._to_say.put(None)
        try:
            self._process.wait(patience)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def how_it_ended(self) -> str:
        """A clause about its death; one that only closed its end is killed after a second."""
        try:
            status = self._process.wait(1.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            status = self._process.wait()
        if status < 0:
            return f"signal {-status} ended it (the system does that when memory runs out)"
        return f"it stopped by itself with status {status}"

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            try:
                said = json.loads(line)
            except ValueError:
                continue
            if isinstance(said, dict):
                self._heard(said)
        self._to_say.put(None)
        self._heard(None)

    def _write(self) -> None:
        stdin = self._process.stdin
        assert stdin is not None
        try:
            while (message := self._to_say.get()) is not None:
                stdin.write(json.dumps(message).encode() + b"\n")
                stdin.flush()
            stdin.close()
        except OSError:
            return


def _open_log(path: Path) -> IO[bytes]:
    if path.exists() and path.stat().st_size > LOG_BYTES:
        path.replace(path.with_suffix(".old.log"))
    return path.open("ab")


def worker_command() -> list[str]:
    return [sys.executable, "-m", "artifexpro.daemon.worker"]


def viewer_command() -> list[str]:
    return [sys.executable, "-m", "artifexpro.daemon.viewer"]
