"""Lines that end, daemons that move, answers that never come."""

from __future__ import annotations

import threading
import time

import pytest

from artifexpro.hosts.bridge.errors import BridgeError


def test_an_unanswered_request_is_sent_again_under_its_id(double, client, wait):
    client.connect(start=False)
    double.answer = lambda said: None
    got = []
    client.post("job.submit", {"key": "k"}, lambda body, error: got.append((body, error)))
    wait(lambda: double.ops("job.submit"))
    double.stop()
    double.answer = lambda said: {"job": "j"}
    double.start(double.endpoint)
    wait(lambda: client.poll() or got)
    assert got == [({"job": "j"}, None)]
    first, second = double.ops("job.submit")
    assert (first["id"], first["body"]) == (second["id"], second["body"])
    assert first["routing"] != second["routing"]


def test_watched_jobs_are_watched_again_from_the_last_event_seen(double, client, wait):
    client.watch(["a", "b", "c"])
    for job, seq in (("a", 3), ("b", 4), ("a", 7)):
        double.event("queued", job, seq)
    double.event("finished", "b", 8, result={})
    seen = []
    wait(lambda: seen.extend(client.poll()) or len(seen) == 4)
    double.stop()
    double.heard.clear()
    double.start(double.endpoint)
    wait(lambda: len(double.ops("job.watch")) == 2)
    assert double.heard[0]["op"] == "hello"
    asked = [said["body"] for said in double.ops("job.watch")]
    assert asked == [{"jobs": ["a"], "after": 7}, {"jobs": ["c"], "after": 0}]
    double.event("queued", "a", 7)
    double.event("finished", "a", 9, result={})
    assert [event["seq"] for event in wait(client.poll)] == [9]


def test_a_client_that_watches_everything_goes_on_from_the_newest_event(double, client, wait):
    client.watch(after=2)
    double.event("queued", "a", 5)
    wait(client.poll)
    double.stop()
    double.heard.clear()
    double.start(double.endpoint)
    wait(lambda: double.ops("job.watch"))
    assert double.ops("job.watch")[0]["body"] == {"after": 5}


def test_a_submitted_job_is_watched_without_being_told_to(double, client, wait):
    double.answer = lambda said: {"job": "j", "duplicate": False} if said["op"] == "job.submit" else {}
    client.submit({"key": "k"})
    double.event("queued", "j", 11)
    wait(client.poll)
    double.stop()
    double.start(double.endpoint)
    wait(lambda: double.ops("job.watch"))
    assert double.ops("job.watch")[0]["body"] == {"jobs": ["j"], "after": 11}


def test_a_job_the_new_daemon_does_not_know_is_told_as_failed(double, client, wait, refusal):
    client.watch(["lost"])
    double.stop()

    def forgotten(said):
        if said["op"] == "job.watch":
            raise refusal("no-job")
        return {}

    double.answer = forgotten
    double.start(double.endpoint)
    (event,) = wait(client.poll)
    assert (event["event"], event["job"], event["body"]["error"]["code"]) == ("failed", "lost", "no-job")


def test_a_daemon_that_moved_is_found(double, client, wait):
    client.connect(start=False)
    before = double.endpoint
    double.stop()
    blocker = type(double)(double.home)
    blocker.start(before, publish=False)
    try:
        double.start()
        assert double.endpoint != before
        assert client.request("x", timeout=20.0)[0] == {}
    finally:
        blocker.stop()


@pytest.mark.usefixtures("impatient")
def test_a_line_on_which_nothing_is_heard_gives_way_to_a_fresh_one(double, client, wait):
    client.connect(start=False)
    deaf_to = double.heard[-1]["routing"]
    double.answer = lambda said: None if said["routing"] == deaf_to else {"over": "another socket"}
    assert client.request("x", timeout=20.0)[0] == {"over": "another socket"}
    assert [said["routing"] == deaf_to for said in double.ops("x")] == [True, False]


@pytest.mark.usefixtures("impatient")
def test_a_slow_answer_is_waited_for_on_the_same_line(double, client):
    """Looking at models takes seconds; a daemon that says hello meanwhile is not dead."""

    def slow(said):
        if said["op"] != "models.plan":
            return {}
        later = {"v": 1, "id": said["id"], "ok": True, "body": {"fits": True}}
        threading.Timer(2.0, lambda: double.send(later)).start()
        return None

    double.answer = slow
    assert client.request("models.plan", timeout=20.0)[0] == {"fits": True}
    assert len(double.ops("models.plan")) == 1
    assert len({said["routing"] for said in double.heard}) == 1


def test_posting_returns_at_once_while_no_daemon_is_there(double, client):
    client.connect(start=False)
    double.stop()
    slowest = 0.0
    for n in range(300):
        began = time.perf_counter()
        client.post("x", {"n": n})
        client.poll()
        slowest = max(slowest, time.perf_counter() - began)
    with pytest.raises(BridgeError) as caught:
        began = time.perf_counter()
        client.request("x", timeout=1.0)
    waited = time.perf_counter() - began
    assert slowest < waited / 2
    assert caught.value.code == "unreachable"
    assert client.trouble is not None


def test_the_reason_of_a_timeout_is_that_nothing_listens(home, double, make_client):
    double.stop()
    client = make_client()
    with pytest.raises(BridgeError, match="nothing listens there") as caught:
        client.connect(start=False)
    assert double.endpoint in caught.value.sentence()


def test_no_daemon_was_ever_here(tmp_path, make_client):
    client = make_client(home=tmp_path / "empty")
    with pytest.raises(BridgeError, match="artifexpro daemon") as caught:
        client.connect(start=False, timeout=1.0)
    assert caught.value.code == "no-daemon"
    assert not (tmp_path / "empty").exists(), "looking for a daemon makes no folders"
