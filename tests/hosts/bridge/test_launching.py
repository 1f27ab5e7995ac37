"""The daemon, started because a host needs it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading

import psutil
import pytest

from artifexpro.hosts.bridge import launch
from artifexpro.hosts.bridge.errors import BridgeError
from artifexpro.hosts.bridge.home import Discovery, Home
from artifexpro.hosts.bridge.wire import somebody_listens


@pytest.fixture
def stop_at_end(home, wait):
    """Ends whatever daemons a test left in its home, those included that are still starting."""
    yield
    for process in psutil.process_iter(["cmdline"]):
        if {"artifexpro.daemon", str(home)} <= set(process.info["cmdline"] or ()):
            process.kill()


@pytest.mark.usefixtures("stop_at_end")
def test_the_first_host_starts_the_daemon_and_the_second_finds_it(home, make_client):
    first, second = make_client(), make_client()
    pid = first.connect()["pid"]
    assert second.connect()["pid"] == pid
    assert first.request("daemon.status")[0]["connections"] == 2
    first.close()
    assert second.request("daemon.status")[0]["pid"] == pid, "the daemon outlives the host that started it"


@pytest.mark.usefixtures("stop_at_end")
def test_hosts_that_start_at_the_same_moment_get_one_daemon(make_client):
    clients = [make_client() for _ in range(3)]
    pids = []
    threads = [
        threading.Thread(target=lambda client=client: pids.append(client.connect()["pid"])) for client in clients
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(pids) == 3
    assert len(set(pids)) == 1


@pytest.mark.usefixtures("stop_at_end")
def test_a_killed_daemon_is_started_again_and_the_line_goes_on(make_client, wait):
    client = make_client()
    pid = client.connect()["pid"]
    os.kill(pid, signal.SIGKILL)
    wait(lambda: client.trouble is not None, "the line's end")
    assert client.connect()["pid"] != pid
    assert client.trouble is None


@pytest.mark.usefixtures("stop_at_end")
def test_a_dead_daemons_port_in_other_hands_does_not_stop_a_new_one(home, double, make_client, wait):
    """The double stands for another program; its keys are not those that the daemon's home speaks of."""
    real = make_client()
    double.stop()
    pid = launch.start(Home(home)).pid
    endpoint = Home(home).discovery().endpoint
    os.kill(pid, signal.SIGKILL)
    wait(lambda: not somebody_listens(endpoint), "the free port")
    double.start(endpoint, publish=False)
    assert real.connect()["pid"] not in (pid, 0)
    assert Home(home).discovery().endpoint != endpoint


def test_a_home_that_cannot_be_made(tmp_path, make_client):
    (tmp_path / "file").write_text("")
    with pytest.raises(BridgeError, match="cannot be made") as caught:
        make_client(home=tmp_path / "file").connect()
    assert caught.value.code == "no-start"


def test_a_daemon_that_stops_at_once_says_why(home, make_client):
    (home / "queue.sqlite").write_bytes(b"this is no database" * 100)
    with pytest.raises(BridgeError, match=r"Attempted to open the queue .*queue\.sqlite") as caught:
        make_client().connect()
    assert caught.value.code == "no-start"


def test_a_start_that_ends_without_a_refusal_shows_its_last_words(home, monkeypatch):
    monkeypatch.setattr(launch, "find_python", lambda published: "/bin/sh")
    with pytest.raises(BridgeError, match=r"it stopped at once: .+") as caught:
        launch.start(Home(home))
    assert "start.log" in caught.value.remedy


def test_a_host_without_artifexpro_uses_the_python_of_the_last_daemon(monkeypatch, tmp_path):
    published = Discovery("tcp://127.0.0.1:1", "k" * 40, 1, "1", 1, sys.executable, False)
    monkeypatch.setattr(launch, "_has_daemon", lambda: False)
    assert launch.find_python(published) == sys.executable
    gone = Discovery("tcp://127.0.0.1:1", "k" * 40, 1, "1", 1, str(tmp_path / "python"), False)
    assert launch.find_python(gone) is None
    with pytest.raises(BridgeError, match="no Python with ArtifexPro in it is known") as caught:
        launch.start(Home(tmp_path / "home"))
    assert "artifexpro daemon" in caught.value.remedy


def test_an_embedding_program_is_not_taken_for_a_python(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/opt/host/bin/host")
    assert launch.find_python(None) is None


def test_the_daemons_record_is_read_whole_or_not_at_all(home):
    file = home / "daemon.json"
    for damaged in ("", "{", "[]", "null", '{"endpoint": "x"}', '{"endpoint": 1, "pid": "many"}'):
        file.write_text(damaged)
        assert Home(home).discovery() is None
    record = {
        "endpoint": "ipc:///x",
        "public_key": "k" * 40,
        "pid": 3,
        "version": "1",
        "protocol": 1,
        "python": "p",
        "serving": False,
    }
    file.write_text(json.dumps({**record, "later": "fields of a later release are no harm"}))
    assert Home(home).discovery() == Discovery(**record)


def test_an_ipc_daemon_is_found_too(home, make_client, tmp_path):
    endpoint = f"ipc://{tmp_path}/d"
    process = subprocess.Popen(
        [sys.executable, "-m", "artifexpro.daemon", "--home", str(home), "--endpoint", endpoint],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert "serving at" in process.stdout.readline()
        assert make_client().connect()["pid"] == process.pid
    finally:
        process.terminate()
        process.wait(20)
