"""Whatever is sent, the daemon says why it refuses and goes on serving."""

from __future__ import annotations

import json
import threading

import psutil
import pytest
import zmq

from artifexpro.core.protocol import PROTOCOL_VERSION

MESSAGES = {
    "empty": b"",
    "not JSON": b"{nearly",
    "not text": b"\xff\xfe\x00",
    "a list": b"[1, 2]",
    "a number": b"7",
    "too deep": b"[" * 100_000,
    "infinite": b'{"v": Infinity}',
    "no version": b'{"id": "a", "op": "hello"}',
    "no id": b'{"v": 1, "op": "hello"}',
    "an id that is a number": b'{"v": 1, "id": 7, "op": "hello"}',
    "an endless id": json.dumps({"v": 1, "id": "x" * 1000, "op": "hello"}).encode(),
    "a field too many": b'{"v": 1, "id": "a", "op": "hello", "extra": 1}',
    "a body that is a list": b'{"v": 1, "id": "a", "op": "hello", "body": []}',
    "a version that is a word": b'{"v": "one", "id": "a", "op": "hello"}',
    "a version that is true": b'{"v": true, "id": "a", "op": "hello", "body": 3}',
}


@pytest.mark.parametrize("message", MESSAGES.values(), ids=list(MESSAGES))
def test_a_message_that_is_none_is_refused_with_a_sentence(wire, message):
    wire.socket.send(message)
    said = wire.receive()
    assert said is not None and not said["ok"]
    error = said["error"]
    assert error["code"] in ("not-json", "bad-request")
    assert all(error[part] for part in ("attempted", "because", "remedy"))
    wire.ask("daemon.status")


BODIES = {
    "unknown field": ("job.list", {"since": 3}, "since"),
    "wrong type": ("job.list", {"limit": "many"}, "limit"),
    "out of range": ("job.list", {"limit": 0}, "limit"),
    "unknown state": ("job.list", {"states": ["sleeping"]}, "states"),
    "missing": ("job.show", {}, "job"),
    "a setting where there is none": ("daemon.status", {"verbose": True}, "verbose"),
    "no work": ("job.submit", {"key": "k" * 8}, "work"),
    "unknown work": ("job.submit", {"key": "k" * 8, "work": {"kind": "magic"}}, "work"),
    "key too short": ("job.submit", {"key": "k", "work": {"kind": "models.verify", "model": "smoke"}}, "key"),
    "frames the wrong way round": (
        "job.submit",
        {"key": "k" * 8, "work": {"kind": "graph", "document": {}, "frames": {"first": 9, "last": 1}}},
        "frames",
    ),
}


@pytest.mark.parametrize(("op", "body", "named"), BODIES.values(), ids=list(BODIES))
def test_a_wrong_body_is_refused_and_the_field_is_named(wire, op, body, named):
    error = wire.refused(op, body)
    assert error["code"] == "bad-request" and named in error["because"] and op in error["attempted"]
    assert wire.ask("daemon.status")["queue"]["queued"] == 0


def test_an_unknown_operation_is_refused_and_the_known_ones_are_named(wire):
    error = wire.refused("job.explode")
    assert error["code"] == "unknown-operation" and "job.submit" in error["remedy"]


@pytest.mark.parametrize("theirs", [PROTOCOL_VERSION + 1, 0, -1, 10**6])
def test_another_protocol_is_refused_with_both_versions_named(wire, theirs):
    name = wire.send("hello", {"client": {"name": "blender", "version": "9.8.7"}}, v=theirs)
    error = wire.answer(name)["error"]
    assert error["code"] == "version"
    assert f"protocol {theirs}" in error["attempted"] and f"protocol {PROTOCOL_VERSION}" in error["because"]
    assert "9.8.7" in error["attempted"]
    assert ("this side" if theirs > PROTOCOL_VERSION else "the client") in error["remedy"]


def test_a_message_of_the_future_is_refused_for_its_version_not_for_its_new_fields(wire):
    message = {"v": PROTOCOL_VERSION + 1, "id": "future", "op": "job.dream", "priority": "high", "body": "text"}
    wire.socket.send(json.dumps(message).encode())
    assert wire.answer("future")["error"]["code"] == "version"


def test_a_defect_in_an_operation_is_a_sentence(daemon, monkeypatch):
    def broken(*_):
        raise RuntimeError("the clockwork jammed")

    monkeypatch.setattr(daemon.server._queue, "counts", broken)
    wire = daemon.client()
    error = wire.refused("daemon.status")
    assert error["code"] == "defect" and "the clockwork jammed" in error["because"]
    assert "RuntimeError" not in str(error)
    wire.ask("job.list")


def test_binary_parts_nobody_asked_for_are_ignored(wire):
    wire.socket.send_multipart([b'{"v": 1, "id": "parts", "op": "hello"}', b"\x00" * 1000, b"more"])
    assert wire.answer("parts")["ok"]


@pytest.mark.parametrize(("size", "accepted"), [((64 << 20) - 4096, True), ((64 << 20) + 4096, False)])
def test_the_limit_is_64_mebibytes(daemon, size, accepted):
    sender = daemon.client()
    sender.ask("hello")
    sender.socket.send(b"x" * size)
    said = sender.receive(10 if accepted else 1)
    assert (said is not None and said["error"]["code"] == "not-json") if accepted else said is None
    daemon.client().ask("daemon.status")


def test_a_message_of_a_gigabyte_cuts_its_sender_and_costs_the_daemon_nothing(process, wire_to):
    daemon = process()
    bystander = wire_to(daemon)
    bystander.ask("daemon.status")
    memory = psutil.Process(daemon.pid).memory_info
    before, highest = memory().rss, 0
    sender = wire_to(daemon)
    sender.ask("hello")
    cut = threading.Event()
    monitor = sender.socket.get_monitor_socket(zmq.EVENT_DISCONNECTED)
    sender.socket.send(bytes(1 << 30), copy=False)
    for _ in range(600):
        highest = max(highest, memory().rss)
        bystander.ask("daemon.status")
        if monitor.poll(50):
            cut.set()
            break
    sender.socket.disable_monitor()
    monitor.close(0)
    assert cut.is_set(), "the daemon kept the line"
    assert highest - before < 128 << 20, f"the daemon grew by {(highest - before) >> 20} MiB"
    bystander.ask("job.list")
