"""A job's life: accepted, run, told about, cancelled, retried, made again."""

from __future__ import annotations

import json
import re
import signal
import time
from pathlib import Path

import psutil
import pytest

from artifexpro.daemon.supervisor import Patience


def kinds(wire, job):
    return [event["event"] for event in wire.events if event["job"] == job and event["seq"]]


def test_a_job_is_told_from_the_queue_to_its_result(wire):
    job = wire.submit(steps=3, text="a picture")
    finished = wire.wait_for(job, "finished")
    assert kinds(wire, job) == ["queued", "started", "finished"]
    numbers = [event["seq"] for event in wire.events if event["seq"]]
    assert numbers == sorted(numbers)
    artefact = finished["body"]["result"]["artefacts"][0]
    assert Path(artefact["path"]).read_text() == "a picture"
    shown = wire.ask("job.show", {"job": job})
    assert shown["state"] == "finished" and shown["result"] == finished["body"]["result"]
    assert shown["request"]["work"]["document"]["double"]["text"] == "a picture"
    assert shown["started"] <= shown["finished"]


def test_progress_is_passing_and_has_no_number(wire):
    job = wire.submit(steps=8, seconds=0.05)
    event = wire.wait_for(job, "progress")
    assert event["seq"] == 0 and event["body"] == {"stage": "double", "done": event["body"]["done"], "total": 8}
    shown = wire.ask("job.show", {"job": job})
    assert shown["stage"] == "double" and 0 <= shown["progress"] <= 1
    wire.wait_for(job, "finished")


def test_the_same_key_is_the_same_job(wire, request_double):
    request = request_double("one-key-for-ever", text="once")
    first = wire.ask("job.submit", request)
    again = [wire.ask("job.submit", request) for _ in range(5)]
    assert not first["duplicate"]
    assert all(answer["duplicate"] and answer["job"] == first["job"] for answer in again)
    wire.wait_for(first["job"], "finished")
    late = wire.ask("job.submit", request)
    assert late["job"] == first["job"] and late["state"] == "finished"
    assert len(wire.ask("job.list")["jobs"]) == 1


def test_resends_that_overtake_the_first_answer_are_one_job(wire, request_double):
    request = request_double(text="hasty")
    names = [wire.send("job.submit", request) for _ in range(20)]
    jobs = {wire.answer(name)["body"]["job"] for name in names[-1:]}
    wire.wait_for(jobs.pop(), "finished")
    assert len(wire.ask("job.list")["jobs"]) == 1


def test_a_key_with_another_request_is_refused(wire, request_double):
    wire.ask("job.submit", request_double("a-key-of-one-job", text="this"))
    error = wire.refused("job.submit", request_double("a-key-of-one-job", text="that"))
    assert error["code"] == "key-reused" and "a-key-of-one-job" in error["attempted"]


def test_the_same_request_from_an_updated_client_is_still_the_same_job(wire, request_double):
    request = request_double("key-across-updates")
    first = wire.ask("job.submit", {**request, "client": {"name": "blender", "version": "0.1.0"}})
    second = wire.ask("job.submit", {**request, "client": {"name": "blender", "version": "0.1.1"}})
    assert second["duplicate"] and second["job"] == first["job"]


def test_urgent_jobs_go_first_and_equals_in_order(wire, request_double):
    blocker = wire.submit(steps=20, seconds=0.02)
    wire.wait_for(blocker, "started")
    order = [wire.ask("job.submit", request_double(priority=p))["job"] for p in (0, 0, 50, -5)]
    for job in order:
        wire.wait_for(job, "finished")
    started = [event["job"] for event in wire.events if event["event"] == "started"][1:]
    assert started == [order[2], order[0], order[1], order[3]]


def test_a_queued_job_is_cancelled_at_once(wire):
    blocker = wire.submit(steps=100, seconds=0.05)
    wire.wait_for(blocker, "started")
    waiting = wire.submit()
    assert wire.ask("job.cancel", {"job": waiting})["state"] == "cancelled"
    wire.ask("job.cancel", {"job": blocker})
    wire.wait_for(blocker, "cancelled")
    assert kinds(wire, waiting) == ["queued", "cancelled"]


