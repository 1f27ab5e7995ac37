"""The book of jobs: what events do to it, what a file keeps of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from artifexpro.hosts.bridge.jobs import (
    CANCELLED,
    DELIVERED,
    FAILED,
    FINISHED,
    KEPT_CLOSED,
    QUEUED,
    RUNNING,
    Job,
    JobBook,
    Keeper,
)

FAILURE = {"code": "disk", "attempted": "write the clip", "because": "the disk is full", "remedy": "freeing space"}
RESULT = {"artefacts": [{"path": "/x/clip.mp4", "role": "clip"}], "notes": ["This is noise."], "recipe": {}}


PLACE = {"track": 2, "frame": 10}


def booked(key: str = "k" * 8, keeper: Keeper = 1, **more: Any) -> Job:
    return Job(key, "a cat", {"key": key}, dict(PLACE), keeper=keeper, **more)


@pytest.fixture
def book() -> JobBook:
    book = JobBook()
    job = booked()
    book.add(job)
    book.accepted(job, {"job": "j1", "state": "queued"})
    return book


def the_job(book: JobBook) -> Job:
    return next(iter(book))


def tell(book: JobBook, kind: str, **body: Any) -> Job | None:
    return book.hear({"event": kind, "job": "j1", "body": body})


def test_a_job_goes_from_accepted_to_finished(book: JobBook) -> None:
    assert the_job(book).state == QUEUED
    tell(book, "started")
    tell(book, "progress", stage="denoise", done=2, total=4)
    assert (the_job(book).state, the_job(book).stage, the_job(book).progress) == (RUNNING, "denoise", 0.5)
    tell(book, "finished", result=RESULT)
    assert (the_job(book).state, the_job(book).notes) == (FINISHED, ["This is noise."])
    assert the_job(book).progress is None


def test_a_failure_is_told_whole(book: JobBook) -> None:
    tell(book, "failed", error=FAILURE)
    assert the_job(book).state == FAILED
    assert the_job(book).message == ("Attempted to write the clip. Failed because the disk is full. Try freeing space.")


@pytest.mark.parametrize("state", [DELIVERED, CANCELLED, FAILED])
def test_what_is_closed_stays_closed(book: JobBook, state: str) -> None:
    book.close(the_job(book), state)
    assert tell(book, "finished", result=RESULT) is None
    assert the_job(book).state == state


def test_events_of_others_are_not_ours(book: JobBook) -> None:
    assert book.hear({"event": "finished", "job": "elsewhere", "body": {"result": RESULT}}) is None


def test_promised_places_are_those_of_open_jobs_of_the_keeper(book: JobBook) -> None:
    other = booked("other-key", keeper=2)
    book.add(other)
    assert book.promised(1) == [PLACE]
    assert book.promised(1, besides=the_job(book)) == []
    book.close(the_job(book), DELIVERED)
    assert book.promised(1) == []
    assert book.promised(2) == [PLACE]


def test_a_file_keeps_its_jobs(book: JobBook) -> None:
    tell(book, "progress", stage="denoise", done=2, total=4)
    text = book.as_text(1)
    reopened = JobBook()
    reopened.adopt(text, 7)
    job = the_job(reopened)
    assert (job.job, job.state, job.place, job.request) == ("j1", RUNNING, PLACE, {"key": "k" * 8})
    assert (job.keeper, job.progress, job.stage) == (7, None, "")


def test_a_copied_scene_does_not_take_the_jobs_of_the_first(book: JobBook) -> None:
    book.adopt(book.as_text(1), 9)
    assert [job.keeper for job in book] == [1]


def test_a_file_keeps_all_open_jobs_and_the_last_closed_ones() -> None:
    book = JobBook()
    for number in range(KEPT_CLOSED + 5):
        job = booked(f"closed-{number:04d}")
        book.add(job)
        book.close(job, DELIVERED)
    book.add(booked("still-open"))
    kept = [item["key"] for item in json.loads(book.as_text(1))]
    assert len(kept) == KEPT_CLOSED + 1
    assert kept[0] == "closed-0005" and kept[-1] == "still-open"


def test_changes_are_told_once(book: JobBook) -> None:
    assert book.take_changed() == {1}
    assert book.take_changed() == set()
    tell(book, "progress", stage="denoise", done=1, total=4)
    assert book.take_changed() == set(), "progress is not worth writing into the file"
    tell(book, "finished", result=RESULT)
    assert book.take_changed() == {1}


def test_the_list_is_cleared_of_closed_jobs_only(book: JobBook) -> None:
    done = booked("done-key")
    book.add(done)
    book.close(done, DELIVERED)
    book.clear_closed(1)
    assert [job.key for job in book] == ["k" * 8]
