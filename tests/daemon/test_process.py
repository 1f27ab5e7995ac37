"""The daemon as a process: how it starts, that it is alone, how it and its workers end."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest


def libraries_of(pid: int) -> str:
    return Path(f"/proc/{pid}/maps").read_text()


@pytest.mark.skipif(sys.platform != "linux", reason="reads what a process has loaded from /proc")
def test_torch_is_never_in_the_daemon_even_after_a_real_graph(process, wire_to):
    daemon = process()
    wire = wire_to(daemon)
    wire.ask("catalogue.nodes")
    wire.ask("models.list")
    wire.ask("models.plan", {"model": "ti2v-5B", "vram_gb": 24})
    document = {
        "nodes": {"out": {"type": "FileOutput", "params": {"path": "a.mp4"}, "inputs": {"video": ["no", "out"]}}}
    }
    wire.refused("job.submit", {"key": "no-such-source", "work": {"kind": "graph", "document": document}})
    loaded = libraries_of(daemon.pid)
    assert "libzmq" in loaded or "_zmq" in loaded, "this test looks in the wrong place"
    for heavy in ("libtorch", "cv2", "OpenImageIO", "libavcodec"):
        assert heavy not in loaded


def test_it_says_where_it_serves_and_publishes_it(process):
    daemon = process()
    record = json.loads((daemon.root / "daemon.json").read_text())
    assert record["endpoint"] == daemon.endpoint and record["endpoint"].startswith("tcp://127.0.0.1:")
    assert record["pid"] == daemon.pid and record["serving"] and record["python"] == sys.executable
    assert len(record["public_key"]) == 40 and record["protocol"] == 1


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_cleanly_and_its_job_goes_back_to_the_queue(process, wire_to, how):
    daemon = process(double=True)
    wire = wire_to(daemon)
    job = wire.submit(steps=1000, seconds=0.05)
    wire.wait_for(job, "progress")
    worker = psutil.Process(wire.ask("daemon.status")["lanes"][0]["pid"])
    daemon.child.send_signal(how)
    assert daemon.child.wait(10) == 0
    worker.wait(5)
    assert json.loads((daemon.root / "daemon.json").read_text())["serving"] is False
    again = wire_to(process(daemon.root, double=True))
    assert again.ask("job.show", {"job": job})["attempt"] >= 1
    again.ask("job.watch", {"after": 0, "jobs": [job]})
    while not any(event["event"] == "started" and event["body"]["attempt"] == 2 for event in again.events):
        assert again.receive() is not None
    assert any("the daemon was stopped" in str(event["body"]) for event in again.events)


def test_a_client_can_stop_it(process, wire_to):
    daemon = process()
    assert wire_to(daemon).ask("daemon.stop") == {}
    assert daemon.child.wait(10) == 0


def test_workers_end_when_the_daemon_is_killed(process, wire_to):
    daemon = process(double=True)
    wire = wire_to(daemon)
    job = wire.submit(steps=1000, seconds=0.05)
    wire.wait_for(job, "progress")
    worker = psutil.Process(wire.ask("daemon.status")["lanes"][0]["pid"])
    daemon.child.kill()
    worker.wait(5)


def test_a_second_daemon_on_one_home_says_who_is_there(process):
    first = process()
    command = [sys.executable, "-m", "artifexpro.daemon", "--home", str(first.root)]
    second = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert second.returncode == 1 and second.stdout == ""
    assert str(first.pid) in second.stderr and first.endpoint in second.stderr and "Traceback" not in second.stderr
    assert json.loads((first.root / "daemon.json").read_text())["pid"] == first.pid


def test_the_port_stays_the_same_so_that_clients_find_it_again(process, wire_to):
    first = process()
    wire = wire_to(first)
    wire.ask("daemon.status")
    first.child.kill()
    first.child.wait()
    second = process(first.root)
    assert second.endpoint == first.endpoint
    assert wire.ask("daemon.status")["pid"] == second.pid, "the old connection came back by itself"


def test_a_port_taken_meanwhile_is_given_up(process):
    first = process()
    first.child.kill()
    first.child.wait()
    host, port = first.endpoint.removeprefix("tcp://").split(":")
    with socket.socket() as squatter:
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        squatter.bind((host, int(port)))
        squatter.listen()
        assert process(first.root).endpoint != first.endpoint


def test_an_open_endpoint_is_never_taken_up_again_unasked(process):
    first = process(None, "--endpoint", "tcp://0.0.0.0:*")
    first.child.kill()
    first.child.wait()
    assert process(first.root).endpoint.startswith("tcp://127.0.0.1:")


def test_an_endpoint_that_cannot_be_used_is_a_sentence(tmp_path):
    command = [sys.executable, "-m", "artifexpro.daemon", "--home", str(tmp_path), "--endpoint", "tcp://nowhere"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1 and "tcp://nowhere" in done.stderr and "Traceback" not in done.stderr


def test_a_secret_key_others_can_read_stops_the_start(process, tmp_path):
    first = process()
    first.child.kill()
    first.child.wait()
    secret = first.root / "keys" / "daemon.key_secret"
    secret.chmod(0o644)
    command = [sys.executable, "-m", "artifexpro.daemon", "--home", str(first.root)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1 and f"chmod 600 {secret}" in done.stderr


def test_a_home_that_cannot_be_made_is_a_sentence(tmp_path):
    (tmp_path / "file").write_text("in the way")
    command = [sys.executable, "-m", "artifexpro.daemon", "--home", str(tmp_path / "file")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1 and "another folder" in done.stderr and "Traceback" not in done.stderr


def test_nobody_answers_where_no_daemon_runs(process, wire_to):
    daemon = process()
    daemon.child.kill()
    daemon.child.wait()
    wire = wire_to(daemon)
    wire.send("daemon.status")
    assert wire.silent()


def test_segments_of_killed_workers_are_swept_at_the_next_start(process, wire_to):
    from artifexpro.daemon import ring

    daemon = process(double=True)
    wire = wire_to(daemon)
    wire.ask("hello", {"shared_memory": True})
    job = wire.submit(picture=[8, 8], steps=1000, seconds=0.05)
    segment = ring.folder() / wire.wait_for(job, "preview")["body"]["frame"]["segment"]
    assert segment.exists()
    worker = wire.ask("daemon.status")["lanes"][0]["pid"]
    os.kill(worker, signal.SIGSTOP)
    daemon.child.kill()
    daemon.child.wait()
    until = time.monotonic() + 10
    while time.monotonic() < until and psutil.pid_exists(worker):
        time.sleep(0.05)
    process(daemon.root, double=True)
    assert not segment.exists()