def test_a_running_job_stops_at_its_next_step(wire):
    job = wire.submit(steps=200, seconds=0.05)
    wire.wait_for(job, "progress")
    assert wire.ask("job.cancel", {"job": job})["state"] == "running"
    done_then = len(list(Path(wire_home(wire), "jobs", job).glob("step.*")))
    wire.wait_for(job, "cancelled")
    folder = Path(wire_home(wire), "jobs", job)
    assert len(list(folder.glob("step.*"))) <= done_then + 2
    assert not (folder / "made.txt").exists()
    assert wire.ask("job.show", {"job": job})["result"] is None


def wire_home(wire):
    return wire.ask("daemon.status")["home"]


def test_a_worker_deaf_to_cancel_is_killed_and_the_next_one_works(serve):
    wire = serve(patience=Patience(cancel=0.3)).client()
    deaf = wire.submit(steps=10_000, seconds=0.05, deaf=True)
    wire.wait_for(deaf, "progress")
    wire.ask("job.cancel", {"job": deaf})
    wire.wait_for(deaf, "cancelled")
    wire.wait_for(wire.submit(), "finished")


def test_what_has_ended_cannot_be_cancelled(wire):
    job = wire.submit()
    wire.wait_for(job, "finished")
    error = wire.refused("job.cancel", {"job": job})
    assert error["code"] == "state" and "finished" in error["because"]


def test_a_failed_job_says_why_and_can_be_retried(wire):
    job = wire.submit(refuse="the plate has no frames")
    error = wire.wait_for(job, "failed")["body"]["error"]
    assert error["because"] == "the plate has no frames" and error["code"] == "double"
    assert wire.ask("job.retry", {"job": job})["state"] == "queued"
    wire.events.clear()
    wire.wait_for(job, "failed")
    assert wire.ask("job.show", {"job": job})["attempt"] == 2


def test_a_cancelled_job_can_be_retried_and_finishes(wire):
    blocker = wire.submit(steps=5, seconds=0.1)
    job = wire.submit()
    wire.ask("job.cancel", {"job": job})
    wire.wait_for(job, "cancelled")
    wire.ask("job.retry", {"job": job})
    wire.wait_for(blocker, "finished")
    wire.wait_for(job, "finished")


@pytest.mark.parametrize("orders", [{}, {"steps": 100, "seconds": 0.05}])
def test_only_failed_and_cancelled_jobs_are_retried(wire, orders):
    job = wire.submit(**orders)
    wire.wait_for(job, "progress" if orders else "finished")
    assert wire.refused("job.retry", {"job": job})["code"] == "state"


def test_a_defect_in_a_job_is_a_sentence_and_the_worker_lives(wire):
    job = wire.submit(**{"raise": "the sky fell"})
    error = wire.wait_for(job, "failed")["body"]["error"]
    assert error["code"] == "defect" and "the sky fell" in error["because"] and "ValueError" not in str(error)
    pid = wire.ask("daemon.status")["lanes"][0]["pid"]
    wire.wait_for(wire.submit(), "finished")
    assert wire.ask("daemon.status")["lanes"][0]["pid"] == pid


def test_a_worker_that_dies_is_replaced_and_its_job_runs_again(wire):
    job = wire.submit(die_until=2)
    finished = wire.wait_for(job, "finished")
    assert "attempt 2" in finished["body"]["result"]["notes"]
    assert kinds(wire, job) == ["queued", "started", "queued", "started", "finished"]


def test_the_third_death_fails_the_job_with_a_sentence(wire):
    job = wire.submit(die_until=99)
    error = wire.wait_for(job, "failed")["body"]["error"]
    assert error["code"] == "worker-died" and "3 times" in error["because"] and "signal 9" in error["because"]
    assert wire.ask("job.show", {"job": job})["attempt"] == 3
    wire.wait_for(wire.submit(), "finished")


def test_a_worker_killed_from_outside_costs_one_attempt(wire):
    job = wire.submit(steps=10, seconds=0.05)
    wire.wait_for(job, "progress")
    psutil.Process(wire.ask("daemon.status")["lanes"][0]["pid"]).kill()
    assert "attempt 2" in wire.wait_for(job, "finished")["body"]["result"]["notes"]


def test_a_cancelled_job_whose_worker_dies_is_cancelled_not_run_again(wire):
    job = wire.submit(steps=10_000, seconds=0.05, deaf=True)
    wire.wait_for(job, "progress")
    wire.ask("job.cancel", {"job": job})
    psutil.Process(wire.ask("daemon.status")["lanes"][0]["pid"]).kill()
    wire.wait_for(job, "cancelled")
    assert kinds(wire, job) == ["queued", "started", "cancelled"]


