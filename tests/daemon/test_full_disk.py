"""A disk that really is full: a small file system of its own."""

from __future__ import annotations

import sqlite3
import subprocess
from pathlib import Path

import pytest

from artifexpro.daemon.ballast import Ballast

DISK = 24_000_000
BALLAST, LOW = 2_000_000, 4_000_000


@pytest.fixture
def small_disk(tmp_path):
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(place)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("this user may not mount a small disk; test_queue.py limits the database instead")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def fill(place: Path) -> Path:
    """Leave not one block free."""
    filler = place / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12):
            try:
                while file.write(bytes(size)) == size:
                    pass
            except OSError:
                continue
    return filler


def test_a_full_disk_refuses_new_jobs_ends_running_ones_and_recovers(small_disk, serve, tmp_path, request_double):
    daemon = serve(root=small_disk / "home", ballast=lambda home: Ballast(home.ballast, size=BALLAST, low=LOW))
    wire = daemon.client()
    elsewhere = {"output": str(tmp_path / "elsewhere")}
    before = [wire.submit() for _ in range(5)]
    wire.wait_for(before[-1], "finished")
    running = wire.ask("job.submit", {**request_double(steps=30, seconds=0.05), **elsewhere})["job"]
    wire.wait_for(running, "progress")

    filler = fill(small_disk)
    error = wire.refused("job.submit", request_double())
    assert error["code"] == "disk" and "MB" in error["because"] and "freeing space" in error["remedy"]
    status = wire.ask("daemon.status")
    assert not status["accepting"] and status["problem"]
    wire.wait_for(running, "finished")
    assert not (daemon.root / "ballast").exists(), "the end of the job was written in the ballast's place"
    assert wire.refused("job.retry", {"job": running})["code"] == "state"
    assert all(wire.ask("job.show", {"job": job})["state"] == "finished" for job in before)

    filler.unlink()
    wire.wait_for(wire.submit(), "finished")
    assert (daemon.root / "ballast").stat().st_size == BALLAST
    with sqlite3.connect(daemon.root / "queue.sqlite") as database:
        assert database.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


def test_a_job_can_be_cancelled_on_a_full_disk(small_disk, serve, tmp_path, request_double):
    daemon = serve(root=small_disk / "home", ballast=lambda home: Ballast(home.ballast, size=BALLAST, low=LOW))
    wire = daemon.client()
    elsewhere = {"output": str(tmp_path / "elsewhere")}
    job = wire.ask("job.submit", {**request_double(steps=1000, seconds=0.05), **elsewhere})["job"]
    wire.wait_for(job, "progress")
    fill(small_disk)
    wire.ask("job.cancel", {"job": job})
    wire.wait_for(job, "cancelled")


def test_a_daemon_starts_on_a_full_disk_and_says_what_is_wrong(small_disk, process, wire_at):
    root = small_disk / "home"
    first = process(root, double=True)
    wire_at(root).ask("daemon.status")
    first.child.kill()
    first.child.wait()
    fill(small_disk)
    process(root, double=True)
    status = wire_at(root).ask("daemon.status")
    assert not status["accepting"] and "nearly full" in status["problem"]
