"""The command line as its user runs it: a process of its own, against a real daemon on a home of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Standard output as the one JSON document that it must be."""
        return json.loads(self.out)

    @property
    def reason(self) -> str:
        """The last line of standard error."""
        return self.err.strip().splitlines()[-1]


Run = Callable[..., Said]


def run_in(home: Path, folder: Path) -> Run:
    def run(*arguments: str, **environment: str) -> Said:
        done = subprocess.run(
            [sys.executable, "-m", "artifexpro.hosts.terminal.main", *arguments],
            capture_output=True,
            text=True,
            cwd=folder,
            env={**os.environ, "ARTIFEXPRO_HOME": str(home), **environment},
            timeout=300,
            check=False,
        )
        return Said(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture(scope="session")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("terminal")
    yield home
    run_in(home, home)("daemon", "--home", str(home), "--stop")


@pytest.fixture
def artifexpro(shared_home: Path, tmp_path: Path) -> Run:
    """Runs a command in an empty folder; its daemon is started by the first command that needs it."""
    return run_in(shared_home, tmp_path)


@pytest.fixture(scope="session")
def demo(shared_home: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Said]:
    """The folder that `artifexpro demo` made, and what it said."""
    folder = tmp_path_factory.mktemp("demo")
    return folder / "out", run_in(shared_home, folder)("demo", "--out", "out", "--json")