def test_a_silent_worker_is_taken_for_hung(serve):
    wire = serve(patience=Patience(silence=2.5)).client()
    job = wire.submit(steps=4, seconds=0.5)
    wire.wait_for(job, "progress")
    psutil.Process(wire.ask("daemon.status")["lanes"][0]["pid"]).send_signal(signal.SIGSTOP)
    assert "attempt 2" in wire.wait_for(job, "finished")["body"]["result"]["notes"]
    again = next(event for event in wire.events if event["event"] == "queued" and event["body"].get("because"))
    assert "said nothing" in again["body"]["because"]


def test_a_worker_with_nothing_to_do_gives_its_memory_back_and_another_takes_the_next_job(serve):
    wire = serve(patience=Patience(idle=0.5)).client()
    wire.wait_for(wire.submit(), "finished")
    first = psutil.Process(wire.ask("daemon.status")["lanes"][0]["pid"])
    first.wait(timeout=30)
    assert wire.ask("daemon.status")["lanes"][0]["state"] == "stopped"
    wire.wait_for(wire.submit(text="another"), "finished")


def test_a_worker_that_cannot_start_is_told_to_who_waits(serve, tmp_path):
    wire = serve(worker=("/bin/false",), patience=Patience(start_again=0.01)).client()
    error = wire.wait_for(wire.submit(), "failed")["body"]["error"]
    assert error["code"] == "no-worker" and "status 1" in error["because"]


def test_lanes_do_not_wait_for_each_other(wire, request_double):
    busy = wire.submit(steps=200, seconds=0.05)
    wire.wait_for(busy, "started")
    assert wire.ask("daemon.status")["lanes"][1]["state"] == "stopped"
    job = wire.ask("job.submit", {"key": "verify-smoke", "work": {"kind": "models.verify", "model": "smoke"}})["job"]
    wire.wait_for(job, "failed", "finished")
    assert wire.ask("job.show", {"job": busy})["state"] == "running"


def test_what_libraries_print_goes_to_the_log_not_into_the_protocol(wire):
    wire.wait_for(wire.submit(print=True), "finished")
    log = Path(wire_home(wire), "log", "worker-gpu.log").read_text()
    assert "libraries print what they like" in log


def test_a_worker_needs_no_torch_until_a_job_does(wire):
    assert "torch False" in wire.wait_for(wire.submit(), "finished")["body"]["result"]["notes"]


def test_an_input_that_changed_since_is_refused(wire, request_double, tmp_path):
    file = tmp_path / "plate.txt"
    file.write_text("changed")
    request = {**request_double(), "inputs": [{"path": str(file), "sha256": "0" * 64}]}
    job = wire.ask("job.submit", request)["job"]
    error = wire.wait_for(job, "failed")["body"]["error"]
    assert error["code"] == "file" and str(file) in error["attempted"]


def test_watch_replays_what_was_missed_in_order_then_goes_on(daemon):
    first = daemon.client()
    missed = [first.submit() for _ in range(3)]
    first.wait_for(missed[-1], "finished")
    seen_by_first = [event["seq"] for event in first.events if event["seq"]]
    second = daemon.client()
    assert second.ask("job.watch", {"after": 2})["head"] == seen_by_first[-1]
    later = first.submit()
    second.wait_for(later, "finished")
    numbers = [event["seq"] for event in second.events if event["seq"]]
    assert numbers == list(range(3, numbers[-1] + 1))


def test_a_client_that_watches_one_job_hears_only_that(daemon):
    worker, listener = daemon.client(), daemon.client()
    wanted = worker.submit(steps=4, seconds=0.05)
    listener.ask("job.watch", {"after": 0, "jobs": [wanted]})
    worker.wait_for(worker.submit(), "finished")
    listener.wait_for(wanted, "finished")
    assert listener.silent(0.2)
    assert {event["job"] for event in listener.events} == {wanted}
    assert kinds(listener, wanted) == ["queued", "started", "finished"]


def test_a_resubmitting_client_hears_the_job_from_its_beginning(daemon, request_double):
    request = request_double()
    first = daemon.client()
    job = first.ask("job.submit", request)["job"]
    first.wait_for(job, "finished")
    second = daemon.client()
    assert second.ask("job.submit", request)["duplicate"]
    second.wait_for(job, "finished")
    assert kinds(second, job) == ["queued", "started", "finished"]


