"""Daemons that die under a command, keys that are refused, programs that took the port."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

TERMINAL = (sys.executable, "-m", "artifexpro.hosts.terminal.main")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A home of this test alone; whatever daemon is left in it is ended."""
    folder = tmp_path / "home"
    yield folder
    subprocess.run([*TERMINAL, "daemon", "--stop", "--home", str(folder)], capture_output=True, check=False)


def pid_of(home: Path) -> int:
    return int(json.loads((home / "daemon.json").read_text())["pid"])


def test_a_daemon_killed_under_a_job_is_started_again_and_the_clip_arrives(artifexpro, home, tmp_path):
    command = ("generate", "a kite", "--out", "kite.mp4", "--size", "64x64", "--frames", "5", "--steps", "60")
    running = subprocess.Popen(
        [*TERMINAL, *command, "--json"],
        cwd=tmp_path,
        env={**os.environ, "ARTIFEXPRO_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert running.stderr is not None
    for line in running.stderr:
        if "denoise" in line:
            break
    first = pid_of(home)
    os.kill(first, signal.SIGKILL)
    out, err = running.communicate(timeout=120)
    assert running.returncode == 0, err
    assert pid_of(home) != first
    assert "starting it again" in err
    assert json.loads(out)["model"] == "wan22-tiny"
    assert (tmp_path / "kite.mp4").stat().st_size > 0
    jobs = artifexpro("jobs", "list", "--json", ARTIFEXPRO_HOME=str(home)).document
    assert [job["state"] for job in jobs] == ["finished"]


def test_a_key_that_is_not_known_any_more(artifexpro, home):
    there = {"ARTIFEXPRO_HOME": str(home)}
    assert artifexpro("jobs", "list", **there).status == 0
    local = home / "keys" / "clients" / "local.key"
    kept = local.read_text()
    local.unlink()
    refused = artifexpro("jobs", "list", "--json", **there)
    local.write_text(kept)
    assert (refused.status, refused.out) == (1, "")
    assert "key" in refused.reason and "keys/clients" in refused.reason


def test_another_program_at_the_daemons_port_is_no_obstacle(artifexpro, home):
    there = {"ARTIFEXPRO_HOME": str(home)}
    assert artifexpro("jobs", "list", **there).status == 0
    assert artifexpro("daemon", "--stop", **there).status == 0
    port = int(json.loads((home / "daemon.json").read_text())["endpoint"].rsplit(":", 1)[1])
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        assert artifexpro("jobs", "list", "--json", **there).document == []


def test_the_main_job_leaves_the_daemon_for_the_next_command(artifexpro, home):
    there = {"ARTIFEXPRO_HOME": str(home)}
    artifexpro("models", "list", **there)
    first = pid_of(home)
    artifexpro("jobs", "list", **there)
    assert pid_of(home) == first
