"""What the tests of all hosts share: the Pythons that hosts run, and a real daemon."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hosts.pythons import host_python

__all__ = ["daemon_home", "host_python"]


@pytest.fixture(scope="session")
def daemon_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The home of a real daemon, listening on a real socket, in a process of its own."""
    home = tmp_path_factory.mktemp("daemon-home")
    daemon = subprocess.Popen(
        [sys.executable, "-m", "artifexpro.daemon", "--home", str(home)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert daemon.stdout is not None
        assert "serving at" in daemon.stdout.readline()
        yield home
    finally:
        daemon.terminate()
        daemon.wait(30)