def test_no_job_of_that_name(wire):
    for op in ("job.show", "job.cancel", "job.retry", "job.reproduce"):
        error = wire.refused(op, {"job": "nobody"})
        assert error["code"] == "no-job" and "nobody" in error["attempted"]
    assert wire.refused("job.watch", {"jobs": ["nobody"]})["code"] == "no-job"


def test_lists_are_newest_first_and_by_state(wire):
    jobs = [wire.submit() for _ in range(3)]
    wire.wait_for(jobs[-1], "finished")
    failed = wire.submit(refuse="no")
    wire.wait_for(failed, "failed")
    assert [view["job"] for view in wire.ask("job.list")["jobs"]] == [failed, *reversed(jobs)]
    assert [view["job"] for view in wire.ask("job.list", {"states": ["failed"]})["jobs"]] == [failed]
    assert len(wire.ask("job.list", {"limit": 2})["jobs"]) == 2


def test_reproduce_makes_it_again_apart_and_says_equal(wire):
    job = wire.submit(text="the same")
    first = Path(wire.wait_for(job, "finished")["body"]["result"]["artefacts"][0]["path"])
    modified = first.stat().st_mtime_ns
    second = wire.ask("job.reproduce", {"job": job})["job"]
    result = wire.wait_for(second, "finished")["body"]["result"]
    assert result["reproduction"] == {"of": job, "equal": True, "differs": []}
    assert Path(result["artefacts"][0]["path"]) != first and first.stat().st_mtime_ns == modified
    assert wire.ask("job.show", {"job": second})["request"]["fresh"]


def test_reproduce_sent_again_after_a_broken_line_is_one_job(wire):
    job = wire.submit()
    wire.wait_for(job, "finished")
    message = json.dumps({"v": 1, "id": "the-same-id", "op": "job.reproduce", "body": {"job": job}}).encode()
    answers = []
    for _ in range(2):
        wire.socket.send(message)
        answers.append(wire.answer("the-same-id")["body"]["job"])
    assert answers[0] == answers[1] != job


def test_reproduce_says_what_differs(wire):
    job = wire.submit(differs=True)
    wire.wait_for(job, "finished")
    second = wire.ask("job.reproduce", {"job": job})["job"]
    found = wire.wait_for(second, "finished")["body"]["result"]["reproduction"]
    assert found["equal"] is False
    content, why = found["differs"]
    assert content == "still of node double has other content"
    assert re.fullmatch(r"text in the recipe was .+ then and is .+ now", why)


def test_what_has_no_result_is_not_reproduced(wire):
    job = wire.submit(refuse="no")
    wire.wait_for(job, "failed")
    assert wire.refused("job.reproduce", {"job": job})["code"] == "state"


def test_an_estimate_is_the_median_of_equal_work_or_nothing(wire, request_double):
    assert wire.ask("job.submit", request_double(steps=2, seconds=0.05))["estimate"]["seconds"] is None
    job = wire.submit(steps=2, seconds=0.05)
    wire.wait_for(job, "finished")
    expected = wire.ask("job.submit", request_double(steps=2, seconds=0.05))["estimate"]
    shown = wire.ask("job.show", {"job": job})
    assert 0.1 <= expected["seconds"] < 0.1 + 2 * (shown["finished"] - shown["started"])
    assert "median" in expected["basis"]
    assert wire.ask("job.submit", request_double(steps=3))["estimate"]["seconds"] is None


def test_what_a_job_would_cost_is_told_before_it_is_asked_for(wire, request_double):
    job = wire.submit(steps=2, seconds=0.05)
    wire.wait_for(job, "finished")
    told = wire.ask("job.estimate", request_double("not-submitted", steps=2, seconds=0.05))
    assert told == wire.ask("job.submit", request_double(steps=2, seconds=0.05))["estimate"]
    assert told["seconds"] >= 0.1
    assert "not-submitted" not in [each["key"] for each in wire.ask("job.list")["jobs"]]


def test_the_daemon_answers_while_something_slow_is_looked_at(serve):
    def slowly(request, home):
        time.sleep(1.0)

    wire = serve(admit=slowly).client()
    submitting = wire.send("job.submit", {"key": "slow-look", "work": {"kind": "models.verify", "model": "smoke"}})
    began = time.monotonic()
    wire.ask("daemon.status")
    answered = time.monotonic() - began
    assert wire.answer(submitting)["ok"]
    assert answered < time.monotonic() - began
