"""Asking and hearing over a line that works."""

from __future__ import annotations

import threading

import pytest

from artifexpro.core.protocol import FrameToken, Request
from artifexpro.core.protocol.bodies import Hello
from artifexpro.hosts.bridge.errors import BridgeError


def test_a_request_gets_its_answer(double, client):
    double.answer = lambda said: {"asked": said["op"], "with": said["body"]}
    assert client.request("x.y", {"a": 1}) == ({"asked": "x.y", "with": {"a": 1}}, [])


def test_binary_parts_go_both_ways(client):
    body, parts = client.request("echo", {}, (b"\0\1", b""))
    assert (body, parts) == ({}, [b"\0\1", b""])


def test_what_is_sent_is_what_the_protocol_knows(double, client):
    client.connect(start=False)
    for said in double.heard:
        message = {name: value for name, value in said.items() if name not in ("routing", "parts")}
        assert Request.model_validate(message).v == 1
        Hello.model_validate(said["body"])
    assert double.heard[0]["body"]["client"] == {"name": "test", "version": "1.2.3", "host": "pytest"}


def test_a_refusal_keeps_the_daemons_words(double, client, refusal):
    def refuse(said):
        raise refusal("no-job")

    double.answer = refuse
    with pytest.raises(BridgeError, match=r"Attempted to a\. Failed because b\. Try c\.") as caught:
        client.request("job.show", {"job": "x"})
    assert (caught.value.code, caught.value.node) == ("no-job", "n")


def test_answers_find_their_questions_in_any_order(double, client, wait):
    held = []

    def hold(said):
        if said["op"] != "held":
            return {}
        held.append(said)
        if len(held) == 3:
            for each in reversed(held):
                double.send({"v": 1, "id": each["id"], "ok": True, "body": {"n": each["body"]["n"]}})
        return None

    double.answer = hold
    got = []
    for n in range(3):
        client.post("held", {"n": n}, lambda body, error, n=n: got.append((n, body["n"])))
    wait(lambda: client.poll() or len(got) == 3)
    assert sorted(got) == [(0, 0), (1, 1), (2, 2)]
    assert [n for n, _ in got] == [2, 1, 0]


def test_callbacks_run_in_the_thread_that_polls(client, wait):
    threads = []
    client.post("x", {}, lambda body, error: threads.append(threading.current_thread()))
    wait(lambda: client.poll() or threads)
    assert threads == [threading.current_thread()]


def test_a_refused_post_tells_its_callback(double, client, refusal, wait):
    def refuse(said):
        raise refusal("state")

    double.answer = refuse
    got = []
    client.post("job.retry", {"job": "x"}, lambda body, error: got.append((body, error.code)))
    wait(lambda: client.poll() or got)
    assert got == [(None, "state")]


def test_many_threads_share_one_line(double, client):
    double.answer = lambda said: {"n": said["body"].get("n")}
    wrong = []

    def ask(start: int) -> None:
        wrong.extend(n for n in range(start, start + 50) if client.request("x", {"n": n})[0] != {"n": n})

    threads = [threading.Thread(target=ask, args=(50 * k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len({said["routing"] for said in double.heard}) == 1


def test_events_come_in_order_and_once(double, client, wait):
    client.connect(start=False)
    for seq in (1, 2, 2, 1, 3):
        double.event("queued", "j", seq)
    double.event("finished", "j", 4, result={})
    events = []
    wait(lambda: events.extend(client.poll()) or (events and events[-1]["event"] == "finished"))
    assert [event["seq"] for event in events] == [1, 2, 3, 4]


def test_a_host_that_polls_rarely_gets_the_newest_progress_only(double, client, wait):
    client.connect(start=False)
    for step in range(200):
        double.event("progress", "j", stage="denoise", done=step, total=200)
        double.event("progress", "k", stage="write", done=step, total=200)
    double.event("finished", "j", 1, result={})
    wait(lambda: any(event["event"] == "finished" for event in client._events.values()))
    events = client.poll()
    assert [(event["event"], event["job"]) for event in events] == [
        ("progress", "j"),
        ("progress", "k"),
        ("finished", "j"),
    ]
    assert events[0]["body"]["done"] == 199
    assert client.poll() == []


def test_a_preview_brings_its_pixels(double, client, wait):
    client.connect(start=False)
    token = FrameToken(part=0, width=2, height=1, dtype="uint8")
    double.event("preview", "j", 0, b"12345678", frame=token.model_dump(mode="json"))
    (event,) = wait(client.poll)
    assert event["parts"] == [b"12345678"]


def test_watching_again_brings_the_past_again(double, client, wait):
    client.watch(["j"])
    double.event("queued", "j", 5)
    wait(client.poll)
    client.watch(["j"], after=0)
    double.event("queued", "j", 5)
    assert [event["seq"] for event in wait(client.poll)] == [5]


def test_a_message_above_64_mib_is_refused_here(double, client):
    client.connect(start=False)
    before = len(double.heard)
    with pytest.raises(BridgeError, match="65 MiB") as caught:
        client.request("job.submit", {}, (bytes(65 * 1024 * 1024),))
    assert caught.value.code == "too-large"
    got = []
    client.post("job.submit", {"key": "x" * (65 << 20)}, lambda body, error: got.append(error.code))
    client.poll()
    assert got == ["too-large"]
    assert client.request("hello", {})[0] == {}
    assert len(double.heard) == before + 1


def test_a_silent_daemon_is_told_from_a_dead_one(double, client):
    double.answer = lambda said: {} if said["op"] == "hello" else None
    with pytest.raises(BridgeError, match="is there but did not answer within") as caught:
        client.request("models.list", timeout=0.3)
    assert caught.value.code == "timeout"


def test_what_is_not_a_message_is_passed_over(double, client):
    client.connect(start=False)
    with double._lock:
        for junk in (b"not json", b"[1]", b'"text"', b"{}", b'{"id": 7}'):
            double._to_send.append([double.heard[-1]["routing"], junk])
    assert client.request("x")[0] == {}


def test_closing_ends_what_waits(double, client, wait):
    double.answer = lambda said: None
    got = []
    client.post("x", {}, lambda body, error: got.append(error.code))
    wait(lambda: double.heard)
    client.close()
    client.poll()
    assert got == ["closed"]
    with pytest.raises(BridgeError, match="line to it was closed"):
        client.request("x")


def test_what_was_posted_just_before_closing_is_sent(double, client, wait):
    client.connect(start=False)
    client.post("job.cancel", {"job": "j"})
    client.close()
    wait(lambda: double.ops("job.cancel"))
